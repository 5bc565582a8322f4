use super::{Fetch, SectionData};
use crate::wire::{Text, Value};

// RFC 8474 §7
//
// fetch-emailid-resp  = "EMAILID" SP "(" objectid ")"
// fetch-threadid-resp = "THREADID" SP ( "(" objectid ")" / nil )
//
// RFC 8514 §5
//
// msg-att-static      =/ "SAVEDATE" SP (date-time / nil)
//
// RFC 8970 §6
//
// msg-att-dynamic     =/ "PREVIEW" SP nstring
//
// RFC 9051 §9
//
// msg-att-static      =/ "BINARY.SIZE" section-binary SP number

/// What extensions tell of a message. In [`attributes`](Fetch::attributes) they are
/// [`Attribute::Other`](super::Attribute::Other).
impl<'a> Fetch<'a> {
    /// The identifier of the message, the same in all mailboxes. RFC 8474 §5.1
    pub fn email_id(self) -> Option<Text<'a>> {
        self.named(b"EMAILID").find_map(object_id)
    }

    /// The identifier of its thread; `None` for `NIL` too. RFC 8474 §5.2
    pub fn thread_id(self) -> Option<Text<'a>> {
        self.named(b"THREADID").find_map(object_id)
    }

    /// When the message was put into this mailbox, as it came; `None` for `NIL` too. RFC 8514 §4.2
    pub fn save_date(self) -> Option<Text<'a>> {
        self.named(b"SAVEDATE").find_map(Value::text)
    }

    /// Up to 200 characters of the message for a list of messages; `None` for `NIL` too, which says that the server has
    /// none yet. RFC 8970 §3.1
    pub fn preview(self) -> Option<Text<'a>> {
        self.named(b"PREVIEW").find_map(Value::text)
    }

    /// The size of a part such as `1.2` with the transfer encoding taken off. RFC 9051 §7.5.2
    pub fn binary_size(self, part: &str) -> Option<u64> {
        let is_size = |name: &[u8]| {
            let name = name.split_at_checked(b"BINARY.SIZE[".len());
            name.is_some_and(|(word, rest)| {
                word.eq_ignore_ascii_case(b"BINARY.SIZE[") && rest.strip_suffix(b"]") == Some(part.as_bytes())
            })
        };
        let mut found = self.pairs().filter(|(name, _)| is_size(name));
        found.find_map(|(_, value)| value.count())
    }

    /// The first decoded part of that name, `""` for the whole message; see [`binary`](Self::binary).
    pub fn decoded_part(self, part: &str) -> Option<SectionData<'a>> {
        self.binary(part.as_bytes())
    }
}

/// In parentheses, or without them.
fn object_id(value: Value<'_>) -> Option<Text<'_>> {
    let value = value.without_extra_parens();
    match value.list() {
        Some(mut values) => values.next()?.text(),
        None => value.text(),
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;
    use crate::wire::Parsed;

    #[test]
    fn what_extensions_tell_is_read() {
        let text = |text: Option<Text<'_>>| text.map_or(String::from("-"), |text| text.to_str().into_owned());
        for (list, expected) in [
            ("(EMAILID (M6d99ac3) THREADID (T64b478a))", ["M6d99ac3", "T64b478a", "-", "-"]),
            ("(emailid M6 THREADID NIL)", ["M6", "-", "-", "-"]),
            ("(EMAILID ((M6)) THREADID ())", ["M6", "-", "-", "-"]),
            ("(SAVEDATE \" 1-Jan-2015 00:00:00 +0000\" PREVIEW NIL)", ["-", "-", " 1-Jan-2015 00:00:00 +0000", "-"]),
            ("(SAVEDATE NIL PREVIEW \"It's \\\"me\\\"\")", ["-", "-", "-", "It's \"me\""]),
            ("(PREVIEW {5}\r\na)\"b )", ["-", "-", "-", "a)\"b "]),
            ("(EMAILID THREADID (x))", ["THREADID", "-", "-", "-"]),
            ("()", ["-"; 4]),
        ] {
            let parsed = Parsed::of(list);
            let fetch = Fetch::new(1, parsed.values()).expect(list);
            let told = [fetch.email_id(), fetch.thread_id(), fetch.save_date(), fetch.preview()].map(text);
            assert_eq!(told, expected, "{list}");
        }
    }

    #[test]
    fn the_size_of_a_decoded_part_is_that_parts() {
        let parsed = Parsed::of("(UID 3 BINARY.SIZE[1.2] 77 binary.size[] 9 BINARY.SIZE[3] NIL BINARY[1] ~{2}\r\na\0)");
        let fetch = Fetch::new(1, parsed.values()).expect("a list");
        for (part, size) in [("1.2", Some(77)), ("", Some(9)), ("1", None), ("3", None)] {
            assert_eq!(fetch.binary_size(part), size, "{part}");
        }
        assert!(fetch.decoded_part("1").is_some() && fetch.decoded_part("2").is_none());
    }
}
