use alloc::vec::Vec;

use memchr::{memchr, memchr_iter, memchr2};

use super::scan::{
    BRACE, BRACKET, CLASS, CLOSE, OPEN, QUOTE, SPACE, TILDE, atom_until, first_backslash, literal_header, looked,
    next_in_section, next_quote, quote_or_backslash,
};
use super::token::{MOST_LENGTH, Word};
use super::{Damage, Detached, Limits, Token, TokenKind};

/// Writes the tokens of `frame` from byte `from` on into `table`, in one pass without recursion.
///
/// `detached` are the literals whose octets the framer took out. The table is cleared first and its
/// capacity kept, so that a reused table allocates nothing.
pub(super) fn tokenize(
    frame: &[u8],
    from: usize,
    detached: &[Detached],
    limits: &Limits,
    table: &mut Vec<Word>,
) -> Damage {
    table.clear();
    let mut scanner = Scanner {
        frame,
        detached,
        next_detached: 0,
        backslash: 0,
        damage: Damage::default(),
        sections: true,
        loose_quotes: true,
        open: NONE,
        room: limits.depth,
    };
    scanner.run(from, limits.tokens, table);
    scanner.damage
}

/// True for what may follow a string: nothing, a parenthesis, or a space and what values other than odd atoms begin with.
fn ends_string(rest: &[u8]) -> bool {
    match rest {
        [b' ', next, ..] => next.is_ascii_uppercase() || next.is_ascii_digit() || b"\"(){}~\\\r".contains(next),
        [next, ..] => matches!(CLASS[*next as usize], SPACE..=CLOSE),
        [] => true,
    }
}

/// The parent of a list that has none.
const NONE: u32 = MOST_LENGTH;

/// A value, and the byte behind it.
type Found = (Token, usize);

/// Each of its methods takes where a value begins and returns what it [`Found`], so that the place and the end of the
/// table can stay in registers.
struct Scanner<'a> {
    frame: &'a [u8],
    detached: &'a [Detached],
    next_detached: usize,
    /// Where the first backslash is behind the place that was asked for last.
    backslash: usize,
    damage: Damage,
    /// False once a section was not closed, so that nobody looks for its end again.
    sections: bool,
    /// False once a string with bare quotes in it had no end, so that nobody looks for one again.
    loose_quotes: bool,
    /// The innermost open list. While a list is open its length field holds its parent, so the stack lives in the table.
    open: u32,
    /// How many more lists may be open.
    room: u16,
}

impl Scanner<'_> {
    fn run(&mut self, mut at: usize, most: usize, table: &mut Vec<Word>) {
        let frame = self.frame;
        while let Some(rest @ &[byte, ..]) = frame.get(at..) {
            let (token, behind) = match CLASS[byte as usize] {
                SPACE => {
                    looked(1);
                    at += 1;
                    continue;
                }
                CLOSE => {
                    looked(1);
                    at += 1;
                    if self.open == NONE {
                        self.damage.unbalanced = true;
                    } else {
                        self.open = end_list(table, self.open);
                        self.room += 1;
                    }
                    continue;
                }
                QUOTE => self.quoted(at),
                OPEN if self.room > 0 => {
                    looked(1);
                    let list = Token::new(TokenKind::List, at, self.open as usize);
                    self.open = table.len() as u32;
                    self.room -= 1;
                    (list, at + 1)
                }
                OPEN => self.opaque(at),
                BRACE => self.literal(at, at),
                TILDE if frame.get(at + 1) == Some(&b'{') => self.literal(at, at + 1),
                _ => self.plain_atom(at, rest),
            };
            if table.len() >= most {
                self.damage.truncated = true;
                // A list that is one too many is not open.
                if self.open as usize == table.len() {
                    self.open = token.length() as u32;
                }
                break;
            }
            table.push(token.to_word());
            at = behind;
        }
        while self.open != NONE {
            self.damage.unbalanced = true;
            self.open = end_list(table, self.open);
        }
    }

    #[inline(always)]
    fn quoted(&mut self, quote: usize) -> Found {
        let start = quote + 1;
        let end = next_quote(self.frame, start);
        let Some(next) = self.frame.get(end + 1) else { return self.quoted_at_end(start, end) };
        if self.backslash(start) < end {
            return self.escaped(start, self.backslash);
        }
        looked(end - quote + 2);
        // The space behind a value is taken with it where that saves a round.
        let behind = match next {
            b' ' => end + 2,
            b')' => end + 1,
            _ => return self.quoted_in_doubt(start, end),
        };
        (Token::new(TokenKind::Quoted, start, end - start), behind)
    }

    /// Where the first backslash at or behind `start` is, or the end of the frame. There mostly is none anywhere, so
    /// that one search does for all strings.
    #[inline(always)]
    fn backslash(&mut self, start: usize) -> usize {
        if self.backslash < start {
            self.find_backslash(start);
        }
        self.backslash
    }

    #[inline(never)]
    fn find_backslash(&mut self, start: usize) {
        self.backslash = first_backslash(self.frame, start);
        looked(self.backslash.saturating_sub(start));
    }

    /// A string whose quote is the last byte, or which has none.
    #[cold]
    fn quoted_at_end(&mut self, start: usize, end: usize) -> Found {
        if self.backslash(start) < end {
            return self.escaped(start, self.backslash);
        }
        if end >= self.frame.len() {
            return self.unclosed(TokenKind::Quoted, start);
        }
        looked(end - start + 2);
        (Token::new(TokenKind::Quoted, start, end - start), end + 1)
    }

    /// A string whose quote has something right behind it: another value that a server forgot to set apart (quirk 7),
    /// or the rest of a string with quotes in it that nobody escaped. Then the one that closes is the first with a
    /// space, a parenthesis or another value behind it (quirk 8).
    #[cold]
    fn quoted_in_doubt(&mut self, start: usize, mut end: usize) -> Found {
        let frame = self.frame;
        let next_value = match frame.get(end + 1) {
            Some(b'"') => end > start,
            Some(next) => *next == b']' || matches!(CLASS[*next as usize], SPACE..=CLOSE),
            None => true,
        };
        if self.loose_quotes && !next_value {
            let closes = |quote: &usize| frame.get(quote + 1..).is_none_or(ends_string);
            let mut quotes = memchr_iter(b'"', &frame[end + 1..]).map(|at| end + 1 + at);
            match quotes.find(closes) {
                Some(quote) => end = quote,
                None => self.loose_quotes = false,
            }
            looked(frame.len().min(end + 1) - start);
        }
        let kind = if memchr(b'\\', &frame[start..end]).is_some() { TokenKind::Escaped } else { TokenKind::Quoted };
        (Token::new(kind, start, end - start), end + 1)
    }

    /// The rest of a quoted string, from its first backslash on.
    #[cold]
    fn escaped(&mut self, start: usize, backslash: usize) -> Found {
        let mut at = backslash;
        loop {
            match quote_or_backslash(self.frame, at + 2) {
                Some(end) if self.frame[end] == b'"' => {
                    looked(end - start + 2);
                    return (Token::new(TokenKind::Escaped, start, end - start), end + 1);
                }
                Some(backslash) => at = backslash,
                None => return self.unclosed(TokenKind::Escaped, start),
            }
        }
    }

    #[cold]
    fn unclosed(&mut self, kind: TokenKind, start: usize) -> Found {
        self.damage.unbalanced = true;
        let len = self.frame.len().saturating_sub(start);
        looked(len);
        (Token::new(kind, start, len), self.frame.len())
    }

    /// `"{" number64 "+"? "}" CRLF *OCTET`, or an atom where it is none.
    fn literal(&mut self, at: usize, brace: usize) -> Found {
        let Some((len, header)) = literal_header(&self.frame[brace + 1..]) else {
            return self.atom(at, brace + 1);
        };
        let start = brace + 1 + header;
        if self.detached.get(self.next_detached).is_some_and(|d| d.at as usize == start) {
            self.next_detached += 1;
            return (Token::new(TokenKind::Detached, start, self.next_detached - 1), start);
        }
        let kept = len.min(self.frame.len() - start);
        self.damage.unbalanced |= kept < len;
        (Token::new(TokenKind::Literal, start, kept), start + kept)
    }

    /// An atom as nearly all are, and `NIL` in capitals, which two of three atoms of an envelope are; all else is for
    /// [`atom`](Self::atom).
    #[inline(always)]
    fn plain_atom(&mut self, start: usize, rest: &[u8]) -> Found {
        if let Some(b"NIL ") | Some(b"NIL)") = rest.first_chunk() {
            looked(4);
            return (Token::new(TokenKind::Nil, start, 3), start + 3 + usize::from(rest[3] == b' '));
        }
        let end = atom_until(self.frame, start);
        let behind = match self.frame.get(end) {
            Some(b' ') => end + 1,
            Some(b')') | None => end,
            _ => return self.atom(start, end),
        };
        if end - start == 3 && matches!(rest, [b'N' | b'n', ..]) {
            return self.atom(start, end);
        }
        looked(end - start + 1);
        (Token::new(TokenKind::Atom, start, end - start), behind)
    }

    /// The atom that begins at `start` and goes on to `at` at least.
    #[inline(never)]
    fn atom(&mut self, start: usize, mut at: usize) -> Found {
        let frame = self.frame;
        while let Some(&byte) = frame.get(at) {
            at = match byte {
                b'[' if self.sections && is_section(&frame[start..at]) => self.section_end(at),
                b'{' if self.opens_literal(at) => break,
                _ if CLASS[byte as usize] <= BRACKET => atom_until(frame, at + 1),
                _ => break,
            };
        }
        // `~{n}` right behind an atom: the tilde is the literal's.
        if at > start + 1 && frame.get(at) == Some(&b'{') && frame[at - 1] == b'~' {
            at -= 1;
        }
        looked(at - start);
        let kind = match &frame[start..at] {
            [b'N' | b'n', b'I' | b'i', b'L' | b'l'] => TokenKind::Nil,
            _ => TokenKind::Atom,
        };
        (Token::new(kind, start, at - start), at + usize::from(frame.get(at) == Some(&b' ')))
    }

    /// True where a literal begins at a brace: one that comes right behind a word (quirk 6).
    #[cold]
    fn opens_literal(&self, brace: usize) -> bool {
        literal_header(&self.frame[brace + 1..]).is_some()
    }

    /// The byte behind the bracket that closes the section opened at `open`, minding quotes and literals.
    fn section_end(&mut self, open: usize) -> usize {
        let mut at = open + 1;
        while let Some(special) = self.frame.get(at..).and_then(next_in_section) {
            at += special;
            match self.frame[at] {
                b']' => {
                    looked(at - open);
                    return at + 1;
                }
                b'"' => match self.quote_end(at + 1) {
                    Some(end) => at = end + 1,
                    None => break,
                },
                _ => at = self.skip_literal(at),
            }
        }
        looked(self.frame.len() - open);
        self.damage.unbalanced = true;
        self.sections = false;
        open + 1
    }

    /// The quote that closes what begins at `at`.
    fn quote_end(&self, mut at: usize) -> Option<usize> {
        loop {
            at += memchr2(b'"', b'\\', self.frame.get(at..)?)?;
            if self.frame[at] == b'"' {
                return Some(at);
            }
            at += 2;
        }
    }

    /// The byte behind a literal inside a section, or behind a brace that opens none.
    fn skip_literal(&self, brace: usize) -> usize {
        match literal_header(&self.frame[brace + 1..]) {
            Some((len, header)) => (brace + 1 + header).saturating_add(len),
            None => brace + 1,
        }
    }

    /// A group below the deepest allowed one: one token, whatever is in it, found with a counter.
    #[cold]
    fn opaque(&mut self, start: usize) -> Found {
        let mut at = start;
        let mut depth = 0u64;
        while let Some(&byte) = self.frame.get(at) {
            at = match CLASS[byte as usize] {
                OPEN => {
                    looked(1);
                    depth += 1;
                    at + 1
                }
                CLOSE => {
                    looked(1);
                    depth -= 1;
                    at + 1
                }
                QUOTE => self.quoted(at).1,
                BRACE => self.literal(at, at).1,
                _ => {
                    looked(1);
                    at + 1
                }
            };
            if depth == 0 {
                break;
            }
        }
        self.damage.unbalanced |= depth > 0;
        (Token::new(TokenKind::Opaque, start, at - start), at)
    }
}

/// Closes the list at `open`, and returns its parent.
#[inline]
fn end_list(table: &mut [Word], open: u32) -> u32 {
    let until = table.len();
    let word = &mut table[open as usize];
    let list = Token::of(*word);
    *word = Token::new(TokenKind::List, list.start(), until).to_word();
    list.length() as u32
}

fn is_section(name: &[u8]) -> bool {
    name == b"BODY"
        || matches!(name.first(), Some(b'B' | b'b'))
            && ["BODY", "BODY.PEEK", "BINARY", "BINARY.PEEK", "BINARY.SIZE"]
                .iter()
                .any(|s| name.eq_ignore_ascii_case(s.as_bytes()))
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn kinds(frame: &[u8], limits: Limits) -> (Vec<TokenKind>, Damage) {
        let mut table = Vec::new();
        let damage = tokenize(frame, 0, &[], &limits, &mut table);
        (table.iter().map(|word| Token::of(*word).kind()).collect(), damage)
    }

    #[test]
    fn each_kind_of_value_is_one_token() {
        use TokenKind::*;
        for (frame, expected) in [
            (&b"a \\Seen 12 BODY[] +x $"[..], vec![Atom; 6]),
            (b"NIL nil NILS", vec![Nil, Nil, Atom]),
            (b"\"\" \"a b\" \"a\\\"\"", vec![Quoted, Quoted, Escaped]),
            (b"{3}\r\n(a) ~{1}\r\n( {0}\r\n x", vec![Literal, Literal, Literal, Atom]),
            (b"BODY[]{1}\r\n( a~{1}\r\n)", vec![Atom, Literal, Atom, Literal]),
            (b"{3} {a} {} ~{ {3}x", vec![Atom; 5]),
            (b"BODY[HEADER.FIELDS (\"]\" \"\\\"\" {1}\r\n])]<0> x", vec![Atom, Atom]),
            (b"binary.size[1.2] BODYX[ (", vec![Atom, Atom, List]),
            (b"(a(b)c)", vec![List, Atom, List, Atom, Atom]),
        ] {
            assert_eq!(kinds(frame, Limits::default()).0, expected, "{}", frame.escape_ascii());
        }
    }

    #[test]
    fn what_is_missing_or_too_much_is_told() {
        for (frame, unbalanced) in [
            (&b"(a (b))"[..], false),
            (b"(a (b)", true),
            (b"a)", true),
            (b"\"a", true),
            (b"\"a\\", true),
            (b"\"a\\\"", true),
            (b"{9}\r\nabc", true),
            (b"BODY[HEADER", true),
            (b"X[", false),
        ] {
            assert_eq!(kinds(frame, Limits::default()).1.unbalanced, unbalanced, "{}", frame.escape_ascii());
        }
    }

    #[test]
    fn there_are_as_many_tokens_as_the_limit_and_no_more() {
        let limits = Limits { tokens: 3, ..Limits::default() };
        for (frame, truncated) in [(&b"a b"[..], false), (b"a b c", false), (b"a b c d", true), (b"a (b) (((", true)] {
            let (kinds, damage) = kinds(frame, limits);
            assert_eq!(damage.truncated, truncated, "{}", frame.escape_ascii());
            assert!(kinds.len() <= 3);
        }
        assert!(kinds(b"a", Limits { tokens: 0, ..limits }).1.truncated);
    }

    #[test]
    fn a_group_below_the_deepest_is_one_token() {
        use TokenKind::*;
        let limits = Limits { depth: 2, ..Limits::default() };
        assert_eq!(kinds(b"(())", limits).0, vec![List, List]);
        assert_eq!(kinds(b"((()))", limits).0, vec![List, List, Opaque]);
        assert_eq!(kinds(b"(((\")\" {1}\r\n) ((a)) {b) x) y)", limits).0, vec![List, List, Opaque, Atom, Atom]);
        assert_eq!(kinds(b"()", Limits { depth: 0, ..limits }).0, vec![Opaque]);
        assert_eq!(kinds(b"(((", limits), (vec![List, List, Opaque], Damage { unbalanced: true, truncated: false }));
    }
}
