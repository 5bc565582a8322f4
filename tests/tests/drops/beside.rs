//! Other calls of the task that holds a half-read stream, and time that passes meanwhile.

use std::pin::{Pin, pin};
use std::time::Duration;

use imap_proto_core::client::{BodyStream, FetchStream, Notice, Watch};
use imap_proto_core::types::{FetchItems, MailboxName, Query, Section};
use imap_proto_core::{Closed, Error, Limit};
use imap_tests::memory::{Fault, Pace};
use imap_tests::stepper::{Hung, Stepper};

use super::acts::{Act, Place, Portions, World, text, uid};

/// More than a reader may leave lying before the driver stops reading for its sake.
const WORLD: World = World { inbox: 70, each: 4000, big: 600_000, inline: 16 << 10, ..World::SMALL };
const PACE: Pace = Pace::bytes(3000);

fn open() -> (Stepper, Place) {
    let (stepper, place) = WORLD.open();
    stepper.link.set_pace(PACE);
    (stepper, Place { few: true, ..place })
}

fn fetch(place: &Place) -> FetchStream {
    place.inbox().fetch(uid(2)..=uid(70), FetchItems::ids().section(Section::whole()))
}

/// Reads so many messages, and returns how many there were.
fn take(stepper: &mut Stepper, stream: &mut FetchStream, first: usize, most: usize) -> Result<usize, Error> {
    for number in first..first + most {
        let Some(message) = stepper.finish(stream.try_next()).expect("the stream goes on")? else {
            return Ok(number - first);
        };
        assert_eq!(message.uid().get() as usize, number + 2);
        assert_eq!(message.section("").unwrap_or_default(), text(number + 1, 4000));
    }
    Ok(most)
}

/// Octets of the only message of INBOX that are held, at the most.
const LEN: usize = 3000;

#[test]
fn a_body_is_gathered_up_to_a_limit_and_no_further() {
    let world = World { inbox: 1, each: LEN, ..World::SMALL };
    let (mut stepper, place) = world.open();
    let len = stepper.link.server().mailboxes()["INBOX"].messages[0].body.len();
    for limit in [0, 1, len as u64 - 1, len as u64, len as u64 + 1, u64::MAX] {
        let before = stepper.link.written();
        let got = stepper.finish(place.inbox().body(uid(1), Section::whole()).collect(limit)).expect("it ends");
        match got {
            Ok(got) => assert_eq!(got.map(|got| got.len()), Some(len).filter(|len| *len as u64 <= limit), "{limit}"),
            Err(Error::Limit(Limit::Body { limit: told })) => assert!(told == limit && limit < len as u64, "{limit}"),
            Err(error) => panic!("{limit}: {error}"),
        }
        let asked = String::from_utf8(stepper.link.sent(before)).expect("text");
        assert!(asked.contains(&format!("<0.{}>", limit.saturating_add(1).min(256 << 10))), "{limit}: {asked}");
        // What is above it costs itself, and the connection goes on.
        let noop = place.client.noop();
        stepper.finish(noop).expect("an answer").expect("it is done");
    }
    // In pieces, with some of it taken before.
    let mut body = place.inbox().body(uid(1), Section::whole()).piece(100);
    let taken = take_octets(&mut stepper, &mut body, 1).len();
    let rest = stepper.finish(body.collect((len - taken) as u64)).expect("it ends").expect("it fits");
    assert_eq!(rest.map(|rest| rest.len()), Some(len - taken));
    // What is not there is no empty body.
    let gone = stepper.finish(place.inbox().body(uid(999), Section::whole()).collect(9)).expect("it ends");
    assert!(matches!(gone, Ok(None)), "{gone:?}");
    // Dropped half-way, it is read over.
    for steps in 0..40 {
        let mut collecting = Box::pin(place.inbox().body(uid(1), Section::whole()).piece(100).collect(1 << 20));
        let _ = stepper.step(collecting.as_mut(), steps);
        drop(collecting);
        let noop = place.client.noop();
        stepper.finish(noop).expect("an answer").expect("it is done");
    }
    assert_eq!(stepper.link.server().violations(), []);
}

fn take_octets(stepper: &mut Stepper, stream: &mut BodyStream, most: usize) -> Vec<u8> {
    let mut octets = Vec::new();
    while octets.len() < most {
        match stepper.finish(stream.try_next()).expect("the stream goes on").expect("no error") {
            Some(chunk) => octets.extend_from_slice(&chunk),
            None => break,
        }
    }
    octets
}

/// Calls that get their answer while a stream is held.
const BESIDE: [Act; 7] =
    [Act::Noop, Act::Search, Act::SearchLiteral, Act::Capability, Act::Append, Act::AppendFrom, Act::Sections];

/// Lets the driver read as much as it will for a reader that does not read.
fn lie(stepper: &mut Stepper) {
    stepper.rest().expect("the driver waits for the reader");
}

/// What the server was asked for while a stream was read to its end.
fn asked(world: World, act: Act) -> Vec<String> {
    let (mut stepper, place) = world.open();
    let written = stepper.link.written();
    stepper.finish(place.perform(act)).expect("an end").expect("the right answer");
    let sent = String::from_utf8(stepper.link.sent(written)).expect("text");
    sent.lines().filter_map(|line| line.split_once("UID FETCH ")).map(|(_, asked)| asked.to_owned()).collect()
}

#[test]
fn a_stream_asks_for_as_much_at_a_time_as_it_was_told() {
    let world = World { portions: Portions::Of(3, 60), inbox: 7, ..World::SMALL };
    let sets = ["1:3", "4:6", "7"];
    let lines = asked(world, Act::Windows);
    assert_eq!(lines.iter().filter_map(|line| line.split(' ').next()).collect::<Vec<_>>(), sets);
    let lines = asked(world, Act::Sections);
    assert_eq!(lines.iter().filter_map(|line| line.split(' ').next()).collect::<Vec<_>>(), sets);
    let lines = asked(world, Act::Body);
    assert!(lines.len() >= 3, "{lines:?}");
    for (index, line) in lines.iter().enumerate() {
        assert!(line.contains(&format!("<{}.60>", index * 60)), "{line}");
    }
}

#[test]
fn calls_are_answered_beside_a_half_read_fetch() {
    for (act, read) in BESIDE.into_iter().flat_map(|act| [0, 1, 5, 16, 31, 32, 33, 60, 68].map(|read| (act, read))) {
        let (mut stepper, place) = open();
        let mut stream = fetch(&place);
        // An odd one is read until the driver has stopped, an even one is left at once.
        assert_eq!(take(&mut stepper, &mut stream, 0, read).expect("no error"), read);
        if read % 2 == 1 {
            lie(&mut stepper);
        }
        let answer = stepper.finish(place.perform(act)).unwrap_or_else(|hung| panic!("{act:?} after {read} {hung}"));
        assert!(answer.is_ok(), "{act:?} after {read}: {answer:?}");
        assert_eq!(take(&mut stepper, &mut stream, read, 100).expect("no error"), 69 - read);
        assert_eq!(stepper.link.server().violations(), []);
    }
}

#[test]
fn a_call_beside_a_long_fetch_has_its_turn_within_a_window() {
    const WINDOW: u32 = 5;
    for read in 0..40 {
        let (mut stepper, place) = World { inbox: 60, ..World::SMALL }.open();
        stepper.link.set_pace(Pace::bytes(100));
        let uids = uid(1)..=uid(60);
        let mut stream = place.inbox().fetch(uids, FetchItems::ids().flags()).window(WINDOW);
        for _ in 0..read {
            stepper.finish(stream.try_next()).expect("the stream goes on").expect("no error").expect("a message");
        }
        let (from, received) = (stepper.link.written(), stepper.link.read());
        let noop = place.client.noop();
        stepper.finish(noop).expect("an answer").expect("it is done");
        let sent = String::from_utf8(stepper.link.sent(from)).expect("text");
        // The stream may have asked for its next window before.
        assert!(sent.contains("NOOP") && sent.matches("FETCH").count() <= 1, "after {read}: {sent}");
        // Of what was asked for before there are two windows of lines like `* 60 FETCH (UID 60 FLAGS ())`.
        let before = stepper.link.read() - received;
        assert!(before < 2 * u64::from(WINDOW) * 40 + 100, "after {read}: {before} octets came first");
        let mut rest = read;
        while stepper.finish(stream.try_next()).expect("the stream goes on").expect("no error").is_some() {
            rest += 1;
        }
        assert_eq!(rest, 60);
    }
}

#[test]
fn calls_are_answered_beside_a_half_read_body() {
    for (act, read) in BESIDE.into_iter().flat_map(|act| [1, 70_000, 262_144, 300_000].map(|read| (act, read))) {
        let (mut stepper, place) = open();
        let mut stream = place.inbox().body(uid(1), Section::whole());
        let mut octets = take_octets(&mut stepper, &mut stream, read);
        lie(&mut stepper);
        let answer = stepper.finish(place.perform(act)).unwrap_or_else(|hung| panic!("{act:?} after {read} {hung}"));
        assert!(answer.is_ok(), "{act:?} after {read}: {answer:?}");
        octets.extend(take_octets(&mut stepper, &mut stream, usize::MAX));
        assert!(octets == text(0, 600_000), "{act:?} after {read}");
        assert_eq!(stepper.link.server().violations(), []);
    }
}

#[test]
fn a_select_beside_a_half_read_fetch_ends_it_with_an_error() {
    let (mut stepper, place) = open();
    let mut stream = fetch(&place);
    assert_eq!(take(&mut stepper, &mut stream, 0, 5).expect("no error"), 5);
    lie(&mut stepper);
    let select = stepper.client.select(MailboxName::try_from("Other").expect("a name"));
    stepper.finish(select).expect("no hang").expect("it is selected");
    match take(&mut stepper, &mut stream, 5, 100) {
        Err(Error::Deselected) => {}
        other => panic!("the fetch ended with {other:?}"),
    }
    assert_eq!(stepper.link.server().violations(), []);
}

#[test]
fn a_call_dropped_beside_a_half_read_fetch_settles() {
    for act in BESIDE {
        let (mut stepper, place) = open();
        let mut stream = fetch(&place);
        assert_eq!(take(&mut stepper, &mut stream, 0, 1).expect("no error"), 1);
        lie(&mut stepper);
        let mut doing = place.perform(act);
        assert!(stepper.step(doing.as_mut(), 3).is_none());
        drop(doing);
        let settled = stepper.finish(place.client.settle()).unwrap_or_else(|hung| panic!("{act:?}, settle {hung}"));
        if act != Act::AppendFrom {
            assert!(settled.is_ok());
            assert_eq!(take(&mut stepper, &mut stream, 1, 100).expect("no error"), 68);
        }
        assert_eq!(stepper.link.server().violations(), []);
    }
}

#[test]
fn a_call_cancelled_beside_its_unread_answer_settles() {
    let (mut stepper, place) = World { inbox: 20_000, ..World::SMALL }.open();
    let mut search = place.inbox().search(Query::all());
    assert!(stepper.step(Pin::new(&mut search), 1).is_none());
    lie(&mut stepper);
    search.canceller().cancel();
    stepper.finish(place.client.settle()).expect("the driver reads on").expect("it settles");
    assert!(matches!(stepper.finish(search).expect("no hang"), Err(Error::Cancelled)));
}

#[test]
fn calls_beside_a_half_read_fetch_end_with_the_connection() {
    for fault in [Fault::End, Fault::Bye, Fault::Error] {
        for more in [0, 1, 10_000, 70_000, 200_000] {
            let (mut stepper, place) = open();
            let mut stream = fetch(&place);
            assert_eq!(take(&mut stepper, &mut stream, 0, 1).expect("no error"), 1);
            lie(&mut stepper);
            stepper.link.fail_read_at(stepper.link.read() + more, fault);
            let noop = stepper.client.noop();
            let answer = stepper.finish(noop).unwrap_or_else(|hung| panic!("{fault:?} {more}: NOOP {hung}"));
            assert!(answer.is_err() || more > 0);
            assert!(take(&mut stepper, &mut stream, 1, 100).is_err(), "a short success");
        }
    }
}

#[test]
fn a_reader_may_take_its_time() {
    let (mut stepper, place) = open();
    let mut stream = fetch(&place);
    for number in 0..69 {
        assert_eq!(take(&mut stepper, &mut stream, number, 1).expect("a slow reader loses nothing"), 1);
        lie(&mut stepper);
        for _ in 0..4 {
            stepper.link.advance(Duration::from_secs(20));
            lie(&mut stepper);
        }
    }
    assert_eq!(take(&mut stepper, &mut stream, 69, 1).expect("no error"), 0);
}

#[test]
fn a_watch_may_be_left_lying() {
    let (mut stepper, place) = World::SMALL.open();
    let mut watch = place.inbox().watch();
    let idling = stepper.finish(watch.try_next()).expect("no hang").expect("no error");
    assert!(matches!(idling, Some(Notice::Idling)));
    stepper.link.deliver_in_idle(3000);
    for _ in 0..10 {
        lie(&mut stepper);
        stepper.link.advance(Duration::from_secs(5 * 60));
        lie(&mut stepper);
        stepper.link.advance(Duration::from_secs(31));
    }
    let view = stepper.finish(place.client.view()).expect("no hang").expect("the connection lives");
    assert_eq!(view.selected().map(|selected| selected.exists), Some(3004));
    let mut missed = 0;
    let mut told = 0;
    stepper.link.deliver_in_idle(1);
    while told + missed < 3001 {
        match stepper.finish(watch.try_next()).expect("no hang").expect("no error") {
            Some(Notice::Lagged(more)) => missed += more,
            Some(Notice::Response(_)) => told += 1,
            other => assert!(matches!(other, Some(Notice::Idling)), "{other:?}"),
        }
        stepper.link.deliver_in_idle(1);
    }
    assert!(missed > 0 && told > 0);
}

#[test]
fn a_watch_goes_on_beside_a_stream_that_nobody_reads() {
    const PAUSE: Duration = Duration::from_secs(30);
    const MOMENT: Duration = Duration::from_millis(1);
    let (mut stepper, place) = open();
    let mut watch = place.inbox().watch();
    let idles = |stepper: &mut Stepper, watch: &mut Watch| {
        matches!(stepper.finish(watch.try_next()).expect("no hang"), Ok(Some(Notice::Idling)))
    };
    assert!(idles(&mut stepper, &mut watch));
    let mut stream = fetch(&place);
    assert_eq!(take(&mut stepper, &mut stream, 0, 5).expect("no error"), 5);
    lie(&mut stepper);
    for by in [Duration::ZERO, PAUSE - MOMENT] {
        stepper.link.advance(by);
        let told = stepper.finish(watch.try_next());
        assert!(matches!(told, Err(Hung::Asleep)), "{told:?}");
    }
    stepper.link.advance(MOMENT);
    // The rest of what was asked for is read on; then IDLE is taken up again, and other calls are answered.
    assert!(idles(&mut stepper, &mut watch));
    stepper.link.deliver_in_idle(1);
    let told = stepper.finish(watch.try_next()).expect("no hang").expect("no error");
    assert!(told.as_ref().and_then(Notice::unsolicited).is_some(), "{told:?}");
    stepper.finish(place.client.noop()).expect("no hang").expect("it is done");
    assert_eq!(take(&mut stepper, &mut stream, 5, 100).expect("no error"), 64);
    assert_eq!(stepper.link.server().violations(), []);
}

/// A call waits behind it, or a watch.
#[test]
fn what_nobody_reads_is_kept_up_to_a_limit() {
    for watches in [false, true] {
        let (mut stepper, place) = World { inbox: 70, each: 1 << 20, inline: 16 << 10, ..World::SMALL }.open();
        let mut watch = place.inbox().watch();
        let mut stream = place.inbox().fetch(uid(1)..=uid(70), FetchItems::ids().section(Section::whole())).window(70);
        assert!(stepper.finish(stream.try_next()).expect("no hang").expect("no error").is_some());
        lie(&mut stepper);
        if watches {
            assert!(matches!(stepper.finish(watch.try_next()), Err(Hung::Asleep)));
            stepper.link.advance(Duration::from_secs(30));
            let told = stepper.finish(watch.try_next());
            assert!(matches!(told, Ok(Ok(Some(Notice::Idling)))), "{told:?}");
        } else {
            stepper.finish(place.client.noop()).expect("no hang").expect("it is done");
        }
        let ended = loop {
            match stepper.finish(stream.try_next()).expect("no hang") {
                Ok(Some(_)) => {}
                ended => break ended,
            }
        };
        assert!(matches!(ended, Err(Error::Limit(Limit::SlowReader { limit })) if limit == 64 << 20), "{ended:?}");
        stepper.finish(place.client.noop()).expect("no hang").expect("the connection is good");
        assert_eq!(stepper.link.server().violations(), []);
    }
}

#[test]
fn a_silent_server_is_given_up_all_the_same() {
    let (mut stepper, place) = open();
    stepper.link.server_mut().hold();
    let mut doing = place.perform(Act::Noop);
    assert!(stepper.step(doing.as_mut(), 10).is_none());
    stepper.link.advance(Duration::from_secs(59));
    assert!(stepper.step(doing.as_mut(), 10).is_none());
    stepper.link.advance(Duration::from_secs(2));
    let answer = stepper.finish(doing).expect("the driver wakes by itself");
    assert!(matches!(answer, Err(super::acts::Wrong::Error(Error::Timeout { .. }))), "{answer:?}");
}

#[test]
fn a_dropped_append_may_take_its_time() {
    let (mut stepper, place) = WORLD.open();
    let place = Place { message: text(7000, 100_000), ..place };
    let mut doing = place.perform(Act::Append);
    stepper.link.set_pace(Pace::bytes(1000));
    assert!(stepper.step(doing.as_mut(), 5).is_none());
    drop(doing);
    let mut settling = pin!(place.client.settle());
    for _ in 0..50 {
        stepper.link.hold_writes(true);
        assert!(stepper.step(settling.as_mut(), 4).is_none());
        stepper.link.advance(Duration::from_secs(10));
        stepper.link.hold_writes(false);
        assert!(stepper.step(settling.as_mut(), 4).is_none(), "{:?}", stepper.end());
    }
    stepper.finish(settling).expect("no hang").expect("it settles");
    let drafts = stepper.link.server().mailboxes()["Drafts"].messages.clone();
    assert!(drafts.len() == 1 && drafts[0].body == place.message);
}

#[test]
fn what_is_left_of_a_dropped_download_is_not_awaited_for_ever() {
    let (mut stepper, place) = open();
    let mut stream = fetch(&place);
    assert_eq!(take(&mut stepper, &mut stream, 0, 1).expect("no error"), 1);
    drop(stream);
    stepper.link.server_mut().hold();
    lie(&mut stepper);
    stepper.link.advance(Duration::from_secs(31));
    lie(&mut stepper);
    assert!(!matches!(stepper.end(), None | Some(Error::Closed(Closed::ByOwner))), "{:?}", stepper.end());
}

#[test]
fn what_waits_behind_a_dropped_call_has_its_turn() {
    let (mut stepper, place) = World::SMALL.open();
    stepper.link.hold_writes(true);
    let mut select = place.perform(Act::Select);
    let mut noop = place.perform(Act::Noop);
    assert!(stepper.step(select.as_mut(), 2).is_none());
    assert!(stepper.step(noop.as_mut(), 2).is_none());
    drop(select);
    lie(&mut stepper);
    stepper.link.hold_writes(false);
    let answer = stepper.finish(noop).expect("its turn comes");
    assert!(answer.is_ok(), "{answer:?}");
    assert!(!stepper.link.sent(0).windows(5).any(|bytes| bytes == b"Other"));
}

#[test]
fn a_select_passes_nothing() {
    let (mut stepper, place) = World::SMALL.open();
    stepper.link.server_mut().hold();
    let mut search = place.perform(Act::Search);
    let mut select = place.perform(Act::Select);
    assert!(stepper.step(search.as_mut(), 2).is_none());
    assert!(stepper.step(select.as_mut(), 2).is_none());
    lie(&mut stepper);
    assert!(!stepper.link.sent(0).windows(5).any(|bytes| bytes == b"Other"));
    stepper.link.server_mut().release();
    assert!(stepper.finish(search).expect("no hang").is_ok());
    assert!(stepper.finish(select).expect("no hang").is_ok());
}
