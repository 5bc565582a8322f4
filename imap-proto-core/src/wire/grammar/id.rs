use super::list::Pairs;
use crate::types::Identification;
use crate::wire::{Response, Value};

// RFC 2971 §3.3
//
// id-response    = "ID" SP id-params-list
// id-params-list = "(" [string SP nstring *(SP string SP nstring)] ")" / nil

/// Reads ID data; `None` for `NIL` and for what is no list. Whatever follows the list is passed over (quirk 54).
pub(crate) fn identification(response: &Response<'_>) -> Option<Identification> {
    let fields = response.first().and_then(Value::list)?;
    let mut identification = Identification::new();
    for (name, value) in Pairs(fields) {
        let value = value.text().map(|text| text.to_str().into_owned());
        identification.push(name.to_str().into_owned(), value);
    }
    Some(identification)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use crate::wire::read_line;

    type Fields = &'static [(&'static str, Option<&'static str>)];

    #[test]
    fn quirk_54_a_server_says_what_it_is_or_not() {
        let table: [(&str, Option<Fields>); 10] = [
            ("* ID (\"name\" \"x\")+", Some(&[("name", Some("x"))])),
            ("* ID NIL", None),
            ("* ID ( )", Some(&[])),
            ("* ID ()", Some(&[])),
            ("* ID", None),
            ("* ID( \"a\" \"1\" )", Some(&[("a", Some("1"))])),
            ("* ID (\"name\" NIL \"version\" \"2\")", Some(&[("name", None), ("version", Some("2"))])),
            ("* ID (name x version)", Some(&[("name", Some("x"))])),
            ("* id (\"name\" {3}\r\na\"b \"x\" \"\")", Some(&[("name", Some("a\"b")), ("x", Some(""))])),
            ("* ID (\"name\" \"caf\u{e9}\")", Some(&[("name", Some("caf\u{e9}"))])),
        ];
        for (line, expected) in table {
            for chunk in [line.len() + 2, 1] {
                let found = read_line(line, chunk).response().as_identification();
                let found = found.as_ref().map(|found| found.iter().collect::<Vec<_>>());
                assert_eq!(found.as_deref(), expected, "{line}");
            }
        }
    }
}
