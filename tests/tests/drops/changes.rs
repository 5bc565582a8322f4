//! What changes messages, dropped at every poll: it takes effect once or not at all, and what comes after it is right.

use std::pin::Pin;

use imap_proto_core::client::Mailbox;
use imap_proto_core::command::Store;
use imap_proto_core::types::{FetchItems, Flag, MailboxName, Query, SeqNum, SeqSet, Uid, UidSet};
use imap_proto_core::{Error, Fate};
use imap_tests::memory::Pace;
use imap_tests::stepper::Stepper;
use imap_tests::strict::Model;

use super::acts::{Doing, Place, World, Wrong, uid};
use super::matrix::settle;

const PACES: [Pace; 4] = [Pace::AT_ONCE, Pace::bytes(usize::MAX), Pace::bytes(7), Pace::bytes(1)];

const WITHOUT: World = World { withheld: &["MOVE", "UNSELECT"], ..World::SMALL };
const POOR: World = World { withheld: &["MOVE", "UNSELECT", "UIDPLUS"], ..World::SMALL };

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Store,
    StoreByNumber,
    StoreSilent,
    Copy,
    CopyByNumber,
    Move,
    MoveByNumber,
    Delete,
    Expunge,
    UidExpunge,
    Close,
    Unselect,
}

/// Each with the world it is tried in, and how many states the mailboxes go through.
const CHANGES: [(Change, World, usize); 18] = [
    (Change::Store, World::SMALL, 2),
    (Change::StoreByNumber, World::SMALL, 2),
    (Change::StoreSilent, World::SMALL, 2),
    (Change::Copy, World::SMALL, 2),
    (Change::CopyByNumber, World::SMALL, 2),
    (Change::Move, World::SMALL, 2),
    (Change::MoveByNumber, World::SMALL, 2),
    // Copied, marked, removed.
    (Change::Move, WITHOUT, 4),
    (Change::MoveByNumber, WITHOUT, 4),
    (Change::Move, POOR, 3),
    (Change::Delete, World::SMALL, 3),
    (Change::Delete, POOR, 2),
    (Change::Expunge, World::SMALL, 2),
    (Change::UidExpunge, World::SMALL, 2),
    (Change::Close, World::SMALL, 2),
    (Change::Unselect, World::SMALL, 1),
    // By EXAMINE and CLOSE.
    (Change::Unselect, WITHOUT, 1),
    (Change::Close, WITHOUT, 2),
];

impl Change {
    fn leaves(self) -> bool {
        matches!(self, Change::Close | Change::Unselect)
    }

    /// Whether it is one command.
    fn is_single(self, states: usize, world: &World) -> bool {
        let in_steps = self == Change::Delete || (self == Change::Unselect && !world.withheld.is_empty());
        states <= 2 && !in_steps
    }
}

fn drafts() -> MailboxName {
    MailboxName::try_from("Drafts").expect("a name")
}

fn uids(low: u32, high: u32) -> UidSet {
    UidSet::from(uid(low)..=uid(high))
}

fn numbers(low: u32, high: u32) -> SeqSet {
    let number = |number| SeqNum::new(number).expect("a number");
    SeqSet::from(number(low)..=number(high))
}

/// A world where message 2 is marked `\Deleted`.
fn open(world: World) -> (Stepper, Place) {
    let (mut stepper, place) = world.open();
    assert!(stepper.link.server_mut().set_flags("INBOX", 2, &["\\Deleted"]));
    let noop = stepper.client.noop();
    stepper.finish(noop).expect("it ends").expect("the server answers");
    (stepper, place)
}

fn perform(place: &Place, change: Change) -> Doing {
    let inbox = place.inbox.clone();
    Box::pin(async move {
        match change {
            Change::Store => told(inbox.store(uids(2, 3), Store::add(Flag::Flagged)).await?.messages.len(), 2)?,
            Change::StoreByNumber => {
                told(inbox.store(numbers(3, 4), Store::replace([Flag::Seen])).await?.messages.len(), 2)?;
            }
            Change::StoreSilent => {
                told(inbox.store(uids(1, 4), Store::add(Flag::Draft).silent()).await?.messages.len(), 0)?;
            }
            Change::Copy => {
                told(inbox.copy(uids(1, 3), drafts()).await?.map_or(0, |copied| copied.pairs().count()), 3)?
            }
            Change::CopyByNumber => {
                told(inbox.copy(numbers(4, 4), drafts()).await?.map_or(0, |copied| copied.pairs().count()), 1)?;
            }
            Change::Move => moved(&inbox.move_to(uids(3, 4), drafts()).await?, 2)?,
            Change::MoveByNumber => moved(&inbox.move_to(numbers(1, 1), drafts()).await?, 1)?,
            Change::Delete => drop(inbox.delete(uids(3, 3)).await?),
            Change::Expunge => inbox.expunge().await?,
            Change::UidExpunge => inbox.expunge_uids(uids(1, 3)).await?,
            Change::Close => inbox.close().await?,
            Change::Unselect => inbox.unselect().await?,
        }
        Ok(())
    })
}

fn told(count: usize, expected: usize) -> Result<(), Wrong> {
    if count == expected { Ok(()) } else { Err(Wrong::Answer(format!("{count} are told, not {expected}"))) }
}

fn moved(moved: &imap_proto_core::client::Moved, expected: usize) -> Result<(), Wrong> {
    told(moved.copied.as_ref().map_or(0, |copied| copied.pairs().count()), expected)
}

/// The states that the mailboxes go through undisturbed, and how many polls it takes.
fn course(change: Change, world: World, pace: Pace) -> (Vec<Model>, usize) {
    let (mut stepper, place) = open(world);
    stepper.link.set_pace(pace);
    let mut states = vec![stepper.link.server().mailboxes().clone()];
    let mut doing = perform(&place, change);
    let mut steps = 0;
    loop {
        let result = stepper.step(doing.as_mut(), 1);
        if result.is_none() {
            stepper.drive();
        }
        let now = stepper.link.server().mailboxes().clone();
        if states.last() != Some(&now) {
            states.push(now);
        }
        match result {
            Some(result) => {
                result.unwrap_or_else(|wrong| panic!("{change:?} undisturbed: {wrong}"));
                return (states, steps);
            }
            None => steps += 2,
        }
        assert!(steps < 1_000_000, "{change:?} does not end");
    }
}

/// INBOX, selected again where it was left.
async fn inbox(place: &Place, may_be_left: bool) -> Result<Mailbox, Wrong> {
    match place.inbox.search(Query::all()).await {
        Err(Error::Deselected) if may_be_left => Ok(place.client.select(MailboxName::inbox()).await?),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(place.inbox.clone()),
    }
}

/// What a user sees afterwards, the same by UID and by number: UIDs with their flags.
async fn look(place: Place, may_be_left: bool) -> Result<Vec<(Uid, Vec<String>)>, Wrong> {
    let inbox = inbox(&place, may_be_left).await?;
    let mut seen = Vec::new();
    for message in inbox.fetch(UidSet::all(), FetchItems::ids().flags()).collect().await? {
        let flags = message.flags().unwrap_or_default();
        seen.push((message.uid(), flags.iter().map(Flag::to_string).collect()));
    }
    let numbered = inbox.fetch(SeqSet::all(), FetchItems::ids()).collect().await?;
    let numbered: Vec<Uid> = numbered.iter().map(|message| message.uid()).collect();
    if numbered != seen.iter().map(|(uid, _)| *uid).collect::<Vec<_>>() {
        return Err(Wrong::Answer(format!("by number: {numbered:?}")));
    }
    place.client.noop().await?;
    Ok(seen)
}

#[test]
fn a_change_dropped_at_any_byte_takes_effect_once_or_not_at_all() {
    let mut cases = 0;
    for (change, world, states) in CHANGES {
        for pace in PACES {
            let (course, steps) = course(change, world, pace);
            assert_eq!(course.len(), states, "{change:?} {world:?}");
            for (step, at_once) in (0..=steps).flat_map(|step| [(step, false), (step, true)]) {
                let case = format!("{change:?} at {pace:?} without {:?} after step {step}", world.withheld);
                let (mut stepper, place) = open(world);
                stepper.link.set_pace(pace);
                let written = stepper.link.written();
                let mut doing = perform(&place, change);
                if stepper.step(doing.as_mut(), step).is_some() {
                    continue;
                }
                drop(doing);
                cases += 1;
                let begun = stepper.link.written() > written;
                let place_in = |model: &Model| course.iter().position(|state| state == model);
                let at = place_in(stepper.link.server().mailboxes()).expect("one of the states");
                if !at_once {
                    settle(&mut stepper).unwrap_or_else(|wrong| panic!("{case}: {wrong}"));
                    assert_eq!(stepper.link.written() > written, begun, "{case}: sent after all");
                }
                let seen = stepper.finish(look(place, change.leaves() && begun)).expect("it ends");
                let seen = seen.unwrap_or_else(|wrong| panic!("{case}, at once {at_once}: {wrong}"));

                let server = stepper.link.server();
                assert_eq!(server.violations(), [], "{case}");
                let ended = place_in(server.mailboxes()).unwrap_or_else(|| panic!("{case}: {:?}", server.mailboxes()));
                if change.is_single(states, &world) {
                    assert_eq!(ended, if begun { states - 1 } else { 0 }, "{case}");
                } else {
                    assert!(ended == at || ended == at + 1, "{case}: from {at} to {ended}");
                }
                let there: Vec<_> = server.mailboxes()["INBOX"].messages.iter().collect();
                assert_eq!(seen.len(), there.len(), "{case}");
                for ((uid, flags), message) in seen.iter().zip(there) {
                    assert_eq!((uid.get(), flags), (message.uid, &message.flags.iter().cloned().collect()), "{case}");
                }
            }
        }
    }
    println!("{cases} cases");
    assert!(cases > 5_000, "{cases}");
}

#[test]
fn a_store_cancelled_at_any_byte_tells_its_fate() {
    for pace in PACES {
        let (_, steps) = course(Change::Store, World::SMALL, pace);
        let mut fates = [0; 2];
        for step in 0..=steps {
            let (mut stepper, place) = open(World::SMALL);
            stepper.link.set_pace(pace);
            let written = stepper.link.written();
            let mut store = place.inbox.store(uids(2, 3), Store::add(Flag::Flagged));
            if stepper.step(Pin::new(&mut store), step).is_some() {
                continue;
            }
            let begun = stepper.link.written() > written;
            match stepper.finish(store.cancel()).expect("a fate is told") {
                Fate::NotSent => {
                    assert!(!begun, "after step {step} at {pace:?}");
                    fates[0] += 1;
                }
                Fate::Completed(answer) => {
                    assert!(begun && answer.messages.len() <= 2, "after step {step} at {pace:?}: {answer:?}");
                    fates[1] += 1;
                }
                other => panic!("after step {step} at {pace:?}: {other:?}"),
            }
            assert_eq!(stepper.link.server().mailboxes()["INBOX"].messages[2].flags.contains("\\Flagged"), begun);
        }
        assert!(fates.iter().all(|count| *count > 0), "{pace:?} {fates:?}");
    }
}
