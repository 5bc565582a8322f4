//! Operations dropped half-way on real servers: the connection goes on rightly, and no message is lost, doubled or
//! altered.
//!
//! `IMAP_TESTS_OPERATIONS` sets how many operations each runtime does, `IMAP_TESTS_SEED` which ones.

mod random_walk;
mod session;

use std::sync::Arc;
use std::time::Instant;

use imap_tests::servers::{Courier, Cyrus, Dovecot, Server};
use imap_tokio::types::{FetchItems, Section, UidSet};
use imap_tokio::{LiteralPolicy, Security};
use random_walk::{Damage, Model, Random, Tally, Walk};
use session::{connector, create_mailboxes};
use tokio::runtime::Runtime;

const MAILBOXES: [&str; 4] = ["INBOX", "Work", "Lists", "Rest"];
const SEED: u64 = 0x1d1e;
const OPERATIONS: usize = 2000;
/// How many messages the mailboxes have before.
const BEFORE: usize = 200;

#[test]
fn operations_dropped_on_several_threads_leave_the_connection_and_the_mailboxes_right() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    walk(&several_threads(), &server, &MAILBOXES, OPERATIONS);
}

#[test]
fn operations_dropped_on_one_thread_leave_the_connection_and_the_mailboxes_right() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    walk(&runtime.expect("a runtime"), &server, &MAILBOXES, OPERATIONS);
}

#[test]
fn operations_dropped_on_cyrus_leave_the_connection_and_the_mailboxes_right() {
    let Some(server) = Cyrus::start() else {
        return;
    };
    walk(&several_threads(), &server, &MAILBOXES, OPERATIONS / 2);
}

#[test]
fn operations_dropped_on_courier_leave_the_connection_and_the_mailboxes_right() {
    let Some(server) = Courier::start() else {
        return;
    };
    // All mailboxes are below INBOX.
    walk(&several_threads(), &server, &["INBOX", "INBOX.Work", "INBOX.Lists", "INBOX.Rest"], OPERATIONS / 2);
}

fn several_threads() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime")
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

fn walk(runtime: &Runtime, server: &(impl Server + Sync), mailboxes: &[&'static str], operations: usize) {
    let (user, title) = ("alice", server.name());
    create_mailboxes(server, user, &mailboxes[1..]);
    let began = Instant::now();
    let (seed, operations) = (number("IMAP_TESTS_SEED", SEED), number("IMAP_TESTS_OPERATIONS", operations as u64));
    eprintln!("{title}: {operations} operations of seed {seed}");
    runtime.block_on(async {
        let model = Arc::new(Model::new(mailboxes));
        fill(server, user, &model).await;
        let tally = run(server, user, &model, seed, operations as usize).await;
        let damage = compare(server, user, &model).await;
        let (stored, in_doubt, never) = model.sums();
        println!("{title}, seed {seed}, {:.1} s\n{tally}", began.elapsed().as_secs_f64());
        println!("  messages: {stored} stored, {in_doubt} in doubt, {never} surely not stored; {damage:?}");
        assert_eq!(damage, Damage::default());
        let closed: usize = tally.closed.values().sum();
        assert_eq!(tally.dropped(), tally.usable + closed + tally.last, "every drop is accounted for");
        assert!(tally.dropped() * 10 > tally.operations() * 3, "a good part is dropped");
    });
}

/// The mailboxes have messages before anything is dropped.
async fn fill(server: &(dyn Server + Sync), user: &str, model: &Arc<Model>) {
    let connector = connector(server, Security::Plaintext, user);
    Walk::begin(model.clone(), connector, Random::new(1)).await.fill(BEFORE).await;
}

/// Connections of all kinds at once: TLS or not, literals waiting for `+` or not.
async fn run(server: &(dyn Server + Sync), user: &str, model: &Arc<Model>, seed: u64, operations: usize) -> Tally {
    let kinds = [
        (Security::Plaintext, LiteralPolicy::AsAdvertised),
        (Security::ImplicitTls, LiteralPolicy::Synchronizing),
        (Security::StartTls, LiteralPolicy::AsAdvertised),
        (Security::Plaintext, LiteralPolicy::Synchronizing),
    ];
    let mut walks = Vec::new();
    for (index, (security, literals)) in kinds.into_iter().enumerate() {
        let connector = connector(server, security, user).config(|config| config.literals = literals);
        let random = Random::new(seed.wrapping_add(index as u64));
        let mut walk = Walk::begin(model.clone(), connector, random).await;
        if server.name() == "Courier" {
            walk = walk.without_examine();
        }
        walks.push(tokio::spawn(walk.run(operations / kinds.len())));
    }
    let mut all = Tally::default();
    for walk in walks {
        all.add(&walk.await.expect("no operation went wrong"));
    }
    all
}

/// Reads every mailbox to its end over a fresh connection.
async fn compare(server: &(dyn Server + Sync), user: &str, model: &Model) -> Damage {
    let client = connector(server, Security::Plaintext, user).connect().await.expect("the server lets us in");
    let mut all = Damage::default();
    for mailbox in 0..model.count() {
        let opened = client.examine(model.name(mailbox)).await.expect("the mailbox is there");
        let items = FetchItems::summary().section(Section::whole());
        let found = opened.fetch(UidSet::all(), items).collect().await.expect("the mailbox can be read");
        let damage = model.judge(mailbox, &found);
        all.lost += damage.lost;
        all.duplicated += damage.duplicated;
        all.altered += damage.altered;
        all.unexpected += damage.unexpected;
    }
    client.logout().await.expect("it logs out");
    all
}
