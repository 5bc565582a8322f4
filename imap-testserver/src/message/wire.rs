/// The longest string that goes between quotes.
const LONGEST_QUOTED: usize = 1000;

/// Writes a string, quoted where it may be, else as a literal.
///
/// ```abnf
/// string = quoted / literal
/// ```
pub(crate) fn write_string(octets: &[u8], out: &mut Vec<u8>) {
    let quotable = octets.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    if !quotable || octets.len() > LONGEST_QUOTED {
        out.extend_from_slice(format!("{{{}}}\r\n", octets.len()).as_bytes());
        out.extend_from_slice(octets);
        return;
    }
    out.push(b'"');
    for &byte in octets {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// Writes a string, or `NIL` for none.
pub(super) fn write_nstring(octets: Option<&[u8]>, out: &mut Vec<u8>) {
    match octets {
        Some(octets) => write_string(octets, out),
        None => out.extend_from_slice(b"NIL"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_quoted_unless_it_holds_what_quotes_cannot() {
        for (octets, expected) in [
            (Some(&b""[..]), &b"\"\""[..]),
            (Some(b"a \"b\" \\"), b"\"a \\\"b\\\" \\\\\""),
            (Some(b"a\r\nb"), b"{4}\r\na\r\nb"),
            (Some(b"\xe9"), b"{1}\r\n\xe9"),
            (None, b"NIL"),
        ] {
            let mut out = Vec::new();
            write_nstring(octets, &mut out);
            assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string());
        }
    }
}
