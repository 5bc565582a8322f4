use mail_parser::{Message, MessageParser, PartType};

/// What mail-parser made of a message, taken apart level by level when it is dropped: messages nest as deep as somebody
/// likes, the stack does not.
pub(crate) struct PartTree<'a> {
    message: Message<'a>,
}

impl<'a> PartTree<'a> {
    /// Lets mail-parser find the parts. Only the header fields that say where parts end are parsed, the others are looked at
    /// in their raw form when they are asked for. `None` where there is no header field at all.
    pub(crate) fn new(raw: &'a [u8]) -> Option<Self> {
        let parser = MessageParser::new().with_mime_headers().default_header_raw();
        parser.parse(raw).map(|message| PartTree { message })
    }

    pub(super) fn message(&self) -> &Message<'a> {
        &self.message
    }

    /// True when it is so of the text of some part, at any level, decoded.
    pub(crate) fn any_text(&self, is: impl Fn(&str) -> bool) -> bool {
        let mut messages = vec![&self.message];
        while let Some(message) = messages.pop() {
            for part in &message.parts {
                match &part.body {
                    PartType::Text(text) | PartType::Html(text) if is(text) => return true,
                    PartType::Message(inner) => messages.push(inner),
                    _ => {}
                }
            }
        }
        false
    }
}

impl Drop for PartTree<'_> {
    fn drop(&mut self) {
        let mut parts = std::mem::take(&mut self.message.parts);
        while let Some(mut part) = parts.pop() {
            if let PartType::Message(inner) = &mut part.body {
                parts.append(&mut inner.parts);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_nesting_is_too_deep() {
        for level in
            ["Content-Type: message/rfc822\r\n\r\n", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"]
        {
            let raw = level.repeat(50_000) + "\r\nneedle";
            let tree = PartTree::new(raw.as_bytes()).expect("there are header fields");
            assert!(!tree.any_text(|text| text.contains("nowhere")));
        }
    }
}
