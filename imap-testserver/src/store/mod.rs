//! What the server keeps: accounts, their mailboxes, the messages in them.

mod mailbox;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use imap_proto_core::types::{MailboxName, UidValidity};

pub(crate) use mailbox::{Mailbox, Message};

/// Stands between the levels of mailbox names.
pub(crate) const DELIMITER: char = '/';
/// The UIDVALIDITY of the first mailbox of an account; each later one gets a higher one.
const FIRST_VALIDITY: u32 = 1_000_000_001;
/// What clients can make of an account: each of these costs a client a line, or less.
pub(crate) const MOST_MAILBOXES: usize = 10_000;
const MOST_MESSAGES: usize = 200_000;
/// Octets of a mailbox name, as many as other servers take. Each level of a name is a mailbox.
pub(crate) const LONGEST_NAME: usize = 1000;

/// One user's mail, shared by that user's sessions.
#[derive(Debug, Default)]
pub(crate) struct Account {
    store: Mutex<Store>,
    /// Who waits for a change, by the number of the session.
    wakers: Mutex<BTreeMap<u64, Waker>>,
}

impl Account {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the session's waker called at the next change, in place of an earlier one.
    pub(crate) fn watch(&self, session: u64, waker: &Waker) {
        self.wakers().insert(session, waker.clone());
    }

    /// Forgets the session's waker.
    pub(crate) fn forget(&self, session: u64) {
        self.wakers().remove(&session);
    }

    /// Wakes who watches, if there were changes since the last call.
    pub(crate) fn tell_of_changes(&self) {
        if !std::mem::take(&mut self.lock().changed) {
            return;
        }
        let wakers = std::mem::take(&mut *self.wakers());
        wakers.into_values().for_each(Waker::wake);
    }

    fn wakers(&self) -> MutexGuard<'_, BTreeMap<u64, Waker>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The mailboxes of an account.
#[derive(Debug)]
pub(crate) struct Store {
    mailboxes: BTreeMap<MailboxName, Mailbox>,
    pub(crate) subscriptions: BTreeSet<MailboxName>,
    next_validity: u32,
    /// Set by whatever another session may want to know of.
    pub(crate) changed: bool,
}

impl Default for Store {
    fn default() -> Self {
        let (mailboxes, subscriptions) = Default::default();
        let mut store = Store { mailboxes, subscriptions, next_validity: FIRST_VALIDITY, changed: false };
        store.create(&MailboxName::inbox());
        store
    }
}

impl Store {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&MailboxName, &Mailbox)> {
        self.mailboxes.iter()
    }

    /// The mailbox of this name, if it holds messages and is not only a level of others' names.
    pub(crate) fn get(&self, name: &MailboxName) -> Option<&Mailbox> {
        self.mailboxes.get(name).filter(|mailbox| mailbox.is_selectable)
    }

    pub(crate) fn get_mut(&mut self, name: &MailboxName) -> Option<&mut Mailbox> {
        self.mailboxes.get_mut(name).filter(|mailbox| mailbox.is_selectable)
    }

    /// The mailbox, selectable or not.
    pub(crate) fn entry(&self, name: &MailboxName) -> Option<&Mailbox> {
        self.mailboxes.get(name)
    }

    /// A mailbox keeps its UIDVALIDITY through renames, which makes it its identity here.
    pub(crate) fn by_validity(&mut self, validity: UidValidity) -> Option<&mut Mailbox> {
        self.mailboxes.values_mut().find(|mailbox| mailbox.uid_validity == validity && mailbox.is_selectable)
    }

    /// Makes the mailbox and the levels above it, as far as they are not there.
    pub(crate) fn create(&mut self, name: &MailboxName) -> &mut Mailbox {
        for above in levels_above(name) {
            self.create_one(&above);
        }
        self.create_one(name)
    }

    fn create_one(&mut self, name: &MailboxName) -> &mut Mailbox {
        if self.get(name).is_none() {
            self.changed = true;
            let validity = UidValidity::new(self.next_validity).unwrap_or(UidValidity::MAX);
            self.next_validity = self.next_validity.saturating_add(1);
            self.mailboxes.insert(name.clone(), Mailbox::new(validity));
        }
        self.mailboxes.entry(name.clone()).or_insert_with(|| Mailbox::new(UidValidity::MAX))
    }

    /// Removes the mailbox; one with others below it stays as a level of their names. RFC 9051 §6.3.5
    pub(crate) fn delete(&mut self, name: &MailboxName) {
        self.changed = true;
        if self.has_children(name) {
            if let Some(mailbox) = self.mailboxes.get_mut(name) {
                *mailbox = Mailbox::level(mailbox.uid_validity);
            }
        } else {
            self.mailboxes.remove(name);
        }
    }

    /// The mailbox and all below it: what a rename moves. Of INBOX the messages move, and no mailbox does.
    fn tree(&self, name: &MailboxName) -> Vec<MailboxName> {
        let prefix = format!("{name}{DELIMITER}");
        let is_in = |other: &&MailboxName| *other == name || other.as_str().starts_with(&prefix);
        self.mailboxes.keys().filter(|_| !name.is_inbox()).filter(is_in).cloned().collect()
    }

    /// Octets of the longest name there will be of a mailbox that is renamed, and those below it.
    pub(crate) fn longest_renamed(&self, from: &MailboxName, to: &MailboxName) -> usize {
        let tails = self.tree(from).into_iter().map(|name| name.as_str().len() - from.as_str().len());
        to.as_str().len() + tails.max().unwrap_or(0)
    }

    /// True when this name can be added, and the levels above it.
    pub(crate) fn has_room_for(&self, name: &MailboxName) -> bool {
        let missing = levels_above(name).iter().filter(|above| self.entry(above).is_none()).count();
        self.mailboxes.len() + missing < MOST_MAILBOXES
    }

    /// True when so many messages can be added.
    pub(crate) fn has_room_for_messages(&self, more: usize) -> bool {
        self.mailboxes.values().map(|mailbox| mailbox.messages.len()).sum::<usize>() + more <= MOST_MESSAGES
    }

    /// Moves the mailbox and all below it. Of INBOX only the messages move. RFC 9051 §6.3.6
    pub(crate) fn rename(&mut self, from: &MailboxName, to: &MailboxName) {
        self.changed = true;
        for above in levels_above(to) {
            self.create_one(&above);
        }
        if from.is_inbox() {
            let mut target = std::mem::take(&mut self.create_one(to).messages);
            if let Some(inbox) = self.mailboxes.get_mut(from) {
                std::mem::swap(&mut inbox.messages, &mut target);
                inbox.touch();
            }
            let to = self.create_one(to);
            for message in target {
                to.add(message.content, message.flags, message.date);
            }
            return;
        }
        for old in self.tree(from) {
            let renamed = format!("{to}{}", &old.as_str()[from.as_str().len()..]);
            if let (Some(mailbox), Ok(new)) = (self.mailboxes.remove(&old), MailboxName::new(renamed)) {
                self.mailboxes.insert(new, mailbox);
            }
        }
    }

    pub(crate) fn has_children(&self, name: &MailboxName) -> bool {
        let prefix = format!("{name}{DELIMITER}");
        self.mailboxes.keys().any(|other| other.as_str().starts_with(&prefix))
    }
}

/// `a` and `a/b` of `a/b/c`.
pub(crate) fn levels_above(name: &MailboxName) -> Vec<MailboxName> {
    let name = name.as_str();
    name.match_indices(DELIMITER).filter_map(|(at, _)| MailboxName::new(&name[..at]).ok()).collect()
}
