//! The bodies of the fuzz targets. They are compiled, linted and replayed on stable; only the targets
//! themselves need `cargo fuzz`.

mod alphabet;
mod connection;
mod frame;
mod grammar;
mod output;
#[cfg(test)]
mod replay;
mod types;

pub use connection::connection;
pub use frame::frame;
pub use grammar::grammar;
pub use types::types;
