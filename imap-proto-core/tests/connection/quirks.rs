//! What servers say of the session, and of the selected mailbox, by its number in `docs/quirks.md`.

use std::time::Duration;

use imap_proto_core::command::{
    Access, Append, Command, Fetch, Idle, Login, Logout, Message, Move, Noop, Request, Search, Select,
};
use imap_proto_core::types::{FetchItems, MailboxName, Query, Secret, SeqSet, Uid, UidSet};
use imap_proto_core::{Config, Connection, Event, Misuse, Security, SessionState, Time, Want};

use crate::script::Script;
use crate::violations::shake;

fn noop() -> Request {
    Noop.request().expect("NOOP can be sent")
}

fn logout() -> Request {
    Logout.request().expect("LOGOUT can be sent")
}

fn fetch() -> Request {
    Fetch::new(UidSet::from(Uid::new(7).expect("a UID")), FetchItems::ids().flags()).request().expect("a set")
}

fn idle() -> Request {
    Idle.request().expect("IDLE can be sent")
}

fn move_seven() -> Request {
    let seven = UidSet::from(Uid::new(7).expect("a UID"));
    Move::new(seven, MailboxName::inbox()).request().expect("MOVE can be sent")
}

/// What a server says while a command is under way in INBOX, and what is told of it.
type Row = (&'static str, fn() -> Request, &'static str, &'static [&'static str]);

const ROWS: &[Row] = &[
    ("28", noop, "A1 OK\r\n", &["1 ok"]),
    ("29", noop, "* OK [X]text\r\nA1 OK [READ-WRITE]\r\n", &["- * OK [X]text", "1 ok"]),
    ("30", noop, "+\r\n+ \r\nA1 OK\r\n", &["1 ok"]),
    ("31", idle, "+ IDLE accepted, awaiting DONE\r\n* 4 EXISTS\r\n", &["1 idles", "- * 4 EXISTS"]),
    ("31", idle, "+ aGVsbG8=\r\n", &["1 idles"]),
    ("32", noop, "[COPYUID 55 31 6]\r\nA1 OK\r\n", &["- [COPYUID 55 31 6]", "1 ok"]),
    ("33", noop, "* [COPYUID 55 31 6] {3}\r\nA1 OK\r\n", &["- * [COPYUID 55 31 6] {3}", "1 ok"]),
    ("34", noop, "A1 OK [COPYUID 1  ]\r\n", &["1 ok"]),
    (
        "35",
        move_seven,
        "* OK [COPYUID 55 7 31] moved\r\n* 1 EXPUNGE\r\nA1 OK [COPYUID 55 7 31] done\r\n",
        &["1 * OK [COPYUID 55 7 31] moved", "- * 1 EXPUNGE", "1 ok"],
    ),
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
    (
        "79",
        fetch,
        "* 2 FETCH (FLAGS (a))\r\n* 1 FETCH (UID 7 FLAGS ())\r\n* 3 EXPUNGE\r\n* 1 FETCH (UID 7 FLAGS (b))\r\n\
         * 2 FETCH (UID 9 X-GM-LABELS (c))\r\nA1 OK\r\n",
        &[
            "- * 2 FETCH (FLAGS (a))",
            "1 * 1 FETCH (UID 7 FLAGS ())",
            "- * 3 EXPUNGE",
            "1 * 1 FETCH (UID 7 FLAGS (b))",
            "- * 2 FETCH (UID 9 X-GM-LABELS (c))",
            "1 ok",
        ],
    ),
    (
        "92",
        fetch,
        "* 1 FETCH (UID 7 FLAGS ())\r\n X-Rest: {5}\r\n)\r\n* 4 EXISTS\r\nA1 OK\r\n",
        &["1 * 1 FETCH (UID 7 FLAGS ())", "-  X-Rest: {5}", "- )", "- * 4 EXISTS", "1 ok"],
    ),
    (
        "126",
        noop,
        "* 0 EXPUNGE\r\n* 9 EXPUNGE\r\n* VANISHED (EARLIER) \r\nA1 OK\r\n",
        &["- * 0 EXPUNGE", "- * 9 EXPUNGE", "- * VANISHED (EARLIER) ", "1 ok"],
    ),
];

/// The events of a session of which the last part comes in two pieces.
fn told(request: Request, answer: &str, split: usize) -> Vec<String> {
    let mut script = Script::selected("IDLE MOVE");
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

/// What a server says of a mailbox while it is selected, and what is known of it then: the validity of its UIDs, the next of
/// them, the first unseen message, the highest mod-sequence, the flags that stay.
const MAILBOXES: &[(&str, &str, &str)] = &[
    ("0", "* OK [UIDVALIDITY 5] x\r\n* OK [UIDNEXT 7] x\r\n", "Some(UidValidity(5)) Some(Uid(7)) None None None"),
    ("36", "* OK [UIDVALIDITY 0] x\r\n", "None None None None None"),
    ("37", "* OK [UIDNEXT 0] x\r\n", "None None None None None"),
    ("38", "* OK [UNSEEN 0]\r\n", "None None None None None"),
    ("39", "* OK [HIGHESTMODSEQ 0] x\r\n", "None None None None None"),
    ("39", "* OK [HIGHESTMODSEQ -1] x\r\n", "None None None None None"),
    ("39", "* OK [HIGHESTMODSEQ 18446744073709551615] x\r\n", "None None None Some(18446744073709551615) None"),
    ("40", "* OK [PERMANENTFLAGS ([css3-page] \\*)] x\r\n", "None None None None Some([Odd(\"[css3-page]\"), \\*])"),
    ("42", "* FLAGS (\\Seen)\r\n", "None None None None None"),
    ("42", "* OK [PERMANENTFLAGS ()] x\r\n", "None None None None Some([])"),
];

#[test]
fn odd_words_of_a_mailbox_are_read_as_their_server_meant_them() {
    for (quirk, said, expected) in MAILBOXES {
        for split in 0..said.len() {
            let mut script = Script::authenticated("");
            script.submit(&Select::new(MailboxName::inbox(), Access::ReadWrite));
            script.c("A0 SELECT \"INBOX\"\r\n");
            script.s(&said[..split]);
            script.events();
            script.s(&said[split..]);
            script.s("A0 OK\r\n");
            script.events();
            let known = script.connection.view().selected().expect("it is selected");
            let known = format!(
                "{:?} {:?} {:?} {:?} {:?}",
                known.uid_validity, known.uid_next, known.unseen, known.highest_mod_seq, known.permanent_flags
            );
            assert_eq!(known, *expected, "quirk {quirk}, {said:?} split at {split}");
        }
    }
}

/// Status responses, and what they say.
const CODES: &[(&str, &str, &str)] = &[
    ("28", "* OK\r\n", "Ok None \"\""),
    ("29", "* OK [READ-WRITE]\r\n", "Ok Some(ReadWrite) \"\""),
    ("29", "* OK [READ-ONLY]text\r\n", "Ok Some(ReadOnly) \"text\""),
    ("34", "* OK [COPYUID 1  ]\r\n", "Ok Some(Other { name: \"COPYUID\", text: \"1\" }) \"\""),
    ("36", "* OK [UIDVALIDITY 0] x\r\n", "Ok Some(UidValidity(None)) \"x\""),
    ("37", "* OK [UIDNEXT 0] x\r\n", "Ok Some(UidNext(None)) \"x\""),
    ("38", "* OK [UNSEEN 0]\r\n", "Ok Some(Unseen(None)) \"\""),
    ("39", "* OK [HIGHESTMODSEQ 0] x\r\n", "Ok Some(NoModSeq) \"x\""),
    ("36", "* OK [APPENDUID 0 5] x\r\n", "Ok Some(Other { name: \"APPENDUID\", text: \"0 5\" }) \"x\""),
    ("36", "* OK [COPYUID 0 1 2] x\r\n", "Ok Some(Other { name: \"COPYUID\", text: \"0 1 2\" }) \"x\""),
    ("40", "* NO [XFOO see bar[baz] text\r\n", "No Some(Other { name: \"XFOO\", text: \"see bar[baz\" }) \"text\""),
    ("40", "* OK [XFOO never closed\r\n", "Ok None \"[XFOO never closed\""),
    ("41", "* NO [REFERRAL imap://a/b] x\r\n", "No Some(Referral(\"imap://a/b\")) \"x\""),
    ("41", "* NO [BADCHARSET (US-ASCII \"x\")] x\r\n", "No Some(BadCharset([\"US-ASCII\", \"x\"])) \"x\""),
    ("41", "* NO [BADURL \"/INBOX\"]\r\n", "No Some(BadUrl(\"/INBOX\")) \"\""),
    ("41", "* OK [NEWNAME a b]\r\n", "Ok Some(Other { name: \"NEWNAME\", text: \"a b\" }) \"\""),
    ("41", "* NO [NOUPDATE \"B02\"]\r\n", "No Some(Other { name: \"NOUPDATE\", text: \"\\\"B02\\\"\" }) \"\""),
    ("41", "* NO [UNDEFINED-FILTER x]\r\n", "No Some(Other { name: \"UNDEFINED-FILTER\", text: \"x\" }) \"\""),
    ("41", "* NO [MAXCONVERTPARTS 1]\r\n", "No Some(Other { name: \"MAXCONVERTPARTS\", text: \"1\" }) \"\""),
];

#[test]
fn odd_response_codes_are_kept_with_the_text_behind_them() {
    use imap_proto_core::wire::grammar::Unsolicited;

    for (quirk, said, expected) in CODES {
        for split in 0..said.len() {
            let mut script = Script::selected("");
            script.s(&said[..split]);
            assert!(script.events().is_empty());
            script.s(&said[split..]);
            let Some(Event::Data { id: None, response }) = script.connection.poll_event() else { panic!("{said}") };
            let Unsolicited::Status { condition, code, text } = response.unsolicited() else { panic!("{said}") };
            let found = format!("{condition:?} {code:?} {text:?}");
            assert_eq!(found, *expected, "quirk {quirk}, {said:?} split at {split}");
        }
    }
}

#[test]
fn quirk_36_where_a_message_was_stored_is_not_known_without_a_uid_validity() {
    for (answer, uid) in [("A0 OK [APPENDUID 0 5]\r\n", None), ("A0 OK [APPENDUID 9 5]\r\n", Uid::new(5))] {
        let mut script = Script::authenticated("LITERAL+");
        let append = Append::new(MailboxName::inbox(), Message::Octets("x".into()));
        script.submit(&append);
        script.c("A0 APPEND \"INBOX\" {1+}\r\nx\r\n");
        script.s(answer);
        let Some(Event::Done { outcome: Ok(ok), .. }) = script.connection.poll_event() else { panic!("{answer}") };
        assert_eq!(append.finish(ok).map(|stored| stored.uid), uid, "{answer}");
    }
}

#[test]
fn quirk_45_a_greeting_may_be_a_goodbye() {
    for (greeting, expected) in [
        ("* BYE\r\n", &["closed the server closed the connection: "][..]),
        ("* BYE [ALERT] too many\r\n", &["closed the server closed the connection: [ALERT] too many"]),
        ("* PREAUTH\r\n", &["greeting"]),
        ("* OK\r\n", &["greeting"]),
    ] {
        for split in 0..greeting.len() {
            let mut script = Script { connection: Connection::new(Config::default()), now: Time::ZERO };
            script.s(&greeting[..split]);
            assert!(script.events().is_empty());
            script.s(&greeting[split..]);
            script.e(expected);
        }
    }
}

#[test]
fn quirk_56_a_user_with_a_domain_is_quoted() {
    for (user, line) in [
        ("DOMAIN\\user", "A0 LOGIN \"DOMAIN\\\\user\" \"secret\"\r\n"),
        ("user/shared", "A0 LOGIN \"user/shared\" \"secret\"\r\n"),
    ] {
        let mut script = Script { connection: Connection::new(Config::default()), now: Time::ZERO };
        script.s("* OK [CAPABILITY IMAP4rev1] hi\r\n");
        script.e(&["greeting"]);
        script.submit(&Login::new(user, Secret::from("secret")));
        script.c(line);
    }
}

#[test]
fn quirk_57_a_server_that_does_not_say_what_it_can_is_asked() {
    let turns = [
        ("* OK hi\r\n", ""),
        ("* CAPABILITY IMAP4rev1 X X APPENDLIMIT APPENDLIMIT= ?\r\nT0 OK\r\n", "T0 CAPABILITY\r\n"),
        ("T1 OK in\r\n", "T1 LOGIN \"alice\" \"secret\"\r\n"),
        ("* CAPABILITY IMAP4rev1\r\nT2 OK\r\n", "T2 CAPABILITY\r\n"),
    ];
    assert!(matches!(shake(Security::ImplicitTls, &turns), Ok(Want::Nothing)));
}

#[test]
fn quirk_59_annotations_are_not_asked_for() {
    // `selected` compares what is sent.
    Script::selected("ANNOTATE-EXPERIMENT-1 ANNOTATE");
}

#[test]
fn quirk_60_data_before_the_login_is_taken_for_what_it_is() {
    let turns = [
        ("* OK hi\r\n* 5 EXISTS\r\n* FLAGS (\\Seen)\r\n", ""),
        ("* 1 FETCH (FLAGS ())\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nT0 OK\r\n", "T0 CAPABILITY\r\n"),
        ("* 2 RECENT\r\n+ \r\n", "T1 AUTHENTICATE PLAIN\r\n"),
        ("* 1 EXPUNGE\r\nT1 OK [CAPABILITY IMAP4rev1] in\r\n", "AGFsaWNlAHNlY3JldA==\r\n"),
    ];
    assert!(matches!(shake(Security::ImplicitTls, &turns), Ok(Want::Nothing)));
}

#[test]
fn quirk_93_what_servers_stumble_over_is_not_sent() {
    let uids = UidSet::from_wire(b"9:3,2").expect("a set");
    let numbers = SeqSet::from_wire(b"3:1").expect("a set");
    // Neither FAST nor ALL, and the lower number first.
    let sent = |request: Result<Request, Misuse>, line: &str| {
        let mut script = Script::selected("");
        script.connection.submit(request.expect("it can be sent"), script.now).expect("the connection is open");
        script.c(line);
    };
    let summary = "A1 UID FETCH 2:9 (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)\r\n";
    sent(Fetch::new(uids.clone(), FetchItems::summary()).request(), summary);
    let fast = FetchItems::ids().flags().size().internal_date();
    sent(Fetch::new(numbers, fast).request(), "A1 FETCH 1:3 (UID FLAGS INTERNALDATE RFC822.SIZE)\r\n");
    sent(Search::new(Query::uid(uids)).request(), "A1 UID SEARCH UID 2:9\r\n");
}

/// What a server answers to a search for UIDs, and what was found.
const SEARCHES: &[(&str, &str, &str)] = &[
    ("121", "* SEARCH 1 2\r\n", "1:2"),
    ("121", "* ESEARCH (TAG \"A1\") UID ALL 1:2\r\n", "1:2"),
    ("122", "* ESEARCH (TAG \"A1\") ALL 1:3\r\n", "1:3"),
    ("122", "* ESEARCH (TAG \"A1\") UID (ALL 1,2)\r\n", "1:2"),
    ("122", "* ESEARCH UID X-NEW (a b) ALL 5\r\n", "5"),
    ("122", "* ESEARCH\r\n* ESEARCH (TAG \"A1\")\r\n* ESEARCH (TAG \"A1\") UID\r\n", ""),
    ("123", "* SEARCH\r\n", ""),
    ("123", "* SEARCH \r\n* SEARCH 4 2 4\r\n* SEARCH 3 (MODSEQ 9)\r\n", "2:4"),
    ("123", "* ESEARCH (TAG \"A1\") UID PARTIAL (1:10 NIL) ALL 8:3,5\r\n", "3:8"),
    ("123", "* ESEARCH (TAG \"A1\") UID ALL 1:*\r\n", "1:*"),
];

#[test]
fn odd_answers_to_a_search_find_the_same_messages() {
    use imap_proto_core::command::Returns;

    let lines = [("", "A1 UID SEARCH ALL\r\n"), ("ESEARCH", "A1 UID SEARCH RETURN (ALL) ALL\r\n")];
    for (quirk, said, expected) in SEARCHES {
        for split in 0..said.len() {
            for (capabilities, line) in lines {
                let mut script = Script::selected(capabilities);
                let mut search = Search::new(Query::all()).returning(Returns::ALL);
                script.submit(&search);
                script.c(line);
                let mut found = None;
                for piece in [&said[..split], &said[split..], "A1 OK\r\n"] {
                    script.s(piece);
                    while let Some(event) = script.connection.poll_event() {
                        match event {
                            Event::Data { id: Some(_), response } => search.fold(response),
                            Event::Done { outcome: Ok(ok), .. } => found = Some(search.clone().finish(ok).all),
                            other => panic!("{other:?}"),
                        }
                    }
                }
                let found = found.flatten().expect("it is done").to_string();
                assert_eq!(found, *expected, "quirk {quirk}, {said:?} split at {split}");
            }
        }
    }
}

#[test]
fn quirk_126_a_mailbox_is_never_smaller_than_empty_nor_larger_than_the_server_says() {
    let mut script = Script::selected("");
    for (said, exists) in [
        ("* 0 EXPUNGE\r\n", 3),
        ("* 9 EXPUNGE\r\n", 3),
        ("* VANISHED (EARLIER) \r\n", 3),
        ("* VANISHED \r\n", 3),
        ("* 1 EXISTS\r\n", 1),
        ("* VANISHED 1:50\r\n", 0),
        ("* 1 EXPUNGE\r\n", 0),
    ] {
        for (at, octet) in said.bytes().enumerate() {
            script.s(&char::from(octet).to_string());
            assert_eq!(script.events().len(), usize::from(at + 1 == said.len()));
        }
        assert_eq!(script.connection.view().selected().map(|selected| selected.exists), Some(exists), "{said}");
    }
}
