use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Claim, Command, Completion, Effect, Order, Request, State};
use crate::error::Misuse;
use crate::types::{Capability, Code, FetchItems, Flag, MessageFlags, Messages, SeqSet, UidSet};
use crate::wire::{Encoder, Response};

/// Says how flags are to be changed. RFC 9051 §6.4.6
///
/// ```
/// use imap_proto_core::command::Store;
/// use imap_proto_core::types::Flag;
///
/// let read = Store::add(Flag::Seen);
/// let unmarked = Store::remove([Flag::Flagged, Flag::Important]).silent();
/// # let _ = (read, unmarked);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    change: Change,
    flags: Vec<Flag>,
    telling: Telling,
    unchanged_since: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Add,
    Remove,
    Replace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telling {
    Flags,
    Silent,
}

impl Store {
    /// Adds flags; those that are set stay.
    pub fn add(flags: impl IntoIterator<Item = Flag>) -> Self {
        Store::new(Change::Add, flags)
    }

    /// Takes flags away; the others stay.
    pub fn remove(flags: impl IntoIterator<Item = Flag>) -> Self {
        Store::new(Change::Remove, flags)
    }

    /// Sets these flags and no others; none at all clears them. `\Recent` is left as it is by the server.
    pub fn replace(flags: impl IntoIterator<Item = Flag>) -> Self {
        Store::new(Change::Replace, flags)
    }

    /// Asks the server not to tell the flags that come of it. With CONDSTORE it tells the new mod-sequences all the same.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.telling = Telling::Silent;
        self
    }

    /// Changes only messages that nobody has changed since: those of a higher mod-sequence are left alone, and told as
    /// [`StoreAnswer::modified`]. Needs CONDSTORE. RFC 7162 §3.1.3
    #[must_use]
    pub fn unchanged_since(mut self, mod_seq: u64) -> Self {
        self.unchanged_since = Some(mod_seq);
        self
    }

    fn new(change: Change, flags: impl IntoIterator<Item = Flag>) -> Self {
        Store { change, flags: flags.into_iter().collect(), telling: Telling::Flags, unchanged_since: None }
    }
}

/// `STORE` and `UID STORE`: a [`Store`] of certain messages. RFC 9051 §6.4.6 and §6.4.9
///
/// Dropped half-way it is finished once any of it has left, and what the server tells of it is read over. It is in doubt
/// from its last octet until the server's answer.
#[derive(Clone, Debug)]
pub struct StoreCommand {
    messages: Messages,
    store: Store,
    /// By UID or by number, as the command is: what is told of a message twice counts once.
    told: BTreeMap<u32, MessageFlags>,
}

/// What a server told in answer to a STORE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreAnswer {
    /// What the messages have now, each message once, in the order of their UIDs or numbers as the command was. Messages
    /// that are gone are not among them, nor, with Dovecot, those that had the flags before; after [`Store::silent`]
    /// there is none, unless for its mod-sequence.
    pub messages: Vec<MessageFlags>,
    /// What was left alone, having been changed since; `None` where there is none such. RFC 7162 §3.1.3
    pub modified: Option<Messages>,
}

impl StoreCommand {
    /// Changes the flags of `messages`.
    pub fn new(messages: impl Into<Messages>, store: Store) -> Self {
        StoreCommand { messages: messages.into(), store, told: BTreeMap::new() }
    }

    /// What the answer consists of, besides the UID.
    fn told_items(&self) -> FetchItems {
        let items = FetchItems::ids().mod_seq();
        if self.store.telling == Telling::Silent { items } else { items.flags() }
    }
}

impl Command for StoreCommand {
    type Output = StoreAnswer;

    /// ```abnf
    /// store           = "STORE" SP sequence-set SP store-att-flags
    /// store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
    /// ; RFC 7162 §7
    /// store-modifier  =/ "UNCHANGEDSINCE" SP mod-sequence-valzer
    /// ```
    fn request(&self) -> Result<Request, Misuse> {
        let (name, order) = match self.messages {
            Messages::Uids(_) | Messages::Saved => ("UID STORE", Order::Free),
            Messages::Numbers(_) => ("STORE", Order::Numbers),
        };
        let Store { change, flags, telling, unchanged_since } = &self.store;
        if self.messages.is_empty() {
            return Err(Misuse::EmptySet);
        }
        if flags.is_empty() && *change != Change::Replace {
            return Err(Misuse::NoFlags);
        }
        if let Some(flag) = flags.iter().find(|flag| !flag.is_storable()) {
            return Err(Misuse::Flag(flag.clone()));
        }
        let mut encoder = Encoder::new(name);
        encoder.arg(&self.messages);
        if let Some(mod_seq) = unchanged_since {
            encoder.text(" (UNCHANGEDSINCE").arg(mod_seq).text(")");
        }
        encoder.text(match change {
            Change::Add => " +FLAGS",
            Change::Remove => " -FLAGS",
            Change::Replace => " FLAGS",
        });
        encoder.text(if *telling == Telling::Silent { ".SILENT" } else { "" });
        let flags: Vec<String> = flags.iter().map(Flag::to_string).collect();
        encoder.text(" (").text(&flags.join(" ")).text(")");
        let request = Request {
            claim: Claim::Store { messages: self.messages.clone(), items: self.told_items() },
            effect: Effect::Change,
            order,
            state: State::Selected,
            ..Request::new(name, encoder)?
        };
        let conditional = unchanged_since.is_some();
        Ok(request.on(&self.messages).needing_if(conditional, Capability::CondStore, "CONDSTORE"))
    }

    fn fold(&mut self, response: Response<'_>) {
        let Some(told) = response.as_fetch().map(|fetch| fetch.to_message_flags()) else { return };
        let key = match self.messages {
            Messages::Uids(_) | Messages::Saved => told.uid.map(u32::from),
            Messages::Numbers(_) => Some(told.seq.get()),
        };
        let Some(key) = key else { return };
        match self.told.get_mut(&key) {
            // The flags and the mod-sequence may come apart.
            Some(before) => {
                let (flags, mod_seq) = (before.flags.take(), before.mod_seq.take());
                *before = MessageFlags { flags: told.flags.or(flags), mod_seq: told.mod_seq.or(mod_seq), ..told };
            }
            None => {
                self.told.insert(key, told);
            }
        }
    }

    fn finish(self, ok: Completion) -> StoreAnswer {
        let modified = match ok.code {
            Some(Code::Modified(set)) => Some(match self.messages {
                Messages::Uids(_) | Messages::Saved => Messages::Uids(UidSet::clone(set.uids())),
                Messages::Numbers(_) => Messages::Numbers(SeqSet::clone(&set.seq_nums())),
            }),
            _ => None,
        };
        StoreAnswer { messages: self.told.into_values().collect(), modified: modified.filter(|set| !set.is_empty()) }
    }
}
