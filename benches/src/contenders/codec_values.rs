//! Looks at the values of imap-codec, which imap-next and io-imap hand out too.

use imap_codec::imap_types::body::{BodyStructure, SpecificFields};
use imap_codec::imap_types::core::NString;
use imap_codec::imap_types::envelope::Envelope;
use imap_codec::imap_types::fetch::MessageDataItem;
use imap_codec::imap_types::flag::{Flag, FlagFetch};
use imap_codec::imap_types::mailbox::Mailbox;
use imap_codec::imap_types::response::{Data, Response};

use crate::contender::Touch;

/// Adds what a consumer would look at.
pub(crate) fn response(response: &Response<'_>, touch: &mut Touch) {
    if let Response::Data(value) = response {
        data(value, touch);
    }
}

/// Adds what a consumer would look at.
pub(crate) fn data(data: &Data<'_>, touch: &mut Touch) {
    match data {
        Data::Fetch { items, .. } => items.as_ref().iter().for_each(|value| item(value, touch)),
        Data::List { mailbox: Mailbox::Other(name), .. } => touch.string(name.as_ref()),
        Data::Search(numbers, ..) => numbers.iter().for_each(|number| touch.number(number.get())),
        _ => {}
    }
}

fn item(item: &MessageDataItem<'_>, touch: &mut Touch) {
    match item {
        MessageDataItem::Uid(uid) => touch.number(uid.get()),
        MessageDataItem::ModSeq(modseq) => touch.number(modseq.get()),
        MessageDataItem::Flags(flags) => flags.iter().for_each(|value| flag(value, touch)),
        MessageDataItem::Envelope(value) => envelope(value, touch),
        MessageDataItem::BodyStructure(value) => body_structure(value, touch),
        MessageDataItem::BodyExt { data, .. } => touch.literal(nstring(data).unwrap_or_default()),
        _ => {}
    }
}

fn flag(flag: &FlagFetch<'_>, touch: &mut Touch) {
    match flag {
        FlagFetch::Flag(Flag::Keyword(keyword)) => touch.keyword(keyword.as_ref().as_bytes()),
        _ => touch.number(1_u8),
    }
}

fn nstring<'a>(string: &'a NString<'_>) -> Option<&'a [u8]> {
    string.0.as_ref().map(AsRef::as_ref)
}

fn envelope(envelope: &Envelope<'_>, touch: &mut Touch) {
    touch.nstring(nstring(&envelope.date));
    touch.nstring(nstring(&envelope.subject));
    touch.nstring(nstring(&envelope.message_id));
    for address in envelope.from.iter().chain(&envelope.to) {
        touch.nstring(nstring(&address.name));
        touch.nstring(nstring(&address.mailbox));
        touch.nstring(nstring(&address.host));
    }
}

fn body_structure(body: &BodyStructure<'_>, touch: &mut Touch) {
    match body {
        BodyStructure::Single { body, .. } => {
            touch.number(body.basic.size);
            match &body.specific {
                SpecificFields::Basic { subtype, .. } | SpecificFields::Text { subtype, .. } => {
                    touch.string(subtype.as_ref());
                }
                SpecificFields::Message { envelope: inner, body_structure: body, .. } => {
                    // The subtype was matched by the parser and not kept.
                    touch.string(b"rfc822");
                    envelope(inner, touch);
                    body_structure(body, touch);
                }
            }
        }
        BodyStructure::Multi { bodies, subtype, .. } => {
            touch.string(subtype.as_ref());
            bodies.as_ref().iter().for_each(|body| body_structure(body, touch));
        }
    }
}
