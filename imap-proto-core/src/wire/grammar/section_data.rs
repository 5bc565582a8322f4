use core::fmt;

use crate::wire::{Text, TokenKind, Value, parse_number};

// RFC 9051 §9
//
// section         = "[" [section-spec] "]"
// section-spec    = section-msgtext / (section-part ["." section-text])
// section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
// section-text    = section-msgtext / "MIME"
// section-part    = nz-number *("." nz-number)
// section-binary  = "[" [section-part] "]"
// header-list     = "(" header-fld-name *(SP header-fld-name) ")"

/// Shows a message or a section of it, and where its octets are. RFC 9051 §7.5.2
#[derive(Clone, Copy)]
pub struct SectionData<'a> {
    section: ToldSection<'a>,
    body: Body<'a>,
}

/// Where the octets of a section are.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// There are none: the section does not exist, or the server left out the value (quirks 82, 83).
    Nil,
    /// In the response.
    Octets(Text<'a>),
    /// Not in the response: streamed, or too long to keep.
    Detached {
        /// Which of the literals of the response that are not in it.
        index: usize,
        /// Their number, as announced.
        len: u64,
        /// True when they are gone, see [`Limits::literal`](crate::wire::Limits::literal).
        skipped: bool,
    },
}

/// What the name of a section says.
#[derive(Clone, Copy)]
pub(crate) struct ToldSection<'a> {
    /// What is between the brackets.
    pub(crate) section: &'a [u8],
    pub(crate) origin: Option<u64>,
    pub(crate) binary: bool,
}

/// True for a name that ends as those of sections do.
#[inline]
pub(super) fn is_section(name: &[u8]) -> bool {
    matches!(name, [b'B' | b'b', .., b']' | b'>'])
}

impl<'a> ToldSection<'a> {
    #[inline]
    pub(super) fn of(name: &'a [u8]) -> Option<Self> {
        let body = |section| Some(ToldSection { section, origin: None, binary: false });
        // Nearly all are this, and it is asked for often.
        if let Some(section) = name.strip_prefix(b"BODY[").and_then(|rest| rest.strip_suffix(b"]")) {
            return body(section);
        }
        match name.len() {
            6 if name.eq_ignore_ascii_case(b"RFC822") => return body(b""),
            11 if name.eq_ignore_ascii_case(b"RFC822.TEXT") => return body(b"TEXT"),
            13 if name.eq_ignore_ascii_case(b"RFC822.HEADER") => return body(b"HEADER"),
            _ if !is_section(name) => return None,
            _ => {}
        }
        let (word, rest) = name.split_at(name.iter().position(|b| *b == b'[')?);
        let binary = match word.len() {
            4 | 9 if is_word(word, b"BODY") => false,
            6 | 11 if is_word(word, b"BINARY") => true,
            _ => return None,
        };
        let close = rest.iter().rposition(|b| *b == b']')?;
        Some(ToldSection { section: &rest[1..close], origin: origin(&rest[close + 1..])?, binary })
    }
}

/// True for a word, and for the same with `.PEEK`, which some servers repeat.
fn is_word(name: &[u8], word: &[u8]) -> bool {
    let name = name.split_at_checked(word.len());
    name.is_some_and(|(n, rest)| {
        n.eq_ignore_ascii_case(word) && (rest.is_empty() || rest.eq_ignore_ascii_case(b".PEEK"))
    })
}

/// `["<" number ">"]`; the length behind a dot that some servers repeat is passed over (quirk 84).
#[expect(clippy::option_option, reason = "what is no origin at all is not the same as none")]
fn origin(rest: &[u8]) -> Option<Option<u64>> {
    if rest.is_empty() {
        return Some(None);
    }
    let digits = rest.strip_prefix(b"<")?.strip_suffix(b">")?;
    let digits = digits.split(|b| *b == b'.').next()?;
    parse_number(digits).map(Some)
}

impl<'a> SectionData<'a> {
    pub(super) fn new(name: &'a [u8], value: Option<Value<'a>>) -> Option<Self> {
        Self::named(ToldSection::of(name)?, value)
    }

    #[inline]
    pub(super) fn named(section: ToldSection<'a>, value: Option<Value<'a>>) -> Option<Self> {
        // Nearly all values are this.
        if let Some(octets) = value.and_then(Value::text) {
            return Some(SectionData { section, body: Body::Octets(octets) });
        }
        Self::without_octets(section, value)
    }

    #[inline(never)]
    fn without_octets(section: ToldSection<'a>, value: Option<Value<'a>>) -> Option<Self> {
        let body = match value {
            Some(value) if value.kind() == TokenKind::Detached => {
                let (index, literal) = value.detached()?;
                Body::Detached { index, len: literal.len, skipped: literal.skipped }
            }
            Some(value) if !value.is_nil() => return None,
            _ => Body::Nil,
        };
        Some(SectionData { section, body })
    }

    /// What the server wrote between the brackets: `1.2.MIME`. For `RFC822`, `RFC822.HEADER` and `RFC822.TEXT`,
    /// what it would be: nothing, `HEADER`, `TEXT`.
    #[inline]
    pub fn name(self) -> &'a [u8] {
        self.section.section
    }

    /// The octet of the section the data begins with, when only a part was asked for.
    #[inline]
    pub fn origin(self) -> Option<u64> {
        self.section.origin
    }

    /// True for `BINARY[…]`: the transfer encoding is taken off.
    #[inline]
    pub fn is_binary(self) -> bool {
        self.section.binary
    }

    /// Where the octets are.
    #[inline]
    pub fn body(self) -> Body<'a> {
        self.body
    }

    /// True when this is the section that was asked for.
    ///
    /// Servers change case and order of header field names, and take their quotes away or add some (quirk 85); it is
    /// still the same section.
    pub fn matches(self, section: &[u8]) -> bool {
        let name = self.name();
        if name.eq_ignore_ascii_case(section) {
            return true;
        }
        let ((ours, our_fields), (theirs, their_fields)) = (split_fields(section), split_fields(name));
        let is_among = |fields, wanted: &[u8]| FieldNames(fields).any(|field| field.eq_ignore_ascii_case(wanted));
        ours.eq_ignore_ascii_case(theirs)
            && FieldNames(their_fields).all(|field| is_among(our_fields, field))
            && FieldNames(our_fields).all(|field| is_among(their_fields, field))
    }
}

impl fmt::Debug for SectionData<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SectionData")
            .field("name", &Text::plain(self.name()))
            .field("origin", &self.origin())
            .field("is_binary", &self.is_binary())
            .field("body", &self.body())
            .finish()
    }
}

/// Parts `1.HEADER.FIELDS` from ` (Subject "Date")`.
fn split_fields(section: &[u8]) -> (&[u8], &[u8]) {
    let end = section.iter().position(|b| matches!(b, b' ' | b'('));
    section.split_at(end.unwrap_or(section.len()))
}

/// The names of a header list: atoms, quoted strings without escapes, and literals.
struct FieldNames<'a>(&'a [u8]);

impl<'a> Iterator for FieldNames<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.0.iter().position(|b| !matches!(b, b' ' | b'(' | b')'))?;
        let rest = &self.0[start..];
        let (name, rest) = quoted_name(rest).or_else(|| literal_name(rest)).unwrap_or_else(|| {
            let end = rest.iter().position(|b| matches!(b, b' ' | b'(' | b')'));
            rest.split_at(end.unwrap_or(rest.len()))
        });
        self.0 = rest;
        Some(name)
    }
}

fn quoted_name(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = rest.strip_prefix(b"\"")?;
    let end = rest.iter().position(|b| *b == b'"')?;
    Some((&rest[..end], &rest[end + 1..]))
}

fn literal_name(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = rest.strip_prefix(b"{")?;
    let line_end = rest.iter().position(|b| *b == b'\n')?;
    let digits = rest[..line_end].iter().take_while(|b| b.is_ascii_digit()).count();
    let len = usize::try_from(parse_number(&rest[..digits])?).ok()?;
    rest[line_end + 1..].split_at_checked(len)
}
