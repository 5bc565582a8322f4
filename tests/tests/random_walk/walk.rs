use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use imap_tokio::types::{Capability, Code, Uid};
use imap_tokio::{Client, Closed, Error, Fate, Mailbox, Operation};

use super::change::{Moving, Told};
use super::executor::in_time;
use super::reads::Kind;
use super::{Connect, Model, Random, Tally};

/// One connection that does random things, some of them not to the end.
pub(crate) struct Walk {
    pub(super) model: Arc<Model>,
    /// Which walk it is: messages belong to one.
    pub(super) number: usize,
    connect: Connect,
    pub(super) client: Client,
    pub(super) open: Option<Open>,
    pub(super) random: Random,
    pub(super) tally: Tally,
    /// Drops that no completed operation has followed yet, and whether a reader was among them.
    unproven: usize,
    pub(super) reader_dropped: bool,
    /// A SELECT was dropped, and none completed since: it is not known which mailbox is selected.
    pub(super) select_dropped: bool,
    /// One SELECT in so many is an EXAMINE.
    pub(super) examines: Option<usize>,
    /// Whether messages go to mailboxes that they have left.
    pub(super) returns: bool,
    /// How many operations in a hundred are dropped half-way, about.
    dropped: usize,
    pub(super) moving: Moving,
}

/// The mailbox that a handle is held of.
#[derive(Clone)]
pub(super) struct Open {
    pub(super) at: usize,
    pub(super) mailbox: Mailbox,
    /// What was known to be in it when the server last synchronised it.
    pub(super) known: BTreeSet<Uid>,
    pub(super) is_read_only: bool,
}

/// When the operation under way is dropped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Polls {
    /// How many more times it is polled; `None` where that is to its end.
    left: Option<usize>,
    /// How often others get their turn before it is dropped: its driver writes meanwhile, and the server answers.
    lingers: usize,
}

/// How a step ended.
pub(super) enum End {
    Dropped,
    Complete,
    /// It wanted messages to work on, and there were none.
    NothingToDo,
}

/// Ends a test, or a connection.
pub(super) enum Failure {
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
    pub(super) fn once() -> Self {
        Polls { left: Some(1), lingers: 0 }
    }

    pub(super) fn to_the_end() -> Self {
        Polls { left: None, lingers: 0 }
    }

    /// Dropped before it is polled: nothing of it is ever sent.
    pub(super) fn are_none(&self) -> bool {
        self.left == Some(0)
    }

    pub(super) fn are_few(&self) -> bool {
        self.left.is_some()
    }

    /// Polls a future to its end, or as often as is left; `None` when it is to be dropped now.
    pub(super) async fn of<F: Future>(&mut self, mut future: Pin<&mut F>) -> Option<F::Output> {
        let output = poll_fn(|cx| {
            if self.left == Some(0) {
                return Poll::Ready(None);
            }
            self.left = self.left.map(|left| left - 1);
            match future.as_mut().poll(cx) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending if self.left == Some(0) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        if output.is_none() {
            for _ in 0..self.lingers {
                smol::future::yield_now().await;
            }
        }
        output
    }
}

impl Walk {
    pub(crate) async fn begin(model: Arc<Model>, number: usize, connect: Connect, random: Random) -> Self {
        let client = connect().await.expect("the server lets us in");
        let view = client.view().await.expect("it is connected");
        let moving = if view.capabilities().has(&Capability::Move) { Moving::AtOnce } else { Moving::InSteps };
        Walk {
            model,
            number,
            connect,
            client,
            open: None,
            random,
            tally: Tally::default(),
            unproven: 0,
            reader_dropped: false,
            select_dropped: false,
            examines: Some(3),
            returns: true,
            dropped: 50,
            moving,
        }
    }

    /// Drops about so many operations in a hundred.
    pub(crate) fn dropping(mut self, percent: usize) -> Self {
        self.dropped = percent;
        self
    }

    /// Selects no mailbox to be read only: Courier refuses an APPEND to that one then.
    pub(crate) fn without_examine(mut self) -> Self {
        self.examines = None;
        self
    }

    /// Copies and moves no message to a mailbox that it has left. Its file has the same name there as before, and a Dovecot
    /// with Maildirs that still has the old one in its list gives the message another UID than it has told: "Duplicate file
    /// entry".
    pub(crate) fn without_returns(mut self) -> Self {
        self.returns = false;
        self
    }

    /// Does so many things, settles, and logs out.
    pub(crate) async fn run(mut self, operations: usize) -> Tally {
        let mut number = 0;
        while self.tally.operations() < operations {
            number += 1;
            let step = in_time(self.step()).await;
            if let Err(failure) = step.unwrap_or_else(|| panic!("operation {number} hangs")) {
                self.end_of_connection(number, failure).await;
            }
        }
        let settled = in_time(self.client.settle()).await.expect("settling hangs");
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
            if self.append(Polls::to_the_end()).await.is_err() {
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
        self.client = self.connect_again().await;
        self.open = None;
        self.select_dropped = false;
        self.proven(0);
    }

    /// A process of Cyrus whose last peer has vanished inside TLS answers the next handshake with an internal error.
    async fn connect_again(&self) -> Client {
        for _ in 0..5 {
            match (self.connect)().await {
                Err(Error::Transport(error)) => eprintln!("not connected again: {error}"),
                connected => return connected.expect("the server lets us in again"),
            }
        }
        panic!("the server does not let us in again");
    }

    fn proven(&mut self, usable: usize) {
        self.tally.usable += usable;
        self.unproven = 0;
        self.reader_dropped = false;
    }

    /// How often the next operation is polled.
    fn polls(&mut self) -> Polls {
        // A quarter of those that are to be dropped are over before.
        if self.random.below(300) >= self.dropped * 4 {
            return Polls::to_the_end();
        }
        // Most operations are over after their second poll.
        let left = match self.random.below(11) {
            0 => 0,
            1..7 => 1,
            7..9 => 2 + self.random.below(3),
            _ => 1 + self.random.below(60),
        };
        let lingers = match self.random.below(4) {
            _ if left == 0 => 0,
            0 => 0,
            1 | 2 => self.random.below(8),
            _ => self.random.below(400),
        };
        Polls { left: Some(left), lingers }
    }

    async fn step(&mut self) -> Result<(), Failure> {
        let polls = self.polls();
        let (operation, result) = self.operation(polls).await;
        let end = match result {
            // The handle was stale, and said so. Nothing was sent.
            Err(Failure::Ended(Error::Deselected)) if self.select_dropped => {
                self.tally.deselected += 1;
                self.open = None;
                return Ok(());
            }
            // Another walk has removed some of what was asked for.
            Err(Failure::Ended(error)) if is_of_removed(&error) && self.misses_some() => {
                self.tally.of_removed += 1;
                End::Complete
            }
            other => other?,
        };
        match end {
            End::NothingToDo => return Ok(()),
            End::Complete => self.proven(self.unproven),
            End::Dropped => self.unproven += 1,
        }
        self.tally.count(operation, matches!(end, End::Dropped));
        Ok(())
    }

    /// Whether something was removed since the mailbox was synchronised.
    fn misses_some(&self) -> bool {
        self.open.as_ref().is_some_and(|open| self.model.still(open.at, &open.known).len() < open.known.len())
    }

    async fn operation(&mut self, polls: Polls) -> (&'static str, Result<End, Failure>) {
        let choice = if self.open.is_none() { self.random.below(10) } else { self.random.below(36) };
        match choice {
            0 | 1 => ("SELECT", self.select(polls).await),
            2 => ("APPEND", self.append(polls).await),
            3 | 4 => ("APPEND reader", self.append_from(polls).await),
            5 => ("append_all", self.append_all(polls).await),
            6 | 7 => ("NOOP", self.noop(polls).await),
            8 => ("LIST", self.list(polls).await),
            9 => ("STATUS", self.status(polls).await),
            10 | 11 => ("SEARCH", self.search(polls).await),
            12..15 => ("FETCH flags", self.fetch(polls, Kind::Flags).await),
            15 | 16 => ("FETCH envelopes", self.fetch(polls, Kind::Envelopes).await),
            17 | 18 => ("FETCH bodies", self.fetch(polls, Kind::Bodies).await),
            19..22 => ("body", self.body(polls).await),
            22 | 23 => ("IDLE", self.watch(polls).await),
            24..28 => ("STORE", self.store(polls).await),
            28..31 => ("COPY", self.copy(polls).await),
            31..34 => ("MOVE", self.move_to(polls).await),
            _ => ("delete", self.delete(polls).await),
        }
    }

    /// Waits for one command, or drops it; tells what is known of its effect, and how the step ended.
    pub(super) async fn drive<T>(
        &mut self,
        polls: &mut Polls,
        mut operation: Operation<T>,
    ) -> (Told<T>, Result<End, Failure>) {
        let untouched = polls.are_none();
        match polls.of(Pin::new(&mut operation)).await {
            Some(Ok(value)) => (Told::Done(value), Ok(End::Complete)),
            // It was begun on a connection that an earlier drop has ended.
            Some(Err(error)) => (self.told(operation.cancel().await), Err(error.into())),
            None if self.random.one_in(2) => {
                drop(operation);
                (if untouched { Told::Nothing } else { Told::InDoubt }, Ok(End::Dropped))
            }
            None => (self.told(operation.cancel().await), Ok(End::Dropped)),
        }
    }

    fn told<T>(&mut self, fate: Fate<T>) -> Told<T> {
        let (what, told) = match fate {
            Fate::Completed(value) => ("completed", Told::Done(value)),
            Fate::NotSent => ("not sent", Told::Nothing),
            Fate::Cancelled => ("cancelled", Told::Nothing),
            Fate::Refused(_) => ("refused", Told::Nothing),
            // Its refusal, which the step ends with.
            Fate::Told => ("told", Told::Nothing),
            Fate::InDoubt => ("in doubt", Told::InDoubt),
        };
        *self.tally.fates.entry(what).or_default() += 1;
        told
    }
}

/// The server's way of saying that a message is not there any more.
fn is_of_removed(error: &Error) -> bool {
    match error {
        Error::Gone => true,
        Error::Refused(refused) => refused.code == Some(Code::ExpungeIssued),
        _ => false,
    }
}
