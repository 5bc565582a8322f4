//! Looks at the same values as at those of the peers, with the typed views of the library.

use imap_proto_core::wire::grammar::{
    Addresses, Attribute, Body, BodyKind, BodyStructure, Envelope, Flags, search_numbers,
};
use imap_proto_core::wire::{Kind, Response, Text};

use super::values;
use crate::contender::Touch;

/// Adds what a consumer would look at.
pub(super) fn touch(response: Response<'_>, touch: &mut Touch) {
    match response.kind() {
        Kind::Fetch(_) => {
            let fetch = response.as_fetch().expect("a corpus keeps to the grammar");
            fetch.attributes().for_each(|item| attribute(item, touch));
        }
        Kind::Search => search_numbers(response.text().as_raw()).for_each(|uid| touch.number(uid.get())),
        // There is no view of LIST yet.
        _ => values::touch(response, touch),
    }
}

fn attribute(item: Attribute<'_>, touch: &mut Touch) {
    match item {
        Attribute::Uid(uid) => touch.number(uid.get()),
        Attribute::ModSeq(mod_seq) => touch.number(mod_seq),
        Attribute::Flags(list) => flags(list, touch),
        Attribute::Envelope(value) => envelope(value, touch),
        Attribute::BodyStructure(value) => body_structure(value, touch),
        Attribute::Section(data) => match data.body() {
            Body::Octets(octets) => touch.literal(octets.as_raw()),
            _ => touch.literal(b""),
        },
        _ => {}
    }
}

fn flags(flags: Flags<'_>, touch: &mut Touch) {
    flags.iter().for_each(|flag| touch.flag(flag.as_raw()));
}

fn envelope(envelope: Envelope<'_>, touch: &mut Touch) {
    text(envelope.date(), touch);
    text(envelope.subject(), touch);
    text(envelope.message_id(), touch);
    addresses(envelope.from(), touch);
    addresses(envelope.to(), touch);
}

fn addresses(list: Addresses<'_>, touch: &mut Touch) {
    for address in list.iter() {
        text(address.name(), touch);
        text(address.mailbox(), touch);
        text(address.host(), touch);
    }
}

fn body_structure(part: BodyStructure<'_>, touch: &mut Touch) {
    touch.string(part.media_subtype().as_raw());
    if part.kind() == BodyKind::Multipart {
        part.parts().for_each(|part| body_structure(part, touch));
        return;
    }
    touch.number(part.octets().unwrap_or_default());
    if let (Some(inner), Some(body)) = (part.envelope(), part.body()) {
        envelope(inner, touch);
        body_structure(body, touch);
    }
}

fn text(text: Option<Text<'_>>, touch: &mut Touch) {
    touch.nstring(text.map(Text::as_raw));
}
