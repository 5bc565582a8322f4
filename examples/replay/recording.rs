//! From octets to events.

use std::io::{self, Read};

use imap_tokio::types::{Capabilities, Code};
use imap_tokio::wire::grammar::{Attribute, Esearch, Unsolicited, parse_status_text, search_numbers};
use imap_tokio::wire::{Condition, Decoder, Kind, Limits, Response, Step};

use crate::report::{Event, Item, State};

/// Reads a recording to its end, `chunk` octets at a time at most, and tells of each event.
pub(crate) fn replay(
    source: &mut dyn Read,
    chunk: usize,
    mut tell: impl FnMut(Event) -> io::Result<()>,
) -> io::Result<()> {
    let mut decoder = Decoder::new(Limits::default());
    // How much of a streamed literal is still to come.
    let mut owed = None;
    loop {
        match decoder.advance() {
            Ok(Some(Step::Response)) => tell(event(&decoder.response()))?,
            Ok(Some(Step::BodyStart { len })) => {
                owed = Some(len);
                tell(Event::body(len))?;
            }
            Ok(Some(Step::Body)) => owed = owed.map(|owed| owed.saturating_sub(decoder.octets().len() as u64)),
            Ok(Some(Step::BodyEnd)) => owed = None,
            Err(error) => return tell(Event::lost(&error.to_string())),
            Ok(None) => {
                let space = decoder.space();
                let most = space.len().min(chunk);
                let n = source.read(&mut space[..most])?;
                if n == 0 {
                    break;
                }
                decoder.received(n);
            }
        }
    }
    match owed {
        Some(owed) => tell(Event::unfinished(&format!("{owed} octets of a literal are missing"))),
        None if decoder.buffered() > 0 => tell(Event::unfinished("the last response has no end")),
        None => Ok(()),
    }
}

/// What a response is, as far as there is a type for it.
fn event(response: &Response<'_>) -> Event {
    let name = lossy(response.name());
    let whole = |kind, state| Event::response(kind, response.raw(), vec![Item::new(name.clone(), state)]);
    let data = || response.text().to_str().into_owned();
    if !response.damage().is_none() {
        return whole("damaged", State::Malformed);
    }
    match response.kind() {
        Kind::Tagged(condition) => status("tagged", condition, response),
        Kind::Status(condition) => status("status", condition, response),
        Kind::Fetch(_) => match response.as_fetch() {
            Some(fetch) => Event::response("fetch", response.raw(), fetch.attributes().map(attribute).collect()),
            None => whole("fetch", State::Malformed),
        },
        Kind::Continue => whole("continue", State::Typed(String::new())),
        Kind::Exists(n) => whole("exists", State::Typed(n.to_string())),
        Kind::Recent(n) => whole("recent", State::Typed(n.to_string())),
        Kind::Expunge(0) => whole("expunge", State::Malformed),
        Kind::Expunge(n) => whole("expunge", State::Typed(n.to_string())),
        Kind::Flags => whole("flags", State::Typed(data())),
        Kind::Enabled => whole("enabled", State::Typed(data())),
        Kind::Capability => {
            let capabilities = Capabilities::from_wire(&response.text().to_bytes());
            whole("capability", State::Typed(format!("{capabilities:?}")))
        }
        Kind::Search => {
            let numbers = search_numbers(&response.text().to_bytes()).count();
            whole("search", State::Typed(format!("{numbers} numbers")))
        }
        Kind::Garbage => whole("garbage", State::Malformed),
        _ => match named(response) {
            Some((kind, value)) => whole(kind, State::Typed(value)),
            // Untagged data for which there is no type.
            None => whole("other", State::Unknown(data())),
        },
    }
}

/// Untagged data that is told apart by its name.
fn named(response: &Response<'_>) -> Option<(&'static str, String)> {
    if let Some(entry) = response.as_list() {
        return Some(("list", format!("{} {:?}", entry.name(), entry.attributes())));
    }
    if let Some((mailbox, status)) = response.as_status() {
        return Some(("status of a mailbox", format!("{mailbox} {status:?}")));
    }
    if let Some(namespaces) = response.as_namespaces() {
        return Some(("namespace", format!("{namespaces:?}")));
    }
    if let Some(identification) = response.as_identification() {
        return Some(("id", format!("{identification:?}")));
    }
    if let Some(found) = Esearch::new(response) {
        return Some(("search", format!("{} results", found.results().count())));
    }
    match response.unsolicited() {
        Unsolicited::Vanished { uids, earlier } => Some(("vanished", format!("{uids} earlier: {earlier}"))),
        _ => None,
    }
}

/// A status is typed where its code is, or where it has none.
fn status(kind: &'static str, condition: Condition, response: &Response<'_>) -> Event {
    let text = response.text().to_bytes();
    let (code, text) = parse_status_text(&text);
    let text = String::from_utf8_lossy(text);
    let state = match code {
        Some(code @ Code::Other { .. }) => State::Unknown(format!("{code:?} {text}")),
        Some(code) => State::Typed(format!("{code:?} {text}")),
        None => State::Typed(text.into_owned()),
    };
    Event::response(kind, response.raw(), vec![Item::new(format!("{condition:?}"), state)])
}

fn attribute(attribute: Attribute<'_>) -> Item {
    match attribute {
        Attribute::Other { name, value } => Item::new(lossy(name), State::Unknown(lossy(value.raw()))),
        Attribute::Malformed { name, .. } => Item::new(lossy(name), State::Malformed),
        Attribute::Flags(flags) => {
            let flags: Vec<_> = flags.iter().map(|flag| flag.to_str().into_owned()).collect();
            Item::new("Flags".to_owned(), State::Typed(flags.join(" ")))
        }
        _ => {
            // The variant's name is before its data.
            let text = format!("{attribute:?}");
            let (variant, value) = text.split_once('(').unwrap_or((&text, ""));
            Item::new(variant.to_owned(), State::Typed(value.strip_suffix(')').unwrap_or(value).to_owned()))
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
