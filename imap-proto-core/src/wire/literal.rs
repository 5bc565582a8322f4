//! What announces a literal, at the end of a line.

use memchr::{memchr, memchr_iter, memchr2};

use super::scan::{BLOCK, has_any, literal_at_end};

/// More digits than a `u64` has are no length of anything.
const MOST_DIGITS: usize = 19;
/// The same with zeros in front. A bound keeps a line of digits from being looked at again and again.
const MOST_WRITTEN: usize = 64;
/// Spaces that a server may put before and behind the brace of `{n}` (quirk 14).
pub(super) const MOST_JUNK: usize = 16;
/// More bytes than the words that tell body values apart have.
const MOST_WORD: usize = 32;

pub(super) struct LiteralMarker {
    pub(super) start: usize,
    /// `None` where no counter can hold it.
    pub(super) len: Option<u64>,
}

impl LiteralMarker {
    /// `"~"? "{" number64 "+"? "}"` at the end of a line; spaces before and behind the brace are
    /// tolerated (quirk 14).
    #[inline]
    pub(super) fn at_end_of(line: &[u8]) -> Option<Self> {
        match line {
            [.., b'0'..=b'9', b'}'] => Self::read_plain(line).or_else(|| Self::read(line)),
            [.., b'}' | b' '] => Self::read(line),
            _ => None,
        }
    }

    /// `{n}` or `~{n}` of few digits, as nearly all servers write it, by the last eight bytes.
    #[inline(always)]
    fn read_plain(line: &[u8]) -> Option<Self> {
        let (marker, len) = literal_at_end(u64::from_le_bytes(*line.last_chunk()?))?;
        let start = line.len() - marker;
        let start = start - usize::from(start > 0 && line[start - 1] == b'~');
        Some(LiteralMarker { start, len: Some(len as u64) })
    }

    #[inline(never)]
    fn read(line: &[u8]) -> Option<Self> {
        let inner = without_junk(line).strip_suffix(b"}")?;
        let inner = without_junk(inner);
        let inner = inner.strip_suffix(b"+").unwrap_or(inner);
        let digits = inner.iter().rev().take(MOST_WRITTEN).take_while(|b| b.is_ascii_digit()).count();
        if digits == MOST_WRITTEN {
            return Some(LiteralMarker { start: 0, len: None });
        }
        let rest = inner.strip_suffix(&inner[inner.len() - digits..])?;
        let rest = rest.strip_suffix(b"{")?;
        if digits == 0 {
            return None;
        }
        let start = rest.strip_suffix(b"~").unwrap_or(rest).len();
        Some(LiteralMarker { start, len: literal_length(&inner[inner.len() - digits..]) })
    }
}

fn without_junk(line: &[u8]) -> &[u8] {
    let spaces = line.iter().rev().take(MOST_JUNK).take_while(|b| **b == b' ').count();
    &line[..line.len() - spaces]
}

fn literal_length(digits: &[u8]) -> Option<u64> {
    let zeros = digits.iter().take_while(|b| **b == b'0').count();
    let digits = &digits[zeros..];
    if digits.len() > MOST_DIGITS {
        return None;
    }
    let len = digits.iter().fold(0u64, |n, b| n.wrapping_mul(10).wrapping_add(u64::from(b - b'0')));
    // RFC 9051 §9: number64 is below 2^63.
    (len <= i64::MAX as u64).then_some(len)
}

pub(super) fn ends_inside_quotes(segment: &[u8]) -> bool {
    if has_no_quotes(segment) {
        return false;
    }
    let Some(first) = memchr2(b'"', b'\\', segment) else { return false };
    if memchr(b'\\', &segment[first..]).is_none() {
        // Counting is cheaper than going from quote to quote.
        return memchr_iter(b'"', &segment[first..]).count() % 2 == 1;
    }
    let mut inside = false;
    let mut at = 0;
    while let Some(found) = segment.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if segment[at] == b'"' {
            inside = !inside;
            at += 1;
        } else {
            at += 1 + usize::from(inside);
        }
    }
    inside
}

/// True for what is short and has neither quote nor backslash, as before most bodies, found without a call.
fn has_no_quotes(segment: &[u8]) -> bool {
    let Some(last) = segment.last_chunk().filter(|_| segment.len() <= 4 * BLOCK) else { return false };
    segment.as_chunks().0.iter().chain([last]).all(|block| !has_any(block, b"\"\\"))
}

/// True where a literal is the value of a body section: `… BODY[…] `, `… BODY[…]<0> `, `… RFC822 `.
pub(super) fn is_body_value(prefix: &[u8]) -> bool {
    let prefix = without_junk(prefix);
    // The last word is all that counts: a response may be long, and this is asked for each of its literals.
    let end = &prefix[prefix.len().saturating_sub(MOST_WORD)..];
    let section = match end.last() {
        Some(b']') => true,
        Some(b'>') => {
            let digits = &end[..end.len() - 1];
            let open = digits.iter().rposition(|b| !b.is_ascii_digit());
            open.is_some_and(|at| digits[..=at].ends_with(b"]<"))
        }
        _ => {
            let at = end.iter().rposition(|b| matches!(b, b' ' | b'('));
            let word = &end[at.map_or(0, |at| at + 1)..];
            ["RFC822", "RFC822.TEXT", "RFC822.HEADER"].iter().any(|w| word.eq_ignore_ascii_case(w.as_bytes()))
        }
    };
    section && is_fetch(prefix)
}

/// True where a response is FETCH data, as far as its first words tell.
pub(super) fn is_fetch(frame: &[u8]) -> bool {
    let mut words = frame[..frame.len().min(MOST_WORD)].split(|b| *b == b' ').filter(|word| !word.is_empty());
    let star = words.next() == Some(b"*");
    let number = words.next().is_some_and(|w| w.iter().all(u8::is_ascii_digit));
    star && number && words.next().is_some_and(|w| w.len() >= 5 && w[..5].eq_ignore_ascii_case(b"FETCH"))
}
