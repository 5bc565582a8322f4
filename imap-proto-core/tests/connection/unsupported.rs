//! What needs an extension that the server does not offer: nothing is sent, and the error says its name.

use core::num::NonZeroU32;

use imap_proto_core::command::{Command, Fetch, Returns, Search};
use imap_proto_core::types::{FetchItems, ItemMask, Query, UidSet};
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
