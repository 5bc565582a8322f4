use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use super::response::Head;
use super::scan::last_word;
use super::token::Word;
use super::tokenize::tokenize;
use super::value::{Text, Values};
use super::{Damage, Detached, Limits, Token, TokenKind, Tokens};

/// A response and what was made of it. Every view holds a reference to one, so that copying a view is cheap.
#[derive(Clone)]
pub(crate) struct Parsed {
    /// What the frame is a part of; empty where the frame is behind the tokens.
    pub(super) buffer: Vec<u8>,
    frame: Range<usize>,
    /// The tokens, and behind them the frame where it is in no buffer.
    pub(super) block: Vec<Word>,
    /// How many tokens there are.
    pub(super) count: usize,
    pub(super) detached: Vec<Detached>,
    pub(super) head: Head,
    pub(super) damage: Damage,
    /// True where mailbox names are in UTF-8 instead of modified UTF-7.
    pub(super) utf8_names: bool,
}

/// What a server says may repeat a secret that it was told.
impl fmt::Debug for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parsed").field("octets", &self.frame.len()).field("tokens", &self.count).finish_non_exhaustive()
    }
}

/// No bytes, no values.
pub(super) static NOTHING: Parsed = Parsed::new();

impl Parsed {
    pub(super) const fn new() -> Self {
        Parsed {
            buffer: Vec::new(),
            frame: 0..0,
            block: Vec::new(),
            count: 0,
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
        self.head = Head::parse(self.frame());
        match self.head.values() {
            Some(from) => self.tokenize(from, limits),
            None => {
                self.count = 0;
                self.damage = Damage::default();
            }
        }
    }

    #[inline]
    fn tokenize(&mut self, from: usize, limits: &Limits) {
        let frame = self.buffer.get(self.frame.clone()).unwrap_or_default();
        self.damage = tokenize(frame, from, &self.detached, limits, &mut self.block);
        self.count = self.block.len();
    }

    /// Gives the buffer back, and forgets what was read in it.
    pub(super) fn release(&mut self) {
        self.buffer = Vec::new();
        self.frame = 0..0;
        self.count = 0;
    }

    /// Parts with all up to byte `until` of the buffer, and keeps what is between that and `tail`.
    pub(super) fn split_off(&mut self, until: usize, tail: usize) -> Self {
        let behind = self.buffer.get(until..tail).unwrap_or_default().to_vec();
        let next = Parsed { buffer: behind, utf8_names: self.utf8_names, ..Parsed::new() };
        let mut taken = core::mem::replace(self, next);
        taken.buffer.truncate(until);
        taken.buffer.shrink_to_fit();
        taken.block.shrink_to_fit();
        taken.detached.shrink_to_fit();
        taken
    }

    /// A copy of the tokens and the frame in one block, and of nothing else.
    pub(super) fn alone(&self) -> Self {
        let frame = self.frame();
        let (words, last) = frame.as_chunks();
        let mut block = Vec::with_capacity(self.count + words.len() + 1);
        block.extend_from_slice(self.words());
        block.extend_from_slice(words);
        block.push(last_word(frame, frame.len() - last.len()).to_le_bytes());
        let start = self.count * size_of::<Word>();
        let frame = start..start + frame.len();
        Parsed { buffer: Vec::new(), frame, block, detached: self.detached.clone(), ..*self }
    }

    #[inline]
    fn words(&self) -> &[Word] {
        self.block.get(..self.count).unwrap_or_default()
    }

    /// The table of tokens.
    #[inline]
    pub(super) fn tokens(&self) -> Tokens<'_> {
        Tokens::new(self.words())
    }

    /// What the frame is a part of.
    #[inline]
    fn octets(&self) -> &[u8] {
        if self.buffer.is_empty() { self.block.as_flattened() } else { &self.buffer }
    }

    /// The bytes, without the octets of detached literals.
    #[inline]
    pub(super) fn frame(&self) -> &[u8] {
        self.octets().get(self.frame.clone()).unwrap_or_default()
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
        let from = self.octets().get(self.frame.start + token.start()..);
        from.and_then(|from| from.get(..token.length())).unwrap_or_else(nothing)
    }
}

/// What no token of a frame is: a branch that is never taken costs less than choosing between two slices each time.
#[cold]
fn nothing<'a>() -> &'a [u8] {
    &[]
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
    pub fn tokens(&self) -> Tokens<'_> {
        self.0.tokens()
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
