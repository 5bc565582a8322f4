//! Values from tokens, one family a file, the ABNF above each; and the small languages inside strings.
//!
//! Quirks are cited by their numbers in `docs/quirks.md`.

mod address;
mod body_shape;
mod body_structure;
mod body_walk;
pub(crate) mod capability;
pub(crate) mod code;
pub(crate) mod date;
mod envelope;
mod esearch;
mod fetch;
mod fetch_extensions;
mod flags;
mod id;
mod list;
mod namespace;
mod parameter;
mod search;
pub(crate) mod section;
mod section_data;
pub(crate) mod set;
mod status;
mod unsolicited;

pub use address::{Address, Addresses};
pub use body_structure::{BodyKind, BodyStructure, Disposition, Parameters};
pub use body_walk::{PartPath, Walk};
pub use code::parse_status_text;
pub use envelope::{Envelope, Malformed};
pub use esearch::{Esearch, SearchResult, SearchSet};
pub use fetch::{Attribute, Fetch};
pub(crate) use fetch::{AttributeName, NamedAttribute};
pub use flags::Flags;
pub(crate) use id::identification;
pub(crate) use list::list_entry;
pub(crate) use namespace::namespaces;
pub use search::{search_mod_seq, search_numbers};
pub(crate) use section_data::ToldSection;
pub use section_data::{Body, SectionData};
pub(crate) use status::{status, status_mailbox};
pub use unsolicited::Unsolicited;
