//! Operations dropped half-way on real servers: the connection goes on rightly, and no message is lost, doubled or
//! altered.
//!
//! Each walk does random things over a connection of its own: it reads, appends one message or many, sets and removes flags,
//! copies, moves and deletes. All read the same mailboxes, and each changes only its own messages, so that the model knows at
//! any time what is certainly there. In the end a fresh connection compares every mailbox with it.
//!
//! What was broken by hand to see it fail, and what failed, with half of the operations dropped:
//!
//! - a COPY that is abandoned is sent a second time: "is at {…}" with two places for 33 messages, and the assertion that the
//!   `Damage` is none, by `duplicated`;
//! - the octets of an APPEND whose reader is gone are made up with spaces, where the connection has to be closed: "the content
//!   of 330 is of 40359 octets" and "the subject of 215 is None" of the next FETCH, which panics with them;
//! - a MOVE in steps copies all but one message and removes all: "were to be copied, and {…} were", without MOVE and on
//!   Courier.
//!
//! `IMAP_TESTS_OPERATIONS` sets how many operations each test does, `IMAP_TESTS_DROPPED` how many of a hundred are dropped,
//! about, `IMAP_TESTS_CONNECTIONS` over how many connections and `IMAP_TESTS_SEED` which ones.

mod random_walk;
#[expect(dead_code, reason = "not all of it is used here")]
mod session;

use std::sync::Arc;
use std::time::Instant;

use imap_tests::servers::{Courier, Cyrus, Dovecot, Server};
use imap_tokio::types::{FetchItems, Section, UidSet};
use imap_tokio::{LiteralPolicy, Security};
use random_walk::{Damage, Executor, Judge, Model, Random, Sums, Tally, Walk};
use session::create_mailboxes;
use tokio::runtime::Builder;

const MAILBOXES: [&str; 4] = ["INBOX", "Work", "Lists", "Rest"];
/// All mailboxes of Courier are below INBOX.
const BELOW_INBOX: [&str; 4] = ["INBOX", "INBOX.Work", "INBOX.Lists", "INBOX.Rest"];
const SEED: u64 = 0x1d1e;
/// How many messages the mailboxes have before.
const BEFORE: usize = 200;

/// What a test does where the environment does not say otherwise.
struct Extent {
    operations: u64,
    /// Of a hundred, about.
    dropped: u64,
    connections: u64,
}

const ONE_IN_TEN: Extent = Extent { operations: 3000, dropped: 10, connections: 8 };
const HALF: Extent = Extent { operations: 2000, dropped: 50, connections: 8 };
const FEWER: Extent = Extent { operations: 1000, dropped: 50, connections: 4 };

#[test]
fn one_operation_in_ten_dropped_leaves_the_connection_and_the_mailboxes_right() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    walk(&several_threads(), &server, &MAILBOXES, &ONE_IN_TEN);
}

#[test]
fn operations_dropped_on_several_threads_leave_the_connection_and_the_mailboxes_right() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    walk(&several_threads(), &server, &MAILBOXES, &HALF);
}

#[test]
fn operations_dropped_on_one_thread_leave_the_connection_and_the_mailboxes_right() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let runtime = Builder::new_current_thread().enable_all().build();
    walk(&Executor::Tokio(runtime.expect("a runtime")), &server, &MAILBOXES, &HALF);
}

#[test]
fn operations_dropped_on_smol_leave_the_connection_and_the_mailboxes_right() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    walk(&Executor::Smol, &server, &MAILBOXES, &FEWER);
}

#[test]
fn operations_dropped_on_async_std_leave_the_connection_and_the_mailboxes_right() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    walk(&Executor::AsyncStd, &server, &MAILBOXES, &FEWER);
}

#[test]
fn messages_moved_without_move_and_dropped_are_in_one_mailbox_or_in_both() {
    let Some(server) = Dovecot::start_offering(Some("IMAP4rev1 LITERAL+ UIDPLUS IDLE")) else {
        return;
    };
    walk(&several_threads(), &server, &MAILBOXES, &FEWER);
}

#[test]
fn operations_dropped_on_cyrus_leave_the_connection_and_the_mailboxes_right() {
    let Some(server) = Cyrus::start() else {
        return;
    };
    walk(&several_threads(), &server, &MAILBOXES, &FEWER);
}

#[test]
fn operations_dropped_on_courier_leave_the_connection_and_the_mailboxes_right() {
    let Some(server) = Courier::start() else {
        return;
    };
    walk(&several_threads(), &server, &BELOW_INBOX, &FEWER);
}

fn several_threads() -> Executor {
    Executor::Tokio(Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime"))
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// Tells what a server has logged where a test fails on it.
struct ToldOnPanic<'a>(&'a dyn Server);

impl Drop for ToldOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.0.log();
            let told: Vec<&str> = log.lines().rev().take(200).collect();
            eprintln!("the server's log, the newest line first:\n{}", told.join("\n"));
        }
    }
}

fn walk(executor: &Executor, server: &(impl Server + Sync), mailboxes: &[&'static str], extent: &Extent) {
    let (user, title) = ("alice", server.name());
    let _told = ToldOnPanic(server);
    create_mailboxes(server, user, &mailboxes[1..]);
    let began = Instant::now();
    let seed = number("IMAP_TESTS_SEED", SEED);
    let extent = Extent {
        operations: number("IMAP_TESTS_OPERATIONS", extent.operations),
        dropped: number("IMAP_TESTS_DROPPED", extent.dropped),
        connections: number("IMAP_TESTS_CONNECTIONS", extent.connections),
    };
    let Extent { operations, dropped, connections } = extent;
    eprintln!("{title}: {operations} operations of seed {seed}, {dropped} % dropped, {connections} connections");
    executor.block_on(async {
        let model = Arc::new(Model::new(mailboxes));
        fill(executor, server, user, &model).await;
        model.hand_out(connections as usize);
        let tally = run(executor, server, user, &model, seed, &extent).await;
        let (damage, sums) = compare(executor, server, user, &model).await;
        println!("{title}, seed {seed}, {:.1} s\n{tally}\n  {sums}\n  {damage:?}", began.elapsed().as_secs_f64());
        assert_eq!(damage, Damage::default());
        let closed: usize = tally.closed.values().sum();
        assert_eq!(tally.dropped(), tally.usable + closed + tally.last, "every drop is accounted for");
        assert!(tally.reached() > 0, "some of it is dropped when octets of it have left");
        assert!(tally.dropped() * 100 > tally.operations() * dropped as usize * 6 / 10, "a good part is dropped");
    });
}

/// The mailboxes have messages before anything is dropped.
async fn fill(executor: &Executor, server: &(dyn Server + Sync), user: &str, model: &Arc<Model>) {
    let connect = executor.connect(server, Security::Plaintext, user, LiteralPolicy::AsAdvertised);
    Walk::begin(model.clone(), 0, connect, Random::new(1)).await.fill(BEFORE).await;
}

/// Connections of all kinds at once: TLS, STARTTLS and clear text, literals waiting for `+` or not.
async fn run(
    executor: &Executor,
    server: &(dyn Server + Sync),
    user: &str,
    model: &Arc<Model>,
    seed: u64,
    extent: &Extent,
) -> Tally {
    let kinds = [
        (Security::Plaintext, LiteralPolicy::AsAdvertised),
        (Security::ImplicitTls, LiteralPolicy::Synchronizing),
        (Security::StartTls, LiteralPolicy::AsAdvertised),
        (Security::Plaintext, LiteralPolicy::Synchronizing),
        (Security::ImplicitTls, LiteralPolicy::AsAdvertised),
        (Security::StartTls, LiteralPolicy::Synchronizing),
    ];
    let mut walks = Vec::new();
    for (number, (security, literals)) in (0..extent.connections).zip(kinds.into_iter().cycle()) {
        let connect = executor.connect(server, security, user, literals);
        let random = Random::new(seed.wrapping_add(number));
        let walk = Walk::begin(model.clone(), number as usize, connect, random).await;
        let mut walk = walk.dropping(extent.dropped as usize);
        walk = match server.name() {
            "Courier" => walk.without_examine(),
            "Dovecot" => walk.without_returns(),
            _ => walk,
        };
        walks.push(executor.spawn(walk.run((extent.operations / extent.connections) as usize)));
    }
    let mut all = Tally::default();
    for walk in walks {
        all.add(&walk.await);
    }
    all
}

/// Reads every mailbox to its end over a fresh connection.
async fn compare(executor: &Executor, server: &(dyn Server + Sync), user: &str, model: &Model) -> (Damage, Sums) {
    let connect = executor.connect(server, Security::Plaintext, user, LiteralPolicy::AsAdvertised);
    let client = connect().await.expect("the server lets us in");
    let mut judge = Judge::new(model);
    for mailbox in 0..model.count() {
        let opened = client.examine(model.name(mailbox)).await.expect("the mailbox is there");
        let mut messages = opened.fetch(UidSet::all(), FetchItems::summary().section(Section::whole()));
        while let Some(message) = messages.try_next().await.expect("the mailbox can be read") {
            judge.take(mailbox, &message);
        }
    }
    client.logout().await.expect("it logs out");
    judge.sentence()
}
