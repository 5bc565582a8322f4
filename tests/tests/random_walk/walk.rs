use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use imap_tokio::command::{Append, Message, Stored};
use imap_tokio::types::{FetchItems, Query, Section, Uid, UidSet};
use imap_tokio::{Client, Closed, Connector, Error, Fate, Mailbox, Notice, Operation, read_from};

use super::message::Expected;
use super::reader::Hesitant;
use super::{Model, Random, Tally};
use crate::session::PATIENCE;

/// One connection that does random things, half of them not to the end.
pub(crate) struct Walk {
    model: Arc<Model>,
    connector: Connector,
    client: Client,
    /// The mailbox that a handle is held of, and what was known to be in it when the server last synchronised it.
    open: Option<(usize, Mailbox, BTreeSet<Uid>)>,
    random: Random,
    tally: Tally,
    /// Drops that no completed operation has followed yet, and whether a reader was among them.
    unproven: usize,
    reader_dropped: bool,
    select_dropped: bool,
    /// One SELECT in so many is an EXAMINE.
    examines: Option<usize>,
}

/// How many more times the operation under way is polled before it is dropped.
#[derive(Clone, Copy, Debug)]
struct Polls(Option<usize>);

/// The operation was dropped; or it ended.
enum End {
    Dropped,
    Complete,
}

/// Ends a test, or a connection.
enum Failure {
    Wrong(String),
    Ended(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Ended(error)
    }
}

impl From<String> for Failure {
    fn from(what: String) -> Self {
        Failure::Wrong(what)
    }
}

impl Polls {
    /// Polls a future to its end, or as often as is left; `None` when it is to be dropped now.
    async fn of<F: Future>(&mut self, mut future: Pin<&mut F>) -> Option<F::Output> {
        poll_fn(|cx| {
            if self.0 == Some(0) {
                return Poll::Ready(None);
            }
            self.0 = self.0.map(|left| left - 1);
            match future.as_mut().poll(cx) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending if self.0 == Some(0) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

impl Walk {
    pub(crate) async fn begin(model: Arc<Model>, connector: Connector, random: Random) -> Self {
        let client = connector.connect().await.expect("the server lets us in");
        Walk {
            model,
            connector,
            client,
            open: None,
            random,
            tally: Tally::default(),
            unproven: 0,
            reader_dropped: false,
            select_dropped: false,
            examines: Some(3),
        }
    }

    /// Selects no mailbox to be read only: Courier refuses an APPEND to that one then.
    pub(crate) fn without_examine(mut self) -> Self {
        self.examines = None;
        self
    }

    /// Does so many things, settles, and logs out.
    pub(crate) async fn run(mut self, operations: usize) -> Tally {
        for number in 0..operations {
            let step = tokio::time::timeout(PATIENCE, self.step());
            if let Err(failure) = step.await.unwrap_or_else(|_| panic!("operation {number} hangs")) {
                self.end_of_connection(number, failure).await;
            }
        }
        let settled = tokio::time::timeout(PATIENCE, self.client.settle()).await.expect("settling hangs");
        self.tally.last += self.unproven;
        // A reader dropped last may have ended the connection, which settles it as well.
        let ended = match settled {
            Ok(()) => self.client.logout().await,
            Err(error) => Err(error),
        };
        assert!(ended.is_ok() || self.reader_dropped, "{ended:?}");
        self.tally
    }

    /// Stores so many messages, to the end.
    pub(crate) async fn fill(mut self, messages: usize) {
        for _ in 0..messages {
            if self.append(Polls(None)).await.is_err() {
                panic!("a message could not be stored");
            }
        }
        self.client.logout().await.expect("it logs out");
    }

    /// Takes the one cause for which a connection may end here, and opens another.
    async fn end_of_connection(&mut self, number: usize, failure: Failure) {
        let error = match failure {
            Failure::Wrong(what) => panic!("operation {number}: {what}"),
            Failure::Ended(error) => error,
        };
        let owed = matches!(error, Error::Closed(Closed::OctetsOwed | Closed::DriverGone));
        assert!(owed && self.reader_dropped, "operation {number}: {error:?}");
        *self.tally.closed.entry("a reader was dropped inside its message".to_owned()).or_default() += self.unproven;
        self.client = self.connector.connect().await.expect("the server lets us in again");
        self.open = None;
        self.select_dropped = false;
        self.proven(0);
    }

    fn proven(&mut self, usable: usize) {
        self.tally.usable += usable;
        self.unproven = 0;
        self.reader_dropped = false;
    }

    async fn step(&mut self) -> Result<(), Failure> {
        // Most operations are over after their second poll.
        let polls = match self.random.below(16) {
            0..5 => None,
            5 => Some(0),
            6..12 => Some(1),
            12..14 => Some(2 + self.random.below(3)),
            _ => Some(1 + self.random.below(60)),
        };
        let (operation, result) = self.operation(Polls(polls)).await;
        if matches!(&result, Err(Failure::Ended(Error::Deselected)) if self.select_dropped) {
            // The handle was stale, and said so. Nothing was sent.
            self.tally.deselected += 1;
            self.open = None;
            self.select_dropped = false;
            return Ok(());
        }
        let end = result?;
        let dropped = matches!(end, End::Dropped);
        self.tally.count(operation, dropped);
        match end {
            End::Complete => self.proven(self.unproven),
            End::Dropped => self.unproven += 1,
        }
        Ok(())
    }

    async fn operation(&mut self, polls: Polls) -> (&'static str, Result<End, Failure>) {
        let choice = if self.open.is_none() { self.random.below(6) } else { self.random.below(22) };
        match choice {
            0 | 1 => ("SELECT", self.select(polls).await),
            2 => ("APPEND", self.append(polls).await),
            3 | 4 => ("APPEND reader", self.append_from(polls).await),
            5 | 6 => ("NOOP", self.noop(polls).await),
            7 | 8 => ("SEARCH", self.search(polls).await),
            9..12 => ("FETCH flags", self.fetch(polls, FetchItems::ids().flags()).await),
            12..14 => ("FETCH envelopes", self.fetch(polls, FetchItems::summary()).await),
            14..16 => ("FETCH bodies", self.fetch(polls, FetchItems::summary().section(Section::whole())).await),
            16..20 => ("body", self.body(polls).await),
            _ => ("IDLE", self.watch(polls).await),
        }
    }

    async fn select(&mut self, mut polls: Polls) -> Result<End, Failure> {
        let target = self.random.below(self.model.count());
        let known = self.model.known(target);
        let name = self.model.name(target);
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
            Some(mailbox) if (mailbox.exists() as usize) < known.len() => {
                Err(format!("{} of {} messages in {}", mailbox.exists(), known.len(), mailbox.name()))?
            }
            Some(mailbox) => {
                self.open = Some((target, mailbox, known));
                self.select_dropped = false;
                Ok(End::Complete)
            }
        }
    }

    async fn noop(&mut self, mut polls: Polls) -> Result<End, Failure> {
        let known = self.open.as_ref().map(|(at, ..)| self.model.known(*at));
        let ended = polls.of(pin!(self.client.noop())).await.transpose()?;
        if let (Some(()), Some(known), Some((_, _, synchronised))) = (ended, known, &mut self.open)
            && !self.select_dropped
        {
            *synchronised = known;
        }
        Ok(ended.map_or(End::Dropped, |()| End::Complete))
    }

    async fn search(&mut self, mut polls: Polls) -> Result<End, Failure> {
        let Some((_, mailbox, known)) = &self.open else { return Ok(End::Complete) };
        let search = mailbox.search(Query::all());
        let Some(found) = polls.of(pin!(search)).await.transpose()? else { return Ok(End::Dropped) };
        match known.iter().find(|uid| !found.contains(**uid)) {
            Some(uid) => Err(format!("SEARCH does not find {uid} in {}", mailbox.name()))?,
            None => Ok(End::Complete),
        }
    }

    async fn fetch(&mut self, mut polls: Polls, items: FetchItems) -> Result<End, Failure> {
        let Some((at, mailbox, known)) = self.open.clone() else { return Ok(End::Complete) };
        let bodies = !items.sections().is_empty();
        let (uids, due) = self.some_of(&known, bodies);
        let items_left = if self.random.one_in(3) && polls.0.is_some() { Some(self.random.below(50)) } else { None };
        let mut messages = mailbox.fetch(uids, items);
        let mut seen = BTreeSet::new();
        loop {
            if items_left == Some(seen.len()) {
                return Ok(End::Dropped);
            }
            let next = polls.of(pin!(messages.try_next())).await.transpose()?;
            let Some(next) = next else { return Ok(End::Dropped) };
            let Some(message) = next else { break };
            self.model.check(at, &message)?;
            if !seen.insert(message.uid()) {
                Err(format!("{} came twice", message.uid()))?;
            }
            if self.random.one_in(40) {
                // Other commands run while a fetch goes on, and are dropped as well.
                let mut some = Polls(self.random.one_in(2).then_some(1));
                some.of(pin!(self.client.noop())).await.transpose()?;
            }
        }
        match due.difference(&seen).next() {
            Some(uid) => Err(format!("{uid} of {} is missing, {} of {} came", mailbox.name(), seen.len(), due.len()))?,
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

    async fn body(&mut self, mut polls: Polls) -> Result<End, Failure> {
        let Some((at, mailbox, known)) = self.open.clone() else { return Ok(End::Complete) };
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
            Some(expected) if octets != expected.octets => {
                Err(format!("{} octets in place of {} for {uid}", octets.len(), expected.octets.len()))?
            }
            None if body.existed() || !octets.is_empty() => Err(format!("{uid} should not be there"))?,
            _ => Ok(End::Complete),
        }
    }

    async fn watch(&mut self, mut polls: Polls) -> Result<End, Failure> {
        let Some((_, mailbox, _)) = &self.open else { return Ok(End::Complete) };
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

    async fn append(&mut self, polls: Polls) -> Result<End, Failure> {
        let (target, message) = self.invent();
        let append = Append::new(self.model.name(target), Message::Octets(message.octets.clone()));
        let append = append.flags(message.flags.clone()).date(message.date());
        self.upload(polls, target, &message, self.client.append(append)).await
    }

    async fn append_from(&mut self, polls: Polls) -> Result<End, Failure> {
        let (target, message) = self.invent();
        let source = read_from(Hesitant::new(message.octets.clone(), self.random.fork()));
        let len = message.octets.len() as u64;
        let upload = self.client.append_from(self.model.name(target), len, source, |append| {
            append.flags(message.flags.clone()).date(message.date())
        });
        let end = self.upload(polls, target, &message, upload).await?;
        self.reader_dropped |= matches!(end, End::Dropped);
        Ok(end)
    }

    fn invent(&mut self) -> (usize, Arc<Expected>) {
        let target = self.random.below(self.model.count());
        (target, self.model.invent(target))
    }

    async fn upload(
        &mut self,
        mut polls: Polls,
        target: usize,
        message: &Expected,
        mut upload: Operation<Option<Stored>>,
    ) -> Result<End, Failure> {
        let untouched = polls.0 == Some(0);
        let stored = polls.of(Pin::new(&mut upload)).await;
        match stored {
            Some(Ok(stored)) => {
                let stored = stored.ok_or_else(|| "no APPENDUID".to_owned())?;
                self.model.is_stored(target, message.id, stored);
                Ok(End::Complete)
            }
            Some(Err(error)) => {
                // It was begun on a connection that an earlier drop has ended: nobody told how it ended.
                Err(error)?
            }
            None if self.random.one_in(2) => {
                drop(upload);
                if untouched {
                    self.model.is_not_stored(target, message.id);
                }
                Ok(End::Dropped)
            }
            None => {
                self.learn(target, message, upload.cancel().await)?;
                Ok(End::Dropped)
            }
        }
    }

    fn learn(&mut self, target: usize, message: &Expected, fate: Fate<Option<Stored>>) -> Result<(), Failure> {
        let told = match fate {
            Fate::Completed(Some(stored)) => {
                self.model.is_stored(target, message.id, stored);
                "completed"
            }
            Fate::NotSent => {
                self.model.is_not_stored(target, message.id);
                "not sent"
            }
            Fate::Cancelled => {
                self.model.is_not_stored(target, message.id);
                "cancelled"
            }
            Fate::InDoubt => "in doubt",
            other => Err(format!("{} ended as {other:?}", message.id))?,
        };
        *self.tally.fates.entry(told).or_default() += 1;
        Ok(())
    }
}
