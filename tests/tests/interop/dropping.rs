//! Several callers on one connection, and callers who give up.

use std::sync::Arc;

use imap_tests::mailbox::message;
use imap_tokio::types::{FetchItems, Query, Uid, UidSet};

use crate::fetch::body_of;
use crate::peer::Peer;

pub(crate) async fn dropped(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin((0..20).map(message)).await;
    for polls in 0..12 {
        drop_after(polls, client.noop()).await;
        drop_after(polls, mailbox.search(Query::all())).await;
        drop_after(polls, mailbox.fetch(UidSet::all(), FetchItems::summary()).collect()).await;
        drop_after(polls, body_of(&mailbox, Uid::new(3).expect("a UID"))).await;
        let uid = Uid::new(1 + polls as u32).expect("a UID");
        assert!(body_of(&mailbox, uid).await == Some(message(polls as u64)), "{polls}");
        assert_eq!(mailbox.search(Query::all()).await.expect("it searches").to_string(), "1:20", "{polls}");
    }
    peer.end(client).await;
    peer.done("dropped at any poll");
}

/// Polls a future that often, each time that it asks for it, and drops it.
pub(crate) async fn drop_after(polls: usize, operation: impl Future) {
    let mut operation = std::pin::pin!(operation);
    let mut left = polls;
    std::future::poll_fn(|cx| {
        if left == 0 || operation.as_mut().poll(cx).is_ready() {
            return std::task::Poll::Ready(());
        }
        left -= 1;
        if left == 0 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

pub(crate) async fn shared(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin((0..50).map(message)).await;
    let mailbox = Arc::new(mailbox);
    let tasks: Vec<_> = (1..=50)
        .map(|number| {
            let mailbox = mailbox.clone();
            tokio::spawn(async move {
                let octets = body_of(&mailbox, Uid::new(number).expect("a UID")).await;
                assert!(octets == Some(message(u64::from(number) - 1)), "{number} is another message");
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("every task is served");
    }
    peer.end(client).await;
    peer.done("shared by tasks");
}
