use futures_util::future::{join, join_all};
use futures_util::stream;
use imap_tokio::command::List;
use imap_tokio::types::{FetchItems, MailboxName, SeqSet, StatusItems, UidSet};
use imap_tokio::{Client, Connector, Credentials, FetchStream, Mailbox};
use tokio::io::DuplexStream;
use tokio::time::Instant;

use super::{Work, folder, small};
use crate::options::Sizes;

/// How messages are named, and how mailboxes are gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// By UIDs without an end, which are searched for first.
    ByUid,
    /// By sequence numbers without an end.
    ByNumber,
    /// So, and the next mailbox is asked for while one is fetched.
    Ahead,
}

pub(super) async fn run(stream: DuplexStream, work: Work, sizes: Sizes, manner: Manner) -> Instant {
    let mut began = Instant::now();
    let connector = Connector::new("localhost").plaintext().credentials(Credentials::password("alice", "secret"));
    let (client, driver) = connector.open_over(stream).await.expect("it lets us in");
    tokio::spawn(driver);
    if work != Work::FirstSummary {
        began = Instant::now();
    }
    match work {
        Work::FirstSummary => first_summary(&client, manner).await,
        Work::Status => {
            let asked = (0..sizes.commands).map(|n| client.status(folder(n), StatusItems::counts()));
            for status in join_all(asked).await {
                assert_eq!(status.expect("it is there").messages, Some(0));
            }
        }
        Work::Append => {
            let report = client.append_all("INBOX", stream::iter((0..sizes.commands).map(|_| small()))).await;
            assert!(report.is_complete() && report.stored().count() == sizes.commands);
        }
        Work::Synchronise => synchronise(&client, &sizes, manner).await,
    }
    began
}

async fn first_summary(client: &Client, manner: Manner) {
    let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
    let mut messages = all(&inbox, FetchItems::summary(), manner);
    let first = messages.try_next().await.expect("it is fetched").expect("there is one");
    assert!(first.get().envelope().is_some());
    // What is left is read over in the background, without waiting.
}

async fn synchronise(client: &Client, sizes: &Sizes, manner: Manner) {
    let names = client.list(List::all()).await.expect("a listing").into_iter();
    let names: Vec<_> = names.map(|entry| entry.name().clone()).collect();
    assert_eq!(names.len(), sizes.mailboxes);
    let mut found = 0;
    let mut opened: Option<Mailbox> = None;
    for (at, name) in names.iter().enumerate() {
        let mailbox = match opened.take() {
            Some(mailbox) => mailbox,
            None => client.select(name).await.expect("it is there"),
        };
        let fetched = all(&mailbox, FetchItems::ids().flags(), manner).collect();
        let fetched = match (manner, names.get(at + 1)) {
            (Manner::Ahead, Some(next)) => {
                let (fetched, next) = join(fetched, client.select(next)).await;
                opened = Some(next.expect("it is there"));
                fetched
            }
            _ => fetched.await,
        };
        found += fetched.expect("all are told").len();
    }
    assert_eq!(found, sizes.mailboxes * sizes.messages);
}

fn all(mailbox: &Mailbox, items: FetchItems, manner: Manner) -> FetchStream {
    match manner {
        Manner::ByUid => mailbox.fetch(UidSet::all(), items),
        Manner::ByNumber | Manner::Ahead => mailbox.fetch(SeqSet::all(), items),
    }
}
