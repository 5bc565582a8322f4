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

const KINDS: [TokenKind; 8] = [
    TokenKind::Atom,
    TokenKind::Nil,
    TokenKind::Quoted,
    TokenKind::Escaped,
    TokenKind::Literal,
    TokenKind::Detached,
    TokenKind::List,
    TokenKind::Opaque,
];

const LENGTH_BITS: u32 = 28;
/// The longest of a token.
pub(super) const MOST_LENGTH: u32 = (1 << LENGTH_BITS) - 1;

/// One token in eight bytes: where it begins, what it is, and how long it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token {
    start: u32,
    word: u32,
}

impl Token {
    #[inline]
    pub(super) fn new(kind: TokenKind, start: usize, length: usize) -> Self {
        debug_assert!(length as u64 <= u64::from(MOST_LENGTH), "the frame limit keeps lengths below 2^28");
        Token { start: start as u32, word: (kind as u32) << LENGTH_BITS | (length as u32 & MOST_LENGTH) }
    }

    /// What the token is.
    #[inline]
    pub fn kind(self) -> TokenKind {
        KINDS[(self.word >> LENGTH_BITS) as usize & 7]
    }

    /// The first byte of its content in the frame.
    #[inline]
    pub fn start(self) -> usize {
        self.start as usize
    }

    /// Its length in bytes, or the index that [`TokenKind`] tells of.
    #[inline]
    pub fn length(self) -> usize {
        (self.word & MOST_LENGTH) as usize
    }
}

impl core::fmt::Debug for Token {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?}@{}+{}", self.kind(), self.start, self.length())
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
