use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::queue::{Item, MOST_WAITING, Reply, Ticket};
use crate::connection::CommandId;
use crate::error::{Error, Fate};

/// What a reader may leave lying while other commands wait behind it.
pub(super) const MOST_LYING: usize = 64 << 20;

/// The commands whose answers are read, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: VecDeque<Slot>,
    /// Those that had enough when they were last told something. It takes a push to fill one: no other is full.
    full: Vec<Arc<Reply>>,
}

/// A command and whoever reads its answer.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) id: CommandId,
    pub(super) ticket: Ticket,
    pub(super) reply: Arc<Reply>,
    /// True for IDLE: what its reader leaves lying is bounded by count, and stops nobody.
    pub(super) idle: bool,
    /// True once its reader was told that it had its time: what lies there stops nobody.
    pub(super) overdue: bool,
}

impl Slot {
    /// True while its reader has enough.
    pub(super) fn is_full(&self) -> bool {
        !self.idle && !self.overdue && self.reply.waiting() > MOST_WAITING
    }
}

impl Slots {
    /// Adds the newest command.
    pub(super) fn add(&mut self, slot: Slot) {
        self.slots.push_back(slot);
    }

    pub(super) fn of(&self, id: CommandId) -> Option<&Slot> {
        self.slots.get(self.position(id)?)
    }

    fn position(&self, id: CommandId) -> Option<usize> {
        let first = self.slots.front()?.id;
        self.slots.binary_search_by_key(&id.since(first), |slot| slot.id.since(first)).ok()
    }

    /// Calls are mostly submitted in the order in which they were made, so that their tickets rise as well.
    pub(super) fn of_ticket(&self, ticket: Ticket) -> Option<&Slot> {
        let at = self.slots.binary_search_by_key(&ticket, |slot| slot.ticket);
        let at = at.ok().or_else(|| self.slots.iter().position(|slot| slot.ticket == ticket));
        self.slots.get(at?)
    }

    /// Tells something to whoever reads the answer of a command.
    pub(super) fn tell(&mut self, id: CommandId, make: impl FnOnce() -> Item) {
        let Some(slot) = self.position(id).and_then(|at| self.slots.get(at)) else { return };
        slot.reply.push(slot.ticket, make());
        if slot.is_full() && !self.full.iter().any(|reply| Arc::ptr_eq(reply, &slot.reply)) {
            self.full.push(slot.reply.clone());
        }
    }

    /// Tells that a command had its time. Its end is told as well, later.
    pub(super) fn overdue(&mut self, id: CommandId, error: Error, fate: Fate<()>) {
        if let Some(slot) = self.position(id).and_then(|at| self.slots.get_mut(at)) {
            slot.overdue = true;
            slot.reply.push(slot.ticket, Item::Overdue(error, fate));
        }
    }

    /// Tells the end of a command.
    pub(super) fn finish(&mut self, id: CommandId, item: Item) {
        if let Some(slot) = self.position(id).and_then(|at| self.slots.remove(at)) {
            slot.reply.push(slot.ticket, item);
        }
    }

    /// True while a reader has enough.
    pub(super) fn is_any_full(&mut self) -> bool {
        self.full.retain(|reply| reply.waiting() > MOST_WAITING);
        !self.full.is_empty() && self.slots.iter().any(Slot::is_full)
    }

    /// Takes out the commands whose readers leave too much lying.
    pub(super) fn take_slow(&mut self) -> Vec<Slot> {
        let is_slow = |reply: &Arc<Reply>| reply.waiting() > MOST_LYING;
        if !self.full.iter().any(is_slow) {
            return Vec::new();
        }
        let (slow, others) = core::mem::take(&mut self.slots).into_iter().partition(|slot| is_slow(&slot.reply));
        self.slots = others;
        Vec::from(slow)
    }
}
