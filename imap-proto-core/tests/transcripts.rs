//! Every example of RFC 3501 and RFC 9051 of a client and a server: `C:` and `S:` lines below `transcripts/`.
//!
//! `*-session.txt` are their §8, whole sessions; `*-examples.txt` are those of their §6 and §7, a paragraph each section.
//! Lines that the RFC broke are joined, and those that it cut short with dots are left out.

mod transcripts {
    pub(crate) mod driven;
    pub(crate) mod reader;
}

use imap_proto_core::types::Code;
use imap_proto_core::wire::grammar::{Attribute, parse_status_text, search_numbers};
use imap_proto_core::wire::{Condition, Decoder, Kind, Limits, Response, Step};
use proptest::prelude::*;
use transcripts::driven::Session;
use transcripts::reader::{Transcript, read};

const FILES: [&str; 4] = [
    include_str!("transcripts/rfc3501-session.txt"),
    include_str!("transcripts/rfc9051-session.txt"),
    include_str!("transcripts/rfc3501-examples.txt"),
    include_str!("transcripts/rfc9051-examples.txt"),
];

/// What a response has to be called when there is no type for it yet.
const KNOWN: [&str; 6] = ["LIST", "LSUB", "STATUS", "ESEARCH", "NAMESPACE", "XPIG-LATIN"];

fn all() -> impl Iterator<Item = Transcript> {
    FILES.into_iter().flat_map(read)
}

/// What a decoder made of some bytes, one line a response.
fn decoded(bytes: &[u8], mut piece: impl FnMut() -> usize) -> Vec<String> {
    let mut decoder = Decoder::new(Limits::default());
    let (mut told, mut rest) = (Vec::new(), bytes);
    loop {
        match decoder.advance().expect("the boundary is never lost") {
            Some(Step::Response) => told.push(judged(&decoder.response())),
            Some(step) => panic!("nothing is long enough to be streamed: {step:?}"),
            None if rest.is_empty() => return told,
            None => {
                let space = decoder.space();
                let n = piece().clamp(1, rest.len()).min(space.len());
                space[..n].copy_from_slice(&rest[..n]);
                decoder.received(n);
                rest = &rest[n..];
            }
        }
    }
}

/// The response with the names of what was understood; it panics where something was not.
fn judged(response: &Response<'_>) -> String {
    let raw = String::from_utf8_lossy(response.raw()).into_owned();
    assert!(response.damage().is_none(), "{raw}");
    match response.kind() {
        Kind::Garbage => panic!("garbage: {raw}"),
        Kind::Status(_) | Kind::Tagged(_) => {
            let text = response.text().to_bytes();
            let (code, _) = parse_status_text(&text);
            assert_eq!(code.is_some(), text.starts_with(b"["), "{raw}");
            // RFC 9051 §6.3.2 has a UIDVALIDITY of more than 32 bits in its example.
            let too_large = raw.contains("[UIDVALIDITY 9877410381]");
            assert_eq!(matches!(code, Some(Code::UidValidity(None))), too_large, "{raw}: {code:?}");
            // Its §6.4.4.4 leaves out the parentheses that its grammar has.
            let bare = raw.contains("[BADCHARSET UTF-8]");
            assert_eq!(code == Some(Code::BadCharset(vec!["UTF-8".into()])), bare, "{raw}: {code:?}");
            assert!(!matches!(code, Some(Code::Other { .. })), "{raw}: {code:?}");
            format!("{raw}: {code:?}")
        }
        Kind::Fetch(_) => {
            let fetch = response.as_fetch().expect("its number is not zero");
            for attribute in fetch.attributes() {
                assert!(!matches!(attribute, Attribute::Malformed { .. } | Attribute::Other { .. }), "{attribute:?}");
            }
            format!("{raw}: {:?}", fetch.attributes().collect::<Vec<_>>())
        }
        Kind::Search => {
            let text = response.text().to_bytes().into_owned();
            let numbers: Vec<String> = search_numbers(&text).map(|number| number.to_string()).collect();
            assert_eq!(numbers.join(" "), String::from_utf8_lossy(&text));
            raw
        }
        Kind::Other => {
            let name = String::from_utf8_lossy(response.name()).into_owned();
            assert!(KNOWN.contains(&&*name), "{raw}");
            format!("{raw}: {:?}", response.values())
        }
        kind => format!("{raw}: {kind:?}"),
    }
}

#[test]
fn every_server_line_of_the_rfcs_is_read_as_what_it_is() {
    let mut lines = 0;
    for transcript in all() {
        let bytes = transcript.server_bytes();
        let told = decoded(&bytes, || usize::MAX);
        assert_eq!(told.len(), transcript.responses(), "{}", transcript.title);
        assert_eq!(told, decoded(&bytes, || 1), "{}", transcript.title);
        lines += told.len();
    }
    assert!(lines > 550, "{lines}");
}

#[test]
fn every_exchange_of_the_rfcs_can_be_had_with_a_connection() {
    let mut compared = 0;
    for transcript in all() {
        let whole = Session::run(&transcript, || usize::MAX);
        assert_eq!(whole, Session::run(&transcript, || 1), "{}", transcript.title);
        compared += whole.compared;
    }
    assert!(compared >= 40, "only {compared} client lines are what ours are");
}

#[test]
fn the_sample_sessions_are_told_event_by_event() {
    for file in &FILES[..2] {
        let transcript = read(file).next().expect("one session");
        let told = Session::run(&transcript, || usize::MAX);
        let events: Vec<&str> = told.events.iter().map(String::as_str).collect();
        let at = |start: &str| events.iter().position(|event| event.starts_with(start));
        assert!(
            at("greeting").is_some() && at("data * 18 EXISTS") < at("data * 12 FETCH (BODY[HEADER]"),
            "{events:#?}"
        );
        assert_eq!(events.last().copied(), Some("closed the connection is closed: logged out"));
    }
}

#[test]
fn statuses_of_the_rfcs_have_the_condition_that_they_name() {
    for transcript in all() {
        for line in transcript.server_lines() {
            let mut words = line.split(' ').skip(1);
            let expected = match words.next() {
                Some("OK") => Condition::Ok,
                Some("NO") => Condition::No,
                Some("BAD") => Condition::Bad,
                Some("BYE") => Condition::Bye,
                Some("PREAUTH") => Condition::PreAuth,
                _ => continue,
            };
            let mut decoder = Decoder::new(Limits::default());
            let bytes = [line.as_bytes(), b"\r\n"].concat();
            decoder.space()[..bytes.len()].copy_from_slice(&bytes);
            decoder.received(bytes.len());
            assert_eq!(decoder.advance(), Ok(Some(Step::Response)));
            let kind = decoder.response().kind();
            assert!(matches!(kind, Kind::Tagged(found) | Kind::Status(found) if found == expected), "{line}: {kind:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_of_the_rfcs_gives_the_same(pieces in prop::collection::vec(1..90usize, 1..40)) {
        for transcript in all() {
            let mut sizes = pieces.iter().copied().cycle();
            let bytes = transcript.server_bytes();
            let mut piece = || sizes.next().unwrap_or(1);
            prop_assert_eq!(decoded(&bytes, || usize::MAX), decoded(&bytes, &mut piece));
            prop_assert_eq!(Session::run(&transcript, || usize::MAX), Session::run(&transcript, &mut piece));
        }
    }
}
