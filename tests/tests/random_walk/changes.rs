use std::pin::pin;

use imap_tokio::command::{Store, StoreAnswer};
use imap_tokio::types::{CopyUid, UidSet};
use imap_tokio::{Error, Mailbox, Removal};

use super::Walk;
use super::change::{Act, Change, Told};
use super::message::{FLAGS, Flags};
use super::walk::{End, Failure, Open, Polls};

/// What changes messages that are there. A walk does it to its own.
impl Walk {
    /// Some messages that this walk may change, of the mailbox that is open.
    fn some_own(&mut self, most: usize) -> Option<(Mailbox, Change)> {
        let Open { at, mailbox, known, is_read_only } = self.open.clone()?;
        let mut own = self.model.own(self.number, at, &known);
        if own.is_empty() || is_read_only {
            return None;
        }
        let mut uids = Vec::new();
        for _ in 0..1 + self.random.below(most.min(own.len())) {
            uids.push(own.swap_remove(self.random.below(own.len())));
        }
        Some((mailbox, Change { mailbox: at, uids, act: Act::Delete }))
    }

    /// A mailbox that messages can be copied to.
    fn target(&mut self, change: &Change, may_be: impl Fn(usize) -> bool) -> Option<usize> {
        let mut targets = if self.returns {
            (0..self.model.count()).collect()
        } else {
            self.model.not_left(change.mailbox, &change.uids)
        };
        targets.retain(|into| may_be(*into));
        if targets.is_empty() { None } else { Some(targets[self.random.below(targets.len())]) }
    }

    pub(super) async fn store(&mut self, mut polls: Polls) -> Result<End, Failure> {
        let Some((mailbox, mut change)) = self.some_own(6) else { return Ok(End::NothingToDo) };
        let flags = Flags::from([FLAGS[self.random.below(FLAGS.len())].clone(), FLAGS[self.random.below(2)].clone()]);
        let store = if self.random.one_in(2) {
            change.act = Act::Remove(flags.clone());
            Store::remove(flags)
        } else {
            change.act = Act::Add(flags.clone());
            Store::add(flags)
        };
        let store = if self.random.one_in(2) { store.silent() } else { store };
        self.model.begin(&change);
        let operation = mailbox.store(set(&change), store);
        let (told, end) = self.drive(&mut polls, operation).await;
        if let Told::Done(answer) = &told {
            self.check_answer(&change, answer)?;
        }
        self.model.end(&change, told.map(|_| None))?;
        end
    }

    /// What a server tells in answer to a STORE is so.
    fn check_answer(&self, change: &Change, answer: &StoreAnswer) -> Result<(), String> {
        for told in &answer.messages {
            if let (Some(uid), Some(flags)) = (told.uid.filter(|uid| change.uids.contains(uid)), &told.flags) {
                self.model.check_changed(change, uid, flags)?;
            }
        }
        Ok(())
    }

    pub(super) async fn copy(&mut self, mut polls: Polls) -> Result<End, Failure> {
        let Some((mailbox, mut change)) = self.some_own(6) else { return Ok(End::NothingToDo) };
        let Some(into) = self.target(&change, |_| true) else { return Ok(End::NothingToDo) };
        change.act = Act::Copy { into };
        self.model.begin(&change);
        let operation = mailbox.copy(set(&change), self.model.name(into));
        let (told, end) = self.drive(&mut polls, operation).await;
        self.model.end(&change, told)?;
        end
    }

    pub(super) async fn move_to(&mut self, mut polls: Polls) -> Result<End, Failure> {
        let Some((mailbox, mut change)) = self.some_own(6) else { return Ok(End::NothingToDo) };
        let Some(into) = self.target(&change, |into| into != change.mailbox) else { return Ok(End::NothingToDo) };
        change.act = Act::Move { into, how: self.moving };
        self.model.begin(&change);
        let untouched = polls.are_none();
        let moved = polls.of(pin!(mailbox.move_to(set(&change), self.model.name(into)))).await;
        let told = match &moved {
            Some(Ok(moved)) if moved.removal == Removal::Removed => Told::Done(moved.copied.clone()),
            Some(Ok(moved)) => Err(format!("moving {change:?} came to {moved:?}"))?,
            other => self.untold(untouched, other.as_ref().and_then(|ended| ended.as_ref().err())),
        };
        self.model.end(&change, told)?;
        Ok(moved.transpose()?.map_or(End::Dropped, |_| End::Complete))
    }

    pub(super) async fn delete(&mut self, mut polls: Polls) -> Result<End, Failure> {
        let Some((mailbox, change)) = self.some_own(4) else { return Ok(End::NothingToDo) };
        self.model.begin(&change);
        let untouched = polls.are_none();
        let deleted = polls.of(pin!(mailbox.delete(set(&change)))).await;
        let told = match &deleted {
            Some(Ok(Removal::Removed)) => Told::Done(None),
            Some(Ok(removal)) => Err(format!("deleting {change:?} came to {removal:?}"))?,
            other => self.untold(untouched, other.as_ref().and_then(|ended| ended.as_ref().err())),
        };
        self.model.end(&change, told)?;
        Ok(deleted.transpose()?.map_or(End::Dropped, |_| End::Complete))
    }

    /// What is known of several commands that were dropped, or ended with an error.
    fn untold(&self, untouched: bool, error: Option<&Error>) -> Told<Option<Box<CopyUid>>> {
        // A stale mailbox refuses the first of them.
        if untouched || matches!(error, Some(Error::Deselected)) { Told::Nothing } else { Told::InDoubt }
    }
}

fn set(change: &Change) -> UidSet {
    change.uids.iter().copied().collect()
}
