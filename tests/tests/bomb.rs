//! A compression bomb, and the heap of the whole process while it goes off.
//!
//! One test, since the allocator counts for all of them.

use std::alloc::System;
use std::time::Duration;

use cap::Cap;
use imap_proto_core::command::{Access, Command, Compress, Fetch, Select};
use imap_proto_core::types::{FetchItems, Section, UidSet};
use imap_proto_core::{CommandId, Config, Connection, Error, Event, Limit};
use miniz_oxide::MZFlush;
use miniz_oxide::deflate::core::{CompressorOxide, create_comp_flags_from_zip_params};
use miniz_oxide::deflate::stream::deflate;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

const NOW: Duration = Duration::ZERO;
/// What is inflated: a gigabyte.
const LEN: usize = 1 << 30;
/// In pieces of so much, each of which is the same on the wire once the window is full of it.
const PIECE: usize = 128 << 10;
/// The transforms of both directions, which a connection holds as long as it is compressed.
const MOST_TRANSFORM: usize = 380 << 10;
/// The test harness, and what makes the bomb or what it goes off in.
const MOST: usize = 1 << 20;

/// The answer to a SELECT, then the body that announces a gigabyte, then again and again what is a piece of it.
struct Bomb {
    selected: Vec<u8>,
    begin: Vec<u8>,
    piece: Vec<u8>,
}

impl Bomb {
    fn new() -> Self {
        let mut deflater = Box::new(CompressorOxide::new(create_comp_flags_from_zip_params(9, -15, 0)));
        let mut flushed = |text: &[u8]| {
            let mut out = vec![0; 4096];
            let result = deflate(&mut deflater, text, &mut out, MZFlush::Sync);
            assert_eq!(result.bytes_consumed, text.len());
            out.truncate(result.bytes_written);
            out
        };
        let octets = vec![b'a'; PIECE];
        let selected = flushed(b"A1 OK in\r\n");
        let mut begin = flushed(format!("* 1 FETCH (UID 1 BODY[] {{{LEN}}}\r\n").as_bytes());
        begin.extend(flushed(&octets));
        Bomb { selected, begin, piece: flushed(&octets) }
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&self.begin[..]).chain(std::iter::repeat_n(&self.piece[..], LEN / PIECE - 1))
    }
}

fn read(connection: &mut Connection, mut bytes: &[u8], mut poll: impl FnMut(&mut Connection)) {
    while !bytes.is_empty() {
        let space = connection.receive_space();
        let n = bytes.len().min(space.len());
        space[..n].copy_from_slice(&bytes[..n]);
        if n > 0 {
            connection.received(n, NOW);
        }
        bytes = &bytes[n..];
        poll(connection);
    }
}

fn submit(connection: &mut Connection, command: &impl Command) -> CommandId {
    let id = connection.submit(command.request().expect("a request"), NOW).expect("it is open");
    leave(connection);
    id
}

fn leave(connection: &mut Connection) {
    while !connection.is_quiet() {
        let n = connection.transmit().map(<[u8]>::len).sum();
        connection.transmitted(n, NOW);
    }
}

/// A compressed connection on which a body is asked for.
fn begin(bomb: &Bomb) -> (Connection, CommandId) {
    let mut connection = Connection::new(Config::default());
    let skip = |connection: &mut Connection| while connection.poll_event().is_some() {};
    read(&mut connection, b"* PREAUTH [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] hi\r\n", skip);
    submit(&mut connection, &Compress);
    let before = HEAP.allocated();
    read(&mut connection, b"A0 OK\r\n", skip);
    let transform = HEAP.allocated() - before;
    assert!(connection.view().is_compressed() && transform <= MOST_TRANSFORM, "{transform}");
    submit(&mut connection, &Select::new("INBOX", Access::ReadOnly));
    read(&mut connection, &bomb.selected, skip);
    let fetch = submit(&mut connection, &Fetch::new(UidSet::all(), FetchItems::ids().section(Section::whole())));
    (connection, fetch)
}

/// How many octets of the body there are in what the server sends.
fn inflated<'a>(bomb: &Bomb, pieces: impl Iterator<Item = &'a [u8]>) -> usize {
    let (mut connection, _) = begin(bomb);
    let mut octets = 0;
    for piece in pieces {
        read(&mut connection, piece, |connection| {
            while let Some(event) = connection.poll_event() {
                match event {
                    Event::Body { octets: some, .. } => octets += some.len(),
                    Event::Closed(error) => panic!("{error}"),
                    _ => {}
                }
            }
        });
    }
    octets
}

#[test]
fn a_megabyte_that_inflates_to_a_gigabyte_is_read_in_constant_memory_and_counts_as_a_gigabyte() {
    let bomb = Bomb::new();
    let wire: usize = bomb.pieces().map(<[u8]>::len).sum();
    assert!(wire < 2 << 20, "{wire} octets");

    assert_eq!(inflated(&bomb, bomb.pieces()), LEN);
    assert_eq!(inflated(&bomb, bomb.pieces().flat_map(|piece| piece.chunks(1))), LEN, "an octet at a time");
    let few = [&bomb.begin[..], &bomb.piece].concat();
    for offset in 1..few.len() {
        let (first, second) = few.split_at(offset);
        assert_eq!(inflated(&bomb, [first, second].into_iter()), PIECE * 2, "split at {offset}");
    }

    // Nobody wants it any more: what is read over is what was inflated.
    let (mut connection, fetch) = begin(&bomb);
    connection.abandon(fetch, NOW);
    let (mut end, mut used) = (None, 0);
    for piece in bomb.pieces() {
        read(&mut connection, piece, |connection| {
            while let Some(event) = connection.poll_event() {
                if let Event::Closed(error) = event {
                    end = Some(error);
                }
            }
        });
        used += piece.len();
        if end.is_some() {
            break;
        }
    }
    assert!(matches!(end, Some(Error::Limit(Limit::DrainBytes { .. }))), "{end:?}");
    // A gigabyte that is announced is too much at once.
    assert!(used < 10_000, "{used}");
    println!("{} octets of heap at most", HEAP.max_allocated());
    assert!(HEAP.max_allocated() < MOST, "{}", HEAP.max_allocated());
}
