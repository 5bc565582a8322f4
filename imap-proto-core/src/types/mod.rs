//! The vocabulary of IMAP, one noun a file.
//!
//! Quirks are cited by their numbers in `docs/quirks.md`.

mod capability;
mod caseless;
mod code;
mod datetime;
mod entry_type;
mod fetch_items;
mod flag;
mod identification;
mod list_entry;
mod list_pattern;
mod mailbox;
mod mailbox_attribute;
mod message_flags;
mod messages;
mod namespace;
mod search;
mod secret;
mod section;
mod set;
mod status;
mod uid;

pub use capability::{Capabilities, CapabilitiesIter, Capability, Literals};
pub use caseless::Caseless;
pub use code::{AppendUid, Code, CopyUid, ModifiedSet, Progress, UidSequence};
pub(crate) use datetime::MONTHS;
pub use datetime::{Date, DateTime};
pub use entry_type::EntryType;
pub use fetch_items::{FetchItems, FetchSection, InvalidItem, ItemMask};
pub use flag::{Flag, InvalidFlag, Keyword};
pub use identification::Identification;
pub use list_entry::ListEntry;
pub use list_pattern::ListPattern;
pub use mailbox::{IntoMailboxName, InvalidName, MailboxName};
pub use mailbox_attribute::{MailboxAttribute, MailboxAttributes, SpecialUse, SpecialUseName};
pub use message_flags::MessageFlags;
pub use messages::Messages;
pub use namespace::{Namespace, Namespaces};
pub use search::{Fragment, InvalidQuery, Query};
pub use secret::Secret;
pub use section::{InvalidSection, Section, SectionText};
pub use set::{SeqSet, Set, SetIter, UidSet};
pub use status::{AppendLimit, Status, StatusItems};
pub use uid::{Identifier, SeqNum, Uid, UidValidity};
