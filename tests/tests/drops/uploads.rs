//! Many messages in one call: however it ends, the report says what the server has.
//!
//! Each of these was broken once by hand, and this is what failed (`ended` is
//! [`an_upload_ended_at_any_byte_reports_what_the_server_has`], `together`
//! [`messages_that_go_together_are_stored_together_or_not_at_all`]):
//!
//! | rule that was broken | what failed |
//! | --- | --- |
//! | `Work::stop`: what has not begun is taken back | `stopping_takes_back_what_has_not_begun` |
//! | `Call::Withdraw`: what has begun is not | `ended` |
//! | `Work::abandon`: a source is gone with its owner | `ended` |
//! | `Work::unanswered`: what may be stored is in doubt | `ended`, `an_upload_whose_connection_is_lost_at_any_byte_reports_what_the_server_has`, `together` |
//! | `Work::answered`: TRYCREATE ends the upload | `a_mailbox_that_is_not_there_ends_the_upload_at_its_first_message` |
//! | `Batch::listen`: the end of the connection is told | `an_upload_waiting_for_its_stream_ends_with_the_connection` |
//! | `Work::poll_more`: no more than may be under way | `no_more_is_taken_than_may_be_under_way` |
//! | `Work::poll_more`: a group goes before what cannot be read | `together` |
//! | `AppendAll`: a ledger has the report of a call that ended | `ended` |
//! | `Stopper`: whoever waits for the call is woken | `a_stopper_wakes_whoever_waits` |
//! | `abandon`: a MULTIAPPEND is taken back between two messages | `together`, `several` |
//! | `abandon`: with `Cut` nothing more is sent | `together`, `several` |
//! | `abandon`: only where MULTIAPPEND was advertised | `a_server_that_does_not_say_it_takes_several_is_not_told_to_take_them_back` of the core |

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake};

use futures_core::Stream;
use futures_util::stream;
use imap_proto_core::client::{AppendAll, AppendProgress, AppendReport, Appended, Upload};
use imap_proto_core::command::{Cancelling, Message, NewMessage};
use imap_proto_core::types::{Flag, MailboxName};
use imap_proto_core::{Closed, Error, Misuse, SourceFailure};
use imap_tests::memory::Fault;
use imap_tests::stepper::Stepper;

use super::acts::{PIECES, Place, Refuse, World, source, text};
use super::fates::{PACES, WORLDS};
use super::matrix::settle;

/// Which of them comes from a source, and which cannot be read.
const FED: usize = 1;
const UNREADABLE: usize = 3;
const MESSAGES: usize = 5;

type Item = Result<Upload, &'static str>;

/// A stream that lets one wait for each item.
struct Paced<T> {
    items: VecDeque<T>,
    waited: bool,
}

impl<T: Unpin> Stream for Paced<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.waited = !self.waited;
        if self.waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.items.pop_front())
    }
}

fn paced<T>(items: impl IntoIterator<Item = T>) -> Paced<T> {
    Paced { items: items.into_iter().collect(), waited: false }
}

fn body(index: usize) -> Vec<u8> {
    text(8000 + index, 60)
}

fn upload(index: usize, left: &Arc<AtomicUsize>) -> Item {
    match index {
        FED => Ok(Upload::from_source(body(FED).len() as u64, source(&body(FED), left.clone()))),
        UNREADABLE => Err("no such file"),
        _ => Ok(Upload::from(body(index))),
    }
}

fn into(place: &Place) -> MailboxName {
    MailboxName::try_from(place.into).expect("a name")
}

fn upload_all(place: &Place) -> AppendAll {
    place.client.append_all(into(place), paced((0..MESSAGES).map(|index| upload(index, &place.pieces_left))))
}

/// Holds the report against what the server has. Returns how many are stored.
fn judge(report: &AppendReport, stepper: &Stepper, case: &str) -> usize {
    let server = stepper.link.server();
    assert_eq!(server.violations(), [], "{case}");
    let there = &server.mailboxes()["Drafts"];
    let mut stored = 0;
    for (index, message) in report.messages.iter().enumerate() {
        let copies = there.messages.iter().filter(|message| message.body == body(index)).count();
        match message {
            Appended::Stored(Some(at)) => {
                let message = there.message(at.uid.get()).unwrap_or_else(|| panic!("{case}: {index} is not there"));
                assert_eq!((message.body == body(index), copies), (true, 1), "{case}: {index}");
            }
            Appended::InDoubt => assert!(stepper.end().is_some() && copies <= 1, "{case}: {index}"),
            // The connection was lost inside the answer, behind the OK.
            Appended::Stored(None) => assert!(stepper.end().is_some() && copies == 1, "{case}: {index}"),
            _ => assert_eq!(copies, 0, "{case}: {index} is {message:?}"),
        }
        stored += copies;
    }
    assert_eq!(there.messages.len(), stored, "{case}");
    for (index, error) in report.failed() {
        let why = Error::Source { failure: SourceFailure::Read("no such file".into()), closed: false }.to_string();
        assert_eq!((index, error.to_string()), (UNREADABLE, why), "{case}");
    }
    stored
}

/// The report of a call that was left to itself.
fn judge_whole(report: &AppendReport, stepper: &Stepper, world: World, case: &str) {
    let stored = judge(report, stepper, case);
    assert!(stepper.end().is_none(), "{case}");
    match world.refuse {
        Refuse::Never => {
            assert_eq!((stored, report.messages.len()), (MESSAGES - 1, MESSAGES), "{case}");
            assert!(report.ended.is_none() && !report.is_complete(), "{case}");
        }
        Refuse::Missing => {
            // With the first refusal the others are taken back, but for those that had begun.
            let refused = report.refused().count();
            let ended = matches!(&report.ended, Some(Error::Refused(_)));
            assert!(refused == MESSAGES - 1 || (refused >= 1 && ended), "{case}: {report:?}");
        }
        Refuse::No | Refuse::Bad => {
            // One literal is.
            assert_eq!((report.refused().count(), stored), (1, MESSAGES - 2), "{case}");
            assert!(report.ended.is_none(), "{case}");
        }
    }
}

/// Who ends it half-way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// `call.stop().await`
    Owner,
    /// `stopper.stop()`, while the call is awaited.
    Other,
    /// The call is dropped, and a ledger asked.
    DropWithLedger,
    /// The call is dropped, and nobody asks.
    Drop,
}

#[test]
fn an_upload_ended_at_any_byte_reports_what_the_server_has() {
    let (mut cases, mut closed, mut counts) = (0, 0, [0; MESSAGES]);
    for (world, pace) in WORLDS.into_iter().flat_map(|world| PACES.map(|pace| (world, pace))) {
        for by in [By::Owner, By::Other, By::DropWithLedger, By::Drop] {
            for steps in 0.. {
                let (mut stepper, place) = world.open();
                stepper.link.set_pace(pace);
                let mut call = upload_all(&place);
                let mut ledger = call.ledger();
                let case = format!("{world:?} {pace:?} {by:?} after {steps}");
                if let Some(report) = stepper.step(Pin::new(&mut call), steps) {
                    judge_whole(&report, &stepper, world, &case);
                    let again = stepper.finish(call.stop()).expect("it is told again");
                    assert_eq!(again.messages.len(), report.messages.len(), "{case}");
                    let kept = stepper.finish(ledger.report()).expect("it is kept");
                    assert_eq!(format!("{:?}", kept.messages), format!("{:?}", report.messages), "{case}");
                    break;
                }
                let report = match by {
                    By::Owner => Some(stepper.finish(call.stop()).expect("it stops")),
                    By::Other => {
                        call.stopper().stop();
                        Some(stepper.finish(call).expect("it stops"))
                    }
                    By::DropWithLedger => {
                        drop(call);
                        Some(stepper.finish(ledger.report()).expect("it is reported"))
                    }
                    By::Drop => {
                        drop((call, ledger));
                        None
                    }
                };
                settle(&mut stepper).expect("it settles");
                let stopped = matches!(by, By::Owner | By::Other);
                if let Some(report) = &report {
                    let stored = judge(report, &stepper, &case);
                    counts[stored] += 1;
                    assert!(report.ended.is_some() || report.messages.len() == MESSAGES, "{case}: {report:?}");
                    if steps == 0 {
                        assert_eq!((report.messages.len(), stored), (0, 0), "{case}");
                    }
                }
                assert_eq!(stepper.link.server().violations(), [], "{case}");
                match stepper.end() {
                    None => {
                        let noop = stepper.client.noop();
                        stepper.finish(noop).expect("an answer").expect("the connection is good");
                    }
                    Some(Error::Closed(Closed::OctetsOwed)) => {
                        closed += 1;
                        let left = place.pieces_left.load(Ordering::Relaxed);
                        assert!(!stopped && left > 0 && left <= PIECES, "{case}: closed with {left} left");
                        let fed = report.as_ref().map(|report| &report.messages[FED]);
                        assert!(fed.is_none_or(|fed| matches!(fed, Appended::Cancelled)), "{case}: {fed:?}");
                    }
                    Some(error) => panic!("{case}: {error}"),
                }
                cases += 1;
            }
        }
    }
    println!(
        "{cases} uploads ended half-way, {closed} of them inside a source's message; by number stored: {counts:?}"
    );
    assert!(cases > 4000 && closed > 100 && counts.iter().all(|count| *count > 50));
}

#[test]
fn messages_that_go_together_are_stored_together_or_not_at_all() {
    const TOGETHER: usize = 2;
    /// The one that cannot be read parts them: two, one, two, one.
    const GROUPS: [usize; 7] = [0, 0, 1, 2, 3, 3, 4];
    const STORED: usize = GROUPS.len() - 1;
    let (mut cases, mut undone, mut closed, mut parts) = (0, 0, 0, [0; STORED + 1]);
    let worlds = [World::SMALL, World::SMALL.synchronizing(), World::SMALL.refusing(Refuse::Missing)];
    for (world, pace) in worlds.into_iter().flat_map(|world| PACES.map(|pace| (world, pace))) {
        for (cancelling, by) in [Cancelling::Finish, Cancelling::Cut]
            .into_iter()
            .flat_map(|cancelling| [By::Owner, By::Other, By::DropWithLedger].map(|by| (cancelling, by)))
        {
            for steps in 0.. {
                let (mut stepper, place) = world.open();
                stepper.link.set_pace(pace);
                let items = (0..GROUPS.len()).map(|index| match index {
                    UNREADABLE => Err("no such file"),
                    _ => Ok(body(index)),
                });
                let items = stream::iter(items);
                let call = place.client.append_all(into(&place), items);
                let mut call = call.together(TOGETHER).cancelling(cancelling);
                let mut ledger = call.ledger();
                let case = format!("{world:?} {pace:?} {cancelling:?} {by:?} after {steps}");
                let whole = stepper.step(Pin::new(&mut call), steps);
                let is_whole = whole.is_some();
                let report = match by {
                    _ if is_whole => whole.expect("it is there"),
                    By::Owner => stepper.finish(call.stop()).expect("it stops"),
                    By::Other => {
                        call.stopper().stop();
                        stepper.finish(call).expect("it stops")
                    }
                    By::DropWithLedger | By::Drop => {
                        drop(call);
                        stepper.finish(ledger.report()).expect("it is reported")
                    }
                };
                settle(&mut stepper).expect("it settles");
                let stored = judge(&report, &stepper, &case);
                let is_stored = |index: usize| report.messages.get(index).map(|m| matches!(m, Appended::Stored(_)));
                for index in 1..report.messages.len() {
                    let together = GROUPS[index - 1] == GROUPS[index];
                    assert!(!together || is_stored(index - 1) == is_stored(index), "{case}: {report:?}");
                }
                parts[stored] += 1;
                undone += usize::from(
                    stepper.end().is_none() && report.messages.iter().any(|m| matches!(m, Appended::Cancelled)),
                );
                closed += usize::from(stepper.end().is_some());
                assert!(stepper.end().is_none() || cancelling == Cancelling::Cut, "{case}");
                cases += 1;
                if is_whole {
                    assert!(world.refuse != Refuse::Never || stored == STORED, "{case}");
                    break;
                }
            }
        }
    }
    println!("{cases} uploads of messages together: {undone} taken back, {closed} closed; by number stored: {parts:?}");
    assert!(undone > 100 && closed > 100 && parts[TOGETHER] > 100 && parts[STORED] > 20);
}

#[test]
fn an_upload_whose_connection_is_lost_at_any_byte_reports_what_the_server_has() {
    let (mut cases, mut doubts) = (0, 0);
    for (world, pace) in WORLDS.into_iter().take(2).flat_map(|world| [(world, PACES[1]), (world, PACES[3])]) {
        for fault in [Some(Fault::End), Some(Fault::Bye), Some(Fault::Error), None] {
            for at in 0.. {
                let (mut stepper, place) = world.open();
                stepper.link.set_pace(pace);
                match fault {
                    Some(fault) => stepper.link.fail_read_at(stepper.link.read() + at, fault),
                    None => stepper.link.fail_write_at(stepper.link.written() + at as usize),
                }
                let report = stepper.finish(upload_all(&place)).expect("it ends");
                let case = format!("{world:?} {pace:?} {fault:?} at {at}");
                judge(&report, &stepper, &case);
                let Some(end) = stepper.end() else {
                    judge_whole(&report, &stepper, world, &case);
                    break;
                };
                // Once all is answered the end of the connection is nothing to it.
                if report.messages.len() < MESSAGES || report.stored().count() < MESSAGES - 1 {
                    assert!(report.ended.as_ref().is_some_and(Error::is_fatal), "{case}: {report:?}, {end}");
                }
                doubts += report.in_doubt().count();
                cases += 1;
            }
        }
    }
    println!("{cases} uploads lost their connection; {doubts} messages in doubt");
    assert!(cases > 1500 && doubts > 500);
}

#[test]
fn what_is_wrong_with_one_message_is_nothing_to_the_others() {
    let (mut stepper, place) = World::SMALL.open();
    let bad_flag = NewMessage::new(body(0)).flags([Flag::Recent]);
    let items: Vec<Upload> = vec![
        body(0).into(),
        Vec::new().into(),
        bad_flag.into(),
        NewMessage::new(Message::Fed(7)).into(),
        b"a\0b"[..].into(),
        Upload::from(body(5)).with(|message| message.flags([Flag::Seen])),
    ];
    let report = stepper.finish(place.client.append_all("Drafts", paced(items))).expect("it ends");
    let failed: Vec<(usize, String)> = report.failed().map(|(index, error)| (index, format!("{error:?}"))).collect();
    let expected = [
        (1, format!("{:?}", Error::Misuse(Misuse::EmptyMessage))),
        (2, format!("{:?}", Error::Misuse(Misuse::Flag(Flag::Recent)))),
        (3, format!("{:?}", Error::Misuse(Misuse::NoSource))),
        (4, format!("{:?}", Error::Unsupported("BINARY"))),
    ];
    assert_eq!(failed, expected);
    assert!(report.ended.is_none());
    let stored: Vec<(usize, u32)> =
        report.stored().map(|(index, at)| (index, at.expect("UIDPLUS").uid.get())).collect();
    assert_eq!(stored, [(0, 1), (5, 2)]);
    assert!(stepper.link.server().mailboxes()["Drafts"].messages[1].flags.contains("\\Seen"));
}

#[test]
fn a_source_that_fails_ends_the_upload_with_what_it_said() {
    for (given, failure) in [(20, SourceFailure::Read("torn".into())), (80, SourceFailure::Length)] {
        let (mut stepper, place) = World::SMALL.open();
        let octets: Result<bytes::Bytes, Box<dyn std::error::Error + Send + Sync>> = Ok(vec![b'a'; given].into());
        let torn = Upload::from_source(60, Box::pin(paced([octets, Err("torn".into())])));
        let items = vec![body(0).into(), torn, body(2).into()];
        let mut report = stepper.finish(place.client.append_all("Drafts", paced(items))).expect("it ends");
        let why = Error::Source { failure, closed: true }.to_string();
        assert!(matches!(&report.messages[1], Appended::Failed(error) if error.to_string() == why), "{report:?}");
        assert!(matches!(&report.messages[0], Appended::Stored(_) | Appended::InDoubt), "{report:?}");
        assert!(report.messages.get(2).is_none_or(|other| matches!(other, Appended::NotStarted)), "{report:?}");
        assert!(report.ended.as_ref().is_some_and(|error| error.is_fatal() && error.to_string() == why));
        report.messages.truncate(1);
        judge(&report, &stepper, "torn");
    }
}

/// A stream that has nothing, and never says so.
struct Never;

impl Stream for Never {
    type Item = Upload;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Upload>> {
        Poll::Pending
    }
}

struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_stopper_wakes_whoever_waits() {
    let (mut stepper, place) = World::SMALL.open();
    let mut call = place.client.append_all("Drafts", Never);
    let woken = Arc::new(Woken(AtomicUsize::new(0)));
    let waker = woken.clone().into();
    assert!(Pin::new(&mut call).poll(&mut Context::from_waker(&waker)).is_pending());
    let stopper = call.stopper();
    std::thread::spawn(move || stopper.stop()).join().expect("it does not panic");
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    let report = stepper.finish(call).expect("it stops");
    assert!(report.messages.is_empty() && matches!(report.ended, Some(Error::Cancelled)), "{report:?}");
}

#[test]
fn an_upload_waiting_for_its_stream_ends_with_the_connection() {
    let (mut stepper, place) = World::SMALL.open();
    let mut call = place.client.append_all("Drafts", Never);
    assert!(stepper.step(Pin::new(&mut call), 20).is_none());
    stepper.link.server_mut().bye("bye");
    let report = stepper.finish(call).expect("it ends");
    assert!(matches!(report.ended, Some(Error::Bye { .. })), "{report:?}");
    // So does one that begins later.
    let report = stepper.finish(place.client.append_all("Drafts", Never)).expect("it ends");
    assert!(matches!(report.ended, Some(Error::Bye { .. })), "{report:?}");
}

#[test]
fn progress_is_told_message_by_message_and_piece_by_piece() {
    let (mut stepper, place) = World::SMALL.open();
    let (told, telling) = std::sync::mpsc::channel::<AppendProgress>();
    let call = upload_all(&place).on_progress(move |now| told.send(now).expect("somebody listens"));
    stepper.finish(call).expect("it ends");
    let told: Vec<AppendProgress> = telling.try_iter().collect();
    let last = told.last().expect("something was told");
    assert_eq!((last.taken, last.stored, last.failed, last.octets), (MESSAGES, MESSAGES - 1, 1, 4 * 60));
    assert!(told.windows(2).all(|pair| pair[0].octets <= pair[1].octets && pair[0].stored <= pair[1].stored));
    assert!(told.iter().filter(|now| now.octets % 60 != 0).count() >= PIECES - 1, "{told:?}");
}

#[test]
fn a_mailbox_that_is_not_there_ends_the_upload_at_its_first_message() {
    for world in [World::SMALL, World::SMALL.synchronizing()] {
        let (mut stepper, place) = world.refusing(Refuse::Missing).open();
        let call = place.client.append_all(into(&place), stream::iter((0..MESSAGES).map(body)));
        let report = stepper.finish(call.ahead(0)).expect("it ends");
        assert_eq!((report.messages.len(), report.refused().count()), (1, 1), "{report:?}");
        assert!(matches!(&report.ended, Some(Error::Refused(_))), "{report:?}");
    }
}

#[test]
fn stopping_takes_back_what_has_not_begun() {
    for drops in [false, true] {
        let (mut stepper, place) = World::SMALL.synchronizing().open();
        // The first waits for its `+`, and the others behind it.
        stepper.link.server_mut().hold();
        let mut call = place.client.append_all("Drafts", stream::iter((0..MESSAGES).map(body)));
        let mut ledger = call.ledger();
        assert!(stepper.step(Pin::new(&mut call), 20).is_none());
        let report = if drops {
            drop(call);
            stepper.rest().expect("the driver waits");
            stepper.link.server_mut().release();
            stepper.drive();
            stepper.finish(ledger.report()).expect("it is reported")
        } else {
            call.stopper().stop();
            assert!(stepper.step(Pin::new(&mut call), 20).is_none());
            stepper.link.server_mut().release();
            stepper.drive();
            stepper.finish(call).expect("it stops")
        };
        assert_eq!((judge(&report, &stepper, "stopped"), report.messages.len()), (1, MESSAGES), "{report:?}");
        assert!(report.messages[1..].iter().all(|message| matches!(message, Appended::NotStarted)), "{report:?}");
        assert!(matches!(report.ended, Some(Error::Cancelled)), "{report:?}");
    }
}

#[test]
fn no_more_is_taken_than_may_be_under_way() {
    for (ahead, most) in [(0, 1), (1, 1), (60, 1), (61, 2), (150, 3)] {
        let (mut stepper, place) = World::SMALL.open();
        stepper.link.server_mut().hold();
        let (told, telling) = std::sync::mpsc::channel::<AppendProgress>();
        let items: Vec<Vec<u8>> = (0..MESSAGES).map(body).collect();
        let call = place.client.append_all("Drafts", paced(items)).ahead(ahead);
        let mut call = call.on_progress(move |now| told.send(now).expect("somebody listens"));
        assert!(stepper.step(Pin::new(&mut call), 60).is_none());
        stepper.link.server_mut().release();
        stepper.drive();
        let report = stepper.finish(call).expect("it ends");
        assert!(report.is_complete());
        assert_eq!(telling.recv().expect("something was told").taken, most, "{ahead}");
    }
}
