//! Many calls at once, dropped at once, in turn, on several threads, and beside those that never end.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::stream;
use imap_proto_core::client::{Client, Mailbox, Operation};
use imap_proto_core::command::Store;
use imap_proto_core::types::{FetchItems, Flag, Query, Section, StatusItems, UidSet};
use imap_proto_core::{Credentials, Error, Fate, Phase};
use imap_tests::stepper::Stepper;
use imap_testserver::TestServer;

use super::acts::{World, text, uid};

/// The connection is good, and what is next on it is answered rightly.
#[track_caller]
fn is_good(stepper: &mut Stepper) {
    let client = stepper.client.clone();
    stepper.finish(client.settle()).expect("no hang").expect("it settles");
    stepper.finish(client.noop()).expect("no hang").expect("the connection is good");
    assert_eq!(stepper.link.server().violations(), []);
}

fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn thousands_of_calls_dropped_at_once_cost_what_each_of_them_costs() {
    const CALLS: usize = 30_000;
    for (written, backwards) in [(false, false), (false, true), (true, false), (true, true)] {
        let (mut stepper, place) = World::SMALL.open();
        stepper.link.server_mut().hold();
        stepper.link.hold_writes(!written);
        let mut calls: Vec<Operation<()>> = (0..CALLS).map(|_| place.client.noop()).collect();
        for call in &mut calls {
            assert!(poll_once(call).is_pending());
        }
        stepper.rest().expect("no hang");
        if backwards {
            calls.reverse();
        }
        drop(calls);
        stepper.rest().expect("no hang");
        stepper.link.hold_writes(false);
        stepper.link.server_mut().release();
        is_good(&mut stepper);
    }
}

#[test]
fn calls_that_are_polled_and_dropped_over_and_over_leave_nothing() {
    let (mut stepper, place) = World::SMALL.open();
    for round in 0..5000 {
        let polls = round % 5;
        match round % 6 {
            0 => drop(stepper.step(pin!(place.client.noop()), polls)),
            1 => drop(stepper.step(pin!(place.inbox().search(Query::all())), polls)),
            2 => drop(stepper.step(pin!(place.inbox().watch().try_next()), polls)),
            3 => drop(stepper.step(pin!(place.inbox().fetch(UidSet::all(), FetchItems::ids()).try_next()), polls)),
            4 => drop(stepper.step(pin!(place.inbox().body(uid(1), Section::whole()).try_next()), polls)),
            _ => drop(stepper.step(pin!(place.client.status("Other", StatusItems::counts())), polls)),
        }
    }
    is_good(&mut stepper);
    let found = stepper.finish(place.inbox().search(Query::all())).expect("no hang").expect("it is answered");
    assert_eq!(found.to_string(), "1:4");
}

#[test]
fn a_thousand_calls_have_their_turn_beside_fetches_without_end() {
    let (mut stepper, place) = World { inbox: 300, ..World::SMALL }.open();
    let inbox = place.inbox().clone();
    let mut told = 0;
    let mut endless = Box::pin(async move {
        loop {
            let mut stream = inbox.fetch(UidSet::all(), FetchItems::ids().flags()).window(4);
            while let Some(_message) = stream.try_next().await? {
                told += 1;
                if told > 300 * 5000 {
                    return Ok::<(), Error>(());
                }
            }
        }
    });
    assert!(stepper.step(endless.as_mut(), 10).is_none());
    let mut calls: Vec<_> = (0..1000).map(|_| place.client.noop()).collect();
    for (rounds, _) in (0..100_000).enumerate() {
        calls.retain_mut(|call| poll_once(call).is_pending());
        if calls.is_empty() {
            println!("all had their turn after {rounds} rounds");
            drop(endless);
            return is_good(&mut stepper);
        }
        assert!(stepper.step(endless.as_mut(), 2).is_none(), "the fetches came first");
    }
    panic!("{} calls had no turn", calls.len());
}

#[test]
fn no_time_at_all_and_all_the_time_there_is() {
    for nothing in [Duration::ZERO, Duration::from_nanos(1)] {
        let (mut stepper, place) = World::SMALL.open();
        let mut noop = place.client.noop().within(nothing);
        match stepper.finish(&mut noop) {
            Ok(Err(Error::Timeout { phase: Phase::Operation, .. })) => {
                let fate = stepper.finish(noop.cancel()).expect("it is told");
                assert!(matches!(fate, Fate::NotSent | Fate::Cancelled | Fate::InDoubt), "{fate:?}");
            }
            Ok(Ok(())) => {}
            other => panic!("{other:?}"),
        }
        stepper.link.advance(nothing);
        is_good(&mut stepper);
    }
    let (mut stepper, place) = World::SMALL.open();
    stepper.link.advance(Duration::from_secs(1));
    for _ in 0..3 {
        let all = [
            place.client.noop().within(Duration::MAX),
            place.client.noop().within(Duration::MAX - Duration::from_nanos(1)),
        ];
        for noop in all {
            stepper.finish(noop).expect("no hang").expect("it is answered");
        }
    }
    is_good(&mut stepper);
}

#[test]
fn uploads_wait_through_another_selection_and_fetches_do_not() {
    let (mut stepper, place) = World::SMALL.open();
    stepper.link.server_mut().hold();
    let bodies: Vec<Vec<u8>> = (0..4).map(|index| text(9000 + index, 60)).collect();
    let mut upload = place.client.append_all("Drafts", stream::iter(bodies)).ahead(1);
    assert!(stepper.step(pin!(&mut upload), 6).is_none());
    let mut fetch = place.inbox().fetch(UidSet::all(), FetchItems::ids()).window(1);
    let mut select = place.client.select("Other");
    assert!(poll_once(&mut select).is_pending());
    assert!(stepper.step(pin!(fetch.try_next()), 6).is_none());
    stepper.link.server_mut().release();
    stepper.drive();
    let other = stepper.finish(select).expect("no hang").expect("it is selected");
    let fetched = stepper.finish(async {
        while fetch.try_next().await?.is_some() {}
        Ok::<(), Error>(())
    });
    assert!(matches!(fetched, Ok(Err(Error::Deselected))), "{fetched:?}");
    assert!(stepper.finish(upload).expect("no hang").is_complete());
    let found = stepper.finish(other.search(Query::all())).expect("no hang").expect("it is answered");
    assert_eq!(found.len(), 3);
    is_good(&mut stepper);
}

/// Numbers that look like chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// One of several calls, given up after a few of its polls or not at all.
async fn act(client: &Client, inbox: &Mailbox, chance: &mut Chance) -> Result<(), Error> {
    let mut polls = chance.below(12);
    let (client, inbox) = (client.clone(), inbox.clone());
    let which = chance.below(6);
    let mut doing: Pin<Box<dyn Future<Output = Result<(), Error>> + Send>> = Box::pin(async move {
        match which {
            0 => client.noop().await,
            1 => inbox.search(Query::all()).await.map(|found| assert_eq!(found.len(), 40)),
            2 => inbox.store(UidSet::all(), Store::add(Flag::Seen)).await.map(drop),
            3 => {
                let all = inbox.fetch(UidSet::all(), FetchItems::ids().size()).window(7).collect().await?;
                assert_eq!(all.len(), 40);
                Ok(())
            }
            4 => {
                client.append_all("Drafts", stream::iter([text(1, 5000), text(2, 50)])).await.ended.map_or(Ok(()), Err)
            }
            _ => client.status("Other", StatusItems::counts()).await.map(drop),
        }
    });
    std::future::poll_fn(|cx| {
        polls = polls.saturating_sub(1);
        match doing.as_mut().poll(cx) {
            Poll::Pending if polls == 0 => Poll::Ready(Ok(())),
            other => other,
        }
    })
    .await
}

#[test]
fn clones_on_many_threads_may_call_and_drop_as_they_like() {
    let server = TestServer::builder().user("alice", "secret").mailbox("Other").mailbox("Drafts").start();
    for number in 0..40 {
        server.mailbox("INBOX").deliver(text(number, 100));
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = server.listen_plain().await.expect("a port");
        let connector = imap_tokio::Connector::new("localhost").plaintext();
        let connector = connector.address("127.0.0.1").port(listener.address().port());
        let client =
            connector.credentials(Credentials::password("alice", "secret")).connect().await.expect("we are let in");
        let inbox = client.select("INBOX").await.expect("an INBOX");
        let tasks: Vec<_> = (0..8)
            .map(|seed| {
                let (client, inbox) = (client.clone(), inbox.clone());
                tokio::spawn(async move {
                    let mut chance = Chance(seed);
                    for _ in 0..300 {
                        act(&client, &inbox, &mut chance).await.expect("no call fails");
                    }
                })
            })
            .collect();
        for task in tasks {
            tokio::time::timeout(Duration::from_secs(60), task).await.expect("no hang").expect("no panic");
        }
        client.settle().await.expect("it settles");
        assert_eq!(inbox.search(Query::all()).await.expect("it is answered").len(), 40);
    });
}
