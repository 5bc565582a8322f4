use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::CommandId;
use super::log::CommandSpan;
use crate::command::{Claim, Effect, Order, Request, State};
use crate::config::Time;
use crate::error::Refused;
use crate::types::{Capability, MailboxName};
use crate::wire::Part;

/// The commands under way, in the order they were submitted.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    entries: VecDeque<Entry>,
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
    pub(super) needs: Vec<(Capability, &'static str)>,
    pub(super) said: Option<(Capability, &'static str)>,
    pub(super) or_without: Option<(Capability, Vec<Part>)>,
    pub(super) abandoned: Option<Abandoned>,
    /// Bytes of its answer that were told.
    pub(super) answered: u64,
    /// True once it was told that it failed, and its end is of no interest.
    pub(super) failed: bool,
    /// A tagged NO or BAD that came before all octets of a literal had left: they are still owed.
    pub(super) refused_early: Option<Box<Refused>>,
    /// Bytes of it that were written and not answered.
    pub(super) outstanding: usize,
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
    /// IDLE, after its `+`, to be renewed at that time.
    Idling { renew: Time },
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
    fn new(id: CommandId, request: Request) -> Self {
        let mailboxes = request.parts.iter().filter_map(|part| match part {
            Part::Mailbox(mailbox) => Some(mailbox.clone()),
            _ => None,
        });
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
            needs: request.needs,
            said: request.said,
            or_without: request.or_without,
            abandoned: None,
            answered: 0,
            failed: false,
            refused_early: None,
            outstanding: 0,
            span: CommandSpan::none(),
        }
    }

    /// True while bytes of it are still to be written, so that no other command may begin.
    pub(super) fn is_being_written(&self) -> bool {
        match self.stage {
            Stage::WaitsForGoAhead | Stage::Feeding { .. } | Stage::Challenged => true,
            Stage::Leaving => !self.parts.is_empty(),
            Stage::Queued | Stage::Sent | Stage::Idling { .. } | Stage::Ending { .. } => false,
        }
    }

    /// True when the server owes something, so that its silence means something.
    pub(super) fn is_owed(&self) -> bool {
        !matches!(self.stage, Stage::Queued | Stage::Idling { .. } | Stage::Feeding { .. } | Stage::Challenged)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.order == Order::Idle
    }
}

impl InFlight {
    pub(super) fn push(&mut self, id: CommandId, request: Request) {
        self.entries.push_back(Entry::new(id, request));
    }

    /// Gives memory back.
    pub(super) fn rest(&mut self) {
        self.entries.shrink_to(super::AT_REST);
    }

    /// Puts an IDLE back in line that is to be taken up again.
    pub(super) fn put_back(&mut self, entry: Entry) {
        self.entries.push_back(entry);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn get_mut(&mut self, id: CommandId) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.id == id)
    }

    pub(super) fn get(&self, id: CommandId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    pub(super) fn by_tag(&mut self, tag: u32) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.tag == Some(tag))
    }

    pub(super) fn remove(&mut self, id: CommandId) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.id == id)?;
        self.entries.remove(at)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut()
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = Entry> + '_ {
        self.entries.drain(..)
    }

    /// The command that `+` is for.
    pub(super) fn waiting_for_continuation(&mut self) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| match entry.stage {
            Stage::WaitsForGoAhead => true,
            Stage::Sent => entry.is_idle() || entry.order == Order::Exchange,
            _ => false,
        })
    }

    /// The first command that waits to be written; an IDLE only when nothing else waits.
    pub(super) fn next_queued(&self) -> Option<&Entry> {
        let mut queued = self.entries.iter().filter(|entry| entry.stage == Stage::Queued);
        queued.clone().find(|entry| !entry.is_idle()).or_else(|| queued.next())
    }

    /// The IDLE that is under way or to be taken up again.
    pub(super) fn idle(&self) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.is_idle() && entry.abandoned.is_none())
    }
}
