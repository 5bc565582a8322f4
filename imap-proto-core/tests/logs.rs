//! What is logged: enough to see what happened, and never a secret.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use imap_proto_core::{Config, Credentials, Handshake, Security, Time, Want};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// A password that no other text has in it, and what it is in Base64 behind `\0alice\0`.
const PASSWORD: &str = "canary-7454";
const IN_BASE64: &str = "AGFsaWNlAGNhbmFyeS03NDU0";
/// One that cannot go between quotes.
const IN_A_LITERAL: &str = "can\u{e4}ry-7454";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics holding it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything that is logged while a server says `turns` to a handshake, one after the other.
fn logged(password: &str, turns: &[&str]) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        // The digits of a secret may be those of a moment.
        .without_time()
        .finish();
    let listening = subscriber.set_default();
    let mut handshake =
        Handshake::new(Config::default(), Security::Plaintext, Some(Credentials::password("alice", password)));
    for turn in turns {
        let connection = handshake.connection();
        let waiting = connection.transmit().map(<[u8]>::len).sum();
        connection.transmitted(waiting, Time::ZERO);
        connection.receive_space()[..turn.len()].copy_from_slice(turn.as_bytes());
        connection.received(turn.len(), Time::ZERO);
        if !matches!(handshake.advance(Time::ZERO), Ok(Want::Bytes)) {
            break;
        }
    }
    drop((handshake, listening));
    let bytes = log.0.lock().expect("nobody panics holding it").clone();
    String::from_utf8(bytes).expect("text")
}

#[test]
fn a_login_is_logged_without_its_password() {
    let turns = ["* OK [CAPABILITY IMAP4rev1] hi\r\n", "A0 OK [CAPABILITY IMAP4rev1 IDLE] in\r\n"];
    let log = logged(PASSWORD, &turns);
    for told in ["S: * OK [CAPABILITY IMAP4rev1] hi", "C: [secret]", "command=\"LOGIN\"", "condition=Ok"] {
        assert!(log.contains(told), "{told} is not in\n{log}");
    }
    assert!(!log.contains(PASSWORD), "{log}");
}

#[test]
fn no_way_to_log_in_shows_the_password_nor_does_a_server_that_repeats_it() {
    let plain = "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n";
    let with_initial = "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n";
    let login = "* OK [CAPABILITY IMAP4rev1] hi\r\n";
    let plus = "* OK [CAPABILITY IMAP4rev1 LITERAL+] hi\r\n";
    let sessions: &[(&str, &[&str])] = &[
        (PASSWORD, &[login, "A0 BAD what is \"canary-7454\"?\r\n"]),
        (PASSWORD, &[login, "* NO not canary-7454\r\ncanary-7454 is no response\r\nA0 NO canary-7454\r\n"]),
        (PASSWORD, &[with_initial, "A0 BAD AGFsaWNlAGNhbmFyeS03NDU0\r\n"]),
        (PASSWORD, &[plain, "+ \r\n", "+ AGFsaWNlAGNhbmFyeS03NDU0\r\n", "A0 NO canary-7454\r\n"]),
        (IN_A_LITERAL, &[login, "+ go on\r\n", "A0 BAD can\u{e4}ry-7454\r\n"]),
        (IN_A_LITERAL, &[plus, "A0 BAD can\u{e4}ry-7454\r\n"]),
        // One that takes the answer for a command of its own, or hangs up with it on its lips.
        (PASSWORD, &[plain, "+ \r\n", "AGFsaWNlAGNhbmFyeS03NDU0 BAD unknown command\r\n"]),
        (IN_A_LITERAL, &[login, "+ go on\r\n", "7454 BAD unknown command\r\n"]),
        (PASSWORD, &[login, "* BYE canary-7454 it was\r\n"]),
        (PASSWORD, &[login, "* WHAT canary-7454\r\n"]),
    ];
    for (password, turns) in sessions {
        let log = logged(password, turns);
        assert!(log.contains("C: [") && log.contains("S: ["), "{log}");
        let escaped = password.as_bytes().escape_ascii().to_string();
        for secret in [password, escaped.as_str(), IN_BASE64, "7454"] {
            assert!(!log.contains(secret), "{secret} is in\n{log}");
        }
    }
}
