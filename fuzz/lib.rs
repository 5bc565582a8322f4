//! The bodies of the fuzz targets. They are compiled, linted and replayed on stable; only the targets
//! themselves need `cargo fuzz`.

mod alphabet;
mod connection;
mod frame;
mod output;
#[cfg(test)]
mod replay;

pub use connection::connection;
pub use frame::frame;
