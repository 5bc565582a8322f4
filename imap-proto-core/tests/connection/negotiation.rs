//! From the greeting to the login, with a server that means no good, or somebody between: the rows N1 to N9, N14 and N17 of
//! `docs/logging-in.md`. Each line is split at each of its offsets.

use imap_proto_core::command::{Command, Noop};
use imap_proto_core::types::Code;
use imap_proto_core::{
    Config, Connection, Credentials, Error, Handshake, LoginRefusal, Phase, Security, SessionState, Time, Violation,
    Want,
};

use crate::login::Shake;
use crate::violations::shake;

const GREETING: &str = "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR] hi\r\n";
const PLAIN: &str = "T1 AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==\r\n";

fn starttls(turns: &[(&str, &str)]) -> Result<Want, Error> {
    shake(Security::StartTls, turns)
}

/// The connection that comes of it.
fn connection(security: Security, turns: &[(&str, &str)]) -> Connection {
    let shake = Shake { security, ..Shake::new(Credentials::password("alice", "secret")) };
    shake.play(turns).expect("it is let in");
    shake.to_the_end(turns).expect("it is let in").into_connection()
}

/// N1
#[test]
fn clear_text_behind_the_answer_to_starttls_is_fatal() {
    for injected in [
        "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
        "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nT1 OK x\r\nT2 OK in\r\n",
        "* 5 EXISTS\r\n",
        "* BYE\r\n",
        "T1 OK in\r\n",
        "+ \r\n",
        "*",
        "\r\n",
        "\0",
        "\u{16}\u{3}\u{3}",
    ] {
        let answer = format!("T0 OK go\r\n{injected}");
        let error = starttls(&[(GREETING, ""), (&answer, "T0 STARTTLS\r\n")]).expect_err(injected);
        assert!(matches!(error, Error::Protocol(Violation::StartTlsInjection)), "{injected:?}: {error:?}");
    }
}

/// N2
#[test]
fn an_answer_to_what_was_not_sent_is_fatal() {
    for early in ["T0 OK done\r\n", "T0 NO no\r\n", "T1 OK done\r\n", "T7 OK done\r\n"] {
        for security in [Security::StartTls, Security::ImplicitTls, Security::Plaintext] {
            let both = format!("{GREETING}{early}");
            let error = shake(security, &[(&both, "")]).expect_err("nothing was sent");
            let is_told = matches!(error, Error::Protocol(Violation::AnswerToUnsent | Violation::UnknownTag { .. }));
            assert!(is_told, "{security:?} {early:?}: {error:?}");
        }
    }
    // The command after the next, by a tag that is easily guessed.
    let early = [(GREETING, ""), ("T1 OK in\r\nT0 OK go\r\n", "T0 STARTTLS\r\n")];
    assert!(matches!(starttls(&early), Err(Error::Protocol(Violation::AnswerToUnsent))));
}

/// N3
#[test]
fn preauth_is_fatal_where_starttls_is_required_and_told_where_it_is_not() {
    for greeting in [
        "* PREAUTH hi\r\n",
        "* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n",
        "* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n",
        "* preauth\r\n",
    ] {
        let error = starttls(&[(greeting, "")]).expect_err("it is in clear text");
        assert!(matches!(error, Error::Protocol(Violation::PreAuthWithoutTls)), "{greeting:?}: {error:?}");
    }
    let early = connection(Security::ImplicitTls, &[("* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n", "")]);
    assert_eq!((early.view().state(), early.view().is_preauthenticated()), (SessionState::Authenticated, true));
    let asked = [(GREETING, ""), ("T0 OK [CAPABILITY IMAP4rev1] in\r\n", &*PLAIN.replace("T1", "T0"))];
    let asked = connection(Security::ImplicitTls, &asked);
    assert_eq!((asked.view().state(), asked.view().is_preauthenticated()), (SessionState::Authenticated, false));
}

/// N4
#[test]
fn no_credentials_are_sent_where_starttls_is_left_out() {
    for greeting in [
        "* OK [CAPABILITY IMAP4rev1] hi\r\n",
        "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n",
        "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n",
        "* OK [CAPABILITY IMAP4rev1 XSTARTTLS STARTTLSX] hi\r\n",
    ] {
        let error = starttls(&[(greeting, "")]).expect_err("there is no TLS");
        assert!(matches!(error, Error::Unsupported("STARTTLS")), "{greeting:?}: {error:?}");
    }
    // What it can do is not known: it is asked for STARTTLS, and nothing else.
    let unknown = [("* OK hi\r\n", ""), ("T0 BAD what?\r\n", "T0 STARTTLS\r\n")];
    assert!(matches!(starttls(&unknown), Err(Error::Refused(_))));
}

/// N5
#[test]
fn starttls_that_is_not_granted_is_fatal() {
    let answered = |answer| starttls(&[(GREETING, ""), (answer, "T0 STARTTLS\r\n"), ("", "")]);
    for answer in ["T0 NO no\r\n", "T0 BAD no\r\n"] {
        assert!(matches!(answered(answer), Err(Error::Refused(_))), "{answer:?}");
    }
    for answer in ["* BYE\r\n", "* BYE full\r\nT0 OK go\r\n"] {
        assert!(matches!(answered(answer), Err(Error::Bye { .. })), "{answer:?}");
    }
    for answer in ["T0 BYE\r\n", "T0 PREAUTH go\r\n"] {
        assert!(answered(answer).is_err(), "{answer:?}");
    }
    let error = answered("+ go on\r\n").expect_err("there is nothing to go on with");
    assert!(matches!(error, Error::Protocol(_)), "{error:?}");
    // What is no answer is none: it goes on waiting as long as a handshake does, and neither begins TLS nor sends anything.
    for other in ["* OK go\r\n", "T0\r\n", "OK go\r\n"] {
        assert_eq!(answered(other).ok(), Some(Want::Bytes), "{other:?}");
    }
}

/// N6, N8
#[test]
fn what_was_said_in_clear_text_is_forgotten_after_starttls() {
    for said in [
        "* LIST () \"/\" evil\r\n",
        "* LSUB () \"/\" evil\r\n",
        "* STATUS INBOX (MESSAGES 5)\r\n",
        "* SEARCH 1 2 3\r\n",
        "* FLAGS (evil)\r\n",
        "* 54321 EXISTS\r\n",
        "* 54321 RECENT\r\n",
        "* 1 EXPUNGE\r\n",
        "* 1 FETCH (BODY[] {5}\r\nevil! UID 1)\r\n",
        "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n",
        "* ENABLED UTF8=ACCEPT CONDSTORE\r\n",
        "* ID (\"name\" \"Coremail\")\r\n",
        "* OK [ALERT] call this number\r\n",
        "* NO [ALERT] call this number\r\n",
        "* OK [COMPRESSIONACTIVE] x\r\n",
        "* OK [REFERRAL imap://evil/] x\r\n",
        "* OK [UIDVALIDITY 1] x\r\n",
        "* OK [CAPABILITY IMAP4rev1 LITERAL+ UTF8=ACCEPT IMAP4rev2] x\r\n",
        "* CAPABILITY IMAP4rev1 AUTH=CRAM-MD5 LITERAL+\r\n",
        "* OK Coremail\r\n",
        "* XEVIL 1 2 3\r\n",
    ] {
        let last = "T2 OK [CAPABILITY IMAP4rev1] in\r\n";
        let usual = [
            (GREETING, ""),
            ("T0 OK go\r\n", "T0 STARTTLS\r\n"),
            ("* CAPABILITY IMAP4rev1\r\nT1 OK\r\n", "T1 CAPABILITY\r\n"),
            (last, "T2 LOGIN \"alice\" \"secret\"\r\n"),
        ];
        let expected = connection(Security::StartTls, &usual);
        let (greeted, answered) = (format!("{GREETING}{said}"), format!("{said}T0 OK go\r\n"));
        let mut behind = usual;
        behind[0].0 = &greeted;
        let mut before = usual;
        before[1].0 = &answered;
        for turns in [behind, before] {
            let mut connection = connection(Security::StartTls, &turns);
            assert_eq!(format!("{:?}", connection.view()), format!("{:?}", expected.view()), "{said:?}");
            assert!(connection.poll_event().is_none(), "{said:?}");
        }
    }
}

/// N6: it is in nobody's mailbox before the login, over TLS too.
#[test]
fn what_is_said_of_mailboxes_before_the_login_changes_nothing() {
    let data = "* 5 EXISTS\r\n* 2 RECENT\r\n* 1 EXPUNGE\r\n* 1 FETCH (UID 4)\r\n* FLAGS (x)\r\n";
    let greeting = format!("{GREETING}{data}");
    let turns = [(&*greeting, ""), ("T0 OK [CAPABILITY IMAP4rev1] in\r\n", &*PLAIN.replace("T1", "T0"))];
    let mut connection = connection(Security::ImplicitTls, &turns);
    assert!(connection.view().selected().is_none());
    assert!(connection.poll_event().is_none());
}

/// N7
#[test]
fn what_the_server_can_do_is_asked_again_after_tls_and_after_the_login() {
    let turns = [
        (GREETING, ""),
        ("T0 OK go\r\n", "T0 STARTTLS\r\n"),
        ("* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN LITERAL+\r\nT1 OK\r\n", "T1 CAPABILITY\r\n"),
        ("T2 OK in\r\n", &PLAIN.replace("T1", "T2")),
        ("* CAPABILITY IMAP4rev1 IDLE\r\nT3 OK\r\n", "T3 CAPABILITY\r\n"),
    ];
    let connection = connection(Security::StartTls, &turns);
    assert_eq!(connection.view().capabilities().to_string(), "IMAP4rev1 IDLE");
}

/// N8
#[test]
fn alerts_are_kept_where_they_came_over_tls_and_are_harmless_to_show() {
    let greeting = "* OK [ALERT] at \u{1b}[31mnoon\u{7}\r\n";
    let turns = [
        (greeting, ""),
        ("* CAPABILITY IMAP4rev1\r\nT0 OK\r\n", "T0 CAPABILITY\r\n"),
        ("* NO [ALERT] not secret\r\nT1 OK [ALERT] your quota\r\n", "T1 LOGIN \"alice\" \"secret\"\r\n"),
        ("* CAPABILITY IMAP4rev1\r\nT2 OK\r\n", "T2 CAPABILITY\r\n"),
    ];
    let connection = connection(Security::ImplicitTls, &turns);
    let told = ["at \u{FFFD}[31mnoon\u{FFFD}", "(the server repeated what it was told)", "your quota"];
    assert_eq!(connection.view().alerts(), told);
    for line in ["* BYE \u{1b}[2J\r\n", "T0 NO \u{1b}[2J\r\n", "T0 NO [X\u{1b}[2J Y] no\r\n"] {
        let error = starttls(&[(GREETING, ""), (line, "T0 STARTTLS\r\n")]).expect_err("it ends");
        assert!(!error.to_string().contains(char::is_control), "{error}");
    }
}

/// N8
#[test]
fn of_many_alerts_the_last_are_kept() {
    let many: String = (0..20).map(|n| format!("* OK [ALERT] {n}\r\n")).collect();
    let greeting = format!("{GREETING}{many}");
    let shake = Shake::new(Credentials::password("alice", "secret"));
    let turns = [(&*greeting, ""), ("T0 OK [CAPABILITY IMAP4rev1] in\r\n", &*PLAIN.replace("T1", "T0"))];
    let connection = shake.to_the_end(&turns).expect("it is let in").into_connection();
    assert_eq!(connection.view().alerts(), ["12", "13", "14", "15", "16", "17", "18", "19"]);
}

/// N9
#[test]
fn a_referral_is_told_and_not_followed() {
    const REFERRAL: &str = "imap://;AUTH=*@evil:143/";
    let answer = format!("T0 NO [REFERRAL {REFERRAL}] over there\r\n");
    let error = shake(Security::ImplicitTls, &[(GREETING, ""), (&answer, &PLAIN.replace("T1", "T0"))]);
    let error = error.expect_err("it is refused");
    assert_eq!(error.login_refusal(), Some(LoginRefusal::Configuration));
    let Error::Refused(refused) = error else { panic!("{error:?}") };
    assert_eq!(refused.code, Some(Code::Referral(REFERRAL.into())));
    let turns = [
        (GREETING, ""),
        ("T0 OK [REFERRAL imap://evil/] in\r\n", &*PLAIN.replace("T1", "T0")),
        ("* CAPABILITY IMAP4rev1\r\nT1 OK\r\n", "T1 CAPABILITY\r\n"),
    ];
    assert_eq!(shake(Security::ImplicitTls, &turns).ok(), Some(Want::Nothing));
    let gone = format!("* BYE [REFERRAL {REFERRAL}] gone\r\n");
    let error = shake(Security::ImplicitTls, &[(&gone, "")]).expect_err("it says goodbye");
    assert!(matches!(error, Error::Bye { code: Some(Code::Referral(_)), .. }), "{error:?}");
}

#[test]
fn a_handshake_asks_for_capabilities_only_where_they_were_not_told() {
    let told = [
        ("* OK [CAPABILITY IMAP4rev1] hi\r\n", ""),
        ("T0 OK [CAPABILITY IMAP4rev1 IDLE] in\r\n", "T0 LOGIN \"alice\" \"secret\"\r\n"),
    ];
    assert!(matches!(shake(Security::ImplicitTls, &told), Ok(Want::Nothing)));
    let untold = [
        ("* OK hi\r\n", ""),
        ("* CAPABILITY IMAP4rev1\r\nT0 OK\r\n", "T0 CAPABILITY\r\n"),
        ("T1 OK in\r\n", "T1 LOGIN \"alice\" \"secret\"\r\n"),
        ("* CAPABILITY IMAP4rev1\r\nT2 OK\r\n", "T2 CAPABILITY\r\n"),
    ];
    assert!(matches!(shake(Security::ImplicitTls, &untold), Ok(Want::Nothing)));
}

#[test]
fn a_greeting_that_is_none_and_a_login_that_is_disabled_are_told() {
    assert!(matches!(
        shake(Security::Plaintext, &[("HTTP/1.1 400 Bad Request\r\n", "")]),
        Err(Error::Protocol(Violation::NoGreeting { .. }))
    ));
    assert!(matches!(shake(Security::Plaintext, &[("* BYE full\r\n", "")]), Err(Error::Bye { .. })));
    assert!(matches!(
        shake(Security::Plaintext, &[("* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n", "")]),
        Err(Error::NoMechanism(_))
    ));
    assert!(matches!(
        shake(
            Security::Plaintext,
            &[
                ("* OK hi\r\n", ""),
                ("T0 OK\r\n", "T0 CAPABILITY\r\n"),
                ("T1 NO [AUTHENTICATIONFAILED] no\r\n", "T1 LOGIN \"alice\" \"secret\"\r\n")
            ]
        ),
        Err(Error::Refused(_))
    ));
}

/// N17
#[test]
fn what_waits_for_the_answer_to_starttls_leaves_over_tls_and_not_in_clear_text() {
    let (greeting, answer) = ("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", "* OK later\r\nA0 OK begin\r\n");
    for (first, second) in (0..greeting.len()).map(|at| (at, 0)).chain((0..answer.len()).map(|at| (0, at))) {
        let credentials = Some(Credentials::password("a", "b"));
        let mut handshake = Handshake::new(Config::default(), Security::StartTls, credentials);
        let sent = |handshake: &mut Handshake| {
            let waiting: Vec<u8> = handshake.connection().transmit().flatten().copied().collect();
            handshake.connection().transmitted(waiting.len(), Time::ZERO);
            String::from_utf8_lossy(&waiting).into_owned()
        };
        let receive = |handshake: &mut Handshake, bytes: &str| {
            handshake.connection().receive_space()[..bytes.len()].copy_from_slice(bytes.as_bytes());
            if !bytes.is_empty() {
                handshake.connection().received(bytes.len(), Time::ZERO);
            }
            handshake.advance(Time::ZERO)
        };
        let wait_in_line = |handshake: &mut Handshake| {
            handshake.connection().submit(Noop.request().expect("a request"), Time::ZERO).expect("it is open");
            assert_eq!(sent(handshake), "", "{first}, {second}");
        };
        assert_eq!(receive(&mut handshake, &greeting[..first]).ok(), Some(Want::Bytes));
        assert_eq!(receive(&mut handshake, &greeting[first..]).ok(), Some(Want::Bytes));
        assert_eq!(sent(&mut handshake), "A0 STARTTLS\r\n");
        wait_in_line(&mut handshake);
        assert_eq!(receive(&mut handshake, &answer[..second]).ok(), Some(Want::Bytes));
        wait_in_line(&mut handshake);
        assert_eq!(receive(&mut handshake, &answer[second..]).ok(), Some(Want::Tls));
        assert_eq!(sent(&mut handshake), "");
        wait_in_line(&mut handshake);
        handshake.secured(Time::ZERO).expect("nothing was injected");
        assert_eq!(sent(&mut handshake), "A1 NOOP\r\nA2 NOOP\r\nA3 NOOP\r\nA4 CAPABILITY\r\n");
    }
}

/// N14: as far as any octet, and then nothing; or an octet a second.
#[test]
fn a_server_that_stops_at_any_octet_or_trickles_is_given_up_in_time() {
    let login = PLAIN.replace("T1", "T0");
    let unknown = [("* OK hi\r\n", ""), ("* CAPABILITY IMAP4rev1\r\nT0 OK\r\n", "T0 CAPABILITY\r\n")];
    let in_clear = [(GREETING, ""), ("T0 OK in\r\n", &*login), ("* CAPABILITY IMAP4rev1\r\n", "T1 CAPABILITY\r\n")];
    let asked = [(GREETING, ""), ("T0 OK go\r", "T0 STARTTLS\r\n")];
    let rows = [
        (Security::Plaintext, &unknown[..]),
        (Security::Plaintext, &in_clear),
        (Security::ImplicitTls, &in_clear),
        (Security::StartTls, &asked),
    ];
    for (security, turns) in rows {
        let whole: usize = turns.iter().map(|(received, _)| received.len()).sum();
        for stop in 0..whole {
            stops_behind(stop, security, turns);
        }
        trickles(security, turns[0].0);
    }
}

const GREETED_BY: Time = Time::from_secs(17);
const IN_BY: Time = Time::from_secs(19);
const MOMENT: Time = Time::from_millis(1);

fn patient(security: Security) -> Handshake {
    let mut config = Config::default();
    (config.greeting, config.handshake) = (GREETED_BY, IN_BY);
    let mut handshake = Handshake::new(config, security, Some(Credentials::password("alice", "secret")));
    handshake.draw("T", "");
    assert_eq!(handshake.advance(Time::ZERO).ok(), Some(Want::Bytes));
    handshake
}

/// Takes one octet, and says what has to have been said before it.
fn take(handshake: &mut Handshake, octet: u8, now: Time) -> Result<Want, Error> {
    let connection = handshake.connection();
    let waiting: usize = connection.transmit().map(<[u8]>::len).sum();
    connection.transmitted(waiting, now);
    connection.receive_space()[0] = octet;
    connection.received(1, now);
    handshake.advance(now)
}

fn stops_behind(stop: usize, security: Security, turns: &[(&str, &str)]) {
    let mut handshake = patient(security);
    for octet in turns.iter().flat_map(|(received, _)| received.bytes()).take(stop) {
        assert_eq!(take(&mut handshake, octet, Time::ZERO).ok(), Some(Want::Bytes), "{turns:?} behind {stop}");
    }
    let (limit, phase) = match stop < turns[0].0.len() {
        true => (GREETED_BY, Phase::Greeting),
        false => (IN_BY, Phase::Login),
    };
    assert_eq!(handshake.advance(limit - MOMENT).ok(), Some(Want::Bytes), "{turns:?} behind {stop}");
    let error = handshake.advance(limit).expect_err("it has had its time");
    let is_told = matches!(error, Error::Timeout { phase: told, limit: by } if told == phase && by == limit);
    assert!(is_told, "{turns:?} behind {stop}: {error:?}");
}

/// Octets don't prolong it.
fn trickles(security: Security, greeting: &str) {
    for (greeting, limit, phase) in [("", GREETED_BY, Phase::Greeting), (greeting, IN_BY, Phase::Login)] {
        let mut handshake = patient(security);
        for octet in greeting.bytes() {
            assert_eq!(take(&mut handshake, octet, Time::ZERO).ok(), Some(Want::Bytes));
        }
        let words = b"* OK [".iter().chain(std::iter::repeat(&b'x'));
        for (octet, second) in words.zip(1..limit.as_secs()) {
            assert_eq!(take(&mut handshake, *octet, Time::from_secs(second)).ok(), Some(Want::Bytes));
        }
        let error = take(&mut handshake, b'x', limit).expect_err("it has had its time");
        assert!(matches!(error, Error::Timeout { phase: told, .. } if told == phase), "{security:?}: {error:?}");
    }
}
