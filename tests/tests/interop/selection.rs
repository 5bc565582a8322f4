//! Selecting a mailbox and leaving it.

use imap_tests::mailbox::message;
use imap_tokio::command::{Access, Select, Store};
use imap_tokio::types::{Capability, Flag, Query, Uid};
use imap_tokio::{Client, Error, Mailbox};

use crate::peer::{Peer, offers};

pub(crate) async fn select(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin((0..3).map(message)).await;
    let name = peer.name(&client, &[]).await;
    let selected = mailbox.selected();
    assert_eq!((mailbox.name(), mailbox.exists(), selected.access), (&name, 3, Access::ReadWrite));
    assert!(mailbox.uid_validity().is_some());
    // Courier does not say.
    assert!(selected.uid_next.is_none_or(|next| next.get() == 4), "{selected:?}");
    assert!(selected.flags.contains(&Flag::Seen) && selected.flags.contains(&Flag::Deleted));
    assert!(selected.permanent_flags.as_ref().is_some_and(|flags| flags.contains(&Flag::Flagged)));
    let view = client.view().await.expect("it is open");
    assert_eq!(view.selected().map(|now| (&now.mailbox, now.exists)), Some((&name, 3)));
    peer.done("SELECT");

    let with_mod_seqs = Select::new(name.clone(), Access::ReadWrite).condstore();
    let again = client.select_with(with_mod_seqs).await;
    let row = "SELECT (CONDSTORE)";
    if let Some(again) = peer.done_or_unsupported(row, &client, Capability::CondStore, again).await {
        assert!(again.selected().highest_mod_seq.is_some_and(|highest| highest > 0));
        assert!(matches!(mailbox.search(Query::all()).await, Err(Error::Deselected)));
    }
    peer.end(client).await;
}

pub(crate) async fn examine(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin([message(0)]).await;
    let name = mailbox.name().clone();
    let examined = client.examine(name.clone()).await.expect("it is there");
    assert_eq!((examined.exists(), examined.selected().access), (1, Access::ReadOnly));
    assert!(matches!(mailbox.search(Query::all()).await, Err(Error::Deselected)));
    let stored = examined.store(Uid::MIN, Store::add(Flag::Flagged)).await;
    let again = client.select(name.clone()).await.expect("it is there");
    let flagged = again.search(Query::flagged()).await.expect("it searches").len();
    match peer.server.name() {
        // It says READ-ONLY and stores flags all the same.
        "Courier" => assert!(stored.is_ok() && flagged == 1, "{stored:?}"),
        _ => assert!(matches!(stored, Ok(_) | Err(Error::Refused(_))) && flagged == 0, "{stored:?}"),
    }
    peer.end(client).await;
    peer.done("EXAMINE");
}

pub(crate) async fn leave(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin((0..3).map(message)).await;
    let name = mailbox.name().clone();
    mailbox.store(Uid::new(2).expect("a UID"), Store::add(Flag::Deleted)).await.expect("it is stored");
    let handle = mailbox.clone();
    mailbox.unselect().await.expect("it is left");
    is_left(&client, &handle).await;
    peer.done_with_or_without("UNSELECT", &client, Capability::Unselect).await;

    let again = client.select(name.clone()).await.expect("it is there");
    assert_eq!(again.exists(), 3);
    let handle = again.clone();
    again.close().await.expect("it is left");
    is_left(&client, &handle).await;
    let examined = client.examine(name.clone()).await.expect("it is there");
    assert_eq!(examined.search(Query::all()).await.expect("it searches").to_string(), "1,3");
    if offers(&client, &Capability::Unselect).await {
        examined.unselect().await.expect("it is left");
    } else {
        examined.close().await.expect("it is left");
    }
    peer.end(client).await;
    peer.done("CLOSE");
}

async fn is_left(client: &Client, handle: &Mailbox) {
    assert!(matches!(handle.search(Query::all()).await, Err(Error::Deselected)));
    assert!(matches!(handle.expunge().await, Err(Error::Deselected)));
    assert!(matches!(handle.clone().unselect().await, Err(Error::Deselected)));
    assert!(client.view().await.expect("it is open").selected().is_none());
}
