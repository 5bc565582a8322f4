use alloc::vec::Vec;

use memchr::memchr2;

use super::{Detached, Limits};

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
const LENGTH_MASK: u32 = (1 << LENGTH_BITS) - 1;

/// One token in eight bytes: where it begins, what it is, and how long it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token {
    start: u32,
    word: u32,
}

impl Token {
    #[inline]
    fn new(kind: TokenKind, start: usize, length: usize) -> Self {
        debug_assert!(length as u64 <= u64::from(LENGTH_MASK), "the frame limit keeps lengths below 2^28");
        Token { start: start as u32, word: (kind as u32) << LENGTH_BITS | (length as u32 & LENGTH_MASK) }
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
        (self.word & LENGTH_MASK) as usize
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
    /// There were more tokens than [`Limits::tokens`]; the table ends early.
    pub truncated: bool,
}

impl Damage {
    /// True when there was none.
    pub fn is_none(self) -> bool {
        !self.unbalanced && !self.truncated
    }
}

const TEXT: u8 = 0;
const BRACE: u8 = 1;
const TILDE: u8 = 2;
const BRACKET: u8 = 3;
const SPACE: u8 = 4;
const OPEN: u8 = 5;
const CLOSE: u8 = 6;
const QUOTE: u8 = 7;

/// What a byte means to the scanner. All up to [`TILDE`] go on with an atom.
static CLASS: [u8; 256] = {
    let mut class = [TEXT; 256];
    class[b'{' as usize] = BRACE;
    class[b'~' as usize] = TILDE;
    class[b'[' as usize] = BRACKET;
    class[b' ' as usize] = SPACE;
    class[b'\t' as usize] = SPACE;
    class[b'\r' as usize] = SPACE;
    class[b'\n' as usize] = SPACE;
    class[b'(' as usize] = OPEN;
    class[b')' as usize] = CLOSE;
    class[b'"' as usize] = QUOTE;
    class
};

/// Writes the tokens of `frame` from byte `from` on into `table`, in one pass without recursion.
///
/// `detached` are the literals whose octets the framer took out. The table is cleared first and its
/// capacity kept, so that a reused table allocates nothing.
pub fn tokenize(frame: &[u8], from: usize, detached: &[Detached], limits: &Limits, table: &mut Vec<Token>) -> Damage {
    table.clear();
    let mut scanner = Scanner {
        frame,
        detached,
        next_detached: 0,
        table,
        open: NONE,
        depth: 0,
        most_depth: limits.depth,
        damage: Damage::default(),
        sections: true,
    };
    scanner.run(from, limits.tokens);
    scanner.damage
}

/// Spaces that a server may put behind `{n}` (quirk 14).
const MOST_JUNK: usize = 16;

/// The parent of a list that has none.
const NONE: u32 = LENGTH_MASK;

/// Each of its methods takes where something begins and returns the byte behind it, so that the place can stay in a
/// register.
struct Scanner<'a> {
    frame: &'a [u8],
    detached: &'a [Detached],
    next_detached: usize,
    table: &'a mut Vec<Token>,
    /// The innermost open list. While a list is open its length field holds its parent, so the
    /// stack lives in the table.
    open: u32,
    depth: u16,
    most_depth: u16,
    damage: Damage,
    /// False once a section was not closed, so that nobody looks for its end again.
    sections: bool,
}

impl Scanner<'_> {
    fn run(&mut self, mut at: usize, most: usize) {
        let frame = self.frame;
        while let Some(&byte) = frame.get(at) {
            at = match CLASS[byte as usize] {
                SPACE => {
                    at += 1;
                    continue;
                }
                CLOSE => {
                    at = self.close_list(at);
                    continue;
                }
                QUOTE => self.quoted(at),
                OPEN => self.open_list(at),
                BRACE => self.literal(at, at),
                TILDE if frame.get(at + 1) == Some(&b'{') => self.literal(at, at + 1),
                _ => self.atom(at, at),
            };
            // There mostly is one; taking it here saves a round.
            at += usize::from(frame.get(at) == Some(&b' '));
            if self.table.len() > most {
                self.take_back();
                break;
            }
        }
        while self.open != NONE {
            self.damage.unbalanced = true;
            self.end_list();
        }
    }

    /// Drops the token that is one too many; a list among the open ones is not open then.
    #[cold]
    fn take_back(&mut self) {
        self.damage.truncated = true;
        let Some(last) = self.table.pop() else { return };
        if self.open as usize == self.table.len() {
            self.open = last.length() as u32;
            self.depth -= 1;
        }
    }

    #[inline]
    fn push(&mut self, kind: TokenKind, start: usize, length: usize) {
        self.table.push(Token::new(kind, start, length));
    }

    #[inline]
    fn open_list(&mut self, at: usize) -> usize {
        if self.depth >= self.most_depth {
            return self.opaque(at);
        }
        let index = self.table.len() as u32;
        self.push(TokenKind::List, at, self.open as usize);
        self.open = index;
        self.depth += 1;
        at + 1
    }

    #[inline]
    fn close_list(&mut self, at: usize) -> usize {
        if self.open == NONE {
            self.damage.unbalanced = true;
        } else {
            self.end_list();
        }
        at + 1
    }

    #[inline]
    fn end_list(&mut self) {
        let until = self.table.len();
        let list = &mut self.table[self.open as usize];
        let parent = list.length() as u32;
        *list = Token::new(TokenKind::List, list.start(), until);
        self.open = parent;
        self.depth -= 1;
    }

    #[inline(always)]
    fn quoted(&mut self, quote: usize) -> usize {
        let start = quote + 1;
        match quote_or_backslash(self.frame, start) {
            Some(end) if self.frame[end] == b'"' => {
                self.push(TokenKind::Quoted, start, end - start);
                end + 1
            }
            Some(backslash) => self.escaped(start, backslash),
            None => self.unclosed(TokenKind::Quoted, start),
        }
    }

    /// The rest of a quoted string, from its first backslash on.
    #[cold]
    fn escaped(&mut self, start: usize, backslash: usize) -> usize {
        let mut at = backslash;
        loop {
            match quote_or_backslash(self.frame, at + 2) {
                Some(end) if self.frame[end] == b'"' => {
                    self.push(TokenKind::Escaped, start, end - start);
                    return end + 1;
                }
                Some(backslash) => at = backslash,
                None => return self.unclosed(TokenKind::Escaped, start),
            }
        }
    }

    #[cold]
    fn unclosed(&mut self, kind: TokenKind, start: usize) -> usize {
        self.damage.unbalanced = true;
        self.push(kind, start, self.frame.len().saturating_sub(start));
        self.frame.len()
    }

    /// `"{" number64 "+"? "}" CRLF *OCTET`, or an atom where it is none.
    fn literal(&mut self, at: usize, brace: usize) -> usize {
        let rest = &self.frame[brace + 1..];
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let Some(header) = header_length(&rest[digits..]).filter(|_| digits > 0) else {
            return self.atom(at, brace + 1);
        };
        let start = brace + 1 + digits + header;
        if self.detached.get(self.next_detached).is_some_and(|d| d.at as usize == start) {
            self.push(TokenKind::Detached, start, self.next_detached);
            self.next_detached += 1;
            return start;
        }
        let len = decimal(&rest[..digits]);
        let kept = len.min(self.frame.len() - start);
        self.damage.unbalanced |= kept < len;
        self.push(TokenKind::Literal, start, kept);
        start + kept
    }

    /// The atom that begins at `start` and is known to reach to `at`.
    #[inline]
    fn atom(&mut self, start: usize, at: usize) -> usize {
        let frame = self.frame;
        // Two of three atoms of an envelope, so it has a way of its own.
        if let Some([b'N', b'I', b'L', b' ' | b')']) = frame.get(start..start + 4) {
            self.push(TokenKind::Nil, start, 3);
            return start + 3;
        }
        let mut at = atom_end(frame, at);
        while frame.get(at) == Some(&b'[') {
            let section = self.sections && is_section(&frame[start..at]);
            at = atom_end(frame, if section { self.section_end(at) } else { at + 1 });
        }
        let kind = match &frame[start..at] {
            [b'N' | b'n', b'I' | b'i', b'L' | b'l'] => TokenKind::Nil,
            _ => TokenKind::Atom,
        };
        self.push(kind, start, at - start);
        at
    }

    /// The byte behind the bracket that closes the section opened at `open`, minding quotes and literals.
    #[cold]
    fn section_end(&mut self, open: usize) -> usize {
        let mut at = open + 1;
        while let Some(&byte) = self.frame.get(at) {
            match byte {
                b']' => return at + 1,
                b'"' => match self.frame[at + 1..].iter().position(|b| *b == b'"') {
                    Some(end) => at += end + 2,
                    None => break,
                },
                b'{' => at = self.skip_literal(at),
                _ => at += 1,
            }
        }
        self.damage.unbalanced = true;
        self.sections = false;
        open + 1
    }

    /// The byte behind a literal inside a section, or behind a brace that opens none.
    fn skip_literal(&self, brace: usize) -> usize {
        let rest = &self.frame[brace + 1..];
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        match header_length(&rest[digits..]) {
            Some(header) => (brace + 1 + digits + header).saturating_add(decimal(&rest[..digits])),
            None => brace + 1,
        }
    }

    /// A group below the deepest allowed one: one token, whatever is in it, found with a counter.
    #[cold]
    fn opaque(&mut self, start: usize) -> usize {
        let mut at = start;
        let mut depth = 0u64;
        let before = self.table.len();
        while let Some(&byte) = self.frame.get(at) {
            at = match CLASS[byte as usize] {
                OPEN => {
                    depth += 1;
                    at + 1
                }
                CLOSE => {
                    depth -= 1;
                    at + 1
                }
                QUOTE => self.quoted(at),
                BRACE => self.literal(at, at),
                _ => at + 1,
            };
            self.table.truncate(before);
            if depth == 0 {
                break;
            }
        }
        self.damage.unbalanced |= depth > 0;
        self.push(TokenKind::Opaque, start, at - start);
        at
    }
}

/// Strings up to so many times eight bytes are looked through by words; memchr needs longer ones to earn its call.
const WORDS: usize = 4;

/// Where the next quote or backslash is.
#[inline]
fn quote_or_backslash(frame: &[u8], from: usize) -> Option<usize> {
    let rest = frame.get(from..)?;
    let mut at = from;
    for word in rest.as_chunks().0.iter().take(WORDS) {
        let word = u64::from_le_bytes(*word);
        let found = bytes_equal(word, b'"') | bytes_equal(word, b'\\');
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    Some(at + memchr2(b'"', b'\\', &frame[at..])?)
}

/// Where the bytes of an atom end, or a bracket is among them.
#[inline]
fn atom_end(frame: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(word) = frame.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*word);
        // What ends an atom is at most a quote, one of the parentheses, which differ in the last bit, or a bracket.
        let found = bytes_below(word, b'"' + 1) | bytes_equal(word & !ONES, b'(') | bytes_equal(word, b'[');
        at += found.trailing_zeros() as usize / 8;
        if found != 0 {
            if CLASS[frame[at] as usize] > TILDE {
                return at;
            }
            at += 1;
        }
    }
    let rest = frame.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| CLASS[*byte as usize] > TILDE).unwrap_or(rest.len())
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);

/// Sets the highest bit of the first byte that is below `least`, which is ASCII, and of none before it.
#[inline]
fn bytes_below(word: u64, least: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(least)) & !word & (ONES << 7)
}

/// Sets the highest bit of the first byte that equals `byte`, and of none before it.
#[inline]
fn bytes_equal(word: u64, byte: u8) -> u64 {
    bytes_below(word ^ (ONES * u64::from(byte)), 1)
}

fn decimal(digits: &[u8]) -> usize {
    digits.iter().fold(0, |n, b| usize::saturating_add(usize::saturating_mul(n, 10), (b - b'0').into()))
}

/// The length of `"+"? "}" SP* CRLF`, what follows the digits of a literal. A line feed alone will do.
fn header_length(rest: &[u8]) -> Option<usize> {
    let plus = usize::from(rest.first() == Some(&b'+'));
    let rest = rest[plus..].strip_prefix(b"}")?;
    let spaces = rest.iter().take(MOST_JUNK).take_while(|b| **b == b' ').count();
    match &rest[spaces..] {
        [b'\r', b'\n', ..] => Some(plus + 1 + spaces + 2),
        [b'\n', ..] => Some(plus + 1 + spaces + 1),
        _ => None,
    }
}

fn is_section(name: &[u8]) -> bool {
    matches!(name.first(), Some(b'B' | b'b'))
        && ["BODY", "BODY.PEEK", "BINARY", "BINARY.PEEK", "BINARY.SIZE"]
            .iter()
            .any(|s| name.eq_ignore_ascii_case(s.as_bytes()))
}
