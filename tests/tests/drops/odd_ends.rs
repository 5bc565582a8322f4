//! Uploads that end in odd ways, and what is left of them.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use futures_util::{StreamExt, TryStreamExt, stream};
use imap_proto_core::client::{Appended, Source, Upload};
use imap_proto_core::command::{Append, Cancelling, Message, MultiAppend, NewMessage};
use imap_proto_core::types::{FetchItems, Section, UidSet};
use imap_proto_core::{Closed, Error, Misuse, Phase, SourceFailure};
use imap_tests::memory::Pace;
use imap_tests::stepper::{Hung, Stepper};

use super::acts::{Place, Refuse, World, text, uid};

fn bodies(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|index| text(9000 + index, 60)).collect()
}

/// A source that has so many octets of what it promised, and then nothing for ever.
fn stalling(has: usize) -> Source {
    let given = stream::iter([Ok(Bytes::from(vec![b'a'; has]))]);
    Box::pin(given.chain(stream::pending()))
}

/// The connection is good, and what is next on it is answered rightly.
#[track_caller]
fn is_good(stepper: &mut Stepper) {
    let client = stepper.client.clone();
    stepper.finish(client.settle()).expect("no hang").expect("it settles");
    stepper.finish(client.noop()).expect("no hang").expect("the connection is good");
    assert_eq!(stepper.link.server().violations(), []);
}

#[test]
fn a_ledger_asked_for_once_all_is_over_has_the_report() {
    let (mut stepper, place) = World::SMALL.open();
    let mut call = place.client.append_all("Drafts", stream::iter(bodies(2)));
    let report = stepper.finish(&mut call).expect("it ends");
    let mut ledger = call.ledger();
    drop(call);
    let kept = stepper.finish(ledger.report()).expect("a ledger that is asked tells");
    assert_eq!(format!("{kept:?}"), format!("{report:?}"));
}

#[test]
fn an_earlier_ledger_is_told_that_another_has_the_report() {
    for drops in [false, true] {
        let (mut stepper, place) = World::SMALL.open();
        let mut call = place.client.append_all("Drafts", stream::iter(bodies(2)));
        let (mut earlier, mut ledger) = (call.ledger(), call.ledger());
        assert!(stepper.step(pin!(&mut call), 1).is_none());
        if !drops {
            stepper.finish(&mut call).expect("it ends");
        }
        drop(call);
        let told = stepper.finish(earlier.report()).expect("it is told");
        assert!(told.messages.is_empty() && matches!(told.ended, Some(Error::Misuse(Misuse::Over))), "{told:?}");
        let kept = stepper.finish(ledger.report()).expect("it has it");
        assert!(!matches!(kept.ended, Some(Error::Misuse(_))), "{kept:?}");
    }
}

#[test]
fn a_ledger_outlives_the_client() {
    let (mut stepper, place) = World::SMALL.synchronizing().open();
    let (other, _) = World::SMALL.open();
    stepper.link.set_pace(Pace::bytes(1));
    let mut call = place.client.append_all("Drafts", stream::iter(bodies(3))).ahead(100);
    let mut ledger = call.ledger();
    assert!(stepper.step(pin!(&mut call), 60).is_none());
    drop(call);
    stepper.client = other.client;
    drop(place);
    let report = stepper.finish(ledger.report()).expect("it is reported");
    let there = stepper.link.server().mailboxes()["Drafts"].messages.len();
    assert_eq!((report.stored().count(), there), (1, 1), "{report:?}");
    stepper.rest().expect("no hang");
    assert!(matches!(stepper.end(), Some(Error::Closed(Closed::ByOwner))), "{:?}", stepper.end());
}

#[test]
fn a_stopper_keeps_no_connection_open() {
    let (mut stepper, place) = World::SMALL.open();
    let (other, _) = World::SMALL.open();
    let mut call = place.client.append_all("Drafts", stream::pending::<Vec<u8>>());
    let stopper = call.stopper();
    let ledger = call.ledger();
    assert!(stepper.step(pin!(&mut call), 3).is_none());
    drop(ledger);
    drop(call);
    stepper.client = other.client;
    drop(place);
    stepper.rest().expect("no hang");
    assert!(matches!(stepper.end(), Some(Error::Closed(Closed::ByOwner))), "{:?}", stepper.end());
    stopper.stop();
}

#[test]
fn a_length_that_nothing_has_breaks_no_count() {
    for len in [u64::MAX, u64::MAX - 30, 1 << 63, 1 << 32] {
        for world in [World::SMALL, World::SMALL.synchronizing()] {
            let (mut stepper, place) = world.open();
            let huge = || Upload::from_source(len, stalling(100));
            let items = [Upload::from(bodies(1)[0].clone()), huge(), huge(), Upload::from(bodies(1)[0].clone())];
            let mut call = place.client.append_all("Drafts", stream::iter(items)).ahead(u64::MAX);
            // The server may refuse so much at once.
            let ended = stepper.step(pin!(&mut call), 40);
            let report = ended.unwrap_or_else(|| {
                call.stopper().stop();
                assert!(stepper.step(pin!(&mut call), 40).is_none());
                stepper.link.server_mut().bye("enough");
                stepper.finish(call).expect("it ends")
            });
            let stored: Vec<usize> = report.stored().map(|(index, _)| index).collect();
            assert!(stored == [0] || stored == [0, 3], "{report:?}");
            // The same in one command.
            let (mut stepper, place) = world.open();
            let several = MultiAppend::new("Drafts", [Message::Fed(len), Message::Fed(len)].map(NewMessage::new));
            let mut operation = place.client.run(several).feed_from(stalling(100));
            let refused = stepper.step(Pin::new(&mut operation), 40).is_some();
            drop(operation);
            stepper.rest().expect("no hang");
            assert!(refused || stepper.end().is_some());
        }
    }
}

#[test]
fn stopping_twice_before_the_first_poll_and_after_the_end_is_stopping_once() {
    let (mut stepper, place) = World::SMALL.open();
    let call = place.client.append_all("Drafts", stream::iter(bodies(3)));
    let stopper = call.stopper();
    stopper.stop();
    stopper.stop();
    let report = stepper.finish(call.stop()).expect("it ends");
    assert!(report.messages.is_empty() && matches!(report.ended, Some(Error::Cancelled)), "{report:?}");
    stopper.stop();
    let mut call = place.client.append_all("Drafts", stream::iter(bodies(3)));
    let report = stepper.finish(&mut call).expect("it ends");
    call.stopper().stop();
    let again = stepper.finish(call.stop()).expect("it ends");
    assert!(report.is_complete());
    assert_eq!(format!("{report:?}"), format!("{again:?}"));
    is_good(&mut stepper);
}

#[test]
fn a_stop_that_is_dropped_is_a_drop() {
    for steps in 0..60 {
        let (mut stepper, place) = World::SMALL.synchronizing().open();
        let mut call = place.client.append_all("Drafts", stream::iter(bodies(3)));
        let mut ledger = call.ledger();
        if stepper.step(pin!(&mut call), 4).is_some() {
            continue;
        }
        {
            let stop = pin!(call.stop());
            stepper.step(stop, steps);
        }
        let report = stepper.finish(ledger.report()).expect("it is reported");
        let there = stepper.link.server().mailboxes()["Drafts"].messages.len();
        assert_eq!(report.stored().count(), there, "{steps}: {report:?}");
        is_good(&mut stepper);
    }
}

/// A stream or a source that gives what it has and panics.
struct Panics<T>(Vec<T>);

impl<T: Unpin> Stream for Panics<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
        match self.0.pop() {
            Some(item) => Poll::Ready(Some(item)),
            None => panic!("a stream of the caller's panics"),
        }
    }
}

fn panics<F: Future>(stepper: &mut Stepper, future: Pin<&mut F>) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stepper.step(future, 60))).is_err()
}

#[test]
fn a_stream_that_panics_leaves_a_report_and_a_good_connection() {
    let (mut stepper, place) = World::SMALL.open();
    let mut call = place.client.append_all("Drafts", Panics(bodies(2)));
    let mut ledger = call.ledger();
    assert!(panics(&mut stepper, Pin::new(&mut call)));
    drop(call);
    let report = stepper.finish(ledger.report()).expect("it is reported");
    let there = stepper.link.server().mailboxes()["Drafts"].messages.len();
    assert_eq!((report.messages.len(), report.stored().count()), (2, there), "{report:?}");
    assert!(matches!(report.ended, Some(Error::Cancelled)), "{report:?}");
    is_good(&mut stepper);
}

#[test]
fn a_source_that_panics_closes_inside_its_message_and_nowhere_else() {
    let (mut stepper, place) = World::SMALL.open();
    let source: Source = Box::pin(Panics(vec![Ok(Bytes::from_static(b"some"))]));
    let mut append = place.client.append_from("Drafts", 60, source, |append| append);
    assert!(panics(&mut stepper, Pin::new(&mut append)));
    drop(append);
    stepper.rest().expect("no hang");
    assert!(matches!(stepper.end(), Some(Error::Closed(Closed::OctetsOwed))), "{:?}", stepper.end());
    // One that is never asked does not.
    let (mut stepper, place) = World::SMALL.synchronizing().refusing(Refuse::No).open();
    let append = place.client.append_from("Drafts", 60, Box::pin(Panics(Vec::new())), |append| append);
    let refused = stepper.finish(append).expect("no hang");
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    is_good(&mut stepper);
}

/// A body of the same client as a source. Its pieces would have to be asked for inside the message.
fn own_body(place: &Place) -> Source {
    let body = place.inbox().body(uid(1), Section::whole()).piece(20);
    Box::pin(TryStreamExt::map_err(body, Into::into))
}

/// What the source fails with is told where it comes first.
fn is_for_octets(error: &Error) -> bool {
    matches!(error, Error::Source { closed: true, .. } | Error::Timeout { phase: Phase::Octets, .. })
}

#[test]
fn a_source_that_waits_for_its_own_connection_ends_with_its_time() {
    const TIME: Duration = Duration::from_secs(10);
    const UNLESS_SET: Duration = Duration::from_secs(300);
    for (within, time) in [(Some(TIME), TIME), (None, UNLESS_SET)] {
        let (mut stepper, place) = World::SMALL.open();
        let mut append = place.client.append_from("Drafts", 150, own_body(&place), |append| append);
        if let Some(within) = within {
            append = append.within(within);
        }
        assert!(matches!(stepper.finish(&mut append), Err(Hung::Asleep)));
        let mut noop = place.client.noop();
        assert!(matches!(stepper.finish(&mut noop), Err(Hung::Asleep)));
        stepper.link.advance(time);
        let told = stepper.finish(&mut append).expect("it has its time");
        assert!(told.as_ref().is_err_and(is_for_octets), "{told:?}");
        let told = stepper.finish(noop).expect("it ends with the connection");
        assert!(matches!(told, Err(Error::Timeout { phase: Phase::Octets, limit }) if limit == time), "{told:?}");
        assert_eq!(stepper.link.server().violations(), []);
    }
    let (mut stepper, place) = World::SMALL.open();
    let upload = Upload::from_source(150, own_body(&place));
    let mut all = place.client.append_all("Drafts", stream::iter([Upload::from("Subject: one\r\n\r\n"), upload]));
    assert!(matches!(stepper.finish(&mut all), Err(Hung::Asleep)));
    stepper.link.advance(UNLESS_SET);
    let report = stepper.finish(&mut all).expect("it has its time");
    assert!(report.ended.as_ref().is_some_and(is_for_octets), "{report:?}");
    assert!(matches!(report.messages[..], [Appended::Stored(_), _]) && report.stored().count() == 1, "{report:?}");
    assert_eq!(stepper.link.server().mailboxes()["Drafts"].messages.len(), 1);
}

#[test]
fn messages_may_be_fetched_over_the_connection_that_stores_them() {
    for together in [1, 2] {
        let (mut stepper, place) = World::SMALL.open();
        // What was fetched before goes,
        let body = stepper.finish(place.inbox().body(uid(1), Section::whole()).piece(20).collect(1000));
        let body = body.expect("no hang").expect("it is fetched").expect("it is there");
        let append = Append::new("Drafts", body.clone());
        stepper.finish(place.client.append(append)).expect("no hang").expect("it is stored");
        // and so does what is fetched between two messages.
        let inbox = place.inbox().clone();
        let fetched = stream::iter([1, 2, 1]).then(move |number| {
            let body = inbox.body(uid(number), Section::whole()).piece(20).collect(1000);
            async { body.await.map(Option::unwrap_or_default) }
        });
        let all = place.client.append_all("Drafts", fetched).together(together);
        let report = stepper.finish(all).expect("no hang");
        assert!(report.is_complete() && report.messages.len() == 3, "{report:?}");
        assert_eq!(stepper.link.server().mailboxes()["Drafts"].messages[3].body, body);
        is_good(&mut stepper);
    }
}

#[test]
fn a_source_of_another_length_ends_the_upload_as_what_it_is() {
    // Shorter by one, longer by one in one piece, longer in another piece, which is left where it is.
    for (pieces, stored) in [(&[40, 19][..], false), (&[40, 21], false), (&[61], false), (&[40, 20, 1], true)] {
        let (mut stepper, place) = World::SMALL.open();
        let octets = pieces.iter().map(|len| Ok(Bytes::from(vec![b'a'; *len])));
        let upload = Upload::from_source(60, Box::pin(stream::iter(octets.collect::<Vec<_>>())));
        let report = stepper.finish(place.client.append_all("Drafts", stream::iter([upload]))).expect("it ends");
        assert_eq!(report.is_complete(), stored, "{pieces:?}: {report:?}");
        if !stored {
            let why = matches!(&report.ended, Some(Error::Source { failure: SourceFailure::Length, closed: true }));
            assert!(why, "{pieces:?}: {report:?}");
            assert_eq!(stepper.link.server().mailboxes()["Drafts"].messages.len(), 0);
        }
    }
}

#[test]
fn a_source_that_stalls_is_stopped_by_cutting_it() {
    for together in [1, 5] {
        let (mut stepper, place) = World::SMALL.open();
        let items = [Upload::from(bodies(1)[0].clone()), Upload::from_source(60, stalling(20))];
        let call = place.client.append_all("Drafts", stream::iter(items)).together(together);
        let mut call = call.cancelling(Cancelling::Cut);
        assert!(stepper.step(pin!(&mut call), 60).is_none());
        let report = stepper.finish(call.stop()).expect("it stops");
        assert!(matches!(&report.messages[..], [Appended::Stored(_), Appended::Cancelled]), "{report:?}");
    }
}

#[test]
fn empty_pieces_without_an_end_leave_others_their_turn() {
    let (mut stepper, place) = World::SMALL.open();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let nothing = stream::poll_fn(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0..100_000 => Poll::Ready(Some(Ok(Bytes::new()))),
        _ => panic!("nobody else had a turn"),
    });
    let mut append = Box::pin(place.client.append_from("Drafts", 60, Box::pin(nothing), |append| append));
    assert!(stepper.step(append.as_mut(), 30).is_none());
    drop(append);
    stepper.rest().expect("no hang");
}

#[test]
fn a_server_that_takes_a_byte_a_second_has_all_of_an_upload_that_was_dropped() {
    let (mut stepper, place) = World::SMALL.open();
    let body = text(1, 2000);
    let mut append = place.client.append_all("Drafts", stream::iter([body.clone()]));
    stepper.link.set_pace(Pace::bytes(1));
    assert!(stepper.step(pin!(&mut append), 10).is_none());
    drop(append);
    stepper.link.hold_writes(true);
    for _ in 0..3000 {
        stepper.link.advance(Duration::from_secs(1));
        stepper.link.hold_writes(false);
        stepper.drive();
        stepper.link.hold_writes(true);
    }
    stepper.link.hold_writes(false);
    assert_eq!(stepper.link.server().mailboxes()["Drafts"].messages[0].body, body);
    is_good(&mut stepper);
}

#[test]
fn a_server_that_never_reads_ends_what_was_dropped_in_time() {
    for held_at in [0, 5, 40] {
        let (mut stepper, place) = World::SMALL.open();
        let mut call = place.client.append_all("Drafts", stream::iter(bodies(3)));
        let mut ledger = call.ledger();
        stepper.link.set_pace(Pace::bytes(1));
        stepper.step(pin!(&mut call), 2 * held_at);
        stepper.link.hold_writes(true);
        drop(call);
        let mut report = pin!(ledger.report());
        for second in 0..=61 {
            match stepper.finish(&mut report) {
                Ok(report) => {
                    assert_eq!(report.stored().count() + report.in_doubt().count(), 0, "{report:?}");
                    assert!(second >= 59 || held_at == 0, "{second}");
                    break;
                }
                Err(Hung::Busy) => panic!("busy"),
                Err(Hung::Asleep) => assert!(second < 61, "it hangs"),
            }
            stepper.link.advance(Duration::from_secs(1));
        }
    }
}

#[test]
fn what_is_forgotten_holds_nobody_up() {
    let (mut stepper, place) = World { inbox: 200, each: 4000, inline: 16 << 10, ..World::SMALL }.open();
    for _ in 0..20 {
        let mut stream = place.inbox().fetch(UidSet::all(), FetchItems::ids().section(Section::whole()));
        assert!(stepper.finish(stream.try_next()).expect("no hang").expect("no error").is_some());
        std::mem::forget(stream);
        let mut noop = place.client.noop();
        assert!(stepper.step(Pin::new(&mut noop), 1).is_none());
        std::mem::forget(noop);
        let mut body = place.inbox().body(uid(1), Section::whole());
        stepper.step(pin!(body.try_next()), 3);
        std::mem::forget(body);
        let mut watch = place.inbox().watch();
        stepper.step(pin!(watch.try_next()), 3);
        drop(watch);
    }
    is_good(&mut stepper);
    let waker = Waker::noop();
    let mut call = place.client.append_all("Drafts", stream::pending::<Vec<u8>>());
    assert!(Pin::new(&mut call).poll(&mut Context::from_waker(waker)).is_pending());
    std::mem::forget(call);
    is_good(&mut stepper);
}
