//! Every act dropped at every poll, and every act after it.

use std::env;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use imap_proto_core::command::Access;
use imap_proto_core::{Closed, Error};
use imap_tests::memory::Pace;
use imap_tests::stepper::{Hung, Stepper};
use imap_tests::strict::Literals;

use super::acts::{Act, FIRST, PIECES, Place, Refuse, SECOND, SECONDS, World, Wrong};
use super::content::{Content, questions, steps};
use super::several;

/// An act that is dropped, and where.
#[derive(Debug)]
pub(crate) struct First {
    pub(crate) name: &'static str,
    pub(crate) act: Act,
    pub(crate) world: World,
}

/// Which of the points of an act are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Points {
    /// All of them, with every second act.
    All,
    /// All of them; the first and last 40 with every second act, the others with two in turn. With `IMAP_TESTS_DROPS=all` it
    /// is [`All`](Self::All).
    InTurn,
    /// The first and last 40, and every so manieth, with two second acts in turn. With `IMAP_TESTS_DROPS=all` it is
    /// [`Each`](Self::Each).
    Sampled(usize),
    /// All of them, with one second act in turn.
    Each,
}

impl Points {
    /// These, or more of them.
    pub(crate) fn asked_for(self) -> Self {
        let asks_for_all = env::var("IMAP_TESTS_DROPS").is_ok_and(|which| which == "all");
        match self {
            Points::InTurn if asks_for_all => Points::All,
            Points::Sampled(_) if asks_for_all => Points::Each,
            _ => self,
        }
    }
}

/// How the second act comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Second {
    /// When nothing is left of the first, and without pauses.
    Settled,
    /// In the same moment.
    AtOnce,
}

/// What is to be true after a drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) stored: usize,
    pub(crate) end: Option<Closed>,
}

/// What came of all cases of one act at one pace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Where it can be dropped.
    pub(crate) steps: usize,
    /// After how many of these steps the connection is usable. Steps that were left out end like those tried between them.
    pub(crate) usable_steps: usize,
    /// The same of those that were not left out.
    pub(crate) tried: usize,
    pub(crate) usable_tried: usize,
    pub(crate) cases: usize,
    pub(crate) usable: usize,
    pub(crate) ended: usize,
    pub(crate) octets_owed: usize,
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) first: &'static First,
    pub(crate) pace: Pace,
    pub(crate) points: Points,
    pub(crate) tally: Tally,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grain = match self.pace {
            Pace::AT_ONCE => "at once".into(),
            Pace { read: usize::MAX, .. } => "all".into(),
            Pace { read, .. } => read.to_string(),
        };
        let Tally { steps, usable_steps, cases, usable, ended, octets_owed, .. } = self.tally;
        let points = format!("{:?}", self.points);
        write!(f, "{:<34} {grain:>7} {steps:>6} {usable_steps:>6} {points:>13} ", self.first.name)?;
        write!(f, "{cases:>7} {usable:>7} {ended:>7} {octets_owed:>7}")
    }
}

impl First {
    /// Whether it is rather closed than finished.
    pub(crate) fn is_cut(&self) -> bool {
        matches!(self.act, Act::AppendCut | Act::SeveralCut | Act::SeveralFromCut)
    }

    /// Whether giving it up may close the connection.
    pub(crate) fn may_owe_octets(&self) -> bool {
        self.is_cut() || matches!(self.act, Act::AppendFrom | Act::SeveralFrom)
    }

    /// Whether the server refuses the literal in place of asking for it.
    pub(crate) fn is_refused_early(&self) -> bool {
        self.world.refuse != Refuse::Never && self.world.literals == Literals::Synchronizing
    }
}

impl Tally {
    /// How many of a hundred points at which it can be dropped leave the connection usable: of all, and of those that were tried.
    pub(crate) fn usable_percent(&self) -> (f64, f64) {
        let percent = |usable: usize, of: usize| usable as f64 * 100.0 / of as f64;
        (percent(self.usable_steps, self.steps), percent(self.usable_tried, self.tried))
    }

    pub(crate) fn add(&mut self, other: &Tally) {
        self.steps += other.steps;
        self.usable_steps += other.usable_steps;
        self.tried += other.tried;
        self.usable_tried += other.usable_tried;
        self.cases += other.cases;
        self.usable += other.usable;
        self.ended += other.ended;
        self.octets_owed += other.octets_owed;
    }
}

struct Case<'a> {
    first: &'a First,
    pace: Pace,
    step: usize,
    act: Act,
    second: Second,
}

impl fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Case { first, pace, step, act, second } = self;
        write!(f, "{} ({:?}) dropped after step {step} at {pace:?}, then {act:?} {second:?}", first.name, first.world)
    }
}

/// Tries an act at one pace.
pub(crate) fn try_all(first: &First, pace: Pace, points: Points) -> Tally {
    let mut tally = Tally { steps: polls(first, pace), ..Tally::default() };
    let mut between = Tally::default();
    let alone = SECONDS.map(|act| commands_alone(first.world, act));
    let mut turn = 0;
    for step in 0..tally.steps {
        let at_the_edge = step < 40 || step + 40 >= tally.steps;
        let taken = match points {
            Points::All | Points::InTurn | Points::Each => true,
            Points::Sampled(stride) => at_the_edge || step % stride == 0,
        };
        let all_seconds = points == Points::All || (points == Points::InTurn && at_the_edge);
        let usable_before = tally.usable;
        turn += usize::from(taken);
        let in_turn = &in_turn(turn)[..if points == Points::Each { 1 } else { 2 }];
        for (number, act) in SECONDS.into_iter().enumerate().filter(|_| taken) {
            for (half, second) in [Second::Settled, Second::AtOnce].into_iter().enumerate() {
                if all_seconds || in_turn.contains(&(number * 2 + half)) {
                    try_one(&Case { first, pace, step, act, second }, alone[number], &mut tally);
                }
            }
        }
        let is_usable = usize::from(tally.usable > usable_before);
        tally.tried += usize::from(taken);
        tally.usable_tried += is_usable;
        if at_the_edge {
            tally.usable_steps += is_usable;
        } else if taken {
            between.steps += 1;
            between.usable_steps += is_usable;
        }
    }
    let between_usable = tally.steps.saturating_sub(80) * between.usable_steps;
    tally.usable_steps += between_usable.checked_div(between.steps).unwrap_or(0);
    tally
}

/// Which of the pairs of an act and the moment it comes are tried at a point. Points are after a poll of the call and after one of its
/// driver in turn, and all pairs come at both.
fn in_turn(turn: usize) -> [usize; 2] {
    let pairs = SECONDS.len() * 2;
    let one = turn / 2 * 5 + turn % 2 * SECONDS.len();
    [one % pairs, (one + 17) % pairs]
}

/// How many commands an act is on a connection on which nothing was dropped, the NOOP behind it among them.
fn commands_alone(world: World, act: Act) -> usize {
    let (mut stepper, place) = World { refuse: Refuse::Never, ..world }.open();
    let before = stepper.link.server().begun();
    stepper
        .finish(after(&place).perform(act))
        .expect("it ends")
        .unwrap_or_else(|wrong| panic!("{act:?} alone: {wrong}"));
    let _ = stepper.finish(stepper.client.noop()).expect("it ends");
    stepper.link.server().begun() - before
}

/// How many polls an act takes that is not dropped, its driver's included.
fn polls(first: &First, pace: Pace) -> usize {
    let (mut stepper, place) = first.world.open();
    stepper.link.set_pace(pace);
    let mut doing = place.perform(first.act);
    let mut steps = 0;
    let result = loop {
        if let Some(result) = stepper.step(doing.as_mut(), 1) {
            break result;
        }
        stepper.drive();
        steps += 2;
        assert!(steps < 5_000_000, "{} does not end", first.name);
    };
    match (first.world.refuse, result) {
        (Refuse::Never, Ok(())) => {}
        (Refuse::No | Refuse::Bad | Refuse::Missing, Err(Wrong::Error(Error::Refused(_)))) => {}
        (_, result) => panic!("{} undisturbed: {result:?}", first.name),
    }
    steps + 1
}

fn try_one(case: &Case<'_>, alone: usize, tally: &mut Tally) {
    tally.cases += 1;
    match run(case, alone) {
        Ok(None) => tally.usable += 1,
        Ok(Some(Closed::OctetsOwed)) => tally.octets_owed += 1,
        Ok(Some(_)) => tally.ended += 1,
        Err(wrong) => panic!("{case}: {wrong}"),
    }
}

fn run(case: &Case<'_>, alone: usize) -> Result<Option<Closed>, String> {
    let (mut stepper, mut place) = case.first.world.open();
    stepper.link.set_pace(case.pace);
    let before = Content::of(&stepper.link.server());
    let written = stepper.link.written();
    let commands_before = stepper.link.server().begun();

    let mut doing = place.perform(case.first.act);
    if stepper.step(doing.as_mut(), case.step).is_some() {
        return Err("over before it was dropped".into());
    }
    drop(doing);
    let begun = stepper.link.written() > written;
    let sent = stepper.link.sent(written);
    // What is deflated may not say anything yet.
    let commands = usize::from(begun).max(stepper.link.server().begun() - commands_before);
    let expected = expected(case.first, &sent, place.pieces_left.load(Ordering::Relaxed));
    let done = done(case.first, commands, expected);
    stepper.link.deliver_in_idle(0);
    if !begun {
        stepper.link.server_mut().accept_literals();
    }
    if case.second == Second::Settled {
        settle(&mut stepper)?;
        stepper.link.set_pace(Pace::AT_ONCE);
        let more = (stepper.link.server().begun() - commands_before).saturating_sub(commands);
        if more > 0 || (!begun && stepper.link.written() > written) {
            return Err(format!("{more} commands begun after all: {}", stepper.link.sent(written).escape_ascii()));
        }
    }
    place.deselected = begun && case.first.act.leaves();
    second(case, &mut stepper, &place, expected).map_err(|wrong| match stepper.link.server().violations() {
        [violation, ..] => format!("{wrong}; violation {violation:?}"),
        [] => wrong,
    })?;
    judge(case, &mut stepper, before, done, expected)?;
    if !begun && stepper.link.server().begun() - commands_before != alone {
        return Err(format!("sent after all: {}", stepper.link.sent(written).escape_ascii()));
    }
    Ok(expected.end)
}

pub(crate) fn settle(stepper: &mut Stepper) -> Result<(), String> {
    // An error says that the connection is closed; whether it may be is judged below.
    let _ = stepper.finish(stepper.client.clone().settle()).map_err(|hung| format!("settle {hung}"))?;
    stepper.rest().map_err(|hung: Hung| hung.to_string())
}

/// What is right after a drop, by the rules of the design.
fn expected(first: &First, sent: &[u8], pieces_left: usize) -> Expected {
    let begun = !sent.is_empty();
    let refused = first.world.refuse != Refuse::Never;
    let held = first.act == Act::Append || pieces_left == 0;
    match first.act {
        Act::Append | Act::AppendFrom if !begun => Expected { stored: 0, end: None },
        Act::Append | Act::AppendFrom if held => Expected { stored: usize::from(!refused), end: None },
        // Refused in place of the `+`, nothing is owed.
        Act::AppendFrom if first.is_refused_early() && pieces_left == PIECES => Expected { stored: 0, end: None },
        Act::AppendFrom => Expected { stored: 0, end: Some(Closed::OctetsOwed) },
        Act::AppendCut | Act::Several | Act::SeveralCut | Act::SeveralFrom | Act::SeveralFromCut => {
            several::expected(&first.world, first.act, sent, pieces_left)
        }
        Act::Logout if begun => Expected { stored: 0, end: Some(Closed::LoggedOut) },
        _ => Expected { stored: 0, end: None },
    }
}

/// How many steps of an act are done in the end that was dropped after so many commands: what was begun is finished, and no
/// more is begun.
fn done(first: &First, commands: usize, expected: Expected) -> usize {
    let steps = steps(first.act, &first.world).len();
    match first.act.stores_at_once() {
        true => usize::from(expected.stored > 0),
        false => steps.min(commands.saturating_sub(questions(first.act, &first.world))),
    }
}

/// Where the act after it is done.
fn after(place: &Place) -> Place {
    let few = place.world.big > 1000 || place.world.inbox > 300;
    Place { few, into: "Drafts", part: SECOND, message: SECOND.message(), pieces_left: Arc::default(), ..place.clone() }
}

/// The act after it: right on a connection that is usable, an error on one that is not.
fn second(case: &Case<'_>, stepper: &mut Stepper, place: &Place, expected: Expected) -> Result<(), String> {
    let again = after(place);
    let result = stepper.finish(again.perform(case.act)).map_err(|hung| format!("the second act {hung}"))?;
    match (result, expected.end) {
        (Ok(()), None) => {}
        // Whoever logs out wants no more than that.
        (Ok(()), Some(Closed::LoggedOut)) if case.act == Act::Logout => {}
        (Err(Wrong::Error(error)), Some(_)) if error.is_fatal() => {}
        (Ok(()), Some(end)) => return Err(format!("the second act went well on a connection that is to be {end}")),
        (Err(wrong), _) => return Err(format!("the second act: {wrong}")),
    }
    let noop = stepper.client.noop();
    let result = stepper.finish(noop).map_err(|hung| format!("the last NOOP {hung}"))?;
    match (result, expected.end.is_some() || case.act == Act::Logout) {
        (Ok(()), false) | (Err(_), true) => Ok(()),
        (result, _) => Err(format!("the last NOOP: {result:?}")),
    }
}

fn judge(
    case: &Case<'_>,
    stepper: &mut Stepper,
    before: Content,
    done: usize,
    expected: Expected,
) -> Result<(), String> {
    settle(stepper)?;
    let end = match stepper.end() {
        None => None,
        Some(Error::Closed(closed)) => Some(*closed),
        Some(error) => return Err(format!("the connection ended: {error}")),
    };
    let logged_out = (case.act == Act::Logout).then_some(Closed::LoggedOut);
    if end != expected.end.or(logged_out) {
        return Err(format!("the connection's end is {end:?}, not {:?}", expected.end));
    }
    if end.is_none() {
        sees_what_is_there(stepper)?;
    }
    let server = stepper.link.server();
    if let [violation, ..] = server.violations() {
        return Err(format!("violation {violation:?}"));
    }
    if end != Some(Closed::OctetsOwed) && (!server.unfinished().is_empty() || server.octets_owed() > 0) {
        return Err(format!("unfinished: {}", server.unfinished().escape_ascii()));
    }
    let (now, world) = (Content::of(&server), &case.first.world);
    let of_first = steps(case.first.act, world);
    let of_second = if expected.end.is_none() { steps(case.act, world) } else { &[] };
    let both = before.after(&of_first[..done], &FIRST).after(of_second, &SECOND);
    if both.with_delivered(stepper.link.delivered()) != now {
        return Err(format!("not {done} steps were done, and the other act: {now:?}"));
    }
    Ok(())
}

/// The client has the view of the session that the server has.
fn sees_what_is_there(stepper: &mut Stepper) -> Result<(), String> {
    let client = stepper.client.clone();
    let view = stepper.finish(client.view()).map_err(|hung| hung.to_string())?.map_err(|error| error.to_string())?;
    let server = stepper.link.server();
    let seen = view
        .selected()
        .map(|selected| (selected.mailbox.as_str(), selected.access == Access::ReadOnly, selected.exists as usize));
    let there =
        server.selected_mailbox().map(|(name, read_only)| (name, read_only, server.mailboxes()[name].messages.len()));
    if seen != there || view.is_compressed() != server.compressed() {
        return Err(format!("the client sees {seen:?}, and there is {there:?}"));
    }
    Ok(())
}
