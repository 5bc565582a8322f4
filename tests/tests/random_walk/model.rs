use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use imap_tokio::FetchedMessage;
use imap_tokio::command::Stored;
use imap_tokio::types::{CopyUid, Flag, MailboxName, Uid};

use super::change::{Act, Change, Place, Told};
use super::message::{Expected, Flags, flags_of, id_of, is_remnant, name};

/// What the mailboxes have to hold, as far as anybody was told.
///
/// Each message belongs to one walk, and no other changes it. Its record is in doubt from before a call on it begins until
/// it is known what the call did; where that is never known the message is changed no more, so that at most one call on it is
/// in doubt.
#[derive(Debug)]
pub(crate) struct Model {
    names: Vec<MailboxName>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) records: BTreeMap<u64, Record>,
    /// What is stored, but for what calls in doubt did.
    pub(super) stored: Vec<BTreeMap<Uid, Instance>>,
    /// Where messages were that are removed, and which.
    pub(super) gone: BTreeMap<Place, u64>,
    calls: u64,
}

/// All that is known of the copies of one message.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) expected: Arc<Expected>,
    owner: usize,
    pub(super) doubt: Option<Doubt>,
    /// It is surely not stored.
    pub(super) never: bool,
    /// All flags that a copy of it has ever had, or may have had.
    ever: BTreeSet<Flags>,
    /// Where a fetch showed it.
    pub(super) shown: BTreeSet<Place>,
}

#[derive(Debug)]
pub(super) struct Instance {
    pub(super) id: u64,
    pub(super) flags: Flags,
}

/// A call whose effect is not known, or not yet.
#[derive(Clone, Debug)]
pub(super) enum Doubt {
    Append { into: usize },
    Change { from: Place, act: Act, call: u64 },
}

impl Doubt {
    fn may_put_into(&self, mailbox: usize) -> bool {
        match self {
            Doubt::Append { into } => *into == mailbox,
            Doubt::Change { act, .. } => act.target() == Some(mailbox),
        }
    }

    pub(super) fn may_remove(&self, place: Place) -> bool {
        matches!(self, Doubt::Change { from, act, .. } if *from == place && act.removes())
    }
}

impl State {
    fn put(&mut self, place: Place, instance: Instance) -> Result<(), String> {
        let (id, Place { mailbox, uid }) = (instance.id, place);
        let before = self.stored[mailbox].insert(uid, instance);
        match before {
            _ if self.gone.contains_key(&place) => Err(format!("{id} is stored as {uid}, which another message had")),
            Some(other) => Err(format!("{id} and {} are both stored as {uid}", other.id)),
            None => Ok(()),
        }
    }

    fn is_there(&self, place: Place) -> bool {
        let instance = self.stored[place.mailbox].get(&place.uid);
        instance.is_some_and(|instance| {
            let doubt = &self.records[&instance.id].doubt;
            !doubt.as_ref().is_some_and(|doubt| doubt.may_remove(place))
        })
    }

    fn apply(&mut self, change: &Change, copied: Option<&CopyUid>) -> Result<(), String> {
        let asked: BTreeSet<Uid> = change.uids.iter().copied().collect();
        let copies: BTreeMap<Uid, Uid> = copied.iter().flat_map(|copied| copied.pairs()).collect();
        if change.act.target().is_some() && !copies.keys().eq(&asked) {
            return Err(format!("{asked:?} were to be copied, and {copies:?} were"));
        }
        for uid in asked {
            let from = Place { mailbox: change.mailbox, uid };
            let Some(instance) = self.stored[from.mailbox].get_mut(&uid) else { continue };
            let (id, flags) = (instance.id, instance.flags.clone());
            if let Some(into) = change.act.target() {
                self.put(Place { mailbox: into, uid: copies[&uid] }, Instance { id, flags })?;
            } else {
                instance.flags = change.act.flags(&flags);
            }
            if change.act.removes() {
                self.stored[from.mailbox].remove(&uid);
                self.gone.insert(from, id);
            }
        }
        Ok(())
    }

    /// Compares what came of one message. It may be one that nobody knows yet to be stored.
    fn check(&mut self, reader: Option<usize>, mailbox: usize, message: &FetchedMessage) -> Result<(), String> {
        let (uid, told) = (message.uid(), id_of(message));
        let place = Place { mailbox, uid };
        let known = self.stored[mailbox].get(&uid);
        if let (Some(known), Some(told)) = (known, told)
            && known.id != told
        {
            return Err(format!("{uid} is {} and shows {told}", known.id));
        }
        let Some(id) = known.map(|known| known.id).or(told) else { return Ok(()) };
        let Some(record) = self.records.get_mut(&id) else {
            return Err(format!("{uid} shows {id}, which nobody has sent"));
        };
        record.shown.insert(place);
        let may_be = record.doubt.as_ref().is_some_and(|doubt| doubt.may_put_into(mailbox));
        if reader.is_some() && known.is_none() && !may_be && !self.gone.contains_key(&place) {
            return Err(format!("{uid} shows {id}, which is not there"));
        }
        if let (Some(reader), Some(flags)) = (reader, flags_of(message)) {
            // Whoever changes it sees the change at once, others when they hear of it.
            let own = known.filter(|_| record.owner == reader && record.doubt.is_none());
            if own.map_or(!record.ever.contains(&flags), |own| own.flags != flags) {
                let due = own.map_or_else(|| format!("any of {:?}", record.ever), |own| format!("{:?}", own.flags));
                return Err(format!("the flags of {id}, {uid}, are {flags:?} in place of {due}"));
            }
        }
        let difference = record.expected.difference(message);
        difference.filter(|_| !is_remnant(message) || self.is_there(place)).map_or(Ok(()), Err)
    }
}

impl Model {
    pub(crate) fn new(names: &[&str]) -> Self {
        let stored = names.iter().map(|_| BTreeMap::new()).collect();
        let state = State { stored, ..State::default() };
        Model { names: names.iter().map(|text| name(text)).collect(), state: Mutex::new(state) }
    }

    pub(crate) fn count(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn name(&self, mailbox: usize) -> MailboxName {
        self.names[mailbox].clone()
    }

    pub(super) fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.state.lock().expect("no test thread has panicked with it"))
    }

    /// Gives all messages that there are to so many walks.
    pub(crate) fn hand_out(&self, walks: usize) {
        self.state(|state| {
            for (id, record) in &mut state.records {
                record.owner = *id as usize % walks;
            }
        });
    }

    /// A new message for a mailbox; in doubt until something is known.
    pub(super) fn invent(&self, owner: usize, into: usize) -> Arc<Expected> {
        self.state(|state| {
            let id = state.records.len() as u64 + 1;
            let expected = Arc::new(Expected::new(id));
            let record = Record {
                expected: expected.clone(),
                owner,
                doubt: Some(Doubt::Append { into }),
                never: false,
                ever: BTreeSet::from([expected.flags.clone()]),
                shown: BTreeSet::new(),
            };
            state.records.insert(id, record);
            expected
        })
    }

    /// What became of appending a message.
    pub(super) fn appended(&self, mailbox: usize, id: u64, told: Told<Stored>) -> Result<(), String> {
        self.state(|state| {
            let record = state.records.get_mut(&id).expect("it was invented");
            match told {
                Told::InDoubt => Ok(()),
                Told::Nothing => {
                    (record.doubt, record.never) = (None, true);
                    let shown = record.shown.first();
                    shown.map_or(Ok(()), |shown| Err(format!("{id} is said not to be stored, and was at {shown:?}")))
                }
                Told::Done(Stored { uid, .. }) => {
                    record.doubt = None;
                    let (flags, place) = (record.expected.flags.clone(), Place { mailbox, uid });
                    if let Some(other) = record.shown.iter().find(|shown| **shown != place) {
                        return Err(format!("{id} was stored as {uid}, and was at {other:?}"));
                    }
                    state.put(place, Instance { id, flags })
                }
            }
        })
    }

    /// Messages of a walk that can be changed: what became of all that was done to them is known.
    pub(super) fn own(&self, owner: usize, mailbox: usize, known: &BTreeSet<Uid>) -> Vec<Uid> {
        self.state(|state| {
            let mut ids = BTreeSet::new();
            let is_own = |instance: &Instance| {
                let record = &state.records[&instance.id];
                record.owner == owner && record.doubt.is_none()
            };
            let stored = state.stored[mailbox].iter().filter(|(uid, instance)| known.contains(uid) && is_own(instance));
            // Of two copies of a message one at a time is changed.
            stored.filter(|(_, instance)| ids.insert(instance.id)).map(|(uid, _)| *uid).collect()
        })
    }

    /// The mailboxes that none of these messages has left.
    pub(super) fn not_left(&self, mailbox: usize, uids: &[Uid]) -> Vec<usize> {
        self.state(|state| {
            let ids: BTreeSet<u64> = uids.iter().map(|uid| state.stored[mailbox][uid].id).collect();
            let left = state.gone.iter().filter(|(_, id)| ids.contains(id));
            let left: BTreeSet<usize> = left.map(|(place, _)| place.mailbox).collect();
            (0..state.stored.len()).filter(|mailbox| !left.contains(mailbox)).collect()
        })
    }

    /// A call that changes messages is about to begin.
    pub(super) fn begin(&self, change: &Change) {
        self.state(|state| {
            state.calls += 1;
            for uid in &change.uids {
                let instance = &state.stored[change.mailbox][uid];
                let record = state.records.get_mut(&instance.id).expect("what is stored was invented");
                let (before, after) = (&instance.flags, change.act.flags(&instance.flags));
                // Courier changes keywords by themselves, and others see the one before the other.
                let keyword = Flags::from([Flag::Junk]);
                record.ever.insert(&(before - &keyword) | &(&after & &keyword));
                record.ever.insert(&(&after - &keyword) | &(before & &keyword));
                if change.act.removes() {
                    // So do servers with MOVE show it to others meanwhile.
                    record.ever.insert(before | &Flags::from([Flag::Deleted]));
                }
                record.ever.insert(after);
                let from = Place { mailbox: change.mailbox, uid: *uid };
                record.doubt = Some(Doubt::Change { from, act: change.act.clone(), call: state.calls });
            }
        });
    }

    /// Compares flags that the server tells in answer to the call.
    pub(super) fn check_changed(&self, change: &Change, uid: Uid, told: &[Flag]) -> Result<(), String> {
        self.state(|state| {
            let due = change.act.flags(&state.stored[change.mailbox][&uid].flags);
            let told: Flags = told.iter().filter(|flag| **flag != Flag::Recent).cloned().collect();
            if told == due { Ok(()) } else { Err(format!("{uid} is told to have {told:?} in place of {due:?}")) }
        })
    }

    /// What became of that call.
    pub(super) fn end(&self, change: &Change, told: Told<Option<Box<CopyUid>>>) -> Result<(), String> {
        if let Told::InDoubt = told {
            return Ok(());
        }
        self.state(|state| {
            for uid in &change.uids {
                let id = state.stored[change.mailbox][uid].id;
                state.records.get_mut(&id).expect("what is stored was invented").doubt = None;
            }
            match told {
                Told::Done(copied) => state.apply(change, copied.as_deref()),
                _ => Ok(()),
            }
        })
    }

    /// The UIDs known to be in a mailbox: removing them was not begun.
    pub(super) fn known(&self, mailbox: usize) -> BTreeSet<Uid> {
        self.state(|state| {
            let stored = state.stored[mailbox].keys().copied();
            stored.filter(|uid| state.is_there(Place { mailbox, uid: *uid })).collect()
        })
    }

    /// Of these UIDs, those of which that is so still.
    pub(super) fn still(&self, mailbox: usize, known: &BTreeSet<Uid>) -> BTreeSet<Uid> {
        self.state(|state| {
            let there = known.iter().copied().filter(|uid| state.is_there(Place { mailbox, uid: *uid }));
            there.collect()
        })
    }

    /// All that is known of a message, to be told when it is missing.
    pub(super) fn history(&self, mailbox: usize, uid: Uid) -> String {
        self.state(|state| {
            let Some(Instance { id, .. }) = state.stored[mailbox].get(&uid) else { return "nobody's".to_owned() };
            let gone: Vec<&Place> =
                state.gone.iter().filter(|(_, other)| *other == id).map(|(place, _)| place).collect();
            let record = &state.records[id];
            format!("{id}, removed from {gone:?}, shown at {:?}, {:?}", record.shown, record.doubt)
        })
    }

    pub(super) fn message(&self, mailbox: usize, uid: Uid) -> Option<Arc<Expected>> {
        self.state(|state| {
            let instance = state.stored[mailbox].get(&uid)?;
            Some(state.records[&instance.id].expected.clone())
        })
    }

    /// Compares what came of one message to `reader` with what it may be.
    pub(super) fn check(&self, reader: usize, mailbox: usize, message: &FetchedMessage) -> Result<(), String> {
        self.state(|state| state.check(Some(reader), mailbox, message))
    }

    /// The same in the end, when the flags are compared with those that are due.
    pub(super) fn check_content(&self, mailbox: usize, message: &FetchedMessage) -> Result<(), String> {
        self.state(|state| state.check(None, mailbox, message))
    }
}
