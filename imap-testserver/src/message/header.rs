use std::borrow::Cow;

/// The fields of a header, in order, byte for byte.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

/// One field with its folded lines and its line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) raw: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn of(header: &'a [u8]) -> Self {
        Fields { rest: header }
    }

    /// The first field of this name, in any case.
    pub(crate) fn first(mut self, name: &str) -> Option<Field<'a>> {
        self.find(|field| field.is(name))
    }

    /// The value of the first field of this name: unfolded, without spaces around it.
    pub(crate) fn value(self, name: &str) -> Option<Cow<'a, [u8]>> {
        self.first(name).map(Field::unfolded)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    /// A field reaches to the line that does not begin with a space or tab; an empty line ends the header.
    fn next(&mut self) -> Option<Field<'a>> {
        if self.rest.is_empty() || matches!(self.rest, [b'\n', ..] | [b'\r', b'\n', ..]) {
            return None;
        }
        let mut end = 0;
        loop {
            let line = self.rest[end..].iter().position(|byte| *byte == b'\n').map(|at| end + at + 1);
            end = line.unwrap_or(self.rest.len());
            if !matches!(self.rest.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let (raw, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(Field { raw })
    }
}

impl<'a> Field<'a> {
    pub(crate) fn name(self) -> &'a [u8] {
        let colon = self.raw.iter().position(|byte| *byte == b':').unwrap_or(0);
        self.raw[..colon].trim_ascii_end()
    }

    pub(crate) fn is(self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name.as_bytes())
    }

    /// What follows the colon, with its folds and line end.
    pub(crate) fn body(self) -> &'a [u8] {
        let colon = self.raw.iter().position(|byte| *byte == b':').map_or(self.raw.len(), |at| at + 1);
        &self.raw[colon..]
    }

    pub(crate) fn unfolded(self) -> Cow<'a, [u8]> {
        let body = self.body().trim_ascii();
        if !body.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            return Cow::Borrowed(body);
        }
        Cow::Owned(body.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_bytes() {
        let header = b"From: a\r\nSubject: one\r\n two\r\n\tthree\r\nodd line\r\nTo : x\r\n\r\nnot: this\r\n";
        let raw: Vec<_> = Fields::of(header).map(|field| field.raw).collect();
        assert_eq!(raw, [&b"From: a\r\n"[..], b"Subject: one\r\n two\r\n\tthree\r\n", b"odd line\r\n", b"To : x\r\n"]);
        let value = |name| Fields::of(header).value(name).map(Cow::into_owned);
        assert_eq!(value("SUBJECT"), Some(b"one two\tthree".to_vec()));
        assert_eq!(value("to"), Some(b"x".to_vec()));
        assert_eq!(value("not"), None);
    }
}
