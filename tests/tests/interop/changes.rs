//! Changing messages: their flags, where they are, and whether they are.

use imap_tests::mailbox::message;
use imap_tests::words::{found, numbers, uid, uids, work, working};
use imap_tokio::command::{Access, Select, Store};
use imap_tokio::types::{Capability, Code, CopyUid, Flag, MailboxName, Messages, Query, SeqSet};
use imap_tokio::wire::grammar::Unsolicited;
use imap_tokio::{Client, Error, Mailbox, Misuse, Removal};

use crate::peer::Peer;

/// A mailbox with the messages 2 to 6: their numbers are one less.
async fn begin(peer: &Peer<'_>) -> (Client, Mailbox) {
    let (client, mailbox) = peer.begin((0..6).map(message)).await;
    mailbox.delete(uid(1)).await.expect("it is removed");
    (client, mailbox)
}

/// A second mailbox, without messages.
async fn second(peer: &Peer<'_>, client: &Client) -> MailboxName {
    let name = peer.name(client, &["second"]).await;
    client.create(name.clone()).await.expect("it is made");
    name
}

fn pairs(copied: &CopyUid) -> Vec<(u32, u32)> {
    copied.pairs().map(|(from, to)| (from.get(), to.get())).collect()
}

pub(crate) async fn store(peer: &Peer<'_>) {
    let (client, mailbox) = begin(peer).await;
    let answer = mailbox.store(uids("2:4"), Store::add([work(), Flag::Flagged])).await.expect("it is stored");
    let told: Vec<_> = answer.messages.iter().map(|told| (told.seq.get(), told.uid)).collect();
    assert_eq!(told, [(1, Some(uid(2))), (2, Some(uid(3))), (3, Some(uid(4)))]);
    assert!(answer.messages.iter().all(|told| told.has(&work()) && told.has(&Flag::Flagged)));
    let answer = mailbox.store(numbers("1:2"), Store::remove(Flag::Flagged)).await.expect("it is stored");
    assert_eq!(answer.messages.iter().map(|told| told.seq.get()).collect::<Vec<_>>(), [1, 2]);
    assert!(answer.messages.iter().all(|told| told.has(&work()) && !told.has(&Flag::Flagged)));
    let silent = mailbox.store(uid(4), Store::replace([Flag::Flagged]).silent()).await.expect("it is stored");
    assert!(silent.messages.iter().all(|told| told.flags.is_none()), "{silent:?}");
    mailbox.store(numbers("2"), Store::replace([])).await.expect("it is stored");
    assert_eq!(found(&mailbox, working()).await, "2");
    assert_eq!(found(&mailbox, Query::flagged()).await, "4");
    let gone = mailbox.store(uid(99), Store::add(work())).await.expect("nothing is stored");
    assert!(gone.messages.is_empty());
    let refused = mailbox.store(uid(2), Store::add([])).await;
    assert!(matches!(refused, Err(Error::Misuse(Misuse::NoFlags))), "{refused:?}");
    // Two that overlap wait for each other; the last one counts.
    let (one, other) = tokio::join!(
        mailbox.store(uids("2:6"), Store::add(Flag::Answered)),
        mailbox.store(uids("4:6"), Store::remove(Flag::Answered)),
    );
    assert_eq!((one.expect("stored").messages.len(), other.expect("stored").messages.len()), (5, 3));
    assert_eq!(found(&mailbox, Query::answered()).await, "2:3");
    peer.end(client).await;
    for row in ["UID STORE", "STORE", "STORE -FLAGS", "STORE of all flags", "STORE, silent"] {
        peer.done(row);
    }
}

pub(crate) async fn conditional_store(peer: &Peer<'_>) {
    let row = "STORE (UNCHANGEDSINCE)";
    let (client, mailbox) = begin(peer).await;
    let name = mailbox.name().clone();
    let store = |known| Store::add(Flag::Deleted).silent().unchanged_since(known);
    let opened = client.select_with(Select::new(name.clone(), Access::ReadWrite).condstore()).await;
    let Ok(opened) = opened else {
        let refused = mailbox.store(uids("2:6"), store(1)).await;
        peer.done_or_unsupported(row, &client, Capability::CondStore, refused).await;
        return peer.end(client).await;
    };
    let known = opened.selected().highest_mod_seq.expect("it keeps mod-sequences");
    let other = peer.connect().await;
    let theirs = other.select(name.clone()).await.expect("it is there");
    theirs.store(uids("3,5"), Store::add(work())).await.expect("it is stored");
    other.logout().await.expect("it says goodbye");
    let answer = opened.store(uids("2:6"), store(known)).await;
    let answer = peer.done_or_unsupported(row, &client, Capability::CondStore, answer).await.expect("it is offered");
    assert_eq!(answer.modified, Some(Messages::from(uids("3,5"))));
    // Of the others it may also tell what it left alone.
    assert!(answer.messages.iter().all(|told| told.mod_seq.is_some_and(|now| now.get() > known)), "{answer:?}");
    assert!(uids("2,4,6").iter().all(|uid| answer.messages.iter().any(|told| told.uid == Some(uid))), "{answer:?}");
    assert_eq!(found(&opened, Query::deleted()).await, "2,4,6");
    let answer = opened.store(numbers("4:5"), store(known)).await.expect("it is stored");
    assert_eq!(answer.modified, Some(Messages::from(numbers("4:5"))));
    peer.end(client).await;
}

pub(crate) async fn copy(peer: &Peer<'_>) {
    let (client, mailbox) = begin(peer).await;
    let second = second(peer, &client).await;
    let copied = mailbox.copy(uids("2,4:5"), second.clone()).await.expect("they are copied").expect("it says where");
    assert_eq!(pairs(&copied), [(2, 1), (4, 2), (5, 3)]);
    let copied = mailbox.copy(SeqSet::last_message(), second.clone()).await.expect("it is copied").expect("and where");
    assert_eq!(pairs(&copied), [(6, 4)]);
    let nothing = mailbox.copy(uid(99), second.clone()).await;
    assert!(matches!(nothing, Ok(None) | Err(Error::Refused(_))), "{nothing:?}");
    let nowhere = peer.name(&client, &["nowhere"]).await;
    let nowhere = mailbox.copy(uid(2), nowhere).await;
    assert!(matches!(&nowhere, Err(Error::Refused(refused)) if refused.code == Some(Code::TryCreate)), "{nowhere:?}");
    assert_eq!(found(&mailbox, Query::all()).await, "2:6");
    let there = client.examine(second.clone()).await.expect("it is there");
    assert_eq!((there.exists(), Some(copied.uid_validity)), (4, there.uid_validity()));
    peer.end(client).await;
    peer.done("UID COPY");
    peer.done("COPY");
}

pub(crate) async fn move_to(peer: &Peer<'_>) {
    let (client, mailbox) = begin(peer).await;
    let second = second(peer, &client).await;
    // Marked by somebody, and to stay.
    mailbox.store(uid(2), Store::add(Flag::Deleted)).await.expect("it is stored");
    let moved = mailbox.move_to(uids("3:4"), second.clone()).await.expect("they are moved");
    assert_eq!(moved.removal, Removal::Removed);
    assert_eq!(pairs(&moved.copied.expect("it says where")), [(3, 1), (4, 2)]);
    let moved = mailbox.move_to(numbers("3:*"), second.clone()).await.expect("they are moved");
    assert_eq!(pairs(&moved.copied.expect("it says where")), [(6, 3)]);
    assert_eq!(
        (found(&mailbox, Query::all()).await, found(&mailbox, Query::deleted()).await),
        ("2,5".into(), "2".into())
    );
    let nothing = mailbox.move_to(uids("90:99"), second.clone()).await;
    assert!(nothing.as_ref().is_ok_and(|moved| moved.copied.is_none()), "{nothing:?}");
    let nowhere = peer.name(&client, &["nowhere"]).await;
    let nowhere = mailbox.move_to(uid(2), nowhere).await;
    assert!(matches!(&nowhere, Err(Error::Refused(refused)) if refused.code == Some(Code::TryCreate)), "{nowhere:?}");
    assert_eq!(client.examine(second.clone()).await.expect("it is there").exists(), 3);
    peer.done_with_or_without("UID MOVE", &client, Capability::Move).await;
    peer.done_with_or_without("MOVE", &client, Capability::Move).await;
    peer.end(client).await;
}

pub(crate) async fn expunge(peer: &Peer<'_>) {
    let (client, mailbox) = begin(peer).await;
    mailbox.store(uids("2:4"), Store::add(Flag::Deleted)).await.expect("it is stored");
    let mut notices = client.notices();
    assert!(tokio::time::timeout(std::time::Duration::ZERO, notices.try_next()).await.is_err());
    let removed = mailbox.expunge_uids(uids("3:5")).await;
    peer.done_or_unsupported("UID EXPUNGE", &client, Capability::UidPlus, removed).await.expect("all have UIDPLUS");
    assert_eq!(found(&mailbox, Query::all()).await, "2,5:6");
    let mut gone = Vec::new();
    while gone.len() < 2 {
        if let Some(Unsolicited::Expunge(seq)) =
            notices.try_next().await.expect("it listens").expect("it goes on").unsolicited()
        {
            gone.push(seq.get());
        }
    }
    gone.sort_unstable();
    assert!(gone == [2, 2] || gone == [2, 3], "{gone:?}");
    assert_eq!(mailbox.delete(numbers("*")).await.expect("it is removed"), Removal::Removed);
    assert_eq!(found(&mailbox, Query::all()).await, "2,5");
    peer.done("delete");
    mailbox.expunge().await.expect("it is removed");
    assert_eq!(found(&mailbox, Query::all()).await, "5");
    assert_eq!(client.view().await.expect("it is open").selected().map(|now| now.exists), Some(1));
    peer.done("EXPUNGE");
    peer.end(client).await;
}
