//! Storing messages, to the end and not to it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use futures_util::stream;
use imap_proto_core::Error;
use imap_proto_core::client::{AppendProgress, AppendReport, Mailbox, Upload};
use imap_proto_core::command::Append;
use imap_proto_core::types::{Flag, Query, Section};
use imap_tests::mailbox::{big_message, message};
use imap_tests::words::found;

use crate::harness::Harness;
use crate::site::Site;

pub(crate) async fn one<H: Harness>(site: Site<H>) {
    let (client, mailbox) = site.begin([]).await;
    for octets in [message(7), big_message(400_000)] {
        let held = client.append(Append::new(site.mailbox(), octets.clone()).flags([Flag::Seen])).await;
        let source = site.harness.source(octets.clone());
        let read = client.append_from(site.mailbox(), octets.len() as u64, source, |append| append).await;
        for stored in [held, read] {
            let stored = stored.expect("it is stored").expect("the server says where");
            client.noop().await.expect("it tells what is new");
            let there = mailbox.body(stored.uid, Section::whole()).collect(1 << 20).await.expect("it is read");
            assert!(there.as_ref() == Some(&octets), "another message was stored");
        }
    }
    assert_eq!(found(&mailbox, Query::seen()).await, "1,3");
    let short = site.harness.source(message(1));
    let failed = client.append_from(site.mailbox(), 1 << 20, short, |append| append).await;
    assert!(matches!(failed, Err(Error::Source { .. })), "{failed:?}");
    // A message that is cut short closes its connection, and is not stored.
    let client = site.connect().await;
    let mailbox = client.examine(site.mailbox()).await.expect("it is there");
    assert_eq!(mailbox.exists(), 4);
    site.end(client).await;
}

/// Messages of an upload that is stopped half-way.
const MANY: usize = 60;

/// Every third comes from a reader.
fn upload<H: Harness>(harness: H, index: usize) -> Upload {
    let octets = message(index as u64);
    match index % 3 {
        0 => Upload::from_source(octets.len() as u64, harness.source(octets)),
        _ => octets.into(),
    }
}

pub(crate) async fn many<H: Harness>(site: Site<H>) {
    let (client, mailbox) = site.begin([]).await;
    let harness = site.harness;
    let messages = || stream::iter((0..MANY).map(move |index| upload(harness, index)));
    let mut before = 0;
    for how in ["to the end", "stopped by its owner", "stopped by a thread", "dropped"] {
        let other = site.connect().await;
        let stored = Arc::new(AtomicUsize::new(0));
        let told = stored.clone();
        let call = other.append_all(site.mailbox(), messages()).ahead(5_000);
        let mut call = call.on_progress(move |now: AppendProgress| told.store(now.stored, Ordering::Release));
        let mut ledger = call.ledger();
        let enough = if how == "to the end" { MANY + 1 } else { MANY / 4 };
        let over = std::future::poll_fn(|cx| match Pin::new(&mut call).poll(cx) {
            Poll::Ready(report) => Poll::Ready(Some(report)),
            Poll::Pending if stored.load(Ordering::Acquire) >= enough => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        let over = over.await;
        let report = match (over, how) {
            (Some(report), _) => report,
            (None, "stopped by its owner") => call.stop().await,
            (None, "stopped by a thread") => {
                let stopper = call.stopper();
                std::thread::spawn(move || stopper.stop()).join().expect("it does not panic");
                call.await
            }
            (None, _) => {
                drop(call);
                ledger.report().await
            }
        };
        let count = report.stored().count();
        assert_eq!(how == "to the end", report.is_complete() && count == MANY, "{how}: {report:?}");
        assert!(count >= MANY / 4, "{how}: {count} stored");
        client.noop().await.expect("it tells what is new");
        before = check(&mailbox, &report, before).await;
        // Dropped inside a message whose reader is gone, the connection had to be closed.
        assert!(how == "dropped" || other.noop().await.is_ok(), "{how}");
    }
    site.end(client).await;
}

/// The mailbox has what the report says is stored, and what it had before. Returns how many those are.
async fn check(mailbox: &Mailbox, report: &AppendReport, before: usize) -> usize {
    let there = mailbox.search(Query::all()).await.expect("it searches").len() as usize;
    let least = before + report.stored().count();
    assert!((least..=least + report.in_doubt().count()).contains(&there), "{there} of {least}: {report:?}");
    for (index, stored) in report.stored() {
        let uid = stored.expect("the server says where").uid;
        let octets = mailbox.body(uid, Section::whole()).collect(1 << 20).await.expect("it is read");
        assert!(octets == Some(message(index as u64)), "{index} is not {uid}");
    }
    there
}
