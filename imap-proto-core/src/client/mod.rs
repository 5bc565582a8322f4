//! The asynchronous face without a runtime: handles and futures on one side, a [`Driver`] on the other,
//! queues in between, which one thread at a time has in hand for as long as it takes to put something in.
//!
//! Quirks are cited by their numbers in `docs/quirks.md`.

mod append_all;
mod batch;
mod body;
mod driver;
mod feed;
mod fetch;
mod handshake;
mod mailbox;
mod mailboxes;
mod messages;
mod operation;
mod place;
mod pump;
mod queue;
#[cfg(all(loom, test))]
mod races;
mod signal;
mod slots;
mod sync;
mod watch;
mod wire;

use alloc::sync::Arc;

pub use append_all::{AppendAll, AppendProgress, AppendReport, Appended, IntoUpload, Ledger, Stopper, Upload};
pub use body::BodyStream;
pub use driver::Driver;
pub use feed::{Source, source_by};
pub use fetch::{FetchStream, FetchedMessage};
pub use handshake::{Shaken, shake_hands};
pub use mailbox::Mailbox;
pub use messages::{Moved, Removal};
pub use operation::{Canceller, Operation};
#[cfg(feature = "connect")]
pub(crate) use signal::Stop;
pub use watch::{Notice, Watch};
pub use wire::{TransportError, Wire};

use crate::command::{Access, Append, CapabilityCommand, Command, Logout, Message, Noop, Select, Stored};
use crate::connection::{Connection, Health, View};
use crate::error::Error;
use crate::types::{Capabilities, IntoMailboxName};
use queue::{Call, Calls, Item};

/// A handle on one connection. Cheap to clone; calls from several tasks are pipelined.
///
/// The connection is closed when the last handle, mailbox and operation on it are dropped.
/// [`logout`](Self::logout) ends it in good order, [`close`](Self::close) at once; [`settle`](Self::settle) waits for what was
/// dropped half-way.
#[derive(Clone, Debug)]
pub struct Client {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    calls: Arc<Calls>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _ = self.calls.push(Call::Close);
    }
}

/// Splits a connection into its handle and its driver.
fn pair<W: Wire>(connection: Connection, wire: W) -> (Client, Driver<W>) {
    let calls = Arc::new(Calls::new());
    let client = Client { handle: Arc::new(Handle { calls: calls.clone() }) };
    (client, Driver::new(connection, wire, calls))
}

impl Client {
    fn calls(&self) -> &Calls {
        &self.handle.calls
    }

    /// Runs one of the commands of [`command`](crate::command). It is not bound to a selection.
    ///
    /// Dropped half-way it is finished in the background; its result is lost.
    pub fn run<C: Command + Send + 'static>(&self, command: C) -> Operation<C::Output> {
        Operation::new(self, command)
    }

    /// Asks what the server can do. RFC 9051 §6.1.1
    ///
    /// Dropped half-way its answer still counts for the connection.
    pub fn capabilities(&self) -> Operation<Capabilities> {
        self.run(CapabilityCommand::default())
    }

    /// Lets the server say what is new; it also shows that the connection is alive. RFC 9051 §6.1.2
    ///
    /// Dropped half-way, what the server says still counts for the connection.
    pub fn noop(&self) -> Operation<()> {
        self.run(Noop)
    }

    /// Compresses all that follows, in both directions. RFC 4978
    ///
    /// Commands may be called at once: they wait for the server's answer and then leave compressed. What the server does not
    /// offer is [`Error::Unsupported`], a second time [`Misuse::AlreadyCompressed`](crate::Misuse::AlreadyCompressed);
    /// [`View::is_compressed`] tells. A refusal leaves the connection as it was.
    ///
    /// Dropped half-way it is finished, and the connection is compressed all the same if the server agrees.
    #[cfg(feature = "compress")]
    pub fn compress(&self) -> Operation<()> {
        self.run(crate::command::Compress)
    }

    /// Selects a mailbox, to be changed. RFC 9051 §6.3.2
    ///
    /// A connection has one selected mailbox: the handle of the one before refuses from now on, with
    /// [`Error::Deselected`]. Two tasks that select different mailboxes on one connection fight; give
    /// each a connection of its own. Dropped half-way the new mailbox is the selected one all the same.
    pub fn select(&self, mailbox: impl IntoMailboxName) -> Operation<Mailbox> {
        self.select_with(Select::new(mailbox, Access::ReadWrite))
    }

    /// Selects a mailbox to be read only: nothing done through it changes it. RFC 9051 §6.3.3
    ///
    /// That is the server's to see to. Courier takes a [`Mailbox::store`] all the same. Dropped half-way the new mailbox is the
    /// selected one all the same.
    pub fn examine(&self, mailbox: impl IntoMailboxName) -> Operation<Mailbox> {
        self.select_with(Select::new(mailbox, Access::ReadOnly))
    }

    /// Selects a mailbox as the command says: with CONDSTORE, for one. As [`select`](Self::select) for the rest.
    pub fn select_with(&self, select: Select) -> Operation<Mailbox> {
        let client = self.clone();
        Operation::then(self, select, |selected| Mailbox::new(client, selected))
    }

    /// Stores a message. RFC 9051 §6.3.12
    ///
    /// ```
    /// # use imap_proto_core::{Error, client::Client, command::Append, types::Flag};
    /// # async fn run(client: &Client) -> Result<(), Error> {
    /// let message = b"Subject: hello\r\n\r\nworld\r\n";
    /// let append = Append::new("Drafts", &message[..]).flags([Flag::Draft]);
    /// if let Some(stored) = client.append(append).await? {
    ///     println!("stored as {}", stored.uid);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Dropped half-way it is stored all the same once any of it has left, since the connection holds its octets,
    /// unless [`Append::cancelling`] says otherwise. It is in doubt from its last octet until the server's answer.
    pub fn append(&self, append: Append) -> Operation<Option<Stored>> {
        self.run(append)
    }

    /// Stores a message of `len` octets that come from `source` as they are wanted, in pieces of any size. What it
    /// has beyond them is not asked for. `imap-tokio` has `read_from`, which makes a source of an `AsyncRead`.
    ///
    /// ```
    /// # use imap_proto_core::{Error, client::{Client, Source}, types::Flag};
    /// # async fn run(client: &Client, len: u64, source: Source) -> Result<(), Error> {
    /// client.append_from("Archive", len, source, |append| append.flags([Flag::Seen])).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Nothing else is sent inside the message. A source that gives nothing for as long as
    /// [`Config::source`](crate::Config::source), or for the [time](Operation::within) of the operation, ends the connection with
    /// [`Phase::Octets`](crate::Phase::Octets). So does one that waits for another call on this connection, as a [`BodyStream`]
    /// does: collect it before, or read it from another connection.
    ///
    /// Dropped half-way inside the message the connection has to close, since nobody can make up the octets
    /// that were promised; nothing is stored then, unless the last octet had left.
    pub fn append_from(
        &self,
        mailbox: impl IntoMailboxName,
        len: u64,
        source: Source,
        with: impl FnOnce(Append) -> Append,
    ) -> Operation<Option<Stored>> {
        self.run(with(Append::new(mailbox, Message::Fed(len)))).feed_from(source)
    }

    /// What the server told so far: capabilities, phase, selected mailbox.
    ///
    /// # Errors
    /// When the connection is closed.
    pub async fn view(&self) -> Result<View, Error> {
        let pick = |item| match item {
            Item::View(view) => Some(*view),
            _ => None,
        };
        operation::answer(self, |reply| Call::View { reply }, pick).await
    }

    /// Whether the connection can be used, and how much more is accepted of what was dropped and is being read over. Of one that
    /// has ended it is what ended it.
    ///
    /// ```
    /// # use imap_proto_core::{Health, client::Client};
    /// # async fn run(client: &Client) {
    /// match client.health().await {
    ///     Health::MustClose(cause) => println!("to be connected again: {cause}"),
    ///     Health::Draining { bytes_left } => println!("closed if more than {bytes_left} bytes are to be read over"),
    ///     _ => println!("good"),
    /// }
    /// # }
    /// ```
    pub async fn health(&self) -> Health {
        let pick = |item| match item {
            Item::Health(health) => Some(*health),
            _ => None,
        };
        operation::answer(self, |reply| Call::Health { reply }, pick).await.unwrap_or_else(Health::MustClose)
    }

    /// True once the connection has ended: every call is refused then, with what ended it. A peer that went away without a word
    /// is not known of until something is said to it.
    pub fn is_closed(&self) -> bool {
        self.calls().is_closed()
    }

    /// Waits until nothing is left of what was dropped half-way. For the end of `main`.
    ///
    /// # Errors
    /// When the connection ended before: what was dropped may be done or not.
    pub async fn settle(&self) -> Result<(), Error> {
        let pick = |item| matches!(item, Item::Settled).then_some(());
        operation::answer(self, |reply| Call::Settle { reply }, pick).await
    }

    /// What the server says unasked, on whatever mailbox is selected; [`Notice::unsolicited`] reads it. Bounded: see
    /// [`Notice::Lagged`].
    pub fn notices(&self) -> Watch {
        Watch::listening(self)
    }

    /// Closes the connection now, for all handles on it: nothing more is sent, and nothing is waited for.
    ///
    /// All that is under way ends with [`Closed::ByOwner`](crate::Closed::ByOwner) and what is known of it: it is how to leave a
    /// server that says nothing and keep the report of an [`append_all`](Self::append_all). What was begun is not finished, and
    /// may be done or not; [`logout`](Self::logout) ends in good order. Does nothing once the connection has ended.
    pub fn close(&self) {
        // Where the driver is gone it is closed.
        let _ = self.calls().push(Call::Close);
    }

    /// Ends the connection in good order. RFC 9051 §6.1.3
    ///
    /// Dropped before its first byte it is not sent, and the connection goes on. Dropped half-way the connection ends all the same.
    ///
    /// # Errors
    /// When the connection was lost before.
    pub async fn logout(self) -> Result<(), Error> {
        self.run(Logout).or_logged_out().await
    }
}
