//! What is logged: enough to see what happened, and never a secret.

mod log;

use std::fmt;
use std::sync::{Arc, Mutex};

use imap_proto_core::command::{self, Access, Command};
use imap_proto_core::types::{Query, Uid};
use imap_proto_core::{Config, Connection, Credentials, Handshake, Security, Time, Want};
use log::Log;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// A password that no other text has in it, and what it is in Base64 behind `\0alice\0`.
const PASSWORD: &str = "canary-7454";
const IN_BASE64: &str = "AGFsaWNlAGNhbmFyeS03NDU0";
/// One that cannot go between quotes.
const IN_A_LITERAL: &str = "can\u{e4}ry-7454";

/// Everything that is logged while a server says `turns` to a handshake, one after the other.
fn logged(password: &str, turns: &[&str]) -> String {
    let log = Log::default();
    let listening = log.listen();
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
    log.text()
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

/// What became of the spans of one connection.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Seen>>);

#[derive(Clone, Default)]
struct Seen {
    /// Each with the name of its parent, its fields, and how often it was closed.
    spans: Vec<(Id, Option<&'static str>, String, usize)>,
    /// Each event of a command or of what is sent, and the fields of the span it is in.
    events: Vec<(String, String)>,
}

impl Seen {
    fn fields(&mut self, id: &Id) -> &mut String {
        // The number of a span that is closed may be given again.
        &mut self.spans.iter_mut().rfind(|(seen, ..)| seen == id).expect("it was opened").2
    }
}

/// Writes fields as `name=value`, each behind a space.
struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = fmt::Write::write_fmt(self.0, format_args!(" {field}={value:?}"));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).expect("it is there");
        let mut fields = span.name().to_owned();
        attributes.record(&mut Fields(&mut fields));
        let parent = span.parent().map(|parent| parent.name());
        self.0.lock().expect("nobody panics holding it").spans.push((id.clone(), parent, fields, 0));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut Fields(self.0.lock().expect("nobody panics holding it").fields(id)));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut seen = self.0.lock().expect("nobody panics holding it");
        let inside = context.event_span(event).map(|span| seen.fields(&span.id()).clone()).unwrap_or_default();
        let mut fields = String::new();
        event.record(&mut Fields(&mut fields));
        seen.events.push((fields, inside));
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        let mut seen = self.0.lock().expect("nobody panics holding it");
        seen.spans.iter_mut().rfind(|(seen, ..)| *seen == id).expect("it was opened").3 += 1;
    }
}

/// What happens to a connection, one after the other.
#[derive(Clone, Copy)]
enum Turn {
    Says(&'static str),
    Noop,
    Search,
    Append,
    Select,
    Idle,
    Logout,
    /// Puts a NOOP in line and writes nothing.
    Unwritten,
    /// Nobody waits for the last command any more.
    Abandon,
    Write,
    Close,
}

/// The spans of commands: their fields, and how often they were closed.
type Commands = Vec<(String, usize)>;

/// The spans of commands, and the events, each with the fields of the span it is in.
fn spans(turns: &[Turn]) -> (Commands, Vec<(String, String)>) {
    let seen = Spans::default();
    let listening = tracing_subscriber::registry().with(seen.clone()).set_default();
    let mut connection = tracing::info_span!("imap").in_scope(|| Connection::new(Config::default()));
    let mut last = None;
    for turn in [Turn::Says("* PREAUTH [CAPABILITY IMAP4rev1 IDLE] hi\r\n")].iter().chain(turns) {
        // Whoever moves a connection may be in a span of theirs, and is not meant by it.
        let _inside = tracing::info_span!("caller").entered();
        let request = match *turn {
            Turn::Says(octets) => {
                connection.receive_space()[..octets.len()].copy_from_slice(octets.as_bytes());
                connection.received(octets.len(), Time::ZERO);
                None
            }
            Turn::Noop | Turn::Unwritten => Some(command::Noop.request()),
            Turn::Search => Some(command::Search::<Uid>::new(Query::all()).request()),
            Turn::Append => Some(command::Append::new("Drafts", &b"canary-7454"[..]).request()),
            Turn::Select => Some(command::Select::new("INBOX", Access::ReadWrite).request()),
            Turn::Idle => Some(command::Idle.request()),
            Turn::Logout => Some(command::Logout.request()),
            Turn::Abandon => {
                connection.abandon(last.expect("there is a command"), Time::ZERO);
                None
            }
            Turn::Write => None,
            Turn::Close => {
                connection.received(0, Time::ZERO);
                None
            }
        };
        if let Some(request) = request {
            last = Some(connection.submit(request.expect("it has a wire form"), Time::ZERO).expect("it is open"));
        }
        while connection.poll_event().is_some() {}
        if !matches!(turn, Turn::Unwritten) {
            let waiting = connection.transmit().map(<[u8]>::len).sum();
            connection.transmitted(waiting, Time::ZERO);
        }
    }
    while connection.poll_event().is_some() {}
    // As it is while the connection is still there: a span does not wait for the end of that.
    let mut seen = seen.0.lock().expect("nobody panics holding it").clone();
    drop((connection, listening));
    seen.spans.retain(|(_, parent, fields, _)| {
        assert!(*parent == Some("imap") || !fields.starts_with("command"), "{fields} is in {parent:?}");
        fields.starts_with("command")
    });
    (seen.spans.into_iter().map(|(.., fields, closed)| (fields, closed)).collect(), seen.events)
}

#[test]
fn each_command_has_one_span_from_its_beginning_to_its_end() {
    use Turn::*;
    const SELECTED: Turn = Says("* 1 EXISTS\r\n");
    // Each with the names, tags and outcomes of its spans.
    let table: &[(&[Turn], &[&str])] = &[
        (&[Noop, Says("A0 OK done\r\n")], &["NOOP 0 A0 Ok"]),
        (&[Noop, Says("A0 NO not now\r\n")], &["NOOP 0 A0 No"]),
        (&[Noop, Noop, Says("A1 BAD what?\r\nA0 OK done\r\n")], &["NOOP 0 A0 Ok", "NOOP 1 A1 Bad"]),
        // Cancelled: with nothing sent, and with its answer read over.
        (&[Unwritten, Abandon], &["NOOP 0 A0 NotSent"]),
        (&[Noop, Abandon, SELECTED, Says("A0 OK done\r\n")], &["NOOP 0 A0 Ok"]),
        (&[Append, Abandon, Says("+ go on\r\n"), Says("A0 OK stored\r\n")], &["APPEND 0 A0 Ok"]),
        // Refused before all of its octets have left.
        (&[Append, Says("A0 NO full\r\n")], &["APPEND 0 A0 No"]),
        // Lost: in doubt, without effect, and not sent.
        (&[Append, Says("+ go on\r\n"), Write, Close], &["APPEND 0 A0 InDoubt"]),
        (&[Noop, Close], &["NOOP 0 A0 Cancelled"]),
        (&[Noop, Abandon, Close], &["NOOP 0 A0 Cancelled"]),
        (&[Unwritten, Close], &["NOOP 0 A0 NotSent"]),
        // One that waits for its turn has not begun.
        (&[Append, Noop, Close], &["APPEND 0 A0 Cancelled"]),
        (&[Search, Close], &[]),
        // IDLE is a command each time it is taken up.
        (
            &[
                Select,
                Says("A0 OK selected\r\n"),
                Idle,
                Says("+ idling\r\n"),
                Noop,
                Says("A1 OK idled\r\nA2 OK done\r\n"),
                Says("+ idling\r\n"),
                Close,
            ],
            &["SELECT 0 A0 Ok", "IDLE 1 A1 Ok", "NOOP 2 A2 Ok", "IDLE 1 A3 Cancelled"],
        ),
        (&[Logout, Says("* BYE bye\r\nA0 OK\r\n")], &["LOGOUT 0 A0 Bye"]),
        (&[Logout, Close], &["LOGOUT 0 A0 Cancelled"]),
    ];
    for (at, (turns, expected)) in table.iter().enumerate() {
        let (spans, _) = spans(turns);
        let expected = expected.iter().map(|line| {
            let [name, id, tag, outcome] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("four words") };
            (format!("command name={name:?} id={id} tag={tag} outcome={outcome}"), 1)
        });
        assert_eq!(spans, expected.collect::<Vec<_>>(), "row {at}");
    }
}

#[test]
fn what_is_logged_of_a_command_is_in_its_span() {
    use Turn::*;
    let (spans, events) = spans(&[Append, Noop, Abandon, Says("+ go on\r\n"), Noop, Says("A0 OK\r\nA1 NO\r\n")]);
    let inside = |event: &str| {
        let mut found = events.iter().filter(|(fields, _)| fields.contains(event));
        let (_, span) = found.next().unwrap_or_else(|| panic!("{event} is not in {events:#?}"));
        assert!(found.next().is_none(), "{event} is there twice");
        span.split_whitespace().take(4).collect::<Vec<_>>().join(" ")
    };
    for (event, tag) in [
        ("begun command=\"APPEND\"", "APPEND 0 A0"),
        ("C: A0 APPEND", "APPEND 0 A0"),
        ("C: [11 octets]", "APPEND 0 A0"),
        ("answered command=\"APPEND\"", "APPEND 0 A0"),
        ("C: A1 NOOP", "NOOP 2 A1"),
        ("condition=No", "NOOP 2 A1"),
    ] {
        let [name, id, tag] = tag.split(' ').collect::<Vec<_>>()[..] else { panic!("three words") };
        assert_eq!(inside(event), format!("command name={name:?} id={id} tag={tag}"), "{event}");
    }
    // What the server says is of the connection.
    assert_eq!(inside("S: A0 OK"), "imap");
    let said = format!("{spans:?}{events:?}");
    assert!(!said.contains("7454"), "{said}");
}

#[test]
fn no_span_of_a_login_has_its_password() {
    let seen = Spans::default();
    let listening = tracing_subscriber::registry().with(seen.clone()).set_default();
    let mut handshake =
        Handshake::new(Config::default(), Security::Plaintext, Some(Credentials::password("alice", PASSWORD)));
    for turn in ["* OK [CAPABILITY IMAP4rev1] hi\r\n", "A0 NO canary-7454\r\n"] {
        let connection = handshake.connection();
        connection.receive_space()[..turn.len()].copy_from_slice(turn.as_bytes());
        connection.received(turn.len(), Time::ZERO);
        let _ = handshake.advance(Time::ZERO);
        let connection = handshake.connection();
        let waiting = connection.transmit().map(<[u8]>::len).sum();
        connection.transmitted(waiting, Time::ZERO);
    }
    drop((handshake, listening));
    let seen = seen.0.lock().expect("nobody panics holding it");
    let spans: Vec<_> =
        seen.spans.iter().map(|(_, parent, fields, closed)| (*parent, fields.as_str(), *closed)).collect();
    assert_eq!(spans, [(None, "command name=\"LOGIN\" id=0 tag=A0 outcome=No", 1)]);
    assert!(seen.events.iter().any(|(event, inside)| event.contains("[secret]") && inside.contains("LOGIN")));
}
