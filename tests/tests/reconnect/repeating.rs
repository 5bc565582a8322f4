//! What is done again, and what never is.

use std::sync::atomic::{AtomicUsize, Ordering};

use imap_proto_core::command::{Append, Store};
use imap_proto_core::types::{Capability, FetchItems, Flag, Query, UidSet};
use imap_proto_core::{Closed, Error};
use imap_testserver::{Fault, Point, Script, TestServer};

use crate::host::Host;
use crate::regular;

const MESSAGE: &[u8] = b"Subject: one\r\n\r\n1\r\n";

fn once_at(point: Point) -> Script {
    Script::new().with(Fault::Close(point))
}

fn after(command: &str) -> Script {
    once_at(Point::After(command.to_owned()))
}

#[tokio::test(start_paused = true)]
async fn what_only_asks_is_asked_again() {
    let server = TestServer::start();
    server.mailbox("INBOX").deliver(MESSAGE);
    let host = Host::new(&server);
    let session = host.connector().reconnecting(regular());
    let inbox = session.select("INBOX").await.expect("an INBOX");
    server.misbehave(once_at(Point::Before("UID SEARCH".to_owned())));
    let found = inbox.once(|mailbox| mailbox.search(Query::all())).await.expect("it is asked again");
    assert_eq!((found.len(), host.heard(" SEARCH "), host.heard(" SELECT ")), (1, 2, 2));
    server.misbehave(after("NOOP"));
    session.once(|client| client.noop()).await.expect("it is asked again");
    assert_eq!(host.heard(" NOOP"), 2);
}

#[tokio::test(start_paused = true)]
async fn what_changes_something_and_was_sent_is_in_doubt_and_not_repeated() {
    let server = TestServer::start();
    server.mailbox("INBOX").deliver(MESSAGE);
    let host = Host::new(&server);
    let session = host.connector().reconnecting(regular());
    let inbox = session.select("INBOX").await.expect("an INBOX");
    // Done or not, the client sees the same.
    for script in [after("APPEND"), once_at(Point::Before("APPEND".to_owned()))] {
        server.misbehave(script);
        let stored = session.once(|client| client.append(Append::new("Sent", MESSAGE))).await;
        let Err(Error::InDoubt(cause)) = stored else { panic!("{stored:?}") };
        assert!(matches!(*cause, Error::Closed(Closed::EndOfStream)), "{cause:?}");
        assert_eq!(server.faults_left(), 0);
    }
    assert_eq!(host.heard(" APPEND "), 2);
    for (command, heard) in [("UID STORE", " STORE "), ("UID COPY", " COPY ")] {
        server.misbehave(after(command));
        let ended = match command {
            "UID STORE" => {
                let seen = || Store::add([Flag::Seen]);
                inbox.once(|mailbox| mailbox.store(UidSet::all(), seen())).await.map(drop)
            }
            _ => inbox.once(|mailbox| mailbox.copy(UidSet::all(), "INBOX")).await.map(drop),
        };
        assert!(matches!(ended, Err(Error::InDoubt(_))), "{command}: {ended:?}");
        assert_eq!(host.heard(heard), 1);
    }
    inbox.once(|mailbox| mailbox.search(Query::all())).await.expect("the next connection is good");
}

#[tokio::test(start_paused = true)]
async fn what_was_not_sent_whole_is_done_on_the_next_connection() {
    let server = TestServer::builder().without(Capability::LiteralPlus).mailbox("Sent").start();
    let host = Host::new(&server);
    let session = host.connector().reconnecting(regular());
    session.client().await.expect("it is there");
    // It ends where the octets of the message are asked for.
    server.misbehave(once_at(Point::Continuation));
    let append = || Append::new("Sent", MESSAGE);
    session.once(|client| client.append(append())).await.expect("it is stored");
    assert_eq!((host.heard(" APPEND "), server.mailbox("Sent").messages().len()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn what_the_caller_calls_safe_is_done_again_from_the_beginning() {
    let server = TestServer::start();
    for _ in 0..3 {
        server.mailbox("INBOX").deliver(MESSAGE);
    }
    let host = Host::new(&server);
    let session = host.connector().reconnecting(regular());
    let inbox = session.select("INBOX").await.expect("an INBOX");
    let begun = AtomicUsize::new(0);
    server.misbehave(once_at(Point::Before("UID FETCH".to_owned())));
    let count = inbox
        .run(|mailbox| {
            begun.fetch_add(1, Ordering::Relaxed);
            async move {
                let (mut messages, mut count) = (mailbox.fetch(UidSet::all(), FetchItems::summary()), 0);
                while messages.try_next().await?.is_some() {
                    count += 1;
                }
                Ok(count)
            }
        })
        .await
        .expect("it is fetched");
    assert_eq!((count, begun.into_inner()), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_done_again_without_end_nor_for_an_error_of_something_else() {
    let server = TestServer::start();
    let host = Host::new(&server);
    let session = host.connector().reconnecting(regular().attempts(3));
    let mut begun = 0;
    // The words of a lost connection, and none was lost.
    let other: Result<(), Error> = session
        .run(|_| {
            begun += 1;
            async { Err(Error::Closed(Closed::EndOfStream)) }
        })
        .await;
    assert!(other.is_err() && begun == 1);
    // A refusal, and the connection with it.
    server.misbehave(Script::new().with(Fault::no("NOOP", "not now")));
    let refused: Result<(), Error> = session
        .run(|client| async move {
            let refused = client.noop().await;
            client.close();
            refused
        })
        .await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");

    // One that lasts each time before it is lost: three times it is done, and no more.
    let mut begun = 0;
    let lost: Result<(), Error> = session
        .run(|client| {
            begun += 1;
            let host = host.clone();
            async move {
                tokio::time::sleep(std::time::Duration::from_secs(100)).await;
                host.cut().await;
                client.noop().await
            }
        })
        .await;
    assert!(matches!(lost, Err(Error::Closed(Closed::EndOfStream))), "{lost:?}");
    assert_eq!(begun, 3);
}
