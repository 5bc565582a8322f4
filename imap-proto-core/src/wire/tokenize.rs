use alloc::vec::Vec;

use memchr::{memchr, memchr_iter, memchr2};

use super::scan::{
    BRACE, CLASS, CLOSE, OPEN, QUOTE, SPACE, TILDE, atom_length, decimal, digits, header_length, looked, next_quote,
    quote_or_backslash,
};
use super::token::MOST_LENGTH;
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
    table: &mut Vec<Token>,
) -> Damage {
    table.clear();
    let mut scanner = Scanner {
        frame,
        detached,
        next_detached: 0,
        backslash: 0,
        table,
        open: NONE,
        depth: 0,
        most_depth: limits.depth,
        damage: Damage::default(),
        sections: true,
        loose_quotes: true,
    };
    scanner.run(from, limits.tokens);
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

/// Each of its methods takes where something begins and returns the byte behind it, so that the place can stay in a
/// register.
struct Scanner<'a> {
    frame: &'a [u8],
    detached: &'a [Detached],
    next_detached: usize,
    /// Where the first backslash is behind the place that was asked for last.
    backslash: usize,
    table: &'a mut Vec<Token>,
    /// The innermost open list. While a list is open its length field holds its parent, so the
    /// stack lives in the table.
    open: u32,
    depth: u16,
    most_depth: u16,
    damage: Damage,
    /// False once a section was not closed, so that nobody looks for its end again.
    sections: bool,
    /// False once a string with bare quotes in it had no end, so that nobody looks for one again.
    loose_quotes: bool,
}

impl Scanner<'_> {
    fn run(&mut self, mut at: usize, most: usize) {
        let frame = self.frame;
        while let Some(&byte) = frame.get(at) {
            at = match CLASS[byte as usize] {
                SPACE => {
                    looked(1);
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
                _ => self.plain_atom(at),
            };
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
        looked(1);
        at + 1
    }

    #[inline]
    fn close_list(&mut self, at: usize) -> usize {
        if self.open == NONE {
            self.damage.unbalanced = true;
        } else {
            self.end_list();
        }
        looked(1);
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
        let end = next_quote(self.frame, start);
        let Some(next) = self.frame.get(end + 1) else { return self.quoted_at_end(start) };
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
        self.push(TokenKind::Quoted, start, end - start);
        behind
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
        let rest = self.frame.get(start..).unwrap_or_default();
        let found = memchr(b'\\', rest).unwrap_or(rest.len());
        looked(found);
        self.backslash = start + found;
    }

    /// A string whose quote is the last byte, or which has none.
    #[cold]
    fn quoted_at_end(&mut self, start: usize) -> usize {
        let end = next_quote(self.frame, start);
        if self.backslash(start) < end {
            return self.escaped(start, self.backslash);
        }
        if end >= self.frame.len() {
            return self.unclosed(TokenKind::Quoted, start);
        }
        looked(end - start + 2);
        self.push(TokenKind::Quoted, start, end - start);
        end + 1
    }

    /// A string whose quote has something right behind it: another value that a server forgot to set apart (quirk 7),
    /// or the rest of a string with quotes in it that nobody escaped. Then the one that closes is the first with a
    /// space, a parenthesis or another value behind it (quirk 8).
    #[cold]
    fn quoted_in_doubt(&mut self, start: usize, mut end: usize) -> usize {
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
        self.push(kind, start, end - start);
        end + 1
    }

    /// The rest of a quoted string, from its first backslash on.
    #[cold]
    fn escaped(&mut self, start: usize, backslash: usize) -> usize {
        let mut at = backslash;
        loop {
            match quote_or_backslash(self.frame, at + 2) {
                Some(end) if self.frame[end] == b'"' => {
                    looked(end - start + 2);
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
        looked(self.frame.len().saturating_sub(start));
        self.push(kind, start, self.frame.len().saturating_sub(start));
        self.frame.len()
    }

    /// `"{" number64 "+"? "}" CRLF *OCTET`, or an atom where it is none.
    fn literal(&mut self, at: usize, brace: usize) -> usize {
        let rest = &self.frame[brace + 1..];
        let digits = digits(rest);
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

    /// An atom as nearly all are, and `NIL` in capitals, which two of three atoms of an envelope are; all else is for
    /// [`atom`](Self::atom).
    #[inline(always)]
    fn plain_atom(&mut self, start: usize) -> usize {
        let rest = self.frame.get(start..).unwrap_or_default();
        if let Some(b"NIL ") | Some(b"NIL)") = rest.first_chunk() {
            looked(4);
            self.push(TokenKind::Nil, start, 3);
            return start + 3 + usize::from(rest[3] == b' ');
        }
        let len = atom_length(rest);
        let behind = match rest.get(len) {
            Some(b' ') => start + len + 1,
            Some(b')') | None => start + len,
            _ => return self.atom(start, start),
        };
        if matches!(rest, [b'N' | b'n', ..]) && len == 3 {
            return self.atom(start, start);
        }
        looked(len + 1);
        self.push(TokenKind::Atom, start, len);
        behind
    }

    /// The atom that begins at `start` and is known to reach to `at`.
    fn atom(&mut self, start: usize, at: usize) -> usize {
        let frame = self.frame;
        let mut at = at + atom_length(&frame[at..]);
        loop {
            at = match frame.get(at) {
                Some(b'[') if self.sections && is_section(&frame[start..at]) => self.section_end(at),
                Some(b'{') if self.opens_literal(at) => break,
                Some(b'[' | b'{') => at + 1,
                _ => break,
            };
            at += atom_length(&frame[at..]);
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
        self.push(kind, start, at - start);
        at + usize::from(frame.get(at) == Some(&b' '))
    }

    /// True where a literal begins at a brace: one that comes right behind a word (quirk 6).
    #[cold]
    fn opens_literal(&self, brace: usize) -> bool {
        let rest = &self.frame[brace + 1..];
        let digits = digits(rest);
        digits > 0 && header_length(&rest[digits..]).is_some()
    }

    /// The byte behind the bracket that closes the section opened at `open`, minding quotes and literals.
    #[cold]
    fn section_end(&mut self, open: usize) -> usize {
        let mut at = open + 1;
        while let Some(&byte) = self.frame.get(at) {
            match byte {
                b']' => {
                    looked(at - open);
                    return at + 1;
                }
                b'"' => match self.quote_end(at + 1) {
                    Some(end) => at = end + 1,
                    None => break,
                },
                b'{' => at = self.skip_literal(at),
                _ => at += 1,
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
        let rest = &self.frame[brace + 1..];
        let digits = digits(rest);
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
                    looked(1);
                    depth += 1;
                    at + 1
                }
                CLOSE => {
                    looked(1);
                    depth -= 1;
                    at + 1
                }
                QUOTE => self.quoted(at),
                BRACE => self.literal(at, at),
                _ => {
                    looked(1);
                    at + 1
                }
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
        (table.iter().map(|token| token.kind()).collect(), damage)
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
