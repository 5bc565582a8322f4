use std::fmt::Write;

use super::received;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Octets of a line of base64, before they are encoded. RFC 2045 §6.8
const LINE: usize = 57;
/// Octets of an encoded word, before they are encoded. RFC 2047 §2
const WORD: usize = 42;

/// A message under way: header first, then [`text`](Self::text) or [`parts`](Self::parts).
pub(super) struct Mail {
    header: String,
}

/// A part of a multipart, header and body.
pub(super) struct Part(Vec<u8>);

impl Mail {
    /// The `number` gives date and Message-ID.
    pub(super) fn new(number: usize, from: &str, to: &str, subject: &str) -> Self {
        let date = received(number).to_string().replacen('-', " ", 2);
        let mut header = String::new();
        let _ = write!(
            header,
            "Return-Path: <bounce@example.net>\r\nDate: {date}\r\nFrom: {}\r\nTo: {to}\r\n",
            phrase(from)
        );
        let _ = write!(header, "Subject: {}\r\nMessage-ID: <{number}.mail@example.org>\r\n", words(subject));
        header += "MIME-Version: 1.0\r\n";
        Mail { header }
    }

    pub(super) fn field(mut self, name: &str, value: &str) -> Self {
        let _ = write!(self.header, "{name}: {value}\r\n");
        self
    }

    /// An answer to the message of that number, which answers those before it.
    pub(super) fn in_thread(self, numbers: &[usize]) -> Self {
        let ids: Vec<_> = numbers.iter().map(|number| format!("<{number}.mail@example.org>")).collect();
        let last = ids.last().cloned().unwrap_or_default();
        self.field("In-Reply-To", &last).field("References", &ids.join("\r\n "))
    }

    pub(super) fn text(self, text: &str) -> Vec<u8> {
        let part = Part::text("plain", text);
        [self.header.into_bytes(), part.0].concat()
    }

    /// Header fields that are already made, and a body.
    pub(super) fn raw(self, body: &[u8]) -> Vec<u8> {
        [self.header.as_bytes(), b"\r\n", body].concat()
    }

    pub(super) fn parts(self, subtype: &str, parts: &[Part]) -> Vec<u8> {
        let boundary = format!("=_{subtype}_outer");
        [self.header.into_bytes(), multipart(subtype, &boundary, parts)].concat()
    }
}

impl Part {
    /// Text in UTF-8, in base64 where it is not ASCII alone.
    pub(super) fn text(subtype: &str, text: &str) -> Self {
        let text = text.replace('\n', "\r\n");
        if text.is_ascii() {
            return Part(format!("Content-Type: text/{subtype}; charset=us-ascii\r\n\r\n{text}").into_bytes());
        }
        let header =
            format!("Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
        Part((header + &lines(text.as_bytes())).into_bytes())
    }

    /// Octets that nobody can read, as an attachment or inline. The parameters are as they are written.
    pub(super) fn file(media: &str, disposition: &str, length: usize) -> Self {
        let octets: Vec<u8> = (0..length).map(|at| (at * 37 % 251) as u8).collect();
        let header = format!(
            "Content-Type: {media}\r\nContent-Disposition: {disposition}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        );
        Part((header + &lines(&octets)).into_bytes())
    }

    pub(super) fn with_field(self, name: &str, value: &str) -> Self {
        Part([format!("{name}: {value}\r\n").as_bytes(), &self.0].concat())
    }

    /// Whatever it is.
    pub(super) fn raw(header: &str, body: &[u8]) -> Self {
        Part([header.as_bytes(), b"\r\n", body].concat())
    }

    pub(super) fn message(message: &[u8]) -> Self {
        Part::raw("Content-Type: message/rfc822\r\nContent-Disposition: inline\r\n", message)
    }

    pub(super) fn multipart(subtype: &str, parts: &[Part]) -> Self {
        Part(multipart(subtype, &format!("=_{subtype}_inner"), parts))
    }
}

fn multipart(subtype: &str, boundary: &str, parts: &[Part]) -> Vec<u8> {
    let mut out = format!("Content-Type: multipart/{subtype};\r\n\tboundary=\"{boundary}\"\r\n\r\n").into_bytes();
    for part in parts {
        out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        out.extend_from_slice(&part.0);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    out
}

/// A subject: encoded words where it is not ASCII, folded between them.
pub(super) fn words(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for character in text.chars() {
        if word.len() + character.len_utf8() > WORD {
            words.push(std::mem::take(&mut word));
        }
        word.push(character);
    }
    words.push(word);
    let encoded: Vec<_> = words.iter().map(|word| format!("=?utf-8?B?{}?=", base64(word.as_bytes()))).collect();
    encoded.join("\r\n ")
}

/// `Name <address>` with the name as encoded words where it has to be.
fn phrase(address: &str) -> String {
    match address.split_once(" <") {
        Some((name, rest)) => format!("{} <{rest}", words(name)),
        None => address.to_owned(),
    }
}

fn lines(octets: &[u8]) -> String {
    octets.chunks(LINE).map(|line| base64(line) + "\r\n").collect()
}

fn base64(octets: &[u8]) -> String {
    let mut text = String::new();
    for three in octets.chunks(3) {
        let bits = three.iter().fold(0u32, |bits, octet| bits << 8 | u32::from(*octet)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            let shown = digit <= three.len();
            text.push(if shown { char::from(ALPHABET[(bits >> (18 - 6 * digit)) as usize & 63]) } else { '=' });
        }
    }
    text
}
