mod group;
mod report;
mod upload;
mod work;

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;

pub use report::{AppendProgress, AppendReport, Appended};
pub use upload::{IntoUpload, Upload};
use work::Work;

use super::Client;
use super::signal::{Left, Stop};
use crate::command::Cancelling;
use crate::error::{Error, Misuse};
use crate::types::IntoMailboxName;

impl Client {
    /// Stores the messages of a stream, pipelined, and reports what became of each. RFC 9051 §6.3.12
    ///
    /// ```
    /// # use futures_core::Stream;
    /// # use imap_proto_core::{Error, client::{Appended, Client}};
    /// # async fn run(client: &Client, messages: impl Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static) {
    /// let report = client.append_all("Archive", messages).on_progress(|now| println!("{}", now.stored)).await;
    /// for (index, message) in report.messages.iter().enumerate() {
    ///     match message {
    ///         Appended::Stored(Some(stored)) => println!("{index} is {}", stored.uid),
    ///         other => println!("{index}: {other:?}"),
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// Any [`Stream`] will do: the crate futures-util makes one of a list of files with
    /// `stream::iter(paths).map(tokio::fs::read).buffered(4)`.
    ///
    /// A message that the server refuses or that cannot be read is in the report, and the next one is sent; of a mailbox
    /// that does not exist (TRYCREATE) nothing more is, and what had left by then is refused as well. See [`AppendAll`] for
    /// stopping it half-way.
    ///
    /// The stream may wait for other calls on the same connection, as one that fetches what it copies does: between two messages
    /// nothing is held up. The source of a message may not, see [`Upload::from_source`].
    pub fn append_all<S>(&self, mailbox: impl IntoMailboxName, messages: S) -> AppendAll
    where
        S: Stream<Item: IntoUpload> + Send + 'static,
    {
        let mailbox = mailbox.into_mailbox_name().map_err(|invalid| Error::Misuse(Misuse::Name(invalid)));
        let work = Work::new(self, mailbox, upload::uploads(messages));
        AppendAll { state: State::Running(Box::new(work)), stop: Stop::new(), kept: None }
    }
}

/// Stores the messages of a stream: a future of the [`AppendReport`] that begins when it is first polled.
///
/// Messages are taken from the stream as there is room for them (see [`ahead`](Self::ahead)) and sent without waiting for
/// the answers to those before, as far as the server's literals allow it (RFC 7888).
///
/// **It is stopped between messages.** [`stop`](Self::stop) takes nothing more from the stream, takes back what has not
/// begun, finishes the messages of which an octet has left, and gives the report; a [`Stopper`] does the same from any
/// thread. The connection stays good. Of small messages many have left before the first is answered, by default up to
/// [`Config::outstanding`](crate::Config::outstanding) octets of them; with [`ahead(0)`](Self::ahead) it is the present one alone.
/// The report comes when they are answered; where the server is silent, after [`Config::progress`](crate::Config::progress), or
/// as soon as the connection is ended by [`Client::close`].
///
/// **In time.** With [`Config::command`](crate::Config::command) each message has that time, from its first octet on, or from
/// when what is before it on the wire is answered: a server that is slow and gets on is waited for. Where a message takes longer the
/// call stops as if it were [stopped](Self::stop), and ends with [`Phase::Operation`](crate::Phase::Operation). What has begun
/// behind it has that time once more, in which its own answer is taken too; what is not answered by then is in doubt.
///
/// **Dropping it** gives up without waiting: what has not begun is not sent, and what has is finished in the background, but
/// for a message that comes from a source, which is gone then: inside it the connection has to close. A [`Ledger`],
/// asked for before, still has the report:
///
/// ```
/// # use imap_proto_core::client::{AppendAll, AppendReport, Client};
/// # async fn timeout<F: Future>(future: F) -> Option<F::Output> { None }
/// # async fn run(client: &Client, mut upload: AppendAll) -> AppendReport {
/// let mut ledger = upload.ledger();
/// if let Some(report) = timeout(&mut upload).await {
///     return report;
/// }
/// // It takes too long: stop it between two messages.
/// if let Some(report) = timeout(upload.stop()).await {
///     return report;
/// }
/// // The server is silent: leave it, and learn what is known.
/// client.close();
/// ledger.report().await
/// # }
/// ```
#[must_use = "nothing is sent unless it is polled"]
pub struct AppendAll {
    state: State,
    stop: Stop,
    kept: Option<Arc<Left<Kept>>>,
}

enum State {
    Running(Box<Work>),
    Over(AppendReport),
}

/// What a call leaves to its ledger.
enum Kept {
    /// It was dropped.
    Work(Box<Work>),
    /// It is over.
    Report(AppendReport),
}

impl AppendAll {
    /// How many octets of messages may be under way: taken from the stream and not answered. 512 KiB unless it is set.
    /// It is passed by the last one of them, so that a message may be larger; 0 sends one message at a time.
    pub fn ahead(mut self, octets: u64) -> Self {
        if let State::Running(work) = &mut self.state {
            work.settings.ahead = octets.max(1);
        }
        self
    }

    /// Sends up to `messages` in one command where the server offers MULTIAPPEND, which stores all of them or none: as many as
    /// the stream has ready, within [`ahead`](Self::ahead). A stream that waits for each message, as `then(tokio::fs::read)` does,
    /// has one ready at a time, and each goes alone; `buffered` reads ahead. One from a source goes alone, and so does one with
    /// NUL in it.
    /// RFC 3502
    pub fn together(mut self, messages: usize) -> Self {
        if let State::Running(work) = &mut self.state {
            work.settings.together = messages;
        }
        self
    }

    /// Says what stopping and dropping it do to what has begun; else it is finished. With [`Cancelling::Cut`] a message is
    /// stopped in its middle, which closes the connection, and messages that go [together](Self::together) between two of
    /// them, which does not.
    pub fn cancelling(mut self, cancelling: Cancelling) -> Self {
        if let State::Running(work) = &mut self.state {
            work.settings.cancelling = cancelling;
        }
        self
    }

    /// Calls `tell` whenever a message is over, and with each piece of one that comes from a source.
    pub fn on_progress(mut self, tell: impl FnMut(AppendProgress) + Send + 'static) -> Self {
        if let State::Running(work) = &mut self.state {
            work.settings.tell = Some(Box::new(tell));
        }
        self
    }

    /// Stops between messages and waits for the report. Of one that was over before it is the same report again.
    ///
    /// Dropped half-way, as under a timeout of the runtime, it is dropping the call itself: where the report matters, ask for a
    /// [`ledger`](Self::ledger) before.
    pub async fn stop(self) -> AppendReport {
        self.stopper().stop();
        self.await
    }

    /// A handle that stops it from any task or thread, at any time.
    pub fn stopper(&self) -> Stopper {
        Stopper { stop: self.stop.clone() }
    }

    /// A handle that has the report however this future ends. The last one that was asked for has it: one before it, where
    /// the report was not there yet, has an empty one that ended with [`Misuse::Over`].
    pub fn ledger(&mut self) -> Ledger {
        let kept = Arc::new(Left::new());
        if let Some(earlier) = self.kept.replace(kept.clone()) {
            let ended = Some(Error::Misuse(Misuse::Over));
            earlier.leave(Kept::Report(AppendReport { ended, ..AppendReport::default() }));
        }
        if let State::Over(report) = &self.state {
            kept.leave(Kept::Report(report.clone()));
        }
        Ledger { kept, has: None }
    }
}

impl Future for AppendAll {
    type Output = AppendReport;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<AppendReport> {
        let this = &mut *self;
        let work = match &mut this.state {
            State::Running(work) => work,
            State::Over(report) => return Poll::Ready(report.clone()),
        };
        if this.stop.is_set_or_wakes(cx) {
            work.stop();
        }
        let report = ready!(work.poll(cx));
        this.state = State::Over(report.clone());
        if let Some(kept) = &this.kept {
            kept.leave(Kept::Report(report.clone()));
        }
        Poll::Ready(report)
    }
}

impl Drop for AppendAll {
    fn drop(&mut self) {
        if let State::Running(mut work) = core::mem::replace(&mut self.state, State::Over(AppendReport::default()))
            && let Some(kept) = self.kept.take()
        {
            work.abandon();
            kept.leave(Kept::Work(work));
        }
    }
}

impl core::fmt::Debug for AppendAll {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let state = match self.state {
            State::Running(_) => "running",
            State::Over(_) => "over",
        };
        f.debug_struct("AppendAll").field("state", &state).finish_non_exhaustive()
    }
}

/// Stops an [`AppendAll`] from elsewhere, between messages.
#[derive(Clone)]
pub struct Stopper {
    stop: Stop,
}

impl Stopper {
    /// Stops it: whoever awaits it has the report as soon as what was begun is answered. Does nothing once it is over.
    pub fn stop(&self) {
        self.stop.set();
    }
}

impl core::fmt::Debug for Stopper {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Stopper").field("stop", &self.stop).finish_non_exhaustive()
    }
}

/// Keeps the report of an [`AppendAll`] that may be dropped.
pub struct Ledger {
    kept: Arc<Left<Kept>>,
    has: Option<Kept>,
}

impl Ledger {
    /// The report, as soon as the call is over: ended, or dropped and what it had begun answered.
    ///
    /// Dropping the future loses nothing: it can be asked for again, and is the same report each time.
    pub async fn report(&mut self) -> AppendReport {
        core::future::poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<AppendReport> {
        let has = match &mut self.has {
            Some(has) => has,
            none => none.insert(ready!(self.kept.poll_take(cx))),
        };
        let report = match has {
            Kept::Work(work) => ready!(work.poll(cx)),
            Kept::Report(report) => return Poll::Ready(report.clone()),
        };
        *has = Kept::Report(report.clone());
        Poll::Ready(report)
    }
}

impl core::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}
