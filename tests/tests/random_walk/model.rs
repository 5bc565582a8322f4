use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use imap_tokio::FetchedMessage;
use imap_tokio::command::Stored;
use imap_tokio::types::{MailboxName, Uid};

use super::message::{Expected, id_of, name};

/// What the mailboxes have to hold, as far as anybody was told.
#[derive(Debug)]
pub(crate) struct Model {
    boxes: Vec<(MailboxName, Mutex<Contents>)>,
    next: std::sync::atomic::AtomicU64,
}

#[derive(Debug, Default)]
struct Contents {
    messages: BTreeMap<u64, Arc<Expected>>,
    /// What is known to be stored, by UID.
    stored: BTreeMap<Uid, u64>,
    in_doubt: BTreeSet<u64>,
    /// What surely is not stored.
    never: BTreeSet<u64>,
    /// What a fetch showed, known to be stored or not.
    shown: BTreeMap<Uid, u64>,
}

/// What was found amiss in the end; all of it must be zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) lost: usize,
    pub(crate) duplicated: usize,
    pub(crate) altered: usize,
    pub(crate) unexpected: usize,
}

impl Model {
    pub(crate) fn new(names: &[&str]) -> Self {
        let boxes = names.iter().map(|text| (name(text), Mutex::default())).collect();
        Model { boxes, next: 1.into() }
    }

    pub(crate) fn count(&self) -> usize {
        self.boxes.len()
    }

    pub(crate) fn name(&self, mailbox: usize) -> MailboxName {
        self.boxes[mailbox].0.clone()
    }

    fn contents<T>(&self, mailbox: usize, with: impl FnOnce(&mut Contents) -> T) -> T {
        with(&mut self.boxes[mailbox].1.lock().expect("no test thread has panicked with it"))
    }

    /// A new message for a mailbox; in doubt until something is known.
    pub(super) fn invent(&self, mailbox: usize) -> Arc<Expected> {
        let id = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let message = Arc::new(Expected::new(id));
        self.contents(mailbox, |contents| {
            contents.messages.insert(id, message.clone());
            contents.in_doubt.insert(id);
        });
        message
    }

    pub(super) fn is_stored(&self, mailbox: usize, id: u64, stored: Stored) {
        self.contents(mailbox, |contents| {
            contents.in_doubt.remove(&id);
            let before = contents.stored.insert(stored.uid, id);
            assert_eq!(before, None, "two messages were stored as {}", stored.uid);
        });
    }

    pub(super) fn is_not_stored(&self, mailbox: usize, id: u64) {
        self.contents(mailbox, |contents| {
            contents.in_doubt.remove(&id);
            contents.never.insert(id);
        });
    }

    /// The UIDs known to be in a mailbox.
    pub(super) fn known(&self, mailbox: usize) -> BTreeSet<Uid> {
        self.contents(mailbox, |contents| contents.stored.keys().copied().collect())
    }

    pub(super) fn message(&self, mailbox: usize, uid: Uid) -> Option<Arc<Expected>> {
        self.contents(mailbox, |contents| contents.messages.get(contents.stored.get(&uid)?).cloned())
    }

    /// Compares what came of one message. It may be one that nobody knows yet to be stored.
    pub(super) fn check(&self, mailbox: usize, message: &FetchedMessage) -> Result<(), String> {
        let uid = message.uid();
        let told = id_of(message);
        self.contents(mailbox, |contents| {
            let known = contents.stored.get(&uid).copied();
            if told.is_some() && known.is_some() && told != known {
                return Err(format!("{uid} is {known:?} and shows {told:?}"));
            }
            let Some(id) = known.or(told) else { return Ok(()) };
            contents.shown.insert(uid, id);
            match contents.messages.get(&id) {
                None => Err(format!("{uid} shows {id}, which is not of {}", self.boxes[mailbox].0)),
                Some(_) if contents.never.contains(&id) => Err(format!("{uid} shows {id}, which was never sent")),
                Some(expected) => expected.difference(message).map_or(Ok(()), Err),
            }
        })
    }

    /// Compares all that a mailbox holds in the end, each with its whole content.
    pub(crate) fn judge(&self, mailbox: usize, found: &[FetchedMessage]) -> Damage {
        let mut damage = Damage::default();
        let mut times: BTreeMap<u64, usize> = BTreeMap::new();
        let blame = |count: &mut usize, what: String| {
            eprintln!("{}: {what}", self.boxes[mailbox].0);
            *count += 1;
        };
        for message in found {
            if let Err(what) = self.check(mailbox, message) {
                blame(&mut damage.altered, what);
            }
            match id_of(message) {
                Some(id) => *times.entry(id).or_default() += 1,
                None => blame(&mut damage.unexpected, format!("{} is nobody's message", message.uid())),
            }
        }
        self.contents(mailbox, |contents| {
            for (uid, id) in &contents.stored {
                if !found.iter().any(|message| message.uid() == *uid) {
                    blame(&mut damage.lost, format!("{id} was stored as {uid} and is not there"));
                }
            }
            for (id, times) in times {
                let known = contents.stored.values().any(|stored| *stored == id) || contents.in_doubt.contains(&id);
                if times > 1 {
                    blame(&mut damage.duplicated, format!("{id} is there {times} times"));
                } else if !known {
                    blame(&mut damage.unexpected, format!("{id} should not be there"));
                }
            }
            for (uid, id) in &contents.shown {
                if !found.iter().any(|message| message.uid() == *uid && id_of(message) == Some(*id)) {
                    blame(&mut damage.lost, format!("{id} was shown as {uid} and is not there"));
                }
            }
        });
        damage
    }

    /// Messages known to be stored, in doubt, and surely not stored.
    pub(crate) fn sums(&self) -> (usize, usize, usize) {
        (0..self.count()).fold((0, 0, 0), |(stored, in_doubt, never), mailbox| {
            self.contents(mailbox, |c| (stored + c.stored.len(), in_doubt + c.in_doubt.len(), never + c.never.len()))
        })
    }
}
