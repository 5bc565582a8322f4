use std::fmt::Write;

use imap_proto_core::types::Capabilities;
use imap_proto_core::wire::grammar::{
    Addresses, Attribute, BodyStructure, Envelope, Fetch, Parameters, parse_status_text, search_numbers,
};
use imap_proto_core::wire::{Decoder, Kind, Limits, Response, Step, Text};

use crate::alphabet::spell;

/// What the bytes are put into: a line of any kind, or the value of an attribute.
const FRAMES: [(&[u8], &[u8]); 6] = [
    (b"", b"\r\n"),
    (b"* 1 FETCH (", b")\r\n"),
    (b"* 1 FETCH (ENVELOPE (", b"))\r\n"),
    (b"* 1 FETCH (BODYSTRUCTURE (", b"))\r\n"),
    (b"* 1 FETCH (UID 1 FLAGS (", b"))\r\n"),
    (b"* 1 FETCH (BODY[HEADER] \"", b"\")\r\n"),
];

/// Any tokens: every typed view answers all that it can be asked, ends, and says the same of a copy.
///
/// # Panics
/// When one of these is not so.
pub fn grammar(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let (before, after) = FRAMES[usize::from(choice & 7) % FRAMES.len()];
    let depth = [256, 3, 0, 40][usize::from(choice >> 3 & 3)];
    let mut limits = Limits::authenticated();
    (limits.inline, limits.literal, limits.depth) = (1 << 20, 1 << 20, depth);
    let input = [before, &spell(rest, 8 << 10), after].concat();
    let mut decoder = Decoder::new(limits);
    let mut input = &input[..];
    loop {
        match decoder.advance() {
            Ok(Some(Step::Response)) => look(&decoder.response()),
            Ok(Some(_)) => {}
            Ok(None) if input.is_empty() => return,
            Ok(None) => {
                let space = decoder.space();
                let n = space.len().min(input.len());
                space[..n].copy_from_slice(&input[..n]);
                decoder.received(n);
                input = &input[n..];
            }
            Err(_) => return,
        }
    }
}

fn look(response: &Response<'_>) {
    let told = describe(response);
    assert_eq!(told, describe(&response.to_owned().get()), "a copy says the same");
}

fn describe(response: &Response<'_>) -> String {
    let mut out = format!("{response:?}");
    let text = response.text().to_bytes();
    match response.kind() {
        Kind::Tagged(_) | Kind::Status(_) => {
            let (code, rest) = parse_status_text(&text);
            assert!(text.ends_with(rest), "the text is what is left");
            let _ = write!(out, "{code:?} {}", rest.escape_ascii());
        }
        Kind::Search => {
            let _ = write!(out, "{}", search_numbers(&text).count());
        }
        Kind::Capability => {
            let _ = write!(out, "{}", Capabilities::from_wire(&text));
        }
        Kind::Fetch(seq) => match response.as_fetch() {
            Some(view) => fetch(view, response.tokens().len(), &mut out),
            None => assert!(seq == 0 || response.first().is_none_or(|value| value.list().is_none())),
        },
        _ => {}
    }
    out
}

fn fetch(fetch: Fetch<'_>, tokens: usize, out: &mut String) {
    assert!(fetch.attributes().count() <= tokens);
    for attribute in fetch.attributes() {
        let _ = write!(out, "{attribute:?}");
        match attribute {
            Attribute::Flags(flags) => {
                assert_eq!(flags.is_empty(), flags.iter().next().is_none());
                flags.iter().for_each(|flag| assert!(flags.contains(&flag.to_str()) || !flag.to_bytes().is_ascii()));
            }
            Attribute::Envelope(view) => envelope(view, out),
            Attribute::BodyStructure(view) => {
                let parts = body_structure(view, out);
                assert!(parts <= tokens, "there are more parts than tokens");
            }
            Attribute::Section(data) => {
                assert!(fetch.sections().any(|other| other.name() == data.name()));
                let _ = write!(out, "{:?} {:?} {}", data.body(), data.origin(), data.matches(b"HEADER"));
            }
            Attribute::InternalDate(Some(date)) => text(Some(date), out),
            _ => {}
        }
    }
    let _ = write!(out, "{:?} {:?} {:?}", fetch.uid(), fetch.size(), fetch.mod_seq());
}

fn envelope(envelope: Envelope<'_>, out: &mut String) {
    for field in [envelope.date(), envelope.subject(), envelope.in_reply_to(), envelope.message_id()] {
        text(field, out);
    }
    for people in
        [envelope.from(), envelope.sender(), envelope.reply_to(), envelope.to(), envelope.cc(), envelope.bcc()]
    {
        addresses(people, out);
    }
}

fn addresses(addresses: Addresses<'_>, out: &mut String) {
    for address in addresses.iter() {
        for part in [address.name(), address.adl(), address.mailbox(), address.host()] {
            text(part, out);
        }
        assert!(!(address.is_group_start() && address.is_group_end()));
    }
}

/// Goes through all parts; returns how many there were.
fn body_structure(root: BodyStructure<'_>, out: &mut String) -> usize {
    let mut count = 0;
    for (path, part) in root.walk() {
        count += 1;
        let _ = write!(out, "{path} {:?} {:?} {:?}", part.kind(), part.octets(), part.lines());
        text(Some(part.media_type()), out);
        text(Some(part.media_subtype()), out);
        for field in [part.id(), part.description(), part.encoding(), part.md5(), part.location()] {
            text(field, out);
        }
        parameters(part.parameters(), out);
        if let Some(disposition) = part.disposition() {
            text(Some(disposition.kind()), out);
            parameters(disposition.parameters(), out);
        }
        part.language().for_each(|language| text(Some(language), out));
        if let Some(view) = part.envelope() {
            envelope(view, out);
        }
    }
    count
}

fn parameters(parameters: Parameters<'_>, out: &mut String) {
    let _ = write!(out, "{parameters:?}");
}

fn text(text: Option<Text<'_>>, out: &mut String) {
    if let Some(text) = text {
        let bytes = text.to_bytes();
        assert_eq!(text.is_empty(), bytes.is_empty());
        assert!(bytes.len() <= text.as_raw().len());
        out.push_str(&text.to_str());
    }
}
