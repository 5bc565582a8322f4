//! The laws of the receive side as a whole: framing and tokens together.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write;
use std::thread;

use proptest::collection::vec as many;
use proptest::prelude::*;

use super::scan::LOOKED;
use super::tokenize::tokenize;
use super::{Decoder, Kind, Limits, Response, Step, TokenKind, Values};

/// What a decoder makes of `input` fed in pieces, one line a step. The pieces of a body are put together.
pub(crate) fn steps(input: &[u8], limits: Limits, mut piece: impl FnMut() -> usize) -> Vec<String> {
    let mut decoder = Decoder::new(limits);
    let mut steps = Vec::new();
    let mut body = Vec::new();
    let mut rest = input;
    loop {
        match decoder.advance() {
            Err(error) => {
                steps.push(format!("fatal: {error}"));
                return steps;
            }
            Ok(Some(Step::Response)) => steps.push(render(&decoder.response())),
            Ok(Some(Step::BodyStart { len })) => {
                steps.push(format!("{} body of {len}", decoder.response().raw().escape_ascii()));
            }
            Ok(Some(Step::Body)) => body.extend_from_slice(decoder.octets()),
            Ok(Some(Step::BodyEnd)) => steps.push(format!("body {}", core::mem::take(&mut body).escape_ascii())),
            Ok(None) if rest.is_empty() => break,
            Ok(None) => {
                let space = decoder.space();
                let n = piece().max(1).min(rest.len()).min(space.len());
                let (now, later) = rest.split_at(n);
                space[..n].copy_from_slice(now);
                decoder.received(n);
                rest = later;
            }
        }
    }
    if !decoder.is_between_responses() {
        steps.push(String::from("unfinished"));
    }
    steps
}

fn whole(input: &[u8], limits: Limits) -> Vec<String> {
    steps(input, limits, || usize::MAX)
}

/// The kind, then the name and text or values.
fn render(response: &Response<'_>) -> String {
    let mut line = match response.kind() {
        Kind::Continue | Kind::Tagged(_) | Kind::Status(_) | Kind::Search | Kind::Capability => {
            let tag = if let Kind::Tagged(_) = response.kind() { response.name() } else { b"" };
            format!("{:?} {}|{}", response.kind(), tag.escape_ascii(), response.text().as_raw().escape_ascii())
        }
        Kind::Other => format!("Other {}", response.name().escape_ascii()),
        Kind::Garbage => format!("Garbage {}", response.raw().escape_ascii()),
        kind => format!("{kind:?}"),
    };
    render_values(response.values(), &mut line);
    if response.damage().unbalanced {
        line.push_str(" UNBALANCED");
    }
    if response.damage().truncated {
        line.push_str(" TRUNCATED");
    }
    line
}

/// Strings in quotes, literals in braces, what is detached as its length.
fn render_values(values: Values<'_>, line: &mut String) {
    let mut open = vec![values];
    while let Some(mut values) = open.pop() {
        let Some(value) = values.next() else {
            if !open.is_empty() {
                line.push_str(" )");
            }
            continue;
        };
        open.push(values);
        let content = value.text().map(|text| text.to_bytes()).unwrap_or_default();
        let content = content.escape_ascii();
        let _ = match value.kind() {
            TokenKind::Atom => write!(line, " {content}"),
            TokenKind::Nil => write!(line, " NIL"),
            TokenKind::Quoted | TokenKind::Escaped => write!(line, " \"{content}\""),
            TokenKind::Literal => write!(line, " {{{content}}}"),
            TokenKind::Detached => {
                let (index, literal) = value.detached().expect("it is detached");
                write!(line, " <{index}: {}{}>", literal.len, if literal.skipped { " skipped" } else { "" })
            }
            TokenKind::Opaque => write!(line, " opaque {}", value.raw().escape_ascii()),
            TokenKind::List => {
                open.extend(value.list());
                write!(line, " (")
            }
        };
    }
}

fn small() -> Limits {
    Limits { response: 200, literal: 8, inline: 4, tokens: 20, depth: 4 }
}

/// Feeds `input` in every pair of pieces, byte by byte, and in odd ones.
fn in_every_split(input: &[u8], limits: Limits) -> Vec<String> {
    let expected = whole(input, limits);
    for at in 1..input.len() {
        let mut first = Some(at);
        assert_eq!(expected, steps(input, limits, || first.take().unwrap_or(usize::MAX)), "split at {at}");
    }
    for n in [1, 2, 3, 7] {
        assert_eq!(expected, steps(input, limits, || n), "in pieces of {n}");
    }
    expected
}

/// What servers send, and what becomes of it, by its number in `docs/quirks.md`: section A, and those whose data has no type here.
const QUIRKS: &[(&str, &[u8], &[&str])] = &[
    ("1", b"* OK x\n* 1 EXISTS\n", &["Status(Ok) |x", "Exists(1)"]),
    ("2", b"* OK x\r\n* 1 EXISTS\r\n", &["Status(Ok) |x", "Exists(1)"]),
    ("3", b"* FLAGS  (\\Seen  \\Draft)\r\n", &["Flags ( \\\\Seen \\\\Draft )"]),
    ("4", b"* CAPABILITY IMAP4 ID \r\n", &["Capability |IMAP4 ID "]),
    ("5", b"* FLAGS (\\seen \\draft )\r\n* 1 FETCH (UID 19436 )\r\n* ID ( \"a\" \"1\" )\r\n", &["Flags ( \\\\seen \\\\draft )", "Fetch(1) ( UID 19436 )", "Other ID ( \"a\" \"1\" )"]),
    ("6", b"* LIST(\\X) \"/\" a\r\n* 1 FETCH (BODY[]\"x\")\r\n* 1 FETCH (BODY[]{3}\r\n) ( BODY[1]~{1}\r\n()\r\n", &["Other LIST ( \\\\X ) \"/\" a", "Fetch(1) ( BODY[] \"x\" )", "Fetch(1) ( BODY[] {) (} BODY[1] {(} )"]),
    ("7", b"* X ((a) (b)(c) \"d\"\"e\")\r\n", &["Other X ( ( a ) ( b ) ( c ) \"d\" \"e\" )"]),
    ("8", b"* X (\"MOUNDARY=\"_006_5DBB\"\" \"OCTET-STREAM\" \"\"\"\" \"\" \"a \"b\" c\" NIL)\r\n* X \"a\"b\r\n", &["Other X ( \"MOUNDARY=\\\"_006_5DBB\\\"\" \"OCTET-STREAM\" \"\\\"\\\"\" \"\" \"a \\\"b\\\" c\" NIL )", "Other X \"a\" b"]),
    ("9", b"* OK Hello \" foo\r\n* 1 EXISTS\r\n", &["Status(Ok) |Hello \\\" foo", "Exists(1)"]),
    ("10", b"* OK note {5}\r\nA1 NO {3+}\r\n* PREAUTH {1}\r\n* BYE ~{1}\r\n* BAD {1}\r\n* ok {2}\r\n* OK(x) {2}\r\n", &["Status(Ok) |note {5}", "Tagged(No) A1|{3+}", "Status(PreAuth) |{1}", "Status(Bye) |~{1}", "Status(Bad) |{1}", "Status(Ok) |{2}", "Status(Ok) |(x) {2}"]),
    ("11", b"* X \"a\\xb\"\r\n", &["Other X \"axb\""]),
    ("12", b"* 1 FETCH (X \"a\r\nb\" UID 5)\r\n* 2 EXISTS\r\n", &["Fetch(1) ( X \"a\" ) UNBALANCED", "Garbage b\\\" UID 5)", "Exists(2)"]),
    ("13", b"* STATUS Spo\xc5\x82eczno\xc5\x9bci (MESSAGES 1)\r\nA1 OK [READ-ONLY] \xff selected\r\n", &["Other STATUS Spo\\xc5\\x82eczno\\xc5\\x9bci ( MESSAGES 1 )", "Tagged(Ok) A1|[READ-ONLY] \\xff selected"]),
    ("14", b"* X {3+}\r\nabc {0005}\r\nabcde {0}\r\n {3}\nabc {4+   }   \r\nabcd\r\n", &["Other X {abc} {abcde} {} {abc} {abcd}"]),
    ("15", b"* X ~{4}\r\n\0\0\r\n x\r\n", &["Other X {\\x00\\x00\\r\\n} x"]),
    ("16", b"\0\0A6 OK\r\n\0\0\0\r\n\0\0* 1 EXISTS\r\n", &["Tagged(Ok) A6|", "Exists(1)"]),
    ("17", b"* LIST () {1}\r\n/ {2}\r\nab\r\n* 1 FETCH (BODY[HEADER.FIELDS ({2}\r\n])] NIL INTERNALDATE {1}\r\nx)\r\n", &["Other LIST ( ) {/} {ab}", "Fetch(1) ( BODY[HEADER.FIELDS ({2}\\r\\n])] NIL INTERNALDATE {x} )"]),
    ("18", b"* 1 FETCH (ENVELOPE (NIL NIL (({3}\r\n\xd0\xa0\xd0\xb5\xd1 NIL \"f\" \"x.com\")) NIL) UID 5)\r\n* 1 EXISTS\r\n", &["Fetch(1) ( ENVELOPE ( NIL NIL ( ( {\\xd0\\xa0\\xd0} \\xb5\\xd1 NIL \"f\" \"x.com\" ) ) NIL ) UID 5 )", "Exists(1)"]),
    ("19", b"* 2 FETCH (BODY[] {3}\r\nabc\r\n UID 5)\r\n* 3 FETCH (BODY[] {3}\r\nabc\r\n)\r\n* 4 FETCH (BODY[] {3}\r\nabc\r\n* LIST () NIL {1}\r\na\r\nA1 OK\r\n", &["Fetch(2) ( BODY[] {abc} UID 5 )", "Fetch(3) ( BODY[] {abc} )", "Fetch(4) ( BODY[] {abc} ) UNBALANCED", "Other LIST ( ) NIL {a}", "Tagged(Ok) A1|"]),
    ("20", b"* capability X\r\n* List () nil inbox\r\na1 ok done\r\n* 1 fetch (body[] nil)\r\n", &["Capability |X", "Other List ( ) NIL inbox", "Tagged(Ok) a1|done", "Fetch(1) ( body[] NIL )"]),
    ("21", b"* X (UTF-8 base64 \"OK\")\r\n", &["Other X ( UTF-8 base64 \"OK\" )"]),
    ("22", b"* CAPABILITY IMAP4rev1 LITERAL + X\r\n", &["Capability |IMAP4rev1 LITERAL + X"]),
    ("23", b"* {25}\r\nThis should be skipped...\r\n* 1 EXISTS\r\n", &["Other {25} This should be skipped...", "Exists(1)"]),
    ("24", b"* 1 FETCH (RFC822.SIZE 9.3736e+06)\r\n", &["Fetch(1) ( RFC822.SIZE 9.3736e+06 )"]),
    ("25", b"* X -1\r\n", &["Other X -1"]),
    ("26", b"* 007 EXISTS\r\n* X 007\r\n", &["Exists(7)", "Other X 007"]),
    ("27", b"* 1 FETCH (UID 1e400 FLAGS ())\r\n* 99999999999999999999 EXISTS\r\n* X Infinity\r\n", &["Fetch(1) ( UID 1e400 FLAGS ( ) )", "Other 99999999999999999999 EXISTS", "Other X Infinity"]),
    ("76", b"* QUOTA \"\" ()\r\n* QUOTA \"\" (STORAGE 10 99999999999)\r\n* QUOTAROOT \"x\"\r\n", &["Other QUOTA \"\" ( )", "Other QUOTA \"\" ( STORAGE 10 99999999999 )", "Other QUOTAROOT \"x\""]),
    ("92", b"* 1 FETCH (UID 7)\r\nrest of it {3}\r\n)\r\n* 2 EXISTS\r\n", &["Fetch(1) ( UID 7 )", "Garbage rest of it {3}", "Garbage )", "Exists(2)"]),
    ("124", b"* THREAD ((352)(381))\r\n* THREAD (3 (4)(5 6))\r\n", &["Other THREAD ( ( 352 ) ( 381 ) )", "Other THREAD ( 3 ( 4 ) ( 5 6 ) )"]),
    ("127", b"* ACL x user\r\n* MYRIGHTS x \"\"\r\n* METADATA \"\" (/a NIL)\r\n* METADATA \"\" /a /b\r\n", &["Other ACL x user", "Other MYRIGHTS x \"\"", "Other METADATA \"\" ( /a NIL )", "Other METADATA \"\" /a /b"]),
];

#[test]
fn odd_framing_and_odd_tokens_are_read_as_their_server_meant_them() {
    for (quirk, input, expected) in QUIRKS {
        let steps = in_every_split(input, Limits::default());
        assert_eq!(steps, *expected, "quirk {quirk}");
    }
}

/// What is fed in every split: all shapes that framing tells apart.
const CORPUS: &[&[u8]] = &[
    b"* OK [CAPABILITY IMAP4rev1] ready {5}\r\nA1 NO x {3+}\r\n+ {2}\r\n* BYE \"\r\n",
    b"* 1 FETCH (UID 1 BODY[] {3}\r\nabc FLAGS (\\Seen))\r\n* 2 EXISTS\r\n",
    b"* 1 FETCH (UID 1 BODY[] {5}\r\nab\r\nc BODY[TEXT]<0> ~{6}\r\n\0\0{3}\r RFC822 {5}\r\n* OK )\r\nA1 OK\r\n",
    b"* 1 FETCH (ENVELOPE (NIL {3}\r\nabc {9}\r\n123456789 NIL))\r\n\0\0\r\n\r\n\n\0A1 OK {0}\r\n",
    b"* 1 FETCH (BODY[HEADER.FIELDS (\"]\" {2}\r\n]))] {20}\r\n12345678901234567890)\n* LIST () \"/\" {0}\r\n\r\n",
    b"* X ((((((1) 2) 3)))) \"a\\\"b{3}\r\n* Y {2+  }  \r\n\r\n\r\n* Z \"x\\",
    b"* 1 FETCH (BODY[] {99999999999999999999}\r\n",
    b"* 1 FETCH (BODY[] {9223372036854775807}\r\nabc",
];

#[test]
fn every_split_of_the_corpus_gives_the_same_steps() {
    for input in CORPUS {
        for limits in [Limits::default(), small(), Limits { response: 40, ..small() }] {
            in_every_split(input, limits);
        }
    }
}

/// One response, whole or half broken.
fn response() -> impl Strategy<Value = Vec<u8>> {
    let literal = (any::<bool>(), many(any::<u8>(), 0..40)).prop_map(|(plus, octets)| {
        let mut literal = format!("{{{}{}}}\r\n", octets.len(), if plus { "+" } else { "" }).into_bytes();
        literal.extend(octets);
        literal
    });
    let word = prop_oneof![
        literal,
        prop::sample::select(vec![
            "FLAGS (\\Seen)",
            "BODY[] ",
            "BODY[",
            "BODY[1]<0> ",
            "\"a\\\"b\" ",
            "NIL ",
            "(",
            ")",
            "UID 7 ",
            "\"",
            "{3}",
            "{",
            "~",
            "[",
            "((((((",
            "))",
            "ENVELOPE (NIL ",
            "{20}\r\n",
            "RFC822 ",
        ])
        .prop_map(|word| Vec::from(word.as_bytes())),
    ];
    let start = prop::sample::select(vec![
        "* 1 FETCH (",
        "* LIST () ",
        "* OK ",
        "A1 NO ",
        "+ ",
        "* SEARCH 1 2 ",
        "junk ",
        "\0\0* X ",
        "",
    ]);
    (start, many(word, 0..8), prop::sample::select(vec!["\r\n", ")\r\n", "\n", "\r\r\n"]))
        .prop_map(|(start, words, end)| [start.as_bytes(), &words.concat(), end.as_bytes()].concat())
}

/// A stream of responses with a few octets changed.
pub(crate) fn stream() -> impl Strategy<Value = Vec<u8>> {
    let damage = many((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (many(response(), 1..6), damage).prop_map(|(responses, damage)| {
        let mut stream = responses.concat();
        for (at, octet) in damage {
            if !stream.is_empty() {
                let at = at.index(stream.len());
                stream[at] = octet;
            }
        }
        stream
    })
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_steps(input in stream(), pieces in many(1..30usize, 1..20), tight in any::<bool>()) {
        let limits = if tight { small() } else { Limits::default() };
        let expected = whole(&input, limits);
        let mut cycle = pieces.iter().cycle();
        prop_assert_eq!(&expected, &steps(&input, limits, || *cycle.next().expect("there is one")));
        prop_assert_eq!(&expected, &steps(&input, limits, || 1));
    }

    #[test]
    fn the_octets_of_a_literal_never_become_protocol(octets in many(any::<u8>(), 0..60), inline in 0..60u64) {
        let mut input = format!("* 1 FETCH (BODY[]{{{}}}\r\n", octets.len()).into_bytes();
        input.extend(&octets);
        input.extend(b" UID 7)\r\n* 5 EXISTS\r\n");
        let steps = whole(&input, Limits { inline, ..Limits::default() });
        let streamed = octets.len() as u64 > inline;
        prop_assert_eq!(steps.len(), if streamed { 4 } else { 2 });
        let body = if streamed { format!("<0: {}>", octets.len()) } else { format!("{{{}}}", octets.escape_ascii()) };
        prop_assert_eq!(&steps[steps.len() - 2], &format!("Fetch(1) ( BODY[] {body} UID 7 )"));
        prop_assert_eq!(&steps[steps.len() - 1], "Exists(5)");
    }
}

/// Lines that look as if they had to be gone through again and again.
fn adversarial(len: usize) -> Vec<(&'static str, Vec<u8>)> {
    let cycle = |unit: &[u8]| -> Vec<u8> {
        let units: Vec<u8> = unit.iter().copied().cycle().take(len).collect();
        [b"* 1 FETCH (", &units[..], b")\r\n"].concat()
    };
    vec![
        ("braces", cycle(b"{")),
        ("braces and digits", cycle(b"{1")),
        ("headers without line ends", cycle(b"{1}                ")),
        ("digits", [b"* X {", &vec![b'1'; len][..], b"}\r\n"].concat()),
        ("sections", cycle(b"BODY[")),
        ("quoted sections", cycle(b"BODY[\"")),
        ("sections with quotes", cycle(b"BODY[\"]\"] ")),
        ("lists", cycle(b"(")),
        ("lists too deep and strings", cycle(b"(\"(\"")),
        ("closing", cycle(b")")),
        ("escapes", cycle(b"\"\\\\\\\"")),
        ("backslashes", cycle(b"\\")),
        ("tildes", cycle(b"~{")),
        ("literals", cycle(b"{1}\r\na")),
        ("literals behind a long word", {
            let word = vec![b'x'; len / 2];
            let literals: Vec<u8> = b"{1}\r\na".iter().copied().cycle().take(len / 12 * 6).collect();
            [b"* ", &word[..], b" ", &literals[..], b"\r\n"].concat()
        }),
        ("literals behind spaces", {
            let literals: Vec<u8> = b"{1}\r\na".iter().copied().cycle().take(len / 12 * 6).collect();
            [b"*", &vec![b' '; len / 2][..], b"X ", &literals[..], b"\r\n"].concat()
        }),
        ("literals behind a word that is the name", {
            let literals: Vec<u8> = b"{1}\r\na".iter().copied().cycle().take(len / 12 * 6).collect();
            [b"*", &vec![b'x'; len / 2][..], &literals[..], b"\r\n"].concat()
        }),
        ("strings that end in a brace", cycle(b"\"{1}\" ")),
        ("zeros", [&vec![0; len][..], b"* X\r\n"].concat()),
        ("spaces", [b"* X", &vec![b' '; len][..], b"\r\n"].concat()),
    ]
}

/// How many bytes framing and tokens looked at.
fn work(input: &[u8], piece: usize) -> (u64, u64) {
    let limits = Limits { inline: 0, ..Limits::default() };
    let mut decoder = Decoder::new(limits);
    LOOKED.set(0);
    for chunk in input.chunks(piece) {
        let mut chunk = chunk;
        while !chunk.is_empty() {
            let space = decoder.space();
            let n = space.len().min(chunk.len());
            space[..n].copy_from_slice(&chunk[..n]);
            decoder.received(n);
            chunk = &chunk[n..];
            while let Ok(Some(_)) = decoder.advance() {}
        }
    }
    (decoder.scanned(), LOOKED.get())
}

#[test]
fn framing_looks_at_most_twice_and_the_tokenizer_three_times_at_a_byte() {
    const LEN: usize = 60_000;
    for (name, input) in adversarial(LEN) {
        for piece in [1, 17, 1400, usize::MAX] {
            let (framing, tokens) = work(&input, piece);
            let received = input.len() as u64;
            assert!(framing <= 2 * received, "{name} in pieces of {piece}: {framing} of {received} framed");
            assert!(tokens <= 3 * received + 64, "{name} in pieces of {piece}: {tokens} of {received} tokenised");
        }
    }
}

#[test]
fn eight_times_the_size_is_eight_times_the_work() {
    for ((name, small), (_, large)) in adversarial(10_000).into_iter().zip(adversarial(80_000)) {
        let (framing, tokens) = work(&small, 1400);
        let (framing_large, tokens_large) = work(&large, 1400);
        assert!(framing_large <= framing * 9 + 1000, "{name}: {framing} and {framing_large}");
        assert!(tokens_large <= tokens * 9 + 1000, "{name}: {tokens} and {tokens_large}");
    }
}

/// Runs on a stack that any recursion over the depth would exhaust.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(64 << 10).spawn(test).expect("a thread");
    thread.join().expect("the stack suffices");
}

#[test]
fn a_hundred_thousand_parentheses_cost_no_stack() {
    const DEPTH: usize = 100_000;
    for shape in ["X ", "1 FETCH (ENVELOPE ", "1 FETCH (BODYSTRUCTURE ", "1 FETCH (FLAGS ", "1 FETCH (X-Y "] {
        for depth in [Limits::default().depth, u16::MAX] {
            for closed in [true, false] {
                on_a_small_stack(move || deep(shape, DEPTH, depth, closed));
            }
        }
    }
}

fn deep(shape: &str, depth: usize, limit: u16, closed: bool) {
    let closing = if closed { ")".repeat(depth + 1) } else { String::new() };
    let frame = format!("* {shape}{}{closing}\r\n", "(".repeat(depth));
    let mut decoder = Decoder::new(Limits { depth: limit, ..Limits::default() });
    let mut rest = frame.as_bytes();
    while decoder.advance().expect("it is framed").is_none() {
        let space = decoder.space();
        let n = space.len().min(rest.len());
        space[..n].copy_from_slice(&rest[..n]);
        decoder.received(n);
        rest = &rest[n..];
    }
    let kept = decoder.response().to_owned();
    let copy = kept.clone();
    drop(kept);
    let response = copy.get();
    assert!(!format!("{response:?} {:?}", response.values()).is_empty());
    let mut found = 0u16;
    let mut values = response.values();
    while let Some(value) = values.next() {
        let Some(inner) = value.list() else { continue };
        found += 1;
        values = inner;
    }
    assert!(found >= limit - 1, "{found} levels of {limit}");
    assert_eq!(response.damage().unbalanced, !closed || shape == "X ");
    if let Some(fetch) = response.as_fetch() {
        assert!(!format!("{:?}", fetch.attributes().collect::<Vec<_>>()).is_empty());
        if let Some(envelope) = fetch.envelope() {
            assert!(!format!("{envelope:?}").is_empty());
        }
        if let Some(structure) = fetch.body_structure() {
            let mut walk = structure.walk();
            while walk.advance().is_some() {}
        }
    }
}

#[test]
fn a_table_used_again_is_cleared() {
    let mut table = Vec::new();
    let limits = Limits::default();
    tokenize(b"a b (c d)", 0, &[], &limits, &mut table);
    assert!(tokenize(b"x", 0, &[], &limits, &mut table).is_none());
    assert_eq!(table.len(), 1);
}
