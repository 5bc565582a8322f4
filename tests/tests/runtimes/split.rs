//! What a server says below IMAP, split or cut off at each of its octets: the rows N10 to N12 of `docs/logging-in.md`.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::task::Waker;

use imap_proto_core::command::List;
use imap_proto_core::connect::rustls::client::Resumption;
use imap_proto_core::connect::rustls::version::{TLS12, TLS13};
use imap_proto_core::connect::rustls::{ClientConfig, ServerConfig, ServerConnection, SupportedProtocolVersion};
use imap_proto_core::{Closed, Credentials, Error};
use rcgen::date_time_ymd;

use crate::harness::Harness;
use crate::pipe::{Peer, Pipe};
use crate::tls_server::{Authority, Identity, config};

/// A server with TLS in memory, which lets everyone in and answers each line with the same words, `@` being the tag.
struct Tls {
    session: ServerConnection,
    line: Vec<u8>,
    words: &'static str,
    greeted: bool,
    closed: bool,
}

impl Tls {
    fn new(config: &Arc<ServerConfig>, words: &'static str) -> Self {
        let session = ServerConnection::new(config.clone()).expect("a configuration");
        Tls { session, line: Vec::new(), words, greeted: false, closed: false }
    }

    fn answer(&mut self, line: &[u8]) {
        let tag = String::from_utf8_lossy(line).split(' ').next().unwrap_or_default().to_owned();
        let words = self.words.replace('@', &tag);
        self.session.writer().write_all(words.as_bytes()).expect("it is kept");
    }
}

impl Peer for Tls {
    fn receive(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.closed {
            self.session.read_tls(&mut bytes).expect("there is room");
            // What it says of it is an alert.
            self.closed = self.session.process_new_packets().is_err();
            let mut text = [0; 1024];
            while let Ok(count @ 1..) = self.session.reader().read(&mut text) {
                self.line.extend(&text[..count]);
            }
        }
        while let Some(end) = self.line.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.line.drain(..=end).collect();
            self.answer(&line);
        }
    }

    fn say(&mut self, out: &mut VecDeque<u8>) -> bool {
        if !self.greeted && !self.session.is_handshaking() {
            self.greeted = true;
            let greeting = b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n";
            self.session.writer().write_all(greeting).expect("it is kept");
        }
        while self.session.wants_write() {
            self.session.write_tls(out).expect("it is kept");
        }
        self.closed
    }

    fn has_more(&mut self, _: &Waker) -> bool {
        self.session.wants_write()
    }
}

/// A server that greets in the clear, and keeps what it is told.
struct Clear {
    greeting: &'static [u8],
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Peer for Clear {
    fn receive(&mut self, bytes: &[u8]) {
        self.heard.lock().expect("nobody panics holding it").extend(bytes);
    }

    fn say(&mut self, out: &mut VecDeque<u8>) -> bool {
        out.extend(std::mem::take(&mut self.greeting));
        false
    }

    fn has_more(&mut self, _: &Waker) -> bool {
        !self.greeting.is_empty()
    }
}

/// Who shows which certificate to whom, and whether it is taken.
struct Case {
    name: &'static str,
    host: &'static str,
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    is_taken: bool,
}

fn cases() -> Vec<Case> {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let right = || ours.issue(&["localhost"], |_| {});
    let expired = ours.issue(&["localhost"], |params| params.not_after = date_time_ymd(2020, 1, 1));
    let case = |name, host, identity: Identity, version, is_taken| Case {
        name,
        host,
        server: Arc::new(config(&identity, None)),
        client: Arc::new(always_shown(&ours, version)),
        is_taken,
    };
    vec![
        case("right", "localhost", right(), &TLS13, true),
        case("right, of TLS 1.2", "localhost", right(), &TLS12, true),
        case("of another name", "imap.example.org", right(), &TLS13, false),
        case("self-signed", "localhost", Identity::of_its_own("localhost"), &TLS13, false),
        case("of an unknown root", "localhost", theirs.issue(&["localhost"], |_| {}), &TLS13, false),
        case("expired", "localhost", expired, &TLS13, false),
    ]
}

/// Knows this root, and resumes no session: each server shows its certificate.
fn always_shown(ours: &Authority, version: &'static SupportedProtocolVersion) -> ClientConfig {
    let mut config = ours.trusted(&[version]);
    config.resumption = Resumption::disabled();
    config
}

pub(crate) async fn certificates<H: Harness>(harness: H) {
    for case in cases() {
        let mut offset = 1;
        loop {
            let pipe = Pipe::to_peer(Tls::new(&case.server, "@ OK done\r\n")).split_at(offset);
            let connector = harness.connector(case.host).tls_config(case.client.clone());
            match connector.open_over(pipe.clone()).await {
                Ok(_) => assert!(case.is_taken, "{} at {offset}", case.name),
                Err(error) => {
                    assert!(!case.is_taken, "{} at {offset}: {error}", case.name);
                    let is_judged = error.to_string().contains(": invalid peer certificate: ");
                    assert!(is_judged && matches!(error, Error::Transport(_)), "{} at {offset}: {error:?}", case.name);
                }
            }
            if pipe.read() <= offset {
                break;
            }
            offset += 1;
        }
        assert!(offset > 500, "{} is said in {offset} octets", case.name);
    }
}

pub(crate) async fn clear_text<H: Harness>(harness: H) {
    for greeting in [&b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n"[..], b"* PREAUTH hi\r\n"] {
        for offset in 1..=greeting.len() {
            let heard = Arc::default();
            let pipe = Pipe::to_peer(Clear { greeting, heard: Arc::clone(&heard) }).split_at(offset);
            let connector = harness.connector("localhost").credentials(Credentials::password("alice", "secret"));
            let error = connector.open_over(pipe).await.err().expect("it is no TLS");
            assert!(matches!(error, Error::Transport(_)), "at {offset}: {error:?}");
            // RFC 8446 §5.1: a handshake message and an alert, and nothing that is neither.
            let heard = heard.lock().expect("nobody panics holding it");
            let mut records = &heard[..];
            while let [kind, _, _, high, low, rest @ ..] = records {
                assert!(matches!(kind, 21 | 22), "at {offset}: {heard:?}");
                let len = usize::from(u16::from_be_bytes([*high, *low]));
                records = &rest[len.min(rest.len())..];
            }
            assert!(!heard.is_empty() && records.is_empty(), "at {offset}: {heard:?}");
        }
    }
}

pub(crate) async fn cut_off<H: Harness>(harness: H) {
    let ours = Authority::new("ours");
    let server = Arc::new(config(&ours.issue(&["localhost"], |_| {}), None));
    let words = "* LIST () \"/\" a\r\n* LIST () \"/\" {7}\r\nhalfway\r\n@ OK done\r\n";
    for version in [&TLS13, &TLS12] {
        let client = Arc::new(always_shown(&ours, version));
        let listed_twice = async |pipe: Pipe| {
            let connector = harness.connector("localhost").tls_config(client.clone());
            let (client, driver) = connector.open_over(pipe).await?;
            let driver = harness.spawn(driver);
            let (first, second) = (client.list(List::all()).await, client.list(List::all()).await);
            drop(client);
            let _ = driver.await;
            assert_eq!(first.as_ref().map_or(2, Vec::len), 2, "an answer is whole or none");
            assert!(first.is_ok() || second.is_err(), "what comes later has the same end");
            second
        };
        let pipe = || Pipe::to_peer(Tls::new(&server, words));
        let whole = pipe();
        assert_eq!(listed_twice(whole.clone()).await.expect("it is whole").len(), 2);
        // Signatures are some octets longer or shorter.
        for ends in 0..whole.read() + 10 {
            let pipe = pipe().end_at(ends);
            match listed_twice(pipe.clone()).await {
                Err(Error::Transport(_) | Error::Closed(Closed::EndOfStream)) => {}
                Ok(_) if pipe.unread() == 0 && ends + 10 > whole.read() => {}
                other => panic!("cut off behind {ends}: {other:?}"),
            }
        }
    }
}
