//! The vocabulary of IMAP, one noun a file.

mod set;
mod uid;

pub use set::{SeqSet, Set, SetIter, UidSet};
pub use uid::{Identifier, SeqNum, Uid, UidValidity};
