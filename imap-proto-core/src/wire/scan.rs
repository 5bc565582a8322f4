//! How the tokenizer looks for the ends of things: by class of byte, and by words of eight bytes.

use memchr::{memchr, memchr2};

use super::literal::MOST_JUNK;

const TEXT: u8 = 0;
pub(super) const TILDE: u8 = 1;
pub(super) const BRACE: u8 = 2;
const BRACKET: u8 = 3;
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

/// Where the next quote is, or the end.
#[inline(always)]
pub(super) fn next_quote(text: &[u8]) -> usize {
    let mut at = 0;
    for word in text.as_chunks().0.iter().take(WORDS) {
        let found = bytes_equal(u64::from_le_bytes(*word), b'"');
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = &text[at..];
    at + memchr(b'"', rest).unwrap_or(rest.len())
}

/// What has fewer bytes is looked through by words where a search begins anew for it.
const SHORT: usize = 64;

/// Where the first backslash is, or the end.
pub(super) fn first_backslash(text: &[u8]) -> usize {
    if text.len() >= SHORT {
        return memchr(b'\\', text).unwrap_or(text.len());
    }
    let (words, last) = text.as_chunks();
    for (at, word) in words.iter().enumerate() {
        let found = bytes_equal(u64::from_le_bytes(*word), b'\\');
        if found != 0 {
            return at * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    words.len() * 8 + last.iter().position(|byte| *byte == b'\\').unwrap_or(last.len())
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

/// How many bytes the atom has that `rest` begins with, or how many come before a bracket or brace in it.
#[inline(always)]
pub(super) fn atom_length(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(word) = rest.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*word);
        // What ends an atom is at most a quote, one of the parentheses, which differ in the last bit, or a bracket or
        // brace, which differ in another.
        let ends = bytes_below(word, b'"' + 1) | bytes_equal(word & !ONES, b'(') | bytes_equal(word | ONES << 5, b'{');
        at += ends.trailing_zeros() as usize / 8;
        if ends != 0 {
            if CLASS[rest[at] as usize] > TILDE {
                return at;
            }
            at += 1;
        }
    }
    let last = rest.get(at..).unwrap_or_default();
    at + last.iter().position(|byte| CLASS[*byte as usize] > TILDE).unwrap_or(last.len())
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

/// What `rest`, which is behind the brace of a literal, says of its length, and how many bytes are before its octets.
/// `None` where it is no literal.
pub(super) fn literal_header(rest: &[u8]) -> Option<(usize, usize)> {
    let mut len = 0usize;
    for (digits, byte) in rest.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            looked(digits + 1);
            // As nearly all servers write it.
            let is_plain = rest[digits..].starts_with(b"}\r\n");
            let behind = if is_plain { 3 } else { header_length(&rest[digits..])? };
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
