//! A whole session over COMPRESS, and callers who give it up.

use imap_tests::mailbox::{big_message, message};
use imap_tokio::command::Append;
use imap_tokio::types::{Capability, FetchItems, Query, Uid, UidSet};
use imap_tokio::{Client, Error, Mailbox, Misuse, Notice, read_from};

use crate::dropping::drop_after;
use crate::fetch::body_of;
use crate::peer::{Peer, offers};

pub(crate) async fn compress(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin((0..20).map(message)).await;
    // What is called at once leaves behind it, compressed.
    let (compressed, noop) = tokio::join!(client.compress(), client.noop());
    noop.expect("it is answered");
    if peer.done_or_unsupported("COMPRESS", &client, Capability::CompressDeflate, compressed).await.is_none() {
        return peer.end(client).await;
    }
    assert!(client.view().await.expect("it is open").is_compressed());
    let again = client.compress().await;
    assert!(matches!(again, Err(Error::Misuse(Misuse::AlreadyCompressed))), "{again:?}");
    work(peer, &client, &mailbox).await;
    let selected = client.select(mailbox.name().clone()).await.expect("it is selected again");
    drops(&selected).await;
    peer.end(client).await;
}

/// A bit of everything, on a mailbox of twenty messages.
async fn work(peer: &Peer<'_>, client: &Client, mailbox: &Mailbox) {
    let items = FetchItems::summary().body_structure();
    let (told, found) = tokio::join!(mailbox.fetch(UidSet::all(), items).collect(), mailbox.search(Query::all()));
    assert_eq!((told.expect("it is told").len(), found.expect("it searches").len()), (20, 20));
    for number in 1..=20 {
        let octets = body_of(mailbox, Uid::new(number).expect("a UID")).await;
        assert!(octets == Some(message(u64::from(number) - 1)), "{number} is another message");
    }
    let large = big_message(2_000_000);
    let name = mailbox.name().clone();
    client.append(Append::new(name.clone(), large.clone())).await.expect("it is stored");
    let reader = read_from(std::io::Cursor::new(large.clone()));
    client.append_from(name.clone(), large.len() as u64, reader, |append| append).await.expect("it is stored");
    client.noop().await.expect("it tells what is new");
    for uid in [21, 22] {
        assert!(body_of(mailbox, Uid::new(uid).expect("a UID")).await.as_ref() == Some(&large), "{uid} is another");
    }
    let other = peer.connect().await;
    let mut watch = mailbox.watch();
    while !matches!(watch.try_next().await.expect("it watches"), Some(Notice::Idling)) {}
    other.append(Append::new(name, message(22))).await.expect("it is stored");
    while !matches!(watch.try_next().await.expect("it watches"), Some(Notice::Response(_))) {}
    drop(watch);
    other.logout().await.expect("it says goodbye");
}

async fn drops(mailbox: &Mailbox) {
    for polls in 0..8 {
        drop_after(polls, mailbox.search(Query::all())).await;
        drop_after(polls, mailbox.fetch(UidSet::all(), FetchItems::summary()).collect()).await;
        drop_after(polls, body_of(mailbox, Uid::new(21).expect("a UID"))).await;
        let uid = Uid::new(1 + polls as u32).expect("a UID");
        assert!(body_of(mailbox, uid).await == Some(message(polls as u64)), "{polls}");
    }
}

pub(crate) async fn dropped(peer: &Peer<'_>) {
    let (mut compressed, mut offered) = (0, false);
    for polls in 0..8 {
        let client = peer.connect().await;
        offered = offers(&client, &Capability::CompressDeflate).await;
        drop_after(polls, client.compress()).await;
        client.noop().await.expect("the connection is good");
        client.settle().await.expect("nothing is left");
        compressed += u32::from(client.view().await.expect("it is open").is_compressed());
        client.list_all().await.expect("it lists");
        client.logout().await.expect("it says goodbye");
    }
    assert_eq!(compressed > 0, offered);
    let client = peer.connect().await;
    let result = client.compress().await;
    peer.done_or_unsupported("COMPRESS, dropped at any poll", &client, Capability::CompressDeflate, result).await;
    client.logout().await.expect("it says goodbye");
}

/// By the connector, where it is offered and where it is not.
pub(crate) async fn connected(peer: &Peer<'_>) {
    let client = peer.connector().compress().connect().await.expect("it is no error where it is not offered");
    let is_offered = offers(&client, &Capability::CompressDeflate).await;
    assert_eq!(client.view().await.expect("it is open").is_compressed(), is_offered);
    client.list_all().await.expect("it lists");
    peer.done_with_or_without("COMPRESS at the login", &client, Capability::CompressDeflate).await;
    peer.end(client).await;
}
