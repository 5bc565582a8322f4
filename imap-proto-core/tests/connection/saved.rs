//! What a search leaves on the server for others (SEARCHRES), and messages with NUL in them (BINARY).

use imap_proto_core::command::{Append, Command, Copy, Fetch, Message, Noop, Returns, Search, StoreCommand};
use imap_proto_core::command::{Move, Store, UidExpunge};
use imap_proto_core::types::{FetchItems, Flag, Messages, Query};
use imap_proto_core::{CancelEffect, Error, Event};

use crate::script::Script;

const ALL: &str = "SEARCHRES ESEARCH MOVE CONDSTORE UIDPLUS";

#[test]
fn what_a_search_saves_is_used_by_the_commands_that_follow() {
    let mut script = Script::selected(ALL);
    script.submit(&Search::new(Query::flagged()).returning(Returns::SAVE));
    script.submit(&Fetch::new(Messages::Saved, FetchItems::ids().flags()));
    script.c("A1 UID SEARCH RETURN (SAVE) FLAGGED\r\n");
    script.s("A1 OK saved\r\n");
    script.e(&["1 ok"]);
    script.c("A2 UID FETCH $ (UID FLAGS)\r\n");
    script.s("* 2 FETCH (UID 7 FLAGS (\\Flagged))\r\n* 3 FETCH (FLAGS ())\r\nA2 OK\r\n");
    script.e(&["2 * 2 FETCH (UID 7 FLAGS (\\\\Flagged))", "- * 3 FETCH (FLAGS ())", "2 ok"]);
    for (request, line) in [
        (StoreCommand::new(Messages::Saved, Store::add(Flag::Seen)).request(), "UID STORE $ +FLAGS (\\Seen)"),
        (Copy::new(Messages::Saved, "x").request(), "UID COPY $ \"x\""),
        (Move::new(Messages::Saved, "x").request(), "UID MOVE $ \"x\""),
        (UidExpunge::new(Messages::Saved).request(), "UID EXPUNGE $"),
        (Search::new(Query::saved_result().and(Query::unseen())).request(), "UID SEARCH $ UNSEEN"),
    ] {
        let mut script = Script::selected(ALL);
        script.connection.submit(request.expect("a request"), script.now).expect("it is open");
        script.c(&format!("A1 {line}\r\n"));
    }
}

#[test]
fn a_search_that_saves_is_finished_when_it_is_given_up() {
    let search = || Search::new(Query::flagged()).returning(Returns::SAVE);
    let mut script = Script::selected(ALL);
    let id = script.submit(&search());
    script.c("A1 UID SEARCH RETURN (SAVE) FLAGGED\r\n");
    assert_eq!(script.abandon(id), CancelEffect::WillFinish);
    script.submit(&Fetch::new(Messages::Saved, FetchItems::ids()));
    script.c_nothing();
    script.s("A1 OK saved\r\n");
    script.e(&["1 ok"]);
    script.c("A2 UID FETCH $ (UID)\r\n");
    // What is saved is known to be as it was while some of the line has not left.
    for (sent, fate) in [(0, "NotSent"), (5, "Cancelled"), ("A1 UID SEARCH RETURN (SAVE) FLAGGED\r\n".len(), "InDoubt")]
    {
        let mut script = Script::selected(ALL);
        script.submit(&search());
        script.c_part(sent);
        script.s_eof();
        let events = script.events();
        assert!(events[0].ends_with(fate), "{sent}: {events:?}");
    }
}

#[test]
fn nothing_is_sent_to_a_server_that_saves_nothing() {
    for request in [
        Search::new(Query::all()).returning(Returns::SAVE | Returns::COUNT).request(),
        Search::new(Query::saved_result()).request(),
        Fetch::new(Messages::Saved, FetchItems::ids()).request(),
        StoreCommand::new(Messages::Saved, Store::add(Flag::Seen)).request(),
        Copy::new(Messages::Saved, "x").request(),
        Move::new(Messages::Saved, "x").request(),
        UidExpunge::new(Messages::Saved).request(),
    ] {
        let mut script = Script::selected("ESEARCH MOVE UIDPLUS");
        script.connection.submit(request.expect("a request"), script.now).expect("it is open");
        script.c_nothing();
        let event = script.connection.poll_event();
        assert!(matches!(&event, Some(Event::Failed { error: Error::Unsupported("SEARCHRES"), .. })), "{event:?}");
    }
    // IMAP4rev2 includes it.
    let mut script = Script::selected("IMAP4rev2");
    script.submit(&Fetch::new(Messages::Saved, FetchItems::ids().flags()));
    script.c("A1 UID FETCH $ (UID FLAGS)\r\n");
}

#[test]
fn a_fetch_of_what_is_saved_waits_for_any_that_asks_for_the_same() {
    let mut script = Script::selected(ALL);
    script.submit(&Fetch::new(Messages::Saved, FetchItems::ids().flags()));
    script.submit(&Fetch::new(imap_proto_core::types::UidSet::all(), FetchItems::ids().flags()));
    script.submit(&Noop);
    script.c("A1 UID FETCH $ (UID FLAGS)\r\n");
    script.s("A1 OK\r\n");
    script.e(&["1 ok"]);
    script.c("A2 UID FETCH 1:* (UID FLAGS)\r\nA3 NOOP\r\n");
}

#[test]
fn a_message_with_nul_goes_as_a_literal8_or_not_at_all() {
    let append = || Append::new("x", Message::from(&b"a\0b"[..]));
    let mut script = Script::authenticated("BINARY LITERAL+");
    script.submit(&append());
    script.c("A0 APPEND \"x\" ~{3+}\r\na\0b\r\n");
    let mut script = Script::authenticated("BINARY");
    script.submit(&append());
    script.c("A0 APPEND \"x\" ~{3}\r\n");
    script.s("+ go on\r\n");
    script.e(&[]);
    script.c("a\0b\r\n");
    // Of BINARY, IMAP4rev2 has no more than FETCH.
    for without in ["LITERAL+", "IMAP4rev2"] {
        let mut script = Script::authenticated(without);
        script.submit(&append());
        script.c_nothing();
        let event = script.connection.poll_event();
        assert!(matches!(event, Some(Event::Failed { error: Error::Unsupported("BINARY"), .. })), "{without}");
    }
}
