use core::fmt;
use core::ops::{RangeFrom, RangeInclusive};

use super::{SeqNum, SeqSet, Uid, UidSet};

/// Messages of the selected mailbox, by UID or by sequence number.
///
/// Whatever takes messages takes either: the type of what is passed says which is meant, and which command
/// is sent (`UID STORE` or `STORE`).
///
/// Sequence numbers move when messages are expunged, by anybody. A command that has some waits until nothing
/// is under way that may expunge (RFC 9051 §5.5). Where something was expunged meanwhile it fails with
/// [`Error::Renumbered`](crate::Error::Renumbered), and nothing is sent, unless it is about all messages or the last; what was expunged
/// before the caller made up the set is the caller's to know. UIDs do not move: prefer them.
///
/// ```
/// use imap_proto_core::types::{Messages, SeqSet, UidSet};
///
/// let by_uid = Messages::from(UidSet::all());
/// let by_number = Messages::from(SeqSet::last_message());
/// assert_eq!((by_uid.prefix(), by_number.prefix()), ("UID ", ""));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Messages {
    /// By UID.
    Uids(UidSet),
    /// By sequence number.
    Numbers(SeqSet),
    /// What the last search with [`Returns::SAVE`](crate::command::Returns::SAVE) found: `$`, by UID. Needs SEARCHRES.
    /// RFC 5182, RFC 9051 §6.4.4.1
    Saved,
}

impl Messages {
    /// True when there is none among them, so that no command can be sent.
    pub fn is_empty(&self) -> bool {
        match self {
            Messages::Uids(uids) => uids.is_empty(),
            Messages::Numbers(numbers) => numbers.is_empty(),
            Messages::Saved => false,
        }
    }

    /// What comes before the name of a command: `UID ` or nothing.
    pub fn prefix(&self) -> &'static str {
        match self {
            Messages::Uids(_) | Messages::Saved => "UID ",
            Messages::Numbers(_) => "",
        }
    }

    /// True where one message may be in both: always, where they are not counted alike.
    pub(crate) fn may_overlap(&self, other: &Self) -> bool {
        match (self, other) {
            (Messages::Uids(one), Messages::Uids(other)) => !one.is_disjoint(other),
            (Messages::Numbers(one), Messages::Numbers(other)) => !one.is_disjoint(other),
            _ => true,
        }
    }
}

/// The wire form of the set; the empty set has none.
impl fmt::Display for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Messages::Uids(uids) => uids.fmt(f),
            Messages::Numbers(numbers) => numbers.fmt(f),
            Messages::Saved => f.write_str("$"),
        }
    }
}

impl SeqSet {
    /// True where it may name other messages once something is expunged: all of them are all, and the last is the last.
    pub(crate) fn may_move(&self) -> bool {
        *self != SeqSet::all() && *self != SeqSet::last_message()
    }
}

macro_rules! messages_from {
    ($($id:ty, $set:ty, $variant:ident;)*) => {$(
        impl From<$set> for Messages {
            fn from(set: $set) -> Self {
                Messages::$variant(set)
            }
        }

        impl From<&$set> for Messages {
            fn from(set: &$set) -> Self {
                Messages::$variant(set.clone())
            }
        }

        impl From<$id> for Messages {
            fn from(id: $id) -> Self {
                Messages::$variant(id.into())
            }
        }

        impl From<RangeInclusive<$id>> for Messages {
            fn from(range: RangeInclusive<$id>) -> Self {
                Messages::$variant(range.into())
            }
        }

        impl From<RangeFrom<$id>> for Messages {
            fn from(range: RangeFrom<$id>) -> Self {
                Messages::$variant(<$set>::from_start(range.start))
            }
        }
    )*};
}

messages_from! {
    Uid, UidSet, Uids;
    SeqNum, SeqSet, Numbers;
}
