//! What a client does all day.

use imap_proto_core::Error;
use imap_proto_core::client::Removal;
use imap_proto_core::command::{Append, List, Store};
use imap_proto_core::types::{Capability, Code, FetchItems, Flag, Query, Section, StatusItems, UidSet};
use imap_tests::mailbox::{big_message, message};
use imap_tests::words::{found, uid, uids};

use crate::harness::Harness;
use crate::site::Site;

pub(crate) async fn mailboxes<H: Harness>(site: Site<H>) {
    let client = site.connect().await;
    assert!(client.capabilities().await.expect("it tells").has(&Capability::Imap4Rev1));
    client.create(site.mailbox()).await.expect("it is made");
    let again = client.create(site.mailbox()).await;
    assert!(matches!(&again, Err(Error::Refused(refused)) if refused.code == Some(Code::AlreadyExists)), "{again:?}");
    let listed = client.list(List::all()).await.expect("they are listed");
    assert!(listed.iter().any(|entry| *entry.name() == site.mailbox()), "{listed:?}");
    client.append(Append::new(site.mailbox(), message(1))).await.expect("it is stored");
    let status = client.status(site.mailbox(), StatusItems::counts()).await.expect("it is answered");
    assert_eq!(status.messages, Some(1));
    client.delete(site.mailbox()).await.expect("it is removed");
    assert!(client.exists(site.mailbox()).await.expect("it is answered").is_none());
    site.end(client).await;
}

pub(crate) async fn reading<H: Harness>(site: Site<H>) {
    let (client, mailbox) = site.begin((0..40).map(message)).await;
    assert_eq!((mailbox.exists(), found(&mailbox, Query::all()).await.as_str()), (40, "1:40"));
    let mut summaries = mailbox.fetch(UidSet::all(), FetchItems::summary()).window(7);
    let mut told = 0;
    while let Some(summary) = summaries.try_next().await.expect("it is told") {
        told += 1;
        assert_eq!(summary.uid(), uid(told));
        assert!(summary.get().envelope().and_then(|envelope| envelope.subject()).is_some());
        // Commands during a fetch are fine.
        if told == 20 {
            mailbox.store(summary.uid(), Store::add(Flag::Flagged)).await.expect("it is stored");
        }
    }
    assert_eq!((told, found(&mailbox, Query::flagged()).await.as_str()), (40, "20"));
    site.end(client).await;
}

pub(crate) async fn bodies<H: Harness>(site: Site<H>) {
    let big = big_message(1_500_000);
    let (client, mailbox) = site.begin([message(1), big.clone()]).await;
    let read = site.harness.read(mailbox.body(uid(2), Section::whole()).piece(100_000)).await;
    assert!(read.expect("it comes to its end") == big, "another message was read");
    let whole = mailbox.body(uid(1), Section::whole()).collect(1 << 20).await.expect("it is read");
    assert_eq!(whole, Some(message(1)));
    // Dropped with octets on their way.
    let mut body = mailbox.body(uid(2), Section::whole());
    assert!(body.try_next().await.expect("it is read").is_some());
    drop(body);
    // A reader that is given up leaves what it has not taken.
    let mut body = mailbox.body(uid(2), Section::whole());
    let mut start = [0; 10];
    let count = std::future::poll_fn(|cx| body.poll_read(cx, &mut start)).await.expect("it is read");
    let mut rest = start[..count].to_vec();
    while let Some(octets) = body.try_next().await.expect("it is read") {
        rest.extend_from_slice(&octets);
    }
    assert!(count > 0 && rest == big, "another message was read");
    // Read through a reader, what was not read by hand.
    let mut body = mailbox.body(uid(2), Section::whole());
    let begin = body.try_next().await.expect("it is read").expect("there is more");
    let rest = site.harness.read(body).await.expect("it comes to its end");
    assert!([&begin[..], &rest].concat() == big, "another message was read");
    let nothing = site.harness.read(mailbox.body(uid(99), Section::whole())).await;
    assert_eq!(nothing.expect("it is answered").len(), 0);
    site.end(client).await;
}

pub(crate) async fn changing<H: Harness>(site: Site<H>) {
    let (client, mailbox) = site.begin((0..6).map(message)).await;
    let other = format!("{} of others", site.mailbox());
    client.create(other.as_str()).await.expect("it is made");
    let answer = mailbox.store(uids("2:4"), Store::add(Flag::Answered)).await.expect("it is stored");
    assert_eq!(answer.messages.len(), 3);
    assert_eq!(found(&mailbox, Query::answered()).await, "2:4");
    mailbox.copy(uids("1:2"), other.as_str()).await.expect("they are copied").expect("it says where");
    let moved = mailbox.move_to(uids("3"), other.as_str()).await.expect("it is moved");
    assert_eq!(moved.removal, Removal::Removed);
    assert_eq!(mailbox.delete(uids("5:6")).await.expect("they are removed"), Removal::Removed);
    assert_eq!(found(&mailbox, Query::all()).await, "1:2,4");
    let there = client.examine(other.as_str()).await.expect("it is there");
    assert_eq!(there.exists(), 3);
    let stale = mailbox.search(Query::all()).await;
    assert!(matches!(stale, Err(Error::Deselected)), "{stale:?}");
    site.end(client).await;
}

/// Several tasks on one connection, some of which give up.
pub(crate) async fn sharing<H: Harness>(site: Site<H>) {
    let (client, mailbox) = site.begin((0..10).map(message)).await;
    let mut tasks = Vec::new();
    for task in 0..12u32 {
        let mailbox = mailbox.clone();
        tasks.push(site.harness.spawn(async move {
            let uid = uid(1 + task % 10);
            for round in 0..8 {
                if (task + round) % 3 == 0 {
                    let mut given_up = mailbox.fetch(UidSet::all(), FetchItems::summary().section(Section::whole()));
                    given_up.try_next().await.expect("it is told");
                }
                let whole = mailbox.body(uid, Section::whole()).collect(1 << 20).await.expect("it is read");
                assert_eq!(whole, Some(message(u64::from(uid.get() - 1))));
            }
        }));
    }
    for task in tasks {
        task.await;
    }
    site.end(client).await;
}
