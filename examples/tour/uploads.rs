use std::io::{IsTerminal, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::stream;
use imap_examples::Fallible;
use imap_testserver::TestServer;
use imap_tokio::command::Append;
use imap_tokio::types::Flag;
use imap_tokio::{Client, Source, read_from};
use tokio::sync::Notify;

use crate::heading;

/// Octets of the message that is shown on its way.
const LARGE: usize = 12 << 20;
/// Messages of the upload that is interrupted.
const MESSAGES: usize = 100;
/// Where they go.
const IMPORTED: &str = "Imported";

/// One large message from a reader, with a bar that grows.
pub(crate) async fn with_progress(client: &Client) -> Fallible<()> {
    heading("Uploading a large message");
    let mut message = b"Subject: holiday pictures\r\n\r\n".to_vec();
    message.resize(LARGE, b'x');
    let source = Progress { inner: read_from(std::io::Cursor::new(message)), sent: 0, shown: 0 };
    let append = |append: Append| append.flags([Flag::Seen]);
    let stored = client.append_from("Archive", LARGE as u64, Box::pin(source), append).await?;
    if std::io::stdout().is_terminal() {
        println!();
    }
    println!("stored {LARGE} octets{}", stored.map(|stored| format!(" as {}", stored.uid)).unwrap_or_default());
    Ok(())
}

/// A source that shows how much of it was taken.
struct Progress {
    inner: Source,
    sent: usize,
    shown: usize,
}

impl Stream for Progress {
    type Item = <Source as Stream>::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.inner.as_mut().poll_next(cx);
        if let Poll::Ready(Some(Ok(octets))) = &next {
            self.sent += octets.len();
            let percent = self.sent * 100 / LARGE;
            if percent / 5 > self.shown && std::io::stdout().is_terminal() {
                self.shown = percent / 5;
                print!("\r[{:<20}] {percent:>3} %", "#".repeat(self.shown));
                // A terminal that cannot be written to is nobody's loss.
                let _ = std::io::stdout().flush();
            }
        }
        next
    }
}

/// A hundred messages, given up half-way by dropping the future that uploads them.
pub(crate) async fn interrupted(client: &Client, server: &TestServer) -> Fallible<()> {
    heading(&format!("Uploading {MESSAGES} messages, and giving up half-way"));
    client.create(IMPORTED).await?;

    let half_way = Arc::new(Notify::new());
    let reached = half_way.clone();
    let mut upload = client.append_all(IMPORTED, stream::iter((1..=MESSAGES).map(message))).on_progress(move |now| {
        if now.stored == MESSAGES / 2 {
            reached.notify_one();
        }
    });
    let mut ledger = upload.ledger();
    tokio::select! {
        biased;
        () = half_way.notified() => println!("interrupted: the future is dropped"),
        _ = upload => println!("there was no time to interrupt it"),
    }

    // What was begun on the wire is finished in the background, and the ledger tells of it.
    let report = ledger.report().await;
    let (stored, doubt) = (report.stored().count(), report.in_doubt().count());
    let there = server.mailbox(IMPORTED).messages().len();
    println!("told of {stored} stored messages, {doubt} in doubt; the server has {there}");
    let imported = client.select(IMPORTED).await?;
    println!("the same connection goes on: {} has {} messages", imported.name(), imported.exists());
    Ok(())
}

fn message(number: usize) -> String {
    format!("Subject: message {number}\r\n\r\n{}\r\n", "It is long enough.\r\n".repeat(5_000))
}
