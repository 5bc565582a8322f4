use std::collections::BTreeSet;
use std::pin::pin;

use imap_tokio::command::{Access, List};
use imap_tokio::types::{FetchItems, Query, Section, StatusItems, Uid, UidSet};
use imap_tokio::{FetchedMessage, Notice};

use super::Walk;
use super::message::is_remnant_body;
use super::walk::{End, Failure, Open, Polls};

/// What is fetched of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Flags,
    Envelopes,
    Bodies,
}

impl Kind {
    fn items(self) -> FetchItems {
        match self {
            Kind::Flags => FetchItems::ids().flags(),
            Kind::Envelopes => FetchItems::summary(),
            Kind::Bodies => FetchItems::summary().section(Section::whole()),
        }
    }

    /// Whether `message` is the answer, and not only told beside it, as flags are that others change.
    fn is_answered_by(self, message: &FetchedMessage) -> bool {
        match self {
            Kind::Flags => message.get().flags().is_some(),
            Kind::Envelopes => message.get().envelope().is_some(),
            Kind::Bodies => message.section("").is_some(),
        }
    }
}

/// What changes nothing.
impl Walk {
    pub(super) async fn select(&mut self, mut polls: Polls) -> Result<End, Failure> {
        let at = self.random.below(self.model.count());
        let known = self.model.known(at);
        let name = self.model.name(at);
        let select = if self.examines.is_some_and(|often| self.random.one_in(often)) {
            self.client.examine(name)
        } else {
            self.client.select(name)
        };
        match polls.of(pin!(select)).await.transpose()? {
            None => {
                // The old handle answers for its own mailbox, or refuses.
                self.select_dropped = true;
                if self.random.one_in(2) {
                    self.open = None;
                }
                Ok(End::Dropped)
            }
            Some(mailbox) => {
                let due = self.model.still(at, &known).len();
                if (mailbox.exists() as usize) < due {
                    Err(format!("{} of {due} messages in {}", mailbox.exists(), mailbox.name()))?;
                }
                let is_read_only = mailbox.selected().access == Access::ReadOnly;
                self.open = Some(Open { at, mailbox, known, is_read_only });
                self.select_dropped = false;
                Ok(End::Complete)
            }
        }
    }

    pub(super) async fn noop(&mut self, mut polls: Polls) -> Result<End, Failure> {
        let known = self.open.as_ref().map(|open| self.model.known(open.at));
        let ended = polls.of(pin!(self.client.noop())).await.transpose()?;
        if let (Some(()), Some(known), Some(open)) = (ended, known, &mut self.open)
            && !self.select_dropped
        {
            open.known = known;
        }
        Ok(ended.map_or(End::Dropped, |()| End::Complete))
    }

    pub(super) async fn search(&mut self, mut polls: Polls) -> Result<End, Failure> {
        let Some(Open { at, mailbox, known, .. }) = &self.open else { return Ok(End::NothingToDo) };
        let search = mailbox.search(Query::all());
        let Some(found) = polls.of(pin!(search)).await.transpose()? else { return Ok(End::Dropped) };
        match self.model.still(*at, known).iter().find(|uid| !found.contains(**uid)) {
            Some(uid) => Err(format!("SEARCH does not find {uid} in {}", mailbox.name()))?,
            None => Ok(End::Complete),
        }
    }

    pub(super) async fn fetch(&mut self, mut polls: Polls, kind: Kind) -> Result<End, Failure> {
        let Some(Open { at, mailbox, known, .. }) = self.open.clone() else { return Ok(End::NothingToDo) };
        let (uids, due) = self.some_of(&known, kind == Kind::Bodies);
        let items_left = if self.random.one_in(3) && polls.are_few() { Some(self.random.below(50)) } else { None };
        let mut messages = mailbox.fetch(uids, kind.items());
        let mut seen = BTreeSet::new();
        loop {
            if items_left == Some(seen.len()) {
                return Ok(End::Dropped);
            }
            let next = polls.of(pin!(messages.try_next())).await.transpose()?;
            let Some(next) = next else { return Ok(End::Dropped) };
            let Some(message) = next else { break };
            self.model.check(self.number, at, &message)?;
            let is_new = !kind.is_answered_by(&message) || seen.insert(message.uid());
            if !is_new && kind != Kind::Flags {
                Err(format!("{} came twice", message.uid()))?;
            }
            if self.random.one_in(40) {
                // Other commands run while a fetch goes on, and are dropped as well.
                let mut some = if self.random.one_in(2) { Polls::once() } else { Polls::to_the_end() };
                some.of(pin!(self.client.noop())).await.transpose()?;
            }
        }
        match self.model.still(at, &due).difference(&seen).next() {
            Some(uid) => {
                let (name, history) = (mailbox.name(), self.model.history(at, *uid));
                Err(format!("{uid} of {name} is missing, {} of {} came; it is {history}", seen.len(), due.len()))?
            }
            None => Ok(End::Complete),
        }
    }

    /// All messages, or a part of those that are known to be there; and what has to come of them.
    fn some_of(&mut self, known: &BTreeSet<Uid>, bodies: bool) -> (UidSet, BTreeSet<Uid>) {
        if known.is_empty() || (!bodies && self.random.one_in(2)) {
            return (UidSet::all(), known.clone());
        }
        let most = if bodies { 50 } else { known.len() };
        let (from, len) = (self.random.below(known.len()), 1 + self.random.below(most));
        let due: BTreeSet<Uid> = known.iter().skip(from).take(len).copied().collect();
        (due.iter().copied().collect(), due)
    }

    pub(super) async fn body(&mut self, mut polls: Polls) -> Result<End, Failure> {
        let Some(Open { at, mailbox, known, .. }) = self.open.clone() else { return Ok(End::NothingToDo) };
        let missing = Uid::try_from(u32::MAX).expect("not zero");
        let uid = match known.len() {
            0 => missing,
            len => known.iter().nth(self.random.below(len + 1)).copied().unwrap_or(missing),
        };
        let expected = self.model.message(at, uid);
        let mut body = mailbox.body(uid, Section::whole());
        let mut octets = Vec::new();
        loop {
            let next = polls.of(pin!(body.try_next())).await.transpose()?;
            match next {
                None => return Ok(End::Dropped),
                Some(Some(more)) => octets.extend_from_slice(&more),
                Some(None) => break,
            }
        }
        match expected {
            // Of one that is removed meanwhile.
            Some(_) if is_remnant_body(&octets) && self.model.still(at, &BTreeSet::from([uid])).is_empty() => {
                Ok(End::Complete)
            }
            Some(expected) if octets != expected.octets => {
                Err(format!("{} octets in place of {} for {uid}", octets.len(), expected.octets.len()))?
            }
            None if uid == missing && (body.existed() || !octets.is_empty()) => {
                Err(format!("{uid} should not be there"))?
            }
            _ => Ok(End::Complete),
        }
    }

    pub(super) async fn watch(&mut self, mut polls: Polls) -> Result<End, Failure> {
        let Some(Open { mailbox, .. }) = &self.open else { return Ok(End::NothingToDo) };
        let mut watch = mailbox.watch();
        loop {
            match polls.of(pin!(watch.try_next())).await.transpose()? {
                None => return Ok(End::Dropped),
                Some(Some(Notice::Idling)) => break,
                Some(_) => {}
            }
        }
        // IDLE gives way to another command and begins again.
        self.client.noop().await?;
        while self.random.one_in(2) {
            if let Some(Notice::Idling) = watch.try_next().await? {
                break;
            }
        }
        Ok(End::Complete)
    }

    pub(super) async fn list(&mut self, mut polls: Polls) -> Result<End, Failure> {
        let Some(entries) = polls.of(pin!(self.client.list(List::all()))).await.transpose()? else {
            return Ok(End::Dropped);
        };
        let names = (0..self.model.count()).map(|mailbox| self.model.name(mailbox));
        match names.into_iter().find(|name| !entries.iter().any(|entry| entry.name() == name)) {
            Some(name) => Err(format!("LIST does not tell of {name}"))?,
            None => Ok(End::Complete),
        }
    }

    pub(super) async fn status(&mut self, mut polls: Polls) -> Result<End, Failure> {
        let at = self.random.below(self.model.count());
        let known = match &self.open {
            // It may be selected, and nobody here knows since when.
            _ if self.select_dropped => BTreeSet::new(),
            // Of the selected mailbox it may tell what it is as synchronised (RFC 9051 §6.3.11).
            Some(open) if open.at == at => open.known.clone(),
            _ => self.model.known(at),
        };
        let status = self.client.status(self.model.name(at), StatusItems::new().messages());
        let Some(status) = polls.of(pin!(status)).await.transpose()? else { return Ok(End::Dropped) };
        let due = self.model.still(at, &known).len();
        match status.messages {
            Some(messages) if messages as usize >= due => Ok(End::Complete),
            messages => {
                let open = self.open.as_ref().map(|open| open.at);
                Err(format!(
                    "STATUS tells of {messages:?} messages in mailbox {at}, {due} are there; {open:?} is open"
                ))?
            }
        }
    }
}
