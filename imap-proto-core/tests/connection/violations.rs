//! What a server must not do, and what comes of it.

use crate::login::Shake;
use crate::script::Script;
use bytes::Bytes;
use imap_proto_core::command::{Message, Noop, Search};
use imap_proto_core::types::{Code, Query};
use imap_proto_core::{
    Closed, Config, Credentials, Error, Event, Handshake, Limit, LoginRefusal, Phase, Security, Violation, Want,
};

#[test]
fn an_answer_to_a_command_that_has_not_left_is_fatal() {
    let mut script = Script::authenticated("");
    script.submit(&Noop);
    script.s("A0 OK done\r\n");
    let events = script.events();
    assert!(events.iter().any(|e| e.starts_with("closed protocol violation: an answer to")), "{events:?}");
    script.c_nothing();
}

#[test]
fn an_answer_to_a_tag_of_the_future_is_fatal() {
    let mut script = Script::authenticated("");
    script.s("A5 OK done\r\n");
    script.e(&["closed protocol violation: an answer to a command that was not sent"]);
}

#[test]
fn a_tag_is_matched_exactly() {
    let mut script = Script::authenticated("");
    script.submit(&Noop);
    script.c("A0 NOOP\r\n");
    for tag in ["a0", "A00", "A", "0", "A0x", "B0"] {
        script.s(&format!("{tag} OK\r\n"));
    }
    script.e(&[]);
    script.s("A0 OK\r\n");
    script.e(&["0 ok"]);
}

#[test]
fn the_sixteenth_unknown_tag_is_fatal() {
    let mut script = Script::authenticated("");
    for _ in 0..15 {
        script.s("Z1 OK\r\n");
    }
    script.e(&[]);
    script.s("Z1 OK\r\n");
    script.e(&["closed protocol violation: answers with unknown tags, the last to \"Z1\""]);
}

#[test]
fn no_or_bad_never_becomes_success() {
    // What belongs to untagged responses alone is no success either.
    for (word, condition) in [("NO", "No"), ("BAD", "Bad"), ("PREAUTH", "PreAuth"), ("BYE", "Bye")] {
        let mut script = Script::selected("");
        script.submit(&Search::new(Query::all()));
        script.c("A1 UID SEARCH ALL\r\n");
        script.s(&format!("* SEARCH\r\nA1 {word} what\r\n"));
        script.e(&["1 * SEARCH", &format!("1 refused {condition}")]);
    }
}

#[test]
fn a_continuation_that_nobody_asked_for_is_overlooked() {
    let mut script = Script::authenticated("");
    script.submit(&Noop);
    script.c("A0 NOOP\r\n");
    script.s("+ what\r\nA0 OK\r\n");
    script.e(&["0 ok"]);
}

#[test]
fn literal_minus_synchronizes_above_4096_octets() {
    for (len, marker) in [(4096usize, "{4096+}"), (4097, "{4097}")] {
        let mut script = Script::authenticated("LITERAL-");
        script.append(Message::Octets(Bytes::from(vec![b'x'; len])));
        let line: Vec<u8> = script.connection.transmit().next().unwrap_or_default().to_vec();
        assert_eq!(String::from_utf8_lossy(&line), format!("A0 APPEND \"x\" {marker}\r\n"));
    }
}

#[test]
fn data_that_nobody_knows_arrives_as_it_is() {
    let mut script = Script::authenticated("");
    script.s("* XWEIRD ((\r\n* XFINE (a {3}\r\nb)c)\r\ngarbage here\r\n* OK still here\r\n");
    script.e(&["- * XWEIRD ((", "- * XFINE (a {3}\\r\\nb)c)", "- garbage here", "- * OK still here"]);
}

#[test]
fn silence_while_a_command_is_under_way_ends_the_connection() {
    let mut script = Script::authenticated("");
    script.wait(3600);
    script.e(&[]);
    script.submit(&Noop);
    script.c("A0 NOOP\r\n");
    script.wait(59);
    script.e(&[]);
    script.wait(1);
    script.e(&[
        "0 failed timed out after 60s, waiting for any byte of a command or its answer Cancelled",
        "closed timed out after 60s, waiting for any byte of a command or its answer",
    ]);
}

#[test]
fn bye_and_the_end_of_the_stream_end_every_command() {
    for (bytes, cause) in [
        ("* BYE overload\r\n", "the server closed the connection: overload"),
        ("", "the connection is closed: end of stream"),
    ] {
        let mut script = Script::authenticated("");
        script.submit(&Noop);
        script.submit(&Noop);
        script.c("A0 NOOP\r\nA1 NOOP\r\n");
        script.s(bytes);
        script.s_eof();
        script.e(&[
            &format!("0 failed {cause} Cancelled"),
            &format!("1 failed {cause} Cancelled"),
            &format!("closed {cause}"),
        ]);
    }
}

#[test]
fn too_much_before_login_is_refused() {
    let mut script = Script::authenticated("");
    script.connection = imap_proto_core::Connection::new(Config::default());
    script.s("* OK hi\r\n");
    for _ in 0..9000 {
        script.s("* OK x\r\n");
        script.events();
    }
    assert!(matches!(
        script.connection.health(),
        imap_proto_core::Health::MustClose(Error::Limit(Limit::Unauthenticated))
    ));
}

/// Plays a handshake of `alice`, split in every way, as [`Shake`] does.
pub(crate) fn shake(security: Security, turns: &[(&str, &str)]) -> Result<Want, Error> {
    Shake { security, ..Shake::new(Credentials::password("alice", "secret")) }.play(turns)
}

#[test]
fn a_greeting_that_does_not_come_times_out() {
    let mut handshake = Handshake::new(Config::default(), Security::ImplicitTls, None);
    let at = handshake.poll_timeout().expect("a greeting is awaited");
    assert!(matches!(handshake.advance(at), Err(Error::Timeout { phase: Phase::Greeting, .. })));
}

const PLAIN: &str = "AGFsaWNlAHNlY3JldA==";

#[test]
fn plain_goes_with_the_command_where_the_server_takes_it_and_else_after_its_go_ahead() {
    let at_once = [
        ("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n", ""),
        ("T0 OK [CAPABILITY IMAP4rev1] in\r\n", &format!("T0 AUTHENTICATE PLAIN {PLAIN}\r\n")),
    ];
    assert!(matches!(shake(Security::ImplicitTls, &at_once), Ok(Want::Nothing)));
    for go_ahead in ["+\r\n", "+ \r\n", "+ go on\r\n", "+ aGVsbG8=\r\n"] {
        let in_turns = [
            ("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN LOGINDISABLED] hi\r\n", ""),
            (go_ahead, "T0 AUTHENTICATE PLAIN\r\n"),
            ("T0 OK [CAPABILITY IMAP4rev1] in\r\n", &format!("{PLAIN}\r\n")),
        ];
        assert!(matches!(shake(Security::ImplicitTls, &in_turns), Ok(Want::Nothing)), "{go_ahead}");
    }
}

#[test]
fn a_password_is_said_once_however_often_it_is_asked_for() {
    let cancelled = [
        ("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n", ""),
        ("+ \r\n", "T0 AUTHENTICATE PLAIN\r\n"),
        ("+ \r\n", &format!("{PLAIN}\r\n")),
        ("T0 BAD cancelled\r\n", "*\r\n"),
    ];
    assert!(matches!(shake(Security::ImplicitTls, &cancelled), Err(Error::Refused(_))));
    let with_initial = [
        ("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n", ""),
        ("+ \r\n", &format!("T0 AUTHENTICATE PLAIN {PLAIN}\r\n")),
        ("T0 NO no\r\n", "*\r\n"),
    ];
    assert!(matches!(shake(Security::ImplicitTls, &with_initial), Err(Error::Refused(_))));
}

#[test]
fn a_refused_plain_is_not_followed_by_another_try() {
    let refused = [
        ("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n", ""),
        ("T0 NO [AUTHENTICATIONFAILED] no\r\n", &format!("T0 AUTHENTICATE PLAIN {PLAIN}\r\n")),
    ];
    let Err(Error::Refused(refused)) = shake(Security::ImplicitTls, &refused) else { panic!("not refused") };
    assert_eq!((&*refused.command, &refused.code), ("AUTHENTICATE", &Some(Code::AuthenticationFailed)));
}

#[test]
fn a_refused_login_says_whether_it_is_the_credentials_the_server_or_the_setup() {
    use LoginRefusal::{Configuration, Credentials, Unavailable};
    let throttled = "BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds";
    for (answer, expected) in [
        ("NO [AUTHENTICATIONFAILED] no", Credentials),
        ("NO [AUTHORIZATIONFAILED] not for bob", Credentials),
        ("NO [EXPIRED] too old", Credentials),
        ("NO no", Credentials),
        ("NO [ALERT] no", Credentials),
        ("NO [XODD] no", Credentials),
        ("BAD [AUTHENTICATIONFAILED] no", Credentials),
        ("NO [UNAVAILABLE] the directory is down", Unavailable),
        ("NO [INUSE] one at a time", Unavailable),
        ("NO [LIMIT] too many", Unavailable),
        ("NO [SERVERBUG] oops", Unavailable),
        (throttled, Unavailable),
        ("NO [PRIVACYREQUIRED] not in the clear", Configuration),
        ("NO [CONTACTADMIN] ask", Configuration),
        ("BAD what?", Configuration),
    ] {
        let answer = format!("T0 {answer}\r\n");
        let by_plain = [
            ("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n", ""),
            (&*answer, &format!("T0 AUTHENTICATE PLAIN {PLAIN}\r\n")),
        ];
        let by_login = [("* OK [CAPABILITY IMAP4rev1] hi\r\n", ""), (&*answer, "T0 LOGIN \"alice\" \"secret\"\r\n")];
        for turns in [by_plain, by_login] {
            let error = shake(Security::ImplicitTls, &turns).expect_err("it is refused");
            assert_eq!(error.login_refusal(), Some(expected), "{answer}");
        }
    }
    let disabled = [("* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n", "")];
    let error = shake(Security::ImplicitTls, &disabled).expect_err("there is no way in");
    assert_eq!(error.login_refusal(), Some(Configuration));
    // A command that is refused later says nothing of the login, nor does a lost connection.
    let mut script = Script::selected("");
    script.submit(&Noop);
    script.c("A1 NOOP\r\n");
    script.s("A1 NO [UNAVAILABLE] later\r\n");
    let Some(Event::Done { outcome: Err(refused), .. }) = script.connection.poll_event() else { panic!("not refused") };
    assert_eq!(refused.login_refusal(), None);
    assert_eq!(Error::Closed(Closed::EndOfStream).login_refusal(), None);
}

#[test]
fn an_ok_before_the_password_was_said_is_no_login() {
    let early =
        [("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n", ""), ("T0 OK come in\r\n", "T0 AUTHENTICATE PLAIN\r\n")];
    assert!(matches!(shake(Security::ImplicitTls, &early), Err(Error::Protocol(Violation::AnswerToUnsent))));
}

#[test]
fn a_server_that_repeats_the_password_does_not_get_it_into_an_error() {
    let greeting = "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n";
    let command = format!("T0 AUTHENTICATE PLAIN {PLAIN}\r\n");
    for answer in [
        "T0 NO wrong: secret\r\n".to_owned(),
        format!("T0 BAD what is {PLAIN}?\r\n"),
        "T0 NO [XFOO secret] no\r\n".to_owned(),
        "* BYE not secret\r\n+ \r\n".to_owned(),
        format!("* BYE [{PLAIN}] no\r\n+ \r\n"),
    ] {
        let error = shake(Security::ImplicitTls, &[(greeting, ""), (answer.as_str(), command.as_str())]);
        let error = error.expect_err("a refusal");
        let shown = format!("{error:?} {error}");
        assert!(!shown.contains("secret") && !shown.contains(PLAIN), "{shown}");
        assert!(shown.contains("the server repeated what it was told"), "{shown}");
    }
    let error = shake(Security::ImplicitTls, &[(greeting, ""), ("T0 NO [ALERT] try later\r\n", command.as_str())]);
    assert!(error.expect_err("a refusal").to_string().contains("try later"));
}
