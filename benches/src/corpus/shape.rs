//! The wire shape Dovecot 2.3 gives to a message, octet by octet; the tests hold captured lines.

use super::message::{Addr, Leaf, Message, Part};

/// Appends `ENVELOPE (...)` without the name of the item.
pub(crate) fn envelope(out: &mut Vec<u8>, message: &Message) {
    let from = std::slice::from_ref(&message.from);
    out.push(b'(');
    string(out, &message.date);
    out.push(b' ');
    string(out, &message.subject);
    // Sender and Reply-To default to From, and Dovecot writes the copies out.
    for list in [from, from, from, &message.to, &message.cc, &[]] {
        out.push(b' ');
        addresses(out, list);
    }
    out.push(b' ');
    nstring(out, message.in_reply_to.as_deref());
    out.push(b' ');
    string(out, &message.message_id);
    out.push(b')');
}

/// Appends the value of `BODYSTRUCTURE`, with the extension data Dovecot always sends.
pub(crate) fn body_structure(out: &mut Vec<u8>, part: &Part) {
    out.push(b'(');
    match part {
        Part::Text { subtype, lines, leaf } => {
            basic(out, "text", subtype, leaf);
            out.extend_from_slice(format!(" {lines}").as_bytes());
            extension(out, leaf);
        }
        Part::Basic { kind, subtype, leaf } => {
            basic(out, kind, subtype, leaf);
            extension(out, leaf);
        }
        Part::Rfc822 { message, lines, leaf } => {
            basic(out, "message", "rfc822", leaf);
            out.push(b' ');
            envelope(out, message);
            out.push(b' ');
            body_structure(out, &message.body);
            out.extend_from_slice(format!(" {lines}").as_bytes());
            extension(out, leaf);
        }
        Part::Multi { subtype, boundary, parts } => {
            for part in parts {
                body_structure(out, part);
            }
            out.push(b' ');
            string(out, subtype);
            out.extend_from_slice(b" (\"boundary\" ");
            string(out, boundary);
            out.extend_from_slice(b") NIL NIL NIL");
        }
    }
    out.push(b')');
}

/// Appends a string: quoted, or a literal as soon as it would need a backslash. Dovecot never escapes here.
pub(crate) fn string(out: &mut Vec<u8>, value: &str) {
    if value.bytes().any(|byte| matches!(byte, b'"' | b'\\' | b'\r' | b'\n') || byte >= 0x80) {
        out.extend_from_slice(format!("{{{}}}\r\n{value}", value.len()).as_bytes());
    } else {
        out.extend_from_slice(format!("\"{value}\"").as_bytes());
    }
}

fn nstring(out: &mut Vec<u8>, value: Option<&str>) {
    match value {
        Some(value) => string(out, value),
        None => out.extend_from_slice(b"NIL"),
    }
}

fn addresses(out: &mut Vec<u8>, list: &[Addr]) {
    if list.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for addr in list {
        out.push(b'(');
        nstring(out, addr.name.as_deref());
        out.extend_from_slice(b" NIL ");
        string(out, &addr.mailbox);
        out.push(b' ');
        string(out, &addr.host);
        out.push(b')');
    }
    out.push(b')');
}

fn basic(out: &mut Vec<u8>, kind: &str, subtype: &str, leaf: &Leaf) {
    string(out, kind);
    out.push(b' ');
    string(out, subtype);
    out.push(b' ');
    params(out, &leaf.params);
    out.push(b' ');
    nstring(out, leaf.id.as_deref());
    out.push(b' ');
    nstring(out, leaf.description.as_deref());
    out.push(b' ');
    string(out, leaf.encoding);
    out.extend_from_slice(format!(" {}", leaf.octets).as_bytes());
}

/// MD5, disposition, language and location.
fn extension(out: &mut Vec<u8>, leaf: &Leaf) {
    out.extend_from_slice(b" NIL ");
    match &leaf.disposition {
        Some((kind, fields)) => {
            out.push(b'(');
            string(out, kind);
            out.push(b' ');
            params(out, fields);
            out.push(b')');
        }
        None => out.extend_from_slice(b"NIL"),
    }
    out.extend_from_slice(b" NIL NIL");
}

fn params(out: &mut Vec<u8>, list: &[(&str, String)]) {
    if list.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    for (n, (name, value)) in list.iter().enumerate() {
        out.push(if n == 0 { b'(' } else { b' ' });
        string(out, name);
        out.push(b' ');
        string(out, value);
    }
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(name: Option<&str>, mailbox: &str, host: &str) -> Addr {
        Addr { name: name.map(str::to_owned), mailbox: mailbox.to_owned(), host: host.to_owned() }
    }

    fn message(subject: &str, n: u32, body: Part) -> Message {
        Message {
            date: "Mon, 07 Feb 1994 21:52:25 -0800".to_owned(),
            subject: subject.to_owned(),
            from: addr(Some("O'Hara, Ann"), &format!("ann.ohara{n}"), "example.org"),
            to: vec![addr(Some("Bob"), "bob", "example.com"), addr(Some("Carol \"CC\" Jones"), "carol", "example.net")],
            cc: vec![addr(None, "list", "example.com")],
            in_reply_to: None,
            message_id: format!("<{n}.abc@example.org>"),
            body,
        }
    }

    fn text(subtype: &'static str, charset: &str, octets: u64) -> Part {
        let params = vec![("charset", charset.to_owned())];
        Part::Text { subtype, lines: 0, leaf: Leaf { params, encoding: "7bit", octets, ..Leaf::default() } }
    }

    fn file(kind: &'static str, name: &str) -> Option<(&'static str, Vec<(&'static str, String)>)> {
        Some((kind, vec![("filename", name.to_owned())]))
    }

    const ENVELOPE_1: &str = concat!(
        r#"("Mon, 07 Feb 1994 21:52:25 -0800" "Report 1" (("O'Hara, Ann" NIL "ann.ohara1" "example.org")) "#,
        r#"(("O'Hara, Ann" NIL "ann.ohara1" "example.org")) (("O'Hara, Ann" NIL "ann.ohara1" "example.org")) "#,
        "((\"Bob\" NIL \"bob\" \"example.com\")({16}\r\nCarol \"CC\" Jones NIL \"carol\" \"example.net\")) ",
        r#"((NIL NIL "list" "example.com")) NIL NIL "<1.abc@example.org>")"#,
    );

    #[test]
    fn an_envelope_is_what_dovecot_sends() {
        let mut out = Vec::new();
        envelope(&mut out, &message("Report 1", 1, text("plain", "utf-8", 0)));
        assert_eq!(String::from_utf8(out).unwrap(), ENVELOPE_1);
    }

    #[test]
    fn a_body_structure_is_what_dovecot_sends() {
        let parts = vec![text("plain", "us-ascii", 1), text("html", "utf-8", 3)];
        let alternative = Part::Multi { subtype: "alternative", boundary: "a".to_owned(), parts };
        let pdf = Leaf {
            params: vec![("name", "a report.pdf".to_owned())],
            id: Some("<p1@x>".to_owned()),
            description: Some("The report".to_owned()),
            encoding: "base64",
            octets: 4,
            disposition: file("attachment", "a report.pdf"),
        };
        let forwarded = Part::Rfc822 {
            message: Box::new(message("Report 1", 1, text("plain", "us-ascii", 5))),
            lines: 9,
            leaf: Leaf { encoding: "7bit", octets: 280, disposition: file("attachment", "f.eml"), ..Leaf::default() },
        };
        let pdf = Part::Basic { kind: "application", subtype: "pdf", leaf: pdf };
        let whole =
            Part::Multi { subtype: "mixed", boundary: "m".to_owned(), parts: vec![alternative, pdf, forwarded] };
        let mut out = Vec::new();
        body_structure(&mut out, &whole);
        let expected = [
            r#"((("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL)"#,
            r#"("text" "html" ("charset" "utf-8") NIL NIL "7bit" 3 0 NIL NIL NIL NIL) "#,
            r#""alternative" ("boundary" "a") NIL NIL NIL)"#,
            r#"("application" "pdf" ("name" "a report.pdf") "<p1@x>" "The report" "base64" 4 "#,
            r#"NIL ("attachment" ("filename" "a report.pdf")) NIL NIL)"#,
            r#"("message" "rfc822" NIL NIL NIL "7bit" 280 "#,
            ENVELOPE_1,
            r#" ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 0 NIL NIL NIL NIL) 9 "#,
            r#"NIL ("attachment" ("filename" "f.eml")) NIL NIL) "mixed" ("boundary" "m") NIL NIL NIL)"#,
        ];
        assert_eq!(String::from_utf8(out).unwrap(), expected.concat());
    }
}
