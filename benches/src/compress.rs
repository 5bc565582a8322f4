//! `imap-benches compress`: the envelopes of a large mailbox from a real server on loopback, compressed and not, in turn.
//!
//! What is counted is what crosses the socket between the login and the answer to LOGOUT, and the time and CPU that it takes.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Instant;
use std::{io, iter};

use imap_tests::mailbox::fill_maildir;
use imap_tests::servers::{Dovecot, Server};
use imap_tokio::types::{FetchItems, MailboxName, UidSet};
use imap_tokio::{Connector, Credentials};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Builder;

use crate::options::Sizes;
use crate::record::{OURS, Record};
use crate::usage;

const USER: &str = "alice";
const COMPRESSED: &str = "ours, COMPRESS=DEFLATE";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Plain,
    Compressed,
}

/// Fills a server and fetches as often as is said, either way in turn; nothing where Dovecot is not installed.
///
/// # Errors
///
/// What the file system says.
pub fn run(sizes: &Sizes) -> Result<Vec<Record>, String> {
    let Some(server) = Dovecot::start() else { return Ok(Vec::new()) };
    fill_maildir(&server.maildir(USER), sizes.messages as u64).map_err(|error| error.to_string())?;
    // The first one makes Dovecot read all messages; what it learnt it keeps.
    once(&server, sizes, Way::Plain);
    let mut found: [Vec<[f64; 4]>; 2] = Default::default();
    for round in 0..sizes.rounds {
        let mut ways = [Way::Plain, Way::Compressed];
        ways.rotate_left(round % 2);
        for way in ways {
            found[way as usize].push(once(&server, sizes, way));
        }
    }
    let work = format!("{} ENVELOPE", sizes.messages);
    let record = |name: &str, values: &[[f64; 4]]| {
        let median = |at: usize| {
            let mut values: Vec<f64> = values.iter().map(|values| values[at]).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let values =
            vec![("received_kb", median(0)), ("sent_kb", median(1)), ("wall_ms", median(2)), ("cpu_ms", median(3))];
        Record::new(work.clone(), name, values)
    };
    Ok(iter::zip([OURS, COMPRESSED], &found).map(|(name, values)| record(name, values)).collect())
}

/// Kilobytes received and sent, and milliseconds by the clock and of CPU.
fn once(server: &Dovecot, sizes: &Sizes, way: Way) -> [f64; 4] {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let stream = TcpStream::connect(("127.0.0.1", server.plain_port())).await.expect("it listens");
        stream.set_nodelay(true).expect("a socket has that");
        let counts = Arc::new(Counts::default());
        let counted = Counted { stream, counts: counts.clone() };
        let connector = Connector::new("localhost").plaintext();
        let connector = connector.credentials(Credentials::password(USER, Dovecot::PASSWORD));
        let (client, driver) = connector.open_over(counted).await.expect("it lets us in");
        let driver = tokio::spawn(driver);
        let (received, sent) = counts.get();
        let (began, cpu) = (Instant::now(), usage::cpu());
        if way == Way::Compressed {
            client.compress().await.expect("it is offered");
        }
        let inbox = client.examine(MailboxName::inbox()).await.expect("an INBOX");
        let mut messages = inbox.fetch(UidSet::all(), FetchItems::summary());
        let mut count = 0;
        while let Some(message) = messages.try_next().await.expect("it comes to its end") {
            assert!(message.get().envelope().is_some_and(|envelope| envelope.subject().is_some()));
            count += 1;
        }
        assert_eq!(count, sizes.messages);
        drop(messages);
        client.logout().await.expect("a good end");
        let _ = driver.await;
        let (wall, cpu) = (began.elapsed(), usage::cpu() - cpu);
        let all = counts.get();
        let kilobytes = |octets: u64| octets as f64 / 1e3;
        [kilobytes(all.0 - received), kilobytes(all.1 - sent), wall.as_secs_f64() * 1e3, cpu.as_secs_f64() * 1e3]
    })
}

/// Octets that crossed a stream.
#[derive(Debug, Default)]
struct Counts {
    received: AtomicU64,
    sent: AtomicU64,
}

impl Counts {
    fn get(&self) -> (u64, u64) {
        (self.received.load(Ordering::Relaxed), self.sent.load(Ordering::Relaxed))
    }
}

#[derive(Debug)]
struct Counted {
    stream: TcpStream,
    counts: Arc<Counts>,
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.counts.received.fetch_add((buffer.filled().len() - before) as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let n = ready!(Pin::new(&mut self.stream).poll_write(cx, octets))?;
        self.counts.sent.fetch_add(n as u64, Ordering::Relaxed);
        Poll::Ready(Ok(n))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
