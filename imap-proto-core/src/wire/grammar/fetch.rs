use core::fmt;
use core::num::{NonZeroU32, NonZeroU64};

use super::section_data::{ToldSection, is_section};
use super::{BodyStructure, Envelope, Flags, SectionData};
use crate::types::{Flag, MessageFlags, SeqNum, Uid};
use crate::wire::{Text, Value, Values};

// RFC 9051 §9
//
// message-data    = nz-number SP ("EXPUNGE" / ("FETCH" SP msg-att))
// msg-att         = "(" (msg-att-dynamic / msg-att-static) *(SP (msg-att-dynamic / msg-att-static)) ")"
// msg-att-dynamic = "FLAGS" SP "(" [flag-fetch *(SP flag-fetch)] ")"
// msg-att-static  = "ENVELOPE" SP envelope / "INTERNALDATE" SP date-time / "RFC822.SIZE" SP number64 /
//                   "BODY" ["STRUCTURE"] SP body / "BODY" section ["<" number ">"] SP nstring /
//                   "BINARY" section-binary SP (nstring / literal8) / "BINARY.SIZE" section-binary SP number /
//                   "UID" SP uniqueid
//
// RFC 3501 §9
//
// msg-att-static =/ "RFC822" [".HEADER" / ".TEXT"] SP nstring
//
// RFC 7162 §7
//
// msg-att-dynamic =/ "MODSEQ" SP "(" permsg-modsequence ")"

/// Shows what a server tells of one message. RFC 9051 §7.5.2
///
/// It is read as it is gone through. What is damaged costs its own attribute, and comes as
/// [`Attribute::Malformed`]; [`uid`](Self::uid) and the like find the first attribute of their name and pass over
/// damage.
#[derive(Clone, Copy, Debug)]
pub struct Fetch<'a> {
    seq: NonZeroU32,
    values: Values<'a>,
}

impl<'a> Fetch<'a> {
    /// Reads what follows the word `FETCH`; `None` when there is no list, or the message has number 0 (quirk 78).
    #[inline]
    pub fn new(seq: u32, mut values: Values<'a>) -> Option<Self> {
        let seq = NonZeroU32::new(seq)?;
        let values = values.next()?.without_extra_parens().list()?;
        Some(Fetch { seq, values })
    }

    /// The flags and the mod-sequence with what tells whose they are.
    pub fn to_message_flags(self) -> MessageFlags {
        let flags = self.flags().map(|flags| flags.iter().map(|flag| Flag::from_wire(&flag.to_bytes())).collect());
        MessageFlags::new(SeqNum::from(self.seq), self.uid().map(Uid::from), flags, self.mod_seq())
    }

    /// The sections of the message that came with it.
    pub fn sections(self) -> impl Iterator<Item = SectionData<'a>> + Clone {
        self.items().filter_map(|item| SectionData::new(item.name, item.value))
    }

    /// A message of which nothing is told.
    #[cfg(feature = "client")]
    pub(crate) const fn empty() -> Self {
        Fetch { seq: NonZeroU32::MIN, values: Values::empty() }
    }

    /// The sequence number of the message.
    #[inline]
    pub fn seq(self) -> NonZeroU32 {
        self.seq
    }

    /// Goes through the attributes, in the order of the server; a name may come more than once.
    #[inline]
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'a>> + Clone {
        self.items().map(Item::read)
    }

    /// The unique identifier.
    pub fn uid(self) -> Option<NonZeroU32> {
        self.named(b"UID").find_map(uid)
    }

    /// The flags. RFC 9051 §2.3.2
    pub fn flags(self) -> Option<Flags<'a>> {
        self.named(b"FLAGS").find_map(Flags::new)
    }

    /// The envelope.
    pub fn envelope(self) -> Option<Envelope<'a>> {
        self.named(b"ENVELOPE").find_map(|value| Envelope::new(value).ok())
    }

    /// The body structure, with extension data where there is one such.
    pub fn body_structure(self) -> Option<BodyStructure<'a>> {
        let read = |value| BodyStructure::new(value).ok();
        self.named(b"BODYSTRUCTURE").find_map(read).or_else(|| self.named(b"BODY").find_map(read))
    }

    /// The size of the message in octets.
    pub fn size(self) -> Option<u64> {
        self.named(b"RFC822.SIZE").find_map(Value::count)
    }

    /// The modification sequence; `None` where the server keeps none and sends 0 (quirk 39). RFC 7162 §3.1
    pub fn mod_seq(self) -> Option<NonZeroU64> {
        self.named(b"MODSEQ").find_map(mod_seq).and_then(NonZeroU64::new)
    }

    /// When the server got the message, as it came; `None` for `NIL` too.
    pub fn internal_date(self) -> Option<Text<'a>> {
        self.named(b"INTERNALDATE").find_map(Value::text)
    }

    /// The first `BODY[…]` of a section, or the `RFC822` that is the same; see [`SectionData::matches`].
    pub fn section(self, section: &[u8]) -> Option<SectionData<'a>> {
        self.sections().find(|data| !data.is_binary() && data.matches(section))
    }

    /// The first `BINARY[…]` of a section; see [`SectionData::matches`].
    pub fn binary(self, section: &[u8]) -> Option<SectionData<'a>> {
        self.sections().find(|data| data.is_binary() && data.matches(section))
    }

    /// Names and values as they are.
    pub(super) fn pairs(self) -> impl Iterator<Item = (&'a [u8], Value<'a>)> {
        self.items().filter_map(|item| Some((item.name, item.value?)))
    }

    /// What is told, by its names; no value is read.
    #[inline]
    pub(crate) fn names(self) -> impl Iterator<Item = NamedAttribute<'a>> {
        self.items().map(|item| NamedAttribute { item, name: AttributeName::of(item.name) })
    }

    #[inline]
    fn items(self) -> Items<'a> {
        Items { values: self.values }
    }

    #[inline]
    pub(super) fn named(self, name: &'static [u8]) -> impl Iterator<Item = Value<'a>> {
        self.items().filter(move |item| item.is(name)).filter_map(|item| item.value)
    }
}

/// One thing a server tells of a message. RFC 9051 §7.5.2
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Attribute<'a> {
    /// The unique identifier.
    Uid(NonZeroU32),
    /// The flags. RFC 9051 §2.3.2
    Flags(Flags<'a>),
    /// The size of the message in octets. RFC 9051 §2.3.4
    Size(u64),
    /// When the server got the message, as it came; `None` for `NIL`. RFC 9051 §2.3.3
    InternalDate(Option<Text<'a>>),
    /// The header fields a server reads for its clients.
    Envelope(Envelope<'a>),
    /// The structure of the message; without extension data when it came as `BODY`.
    BodyStructure(BodyStructure<'a>),
    /// The octets of the message or of a section of it.
    Section(SectionData<'a>),
    /// The modification sequence; 0 where the server keeps none (quirk 39). RFC 7162 §3.1
    ModSeq(u64),
    /// What is not known here, or belongs to an extension.
    Other {
        /// The name as it came.
        name: &'a [u8],
        /// What stands behind it.
        value: Value<'a>,
    },
    /// What has not the shape its name calls for, or is out of range.
    Malformed {
        /// The name as it came; empty where something else stood in its place.
        name: &'a [u8],
        /// The bytes of the value; none where it is missing.
        raw: &'a [u8],
    },
}

impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attribute::Uid(uid) => f.debug_tuple("Uid").field(uid).finish(),
            Attribute::Flags(flags) => f.debug_tuple("Flags").field(flags).finish(),
            Attribute::Size(size) => f.debug_tuple("Size").field(size).finish(),
            Attribute::InternalDate(date) => f.debug_tuple("InternalDate").field(date).finish(),
            Attribute::Envelope(envelope) => f.debug_tuple("Envelope").field(envelope).finish(),
            Attribute::BodyStructure(structure) => f.debug_tuple("BodyStructure").field(structure).finish(),
            Attribute::Section(data) => f.debug_tuple("Section").field(data).finish(),
            Attribute::ModSeq(mod_seq) => f.debug_tuple("ModSeq").field(mod_seq).finish(),
            Attribute::Other { name, value } => {
                f.debug_struct("Other").field("name", &Text::plain(name)).field("value", value).finish()
            }
            Attribute::Malformed { name, raw } => {
                let (name, raw) = (Text::plain(name), Text::plain(raw));
                f.debug_struct("Malformed").field("name", &name).field("raw", &raw).finish()
            }
        }
    }
}

/// Names and values, before anybody looks at what they say.
#[derive(Clone, Copy)]
struct Items<'a> {
    values: Values<'a>,
}

#[derive(Clone, Copy)]
struct Item<'a> {
    /// Empty where a list stood for the name, which is then the value.
    name: &'a [u8],
    value: Option<Value<'a>>,
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        let name = self.values.next()?;
        let Some(text) = name.text() else { return Some(Item { name: b"", value: Some(name) }) };
        let name = text.as_raw();
        if is_section(name) && self.values.peek().is_some_and(is_next_name) {
            return Some(Item { name, value: None });
        }
        Some(Item { name, value: self.values.next() })
    }
}

/// True when the value of a section is missing and the next attribute stands in its place (quirk 82).
///
/// An atom may be a value (quirk 83), but hardly one that reads `UID`.
fn is_next_name(value: Value<'_>) -> bool {
    let Some(atom) = value.atom() else { return false };
    let names = ["UID", "FLAGS", "MODSEQ", "ENVELOPE", "INTERNALDATE", "BODYSTRUCTURE", "RFC822.SIZE"];
    is_section(atom) && atom.contains(&b'[') || names.iter().any(|name| atom == name.as_bytes())
}

/// An attribute whose name is known and whose value is not read.
#[derive(Clone, Copy)]
pub(crate) struct NamedAttribute<'a> {
    item: Item<'a>,
    pub(crate) name: AttributeName,
}

impl<'a> NamedAttribute<'a> {
    /// The UID, where this is one that can be read.
    #[inline]
    pub(crate) fn uid_if_named(self) -> Option<NonZeroU32> {
        if self.name == AttributeName::Uid { self.item.value.and_then(uid) } else { None }
    }

    /// Its name as it came.
    pub(crate) fn word(self) -> &'a [u8] {
        self.item.name
    }

    /// What its name says of a section, where it is that of one.
    #[inline]
    pub(crate) fn section(self) -> Option<ToldSection<'a>> {
        ToldSection::of(self.item.name)
    }
}

/// What an attribute is by its name, whatever its value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttributeName {
    Uid,
    Flags,
    ModSeq,
    Envelope,
    Size,
    InternalDate,
    /// `BODYSTRUCTURE`, and `BODY` without a section.
    BodyStructure,
    /// A list stands where the name should be.
    Missing,
    /// A section, or what is not known here.
    Other,
}

impl AttributeName {
    #[inline]
    fn of(name: &[u8]) -> Self {
        // Nearly all servers write names in capitals; trying those first took a third off the walk.
        let is = |known: &'static [u8]| name == known || name.eq_ignore_ascii_case(known);
        match name.len() {
            3 if is(b"UID") => AttributeName::Uid,
            5 if is(b"FLAGS") => AttributeName::Flags,
            6 if is(b"MODSEQ") => AttributeName::ModSeq,
            8 if is(b"ENVELOPE") => AttributeName::Envelope,
            11 if is(b"RFC822.SIZE") => AttributeName::Size,
            12 if is(b"INTERNALDATE") => AttributeName::InternalDate,
            13 if is(b"BODYSTRUCTURE") => AttributeName::BodyStructure,
            4 if is(b"BODY") => AttributeName::BodyStructure,
            0 => AttributeName::Missing,
            _ => AttributeName::Other,
        }
    }
}

impl<'a> Item<'a> {
    #[inline]
    fn read(self) -> Attribute<'a> {
        let known = match AttributeName::of(self.name) {
            AttributeName::Uid => self.value.and_then(uid).map(Attribute::Uid),
            AttributeName::Flags => self.value.and_then(Flags::new).map(Attribute::Flags),
            AttributeName::ModSeq => self.value.and_then(mod_seq).map(Attribute::ModSeq),
            AttributeName::Envelope => self.value.and_then(|v| Envelope::new(v).ok()).map(Attribute::Envelope),
            AttributeName::Size => self.value.and_then(Value::count).map(Attribute::Size),
            AttributeName::InternalDate => self.value.and_then(internal_date).map(Attribute::InternalDate),
            AttributeName::BodyStructure => self.structure(),
            AttributeName::Missing => None,
            AttributeName::Other => return self.read_other(),
        };
        known.unwrap_or_else(|| self.malformed())
    }

    fn read_other(self) -> Attribute<'a> {
        let Some(kind) = ToldSection::of(self.name) else {
            return match self.value {
                Some(value) => Attribute::Other { name: self.name, value },
                None => self.malformed(),
            };
        };
        match SectionData::named(kind, self.value) {
            Some(data) => Attribute::Section(data),
            None => self.malformed(),
        }
    }

    fn structure(self) -> Option<Attribute<'a>> {
        BodyStructure::new(self.value?).ok().map(Attribute::BodyStructure)
    }

    #[cold]
    fn malformed(self) -> Attribute<'a> {
        Attribute::Malformed { name: self.name, raw: self.value.map_or(b"", Value::raw) }
    }

    #[inline]
    fn is(self, name: &'static [u8]) -> bool {
        // Nearly all servers write names in capitals; trying those first took a third off the walk.
        self.name == name || self.name.eq_ignore_ascii_case(name)
    }
}

/// `uniqueid = nz-number`
#[inline]
fn uid(value: Value<'_>) -> Option<NonZeroU32> {
    NonZeroU32::new(u32::try_from(value.number()?).ok()?)
}

/// `"(" permsg-modsequence ")"`; below zero is zero (quirk 39), and a bare number does.
#[inline]
fn mod_seq(value: Value<'_>) -> Option<u64> {
    let value = value.without_extra_parens();
    match value.list() {
        Some(mut values) => values.next()?.count(),
        None => value.count(),
    }
}

/// A string, or `NIL` (quirk 86).
#[inline]
fn internal_date(value: Value<'_>) -> Option<Option<Text<'_>>> {
    let date = value.text();
    (date.is_some() || value.is_nil()).then_some(date)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use alloc::format;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::super::Body;
    use super::*;
    use crate::wire::{Detached, Limits, Parsed};

    fn text(text: Text<'_>) -> String {
        text.to_str().into_owned()
    }

    fn body(body: Body<'_>) -> String {
        match body {
            Body::Nil => "-".into(),
            Body::Octets(octets) => text(octets),
            Body::Detached { index, len, skipped } => format!("#{index}:{len}:{skipped}"),
        }
    }

    fn attribute(attribute: Attribute<'_>) -> String {
        let lossy = |bytes| String::from_utf8_lossy(bytes).into_owned();
        match attribute {
            Attribute::Uid(uid) => format!("uid {uid}"),
            Attribute::Flags(flags) => format!("flags {}", flags.iter().map(text).collect::<Vec<_>>().join(",")),
            Attribute::Size(size) => format!("size {size}"),
            Attribute::InternalDate(date) => format!("date {}", date.map_or("-".into(), text)),
            Attribute::Envelope(envelope) => format!("envelope {}", envelope.subject().map_or("-".into(), text)),
            Attribute::BodyStructure(structure) => format!("structure {}", text(structure.media_subtype())),
            Attribute::Section(data) => {
                let binary = if data.is_binary() { "binary" } else { "body" };
                let origin = data.origin().map_or(String::new(), |origin| format!("<{origin}>"));
                format!("{binary} [{}]{origin} {}", lossy(data.name()), body(data.body()))
            }
            Attribute::ModSeq(mod_seq) => format!("modseq {mod_seq}"),
            Attribute::Other { name, value } => format!("other {} {}", lossy(name), lossy(value.raw())),
            Attribute::Malformed { name, raw } => format!("malformed {} {}", lossy(name), lossy(raw)),
        }
    }

    fn shown(list: &str) -> Vec<String> {
        let parsed = Parsed::of(list);
        let fetch = Fetch::new(1, parsed.values()).expect(list);
        fetch.attributes().map(attribute).collect()
    }

    const ENVELOPE: &str = r#"("d" "s" NIL NIL NIL NIL NIL NIL "i" "m")"#;

    #[test]
    fn attributes_are_read_whatever_servers_make_of_them() {
        let extra = format!("((ENVELOPE {ENVELOPE}))");
        let inner = format!("(ENVELOPE ({ENVELOPE}) UID 2)");
        for (quirk, list, attributes) in [
            (0, r"(FLAGS (\Seen) RFC822.SIZE 44827 UID 447)", &[r"flags \Seen", "size 44827", "uid 447"][..]),
            (0, "(UID 4294967295 MODSEQ (9))", &["uid 4294967295", "modseq 9"]),
            (0, r#"(BODY ("text" "plain" NIL NIL NIL "7bit" 1 1))"#, &["structure plain"]),
            (0, r#"(BODYSTRUCTURE (("a" "b" NIL NIL NIL NIL 1) "mixed"))"#, &["structure mixed"]),
            (0, "(BODY[] {3}\r\na)b UID 1)", &["body [] a)b", "uid 1"]),
            (0, "(BODY[1.2.MIME]<10> \"x\")", &["body [1.2.MIME]<10> x"]),
            (0, "(BODY.PEEK[TEXT] \"x\" body[text] \"y\")", &["body [TEXT] x", "body [text] y"]),
            (
                0,
                "(RFC822 \"a\" RFC822.HEADER \"b\" rfc822.text \"c\")",
                &["body [] a", "body [HEADER] b", "body [TEXT] c"],
            ),
            (0, "(BINARY[1] ~{2}\r\na\0 BINARY.SIZE[1] 2)", &["binary [1] a\0", "other BINARY.SIZE[1] 2"]),
            (0, "()", &[]),
            (5, "(UID 19436 )", &["uid 19436"]),
            (6, "(BODY[]\"x\" FLAGS(\\Seen))", &["body [] x", r"flags \Seen"]),
            (19, "(BODY[] {1}\r\nx\r\n UID 5)", &["body [] x", "uid 5"]),
            (20, "(uid 1 Flags () rfc822.size 2)", &["uid 1", "flags ", "size 2"]),
            (21, r#"("UID" "7" RFC822.SIZE "8")"#, &["uid 7", "size 8"]),
            (24, "(RFC822.SIZE 9.3736e+06 UID 1)", &["size 9373600", "uid 1"]),
            (25, "(RFC822.SIZE -1)", &["size 0"]),
            (26, "(UID 007)", &["uid 7"]),
            (27, "(UID 1e400 RFC822.SIZE 1e400)", &["malformed UID 1e400", "malformed RFC822.SIZE 1e400"]),
            (27, "(UID 0 UID 4294967296)", &["malformed UID 0", "malformed UID 4294967296"]),
            (
                27,
                "(RFC822.SIZE Infinity RFC822.SIZE nan)",
                &["malformed RFC822.SIZE Infinity", "malformed RFC822.SIZE nan"],
            ),
            (27, "(RFC822.SIZE 99999999999999999999 UID 1)", &["malformed RFC822.SIZE 99999999999999999999", "uid 1"]),
            (39, "(MODSEQ (0) MODSEQ (-1) MODSEQ 5)", &["modseq 0", "modseq 0", "modseq 5"]),
            (39, "(MODSEQ (18446744073709551615))", &["modseq 18446744073709551615"]),
            (39, "(MODSEQ (18446744073709551616))", &["malformed MODSEQ (18446744073709551616)"]),
            (39, "(MODSEQ () MODSEQ NIL)", &["malformed MODSEQ ()", "malformed MODSEQ NIL"]),
            (80, "(XAOL.SPAM.REASON x UID 1)", &["other XAOL.SPAM.REASON x", "uid 1"]),
            (80, "(XFOO (a (b) {3}\r\nabc) UID 1)", &["other XFOO (a (b) {3}\r\nabc)", "uid 1"]),
            (81, extra.as_str(), &["envelope s"]),
            (81, inner.as_str(), &["envelope s", "uid 2"]),
            (81, r"(((UID 1 FLAGS ((\Seen)))))", &["uid 1", r"flags \Seen"]),
            (82, "(UID 1 BODY[2] )", &["uid 1", "body [2] -"]),
            (82, "(BODY[2] UID 1)", &["body [2] -", "uid 1"]),
            (82, "(BODY[2] BODY[3] {1}\r\nx)", &["body [2] -", "body [3] x"]),
            (82, "(UID)", &["malformed UID "]),
            (82, "(XFOO)", &["malformed XFOO "]),
            (83, "(BODY[1] NIL BODY[2] \"x\" BODY[3] atom)", &["body [1] -", "body [2] x", "body [3] atom"]),
            (83, "(BODY[1.TEXT]<0> NIL BODY[1] \"\")", &["body [1.TEXT]<0> -", "body [1] "]),
            (84, "(BODY[2]<0.65536> {1}\r\nx)", &["body [2]<0> x"]),
            (84, "(BODY[2]<x> \"x\" UID 1)", &["other BODY[2]<x> \"x\"", "uid 1"]),
            (85, "(BODY[HEADER.FIELDS (\"X\" {3}\r\nFoo)] \"x\")", &["body [HEADER.FIELDS (\"X\" {3}\r\nFoo)] x"]),
            (
                86,
                r#"(INTERNALDATE "00-Jan-0000 00:00:00 +0000" INTERNALDATE NIL INTERNALDATE " 8-Mar-2023 x")"#,
                &["date 00-Jan-0000 00:00:00 +0000", "date -", "date  8-Mar-2023 x"],
            ),
            (86, "(INTERNALDATE (x) UID 1)", &["malformed INTERNALDATE (x)", "uid 1"]),
            (87, r#"(FLAGS (NIL) FLAGS ("\\Seen") FLAGS NIL)"#, &["flags ", r"flags \Seen", "flags "]),
            (87, r"(FLAGS \Seen UID 1)", &[r"malformed FLAGS \Seen", "uid 1"]),
            (88, r#"(X-GM-LABELS ("\\I" \Inbox NIL) UID 1)"#, &[r#"other X-GM-LABELS ("\\I" \Inbox NIL)"#, "uid 1"]),
            (
                89,
                "(THREADID NIL EMAILID (x) EMAILID y)",
                &["other THREADID NIL", "other EMAILID (x)", "other EMAILID y"],
            ),
            (90, "(BODY[HEADER.FIELDS ()] {2}\r\n\r\n UID 1)", &["body [HEADER.FIELDS ()] \r\n", "uid 1"]),
            (90, "(BODY[HEADER] {8}\r\nbad line UID 1)", &["body [HEADER] bad line", "uid 1"]),
            (
                91,
                r#"(PREVIEW NIL SAVEDATE NIL PREVIEW (FUZZY "x"))"#,
                &["other PREVIEW NIL", "other SAVEDATE NIL", r#"other PREVIEW (FUZZY "x")"#],
            ),
            (92, "(UID 1) FLAGS (\\Seen))", &["uid 1"]),
            (120, "(ENVELOPE (x) UID 1)", &["malformed ENVELOPE (x)", "uid 1"]),
            (120, "(BODYSTRUCTURE NIL UID 1)", &["malformed BODYSTRUCTURE NIL", "uid 1"]),
            (120, "(BODY[1] (x) UID 1)", &["malformed BODY[1] (x)", "uid 1"]),
            (0, "((x) UID 1)", &["malformed  (x)", "uid 1"]),
            (0, "(UID 1", &["uid 1"]),
            (0, "(BODY[1 \"x\" UID 1)", &["other BODY[1 \"x\"", "uid 1"]),
        ] {
            assert_eq!(shown(list), attributes, "quirk {quirk}: {list}");
        }
    }

    #[test]
    fn what_has_no_list_or_no_number_is_no_fetch() {
        for (seq, values) in [(0, "(UID 1)"), (1, ""), (1, "UID 1"), (1, "NIL")] {
            assert!(Fetch::new(seq, Parsed::of(values).values()).is_none(), "{seq} {values}");
        }
    }

    #[test]
    fn shortcuts_find_the_first_whole_attribute_of_their_name() {
        let list = format!(
            "(UID 0 uid 7 FLAGS x FLAGS (a) ENVELOPE () ENVELOPE {ENVELOPE} BODY (\"a\" \"b\") BODYSTRUCTURE (\"c\" \"d\") \
             RFC822.SIZE x RFC822.SIZE 5 MODSEQ (4) INTERNALDATE NIL INTERNALDATE \"d\" BINARY[1] \"x\" BODY[1] \"y\")"
        );
        let parsed = Parsed::of(&list);
        let fetch = Fetch::new(3, parsed.values()).expect("a list");
        assert_eq!(fetch.seq().get(), 3);
        assert_eq!(fetch.uid().map(NonZeroU32::get), Some(7));
        assert!(fetch.flags().is_some_and(|flags| flags.contains("A")));
        assert_eq!(fetch.envelope().and_then(Envelope::subject).map(text), Some("s".to_string()));
        assert_eq!(fetch.body_structure().map(|s| text(s.media_subtype())), Some("d".to_string()));
        assert_eq!(fetch.size(), Some(5));
        assert_eq!(fetch.mod_seq().map(NonZeroU64::get), Some(4));
        assert_eq!(fetch.internal_date().map(text), Some("d".to_string()));
        assert_eq!(fetch.section(b"1").map(|data| body(data.body())), Some("y".to_string()));
        assert_eq!(fetch.binary(b"1").map(|data| body(data.body())), Some("x".to_string()));
        assert!(fetch.section(b"2").is_none() && fetch.section(b"").is_none());
        let parsed = Parsed::of("(MODSEQ (0) BODY (\"a\" \"b\"))");
        let fetch = Fetch::new(3, parsed.values()).expect("a list");
        assert!(fetch.mod_seq().is_none() && fetch.uid().is_none() && fetch.internal_date().is_none());
        assert_eq!(fetch.body_structure().map(|s| text(s.media_subtype())), Some("b".to_string()));
    }

    #[test]
    fn quirk_85_sections_are_matched_loosely() {
        for (name, asked, matches) in [
            ("BODY[]", "", true),
            ("RFC822", "", true),
            ("RFC822.HEADER", "header", true),
            ("BODY[1.mime]", "1.MIME", true),
            ("BODY[1]", "1.1", false),
            ("BODY[]", "1", false),
            ("BODY[HEADER.FIELDS (\"X\" {3}\r\nFoo)]", "HEADER.FIELDS (Foo X)", true),
            ("BODY[header.fields (foo x)]", "HEADER.FIELDS (\"X\" \"Foo\")", true),
            ("BODY[HEADER.FIELDS(foo  x )]", "HEADER.FIELDS (X Foo)", true),
            ("BODY[HEADER.FIELDS foo]", "HEADER.FIELDS (Foo)", true),
            ("BODY[HEADER.FIELDS (foo)]", "HEADER.FIELDS (Foo X)", false),
            ("BODY[HEADER.FIELDS (foo x)]", "HEADER.FIELDS (Foo)", false),
            ("BODY[HEADER.FIELDS.NOT (foo)]", "HEADER.FIELDS (Foo)", false),
            ("BODY[HEADER.FIELDS ({9}\r\nx)]", "HEADER.FIELDS (x)", false),
            ("BODY[1.HEADER.FIELDS (foo)]", "HEADER.FIELDS (Foo)", false),
        ] {
            let parsed = Parsed::of(format!("({name} \"x\")"));
            let fetch = Fetch::new(1, parsed.values()).expect("a list");
            assert_eq!(fetch.section(asked.as_bytes()).is_some(), matches, "{name} {asked}");
        }
    }

    #[test]
    fn a_body_that_is_not_in_the_frame_says_where_it_is() {
        let list = "(BODY[] {99}\r\n BODY[1] {5}\r\n UID 1)";
        let detached = [(14, 99, false), (28, 5, true)].map(|(at, len, skipped)| Detached { at, skipped, len });
        let parsed = Parsed::with(list, detached.into(), &Limits::default());
        let fetch = Fetch::new(1, parsed.values()).expect("a list");
        let attributes: Vec<_> = fetch.attributes().map(attribute).collect();
        assert_eq!(attributes, ["body [] #0:99:false", "body [1] #1:5:true", "uid 1"]);
    }

    /// Calls everything that can be called.
    fn walk(parsed: &Parsed) {
        let values = parsed.values();
        let _ = format!("{values:?}");
        for (skipped, _) in values.enumerate() {
            let mut rest = values;
            rest.by_ref().take(skipped).for_each(drop);
            let Some(fetch) = Fetch::new(1, rest) else { continue };
            let _ = format!("{fetch:?}");
            let _ = (fetch.uid(), fetch.size(), fetch.mod_seq(), fetch.internal_date(), fetch.section(b"HEADER"));
            let _ = (fetch.flags(), fetch.envelope(), fetch.body_structure(), fetch.binary(b"1"));
            for item in fetch.attributes() {
                let _ = format!("{item:?}{}", attribute(item));
                match item {
                    Attribute::Flags(flags) => drop((flags.contains(r"\Seen"), flags.is_empty())),
                    Attribute::Envelope(envelope) => walk_envelope(envelope),
                    Attribute::BodyStructure(structure) => walk_structure(structure),
                    Attribute::Section(data) => drop(data.matches(b"HEADER.FIELDS (Subject \"Date\")")),
                    _ => {}
                }
            }
        }
        // Any view of any value, whatever its name.
        let mut all: Vec<Value<'_>> = values.collect();
        while let Some(value) = all.pop() {
            let _ = format!("{value:?}");
            let _ = Flags::new(value).map(|flags| flags.iter().count());
            let _ = Envelope::new(value).map(walk_envelope);
            let _ = BodyStructure::new(value).map(walk_structure);
            all.extend(value.list().into_iter().flatten());
        }
    }

    fn walk_envelope(envelope: Envelope<'_>) {
        let _ = format!("{envelope:?}");
        for list in [envelope.from(), envelope.sender(), envelope.reply_to(), envelope.to(), envelope.cc()] {
            for address in list.iter() {
                let _ = format!("{address:?} {} {}", address.is_group_start(), address.is_group_end());
                let texts = [address.name(), address.adl(), address.mailbox(), address.host()];
                texts.into_iter().flatten().for_each(|found| drop(text(found)));
            }
        }
    }

    fn walk_structure(structure: BodyStructure<'_>) {
        for (path, part) in structure.walk() {
            let _ = format!("{path} {path:?} {part:?} {:?} {:?}", part.id(), part.description());
            let _ = format!("{:?} {:?} {:?} {:?}", part.md5(), part.location(), part.lines(), part.file_name());
            let _ = (part.language().count(), part.parts().count(), part.body().is_some());
            if let Some(envelope) = part.envelope() {
                walk_envelope(envelope);
            }
        }
    }

    const LINES: [&str; 6] = [
        r#"(UID 1 FLAGS (\Seen "\\Draft" NIL) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 4286 MODSEQ (7))"#,
        r#"(ENVELOPE ("Wed, 17 Jul 1996" "a \"b\" c" (("T \"G\"" NIL "gray" "cac.edu")) ((NIL NIL "<g" "c>"))
            (NIL ("<u@h>" NIL "x" NIL)) ((NIL NIL "g" NIL)(NIL NIL NIL NIL)) () NIL "<i@h>" "<m@h>") UID 1)"#,
        r#"(BODYSTRUCTURE (("text" "plain" ("charset" "utf-8" "x" NIL) NIL NIL "7bit" 1152 23 NIL ("inline" NIL) ("en"))
            ("message" "rfc822" NIL NIL NIL "7bit" 99 ("d" "s" NIL NIL NIL NIL NIL NIL NIL NIL)
            (("a" "b" NIL NIL NIL "8bit" 1 "md5")("c" "d" NIL) "alternative" ("boundary" "x") NIL) 3)
            ("image" "png" NIL "<i>" "d" "base64" 9 NIL ("\"attachment\"" ("filename" "x.png")) "de" "l" (1 (2)))
            "mixed" ("boundary" "y") ("inline" NIL) "en" "loc") UID 1)"#,
        "(BODY[HEADER.FIELDS (Subject \"Date\" {3}\r\nFoo)]<0.5> {5}\r\nab)c\n BODY[2] BINARY[1.2] ~{2}\r\n\0\0 RFC822 \"x\")",
        r#"(("ALTERNATIVE" ("BOUNDARY" "x") NIL NIL)(NIL NIL NIL NIL NIL "7BIT" 563 NIL)("X-ZIP" () NIL NIL "base64" 6))"#,
        r#"((X-GM-LABELS ("\\I" "&AOk-") BODY ((("a" "b") "c") "d") PREVIEW (FUZZY "x") RFC822.SIZE 9.3736e+06 UID -1))"#,
    ];

    /// Deletes, inserts and changes bytes; what comes in its place is of the alphabet of the protocol.
    fn damaged(line: usize, edits: &[(u16, u8, u8)]) -> Vec<u8> {
        const ALPHABET: &[u8] = b"()\"\\ {}[]<>\r\nNIL0123459-.~\0\xe9x";
        let mut bytes = LINES[line % LINES.len()].as_bytes().to_vec();
        for &(at, edit, byte) in edits {
            let at = usize::from(at) % bytes.len().max(1);
            let byte = ALPHABET[usize::from(byte) % ALPHABET.len()];
            match edit % 4 {
                0 if at < bytes.len() => drop(bytes.remove(at)),
                1 => bytes.insert(at, byte),
                2 => bytes.truncate(bytes.len() - usize::from(edit) % bytes.len().max(1) / 4),
                _ if at < bytes.len() => bytes[at] = byte,
                _ => {}
            }
        }
        bytes
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_damage_makes_a_view_panic(
            line in 0..LINES.len(),
            edits in proptest::collection::vec(any::<(u16, u8, u8)>(), 0..12),
            depth in prop_oneof![Just(256u16), 1..6u16],
        ) {
            let limits = Limits { depth, ..Limits::default() };
            walk(&Parsed::with(damaged(line, &edits), Vec::new(), &limits));
        }
    }

    #[test]
    fn undamaged_lines_have_no_malformed_attribute() {
        for line in LINES.iter().take(4) {
            let shown = shown(line);
            assert!(shown.iter().all(|attribute| !attribute.starts_with("malformed")), "{shown:?}");
        }
    }

    /// Runs where recursion on the nesting would not survive.
    fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
        let thread = std::thread::Builder::new().stack_size(64 << 10).spawn(test);
        thread.expect("a thread").join().expect("a thread that ends well");
    }

    fn walk_deep(line: String) -> (usize, usize) {
        let limits = Limits { depth: u16::MAX, ..Limits::default() };
        let parsed = Parsed::with(line, Vec::new(), &limits);
        let fetch = Fetch::new(1, parsed.values()).expect("a list");
        let _ = format!("{fetch:?} {:?}", fetch.attributes().collect::<Vec<_>>());
        let (mut parts, mut deepest) = (0, 0);
        if let Some(mut walk) = fetch.body_structure().map(BodyStructure::walk) {
            while let Some(part) = walk.advance() {
                parts += 1;
                deepest = deepest.max(walk.path().len());
                if parts % 1000 == 0 {
                    let _ = format!("{part:?}");
                }
            }
        }
        (parts, deepest)
    }

    #[test]
    fn quirk_120_nesting_costs_no_stack() {
        on_a_small_stack(|| {
            let nested = |depth: usize, inner: &str| format!("{}{inner}{}", "(".repeat(depth), ")".repeat(depth));
            for name in ["BODYSTRUCTURE", "ENVELOPE", "FLAGS", "MODSEQ", "X", "BODY[1]"] {
                // Deeper than the limit can be set, within it, and never closed.
                assert_eq!(walk_deep(format!("({name} {} UID 1)", nested(100_000, "x"))), (0, 0));
                walk_deep(format!("({name} {} UID 1)", nested(60_000, "\"a\" \"b\"")));
                walk_deep(format!("({name} {}", "(".repeat(100_000)));
                walk_deep(format!("({name} {}", "(".repeat(60_000)));
                walk_deep(format!("{}{name}", "(".repeat(100_000)));
            }
            let parts = format!("{}(\"a\" \"b\"){}", "(".repeat(60_000), " \"mixed\")".repeat(60_000));
            assert_eq!(walk_deep(format!("(BODYSTRUCTURE {parts})")), (60_001, 60_000));
            let message = "(\"message\" \"rfc822\" NIL NIL NIL NIL 1 (NIL NIL NIL NIL NIL NIL NIL NIL) ";
            let messages = format!("{}(\"a\" \"b\"){}", message.repeat(30_000), " 1)".repeat(30_000));
            assert_eq!(walk_deep(format!("(BODYSTRUCTURE {messages})")), (30_001, 30_001));
        });
    }
}
