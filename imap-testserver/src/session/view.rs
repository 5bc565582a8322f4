use imap_proto_core::types::{SeqNum, SeqSet, Uid, UidSet, UidValidity};

use super::Session;
use super::answer::{Parsed, bad};
use super::args::Args;
use super::dispatch::By;
use super::fetch::flags_text;
use crate::store::Mailbox;

/// The selected mailbox as the client knows it, which may be behind what it is.
#[derive(Debug)]
pub(super) struct View {
    pub(super) validity: UidValidity,
    pub(super) access: Access,
    /// One for each sequence number.
    pub(super) entries: Vec<Entry>,
    /// Messages from this UID on are not known to the client.
    uid_next: u32,
}

/// What the client knows of one message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) uid: Uid,
    /// The state of the flags that was told.
    pub(super) mod_seq: u64,
    pub(super) is_recent: bool,
}

/// SELECT or EXAMINE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    ReadWrite,
    ReadOnly,
}

/// Whether messages that are gone are told of, which moves the sequence numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expunges {
    Told,
    Held,
}

/// The messages that a command works on.
pub(super) struct Chosen {
    /// Indices into the entries.
    pub(super) at: Vec<usize>,
}

impl View {
    pub(super) fn new(mailbox: &mut Mailbox, access: Access) -> Self {
        let mut view = View { validity: mailbox.uid_validity, access, entries: Vec::new(), uid_next: 0 };
        view.take_new(mailbox);
        view
    }

    /// Adds what has come since; the answer is whether there was anything.
    fn take_new(&mut self, mailbox: &mut Mailbox) -> bool {
        let known = self.entries.len();
        let from = mailbox.messages().partition_point(|message| message.uid.get() < self.uid_next);
        for message in &mailbox.messages()[from..] {
            let is_recent = message.uid.get() >= mailbox.recent_from;
            self.entries.push(Entry { uid: message.uid, mod_seq: message.mod_seq, is_recent });
        }
        self.uid_next = mailbox.uid_next();
        // Who only looks takes nothing away. RFC 3501 §6.3.2
        if self.access == Access::ReadWrite {
            mailbox.recent_from = self.uid_next;
        }
        self.entries.len() > known
    }

    pub(super) fn recent(&self) -> usize {
        self.entries.iter().filter(|entry| entry.is_recent).count()
    }

    /// What a sequence set of a command names.
    pub(super) fn choose(&self, set: &Numbers) -> Parsed<Chosen> {
        let count = self.entries.len();
        let at = match set {
            Numbers::Uids(uids) => {
                let last = self.entries.last().map(|entry| entry.uid);
                let is_last = |uid: Uid| uids.is_open() && Some(uid) == last;
                let is_named = |at: &usize| uids.contains(self.entries[*at].uid) || is_last(self.entries[*at].uid);
                (0..count).filter(is_named).collect()
            }
            Numbers::SeqNums(numbers) => {
                // RFC 9051 §6.4.9 has BAD for those above the last, and for `*` where there is none.
                let highest = numbers.ranges().next_back().map_or(0, |(_, high)| high.get() as usize);
                let start = numbers.open_start().map(|start| start.get() as usize);
                if highest > count || (start.is_some() && count == 0) {
                    return bad("No such message");
                }
                let is_named = |at: &usize| {
                    let in_open = start.is_some_and(|start| at + 1 >= start.min(count));
                    in_open || SeqNum::new(*at as u32 + 1).is_some_and(|number| numbers.contains(number))
                };
                (0..count).filter(is_named).collect()
            }
        };
        Ok(Chosen { at })
    }
}

/// A set of messages, named in one way or the other.
#[derive(Debug)]
pub(super) enum Numbers {
    SeqNums(SeqSet),
    Uids(UidSet),
}

impl Numbers {
    pub(super) fn parse(args: &mut Args<'_>, by: By) -> Parsed<Self> {
        Ok(match by {
            By::SeqNum => Numbers::SeqNums(args.set()?),
            By::Uid => Numbers::Uids(args.set()?),
        })
    }
}

impl Session {
    /// Tells what has changed in the selected mailbox since it was last told.
    pub(super) fn tell_changes(&mut self, expunges: Expunges) {
        let (Some(account), Some(view)) = (self.account.clone(), &mut self.view) else { return };
        let mut store = account.lock();
        let Some(mailbox) = store.by_validity(view.validity) else {
            drop(store);
            self.view = None;
            return self.bye("[NONEXISTENT] The selected mailbox is gone");
        };
        let mut lines = String::new();
        if expunges == Expunges::Told {
            let mut number = 0;
            view.entries.retain(|entry| {
                let is_there = mailbox.get(entry.uid).is_some();
                if is_there {
                    number += 1;
                } else {
                    lines += &format!("* {} EXPUNGE\r\n", number + 1);
                }
                is_there
            });
        }
        if view.take_new(mailbox) {
            lines += &format!("* {} EXISTS\r\n* {} RECENT\r\n", view.entries.len(), view.recent());
        }
        for (at, entry) in view.entries.iter_mut().enumerate() {
            let Some(message) = mailbox.get(entry.uid).filter(|message| message.mod_seq != entry.mod_seq) else {
                continue;
            };
            entry.mod_seq = message.mod_seq;
            let flags = flags_text(message, entry.is_recent);
            let mod_seq = if self.cond_store { format!(" MODSEQ ({})", message.mod_seq) } else { String::new() };
            lines += &format!("* {} FETCH (UID {} FLAGS {flags}{mod_seq})\r\n", at + 1, entry.uid);
        }
        self.out.extend_from_slice(lines.as_bytes());
    }
}
