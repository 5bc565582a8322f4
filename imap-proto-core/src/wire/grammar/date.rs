use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n};
use nom::character::complete::{alpha1, space0, space1};
use nom::combinator::{all_consuming, map_opt, opt, value};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

use crate::types::{Date, DateTime, MONTHS};
use crate::wire::parse_number;

/// Reads a date with time as INTERNALDATE has it, without its quotes. One digit, spaces before it, any case and a missing
/// zone are let through; a date no calendar has is `None` (quirk 86).
///
/// ```abnf
/// date-time       = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
/// ```
pub(crate) fn parse_date_time(input: &[u8]) -> Option<DateTime> {
    let zone = opt(preceded(space0, zone));
    let mut whole = all_consuming(delimited(space0, (terminated(date, space1), time, zone), space0));
    let (_, (date, (hour, minute, second), zone)) = whole.parse(input).ok()?;
    DateTime::new(date, hour, minute, second, zone.unwrap_or(0))
}

/// ```abnf
/// date-day-fixed  = (SP DIGIT) / 2DIGIT
/// date-month      = "Jan" / "Feb" / "Mar" / "Apr" / "May" / "Jun" / "Jul" / "Aug" / "Sep" / "Oct" / "Nov" / "Dec"
/// date-year       = 4DIGIT
/// ```
fn date(input: &[u8]) -> IResult<&[u8], Date> {
    let parts = (terminated(digits(1, 2), tag("-")), terminated(month, tag("-")), digits(4, 4));
    map_opt(parts, |(day, month, year)| Date::new(year, month, u8::try_from(day).ok()?)).parse(input)
}

fn month(input: &[u8]) -> IResult<&[u8], u8> {
    let number = |name: &[u8]| {
        let at = MONTHS.iter().position(|month| month.as_bytes().eq_ignore_ascii_case(name))?;
        u8::try_from(at + 1).ok()
    };
    map_opt(alpha1, number).parse(input)
}

/// ```abnf
/// time            = 2DIGIT ":" 2DIGIT ":" 2DIGIT
/// ```
fn time(input: &[u8]) -> IResult<&[u8], (u8, u8, u8)> {
    let two = || map_opt(digits(1, 2), |number| u8::try_from(number).ok());
    (terminated(two(), tag(":")), terminated(two(), tag(":")), two()).parse(input)
}

/// ```abnf
/// zone            = ("+" / "-") 4DIGIT
/// ```
fn zone(input: &[u8]) -> IResult<&[u8], i16> {
    let sign = alt((value(1, tag("+")), value(-1, tag("-"))));
    let minutes = map_opt((digits(2, 2), digits(2, 2)), |(hours, minutes)| {
        i16::try_from(hours * 60 + minutes).ok().filter(|_| minutes < 60)
    });
    (sign, minutes).map(|(sign, minutes): (i16, i16)| sign * minutes).parse(input)
}

fn digits<'a>(least: usize, most: usize) -> impl Parser<&'a [u8], Output = u16, Error = nom::error::Error<&'a [u8]>> {
    map_opt(take_while_m_n(least, most, |byte: u8| byte.is_ascii_digit()), |digits| {
        u16::try_from(parse_number(digits)?).ok()
    })
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_of_real_servers() {
        let table = [
            ("17-Jul-1996 02:44:25 -0700", Some("17-Jul-1996 02:44:25 -0700")),
            (" 8-Mar-2023 10:00:00 +0800", Some("08-Mar-2023 10:00:00 +0800")),
            ("8-Mar-2023 10:00:00 +0800", Some("08-Mar-2023 10:00:00 +0800")),
            ("08-MAR-2023  1:00:00 +0000 ", Some("08-Mar-2023 01:00:00 +0000")),
            ("08-mar-2023 10:00:60", Some("08-Mar-2023 10:00:59 +0000")),
            ("00-Jan-0000 00:00:00 +0000", None),
            ("29-Feb-2023 00:00:00 +0000", None),
            ("08-Mar-2023 24:00:00 +0000", None),
            ("08-Mar-2023 10:00:00 +0860", None),
            ("08-Mar-23 10:00:00 +0000", None),
            ("08-März-2023 10:00:00 +0000", None),
            ("2023-03-08T10:00:00Z", None),
            ("NIL", None),
            ("", None),
        ];
        for (input, expected) in table {
            let date = parse_date_time(input.as_bytes()).map(|date| date.to_string());
            assert_eq!(date.as_deref(), expected, "{input}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(input in "[ 0-9]{0,3}-[JanMarz]{3}-[0-9]{0,5} [0-9:]{0,9} [+-]?[0-9]{0,5}") {
            let _ = parse_date_time(input.as_bytes());
        }
    }
}
