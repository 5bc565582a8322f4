//! The commands on mailboxes and on the session, with a real Dovecot over TLS.

#[expect(dead_code, reason = "not all of it is used here")]
mod session;

use std::time::Instant;

use imap_tests::dovecot::Dovecot;
use imap_tests::mailbox::message;
use imap_tokio::command::{Append, Create, List, Message};
use imap_tokio::types::{
    Capability, Code, Identification, ListEntry, MailboxAttribute, MailboxName, SpecialUse, StatusItems,
};
use imap_tokio::{Client, Error, Fate, Security};
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

fn names(entries: &[ListEntry]) -> Vec<&str> {
    let mut names: Vec<&str> = entries.iter().map(|entry| entry.name().as_str()).collect();
    names.sort_unstable();
    names
}

async fn store(client: &Client, mailbox: &str, number: u64) {
    let append = Append::new(name(mailbox), Message::from(message(number)));
    client.append(append).await.expect("it is stored");
}

#[test]
fn a_server_says_what_it_is_and_where_mailboxes_are() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    run(async {
        let client = connect(&server).await;
        let ours = Identification::new().with_name("imap-tests").with("x-caf\u{e9}", "\u{fc} \"quoted\"");
        let theirs = client.id(Some(ours)).await.expect("it is answered").expect("it says what it is");
        assert_eq!(theirs.name(), Some("Dovecot"));
        assert!(client.id(None).await.expect("it is answered").is_some());
        let namespaces = client.namespaces().await.expect("it is answered");
        let [personal] = namespaces.personal.as_slice() else { panic!("{namespaces:?}") };
        assert_eq!((personal.prefix.as_str(), personal.delimiter), ("", Some('/')));
        assert!(namespaces.other_users.is_empty() && namespaces.shared.is_empty());
        let smith = personal.mailbox(&["Clients", "Sch\u{f6}n & Smith"]).expect("a name");
        client.create(smith.clone()).await.expect("it is made");
        assert!(client.exists(smith).await.expect("it is answered").is_some());
        client.logout().await.expect("it says goodbye");
    });
}

#[test]
fn extensions_are_switched_on_before_a_mailbox_is_selected() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    run(async {
        let client = connect(&server).await;
        let asked = [Capability::CondStore, Capability::from_wire(b"X-NOBODY-KNOWS")];
        let (enabled, status) = tokio::join!(
            client.enable(asked),
            client.status(MailboxName::inbox(), StatusItems::changes().size().unseen()),
        );
        assert_eq!(enabled.expect("it is answered").to_string(), "CONDSTORE");
        let status = status.expect("it is answered");
        assert_eq!((status.messages, status.unseen, status.size), (Some(0), Some(0), Some(0)));
        assert!(status.uid_validity.is_some() && status.highest_mod_seq.is_some_and(|highest| highest > 0));
        assert_eq!(client.view().await.expect("it is open").enabled().to_string(), "CONDSTORE");
        // This Dovecot does not know UTF-8 names: it says so by leaving it out, and names go on as they were.
        let enabled = client.enable([Capability::Utf8Accept]).await.expect("it is answered");
        let utf8 = client.capabilities().await.expect("it tells").has(&Capability::Utf8Accept);
        assert_eq!(enabled.has(&Capability::Utf8Accept), utf8);
        client.create(name("Entw\u{fc}rfe")).await.expect("it is made");
        assert!(client.exists(name("Entw\u{fc}rfe")).await.expect("it is answered").is_some());
        client.select(MailboxName::inbox()).await.expect("an INBOX");
        let late = client.enable([Capability::CondStore]).await;
        assert!(matches!(late, Err(Error::Misuse(_))), "{late:?}");
        client.logout().await.expect("it says goodbye");
    });
}

/// Names that a server may stumble over, though not those that a Maildir cannot have.
const NAMES: [&str; 12] = [
    "plain",
    "two words",
    "Entw\u{fc}rfe",
    "\u{53f0}\u{5317}/\u{65e5}\u{672c}\u{8a9e}",
    "\u{1f600}",
    "a & b",
    "&-",
    "quo\"ted",
    "back\\slash",
    "(parens) {3}",
    "[Gmail]/Alle",
    "NIL",
];

#[test]
fn mailboxes_are_made_listed_renamed_and_removed_by_any_name() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    run(async {
        let client = connect(&server).await;
        for text in NAMES {
            client.create(name(text)).await.unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(client.ensure(name(text)).await.ok(), Some(false), "{text}");
        }
        assert!(client.ensure(name("new")).await.expect("it is made"));
        let refused = client.create(name("plain")).await;
        let Err(Error::Refused(refused)) = refused else { panic!("{refused:?}") };
        assert_eq!(refused.code, Some(Code::AlreadyExists));
        let all = client.list(List::all()).await.expect("it is answered");
        for text in NAMES {
            assert!(all.iter().any(|entry| *entry.name() == text && entry.is_selectable()), "{text}: {all:?}");
            let found = client.exists(name(text)).await.expect("it is answered");
            assert_eq!(found.map(|entry| entry.name().clone()), Some(name(text)));
        }
        assert!(client.exists(name("nowhere")).await.expect("it is answered").is_none());
        for (number, text) in NAMES.iter().enumerate() {
            let other = format!("renamed/{number} {text}").replace('/', "_");
            client.rename(name(text), name(&other)).await.unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(client.exists(name(text)).await.expect("it is answered").is_none(), "{text}");
            client.delete(name(&other)).await.unwrap_or_else(|error| panic!("{other}: {error}"));
            assert!(client.exists(name(&other)).await.expect("it is answered").is_none(), "{other}");
        }
        let gone = client.delete(name("plain")).await;
        let Err(Error::Refused(refused)) = gone else { panic!("{gone:?}") };
        assert_eq!(refused.code, Some(Code::NonExistent));
        client.logout().await.expect("it says goodbye");
    });
}

#[test]
fn listings_select_and_return_what_they_are_asked_for() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    run(async {
        let client = connect(&server).await;
        for text in ["a", "a/b", "a/b/c", "x", "Sent", "Drafts"] {
            client.create(name(text)).await.expect("it is made");
        }
        for text in ["a/b/c", "x", "Sent"] {
            client.subscribe(name(text)).await.expect("it is added");
        }
        client.unsubscribe(name("Sent")).await.expect("it is taken away");
        for number in 0..3 {
            store(&client, "x", number).await;
        }
        let list = |list| async { client.list(list).await.expect("it is answered") };
        assert_eq!(names(&list(List::new("%")).await), ["Drafts", "INBOX", "Sent", "a", "x"]);
        assert_eq!(names(&list(List::new("a/%").or("x")).await), ["a/b", "x"]);
        assert_eq!(names(&list(List::new("%").below(name("a/"))).await), ["a/b"]);
        let subscribed = list(List::all().select_subscribed()).await;
        assert_eq!(names(&subscribed), ["a/b/c", "x"]);
        assert!(subscribed.iter().all(ListEntry::is_subscribed));
        let above = list(List::new("%").select_subscribed().recursive_match()).await;
        assert_eq!(names(&above), ["a", "x"]);
        let a = above.iter().find(|entry| *entry.name() == "a").expect("it is among them");
        assert_eq!(a.child_info().collect::<Vec<_>>(), ["SUBSCRIBED"]);
        assert_eq!(names(&client.lsub("*").await.expect("it is answered")), ["a/b/c", "x"]);
        let used = list(List::all().select_special_use()).await;
        assert_eq!(names(&used), ["Drafts", "Sent"]);
        assert_eq!(used.iter().filter_map(ListEntry::special_use).count(), 2);
        let all = client.list_all().await.expect("it is answered");
        let find = |text: &str| all.iter().find(|entry| *entry.name() == text).expect("it is among them");
        assert_eq!((find("a").has_children(), find("x").has_children()), (Some(true), Some(false)));
        assert_eq!((find("x").is_subscribed(), find("a").is_subscribed()), (true, false));
        assert_eq!(find("Sent").special_use(), Some(SpecialUse::Sent));
        assert_eq!(find("a/b/c").levels().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert!(find("a").attributes().has(&MailboxAttribute::HasChildren));
        let items = StatusItems::counts().uid_next();
        let told = list(List::all().return_status(items)).await;
        assert_eq!(told.len(), all.len());
        for entry in &told {
            let status = entry.status().unwrap_or_else(|| panic!("{entry:?}"));
            let messages = if *entry.name() == "x" { 3 } else { 0 };
            assert_eq!((status.messages, status.unseen), (Some(messages), Some(messages)), "{}", entry.name());
            assert_eq!(Some(status), client.status(entry.name().clone(), items).await.ok().as_ref());
        }
        assert_eq!(client.list_with_status(List::all(), items).await.expect("it is answered"), told);
        let refused = client.create(Create::new(name("Important")).special_use(SpecialUse::Important)).await;
        let offers = client.view().await.expect("it is open").capabilities().has(&Capability::CreateSpecialUse);
        assert!(offers || matches!(refused, Err(Error::Unsupported(_))), "{refused:?}");
        client.logout().await.expect("it says goodbye");
    });
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
