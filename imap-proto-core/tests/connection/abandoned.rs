//! More rows of the cancellation table, which is in `cancel.rs`.

use crate::script::Script;
use imap_proto_core::command::{
    Access, Append, Close, Command, Enable, Fetch, Id, Idle, Login, Logout, Message, Noop, Raw, Search, Select,
    Unselect,
};
use imap_proto_core::types::{Capability, FetchItems, MailboxName, Query, Secret, Section, Uid, UidSet};
use imap_proto_core::{CancelEffect, Health};

fn one(uid: u32) -> UidSet {
    UidSet::from(Uid::new(uid).expect("a UID"))
}

fn rest(script: &mut Script) -> String {
    let bytes: Vec<u8> = script.connection.transmit().flatten().copied().collect();
    script.connection.transmitted(bytes.len(), script.now);
    String::from_utf8(bytes).expect("what is sent here is text")
}

#[test]
fn a_literal_that_the_core_holds_is_sent_when_it_is_asked_for_and_what_is_behind_it_waits() {
    let long = "x".repeat(600);
    let mailbox = || MailboxName::try_from(&*long).expect("a name");
    type Submit<'a> = &'a dyn Fn(&mut Script) -> imap_proto_core::CommandId;
    let table: [(Submit<'_>, &str, String, CancelEffect); 3] = [
        (
            &|s| s.submit(&Select::new(mailbox(), Access::ReadWrite)),
            "A1 SELECT {600}\r\n",
            format!("{long}\r\n"),
            CancelEffect::WillFinish,
        ),
        (
            &|s| s.submit(&Search::new(Query::text("\u{e9}"))),
            "A1 UID SEARCH CHARSET UTF-8 TEXT {2}\r\n",
            "\u{e9}\r\n".into(),
            CancelEffect::WillDrain,
        ),
        (
            &|s| s.submit(&Append::new("x", "hello")),
            "A1 APPEND \"x\" {5}\r\n",
            "hello\r\n".into(),
            CancelEffect::WillFinish,
        ),
    ];
    for (submit, line, octets, effect) in &table {
        for answer in ["+ go on", "A1 NO", "A1 BAD"] {
            let mut script = Script::selected("");
            let id = submit(&mut script);
            script.submit(&Noop);
            script.c(line);
            assert_eq!(script.abandon(id), *effect, "{line}");
            script.c_nothing();
            script.s(&format!("{answer}\r\n"));
            match answer {
                "+ go on" => {
                    script.e(&[]);
                    let sent = rest(&mut script);
                    assert!(sent.starts_with(octets.as_str()), "{sent}");
                    script.s("A1 OK\r\n");
                    script.e(&["1 ok"]);
                    assert!((sent + &rest(&mut script)).ends_with("A2 NOOP\r\n"), "{line}");
                }
                _ => {
                    assert!(script.events()[0].starts_with("1 refused"));
                    script.c("A2 NOOP\r\n");
                }
            }
            assert!(matches!(script.connection.health(), Health::Usable));
        }
    }
}

#[test]
fn a_password_that_waits_for_its_go_ahead_is_finished_and_an_ok_counts() {
    let mut script = Script::authenticated("");
    script.connection = imap_proto_core::Connection::new(imap_proto_core::Config::default());
    script.s("* OK hi\r\n");
    script.e(&["greeting"]);
    let id = script.submit(&Login::new("alice", Secret::from("\u{e9}")));
    script.c("A0 LOGIN \"alice\" {2}\r\n");
    assert_eq!(script.abandon(id), CancelEffect::WillFinish);
    script.s("+ go on\r\n");
    script.e(&[]);
    script.c("\u{e9}\r\n");
    script.s("A0 OK in\r\n");
    script.e(&["0 ok"]);
    script.submit(&Select::new(MailboxName::inbox(), Access::ReadWrite));
    script.c("A1 SELECT \"INBOX\"\r\n");
}

#[test]
fn a_go_ahead_that_never_comes_is_not_awaited_for_ever() {
    for message in [Message::from("hello"), Message::Fed(5)] {
        let mut script = Script::authenticated("");
        let id = script.append(message);
        script.c("A0 APPEND \"x\" {5}\r\n");
        script.abandon(id);
        script.wait(59);
        script.e(&[]);
        script.wait(1);
        script.e(&[
            "0 failed timed out after 60s, waiting for any byte of a command or its answer Cancelled",
            "closed timed out after 60s, waiting for any byte of a command or its answer",
        ]);
    }
}

#[test]
fn an_append_is_sent_to_its_end_wherever_it_is_given_up() {
    let line = "A0 APPEND \"x\" {5+}\r\nhello\r\n";
    for bytes in 1..line.len() {
        for (ends, fate) in [("A0 OK\r\n", "0 ok"), ("A0 NO\r\n", "0 refused No"), ("", "InDoubt")] {
            let mut script = Script::authenticated("LITERAL+");
            let id = script.append(Message::from("hello"));
            script.c_part(bytes);
            assert_eq!(script.abandon(id), CancelEffect::WillFinish);
            script.c(&line[bytes..]);
            script.s(ends);
            if ends.is_empty() {
                script.s_eof();
            }
            let events = script.events();
            assert!(events[0].ends_with(fate), "{bytes}: {events:?}");
        }
    }
}

#[test]
fn a_fed_append_of_which_all_octets_are_there_is_finished_and_in_doubt_until_it_is_answered() {
    for (left, fate) in [(0, "Cancelled"), (4, "Cancelled"), (5, "InDoubt"), (7, "InDoubt")] {
        let mut script = Script::authenticated("LITERAL+");
        let id = script.append(Message::Fed(5));
        script.c("A0 APPEND \"x\" {5+}\r\n");
        script.e(&["0 wants 5"]);
        script.feed(id, "hello");
        script.c_part(left);
        assert_eq!(script.abandon(id), CancelEffect::WillFinish);
        script.s_eof();
        let events = script.events();
        assert!(events[0].ends_with(fate), "{left}: {events:?}");
    }
}

#[test]
fn what_may_have_to_close_says_so_before_its_name_is_asked_for() {
    // The name of the mailbox is a literal of its own; the message has nobody to feed it.
    let mut script = Script::authenticated("");
    let id = script.submit(&Append::new("x".repeat(600), Message::Fed(5)));
    script.c("A0 APPEND {600}\r\n");
    assert_eq!(script.abandon(id), CancelEffect::MayClose);
    script.s("+ go on\r\n");
    script.e(&[]);
    script.c(&format!("{} {{5}}\r\n", "x".repeat(600)));
    script.s("A0 NO [TRYCREATE]\r\n");
    script.e(&["0 refused No"]);
    assert!(matches!(script.connection.health(), Health::Usable));
}

#[test]
fn an_idle_of_which_nothing_left_is_taken_back() {
    let mut script = Script::selected("IDLE");
    let id = script.submit(&Idle);
    assert_eq!(script.abandon(id), CancelEffect::Removed);
    script.e(&["1 failed cancelled NotSent"]);
    script.c_nothing();
}

#[test]
fn an_abandoned_idle_that_is_refused_is_over() {
    for answer in ["NO", "BAD"] {
        let mut script = Script::selected("IDLE");
        let id = script.submit(&Idle);
        script.c("A1 IDLE\r\n");
        script.abandon(id);
        script.s(&format!("A1 {answer}\r\n"));
        assert!(script.events()[0].starts_with("1 refused"));
        script.submit(&Noop);
        script.c("A2 NOOP\r\n");
    }
}

#[test]
fn a_running_idle_is_told_done_at_once_and_what_follows_may_go_with_it() {
    let mut script = Script::selected("IDLE");
    let id = script.submit(&Idle);
    script.c("A1 IDLE\r\n");
    script.s("+ idling\r\n");
    script.e(&["1 idles"]);
    assert_eq!(script.abandon(id), CancelEffect::WillFinish);
    // At once, and whether anything follows or not.
    script.c_part(1);
    script.submit(&Noop);
    script.c("ONE\r\nA2 NOOP\r\n");
    script.s("* 4 EXISTS\r\nA1 OK\r\nA2 OK\r\n");
    script.e(&["- * 4 EXISTS", "1 ok", "2 ok"]);
}

#[test]
fn an_idle_that_was_told_done_is_told_so_once() {
    for sent in ["", "D", "DONE\r\nA2 NOOP\r\n"] {
        let mut script = Script::selected("IDLE");
        let id = script.submit(&Idle);
        script.c("A1 IDLE\r\n");
        script.s("+ idling\r\n");
        script.e(&["1 idles"]);
        // It makes way for another command, and is given up meanwhile.
        script.submit(&Noop);
        script.c_part(sent.len());
        assert_eq!(script.abandon(id), CancelEffect::WillFinish);
        script.c(&"DONE\r\nA2 NOOP\r\n"[sent.len()..]);
        script.s("A1 OK\r\nA2 OK\r\n");
        script.e(&["1 ok", "2 ok"]);
        script.c_nothing();
    }
}

#[test]
fn commands_go_on_beside_a_body_that_is_read_over() {
    let mut script = Script::selected("");
    let id = script.submit(&Fetch::new(one(1), FetchItems::ids().flags().section(Section::whole())));
    script.c("A1 UID FETCH 1 (UID FLAGS BODY.PEEK[])\r\n");
    script.s("* 1 FETCH (UID 1 BODY[] {20000}\r\n");
    script.e(&["1 body of 20000"]);
    assert_eq!(script.abandon(id), CancelEffect::WillDrain);
    script.submit(&Noop);
    script.c("A2 NOOP\r\n");
    script.s(&"x".repeat(20_000));
    script.s(" FLAGS (\\Seen))\r\n* 4 EXISTS\r\nA1 OK\r\nA2 OK\r\n");
    script.e(&["- * 4 EXISTS", "1 ok", "2 ok"]);
}

#[test]
fn what_changes_the_session_does_so_when_nobody_listens() {
    for (capabilities, closing) in [("", Close.request()), ("UNSELECT", Unselect.request())] {
        let mut script = Script::selected(capabilities);
        let id = script.connection.submit(closing.expect("a request"), script.now).expect("it is open");
        script.c_part(3);
        assert_eq!(script.abandon(id), CancelEffect::WillFinish);
        rest(&mut script);
        script.s("A1 OK\r\n");
        script.e(&["1 ok"]);
        assert!(script.connection.view().selected().is_none());
    }
    let mut script = Script::authenticated("ENABLE CONDSTORE ID");
    for (number, answer) in ["* ENABLED CONDSTORE\r\n", "* ID NIL\r\n"].into_iter().enumerate() {
        let id = match number {
            0 => script.submit(&Enable::new([Capability::CondStore])),
            _ => script.submit(&Id::new(None)),
        };
        rest(&mut script);
        script.abandon(id);
        script.s(&format!("{answer}A{number} OK\r\n"));
        script.e(&[&format!("{number} ok")]);
    }
    assert!(script.connection.view().enabled().has(&Capability::CondStore));
    // Nor where the server does not say what it has switched on.
    let mut script = Script::authenticated("ENABLE CONDSTORE");
    let id = script.submit(&Enable::new([Capability::CondStore]));
    rest(&mut script);
    script.abandon(id);
    script.s("A0 OK\r\n");
    script.e(&["0 ok"]);
    assert!(script.connection.view().enabled().has(&Capability::CondStore));
}

#[test]
fn a_logout_is_taken_back_before_its_first_byte_and_ends_the_connection_after_it() {
    let mut script = Script::selected("");
    let id = script.submit(&Logout);
    assert_eq!(script.abandon(id), CancelEffect::Removed);
    script.e(&["1 failed cancelled NotSent"]);
    script.submit(&Noop);
    script.c("A2 NOOP\r\n");
    script.s("A2 OK\r\n");
    script.e(&["2 ok"]);
    // Begun, nothing follows it, and that the server says no more is no error.
    let id = script.submit(&Logout);
    script.submit(&Noop);
    script.c("A3 LOGOUT\r\n");
    script.abandon(id);
    script.c_nothing();
    script.s_eof();
    let ended = "the connection is closed: logged out";
    script.e(&[
        &format!("3 failed {ended} Cancelled"),
        &format!("4 failed {ended} NotSent"),
        &format!("closed {ended}"),
    ]);
    let refused = script.connection.submit(Noop.request().expect("a request"), script.now);
    assert_eq!(refused.expect_err("it is over").to_string(), ended);
}

/// A line that is given up somewhere is said to its end, octets and all, and nobody knows what became of it once all is said.
#[test]
fn a_raw_command_with_octets_is_finished_wherever_it_is_given_up_and_in_doubt_from_the_last_of_them_on() {
    let raw = Raw::new("UID REPLACE 4").expect("a line").string("Drafts").literal(&b"A: b\r\n\r\nc"[..]);
    let (line, octets) = ("A1 UID REPLACE 4 \"Drafts\" {9}\r\n", "A: b\r\n\r\nc\r\n");
    for at in 0..=line.len() + octets.len() {
        for ends in [false, true] {
            let mut script = Script::selected("");
            let id = script.submit(&raw);
            script.c_part(at.min(line.len()));
            if at > line.len() {
                script.s("+ go\r\n");
                script.e(&[]);
                script.c_part(at - line.len());
            }
            let effect = script.abandon(id);
            if at == 0 {
                assert_eq!(effect, CancelEffect::Removed);
                script.e(&["1 failed cancelled NotSent"]);
                break;
            }
            assert_eq!(effect, CancelEffect::WillFinish, "at {at}");
            if ends {
                script.s_eof();
                let fate = if at + 2 >= line.len() + octets.len() { "InDoubt" } else { "Cancelled" };
                let ended = format!("1 failed the connection is closed: end of stream {fate}");
                assert_eq!(script.events()[0], ended, "at {at}");
                continue;
            }
            rest(&mut script);
            if at <= line.len() {
                script.s("+ go\r\n");
                script.e(&[]);
                script.c(octets);
            }
            script.s("A1 OK replaced\r\n");
            script.e(&["1 ok"]);
            script.submit(&Noop);
            script.c("A2 NOOP\r\n");
        }
    }
}
