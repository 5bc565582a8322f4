use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Capabilities, Capability, Caseless, Uid, UidValidity};

/// Tells how a mailbox is, without selecting it: what was asked for and what the server told.
///
/// RFC 9051 §7.3.3
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// How many messages there are.
    pub messages: Option<u32>,
    /// The UID that the next message gets at the least; also `None` where the server has none (quirk 37).
    pub uid_next: Option<Uid>,
    /// The generation of the UIDs; also `None` where the server has none (quirk 36).
    pub uid_validity: Option<UidValidity>,
    /// How many messages have no `\Seen`.
    pub unseen: Option<u32>,
    /// How many messages have `\Deleted`.
    pub deleted: Option<u32>,
    /// The size of all messages, in octets.
    pub size: Option<u64>,
    /// How many messages are `\Recent`; of RFC 3501.
    pub recent: Option<u32>,
    /// The highest mod-sequence; zero where the mailbox keeps none. RFC 7162 §3.1.7
    pub highest_mod_seq: Option<u64>,
    /// The largest message that APPEND takes. RFC 7889
    pub append_limit: Option<AppendLimit>,
    /// The identifier of the mailbox, which it keeps when it is renamed. RFC 8474 §4
    pub mailbox_id: Option<String>,
    /// The storage in octets that expunging would give back. RFC 9208 §4.1.4
    pub deleted_storage: Option<u64>,
    /// What else the server told, as it came.
    pub others: Vec<(Caseless, String)>,
}

/// Bounds the messages that a mailbox takes.
///
/// RFC 7889
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AppendLimit {
    /// So many octets at the most.
    Octets(u64),
    /// There is no bound.
    Unlimited,
}

/// Says what of a [`Status`] to ask for.
///
/// What a server does not offer is not asked for, and stays `None` in the answer: an item it does not know would make it
/// refuse the whole command. Where nothing is left to ask for, MESSAGES is.
///
/// ```
/// use imap_proto_core::types::StatusItems;
///
/// let items = StatusItems::new().messages().unseen();
/// assert_eq!(items.to_string(), "MESSAGES UNSEEN");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct StatusItems(u16);

macro_rules! status_items {
    ($($(#[$doc:meta])* $method:ident = $bit:literal $name:literal,)*) => {
        const NAMES: &[(u16, &str)] = &[$((1 << $bit, $name),)*];

        impl StatusItems {
            $($(#[$doc])*
            #[must_use]
            pub const fn $method(self) -> Self {
                StatusItems(self.0 | 1 << $bit)
            })*
        }
    };
}

status_items! {
    /// Adds MESSAGES.
    messages = 0 "MESSAGES",
    /// Adds UIDNEXT.
    uid_next = 1 "UIDNEXT",
    /// Adds UIDVALIDITY.
    uid_validity = 2 "UIDVALIDITY",
    /// Adds UNSEEN.
    unseen = 3 "UNSEEN",
    /// Adds DELETED: of IMAP4rev2, or of `QUOTA=RES-MESSAGE` (RFC 9208).
    deleted = 4 "DELETED",
    /// Adds SIZE: of IMAP4rev2, or of `STATUS=SIZE` (RFC 8438). It may take the server long.
    size = 5 "SIZE",
    /// Adds RECENT, of IMAP4rev1.
    recent = 6 "RECENT",
    /// Adds HIGHESTMODSEQ, of `CONDSTORE` (RFC 7162).
    highest_mod_seq = 7 "HIGHESTMODSEQ",
    /// Adds APPENDLIMIT, where the server says `APPENDLIMIT` without a number for all mailboxes (RFC 7889).
    append_limit = 8 "APPENDLIMIT",
    /// Adds MAILBOXID, of `OBJECTID` (RFC 8474).
    mailbox_id = 9 "MAILBOXID",
    /// Adds DELETED-STORAGE, of `QUOTA=RES-STORAGE` (RFC 9208).
    deleted_storage = 10 "DELETED-STORAGE",
}

impl StatusItems {
    /// Returns none, to add to.
    pub const fn new() -> Self {
        StatusItems(0)
    }

    /// Returns what a mail program shows beside a name: MESSAGES and UNSEEN.
    pub const fn counts() -> Self {
        StatusItems::new().messages().unseen()
    }

    /// Returns what tells whether a copy of the mailbox is up to date: MESSAGES, UIDNEXT, UIDVALIDITY and HIGHESTMODSEQ.
    pub const fn changes() -> Self {
        StatusItems::new().messages().uid_next().uid_validity().highest_mod_seq()
    }

    /// Returns all of them.
    pub const fn all() -> Self {
        StatusItems((1 << NAMES.len()) - 1)
    }

    /// True when nothing is asked for.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn bits(self) -> u16 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u16) -> Self {
        StatusItems(bits)
    }

    /// What of it a server can be asked for.
    pub(crate) fn offered(self, capabilities: &Capabilities) -> Self {
        let quota = |resource: &str| capabilities.has(&Capability::from_wire(resource.as_bytes()));
        let offered = NAMES.iter().filter(|(_, name)| match *name {
            "DELETED" => capabilities.has(&Capability::Imap4Rev2) || quota("QUOTA=RES-MESSAGE"),
            "SIZE" => capabilities.offers(&Capability::StatusSize),
            "RECENT" => capabilities.has(&Capability::Imap4Rev1),
            "HIGHESTMODSEQ" => capabilities.has(&Capability::CondStore) || capabilities.has(&Capability::Qresync),
            "APPENDLIMIT" => capabilities.has(&Capability::AppendLimit(None)),
            "MAILBOXID" => capabilities.has(&Capability::ObjectId),
            "DELETED-STORAGE" => quota("QUOTA=RES-STORAGE"),
            _ => true,
        });
        let items = StatusItems(self.0 & offered.fold(0, |bits, (bit, _)| bits | bit));
        if items.is_empty() { items.messages() } else { items }
    }
}

/// The wire form.
impl fmt::Display for StatusItems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut space = "";
        for (_, name) in NAMES.iter().filter(|(bit, _)| self.0 & bit != 0) {
            write!(f, "{space}{name}")?;
            space = " ";
        }
        Ok(())
    }
}

impl fmt::Debug for StatusItems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({self})")
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn only_what_a_server_offers_is_asked_for() {
        let table = [
            ("", "MESSAGES UIDNEXT UIDVALIDITY UNSEEN"),
            ("IMAP4rev1", "MESSAGES UIDNEXT UIDVALIDITY UNSEEN RECENT"),
            ("IMAP4rev2", "MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE"),
            ("IMAP4rev1 STATUS=SIZE QRESYNC", "MESSAGES UIDNEXT UIDVALIDITY UNSEEN SIZE RECENT HIGHESTMODSEQ"),
            ("APPENDLIMIT=7 OBJECTID", "MESSAGES UIDNEXT UIDVALIDITY UNSEEN MAILBOXID"),
            ("APPENDLIMIT CONDSTORE", "MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ APPENDLIMIT"),
            ("QUOTA=RES-STORAGE QUOTA=RES-MESSAGE", "MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED DELETED-STORAGE"),
        ];
        for (capabilities, expected) in table {
            let capabilities = Capabilities::from_wire(capabilities.as_bytes());
            assert_eq!(StatusItems::all().offered(&capabilities).to_string(), expected);
        }
        let none = StatusItems::new().size().offered(&Capabilities::new());
        assert_eq!(none.to_string(), "MESSAGES");
    }
}
