use std::collections::BTreeSet;
use std::sync::Arc;

use imap_proto_core::types::{DateTime, Flag, SpecialUse, Uid, UidValidity};

use crate::message::Content;

/// A mailbox, as all sessions share it.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub(crate) uid_validity: UidValidity,
    pub(crate) special_use: Option<SpecialUse>,
    /// False for what is only a level of other mailboxes' names.
    pub(crate) is_selectable: bool,
    /// Messages from this UID on were not seen by any session.
    pub(crate) recent_from: u32,
    pub(super) messages: Vec<Message>,
    uid_next: u32,
    highest_mod_seq: u64,
}

/// A message in a mailbox.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) uid: Uid,
    pub(crate) flags: BTreeSet<Flag>,
    pub(crate) date: DateTime,
    pub(crate) mod_seq: u64,
    pub(crate) content: Arc<Content>,
}

impl Mailbox {
    pub(super) fn new(uid_validity: UidValidity) -> Self {
        Mailbox {
            uid_validity,
            special_use: None,
            is_selectable: true,
            recent_from: 1,
            messages: Vec::new(),
            uid_next: 1,
            highest_mod_seq: 1,
        }
    }

    pub(super) fn level(uid_validity: UidValidity) -> Self {
        Mailbox { is_selectable: false, ..Mailbox::new(uid_validity) }
    }

    /// The messages in ascending order of their UIDs.
    pub(crate) fn messages(&self) -> &[Message] {
        &self.messages
    }

    pub(crate) fn get(&self, uid: Uid) -> Option<&Message> {
        let at = self.messages.binary_search_by_key(&uid, |message| message.uid).ok()?;
        self.messages.get(at)
    }

    pub(crate) fn uid_next(&self) -> u32 {
        self.uid_next
    }

    pub(crate) fn highest_mod_seq(&self) -> u64 {
        self.highest_mod_seq
    }

    pub(crate) fn add(&mut self, content: Arc<Content>, flags: BTreeSet<Flag>, date: DateTime) -> Uid {
        let uid = Uid::new(self.uid_next).unwrap_or(Uid::MAX);
        self.uid_next = self.uid_next.saturating_add(1);
        let mod_seq = self.touch();
        self.messages.push(Message { uid, flags, date, mod_seq, content });
        uid
    }

    /// Gives a message these flags; nothing changes where it has them already.
    pub(crate) fn set_flags(&mut self, uid: Uid, flags: BTreeSet<Flag>) -> bool {
        let mod_seq = self.highest_mod_seq + 1;
        let Ok(at) = self.messages.binary_search_by_key(&uid, |message| message.uid) else { return false };
        let message = &mut self.messages[at];
        if message.flags == flags {
            return false;
        }
        (message.flags, message.mod_seq) = (flags, mod_seq);
        self.highest_mod_seq = mod_seq;
        true
    }

    pub(crate) fn remove(&mut self, uid: Uid) -> Option<Message> {
        let at = self.messages.binary_search_by_key(&uid, |message| message.uid).ok()?;
        self.touch();
        Some(self.messages.remove(at))
    }

    /// Counts a change; the answer is its mod-sequence.
    pub(super) fn touch(&mut self) -> u64 {
        self.highest_mod_seq += 1;
        self.highest_mod_seq
    }
}
