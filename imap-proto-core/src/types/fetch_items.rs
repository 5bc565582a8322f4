use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::{BitOr, BitOrAssign};

use super::{InvalidSection, Section};

/// Says what a FETCH asks for.
///
/// The UID is always asked for. `Display` is the wire form, in parentheses. RFC 9051 §6.4.5
///
/// ```
/// use imap_proto_core::types::{FetchItems, Section};
///
/// let items = FetchItems::ids().flags().section(Section::header());
/// assert_eq!(items.to_string(), "(UID FLAGS BODY.PEEK[HEADER])");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchItems {
    mask: ItemMask,
    sections: Vec<FetchSection>,
    /// Parts whose decoded size is asked for.
    sizes: Vec<Section>,
    raw: Vec<String>,
}

/// Names the items of a FETCH that take no arguments, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ItemMask(u16);

impl ItemMask {
    /// `FLAGS`
    pub const FLAGS: Self = ItemMask(1);
    /// `INTERNALDATE`
    pub const INTERNAL_DATE: Self = ItemMask(1 << 1);
    /// `RFC822.SIZE`
    pub const SIZE: Self = ItemMask(1 << 2);
    /// `ENVELOPE`
    pub const ENVELOPE: Self = ItemMask(1 << 3);
    /// `BODYSTRUCTURE`
    pub const BODY_STRUCTURE: Self = ItemMask(1 << 4);
    /// `MODSEQ`, of RFC 7162
    pub const MOD_SEQ: Self = ItemMask(1 << 5);
    /// `SAVEDATE`, of RFC 8514
    pub const SAVE_DATE: Self = ItemMask(1 << 6);
    /// `PREVIEW`, of RFC 8970
    pub const PREVIEW: Self = ItemMask(1 << 7);
    /// `EMAILID`, of RFC 8474
    pub const EMAIL_ID: Self = ItemMask(1 << 8);
    /// `THREADID`, of RFC 8474
    pub const THREAD_ID: Self = ItemMask(1 << 9);
    /// `X-GM-LABELS`, of Gmail
    pub const GMAIL_LABELS: Self = ItemMask(1 << 10);
    /// `X-GM-MSGID`, of Gmail
    pub const GMAIL_MESSAGE_ID: Self = ItemMask(1 << 11);
    /// `X-GM-THRID`, of Gmail
    pub const GMAIL_THREAD_ID: Self = ItemMask(1 << 12);
    /// `UID`
    pub const UID: Self = ItemMask(1 << 15);

    /// True when all of the other are in it.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// True when there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        ItemMask(self.0 & !other.0)
    }
}

impl BitOr for ItemMask {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        ItemMask(self.0 | other.0)
    }
}

impl BitOrAssign for ItemMask {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// The order is the one on the wire: what identifies a message comes first.
const NAMES: [(ItemMask, &str); 14] = [
    (ItemMask::UID, "UID"),
    (ItemMask::FLAGS, "FLAGS"),
    (ItemMask::INTERNAL_DATE, "INTERNALDATE"),
    (ItemMask::SIZE, "RFC822.SIZE"),
    (ItemMask::ENVELOPE, "ENVELOPE"),
    (ItemMask::BODY_STRUCTURE, "BODYSTRUCTURE"),
    (ItemMask::MOD_SEQ, "MODSEQ"),
    (ItemMask::SAVE_DATE, "SAVEDATE"),
    (ItemMask::PREVIEW, "PREVIEW"),
    (ItemMask::EMAIL_ID, "EMAILID"),
    (ItemMask::THREAD_ID, "THREADID"),
    (ItemMask::GMAIL_LABELS, "X-GM-LABELS"),
    (ItemMask::GMAIL_MESSAGE_ID, "X-GM-MSGID"),
    (ItemMask::GMAIL_THREAD_ID, "X-GM-THRID"),
];

/// Names a section that is asked for, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchSection {
    section: Section,
    /// What stands between the brackets, which servers repeat to the letter, mostly.
    wire: String,
    range: Option<(u64, u64)>,
    seen: Seen,
    encoding: Encoding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Left,
    Set,
}

/// What becomes of the transfer encoding of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// `BODY[…]`
    Left,
    /// `BINARY[…]`
    Undone,
}

impl FetchSection {
    /// All of it, as it is.
    fn new(section: Section) -> Self {
        let wire = section.to_string();
        FetchSection { section, wire, range: None, seen: Seen::Left, encoding: Encoding::Left }
    }

    /// The section.
    pub fn section(&self) -> &Section {
        &self.section
    }

    /// True when it is data of this kind, and from this octet on, that is asked for here.
    fn is_alike(&self, origin: Option<u64>, binary: bool) -> bool {
        binary == self.is_decoded() && origin == self.origin()
    }

    /// The first octet that is asked for, where it is not all of the section; the response repeats it.
    pub fn origin(&self) -> Option<u64> {
        self.range.map(|(origin, _)| origin)
    }

    /// The most octets that are asked for, where it is not all of the section.
    pub fn length(&self) -> Option<u64> {
        self.range.map(|(_, length)| length)
    }

    /// True when the server takes the transfer encoding off: `BINARY[…]`.
    pub fn is_decoded(&self) -> bool {
        self.encoding == Encoding::Undone
    }

    /// True when fetching it sets `\Seen`.
    pub fn marks_seen(&self) -> bool {
        self.seen == Seen::Set
    }
}

impl fmt::Display for FetchSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peek = if self.marks_seen() { "" } else { ".PEEK" };
        let name = if self.is_decoded() { "BINARY" } else { "BODY" };
        write!(f, "{name}{peek}[{}]", self.section)?;
        match self.range {
            Some((origin, length)) => write!(f, "<{origin}.{length}>"),
            None => Ok(()),
        }
    }
}

/// Says that a raw item would break out of its command: it is empty, holds more than printable ASCII or a brace, or its
/// quotes or parentheses don't close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fetch item can't be sent as it is")]
pub struct InvalidItem;

impl FetchItems {
    /// Asks for the UID alone.
    pub fn ids() -> Self {
        FetchItems { mask: ItemMask::UID, ..FetchItems::default() }
    }

    /// Asks for what a list of messages shows: UID, flags, date, size and envelope.
    pub fn summary() -> Self {
        FetchItems::ids().flags().internal_date().size().envelope()
    }

    /// Adds the UID, which is there anyway.
    #[must_use]
    pub fn uid(self) -> Self {
        self.with(ItemMask::UID)
    }

    /// Adds the flags.
    #[must_use]
    pub fn flags(self) -> Self {
        self.with(ItemMask::FLAGS)
    }

    /// Adds the date at which the message was received.
    #[must_use]
    pub fn internal_date(self) -> Self {
        self.with(ItemMask::INTERNAL_DATE)
    }

    /// Adds the size of the whole message.
    #[must_use]
    pub fn size(self) -> Self {
        self.with(ItemMask::SIZE)
    }

    /// Adds the envelope: the header as the server parsed it.
    #[must_use]
    pub fn envelope(self) -> Self {
        self.with(ItemMask::ENVELOPE)
    }

    /// Adds the structure of the parts.
    #[must_use]
    pub fn body_structure(self) -> Self {
        self.with(ItemMask::BODY_STRUCTURE)
    }

    /// Adds the mod-sequence; needs CONDSTORE.
    #[must_use]
    pub fn mod_seq(self) -> Self {
        self.with(ItemMask::MOD_SEQ)
    }

    /// Adds items by their mask, those of extensions among them.
    #[must_use]
    pub fn with(mut self, items: ItemMask) -> Self {
        self.mask |= items | ItemMask::UID;
        self
    }

    /// Adds the octets of a section, and leaves `\Seen` as it is.
    #[must_use]
    pub fn section(self, section: Section) -> Self {
        self.push(FetchSection::new(section))
    }

    /// Adds the octets of a section, which sets `\Seen`.
    #[must_use]
    pub fn section_marking_seen(self, section: Section) -> Self {
        self.push(FetchSection { seen: Seen::Set, ..FetchSection::new(section) })
    }

    /// Adds some octets of a section, from the octet `offset` on, counting from zero; leaves `\Seen` as it is.
    ///
    /// The protocol can't ask for no octets: of zero, one is made. Both are at most 2^63 - 1.
    #[must_use]
    pub fn partial(self, section: Section, offset: u64, length: u64) -> Self {
        self.push(FetchSection { range: Some(octets_from(offset, length)), ..FetchSection::new(section) })
    }

    /// Adds the octets of a part such as `1.2` with the transfer encoding taken off, and leaves `\Seen` as it is.
    /// The empty part is the whole message.
    ///
    /// Needs BINARY or IMAP4rev2; a server that cannot decode the part answers NO with `UNKNOWN-CTE`. RFC 3516 §4.2,
    /// RFC 9051 §6.4.5
    ///
    /// # Errors
    /// [`InvalidSection::Part`] when it is not numbers from 1 on with dots between them.
    pub fn binary(self, part: &str) -> Result<Self, InvalidSection> {
        let section = binary_section(part)?;
        Ok(self.push(FetchSection { encoding: Encoding::Undone, ..FetchSection::new(section) }))
    }

    /// Adds some octets of a decoded part; see [`binary`](Self::binary) and [`partial`](Self::partial).
    ///
    /// # Errors
    /// [`InvalidSection::Part`] when it is not numbers from 1 on with dots between them.
    pub fn binary_partial(self, part: &str, offset: u64, length: u64) -> Result<Self, InvalidSection> {
        let (section, range) = (binary_section(part)?, Some(octets_from(offset, length)));
        Ok(self.push(FetchSection { range, encoding: Encoding::Undone, ..FetchSection::new(section) }))
    }

    /// Adds the size of a decoded part, which may cost the server as much as the part itself.
    ///
    /// Needs BINARY or IMAP4rev2. RFC 3516 §4.3, RFC 9051 §6.4.5
    ///
    /// # Errors
    /// [`InvalidSection::Part`] when it is not numbers from 1 on with dots between them.
    pub fn binary_size(mut self, part: &str) -> Result<Self, InvalidSection> {
        self.mask |= ItemMask::UID;
        self.sizes.push(binary_section(part)?);
        Ok(self)
    }

    /// Adds an item as it is, for what has no method here.
    ///
    /// # Errors
    /// [`InvalidItem`] when it would break out of the command.
    pub fn raw(mut self, item: impl Into<String>) -> Result<Self, InvalidItem> {
        let item = item.into();
        if !is_contained(item.as_bytes()) {
            return Err(InvalidItem);
        }
        self.raw.push(item);
        Ok(self)
    }

    /// The items without arguments.
    pub fn mask(&self) -> ItemMask {
        self.mask | ItemMask::UID
    }

    /// True when data of one message could answer either. The UID alone is in every answer.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let nothing_else = |items: &Self| items.mask() == ItemMask::UID && items.has_no_arguments();
        let is_same = |one: &FetchSection, other: &FetchSection| {
            one.section == other.section && one.origin() == other.origin() && one.encoding == other.encoding
        };
        let same_section = |one: &FetchSection| other.sections.iter().any(|other| is_same(one, other));
        // What marks as seen tells the flags that come of it. RFC 9051 §6.4.5
        let tells_flags = |one: &Self, other: &Self| {
            let flags = (ItemMask::FLAGS | ItemMask::MOD_SEQ).0;
            one.marks_seen() && other.mask.0 & flags != 0
        };
        // What a raw item is answered with is not known.
        let is_raw = !self.raw.is_empty() || !other.raw.is_empty();
        is_raw
            || nothing_else(self)
            || nothing_else(other)
            || tells_flags(self, other)
            || tells_flags(other, self)
            || self.mask.0 & other.mask.0 & !ItemMask::UID.0 != 0
            || self.sections.iter().any(same_section)
            || self.sizes.iter().any(|size| other.sizes.contains(size))
    }

    /// True when there is nothing but what the mask names.
    pub(crate) fn has_no_arguments(&self) -> bool {
        self.sections.is_empty() && self.sizes.is_empty() && self.raw.is_empty()
    }

    /// The sections, in the order they were added.
    pub fn sections(&self) -> &[FetchSection] {
        &self.sections
    }

    /// True when a section that a response tells is among those that are asked for; see [`Section::matches_wire`].
    pub(crate) fn has_section(&self, name: &[u8], origin: Option<u64>, binary: bool) -> bool {
        // Nearly all servers write names as they were asked: that is looked at for all of them before one is read.
        self.sections.iter().any(|asked| name == asked.wire.as_bytes() && asked.is_alike(origin, binary))
            || self.sections.iter().any(|asked| asked.is_alike(origin, binary) && asked.section.matches_wire(name))
    }

    /// The raw items, in the order they were added.
    pub fn raw_items(&self) -> &[String] {
        &self.raw
    }

    /// True when fetching them changes something: `\Seen` is set.
    pub fn marks_seen(&self) -> bool {
        self.sections.iter().any(FetchSection::marks_seen)
    }

    /// The parts whose decoded size is asked for, in the order they were added.
    pub fn sizes(&self) -> &[Section] {
        &self.sizes
    }

    /// True when something of BINARY is asked for.
    pub(crate) fn needs_binary(&self) -> bool {
        !self.sizes.is_empty() || self.sections.iter().any(FetchSection::is_decoded)
    }

    fn push(mut self, section: FetchSection) -> Self {
        self.mask |= ItemMask::UID;
        self.sections.push(section);
        self
    }
}

/// The most of `number64`. RFC 9051 §9
const MOST: u64 = i64::MAX as u64;

fn octets_from(offset: u64, length: u64) -> (u64, u64) {
    (offset.min(MOST), length.clamp(1, MOST))
}

/// ```abnf
/// section-binary  = "[" [section-part] "]"
/// ```
fn binary_section(part: &str) -> Result<Section, InvalidSection> {
    if part.is_empty() { Ok(Section::whole()) } else { Section::part(part) }
}

/// True for printable ASCII that closes what it opens and can't announce a literal.
pub(super) fn is_contained(item: &[u8]) -> bool {
    let mut depth = 0usize;
    let mut quoted = false;
    let mut bytes = item.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if quoted => {
                if !bytes.next().is_some_and(|escaped| matches!(escaped, b'"' | b'\\')) {
                    return false;
                }
            }
            b'"' => quoted = !quoted,
            b' '..=b'~' if quoted => {}
            b'(' => depth += 1,
            b')' => match depth.checked_sub(1) {
                Some(outer) => depth = outer,
                None => return false,
            },
            b'{' | b'}' => return false,
            b' '..=b'~' => {}
            _ => return false,
        }
    }
    depth == 0 && !quoted && !item.trim_ascii().is_empty()
}

impl fmt::Display for FetchItems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "(";
        for (_, name) in NAMES.iter().filter(|(item, _)| self.mask().contains(*item)) {
            write!(f, "{before}{name}")?;
            before = " ";
        }
        self.sections.iter().try_for_each(|section| write!(f, " {section}"))?;
        self.sizes.iter().try_for_each(|part| write!(f, " BINARY.SIZE[{part}]"))?;
        self.raw.iter().try_for_each(|item| write!(f, " {item}"))?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn items_and_their_wire_form() {
        let part = || Section::part("1.2").unwrap();
        let table = [
            (FetchItems::ids(), "(UID)"),
            (FetchItems::default(), "(UID)"),
            (FetchItems::ids().flags(), "(UID FLAGS)"),
            (FetchItems::summary(), "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)"),
            (FetchItems::ids().mod_seq().body_structure().uid(), "(UID BODYSTRUCTURE MODSEQ)"),
            (FetchItems::ids().section(Section::whole()), "(UID BODY.PEEK[])"),
            (FetchItems::ids().section_marking_seen(Section::text()), "(UID BODY[TEXT])"),
            (FetchItems::ids().partial(part(), 0, 0), "(UID BODY.PEEK[1.2]<0.1>)"),
            (FetchItems::ids().partial(part(), 5, u64::MAX), "(UID BODY.PEEK[1.2]<5.9223372036854775807>)"),
            (FetchItems::ids().with(ItemMask::PREVIEW), "(UID PREVIEW)"),
            (FetchItems::ids().binary("1.2").unwrap(), "(UID BINARY.PEEK[1.2])"),
            (FetchItems::ids().binary("").unwrap(), "(UID BINARY.PEEK[])"),
            (FetchItems::ids().binary_partial("1", 7, 0).unwrap(), "(UID BINARY.PEEK[1]<7.1>)"),
            (FetchItems::ids().binary_size("2").unwrap(), "(UID BINARY.SIZE[2])"),
            (FetchItems::ids().raw("X-Y (a \"(\")").unwrap(), "(UID X-Y (a \"(\"))"),
        ];
        for (items, wire) in table {
            assert_eq!(items.to_string(), wire);
        }
    }

    #[test]
    fn sections_tell_where_their_answer_begins() {
        let items = FetchItems::ids().section(Section::header()).partial(Section::whole(), 512, 16);
        let origins: Vec<_> = items.sections().iter().map(FetchSection::origin).collect();
        assert_eq!(origins, [None, Some(512)]);
        assert!(!items.sections()[0].marks_seen());
    }

    #[test]
    fn a_decoded_part_is_another_than_the_same_as_it_is() {
        let part = || Section::part("1").unwrap();
        let decoded = FetchItems::ids().binary("1").unwrap();
        assert!(!decoded.overlaps(&FetchItems::ids().section(part())));
        assert!(decoded.overlaps(&decoded));
        assert!(decoded.has_section(b"1", None, true));
        assert!(!decoded.has_section(b"1", None, false));
        let size = FetchItems::ids().binary_size("1").unwrap();
        assert!(size.overlaps(&size) && !size.overlaps(&decoded));
        assert_eq!(FetchItems::ids().binary("1.MIME"), Err(InvalidSection::Part));
    }

    #[test]
    fn a_raw_item_stays_inside_its_command() {
        for item in ["", " ", "A)", "(A", "A\r\nB LOGOUT", "A{3}", "\"", "\"\\\"", "A\0", "é", "\"\\a\""] {
            assert_eq!(FetchItems::ids().raw(item), Err(InvalidItem), "{item:?}");
        }
    }

    #[test]
    fn every_item_has_a_bit_of_its_own() {
        let all = NAMES.iter().fold(ItemMask::default(), |all, (item, name)| {
            assert!(!all.contains(*item), "{name}");
            all | *item
        });
        assert!(all.without(all).is_empty());
    }
}
