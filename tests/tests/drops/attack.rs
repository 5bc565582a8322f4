//! What never comes of a call, because nothing of it was sent, is told beside a reader that does not read.

use std::pin::{Pin, pin};

use imap_proto_core::client::Notice;
use imap_proto_core::command::{Append, Message};
use imap_proto_core::types::{FetchItems, MailboxName, Query, Section};
use imap_proto_core::{Closed, Error, Fate, Misuse};
use imap_tests::memory::Pace;
use imap_tests::stepper::Stepper;

use super::acts::{Place, World, uid};

fn open() -> (Stepper, Place) {
    let (stepper, place) = World { inbox: 70, each: 4000, inline: 16 << 10, ..World::SMALL }.open();
    stepper.link.set_pace(Pace::bytes(3000));
    (stepper, place)
}

fn select(name: &str) -> MailboxName {
    MailboxName::try_from(name).expect("a name")
}

#[test]
fn a_stale_mailbox_refuses_beside_a_full_reader() {
    let (mut stepper, place) = open();
    let inbox = stepper.finish(stepper.client.select(select("INBOX"))).expect("no hang").expect("it is selected");
    let mut stream = inbox.fetch(uid(2)..=uid(70), FetchItems::ids().section(Section::whole()));
    assert!(stepper.finish(stream.try_next()).expect("no hang").expect("no error").is_some());
    stepper.rest().expect("the driver waits for the reader");
    let answer = stepper.finish(place.inbox().search(Query::all())).expect("no hang");
    assert!(matches!(answer, Err(Error::Deselected)), "{answer:?}");
}

#[test]
fn a_call_cancelled_before_its_turn_ends_beside_a_full_reader() {
    let (mut stepper, place) = open();
    let mut stream = place.inbox().fetch(uid(2)..=uid(70), FetchItems::ids().section(Section::whole()));
    assert!(stepper.finish(stream.try_next()).expect("no hang").expect("no error").is_some());
    stepper.rest().expect("the driver waits for the reader");
    let mut select = stepper.client.select(select("Other"));
    assert!(stepper.step(Pin::new(&mut select), 2).is_none());
    let fate = stepper.finish(select.cancel()).expect("no hang");
    assert!(matches!(fate, Fate::NotSent), "{fate:?}");
}

#[test]
fn a_watch_left_lying_beside_many_calls_is_bounded() {
    let (mut stepper, place) = World::SMALL.open();
    let mut watch = place.inbox().watch();
    assert!(stepper.step(pin!(watch.try_next()), 1).is_none());
    for _ in 0..3000 {
        stepper.finish(place.client.noop()).expect("no hang").expect("no error");
        stepper.rest().expect("it idles again");
    }
    let mut idled = 0;
    while let Some(Ok(Some(Notice::Idling))) = stepper.step(pin!(watch.try_next()), 1) {
        idled += 1;
    }
    assert!(idled <= 1024, "{idled}");
}

#[test]
fn octets_that_nobody_has_are_not_promised() {
    let (mut stepper, place) = World::SMALL.open();
    let written = stepper.link.written();
    let append = place.client.append(Append::new(select("Drafts"), Message::Fed(5)));
    let answer = stepper.finish(append).expect("no hang");
    assert!(matches!(answer, Err(Error::Misuse(Misuse::NoSource))), "{answer:?}");
    assert_eq!(stepper.link.written(), written);
    stepper.finish(place.client.noop()).expect("no hang").expect("the connection is good");
}

#[test]
fn a_connection_that_nobody_holds_is_closed_without_a_word() {
    let (mut stepper, place) = World::SMALL.open();
    let (other, _) = World::SMALL.open();
    let written = stepper.link.written();
    stepper.client = other.client;
    drop(place);
    stepper.rest().expect("no hang");
    assert!(matches!(stepper.end(), Some(Error::Closed(Closed::ByOwner))), "{:?}", stepper.end());
    assert_eq!(stepper.link.written(), written);
}
