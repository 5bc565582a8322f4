use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::character::complete::u32 as number;
use nom::combinator::{map, opt, value};
use nom::multi::fold_many0;
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

use alloc::vec::Vec;

use crate::types::{Identifier, Set};

/// A number as it stands in a set; zero is sent by servers that have nothing to say (quirk 36).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number<T> {
    Zero,
    Id(T),
    Last,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range<T> {
    Nothing,
    Closed(T, T),
    From(T),
}

/// Reads a set that is all there is, in any order; `None` where it is none.
///
/// Empty elements and zeros are passed over, reversed ranges turned (quirks 34, 36, 123).
pub(crate) fn parse_set<T: Identifier>(input: &[u8]) -> Option<Set<T>> {
    let (rest, set) = sequence_set(input).ok()?;
    rest.trim_ascii().is_empty().then_some(set)
}

/// ```abnf
/// sequence-set    = (seq-number / seq-range) ["," sequence-set]
/// ```
pub(crate) fn sequence_set<T: Identifier>(input: &[u8]) -> IResult<&[u8], Set<T>> {
    let mut set = Set::new();
    let mut open = Set::new();
    let mut rest = input;
    set.extend_ranges(core::iter::from_fn(|| {
        loop {
            let (after, range) = element::<T>(rest).ok()?;
            rest = after;
            match range {
                Range::Nothing => {}
                Range::Closed(one, other) => return Some((one, other)),
                Range::From(start) => open.insert_from(start),
            }
        }
    }));
    if let Some(start) = open.open_start() {
        set.insert_from(start);
    }
    Ok((rest, set))
}

/// Reads the ranges of a set in the order they have on the wire; `None` inside them ends in `*`.
///
/// ```abnf
/// uid-set         = (uniqueid / uid-range) *("," uid-set)
/// uid-range       = (uniqueid ":" uniqueid)
/// ```
pub(crate) fn uid_set<T: Identifier>(input: &[u8]) -> IResult<&[u8], Vec<(T, T)>> {
    fold_many0(element::<T>, Vec::new, |mut ranges, range| {
        if let Range::Closed(one, other) = range {
            ranges.push((one.min(other), one.max(other)));
        }
        ranges
    })
    .parse(input)
}

/// ```abnf
/// seq-range       = seq-number ":" seq-number
/// ```
fn element<T: Identifier>(input: &[u8]) -> IResult<&[u8], Range<T>> {
    alt((
        value(Range::Nothing, tag(",")),
        map(terminated((seq_number::<T>, opt(preceded(tag(":"), seq_number::<T>))), opt(tag(","))), |(one, other)| {
            match (one, other.unwrap_or(one)) {
                (Number::Id(one), Number::Id(other)) => Range::Closed(one, other),
                (Number::Last, Number::Id(id)) | (Number::Id(id), Number::Last) => Range::From(id),
                (Number::Last, _) | (_, Number::Last) => Range::From(T::wrap(core::num::NonZeroU32::MAX)),
                (Number::Zero, Number::Id(id)) | (Number::Id(id), Number::Zero) => Range::Closed(id, id),
                (Number::Zero, Number::Zero) => Range::Nothing,
            }
        }),
    ))
    .parse(input)
}

/// ```abnf
/// seq-number      = nz-number / "*"
/// ```
fn seq_number<T: Identifier>(input: &[u8]) -> IResult<&[u8], Number<T>> {
    let number = map(number, |number| T::from_number(number).map_or(Number::Zero, Number::Id));
    alt((value(Number::Last, tag("*")), number)).parse(input)
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use proptest::prelude::*;

    use crate::types::{Uid, UidSet};

    use super::*;

    #[test]
    fn sets_are_read_whatever_their_order() {
        let table: &[(&str, Option<&str>)] = &[
            ("1", Some("1")),
            ("2,4:7,9,12:*", Some("2,4:7,9,12:*")),
            ("*:4,5:7", Some("4:*")),
            ("*", Some("*")),
            ("8:3", Some("3:8")),
            ("1:*", Some("1:*")),
            ("*:*", Some("*")),
            ("5,5,4", Some("4:5")),
            ("007", Some("7")),
            ("0", Some("")),
            ("0:3", Some("3")),
            ("1,,3,", Some("1,3")),
            ("", Some("")),
            ("4294967295", Some("4294967295")),
            ("4294967296", None),
            ("1;2", None),
            ("1:", None),
            ("-1", None),
            ("a", None),
        ];
        for (input, expected) in table {
            let set = parse_set::<Uid>(input.as_bytes()).map(|set| set.to_string());
            assert_eq!(set.as_deref(), *expected, "{input}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(ids in prop::collection::vec(1u32..100, 0..30), open in prop::option::of(1u32..=u32::MAX)) {
            let mut set: UidSet = ids.into_iter().filter_map(Uid::new).collect();
            open.and_then(Uid::new).into_iter().for_each(|start| set.insert_from(start));
            prop_assert_eq!(parse_set(set.to_string().as_bytes()), Some(set));
        }

        #[test]
        fn nothing_panics(input in prop::collection::vec(prop::sample::select(b"0123456789:*, -".to_vec()), 0..30)) {
            let _ = parse_set::<Uid>(&input);
            let _ = uid_set::<Uid>(&input);
        }
    }
}
