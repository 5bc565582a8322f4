use nom::branch::alt;
use nom::bytes::complete::{tag_no_case, take_till1, take_while};
use nom::combinator::{all_consuming, map, opt, rest};
use nom::multi::fold_many0;
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

use crate::types::{Capabilities, Capability, Caseless};
use crate::wire::{decode, parse_number};

/// Reads capabilities with any spaces between them; a lone `+` belongs to a `LITERAL` before it that can't be trusted
/// (quirks 4, 22, 57).
///
/// ```abnf
/// capability-data = "CAPABILITY" *(SP capability) SP "IMAP4rev2" *(SP capability)
/// ```
pub(crate) fn capability_list(input: &[u8]) -> Capabilities {
    let atom = terminated(take_till1(is_space), take_while(is_space));
    let mut list = preceded(
        take_while(is_space),
        fold_many0(atom, Capabilities::new, |mut all, atom: &[u8]| {
            if atom != b"+" {
                all.insert(capability(atom));
            }
            all
        }),
    );
    list.parse(input).map_or_else(|_: nom::Err<()>| Capabilities::new(), |(_, all)| all)
}

/// Reads one capability, whatever it is.
///
/// ```abnf
/// capability      = ("AUTH=" auth-type) / atom
/// ```
pub(crate) fn capability(input: &[u8]) -> Capability {
    if let Some(known) = Capability::named(input) {
        return known;
    }
    match all_consuming(with_value).parse(input) {
        Ok((_, capability)) => capability,
        Err(_) => Capability::Other(caseless(input)),
    }
}

fn with_value(input: &[u8]) -> IResult<&[u8], Capability> {
    let limit = opt(preceded(tag_no_case("="), rest));
    alt((
        map(preceded(tag_no_case("AUTH="), rest), |mechanism| Capability::Auth(caseless(mechanism))),
        map(preceded(tag_no_case("THREAD="), rest), |algorithm| Capability::Thread(caseless(algorithm))),
        map(preceded(tag_no_case("APPENDLIMIT"), limit), |limit| Capability::AppendLimit(limit.and_then(parse_number))),
    ))
    .parse(input)
}

fn caseless(text: &[u8]) -> Caseless {
    Caseless::new(decode(text))
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace()
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn lists_are_read_with_what_servers_put_between() {
        let table = [
            ("", ""),
            ("   ", ""),
            ("IMAP4 ID ", "ID IMAP4"),
            (" imap4REV1   idle", "IMAP4rev1 IDLE"),
            ("IDLE LITERAL + ID", "IDLE ID LITERAL"),
            ("ID ID id", "ID"),
            ("APPENDLIMIT=", "APPENDLIMIT"),
            ("APPENDLIMIT=99999999999999999999", "APPENDLIMIT"),
            ("APPENDLIMITS", "APPENDLIMITS"),
            ("AUTH=", "AUTH="),
            ("AUTH", "AUTH"),
            ("XÉ", "XÉ"),
        ];
        for (wire, expected) in table {
            assert_eq!(capability_list(wire.as_bytes()).to_string(), expected, "{wire}");
        }
    }
}
