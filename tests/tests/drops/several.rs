//! APPEND and MULTIAPPEND that are finished or cut, held or fed: what is right after a drop, and the fates.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use imap_proto_core::client::{Operation, Source};
use imap_proto_core::command::{Append, Cancelling, Message, MultiAppend, Stored};
use imap_proto_core::{Closed, Error};
use imap_tests::strict::{Literals, NoOctets};

use super::acts::{Act, Place, Refuse, World, source_of, text};
use super::fates::{By, PACES, Told, cancel, stored};
use super::matrix::{Expected, settle};

/// What a MULTIAPPEND of the matrix stores.
pub(crate) fn messages() -> [Vec<u8>; 3] {
    [text(7000, 60), text(7001, 45), text(7002, 52)]
}

/// How an act is given up.
fn cancelling(act: Act) -> Cancelling {
    match act {
        Act::AppendCut | Act::SeveralCut | Act::SeveralFromCut => Cancelling::Cut,
        _ => Cancelling::Finish,
    }
}

pub(crate) fn append_cut(place: &Place) -> Operation<Option<Stored>> {
    let append = Append::new(place.target(), place.message.clone());
    place.client.append(append.cancelling(Cancelling::Cut))
}

pub(crate) fn several(place: &Place, act: Act) -> Operation<Vec<Stored>> {
    let messages = messages();
    let is_fed = matches!(act, Act::SeveralFrom | Act::SeveralFromCut);
    let given = messages.clone().map(|octets| if is_fed { Message::Fed(octets.len() as u64) } else { octets.into() });
    let operation = place.client.run(MultiAppend::new(place.target(), given).cancelling(cancelling(act)));
    if is_fed { operation.feed_from(source(place.pieces_left.clone())) } else { operation }
}

/// The pieces in which the source has them: the second message in two.
const PIECES: usize = 4;

fn source(left: Arc<AtomicUsize>) -> Source {
    let [first, second, third] = messages();
    let (one, other) = second.split_at(20);
    left.store(PIECES, Ordering::Relaxed);
    source_of([&first, one, other, &third].into_iter(), left)
}

/// How far a command is that stores messages.
struct Progress {
    /// How many of its messages are announced, or begun to be.
    begun: usize,
    /// Whether all octets of the last one have left.
    all: bool,
}

impl Progress {
    fn new(sent: &[u8], messages: &[Vec<u8>], literals: Literals) -> Self {
        let plus = if literals == Literals::Synchronizing { "" } else { "+" };
        let Some(line) = sent.windows(2).position(|pair| pair == b"\r\n") else {
            return Progress { begun: usize::from(!sent.is_empty()), all: false };
        };
        let (mut begun, mut end) = (1, line + 2 + messages[0].len());
        for message in &messages[1..] {
            begun += usize::from(sent.len() > end);
            end += format!(" {{{}{plus}}}\r\n", message.len()).len() + message.len();
        }
        Progress { begun, all: sent.len() >= end }
    }
}

/// What is right after a drop, so many bytes having left and so many pieces of a source not having been taken.
pub(crate) fn expected(world: &World, act: Act, sent: &[u8], pieces_left: usize) -> Expected {
    let messages = if act == Act::AppendCut { vec![text(7000, 60)] } else { messages().to_vec() };
    let Progress { begun, all } = Progress::new(sent, &messages, world.literals);
    let refused = world.refuse != Refuse::Never;
    let is_refused_early = refused && world.literals == Literals::Synchronizing;
    let nothing = Expected { stored: 0, end: None };
    let finished = Expected { stored: if refused { 0 } else { messages.len() }, end: None };
    let closed = Expected { stored: 0, end: Some(Closed::OctetsOwed) };
    // Messages of which a source has given all octets.
    let fed = [3, 2, 1, 1, 0][pieces_left.min(PIECES)];
    let is_cut = cancelling(act) == Cancelling::Cut;
    match act {
        _ if begun == 0 => nothing,
        Act::Several => finished,
        // In place of the `+` for the first one, of which no octet has been asked for.
        _ if is_refused_early => nothing,
        Act::AppendCut | Act::SeveralCut if begun < messages.len() => nothing,
        Act::SeveralFrom | Act::SeveralFromCut if fed < begun => closed,
        Act::SeveralFrom | Act::SeveralFromCut if begun < messages.len() => nothing,
        _ if is_cut && !all => closed,
        _ => finished,
    }
}

const SYNC: World = World::SMALL.synchronizing();

const WORLDS: [World; 8] = [
    World::SMALL,
    SYNC,
    World::SMALL.answering(NoOctets::WelcomedAndRefused),
    SYNC.answering(NoOctets::WelcomedAndRefused),
    SYNC.answering(NoOctets::Welcomed),
    SYNC.refusing(Refuse::No),
    SYNC.refusing(Refuse::Bad),
    World::SMALL.refusing(Refuse::Missing),
];

#[test]
fn several_messages_cancelled_at_any_byte_tell_their_fate() {
    let mut told_of = [0; 5];
    let acts = [Act::Several, Act::SeveralCut, Act::SeveralFrom, Act::SeveralFromCut];
    for (world, act) in WORLDS.into_iter().flat_map(|world| acts.map(|act| (world, act))) {
        for (pace, by) in PACES.into_iter().flat_map(|pace| [(pace, By::Owner), (pace, By::Other)]) {
            for steps in 0.. {
                // What is known at the moment of cancelling, which `cancel` leaves untouched.
                let (mut probe, twin) = world.open();
                probe.link.set_pace(pace);
                let before = probe.link.written();
                let mut doing = several(&twin, act);
                let is_over = probe.step(Pin::new(&mut doing), steps).is_some();
                let sent = probe.link.sent(before);
                let right = expected(&world, act, &sent, twin.pieces_left.load(Ordering::Relaxed));

                let (mut stepper, place) = world.open();
                stepper.link.set_pace(pace);
                let Some(told) = cancel(&mut stepper, several(&place, act), steps, by) else {
                    assert!(is_over);
                    break;
                };
                let case = format!("{act:?} {world:?} {pace:?} {by:?} after {steps}: {told:?}, {right:?}");
                assert!(!is_over, "{case}");
                let refused = world.refuse != Refuse::Never;
                // The server refused it before it was told to take it back, or as the whole that it is.
                let is_undone = right == Expected { stored: 0, end: None };
                let is_whole = Progress::new(&sent, &messages(), world.literals).begun == 3;
                let expected = match by {
                    _ if right.stored > 0 => Told::Completed,
                    _ if refused && is_undone && !sent.is_empty() => {
                        let answered = world.literals == Literals::Synchronizing || is_whole || act == Act::Several;
                        match (answered, by) {
                            (true, _) => Told::Refused,
                            (false, By::Owner) => Told::Cancelled,
                            (false, By::Other) => Told::Error,
                        }
                    }
                    By::Other => Told::Error,
                    By::Owner if sent.is_empty() => Told::NotSent,
                    By::Owner => Told::Cancelled,
                };
                assert_eq!(told, expected, "{case}");
                settle(&mut stepper).expect("it settles");
                assert_eq!(stored(&stepper, &messages()), right.stored, "{case}");
                let noop = stepper.client.noop();
                assert_eq!(stepper.finish(noop).expect("an answer").is_err(), right.end.is_some(), "{case}");
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
    println!("fates of MULTIAPPEND: not sent, completed, refused, error, cancelled: {told_of:?}");
    assert!(told_of.iter().all(|told| *told > 100), "{told_of:?}");
}

#[test]
fn a_source_may_give_pieces_that_end_in_another_message() {
    let octets = messages().concat();
    for size in [1, 50, 64, 100, octets.len()] {
        let (mut stepper, place) = World::SMALL.open();
        let fed = messages().map(|octets| Message::Fed(octets.len() as u64));
        let operation = place.client.run(MultiAppend::new(place.target(), fed));
        let operation = operation.feed_from(source_of(octets.chunks(size), Arc::default()));
        let stored_at = stepper.finish(operation).expect("an answer").expect("they are stored");
        assert_eq!(stored_at.iter().map(|stored| stored.uid.get()).collect::<Vec<_>>(), [1, 2, 3], "{size}");
        assert_eq!(stored(&stepper, &messages()), 3);
    }
    // One octet more than there is room for.
    let (mut stepper, place) = World::SMALL.open();
    let operation = place.client.run(MultiAppend::new(place.target(), [Message::Fed(2), Message::Fed(3)]));
    let operation = operation.feed_from(source_of([&b"abcdef"[..]].into_iter(), Arc::default()));
    let error = stepper.finish(operation).expect("an answer").expect_err("it is too long");
    assert!(matches!(error, Error::Source { closed: true, .. }), "{error:?}");
    // One that ends between two messages leaves the connection usable.
    let (mut stepper, place) = World::SMALL.open();
    let operation = place.client.run(MultiAppend::new(place.target(), [Message::Octets("ab".into()), Message::Fed(3)]));
    let operation = operation.feed_from(source_of([].into_iter(), Arc::default()));
    let error = stepper.finish(operation).expect("an answer").expect_err("it is too short");
    assert!(matches!(error, Error::Source { closed: true, .. }), "announced: {error:?}");
}
