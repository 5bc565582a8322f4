//! Values from tokens, one family a file, the ABNF above each; and the small languages inside strings.

mod address;
mod body_structure;
mod envelope;
mod fetch;
mod flags;

pub use address::{Address, Addresses};
pub use body_structure::{BodyKind, BodyStructure, Disposition, Parameters, PartPath, Walk};
pub use envelope::{Envelope, Malformed};
pub use fetch::{Attribute, Body, Fetch, SectionData};
pub use flags::Flags;
