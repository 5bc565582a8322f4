use alloc::vec::Vec;

use crate::types::{Namespace, Namespaces};
use crate::wire::{Response, Value};

// RFC 9051 §9
//
// namespace-response   = "NAMESPACE" SP namespace SP namespace SP namespace
// namespace            = nil / "(" 1*namespace-descr ")"
// namespace-descr      = "(" string SP (DQUOTE QUOTED-CHAR DQUOTE / nil) [namespace-response-extensions] ")"
// namespace-response-extensions = *namespace-response-extension
// namespace-response-extension  = SP string SP "(" string *(SP string) ")"

/// Reads NAMESPACE data: the user's own, other users', shared. What is missing is empty, what is odd is passed over.
pub(crate) fn namespaces(response: &Response<'_>) -> Namespaces {
    let mut values = response.values();
    let mut next = || -> Vec<Namespace> {
        let descriptions = values.next().and_then(Value::list).into_iter().flatten();
        descriptions.filter_map(|description| namespace(response, description)).collect()
    };
    let (personal, other_users, shared) = (next(), next(), next());
    let mut namespaces = Namespaces::default();
    (namespaces.personal, namespaces.other_users, namespaces.shared) = (personal, other_users, shared);
    namespaces
}

fn namespace<'a>(response: &Response<'a>, description: Value<'a>) -> Option<Namespace> {
    let mut parts = description.list()?;
    let prefix = parts.next()?;
    let prefix = if prefix.is_nil() { response.mailbox_of(b"") } else { response.mailbox(prefix)? };
    let delimiter = parts.next().and_then(Value::text).and_then(|text| text.to_str().chars().next());
    Some(Namespace::new(prefix, delimiter))
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;

    use super::*;
    use crate::wire::read_line;

    fn read(line: &str, chunk: usize) -> String {
        let found = read_line(line, chunk).response().as_namespaces().expect("it is NAMESPACE data");
        let shown = [found.personal, found.other_users, found.shared].map(|namespaces| {
            let shown = namespaces.iter().map(|one| format!("{} {}", one.prefix, one.delimiter.unwrap_or('-')));
            shown.collect::<Vec<_>>().join(",")
        });
        shown.join("|")
    }

    #[test]
    fn quirk_74_namespaces_of_any_form() {
        let table = [
            ("* NAMESPACE ((\"\" \"/\")) NIL NIL", " /||"),
            ("* NAMESPACE ((\"\" NIL)) NIL ((\"#p\" \"/\" \"X-PARAM\" (\"a\")))", " -||#p /"),
            (
                "* NAMESPACE ((\"INBOX.\" \".\")) ((\"~\" \"/\")) ((\"#shared/\" \"/\")(\"#public/\" \"/\"))",
                "INBOX. .|~ /|#shared/ /,#public/ /",
            ),
            ("* namespace NIL NIL NIL", "||"),
            ("* NAMESPACE NIL", "||"),
            ("* NAMESPACE", "||"),
            ("* NAMESPACE () ((\"Other &APw-/\" \"/\")) (NIL (\"a\"))", "|Other \u{fc}/ /|a -"),
            ("* NAMESPACE((NIL \"\\\\\")) NIL NIL", " \\||"),
            ("* NAMESPACE (({1}\r\na \"/\")) NIL NIL", "a /||"),
        ];
        for (line, expected) in table {
            for chunk in [line.len() + 2, 1] {
                assert_eq!(read(line, chunk), expected, "{line}");
            }
        }
    }
}
