use crate::types::Uid;

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
/// no number is passed over.
pub fn search_numbers(text: &[u8]) -> impl Iterator<Item = Uid> + '_ {
    SearchNumbers { rest: text }
}

struct SearchNumbers<'a> {
    rest: &'a [u8],
}

impl Iterator for SearchNumbers<'_> {
    type Item = Uid;

    #[inline]
    fn next(&mut self) -> Option<Uid> {
        loop {
            let (mut number, mut len) = (0u64, 0);
            for &byte in self.rest {
                let digit = byte.wrapping_sub(b'0');
                if digit > 9 {
                    break;
                }
                number = number.saturating_mul(10).saturating_add(digit.into());
                len += 1;
            }
            let after = self.rest.get(len).copied();
            match after {
                None if len == 0 => return None,
                Some(b'(') => self.rest = &[],
                _ => self.rest = self.rest.get(len + 1..).unwrap_or_default(),
            }
            let whole_word = len > 0 && matches!(after, None | Some(b' ' | b'('));
            if let Some(uid) = u32::try_from(number).ok().filter(|_| whole_word).and_then(Uid::new) {
                return Some(uid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

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
        ];
        for (text, expected) in table {
            let found: Vec<u32> = search_numbers(text.as_bytes()).map(Uid::get).collect();
            assert_eq!(&found, expected, "{text}");
        }
    }
}
