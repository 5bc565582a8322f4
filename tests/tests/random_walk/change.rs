use imap_tokio::types::{Flag, Uid};

use super::message::Flags;

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) mailbox: usize,
    pub(super) uid: Uid,
}

/// What is done to messages of one mailbox by one call.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) mailbox: usize,
    pub(super) uids: Vec<Uid>,
    pub(super) act: Act,
}

#[derive(Clone, Debug)]
pub(super) enum Act {
    Add(Flags),
    Remove(Flags),
    Copy {
        into: usize,
    },
    Move {
        into: usize,
        /// Without MOVE it is COPY, STORE and UID EXPUNGE.
        how: Moving,
    },
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moving {
    AtOnce,
    InSteps,
}

impl Act {
    /// The flags of a message that has `flags` before: after it, or while it goes on.
    pub(super) fn flags(&self, flags: &Flags) -> Flags {
        let deleted = Flags::from([Flag::Deleted]);
        match self {
            Act::Add(others) => flags | others,
            Act::Remove(others) => flags - others,
            Act::Delete | Act::Move { how: Moving::InSteps, .. } => flags | &deleted,
            Act::Copy { .. } | Act::Move { how: Moving::AtOnce, .. } => flags.clone(),
        }
    }

    pub(super) fn removes(&self) -> bool {
        matches!(self, Act::Move { .. } | Act::Delete)
    }

    pub(super) fn target(&self) -> Option<usize> {
        match self {
            Act::Copy { into } | Act::Move { into, .. } => Some(*into),
            _ => None,
        }
    }
}

/// What is known of the effect of a call.
#[derive(Clone, Debug)]
pub(super) enum Told<T> {
    Done(T),
    /// It surely has none.
    Nothing,
    InDoubt,
}

impl<T> Told<T> {
    pub(super) fn map<U>(self, make: impl FnOnce(T) -> U) -> Told<U> {
        match self {
            Told::Done(value) => Told::Done(make(value)),
            Told::Nothing => Told::Nothing,
            Told::InDoubt => Told::InDoubt,
        }
    }
}
