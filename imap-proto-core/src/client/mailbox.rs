use alloc::sync::Arc;

use super::{BodyStream, Client, FetchStream, Watch};
use crate::connection::Selected;
use crate::types::{FetchItems, MailboxName, Messages, Section, Uid, UidValidity};

/// A selected mailbox. Cheap to clone.
///
/// It is good as long as its mailbox is the selected one: afterwards every call on it fails with
/// [`Error::Deselected`](crate::Error::Deselected), and nothing is sent.
#[derive(Clone, Debug)]
pub struct Mailbox {
    pub(super) client: Client,
    selected: Arc<Selected>,
}

impl Mailbox {
    pub(super) fn new(client: Client, selected: Option<Selected>) -> Self {
        // A SELECT answered OK has a mailbox: `complete` took it from the view in the same step.
        let selected = selected.unwrap_or_else(|| Selected::new(MailboxName::inbox(), 0));
        Mailbox { client, selected: Arc::new(selected) }
    }

    /// Its name.
    pub fn name(&self) -> &MailboxName {
        &self.selected.mailbox
    }

    /// Its state when it was selected.
    pub fn selected(&self) -> &Selected {
        &self.selected
    }

    /// How many messages it had when it was selected; [`Client::view`] tells how many it has now.
    pub fn exists(&self) -> u32 {
        self.selected.exists
    }

    /// What its UIDs are valid with: a message is identified by both.
    pub fn uid_validity(&self) -> Option<UidValidity> {
        self.selected.uid_validity
    }

    /// The connection that it is on.
    pub fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn selection(&self) -> u32 {
        self.selected.selection
    }

    /// Fetches items of messages, as a stream of one message after the other. RFC 9051 §6.4.5
    ///
    /// The fetch is cut into windows: other calls get their turn in between, and a slow reader holds a
    /// bounded amount. Dropped half-way, what was asked for is read over, two windows at most; where that is
    /// more than [`Config::drain_bytes`](crate::Config::drain_bytes), as it may be with whole messages, the
    /// connection is closed. For sections that may be large there is [`body`](Self::body): a body of more than
    /// 64 MiB ends a fetch with [`Limit::Body`](crate::Limit::Body).
    ///
    /// A fetch by sequence numbers is one command, since they may move between two. It is best kept small.
    /// [`FetchStream::changed_since`] leaves out what is known already.
    pub fn fetch(&self, messages: impl Into<Messages>, items: FetchItems) -> FetchStream {
        FetchStream::new(self, messages.into(), items)
    }

    /// Downloads one section of a message, piece by piece, whatever its size. `\Seen` is not set.
    ///
    /// Its octets are those of the message: an attachment comes in its transfer encoding, mostly Base64, which
    /// [`BodyStructure::encoding`](crate::wire::grammar::BodyStructure::encoding) names. Servers with BINARY decode one that is
    /// fetched with [`FetchItems::binary`]. `imap-tokio` has a `BodyReader` that makes the stream an `AsyncRead`.
    ///
    /// Dropped half-way, what was asked for is read over, two pieces at most.
    pub fn body(&self, uid: Uid, section: Section) -> BodyStream {
        BodyStream::new(self, uid, section)
    }

    /// Watches it: what happens in the mailbox, as the server tells it. RFC 9051 §6.3.13
    ///
    /// Other calls on the connection go on working: IDLE gives way to them and is taken up again. Beside a stream that nobody
    /// reads it waits for half a minute: then what that one asked for is read on and kept for it, up to 64 MiB, above which
    /// it ends with [`Limit::SlowReader`](crate::Limit::SlowReader). A connection has one at a
    /// time: another ends with [`Misuse::AlreadyIdling`](crate::Misuse::AlreadyIdling), and the first goes on. It ends with
    /// [`Error::Deselected`](crate::Error::Deselected) once another mailbox is selected.
    ///
    /// Dropped, IDLE is ended; what was on its way goes to [`Client::notices`].
    pub fn watch(&self) -> Watch {
        Watch::idling(self)
    }
}
