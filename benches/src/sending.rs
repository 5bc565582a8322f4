//! `imap-benches sending`: what goes out. Sets of UIDs, many small commands, one large message.
//!
//! The server is [`Agreeing`], so that all time and all memory but a line of its own are the client's.

use std::time::Instant;

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream;
use imap_tests::agreeing::{Agreeing, Counts};
use imap_tokio::command::Store;
use imap_tokio::types::{Flag, Uid, UidSet};
use imap_tokio::{Client, Connector, Mailbox, Source};
use tokio::runtime::Builder;

use crate::corpus::Rng;
use crate::count::Allocator;
use crate::options::Sizes;
use crate::record::{OURS, Record};

/// UIDs in one set.
const UIDS: u32 = 10_000;
/// Octets that a source gives at a time.
const PIECE: &[u8] = &[b'x'; 32 << 10];

/// Sends all of it.
pub fn run(sizes: &Sizes, heap: &dyn Allocator) -> Vec<Record> {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let mut records = Vec::new();
        for (name, uids) in sets() {
            records.push(store_set(name, &uids, heap).await);
        }
        records.push(store_each(sizes.messages, heap).await);
        records.push(append(sizes.megabytes as u64, heap).await);
        records
    })
}

/// Ten thousand UIDs each: in a row, with a gap behind each, and as they are left when half of a mailbox was deleted.
fn sets() -> [(&'static str, Vec<u32>); 3] {
    let mut chance = Rng::new(7);
    let scattered = (1..).filter(|_| chance.chance(500)).take(UIDS as usize);
    [
        ("10,000 UIDs in a row", (1..=UIDS).collect()),
        ("10,000 UIDs, every other", (1..=UIDS).map(|n| n * 2).collect()),
        ("10,000 UIDs, half of all", scattered.collect()),
    ]
}

async fn store_set(name: &str, uids: &[u32], heap: &dyn Allocator) -> Record {
    let (mailbox, counts) = selected(UIDS as usize).await;
    let written_out: usize = uids.iter().map(|uid| uid.to_string().len() + 1).sum();
    let measured = Measured::begin(&counts, heap);
    let set: UidSet = uids.iter().filter_map(|uid| Uid::new(*uid)).collect();
    mailbox.store(set, Store::add(Flag::Seen).silent()).await.expect("it agrees");
    let mut record = measured.end(name);
    record.values.push(("octets_uncompressed", written_out as f64));
    record
}

/// One STORE for each message, all asked for at once.
async fn store_each(messages: usize, heap: &dyn Allocator) -> Record {
    let (mailbox, counts) = selected(messages).await;
    let measured = Measured::begin(&counts, heap);
    let uids = (1..=messages as u32).filter_map(Uid::new);
    let answers = join_all(uids.map(|uid| mailbox.store(UidSet::from(uid), Store::add(Flag::Seen)))).await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.messages.len() == 1)));
    measured.end(&format!("{messages} STORE, one each"))
}

/// One message from a source that makes its octets as they are wanted.
async fn append(megabytes: u64, heap: &dyn Allocator) -> Record {
    let (client, counts) = connected(0).await;
    let measured = Measured::begin(&counts, heap);
    let len = megabytes << 20;
    let source: Source = Box::pin(stream::repeat_with(|| Ok(Bytes::from_static(PIECE))));
    client.append_from("INBOX", len, source, |append| append).await.expect("it agrees");
    measured.end(&format!("one APPEND of {megabytes} MiB, streamed"))
}

async fn connected(messages: usize) -> (Client, Counts) {
    let stream = Agreeing::new(messages);
    let counts = stream.counts();
    let (client, driver) = Connector::new("localhost").plaintext().open_over(stream).await.expect("it agrees");
    tokio::spawn(driver);
    (client, counts)
}

async fn selected(messages: usize) -> (Mailbox, Counts) {
    let (client, counts) = connected(messages).await;
    (client.select("INBOX").await.expect("it agrees"), counts)
}

struct Measured<'a> {
    began: Instant,
    counts: &'a Counts,
    octets: u64,
    heap: &'a dyn Allocator,
    most: usize,
    /// The highest mark only rises: what is reserved here and never touched lifts what is live up to it.
    _ballast: Vec<u8>,
}

impl<'a> Measured<'a> {
    fn begin(counts: &'a Counts, heap: &'a dyn Allocator) -> Self {
        let _ballast = Vec::with_capacity(heap.most() - heap.live());
        Self { began: Instant::now(), counts, octets: counts.octets(), heap, most: heap.most(), _ballast }
    }

    fn end(self, work: &str) -> Record {
        let seconds = self.began.elapsed().as_secs_f64();
        let octets = (self.counts.octets() - self.octets) as f64;
        let peak = (self.heap.most() - self.most) as f64 / 1024.0;
        Record::new(work, OURS, vec![("seconds", seconds), ("octets", octets), ("peak_heap_kib", peak)])
    }
}
