//! Many who wait for one connection, and nobody who does.

use std::time::Duration;

use imap_proto_core::connect::ReconnectEvent;
use imap_proto_core::{Closed, Error};
use imap_testserver::TestServer;
use tokio::task::JoinSet;

use crate::host::Does::{Hangs, Refuses, Serves};
use crate::host::{Host, settle};
use crate::{Session, begun, regular, told};

fn callers(session: &Session, count: usize) -> JoinSet<Result<(), Error>> {
    let mut callers = JoinSet::new();
    for _ in 0..count {
        let session = session.clone();
        callers.spawn(async move { session.client().await?.noop().await });
    }
    callers
}

#[tokio::test(start_paused = true)]
async fn fifty_callers_share_one_login() {
    let host = Host::new(&TestServer::start());
    host.will([Refuses, Refuses], Serves);
    let session = host.connector().reconnecting(regular());
    for round in 1..=2 {
        let ended = callers(&session, 50).join_all().await;
        assert!(ended.iter().all(Result::is_ok), "{ended:?}");
        assert_eq!((host.heard(" AUTHENTICATE "), host.heard(" NOOP")), (round, 50 * round));
        tokio::time::sleep(Duration::from_secs(100)).await;
        host.cut().await;
    }
    assert_eq!(host.dialled().len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_callers_on_several_threads_share_one_login_after_each_loss() {
    let host = Host::new(&TestServer::start());
    let session = host.connector().reconnecting(regular().longest_pause(Duration::from_millis(1)).attempts(u32::MAX));
    for round in 1..=20 {
        let ended = callers(&session, 50).join_all().await;
        assert!(ended.iter().all(Result::is_ok), "{ended:?}");
        assert_eq!((host.heard(" AUTHENTICATE "), host.dialled().len()), (round, round));
        let mut events = session.events();
        host.cut().await;
        while !matches!(events.next().await, Some(ReconnectEvent::Lost { .. })) {}
    }
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_are_told_why_it_was_given_up() {
    let host = Host::new(&TestServer::start());
    host.will([], Refuses);
    let session = host.connector().reconnecting(regular().attempts(2));
    let ended = callers(&session, 50).join_all().await;
    assert!(ended.iter().all(|ended| matches!(ended, Err(Error::Transport(_)))), "{ended:?}");
    assert_eq!(host.dialled(), [0, 1000]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_is_dropped_keeps_nobody_waiting() {
    let host = Host::new(&TestServer::start());
    host.will([Refuses], Serves);
    let session = host.connector().reconnecting(regular());
    let mut first = Box::pin(session.client());
    assert!(begun(&mut first).await.is_pending());
    let mut second = Box::pin(session.client());
    assert!(begun(&mut second).await.is_pending());
    drop(first);
    second.await.expect("it comes");
    assert_eq!(host.dialled(), [0, 1000]);

    // Where all are dropped it goes on for whoever comes.
    host.cut().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut only = Box::pin(session.client());
    assert!(begun(&mut only).await.is_pending());
    drop(only);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(host.heard(" AUTHENTICATE "), 2);
    session.client().await.expect("it is there").noop().await.expect("it is good");
    assert_eq!(host.heard(" AUTHENTICATE "), 2);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_when_all_handles_are_dropped() {
    // While an attempt is under way.
    let host = Host::new(&TestServer::start());
    host.will([], Hangs);
    let session = host.connector().reconnecting(regular());
    let mut events = session.events();
    let other = session.clone();
    let mut asking = Box::pin(session.client());
    assert!(begun(&mut asking).await.is_pending());
    settle().await;
    assert_eq!(host.left(), (1, 1));
    drop(asking);
    drop(session);
    settle().await;
    assert_eq!(host.left(), (1, 1), "there is another handle");
    drop(other);
    settle().await;
    assert_eq!(host.left(), (0, 0));
    assert_eq!(told(&mut events).await, ["end"]);

    // In a pause.
    let host = Host::new(&TestServer::start());
    host.will([], Refuses);
    let session = host.connector().reconnecting(regular());
    assert!(begun(&mut Box::pin(session.client())).await.is_pending());
    settle().await;
    assert_eq!((host.left(), host.dialled().len()), ((0, 1), 1));
    drop(session);
    settle().await;
    assert_eq!(host.left(), (0, 0));

    // With a connection, and a mailbox on it, which is a handle.
    let host = Host::new(&TestServer::start());
    let session = host.connector().reconnecting(regular());
    let inbox = session.select("INBOX").await.expect("an INBOX");
    drop(session);
    inbox.get().await.expect("it is there");
    drop(inbox);
    settle().await;
    assert_eq!(host.left(), (0, 0));

    // A client that is held is good for as long as it is.
    let host = Host::new(&TestServer::start());
    let client = host.connector().reconnecting(regular()).client().await.expect("it is there");
    settle().await;
    client.noop().await.expect("it is good");
    assert_eq!(host.left(), (0, 1));
    drop(client);
    settle().await;
    assert_eq!(host.left(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_logout_is_the_end_for_all_handles() {
    for is_up in [true, false] {
        let host = Host::new(&TestServer::start());
        let session = host.connector().reconnecting(regular());
        let (mut events, other) = (session.events(), session.clone());
        if is_up {
            session.client().await.expect("it is there");
        } else {
            host.will([], Hangs);
        }
        let waiting = tokio::spawn({
            let other = other.clone();
            async move { other.run(|client| async move { client.noop().await.and(std::future::pending().await) }).await }
        });
        settle().await;
        session.logout().await.expect("it says goodbye");
        let closed = other.client().await.expect_err("it is over");
        assert!(matches!(closed, Error::Closed(Closed::LoggedOut)), "{closed:?}");
        assert_eq!(told(&mut events).await.last().map(String::as_str), Some("end"));
        assert_eq!(told(&mut other.events()).await, ["end"]);
        if is_up {
            waiting.abort();
        } else {
            let closed: Result<(), Error> = waiting.await.expect("it does not panic");
            assert!(matches!(closed, Err(Error::Closed(Closed::LoggedOut))), "{closed:?}");
        }
        settle().await;
        assert_eq!((host.left(), host.heard(" LOGOUT")), ((0, 0), usize::from(is_up)));
    }
}
