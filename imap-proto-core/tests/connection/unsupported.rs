//! What needs an extension that the server does not offer: nothing is sent, and the error says its name.

use core::num::NonZeroU32;

use imap_proto_core::command::{Access, Check, Command, Enable, Fetch, Request, Returns, Search, Select};
use imap_proto_core::types::{Capability, EntryType, FetchItems, Flag, ItemMask, MailboxName, Query, UidSet};
use imap_proto_core::{Error, Event};

use crate::script::Script;

#[test]
fn items_and_keys_of_extensions_are_sent_to_servers_that_offer_them_alone() {
    let fetch = |item| Fetch::new(UidSet::all(), FetchItems::ids().with(item)).request().expect("a request");
    let day = NonZeroU32::new(86_400).expect("a day");
    let search = |query| Search::new(query).request().expect("a request");
    let counted = Search::new(Query::younger(day)).returning(Returns::COUNT).request().expect("a request");
    for (needed, request, line) in [
        ("SAVEDATE", fetch(ItemMask::SAVE_DATE), "UID FETCH 1:* (UID SAVEDATE)"),
        ("PREVIEW", fetch(ItemMask::PREVIEW), "UID FETCH 1:* (UID PREVIEW)"),
        ("OBJECTID", fetch(ItemMask::EMAIL_ID), "UID FETCH 1:* (UID EMAILID)"),
        ("OBJECTID", fetch(ItemMask::THREAD_ID), "UID FETCH 1:* (UID THREADID)"),
        ("CONDSTORE", fetch(ItemMask::MOD_SEQ), "UID FETCH 1:* (UID MODSEQ)"),
        ("X-GM-EXT-1", fetch(ItemMask::GMAIL_LABELS), "UID FETCH 1:* (UID X-GM-LABELS)"),
        ("X-GM-EXT-1", fetch(ItemMask::GMAIL_MESSAGE_ID), "UID FETCH 1:* (UID X-GM-MSGID)"),
        ("X-GM-EXT-1", fetch(ItemMask::GMAIL_THREAD_ID), "UID FETCH 1:* (UID X-GM-THRID)"),
        ("CONDSTORE", search(Query::mod_seq(7)), "UID SEARCH MODSEQ 7"),
        (
            "CONDSTORE",
            search(!Query::mod_seq_of(&Flag::Draft, EntryType::Any, 7).expect("a flag")),
            r#"UID SEARCH NOT MODSEQ "/flags/\\Draft" all 7"#,
        ),
        ("X-GM-EXT-1", search(Query::gmail_raw("in:\"a b\"")), r#"UID SEARCH X-GM-RAW "in:\"a b\"""#),
        ("X-GM-EXT-1", search(!Query::gmail_label("x")), "UID SEARCH NOT X-GM-LABELS \"x\""),
        ("X-GM-EXT-1", search(Query::gmail_message(1 << 40)), "UID SEARCH X-GM-MSGID 1099511627776"),
        ("X-GM-EXT-1", search(Query::gmail_thread(9)), "UID SEARCH X-GM-THRID 9"),
        ("WITHIN", search(Query::older(day)), "UID SEARCH OLDER 86400"),
        ("WITHIN", search(!Query::younger(day)), "UID SEARCH NOT YOUNGER 86400"),
        ("WITHIN", counted, "UID SEARCH YOUNGER 86400"),
    ] {
        let mut script = Script::selected(needed);
        script.connection.submit(request.clone(), script.now).expect("it is open");
        script.c(&format!("A1 {line}\r\n"));
        let mut script = Script::selected("ESEARCH");
        script.connection.submit(request, script.now).expect("it is open");
        script.c_nothing();
        let event = script.connection.poll_event();
        let Some(Event::Failed { error: Error::Unsupported(name), .. }) = event else { panic!("{line}: {event:?}") };
        assert_eq!(name, needed, "{line}");
    }
}

/// What becomes of a request in a session of these revisions: its line, or what it would need.
fn sent(offered: &str, enabled: bool, request: &Request) -> String {
    let mut script = Script::greeted(offered);
    let mut tag = 0;
    if enabled {
        script.submit(&Enable::new([Capability::Imap4Rev2]));
        script.c("A0 ENABLE IMAP4rev2\r\n");
        script.s("* ENABLED IMAP4rev2\r\nA0 OK\r\n");
        while script.connection.poll_event().is_some() {}
        tag = 1;
    }
    script.submit(&Select::new(MailboxName::inbox(), Access::ReadOnly));
    script.c(&format!("A{tag} EXAMINE \"INBOX\"\r\n"));
    script.s(&format!("A{tag} OK\r\n"));
    while script.connection.poll_event().is_some() {}
    script.connection.submit(request.clone(), script.now).expect("it is open");
    match script.connection.poll_event() {
        Some(Event::Failed { error: Error::Unsupported(name), .. }) => name.into(),
        None => {
            let line: Vec<u8> = script.connection.transmit().flatten().copied().collect();
            String::from_utf8(line).expect("ASCII").split_once(' ').expect("a tag").1.trim_end().into()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_one_revision_alone_has_is_sent_where_the_session_is_of_it() {
    let search = |query| Search::new(query).request().expect("a request");
    let counted = |query| Search::numbers(query).returning(Returns::COUNT).request().expect("a request");
    let first = [
        (search(Query::new_mail()), "UID SEARCH NEW"),
        (search(Query::seen().and(!Query::old())), "UID SEARCH SEEN NOT OLD"),
        (search(Query::all().or(Query::recent())), "UID SEARCH OR ALL RECENT"),
        (search(Query::flag(&Flag::Recent).expect("a key")), "UID SEARCH RECENT"),
        (Check.request().expect("a request"), "CHECK"),
    ];
    let second = [
        (search(Query::larger(1 << 32)), "UID SEARCH LARGER 4294967296"),
        (search(!Query::smaller(u64::MAX)), "UID SEARCH NOT SMALLER 9223372036854775807"),
    ];
    let both = [
        (search(Query::larger(u32::MAX.into())), "UID SEARCH LARGER 4294967295"),
        (search(Query::raw("NEW LARGER 4294967296").expect("keys")), "UID SEARCH (NEW LARGER 4294967296)"),
    ];
    for (offered, enabled, has_first) in [
        ("IMAP4rev1", false, true),
        ("IMAP4rev2", false, false),
        ("IMAP4rev1 IMAP4rev2", false, true),
        ("IMAP4rev1 IMAP4rev2", true, false),
    ] {
        let place = format!("{offered} {enabled}");
        for (request, line) in &first {
            assert_eq!(sent(offered, enabled, request), if has_first { *line } else { "IMAP4rev1" }, "{place}");
        }
        for (request, line) in &second {
            assert_eq!(sent(offered, enabled, request), if has_first { "IMAP4rev2" } else { *line }, "{place}");
        }
        for (request, line) in &both {
            assert_eq!(sent(offered, enabled, request), *line, "{place}");
        }
    }
    // What replaces ESEARCH needs the same.
    assert_eq!(sent("IMAP4rev1", false, &counted(Query::old())), "SEARCH OLD");
    assert_eq!(sent("IMAP4rev1 ESEARCH", false, &counted(Query::old())), "SEARCH RETURN (COUNT) OLD");
    assert_eq!(sent("IMAP4rev2", false, &counted(Query::old())), "IMAP4rev1");
}
