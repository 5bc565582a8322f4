use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use imap_tokio::FetchedMessage;

use super::Model;
use super::change::{Act, Moving, Place};
use super::message::{Flags, flags_of, id_of};
use super::model::{Doubt, Record, State};

/// What was found amiss in the end; all of it must be zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) lost: usize,
    pub(crate) duplicated: usize,
    /// Its octets, its date, or what else was stored with it and never changed.
    pub(crate) altered: usize,
    /// It has other flags than it was given.
    pub(crate) wrong_flags: usize,
    /// It is where nobody has put it, or was removed.
    pub(crate) unexpected: usize,
    /// COPY commands that copied some of their messages.
    pub(crate) partly_copied: usize,
}

/// How the records stand in the end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    messages: usize,
    /// Copies that are certainly there.
    stored: usize,
    removed: usize,
    /// Messages of which one call is in doubt.
    in_doubt: usize,
    /// Surely not stored.
    never: usize,
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sums { messages, stored, removed, in_doubt, never } = self;
        write!(f, "{messages} messages, {in_doubt} of them in doubt and {never} surely never stored; ")?;
        write!(f, "{stored} copies stored, {removed} removed")
    }
}

/// What the mailboxes hold in the end.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    model: &'a Model,
    found: BTreeMap<u64, BTreeMap<Place, Flags>>,
    /// COPY commands in doubt: how many of their messages were copied, and how many were not.
    copies: BTreeMap<u64, (usize, usize)>,
    damage: Damage,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(model: &'a Model) -> Self {
        Judge { model, found: BTreeMap::new(), copies: BTreeMap::new(), damage: Damage::default() }
    }

    /// Takes what is in a mailbox: a message with its flags and its whole content.
    pub(crate) fn take(&mut self, mailbox: usize, message: &FetchedMessage) {
        let (place, id) = (Place { mailbox, uid: message.uid() }, id_of(message));
        if let Err(what) = self.model.check_content(mailbox, message) {
            blame(&mut self.damage.altered, &what);
        }
        let (Some(id), Some(flags)) = (id, flags_of(message)) else {
            return blame(&mut self.damage.unexpected, &format!("{place:?} is nobody's message"));
        };
        if self.found.entry(id).or_default().insert(place, flags).is_some() {
            blame(&mut self.damage.duplicated, &format!("{id} is twice at {place:?}"));
        }
    }

    /// Compares all that was found with what is due.
    pub(crate) fn sentence(mut self) -> (Damage, Sums) {
        let model = self.model;
        let sums = model.state(|state| {
            let mut due: BTreeMap<u64, BTreeMap<Place, &Flags>> = BTreeMap::new();
            for (mailbox, stored) in state.stored.iter().enumerate() {
                for (uid, instance) in stored {
                    let place = Place { mailbox, uid: *uid };
                    due.entry(instance.id).or_default().insert(place, &instance.flags);
                }
            }
            for (id, record) in &state.records {
                let (found, due) = (self.found.remove(id).unwrap_or_default(), due.remove(id).unwrap_or_default());
                self.compare(state, *id, record, &found, &due);
            }
            sums(state)
        });
        for id in self.found.keys() {
            blame(&mut self.damage.unexpected, &format!("{id} was never sent"));
        }
        for (copied, not_copied) in self.copies.values().filter(|(copied, not_copied)| *copied > 0 && *not_copied > 0) {
            let what = format!("a COPY has copied {copied} messages and not {not_copied} others");
            blame(&mut self.damage.partly_copied, &what);
        }
        (self.damage, sums)
    }

    fn compare(
        &mut self,
        state: &State,
        id: u64,
        record: &Record,
        found: &BTreeMap<Place, Flags>,
        due: &BTreeMap<Place, &Flags>,
    ) {
        for (place, flags) in due {
            let doubt = record.doubt.as_ref();
            match found.get(place) {
                None if doubt.is_some_and(|doubt| doubt.may_remove(*place)) => {}
                None => blame(&mut self.damage.lost, &format!("{id} was stored at {place:?} and is not there")),
                Some(now) if now == *flags => {}
                Some(now) => {
                    let others = doubt.and_then(|doubt| match doubt {
                        Doubt::Change { from, act, .. } if from == place => Some(act.flags(flags)),
                        _ => None,
                    });
                    if others.as_ref() != Some(now) {
                        let what = format!("{id} at {place:?} has {now:?} in place of {flags:?}, {doubt:?}");
                        blame(&mut self.damage.wrong_flags, &what);
                    }
                }
            }
        }
        let others: BTreeSet<Place> = found.keys().filter(|place| !due.contains_key(place)).copied().collect();
        for place in &others {
            let flags = match &record.doubt {
                Some(Doubt::Append { into }) if *into == place.mailbox => &record.expected.flags,
                Some(Doubt::Change { from, act, .. }) if act.target() == Some(place.mailbox) => due[from],
                doubt => {
                    let gone = if state.gone.contains_key(place) { "removed from there" } else { "never put there" };
                    let what = format!("{id} is at {place:?} and was {gone}, {doubt:?}");
                    let count = if due.is_empty() { &mut self.damage.unexpected } else { &mut self.damage.duplicated };
                    blame(count, &what);
                    continue;
                }
            };
            if *flags != found[place] {
                let what = format!("{id} at {place:?} has {:?} in place of {flags:?}", found[place]);
                blame(&mut self.damage.wrong_flags, &what);
            }
        }
        if others.len() > 1 {
            blame(&mut self.damage.duplicated, &format!("{id} is at {others:?}, {:?}", record.doubt));
        }
        if let Some(Doubt::Change { from, act, call }) = &record.doubt {
            self.compare_copied(id, act, *call, found.contains_key(from), !others.is_empty());
        }
        for place in &record.shown {
            let may_be_gone = record.doubt.as_ref().is_some_and(|doubt| doubt.may_remove(*place));
            if !found.contains_key(place) && !due.contains_key(place) && !may_be_gone && !state.gone.contains_key(place)
            {
                blame(&mut self.damage.lost, &format!("{id} was shown at {place:?} and is not there"));
            }
        }
    }

    /// A call in doubt that copies: whether the message is where it was, and where it was to go.
    fn compare_copied(&mut self, id: u64, act: &Act, call: u64, is_where_it_was: bool, is_copied: bool) {
        match act {
            Act::Copy { .. } => {
                let (copied, not_copied) = self.copies.entry(call).or_default();
                *(if is_copied { copied } else { not_copied }) += 1;
            }
            Act::Move { .. } if !is_where_it_was && !is_copied => {
                blame(&mut self.damage.lost, &format!("{id} was to be moved and is in neither mailbox"));
            }
            Act::Move { how: Moving::AtOnce, .. } if is_where_it_was && is_copied => {
                blame(&mut self.damage.duplicated, &format!("{id} was to be moved and is in both mailboxes"));
            }
            _ => {}
        }
    }
}

fn sums(state: &State) -> Sums {
    let count = |is: fn(&Record) -> bool| state.records.values().filter(|record| is(record)).count();
    Sums {
        messages: state.records.len(),
        stored: state.stored.iter().map(|stored| stored.len()).sum(),
        removed: state.gone.len(),
        in_doubt: count(|record| record.doubt.is_some()),
        never: count(|record| record.never),
    }
}

fn blame(count: &mut usize, what: &str) {
    eprintln!("{what}");
    *count += 1;
}
