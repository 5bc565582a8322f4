use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use super::Client;
use super::feed::{Feed, Source};
use super::queue::{Call, Item, Reader, Reply, Submission, Ticket};
use crate::command::{Command, Completion, Noop, Outcome, Request};
use crate::connection::CancelEffect;
use crate::error::{Closed, Error, Fate, Misuse};
use crate::wire::OwnedResponse;

/// One call on a connection: a future that begins when it is first polled.
///
/// **Dropping it is cancelling without waiting.** Before its first poll nothing was sent, and nothing will
/// be. After that, what it promised on the wire is finished in the background by the driver, and the next
/// call on the connection is answered rightly; the type of the call says what that means for it.
/// [`cancel`](Self::cancel) does the same and tells how it ended; [`canceller`](Self::canceller) does it from elsewhere.
///
/// It is [`Unpin`]: `select!` and timeouts take it by reference, so that it can be waited for again, or cancelled.
///
/// ```
/// # use imap_proto_core::{Error, Fate, client::Operation};
/// # async fn either(operation: &mut Operation<()>, patience: impl Future<Output = ()>) -> Option<Result<(), Error>> { None }
/// # async fn run(mut operation: Operation<()>, patience: impl Future<Output = ()>) -> Result<(), Error> {
/// match either(&mut operation, patience).await {
///     Some(result) => result,
///     // It took too long: give it up, and learn what became of it.
///     None => match operation.cancel().await {
///         Fate::Completed(()) => Ok(()),
///         _ => Err(Error::Cancelled),
///     },
/// }
/// # }
/// ```
#[must_use = "nothing is sent unless the operation is polled"]
pub struct Operation<T> {
    client: Client,
    reader: Reader,
    ticket: Ticket,
    state: State<T>,
    only_answers: bool,
}

enum State<T> {
    /// Not polled yet.
    New(Result<Box<Submission>, Error>, Box<dyn Fold<T>>, Option<Source>),
    Running {
        fold: Box<dyn Fold<T>>,
        feed: Option<Feed>,
    },
    /// It had its time, and its caller was told so: whether it was done will be told.
    Overdue(Box<dyn Fold<T>>),
    /// What is known of its effect beside what its caller was told.
    Over(Fate<()>),
}

/// A command seen from whoever waits for it.
trait Fold<T>: Send {
    fn fold(&mut self, response: &OwnedResponse);
    fn finish(self: Box<Self>, ok: Completion) -> T;
}

impl<C: Command + Send> Fold<C::Output> for C {
    fn fold(&mut self, response: &OwnedResponse) {
        Command::fold(self, response.get());
    }

    fn finish(self: Box<Self>, ok: Completion) -> C::Output {
        Command::finish(*self, ok)
    }
}

/// A command whose result is made into something else.
struct Then<C, F>(C, F);

impl<C: Command + Send, T, F: FnOnce(C::Output) -> T + Send> Fold<T> for Then<C, F> {
    fn fold(&mut self, response: &OwnedResponse) {
        self.0.fold(response.get());
    }

    fn finish(self: Box<Self>, ok: Completion) -> T {
        let Then(command, then) = *self;
        then(command.finish(ok))
    }
}

impl<T> Operation<T> {
    pub(super) fn new<C>(client: &Client, command: C) -> Self
    where
        C: Command<Output = T> + Send + 'static,
    {
        let request = command.request();
        Self::from_parts(client, request, Box::new(command))
    }

    pub(super) fn then<C, F>(client: &Client, command: C, then: F) -> Self
    where
        C: Command + Send + 'static,
        F: FnOnce(C::Output) -> T + Send + 'static,
        T: 'static,
    {
        let request = command.request();
        Self::from_parts(client, request, Box::new(Then(command, then)))
    }

    /// One that fails with `misuse` when it is polled.
    pub(super) fn misused(client: &Client, misuse: Misuse) -> Self
    where
        T: Default + 'static,
    {
        Self::from_parts(client, Err(misuse), Box::new(Then(Noop, |()| T::default())))
    }

    fn from_parts(client: &Client, request: Result<Request, Misuse>, fold: Box<dyn Fold<T>>) -> Self {
        let (reader, ticket) = (Reader::new(), client.calls().ticket());
        let only_answers = request.as_ref().is_ok_and(Request::only_answers);
        let submission = request.map(|request| Box::new(Submission { ticket, request, reply: reader.reply().clone() }));
        let state = State::New(submission.map_err(Error::Misuse), fold, None);
        Operation { client: client.clone(), reader, ticket, state, only_answers }
    }

    /// Binds the operation to a selection.
    pub(super) fn bind(mut self, selection: u32) -> Self {
        if let State::New(Ok(submission), ..) = &mut self.state {
            submission.request.selection = Some(selection);
        }
        self
    }

    /// Gives the source of the octets that the command announces: those of all its messages that are
    /// [fed](crate::command::Message::Fed), one after the other, in pieces of any size.
    ///
    /// ```
    /// # use imap_proto_core::{Error, client::{Client, Source}, command::{Message, MultiAppend}};
    /// # async fn run(client: &Client, source: Source) -> Result<(), Error> {
    /// let two = MultiAppend::new("Archive", [Message::Fed(2000), Message::Fed(300)]);
    /// let stored = client.run(two).feed_from(source).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn feed_from(mut self, from: Source) -> Self {
        if let State::New(_, _, source) = &mut self.state {
            *source = Some(from);
        }
        self
    }

    /// Gives the operation so much time, in place of [`Config::command`](crate::Config::command): from its first poll on, which is
    /// when this has to be said.
    ///
    /// Then it ends with [`Error::Timeout`] and [`Phase::Operation`](crate::Phase::Operation), and is given up as if it were
    /// dropped: the connection is good, and [`cancel`](Self::cancel) tells what is known of its effect. Inside a message that
    /// comes from a [`Source`] it is [`Phase::Octets`](crate::Phase::Octets) and the connection is closed, as it is when such an
    /// operation is dropped; so is one that waits for the answer to LOGOUT, with
    /// [`Phase::Command`](crate::Phase::Command). The time is kept by the driver, with the clock of its [`Wire`](super::Wire).
    ///
    /// The answer that comes later is read over; where the operation was awaited by reference, [`cancel`](Self::cancel) waits
    /// for it, and tells whether a CREATE was done after all. With no time at all nothing is sent. Of calls that wait for one
    /// another on the wire the time of each begins when it is made, so that the last waits for all.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use imap_proto_core::{Error, Phase, client::Mailbox, types::Query};
    /// # async fn run(inbox: &Mailbox) -> Result<(), Error> {
    /// match inbox.search(Query::text("needle")).within(Duration::from_secs(10)).await {
    ///     Ok(found) => println!("{found}"),
    ///     Err(Error::Timeout { phase: Phase::Operation, .. }) => println!("it takes too long"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn within(mut self, time: Duration) -> Self {
        if let State::New(Ok(submission), ..) = &mut self.state {
            submission.request.within = Some(time);
        }
        self
    }

    /// Cancels the operation and waits until it is known how it ended.
    ///
    /// One that was awaited and ended with an error that is no refusal, as when the connection broke, still tells what is
    /// known of its effect: [`Fate::NotSent`], [`Fate::Cancelled`] or [`Fate::InDoubt`]. Where one that
    /// had its [time](Self::within) may have been done, the answer is waited for as it is of any other.
    ///
    /// Dropping this future cancels all the same, without waiting.
    pub async fn cancel(mut self) -> Fate<T> {
        self.canceller().cancel();
        let client = self.client.clone();
        core::future::poll_fn(|cx| self.poll_fate(&client, cx)).await
    }

    /// A handle that cancels the operation from any task or thread, at any time.
    ///
    /// The operation itself then ends with [`Error::Cancelled`], which means that it surely had no effect, or with its result
    /// where it could not be taken back, or with what ended the connection for it. Only [`cancel`](Self::cancel) tells the fate.
    pub fn canceller(&self) -> Canceller {
        Canceller { client: self.client.clone(), reply: self.reader.reply().clone(), ticket: self.ticket }
    }

    /// What dropping or cancelling it would do at the moment; `None` once it is over, when that does nothing. It may be another
    /// by the time it is dropped: more of it may have left.
    ///
    /// ```
    /// # use imap_proto_core::{CancelEffect, client::Operation};
    /// # async fn run(upload: Operation<()>) -> Option<Operation<()>> {
    /// match upload.would_drop().await {
    ///     // To give it up would cost the connection: go on.
    ///     Some(CancelEffect::WillClose | CancelEffect::MayClose) => Some(upload),
    ///     _ => None,
    /// }
    /// # }
    /// ```
    pub fn would_drop(&self) -> impl Future<Output = Option<CancelEffect>> + Send + use<T> {
        let begun = match self.state {
            State::New(..) => Err(Some(CancelEffect::Removed)),
            State::Running { .. } => Ok(self.canceller()),
            State::Overdue(_) | State::Over(_) => Err(None),
        };
        async move {
            match begun {
                Ok(canceller) => canceller.would_drop().await,
                Err(known) => known,
            }
        }
    }

    fn poll_fate(&mut self, client: &Client, cx: &mut Context<'_>) -> Poll<Fate<T>> {
        match &self.state {
            State::New(..) => {
                self.state = State::Over(Fate::NotSent);
                return Poll::Ready(Fate::NotSent);
            }
            State::Over(fate) => return Poll::Ready(unfinished(fate)),
            State::Running { .. } | State::Overdue(_) => {}
        }
        loop {
            let (_, item) = ready!(self.reader.poll_pop(client.calls(), cx));
            match item {
                Item::Done(Err(refused)) => return Poll::Ready(Fate::Refused(refused)),
                Item::Done(Ok(_)) if self.only_answers => {
                    self.state = State::Over(Fate::Cancelled);
                    return Poll::Ready(Fate::Cancelled);
                }
                Item::Done(Ok(completion)) => {
                    return Poll::Ready(self.finish(completion).map_or(Fate::InDoubt, Fate::Completed));
                }
                Item::Failed(_, fate) => {
                    let told = unfinished(&fate);
                    self.state = State::Over(fate);
                    return Poll::Ready(told);
                }
                _ => {}
            }
        }
    }

    fn finish(&mut self, completion: Completion) -> Option<T> {
        match core::mem::replace(&mut self.state, State::Over(Fate::Told)) {
            State::Running { fold, .. } | State::Overdue(fold) => Some(fold.finish(completion)),
            _ => None,
        }
    }

    fn begin(&mut self) -> Result<(), Error> {
        match self.state {
            State::New(..) => {}
            State::Running { .. } => return Ok(()),
            State::Overdue(_) | State::Over(_) => return Err(Error::Misuse(Misuse::Over)),
        }
        let State::New(submission, fold, source) = core::mem::replace(&mut self.state, State::Over(Fate::NotSent))
        else {
            return Ok(());
        };
        if self.reader.reply().is_cancelled() {
            return Err(Error::Cancelled);
        }
        let submission = submission?;
        let owed = submission.request.octets_to_feed();
        if owed > 0 && source.is_none() {
            return Err(Error::Misuse(Misuse::NoSource));
        }
        let feed = source.map(|source| Feed::new(source, owed));
        self.client.calls().push(Call::Submit(submission))?;
        self.state = State::Running { fold, feed };
        Ok(())
    }

    fn poll_feed(&mut self, cx: &mut Context<'_>) {
        if let State::Running { feed: Some(feed), .. } = &mut self.state {
            feed.poll(&self.client, self.ticket, cx);
        }
    }

    fn take(&mut self, item: Item) -> Option<Result<T, Error>> {
        let State::Running { fold, feed } = &mut self.state else { return None };
        match item {
            Item::Data(response) => fold.fold(&response),
            Item::WantsBody(max) => {
                if let Some(feed) = feed {
                    feed.want(max);
                }
            }
            Item::Done(Err(refused)) => {
                self.state = State::Over(Fate::Told);
                return Some(Err(Error::Refused(refused)));
            }
            Item::Done(Ok(_)) if self.only_answers && self.reader.reply().is_cancelled() => {
                self.state = State::Over(Fate::Cancelled);
                return Some(Err(Error::Cancelled));
            }
            Item::Done(Ok(completion)) => return self.finish(completion).map(Ok),
            Item::Overdue(error, fate) => {
                let is_known = !matches!(fate, Fate::InDoubt);
                if let State::Running { fold, .. } = core::mem::replace(&mut self.state, State::Over(fate))
                    && !is_known
                {
                    self.state = State::Overdue(fold);
                } else {
                    self.reader.close();
                }
                return Some(Err(error));
            }
            Item::Failed(error, fate) => {
                let error = match feed {
                    Some(feed) => feed.blame(error),
                    None => error,
                };
                self.state = State::Over(fate);
                return Some(Err(error));
            }
            _ => {}
        }
        None
    }
}

impl Operation<()> {
    /// Takes a connection that ended by LOGOUT for the success it is.
    pub(super) async fn or_logged_out(self) -> Result<(), Error> {
        match self.await {
            Err(Error::Closed(Closed::LoggedOut)) => Ok(()),
            other => other,
        }
    }
}

impl<T> Future for Operation<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.begin()?;
        loop {
            this.poll_feed(cx);
            let client = this.client.clone();
            let (_, item) = ready!(this.reader.poll_pop(client.calls(), cx));
            if let Some(result) = this.take(item) {
                return Poll::Ready(result);
            }
        }
    }
}

impl<T> Unpin for Operation<T> {}

impl<T> Drop for Operation<T> {
    fn drop(&mut self) {
        let is_running = matches!(self.state, State::Running { .. });
        if is_running || matches!(self.state, State::Overdue(_)) {
            self.reader.close();
        }
        if is_running {
            // Where the driver is gone there is nothing left to abandon.
            let _ = self.client.calls().push(Call::Abandon { ticket: self.ticket });
        }
    }
}

impl<T> core::fmt::Debug for Operation<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let state = match self.state {
            State::New(..) => "new",
            State::Running { .. } => "running",
            State::Overdue(_) | State::Over(_) => "over",
        };
        f.debug_struct("Operation").field("state", &state).finish_non_exhaustive()
    }
}

/// Cancels an [`Operation`] from elsewhere.
#[derive(Clone, Debug)]
pub struct Canceller {
    client: Client,
    reply: Arc<Reply>,
    ticket: Ticket,
}

impl Canceller {
    /// Cancels it. Does nothing once it is over.
    pub fn cancel(&self) {
        self.reply.cancel();
        let _ = self.client.calls().push(Call::Abandon { ticket: self.ticket });
        self.reply.wake_reader();
    }

    /// What that would do at the moment: see [`Operation::would_drop`]. `None` as well where the operation was not polled yet.
    pub async fn would_drop(&self) -> Option<CancelEffect> {
        let pick = |item| match item {
            Item::WouldDrop(effect) => Some(effect),
            _ => None,
        };
        let call = |reply| Call::WouldDrop { ticket: self.ticket, reply };
        // Once the connection has ended all is over.
        answer(&self.client, call, pick).await.ok().flatten()
    }
}

/// The one item of a reply that is no command's.
pub(super) async fn answer<T>(
    client: &Client,
    call: impl FnOnce(Arc<Reply>) -> Call,
    pick: impl Fn(Item) -> Option<T>,
) -> Result<T, Error> {
    let mut reader = Reader::new();
    client.calls().push(call(reader.reply().clone()))?;
    loop {
        let (_, item) = core::future::poll_fn(|cx| reader.poll_pop(client.calls(), cx)).await;
        if let Item::Failed(error, _) = item {
            return Err(error);
        }
        if let Some(picked) = pick(item) {
            return Ok(picked);
        }
    }
}

/// The fate of an operation without a result.
fn unfinished<T>(fate: &Fate<()>) -> Fate<T> {
    match fate {
        Fate::NotSent => Fate::NotSent,
        Fate::Cancelled => Fate::Cancelled,
        Fate::Refused(refused) => Fate::Refused(refused.clone()),
        Fate::Told => Fate::Told,
        Fate::Completed(()) | Fate::InDoubt => Fate::InDoubt,
    }
}

/// How a window or a piece of a longer operation ended.
pub(super) fn ended(outcome: Outcome) -> Result<(), Error> {
    outcome.map(drop).map_err(Error::Refused)
}
