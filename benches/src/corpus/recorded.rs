//! What a user has recorded of a server: only its untagged data is kept, since nobody has sent the commands that it answers.

use memchr::memchr;

use crate::contenders::framing::announced;

/// The responses that data is made of, as they came: without greetings, `+`, BYE and tagged lines.
pub(super) fn untagged(bytes: &[u8]) -> (Vec<u8>, u64) {
    let (mut kept, mut responses) = (Vec::new(), 0);
    let mut rest = bytes;
    while let Some(end) = end(rest) {
        let (response, behind) = rest.split_at(end);
        rest = behind;
        let is_data = response.strip_prefix(b"* ").is_some_and(|data| {
            let word = data.split(|octet| matches!(octet, b' ' | b'\r')).next().unwrap_or_default();
            !["OK", "PREAUTH", "BYE"].iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes()))
        });
        if is_data {
            kept.extend_from_slice(response);
            responses += 1;
        }
    }
    (kept, responses)
}

/// Where the first response ends; `None` for one that was cut off.
fn end(bytes: &[u8]) -> Option<usize> {
    let mut end = 0;
    loop {
        end += memchr(b'\n', bytes.get(end..)?)? + 1;
        match announced(&bytes[..end]) {
            Some(length) => end += length,
            None => return Some(end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_data_is_kept() {
        let recorded = b"* OK ready\r\nA1 OK in\r\n* 1 FETCH (BODY[] {6}\r\nA2 OK\n)\r\n+ go\r\n* LIST () \"/\" a\r\n* BYE\r\n* 2 EX";
        let (kept, responses) = untagged(recorded);
        assert_eq!(String::from_utf8(kept).unwrap(), "* 1 FETCH (BODY[] {6}\r\nA2 OK\n)\r\n* LIST () \"/\" a\r\n");
        assert_eq!(responses, 2);
    }
}
