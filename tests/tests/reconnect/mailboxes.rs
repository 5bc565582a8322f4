//! What becomes of the selected mailbox.

use std::time::Duration;

use imap_proto_core::Error;
use imap_proto_core::connect::ReconnectingMailbox;
use imap_proto_core::types::{Query, UidSet};
use imap_testserver::{Fault, Script, TestServer};
use tokio::task::JoinSet;

use crate::host::Does::Refuses;
use crate::host::Host;
use crate::{Session, regular, told};

async fn begin(server: &TestServer) -> (Host, Session, ReconnectingMailbox<Host>) {
    let host = Host::new(server);
    let session = host.connector().reconnecting(regular());
    let work = session.select("Work").await.expect("it is there");
    (host, session, work)
}

/// Someone else does something about mailboxes.
async fn elsewhere(server: &TestServer, remove: bool, create: bool) {
    let host = Host::new(server);
    let client = host.connector().connect().await.expect("it is there");
    if remove {
        client.delete("Work").await.expect("it is deleted");
    }
    if create {
        client.create("Work").await.expect("it is made");
    }
}

fn server() -> TestServer {
    let server = TestServer::builder().mailbox("Work").mailbox("Other").start();
    server.mailbox("Work").deliver("Subject: one\r\n\r\n1\r\n");
    server
}

async fn lose(host: &Host, session: &Session) {
    let client = session.client().await.expect("it is there");
    tokio::time::sleep(Duration::from_secs(100)).await;
    host.cut().await;
    client.noop().await.expect_err("it is gone");
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_is_the_same_is_selected_again() {
    let server = server();
    let (host, session, work) = begin(&server).await;
    let mut events = session.events();
    let before = work.get().await.expect("it is selected");
    lose(&host, &session).await;
    let lost = before.search(Query::all()).await.expect_err("it went with its connection");
    assert!(lost.is_fatal(), "{lost:?}");

    let after = work.get().await.expect("it is selected again");
    assert_eq!(after.search(Query::all()).await.expect("it answers").len(), 1);
    assert_eq!(told(&mut events).await[1..], ["again, same Work"]);
    assert_eq!(host.heard(" SELECT "), 2);
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_whose_uids_are_not_what_they_were_refuses() {
    let server = server();
    let (host, session, work) = begin(&server).await;
    let was = work.uid_validity();
    let mut events = session.events();
    elsewhere(&server, true, true).await;
    server.mailbox("Work").deliver("Subject: other\r\n\r\n2\r\n");
    lose(&host, &session).await;
    for _ in 0..2 {
        let error = work.once(|mailbox| mailbox.expunge_uids(UidSet::all())).await.expect_err("it is another one");
        let Error::UidValidity(change) = error else { panic!("{error:?}") };
        let is = server.mailbox("Work").uid_validity();
        assert!(was != is, "the test server gives another");
        assert_eq!((change.mailbox.as_str(), change.was, change.is), ("Work", was, is));
    }
    assert_eq!(told(&mut events).await[1..], ["again, new Work"]);
    assert_eq!((host.heard(" SELECT "), host.heard("EXPUNGE")), (2, 0));
    // Whoever knows of it takes the new one.
    let work = session.select("Work").await.expect("it is there");
    assert_eq!(work.once(|mailbox| mailbox.search(Query::all())).await.expect("it answers").len(), 1);
    assert_eq!(host.heard(" SELECT "), 2);
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_whose_uids_are_said_to_be_others_while_it_is_selected_is_selected_anew() {
    let server = server();
    let (host, session, work) = begin(&server).await;
    server.misbehave(Script::new().with(Fault::Insert(b"* OK [UIDVALIDITY 4711] surprise".to_vec())));
    session.client().await.expect("it is there").noop().await.expect("it is good");
    assert_eq!(server.faults_left(), 0);
    // It was a lie: the UIDs are what they were.
    work.get().await.expect("it is selected").search(Query::all()).await.expect("it answers");
    assert_eq!(host.heard(" SELECT "), 2);
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_is_gone_is_told_and_is_asked_for_again() {
    let server = server();
    let (host, session, work) = begin(&server).await;
    let mut events = session.events();
    elsewhere(&server, true, false).await;
    lose(&host, &session).await;
    session.client().await.expect("the connection is there all the same");
    assert_eq!(told(&mut events).await[1..], ["again, no Work"]);
    let gone = work.get().await.expect_err("it is gone");
    assert!(matches!(gone, Error::Refused(_)), "{gone:?}");
    elsewhere(&server, false, true).await;
    let changed = work.get().await.expect_err("it is another one");
    assert!(matches!(changed, Error::UidValidity(_)), "{changed:?}");
}

#[tokio::test(start_paused = true)]
async fn many_who_work_in_a_mailbox_select_it_once() {
    let server = server();
    let (host, session, work) = begin(&server).await;
    for round in 1..=3 {
        let mut tasks = JoinSet::new();
        for _ in 0..50 {
            let work = work.clone();
            tasks.spawn(async move { work.once(|mailbox| mailbox.search(Query::all())).await });
        }
        let ended = tasks.join_all().await;
        assert!(ended.iter().all(|found| found.as_ref().is_ok_and(|found| found.len() == 1)), "{ended:?}");
        assert_eq!((host.heard(" SELECT "), host.heard(" SEARCH ")), (round, 50 * round));
        lose(&host, &session).await;
    }
}

#[tokio::test(start_paused = true)]
async fn many_who_select_the_same_share_its_selection() {
    let host = Host::new(&server());
    let session = host.connector().reconnecting(regular());
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        let session = session.clone();
        tasks.spawn(async move { session.select("Work").await?.once(|mailbox| mailbox.search(Query::all())).await });
    }
    let ended = tasks.join_all().await;
    assert!(ended.iter().all(|found| found.as_ref().is_ok_and(|found| found.len() == 1)), "{ended:?}");
    assert_eq!((host.heard(" SELECT "), host.heard(" SEARCH ")), (1, 50));
}

#[tokio::test(start_paused = true)]
async fn all_who_want_a_mailbox_are_told_why_it_was_given_up() {
    let server = server();
    for lost_meanwhile in [false, true] {
        let (host, session, work) = begin(&server).await;
        session.examine("Other").await.expect("it is there");
        match lost_meanwhile {
            true => tokio::time::sleep(Duration::from_secs(100)).await,
            false => lose(&host, &session).await,
        }
        let attempts = host.dialled().len() + 10;
        let mut events = session.events();
        host.will([], Refuses);
        let mut tasks = JoinSet::new();
        for _ in 0..50 {
            let work = work.clone();
            tasks.spawn(async move { work.get().await.map(drop) });
        }
        if lost_meanwhile {
            host.cut().await;
        }
        let ended = tasks.join_all().await;
        assert!(ended.iter().all(|ended| matches!(ended, Err(Error::Transport(_)))), "{ended:?}");
        assert_eq!(host.dialled().len(), attempts);
        let told = told(&mut events).await;
        assert_eq!(told.iter().filter(|told| told.starts_with("gave up")).count(), 1, "{told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_is_selected_again_after_another_was() {
    let server = server();
    let (host, session, work) = begin(&server).await;
    let other = session.examine("Other").await.expect("it is there");
    work.get().await.expect("it is selected").search(Query::all()).await.expect("it answers");
    let now = other.get().await.expect("it is selected");
    now.search(Query::all()).await.expect("it answers");
    assert_eq!((host.heard(" SELECT "), host.heard(" EXAMINE ")), (2, 2));
    // Without its knowledge.
    session.client().await.expect("it is there").select("INBOX").await.expect("an INBOX");
    other.get().await.expect("it is selected").search(Query::all()).await.expect("it answers");
    assert_eq!(host.heard(" EXAMINE "), 3);
    // A mailbox that nobody has a handle on is not selected again.
    drop(other);
    let mut events = session.events();
    lose(&host, &session).await;
    session.client().await.expect("it is back");
    assert_eq!(told(&mut events).await[1..], ["again"]);
}

#[tokio::test(start_paused = true)]
async fn a_selecting_that_is_dropped_keeps_nobody_waiting() {
    let server = server();
    let (host, session, work) = begin(&server).await;
    for after in 0..20 {
        lose(&host, &session).await;
        let mut first = Box::pin(work.get());
        let mut second = Box::pin(work.get());
        for _ in 0..after {
            if crate::begun(&mut first).await.is_ready() {
                break;
            }
            let _ = crate::begun(&mut second).await;
            tokio::task::yield_now().await;
        }
        drop((first, second));
        let mailbox = work.get().await.expect("it is selected");
        assert_eq!(mailbox.search(Query::all()).await.expect("it answers").len(), 1, "{after}");
    }
}
