//! From bytes to tokens and from values to bytes: framing, the token table, the grammar above it,
//! and the encoder.

mod atom;
mod frame;
pub mod grammar;
mod limits;
pub(crate) mod mutf7;
mod token;
mod value;

pub(crate) use atom::is_atom;
pub use frame::{Detached, FrameError, Framer, Piece};
pub use limits::Limits;
pub use token::{Damage, Token, TokenKind, tokenize};
pub(crate) use value::{Table, decode, parse_number};
pub use value::{Text, Value, Values};
