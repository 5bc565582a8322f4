//! Dropping any future at any poll leaves the connection right.

mod acts;
mod beside;
mod fates;
mod faults;
mod matrix;

use acts::{Act, Refuse, World};
use imap_tests::memory::Pace;
use matrix::{First, Points, Tally, try_all};

const ONE: Pace = Pace::bytes(1);
const FEW: Pace = Pace::bytes(7);
const ALL: Pace = Pace::bytes(usize::MAX);
const LARGE: u64 = 16 << 10;
const EVERYTHING: [(Pace, Points); 4] =
    [(ONE, Points::All), (FEW, Points::All), (ALL, Points::All), (Pace::AT_ONCE, Points::All)];

const fn first(name: &'static str, act: Act, world: World) -> First {
    First { name, act, world }
}

/// Tries acts at paces, prints what came of it, and returns the sum.
fn table(firsts: &[First], paces: &[(Pace, Points)]) -> Tally {
    let mut sum = Tally::default();
    for first in firsts {
        for &(pace, points) in paces {
            let tally = try_all(first, pace, points);
            let grain = match pace {
                Pace::AT_ONCE => "at once".into(),
                Pace { read: usize::MAX, .. } => "all".into(),
                Pace { read, .. } => read.to_string(),
            };
            println!(
                "{:<34} {grain:>7} {:>6} {:>10} {:>7} {:>7} {:>6} {:>6}",
                first.name,
                tally.steps,
                format!("{points:?}"),
                tally.cases,
                tally.usable,
                tally.ended,
                tally.octets_owed
            );
            sum.add(&tally);
        }
    }
    sum
}

#[test]
fn a_small_call_can_be_dropped_at_any_byte() {
    let small = World::SMALL;
    let firsts = [
        first("SELECT", Act::Select, small),
        first("NOOP", Act::Noop, small),
        first("CAPABILITY", Act::Capability, small),
        first("SEARCH", Act::Search, small),
        first("SEARCH, literal", Act::SearchLiteral, small),
        first("SEARCH, synchronizing literal", Act::SearchLiteral, small.synchronizing()),
        first("watch", Act::Watch, small),
        first("LOGOUT", Act::Logout, small),
    ];
    let tally = table(&firsts, &EVERYTHING);
    assert_eq!(tally.octets_owed, 0);
    assert!(tally.cases > 1000);
}

#[test]
fn an_append_can_be_dropped_at_any_byte() {
    let (plus, sync) = (World::SMALL, World::SMALL.synchronizing());
    let firsts = [
        first("APPEND", Act::Append, plus),
        first("APPEND, synchronizing", Act::Append, sync),
        first("APPEND, synchronizing, NO", Act::Append, sync.refusing(Refuse::No)),
        first("APPEND, synchronizing, BAD", Act::Append, sync.refusing(Refuse::Bad)),
        first("APPEND, NO after it", Act::Append, plus.refusing(Refuse::Missing)),
        first("APPEND from, synchronizing, NO", Act::AppendFrom, sync.refusing(Refuse::No)),
        first("APPEND from, synchronizing, BAD", Act::AppendFrom, sync.refusing(Refuse::Bad)),
        first("APPEND from", Act::AppendFrom, plus),
        first("APPEND from, synchronizing", Act::AppendFrom, sync),
        first("APPEND from, NO after it", Act::AppendFrom, plus.refusing(Refuse::Missing)),
    ];
    let tally = table(&firsts, &EVERYTHING);
    assert!(tally.cases > 1000);
}

#[test]
fn a_short_download_can_be_dropped_at_any_byte() {
    let firsts = [
        first("fetch in windows, 4", Act::Windows, World::SMALL),
        first("fetch with a section, 4", Act::Sections, World::SMALL),
        first("body, 150 octets, streamed", Act::Body, World::SMALL),
    ];
    let tally = table(&firsts, &EVERYTHING);
    assert_eq!(tally.octets_owed + tally.ended, 0);
    assert!(tally.cases > 50_000);
}

#[test]
fn a_fetch_can_be_dropped_in_any_window() {
    let sections = first("fetch with a section, 70", Act::Sections, World { inbox: 70, ..World::SMALL });
    let mut tally = table(&[sections], &[(ONE, Points::Sampled(13)), (FEW, Points::InTurn), (ALL, Points::All)]);
    let windows = first("fetch in windows, 600", Act::Windows, World { inbox: 600, inline: LARGE, ..World::SMALL });
    tally.add(&table(&[windows], &[(ONE, Points::Sampled(331)), (FEW, Points::Sampled(17)), (ALL, Points::All)]));
    assert_eq!(tally.octets_owed + tally.ended, 0);
    assert!(tally.cases > 5000);
}

#[test]
fn a_long_download_can_be_dropped_anywhere() {
    let inline = first("body, 17 kB", Act::Body, World { big: 17_000, inline: LARGE, ..World::SMALL });
    let mut tally = table(&[inline], &[(ONE, Points::Sampled(331)), (FEW, Points::Sampled(17)), (ALL, Points::All)]);
    let large = first("body, 300 kB", Act::Body, World { big: 300_000, inline: LARGE, ..World::SMALL });
    let paces = [(Pace::bytes(64), Points::Sampled(101)), (Pace::bytes(1000), Points::Sampled(3)), (ALL, Points::All)];
    tally.add(&table(&[large], &paces));
    assert_eq!(tally.octets_owed + tally.ended, 0);
    assert!(tally.cases > 3000);
}
