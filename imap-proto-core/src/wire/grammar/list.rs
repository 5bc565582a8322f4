use crate::types::{Caseless, ListEntry, MailboxAttribute, MailboxAttributes, MailboxName};
use crate::wire::{Response, Text, TokenKind, Value, Values};

// RFC 9051 §9
//
// mailbox-data  =/ "LIST" SP mailbox-list
// mailbox-list  = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox [SP mbox-list-extended]
//
// mbox-list-extended      = "(" [mbox-list-extended-item *(SP mbox-list-extended-item)] ")"
// mbox-list-extended-item = mbox-list-extended-item-tag SP tagged-ext-val
// childinfo-extended-item = "CHILDINFO" SP "(" list-select-base-opt-quoted *(SP list-select-base-opt-quoted) ")"
// oldname-extended-item   = "OLDNAME" SP "(" mailbox ")"

/// Reads LIST data, and what LSUB and XLIST answer with, whatever the response is called.
///
/// `None` where there is no name in it, or one that is a detached literal.
pub(crate) fn list_entry(response: &Response<'_>) -> Option<ListEntry> {
    let mut values = response.values();
    let mut value = values.next()?;
    let mut attributes = MailboxAttributes::default();
    if let Some(list) = value.list() {
        attributes = list.filter_map(Value::text).map(|name| MailboxAttribute::from_wire(&name.to_bytes())).collect();
        value = values.next()?;
    }
    let delimiter = value.text().and_then(|text| text.to_str().chars().next());
    let (name, extended) = name_and(response, values.next()?, values, is_extended)?;
    let mut entry = ListEntry::new(name, delimiter, attributes);
    for (tag, value) in extended.map(Pairs).into_iter().flatten() {
        if tag.eq_ignore_ascii_case("CHILDINFO") {
            let options = value.list().into_iter().flatten().filter_map(Value::text);
            options.for_each(|option| entry.add_child_info(Caseless::new(option.to_str())));
        } else if tag.eq_ignore_ascii_case("OLDNAME") {
            let old = value.list().map_or(Some(value), |mut list| list.next());
            if let Some(old) = old.and_then(|old| response.mailbox(old)) {
                entry.set_old_name(old);
            }
        }
    }
    Some(entry)
}

/// The name that begins with `first`, and the list behind it.
///
/// A name without quotes goes on to the last list, or to the end of the line, whatever stands there (quirk 62); behind
/// one in quotes the first list counts, and junk after it does not (quirk 75).
pub(super) fn name_and<'a>(
    response: &Response<'a>,
    first: Value<'a>,
    behind: Values<'a>,
    is_list: impl Fn(Value<'a>) -> bool,
) -> Option<(MailboxName, Option<Values<'a>>)> {
    let mut lists = behind.filter(|value| is_list(*value));
    let (name, list) = match first.kind() {
        TokenKind::Atom | TokenKind::Nil => {
            let list = lists.last();
            let end = list.map_or(response.raw().len(), Value::start);
            let name = response.raw().get(first.start()..end)?;
            (response.mailbox_of(name.trim_ascii()), list)
        }
        _ => (response.mailbox(first)?, lists.next()),
    };
    Some((name, list.and_then(Value::list)))
}

/// True for a list of tagged values, as opposed to the end of a name such as `Drafts (old)`.
fn is_extended(value: Value<'_>) -> bool {
    let Some(mut list) = value.list() else { return false };
    match (list.next(), list.next()) {
        (Some(tag), Some(_)) if tag.kind() == TokenKind::Quoted => true,
        (Some(tag), Some(value)) => tag.text().is_some() && value.list().is_some(),
        _ => false,
    }
}

/// Names, each with the value behind it.
pub(super) struct Pairs<'a>(pub(super) Values<'a>);

impl<'a> Iterator for Pairs<'a> {
    type Item = (Text<'a>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let name = self.0.next()?;
            // What stands where a name should is passed over.
            if let Some(name) = name.text() {
                return Some((name, self.0.next()?));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use crate::wire::read_line;

    /// The entry as text: attributes, delimiter, name, and what else there is.
    fn read(line: &[u8], chunk: usize) -> Option<String> {
        let decoder = read_line(line, chunk);
        let entry = decoder.response().as_list()?;
        let attributes: Vec<String> = entry.attributes().iter().map(|one| one.to_string()).collect();
        let delimiter = entry.delimiter().map_or("-".to_string(), |delimiter| delimiter.to_string());
        let mut text = format!("({}) {delimiter} {}", attributes.join(" "), entry.name());
        if let Some(old) = entry.old_name() {
            text += &format!(" was {old}");
        }
        let children: Vec<&str> = entry.child_info().collect();
        if !children.is_empty() {
            text += &format!(" above {}", children.join(","));
        }
        Some(text)
    }

    fn check(table: &[(&[u8], Option<&str>)]) {
        for (line, expected) in table {
            for chunk in [line.len() + 2, 1, 7] {
                let found = read(line, chunk);
                assert_eq!(found.as_deref(), *expected, "{} in pieces of {chunk}", line.escape_ascii());
            }
        }
    }

    #[test]
    fn correct_entries_are_what_they_say() {
        check(&[
            (b"* LIST (\\HasNoChildren \\Sent) \"/\" \"a b\"", Some("(\\HasNoChildren \\Sent) / a b")),
            (b"* LSUB () \".\" a.b", Some("() . a.b")),
            (b"* LIST () NIL {3}\r\na\"b", Some("() - a\"b")),
            (b"* LIST () \"/\" \"Entw&APw-rfe\"", Some("() / Entw\u{fc}rfe")),
            (b"* LIST () \"/\" \"a\\\"b\\\\c\"", Some("() / a\"b\\c")),
            (b"* LIST (\\Noselect) \"/\" \"\"", Some("(\\Noselect) / ")),
            (b"* list (\\noselect) \"/\" inbox", Some("(\\Noselect) / INBOX")),
        ]);
    }

    #[test]
    fn quirk_61_nil_is_a_name() {
        check(&[
            (b"* LIST () \"/\" NIL", Some("() / NIL")),
            (b"* LIST () NIL nil", Some("() - nil")),
            (b"* LIST () \"/\" NIL and more", Some("() / NIL and more")),
        ]);
    }

    #[test]
    fn quirk_62_a_name_without_quotes_goes_to_the_end_of_the_line() {
        check(&[
            (
                b"* LIST (\\HasNoChildren) \"/\" INBOX/Da\tOggetto\tRicevuto\t",
                Some("(\\HasNoChildren) / INBOX/Da\tOggetto\tRicevuto"),
            ),
            (b"* LIST () \"/\" Sent Items ", Some("() / Sent Items")),
            (b"* LIST () \"/\" Drafts (old)", Some("() / Drafts (old)")),
            (b"* LIST () \"/\" a  \"b\" c", Some("() / a  \"b\" c")),
            (b"* LIST () \"/\" a b (\"OLDNAME\" (\"c\"))", Some("() / a b was c")),
        ]);
    }

    #[test]
    fn quirk_63_brackets_and_braces_are_parts_of_names() {
        check(&[
            (b"* LIST () \".\" INBOX.[Airmail].Snooze", Some("() . INBOX.[Airmail].Snooze")),
            (b"* LIST () \"/\" [Gmail]/All Mail", Some("() / [Gmail]/All Mail")),
            (b"* LIST () \"/\" it's{x}", Some("() / it's{x}")),
            (b"* LIST () \"/\" a{3}b", Some("() / a{3}b")),
            (b"* LIST () \"/\" ]", Some("() / ]")),
            (b"* LIST () \"/\" BODY[x", Some("() / BODY[x")),
        ]);
    }

    #[test]
    fn quirk_64_a_delimiter_is_a_character_or_none() {
        check(&[
            (b"* LIST () NIL a", Some("() - a")),
            (b"* LIST () \"\" a", Some("() - a")),
            (b"* LIST () \"\\\\\" a", Some("() \\ a")),
            (b"* LIST () / a", Some("() / a")),
        ]);
    }

    #[test]
    fn quirk_67_and_69_attributes_of_any_form_and_of_xlist() {
        check(&[
            (b"* LIST(HasNoChildren UnMarked) \"/\" a", Some("(\\HasNoChildren \\Unmarked) / a")),
            (b"* LIST (\\Foo \"\\\\Bar\" \\foo) \"/\" a", Some("(\\Foo \\Bar) / a")),
            (b"* LIST \"/\" a", Some("() / a")),
            (
                b"* XLIST (\\HasNoChildren \\Inbox) \"/\" \"Posteingang\"",
                Some("(\\HasNoChildren \\Inbox) / Posteingang"),
            ),
            (b"* XLIST (\\AllMail) \"/\" x", Some("(\\All) / x")),
            (b"* XLIST (\\Spam \\Starred) \"/\" x", Some("(\\Flagged \\Junk) / x")),
        ]);
    }

    #[test]
    fn quirk_72_names_that_are_no_modified_utf_7_are_kept() {
        check(&[
            (b"* LIST () \"/\" \"&invalid-\"", Some("() / &invalid-")),
            (b"* LIST () \"/\" &AQID-", Some("() / &AQID-")),
            (b"* LIST () \"/\" \"&U,BTFw-&ZeVnLIqe-\"", Some("() / \u{53f0}\u{5317}\u{65e5}\u{672c}\u{8a9e}")),
            (b"* LIST () \"/\" \"Spo\xc5\x82ecz\"", Some("() / Spo\u{142}ecz")),
        ]);
    }

    #[test]
    fn quirk_73_extended_data_is_read_or_passed_over() {
        check(&[
            (b"* LIST () \"/\" \"x\" (\"OLDNAME\" (\"y z\"))", Some("() / x was y z")),
            (b"* LIST () \"/\" x (\"CHILDINFO\" (\"SUBSCRIBED\" \"X\"))", Some("() / x above SUBSCRIBED,X")),
            (b"* LIST () \"/\" \"x\" (CHILDINFO (SUBSCRIBED) OLDNAME (y))", Some("() / x was y above SUBSCRIBED")),
            (b"* LIST () \"/\" \"x\" (\"NEW\" (1 (2)) \"OLDNAME\" (\"y\"))", Some("() / x was y")),
            (b"* LIST () \"/\" \"x\" (\"NEW\")", Some("() / x")),
            (b"* LIST () \"/\" \"x\" junk", Some("() / x")),
            (b"* LIST () \"/\" \"x\" ()", Some("() / x")),
            (b"* LIST () \"/\" \"x\" (\"OLDNAME\" (\"y\")) (\"A\" (b))", Some("() / x was y")),
        ]);
    }

    #[test]
    fn what_has_no_name_is_no_entry() {
        check(&[(b"* LIST", None), (b"* LIST ()", None), (b"* LIST () \"/\"", None), (b"* LIST () \"/\" (a)", None)]);
        check(&[(b"* FOO () \"/\" a", None), (b"* OK () \"/\" a", None)]);
    }
}
