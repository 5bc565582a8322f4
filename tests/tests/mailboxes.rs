//! Many mailboxes, and many commands on mailboxes at once, with a real Dovecot over TLS.

#[expect(dead_code, reason = "not all of it is used here")]
mod session;

use std::time::Instant;

use imap_tests::dovecot::Dovecot;
use imap_tests::mailbox::message;
use imap_tokio::command::{Append, List, Message};
use imap_tokio::types::{MailboxName, StatusItems};
use imap_tokio::{Client, Fate, Security};
use session::{PATIENCE, connector};
use tokio::task::JoinSet;

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await.expect("nothing hangs") });
}

async fn connect(server: &Dovecot) -> Client {
    connector(server, Security::ImplicitTls, "alice").connect().await.expect("Dovecot lets us in")
}

fn name(text: &str) -> MailboxName {
    MailboxName::new(text).expect("a name")
}

async fn store(client: &Client, mailbox: &str, number: u64) {
    let append = Append::new(name(mailbox), Message::from(message(number)));
    client.append(append).await.expect("it is stored");
}

#[test]
fn a_thousand_statuses_under_way_at_once_are_each_answered_with_their_own() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    const MAILBOXES: usize = 1000;
    run(async {
        let client = connect(&server).await;
        let began = Instant::now();
        let mut making = JoinSet::new();
        for number in 0..MAILBOXES {
            making.spawn(client.create(name(&format!("box {number}"))));
        }
        while let Some(made) = making.join_next().await {
            made.expect("no panic").expect("it is made");
        }
        let made = began.elapsed();
        for number in [1, 10, 500, 999] {
            for message in 0..=number as u64 % 3 {
                store(&client, &format!("box {number}"), message).await;
            }
        }
        let began = Instant::now();
        let mut asking = JoinSet::new();
        for number in 0..MAILBOXES {
            let status = client.status(name(&format!("box {number}")), StatusItems::counts().uid_validity());
            asking.spawn(async move { (number, status.await) });
        }
        // Some give up at once, and some are never begun.
        for number in 0..50 {
            drop(client.status(name(&format!("box {number}")), StatusItems::counts()));
            let cancelled = client.status(name(&format!("box {}", 100 + number)), StatusItems::counts());
            let fate = cancelled.cancel().await;
            assert!(matches!(fate, Fate::NotSent), "{fate:?}");
        }
        let mut answers = 0;
        while let Some(told) = asking.join_next().await {
            let (number, status) = told.expect("no panic");
            let status = status.expect("it is answered");
            let expected = if [1, 10, 500, 999].contains(&number) { number as u32 % 3 + 1 } else { 0 };
            assert_eq!((status.messages, status.unseen), (Some(expected), Some(expected)), "box {number}");
            assert!(status.uid_validity.is_some());
            answers += 1;
        }
        assert_eq!(answers, MAILBOXES);
        println!("{MAILBOXES} made in {made:?}, their statuses told in {:?}", began.elapsed());
        let all = client.list(List::all()).await.expect("it is answered");
        assert_eq!(all.len(), MAILBOXES + 1);
        client.logout().await.expect("it says goodbye");
    });
}

#[test]
fn listings_and_statuses_dropped_half_way_leave_the_connection_right() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    run(async {
        let client = connect(&server).await;
        for number in 0..100 {
            client.create(name(&format!("box {number}"))).await.expect("it is made");
        }
        for round in 0..40u32 {
            let patience = std::time::Duration::from_micros(u64::from(round) * 40);
            let mut listing = client.list(List::all().return_status(StatusItems::all()));
            let _ = tokio::time::timeout(patience, &mut listing).await;
            drop(listing);
            let made = name(&format!("made {round}"));
            let mut create = client.create(made.clone());
            let done = tokio::time::timeout(patience, &mut create).await.is_ok();
            let fate = if done { Fate::Told } else { create.cancel().await };
            let there = client.exists(made).await.expect("the connection is good").is_some();
            match fate {
                Fate::Told | Fate::Completed(_) => assert!(there, "round {round}"),
                Fate::NotSent => assert!(!there, "round {round}"),
                other => panic!("round {round}: {other:?}"),
            }
            let status = client.status(name("box 7"), StatusItems::counts()).await.expect("the connection is good");
            assert_eq!(status.messages, Some(0));
        }
        client.settle().await.expect("nothing is left");
        client.logout().await.expect("it says goodbye");
    });
}
