//! MULTIAPPEND: what it sends, and how it is taken back. RFC 3502

use crate::script::Script;
use imap_proto_core::command::{Append, Cancelling, Command, Message, MultiAppend, NewMessage, Noop, Stored};
use imap_proto_core::types::{DateTime, Flag, Uid, UidValidity};
use imap_proto_core::{CancelEffect, CommandId, Event, Health, LiteralPolicy, Misuse};

const THREE: &str = "A0 APPEND \"x\" {5+}\r\nfirst {6+}\r\nsecond {5+}\r\nthird\r\n";
/// Where the announcements of the messages after the first begin, and where the octets of the last end.
const SECOND: usize = "A0 APPEND \"x\" {5+}\r\nfirst".len();
const THIRD: usize = SECOND + " {6+}\r\nsecond".len();
const LAST: usize = THREE.len() - 2;

fn three(cancelling: Cancelling) -> MultiAppend {
    MultiAppend::new("x", ["first", "second", "third"]).cancelling(cancelling)
}

fn fed() -> MultiAppend {
    MultiAppend::new("x", [5, 6, 5].map(Message::Fed))
}

/// MULTIAPPEND of three messages, of which so many bytes have left.
fn begun(capabilities: &str, command: &MultiAppend, bytes: usize) -> (Script, CommandId) {
    let mut script = Script::authenticated(capabilities);
    let id = script.submit(command);
    script.c_part(bytes);
    (script, id)
}

const PLUS: &str = "MULTIAPPEND LITERAL+";
const ENDED: &str = "the connection is closed: an APPEND was given up inside its message";

fn is_cancelled(script: &mut Script) {
    script.e(&["0 failed cancelled Cancelled"]);
    is_usable(script, "A1 NOOP\r\n");
}

fn is_usable(script: &mut Script, noop: &str) {
    assert!(matches!(script.connection.health(), Health::Usable));
    script.submit(&Noop);
    script.c(noop);
}

fn is_closed(script: &mut Script) {
    script.e(&[&format!("0 failed {ENDED} Cancelled"), &format!("closed {ENDED}")]);
    script.c_nothing();
}

#[test]
fn it_has_the_flags_the_date_and_the_octets_of_each_message() {
    let mut script = Script::authenticated(PLUS);
    let first = NewMessage::new("first").flags([Flag::Seen, Flag::Draft]);
    let second = NewMessage::new("second").date(DateTime::from_unix_timestamp(0).expect("a date"));
    script.submit(&MultiAppend::new("x", [first, second, NewMessage::new("third")]));
    script.submit(&Noop);
    script.c(
        "A0 APPEND \"x\" (\\Seen \\Draft) {5+}\r\nfirst \"01-Jan-1970 00:00:00 +0000\" {6+}\r\nsecond {5+}\r\nthird\r\n\
         A1 NOOP\r\n",
    );
    let mut script = Script::authenticated("MULTIAPPEND");
    script.submit(&three(Cancelling::Finish));
    script.submit(&Noop);
    for expected in ["A0 APPEND \"x\" {5}\r\n", "first {6}\r\n", "second {5}\r\n", "third\r\nA1 NOOP\r\n"] {
        script.c(expected);
        script.c_nothing();
        script.s("+ go on\r\n");
        script.e(&[]);
    }
}

#[test]
fn without_the_extension_nothing_is_sent() {
    for (capabilities, command, name) in [
        ("LITERAL+", three(Cancelling::Finish), "MULTIAPPEND"),
        ("LITERAL+ BINARY", three(Cancelling::Cut), "MULTIAPPEND"),
        ("MULTIAPPEND", MultiAppend::new("x", [&b"a"[..], b"b\0"]), "BINARY"),
    ] {
        let mut script = Script::authenticated(capabilities);
        script.submit(&command);
        script.e(&[&format!("0 failed the server does not offer {name} NotSent")]);
        script.c_nothing();
    }
}

#[test]
fn what_cannot_be_stored_is_refused_before_it_is_submitted() {
    let none: [Message; 0] = [];
    let recent = NewMessage::new("b").flags([Flag::Recent]);
    for (command, misuse) in [
        (MultiAppend::new("x", none), Misuse::NoMessages),
        (MultiAppend::new("x", ["a", ""]), Misuse::EmptyMessage),
        (MultiAppend::new("x", [Message::Fed(0), Message::from("a")]), Misuse::EmptyMessage),
        (MultiAppend::new("x", [NewMessage::new("a"), recent]), Misuse::Flag(Flag::Recent)),
    ] {
        assert_eq!(command.request().expect_err("it cannot be sent"), misuse);
    }
    assert!(MultiAppend::new("a\0", ["a"]).request().is_err());
}

#[test]
fn a_uid_for_each_message_is_told_in_their_order_or_none_at_all() {
    for (code, uids) in [
        ("[APPENDUID 7 4:6]", &[4, 5, 6][..]),
        ("[APPENDUID 7 4,8:9]", &[4, 8, 9]),
        ("[APPENDUID 7 4]", &[]),
        ("[APPENDUID 7 4:7]", &[]),
        ("[APPENDUID 7 1:4294967295]", &[]),
        ("[APPENDUID 0 4:6]", &[]),
        ("", &[]),
    ] {
        let (mut script, _) = begun(PLUS, &three(Cancelling::Finish), THREE.len());
        script.s(&format!("A0 OK {code} stored\r\n"));
        let Some(Event::Done { outcome: Ok(ok), .. }) = script.connection.poll_event() else { panic!("{code}") };
        let uid_validity = UidValidity::new(7).expect("it is not 0");
        let stored = |uid: &u32| Stored { uid_validity, uid: Uid::new(*uid).expect("it is not 0") };
        let expected: Vec<Stored> = uids.iter().map(stored).collect();
        assert_eq!(three(Cancelling::Finish).finish(ok), expected, "{code}");
    }
}

#[test]
fn finished_it_is_sent_to_its_end_wherever_it_is_given_up() {
    for bytes in 1..THREE.len() {
        let (mut script, id) = begun(PLUS, &three(Cancelling::Finish), bytes);
        assert_eq!(script.abandon(id), CancelEffect::WillFinish);
        script.c(&THREE[bytes..]);
        script.s("A0 OK\r\n");
        script.e(&["0 ok"]);
    }
}

#[test]
fn cut_it_finishes_its_message_and_is_taken_back_or_closes_inside_the_last_one() {
    for bytes in 0..=THREE.len() {
        let (mut script, id) = begun(PLUS, &three(Cancelling::Cut), bytes);
        let expected = match bytes {
            0 => CancelEffect::Removed,
            _ if bytes <= THIRD => CancelEffect::WillUndo,
            _ if bytes < LAST => CancelEffect::WillClose,
            _ => CancelEffect::WillFinish,
        };
        assert_eq!((script.connection.would_drop(id), script.abandon(id)), (expected, expected), "{bytes}");
        match expected {
            CancelEffect::Removed => {
                script.e(&["0 failed cancelled NotSent"]);
                script.c_nothing();
            }
            CancelEffect::WillUndo => {
                assert_eq!(script.abandon(id), CancelEffect::WillUndo, "again at {bytes}");
                script.submit(&Noop);
                let end = if bytes <= SECOND { SECOND } else { THIRD };
                script.c(&format!("{} {{0}}\r\n", &THREE[bytes..end]));
                script.c_nothing();
                script.s("A0 NO no message of no octets\r\n* BAD what was that?\r\n");
                script.e(&["0 failed cancelled Cancelled", "- * BAD what was that?"]);
                script.c("A1 NOOP\r\n");
                assert!(matches!(script.connection.health(), Health::Usable));
            }
            CancelEffect::WillClose => is_closed(&mut script),
            _ => {
                script.c(&THREE[bytes..]);
                script.s("A0 OK\r\n");
                script.e(&["0 ok"]);
            }
        }
    }
}

#[test]
fn cut_it_waits_for_the_go_ahead_of_a_message_that_is_announced() {
    // Taken back at its first and second `+`, closed or refused at its third.
    for (goes, expected) in [(0, "first {0}\r\n"), (1, "second {0}\r\n")] {
        let (mut script, id) = begun("MULTIAPPEND", &three(Cancelling::Cut), usize::MAX);
        for _ in 0..goes {
            script.s("+ go on\r\n");
            script.e(&[]);
            script.c_part(usize::MAX);
        }
        assert_eq!(script.abandon(id), CancelEffect::WillUndo);
        script.c_nothing();
        script.s("+ go on\r\n");
        script.e(&[]);
        script.c(expected);
        script.s("A0 NO\r\n");
        is_cancelled(&mut script);
    }
    for answer in ["+ go on", "A0 NO [OVERQUOTA]", "A0 BAD"] {
        let (mut script, id) = begun("MULTIAPPEND", &three(Cancelling::Cut), usize::MAX);
        for _ in 0..2 {
            script.s("+ go on\r\n");
            script.e(&[]);
            script.c_part(usize::MAX);
        }
        assert_eq!(script.abandon(id), CancelEffect::MayClose);
        script.s(&format!("{answer}\r\n"));
        match answer {
            "+ go on" => is_closed(&mut script),
            _ => {
                assert!(script.events()[0].starts_with("0 refused"));
                is_usable(&mut script, "A1 NOOP\r\n");
            }
        }
    }
    // Refused before it was told that it is taken back, it is refused.
    let (mut script, id) = begun("MULTIAPPEND", &three(Cancelling::Cut), usize::MAX);
    script.abandon(id);
    script.s("A0 NO [TRYCREATE]\r\n");
    script.e(&["0 refused No"]);
    is_usable(&mut script, "A1 NOOP\r\n");
}

/// What servers say to a message of no octets, what is sent then, and how it ends.
#[test]
fn taken_back_it_ends_with_the_answer_and_only_a_go_ahead_is_answered() {
    let undone = |literals: &str| {
        let (mut script, id) = begun(literals, &three(Cancelling::Cut), THIRD);
        assert_eq!(script.abandon(id), CancelEffect::WillUndo);
        script.c(" {0}\r\n");
        script
    };
    for refused in ["A0 NO", "A0 BAD"] {
        // As Dovecot.
        let mut script = undone(PLUS);
        script.s(&format!("{refused}\r\n"));
        is_cancelled(&mut script);
        // As Cyrus: both are read before anything is written.
        let mut script = undone(PLUS);
        script.s(&format!("+ go on\r\n{refused}\r\n"));
        script.e(&["0 failed cancelled Cancelled"]);
        script.c_nothing();
        is_usable(&mut script, "A1 NOOP\r\n");
        // The same, where the `+` was read alone.
        let mut script = undone(PLUS);
        script.s("+ go on\r\n");
        script.e(&[]);
        script.submit(&Noop);
        script.c("\r\n");
        script.c("A1 NOOP\r\n");
        script.s(&format!("{refused}\r\n* BAD Invalid tag\r\nA1 OK\r\n"));
        script.e(&["0 failed cancelled Cancelled", "- * BAD Invalid tag", "1 ok"]);
        // And where half of the line end has left.
        let mut script = undone(PLUS);
        script.s("+ go on\r\n");
        script.e(&[]);
        script.c_part(1);
        script.s(&format!("{refused}\r\n"));
        script.e(&[]);
        script.c("\n");
        is_cancelled(&mut script);
    }
    // A server that stores them all the same.
    for answers in [&["A0 OK [APPENDUID 1 1:2]\r\n"][..], &["+ go on\r\nA0 OK\r\n"], &["+ go on\r\n", "A0 OK\r\n"]] {
        let mut script = undone(PLUS);
        for (index, answer) in answers.iter().enumerate() {
            script.s(answer);
            match index + 1 == answers.len() {
                true => script.e(&["0 ok"]),
                false => {
                    script.e(&[]);
                    script.c("\r\n");
                }
            }
        }
        script.c_nothing();
        is_usable(&mut script, "A1 NOOP\r\n");
    }
    // Nothing but an answer ends it.
    let mut script = undone(PLUS);
    script.wait(60);
    script.e(&[
        "0 failed timed out after 60s, waiting for any byte of a command or its answer Cancelled",
        "closed timed out after 60s, waiting for any byte of a command or its answer",
    ]);
}

#[test]
fn an_append_is_cut_inside_its_octets_and_not_behind_them() {
    let line = "A0 APPEND \"x\" {5+}\r\nhello\r\n";
    for bytes in 0..=line.len() {
        let mut script = Script::authenticated(PLUS);
        let id = script.submit(&Append::new("x", "hello").cancelling(Cancelling::Cut));
        script.c_part(bytes);
        let expected = match bytes {
            0 => CancelEffect::Removed,
            _ if bytes < line.len() - 2 => CancelEffect::WillClose,
            _ => CancelEffect::WillFinish,
        };
        assert_eq!((script.connection.would_drop(id), script.abandon(id)), (expected, expected), "{bytes}");
        match expected {
            CancelEffect::WillClose => is_closed(&mut script),
            CancelEffect::WillFinish => script.c(&line[bytes..]),
            _ => script.c_nothing(),
        }
    }
    for bytes in [3, "A0 APPEND \"x\" {5}\r\n".len()] {
        for (answer, closes) in [("+ go on", true), ("A0 NO [TRYCREATE]", false), ("A0 BAD", false)] {
            let mut script = Script::authenticated("");
            let id = script.submit(&Append::new("x", "hello").cancelling(Cancelling::Cut));
            script.c_part(bytes);
            assert_eq!(script.abandon(id), CancelEffect::MayClose);
            script.c_part(usize::MAX);
            script.s(&format!("{answer}\r\n"));
            match closes {
                true => is_closed(&mut script),
                false => {
                    assert!(script.events()[0].starts_with("0 refused"));
                    is_usable(&mut script, "A1 NOOP\r\n");
                }
            }
        }
    }
}

#[test]
fn a_source_that_leaves_between_two_messages_takes_them_back() {
    for cancelling in [Cancelling::Finish, Cancelling::Cut] {
        // The octets of the first are there; so much of them and of what announces the second has left.
        for left in 0.." {6+}\r\n".len() + "first".len() {
            let mut script = Script::authenticated(PLUS);
            let id = script.submit(&fed().cancelling(cancelling));
            script.c("A0 APPEND \"x\" {5+}\r\n");
            script.e(&["0 wants 5"]);
            script.feed(id, "first");
            script.c_part(left);
            let effect = script.abandon(id);
            if left > "first".len() {
                assert_eq!(effect, CancelEffect::WillClose);
                is_closed(&mut script);
                continue;
            }
            assert_eq!(effect, CancelEffect::WillUndo);
            script.c(&format!("{} {{0}}\r\n", &"first"[left..]));
            script.s("A0 NO\r\n");
            is_cancelled(&mut script);
        }
    }
}

#[test]
fn a_source_that_leaves_inside_a_message_closes_the_connection() {
    let mut script = Script::authenticated(PLUS);
    let id = script.submit(&fed());
    script.c("A0 APPEND \"x\" {5+}\r\n");
    script.e(&["0 wants 5"]);
    script.feed(id, "first");
    script.c("first {6+}\r\n");
    script.e(&["0 wants 6"]);
    script.feed(id, "sec");
    script.c("sec");
    script.e(&["0 wants 3"]);
    assert_eq!(script.abandon(id), CancelEffect::WillClose);
    is_closed(&mut script);
    // Announced and not begun, it may still be refused.
    for answer in ["+ go on", "A0 NO"] {
        let mut script = Script::authenticated("MULTIAPPEND");
        let id = script.submit(&fed());
        script.c("A0 APPEND \"x\" {5}\r\n");
        script.s("+ go on\r\n");
        script.e(&["0 wants 5"]);
        script.feed(id, "first");
        script.c("first {6}\r\n");
        assert_eq!(script.abandon(id), CancelEffect::MayClose);
        script.s(&format!("{answer}\r\n"));
        match answer {
            "A0 NO" => script.e(&["0 refused No"]),
            _ => is_closed(&mut script),
        }
    }
    // All octets of the last one are there: nobody is needed any more.
    let mut script = Script::authenticated(PLUS);
    let id = script.submit(&MultiAppend::new("x", [Message::from("first"), Message::Fed(6)]));
    script.c("A0 APPEND \"x\" {5+}\r\nfirst {6+}\r\n");
    script.e(&["0 wants 6"]);
    script.feed(id, "second");
    assert_eq!(script.abandon(id), CancelEffect::WillFinish);
    script.c("second\r\n");
}

#[test]
fn a_message_that_was_to_be_fed_is_taken_back_behind_those_that_are_held() {
    let mixed = MultiAppend::new("x", [Message::from("first"), Message::from("second"), Message::Fed(5)]);
    for (capabilities, bytes, rest) in [
        (PLUS, 3, &["APPEND \"x\" {5+}\r\nfirst {0}\r\n"][..]),
        (PLUS, SECOND + 1, &["{6+}\r\nsecond {0}\r\n"]),
        ("MULTIAPPEND", 3, &["APPEND \"x\" {5}\r\n", "first {0}\r\n"]),
    ] {
        let (mut script, id) = begun(capabilities, &mixed, bytes);
        assert_eq!(script.abandon(id), CancelEffect::WillUndo);
        for (index, expected) in rest.iter().enumerate() {
            if index > 0 {
                script.s("+ go on\r\n");
                script.e(&[]);
            }
            script.c(expected);
        }
        script.s("A0 NO\r\n");
        is_cancelled(&mut script);
    }
}

#[test]
fn a_server_that_does_not_say_it_takes_several_is_not_told_to_take_them_back() {
    // It has not said what it can do.
    let mut script = Script::greeted("");
    let id = script.submit(&three(Cancelling::Cut));
    script.c_part(10);
    assert_eq!(script.abandon(id), CancelEffect::MayClose);
}

#[test]
fn whatever_the_literals_the_end_of_it_waits_for_its_answer() {
    // The second message is too long for LITERAL-.
    let long = "x".repeat(5000);
    let mixed = MultiAppend::new("x", ["first", &long, "third"]).cancelling(Cancelling::Cut);
    let (mut script, id) = begun("MULTIAPPEND LITERAL-", &mixed, SECOND);
    script.abandon(id);
    script.c(" {0}\r\n");
    script.c_nothing();
    let (mut script, id) = begun("MULTIAPPEND LITERAL-", &mixed, usize::MAX);
    script.abandon(id);
    script.c_nothing();
    script.s("+ go on\r\n");
    script.e(&[]);
    script.c(&format!("{long} {{0}}\r\n"));
    // Always waiting by choice.
    let mut script = Script::configured(PLUS, |config| config.literals = LiteralPolicy::Synchronizing);
    let id = script.submit(&three(Cancelling::Cut));
    script.c("A0 APPEND \"x\" {5}\r\n");
    script.abandon(id);
    script.s("+ go on\r\n");
    script.e(&[]);
    script.c("first {0}\r\n");
}

#[test]
fn refused_before_its_end_it_sends_no_further_message() {
    for (command, bytes, end) in [
        (three(Cancelling::Finish), SECOND - 2, "st\r\n"),
        (three(Cancelling::Finish), SECOND, "\r\n"),
        (three(Cancelling::Finish), SECOND + 2, "6+}\r\nsecond\r\n"),
        (three(Cancelling::Finish), THIRD + 9, "ird\r\n"),
    ] {
        let (mut script, _) = begun(PLUS, &command, bytes);
        script.submit(&Noop);
        script.s("A0 NO [OVERQUOTA]\r\n");
        script.e(&[]);
        script.c(&format!("{end}A1 NOOP\r\n"));
        script.e(&["0 refused No"]);
    }
    // One that is taken back is refused all the same, where that came first.
    for (bytes, end) in [(SECOND, "\r\n"), (SECOND - 2, "st\r\n")] {
        let (mut script, id) = begun(PLUS, &three(Cancelling::Cut), bytes);
        script.abandon(id);
        script.s("A0 NO [OVERQUOTA]\r\n");
        script.e(&[]);
        script.c(end);
        script.e(&["0 refused No"]);
    }
    // Half of what takes it back has left.
    let (mut script, id) = begun(PLUS, &three(Cancelling::Cut), SECOND);
    script.abandon(id);
    script.c_part(2);
    script.s("A0 NO [OVERQUOTA]\r\n");
    script.e(&[]);
    script.submit(&Noop);
    script.c("0}\r\n");
    script.e(&["0 refused No"]);
    script.c("A1 NOOP\r\n");
    // One that is fed goes on with the message that was begun.
    let mut script = Script::authenticated(PLUS);
    let id = script.submit(&fed());
    script.c("A0 APPEND \"x\" {5+}\r\n");
    script.e(&["0 wants 5"]);
    script.s("A0 NO [OVERQUOTA]\r\n");
    script.e(&[]);
    script.feed(id, "first");
    script.c("first\r\n");
    script.e(&["0 refused No"]);
}

#[test]
fn on_a_lost_connection_it_is_in_doubt_from_the_last_octet_of_all_on_unless_it_is_taken_back() {
    for bytes in 0..=THREE.len() {
        let (mut script, _) = begun(PLUS, &three(Cancelling::Cut), bytes);
        script.s_eof();
        let fate = match bytes {
            0 => "NotSent",
            _ if bytes < LAST => "Cancelled",
            _ => "InDoubt",
        };
        let events = script.events();
        assert!(events[0].ends_with(fate), "{bytes}: {events:?}");
    }
    for (bytes, goes) in [(0, false), (3, false), (6, false), (6, true)] {
        let (mut script, id) = begun(PLUS, &three(Cancelling::Cut), SECOND);
        script.abandon(id);
        script.c_part(bytes);
        if goes {
            script.s("+ go on\r\n");
            script.e(&[]);
            script.c_part(2);
        }
        script.s_eof();
        let events = script.events();
        assert!(events[0].ends_with("Cancelled"), "{bytes}: {events:?}");
    }
}

#[test]
fn what_follows_waits_where_it_may_be_taken_back() {
    for (cancelling, more) in [(Cancelling::Finish, "A1 NOOP\r\n"), (Cancelling::Cut, "")] {
        let mut script = Script::authenticated(PLUS);
        script.submit(&three(cancelling));
        script.submit(&Noop);
        script.c(&format!("{THREE}{more}"));
        if more.is_empty() {
            script.c("A1 NOOP\r\n");
        }
    }
    let mut script = Script::authenticated(PLUS);
    let id = script.submit(&Append::new("x", "hello").cancelling(Cancelling::Cut));
    script.submit(&Noop);
    script.c("A0 APPEND \"x\" {5+}\r\nhello\r\nA1 NOOP\r\n");
    assert_eq!(script.connection.would_drop(id), CancelEffect::WillFinish);
}
