//! From bytes to tokens and from values to bytes: framing, the token table, the grammar above it,
//! and the encoder.
//!
//! Quirks are cited by their numbers in `docs/quirks.md`.

mod atom;
mod command_frame;
mod decoder;
mod encode;
mod frame;
pub mod grammar;
mod limits;
mod literal;
pub(crate) mod mutf7;
mod parsed;
mod response;
mod scan;
#[cfg(test)]
mod tests;
mod token;
mod tokenize;
mod value;

pub(crate) use atom::is_atom;
pub use command_frame::{ClientLine, CommandFramer, CommandPiece};
pub use decoder::{Decoder, Step};
pub use encode::EncodeError;
pub(crate) use encode::{Encoder, Part, Text as LineText};
pub use frame::{Detached, FrameError};
pub use limits::Limits;
pub(crate) use parsed::Parsed;
pub use parsed::Tokenized;
#[cfg(test)]
pub(crate) use parsed::read_line;
pub use response::{Condition, Kind, OwnedResponse, Response};
#[cfg(test)]
pub(crate) use tests::stream;
pub use token::{Damage, Token, TokenKind, Tokens};
pub use value::{Text, Value, Values};
pub(crate) use value::{decode, parse_number};
