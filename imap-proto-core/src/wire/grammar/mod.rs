//! Values from tokens, one family a file, the ABNF above each; and the small languages inside strings.

mod address;
mod envelope;
mod flags;

pub use address::{Address, Addresses};
pub use envelope::{Envelope, Malformed};
pub use flags::Flags;
