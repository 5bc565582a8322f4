//! Whatever a caller passes, the server hears one command with those octets in it, and nothing else.
//!
//! The reader here is a server's, made from the grammar of RFC 9051 §9 alone: it shares nothing with the encoder.

use imap_proto_core::command::{Access, Lsub};
use imap_proto_core::command::{
    Append, Command, Copy, Create, Delete, Id, List, Login, Move, Raw, Rename, Request, Search, Select, StatusCommand,
    Subscribe,
};
use imap_proto_core::types::{Identification, MailboxName, Query, Secret, StatusItems, UidSet};
use imap_proto_core::{Config, Connection, Error, Event, Misuse, Time};
use imap_tests::stepper::Stepper;
use imap_tests::strict::{Greeting, Options, StrictServer};
use proptest::collection::vec;
use proptest::prelude::*;

/// What a command is made of.
#[derive(Debug, PartialEq, Eq)]
enum Word {
    /// Text of the line that is no string.
    Plain(Vec<u8>),
    /// A string, quoted or as a literal.
    String(Vec<u8>),
}

/// What a server hears, octet by octet.
struct Reader<'a> {
    rest: &'a [u8],
    utf8: bool,
}

impl Reader<'_> {
    /// Reads one command up to its line end.
    fn command(&mut self) -> Result<Vec<Word>, String> {
        let mut words = vec![Word::Plain(Vec::new())];
        loop {
            match self.take()? {
                b'\r' if self.take()? == b'\n' => return Ok(words),
                b'\r' | b'\n' | 0 => return Err("a control character in a line".into()),
                b'"' => words.push(Word::String(self.quoted()?)),
                b'~' if self.rest.starts_with(b"{") => {
                    self.take()?;
                    words.push(Word::String(self.literal()?));
                }
                b'{' => words.push(Word::String(self.literal()?)),
                byte if !byte.is_ascii() => return Err("an octet above 127 in a line".into()),
                byte => match words.last_mut() {
                    Some(Word::Plain(text)) => text.push(byte),
                    _ => words.push(Word::Plain(vec![byte])),
                },
            }
        }
    }

    fn take(&mut self) -> Result<u8, String> {
        let (first, rest) = self.rest.split_first().ok_or("the command does not end")?;
        self.rest = rest;
        Ok(*first)
    }

    fn quoted(&mut self) -> Result<Vec<u8>, String> {
        let mut content = Vec::new();
        loop {
            match self.take()? {
                b'"' => return Ok(content),
                b'\\' => match self.take()? {
                    escaped @ (b'"' | b'\\') => content.push(escaped),
                    _ => return Err("an escape that is none".into()),
                },
                b'\r' | b'\n' | 0 => return Err("a control character between quotes".into()),
                byte if !byte.is_ascii() && !self.utf8 => return Err("an octet above 127 between quotes".into()),
                byte => content.push(byte),
            }
        }
    }

    fn literal(&mut self) -> Result<Vec<u8>, String> {
        let mut len = 0;
        loop {
            match self.take()? {
                digit @ b'0'..=b'9' => len = len * 10 + usize::from(digit - b'0'),
                b'+' if self.rest.starts_with(b"}") => {}
                b'}' => break,
                _ => return Err("a literal without its length".into()),
            }
        }
        let rest = self.rest.strip_prefix(b"\r\n").ok_or("a literal in the middle of a line")?;
        let (octets, rest) = rest.split_at_checked(len).ok_or("a literal that is too short")?;
        self.rest = rest;
        Ok(octets.to_vec())
    }
}

/// How the server is.
#[derive(Clone, Copy, Debug)]
struct Server {
    capabilities: &'static str,
    utf8: bool,
}

const SERVERS: [Server; 4] = [
    Server { capabilities: "UNSELECT", utf8: false },
    Server { capabilities: "LITERAL+ ID MOVE LIST-EXTENDED BINARY", utf8: false },
    Server { capabilities: "LITERAL- ID MOVE", utf8: false },
    Server { capabilities: "LITERAL+ ID MOVE ENABLE UTF8=ACCEPT", utf8: true },
];

/// Everything that is sent for a request, by a server that asks for each literal.
fn sent(server: Server, request: Request, login: bool) -> Result<Vec<u8>, String> {
    let mut connection = Connection::new(Config::default());
    let greeting = if login { "OK" } else { "PREAUTH" };
    say(&mut connection, &format!("* {greeting} [CAPABILITY IMAP4rev1 {}] hi\r\n", server.capabilities));
    if !login {
        let select = Select::new(MailboxName::inbox(), Access::ReadWrite);
        if server.utf8 {
            say(&mut connection, "* ENABLED UTF8=ACCEPT\r\n");
        }
        connection.submit(select.request().expect("INBOX"), Time::ZERO).expect("it is open");
        hear(&mut connection);
        say(&mut connection, "A0 OK selected\r\n");
    }
    connection.submit(request, Time::ZERO).map_err(|error| error.to_string())?;
    let mut heard = hear(&mut connection);
    while !heard.ends_with(b"\r\n") || ends_with_synchronizing_literal(&heard) {
        say(&mut connection, "+ go on\r\n");
        let more = hear(&mut connection);
        if more.is_empty() {
            return Err(format!("nothing follows {}", heard.escape_ascii()));
        }
        heard.extend(more);
    }
    Ok(heard)
}

fn say(connection: &mut Connection, line: &str) {
    connection.receive_space()[..line.len()].copy_from_slice(line.as_bytes());
    connection.received(line.len(), Time::ZERO);
    while let Some(event) = connection.poll_event() {
        assert!(!matches!(event, Event::Closed(_)), "{event:?}");
    }
}

fn hear(connection: &mut Connection) -> Vec<u8> {
    let heard: Vec<u8> = connection.transmit().flatten().copied().collect();
    connection.transmitted(heard.len(), Time::ZERO);
    heard
}

fn ends_with_synchronizing_literal(heard: &[u8]) -> bool {
    let Some(inner) = heard.strip_suffix(b"}\r\n") else { return false };
    let digits = inner.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && inner[..inner.len() - digits].ends_with(b"{") && whole(heard).is_err()
}

/// True where what was heard is a whole command already, so that a brace at its end is part of a string.
fn whole(heard: &[u8]) -> Result<(), String> {
    let mut reader = Reader { rest: heard, utf8: true };
    reader.command().map(drop)
}

/// A request with two strings of the caller's in it, and those of its strings that are to be heard.
type Build = fn(&str, &str) -> Result<(Request, Vec<Vec<u8>>), Misuse>;

fn name(text: &str) -> Result<MailboxName, Misuse> {
    Ok(MailboxName::new(text)?)
}

const BUILDS: &[(&str, Build)] = &[
    ("LOGIN", |a, b| {
        let request = Login::new(a, Secret::from(b)).request()?;
        Ok((request, vec![a.into(), b.into()]))
    }),
    ("ID", |a, b| {
        let request = Id::new(Some(Identification::new().with("x", a).with_name(b))).request()?;
        Ok((request, vec![a.into(), b.into()]))
    }),
    ("SEARCH", |a, b| {
        let request = Search::new(Query::subject(a).and(Query::text(b))).request()?;
        Ok((request, vec![a.into(), b.into()]))
    }),
    ("SEARCH HEADER", |a, b| {
        let request = Search::new(Query::header(a, b)).request()?;
        Ok((request, vec![a.into(), b.into()]))
    }),
    ("SELECT", |a, _| Ok((Select::new(name(a)?, Access::ReadOnly).request()?, Vec::new()))),
    ("RENAME", |a, b| Ok((Rename::new(name(a)?, name(b)?).request()?, Vec::new()))),
    ("CREATE", |a, _| Ok((Create::new(name(a)?).request()?, Vec::new()))),
    ("DELETE", |a, _| Ok((Delete::new(name(a)?).request()?, Vec::new()))),
    ("SUBSCRIBE", |a, _| Ok((Subscribe::new(name(a)?).request()?, Vec::new()))),
    ("STATUS", |a, _| Ok((StatusCommand::new(name(a)?, StatusItems::counts()).request()?, Vec::new()))),
    ("LIST", |a, b| Ok((List::new(&name(a)?).below(name(b)?).request()?, Vec::new()))),
    ("LSUB", |a, _| Ok((Lsub::new(&name(a)?).request()?, Vec::new()))),
    ("COPY", |a, _| Ok((Copy::new(UidSet::all(), name(a)?).request()?, Vec::new()))),
    ("MOVE", |a, _| Ok((Move::new(UidSet::all(), name(a)?).request()?, Vec::new()))),
    ("APPEND", |a, b| {
        let request = Append::new(name(a)?, b.as_bytes()).request()?;
        Ok((request, vec![b.into()]))
    }),
    ("raw", |a, b| {
        let raw = Raw::new("XFOO").expect("a name").string(a).string(b);
        Ok((raw.request()?, vec![a.into(), b.into()]))
    }),
];

/// Text that likes to be protocol.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\r\n".to_owned()),
        Just("\r".to_owned()),
        Just("\n".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("{3}".to_owned()),
        Just("{5+}\r\n".to_owned()),
        Just("~{1}".to_owned()),
        Just(" A9 LOGOUT".to_owned()),
        Just(") (".to_owned()),
        Just("&AOk-".to_owned()),
        Just("\u{e9}\u{1f389}".to_owned()),
        Just("\0".to_owned()),
        "[ -~]{1,8}",
        Just("x".repeat(700)),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40_000))]

    #[test]
    fn the_server_hears_one_command_with_the_octets_of_the_caller(
        (a, b) in (text(), text()),
        server in prop::sample::select(&SERVERS[..]),
        (kind, build) in prop::sample::select(BUILDS),
    ) {
        // What cannot be sent is refused before a byte of it leaves.
        let Ok((request, strings)) = build(&a, &b) else { return Ok(()) };
        let needs_more = kind == "ID" && !server.capabilities.contains("ID");
        let needs_more = needs_more || (kind == "APPEND" && b.contains('\0') && !server.capabilities.contains("BINARY"));
        let needs_more = needs_more || (kind == "MOVE" && !server.capabilities.contains("MOVE"));
        if needs_more {
            return Ok(());
        }
        let heard = sent(server, request, kind == "LOGIN").map_err(TestCaseError::fail)?;
        let mut reader = Reader { rest: &heard, utf8: server.utf8 };
        let words = reader.command().map_err(TestCaseError::fail)?;
        prop_assert!(reader.rest.is_empty(), "more than one command: {}", heard.escape_ascii());
        let found: Vec<&Vec<u8>> =
            words.iter().filter_map(|word| if let Word::String(text) = word { Some(text) } else { None }).collect();
        for string in &strings {
            prop_assert!(found.contains(&string), "{:?} is not in {}", string.escape_ascii(), heard.escape_ascii());
        }
        // Names travel as strings as well, and come back as they were.
        for text in [&a, &b] {
            let is_name = !matches!(kind, "LOGIN" | "ID" | "SEARCH" | "SEARCH HEADER" | "raw");
            if is_name && text == &a && let Ok(name) = MailboxName::new(text.as_str()) {
                let read = |wire: &Vec<u8>| {
                    if server.utf8 { MailboxName::from_utf8(wire) } else { MailboxName::from_wire(wire) }
                };
                prop_assert!(found.iter().any(|wire| read(wire) == name), "{name:?} in {}", heard.escape_ascii());
            }
        }
    }
}

#[test]
fn a_raw_line_that_would_be_more_than_one_is_refused() {
    for line in ["X\r\nY", "X\nY", "X\rY", "X\0", "X {5}", "X {5+}", "X ~{5}", "X {5+} ", ""] {
        assert!(Raw::new(line).is_err(), "{line:?}");
    }
}

#[test]
fn text_that_cannot_be_a_name_is_told_when_it_is_used_and_nothing_is_sent() {
    let options = Options { greeting: Greeting::Preauth, ..Options::default() };
    let mut stepper = Stepper::connect(StrictServer::new(options), Config::default());
    let client = stepper.client.clone();
    for name in ["", "a\r\nb", "a\0"] {
        let select = stepper.finish(client.select(name)).expect("an end");
        assert!(matches!(select, Err(Error::Misuse(Misuse::Name(_)))), "{select:?}");
        let exists = stepper.finish(client.exists(name)).expect("an end");
        assert!(matches!(exists, Err(Error::Misuse(Misuse::Name(_)))), "{exists:?}");
        let append = stepper.finish(client.append(Append::new(name, &b"x"[..]))).expect("an end");
        assert!(matches!(append, Err(Error::Misuse(Misuse::Name(_)))), "{append:?}");
    }
    assert_eq!(stepper.link.written(), 0);
    assert!(stepper.finish(client.select("INBOX")).expect("an end").is_ok());
}
