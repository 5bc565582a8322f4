use alloc::vec::Vec;
use core::ops::Range;

use super::response::Head;
use super::tokenize::tokenize;
use super::value::{Text, Values};
use super::{Damage, Detached, Limits, Token, TokenKind};

/// A response and what was made of it. Every view holds a reference to one, so that copying a view is cheap.
#[derive(Clone, Debug)]
pub(crate) struct Parsed {
    /// What the frame is a part of.
    pub(super) buffer: Vec<u8>,
    frame: Range<usize>,
    pub(super) tokens: Vec<Token>,
    pub(super) detached: Vec<Detached>,
    pub(super) head: Head,
    pub(super) damage: Damage,
    /// True where mailbox names are in UTF-8 instead of modified UTF-7.
    pub(super) utf8_names: bool,
}

/// No bytes, no values.
pub(super) static NOTHING: Parsed = Parsed::new();

impl Parsed {
    pub(super) const fn new() -> Self {
        Parsed {
            buffer: Vec::new(),
            frame: 0..0,
            tokens: Vec::new(),
            detached: Vec::new(),
            head: Head::NONE,
            damage: Damage { unbalanced: false, truncated: false },
            utf8_names: false,
        }
    }

    /// Reads a response that is in the buffer.
    #[inline]
    pub(super) fn read(&mut self, frame: Range<usize>, limits: &Limits) {
        self.frame = frame;
        let (head, values) = Head::parse(self.frame());
        self.head = head;
        match values {
            Some(from) => self.tokenize(from, limits),
            None => {
                self.tokens.clear();
                self.damage = Damage::default();
            }
        }
    }

    #[inline]
    fn tokenize(&mut self, from: usize, limits: &Limits) {
        let frame = self.buffer.get(self.frame.clone()).unwrap_or_default();
        self.damage = tokenize(frame, from, &self.detached, limits, &mut self.tokens);
    }

    /// A copy with nothing in its buffer but the frame.
    pub(super) fn alone(&self) -> Self {
        let buffer = self.frame().to_vec();
        let frame = 0..buffer.len();
        let (tokens, detached) = (self.tokens.clone(), self.detached.clone());
        Parsed { buffer, frame, tokens, detached, ..*self }
    }

    /// The bytes, without the octets of detached literals.
    #[inline]
    pub(super) fn frame(&self) -> &[u8] {
        self.buffer.get(self.frame.clone()).unwrap_or_default()
    }

    /// What [`Value::text`](super::Value::text) is for the value of a token.
    #[inline]
    pub(crate) fn text(&self, token: Token) -> Option<Text<'_>> {
        let escaped = match token.kind() {
            TokenKind::Atom | TokenKind::Quoted | TokenKind::Literal => false,
            TokenKind::Escaped => true,
            _ => return None,
        };
        Some(Text { bytes: self.content(token), escaped })
    }

    #[inline]
    pub(super) fn content(&self, token: Token) -> &[u8] {
        let start = self.frame.start + token.start();
        self.buffer.get(start..start + token.length()).unwrap_or_default()
    }
}

/// Bytes and the values in them, for those who read commands, as servers do.
///
/// ```
/// use imap_proto_core::wire::{Limits, Tokenized};
///
/// let line = Tokenized::new(b"A1 LOGIN \"alice\" {3}\r\nabc".to_vec(), &Limits::default());
/// assert!(line.damage().is_none());
/// let password = line.values().last().and_then(|value| value.text()).expect("a literal");
/// assert_eq!(password.as_raw(), b"abc");
/// ```
#[derive(Clone, Debug)]
pub struct Tokenized(Parsed);

impl Tokenized {
    /// Reads a line without its line end, all its literals in it.
    pub fn new(bytes: Vec<u8>, limits: &Limits) -> Self {
        let mut parsed = Parsed { frame: 0..bytes.len(), buffer: bytes, ..Parsed::new() };
        parsed.tokenize(0, limits);
        Tokenized(parsed)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        self.0.frame()
    }

    /// The values.
    pub fn values(&self) -> Values<'_> {
        Values::all(&self.0)
    }

    /// The table that [`values`](Self::values) goes through.
    pub fn tokens(&self) -> &[Token] {
        &self.0.tokens
    }

    /// What was missing or too much.
    pub fn damage(&self) -> Damage {
        self.0.damage
    }
}

/// For tests of what is made from values.
#[cfg(test)]
impl Parsed {
    pub(crate) fn of(frame: impl AsRef<[u8]>) -> Self {
        Parsed::with(frame, Vec::new(), &Limits::default())
    }

    pub(crate) fn with(frame: impl AsRef<[u8]>, detached: Vec<Detached>, limits: &Limits) -> Self {
        let buffer = frame.as_ref().to_vec();
        let mut parsed = Parsed { frame: 0..buffer.len(), buffer, detached, ..Parsed::new() };
        parsed.tokenize(0, limits);
        parsed
    }

    pub(crate) fn values(&self) -> Values<'_> {
        Values::all(self)
    }

    pub(crate) fn first(&self) -> super::Value<'_> {
        self.values().next().expect("a test has a value")
    }
}

/// The response that a line is, read in pieces of so many bytes. The line has no end of its own.
#[cfg(test)]
pub(crate) fn read_line(line: impl AsRef<[u8]>, chunk: usize) -> super::Decoder {
    let line = line.as_ref();
    let mut decoder = super::Decoder::new(super::Limits::default());
    for piece in [line, b"\r\n"].concat().chunks(chunk) {
        decoder.space()[..piece.len()].copy_from_slice(piece);
        decoder.received(piece.len());
        if decoder.advance().expect("it can be framed").is_some() {
            return decoder;
        }
    }
    panic!("no response in {}", line.escape_ascii());
}
