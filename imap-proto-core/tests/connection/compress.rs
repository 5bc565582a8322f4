//! COMPRESS: the switch at its OK, and that everything behind it goes on as it would without.

use bytes::Bytes;
use imap_proto_core::command::{
    Access, Append, Command, Compress, Fetch, Idle, List, Message, Noop, Request, Search, Select,
};
use imap_proto_core::types::{FetchItems, Query, Section, Uid, UidSet};
use imap_proto_core::{CancelEffect, Closed, Config, Error, Event, Fate, Limit, Misuse, Violation};
use miniz_oxide::deflate::core::{CompressorOxide, create_comp_flags_from_zip_params};
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush};

use crate::script::Script;

const OFFERED: &str = "COMPRESS=DEFLATE LITERAL+ IDLE";
const OK: &str = "A0 OK compressed\r\n";

/// The other end of a compressed connection.
struct Peer {
    deflater: Box<CompressorOxide>,
    inflater: Box<InflateState>,
}

impl Peer {
    fn new() -> Self {
        let flags = create_comp_flags_from_zip_params(6, -15, 0);
        Peer { deflater: Box::new(CompressorOxide::new(flags)), inflater: InflateState::new_boxed(DataFormat::Raw) }
    }

    fn deflate_until(&mut self, text: impl AsRef<[u8]>, flush: MZFlush) -> Vec<u8> {
        let text = text.as_ref();
        let mut out = vec![0; text.len() * 2 + 1000];
        let result = deflate(&mut self.deflater, text, &mut out, flush);
        assert_eq!(result.bytes_consumed, text.len());
        out.truncate(result.bytes_written);
        out
    }

    fn deflate(&mut self, text: impl AsRef<[u8]>) -> Vec<u8> {
        self.deflate_until(text, MZFlush::Sync)
    }

    fn inflate(&mut self, mut bytes: &[u8]) -> String {
        let mut all = Vec::new();
        loop {
            let mut out = vec![0; 64 << 10];
            let result = inflate(&mut self.inflater, bytes, &mut out, MZFlush::None);
            bytes = &bytes[result.bytes_consumed..];
            all.extend_from_slice(&out[..result.bytes_written]);
            if result.bytes_written == 0 {
                assert!(bytes.is_empty(), "all of it is inflated: {result:?}");
                return String::from_utf8(all).expect("what is sent here is text");
            }
        }
    }
}

fn waiting(script: &mut Script) -> Vec<u8> {
    script.connection.transmit().flatten().copied().collect()
}

/// What may leave leaves, as it is.
fn leave(script: &mut Script) -> Vec<u8> {
    let mut left = Vec::new();
    while !script.connection.is_quiet() {
        let bytes = waiting(script);
        script.connection.transmitted(bytes.len(), script.now);
        left.extend(bytes);
    }
    left
}

/// Bytes come in one read, as far as there is room. How many there was room for.
fn read(script: &mut Script, bytes: &[u8]) -> usize {
    let space = script.connection.receive_space();
    let n = bytes.len().min(space.len());
    space[..n].copy_from_slice(&bytes[..n]);
    if n > 0 {
        script.connection.received(n, script.now);
    }
    n
}

/// A connection that compresses, with its other end.
fn compressed() -> (Script, Peer) {
    let mut script = Script::authenticated(OFFERED);
    script.submit(&Compress);
    script.c("A0 COMPRESS DEFLATE\r\n");
    script.s(OK);
    script.e(&["0 ok"]);
    (script, Peer::new())
}

fn request(command: &impl Command) -> Box<Request> {
    Box::new(command.request().expect("the command can be sent"))
}

/// When nobody waits for the OK any more.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Dropped {
    Never,
    /// Once so many bytes of the command have left.
    Sent(usize),
    /// Once so many bytes were received.
    Received(usize),
}

/// The server says OK and goes on compressed, in pieces that end at `cuts`.
fn switch(cuts: &[usize], dropped: Dropped) {
    let what = format!("{cuts:?} {dropped:?}");
    let mut peer = Peer::new();
    let behind = peer.deflate("* 5 EXISTS\r\n* OK [ALERT] now\r\n");
    let input = [OK.as_bytes(), &behind].concat();
    let mut script = Script::authenticated(OFFERED);
    let compress = script.submit(&Compress);
    // Nothing of it leaves before the OK.
    script.submit(&Noop);
    let command = b"A0 COMPRESS DEFLATE\r\n";
    if let Dropped::Sent(n) = dropped {
        assert_eq!(waiting(&mut script), command);
        script.connection.transmitted(n, script.now);
        assert_eq!(script.abandon(compress), CancelEffect::WillFinish, "{what}");
        assert_eq!(leave(&mut script), command[n..], "{what}");
    } else {
        assert_eq!(leave(&mut script), command, "{what}");
    }
    let mut events = Vec::new();
    let (mut from, mut left) = (0, Vec::new());
    let drops = if let Dropped::Received(n) = dropped { vec![n] } else { Vec::new() };
    let mut ends: Vec<usize> = cuts.iter().copied().chain(drops).chain([input.len()]).collect();
    ends.sort_unstable();
    for end in ends {
        if from < end {
            assert_eq!(read(&mut script, &input[from..end]), end - from, "{what}");
        }
        from = end;
        events.extend(script.events());
        if dropped == Dropped::Received(end) {
            let effect = script.abandon(compress);
            let expected = if end < OK.len() { CancelEffect::WillFinish } else { CancelEffect::Removed };
            assert_eq!(effect, expected, "{what}");
        }
        assert_eq!(script.connection.view().is_compressed(), end >= OK.len(), "{what}");
        let now = leave(&mut script);
        assert!(end >= OK.len() || now.is_empty(), "{what}");
        left.extend(now);
    }
    assert_eq!(events, ["0 ok", "- * 5 EXISTS", "- * OK [ALERT] now"], "{what}");
    assert_eq!(peer.inflate(&left), "A1 NOOP\r\n", "{what}");
    script.c_nothing();
    let answer = peer.deflate("A1 OK done\r\n");
    assert_eq!(read(&mut script, &answer), answer.len());
    script.e(&["1 ok"]);
    assert!(script.connection.is_settled(), "{what}");
}

#[test]
fn the_switch_is_at_the_crlf_of_the_ok_wherever_the_bytes_are_cut_and_whoever_waits() {
    let len = OK.len() + Peer::new().deflate("* 5 EXISTS\r\n* OK [ALERT] now\r\n").len();
    let command = "A0 COMPRESS DEFLATE\r\n".len();
    let all: Vec<usize> = (1..len).collect();
    let drops = || {
        let sent = (1..=command).map(Dropped::Sent);
        [Dropped::Never].into_iter().chain(sent).chain((0..=len).map(Dropped::Received))
    };
    for dropped in drops() {
        switch(&[], dropped);
        switch(&all, dropped);
        switch(&[OK.len()], dropped);
    }
    for cut in 1..len {
        for dropped in [Dropped::Never, Dropped::Sent(1), Dropped::Sent(command), Dropped::Received(cut)] {
            switch(&[cut], dropped);
        }
    }
}

#[test]
fn of_what_was_dropped_before_its_first_byte_nothing_is_sent_and_nothing_is_compressed() {
    let mut script = Script::authenticated(OFFERED);
    let compress = script.submit(&Compress);
    script.submit(&Noop);
    assert_eq!(script.abandon(compress), CancelEffect::Removed);
    script.e(&["0 failed cancelled NotSent"]);
    // Its line was never begun; the number of its tag was.
    script.c("A1 NOOP\r\n");
    assert!(!script.connection.view().is_compressed());
}

#[test]
fn it_is_sent_alone_and_nothing_is_sent_before_its_answer() {
    let before = "A1 OK\r\nA2 OK\r\n";
    let answer = "* 4 EXISTS\r\n+ what\r\nA3 OK\r\n";
    // Each split at each of its offsets.
    for (first, second) in (0..before.len()).map(|at| (at, 0)).chain((0..answer.len()).map(|at| (0, at))) {
        let mut script = Script::selected(OFFERED);
        script.submit(&Fetch::new(UidSet::all(), FetchItems::ids()));
        script.submit(&Noop);
        script.submit(&Compress);
        script.submit(&Noop);
        script.c("A1 UID FETCH 1:* (UID)\r\nA2 NOOP\r\n");
        script.s(&before[..first]);
        let mut told = script.events();
        script.c_nothing();
        script.s(&before[first..]);
        told.extend(script.events());
        assert_eq!(told, ["1 ok", "2 ok"], "{first}");
        script.c("A3 COMPRESS DEFLATE\r\n");
        script.s(&answer[..second]);
        let mut told = script.events();
        script.c_nothing();
        script.s(&answer[second..]);
        told.extend(script.events());
        assert_eq!(told, ["- * 4 EXISTS", "3 ok"], "{second}");
        let left = leave(&mut script);
        assert_eq!(Peer::new().inflate(&left), "A4 NOOP\r\n");
    }
}

#[test]
fn an_idle_ends_for_it_and_is_taken_up_again_compressed() {
    let mut script = Script::selected(OFFERED);
    script.submit(&Idle);
    script.c("A1 IDLE\r\n");
    script.s("+ idling\r\n");
    script.e(&["1 idles"]);
    script.submit(&Compress);
    script.c("DONE\r\n");
    script.s("A1 OK\r\n");
    script.e(&[]);
    script.c("A2 COMPRESS DEFLATE\r\n");
    script.wait(3);
    let mut peer = Peer::new();
    let input = [b"A2 OK\r\n".to_vec(), peer.deflate("* 4 EXISTS\r\n")].concat();
    assert_eq!(read(&mut script, &input), input.len());
    script.e(&["2 ok", "- * 4 EXISTS"]);
    let left = leave(&mut script);
    assert_eq!(peer.inflate(&left), "A3 IDLE\r\n");
    let input = peer.deflate("+ idling\r\n* 5 EXISTS\r\n");
    assert_eq!(read(&mut script, &input), input.len());
    script.e(&["1 idles", "- * 5 EXISTS"]);
    // It is renewed as ever.
    let renewal = script.connection.poll_timeout().expect("it is renewed");
    script.connection.handle_timeout(renewal);
    let left = leave(&mut script);
    assert_eq!(peer.inflate(&left), "DONE\r\n");
}

#[test]
fn a_refusal_leaves_the_connection_as_it_was() {
    for answer in ["NO not now", "BAD what"] {
        let mut script = Script::authenticated(OFFERED);
        for tag in 0..2 {
            script.submit(&Compress);
            script.c(&format!("A{tag} COMPRESS DEFLATE\r\n"));
            script.s(&format!("A{tag} {answer}\r\n"));
            assert!(script.events()[0].contains("refused"), "{answer}");
        }
        assert!(!script.connection.view().is_compressed());
        script.submit(&Noop);
        script.c("A2 NOOP\r\n");
    }
}

fn is_misuse(event: Option<Event<'_>>) -> bool {
    let error = Error::Misuse(Misuse::AlreadyCompressed);
    matches!(event, Some(Event::Failed { error: e, fate: Fate::NotSent, .. }) if format!("{e:?}") == format!("{error:?}"))
}

#[test]
fn what_is_compressed_already_is_not_asked_again() {
    // Both at once: of the second nothing is sent.
    let mut script = Script::authenticated(OFFERED);
    script.submit(&Compress);
    script.submit(&Compress);
    script.c("A0 COMPRESS DEFLATE\r\n");
    script.s(OK);
    assert!(matches!(script.connection.poll_event(), Some(Event::Done { .. })));
    assert!(is_misuse(script.connection.poll_event()));
    assert_eq!(leave(&mut script), b"");
    script.submit(&Compress);
    assert!(is_misuse(script.connection.poll_event()));
    assert_eq!(leave(&mut script), b"");
    // By a layer below.
    let mut script = Script::authenticated(OFFERED);
    script.submit(&Compress);
    script.c("A0 COMPRESS DEFLATE\r\n");
    script.s("A0 NO [COMPRESSIONACTIVE] TLS does\r\n");
    script.e(&["0 refused No"]);
    script.submit(&Compress);
    assert!(is_misuse(script.connection.poll_event()));
    script.submit(&Noop);
    script.c("A1 NOOP\r\n");
}

#[test]
fn what_is_not_offered_is_not_sent() {
    let mut script = Script::authenticated("COMPRESS=LZMA");
    script.submit(&Compress);
    script.e(&["0 failed the server does not offer COMPRESS=DEFLATE NotSent"]);
    script.c_nothing();
}

/// One step of a session.
enum Step {
    Submit(Box<Request>),
    Says(&'static str, usize),
    Abandons(usize),
    Renews,
}

/// A session with something of everything. What is said is said so many times.
fn session() -> Vec<Step> {
    let one = |uid| UidSet::from(Uid::new(uid).expect("a UID"));
    let body = FetchItems::ids().flags().section(Section::whole());
    vec![
        Step::Submit(request(&Select::new("INBOX", Access::ReadWrite))),
        Step::Submit(request(&List::all())),
        Step::Says("* 3 EXISTS\r\n* OK [UIDVALIDITY 7] hm\r\nA1 OK [READ-WRITE] in\r\n", 1),
        Step::Says("* LIST () \"/\" INBOX\r\n* LIST () \"/\" {3}\r\na\"b\r\n", 20),
        Step::Says("A2 OK done\r\n", 1),
        Step::Submit(request(&Fetch::new(UidSet::all(), body.clone()))),
        Step::Submit(request(&Search::new(Query::all()))),
        Step::Submit(request(&Noop)),
        Step::Says("* 1 FETCH (UID 1 FLAGS (\\Seen) BODY[] {80000}\r\n", 1),
        Step::Says("0123456789 0123456789 0123456789 01234567\r\n ", 1818),
        Step::Says("........)\r\n* 2 FETCH (UID 2 BODY[] {0}\r\n FLAGS ())\r\n", 1),
        Step::Says("* SEARCH 1 2 3\r\n* 4 EXISTS\r\nA5 OK\r\nA4 OK\r\nA3 OK\r\n", 1),
        Step::Submit(request(&Append::new("x", Message::Fed(30_000)))),
        Step::Submit(request(&Append::new("x", "held ".repeat(20_000)))),
        Step::Submit(request(&Noop)),
        Step::Says("A6 OK [APPENDUID 7 8] stored\r\n", 1),
        Step::Says("A7 OK [APPENDUID 7 9] stored\r\nA8 OK\r\n", 1),
        Step::Submit(request(&Fetch::new(one(1), body.clone()))),
        Step::Says("* 1 FETCH (UID 1 FLAGS (\\Seen) BODY[] {9000}\r\n", 1),
        Step::Abandons(9),
        Step::Says("dropped..", 1000),
        Step::Says(")\r\nA9 OK\r\n", 1),
        Step::Submit(request(&Idle)),
        Step::Says("+ idling\r\n* 5 EXISTS\r\n", 1),
        Step::Renews,
        Step::Says("* 6 EXISTS\r\nA10 OK\r\n", 1),
        Step::Says("* BYE enough\r\n", 1),
    ]
}

/// Events and lines of the client, in order; octets of a body as one.
#[derive(Default)]
struct Told {
    events: Vec<String>,
    lines: String,
}

fn go_on(script: &mut Script, peer: &mut Option<Peer>, told: &mut Told) {
    let mut octets = 0;
    loop {
        let left = leave(script);
        told.lines += &match peer {
            Some(peer) => peer.inflate(&left),
            None => String::from_utf8(left).expect("it is text"),
        };
        let id = match script.connection.poll_event() {
            None => break,
            Some(Event::WantsBody { id, .. }) => id,
            Some(Event::Body { octets: some, .. }) => {
                octets += some.len();
                continue;
            }
            Some(Event::BodyEnd { .. }) => {
                told.events.push("body ends".into());
                continue;
            }
            Some(event) => {
                told.events.push(format!("{event:?}"));
                continue;
            }
        };
        script.connection.feed(id, Bytes::from_static(&[b'f'; 1000])).expect("they are wanted");
    }
    told.events.push(format!("{octets}"));
}

/// The session, compressed or not, in pieces of so many bytes.
fn play(piece: usize, is_compressed: bool) -> Told {
    let mut script = Script::authenticated(OFFERED);
    let mut told = Told::default();
    let mut peer = None;
    if is_compressed {
        script.submit(&Compress);
        script.c("A0 COMPRESS DEFLATE\r\n");
        peer = Some(Peer::new());
    } else {
        script.submit(&Noop);
        script.c("A0 NOOP\r\n");
    }
    script.s("A0 OK\r\n");
    script.e(&["0 ok"]);
    let mut ids = vec![None];
    for step in session() {
        match step {
            Step::Submit(request) => ids.push(script.connection.submit(*request, script.now).ok()),
            Step::Abandons(number) => _ = script.abandon(ids[number].expect("it was submitted")),
            Step::Renews => {
                let renewal = script.connection.poll_timeout().expect("it is renewed");
                script.connection.handle_timeout(renewal);
            }
            Step::Says(text, times) => {
                let text = text.repeat(times);
                let input = match &mut peer {
                    Some(peer) => peer.deflate(text),
                    None => text.into_bytes(),
                };
                let mut body = 0;
                for chunk in input.chunks(piece) {
                    let mut rest = chunk;
                    while !rest.is_empty() {
                        rest = &rest[read(&mut script, rest)..];
                        go_on(&mut script, &mut peer, &mut told);
                        // Octets of one answer are counted together.
                        if let Some(last) = told.events.pop() {
                            body += last.parse::<usize>().expect("a number");
                        }
                    }
                }
                told.events.push(format!("{body} octets"));
                continue;
            }
        }
        go_on(&mut script, &mut peer, &mut told);
    }
    told.events.push(format!("{:?}", script.connection.health()));
    let view = script.connection.view();
    assert_eq!(view.is_compressed(), is_compressed);
    told.events.push(format!("{:?} {:?}", view.state(), view.selected()));
    told
}

#[test]
fn a_compressed_session_is_told_event_for_event_as_a_plain_one_however_it_is_cut() {
    let plain = play(usize::MAX, false);
    assert!(plain.events.len() > 70 && plain.lines.contains("A10 IDLE"), "{:#?}", plain.events);
    for piece in [1, 2, 7, 100, usize::MAX] {
        for is_compressed in [false, true] {
            let told = play(piece, is_compressed);
            assert_eq!(told.events, plain.events, "in pieces of {piece}, compressed: {is_compressed}");
            assert!(told.lines == plain.lines, "in pieces of {piece}, compressed: {is_compressed}");
        }
    }
}

#[test]
fn all_that_was_read_is_told_at_once_however_much_it_inflates_to() {
    for len in (0..100_000).step_by(487) {
        let (mut script, mut peer) = compressed();
        let line = format!("* X {}", "a".repeat(len));
        let input = peer.deflate(format!("{line}\r\n"));
        assert_eq!(read(&mut script, &input), input.len());
        assert_eq!(script.events(), [format!("- {line}")], "{len}");
    }
}

/// How often what was deflated is flushed.
fn flushes(bytes: &[u8]) -> usize {
    bytes.windows(4).filter(|window| window == b"\0\0\xff\xff").count()
}

#[test]
fn commands_that_leave_together_are_flushed_once() {
    let (mut script, mut peer) = compressed();
    for _ in 0..100 {
        script.submit(&Noop);
    }
    let waiting = waiting(&mut script);
    assert_eq!(flushes(&waiting), 1);
    assert!(waiting.ends_with(b"\0\0\xff\xff") && waiting.len() < 600, "{}", waiting.len());
    // Byte by byte, as a slow peer takes them.
    let mut left = Vec::new();
    while !script.connection.is_quiet() {
        left.extend(script.connection.transmit().flatten().next());
        script.connection.transmitted(1, script.now);
    }
    assert_eq!(left, waiting);
    let lines: String = (1..=100).map(|tag| format!("A{tag} NOOP\r\n")).collect();
    assert_eq!(peer.inflate(&left), lines);
    assert!(script.connection.is_quiet());
}

#[test]
fn a_message_that_is_fed_in_pieces_is_not_flushed_piece_by_piece() {
    let (mut script, mut peer) = compressed();
    let id = script.append(Message::Fed(20_000));
    script.submit(&Noop);
    let mut left = Vec::new();
    for _ in 0..200 {
        left.extend(leave(&mut script));
        assert!(script.events().concat().starts_with("1 wants"));
        script.connection.feed(id, Bytes::from_static(&[b'x'; 100])).expect("they are wanted");
    }
    left.extend(leave(&mut script));
    assert_eq!(flushes(&left), 1);
    assert_eq!(peer.inflate(&left), format!("A1 APPEND \"x\" {{20000+}}\r\n{}\r\nA2 NOOP\r\n", "x".repeat(20_000)));
}

#[test]
fn a_synchronizing_literal_is_flushed_before_its_go_ahead() {
    let mut script = Script::authenticated("COMPRESS=DEFLATE");
    script.submit(&Compress);
    script.c("A0 COMPRESS DEFLATE\r\n");
    script.s(OK);
    script.e(&["0 ok"]);
    let mut peer = Peer::new();
    script.append(Message::Fed(3));
    let left = leave(&mut script);
    assert_eq!(peer.inflate(&left), "A1 APPEND \"x\" {3}\r\n");
    let answer = peer.deflate("+ go on\r\n");
    read(&mut script, &answer);
    script.e(&["1 wants 3"]);
    script.c_nothing();
}

#[test]
fn a_long_message_is_deflated_as_it_leaves() {
    let (mut script, mut peer) = compressed();
    // Digits of a generator, which do not compress well.
    let mut state = 7_u64;
    let digit = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b' ' + (state >> 58) as u8)
    };
    let message: String = (0..500_000).map(digit).collect();
    script.submit(&Append::new("x", message.clone()));
    let mut text = String::new();
    while !script.connection.is_quiet() {
        let bytes = waiting(&mut script);
        assert!(bytes.len() <= 128 << 10, "{}", bytes.len());
        script.connection.transmitted(bytes.len().min(10_000), script.now);
        text += &peer.inflate(&bytes[..bytes.len().min(10_000)]);
    }
    assert_eq!(text, format!("A1 APPEND \"x\" {{500000+}}\r\n{message}\r\n"));
}

#[test]
fn an_answer_to_what_was_deflated_and_has_not_left_is_a_violation() {
    for left in [0, 1] {
        let (mut script, mut peer) = compressed();
        script.submit(&Noop);
        assert!(!waiting(&mut script).is_empty());
        script.connection.transmitted(left, script.now);
        let answer = peer.deflate("A1 OK\r\n");
        read(&mut script, &answer);
        // Of the rest it can't be told what the server had of it.
        let expected = if left == 0 { "an answer to a command that was not sent" } else { "1 ok" };
        assert!(script.events()[0].contains(expected), "{left}");
        // Nothing more leaves of a connection that has ended.
        assert_eq!(waiting(&mut script).is_empty(), left == 0);
    }
}

#[test]
fn what_was_deflated_is_begun_and_what_was_not_can_be_taken_back() {
    let (mut script, mut peer) = compressed();
    let first = script.submit(&Noop);
    let second = script.submit(&Noop);
    assert_eq!(script.abandon(first), CancelEffect::Removed);
    let left = waiting(&mut script);
    assert_eq!(script.abandon(second), CancelEffect::WillFinish);
    assert_eq!(peer.inflate(&left), "A2 NOOP\r\n");
    script.connection.transmitted(left.len(), script.now);
    assert!(script.connection.is_quiet());
}

#[test]
fn a_peer_that_takes_nothing_is_given_up_inside_a_message_too() {
    let (mut script, _) = compressed();
    let id = script.append(Message::Fed(200_000));
    leave(&mut script);
    let mut state = 7_u32;
    while script.connection.is_quiet() {
        assert!(script.events().concat().starts_with("1 wants"));
        let octets = (0..1000).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        script.connection.feed(id, octets.collect::<Vec<u8>>().into()).expect("they are wanted");
        let _ = waiting(&mut script);
    }
    script.wait(59);
    assert!(!script.connection.is_closed());
    script.wait(1);
    assert!(script.connection.is_closed(), "nothing moved for a minute");
}

#[track_caller]
fn ends_with(script: &mut Script, expected: &Error) {
    let mut last = None;
    while let Some(event) = script.connection.poll_event() {
        if let Event::Closed(error) = event {
            last = Some(error);
        }
    }
    assert_eq!(format!("{last:?}"), format!("{:?}", Some(expected)));
    assert!(script.connection.is_quiet() && waiting(script).is_empty());
}

#[test]
fn a_corrupt_stream_ends_the_connection_and_what_came_before_it_is_told() {
    let corrupt = Error::Protocol(Violation::CorruptCompression);
    // A block of a type that is none, and one of no compression whose lengths do not fit.
    for behind in [&b"\x07"[..], b"\x00\x05\x00\x05\x00hello"] {
        let (mut script, mut peer) = compressed();
        script.submit(&Noop);
        leave(&mut script);
        let input = [&peer.deflate("* 4 EXISTS\r\n")[..], behind].concat();
        read(&mut script, &input);
        assert!(matches!(script.connection.poll_event(), Some(Event::Data { .. })), "{behind:?}");
        ends_with(&mut script, &corrupt);
        assert!(corrupt.is_fatal());
    }
}

#[test]
fn whatever_is_wrong_with_the_stream_ends_the_connection_or_is_a_response_like_any_other() {
    let text: String = (0..200).map(|n| format!("* {n} FETCH (UID {} FLAGS (\\Seen))\r\n", n * 7)).collect();
    let good = Peer::new().deflate(text);
    let mut corrupt = 0;
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            let (mut script, _) = compressed();
            read(&mut script, &bad);
            while let Some(event) = script.connection.poll_event() {
                let Event::Closed(error) = event else { continue };
                let is_expected =
                    matches!(error, Error::Protocol(Violation::CorruptCompression | Violation::DataAfterCompression));
                assert!(is_expected, "{at} {bit}: {error:?}");
                corrupt += 1;
            }
        }
    }
    assert!(corrupt > 100, "{corrupt} of {}", good.len() * 8);
}

#[test]
fn what_comes_behind_the_last_block_is_a_violation_and_its_end_is_none() {
    for at_once in [true, false] {
        let (mut script, mut peer) = compressed();
        let mut input = peer.deflate_until("* 4 EXISTS\r\n", MZFlush::Finish);
        if at_once {
            input.push(b'*');
        }
        read(&mut script, &input);
        assert!(matches!(script.connection.poll_event(), Some(Event::Data { .. })));
        if !at_once {
            script.e(&[]);
            read(&mut script, b"*");
        }
        ends_with(&mut script, &Error::Protocol(Violation::DataAfterCompression));
    }
    let (mut script, mut peer) = compressed();
    let input = peer.deflate_until("* 4 EXISTS\r\n", MZFlush::Finish);
    read(&mut script, &input);
    script.e(&["- * 4 EXISTS"]);
    script.s_eof();
    ends_with(&mut script, &Error::Closed(Closed::EndOfStream));
}

#[test]
fn the_end_of_the_stream_is_where_the_bytes_end_wherever_that_is() {
    let input = Peer::new().deflate("* 4 EXISTS\r\n* 5 EXISTS\r\n");
    for cut in 0..=input.len() {
        let (mut script, _) = compressed();
        if cut > 0 {
            read(&mut script, &input[..cut]);
        }
        script.s_eof();
        ends_with(&mut script, &Error::Closed(Closed::EndOfStream));
    }
}

/// `unit` again and again, deflated: about a thousandth of it.
fn bomb(begin: &str, unit: &str, mib: usize) -> Vec<u8> {
    let mut peer = Peer::new();
    let mut input = peer.deflate(begin);
    let text = unit.repeat((1 << 20) / unit.len());
    input.extend(peer.deflate(&text));
    // The window is full of it by now, so that the same bytes say the same again.
    let again = peer.deflate(&text);
    (1..mib).for_each(|_| input.extend_from_slice(&again));
    input
}

/// A selected mailbox, and then compression.
fn selected(change: impl FnOnce(&mut Config)) -> Script {
    let mut script = Script::configured(OFFERED, change);
    script.submit(&Compress);
    script.c("A0 COMPRESS DEFLATE\r\n");
    script.s(OK);
    script.e(&["0 ok"]);
    script.submit(&Select::new("INBOX", Access::ReadWrite));
    leave(&mut script);
    script
}

#[test]
fn limits_count_what_was_inflated() {
    let small = |config: &mut Config| config.authenticated.response = 100_000;
    let body = FetchItems::ids().section(Section::whole());
    let drained = Error::Limit(Limit::DrainBytes { limit: 16 << 20 });
    type Change<'a> = &'a dyn Fn(&mut Config);
    let table: [(Change<'_>, &str, &str, Error); 3] = [
        (&small, "A1 OK\r\n* X ", "a", Error::Limit(Limit::Response { limit: 100_000 })),
        // What nobody wants any more, in many responses and in one.
        (&|_| {}, "A1 OK\r\n", "* 1 FETCH (UID 1 FLAGS (\\Seen) BODY[] {3}\r\nabc)\r\n", drained.clone()),
        (&|config| config.drain_bytes = 16 << 20, "A1 OK\r\n", "* 1 FETCH (UID 1 BODY[] {9000000}\r\n", drained),
    ];
    for (change, begin, unit, error) in table {
        let mut script = selected(change);
        let fetch = script.submit(&Fetch::new(UidSet::all(), body.clone()));
        let input = bomb(begin, unit, 40);
        assert!(input.len() < 400_000, "{}", input.len());
        let (mut rest, mut end) = (&input[..], None);
        while end.is_none() {
            rest = &rest[read(&mut script, rest)..];
            while let Some(event) = script.connection.poll_event() {
                if let Event::Closed(error) = event {
                    end = Some(error);
                }
            }
            leave(&mut script);
            script.abandon(fetch);
        }
        assert_eq!(format!("{end:?}"), format!("{:?}", Some(error)));
        assert!(!rest.is_empty(), "it ends before all was read");
    }
}

#[test]
fn no_more_is_asked_for_than_can_be_inflated() {
    let mut script = selected(|_| {});
    script.submit(&Fetch::new(UidSet::all(), FetchItems::ids().section(Section::whole())));
    let input = bomb("A1 OK\r\n* 1 FETCH (UID 1 BODY[] {1073741824}\r\n", "a", 100);
    let mut rest = &input[..];
    // Nobody polls: it stops.
    loop {
        let n = read(&mut script, rest);
        if n == 0 {
            break;
        }
        rest = &rest[n..];
    }
    assert!(input.len() - rest.len() <= 16 << 10);
    // What could not be read into no room is not the end.
    script.connection.received(0, script.now);
    assert!(script.connection.receive_space().is_empty());
    let (mut octets, mut leaves) = (0, false);
    while !rest.is_empty() {
        if std::mem::take(&mut leaves) {
            leave(&mut script);
        }
        while let Some(event) = script.connection.poll_event() {
            match event {
                Event::Body { octets: some, .. } => {
                    assert!(some.len() <= 64 << 10);
                    octets += some.len();
                }
                Event::BodyStart { .. } | Event::Done { .. } => leaves = true,
                other => panic!("{other:?}"),
            }
        }
        rest = &rest[read(&mut script, rest)..];
    }
    while script.connection.poll_event().is_some() {}
    assert!(octets > 90 << 20, "{octets}");
}
