//! What the example programs have in common.

mod account;
mod text;
#[path = "oauth/tokens.rs"]
mod tokens;

pub use account::{Account, Password, connector, take_option, take_switch};
pub use text::decoded;
pub use tokens::{Program, Service, Tokens};

/// Whatever went wrong, for `main` to print.
pub type Fallible<T> = Result<T, Box<dyn std::error::Error>>;
