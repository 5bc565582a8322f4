//! As much of JSON (RFC 8259) as one object a line needs.

/// An object, its members in the order they came.
#[derive(Debug, Default)]
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn text(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        self.0.push_str(&quoted(value));
        self
    }

    pub(crate) fn number(mut self, name: &str, value: u64) -> Self {
        self.name(name);
        self.0.push_str(&value.to_string());
        self
    }

    pub(crate) fn objects(mut self, name: &str, values: impl Iterator<Item = Object>) -> Self {
        self.name(name);
        self.0.push('[');
        self.0.push_str(&values.map(Object::finish).collect::<Vec<_>>().join(","));
        self.0.push(']');
        self
    }

    pub(crate) fn finish(self) -> String {
        format!("{{{}}}", self.0)
    }

    fn name(&mut self, name: &str) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(&quoted(name));
        self.0.push(':');
    }
}

/// RFC 8259 §7: quotes, backslashes and what is below U+0020 must be escaped.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\r' => quoted.push_str("\\r"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
