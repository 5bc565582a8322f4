use std::collections::BTreeSet;
use std::sync::Arc;

use imap_proto_core::types::{DateTime, Flag, MailboxName, SpecialUse, Uid, UidValidity};

use crate::message::Content;
use crate::server::now;
use crate::store::{Account, DELIMITER, Store};

/// A mailbox of a [`TestServer`](crate::TestServer), from behind: to deliver messages and to see what clients have done.
///
/// Sessions are told of every change, those in IDLE at once. When a client deletes or renames the mailbox, the next call that
/// changes it makes it again, and what is read is empty.
#[derive(Clone, Debug)]
pub struct MailboxHandle {
    account: Arc<Account>,
    name: MailboxName,
}

/// A message as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredMessage {
    /// Its UID.
    pub uid: Uid,
    /// Its flags, without `\Recent`.
    pub flags: BTreeSet<Flag>,
    /// When it was received: INTERNALDATE.
    pub internal_date: DateTime,
    /// Its octets.
    pub octets: Vec<u8>,
}

impl MailboxHandle {
    pub(crate) fn new(account: Arc<Account>, name: &str) -> Self {
        let name = MailboxName::new(name).expect("the name is neither empty nor holds NUL, CR or LF");
        let name = name.with_canonical_inbox(DELIMITER);
        let handle = MailboxHandle { account, name };
        handle.change(|_, _| {});
        handle
    }

    /// Its name.
    pub fn name(&self) -> &MailboxName {
        &self.name
    }

    /// Puts a message in, received now and without flags.
    ///
    /// Its octets are kept as they are. The lines of a message end in CRLF: with LF alone, clients see what no server sends.
    pub fn deliver(&self, octets: impl Into<Vec<u8>>) -> Uid {
        self.deliver_with(octets, [], now())
    }

    /// Puts a message in, with flags and the time it was received.
    pub fn deliver_with(
        &self,
        octets: impl Into<Vec<u8>>,
        flags: impl IntoIterator<Item = Flag>,
        internal_date: DateTime,
    ) -> Uid {
        let content = Arc::new(Content::new(octets.into()));
        let flags = flags.into_iter().collect();
        self.change(|store, name| store.create(name).add(content, flags, internal_date))
    }

    /// Gives a message these flags and no others; the answer is whether there is such a message.
    pub fn set_flags(&self, uid: Uid, flags: impl IntoIterator<Item = Flag>) -> bool {
        let flags = flags.into_iter().collect();
        self.change(|store, name| {
            let mailbox = store.create(name);
            mailbox.set_flags(uid, flags);
            mailbox.get(uid).is_some()
        })
    }

    /// Removes a message for good; the answer is whether there was one.
    pub fn expunge(&self, uid: Uid) -> bool {
        self.change(|store, name| store.create(name).remove(uid).is_some())
    }

    /// All messages, in ascending order of their UIDs.
    pub fn messages(&self) -> Vec<StoredMessage> {
        let store = self.account.lock();
        let messages = store.get(&self.name).map(|mailbox| mailbox.messages()).unwrap_or_default();
        let stored = messages.iter().map(|message| StoredMessage {
            uid: message.uid,
            flags: message.flags.clone(),
            internal_date: message.date,
            octets: message.content.raw().to_vec(),
        });
        stored.collect()
    }

    /// True when the mailbox is there; a client may have deleted it.
    pub fn exists(&self) -> bool {
        self.account.lock().get(&self.name).is_some()
    }

    /// The generation of its UIDs; `None` when it is not there.
    pub fn uid_validity(&self) -> Option<UidValidity> {
        self.account.lock().get(&self.name).map(|mailbox| mailbox.uid_validity)
    }

    /// Says what it is for. RFC 6154
    pub fn use_for(&self, special_use: SpecialUse) {
        self.change(|store, name| store.create(name).special_use = Some(special_use));
    }

    /// Subscribes the user to it.
    pub fn subscribe(&self) {
        self.change(|store, name| store.subscriptions.insert(name.clone()));
    }

    fn change<T>(&self, with: impl FnOnce(&mut Store, &MailboxName) -> T) -> T {
        let done = {
            let mut store = self.account.lock();
            store.create(&self.name);
            store.changed = true;
            with(&mut store, &self.name)
        };
        self.account.tell_of_changes();
        done
    }
}
