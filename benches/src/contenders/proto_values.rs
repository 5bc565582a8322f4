//! Looks at the values of imap-proto, which async-imap hands out too.

use imap_proto::{Address, AttributeValue, BodyStructure, Envelope, MailboxDatum, Response};

use crate::contender::Touch;

/// Adds what a consumer would look at.
pub(crate) fn touch(response: &Response<'_>, touch: &mut Touch) {
    match response {
        Response::Fetch(_, items) => items.iter().for_each(|item| attribute(item, touch)),
        Response::MailboxData(MailboxDatum::List(list)) => touch.string(list.name.as_bytes()),
        Response::MailboxData(MailboxDatum::Search(numbers)) => {
            numbers.iter().for_each(|number| touch.number(*number));
        }
        _ => {}
    }
}

fn attribute(item: &AttributeValue<'_>, touch: &mut Touch) {
    match item {
        AttributeValue::Uid(uid) => touch.number(*uid),
        AttributeValue::ModSeq(modseq) => touch.number(*modseq),
        AttributeValue::Flags(flags) => flags.iter().for_each(|flag| touch.flag(flag.as_bytes())),
        AttributeValue::Envelope(value) => envelope(value, touch),
        AttributeValue::BodyStructure(value) => body_structure(value, touch),
        AttributeValue::BodySection { data, .. } => touch.literal(data.as_deref().unwrap_or_default()),
        _ => {}
    }
}

fn envelope(envelope: &Envelope<'_>, touch: &mut Touch) {
    touch.nstring(envelope.date.as_deref());
    touch.nstring(envelope.subject.as_deref());
    touch.nstring(envelope.message_id.as_deref());
    for address in envelope.from.iter().chain(&envelope.to).flatten() {
        let Address { name, mailbox, host, .. } = address;
        touch.nstring(name.as_deref());
        touch.nstring(mailbox.as_deref());
        touch.nstring(host.as_deref());
    }
}

fn body_structure(body: &BodyStructure<'_>, touch: &mut Touch) {
    match body {
        BodyStructure::Basic { common, other, .. } | BodyStructure::Text { common, other, .. } => {
            touch.string(common.ty.subtype.as_bytes());
            touch.number(other.octets);
        }
        BodyStructure::Message { common, other, envelope: inner, body, .. } => {
            touch.string(common.ty.subtype.as_bytes());
            touch.number(other.octets);
            envelope(inner, touch);
            body_structure(body, touch);
        }
        BodyStructure::Multipart { common, bodies, .. } => {
            touch.string(common.ty.subtype.as_bytes());
            bodies.iter().for_each(|body| body_structure(body, touch));
        }
    }
}
