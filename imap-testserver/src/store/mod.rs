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

/// One user's mail, shared by that user's sessions.
#[derive(Debug, Default)]
pub(crate) struct Account {
    store: Mutex<Store>,
    wakers: Mutex<Vec<Waker>>,
}

impl Account {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the waker called at the next change.
    pub(crate) fn watch(&self, waker: &Waker) {
        let mut wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        if !wakers.iter().any(|known| known.will_wake(waker)) {
            wakers.push(waker.clone());
        }
    }

    /// Wakes who watches, if there were changes since the last call.
    pub(crate) fn tell_of_changes(&self) {
        if !std::mem::take(&mut self.lock().changed) {
            return;
        }
        let wakers = std::mem::take(&mut *self.wakers.lock().unwrap_or_else(PoisonError::into_inner));
        wakers.into_iter().for_each(Waker::wake);
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
        let prefix = format!("{from}{DELIMITER}");
        let moving: Vec<_> =
            self.mailboxes.keys().filter(|name| *name == from || name.as_str().starts_with(&prefix)).cloned().collect();
        for old in moving {
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
