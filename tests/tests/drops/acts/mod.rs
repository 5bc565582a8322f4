//! What a user does on a connection, each with the check that the answer is the right one.

mod changing;
mod reading;
mod storing;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use imap_proto_core::Error;
use imap_proto_core::client::{Client, Mailbox};
use imap_proto_core::types::{MailboxName, Query, Uid, UidSet};
use imap_tests::memory::Link;

pub(crate) use world::{PIECES, Portions, Refuse, World, source, source_of, text};

/// A future of the matrix.
pub(crate) type Doing = Pin<Box<dyn Future<Output = Result<(), Wrong>>>>;

/// Why an act did not end well.
#[derive(Clone, Debug)]
pub(crate) enum Wrong {
    /// The library said so.
    Error(Error),
    /// The answer was not the right one.
    Answer(String),
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Wrong::Error(error)
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Error(error) => write!(f, "{error}"),
            Wrong::Answer(text) => f.write_str(text),
        }
    }
}

#[track_caller]
fn same<T: PartialEq + fmt::Debug>(what: &str, got: &T, expected: &T) -> Result<(), Wrong> {
    if got == expected {
        return Ok(());
    }
    let mut text = format!("{what}: got {got:?}, expected {expected:?}");
    text.truncate(600);
    Err(Wrong::Answer(text))
}

/// Something that is done on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Select,
    Examine,
    /// A fetch of small items, in windows, after the search that closes its set.
    Windows,
    /// A fetch by message sequence numbers.
    Numbered,
    /// A fetch of a body section of every message of a closed set.
    Sections,
    /// The download of the first message.
    Body,
    Search,
    /// A search with a string that needs a literal.
    SearchLiteral,
    SearchNumbers,
    SearchReturning,
    Noop,
    Capability,
    Id,
    Namespaces,
    /// UTF8=ACCEPT, on a connection that has selected nothing; else nothing is sent.
    Enable,
    Compress,
    /// A command that the library does not know.
    Raw,
    /// APPEND of octets that the core holds.
    Append,
    /// APPEND of octets from a source that has them piece by piece.
    AppendFrom,
    /// APPEND of octets that the core holds, which is not to be finished.
    AppendCut,
    /// MULTIAPPEND of octets that the core holds.
    Several,
    /// The same, which is not to be finished.
    SeveralCut,
    /// MULTIAPPEND of octets from a source.
    SeveralFrom,
    /// The same, which is not to be finished.
    SeveralFromCut,
    /// Many messages, each by an APPEND of its own.
    Upload,
    /// Many messages, by MULTIAPPEND.
    UploadTogether,
    List,
    ListAll,
    Lsub,
    /// A LIST, and a STATUS of each mailbox.
    ListWithStatus,
    Exists,
    Status,
    Create,
    Ensure,
    /// Of one that is there.
    EnsureAgain,
    DeleteMailbox,
    Rename,
    Subscribe,
    Unsubscribe,
    Store,
    /// The same by message sequence numbers.
    StoreNumbered,
    /// The same, of which nothing is told.
    StoreSilent,
    Copy,
    /// The same by message sequence numbers.
    CopyNumbered,
    /// MOVE, or the steps that stand for it.
    Move,
    /// The same by message sequence numbers.
    MoveNumbered,
    /// A message marked, and what is marked of it removed.
    Delete,
    Expunge,
    UidExpunge,
    Close,
    /// UNSELECT, or EXAMINE and CLOSE.
    Unselect,
    Watch,
    Logout,
}

impl Act {
    /// Whether it leaves the selected mailbox, with its first byte.
    pub(crate) fn leaves(self) -> bool {
        matches!(self, Act::Select | Act::Examine | Act::Close | Act::Unselect)
    }

    /// Whether one command stores all that it is given.
    pub(crate) fn stores_at_once(self) -> bool {
        use Act as A;
        matches!(self, A::Append | A::AppendFrom | A::AppendCut)
            || matches!(self, A::Several | A::SeveralCut | A::SeveralFrom | A::SeveralFromCut)
    }
}

/// All that can follow, each in one of its forms: what is not dropped is the same in the others.
pub(crate) const SECONDS: [Act; 47] = [
    Act::Select,
    Act::Windows,
    Act::Sections,
    Act::Body,
    Act::Search,
    Act::SearchLiteral,
    Act::Noop,
    Act::Capability,
    Act::Append,
    Act::AppendFrom,
    Act::List,
    Act::Status,
    Act::Create,
    Act::Watch,
    Act::Logout,
    Act::Examine,
    Act::Numbered,
    Act::SearchNumbers,
    Act::SearchReturning,
    Act::Id,
    Act::Namespaces,
    Act::Enable,
    Act::Compress,
    Act::Raw,
    Act::Several,
    Act::Upload,
    Act::Lsub,
    Act::ListWithStatus,
    Act::Exists,
    Act::Ensure,
    Act::DeleteMailbox,
    Act::Rename,
    Act::Subscribe,
    Act::Unsubscribe,
    Act::Store,
    Act::Copy,
    Act::Move,
    Act::Delete,
    Act::Expunge,
    Act::UidExpunge,
    Act::Close,
    Act::Unselect,
    Act::StoreNumbered,
    Act::CopyNumbered,
    Act::MoveNumbered,
    Act::ListAll,
    Act::EnsureAgain,
];

/// What an act is about, so that what the first and the second do can be told apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// A message of INBOX, to be changed.
    pub(crate) uid: u32,
    /// What tells a message that is stored, and its octets.
    pub(crate) message: (usize, usize),
    /// A mailbox, to be renamed or removed.
    pub(crate) mailbox: &'static str,
    /// What it is renamed to.
    pub(crate) renamed: &'static str,
    /// A mailbox to be made.
    pub(crate) new: &'static str,
    /// A name to be subscribed to.
    pub(crate) joined: &'static str,
    /// A name that is subscribed to, which is to end.
    pub(crate) left: &'static str,
}

pub(crate) const FIRST: Part =
    Part { uid: 2, message: (7000, 60), mailbox: "A", renamed: "B", new: "New", joined: "Drafts", left: "News" };

pub(crate) const SECOND: Part =
    Part { uid: 3, message: (8000, 50), mailbox: "Y", renamed: "Z", new: "Newer", joined: "Other", left: "Views" };

impl Part {
    pub(crate) fn message(&self) -> Vec<u8> {
        text(self.message.0, self.message.1)
    }
}

/// Where an act is done.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) client: Client,
    /// INBOX, as it was selected at first.
    pub(crate) inbox: Option<Mailbox>,
    pub(crate) world: World,
    pub(crate) link: Link,
    /// Whether a fetch keeps to a few small messages.
    pub(crate) few: bool,
    /// Whether INBOX was left meanwhile, so that its handle has to refuse.
    pub(crate) deselected: bool,
    pub(crate) into: &'static str,
    pub(crate) message: Vec<u8>,
    pub(crate) part: Part,
    /// Pieces that a source has not given yet.
    pub(crate) pieces_left: Arc<AtomicUsize>,
}

impl Place {
    /// Begins an act; it ends well only with the right answer.
    pub(crate) fn perform(&self, act: Act) -> Doing {
        let place = self.clone();
        Box::pin(async move {
            match act {
                Act::Select => place.select().await,
                Act::Examine => place.examine().await,
                Act::Windows => place.windows().await,
                Act::Numbered => place.numbered().await,
                Act::Sections => place.sections().await,
                Act::Body => place.body().await,
                Act::Search => place.search().await,
                Act::SearchLiteral => place.search_literal().await,
                Act::SearchNumbers => place.search_numbers().await,
                Act::SearchReturning => place.search_returning().await,
                Act::Noop => Ok(place.client.noop().await?),
                Act::Capability => place.capability().await,
                Act::Id => place.id().await,
                Act::Namespaces => place.namespaces().await,
                Act::Enable => place.enable().await,
                Act::Compress => place.compress().await,
                Act::Raw => place.raw().await,
                Act::Append => place.append().await,
                Act::AppendFrom => place.append_from().await,
                Act::AppendCut => place.append_cut().await,
                Act::Several | Act::SeveralCut | Act::SeveralFrom | Act::SeveralFromCut => place.several(act).await,
                Act::Upload | Act::UploadTogether => place.upload(act).await,
                Act::List => place.list().await,
                Act::ListAll => place.list_all().await,
                Act::Lsub => place.lsub().await,
                Act::ListWithStatus => place.list_with_status().await,
                Act::Exists => place.exists().await,
                Act::Status => place.status().await,
                Act::Create => place.create().await,
                Act::Ensure => place.ensure().await,
                Act::EnsureAgain => place.ensure_again().await,
                Act::DeleteMailbox => Ok(place.client.delete(place.part.mailbox).await?),
                Act::Rename => Ok(place.client.rename(place.part.mailbox, place.part.renamed).await?),
                Act::Subscribe => Ok(place.client.subscribe(place.part.joined).await?),
                Act::Unsubscribe => Ok(place.client.unsubscribe(place.part.left).await?),
                Act::Store | Act::StoreNumbered | Act::StoreSilent => place.store(act).await,
                Act::Copy | Act::CopyNumbered => place.copy(act).await,
                Act::Move | Act::MoveNumbered => place.move_to(act).await,
                Act::Delete => place.delete().await,
                Act::Expunge => Ok(place.reach().await?.expunge().await?),
                Act::UidExpunge => place.uid_expunge().await,
                Act::Close => place.left(place.reach().await?.close().await).await,
                Act::Unselect => place.left(place.reach().await?.unselect().await).await,
                Act::Watch => place.watch().await,
                Act::Logout => Ok(place.client.logout().await?),
            }
        })
    }

    /// INBOX, as it was selected at first.
    pub(crate) fn inbox(&self) -> &Mailbox {
        self.inbox.as_ref().expect("INBOX was selected at first")
    }

    /// INBOX, selected again where its first handle is over, which has to refuse then.
    async fn reach(&self) -> Result<Mailbox, Wrong> {
        match &self.inbox {
            None => {}
            Some(inbox) if !self.deselected => return Ok(inbox.clone()),
            Some(inbox) => match inbox.search(Query::all()).await {
                Err(Error::Deselected) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => return Err(Wrong::Answer("the handle of a mailbox that was left works".into())),
            },
        }
        Ok(self.client.select(MailboxName::inbox()).await?)
    }

    fn uids(&self, mailbox: &str) -> Vec<u32> {
        self.bodies(mailbox).into_keys().collect()
    }

    /// What the server has, by UID.
    fn bodies(&self, mailbox: &str) -> BTreeMap<u32, Vec<u8>> {
        let server = self.link.server();
        let messages = server.mailboxes().get(mailbox).map(|mailbox| mailbox.messages.as_slice()).unwrap_or_default();
        messages.iter().map(|message| (message.uid, message.body.clone())).collect()
    }
}

fn closed(messages: &BTreeMap<u32, Vec<u8>>) -> UidSet {
    messages.keys().copied().filter_map(Uid::new).collect()
}

pub(crate) fn uid(number: u32) -> Uid {
    Uid::new(number).expect("a UID")
}
