//! Storing messages.

use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use futures_util::stream;
use imap_tests::mailbox::{big_message, message};
use imap_tokio::command::{Append, Cancelling, Message, MultiAppend, NewMessage, Stored};
use imap_tokio::types::{Capability, Code, DateTime, FetchItems, Flag, Query, UidSet};
use imap_tokio::wire::grammar::Body;
use imap_tokio::{
    AppendProgress, AppendReport, Client, Error, Fate, LiteralPolicy, Mailbox, SourceFailure, Upload, read_from,
};
use tokio::io::AsyncReadExt;

use crate::fetch::body_of;
use crate::peer::{Peer, offers};

pub(crate) async fn append(peer: &Peer<'_>) {
    let date = DateTime::from_unix_timestamp(1_600_000_000).expect("a date");
    let flags = [Flag::Seen, Flag::Flagged, Flag::keyword("rig").expect("a keyword")];
    let (client, mailbox) = peer.begin([]).await;
    let name = mailbox.name().clone();
    for literals in [LiteralPolicy::AsAdvertised, LiteralPolicy::Synchronizing] {
        let connector = peer.connector().config(|config| config.literals = literals);
        let other = connector.connect().await.expect("the server lets us in");
        for octets in [message(7), big_message(700_000)] {
            let append = Append::new(name.clone(), Message::Octets(Bytes::from(octets.clone())));
            let whole = other.append(append.flags(flags.clone()).date(date)).await;
            let reader = read_from(std::io::Cursor::new(octets.clone()));
            let fed = other.append_from(name.clone(), octets.len() as u64, reader, |append| {
                append.flags(flags.clone()).date(date)
            });
            for stored in [whole, fed.await] {
                let stored = stored.expect("it is stored").expect("the server says where");
                check_stored(&client, &mailbox, &stored, &octets, &flags, date).await;
            }
        }
        other.logout().await.expect("it says goodbye");
    }
    peer.end(client).await;
    for row in ["APPEND of octets", "APPEND from a reader", "APPEND with flags", "APPEND with a date", "APPENDUID"] {
        peer.done(row);
    }
}

async fn check_stored(
    client: &Client,
    mailbox: &Mailbox,
    stored: &Stored,
    octets: &[u8],
    flags: &[Flag],
    date: DateTime,
) {
    client.noop().await.expect("it tells what is new");
    assert_eq!(Some(stored.uid_validity), mailbox.uid_validity());
    let items = FetchItems::ids().flags().internal_date().size();
    let told = mailbox.fetch(stored.uid, items).collect().await.expect("it is told");
    assert_eq!(told.len(), 1);
    let has = told[0].flags().expect("it has flags");
    assert!(flags.iter().all(|flag| has.contains(flag)), "{has:?}");
    let moment = told[0].internal_date().map(DateTime::to_unix_timestamp);
    assert_eq!(moment, Some(date.to_unix_timestamp()));
    assert!(body_of(mailbox, stored.uid).await.as_deref() == Some(octets), "{} is not what was stored", stored.uid);
}

/// Messages of an upload that is ended half-way.
const MANY: usize = 100;

/// Every third comes from a reader.
fn upload(index: usize) -> Upload {
    let octets = message(index as u64);
    match index % 3 {
        0 => Upload::from_source(octets.len() as u64, read_from(std::io::Cursor::new(octets))),
        _ => octets.into(),
    }
}

pub(crate) async fn many(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin([]).await;
    let name = mailbox.name().clone();
    let whole = client.append_all(name.clone(), stream::iter((0..MANY).map(upload))).await;
    assert!(whole.is_complete() && whole.messages.len() == MANY, "{whole:?}");
    let mut before = check_report(&client, &mailbox, &whole, 0).await;
    for how in ["stopped by its owner", "stopped by a thread", "dropped"] {
        let other = peer.connect().await;
        let (told, mut telling) = tokio::sync::mpsc::unbounded_channel();
        // One at a time: what is ended in the middle of has not begun as a whole on any server.
        let call = other.append_all(name.clone(), stream::iter((0..MANY).map(upload))).ahead(5_000);
        let mut call = call.on_progress(move |now: AppendProgress| {
            // Whoever ends it may be gone.
            let _ = told.send(now.stored);
        });
        let mut ledger = call.ledger();
        let enough = async { while telling.recv().await.is_some_and(|stored| stored < MANY / 4) {} };
        tokio::select! {
            report = &mut call => panic!("{how}: it was to be ended half-way: {report:?}"),
            () = enough => {}
        }
        let report = match how {
            "stopped by its owner" => call.stop().await,
            "stopped by a thread" => {
                let stopper = call.stopper();
                std::thread::spawn(move || stopper.stop()).join().expect("it does not panic");
                call.await
            }
            _ => {
                drop(call);
                ledger.report().await
            }
        };
        let stored = report.stored().count();
        assert!((MANY / 4..MANY).contains(&stored), "{how}: {stored} stored");
        assert!(matches!(report.ended, Some(Error::Cancelled)) || how == "dropped", "{how}: {report:?}");
        // A drop inside a message whose reader is gone closes the connection: what was not answered is in doubt then.
        assert!(report.in_doubt().count() == 0 || how == "dropped", "{how}: {report:?}");
        before = check_report(&client, &mailbox, &report, before).await;
        if other.noop().await.is_err() {
            assert_eq!(how, "dropped");
        }
    }
    peer.end(client).await;
    for row in ["APPEND of many", "APPEND of many, ended half-way"] {
        peer.done(row);
    }
}

/// The mailbox has what the report says is stored, and what it had before. Returns how many those are.
async fn check_report(client: &Client, mailbox: &Mailbox, report: &AppendReport, before: usize) -> usize {
    client.noop().await.expect("it tells what is new");
    let there = mailbox.search(Query::all()).await.expect("it searches").len() as usize;
    let least = before + report.stored().count();
    assert!((least..=least + report.in_doubt().count()).contains(&there), "{there} of {least}: {report:?}");
    for (index, stored) in report.stored() {
        let uid = stored.expect("the server says where").uid;
        assert!(body_of(mailbox, uid).await.as_deref() == Some(&message(index as u64)[..]), "{index} is not {uid}");
    }
    there
}

pub(crate) async fn nul(peer: &Peer<'_>) {
    let octets = b"Subject: binary\r\nContent-Transfer-Encoding: binary\r\n\r\na\0b\r\n";
    let (client, mailbox) = peer.begin([]).await;
    let stored = client.append(Append::new(mailbox.name().clone(), &octets[..])).await;
    let row = "APPEND with NUL";
    if let Some(stored) = peer.done_or_unsupported(row, &client, Capability::Binary, stored).await {
        client.noop().await.expect("it tells what is new");
        // Dovecot keeps it in base64.
        let items = FetchItems::ids().binary("1").expect("a part");
        let told =
            mailbox.fetch(stored.expect("the server says where").uid, items).collect().await.expect("it is told");
        let part = told[0].get().sections().find(|data| data.is_binary()).expect("it came");
        let Body::Octets(part) = part.body() else { panic!("{part:?}") };
        assert_eq!(part.to_bytes().escape_ascii().to_string(), r"a\x00b\r\n");
    } else {
        assert_eq!(mailbox.search(Query::all()).await.expect("it searches").len(), 0);
    }
    peer.end(client).await;
}

pub(crate) async fn several(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin([]).await;
    let name = mailbox.name().clone();
    let octets = [message(1), message(2), message(3)];
    let mut there = 0;
    for literals in [LiteralPolicy::AsAdvertised, LiteralPolicy::Synchronizing] {
        let connector = peer.connector().config(|config| config.literals = literals);
        let other = connector.connect().await.expect("the server lets us in");
        let stored = other.run(MultiAppend::new(name.clone(), octets.clone())).await;
        if literals == LiteralPolicy::Synchronizing && stored.is_ok() {
            let first = NewMessage::new(octets[0].clone()).flags([Flag::Flagged]);
            let fed = MultiAppend::new(name.clone(), [first, Message::Fed(octets[1].len() as u64).into()]);
            let source = read_from(std::io::Cursor::new(octets[1].clone()));
            let stored = other.run(fed).feed_from(source).await.expect("they are stored");
            client.noop().await.expect("it tells what is new");
            assert_eq!(body_of(&mailbox, stored[1].uid).await.as_ref(), octets.get(1));
            there += 2;
        }
        other.logout().await.expect("it says goodbye");
        let row = if literals == LiteralPolicy::Synchronizing { "MULTIAPPEND, synchronizing" } else { "MULTIAPPEND" };
        let Some(stored) = peer.done_or_unsupported(row, &client, Capability::MultiAppend, stored).await else {
            continue;
        };
        there += 3;
        client.noop().await.expect("it tells what is new");
        assert_eq!(stored.len(), 3, "{stored:?}");
        for (stored, octets) in stored.iter().zip(&octets) {
            assert_eq!(body_of(&mailbox, stored.uid).await.as_ref(), Some(octets));
        }
    }
    client.noop().await.expect("it tells what is new");
    assert_eq!(mailbox.search(Query::all()).await.expect("it searches").len(), there);
    peer.end(client).await;
}

/// Given up while its first message is on its way: that one is sent to its end, and the server told to store none.
pub(crate) async fn cut(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin([]).await;
    for (row, literals) in [
        ("MULTIAPPEND, cut", LiteralPolicy::AsAdvertised),
        ("MULTIAPPEND, cut, synchronizing", LiteralPolicy::Synchronizing),
    ] {
        let connector = peer.connector().config(|config| config.literals = literals);
        let other = connector.connect().await.expect("the server lets us in");
        let mut tries = 0..20;
        let result = loop {
            let octets = [big_message(6_000_000), message(2), message(3)];
            let append = MultiAppend::new(mailbox.name().clone(), octets).cancelling(Cancelling::Cut);
            let mut operation = other.run(append);
            let early = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut operation).poll(cx))).await;
            // Each is answered before the driver writes, and the second one in another of its rounds: it has begun to leave.
            for _ in 0..2 {
                other.settle().await.expect("it is open");
            }
            match (early, offers(&other, &Capability::MultiAppend).await) {
                (Poll::Ready(Err(error)), _) => break Err(error),
                (Poll::Ready(Ok(stored)), _) => panic!("{stored:?} at once"),
                (Poll::Pending, false) => break operation.await.map(drop),
                (Poll::Pending, true) => match operation.cancel().await {
                    Fate::Cancelled => break Ok(()),
                    // On a busy machine all of it may have left before: then it is stored.
                    Fate::Completed(_) => mailbox.delete(UidSet::all()).await.expect("it is gone"),
                    fate => panic!("{fate:?}"),
                },
            };
            tries.next().expect("once it is given up in time");
        };
        peer.done_or_unsupported(row, &client, Capability::MultiAppend, result).await;
        // Nothing is stored, and the connection it was given up on is good.
        let append = other.append(Append::new(mailbox.name().clone(), message(9))).await;
        let stored = append.expect("it is stored").expect("the server says where");
        other.settle().await.expect("nothing is left");
        other.logout().await.expect("it says goodbye");
        client.noop().await.expect("it tells what is new");
        assert_eq!(mailbox.search(Query::all()).await.expect("it searches").to_string(), stored.uid.to_string());
        assert!(body_of(&mailbox, stored.uid).await == Some(message(9)));
        mailbox.delete(stored.uid).await.expect("it is gone");
    }
    peer.end(client).await;
}

pub(crate) async fn refused(peer: &Peer<'_>) {
    let client = peer.connect().await;
    let nowhere = peer.name(&client, &["nowhere"]).await;
    let result = client.append(Append::new(nowhere, message(0))).await;
    let Err(Error::Refused(refused)) = result else { panic!("{result:?}") };
    assert_eq!(refused.code, Some(Code::TryCreate));
    client.logout().await.expect("it says goodbye");
    peer.done("APPEND to what is not there");
}

pub(crate) async fn wrong_source(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin([]).await;
    for (literals, readable, announced) in [
        (LiteralPolicy::AsAdvertised, 3000, 5000),
        (LiteralPolicy::Synchronizing, 3000, 5000),
        (LiteralPolicy::AsAdvertised, 90_000, 50_000),
        (LiteralPolicy::Synchronizing, 90_000, 50_000),
    ] {
        let connector = peer.connector().config(|config| config.literals = literals);
        let other = connector.connect().await.expect("the server lets us in");
        let source = read_from(tokio::io::repeat(b'a').take(readable));
        let result = other.append_from(mailbox.name().clone(), announced, source, |append| append).await;
        assert!(
            matches!(result, Err(Error::Source { failure: SourceFailure::Length, .. })),
            "{readable} {announced}: {result:?}"
        );
    }
    client.noop().await.expect("it tells what is new");
    assert_eq!(mailbox.search(Query::all()).await.expect("it searches").len(), 0);
    peer.end(client).await;
    peer.done("APPEND from a wrong source");
}
