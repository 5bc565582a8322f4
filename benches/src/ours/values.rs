//! Looks at the same values as at those of the peers, with cursors over the tokens.

use imap_proto_core::wire::{Kind, Response, Value};

use crate::contender::Touch;

/// Adds what a consumer would look at.
pub(crate) fn touch(response: Response<'_>, touch: &mut Touch) {
    match response.kind() {
        Kind::Fetch(_) => fetch(response, touch),
        Kind::Search => search(response.text().as_raw(), touch),
        // LIST: attributes, delimiter, name.
        _ => string(response.values().nth(2), touch),
    }
}

fn fetch(response: Response<'_>, touch: &mut Touch) {
    let Some(mut items) = response.first().and_then(Value::list) else { return };
    while let (Some(name), Some(value)) = (items.next(), items.next()) {
        match name.atom().unwrap_or_default() {
            b"UID" => number(Some(value), touch),
            b"MODSEQ" => number(value.list().and_then(|mut list| list.next()), touch),
            b"FLAGS" => flags(value, touch),
            b"ENVELOPE" => envelope(value, touch),
            b"BODYSTRUCTURE" => body_structure(value, touch),
            name if name.starts_with(b"BODY[") => {
                touch.literal(value.text().map(|text| text.as_raw()).unwrap_or_default());
            }
            _ => {}
        }
    }
}

fn flags(flags: Value<'_>, touch: &mut Touch) {
    let Some(flags) = flags.list() else { return };
    flags.filter_map(Value::atom).for_each(|flag| touch.flag(flag));
}

/// Digits between spaces, as in the text of `SEARCH`.
fn search(text: &[u8], touch: &mut Touch) {
    let mut number = 0_u32;
    for &byte in text {
        if byte.is_ascii_digit() {
            number = number.wrapping_mul(10).wrapping_add(u32::from(byte - b'0'));
        } else {
            touch.number(number);
            number = 0;
        }
    }
    touch.number(number);
}

fn envelope(envelope: Value<'_>, touch: &mut Touch) {
    let Some(mut fields) = envelope.list() else { return };
    string(fields.next(), touch);
    string(fields.next(), touch);
    addresses(fields.next(), touch);
    addresses(fields.nth(2), touch);
    string(fields.nth(3), touch);
}

fn addresses(list: Option<Value<'_>>, touch: &mut Touch) {
    let Some(list) = list.and_then(Value::list) else { return };
    for mut parts in list.filter_map(Value::list) {
        string(parts.next(), touch);
        string(parts.nth(1), touch);
        string(parts.next(), touch);
    }
}

fn body_structure(body: Value<'_>, touch: &mut Touch) {
    let Some(mut fields) = body.list() else { return };
    let mut first = fields.next();
    if first.is_some_and(|first| first.list().is_some()) {
        while let Some(part) = first.filter(|part| part.list().is_some()) {
            body_structure(part, touch);
            first = fields.next();
        }
        string(first, touch);
        return;
    }
    string(fields.next(), touch);
    number(fields.nth(4), touch);
    if first.and_then(Value::text).is_some_and(|kind| kind.eq_ignore_ascii_case("message"))
        && let (Some(inner), Some(body)) = (fields.next(), fields.next())
    {
        envelope(inner, touch);
        body_structure(body, touch);
    }
}

fn string(value: Option<Value<'_>>, touch: &mut Touch) {
    touch.nstring(value.and_then(Value::text).map(|text| text.as_raw()));
}

fn number(value: Option<Value<'_>>, touch: &mut Touch) {
    touch.number(value.and_then(Value::number).unwrap_or_default());
}
