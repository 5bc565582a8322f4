use alloc::vec::Vec;
use core::ops::Range;

use super::response::Head;
use super::value::Table;
use super::{Damage, FrameError, Framer, Limits, Piece, Response, Token, tokenize};

/// Bytes in, responses out: the framer, one token table that is used again and again, and nothing else.
///
/// ```
/// use imap_proto_core::wire::{Decoder, Kind, Limits, Step};
///
/// let mut decoder = Decoder::new(Limits::default());
/// let line = b"* 23 EXISTS\r\n";
/// decoder.space()[..line.len()].copy_from_slice(line);
/// decoder.received(line.len());
/// assert_eq!(decoder.advance()?, Some(Step::Response));
/// assert_eq!(decoder.response().kind(), Kind::Exists(23));
/// assert_eq!(decoder.advance()?, None);
/// # Ok::<(), imap_proto_core::wire::FrameError>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    framer: Framer,
    limits: Limits,
    head: Head,
    damage: Damage,
    tokens: Vec<Token>,
    current: Range<usize>,
}

/// What [`Decoder::advance`] arrived at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A whole response; [`Decoder::response`] lends it.
    Response,
    /// A streamed literal begins; [`Decoder::response`] lends what came before it.
    BodyStart {
        /// The announced length in octets.
        len: u64,
    },
    /// Octets of that literal; [`Decoder::octets`] lends them.
    Body,
    /// The literal is over.
    BodyEnd,
}

impl Decoder {
    /// Returns a decoder that has received nothing.
    pub fn new(limits: Limits) -> Self {
        let (head, _) = Head::parse(&[]);
        Decoder {
            framer: Framer::new(limits),
            limits,
            head,
            damage: Damage::default(),
            tokens: Vec::new(),
            current: 0..0,
        }
    }

    /// Replaces the limits, as authentication does.
    pub fn set_limits(&mut self, limits: Limits) {
        self.framer.set_limits(limits);
        self.limits = limits;
    }

    /// Room to read into; see [`Framer::space`].
    pub fn space(&mut self) -> &mut [u8] {
        self.framer.space()
    }

    /// Takes note that `n` bytes were read into [`space`](Self::space).
    pub fn received(&mut self, n: usize) {
        self.framer.received(n);
    }

    /// Goes on to the next response or piece of a body; `None` when more has to be received.
    ///
    /// # Errors
    /// [`FrameError`] when the boundary between responses is lost.
    #[inline]
    pub fn advance(&mut self) -> Result<Option<Step>, FrameError> {
        let step = match self.framer.next_piece()? {
            None => return Ok(None),
            Some(Piece::Frame(frame)) => {
                self.read(frame);
                Step::Response
            }
            Some(Piece::BodyStart { prefix, len }) => {
                self.read(prefix);
                Step::BodyStart { len }
            }
            Some(Piece::Body(octets)) => {
                self.current = octets;
                Step::Body
            }
            Some(Piece::BodyEnd) => Step::BodyEnd,
        };
        Ok(Some(step))
    }

    /// The response that [`advance`](Self::advance) arrived at.
    #[inline]
    pub fn response(&self) -> Response<'_> {
        let frame = self.framer.bytes(self.current.clone());
        let table = Table { frame, tokens: &self.tokens, detached: self.framer.detached() };
        Response { head: self.head, table, damage: self.damage }
    }

    /// The octets that [`advance`](Self::advance) arrived at.
    #[inline]
    pub fn octets(&self) -> &[u8] {
        self.framer.bytes(self.current.clone())
    }

    /// The framer, for its counters.
    pub fn framer(&self) -> &Framer {
        &self.framer
    }

    /// Gives memory back while nothing is expected.
    pub fn rest(&mut self) {
        self.framer.rest();
        if self.tokens.capacity() > 128 {
            self.tokens = Vec::new();
        }
    }

    #[inline]
    fn read(&mut self, frame: Range<usize>) {
        let bytes = self.framer.bytes(frame.clone());
        let (head, values) = Head::parse(bytes);
        self.head = head;
        self.damage = match values {
            Some(from) => tokenize(bytes, from, self.framer.detached(), &self.limits, &mut self.tokens),
            None => {
                self.tokens.clear();
                Damage::default()
            }
        };
        self.current = frame;
    }
}
