use std::ops::Range;

use mail_parser::{Encoding, Message, MessagePart, PartType};

use super::{Fields, PartTree};

/// Deeper parts are taken for leaves: rendering recurses.
const MOST_DEPTH: usize = 64;

/// A message, or one of its parts: where its header and its body stand in the octets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(super) header: Range<usize>,
    pub(super) body: Range<usize>,
    pub(super) kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Leaf,
    Multipart(Vec<Part>),
    Message(Box<Part>),
}

impl Part {
    /// The header with the empty line behind it.
    pub(crate) fn header<'a>(&self, raw: &'a [u8]) -> &'a [u8] {
        raw.get(self.header.clone()).unwrap_or_default()
    }

    pub(crate) fn fields<'a>(&self, raw: &'a [u8]) -> Fields<'a> {
        Fields::of(self.header(raw))
    }

    /// True when it is so of this part or one inside it.
    pub(crate) fn any(&self, is: &impl Fn(&Part) -> bool) -> bool {
        is(self)
            || match &self.kind {
                Kind::Leaf => false,
                Kind::Multipart(parts) => parts.iter().any(|part| part.any(is)),
                Kind::Message(inner) => inner.any(is),
            }
    }

    pub(crate) fn body<'a>(&self, raw: &'a [u8]) -> &'a [u8] {
        raw.get(self.body.clone()).unwrap_or_default()
    }
}

pub(super) fn parse(raw: &[u8]) -> Part {
    let root = PartTree::new(raw).and_then(|tree| convert_message(tree.message(), MOST_DEPTH));
    let Some(mut root) = root else {
        // No header field at all: mail-parser calls it no message, IMAP does.
        let body = if raw.starts_with(b"\r\n") { 2 } else { 0 };
        return Part { header: 0..body, body: body..raw.len(), kind: Kind::Leaf };
    };
    root.header.start = 0;
    root.body.end = raw.len();
    root
}

fn convert_message(message: &Message<'_>, depth: usize) -> Option<Part> {
    convert(message, message.parts.first()?, depth)
}

fn convert(message: &Message<'_>, part: &MessagePart<'_>, depth: usize) -> Option<Part> {
    let offset = |at: u32| at as usize;
    let (header, body) = (offset(part.offset_header), offset(part.offset_body));
    let end = offset(part.offset_end).max(body);
    let kind = match &part.body {
        _ if depth == 0 => Kind::Leaf,
        PartType::Multipart(ids) => {
            let parts = ids.iter().filter_map(|id| message.parts.get(*id as usize));
            // What lists itself would never end.
            let parts = parts.filter(|child| child.offset_header > part.offset_header);
            let parts: Vec<_> = parts.filter_map(|child| convert(message, child, depth - 1)).collect();
            if parts.is_empty() { Kind::Leaf } else { Kind::Multipart(parts) }
        }
        // The offsets in one that was decoded are not of the octets we have.
        PartType::Message(nested) if part.encoding == Encoding::None => match convert_message(nested, depth - 1) {
            Some(mut inner) => {
                inner.header.start = body;
                inner.body.end = end;
                inner.body.start = inner.body.start.min(end);
                inner.header.end = inner.header.end.min(end);
                Kind::Message(Box::new(inner))
            }
            None => Kind::Leaf,
        },
        _ => Kind::Leaf,
    };
    Some(Part { header: header..body, body: body..end, kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nests_too_deep_is_a_leaf() {
        for level in
            ["Content-Type: message/rfc822\r\n\r\n", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"]
        {
            let raw = level.repeat(50_000);
            let root = parse(raw.as_bytes());
            assert_eq!((root.header.start, root.body.end), (0, raw.len()));
        }
    }
}
