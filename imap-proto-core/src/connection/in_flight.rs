use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use super::CommandId;
use super::claimed::Claimed;
use super::log::CommandSpan;
use crate::command::{Cancelling, Claim, Effect, OrWithout, Order, Request, State, only_answers};
use crate::config::Time;
use crate::error::Refused;
use crate::types::{Capability, MailboxName};
use crate::wire::Part;

/// The commands that were submitted and are not over.
///
/// Those under way are in the order in which they began, so that their tags rise, and so do their numbers: only an IDLE
/// begins later than in its turn, and it begins alone. For the same reason it can be the first of them only. What
/// nothing passes, a barrier and a literal that is being written, can be the last only.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    under_way: VecDeque<Box<Entry>>,
    /// Those of which nothing is written, in the order they were submitted.
    queued: VecDeque<Box<Entry>>,
    /// What those under way claim.
    claimed: Claimed,
    /// Bytes of those under way that were written and not answered. A message may have more than memory holds.
    outstanding: u64,
    /// How many of those under way have no message sequence numbers in them.
    unnumbered: usize,
    /// How many of those under way change flags.
    changing_flags: usize,
    /// How many of those under way find what they find by flags.
    searching_by_flags: usize,
    /// By when those are to be over that have a time.
    deadlines: BTreeSet<(Time, CommandId)>,
}

/// One command: plain data, and nothing of whoever asked for it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: CommandId,
    pub(super) name: Cow<'static, str>,
    /// The number of its tag, once it is written.
    pub(super) tag: Option<u32>,
    /// What is not written to the outbox yet.
    pub(super) parts: VecDeque<Part>,
    pub(super) stage: Stage,
    /// True once any byte of it has left.
    pub(super) begun: bool,
    pub(super) claim: Claim,
    pub(super) effect: Effect,
    pub(super) order: Order,
    /// The mailboxes it names.
    pub(super) mailboxes: Vec<MailboxName>,
    pub(super) state: State,
    pub(super) selection: Option<u32>,
    /// How often something had been expunged when it was submitted, where that makes a difference to it.
    pub(super) expunged: Option<u32>,
    pub(super) needs: Vec<(Capability, &'static str)>,
    pub(super) said: Option<(Capability, &'static str)>,
    pub(super) or_without: Option<Box<OrWithout>>,
    pub(super) cancelling: Cancelling,
    /// True where it has several messages.
    pub(super) is_divided: bool,
    pub(super) abandoned: Option<Abandoned>,
    /// True once a message of no octets is to come, or came, in place of those that are left.
    pub(super) undone: bool,
    /// Bytes of its answer that were told.
    pub(super) answered: u64,
    /// By when it is to be over.
    pub(super) by: Option<Time>,
    /// How long it may take.
    pub(super) within: Option<Duration>,
    /// True where that begins once it is its turn.
    pub(super) in_turn: bool,
    /// When its first byte left.
    pub(super) begun_at: Time,
    /// True once its turn took too long.
    pub(super) overdue: bool,
    /// When an IDLE may be taken up again that the server ended as soon as it had begun.
    pub(super) resumes: Option<Time>,
    /// True where its end is of no interest: it was told that it failed, or nobody asked for it.
    pub(super) untold: bool,
    /// A tagged NO or BAD that came before all octets of a literal had left: they are still owed.
    pub(super) refused_early: Option<Box<Refused>>,
    /// Bytes of it that were written and not answered.
    pub(super) outstanding: u64,
    /// What is logged of it is logged inside this, from when it begins until it is answered.
    #[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "nothing is logged"))]
    pub(super) span: CommandSpan,
}

/// How far a command is.
///
/// ```text
///  Queued ─► Leaving ─► Sent ──────────────────────────────► (tagged)
///              │  ▲  └► WaitsForGoAhead ─+─► Leaving │ Feeding
///              ▼  │
///            Feeding          IDLE: Sent ─+─► Idling ─DONE─► Ending ─► Queued again
///
///  AUTHENTICATE: Sent ─+─► Challenged ─► Leaving ─► Sent
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing is written.
    Queued,
    /// Its bytes are in the outbox.
    Leaving,
    /// A synchronizing literal is announced; its octets wait for `+`.
    WaitsForGoAhead,
    /// The caller owes so many octets of a literal.
    Feeding { left: u64 },
    /// AUTHENTICATE, after a `+`: the caller has to answer.
    Challenged,
    /// Its last byte has left.
    Sent,
    /// IDLE, since its `+` was read.
    Idling { since: Time },
    /// IDLE, after DONE was written.
    Ending { by: Time },
}

/// Since when nobody wants a command's answer, and how much of it was thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Abandoned {
    pub(super) since: Time,
    pub(super) drained: u64,
}

impl Entry {
    fn new(id: CommandId, request: Request, by: Option<Time>, expunged: u32) -> Self {
        let mailboxes = request.parts.iter().filter_map(|part| match part {
            Part::Mailbox(mailbox) => Some(mailbox.clone()),
            _ => None,
        });
        let is_divided = request.parts.iter().any(|part| matches!(part, Part::NextMessage));
        Entry {
            id,
            mailboxes: mailboxes.collect(),
            name: request.name,
            tag: None,
            parts: request.parts.into(),
            stage: Stage::Queued,
            begun: false,
            claim: request.claim,
            effect: request.effect,
            order: request.order,
            state: request.state,
            selection: request.selection,
            expunged: request.numbered.then_some(expunged),
            needs: request.needs,
            said: request.said,
            or_without: request.or_without,
            cancelling: request.cancelling,
            is_divided,
            abandoned: None,
            undone: false,
            answered: 0,
            by,
            within: None,
            in_turn: false,
            begun_at: Time::ZERO,
            overdue: false,
            resumes: None,
            untold: false,
            refused_early: None,
            outstanding: 0,
            span: CommandSpan::none(),
        }
    }

    /// True while bytes of it are still to be written, so that no other command may begin.
    pub(super) fn is_being_written(&self) -> bool {
        match self.stage {
            Stage::WaitsForGoAhead | Stage::Feeding { .. } | Stage::Challenged => true,
            // What waits behind its messages could not wait for the answer to their end.
            Stage::Leaving => !self.parts.is_empty() || (self.is_divided && self.cancelling == Cancelling::Cut),
            Stage::Queued | Stage::Sent | Stage::Idling { .. } | Stage::Ending { .. } => false,
        }
    }

    /// True when the server owes something, so that its silence means something.
    pub(super) fn is_owed(&self) -> bool {
        !matches!(self.stage, Stage::Queued | Stage::Idling { .. } | Stage::Feeding { .. } | Stage::Challenged)
    }

    /// True for STORE, and for a FETCH that marks as seen.
    fn changes_flags(&self) -> bool {
        match &self.claim {
            Claim::Store { .. } => true,
            Claim::Fetch { items, .. } => items.marks_seen() || !items.raw_items().is_empty(),
            _ => false,
        }
    }

    /// True where nothing but its answer is left, which nobody wants.
    pub(super) fn is_read_over(&self) -> bool {
        self.abandoned.is_some() && only_answers(&self.claim, &self.effect)
    }

    /// The mailbox that it puts messages into.
    pub(super) fn filled(&self) -> Option<&MailboxName> {
        let adds = matches!(self.effect, Effect::Store | Effect::Change) && !self.order.changes_names();
        self.mailboxes.first().filter(|_| adds)
    }

    fn searches_by_flags(&self) -> bool {
        matches!(self.claim, Claim::Search { by_flags: true })
    }

    /// Adds to what was told of its answer, and returns how much of that is collected: fetched messages go to a reader who
    /// takes them one by one, and what nobody wants to nobody.
    pub(super) fn count(&mut self, len: u64) -> u64 {
        self.answered = self.answered.saturating_add(len);
        let is_collected = self.abandoned.is_none() && !matches!(self.claim, Claim::Fetch { .. });
        if is_collected { self.answered } else { 0 }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.order == Order::Idle
    }
}

impl InFlight {
    pub(super) fn push(&mut self, id: CommandId, request: Request, by: Option<Time>, expunged: u32) {
        self.deadlines.extend(by.map(|by| (by, id)));
        self.queued.push_back(Box::new(Entry::new(id, request, by, expunged)));
    }

    /// Gives memory back.
    pub(super) fn rest(&mut self) {
        self.under_way.shrink_to(super::AT_REST);
        self.queued.shrink_to(super::AT_REST);
        if self.deadlines.is_empty() {
            // It keeps room for some.
            self.deadlines = BTreeSet::new();
        }
    }

    /// The first that is to be over, and when.
    pub(super) fn deadline(&self) -> Option<(Time, CommandId)> {
        self.deadlines.first().copied()
    }

    /// The first of those under way that had not too much time: all behind it wait for the same server.
    pub(super) fn in_turn(&self) -> Option<&Entry> {
        self.under_way().find(|entry| !entry.overdue)
    }

    /// True while one of those under way had too much time, and is not answered.
    pub(super) fn has_overdue(&self) -> bool {
        self.under_way().any(|entry| entry.overdue)
    }

    /// Takes away the time that a command has: it may take any from now on.
    pub(super) fn forget_deadline(&mut self, id: CommandId) {
        if let Some(entry) = self.get_mut(id) {
            entry.in_turn = false;
        }
        if let Some(by) = self.get_mut(id).and_then(|entry| entry.by.take()) {
            self.deadlines.remove(&(by, id));
        }
    }

    /// Puts an IDLE back in line that is to be taken up again. Whatever waits came after it.
    pub(super) fn put_back(&mut self, entry: Box<Entry>) {
        self.deadlines.extend(entry.by.map(|by| (by, entry.id)));
        self.queued.push_front(entry);
    }

    /// Takes one that waits out of the line: from here on it is under way, with `tag`.
    pub(super) fn begin(&mut self, id: CommandId, tag: u32) -> Option<&mut Entry> {
        let mut entry = self.queued.remove(position(&self.queued, id)?)?;
        entry.tag = Some(tag);
        self.claimed.insert(&entry);
        self.unnumbered += usize::from(entry.order != Order::Numbers);
        self.changing_flags += usize::from(entry.changes_flags());
        self.searching_by_flags += usize::from(entry.searches_by_flags());
        self.under_way.push_back(entry);
        self.under_way.back_mut().map(|entry| &mut **entry)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.under_way.is_empty() && self.queued.is_empty()
    }

    pub(super) fn get_mut(&mut self, id: CommandId) -> Option<&mut Entry> {
        let entry = match position(&self.under_way, id) {
            Some(at) => self.under_way.get_mut(at)?,
            None => self.queued.get_mut(position(&self.queued, id)?)?,
        };
        Some(entry)
    }

    pub(super) fn get(&self, id: CommandId) -> Option<&Entry> {
        let entry = match position(&self.under_way, id) {
            Some(at) => self.under_way.get(at)?,
            None => self.queued.get(position(&self.queued, id)?)?,
        };
        Some(entry)
    }

    /// Tags are given in the order in which commands begin.
    pub(super) fn by_tag(&mut self, tag: u32) -> Option<&mut Entry> {
        let first = self.under_way.front()?.tag?;
        let since = |tag: u32| tag.wrapping_sub(first);
        let at = self.under_way.binary_search_by_key(&Some(since(tag)), |entry| entry.tag.map(since)).ok()?;
        self.under_way.get_mut(at).map(|entry| &mut **entry)
    }

    pub(super) fn remove(&mut self, id: CommandId) -> Option<Box<Entry>> {
        let entry = self.take_out(id)?;
        if let Some(by) = entry.by {
            self.deadlines.remove(&(by, id));
        }
        Some(entry)
    }

    fn take_out(&mut self, id: CommandId) -> Option<Box<Entry>> {
        let Some(at) = position(&self.under_way, id) else {
            return self.queued.remove(position(&self.queued, id)?);
        };
        let entry = self.under_way.remove(at)?;
        self.claimed.remove(&entry);
        self.unnumbered -= usize::from(entry.order != Order::Numbers);
        self.changing_flags -= usize::from(entry.changes_flags());
        self.searching_by_flags -= usize::from(entry.searches_by_flags());
        self.outstanding -= entry.outstanding;
        Some(entry)
    }

    /// All of them, in the order they leave.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.under_way().chain(self.queued.iter().map(|entry| &**entry))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.under_way.iter_mut().chain(&mut self.queued).map(|entry| &mut **entry)
    }

    /// Those that are not in line any more, the oldest first.
    pub(super) fn under_way(&self) -> impl Iterator<Item = &Entry> {
        self.under_way.iter().map(|entry| &**entry)
    }

    /// The same, to count what they are told.
    pub(super) fn under_way_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.under_way.iter_mut().map(|entry| &mut **entry)
    }

    /// Those that wait for no answer in time: an IDLE that is under way is the first, and one that waits is too.
    pub(super) fn idles(&self) -> impl Iterator<Item = &Entry> {
        let first = [self.under_way.front(), self.queued.front()];
        first.into_iter().flatten().map(|entry| &**entry).filter(|entry| entry.is_idle())
    }

    /// The first and the last of those under way, one and the same where it is alone.
    pub(super) fn ends(&self) -> Option<(&Entry, &Entry)> {
        Some((self.under_way.front()?, self.under_way.back()?))
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = Box<Entry>> + use<> {
        let InFlight { under_way, queued, .. } = core::mem::take(self);
        under_way.into_iter().chain(queued)
    }

    /// Takes note that so many more bytes of a command were written.
    pub(super) fn wrote(&mut self, id: CommandId, bytes: usize) {
        if let Some(entry) = self.get_mut(id) {
            entry.outstanding += bytes as u64;
            self.outstanding += bytes as u64;
        }
    }

    /// Bytes that were written and not answered, of all but a running IDLE, which is not to be answered.
    pub(super) fn outstanding(&self) -> u64 {
        let idle = self.under_way.front().filter(|entry| entry.is_idle());
        self.outstanding - idle.map_or(0, |idle| idle.outstanding)
    }

    /// True where one is under way that has no message sequence numbers in it.
    pub(super) fn has_unnumbered(&self) -> bool {
        self.unnumbered > 0
    }

    /// True where one under way changes the flags by which `next` searches, or searches by those that it changes.
    pub(super) fn minds_flags(&self, next: &Entry) -> bool {
        (self.changing_flags > 0 && next.searches_by_flags()) || (self.searching_by_flags > 0 && next.changes_flags())
    }

    /// Those under way of which `next` may get the answers, or they its, or that have to do with a mailbox that one of the
    /// two changes; and a few more.
    pub(super) fn near<'a>(&'a self, next: &'a Entry, late_uids: bool) -> impl Iterator<Item = &'a Entry> + 'a {
        let changes = next.order.changes_names();
        let all = changes.then(|| self.under_way()).into_iter().flatten();
        let near = (!changes).then(|| self.claimed.near(next, late_uids)).into_iter().flatten();
        all.chain(near.filter_map(|id| self.get(id)))
    }

    /// The command that `+` is for.
    pub(super) fn waiting_for_continuation(&mut self) -> Option<&mut Entry> {
        let mut under_way = self.under_way.iter_mut().map(|entry| &mut **entry);
        under_way.find(|entry| match entry.stage {
            Stage::WaitsForGoAhead => true,
            Stage::Sent => entry.is_idle() || entry.order == Order::Exchange,
            _ => false,
        })
    }

    /// The first command that waits to be written; an IDLE only when nothing else waits.
    pub(super) fn next_queued(&self) -> Option<&Entry> {
        let mut queued = self.queued.iter().map(|entry| &**entry);
        queued.clone().find(|entry| !entry.is_idle()).or_else(|| queued.next())
    }

    /// The IDLE that is under way or to be taken up again.
    pub(super) fn idle(&self) -> Option<&Entry> {
        self.iter().find(|entry| entry.is_idle() && entry.abandoned.is_none())
    }
}

/// Where a command is: their numbers rise, and where none was taken out between they have no gaps.
fn position(entries: &VecDeque<Box<Entry>>, id: CommandId) -> Option<usize> {
    let first = entries.front()?.id;
    let since = usize::try_from(id.since(first)).ok()?;
    let guess = since.min(entries.len() - 1);
    if entries.get(guess)?.id == id {
        return Some(guess);
    }
    entries.binary_search_by_key(&id.since(first), |entry| entry.id.since(first)).ok()
}
