//! What a server has at first and how it behaves, and what goes into it.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use imap_proto_core::Config;
use imap_proto_core::client::Source;
use imap_proto_core::types::MailboxName;
use imap_tests::stepper::Stepper;
use imap_tests::strict::{Greeting, Literals, NoOctets, Options, Refusal, StrictServer};

use super::{FIRST, Place, SECOND};

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
    /// Whether INBOX is selected at first.
    pub(crate) selected: bool,
    /// Whether all is compressed from the start.
    pub(crate) compressed: bool,
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
        selected: true,
        compressed: false,
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

    pub(crate) const fn without(self, withheld: &'static [&'static str]) -> World {
        World { withheld, ..self }
    }

    pub(crate) fn offers(&self, capability: &str) -> bool {
        !self.withheld.contains(&capability)
    }

    /// Connects, and selects INBOX, whose fourth message is marked `\Deleted`.
    pub(crate) fn open(self) -> (Stepper, Place) {
        let World { literals, withheld, no_octets, .. } = self;
        let greeting = Greeting::Preauth;
        let (utf8_accept, compress) = (true, true);
        let options = Options { greeting, literals, withheld, no_octets, utf8_accept, compress, ..Options::default() };
        let mut server = StrictServer::new(options);
        for number in 0..self.inbox {
            server.deliver("INBOX", &text(number, if number == 0 { self.big } else { self.each }));
        }
        for number in 100..103 {
            server.deliver("Other", &text(number, 40));
        }
        server.set_flags("INBOX", 4, &["\\Deleted"]);
        server.create("Drafts");
        for part in [FIRST, SECOND] {
            server.create(part.mailbox);
            server.subscribe(part.left);
        }
        match self.refuse {
            Refuse::No => server.refuse_literal(Refusal::No),
            Refuse::Bad => server.refuse_literal(Refusal::Bad),
            Refuse::Never | Refuse::Missing => {}
        }
        let mut config = Config::default();
        config.authenticated.inline = self.inline;
        let mut stepper = Stepper::connect(server, config);
        if self.compressed {
            let compress = stepper.client.compress();
            stepper.finish(compress).expect("the server answers").expect("the server compresses");
        }
        let inbox = self.selected.then(|| {
            let select = stepper.client.select(MailboxName::inbox());
            stepper.finish(select).expect("the server answers").expect("INBOX can be selected")
        });
        let place = Place {
            client: stepper.client.clone(),
            inbox,
            world: self,
            link: stepper.link.clone(),
            few: false,
            deselected: false,
            into: if self.refuse == Refuse::Missing { "Nowhere" } else { "Drafts" },
            message: FIRST.message(),
            part: FIRST,
            pieces_left: Arc::new(AtomicUsize::new(PIECES)),
        };
        (stepper, place)
    }
}

/// The subject of the first message.
pub(super) const FOUND: &str = "0 \u{e9}";

/// The pieces in which a source has its message.
pub(crate) const PIECES: usize = 3;

/// A message of so many octets, unlike any other. The first of all has what no ASCII search finds.
pub(crate) fn text(number: usize, len: usize) -> Vec<u8> {
    let subject = if number == 0 { FOUND.into() } else { number.to_string() };
    let mut text = format!("Subject: {subject}\r\n\r\n").into_bytes();
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
