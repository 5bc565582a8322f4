//! The vocabulary of IMAP, one noun a file.

mod mailbox;
mod set;
mod uid;

pub use mailbox::{InvalidName, MailboxName};
pub use set::{SeqSet, Set, SetIter, UidSet};
pub use uid::{Identifier, SeqNum, Uid, UidValidity};
