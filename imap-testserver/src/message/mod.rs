//! What FETCH and SEARCH need of a message: its parts, and what they render to.

mod address;
mod body_structure;
mod envelope;
mod header;
mod media;
mod part_tree;
mod parts;
mod section;
mod wire;

use std::sync::OnceLock;

pub(crate) use body_structure::{BodyShape, body_structure};
pub(crate) use envelope::envelope;
pub(crate) use header::Fields;
pub(crate) use part_tree::PartTree;
pub(crate) use parts::Part;
pub(crate) use section::section;
pub(crate) use wire::write_string;

/// The octets of a message, and what mail-parser found in them once somebody asked.
#[derive(Debug)]
pub(crate) struct Content {
    raw: Vec<u8>,
    parts: OnceLock<Part>,
}

impl Content {
    pub(crate) fn new(raw: Vec<u8>) -> Self {
        Content { raw, parts: OnceLock::new() }
    }

    pub(crate) fn raw(&self) -> &[u8] {
        &self.raw
    }

    pub(crate) fn root(&self) -> &Part {
        self.parts.get_or_init(|| parts::parse(&self.raw))
    }

    pub(crate) fn header(&self) -> Fields<'_> {
        self.root().fields(&self.raw)
    }
}
