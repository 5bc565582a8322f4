//! `imap-benches roundtrips`: how many round trips everyday work takes, on a link where each is 50 ms.
//!
//! The link is in memory and the clock of tokio is paused, so that the numbers are the same on every machine. A
//! server answers at once, and as much fits on the way as is written: what is counted is waiting for answers.

mod async_imap;
mod ours;
mod typed;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use imap_tests::mailbox::message;
use imap_testserver::TestServer;
use tokio::io::DuplexStream;
use tokio::runtime::Builder;
use tokio::time::Instant;

use ours::Manner;

use crate::options::Sizes;
use crate::record::{OURS, Record};
use crate::slow_link::{ROUND_TRIP, slow};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Greeting, login, INBOX selected, the first of the summaries of all its messages.
    FirstSummary,
    /// STATUS of each of many mailboxes.
    Status,
    /// Many small messages stored.
    Append,
    /// All mailboxes listed; UIDs and flags of all messages of each fetched.
    Synchronise,
}

impl Work {
    const ALL: [Self; 4] = [Self::FirstSummary, Self::Status, Self::Append, Self::Synchronise];

    fn name(self, sizes: &Sizes) -> String {
        match self {
            Self::FirstSummary => "login to first summary".to_owned(),
            Self::Status => format!("{} STATUS", sizes.commands),
            Self::Append => format!("{} APPEND", sizes.commands),
            Self::Synchronise => format!("{} mailboxes synchronised", sizes.mailboxes),
        }
    }
}

/// The message that is stored so often: 1,000 octets.
fn small() -> Vec<u8> {
    let mut message = b"From: a@example.org\r\nSubject: small\r\n\r\n".to_vec();
    message.resize(998, b'x');
    message.extend_from_slice(b"\r\n");
    message
}

/// Does the work over the stream; the answer is when it began, which is once it is logged in where that is no part of it.
type Contender = fn(DuplexStream, Work, Sizes) -> Pin<Box<dyn Future<Output = Instant>>>;

const CONTENDERS: [(&str, Contender); 7] = [
    (OURS, |stream, work, sizes| Box::pin(ours::run(stream, work, sizes, Manner::ByUid))),
    (BY_NUMBER, |stream, work, sizes| Box::pin(ours::run(stream, work, sizes, Manner::ByNumber))),
    (AHEAD, |stream, work, sizes| Box::pin(ours::run(stream, work, sizes, Manner::Ahead))),
    ("async-imap", |stream, work, sizes| Box::pin(async_imap::run(stream, work, sizes))),
    ("imap-next", |stream, work, sizes| Box::pin(typed::imap_next(stream, work, sizes, 1))),
    ("imap-next, all enqueued", |stream, work, sizes| Box::pin(typed::imap_next(stream, work, sizes, usize::MAX))),
    ("io-imap", |stream, work, sizes| Box::pin(typed::io_imap(stream, work, sizes))),
];

const BY_NUMBER: &str = "ours, by number";
const AHEAD: &str = "ours, by number, next mailbox ahead";

/// Lets everyone do everything.
pub fn run(sizes: &Sizes) -> Vec<Record> {
    let mut records = Vec::new();
    for work in Work::ALL {
        for (name, contender) in CONTENDERS {
            let applies = match name {
                BY_NUMBER => matches!(work, Work::FirstSummary | Work::Synchronise),
                AHEAD => work == Work::Synchronise,
                _ => true,
            };
            if sizes.wants(name) && applies {
                let trips = elapsed(work, contender, sizes).as_secs_f64() / ROUND_TRIP.as_secs_f64();
                records.push(Record::new(work.name(sizes), name, vec![("round_trips", trips)]));
            }
        }
    }
    records
}

fn elapsed(work: Work, contender: Contender, sizes: &Sizes) -> Duration {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let server = server(work, sizes);
        let began = contender(slow(server.connect()), work, sizes.clone()).await;
        began.elapsed()
    })
}

fn server(work: Work, sizes: &Sizes) -> TestServer {
    let server = TestServer::start();
    let folders = match work {
        Work::FirstSummary | Work::Append => 0,
        Work::Status => sizes.commands,
        Work::Synchronise => sizes.mailboxes - 1,
    };
    let filled = (0..folders).map(|n| server.mailbox(&folder(n))).collect::<Vec<_>>();
    let filled = if work == Work::Status { &[] } else { &filled[..] };
    for mailbox in [server.mailbox("INBOX")].iter().chain(filled) {
        (0..sizes.messages as u64).for_each(|n| {
            mailbox.deliver(message(n));
        });
    }
    server
}

fn folder(n: usize) -> String {
    format!("Folder {n}")
}
