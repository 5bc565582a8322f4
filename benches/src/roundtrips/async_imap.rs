use async_imap::Client;
use futures_util::TryStreamExt;
use tokio::io::DuplexStream;
use tokio::time::Instant;

use super::{Work, folder, small};
use crate::options::Sizes;

pub(super) async fn run(stream: DuplexStream, work: Work, sizes: Sizes) -> Instant {
    let mut began = Instant::now();
    let mut client = Client::new(stream);
    client.read_response().await.expect("no error").expect("a greeting");
    let mut session = client.login("alice", "secret").await.map_err(|(error, _)| error).expect("it lets us in");
    if work != Work::FirstSummary {
        began = Instant::now();
    }
    match work {
        Work::FirstSummary => {
            session.select("INBOX").await.expect("an INBOX");
            let items = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)";
            let mut messages = session.uid_fetch("1:*", items).await.expect("it is sent");
            let first = messages.try_next().await.expect("it is fetched").expect("there is one");
            assert!(first.envelope().is_some());
        }
        Work::Status => {
            for n in 0..sizes.commands {
                let status =
                    session.status(folder(n), "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN)").await.expect("it is there");
                assert_eq!(status.exists, 0);
            }
        }
        Work::Append => {
            for _ in 0..sizes.commands {
                session.append("INBOX", None, None, small()).await.expect("it is stored");
            }
        }
        Work::Synchronise => {
            let names: Vec<_> =
                session.list(None, Some("*")).await.expect("it is sent").try_collect().await.expect("a listing");
            assert_eq!(names.len(), sizes.mailboxes);
            let mut found = 0;
            for name in names {
                session.select(name.name()).await.expect("it is there");
                let messages = session.fetch("1:*", "(UID FLAGS)").await.expect("it is sent");
                let messages: Vec<_> = messages.try_collect().await.expect("all are told");
                found += messages.len();
            }
            assert_eq!(found, sizes.mailboxes * sizes.messages);
        }
    }
    began
}
