//! Short words for what tests on messages name again and again.

use imap_proto_core::client::Mailbox;
use imap_proto_core::types::{Flag, Query, SeqSet, Uid, UidSet};

/// A UID.
///
/// # Panics
/// For zero.
pub fn uid(number: u32) -> Uid {
    Uid::new(number).expect("a UID")
}

/// A set of UIDs as it is written.
///
/// # Panics
/// For what is no set.
pub fn uids(wire: &str) -> UidSet {
    UidSet::from_wire(wire.as_bytes()).expect("a set")
}

/// A set of sequence numbers as it is written.
///
/// # Panics
/// For what is no set.
pub fn numbers(wire: &str) -> SeqSet {
    SeqSet::from_wire(wire.as_bytes()).expect("a set")
}

/// A flag that no message has from the start.
///
/// # Panics
/// Never: it is a keyword.
pub fn work() -> Flag {
    Flag::keyword("Work").expect("a keyword")
}

/// Finds what has it.
///
/// # Panics
/// Never: a keyword has a key.
pub fn working() -> Query {
    Query::flag(&work()).expect("a key")
}

/// What a search finds, as it is written.
///
/// # Panics
/// When it fails.
pub async fn found(mailbox: &Mailbox, query: Query) -> String {
    mailbox.search(query).await.expect("it searches").to_string()
}
