//! How the tokenizer looks for the ends of things: by class of byte, and by words of eight bytes.

use memchr::{memchr, memchr2};

use super::literal::MOST_JUNK;

const TEXT: u8 = 0;
pub(super) const TILDE: u8 = 1;
pub(super) const BRACE: u8 = 2;
pub(super) const BRACKET: u8 = 3;
pub(super) const SPACE: u8 = 4;
pub(super) const OPEN: u8 = 5;
pub(super) const CLOSE: u8 = 6;
pub(super) const QUOTE: u8 = 7;

/// What a byte means to the scanner. All up to [`TILDE`] go on with an atom for certain.
pub(super) static CLASS: [u8; 256] = {
    let mut class = [TEXT; 256];
    class[b'{' as usize] = BRACE;
    class[b'~' as usize] = TILDE;
    class[b'[' as usize] = BRACKET;
    class[b' ' as usize] = SPACE;
    class[b'\t' as usize] = SPACE;
    class[b'\r' as usize] = SPACE;
    class[b'\n' as usize] = SPACE;
    class[b'(' as usize] = OPEN;
    class[b')' as usize] = CLOSE;
    class[b'"' as usize] = QUOTE;
    class
};

#[cfg(test)]
std::thread_local! {
    /// How many bytes were looked at on this thread, each time counted.
    pub(super) static LOOKED: core::cell::Cell<u64> = const { core::cell::Cell::new(0) };
}

/// Counts bytes that were looked at, in tests alone.
#[inline]
pub(super) fn looked(bytes: usize) {
    #[cfg(test)]
    LOOKED.set(LOOKED.get() + bytes as u64);
    let _ = bytes;
}

/// So many times eight bytes are looked through by words; memchr needs more to earn its call.
const WORDS: usize = 4;

/// Where the next quote at or behind `from` is, or the end.
#[inline(always)]
pub(super) fn next_quote(frame: &[u8], from: usize) -> usize {
    let mut at = from;
    for _ in 0..WORDS {
        let Some(word) = word_at(frame, at) else { return next_quote_at_end(frame, at) };
        let found = bytes_equal(word, b'"');
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = frame.get(at..).unwrap_or_default();
    at + memchr(b'"', rest).unwrap_or(rest.len())
}

#[inline(always)]
fn next_quote_at_end(frame: &[u8], at: usize) -> usize {
    match bytes_equal(last_word(frame, at), b'"') {
        0 => frame.len(),
        found => at + found.trailing_zeros() as usize / 8,
    }
}

/// The eight bytes at a place, where there are so many.
#[inline(always)]
fn word_at(frame: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*frame.get(at..)?.first_chunk()?))
}

/// The last bytes of a frame, of which there are fewer than eight at or behind `at`, with zeros behind them.
#[inline(always)]
pub(super) fn last_word(frame: &[u8], at: usize) -> u64 {
    let len = frame.len().saturating_sub(at);
    match frame.last_chunk() {
        // What lies before them is shifted out, without a branch on how many there are.
        Some(word) if len > 0 => u64::from_le_bytes(*word) >> (64 - 8 * len.min(8)),
        Some(_) => 0,
        None => {
            let mut word = [0; 8];
            frame.get(at..).unwrap_or_default().iter().zip(&mut word).for_each(|(byte, to)| *to = *byte);
            u64::from_le_bytes(word)
        }
    }
}

/// What has fewer bytes is looked through by blocks where a search begins anew for it.
const SHORT: usize = 64;

/// Where the first backslash at or behind `from` is, or the end.
pub(super) fn first_backslash(frame: &[u8], from: usize) -> usize {
    let rest = frame.get(from..).unwrap_or_default();
    if rest.len() >= SHORT {
        return from + memchr(b'\\', rest).unwrap_or(rest.len());
    }
    if has_no_backslash(rest) {
        return frame.len();
    }
    from + rest.iter().position(|byte| *byte == b'\\').unwrap_or(rest.len())
}

/// True where there is none in at most [`SHORT`] bytes, without a branch on just how many there are: blocks may overlap.
#[inline(always)]
fn has_no_backslash(rest: &[u8]) -> bool {
    let ends = |bytes: &[u8]| Some(has_any(bytes.first_chunk()?, b"\\") | has_any(bytes.last_chunk()?, b"\\"));
    let Some(found) = ends(rest) else { return !rest.contains(&b'\\') };
    if rest.len() <= 2 * BLOCK {
        return !found;
    }
    let second = rest[BLOCK..].first_chunk().is_some_and(|block| has_any(block, b"\\"));
    let second_last = rest[..rest.len() - BLOCK].last_chunk().is_some_and(|block| has_any(block, b"\\"));
    !(found | second | second_last)
}

/// So many bytes are compared in one instruction where there are such.
pub(super) const BLOCK: usize = 16;

/// True where one of the bytes is in the block, without a branch on any.
#[inline(always)]
pub(super) fn has_any(block: &[u8; BLOCK], bytes: &[u8]) -> bool {
    block.iter().fold(false, |found, byte| bytes.iter().fold(found, |found, one| found | (byte == one)))
}

/// Where the next quote or backslash is.
pub(super) fn quote_or_backslash(frame: &[u8], from: usize) -> Option<usize> {
    Some(from + memchr2(b'"', b'\\', frame.get(from..)?)?)
}

/// The atom that begins at `from` reaches at least so far. What is there may end it, as all bytes do that can, or not.
#[inline(always)]
pub(super) fn atom_until(frame: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(word) = word_at(frame, at) {
        match may_end_atom(word) {
            0 => at += 8,
            ends => return at + ends.trailing_zeros() as usize / 8,
        }
    }
    // The zeros behind it would end it as well.
    at + may_end_atom(last_word(frame, at)).trailing_zeros() as usize / 8
}

/// Sets the highest bit of the first byte that may end an atom: what is at most a quote, one of the parentheses, which
/// differ in the last bit, or a bracket or brace, which differ in another.
#[inline(always)]
fn may_end_atom(word: u64) -> u64 {
    bytes_below(word, b'"' + 1) | bytes_equal(word & !ONES, b'(') | bytes_equal(word | ONES << 5, b'{')
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);

/// Sets the highest bit of the first byte that is below `least`, which is ASCII, and of none before it.
#[inline]
fn bytes_below(word: u64, least: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(least)) & !word & (ONES << 7)
}

/// Sets the highest bit of the first byte that equals `byte`, and of none before it.
#[inline]
fn bytes_equal(word: u64, byte: u8) -> u64 {
    bytes_below(word ^ (ONES * u64::from(byte)), 1)
}

/// How many digits come first in a word, and the number that they are.
#[inline]
pub(super) fn leading_number(word: u64) -> (usize, usize) {
    let digits = word ^ (ONES * u64::from(b'0'));
    // The first byte above nine is found; what it carries over is behind it.
    let others = (digits.wrapping_add(ONES * 0x76) | digits) & (ONES << 7);
    let count = others.trailing_zeros() / 8;
    // Zeros in front, then pairs, fours and all eight of them are made one.
    let digits = digits.checked_shl(64 - 8 * count).unwrap_or(0);
    let pairs = (digits.wrapping_mul(10).wrapping_add(digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_ffff_0000_ffff;
    (count as usize, (fours.wrapping_mul(10_000).wrapping_add(fours >> 32)) as u32 as usize)
}

/// How many bytes of a word that ends in `{n}` these are, and the number.
#[inline(always)]
pub(super) fn literal_at_end(word: u64) -> Option<(usize, usize)> {
    // From its end on, so that what is found first is the last brace.
    let braces = bytes_equal(word.swap_bytes(), b'{');
    let before = braces.trailing_zeros() / 8;
    let (digits @ 1.., number) = leading_number(word.checked_shr(64 - 8 * before)?) else { return None };
    let is_literal = braces != 0 && digits + 1 == before as usize && word >> 56 == u64::from(b'}');
    is_literal.then_some((before as usize + 1, number))
}

/// Where the next line feed is, which is near.
#[inline]
pub(super) fn near_line_feed(text: &[u8]) -> Option<usize> {
    let Some((word, rest)) = text.split_first_chunk() else { return memchr(b'\n', text) };
    match bytes_equal(u64::from_le_bytes(*word), b'\n') {
        0 => Some(word.len() + memchr(b'\n', rest)?),
        found => Some(found.trailing_zeros() as usize / 8),
    }
}

/// Where the next byte is that means something in a section: its bracket, a quote or a brace.
#[inline]
pub(super) fn next_in_section(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*word);
        let found = bytes_equal(word, b']') | bytes_equal(word, b'"') | bytes_equal(word, b'{');
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let last = text.get(at..).unwrap_or_default();
    last.iter().position(|byte| matches!(byte, b']' | b'"' | b'{')).map(|found| at + found)
}

/// What `rest`, which is behind the brace of a literal, says of its length, and how many bytes are before its octets.
/// `None` where it is no literal.
#[inline]
pub(super) fn literal_header(rest: &[u8]) -> Option<(usize, usize)> {
    // As nearly all servers write it.
    if let Some(word) = rest.first_chunk()
        && let (digits @ 1..8, len) = leading_number(u64::from_le_bytes(*word))
        && rest[digits..].starts_with(b"}\r\n")
    {
        looked(digits + 1);
        return Some((len, digits + 3));
    }
    odd_literal_header(rest)
}

fn odd_literal_header(rest: &[u8]) -> Option<(usize, usize)> {
    let mut len = 0usize;
    for (digits, byte) in rest.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            looked(digits + 1);
            let behind = header_length(&rest[digits..])?;
            return (digits > 0).then_some((len, digits + behind));
        }
        len = len.saturating_mul(10).saturating_add(digit.into());
    }
    looked(rest.len());
    None
}

/// The length of `"+"? SP* "}" SP* CRLF`, what follows the digits of a literal. A line feed alone will do.
fn header_length(rest: &[u8]) -> Option<usize> {
    let plus = usize::from(rest.first() == Some(&b'+'));
    let inside = spaces(&rest[plus..]);
    let rest = rest[plus + inside..].strip_prefix(b"}")?;
    let behind = spaces(rest);
    let line_end = match &rest[behind..] {
        [b'\r', b'\n', ..] => 2,
        [b'\n', ..] => 1,
        _ => return None,
    };
    Some(plus + inside + 1 + behind + line_end)
}

fn spaces(bytes: &[u8]) -> usize {
    bytes.iter().take(MOST_JUNK).take_while(|b| **b == b' ').count()
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_are_looked_through_as_bytes_are(text in "[\\x00-\\x7f]{0,80}|[a-e\"{\\]\\n\\\\\u{fa}]{0,40}") {
            let text = text.as_bytes();
            let first = |wanted: &[u8]| text.iter().position(|byte| wanted.contains(byte));
            prop_assert_eq!(near_line_feed(text), first(b"\n"));
            prop_assert_eq!(next_in_section(text), first(b"]\"{"));
            for from in 0..=text.len() {
                let first = |wanted: fn(&u8) -> bool| text[from..].iter().position(wanted).map_or(text.len(), |at| from + at);
                prop_assert_eq!(next_quote(text, from), first(|byte| *byte == b'"'));
                prop_assert_eq!(first_backslash(text, from), first(|byte| *byte == b'\\'));
                prop_assert!(atom_until(text, from) <= first(|byte| CLASS[*byte as usize] > TILDE));
            }
        }

        #[test]
        fn a_literal_header_is_the_same_in_words_and_in_bytes(
            text in "[0-9]{0,12}(\\+|)( |)(\\}|)( |)(\r\n|\n|)[a-z]{0,9}|[0-9/:\u{ff}}\r\n]{0,20}",
        ) {
            prop_assert_eq!(literal_header(text.as_bytes()), odd_literal_header(text.as_bytes()));
        }

        #[test]
        fn a_literal_is_known_by_the_end_of_a_word(text in "[0-9{}]{8}|[0-9]{7}\\}|[a-z{~]{0,8}\\{[0-9]{0,6}\\}") {
            let bytes = text.as_bytes();
            let word = u64::from_le_bytes(*bytes.last_chunk().unwrap_or(b"       x"));
            let inner = text.strip_suffix('}').and_then(|rest| rest.rsplit_once('{')).map(|(_, digits)| digits);
            let inner = inner.filter(|digits| bytes.len() >= 8 && (1..=6).contains(&digits.len()));
            let expected = inner.and_then(|digits| Some((digits.len() + 2, digits.parse::<usize>().ok()?)));
            prop_assert_eq!(literal_at_end(word), expected);
        }

        #[test]
        fn a_number_is_read_from_a_word(digits in "[0-9]{0,8}", behind in any::<[u8; 8]>()) {
            let bytes: Vec<u8> = digits.bytes().chain(behind).take(8).collect();
            let word = u64::from_le_bytes(bytes.clone().try_into().expect("eight bytes"));
            let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let number = bytes[..count].iter().fold(0, |number, byte| number * 10 + usize::from(byte - b'0'));
            prop_assert_eq!(leading_number(word), (count, number));
        }
    }
}
