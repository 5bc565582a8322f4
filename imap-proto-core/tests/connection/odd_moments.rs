//! Odd bytes at odd moments: what a server says twice, too early, too late or not at all.

use std::time::Duration;

use crate::script::Script;
use imap_proto_core::command::{
    Access, Append, Command, Copy, Fetch, Idle, Message, MultiAppend, Noop, Search, Select, Stored,
};
use imap_proto_core::types::{FetchItems, Query, Section, Uid, UidSet};
use imap_proto_core::{CancelEffect, Config, Event, Health};

fn held(text: &'static str) -> Message {
    Message::from(text)
}

#[test]
fn a_go_ahead_said_twice_is_not_taken_for_that_of_the_next_literal() {
    let mut script = Script::authenticated("");
    script.append(held("one"));
    script.append(held("two"));
    script.c("A0 APPEND \"x\" {3}\r\n");
    script.s("+ go\r\n+ go\r\n");
    script.e(&[]);
    // The octets of the second wait for a `+` of their own.
    script.c("one\r\nA1 APPEND \"x\" {3}\r\n");
    script.e(&[]);
    script.c_nothing();
    script.s("A0 OK\r\n+ go\r\n");
    script.e(&["0 ok"]);
    script.c("two\r\n");
}

#[test]
fn a_go_ahead_behind_a_refusal_is_not_taken_for_that_of_the_next_literal() {
    for abandoned in [false, true] {
        let mut script = Script::authenticated("");
        let first = script.append(held("one"));
        script.append(held("two"));
        script.c("A0 APPEND \"x\" {3}\r\n");
        if abandoned {
            assert_eq!(script.abandon(first), CancelEffect::WillFinish);
        }
        script.s("A0 NO full\r\n+ go\r\n");
        script.e(&["0 refused No"]);
        script.c("A1 APPEND \"x\" {3}\r\n");
        script.c_nothing();
        script.s("+ go\r\n");
        script.e(&[]);
        script.c("two\r\n");
    }
}

/// It took the line behind it for the octets, as Courier does for a literal that is too long to it.
#[test]
fn a_call_behind_a_refused_literal_that_is_never_answered_is_not_awaited_for_ever() {
    let mut script = Script::authenticated("");
    script.append(held("one"));
    script.submit(&Noop);
    script.c("A0 APPEND \"x\" {3}\r\n");
    script.s("A0 NO full\r\n");
    script.e(&["0 refused No"]);
    script.c("A1 NOOP\r\n");
    script.wait(59);
    script.e(&[]);
    script.wait(1);
    let late = "timed out after 60s, waiting for any byte of a command or its answer";
    script.e(&[&format!("1 failed {late} Cancelled"), &format!("closed {late}")]);
}

/// Whether the rest of such a line announces octets is not known then.
#[test]
fn an_answer_inside_a_line_refuses_the_command_and_closes_where_a_literal_is_announced() {
    for answer in ["NO", "BAD"] {
        let mut script = Script::authenticated("");
        script.submit(&Noop);
        script.submit(&Noop);
        script.c_part(4);
        script.s(&format!("A0 {answer} no\r\n"));
        script.c("OOP\r\nA1 NOOP\r\n");
        script.e(&[if answer == "NO" { "0 refused No" } else { "0 refused Bad" }]);
        let mut script = Script::authenticated("");
        script.append(held("one"));
        script.submit(&Noop);
        script.c_part("A0 APP".len());
        script.s(&format!("A0 {answer} no\r\n"));
        let unsent = "protocol violation: an answer to a command that was not sent";
        script.e(&[
            &format!("0 failed {unsent} Cancelled"),
            &format!("1 failed {unsent} NotSent"),
            &format!("closed {unsent}"),
        ]);
        script.c_nothing();
    }
}

#[test]
fn a_refusal_said_twice_inside_a_literal_is_told_once() {
    let mut script = Script::authenticated("LITERAL+");
    script.append(held("0123456789"));
    script.c_part("A0 APPEND \"x\" {10+}\r\n0123".len());
    script.s("A0 NO full\r\nA0 BAD still full\r\n+ go\r\n");
    script.e(&[]);
    script.submit(&Noop);
    script.c("456789\r\nA1 NOOP\r\n");
    script.e(&["0 refused Bad"]);
    script.s("A0 NO and again\r\nA1 OK\r\n");
    script.e(&["1 ok"]);
    assert!(matches!(script.connection.health(), Health::Usable));
}

#[test]
fn an_answer_in_the_wrong_order_or_for_a_tag_that_is_over_changes_nothing() {
    let mut script = Script::selected("");
    for _ in 0..3 {
        script.submit(&Noop);
    }
    script.c("A1 NOOP\r\nA2 NOOP\r\nA3 NOOP\r\n");
    script.s("A3 OK\r\nA3 NO\r\na2 OK\r\nA02 OK\r\nA1 BAD\r\nA0 OK\r\nA2 OK\r\n");
    script.e(&["3 ok", "1 refused Bad", "2 ok"]);
    assert!(matches!(script.connection.health(), Health::Usable));
}

#[test]
fn a_goodbye_inside_a_batch_ends_all_of_it_at_once() {
    let mut script = Script::authenticated("LITERAL+");
    for text in ["one", "two", "three"] {
        script.append(held(text));
    }
    // The first is sent, the second half-way, of the third nothing has left.
    script.c_part("A0 APPEND \"x\" {3+}\r\none\r\nA1 APPEND \"x\" {3+}\r\nt".len());
    script.s("* BYE [UNAVAILABLE] later\r\n");
    let events = script.events();
    let fates: Vec<&str> = events.iter().filter_map(|event| event.rsplit(' ').next()).take(3).collect();
    assert_eq!(fates, ["InDoubt", "Cancelled", "NotSent"], "{events:?}");
    assert!(script.connection.is_closed());
    script.c_nothing();
}

/// A connection that asks for IDLE a minute after it began.
fn idling(refresh: Duration) -> Script {
    let mut script = Script::configured("IDLE", |config| config.idle_refresh = refresh);
    script.submit(&Select::new("INBOX", Access::ReadWrite));
    script.c("A0 SELECT \"INBOX\"\r\n");
    script.s("A0 OK\r\n");
    script.e(&["0 ok"]);
    script.wait(60);
    script.submit(&Idle);
    script.c("A1 IDLE\r\n");
    script
}

#[test]
fn an_idle_that_is_renewed_at_once_does_not_flood_the_server() {
    for refresh in [Duration::ZERO, Duration::from_millis(1)] {
        let mut script = idling(refresh);
        let mut begun = 1;
        for _ in 0..1000 {
            script.s("+ idling\r\n");
            script.events();
            script.connection.handle_timeout(script.now);
            let sent = script.leave();
            for line in sent.lines() {
                if line.ends_with("IDLE") {
                    begun += 1;
                } else {
                    assert_eq!(line, "DONE");
                    script.s(&format!("A{begun} OK\r\n"));
                    script.events();
                }
            }
            script.now += Duration::from_millis(1);
        }
        assert!(begun <= 2, "{begun} times in a second");
    }
}

#[test]
fn an_idle_that_is_never_renewed_is_not_taken_up_as_fast_as_the_network_goes() {
    let mut script = idling(Duration::MAX);
    script.s("+ idling\r\nA1 OK enough\r\n");
    script.e(&["1 idles"]);
    script.c_nothing();
    script.wait(2);
    script.c("A2 IDLE\r\n");
}

#[test]
fn a_done_that_was_half_sent_is_finished_before_idle_is_taken_up_again() {
    let mut script = Script::selected("IDLE");
    let id = script.submit(&Idle);
    script.c("A1 IDLE\r\n");
    script.s("+ idling\r\n");
    script.e(&["1 idles"]);
    script.wait(9 * 60);
    script.c_part(2);
    script.s("A1 OK enough\r\n");
    script.e(&[]);
    script.c_part("NE\r\n".len());
    assert_eq!(script.abandon(id), CancelEffect::WillFinish);
    script.submit(&Noop);
    script.c("A2 IDLE\r\n");
    script.s("* BAD what is DONE\r\n+ idling\r\n");
    script.e(&["- * BAD what is DONE"]);
    script.c("DONE\r\nA3 NOOP\r\n");
    script.s("A2 OK\r\nA3 OK\r\n");
    script.e(&["1 ok", "2 ok"]);
}

#[test]
fn where_a_message_is_stored_is_told_where_the_server_names_one_place() {
    for (code, uid) in [
        ("[APPENDUID 7 4]", Some(4)),
        ("[APPENDUID 7 4:4]", Some(4)),
        ("[APPENDUID 7 0]", None),
        ("[APPENDUID 0 4]", None),
        ("[APPENDUID 7 *]", None),
        ("[APPENDUID 7 4:*]", None),
        ("[APPENDUID 7 4:9]", None),
        ("[APPENDUID 7 9,4]", None),
        ("[APPENDUID 7 4294967296]", None),
        ("[APPENDUID 7]", None),
    ] {
        let mut script = Script::authenticated("LITERAL+");
        let append = Append::new("x", "one");
        script.submit(&append);
        script.c("A0 APPEND \"x\" {3+}\r\none\r\n");
        script.s(&format!("A0 OK {code} stored\r\n"));
        let Some(Event::Done { outcome: Ok(ok), .. }) = script.connection.poll_event() else { panic!("{code}") };
        let stored: Option<Stored> = append.finish(ok);
        assert_eq!(stored.map(|stored| stored.uid.get()), uid, "{code}");
    }
}

#[test]
fn uids_that_do_not_rise_are_no_places_of_messages() {
    for code in ["[APPENDUID 7 9,4]", "[APPENDUID 7 4,4]", "[APPENDUID 7 4:5,5]", "[APPENDUID 7 *,4]"] {
        let mut script = Script::authenticated("LITERAL+ MULTIAPPEND");
        let several = MultiAppend::new("x", ["one", "two"]);
        script.submit(&several);
        script.leave();
        script.s(&format!("A0 OK {code} stored\r\n"));
        let Some(Event::Done { outcome: Ok(ok), .. }) = script.connection.poll_event() else { panic!("{code}") };
        assert_eq!(several.finish(ok), [], "{code}");
    }
}

#[test]
fn literals_of_any_announced_length_allocate_and_hang_nothing() {
    for len in ["4294967295", "4294967296", "9223372036854775807", "18446744073709551615", "18446744073709551616"] {
        for line in [
            "* 1 FETCH (UID 1 BODY[] {LEN}\r\n",
            "* X {LEN}\r\n",
            "* LIST () \"/\" {LEN}\r\n",
            "* 1 FETCH (UID 1 ENVELOPE ({LEN}\r\n",
        ] {
            for abandoned in [false, true] {
                let mut script = Script::selected("");
                let uid = UidSet::from(Uid::new(1).expect("it is not 0"));
                let id = script.submit(&Fetch::new(uid, FetchItems::ids().section(Section::whole())));
                script.leave();
                if abandoned {
                    script.abandon(id);
                }
                script.s(&line.replace("LEN", len));
                for _ in 0..8 {
                    script.s(&"x".repeat(4096));
                    script.events();
                }
                script.abandon(id);
                script.events();
                script.s_eof();
                script.events();
                assert!(script.connection.is_closed(), "{line} {len}");
            }
        }
    }
}

/// Ends of what can be configured.
const ENDS: [fn(&mut Config); 13] = [
    |config| config.authenticated.response = 0,
    |config| config.authenticated.literal = 0,
    |config| config.authenticated.inline = 0,
    |config| config.authenticated.tokens = 0,
    |config| config.authenticated.depth = 0,
    |config| {
        config.authenticated.response = usize::MAX;
        config.authenticated.literal = u64::MAX;
        config.authenticated.inline = u64::MAX;
        config.authenticated.tokens = usize::MAX;
        config.authenticated.depth = u16::MAX;
    },
    |config| config.outstanding = 0,
    |config| config.outstanding = usize::MAX,
    |config| (config.drain_bytes, config.answer_bytes) = (0, 0),
    |config| (config.drain_bytes, config.answer_bytes) = (u64::MAX, u64::MAX),
    |config| config.unknown_tags = 0,
    |config| config.unknown_tags = u32::MAX,
    |config| (config.done, config.drain_time, config.progress) = (Duration::MAX, Duration::MAX, Duration::MAX),
];

#[test]
fn limits_at_their_ends_end_the_connection_at_worst() {
    for (end, change) in ENDS.into_iter().enumerate() {
        let mut script = Script::configured("IDLE", change);
        script.wait(5);
        script.submit(&Select::new("INBOX", Access::ReadWrite));
        script.leave();
        script.s("* 3 EXISTS\r\n* FLAGS (\\Seen ((\\Odd)))\r\nA0 OK [READ-WRITE]\r\n");
        script.events();
        let uid = UidSet::from(Uid::new(1).expect("it is not 0"));
        let fetch = Fetch::new(uid, FetchItems::ids().section(Section::whole()));
        for round in 0..40 {
            let Ok(id) = script.connection.submit(fetch.request().expect("a request"), script.now) else { break };
            script.leave();
            script.s("* 1 FETCH (UID 1 BODY[] {3}\r\n");
            script.events();
            if round % 2 == 0 {
                script.abandon(id);
            }
            assert!(!script.connection.receive_space().is_empty(), "{end}");
            script.s(&format!("abc)\r\nB7 OK\r\nA0 OK\r\nA{} OK\r\n", round + 1));
            script.events();
            script.wait(1);
        }
        let is_over = script.connection.is_closed() || matches!(script.connection.health(), Health::Usable);
        assert!(is_over && script.connection.is_quiet(), "{end}: {:?}", script.connection.health());
    }
}

/// How long the rest of an answer that nobody wants may take.
const DRAIN_TIME: u64 = 30;

#[test]
fn what_is_given_up_behind_a_long_answer_does_not_end_it() {
    let one = || UidSet::from(Uid::new(1).expect("it is not 0"));
    for first_is_dropped in [false, true] {
        let mut script = Script::selected("");
        let first = match first_is_dropped {
            // What is finished in the background takes the time it takes.
            true => script.submit(&Copy::new(one(), "x")),
            false => script.submit(&Fetch::new(one(), FetchItems::ids().section(Section::whole()))),
        };
        let search = script.submit(&Search::new(Query::all()));
        assert_eq!(script.leave().lines().count(), 2);
        script.abandon(search);
        if first_is_dropped {
            script.abandon(first);
        } else {
            script.s("* 1 FETCH (UID 1 BODY[] {20000}\r\n");
        }
        for _ in 0..20 {
            script.s(&if first_is_dropped { "* OK at it\r\n".to_owned() } else { "x".repeat(1000) });
            script.events();
            script.wait(DRAIN_TIME / 2);
        }
        script.s(if first_is_dropped { "A1 OK\r\n" } else { ")\r\nA1 OK\r\n" });
        assert!(script.events().contains(&"1 ok".to_owned()), "{first_is_dropped}");
        // From here on it has its time.
        script.wait(DRAIN_TIME - 1);
        assert!(!script.connection.is_closed());
        script.wait(1);
        assert!(script.connection.is_closed());
    }
}
