use alloc::vec::Vec;

use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take, take_while, take_while1};
use nom::character::complete::{char, digit1, line_ending, space0};
use nom::combinator::{all_consuming, eof, map_opt, opt, peek, value};
use nom::multi::many0;
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

use crate::wire::parse_number;

/// What a section is, apart from its part and its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SectionName {
    Whole,
    Header,
    HeaderFields,
    HeaderFieldsNot,
    Text,
    Mime,
}

/// Reads the text between brackets up to the fields, when its part has exactly these numbers.
///
/// ```abnf
/// section-spec    = section-msgtext / (section-part ["." section-text])
/// section-part    = nz-number *("." nz-number)
/// section-text    = section-msgtext / "MIME"
/// ```
pub(crate) fn section_name(input: &[u8], path: impl Iterator<Item = u32>) -> Option<(SectionName, &[u8])> {
    let mut rest = input.trim_ascii();
    for expected in path {
        let (after, found) = part_number(rest).ok()?;
        if found != u64::from(expected) {
            return None;
        }
        rest = after;
    }
    section_text(rest).ok().map(|(rest, name)| (name, rest))
}

fn part_number(input: &[u8]) -> IResult<&[u8], u64> {
    terminated(map_opt(digit1, parse_number), alt((tag("."), peek(eof)))).parse(input)
}

/// ```abnf
/// section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
/// ```
fn section_text(input: &[u8]) -> IResult<&[u8], SectionName> {
    let name = |name, found| value(found, tag_no_case(name));
    alt((
        value(SectionName::Whole, eof),
        name("HEADER.FIELDS.NOT", SectionName::HeaderFieldsNot),
        name("HEADER.FIELDS", SectionName::HeaderFields),
        name("HEADER", SectionName::Header),
        name("TEXT", SectionName::Text),
        name("MIME", SectionName::Mime),
    ))
    .parse(input)
}

/// Reads the names of header fields, with or without parentheses; as atoms, quoted or literals (quirk 85).
///
/// ```abnf
/// header-list     = "(" header-fld-name *(SP header-fld-name) ")"
/// ```
pub(crate) fn section_fields(input: &[u8]) -> Option<Vec<&[u8]>> {
    let fields = many0(preceded(space0, field));
    let list = delimited((space0, opt(char('('))), fields, (space0, opt(char(')')), space0));
    all_consuming(list).parse(input).ok().map(|(_, fields)| fields)
}

/// ```abnf
/// header-fld-name = astring
/// ```
fn field(input: &[u8]) -> IResult<&[u8], &[u8]> {
    alt((
        literal,
        delimited(char('"'), take_while(|byte| byte != b'"'), char('"')),
        take_while1(|byte| !matches!(byte, b' ' | b'(' | b')' | b'"' | b'{')),
    ))
    .parse(input)
}

fn literal(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let length = map_opt(digit1, |digits| usize::try_from(parse_number(digits)?).ok());
    let (rest, length) = delimited(char('{'), length, (opt(char('+')), char('}'), line_ending)).parse(input)?;
    take(length).parse(rest)
}
