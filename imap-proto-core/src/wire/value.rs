use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::parsed::{NOTHING, Parsed};
use super::token::Word;
use super::{Detached, Token, TokenKind, Tokens};

/// One value of a response: an atom, a string, or a parenthesised list of values.
///
/// A cursor, not data: copying it is free, and a list of any depth costs no stack.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    table: &'a Parsed,
    index: u32,
}

/// The values of a list, or of a whole response, in order.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    table: &'a Parsed,
    next: u32,
    end: u32,
}

impl<'a> Values<'a> {
    pub(crate) fn all(table: &'a Parsed) -> Self {
        Values { table, next: 0, end: table.count as u32 }
    }

    /// No values, of no response.
    pub(crate) const fn empty() -> Self {
        Values { table: &NOTHING, next: 0, end: 0 }
    }

    /// The next value, without taking it.
    #[inline]
    pub fn peek(&self) -> Option<Value<'a>> {
        let mut ahead = *self;
        ahead.next()
    }

    /// True when there is none left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.next >= self.end
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    #[inline]
    fn next(&mut self) -> Option<Value<'a>> {
        if self.next >= self.end {
            return None;
        }
        let index = self.next;
        let token = Token::of(*self.table.block.get(index as usize)?);
        self.next = match token.kind() {
            TokenKind::List => token.length() as u32,
            _ => index + 1,
        };
        Some(Value { table: self.table, index })
    }
}

impl<'a> Value<'a> {
    #[inline]
    fn token(self) -> Token {
        Token::of(self.table.block[self.index as usize])
    }

    /// What the value is.
    #[inline]
    pub fn kind(self) -> TokenKind {
        self.token().kind()
    }

    /// The values of a list; `None` for anything else.
    #[inline]
    pub fn list(self) -> Option<Values<'a>> {
        let token = self.token();
        match token.kind() {
            TokenKind::List => Some(Values { table: self.table, next: self.index + 1, end: token.length() as u32 }),
            _ => None,
        }
    }

    /// The text of an atom (`NIL` among them); `None` for strings and lists.
    #[inline]
    pub fn atom(self) -> Option<&'a [u8]> {
        match self.kind() {
            TokenKind::Atom | TokenKind::Nil => Some(self.content()),
            _ => None,
        }
    }

    /// True for `NIL`.
    #[inline]
    pub fn is_nil(self) -> bool {
        self.kind() == TokenKind::Nil
    }

    /// The value as text: a quoted string, a literal that is in the frame, or an atom, since servers
    /// send one for the other (quirk 21). `None` for `NIL`, lists and detached literals.
    #[inline]
    pub fn text(self) -> Option<Text<'a>> {
        self.table.text(self.token())
    }

    /// The literal whose octets are not in the frame, and its index among those of the response.
    pub fn detached(self) -> Option<(usize, Detached)> {
        let token = self.token();
        match token.kind() {
            TokenKind::Detached => Some((token.length(), *self.table.detached.get(token.length())?)),
            _ => None,
        }
    }

    /// A number of up to 64 bits, plain or in quotes; `None` where it is no number or too large.
    #[inline]
    pub fn number(self) -> Option<u64> {
        match self.kind() {
            TokenKind::Atom | TokenKind::Quoted => parse_number(self.content()),
            _ => None,
        }
    }

    /// The bytes of the value as they came, with quotes, literal header or parentheses.
    ///
    /// For reporting what could not be read: a list is scanned for its end each time.
    pub fn raw(self) -> &'a [u8] {
        let token = self.token();
        let frame = self.table.frame();
        let (start, end) = match token.kind() {
            TokenKind::Atom | TokenKind::Nil | TokenKind::Opaque => (token.start(), token.start() + token.length()),
            TokenKind::Quoted | TokenKind::Escaped => (token.start() - 1, token.start() + token.length() + 1),
            TokenKind::Literal => (literal_header(frame, token.start()), token.start() + token.length()),
            TokenKind::Detached => (literal_header(frame, token.start()), token.start()),
            TokenKind::List => (token.start(), self.list_end(token)),
        };
        frame.get(start..end.min(frame.len())).unwrap_or_default()
    }

    /// Where a list ends: behind the last token in it come only spaces and the parentheses that close it.
    fn list_end(self, list: Token) -> usize {
        let frame = self.table.frame();
        let mut end = list.start() + 1;
        let mut closing = 1;
        if list.length() > self.index as usize + 1 {
            let last = list.length() - 1;
            let mut at = self.index as usize;
            while at < last {
                at += 1;
                let inner = Token::of(self.table.block[at]);
                match inner.kind() {
                    TokenKind::List if inner.length() == list.length() => closing += 1,
                    TokenKind::List => at = inner.length() - 1,
                    _ => {}
                }
            }
            let token = Token::of(self.table.block[last]);
            end = match token.kind() {
                TokenKind::List => token.start() + 1,
                TokenKind::Detached => token.start(),
                TokenKind::Quoted | TokenKind::Escaped => token.start() + token.length() + 1,
                _ => token.start() + token.length(),
            };
        }
        while closing > 0 && end < frame.len() {
            closing -= u32::from(frame[end] == b')');
            end += 1;
        }
        end
    }

    /// The value at an index of the table that a view kept.
    #[inline]
    pub(crate) fn at(table: &'a Parsed, index: u32) -> Option<Self> {
        if (index as usize) < table.count { Some(Value { table, index }) } else { None }
    }

    /// Where an atom or a list begins in the frame.
    pub(crate) fn start(self) -> usize {
        self.token().start()
    }

    /// Where the value stands in its table.
    #[inline]
    pub(crate) fn index(self) -> u32 {
        self.index
    }

    /// The table the value stands in.
    #[inline]
    pub(crate) fn table(self) -> &'a Parsed {
        self.table
    }

    /// The tokens inside a list, at any depth; none for anything else.
    #[inline]
    pub(crate) fn inner_tokens(self) -> Tokens<'a> {
        let token = self.token();
        let end = if token.kind() == TokenKind::List { token.length() } else { 0 };
        self.table.tokens().between(self.index as usize + 1, end)
    }

    /// Those of a list that has just so many, at any depth.
    #[inline]
    pub(crate) fn inner<const N: usize>(self) -> Option<[Token; N]> {
        let token = self.token();
        let first = self.index as usize + 1;
        if token.kind() != TokenKind::List || token.length() != first + N {
            return None;
        }
        let words: &[Word; N] = self.table.block.get(first..)?.first_chunk()?;
        Some(words.map(Token::of))
    }

    /// The innermost of lists that hold nothing but the next one (quirk 81).
    #[inline]
    pub(crate) fn without_extra_parens(mut self) -> Self {
        while let Some(inner) = self.inner_tokens().next()
            && inner.kind() == TokenKind::List
            && inner.length() == self.token().length()
        {
            self.index += 1;
        }
        self
    }

    /// A number as servers write sizes: below zero is zero (quirk 25), and `9.3736e+06` is what it says (quirk 24).
    #[inline]
    pub(crate) fn count(self) -> Option<u64> {
        match self.number() {
            None if matches!(self.kind(), TokenKind::Atom | TokenKind::Quoted) => odd_count(self.content()),
            number => number,
        }
    }

    /// What stands in the frame from the content of this value to the end of that of a later one.
    pub(crate) fn text_through(self, last: Value<'a>) -> Option<Text<'a>> {
        let start = self.text().map(|_| self.token().start())?;
        let end = last.text().map(|_| last.token().start() + last.token().length())?;
        self.table.frame().get(start..end).map(Text::plain)
    }

    #[inline]
    fn content(self) -> &'a [u8] {
        self.table.content(self.token())
    }
}

impl core::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let raw = self.raw();
        write!(f, "{:?} {}", self.kind(), raw[..raw.len().min(64)].escape_ascii())
    }
}

impl core::fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.take(16)).finish()
    }
}

/// The text of a string as it came; backslashes are taken out only when asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) escaped: bool,
}

impl<'a> Text<'a> {
    /// Wraps bytes that hold no escapes.
    pub(crate) fn plain(bytes: &'a [u8]) -> Self {
        Text { bytes, escaped: false }
    }

    /// A stretch of this text.
    pub(crate) fn stretch(self, bytes: &'a [u8]) -> Self {
        Text { bytes, escaped: self.escaped }
    }

    /// The octets, borrowed unless a backslash has to go.
    pub fn to_bytes(self) -> Cow<'a, [u8]> {
        if !self.escaped {
            return Cow::Borrowed(self.bytes);
        }
        let mut plain = Vec::with_capacity(self.bytes.len());
        let mut bytes = self.bytes.iter();
        while let Some(&byte) = bytes.next() {
            match byte {
                b'\\' => plain.extend(bytes.next()),
                _ => plain.push(byte),
            }
        }
        Cow::Owned(plain)
    }

    /// The text: UTF-8 where it is valid, else each octet as a Latin-1 character (quirk 13).
    pub fn to_str(self) -> Cow<'a, str> {
        match self.to_bytes() {
            Cow::Borrowed(bytes) => decode(bytes),
            Cow::Owned(bytes) => Cow::Owned(decode(&bytes).into_owned()),
        }
    }

    /// The octets as they came, a backslash still before each escaped one.
    #[inline]
    pub fn as_raw(self) -> &'a [u8] {
        self.bytes
    }

    /// True when both are the same but for ASCII case.
    pub fn eq_ignore_ascii_case(self, other: &str) -> bool {
        if !self.escaped {
            return self.bytes.eq_ignore_ascii_case(other.as_bytes());
        }
        let mut rest = self.bytes;
        other.bytes().all(|wanted| {
            rest = rest.strip_prefix(b"\\").unwrap_or(rest);
            let found = rest.split_off_first();
            found.is_some_and(|byte| byte.eq_ignore_ascii_case(&wanted))
        }) && matches!(rest, [] | [b'\\'])
    }

    /// True when it has no octets.
    #[inline]
    pub fn is_empty(self) -> bool {
        // A backslash with nothing behind it escapes nothing.
        self.bytes.is_empty() || (self.escaped && self.bytes == b"\\")
    }
}

/// The text, with what is no UTF-8 read as Latin-1.
impl core::fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(&self.to_str())
    }
}

impl core::fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "\"{}\"", self.bytes[..self.bytes.len().min(64)].escape_ascii())
    }
}

pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match core::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|b| char::from(*b)).collect::<String>()),
    }
}

/// Decimal digits, any number of leading zeros (quirk 26).
#[inline]
pub(crate) fn parse_number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    // So many nines still fit.
    let (short, long) = digits.split_at(digits.len().min(19));
    let mut number = 0u64;
    for &byte in short {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u64::from(digit);
    }
    if long.is_empty() { Some(number) } else { parse_long_number(number, long) }
}

#[cold]
fn parse_long_number(number: u64, digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(number, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

#[cold]
fn odd_count(number: &[u8]) -> Option<u64> {
    if let Some(digits) = number.strip_prefix(b"-") {
        return digits.iter().all(u8::is_ascii_digit).then_some(0).filter(|_| !digits.is_empty());
    }
    if !number.first()?.is_ascii_digit() || number.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = core::str::from_utf8(number).ok()?.parse::<f64>().ok()?;
    // RFC 9051 §9: number64 is below 2^63.
    (number < i64::MAX as f64).then_some(number as u64)
}

fn literal_header(frame: &[u8], start: usize) -> usize {
    let before = frame.get(..start).unwrap_or_default();
    let brace = before.iter().rposition(|b| *b == b'{').unwrap_or(start);
    brace - usize::from(brace > 0 && before[brace - 1] == b'~')
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn values_give_back_the_bytes_they_came_from() {
        for raw in [
            "atom",
            "nil",
            "\"\"",
            "\"a b\"",
            "\"a\\\"b\"",
            "{3}\r\na)b",
            "~{1}\r\n(",
            "()",
            "(a)",
            "( a ( b ) )",
            "((({1}\r\n))))",
            "(\"x\" ((NIL)) )",
            "(()())",
        ] {
            let parsed = Parsed::of(format!("before {raw} after"));
            let value = parsed.values().nth(1).expect("the second value");
            assert_eq!(value.raw(), raw.as_bytes());
            assert_eq!(parsed.values().count(), 3, "{raw}");
        }
    }

    #[test]
    fn text_is_the_same_whatever_its_form() {
        for (raw, text) in [
            (&b"a.b"[..], Some("a.b")),
            (b"\"a.b\"", Some("a.b")),
            (b"{3}\r\na.b", Some("a.b")),
            (b"\"a\\.\\b\"", Some("a.b")),
            (b"\"a\\\\b\"", Some("a\\b")),
            (b"\"\xc5\x82\"", Some("\u{142}")),
            (b"\"\xff\"", Some("\u{ff}")),
            (b"\"\xff\\x\"", Some("\u{ff}x")),
            (b"\"\"", Some("")),
            (b"NIL", None),
            (b"(a)", None),
        ] {
            let parsed = Parsed::of(raw);
            let found = parsed.first().text();
            assert_eq!(found.map(|found| found.to_str().into_owned()).as_deref(), text, "{}", raw.escape_ascii());
            if let (Some(found), Some(text)) = (found, text.filter(|text| text.is_ascii())) {
                assert!(found.eq_ignore_ascii_case(&text.to_ascii_uppercase()));
                assert!(!found.eq_ignore_ascii_case(&format!("{text}x")));
            }
        }
    }

    #[test]
    fn numbers_are_read_as_far_as_they_are_numbers() {
        for (raw, number, count) in [
            ("0", Some(0), Some(0)),
            ("007", Some(7), Some(7)),
            ("\"12\"", Some(12), Some(12)),
            ("18446744073709551615", Some(u64::MAX), Some(u64::MAX)),
            ("18446744073709551616", None, None),
            ("-1", None, Some(0)),
            ("9.3736e+06", None, Some(9_373_600)),
            ("1e400", None, None),
            ("Infinity", None, None),
            ("-", None, None),
            ("1x", None, None),
            ("NIL", None, None),
            ("(1)", None, None),
        ] {
            let parsed = Parsed::of(raw);
            assert_eq!((parsed.first().number(), parsed.first().count()), (number, count), "{raw}");
        }
    }

    #[test]
    fn what_is_printed_is_bounded() {
        let parsed = Parsed::of("(\"x\" y) ".repeat(10_000));
        assert!(format!("{:?} {:?}", parsed.values(), parsed.first()).len() < 4096);
    }

    #[test]
    fn a_backslash_that_escapes_nothing_is_no_octet() {
        for (bytes, empty) in [(&b""[..], true), (b"\\", true), (b"\\a", false), (b"a\\", false), (b"\\\\", false)] {
            let text = Text { bytes, escaped: true };
            assert_eq!((text.is_empty(), text.to_bytes().is_empty()), (empty, empty), "{bytes:?}");
        }
    }
}
