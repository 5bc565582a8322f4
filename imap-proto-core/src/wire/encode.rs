use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::types::{Capabilities, MailboxName};

/// The longest string that goes between quotes; a longer one is a literal. Servers bound their lines.
const LONGEST_QUOTED: usize = 512;

/// One part of a command. What octets are literals is not printed: a password may be one.
#[derive(Clone)]
pub(crate) enum Part {
    /// Text of the command line.
    Text(Text),
    /// A literal that the core holds.
    Literal(Bytes),
    /// A literal of so many octets that the caller feeds.
    Fed(u64),
    /// Here ends one message of several: up to the next announcement the command can be taken back. RFC 3502
    NextMessage,
    /// A message of no octets, which takes back all those before it. RFC 3502 §6.3.11
    NoMessage,
    /// The name of a mailbox, in the form of the session at the moment it is sent.
    Mailbox(MailboxName),
    /// That the strings of a SEARCH are in UTF-8, where the session does not say so already.
    Charset,
    /// Text that is made of options by what the server offers.
    Offered(u32, fn(u32, &Capabilities) -> String),
}

impl Part {
    /// Makes text or a literal of what depends on the session.
    pub(crate) fn settle(&mut self, utf8: bool, capabilities: &Capabilities) {
        match self {
            Part::Mailbox(name) if utf8 => *self = utf8_string(name.to_utf8()),
            Part::Mailbox(name) => {
                let mut parts = Encoder::empty();
                parts.string(&name.to_wire());
                // NUL cannot be in a name, but in one that a server made up; it is sent as nothing.
                *self =
                    parts.finish().ok().and_then(|mut parts| parts.pop()).unwrap_or(Part::Text(Text::Open(Vec::new())));
            }
            // RFC 6855 §3: once UTF8=ACCEPT is enabled a charset is an error.
            Part::Charset if utf8 => *self = Part::Text(Text::Open(Vec::new())),
            Part::Charset => *self = Part::Text(Text::Open(Vec::from(b" CHARSET UTF-8"))),
            Part::Offered(options, text) => *self = Part::Text(Text::Open(text(*options, capabilities).into_bytes())),
            Part::Text(_) | Part::Literal(_) | Part::Fed(_) | Part::NextMessage | Part::NoMessage => {}
        }
    }
}

impl core::fmt::Debug for Part {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Part::Text(text) => text.fmt(f),
            Part::Literal(octets) => write!(f, "[{} octets]", octets.len()),
            Part::Fed(len) => write!(f, "[{len} octets to come]"),
            Part::NextMessage => f.write_str("next message"),
            Part::NoMessage => f.write_str("no message"),
            Part::Mailbox(name) => core::fmt::Debug::fmt(name, f),
            Part::Charset => f.write_str("CHARSET"),
            Part::Offered(options, _) => write!(f, "options {options:x}"),
        }
    }
}

/// Text of a command line. What is secret is wiped when it is dropped, and never printed.
#[derive(Clone)]
pub(crate) enum Text {
    Open(Vec<u8>),
    Secret(Zeroizing<Vec<u8>>),
}

impl Text {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Text::Open(bytes) => bytes,
            Text::Secret(bytes) => bytes,
        }
    }

    pub(crate) fn push(&mut self, more: &[u8]) {
        match self {
            Text::Open(bytes) => bytes.extend_from_slice(more),
            Text::Secret(bytes) => {
                // Growing in place could leave the old bytes behind.
                let mut grown = Zeroizing::new(Vec::with_capacity(bytes.len() + more.len()));
                grown.extend_from_slice(bytes);
                grown.extend_from_slice(more);
                *bytes = grown;
            }
        }
    }
}

impl core::fmt::Debug for Text {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Text::Open(bytes) => write!(f, "\"{}\"", bytes.escape_ascii()),
            Text::Secret(_) => f.write_str("[secret]"),
        }
    }
}

/// Why a command cannot be written. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A string holds NUL, which no IMAP string may.
    #[error("a string with a NUL octet cannot be sent")]
    Nul,
    /// Text that goes out as it is holds CR, LF or NUL.
    #[error("a line break or NUL inside a command line")]
    LineBreak,
}

/// Writes one command: text with strings that become atom, quoted or literal by what they hold.
///
/// The tag and the line end are no part of it, nor is the choice between synchronizing and
/// non-synchronizing literals: both are made when the command leaves.
///
/// There is no way to get CR or LF into a line: text is checked octet by octet, and a string that
/// has one travels as a literal.
#[derive(Debug)]
pub(crate) struct Encoder {
    parts: Vec<Part>,
    line: Vec<u8>,
    error: Option<EncodeError>,
}

impl Encoder {
    pub(crate) fn new(name: &str) -> Self {
        let mut encoder = Encoder { parts: Vec::new(), line: Vec::with_capacity(64), error: None };
        encoder.text(name);
        encoder
    }

    fn empty() -> Self {
        Encoder { parts: Vec::new(), line: Vec::new(), error: None }
    }

    /// Text that stands as it is.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        if text.bytes().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
            self.error = Some(EncodeError::LineBreak);
        }
        self.line.extend_from_slice(text.as_bytes());
        self
    }

    /// A space and the wire form of a value of the vocabulary.
    pub(crate) fn arg(&mut self, value: impl Display) -> &mut Self {
        self.text(" ").text(&value.to_string())
    }

    /// A string: quoted where it may be, else a literal.
    ///
    /// ```abnf
    /// string = quoted / literal
    /// quoted = DQUOTE *QUOTED-CHAR DQUOTE
    /// ```
    pub(crate) fn string(&mut self, octets: &[u8]) -> &mut Self {
        if octets.contains(&0) {
            self.error = Some(EncodeError::Nul);
        } else if is_quotable(octets) {
            write_quoted(octets, &mut self.line);
        } else {
            self.put(Part::Literal(Bytes::copy_from_slice(octets)));
        }
        self
    }

    /// A space and the name of a mailbox.
    pub(crate) fn mailbox(&mut self, name: &MailboxName) -> &mut Self {
        self.text(" ").name(name)
    }

    /// The same without the space.
    pub(crate) fn name(&mut self, name: &MailboxName) -> &mut Self {
        if name.to_wire().contains(&0) || name.to_utf8().contains(&0) {
            self.error = Some(EncodeError::Nul);
        }
        self.put(Part::Mailbox(name.clone()));
        self
    }

    /// Text that is made of `options` when it is known what the server offers. It is made by this crate, of no foreign text.
    pub(crate) fn offered(&mut self, options: u32, text: fn(u32, &Capabilities) -> String) -> &mut Self {
        self.put(Part::Offered(options, text));
        self
    }

    /// Says that strings are in UTF-8, where that needs saying.
    pub(crate) fn charset(&mut self) -> &mut Self {
        self.put(Part::Charset);
        self
    }

    /// A secret string; its text and whatever shares its line part are wiped afterwards.
    pub(crate) fn secret(&mut self, octets: &[u8]) -> &mut Self {
        if octets.contains(&0) {
            self.error = Some(EncodeError::Nul);
        } else if is_quotable(octets) {
            self.end_text();
            let mut quoted = Zeroizing::new(Vec::with_capacity(octets.len() * 2 + 2));
            write_quoted(octets, &mut quoted);
            self.parts.push(Part::Text(Text::Secret(quoted)));
        } else {
            let wiped = Zeroizing::new(octets.to_vec());
            self.put(Part::Literal(Bytes::from_owner(wiped)));
        }
        self
    }

    /// Secret text that stands as it is.
    pub(crate) fn secret_text(&mut self, text: Zeroizing<Vec<u8>>) -> &mut Self {
        if text.iter().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
            self.error = Some(EncodeError::LineBreak);
        }
        self.put(Part::Text(Text::Secret(text)));
        self
    }

    /// A literal that the core holds.
    pub(crate) fn literal(&mut self, octets: Bytes) -> &mut Self {
        self.put(Part::Literal(octets));
        self
    }

    /// A literal whose octets the caller feeds.
    pub(crate) fn fed_literal(&mut self, len: u64) -> &mut Self {
        self.put(Part::Fed(len));
        self
    }

    /// One message of several ends here.
    pub(crate) fn next_message(&mut self) -> &mut Self {
        self.put(Part::NextMessage);
        self
    }

    /// The parts, or why they must not be sent.
    pub(crate) fn finish(mut self) -> Result<Vec<Part>, EncodeError> {
        self.end_text();
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.parts),
        }
    }

    fn put(&mut self, part: Part) {
        self.end_text();
        self.parts.push(part);
    }

    fn end_text(&mut self) {
        if !self.line.is_empty() {
            self.parts.push(Part::Text(Text::Open(core::mem::take(&mut self.line))));
        }
    }
}

/// A string in a session where quoted strings may hold UTF-8. RFC 6855 §3
fn utf8_string(octets: &[u8]) -> Part {
    if octets.len() > LONGEST_QUOTED || octets.iter().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
        return Part::Literal(Bytes::copy_from_slice(octets));
    }
    let mut quoted = Vec::with_capacity(octets.len() + 2);
    write_quoted(octets, &mut quoted);
    Part::Text(Text::Open(quoted))
}

fn is_quotable(octets: &[u8]) -> bool {
    octets.len() <= LONGEST_QUOTED && octets.iter().all(|b| b.is_ascii() && !matches!(b, b'\r' | b'\n' | 0))
}

fn write_quoted(octets: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in octets {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(build: impl FnOnce(&mut Encoder)) -> Result<Vec<u8>, EncodeError> {
        let mut encoder = Encoder::new("X ");
        build(&mut encoder);
        let mut out = Vec::new();
        for mut part in encoder.finish()? {
            part.settle(false, &Capabilities::new());
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Literal(octets) => {
                    out.extend_from_slice(alloc::format!("{{{}}}\r\n", octets.len()).as_bytes());
                    out.extend_from_slice(&octets);
                }
                Part::Fed(len) => out.extend_from_slice(alloc::format!("{{{len}}}").as_bytes()),
                Part::NextMessage | Part::NoMessage => {}
                Part::Mailbox(_) | Part::Charset | Part::Offered(..) => unreachable!("settled"),
            }
        }
        Ok(out)
    }

    #[test]
    fn a_string_is_quoted_or_a_literal_by_what_it_holds() {
        let table: &[(&[u8], &[u8])] = &[
            (b"", b"X \"\""),
            (b"plain", b"X \"plain\""),
            (b"a \"b\" \\", b"X \"a \\\"b\\\" \\\\\""),
            (b"a\r\nA2 DELETE x", b"X {14}\r\na\r\nA2 DELETE x"),
            ("\u{e9}".as_bytes(), "X {2}\r\n\u{e9}".as_bytes()),
        ];
        for (string, expected) in table {
            assert_eq!(wire(|e| _ = e.string(string)).as_deref(), Ok(*expected));
            assert_eq!(wire(|e| _ = e.secret(string)).as_deref(), Ok(*expected));
        }
    }

    #[test]
    fn what_may_not_be_sent_is_refused() {
        assert_eq!(wire(|e| _ = e.string(b"a\0b")), Err(EncodeError::Nul));
        assert_eq!(wire(|e| _ = e.text("a\r\nb")), Err(EncodeError::LineBreak));
    }

    #[test]
    fn a_secret_is_not_printed() {
        let mut encoder = Encoder::new("LOGIN");
        encoder.secret(b"canary").secret("canary \u{e9}".as_bytes());
        let printed = alloc::format!("{:?}", encoder.finish());
        assert!(!printed.contains("canary"), "{printed}");
    }
}
