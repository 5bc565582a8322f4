use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use imap_tokio::types::MailboxName;
use imap_tokio::wire::grammar::Unsolicited;
use imap_tokio::{Client, Connector, Notice};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;

/// Many connections in IDLE, each with a task that listens.
#[derive(Default)]
pub(super) struct Crowd {
    counted: Arc<Counted>,
    connections: usize,
}

#[derive(Default)]
struct Counted {
    idle: AtomicUsize,
    told: AtomicUsize,
    changed: Notify,
}

impl Counted {
    fn add(&self, count: &AtomicUsize) {
        count.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
    }

    async fn wait(&self, count: &AtomicUsize, most: usize) {
        while count.load(Ordering::Relaxed) < most {
            self.changed.notified().await;
        }
    }
}

impl Crowd {
    /// Takes one in: selects INBOX and goes into IDLE.
    pub(super) async fn join(&mut self, client: Client) {
        let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
        self.connections += 1;
        let counted = self.counted.clone();
        let mut watch = inbox.watch();
        tokio::spawn(async move {
            while let Ok(Some(notice)) = watch.try_next().await {
                match notice {
                    Notice::Idling => counted.add(&counted.idle),
                    notice if matches!(notice.unsolicited(), Some(Unsolicited::Exists(_))) => {
                        counted.add(&counted.told);
                    }
                    _ => {}
                }
            }
        });
    }

    pub(super) async fn all_idle(&self) {
        self.counted.wait(&self.counted.idle, self.connections).await;
    }

    /// Waits until each was told of so many changes.
    pub(super) async fn all_told(&self, changes: usize) {
        self.counted.wait(&self.counted.told, self.connections * changes).await;
    }
}

/// A client over a stream whose server greets with PREAUTH.
pub(super) async fn over(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Client {
    let (client, driver) = Connector::new("localhost").plaintext().open_over(stream).await.expect("it lets us in");
    tokio::spawn(driver);
    client
}

/// Does the same by hand, and holds nothing but the stream.
pub(super) async fn raw<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> S {
    wait_for(&mut stream, "* PREAUTH").await;
    stream.write_all(b"A0 SELECT INBOX\r\n").await.expect("it listens");
    wait_for(&mut stream, "A0 OK").await;
    stream.write_all(b"A1 IDLE\r\n").await.expect("it listens");
    wait_for(&mut stream, "+ ").await;
    stream
}

async fn wait_for(stream: &mut (impl AsyncRead + Unpin), line: &str) {
    let mut buffer = [0; 4096];
    let mut heard = String::new();
    while !heard.lines().any(|heard| heard.starts_with(line)) {
        let n = stream.read(&mut buffer).await.expect("it answers");
        assert!(n > 0, "it is there");
        heard.push_str(&String::from_utf8_lossy(&buffer[..n]));
    }
}
