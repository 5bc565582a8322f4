use crate::types::Uid;
use crate::wire::parse_number;
use crate::wire::scan::leading_number;

// RFC 9051 §9
//
// mailbox-data =/ "SEARCH" *(SP nz-number)
//
// RFC 7162 §7
//
// mailbox-data =/ "SEARCH" [1*(SP nz-number) SP "(" "MODSEQ" SP mod-sequence-value ")"]

/// Reads the numbers of a SEARCH response, one after the other.
///
/// Numbers out of range are left out (quirk 27), and a parenthesis ends them (quirk 123). A word that is
/// no number is passed over, with whatever digits are in it.
pub fn search_numbers(text: &[u8]) -> impl Iterator<Item = Uid> + '_ {
    SearchNumbers { rest: text }
}

/// Reads the mod-sequence behind the numbers of a SEARCH response; `None` where there is none. RFC 7162 §3.1.5
pub fn search_mod_seq(text: &[u8]) -> Option<u64> {
    let open = text.iter().rposition(|byte| *byte == b'(')?;
    let inner = text.get(open + 1..)?.split(|byte| *byte == b')').next()?;
    let mut words = inner.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    if !words.next()?.eq_ignore_ascii_case(b"MODSEQ") {
        return None;
    }
    parse_number(words.next()?)
}

struct SearchNumbers<'a> {
    rest: &'a [u8],
}

impl Iterator for SearchNumbers<'_> {
    type Item = Uid;

    #[inline]
    fn next(&mut self) -> Option<Uid> {
        while let Some(plain) = plain_number(self.rest) {
            self.rest = self.rest.get(plain.behind..).unwrap_or_default();
            if let Some(uid) = Uid::new(plain.number) {
                return Some(uid);
            }
        }
        self.next_odd()
    }
}

/// A number as nearly all are.
struct Plain {
    number: u32,
    /// Where the next one begins.
    behind: usize,
}

/// A number of less than eight digits that has a space behind it, read as one word.
#[inline]
fn plain_number(rest: &[u8]) -> Option<Plain> {
    let word = u64::from_le_bytes(*rest.first_chunk()?);
    let (digits @ 1..8, number) = leading_number(word) else { return None };
    let is_plain = (word >> (8 * digits)) as u8 == b' ';
    is_plain.then_some(Plain { number: number as u32, behind: digits + 1 })
}

impl SearchNumbers<'_> {
    /// The next number, however it is written.
    #[inline(never)]
    fn next_odd(&mut self) -> Option<Uid> {
        while !self.rest.is_empty() {
            let (mut number, mut len) = (0u64, 0);
            for &byte in self.rest {
                let digit = byte.wrapping_sub(b'0');
                if digit > 9 {
                    break;
                }
                number = number.saturating_mul(10).saturating_add(digit.into());
                len += 1;
            }
            let is_end = |byte: &u8| matches!(byte, b' ' | b'(');
            let is_number = len > 0 && self.rest.get(len).is_none_or(is_end);
            if !is_number {
                // Digits within a word are no number of their own: `1e400` is not message 400.
                len = self.rest.iter().position(is_end).unwrap_or(self.rest.len());
            }
            self.rest = match self.rest.get(len) {
                Some(b' ') => self.rest.get(len + 1..).unwrap_or_default(),
                _ => &[],
            };
            if let Some(uid) = u32::try_from(number).ok().filter(|_| is_number).and_then(Uid::new) {
                return Some(uid);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use core::iter;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn plain_numbers_are_what_odd_ones_are(
            words in prop::collection::vec("[0-9]{1,11}|[0-9x(]{0,9}|0{0,8}[0-9]", 0..9),
        ) {
            let text = words.join(" ");
            let mut bytewise = SearchNumbers { rest: text.as_bytes() };
            let expected: Vec<Uid> = iter::from_fn(|| bytewise.next_odd()).collect();
            prop_assert_eq!(search_numbers(text.as_bytes()).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn the_mod_sequence_stands_behind_the_numbers() {
        for (text, expected) in [
            ("2 5 6 (MODSEQ 917162500)", Some(917_162_500)),
            ("8(modseq  9 ) ", Some(9)),
            ("2 5", None),
            ("2 (MODSEQ)", None),
            ("2 (X 5)", None),
            ("2 (MODSEQ x", None),
            ("(", None),
        ] {
            assert_eq!(search_mod_seq(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn numbers_are_read_whatever_stands_between_them() {
        let table: &[(&str, &[u32])] = &[
            ("", &[]),
            (" ", &[]),
            ("7", &[7]),
            ("1 2  3 ", &[1, 2, 3]),
            ("8 (MODSEQ 9)", &[8]),
            ("8(MODSEQ 9)", &[8]),
            ("0 5 4294967296 6 99999999999999999999999", &[5, 6]),
            ("4294967295", &[u32::MAX]),
            ("5 x 6", &[5, 6]),
            ("5 x7 6 -8", &[5, 6]),
            ("1e400 9.3736e+06 2", &[2]),
            ("8:3 1:* 4,5 x(6", &[]),
        ];
        for (text, expected) in table {
            let found: Vec<u32> = search_numbers(text.as_bytes()).map(Uid::get).collect();
            assert_eq!(&found, expected, "{text}");
        }
    }
}
