//! Dropping any future at any poll leaves the connection right.
//!
//! Every call is dropped after every one of its polls, and of the driver's between them, at every pace; then every other call is made, at
//! once or when all has settled, and the strict server judges what it was sent. What the mailboxes hold in the end is compared with
//! what each call is to make of them (`content`).
//!
//! There are 53 kinds of call before 47 others: each call of a client and of a mailbox that sends something, in the forms that differ
//! when they are dropped, on servers that offer the extensions that the strict one knows (CONDSTORE, SEARCHRES, LIST-STATUS and
//! SPECIAL-USE are not among them: their commands are those here, with other arguments). Uploads from sources are in `uploads`.
//!
//! With `IMAP_TESTS_DROPS=all` each of the 170,192 points at which a call can be dropped is tried, and 97.8 % leave the connection usable: all, but
//! for LOGOUT and for messages whose octets come from a source or are to be cut, of which 43 to 76 % do. With what follows they are 3,909,815
//! cases: after 3,558,631 the connection is usable, 15,228 are a LOGOUT that had begun, and in 335,956 the octets of a message were owed, whose
//! source went with the call or that was to be cut. The points of the longest sessions, which are `Each` there, are each tried with one of
//! the other calls in turn, and all else with all of them.
//!
//! Else they are 1,457,682 cases, of which 1,334,842 are usable: an octet at a time, the points that are far from both ends of a call are tried with
//! two of the others in turn, and of the longest sessions some are left out and taken for what those between them are: `Sampled(n)` is the
//! first and last 40 and each nth between them.
//!
//! Each of these was broken once by hand, and this is what failed (`matrix` is [`any_call_can_be_dropped_at_any_byte`]):
//!
//! | rule that was broken | what failed |
//! | --- | --- |
//! | `abandon`: what was begun is finished | `matrix` (`SELECT`), `fates`, `faults` |
//! | `abandon`: IDLE is told DONE after its `+` alone | `matrix` (`watch`) |
//! | `abandon`: a source that is gone closes the connection | `a_call_dropped_beside_a_half_read_fetch_settles`, `fates` |
//! | `abandon`: what is removed is taken out of the outbox | `matrix` (`NOOP`) |
//! | `abandon`: what waits goes on after a removal | `what_waits_behind_a_dropped_call_has_its_turn` |
//! | `fate`: in doubt from the last octet on | `an_append_on_a_lost_connection_tells_its_fate` |
//! | `take_continuation`: no `+` is answered for a source that is gone | `matrix` (`APPEND from, synchronizing`), `fates` |
//! | `take_continuation`: an abandoned IDLE is ended at its `+` | `matrix` (`watch`) |
//! | `take_tagged`: NO in place of `+` ends the command | `matrix` (`APPEND, synchronizing, NO`), `fates` |
//! | `claimant`: what an abandoned command asked for is its own | `matrix` (`fetch with a section`) |
//! | `claimant`: the oldest command that claims data has it | `matrix` (`fetch with a section`) |
//! | `turn`: nothing passes a pending literal | `matrix` (`APPEND, synchronizing`) |
//! | `turn`: nothing passes SELECT | `matrix` (`SELECT`) |
//! | `turn`: SELECT passes nothing | `a_select_passes_nothing` |
//! | `turn`: nothing follows IDLE before its `+` | `matrix` (`watch`) |
//! | `turn`: nothing follows LOGOUT | `matrix` (`LOGOUT`) |
//! | `turn`: nothing goes beside COMPRESS | `matrix` (`COMPRESS`) |
//! | `take_tagged`: what was agreed to is compressed, whoever waits | `matrix` (`COMPRESS`) |
//! | `turn`: no sequence numbers beside what may renumber | `matrix` (`fetch by number` after most) |
//! | `left`: CLOSE leaves the mailbox | `matrix` (`CLOSE`) |
//! | `left`: the selection advances with the first byte | `matrix` (`SELECT`), `fates`, `faults` |
//! | `check_state`: a stale handle sends nothing | `matrix` (`SELECT`), `a_select_beside_a_half_read_fetch_ends_it_with_an_error` |
//! | `write_parts`: a literal is announced once | `matrix` (`SEARCH, synchronizing literal`) |
//! | `write_parts`: a synchronizing literal waits | `matrix` (`APPEND, synchronizing`), `fates`, `faults` |
//! | `Driver::round`: what an event put in line is written | `matrix` (`SEARCH, synchronizing literal`) |
//! | `Driver::is_congested`: not once the connection has ended | `calls_beside_a_half_read_fetch_end_with_the_connection` |
//! | `Driver::is_congested`: not by a watch | `a_watch_may_be_left_lying` |
//! | `Reply::waiting`: nothing waits for a reader who gave up | `a_call_cancelled_beside_its_unread_answer_settles` |
//! | `others_wait`: an abandoned command is read over | `a_call_dropped_beside_a_half_read_fetch_settles` |
//! | `excuse_silence`: a reader's pause is not the server's | `a_reader_may_take_its_time` |
//! | `deadlines`: what is finished in the background has its time | `a_dropped_append_may_take_its_time` |

mod acts;
mod attack;
mod beside;
mod content;
mod crowds;
mod fates;
mod faults;
mod late;
mod matrix;
mod odd_ends;
mod several;
mod uploads;

use std::thread;

use acts::{Act, Portions, Refuse, World};
use imap_tests::memory::Pace;
use imap_tests::strict::{Literals, NoOctets};
use matrix::{First, Points, Row, Tally, try_all};

const ONE: Pace = Pace::bytes(1);
const FEW: Pace = Pace::bytes(7);
const ALL: Pace = Pace::bytes(usize::MAX);
const EVERYTHING: &[(Pace, Points)] =
    &[(Pace::AT_ONCE, Points::All), (ALL, Points::All), (FEW, Points::All), (ONE, Points::InTurn)];

const LARGE: u64 = 16 << 10;
const SMALL: World = World::SMALL;
/// Several windows of a fetch, and several pieces of a body, with streamed and whole literals in one.
const PORTIONS: World = World { portions: Portions::Of(2, 70), inbox: 6, ..SMALL };
const WHOLE: World = World { inline: LARGE, ..PORTIONS };
const SYNC: World = World::SMALL.synchronizing();
const MINUS: World = World { literals: Literals::Minus, ..SMALL };
const COMPRESSED: World = World { compressed: true, ..SMALL };
const NEVER_SELECTED: World = World { selected: false, ..SMALL };
/// A server on which some of what is one command takes several.
const OLD: World = SMALL.without(&["MOVE", "UNSELECT"]);
const OLDER: World = SMALL.without(&["MOVE", "UNSELECT", "UIDPLUS"]);

const fn first(name: &'static str, act: Act, world: World) -> First {
    First { name, act, world }
}

type Group = (&'static [First], &'static [(Pace, Points)]);

/// The larger ones come first, so that two processors are done at the same time.
const GROUPS: &[Group] = &[
    (
        &[
            first("APPEND", Act::Append, SMALL),
            first("APPEND, synchronizing", Act::Append, SYNC),
            first("APPEND, synchronizing, NO", Act::Append, SYNC.refusing(Refuse::No)),
            first("APPEND, synchronizing, BAD", Act::Append, SYNC.refusing(Refuse::Bad)),
            first("APPEND, NO after it", Act::Append, SMALL.refusing(Refuse::Missing)),
            first("APPEND from, synchronizing, NO", Act::AppendFrom, SYNC.refusing(Refuse::No)),
            first("APPEND from, synchronizing, BAD", Act::AppendFrom, SYNC.refusing(Refuse::Bad)),
            first("APPEND from", Act::AppendFrom, SMALL),
            first("APPEND from, synchronizing", Act::AppendFrom, SYNC),
            first("APPEND from, NO after it", Act::AppendFrom, SMALL.refusing(Refuse::Missing)),
            first("APPEND, cut", Act::AppendCut, SMALL),
            first("APPEND, cut, synchronizing", Act::AppendCut, SYNC),
            first("APPEND, cut, synchronizing, NO", Act::AppendCut, SYNC.refusing(Refuse::No)),
        ],
        EVERYTHING,
    ),
    (
        &[
            first("MULTIAPPEND", Act::Several, SMALL),
            first("MULTIAPPEND, synchronizing", Act::Several, SYNC),
            first("MULTIAPPEND, synchronizing, NO", Act::Several, SYNC.refusing(Refuse::No)),
            first("MULTIAPPEND, cut", Act::SeveralCut, SMALL),
            first("MULTIAPPEND, cut, + and NO", Act::SeveralCut, SMALL.answering(NoOctets::WelcomedAndRefused)),
            first("MULTIAPPEND, cut, NO after it", Act::SeveralCut, SMALL.refusing(Refuse::Missing)),
            first("MULTIAPPEND, cut, synchronizing", Act::SeveralCut, SYNC),
            first("MULTIAPPEND, cut, sync., + and NO", Act::SeveralCut, SYNC.answering(NoOctets::WelcomedAndRefused)),
            first("MULTIAPPEND, cut, sync., +", Act::SeveralCut, SYNC.answering(NoOctets::Welcomed)),
            first("MULTIAPPEND, cut, sync., NO", Act::SeveralCut, SYNC.refusing(Refuse::No)),
            first("MULTIAPPEND, cut, sync., BAD", Act::SeveralCut, SYNC.refusing(Refuse::Bad)),
            first("MULTIAPPEND from", Act::SeveralFrom, SMALL),
            first("MULTIAPPEND from, + and NO", Act::SeveralFrom, SMALL.answering(NoOctets::WelcomedAndRefused)),
            first("MULTIAPPEND from, synchronizing", Act::SeveralFrom, SYNC),
            first("MULTIAPPEND from, sync., NO", Act::SeveralFrom, SYNC.refusing(Refuse::No)),
            first("MULTIAPPEND from, cut", Act::SeveralFromCut, SMALL),
            first("MULTIAPPEND from, cut, sync.", Act::SeveralFromCut, SYNC),
        ],
        EVERYTHING,
    ),
    (
        &[
            first("fetch in windows, 4", Act::Windows, SMALL),
            first("fetch with a section, 4", Act::Sections, SMALL),
            first("body, 150 octets, streamed", Act::Body, SMALL),
        ],
        EVERYTHING,
    ),
    (
        &[
            first("fetch in 3 windows", Act::Windows, PORTIONS),
            first("fetch with a section, 3 windows", Act::Sections, PORTIONS),
            first("body in 3 pieces", Act::Body, WHOLE),
            first("body in 3 pieces, streamed", Act::Body, PORTIONS),
        ],
        EVERYTHING,
    ),
    (
        &[first("fetch with a section, 70", Act::Sections, World { inbox: 70, ..SMALL })],
        &[(ALL, Points::All), (FEW, Points::InTurn), (ONE, Points::Sampled(13))],
    ),
    (
        &[
            first("SELECT", Act::Select, SMALL),
            first("NOOP", Act::Noop, SMALL),
            first("CAPABILITY", Act::Capability, SMALL),
            first("SEARCH", Act::Search, SMALL),
            first("SEARCH, literal", Act::SearchLiteral, SMALL),
            first("SEARCH, synchronizing literal", Act::SearchLiteral, SYNC),
            first("LIST", Act::List, SMALL),
            first("STATUS", Act::Status, SMALL),
            first("CREATE", Act::Create, SMALL),
            first("watch", Act::Watch, SMALL),
            first("LOGOUT", Act::Logout, SMALL),
        ],
        EVERYTHING,
    ),
    (
        &[
            first("EXAMINE", Act::Examine, SMALL),
            first("SELECT as the first mailbox", Act::Select, NEVER_SELECTED),
            first("fetch by number", Act::Numbered, SMALL),
            first("SEARCH for numbers", Act::SearchNumbers, SMALL),
            first("SEARCH RETURN", Act::SearchReturning, SMALL),
            first("SEARCH RETURN, without ESEARCH", Act::SearchReturning, SMALL.without(&["ESEARCH"])),
            first("ID", Act::Id, SMALL),
            first("NAMESPACE", Act::Namespaces, SMALL),
            first("LIST for NAMESPACE", Act::Namespaces, SMALL.without(&["NAMESPACE"])),
            first("LIST of all there is", Act::ListAll, SMALL),
            first("ENABLE", Act::Enable, NEVER_SELECTED),
            first("COMPRESS", Act::Compress, SMALL),
            first("raw command", Act::Raw, SMALL),
            first("LSUB", Act::Lsub, SMALL),
            first("LIST, a STATUS of each", Act::ListWithStatus, SMALL),
            first("exists", Act::Exists, SMALL),
            first("ensure", Act::Ensure, SMALL),
            first("ensure, of one there is", Act::EnsureAgain, SMALL),
            first("DELETE", Act::DeleteMailbox, SMALL),
            first("RENAME", Act::Rename, SMALL),
            first("SUBSCRIBE", Act::Subscribe, SMALL),
            first("UNSUBSCRIBE", Act::Unsubscribe, SMALL),
        ],
        EVERYTHING,
    ),
    (
        &[
            first("APPEND of 3, one by one", Act::Upload, SMALL),
            first("APPEND of 3, synchronizing", Act::Upload, SYNC),
            first("APPEND of 3, together", Act::UploadTogether, SMALL),
            first("APPEND, LITERAL-", Act::Append, MINUS),
            first("SEARCH, literal, LITERAL-", Act::SearchLiteral, MINUS),
            first("STORE", Act::Store, SMALL),
            first("STORE by number", Act::StoreNumbered, SMALL),
            first("STORE, silent", Act::StoreSilent, SMALL),
            first("COPY", Act::Copy, SMALL),
            first("COPY by number", Act::CopyNumbered, SMALL),
            first("MOVE", Act::Move, SMALL),
            first("MOVE by number", Act::MoveNumbered, SMALL),
            first("move, without MOVE", Act::Move, OLD),
            first("move by number, without MOVE", Act::MoveNumbered, OLD),
            first("move, without MOVE and UIDPLUS", Act::Move, OLDER),
            first("STORE and UID EXPUNGE", Act::Delete, SMALL),
            first("STORE, without UIDPLUS", Act::Delete, OLDER),
            first("EXPUNGE", Act::Expunge, SMALL),
            first("UID EXPUNGE", Act::UidExpunge, SMALL),
            first("CLOSE", Act::Close, SMALL),
            first("UNSELECT", Act::Unselect, SMALL),
            first("EXAMINE and CLOSE", Act::Unselect, OLD),
        ],
        EVERYTHING,
    ),
    (
        &[
            first("NOOP before SELECT", Act::Noop, NEVER_SELECTED),
            first("CAPABILITY before SELECT", Act::Capability, NEVER_SELECTED),
            first("LIST before SELECT", Act::List, NEVER_SELECTED),
            first("STATUS before SELECT", Act::Status, NEVER_SELECTED),
            first("CREATE before SELECT", Act::Create, NEVER_SELECTED),
            first("RENAME before SELECT", Act::Rename, NEVER_SELECTED),
            first("APPEND before SELECT", Act::Append, NEVER_SELECTED),
            first("COMPRESS before SELECT", Act::Compress, NEVER_SELECTED),
            first("ID before SELECT", Act::Id, NEVER_SELECTED),
            first("SELECT, compressed", Act::Select, COMPRESSED),
            first("fetch with a section, compressed", Act::Sections, COMPRESSED),
            first("APPEND, compressed", Act::Append, COMPRESSED),
            first("STORE, compressed", Act::Store, COMPRESSED),
            first("watch, compressed", Act::Watch, COMPRESSED),
            first("LOGOUT, compressed", Act::Logout, COMPRESSED),
        ],
        EVERYTHING,
    ),
    (
        &[first("fetch in windows, 600", Act::Windows, World { inbox: 600, inline: LARGE, ..SMALL })],
        &[(ALL, Points::All), (FEW, Points::Sampled(17)), (ONE, Points::Sampled(997))],
    ),
    (
        &[first("body, 17 kB", Act::Body, World { big: 17_000, inline: LARGE, ..SMALL })],
        &[(ALL, Points::All), (FEW, Points::Sampled(17)), (ONE, Points::Sampled(331))],
    ),
    (
        &[first("body, 300 kB", Act::Body, World { big: 300_000, inline: LARGE, ..SMALL })],
        &[(ALL, Points::All), (Pace::bytes(1000), Points::Sampled(3)), (Pace::bytes(64), Points::Sampled(101))],
    ),
];

/// Coarse paces first: they are quick to find what is wrong.
fn try_group((firsts, paces): &Group) -> Vec<Row> {
    let all =
        paces.iter().flat_map(|&(pace, points)| firsts.iter().map(move |first| (first, pace, points.asked_for())));
    let mut rows: Vec<Row> =
        all.map(|(first, pace, points)| Row { first, pace, points, tally: try_all(first, pace, points) }).collect();
    rows.sort_by_key(|row| firsts.iter().position(|first| first.name == row.first.name));
    rows
}

#[test]
fn any_call_can_be_dropped_at_any_byte() {
    let rows: Vec<Row> = thread::scope(|scope| {
        let groups: Vec<_> = GROUPS.iter().map(|group| scope.spawn(|| try_group(group))).collect();
        groups.into_iter().flat_map(|group| group.join().expect("a case failed; it is told above")).collect()
    });
    println!(
        "{:<34} {:>7} {:>6} {:>6} {:>13} {:>7} {:>7} {:>7} {:>7}",
        "dropped", "grain", "steps", "usable", "tried", "cases", "usable", "logout", "owed"
    );
    let mut sum = Tally::default();
    for row in &rows {
        println!("{row}");
        sum.add(&row.tally);
        // Octets that nobody has are owed by APPEND from a source alone or where it is cut, and only LOGOUT ends a
        // connection else. Where all leave in one write there is nothing to be cut.
        let tally = &row.tally;
        assert!(tally.cases >= 60 && tally.usable > 0, "{row}");
        let may_owe = row.first.may_owe_octets() && !row.first.is_refused_early();
        let must_owe = row.first.act == Act::AppendFrom || row.pace.read < 10;
        assert!(if may_owe { tally.octets_owed > 0 || !must_owe } else { tally.octets_owed == 0 }, "{row}");
        assert_eq!(tally.ended > 0, row.first.act == Act::Logout, "{row}");
        assert_eq!(tally.usable + tally.ended + tally.octets_owed, tally.cases, "{row}");
    }
    println!(
        "{} cases: {} usable, {} logged out as asked, {} owed octets",
        sum.cases, sum.usable, sum.ended, sum.octets_owed
    );
    assert!(sum.cases > 1_400_000, "{}", sum.cases);
    // All of them, but for the appends whose source is dropped with them, or that are cut.
    assert_eq!(sum.cases - sum.ended - sum.octets_owed, sum.usable);
    let mut unasked = Tally::default();
    rows.iter().filter(|row| !row.first.is_cut()).for_each(|row| unasked.add(&row.tally));
    assert!(unasked.usable * 100 >= (unasked.cases - unasked.ended) * 90, "{unasked:?}");
    tell_points(&rows, &sum);
}

/// Of the points at which a call can be dropped, how many leave the connection usable: by kind of call, and in all.
fn tell_points(rows: &[Row], sum: &Tally) {
    let mut kinds: Vec<(Act, Tally)> = Vec::new();
    for row in rows {
        match kinds.iter_mut().find(|(act, _)| *act == row.first.act) {
            Some((_, tally)) => tally.add(&row.tally),
            None => kinds.push((row.first.act, row.tally.clone())),
        }
    }
    for (act, tally) in &kinds {
        let (usable, steps) = (tally.usable_steps, tally.steps);
        let act = format!("{act:?}");
        println!("{act:<16} {usable:>7} of {steps:>7} points usable: {:>5.1} %", tally.usable_percent().0);
    }
    let Tally { steps, usable_steps, tried, usable_tried, .. } = *sum;
    let (of_all, of_tried) = sum.usable_percent();
    println!(
        "{usable_steps} of {steps} points usable: {of_all:.1} %; {usable_tried} of the {tried} that were tried: {of_tried:.1} %"
    );
    assert!(of_all >= 95.0 && of_tried >= 90.0, "{sum:?}");
}
