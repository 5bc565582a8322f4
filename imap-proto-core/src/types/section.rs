use alloc::vec::Vec;
use core::fmt;
use core::num::NonZeroU32;

use super::Caseless;
use crate::wire::grammar::section::{SectionName, section_fields, section_name};
use crate::wire::is_atom;

/// Names a piece of a message: all of it, its header or text, or the same of one of its parts.
///
/// `Display` is what stands between the brackets of `BODY[…]`. RFC 9051 §6.4.5.1
///
/// ```
/// use imap_proto_core::types::Section;
///
/// assert_eq!(Section::whole().to_string(), "");
/// assert_eq!(Section::part("1.2")?.to_string(), "1.2");
/// assert_eq!(Section::header_fields(["From", "Subject"])?.in_part("3")?.to_string(), "3.HEADER.FIELDS (From Subject)");
/// # Ok::<(), imap_proto_core::types::InvalidSection>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Section {
    path: Vec<NonZeroU32>,
    text: SectionText,
}

/// Says what of a message or part a [`Section`] is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SectionText {
    /// All of it; of a part, its content.
    Whole,
    /// The header; of a part that is itself a message.
    Header,
    /// Only these fields of the header.
    HeaderFields(Vec<Caseless>),
    /// The header without these fields.
    HeaderFieldsNot(Vec<Caseless>),
    /// The body without the header; of a part that is itself a message.
    Text,
    /// The MIME header of a part.
    Mime,
}

/// Says why there is no such section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSection {
    /// The name of a header field is no atom.
    #[error("header field name is no atom")]
    Field,
    /// There is no header field at all.
    #[error("no header field is named")]
    NoField,
    /// A part is not numbers from 1 on with dots between them.
    #[error("part is not numbers joined by dots")]
    Part,
}

impl Section {
    /// Returns the whole message, `BODY[]`.
    pub const fn whole() -> Self {
        Section { path: Vec::new(), text: SectionText::Whole }
    }

    /// Returns the header.
    pub const fn header() -> Self {
        Section { path: Vec::new(), text: SectionText::Header }
    }

    /// Returns the body without the header.
    pub const fn text() -> Self {
        Section { path: Vec::new(), text: SectionText::Text }
    }

    /// Returns those fields of the header.
    ///
    /// # Errors
    /// [`InvalidSection`] when there are none, or one is no atom.
    pub fn header_fields<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Result<Self, InvalidSection> {
        Ok(Section { path: Vec::new(), text: SectionText::HeaderFields(fields(names)?) })
    }

    /// Returns the header without those fields.
    ///
    /// # Errors
    /// [`InvalidSection`] when there are none, or one is no atom.
    pub fn header_fields_not<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Result<Self, InvalidSection> {
        Ok(Section { path: Vec::new(), text: SectionText::HeaderFieldsNot(fields(names)?) })
    }

    /// Returns the content of a part such as `1.2`, as it is encoded in the message.
    ///
    /// # Errors
    /// [`InvalidSection::Part`] when it is not numbers from 1 on with dots between them.
    pub fn part(part: &str) -> Result<Self, InvalidSection> {
        Section::whole().in_part(part)
    }

    /// Returns the MIME header of a part.
    ///
    /// # Errors
    /// [`InvalidSection::Part`] when it is not numbers from 1 on with dots between them.
    pub fn mime(part: &str) -> Result<Self, InvalidSection> {
        Ok(Section { path: path(part)?, text: SectionText::Mime })
    }

    /// Turns it into the same of a part that is itself a message.
    ///
    /// # Errors
    /// [`InvalidSection::Part`] when it is not numbers from 1 on with dots between them.
    pub fn in_part(self, part: &str) -> Result<Self, InvalidSection> {
        Ok(Section { path: path(part)?, ..self })
    }

    /// The numbers of the part; none for the message itself.
    pub fn path(&self) -> &[NonZeroU32] {
        &self.path
    }

    /// What of the message or part it is.
    pub fn kind(&self) -> &SectionText {
        &self.text
    }

    /// True when the text between the brackets of a response names this section, whatever its case, its quotes and the
    /// order of its fields (quirk 85).
    pub fn matches_wire(&self, wire: &[u8]) -> bool {
        let Some((name, rest)) = section_name(wire, self.path.iter().map(|number| number.get())) else { return false };
        match (&self.text, name) {
            (SectionText::Whole, SectionName::Whole)
            | (SectionText::Header, SectionName::Header)
            | (SectionText::Text, SectionName::Text)
            | (SectionText::Mime, SectionName::Mime) => rest.trim_ascii().is_empty(),
            (SectionText::HeaderFields(names), SectionName::HeaderFields)
            | (SectionText::HeaderFieldsNot(names), SectionName::HeaderFieldsNot) => {
                section_fields(rest).is_some_and(|wire| are_same(names, &wire))
            }
            _ => false,
        }
    }
}

fn are_same(names: &[Caseless], wire: &[&[u8]]) -> bool {
    let is = |name: &Caseless, other: &[u8]| name.as_str().as_bytes().eq_ignore_ascii_case(other);
    wire.iter().all(|other| names.iter().any(|name| is(name, other)))
        && names.iter().all(|name| wire.iter().any(|other| is(name, other)))
}

fn fields<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Result<Vec<Caseless>, InvalidSection> {
    let field = |name: N| match name.as_ref() {
        name if is_atom(name.as_bytes()) => Ok(Caseless::from(name)),
        _ => Err(InvalidSection::Field),
    };
    let fields = names.into_iter().map(field).collect::<Result<Vec<_>, _>>()?;
    if fields.is_empty() { Err(InvalidSection::NoField) } else { Ok(fields) }
}

fn path(part: &str) -> Result<Vec<NonZeroU32>, InvalidSection> {
    let number = |number: &str| match number.bytes().all(|byte| byte.is_ascii_digit()) {
        true => number.parse().map_err(|_| InvalidSection::Part),
        false => Err(InvalidSection::Part),
    };
    part.split('.').map(number).collect()
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut dot = "";
        for number in &self.path {
            write!(f, "{dot}{number}")?;
            dot = ".";
        }
        let (name, fields) = match &self.text {
            SectionText::Whole => return Ok(()),
            SectionText::Header => ("HEADER", &[][..]),
            SectionText::HeaderFields(fields) => ("HEADER.FIELDS", &fields[..]),
            SectionText::HeaderFieldsNot(fields) => ("HEADER.FIELDS.NOT", &fields[..]),
            SectionText::Text => ("TEXT", &[][..]),
            SectionText::Mime => ("MIME", &[][..]),
        };
        write!(f, "{dot}{name}")?;
        for (at, field) in fields.iter().enumerate() {
            write!(f, "{}{field}", if at == 0 { " (" } else { " " })?;
        }
        if fields.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_may_not_be_sent_is_refused() {
        for part in ["", "0", "1.", ".1", "1..2", "+1", "1.a", "4294967296", "1]"] {
            assert_eq!(Section::part(part), Err(InvalidSection::Part), "{part}");
        }
        for field in ["", "a b", "a\r\n", "a]", "a\"", "é"] {
            assert_eq!(Section::header_fields([field]), Err(InvalidSection::Field), "{field}");
        }
        assert_eq!(Section::header_fields_not::<&str>([]), Err(InvalidSection::NoField));
    }

    #[test]
    fn responses_are_matched_loosely() {
        let fields = Section::header_fields(["X", "Foo"]).unwrap();
        let table = [
            (Section::whole(), "", true),
            (Section::whole(), "1", false),
            (Section::whole(), "TEXT", false),
            (Section::part("1.2").unwrap(), "1.2", true),
            (Section::part("1.2").unwrap(), "01.2", true),
            (Section::part("1.2").unwrap(), "1", false),
            (Section::part("1.2").unwrap(), "1.2.3", false),
            (Section::part("1.2").unwrap(), "1.2.MIME", false),
            (Section::mime("1").unwrap(), "1.mime", true),
            (Section::header(), "Header", true),
            (Section::header(), "HEADER.FIELDS (X)", false),
            (fields.clone(), "HEADER.FIELDS (X Foo)", true),
            (fields.clone(), "header.fields ( \"foo\"  x )", true),
            (fields.clone(), "HEADER.FIELDS(FOO X)", true),
            (fields.clone(), "HEADER.FIELDS FOO X", true),
            (fields.clone(), "HEADER.FIELDS (\"X\" {3}\r\nFoo)", true),
            (fields.clone(), "HEADER.FIELDS (X)", false),
            (fields.clone(), "HEADER.FIELDS (X Foo Bar)", false),
            (fields.clone(), "HEADER.FIELDS (X {9}\r\nFoo)", false),
            (fields.clone(), "HEADER.FIELDS.NOT (X Foo)", false),
            (fields.clone().in_part("2").unwrap(), "2.HEADER.FIELDS (X Foo)", true),
            (fields, "2.HEADER.FIELDS (X Foo)", false),
        ];
        for (section, wire, expected) in table {
            assert_eq!(section.matches_wire(wire.as_bytes()), expected, "{section:?} {wire}");
        }
    }

    fn any_section() -> impl Strategy<Value = Section> {
        let names = || prop::collection::vec("[A-Za-z-]{1,4}", 1..4);
        let text = prop_oneof![
            Just(Section::whole()),
            Just(Section::header()),
            Just(Section::text()),
            Just(Section::mime("1").unwrap()),
            names().prop_map(|names| Section::header_fields(names).unwrap()),
            names().prop_map(|names| Section::header_fields_not(names).unwrap()),
        ];
        (text, prop_oneof![Just(""), Just("1"), Just("2.10.3")]).prop_map(|(section, part)| match part {
            "" => section,
            part => section.in_part(part).unwrap(),
        })
    }

    proptest! {
        #[test]
        fn a_section_matches_its_own_wire_form_and_no_other(one in any_section(), other in any_section()) {
            prop_assert!(one.matches_wire(one.to_string().as_bytes()));
            if one.path() != other.path() || core::mem::discriminant(one.kind()) != core::mem::discriminant(other.kind()) {
                prop_assert!(!one.matches_wire(other.to_string().as_bytes()));
            }
        }

        #[test]
        fn nothing_panics(one in any_section(), wire in "[0-9.]{0,3}(HEADER.FIELDS)?[ ()\"{}0-9a\r\n\\\\]{0,12}") {
            let _ = one.matches_wire(wire.as_bytes());
        }
    }
}
