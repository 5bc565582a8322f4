//! What `cancel` tells of an operation is what became of it.

use std::pin::Pin;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use imap_proto_core::client::Operation;
use imap_proto_core::command::{Append, Message, Store, Stored};
use imap_proto_core::types::{Flag, MailboxName, Query};
use imap_proto_core::{Error, Fate};
use imap_tests::memory::{Fault, Pace};
use imap_tests::stepper::Stepper;
use imap_tests::strict::Literals;

use super::acts::{Act, PIECES, Place, Refuse, World, source, text, uid};
use super::matrix::settle;

pub(crate) const PACES: [Pace; 4] = [Pace::bytes(1), Pace::bytes(7), Pace::bytes(usize::MAX), Pace::AT_ONCE];

pub(crate) const WORLDS: [World; 6] = [
    World::SMALL,
    World::SMALL.synchronizing(),
    World::SMALL.synchronizing().refusing(Refuse::No),
    World::SMALL.synchronizing().refusing(Refuse::Bad),
    World::SMALL.synchronizing().refusing(Refuse::Missing),
    World::SMALL.refusing(Refuse::Missing),
];

/// Who cancels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// `operation.cancel().await`
    Owner,
    /// `canceller.cancel()`, while the operation is awaited.
    Other,
}

/// How it ended, as far as the caller was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    NotSent,
    Completed,
    Refused,
    /// [`Error::Cancelled`], or the cause of the connection's end: the caller asked for no more.
    Error,
    Cancelled,
    InDoubt,
}

fn append(place: &Place, act: Act) -> Operation<Option<Stored>> {
    let into = MailboxName::try_from(place.into).expect("a name");
    if act == Act::Append {
        let octets = Bytes::from(place.message.clone());
        return place.client.append(Append::new(into, Message::Octets(octets)));
    }
    let source = source(&place.message, place.pieces_left.clone());
    place.client.append_from(into, place.message.len() as u64, source, |append| append)
}

/// Cancels after `steps`; `None` where the operation was over before.
pub(crate) fn cancel<T>(stepper: &mut Stepper, mut operation: Operation<T>, steps: usize, by: By) -> Option<Told> {
    if stepper.step(Pin::new(&mut operation), steps).is_some() {
        return None;
    }
    Some(match by {
        By::Owner => match stepper.finish(operation.cancel()).expect("a fate is told") {
            Fate::NotSent => Told::NotSent,
            Fate::Completed(_) => Told::Completed,
            Fate::Refused(_) => Told::Refused,
            Fate::Cancelled => Told::Cancelled,
            Fate::InDoubt => Told::InDoubt,
            Fate::Told => panic!("it was not over"),
        },
        By::Other => {
            operation.canceller().cancel();
            match stepper.finish(operation).expect("a result comes") {
                Ok(_) => Told::Completed,
                Err(Error::Refused(_)) => Told::Refused,
                Err(Error::Cancelled) => Told::Error,
                Err(error) if error.is_fatal() => Told::Error,
                Err(error) => panic!("cancelled: {error}"),
            }
        }
    })
}

/// How many of these messages are in the mailbox, in which there are no others.
pub(crate) fn stored(stepper: &Stepper, messages: &[Vec<u8>]) -> usize {
    let server = stepper.link.server();
    assert_eq!(server.violations(), []);
    let drafts = &server.mailboxes()["Drafts"].messages;
    assert!(drafts.iter().map(|message| &message.body).eq(messages.iter().take(drafts.len())));
    drafts.len()
}

#[test]
fn an_append_cancelled_at_any_byte_tells_its_fate() {
    let mut told_of = [0; 5];
    for (world, act) in WORLDS.into_iter().flat_map(|world| [(world, Act::Append), (world, Act::AppendFrom)]) {
        for (pace, by) in PACES.into_iter().flat_map(|pace| [(pace, By::Owner), (pace, By::Other)]) {
            for steps in 0.. {
                let (mut stepper, place) = world.open();
                stepper.link.set_pace(pace);
                let before = stepper.link.written();
                let operation = append(&place, act);
                let left = place.pieces_left.clone();
                // What is known at the moment of cancelling, which `cancel` leaves untouched.
                let (mut probe, twin) = world.open();
                probe.link.set_pace(pace);
                let mut doing = append(&twin, act);
                if probe.step(Pin::new(&mut doing), steps).is_some() {
                    assert!(cancel(&mut stepper, operation, steps, by).is_none());
                    break;
                }
                let begun = probe.link.written() > before;
                let held = act == Act::Append || twin.pieces_left.load(Ordering::Relaxed) == 0;
                let untouched = twin.pieces_left.load(Ordering::Relaxed) == PIECES;

                let told = cancel(&mut stepper, operation, steps, by).expect("as its twin");
                let case = format!(
                    "{act:?} {world:?} {pace:?} {by:?} after {steps}: {told:?}, {} left",
                    left.load(Ordering::Relaxed)
                );
                let refused = world.refuse != Refuse::Never;
                let refused_early = refused && world.literals == Literals::Synchronizing;
                let expected = match by {
                    _ if begun && held => {
                        if refused {
                            Told::Refused
                        } else {
                            Told::Completed
                        }
                    }
                    _ if begun && untouched && refused_early => Told::Refused,
                    By::Other => Told::Error,
                    By::Owner if begun => Told::Cancelled,
                    By::Owner => Told::NotSent,
                };
                assert_eq!(told, expected, "{case}");
                settle(&mut stepper).expect("it settles");
                assert_eq!(stored(&stepper, &[text(7000, 60)]), usize::from(told == Told::Completed), "{case}");
                if !begun {
                    assert_eq!(stepper.link.written(), before, "{case}");
                }
                let closes = begun && !held && !(untouched && refused_early);
                let noop = stepper.client.noop();
                assert_eq!(stepper.finish(noop).expect("an answer").is_err(), closes, "{case}");
                told_of[match told {
                    Told::NotSent => 0,
                    Told::Completed => 1,
                    Told::Refused => 2,
                    Told::Error => 3,
                    Told::Cancelled => 4,
                    Told::InDoubt => panic!("in doubt without a loss: {case}"),
                }] += 1;
            }
        }
    }
    println!("fates of APPEND: not sent, completed, refused, error, cancelled: {told_of:?}");
    assert!(told_of.iter().all(|told| *told > 30));
}

#[test]
fn a_search_and_a_select_cancelled_at_any_byte_tell_their_fate() {
    for (pace, by) in PACES.into_iter().flat_map(|pace| [(pace, By::Owner), (pace, By::Other)]) {
        for steps in 0.. {
            let (mut stepper, place) = World::SMALL.synchronizing().open();
            stepper.link.set_pace(pace);
            let before = stepper.link.written();
            let search = place.inbox().search(Query::text("nowhere: \u{e9}"));
            let Some(told) = cancel(&mut stepper, search, steps, by) else { break };
            let begun = stepper.link.written() > before;
            let expected = match by {
                By::Owner if begun => Told::Cancelled,
                By::Owner => Told::NotSent,
                By::Other => Told::Error,
            };
            assert_eq!(told, expected, "search after {steps}");
            settle(&mut stepper).expect("it settles");
            assert_eq!(stored(&stepper, &[text(7000, 60)]), 0);
            let again = stepper.finish(place.perform(Act::Search)).expect("an answer");
            assert!(again.is_ok(), "search again after {steps}: {again:?}");
        }
        for steps in 0.. {
            let (mut stepper, place) = World::SMALL.open();
            stepper.link.set_pace(pace);
            let before = stepper.link.written();
            let select = place.client.select(MailboxName::try_from("Other").expect("a name"));
            let Some(told) = cancel(&mut stepper, select, steps, by) else { break };
            let begun = stepper.link.written() > before;
            let expected = match by {
                _ if begun => Told::Completed,
                By::Owner => Told::NotSent,
                By::Other => Told::Error,
            };
            assert_eq!(told, expected, "select after {steps}");
            settle(&mut stepper).expect("it settles");
            assert_eq!(stored(&stepper, &[text(7000, 60)]), 0);
            let here = stepper.finish(place.client.view()).expect("an answer").expect("a view");
            let here = here.selected().map(|selected| selected.mailbox.as_str().to_owned());
            assert_eq!(here.as_deref(), Some(if begun { "Other" } else { "INBOX" }));
        }
    }
}

#[test]
fn a_store_cancelled_at_any_byte_tells_its_fate() {
    for (pace, by) in PACES.into_iter().flat_map(|pace| [(pace, By::Owner), (pace, By::Other)]) {
        for steps in 0.. {
            let (mut stepper, place) = World::SMALL.open();
            stepper.link.set_pace(pace);
            let before = stepper.link.written();
            let store = place.inbox().store(uid(2)..=uid(3), Store::add(Flag::Flagged));
            let Some(told) = cancel(&mut stepper, store, steps, by) else { break };
            let begun = stepper.link.written() > before;
            let expected = match by {
                _ if begun => Told::Completed,
                By::Owner => Told::NotSent,
                By::Other => Told::Error,
            };
            assert_eq!(told, expected, "store after {steps} at {pace:?}");
            settle(&mut stepper).expect("it settles");
            let server = stepper.link.server();
            let flagged = |at: usize| server.mailboxes()["INBOX"].messages[at].flags.contains("\\Flagged");
            assert_eq!([flagged(1), flagged(2)], [begun; 2], "store after {steps} at {pace:?}");
        }
    }
}

#[test]
fn an_append_on_a_lost_connection_tells_its_fate() {
    let mut in_doubt = 0;
    for (world, act) in WORLDS[..2].iter().flat_map(|world| [(world, Act::Append), (world, Act::AppendFrom)]) {
        let (mut stepper, place) = world.open();
        let (written, read) = (stepper.link.written(), stepper.link.read());
        let _ = stepper.finish(append(&place, act)).expect("an answer").expect("it is stored");
        let (all, answer) = (stepper.link.sent(written).len(), stepper.link.read());
        // Its last octet is followed by CRLF.
        let last_octet = written + all - 2;
        for at in written..written + all {
            let (mut stepper, place) = world.open();
            stepper.link.set_pace(Pace::bytes(5));
            stepper.link.fail_write_at(at);
            let told = cancel_late(&mut stepper, &place, act);
            let expected = match at {
                _ if at == written => Told::NotSent,
                _ if at < last_octet => Told::Cancelled,
                _ => Told::InDoubt,
            };
            assert_eq!(told, expected, "{act:?} {world:?}, writing failed at {at} of {written}+{all}");
            assert_eq!(stored(&stepper, &[text(7000, 60)]), 0);
        }
        for at in read..answer {
            let (mut stepper, place) = world.open();
            stepper.link.set_pace(Pace::bytes(5));
            stepper.link.fail_read_at(at, Fault::End);
            let told = cancel_late(&mut stepper, &place, act);
            let stored = stored(&stepper, &[text(7000, 60)]);
            let fits = match told {
                Told::NotSent | Told::Cancelled => stored == 0,
                // The tagged line can be complete but for its end.
                Told::Completed => stored == 1,
                Told::InDoubt => stored <= 1 && stepper.link.written() >= last_octet,
                Told::Refused | Told::Error => false,
            };
            assert!(fits, "{act:?} {world:?}, reading ended at {at}: {told:?}, {stored} stored");
            in_doubt += usize::from(told == Told::InDoubt);
        }
    }
    assert!(in_doubt > 50, "{in_doubt}");
}

#[test]
fn an_append_that_ended_with_its_connection_still_tells_its_fate() {
    for act in [Act::Append, Act::AppendFrom] {
        let world = World::SMALL;
        let (mut stepper, place) = world.open();
        let written = stepper.link.written();
        let mut stored_one = append(&place, act);
        assert!(stepper.finish(&mut stored_one).expect("an answer").is_ok());
        assert!(matches!(stepper.finish(stored_one.cancel()), Ok(Fate::Told)));
        let all = stepper.link.sent(written).len();
        // The end of what is read comes before a source has given all it has.
        let until = written + all + usize::from(act == Act::Append);
        for at in written..until {
            let (mut stepper, place) = world.open();
            let read = stepper.link.read();
            match at {
                _ if at < written + all => stepper.link.fail_write_at(at),
                // All of it has left, and nothing of the answer comes.
                _ => stepper.link.fail_read_at(read, Fault::End),
            }
            let mut operation = append(&place, act);
            let error = stepper.finish(&mut operation).expect("an answer").expect_err("the connection is lost");
            assert!(error.is_fatal(), "{error}");
            let fate = stepper.finish(operation.cancel()).expect("a fate is told");
            let fits = match at {
                _ if at == written => matches!(fate, Fate::NotSent),
                // Its last octet is followed by CRLF.
                _ if at < written + all - 2 => matches!(fate, Fate::Cancelled),
                _ => matches!(fate, Fate::InDoubt),
            };
            assert!(fits, "{act:?}, lost at {at} of {written}+{all}: {error}, {fate:?}");
            // One that comes too late was not sent.
            let mut late = append(&place, act);
            assert!(stepper.finish(&mut late).expect("an answer").is_err());
            assert!(matches!(stepper.finish(late.cancel()), Ok(Fate::NotSent)));
        }
    }
}

/// Cancels once a source has given all it had, or as soon as the first byte has left or failed to.
fn cancel_late(stepper: &mut Stepper, place: &Place, act: Act) -> Told {
    let mut operation = append(place, act);
    let before = stepper.link.written();
    for _ in 0..10_000 {
        let held = act == Act::Append || place.pieces_left.load(Ordering::Relaxed) == 0;
        if (held && stepper.link.written() > before) || stepper.end().is_some() {
            break;
        }
        assert!(stepper.step(Pin::new(&mut operation), 1).is_none() || stepper.end().is_some());
        stepper.drive();
    }
    match stepper.finish(operation.cancel()).expect("a fate is told") {
        Fate::NotSent => Told::NotSent,
        Fate::Completed(_) => Told::Completed,
        Fate::Refused(_) => Told::Refused,
        Fate::Cancelled => Told::Cancelled,
        Fate::InDoubt => Told::InDoubt,
        // It ended with the connection.
        Fate::Told => Told::Error,
    }
}
