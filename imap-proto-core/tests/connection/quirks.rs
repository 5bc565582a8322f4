//! The tolerance list, B: what servers say of the session, by its number in `docs/quirks.md`.

use std::time::Duration;

use imap_proto_core::command::{Command, Fetch, Logout, Noop, Request};
use imap_proto_core::types::{FetchItems, Uid, UidSet};
use imap_proto_core::{Event, SessionState, Time};

use crate::script::Script;

fn noop() -> Request {
    Noop.request().expect("NOOP can be sent")
}

fn logout() -> Request {
    Logout.request().expect("LOGOUT can be sent")
}

fn fetch() -> Request {
    Fetch::new(UidSet::from(Uid::new(7).expect("a UID")), FetchItems::ids().flags()).request().expect("a set")
}

/// What a server says while a command is under way in INBOX, and what is told of it.
type Row = (&'static str, fn() -> Request, &'static str, &'static [&'static str]);

const ROWS: &[Row] = &[
    ("28", noop, "A1 OK\r\n", &["1 ok"]),
    ("29", noop, "* OK [X]text\r\nA1 OK [READ-WRITE]\r\n", &["- * OK [X]text", "1 ok"]),
    ("30", noop, "+\r\n+ \r\nA1 OK\r\n", &["1 ok"]),
    ("32", noop, "[COPYUID 55 31 6]\r\nA1 OK\r\n", &["- [COPYUID 55 31 6]", "1 ok"]),
    ("33", noop, "* [COPYUID 55 31 6] {3}\r\nA1 OK\r\n", &["- * [COPYUID 55 31 6] {3}", "1 ok"]),
    ("34", noop, "A1 OK [COPYUID 1  ]\r\n", &["1 ok"]),
    ("43", logout, "A1 BYE\r\n", &["1 ok", "closed the connection is closed: logged out"]),
    ("44", logout, "* BYE\r\n* BYE\r\n", &["1 ok", "closed the connection is closed: logged out"]),
    ("46", noop, "* BAD the bad,\r\n* NO more\r\nA1 OK\r\n", &["- * BAD the bad,", "- * NO more", "1 ok"]),
    ("47", noop, "+ what?\r\nA1 OK\r\n", &["1 ok"]),
    (
        "48",
        noop,
        "Server Unavailable. 15\r\n* BYE\r\n",
        &[
            "- Server Unavailable. 15",
            "1 failed the server closed the connection:  Cancelled",
            "closed the server closed the connection: ",
        ],
    ),
    ("49", noop, "A1 BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds\r\n", &["1 refused Bad"]),
    (
        "50",
        fetch,
        "* 1 FETCH (UID 7 FLAGS ())\r\nA1 NO Some of the requested messages no longer exist\r\n",
        &["1 * 1 FETCH (UID 7 FLAGS ())", "1 refused No"],
    ),
    ("51", noop, "A1 BAD User is authenticated but not connected.\r\n", &["1 refused Bad"]),
    ("53", noop, "Z9 OK\r\nA1 OK\r\n", &["1 ok"]),
    (
        "53",
        noop,
        "A9 OK\r\n",
        &[
            "1 failed protocol violation: an answer to a command that was not sent Cancelled",
            "closed protocol violation: an answer to a command that was not sent",
        ],
    ),
    ("78", fetch, "* 0 FETCH (UID 7 FLAGS ())\r\nA1 OK\r\n", &["- * 0 FETCH (UID 7 FLAGS ())", "1 ok"]),
];

/// The events of a session of which the last part comes in two pieces.
fn told(request: Request, answer: &str, split: usize) -> Vec<String> {
    let mut script = Script::selected("");
    script.connection.submit(request, Time::ZERO).expect("the connection is open");
    let sent = script.connection.transmit().map(<[u8]>::len).sum();
    script.connection.transmitted(sent, Time::ZERO);
    script.s(&answer[..split]);
    let mut events = script.events();
    script.s(&answer[split..]);
    events.append(&mut script.events());
    events
}

#[test]
fn odd_words_of_a_session_are_read_as_their_server_meant_them() {
    for (quirk, request, answer, expected) in ROWS {
        for split in 0..answer.len() {
            assert_eq!(told(request(), answer, split), *expected, "quirk {quirk}, {answer:?} split at {split}");
        }
    }
}

#[test]
fn a_server_that_wants_to_be_left_alone_says_for_how_long() {
    let refused = |answer: &str| {
        let mut script = Script::selected("");
        script.submit(&Noop);
        script.c("A1 NOOP\r\n");
        script.s(answer);
        match script.connection.poll_event() {
            Some(Event::Done { outcome: Err(refused), .. }) => refused,
            other => panic!("{other:?}"),
        }
    };
    let throttled = "A1 BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds\r\n";
    assert_eq!(refused(throttled).backoff(), Some(Duration::from_millis(92_415)));
    for other in
        ["A1 BAD no\r\n", "A1 BAD Suggested Backoff Time: x seconds\r\n", "A1 NO Suggested Backoff Time: 5\r\n"]
    {
        assert_eq!(refused(other).backoff(), None, "{other}");
    }
    assert!(refused("A1 BAD User is authenticated but not connected.\r\n").is_not_connected());
    assert!(!refused("A1 BAD no\r\n").is_not_connected());
}

#[test]
fn what_comes_before_its_time_is_told_and_changes_nothing_else() {
    // Quirk 60: data before the answer to the first command, and in an IDLE before its `+`.
    let mut script = Script::selected("IDLE");
    script.submit(&imap_proto_core::command::Idle);
    script.c("A1 IDLE\r\n");
    script.s("* 9 EXISTS\r\n* 9 FETCH (FLAGS (\\Seen))\r\n+ idling\r\n* 3 EXPUNGE\r\n");
    script.e(&["- * 9 EXISTS", "- * 9 FETCH (FLAGS (\\\\Seen))", "1 idles", "- * 3 EXPUNGE"]);
    assert_eq!(script.connection.view().selected().map(|selected| selected.exists), Some(8));
    assert_eq!(script.connection.view().state(), SessionState::Authenticated);
}
