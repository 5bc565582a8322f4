//! The vocabulary of IMAP, one noun a file.

mod capability;
mod caseless;
mod code;
mod datetime;
mod fetch_items;
mod flag;
mod mailbox;
mod message_flags;
mod messages;
mod search;
mod secret;
mod section;
mod set;
mod uid;

pub use capability::{Capabilities, Capability, Literals};
pub use caseless::Caseless;
pub use code::{AppendUid, Code, CopyUid, ModifiedSet, Progress, UidSequence};
pub(crate) use datetime::MONTHS;
pub use datetime::{Date, DateTime};
pub use fetch_items::{FetchItems, FetchSection, InvalidItem, ItemMask};
pub use flag::{Flag, InvalidFlag, Keyword};
pub use mailbox::{InvalidName, MailboxName};
pub use message_flags::MessageFlags;
pub use messages::Messages;
pub use search::{Fragment, Query};
pub use secret::Secret;
pub use section::{InvalidSection, Section, SectionText};
pub use set::{SeqSet, Set, SetIter, UidSet};
pub use uid::{Identifier, SeqNum, Uid, UidValidity};
