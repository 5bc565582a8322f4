use imap_proto_core::types::{Date, DateTime, Flag, Identifier, MailboxName, Set};
use imap_proto_core::wire::{TokenKind, Value, Values};

use super::answer::{Bad, Parsed, bad};
use crate::store::{DELIMITER, LONGEST_NAME};

/// Octets of a flag: other servers take less.
const LONGEST_FLAG: usize = 100;

/// The arguments of a command, taken one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Args<'a>(pub(super) Values<'a>);

impl<'a> Args<'a> {
    pub(super) fn next(&mut self) -> Parsed<Value<'a>> {
        self.0.next().ok_or(Bad("Missing argument".into()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn end(&self) -> Parsed<()> {
        if self.0.is_empty() { Ok(()) } else { bad("Too many arguments") }
    }

    /// True when a list comes next.
    pub(super) fn at_list(&self) -> bool {
        self.0.peek().is_some_and(|value| value.kind() == TokenKind::List)
    }

    pub(super) fn list(&mut self) -> Parsed<Args<'a>> {
        self.next()?.list().map(Args).ok_or(Bad("Parentheses expected".into()))
    }

    /// Takes the atom if it comes next.
    pub(super) fn skip(&mut self, word: &str) -> bool {
        let found = self.0.peek().and_then(Value::atom).is_some_and(|atom| atom.eq_ignore_ascii_case(word.as_bytes()));
        if found {
            self.0.next();
        }
        found
    }

    /// An atom, in capitals: a word of the grammar.
    pub(super) fn word(&mut self) -> Parsed<String> {
        word(self.next()?)
    }

    pub(super) fn astring(&mut self) -> Parsed<Vec<u8>> {
        astring(self.next()?)
    }

    pub(super) fn string(&mut self) -> Parsed<Vec<u8>> {
        match self.next()? {
            value if value.atom().is_some() => bad("String expected"),
            value => astring(value),
        }
    }

    pub(super) fn mailbox(&mut self) -> Parsed<MailboxName> {
        match &self.astring()?[..] {
            [] => bad("Mailbox name expected"),
            name => Ok(MailboxName::from_wire(name).with_canonical_inbox(DELIMITER)),
        }
    }

    pub(super) fn number(&mut self) -> Parsed<u64> {
        number(self.next()?.atom().unwrap_or_default())
    }

    pub(super) fn set<T: Identifier>(&mut self) -> Parsed<Set<T>> {
        match self.next()?.atom() {
            Some(atom) => set(atom),
            None => bad("Sequence set expected"),
        }
    }

    /// Flags up to the end. RFC 9051 §9: `flag-list = "(" [flag *(SP flag)] ")"`
    pub(super) fn flags(self) -> Parsed<Vec<Flag>> {
        self.0.map(flag).collect()
    }

    /// `date = date-text / DQUOTE date-text DQUOTE`
    pub(super) fn date(&mut self) -> Parsed<Date> {
        let text = self.astring()?;
        let midnight = [&text, &b" 00:00:00 +0000"[..]].concat();
        DateTime::from_wire(&midnight).map(DateTime::date).ok_or(Bad("Date expected".into()))
    }
}

pub(super) fn word(value: Value<'_>) -> Parsed<String> {
    match value.atom() {
        Some(atom) if atom.iter().all(u8::is_ascii_graphic) => Ok(String::from_utf8_lossy(atom).to_ascii_uppercase()),
        _ => bad("Atom expected"),
    }
}

/// ```abnf
/// astring = 1*ASTRING-CHAR / string
/// ```
pub(super) fn astring(value: Value<'_>) -> Parsed<Vec<u8>> {
    match value.atom() {
        Some(atom) if atom.iter().all(|byte| is_atom_char(*byte) || *byte == b']') => Ok(atom.to_vec()),
        Some(_) => bad("Character that no atom may hold"),
        None => text(value),
    }
}

/// ```abnf
/// list-mailbox = 1*list-char / string
/// list-char    = ATOM-CHAR / list-wildcards / resp-specials
/// ```
pub(super) fn pattern(value: Value<'_>) -> Parsed<Vec<u8>> {
    if value.raw().len() > LONGEST_NAME {
        return bad("Pattern too long");
    }
    let is_list_char = |byte: &u8| is_atom_char(*byte) || matches!(byte, b'%' | b'*' | b']');
    match value.atom() {
        Some(atom) if atom.iter().all(is_list_char) => Ok(atom.to_vec()),
        Some(_) => bad("Character that no pattern may hold"),
        None => text(value),
    }
}

/// A quoted string, with no more escaped than may be, or a literal.
fn text(value: Value<'_>) -> Parsed<Vec<u8>> {
    let Some(text) = value.text() else { return bad("String expected") };
    if value.kind() == TokenKind::Literal {
        return if text.as_raw().contains(&0) { bad("NUL in a literal") } else { Ok(text.as_raw().to_vec()) };
    }
    let raw = text.as_raw();
    if !raw.iter().all(|byte| matches!(byte, 1..=9 | 11 | 12 | 14..=127)) {
        return bad("Octet that no quoted string may hold");
    }
    let mut bytes = raw.iter();
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' && !matches!(bytes.next(), Some(b'"' | b'\\')) {
            return bad("Backslash before what needs none");
        }
    }
    Ok(text.to_bytes().into_owned())
}

pub(super) fn flag(value: Value<'_>) -> Parsed<Flag> {
    let atom = value.atom().unwrap_or_default();
    match Flag::from_wire(atom) {
        Flag::Recent => bad("\\Recent is the server's"),
        _ if atom.len() > LONGEST_FLAG => bad("Flag too long"),
        flag if flag.is_storable() => Ok(flag),
        _ => bad("Flag expected"),
    }
}

/// A number without anything else; leading zeros are let through.
pub(super) fn number(digits: &[u8]) -> Parsed<u64> {
    let text = std::str::from_utf8(digits).unwrap_or_default();
    match text.parse() {
        Ok(number) if digits.iter().all(u8::is_ascii_digit) && number <= i64::MAX as u64 => Ok(number),
        _ => bad("Number expected"),
    }
}

/// A set without what [`Set::from_wire`] repairs.
///
/// ```abnf
/// sequence-set = (seq-number / seq-range) ["," sequence-set]
/// seq-number   = nz-number / "*"
/// ```
pub(super) fn set<T: Identifier>(atom: &[u8]) -> Parsed<Set<T>> {
    let is_number = |n: &[u8]| n == b"*" || (n.first() != Some(&b'0') && number(n).is_ok_and(|n| n <= u32::MAX.into()));
    let is_range =
        |range: &[u8]| range.split(|b| *b == b':').count() <= 2 && range.split(|b| *b == b':').all(is_number);
    match Set::from_wire(atom) {
        Some(set) if atom.split(|byte| *byte == b',').all(is_range) => Ok(set),
        _ => bad("Sequence set expected"),
    }
}

/// ```abnf
/// ATOM-CHAR = <any CHAR except atom-specials>
/// ```
pub(super) fn is_atom_char(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}
