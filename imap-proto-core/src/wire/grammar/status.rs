use alloc::string::String;

use super::list::{Pairs, name_and};
use crate::types::{AppendLimit, Caseless, MailboxName, Status, Uid, UidValidity};
use crate::wire::{Response, Value, Values, decode};

// RFC 9051 §9
//
// mailbox-data    =/ "STATUS" SP mailbox SP "(" [status-att-list] ")"
// status-att-list = status-att-val *(SP status-att-val)
// status-att-val  = ("MESSAGES" SP number) / ("UIDNEXT" SP nz-number) / ("UIDVALIDITY" SP nz-number) /
//                   ("UNSEEN" SP number) / ("DELETED" SP number) / ("SIZE" SP number64)
//
// RFC 7889 §5, RFC 8474 §7, RFC 7162 §7, RFC 9208 §7
//
// status-att-val =/ "APPENDLIMIT" SP (number / nil)
// status-att-val =/ "MAILBOXID" SP "(" objectid ")"
// status-att-val =/ "HIGHESTMODSEQ" SP mod-sequence-valzer
// status-att-val =/ "DELETED-STORAGE" SP number64

/// Reads STATUS data; `None` where there is no name in it, or no list.
pub(crate) fn status(response: &Response<'_>) -> Option<(MailboxName, Status)> {
    let (name, items) = parts(response)?;
    let mut status = Status::default();
    for (item, value) in Pairs(items?) {
        set(&mut status, &item.to_bytes(), value);
    }
    Some((name, status))
}

/// Reads no more than whose STATUS it is.
pub(crate) fn status_mailbox(response: &Response<'_>) -> Option<MailboxName> {
    Some(parts(response)?.0)
}

fn parts<'a>(response: &Response<'a>) -> Option<(MailboxName, Option<Values<'a>>)> {
    let mut values = response.values();
    name_and(response, values.next()?, values, |value| value.list().is_some())
}

fn set(status: &mut Status, item: &[u8], value: Value<'_>) {
    let number = || value.count();
    let short = || number().and_then(|number| u32::try_from(number).ok());
    match item.to_ascii_uppercase().as_slice() {
        b"MESSAGES" => status.messages = short(),
        b"UIDNEXT" => status.uid_next = short().and_then(Uid::new),
        b"UIDVALIDITY" => status.uid_validity = short().and_then(UidValidity::new),
        b"UNSEEN" => status.unseen = short(),
        b"DELETED" => status.deleted = short(),
        b"SIZE" => status.size = number(),
        b"RECENT" => status.recent = short(),
        b"HIGHESTMODSEQ" => status.highest_mod_seq = number(),
        b"APPENDLIMIT" if value.is_nil() => status.append_limit = Some(AppendLimit::Unlimited),
        b"APPENDLIMIT" => status.append_limit = number().map(AppendLimit::Octets),
        b"MAILBOXID" => status.mailbox_id = text(value.list().map_or(Some(value), |mut list| list.next())),
        b"DELETED-STORAGE" => status.deleted_storage = number(),
        other => {
            let value = (Caseless::new(decode(other)), decode(value.raw()).into_owned());
            status.others.push(value);
        }
    }
}

fn text(value: Option<Value<'_>>) -> Option<String> {
    Some(value?.text()?.to_str().into_owned())
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;

    use super::*;
    use crate::wire::read_line;

    fn read(line: &[u8], chunk: usize) -> Option<(MailboxName, Status)> {
        read_line(line, chunk).response().as_status()
    }

    #[test]
    fn every_item_is_told() {
        let line: &[u8] =
            b"* STATUS \"a b\" (MESSAGES 231 UIDNEXT 44292 UIDVALIDITY 3 UNSEEN 5 DELETED 1 SIZE 99999999999 \
            RECENT 2 HIGHESTMODSEQ 7011231777 APPENDLIMIT 257890 MAILBOXID (F2212) DELETED-STORAGE 8)";
        let expected = Status {
            messages: Some(231),
            uid_next: Uid::new(44292),
            uid_validity: UidValidity::new(3),
            unseen: Some(5),
            deleted: Some(1),
            size: Some(99_999_999_999),
            recent: Some(2),
            highest_mod_seq: Some(7_011_231_777),
            append_limit: Some(AppendLimit::Octets(257_890)),
            mailbox_id: Some("F2212".into()),
            deleted_storage: Some(8),
            others: Vec::new(),
        };
        for chunk in [line.len() + 2, 1, 7] {
            assert_eq!(read(line, chunk), Some((MailboxName::from_wire(b"a b"), expected.clone())));
        }
    }

    #[test]
    fn quirk_75_odd_items_cost_themselves_at_the_most() {
        let none = Status::default;
        let table: [(&[u8], &str, Status); 19] = [
            (b"* STATUS \"x\" (MESSAGES 1) ()", "x", Status { messages: Some(1), ..none() }),
            (b"* STATUS \"x\" (MESSAGES 1) (junk) more", "x", Status { messages: Some(1), ..none() }),
            (b"* STATUS x (y) (MESSAGES 1)", "x (y)", Status { messages: Some(1), ..none() }),
            (b"* STATUS x (MAILBOXID 27)", "x", Status { mailbox_id: Some("27".into()), ..none() }),
            (b"* STATUS x (MAILBOXID (27))", "x", Status { mailbox_id: Some("27".into()), ..none() }),
            (b"* STATUS x (MAILBOXID NIL)", "x", none()),
            (b"* STATUS x (APPENDLIMIT NIL)", "x", Status { append_limit: Some(AppendLimit::Unlimited), ..none() }),
            (b"* STATUS x ()", "x", none()),
            (b"* STATUS x(MESSAGES 1)", "x", Status { messages: Some(1), ..none() }),
            (b"* STATUS x (MESSAGES 1) junk", "x", Status { messages: Some(1), ..none() }),
            (b"* STATUS \"x\" (messages 1 ) ", "x", Status { messages: Some(1), ..none() }),
            (b"* STATUS x (MESSAGES 1 UNSEEN)", "x", Status { messages: Some(1), ..none() }),
            (b"* STATUS x (MESSAGES 1e400 UNSEEN 2)", "x", Status { unseen: Some(2), ..none() }),
            (b"* STATUS x (UIDNEXT 0 UIDVALIDITY 0)", "x", none()),
            (b"* STATUS x (SIZE -1)", "x", Status { size: Some(0), ..none() }),
            (b"* STATUS NIL (MESSAGES 1)", "NIL", Status { messages: Some(1), ..none() }),
            (b"* STATUS Sent Items (MESSAGES 1)", "Sent Items", Status { messages: Some(1), ..none() }),
            (b"* STATUS a (b) (MESSAGES 1)", "a (b)", Status { messages: Some(1), ..none() }),
            (
                "* STATUS Segregator/Społeczności (MESSAGES 1)".as_bytes(),
                "Segregator/Społeczności",
                Status { messages: Some(1), ..none() },
            ),
        ];
        for (line, name, expected) in table {
            for chunk in [line.len() + 2, 1] {
                let (found, status) = read(line, chunk).expect("it is STATUS data");
                assert_eq!((found.as_str(), &status), (name, &expected), "{}", line.escape_ascii());
            }
        }
        let (_, status) = read(b"* STATUS x (X-NEW (a {1}\r\nb) MESSAGES 1)", 1).expect("it is STATUS data");
        assert_eq!(status.messages, Some(1));
        assert_eq!(format!("{:?}", status.others), r#"[("X-NEW", "(a {1}\r\nb)")]"#);
    }

    #[test]
    fn what_names_no_mailbox_is_no_status() {
        for line in ["* STATUS", "* STATUS (MESSAGES 1)", "* STATUS x", "* LIST () \"/\" x"] {
            assert_eq!(read(line.as_bytes(), 1), None, "{line}");
        }
    }
}
