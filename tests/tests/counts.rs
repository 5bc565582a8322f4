//! What a client costs, counted: bytes looked at, allocations, octets of heap.
//!
//! One test, since the counts are those of the whole process.

use std::alloc::System;
use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cap::Cap;
use imap_proto_core::command::{Access, Command, Fetch, Noop, Search, Select};
use imap_proto_core::types::{FetchItems, MailboxName, Query, Section, Uid, UidSet};
use imap_proto_core::wire::{Decoder, Limits, OwnedResponse, Step};
use imap_proto_core::{Config, Connection, Event, Time};
use imap_tests::agreeing::Agreeing;
use imap_tokio::{Client, Connector, Notice, read_from};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream};

#[global_allocator]
static HEAP: Cap<&'static StatsAlloc<System>> = Cap::new(&INSTRUMENTED_SYSTEM, usize::MAX);

#[test]
fn all_costs_what_it_may() {
    no_byte_is_looked_for_more_than_twice();
    eight_times_the_size_is_eight_times_the_scanning();
    a_response_costs_no_allocation_unless_it_is_kept();
    an_event_costs_no_allocation();
    a_streamed_literal_costs_no_more_than_its_pieces();
    an_announcement_costs_nothing();
    a_kept_response_is_not_much_larger_than_its_bytes();
    an_idle_connection_is_small();
    a_client_in_idle_is_small_with_all_that_drives_it();
    a_message_is_sent_by_the_piece();
    a_kept_body_is_held_once();
    a_long_response_that_is_taken_is_held_once();
    a_buffer_is_moved_seldom();
}

/// Allocations, reallocations among them, while `f` runs.
fn allocations(f: impl FnOnce()) -> usize {
    let before = INSTRUMENTED_SYSTEM.stats();
    f();
    let after = INSTRUMENTED_SYSTEM.stats();
    after.allocations + after.reallocations - before.allocations - before.reallocations
}

/// The most octets that are live while `f` runs, beyond those that were before.
fn peak(f: impl FnOnce()) -> usize {
    // The mark only rises: memory that is reserved and never touched lifts what is live up to it.
    let ballast = Vec::<u8>::with_capacity(HEAP.max_allocated() - HEAP.allocated());
    let before = HEAP.max_allocated();
    f();
    let peak = HEAP.max_allocated() - before;
    drop(black_box(ballast));
    peak
}

/// Octets that `f` leaves live.
fn retained<T>(f: impl FnOnce() -> T) -> (T, usize) {
    let before = HEAP.allocated();
    let value = f();
    let after = HEAP.allocated();
    (value, after.saturating_sub(before))
}

fn feed(decoder: &mut Decoder, bytes: &[u8], chunk: usize, mut take: impl FnMut(&Decoder, Step)) {
    for mut chunk in bytes.chunks(chunk) {
        while !chunk.is_empty() {
            let space = decoder.space();
            let n = space.len().min(chunk.len());
            space[..n].copy_from_slice(&chunk[..n]);
            decoder.received(n);
            chunk = &chunk[n..];
            while let Some(step) = decoder.advance().expect("it is framed") {
                take(decoder, step);
            }
        }
    }
}

fn hostile(len: usize) -> Vec<(&'static str, Vec<u8>)> {
    let cycle = |unit: &[u8]| -> Vec<u8> {
        let units: Vec<u8> = unit.iter().copied().cycle().take(len / unit.len() * unit.len()).collect();
        [b"* 1 FETCH (", &units[..], b")\r\n"].concat()
    };
    let long_word = [b"* ", &vec![b'x'; len / 2][..], &b" {1}\r\na".repeat(len / 14), b"\r\n"].concat();
    vec![
        ("many small literals", cycle(b"{1}\r\na ")),
        ("strings that end in a brace", cycle(b"\"x {1}\" ")),
        ("lines that end in a brace in quotes", b"* X \"{1}\"\r\n".repeat(len / 11)),
        ("one long line", cycle(b"x")),
        ("many short lines", b"* 1 EXISTS\r\n".repeat(len / 12)),
        ("literals behind a long word", long_word),
        ("bodies", bodies(len)),
        ("leading NULs", [&vec![0; len][..], b"* X\r\n"].concat()),
    ]
}

fn bodies(len: usize) -> Vec<u8> {
    let body = [b" BODY[] {20000}\r\n", &[b'{'; 20_000][..]].concat();
    [b"* 1 FETCH (UID 1", &body.repeat(len / 20_000 + 1)[..], b")\r\n"].concat()
}

fn no_byte_is_looked_for_more_than_twice() {
    for (name, bytes) in hostile(200_000) {
        for chunk in [1, 17, 1400, usize::MAX] {
            let mut decoder = Decoder::new(Limits::default());
            feed(&mut decoder, &bytes, chunk, |_, _| {});
            let ratio = decoder.scanned() as f64 / bytes.len() as f64;
            println!("scanned per byte received: {ratio:.2}  {name}, chunks of {chunk}");
            assert!(ratio <= 2.0, "{name} in chunks of {chunk}: {ratio}");
            assert!(decoder.is_between_responses());
        }
    }
}

fn eight_times_the_size_is_eight_times_the_scanning() {
    let scanned = |bytes: &[u8]| {
        let mut decoder = Decoder::new(Limits::default());
        feed(&mut decoder, bytes, 1400, |_, _| {});
        decoder.scanned() as f64
    };
    for ((name, small), (_, large)) in hostile(50_000).into_iter().zip(hostile(400_000)) {
        let ratio = scanned(&large) / scanned(&small) / (large.len() as f64 / small.len() as f64);
        println!("scanning when the size grows eightfold: {ratio:.2} times linear  {name}");
        assert!(ratio <= 1.1, "{name}: {ratio}");
    }
}

/// Lines in the shape of Dovecot's.
fn lines(shape: &str) -> Vec<Vec<u8>> {
    (1..=200u32).map(|n| line(shape, n).into_bytes()).collect()
}

fn line(shape: &str, n: u32) -> String {
    let flags = format!("UID {n} MODSEQ ({}) FLAGS (\\Seen \\Answered $Forwarded)", n + 1000);
    let address = format!("((\"Person {n}\" NIL \"person.{n}\" \"example.org\"))");
    let envelope = format!(
        "ENVELOPE (\"Tue, 3 Jun 2025 10:{:02}:00 +0200\" \"Re: minutes of meeting no. {n}\" {address} {address} {address} \
         ((NIL NIL \"list\" \"example.net\")) NIL NIL \"<{n}.abc@example.org>\" \"<{n}.def@mail.example.org>\")",
        n % 60
    );
    let text = |subtype: &str| {
        format!(
            "(\"text\" \"{subtype}\" (\"charset\" \"utf-8\") NIL NIL \"quoted-printable\" {} {n} NIL NIL NIL NIL)",
            n * 40
        )
    };
    let structure = format!(
        "BODYSTRUCTURE (({}{} \"alternative\" (\"boundary\" \"b1_{n}\") NIL NIL NIL)(\"application\" \"pdf\" (\"name\" \
         \"report {n}.pdf\") NIL NIL \"base64\" {} NIL (\"attachment\" (\"filename\" \"report {n}.pdf\")) NIL NIL) \"mixed\" \
         (\"boundary\" \"b2_{n}\") NIL NIL NIL)",
        text("plain"),
        text("html"),
        n * 1000
    );
    match shape {
        "FLAGS" => format!("* {n} FETCH ({flags})\r\n"),
        "ENVELOPE" => format!("* {n} FETCH ({flags} {envelope})\r\n"),
        "BODYSTRUCTURE" => format!("* {n} FETCH (UID {n} {structure})\r\n"),
        "literal" => format!("* {n} FETCH (UID {n} BODY[HEADER] {{20}}\r\nSubject: {:09}\r\n)\r\n", n),
        _ => format!("* {n} FETCH (UID {n} BODY[] {{20000}}\r\n{})\r\n", "x".repeat(20_000)),
    }
}

/// How many times what is measured was received before, so that the buffer has its size.
const WARM: usize = 8;

fn a_response_costs_no_allocation_unless_it_is_kept() {
    for (shape, most_kept) in [("FLAGS", 1), ("ENVELOPE", 1), ("BODYSTRUCTURE", 1), ("literal", 1), ("streamed", 2)] {
        let bytes = lines(shape).concat();
        let mut decoder = Decoder::new(Limits::default());
        feed(&mut decoder, &bytes.repeat(WARM), 16 << 10, |_, _| {});
        let borrowed = allocations(|| {
            feed(&mut decoder, &bytes, 16 << 10, |decoder, step| {
                if step == Step::Response {
                    let fetch = decoder.response().as_fetch().expect("a FETCH");
                    black_box((fetch.uid(), fetch.flags(), fetch.envelope(), fetch.body_structure()));
                }
            });
        });
        let mut responses = 0;
        let kept = allocations(|| {
            feed(&mut decoder, &bytes, 16 << 10, |decoder, step| {
                if step == Step::Response {
                    responses += 1;
                    black_box(decoder.response().to_owned());
                }
            });
        });
        println!("allocations for {responses} responses: {borrowed} borrowed, {kept} kept  {shape}");
        assert_eq!(responses, 200);
        assert_eq!(borrowed, 0, "{shape}");
        assert!(kept <= most_kept * responses, "{shape}: {kept}");
    }
}

fn connected(config: Config) -> Connection {
    let mut connection = Connection::new(config);
    say(&mut connection, b"* PREAUTH [CAPABILITY IMAP4rev1 IDLE LITERAL+ CONDSTORE] ready\r\n", |_| {});
    submit(&mut connection, Select::new(MailboxName::inbox(), Access::ReadWrite));
    say(&mut connection, b"* 9 EXISTS\r\nA0 OK [READ-WRITE] selected\r\n", |_| {});
    connection
}

fn submit(connection: &mut Connection, command: impl Command) {
    connection.submit(command.request().expect("it has a wire form"), Time::ZERO).expect("it is open");
    transmit(connection);
}

fn transmit(connection: &mut Connection) {
    let n = connection.transmit().map(<[u8]>::len).sum();
    connection.transmitted(n, Time::ZERO);
}

fn say(connection: &mut Connection, mut bytes: &[u8], mut take: impl FnMut(Event<'_>)) {
    while !bytes.is_empty() {
        let space = connection.receive_space();
        let n = space.len().min(bytes.len()).min(16 << 10);
        space[..n].copy_from_slice(&bytes[..n]);
        connection.received(n, Time::ZERO);
        bytes = &bytes[n..];
        while let Some(event) = connection.poll_event() {
            take(event);
        }
    }
}

fn an_event_costs_no_allocation() {
    let items =
        || FetchItems::summary().body_structure().mod_seq().section(Section::whole()).section(Section::header());
    for shape in ["FLAGS", "ENVELOPE", "BODYSTRUCTURE", "literal", "streamed"] {
        let bytes = lines(shape).concat();
        let mut connection = connected(Config::default());
        submit(&mut connection, Fetch::new(UidSet::all(), items()));
        say(&mut connection, &bytes.repeat(WARM), |_| {});
        let mut events = 0;
        let found = allocations(|| {
            say(&mut connection, &bytes, |event| {
                if let Event::Data { id, .. } = event {
                    assert!(id.is_some());
                    events += 1;
                }
            });
        });
        println!("allocations for {events} events: {found}  {shape}");
        assert_eq!((events, found), (200, 0), "{shape}");
    }
}

fn a_streamed_literal_costs_no_more_than_its_pieces() {
    const LEN: usize = 25 << 20;
    let chunk = [b'x'; 16 << 10];
    let mut octets = 0;
    let found = peak(|| {
        let mut decoder = Decoder::new(Limits::default());
        let count = |decoder: &Decoder, step: Step| {
            if step == Step::Body {
                octets += decoder.octets().len();
            }
        };
        let mut count = count;
        feed(&mut decoder, format!("* 1 FETCH (UID 1 BODY[] {{{LEN}}}\r\n").as_bytes(), usize::MAX, &mut count);
        for _ in 0..LEN / chunk.len() {
            feed(&mut decoder, &chunk, usize::MAX, &mut count);
        }
        feed(&mut decoder, b")\r\n", usize::MAX, &mut count);
        assert!(decoder.is_between_responses());
    });
    assert_eq!(octets, LEN);
    println!("peak heap of a streamed literal of 25 MiB: {found}");
    assert!(found <= 64 << 10, "{found}");
}

fn an_announcement_costs_nothing() {
    for announced in ["* 1 FETCH (BODY[] {500000000}\r\n", "* LIST () \"/\" {500000000}\r\n"] {
        let found = peak(|| {
            let mut decoder = Decoder::new(Limits::default());
            feed(&mut decoder, announced.as_bytes(), usize::MAX, |_, _| {});
            black_box(decoder.space().len());
            feed(&mut decoder, &[b'x'; 1000], usize::MAX, |_, _| {});
        });
        println!("peak heap after 500 MB were announced: {found}  {}", announced.trim());
        assert!(found < 64 << 10, "{found}");
    }
}

fn a_kept_response_is_not_much_larger_than_its_bytes() {
    for shape in ["FLAGS", "ENVELOPE", "BODYSTRUCTURE"] {
        let lines = lines(shape);
        let bytes = lines.concat();
        let mut decoder = Decoder::new(Limits::default());
        let mut kept: Vec<OwnedResponse> = Vec::with_capacity(lines.len());
        feed(&mut decoder, &bytes, 1400, |_, _| {});
        let ((), found) = retained(|| {
            feed(&mut decoder, &bytes, 1400, |decoder, _| kept.push(decoder.response().to_owned()));
        });
        let found = found + size_of::<OwnedResponse>() * kept.len();
        let wire = bytes.len() as f64 / kept.len() as f64;
        let each = found as f64 / kept.len() as f64;
        println!("a kept response of {wire:.0} bytes: {each:.0}, which is {:.2} times  {shape}", each / wire);
        assert_eq!(kept.len(), lines.len());
        assert!(each <= 2.5 * wire + 128.0, "{shape}: {each} for {wire}");
    }
}

fn an_idle_connection_is_small() {
    let (connection, found) = retained(|| {
        let mut connection = connected(Config::default());
        for _ in 0..500 {
            connection.submit(Noop.request().expect("NOOP"), Time::ZERO).expect("it is open");
        }
        submit(&mut connection, Fetch::new(UidSet::all(), FetchItems::summary().section(Section::whole())));
        submit(&mut connection, Search::new(Query::all()));
        let mut said = ["ENVELOPE", "BODYSTRUCTURE", "streamed"].map(|shape| lines(shape).concat()).concat();
        said.extend(b"* 1 FETCH (FLAGS (");
        said.extend(b"x ".repeat(100_000));
        said.extend(b"))\r\n* LIST () \"/\" {9999999}\r\n");
        said.extend(vec![b'x'; 9_999_999]);
        said.extend(b"\r\n* SEARCH");
        said.extend(b" 123456".repeat(100_000));
        said.extend(b"\r\n");
        say(&mut connection, &said, |_| {});
        let mut tagged = String::new();
        for tag in 1..=502 {
            let _ = write!(tagged, "A{tag} OK done\r\n");
            if tag % 50 == 0 {
                say(&mut connection, std::mem::take(&mut tagged).as_bytes(), |_| {});
                transmit(&mut connection);
            }
        }
        say(&mut connection, tagged.as_bytes(), |_| {});
        transmit(&mut connection);
        assert!(connection.is_settled());
        submit(&mut connection, imap_proto_core::command::Idle);
        say(&mut connection, b"+ idling\r\n* 10 EXISTS\r\n", |_| {});
        black_box(connection.receive_space().len());
        connection
    });
    let all = found + size_of_val(&connection);
    println!(
        "an idle connection after activity: {all}, of which {} are the value itself (goal: 4096)",
        size_of_val(&connection)
    );
    assert!(all <= 8 << 10, "{all}");
}

/// Core, driver, its task, handles and a task that listens, over a stream whose own memory is measured apart.
///
fn a_client_in_idle_is_small_with_all_that_drives_it() {
    const CLIENTS: usize = 200;
    const MOST: usize = 4 << 10;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let (streams, bare) = retained(|| (0..CLIENTS).map(|_| Agreeing::new(1)).collect::<Vec<_>>());
    let idle = Arc::new(AtomicUsize::new(0));
    let ((), found) = retained(|| {
        runtime.block_on(async {
            for stream in streams {
                let inbox = over(stream).await.select("INBOX").await.expect("it agrees");
                let (mut watch, idle) = (inbox.watch(), idle.clone());
                tokio::spawn(async move {
                    while let Ok(Some(Notice::Idling)) = watch.try_next().await {
                        idle.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            while idle.load(Ordering::Relaxed) < CLIENTS {
                tokio::task::yield_now().await;
            }
        });
    });
    let each = found / CLIENTS;
    println!("a client in IDLE: {each}, its stream {} besides", bare / CLIENTS);
    assert!(each <= MOST, "{each}");
}

fn a_message_is_sent_by_the_piece() {
    const LEN: u64 = 64 << 20;
    const MOST: usize = 256 << 10;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let stream = Agreeing::new(0);
        let counts = stream.counts();
        let client = over(stream).await;
        let ballast = Vec::<u8>::with_capacity(HEAP.max_allocated() - HEAP.allocated());
        let before = HEAP.max_allocated();
        client.append_from("INBOX", LEN, read_from(tokio::io::repeat(b'x')), |append| append).await.expect("it agrees");
        let found = HEAP.max_allocated() - before;
        drop(black_box(ballast));
        println!("peak heap of a message of 64 MiB that is sent: {found}");
        assert!(counts.octets() > LEN);
        assert!(found <= MOST, "{found}");
    });
}

/// A `realloc` counts for what it adds, as where the system moves pages.
fn a_kept_body_is_held_once() {
    const LEN: usize = 25 << 20;
    const CHUNK: &[u8] = &[b'x'; 16 << 10];
    for chunk in [CHUNK, &CHUNK[..1400]] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let found = runtime.block_on(async {
            let (stream, server) = tokio::io::duplex(CHUNK.len());
            tokio::spawn(give_one_body(server, LEN, chunk));
            let inbox = over(stream).await.select("INBOX").await.expect("it is selected");
            let ballast = Vec::<u8>::with_capacity(HEAP.max_allocated() - HEAP.allocated());
            let before = HEAP.max_allocated();
            let items = FetchItems::ids().section(Section::whole());
            let messages = inbox.fetch(UidSet::from(Uid::MIN), items).collect().await.expect("it is there");
            let found = HEAP.max_allocated() - before;
            drop(black_box(ballast));
            assert_eq!(messages[0].section("").map(|body| body.len()), Some(LEN));
            found
        });
        let ratio = found as f64 / LEN as f64;
        println!("peak heap of a body of 25 MiB that is kept: {ratio:.3} times, in chunks of {}", chunk.len());
        assert!(ratio <= 1.05, "{ratio}");
    }
}

fn a_long_response_that_is_taken_is_held_once() {
    const LEN: usize = 25 << 20;
    const CHUNK: &[u8] = &[b'x'; 16 << 10];
    for (shape, chunk) in [("BODY[]", CHUNK), ("BODY[]", &CHUNK[..1400]), ("one line", CHUNK)] {
        let mut limits = Limits::default();
        (limits.literal, limits.inline) = (32 << 20, 32 << 20);
        let mut decoder = Decoder::new(limits);
        let start = if shape == "BODY[]" { format!("* 1 FETCH (BODY[] {{{LEN}}}\r\n") } else { "* X (\"".to_string() };
        let end = if shape == "BODY[]" { ")\r\n" } else { "\")\r\n" };
        let mut taken = None;
        let found = peak(|| {
            feed(&mut decoder, start.as_bytes(), usize::MAX, |_, _| {});
            for from in (0..LEN).step_by(chunk.len()) {
                feed(&mut decoder, &chunk[..chunk.len().min(LEN - from)], usize::MAX, |_, _| {});
            }
            decoder.space()[..end.len()].copy_from_slice(end.as_bytes());
            decoder.received(end.len());
            assert_eq!(decoder.advance(), Ok(Some(Step::Response)));
            taken = Some(decoder.take_response());
        });
        let value = taken.as_ref().and_then(|kept| kept.get().first()?.list()?.last()?.text());
        assert_eq!(value.map(|text| text.as_raw().len()), Some(LEN));
        let ratio = found as f64 / LEN as f64;
        println!(
            "peak heap of a response of 25 MiB that is taken: {ratio:.3} times, {shape} in chunks of {}",
            chunk.len()
        );
        // How long a line will be nobody announces: its buffer is doubled.
        assert!(ratio <= if shape == "BODY[]" { 1.05 } else { 2.0 }, "{ratio}");
    }
}

/// Where a read ends in a literal, what the literal needs is known; that must not make it grow by little each time.
fn a_buffer_is_moved_seldom() {
    let literal = [&b" {60000}\r\n"[..], &[b'x'; 60_000]].concat();
    let mut decoder = Decoder::new(Limits::default());
    let found = allocations(|| {
        feed(&mut decoder, b"* X (", usize::MAX, |_, _| {});
        for _ in 0..500 {
            feed(&mut decoder, &literal, 16 << 10, |_, _| {});
        }
    });
    assert_eq!(decoder.buffered(), 5 + 500 * literal.len());
    println!("allocations for a response of 30 MB with 500 literals: {found}");
    assert!(found <= 32, "{found}");
}

/// A server that has one message.
async fn give_one_body(stream: DuplexStream, len: usize, chunk: &[u8]) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n").await?;
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        let (tag, command) = line.split_once(' ').expect("a tag");
        if command.starts_with("SELECT") {
            stream.write_all(b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1] valid\r\n").await?;
        } else if command.starts_with("UID FETCH") {
            stream.write_all(format!("* 1 FETCH (UID 1 BODY[] {{{len}}}\r\n").as_bytes()).await?;
            let mut left = len;
            while left > 0 {
                let now = left.min(chunk.len());
                stream.write_all(&chunk[..now]).await?;
                left -= now;
            }
            stream.write_all(b")\r\n").await?;
        }
        stream.write_all(format!("{tag} OK done\r\n").as_bytes()).await?;
        line.clear();
    }
    Ok(())
}

async fn over(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Client {
    let (client, driver) = Connector::new("localhost").plaintext().open_over(stream).await.expect("it agrees");
    tokio::spawn(driver);
    client
}
