//! Where the responses end, and nothing else: the limit for whoever looks at all octets outside of literals.

use memchr::memchr;

use crate::contender::{Contender, Counted, Depth};

/// Finds line ends with memchr, looks back for `{n}` and skips literals, all in place.
pub struct Framing;

impl Contender for Framing {
    fn name(&self) -> &'static str {
        "framing only, in place"
    }

    fn depth(&self) -> Depth {
        Depth::Frames
    }

    fn run(&mut self, bytes: &[u8], chunk: usize) -> Counted {
        let mut counted = Counted::default();
        let (mut received, mut scanned) = (0, 0);
        while received < bytes.len() {
            received = received.saturating_add(chunk).min(bytes.len());
            while scanned < received {
                let Some(at) = memchr(b'\n', &bytes[scanned..received]) else {
                    scanned = received;
                    break;
                };
                let end = scanned + at + 1;
                // A literal may end beyond what was received: scanning goes on behind it.
                match announced(&bytes[..end]) {
                    Some(length) => scanned = end + length,
                    None => {
                        scanned = end;
                        counted.responses += 1;
                        counted.touched += at as u64;
                    }
                }
            }
        }
        counted
    }
}

/// The length in a `{n}`, `{n+}` or `~{n}` before the line end.
pub(crate) fn announced(line: &[u8]) -> Option<usize> {
    let line = line.strip_suffix(b"\r\n")?.strip_suffix(b"}")?;
    let line = line.strip_suffix(b"+").unwrap_or(line);
    let digits = line.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (before, digits) = line.split_at(line.len() - digits);
    if digits.is_empty() || before.last() != Some(&b'{') {
        return None;
    }
    digits.iter().try_fold(0_usize, |sum, digit| sum.checked_mul(10)?.checked_add((digit - b'0').into()))
}
