//! Uploads with a time for each message, by a clock that the test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use imap_proto_core::client::{AppendAll, AppendReport, Appended};
use imap_proto_core::{Config, Error, Phase};
use imap_tests::stepper::{Hung, Stepper};
use imap_tests::strict::{Greeting, Literals, Options, StrictServer};

use super::acts::text;

const LIMIT: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_millis(100);
const MESSAGES: usize = 100;

fn body(index: usize) -> Vec<u8> {
    text(9500 + index, 10_000)
}

fn open(literals: Literals) -> Stepper {
    let mut server = StrictServer::new(Options { greeting: Greeting::Preauth, literals, ..Options::default() });
    server.create("Drafts");
    let mut config = Config::default();
    config.command = Some(LIMIT);
    Stepper::connect(server, config)
}

/// Messages, and how many of them were taken.
fn upload(stepper: &Stepper) -> (AppendAll, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let taking = taken.clone();
    let messages = stream::iter(0..MESSAGES).map(move |index| {
        taking.fetch_add(1, Ordering::Relaxed);
        body(index)
    });
    (stepper.client.append_all("Drafts", messages), taken)
}

/// What the report says of each is what the server has; returns how many are stored.
fn judge(report: &AppendReport, stepper: &Stepper) -> usize {
    let server = stepper.link.server();
    let there = &server.mailboxes()["Drafts"];
    for (index, message) in report.messages.iter().enumerate() {
        let copies = there.messages.iter().filter(|message| message.body == body(index)).count();
        match message {
            Appended::Stored(Some(at)) => {
                assert!(there.message(at.uid.get()).is_some_and(|message| message.body == body(index)), "{index}");
            }
            Appended::InDoubt => assert!(copies <= 1, "{index}"),
            other => assert_eq!(copies, 0, "{index} is {other:?}"),
        }
    }
    assert_eq!(report.failed().count(), 0, "{report:?}");
    report.stored().count()
}

#[test]
fn each_message_to_a_slow_server_has_its_own_time() {
    // With a `+` before it each message takes two of them.
    for (literals, pause) in [(Literals::Plus, LIMIT - MOMENT), (Literals::Synchronizing, (LIMIT - MOMENT) / 2)] {
        let mut stepper = open(literals);
        stepper.link.server_mut().hold();
        let (mut call, _) = upload(&stepper);
        let mut answered = 0;
        let report = loop {
            match stepper.finish(&mut call) {
                Ok(report) => break report,
                Err(hung) => assert_eq!(hung, Hung::Asleep),
            }
            stepper.link.advance(pause);
            assert!(matches!(stepper.finish(&mut call), Err(Hung::Asleep)));
            // One answer at a time, and it takes nearly all the time there is.
            stepper.link.server_mut().release_line();
            answered += 1;
            assert!(answered <= 2 * MESSAGES);
        };
        assert!(report.is_complete(), "{:?} {:?}", report.ended, report.messages);
        assert_eq!(judge(&report, &stepper), MESSAGES);
    }
}

#[test]
fn an_upload_to_a_server_that_falls_silent_ends_in_time_and_can_be_resumed() {
    for literals in [Literals::Plus, Literals::Synchronizing] {
        for answered in [0, 1, 5] {
            let mut stepper = open(literals);
            let (call, taken) = upload(&stepper);
            let mut call = call.ahead(100_000);
            stepper.link.server_mut().hold();
            for _ in 0..answered {
                assert!(matches!(stepper.finish(&mut call), Err(Hung::Asleep)));
                stepper.link.server_mut().release_line();
            }
            let mut passed = Duration::ZERO;
            let report = loop {
                match stepper.finish(&mut call) {
                    Ok(report) => break report,
                    Err(hung) => assert_eq!(hung, Hung::Asleep),
                }
                stepper.link.advance(MOMENT);
                passed += MOMENT;
            };
            // Its own time, and that of all that had left behind it.
            assert!(passed >= LIMIT && passed <= LIMIT * 2, "{passed:?}");
            assert!(matches!(report.ended, Some(Error::Timeout { phase: Phase::Operation, .. })), "{:?}", report.ended);
            judge(&report, &stepper);
            assert!(taken.load(Ordering::Relaxed) <= 10 + answered + 1, "the stream was taken to its end");
            assert_eq!(report.messages.len(), taken.load(Ordering::Relaxed));
            let accounted = report.stored().count() + report.in_doubt().count() + report.not_stored().count();
            assert_eq!(accounted, report.messages.len(), "{report:?}");
            assert!(literals == Literals::Plus || report.not_stored().count() > 0, "{report:?}");
            assert!(stepper.end().is_none());
            // The connection is good.
            stepper.link.server_mut().release();
            let client = stepper.client.clone();
            assert!(matches!(stepper.finish(client.settle()), Ok(Ok(()))));
            assert_eq!(stepper.link.server().violations(), []);
        }
    }
}

/// The first answer comes too late, and the others in time: each is told as what it is.
#[test]
fn answers_that_come_while_others_are_waited_for_are_told() {
    let mut stepper = open(Literals::Plus);
    stepper.link.server_mut().hold();
    let (call, _) = upload(&stepper);
    let mut call = call.ahead(50_000);
    assert!(matches!(stepper.finish(&mut call), Err(Hung::Asleep)));
    stepper.link.advance(LIMIT);
    assert!(matches!(stepper.finish(&mut call), Err(Hung::Asleep)));
    let mut rounds = 0;
    let report = loop {
        stepper.link.advance(LIMIT - MOMENT);
        stepper.link.server_mut().release_line();
        match stepper.finish(&mut call) {
            Ok(report) => break report,
            Err(hung) => assert_eq!(hung, Hung::Asleep),
        }
        rounds += 1;
        assert!(rounds < MESSAGES);
    };
    assert_eq!(report.in_doubt().count(), 0, "{report:?}");
    assert_eq!(judge(&report, &stepper), report.messages.len(), "{report:?}");
    assert!(report.messages.len() < MESSAGES);
    assert!(matches!(report.ended, Some(Error::Timeout { phase: Phase::Operation, .. })), "{report:?}");
}
