//! Content-Type and Content-Disposition as they are written: BODYSTRUCTURE gives parameters away undecoded, RFC 2231
//! names such as `filename*0*` among them.

/// `Content-Type: type/subtype; name=value`, or `Content-Disposition: type; name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Media {
    pub(super) kind: Vec<u8>,
    pub(super) subtype: Vec<u8>,
    pub(super) parameters: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Media {
    /// Reads the unfolded value of a field; `None` where there is not even a type.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let mut scanner = Scanner { rest: value };
        let kind = scanner.token();
        if kind.is_empty() {
            return None;
        }
        let subtype = if scanner.skip(b'/') { scanner.token() } else { Vec::new() };
        let mut parameters = Vec::new();
        while scanner.skip_to(b';') {
            let name = scanner.token();
            if name.is_empty() {
                continue;
            }
            let value = if scanner.skip(b'=') { scanner.value() } else { Vec::new() };
            parameters.push((name, value));
        }
        Some(Media { kind, subtype, parameters })
    }

    pub(super) fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_bytes()) && self.subtype.eq_ignore_ascii_case(subtype.as_bytes())
    }

    pub(super) fn has_kind(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_bytes())
    }

    pub(super) fn text_plain() -> Self {
        let parameters = vec![(b"charset".to_vec(), b"us-ascii".to_vec())];
        Media { kind: b"text".to_vec(), subtype: b"plain".to_vec(), parameters }
    }

    pub(super) fn octet_stream() -> Self {
        Media { kind: b"application".to_vec(), subtype: b"octet-stream".to_vec(), parameters: Vec::new() }
    }

    pub(super) fn message() -> Self {
        Media { kind: b"message".to_vec(), subtype: b"rfc822".to_vec(), parameters: Vec::new() }
    }
}

struct Scanner<'a> {
    rest: &'a [u8],
}

impl Scanner<'_> {
    /// Spaces, and comments in any depth. RFC 5322 §3.2.2
    fn skip_blanks(&mut self) {
        let mut depth = 0usize;
        while let Some(&byte) = self.rest.first() {
            match byte {
                b'(' => depth += 1,
                b')' if depth > 0 => depth -= 1,
                b'\\' if depth > 0 => self.rest = &self.rest[1..],
                b' ' | b'\t' => {}
                _ if depth > 0 => {}
                _ => return,
            }
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
    }

    fn skip(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Passes over what should not be there, up to and with the byte.
    fn skip_to(&mut self, byte: u8) -> bool {
        loop {
            if self.skip(byte) {
                return true;
            }
            if self.rest.is_empty() {
                return false;
            }
            self.rest = &self.rest[1..];
        }
    }

    fn token(&mut self) -> Vec<u8> {
        self.skip_blanks();
        let ends = |byte: &u8| matches!(byte, b' ' | b'\t' | b';' | b'=' | b'/' | b'"' | b'(' | b')' | b',');
        let end = self.rest.iter().position(ends).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        token.to_vec()
    }

    /// A quoted string, or all up to the next `;` or space, slashes and equals signs too as many senders write them.
    fn value(&mut self) -> Vec<u8> {
        self.skip_blanks();
        if self.rest.first() != Some(&b'"') {
            let end = self.rest.iter().position(|b| matches!(b, b';' | b' ' | b'\t')).unwrap_or(self.rest.len());
            let (value, rest) = self.rest.split_at(end);
            self.rest = rest;
            return value.to_vec();
        }
        let mut value = Vec::new();
        let mut bytes = self.rest[1..].iter();
        while let Some(&byte) = bytes.next() {
            match byte {
                b'"' => break,
                b'\\' => value.extend(bytes.next()),
                _ => value.push(byte),
            }
        }
        self.rest = bytes.as_slice();
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_parameters_are_read_as_written() {
        for (value, expected) in [
            ("text/plain", Some("text/plain")),
            ("TEXT / Html ; Charset=utf-8", Some("TEXT/Html Charset=utf-8")),
            ("multipart/mixed; boundary=\"a;b\\\"c\"", Some("multipart/mixed boundary=a;b\"c")),
            ("a/b; name*0*=utf-8''x%20; name*1=y", Some("a/b name*0*=utf-8''x%20 name*1=y")),
            ("a/b (a (nested) comment); x=1 (two); y=2;", Some("a/b x=1 y=2")),
            ("attachment; filename=a=b/c", Some("attachment/ filename=a=b/c")),
            ("a/b; name=\"=?utf-8?Q?=C3=A9?=\"", Some("a/b name==?utf-8?Q?=C3=A9?=")),
            ("a/b; x=\"open", Some("a/b x=open")),
            ("a/b; (open", Some("a/b")),
            ("a/b; (\\", Some("a/b")),
            ("", None),
            ("; x", None),
        ] {
            let shown = Media::parse(value.as_bytes()).map(|media| {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let mut shown = format!("{}/{}", text(&media.kind), text(&media.subtype));
                for (name, value) in &media.parameters {
                    shown += &format!(" {}={}", text(name), text(value));
                }
                shown
            });
            assert_eq!(shown.as_deref(), expected, "{value}");
        }
    }
}
