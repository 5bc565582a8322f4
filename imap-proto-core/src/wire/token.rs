/// What a token is. Lists have no closing token: they know the index behind their last child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TokenKind {
    /// A run of bytes that are neither space, parenthesis nor quote: atoms, numbers, flags, sections.
    Atom = 0,
    /// The atom `NIL`, in any case.
    Nil = 1,
    /// What stands between quotes, when it has no backslash.
    Quoted = 2,
    /// What stands between quotes, with backslashes to take out.
    Escaped = 3,
    /// The octets of a literal.
    Literal = 4,
    /// A literal whose octets are not in the frame; the length field is its index among them.
    Detached = 5,
    /// An opening parenthesis; the length field is the index of the first token behind the group.
    List = 6,
    /// A group nested too deep, as a whole, with its parentheses.
    Opaque = 7,
}

/// The longest of a token.
pub(super) const MOST_LENGTH: u32 = (1 << 28) - 1;

/// One token in eight bytes: where it begins, what it is, and how long it is.
///
/// They are one number, so that a token is made and handed on in a register.
///
/// ```text
///  63          36 35               4 3  0
///  ┌─────────────┬──────────────────┬────┐
///  │ length      │ start            │kind│
///  └─────────────┴──────────────────┴────┘
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token(u64);

/// A token as it lies in a table. Octets, so that a response that is kept can be one block of tokens and text.
pub(super) type Word = [u8; 8];

impl Token {
    #[inline]
    pub(super) fn of(word: Word) -> Self {
        Token(u64::from_ne_bytes(word))
    }

    #[inline]
    pub(super) fn to_word(self) -> Word {
        self.0.to_ne_bytes()
    }

    #[inline]
    pub(super) fn new(kind: TokenKind, start: usize, length: usize) -> Self {
        debug_assert!(start.max(length) as u64 <= u64::from(MOST_LENGTH), "the frame limit keeps both below 2^28");
        Token((length as u64) << 36 | (start as u64) << 4 | kind as u64)
    }

    /// What the token is.
    #[inline]
    pub fn kind(self) -> TokenKind {
        match self.0 & 7 {
            0 => TokenKind::Atom,
            1 => TokenKind::Nil,
            2 => TokenKind::Quoted,
            3 => TokenKind::Escaped,
            4 => TokenKind::Literal,
            5 => TokenKind::Detached,
            6 => TokenKind::List,
            _ => TokenKind::Opaque,
        }
    }

    /// The first byte of its content in the frame.
    #[inline]
    pub fn start(self) -> usize {
        (self.0 >> 4) as u32 as usize
    }

    /// Its length in bytes, or the index that [`TokenKind`] tells of.
    #[inline]
    pub fn length(self) -> usize {
        (self.0 >> 36) as usize
    }
}

impl core::fmt::Debug for Token {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?}@{}+{}", self.kind(), self.start(), self.length())
    }
}

/// The tokens of a response, in order; those of a list behind the list.
#[derive(Clone, Copy)]
pub struct Tokens<'a>(&'a [Word]);

impl<'a> Tokens<'a> {
    #[inline]
    pub(super) fn new(words: &'a [Word]) -> Self {
        Tokens(words)
    }

    /// True when there is none left.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The token at an index, such as a list tells of.
    #[inline]
    pub fn get(self, index: usize) -> Option<Token> {
        self.0.get(index).copied().map(Token::of)
    }

    /// Those from one index up to another; none where there are not so many.
    #[inline]
    pub fn between(self, from: usize, until: usize) -> Self {
        Tokens(self.0.get(from..until).unwrap_or_default())
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    #[inline]
    fn next(&mut self) -> Option<Token> {
        self.0.split_off_first().copied().map(Token::of)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl ExactSizeIterator for Tokens<'_> {}

impl core::fmt::Debug for Tokens<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.take(16)).finish()
    }
}

/// How whole a frame was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// A parenthesis or a quote was missing, or there was one too many.
    pub unbalanced: bool,
    /// There were more tokens than [`Limits::tokens`](super::Limits::tokens); the table ends early.
    pub truncated: bool,
}

impl Damage {
    /// True when there was none.
    pub fn is_none(self) -> bool {
        !self.unbalanced && !self.truncated
    }
}
