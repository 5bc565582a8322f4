use std::borrow::Cow;

use imap_proto_core::types::{Caseless, Section, SectionText};

use super::parts::Kind;
use super::{Content, Fields, Part};

/// The octets of a section; `None` where the message has no such part.
///
/// RFC 9051 §6.4.5.1
pub(crate) fn section<'a>(content: &'a Content, section: &Section) -> Option<Cow<'a, [u8]>> {
    let raw = content.raw();
    let mut found = Found::Message(content.root());
    for number in section.path() {
        found = found.child(number.get() as usize)?;
    }
    let bytes = match (section.kind(), found) {
        (SectionText::Whole, Found::Message(_)) => raw,
        (SectionText::Whole, Found::Part(part) | Found::Only(part)) => part.body(raw),
        (SectionText::Mime, Found::Part(part) | Found::Only(part)) => part.header(raw),
        (SectionText::Mime, Found::Message(_)) => return None,
        (text, found) => return of_message(text, found.message()?, raw),
    };
    Some(Cow::Borrowed(bytes))
}

/// What a part number has led to.
#[derive(Clone, Copy)]
enum Found<'a> {
    /// The message itself, before any number.
    Message(&'a Part),
    /// A part of a multipart.
    Part(&'a Part),
    /// Part 1 of a message that is no multipart: the body of that message.
    Only(&'a Part),
}

impl<'a> Found<'a> {
    fn child(self, number: usize) -> Option<Self> {
        let within = match self {
            Found::Message(part) => part,
            Found::Part(part) | Found::Only(part) => match &part.kind {
                Kind::Message(inner) => inner,
                // Part 1 of a part of one's own is no part.
                Kind::Leaf => return None,
                Kind::Multipart(_) => part,
            },
        };
        match &within.kind {
            Kind::Multipart(parts) => parts.get(number.checked_sub(1)?).map(Found::Part),
            _ if number == 1 => Some(Found::Only(within)),
            _ => None,
        }
    }

    /// The message whose HEADER and TEXT are asked for: the one itself, or the one inside a part.
    fn message(self) -> Option<&'a Part> {
        match self {
            Found::Message(part) => Some(part),
            Found::Part(part) | Found::Only(part) => match &part.kind {
                Kind::Message(inner) => Some(inner),
                _ => None,
            },
        }
    }
}

fn of_message<'a>(text: &SectionText, message: &Part, raw: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    let header = message.header(raw);
    Some(match text {
        SectionText::Header => Cow::Borrowed(header),
        SectionText::HeaderFields(names) => Cow::Owned(fields(header, names, Pick::Named)),
        SectionText::HeaderFieldsNot(names) => Cow::Owned(fields(header, names, Pick::Others)),
        SectionText::Text => Cow::Borrowed(message.body(raw)),
        _ => return None,
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Pick {
    Named,
    Others,
}

/// Those fields, and the empty line that ends a header.
fn fields(header: &[u8], names: &[Caseless], pick: Pick) -> Vec<u8> {
    let is_named = |name: &[u8]| names.iter().any(|wanted| wanted.as_str().as_bytes().eq_ignore_ascii_case(name));
    let mut out = Vec::new();
    for field in Fields::of(header) {
        if is_named(field.name()) == (pick == Pick::Named) {
            out.extend_from_slice(field.raw);
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const NESTED: &[u8] = b"From: a@example.org\r\n\
Subject: outer\r\n\
Content-Type: multipart/mixed; boundary=out\r\n\
\r\n\
preamble\r\n\
--out\r\n\
\r\n\
no header\r\n\
\r\n\
--out\r\n\
Content-Type: message/rfc822\r\n\
X-Part: two\r\n\
\r\n\
Subject: inner\r\n\
Content-Type: multipart/alternative; boundary=in\r\n\
\r\n\
--in\r\n\
Content-Type: text/plain\r\n\
\r\n\
plain\r\n\
--in\r\n\
Content-Type: text/html\r\n\
Content-Transfer-Encoding: quoted-printable\r\n\
\r\n\
<p>=C3=A9</p>\r\n\
\r\n\
--in--\r\n\
--out\r\n\
Content-Type: message/rfc822\r\n\
\r\n\
Subject: plain inner\r\n\
\r\n\
deep\r\n\
--out\r\n\
Content-Type: application/octet-stream\r\n\
Content-Transfer-Encoding: base64\r\n\
\r\n\
AAEC\r\n\
AwQF\r\n\
--out--\r\n\
epilogue\r\n";

    fn fetched(content: &Content, text: &str) -> Option<String> {
        let text = text.trim();
        let (part, kind) = match text.find(|c: char| c.is_ascii_alphabetic()) {
            Some(at) => (text[..at].trim_end_matches('.'), &text[at..]),
            None => (text, ""),
        };
        let wanted = match kind {
            "" => Section::whole(),
            "HEADER" => Section::header(),
            "TEXT" => Section::text(),
            "MIME" => Section::mime("1").unwrap(),
            "FIELDS" => Section::header_fields(["subject"]).unwrap(),
            _ => Section::header_fields_not(["subject"]).unwrap(),
        };
        let wanted = if part.is_empty() { wanted } else { wanted.in_part(part).unwrap() };
        section(content, &wanted).map(|octets| String::from_utf8_lossy(&octets).into_owned())
    }

    #[test]
    fn sections_are_exact_to_the_byte() {
        let content = Content::new(NESTED.to_vec());
        let whole = String::from_utf8_lossy(NESTED);
        let (header, body) = whole.split_at(whole.find("preamble").unwrap());
        let inner = "Subject: inner\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n";
        let inner_body = "--in\r\nContent-Type: text/plain\r\n\r\nplain\r\n--in\r\nContent-Type: text/html\r\n\
                          Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>=C3=A9</p>\r\n\r\n--in--";
        for (section, expected) in [
            ("", Some(&*whole)),
            ("HEADER", Some(header)),
            ("TEXT", Some(body)),
            ("FIELDS", Some("Subject: outer\r\n\r\n")),
            ("NOT", Some("From: a@example.org\r\nContent-Type: multipart/mixed; boundary=out\r\n\r\n")),
            ("1", Some("no header\r\n")),
            ("1.MIME", Some("\r\n")),
            ("1.HEADER", None),
            ("1.1", None),
            ("2", Some(&*format!("{inner}{inner_body}"))),
            ("2.MIME", Some("Content-Type: message/rfc822\r\nX-Part: two\r\n\r\n")),
            ("2.HEADER", Some(inner)),
            ("2.FIELDS", Some("Subject: inner\r\n\r\n")),
            ("2.TEXT", Some(inner_body)),
            ("2.1", Some("plain")),
            ("2.1.MIME", Some("Content-Type: text/plain\r\n\r\n")),
            ("2.2", Some("<p>=C3=A9</p>\r\n")),
            ("2.3", None),
            ("3", Some("Subject: plain inner\r\n\r\ndeep")),
            ("3.1", Some("deep")),
            ("3.1.MIME", Some("Subject: plain inner\r\n\r\n")),
            ("3.2", None),
            ("3.TEXT", Some("deep")),
            ("4", Some("AAEC\r\nAwQF")),
            ("4.TEXT", None),
            ("5", None),
        ] {
            assert_eq!(fetched(&content, section).as_deref(), expected, "BODY[{section}]");
        }
    }

    #[test]
    fn part_one_of_a_simple_message_is_its_body() {
        let content = Content::new(b"Subject: x\r\n\r\nline\r\n".to_vec());
        for (section, expected) in [
            ("1", Some("line\r\n")),
            ("TEXT", Some("line\r\n")),
            ("HEADER", Some("Subject: x\r\n\r\n")),
            ("1.MIME", Some("Subject: x\r\n\r\n")),
            ("2", None),
            ("1.1", None),
            ("1.TEXT", None),
        ] {
            assert_eq!(fetched(&content, section).as_deref(), expected, "BODY[{section}]");
        }
    }

    #[test]
    fn odd_messages_have_all_their_octets() {
        for raw in [
            &b""[..],
            b"\r\n",
            b"\r\nbody only",
            b"no colon",
            b"Subject: no body",
            b"Subject: no body\r\n",
            b"Subject: x\r\n\r\n",
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\nno boundary",
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n",
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x--\r\n",
            b"Content-Type: message/rfc822\r\n\r\n",
            b"Content-Type: message/rfc822\r\n\r\nSubject: x",
        ] {
            let content = Content::new(raw.to_vec());
            let header = section(&content, &Section::header()).unwrap();
            let text = section(&content, &Section::text()).unwrap();
            assert_eq!([&*header, &*text].concat(), raw, "{}", raw.escape_ascii());
        }
    }
}
