//! What a user does on a connection, each with the check that the answer is the right one.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use imap_proto_core::client::{Client, FetchStream, Mailbox, Notice, Source};
use imap_proto_core::command::{Append, List, Message};
use imap_proto_core::types::{FetchItems, MailboxName, Query, Section, StatusItems, Uid, UidSet};
use imap_proto_core::wire::Kind;
use imap_proto_core::{Config, Error};
use imap_tests::memory::Link;
use imap_tests::stepper::Stepper;
use imap_tests::strict::{Greeting, Literals, NoOctets, Options, Refusal, StrictServer};

use super::several;

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
    /// A fetch of small items, in windows, after the search that closes its set.
    Windows,
    /// A fetch of a body section of every message of a closed set.
    Sections,
    /// The download of the first message.
    Body,
    Search,
    /// A search with a string that needs a literal.
    SearchLiteral,
    Noop,
    Capability,
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
    List,
    Status,
    Create,
    Watch,
    Logout,
}

pub(crate) const SECONDS: [Act; 15] = [
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
];

/// How a literal is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refuse {
    /// Not at all.
    Never,
    /// NO in place of `+`.
    No,
    /// BAD in place of `+`.
    Bad,
    /// NO, because the mailbox is missing: in place of `+`, or after the message.
    Missing,
}

/// What the server has and how it behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    pub(crate) literals: Literals,
    pub(crate) refuse: Refuse,
    pub(crate) no_octets: NoOctets,
    /// Messages in INBOX.
    pub(crate) inbox: usize,
    /// Octets of the first of them.
    pub(crate) big: usize,
    /// Octets of the others.
    pub(crate) each: usize,
    /// Literals longer than this are streamed.
    pub(crate) inline: u64,
    pub(crate) portions: Portions,
    /// What the server does not offer.
    pub(crate) withheld: &'static [&'static str],
}

/// What one command of a stream asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Portions {
    Usual,
    /// So many messages, and so many octets of a body.
    Of(u32, u32),
}

impl World {
    pub(crate) const SMALL: World = World {
        literals: Literals::Plus,
        refuse: Refuse::Never,
        no_octets: NoOctets::Refused,
        inbox: 4,
        big: 150,
        each: 40,
        inline: 64,
        portions: Portions::Usual,
        withheld: &[],
    };

    pub(crate) const fn synchronizing(self) -> World {
        World { literals: Literals::Synchronizing, ..self }
    }

    pub(crate) const fn refusing(self, refuse: Refuse) -> World {
        World { refuse, ..self }
    }

    pub(crate) const fn answering(self, no_octets: NoOctets) -> World {
        World { no_octets, ..self }
    }

    /// Connects, and selects INBOX.
    pub(crate) fn open(self) -> (Stepper, Place) {
        let World { literals, withheld, no_octets, .. } = self;
        let options = Options { greeting: Greeting::Preauth, literals, withheld, no_octets, ..Options::default() };
        let mut server = StrictServer::new(options);
        for number in 0..self.inbox {
            server.deliver("INBOX", &text(number, if number == 0 { self.big } else { self.each }));
        }
        for number in 100..103 {
            server.deliver("Other", &text(number, 40));
        }
        server.create("Drafts");
        match self.refuse {
            Refuse::No => server.refuse_literal(Refusal::No),
            Refuse::Bad => server.refuse_literal(Refusal::Bad),
            Refuse::Never | Refuse::Missing => {}
        }
        let mut config = Config::default();
        config.authenticated.inline = self.inline;
        let mut stepper = Stepper::connect(server, config);
        let select = stepper.client.select(MailboxName::inbox());
        let inbox = stepper.finish(select).expect("the server answers").expect("INBOX can be selected");
        let place = Place {
            client: stepper.client.clone(),
            inbox,
            portions: self.portions,
            link: stepper.link.clone(),
            few: false,
            deselected: false,
            into: if self.refuse == Refuse::Missing { "Nowhere" } else { "Drafts" },
            message: text(7000, 60),
            new: "New",
            pieces_left: Arc::new(AtomicUsize::new(PIECES)),
        };
        (stepper, place)
    }
}

/// The pieces in which a source has its message.
pub(crate) const PIECES: usize = 3;

/// A message of so many octets, unlike any other.
pub(crate) fn text(number: usize, len: usize) -> Vec<u8> {
    let mut text = format!("Subject: {number}\r\n\r\n").into_bytes();
    while text.len() + 12 < len {
        text.extend(format!("line {:05}\r\n", text.len() % 100_000).bytes());
    }
    while text.len() + 2 < len {
        text.push(b'x');
    }
    text.extend(b"\r\n");
    text
}

/// A source with its octets in [`PIECES`] pieces, each of which lets one wait.
pub(crate) fn source(octets: &[u8], left: Arc<AtomicUsize>) -> Source {
    source_of(octets.chunks(octets.len().div_ceil(PIECES)), left)
}

/// A source with these pieces, each of which lets one wait.
pub(crate) fn source_of<'a>(pieces: impl Iterator<Item = &'a [u8]>, left: Arc<AtomicUsize>) -> Source {
    Box::pin(Pieces { pieces: pieces.map(Bytes::copy_from_slice).collect(), left, waited: false })
}

struct Pieces {
    pieces: VecDeque<Bytes>,
    left: Arc<AtomicUsize>,
    waited: bool,
}

impl Stream for Pieces {
    type Item = Result<Bytes, Box<dyn core::error::Error + Send + Sync>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.waited = !self.waited;
        if self.waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = self.pieces.pop_front();
        self.left.store(self.pieces.len(), Ordering::Relaxed);
        Poll::Ready(piece.map(Ok))
    }
}

/// Where an act is done.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) client: Client,
    /// INBOX, as it was selected at first.
    pub(crate) inbox: Mailbox,
    pub(crate) portions: Portions,
    pub(crate) link: Link,
    /// Whether a fetch keeps to a few small messages.
    pub(crate) few: bool,
    /// Whether INBOX was left meanwhile, so that its handle has to refuse.
    pub(crate) deselected: bool,
    pub(crate) into: &'static str,
    pub(crate) message: Vec<u8>,
    /// A mailbox to be made.
    pub(crate) new: &'static str,
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
                Act::Windows => place.windows().await,
                Act::Sections => place.sections().await,
                Act::Body => place.body().await,
                Act::Search => place.search(Query::all(), place.uids("INBOX")).await,
                Act::SearchLiteral => place.search(Query::text("nowhere: \u{e9}"), Vec::new()).await,
                Act::Noop => Ok(place.client.noop().await?),
                Act::Capability => place.capability().await,
                Act::Append => place.append().await,
                Act::AppendFrom => place.append_from().await,
                Act::AppendCut => place.append_cut().await,
                Act::Several | Act::SeveralCut | Act::SeveralFrom | Act::SeveralFromCut => place.several(act).await,
                Act::List => place.list().await,
                Act::Status => place.status().await,
                Act::Create => place.create().await,
                Act::Watch => place.watch().await,
                Act::Logout => Ok(place.client.logout().await?),
            }
        })
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

    /// INBOX, selected again where its first handle is over, which has to refuse then.
    async fn inbox(&self) -> Result<Mailbox, Wrong> {
        if !self.deselected {
            return Ok(self.inbox.clone());
        }
        match self.inbox.search(Query::all()).await {
            Err(Error::Deselected) => Ok(self.client.select(MailboxName::inbox()).await?),
            Err(error) => Err(error.into()),
            Ok(_) => Err(Wrong::Answer("the handle of a mailbox that is not selected any more works".into())),
        }
    }

    async fn select(&self) -> Result<(), Wrong> {
        let other = self.client.select(MailboxName::try_from("Other").expect("a name")).await?;
        same("name", &other.name().as_str(), &"Other")?;
        same("EXISTS", &other.exists(), &3)?;
        let view = self.client.view().await?;
        let selected = view.selected().map(|selected| selected.mailbox.as_str());
        same("selected", &selected, &Some("Other"))
    }

    fn wanted(&self, all: BTreeMap<u32, Vec<u8>>) -> BTreeMap<u32, Vec<u8>> {
        let few = |uid: u32| !self.few || (2..8).contains(&uid);
        all.into_iter().filter(|(uid, _)| few(*uid)).collect()
    }

    fn fetch(&self, inbox: &Mailbox, uids: UidSet, items: FetchItems) -> FetchStream {
        let stream = inbox.fetch(uids, items);
        match self.portions {
            Portions::Usual => stream,
            Portions::Of(messages, _) => stream.window(messages),
        }
    }

    async fn windows(&self) -> Result<(), Wrong> {
        let inbox = self.inbox().await?;
        let expected = self.wanted(self.bodies("INBOX"));
        let uids = if self.few { closed(&expected) } else { UidSet::all() };
        let mut stream = self.fetch(&inbox, uids, FetchItems::ids().size().flags());
        let mut got = Vec::new();
        while let Some(message) = stream.try_next().await? {
            got.push((message.uid().get(), message.get().size().unwrap_or(0)));
        }
        let expected = expected.into_iter().map(|(uid, body)| (uid, body.len() as u64)).collect();
        same("fetched sizes", &got, &expected)
    }

    async fn sections(&self) -> Result<(), Wrong> {
        let inbox = self.inbox().await?;
        let expected = self.wanted(self.bodies("INBOX"));
        let mut stream = self.fetch(&inbox, closed(&expected), FetchItems::ids().section(Section::whole()));
        let mut got = Vec::new();
        while let Some(message) = stream.try_next().await? {
            got.push((message.uid().get(), message.section("").unwrap_or_default().into_owned()));
        }
        same("fetched bodies", &got, &expected.into_iter().collect())
    }

    async fn body(&self) -> Result<(), Wrong> {
        let inbox = self.inbox().await?;
        let mut stream = inbox.body(uid(1), Section::whole());
        if let Portions::Of(_, octets) = self.portions {
            stream = stream.piece(octets);
        }
        let mut got = Vec::new();
        while let Some(octets) = stream.try_next().await? {
            got.extend_from_slice(&octets);
        }
        same("existed", &stream.existed(), &true)?;
        same("body", &Some(&got), &self.bodies("INBOX").get(&1))
    }

    async fn search(&self, query: Query, expected: Vec<u32>) -> Result<(), Wrong> {
        let found = self.inbox().await?.search(query).await?;
        same("found", &found.iter().map(Uid::get).collect(), &expected)
    }

    async fn capability(&self) -> Result<(), Wrong> {
        let capabilities = self.client.capabilities().await?;
        let known = capabilities.has(&imap_proto_core::types::Capability::Move);
        same("MOVE", &known, &true)
    }

    async fn append(&self) -> Result<(), Wrong> {
        let octets = Bytes::from(self.message.clone());
        let stored = self.client.append(Append::new(self.target(), Message::Octets(octets))).await?;
        self.is_stored(stored.map(|stored| stored.uid))
    }

    async fn append_from(&self) -> Result<(), Wrong> {
        let source = source(&self.message, self.pieces_left.clone());
        let len = self.message.len() as u64;
        let stored = self.client.append_from(self.target(), len, source, |append| append).await?;
        self.is_stored(stored.map(|stored| stored.uid))
    }

    async fn append_cut(&self) -> Result<(), Wrong> {
        let stored = several::append_cut(self).await?;
        self.is_stored(stored.map(|stored| stored.uid))
    }

    async fn several(&self, act: Act) -> Result<(), Wrong> {
        let stored = several::several(self, act).await?;
        let bodies = self.bodies(self.into);
        let found: Vec<_> = stored.iter().filter_map(|stored| bodies.get(&stored.uid.get()).cloned()).collect();
        same("stored", &found, &several::messages().to_vec())
    }

    pub(crate) fn target(&self) -> MailboxName {
        MailboxName::try_from(self.into).expect("a name")
    }

    fn is_stored(&self, uid: Option<Uid>) -> Result<(), Wrong> {
        let bodies = self.bodies(self.into);
        // A server need not say under which UID.
        let found = uid.map_or(bodies.values().last(), |uid| bodies.get(&uid.get()));
        same("stored", &found, &Some(&self.message))
    }

    async fn list(&self) -> Result<(), Wrong> {
        let found = self.client.list(List::all()).await?;
        let found = found.iter().map(|entry| entry.name().as_str().to_owned()).collect::<Vec<_>>();
        same("listed", &found, &self.link.server().mailboxes().keys().cloned().collect())
    }

    async fn status(&self) -> Result<(), Wrong> {
        let other = MailboxName::try_from("Other").expect("a name");
        let status = self.client.status(other, StatusItems::counts().uid_next()).await?;
        same("status", &(status.messages, status.uid_next), &(Some(3), Some(uid(4))))
    }

    async fn create(&self) -> Result<(), Wrong> {
        self.client.create(MailboxName::try_from(self.new).expect("a name")).await?;
        same("made", &self.link.server().mailboxes().contains_key(self.new), &true)
    }

    async fn watch(&self) -> Result<(), Wrong> {
        let inbox = self.inbox().await?;
        let mut watch = inbox.watch();
        let mut expected = 0;
        while let Some(notice) = watch.try_next().await? {
            match notice {
                Notice::Idling => {
                    expected = inbox_size(self) + 1;
                    self.link.deliver_in_idle(1);
                }
                // What comes before is of an IDLE that was ended for this one.
                Notice::Response(response) if expected > 0 => {
                    if let Kind::Exists(exists) = response.get().kind() {
                        return same("EXISTS", &exists, &expected);
                    }
                }
                _ => {}
            }
        }
        Err(Wrong::Answer("the watch ended without its error".into()))
    }
}

fn inbox_size(place: &Place) -> u32 {
    place.bodies("INBOX").len() as u32
}

fn closed(messages: &BTreeMap<u32, Vec<u8>>) -> UidSet {
    messages.keys().copied().filter_map(Uid::new).collect()
}

pub(crate) fn uid(number: u32) -> Uid {
    Uid::new(number).expect("a UID")
}
