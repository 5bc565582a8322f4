//! The law that how the bytes were cut plays no part in what the connection tells.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use miniz_oxide::deflate::core::CompressorOxide;
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush};
use proptest::collection::vec as many;
use proptest::prelude::*;

use super::{Connection, Event};
use crate::command::{Access, CapabilityCommand, Command, Fetch, Noop, Search, Select};
use crate::config::{Config, Time};
use crate::types::{FetchItems, MailboxName, Query, Section, UidSet};
use crate::wire::Limits;

/// The events of a session in which the server says `input` in pieces. All that may leave leaves at once.
fn events(input: &[u8], config: &Config, piece: impl FnMut() -> usize) -> Vec<String> {
    Session::default().play(input, config, piece)
}

/// The same, compressed from the greeting on.
fn compressed_events(input: &[u8], config: &Config, piece: impl FnMut() -> usize) -> Vec<String> {
    Session { peer: Some(Peer::default()), ..Session::default() }.play(input, config, piece)
}

/// The other end of a compressed connection.
#[derive(Default)]
struct Peer {
    deflater: Box<CompressorOxide>,
    inflater: Box<InflateState>,
}

/// What was told so far.
#[derive(Default)]
struct Session {
    told: Vec<String>,
    body: Vec<u8>,
    peer: Option<Peer>,
}

impl Session {
    fn play(mut self, input: &[u8], config: &Config, mut piece: impl FnMut() -> usize) -> Vec<String> {
        let mut connection = Connection::new(config.clone());
        receive(&mut connection, b"* PREAUTH ready\r\n");
        self.poll(&mut connection);
        if let Some(peer) = &mut self.peer {
            peer.deflater.set_format_and_level(DataFormat::Raw, 6);
            peer.inflater.reset(DataFormat::Raw);
            connection.begin_compression();
            connection.view.is_compressed = false;
        }
        let uids = || UidSet::from_wire(b"1:9").expect("a set");
        let requests = [
            Select::new(MailboxName::inbox(), Access::ReadWrite).request(),
            Fetch::new(uids(), FetchItems::summary().section(Section::whole())).request(),
            Search::new(Query::all()).request(),
            CapabilityCommand::default().request(),
            Noop.request(),
        ];
        let mut ids = Vec::new();
        for request in requests {
            ids.push(connection.submit(request.expect("it has a wire form"), Time::ZERO).expect("it is open"));
            self.poll(&mut connection);
        }
        let ok = self.said(b"A0 OK [READ-WRITE] selected\r\n");
        receive(&mut connection, &ok);
        self.poll(&mut connection);
        connection.abandon(ids[2], Time::ZERO);
        let input = self.said(input);
        let mut rest = &input[..];
        while !rest.is_empty() {
            let n = piece().clamp(1, rest.len()).min(connection.receive_space().len());
            receive(&mut connection, &rest[..n]);
            rest = &rest[n..];
            self.poll(&mut connection);
        }
        let _ = connection.receive_space();
        connection.received(0, Time::ZERO);
        self.poll(&mut connection);
        self.told.push(format!("{:?}", connection.view()));
        self.told
    }

    /// What the server says, as it comes.
    fn said(&mut self, text: &[u8]) -> Vec<u8> {
        let Some(peer) = &mut self.peer else { return text.to_vec() };
        let mut bytes = alloc::vec![0; text.len() * 2 + 1000];
        let result = deflate(&mut peer.deflater, text, &mut bytes, MZFlush::Sync);
        assert_eq!(result.bytes_consumed, text.len());
        bytes.truncate(result.bytes_written);
        bytes
    }

    /// What the client says, before it was deflated.
    fn heard(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let Some(peer) = &mut self.peer else { return bytes };
        let mut text = alloc::vec![0; 64 << 10];
        let result = inflate(&mut peer.inflater, &bytes, &mut text, MZFlush::None);
        assert_eq!(result.bytes_consumed, bytes.len());
        text.truncate(result.bytes_written);
        text
    }

    fn poll(&mut self, connection: &mut Connection) {
        loop {
            let sent: Vec<u8> = connection.transmit().flatten().copied().collect();
            if !sent.is_empty() {
                connection.transmitted(sent.len(), Time::ZERO);
                let line = self.heard(sent);
                self.told.push(format!("C: {}", line.escape_ascii()));
            }
            match connection.poll_event() {
                None => return,
                Some(Event::Body { octets, .. }) => self.body.extend_from_slice(octets),
                Some(Event::BodyEnd { id }) => {
                    self.told.push(format!("{id:?} body {}", core::mem::take(&mut self.body).escape_ascii()));
                }
                Some(Event::Data { id, response }) => {
                    self.told.push(format!("{id:?} {} {:?}", response.raw().escape_ascii(), response.values()));
                }
                Some(event) => self.told.push(format!("{event:?}")),
            }
        }
    }
}

fn receive(connection: &mut Connection, bytes: &[u8]) {
    connection.receive_space()[..bytes.len()].copy_from_slice(bytes);
    connection.received(bytes.len(), Time::ZERO);
}

fn tight() -> Config {
    let limits = Limits { response: 200, literal: 8, inline: 4, tokens: 20, depth: 4 };
    Config { authenticated: limits, unauthenticated: limits, drain_bytes: 40, unknown_tags: 2, ..Config::default() }
}

/// What a server says to the commands that are under way, and what it says unasked.
const CORPUS: &[&[u8]] = &[
    b"* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n* SEARCH 1 2\r\n* 9 EXISTS\r\nA4 OK x\r\nA2 OK x\r\n* CAPABILITY X\r\nA3 OK x\r\nA1 NO {3}\r\n",
    b"* 2 FETCH (UID 2 BODY[] {9}\r\nA4 OK {1}\r\n BODY[] {5}\r\n\r\n* 1 FLAGS ())\r\nA1 BAD [PARSE] no\r\n* BYE so\r\n",
    b"* 1 FETCH (BODY[] {300}\r\nabc",
    b"Z9 OK x\r\nA10 OK x\r\nA9 OK x\r\n* 1 EXISTS\r\n",
    b"A1 OK\r\nA1 OK\r\nA1 OK\r\nA2 OK\r\n* 1 EXISTS\r\n",
    b"* LIST () {99}\r\n* 1 FETCH (FLAGS ())\r\n* 1 EXPUNGE\r\n+ x\r\n\0\0A4 OK\r\n * 1 EXISTS\r\n",
    b"* SEARCH 1 2 3 4 5 6 7 8 9\r\n* SEARCH 1 2 3 4 5 6 7 8 9 10 11\r\nA2 OK x\r\n",
];

#[test]
fn every_split_gives_the_same_events() {
    for input in CORPUS {
        for config in [Config::default(), tight()] {
            let expected = events(input, &config, || usize::MAX);
            for at in 1..input.len() {
                let mut first = Some(at);
                assert_eq!(expected, events(input, &config, || first.take().unwrap_or(usize::MAX)), "split at {at}");
            }
            for n in [1, 2, 3, 7] {
                assert_eq!(expected, events(input, &config, || n), "in pieces of {n}");
                assert_eq!(expected, compressed_events(input, &config, || n), "compressed, in pieces of {n}");
            }
        }
    }
}

#[test]
fn the_budget_before_login_counts_what_was_read_and_not_what_lies_behind_it() {
    let config = Config { unauthenticated_bytes: 100, ..Config::default() };
    let input = [&b"* OK ready\r\n"[..], &b"* 1 EXISTS\r\n".repeat(9)[..]].concat();
    let told = |piece: usize| {
        let mut connection = Connection::new(config.clone());
        let mut told = Vec::new();
        for chunk in input.chunks(piece) {
            receive(&mut connection, chunk);
            while let Some(event) = connection.poll_event() {
                told.push(format!("{event:?}"));
            }
        }
        told
    };
    let whole = told(usize::MAX);
    assert_eq!(whole.len(), 1 + 7 + 1, "the greeting, what fits, and the end");
    assert!(whole.last().expect("the end").contains(&"Unauthenticated".to_string()));
    assert_eq!(whole, told(1));
    assert_eq!(whole, told(17));
}

fn answers() -> impl Strategy<Value = Vec<u8>> {
    let tagged = (0..7u8, prop::sample::select(["OK", "NO", "BAD", "OK [CLOSED]"].as_slice()))
        .prop_map(|(tag, condition)| format!("A{tag} {condition} x\r\n").into_bytes());
    let said = prop::sample::select(CORPUS).prop_map(<[u8]>::to_vec);
    let answer = prop_oneof![tagged, said, crate::wire::stream()];
    many(answer, 1..6).prop_map(|answers| answers.concat())
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_events(input in answers(), pieces in many(1..40usize, 1..20), small in any::<bool>()) {
        let config = if small { tight() } else { Config::default() };
        let expected = events(&input, &config, || usize::MAX);
        let mut cycle = pieces.iter().cycle();
        prop_assert_eq!(&expected, &events(&input, &config, || *cycle.next().expect("there is one")));
        prop_assert_eq!(&expected, &events(&input, &config, || 1));
        // Nor does it, nor whether they are compressed.
        prop_assert_eq!(&expected, &compressed_events(&input, &config, || usize::MAX));
        prop_assert_eq!(&expected, &compressed_events(&input, &config, || *cycle.next().expect("there is one")));
        prop_assert_eq!(&expected, &compressed_events(&input, &config, || 1));
    }
}
