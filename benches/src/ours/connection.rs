//! The whole connection: a FETCH under way claims what comes, limits and events are on.

use imap_proto_core::command::{Access, Command, Fetch, Select};
use imap_proto_core::types::{FetchItems, MailboxName, Section, UidSet};
use imap_proto_core::wire::Response;
use imap_proto_core::{Config, Connection, Event, Time};

use crate::contender::{Contender, Counted, Depth, Touch};

/// A connection with a mailbox selected and `UID FETCH 1:*` sent, for all runs.
pub(super) struct Connected {
    name: &'static str,
    depth: Depth,
    bodies: Bodies,
    consume: fn(Response<'_>, &mut Touch),
    connection: Connection,
    /// The streamed literal under way, as far as it is kept.
    body: Vec<u8>,
    /// How long it will be, as the server says.
    announced: usize,
    is_first: bool,
}

/// What is done with literals that are streamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bodies {
    /// Each piece is looked at as it comes.
    Streamed,
    /// They are put together.
    Kept,
}

impl Connected {
    /// Hands each response to `consume`.
    pub(super) fn new(name: &'static str, depth: Depth, bodies: Bodies, consume: fn(Response<'_>, &mut Touch)) -> Self {
        let connection = fetching();
        Connected { name, depth, bodies, consume, connection, body: Vec::new(), announced: 0, is_first: false }
    }

    fn drain(&mut self, touch: &mut Touch) -> u64 {
        let mut responses = 0;
        loop {
            // Matched where it is: to bind an event is to move it.
            match self.connection.poll_event() {
                None => break,
                Some(Event::Data { response, .. }) => {
                    (self.consume)(response, touch);
                    responses += 1;
                }
                Some(Event::BodyStart { len, .. }) => {
                    self.is_first = true;
                    self.announced = usize::try_from(len).unwrap_or(usize::MAX);
                }
                Some(Event::Body { octets, .. }) if self.bodies == Bodies::Streamed => {
                    touch.piece(octets, std::mem::take(&mut self.is_first));
                }
                Some(Event::Body { octets, .. }) => keep(&mut self.body, octets, self.announced),
                Some(Event::BodyEnd { .. }) if self.bodies == Bodies::Kept => {
                    touch.literal(&std::mem::take(&mut self.body))
                }
                Some(Event::BodyEnd { .. }) => {}
                Some(event) => panic!("no corpus makes {event:?}"),
            }
        }
        responses
    }
}

/// Makes room for twice of what came, and for no more than was announced.
fn keep(body: &mut Vec<u8>, octets: &[u8], announced: usize) {
    let came = body.len() + octets.len();
    if came > body.capacity() {
        let room = came.saturating_mul(2).min(announced).max(came);
        body.reserve_exact(room - body.len());
    }
    body.extend_from_slice(octets);
}

impl Contender for Connected {
    fn name(&self) -> &'static str {
        self.name
    }

    fn depth(&self) -> Depth {
        self.depth
    }

    fn run(&mut self, bytes: &[u8], chunk: usize) -> Counted {
        let mut touch = Touch::default();
        let mut responses = 0;
        for chunk in bytes.chunks(chunk) {
            let mut rest = chunk;
            while !rest.is_empty() {
                rest = receive(&mut self.connection, rest);
                responses += self.drain(&mut touch);
            }
        }
        Counted { responses, touched: touch.0 }
    }
}

/// Copies what fits, as a read would; what is left over comes back.
fn receive<'a>(connection: &mut Connection, bytes: &'a [u8]) -> &'a [u8] {
    let space = connection.receive_space();
    let (now, later) = bytes.split_at(bytes.len().min(space.len()));
    space[..now.len()].copy_from_slice(now);
    connection.received(now.len(), Time::ZERO);
    later
}

fn fetching() -> Connection {
    let mut connection = Connection::new(Config::default());
    exchange(&mut connection, b"* PREAUTH ready\r\n");
    let inbox = Select::new(MailboxName::inbox(), Access::ReadOnly);
    submit(&mut connection, &inbox);
    exchange(&mut connection, b"* 20000 EXISTS\r\nA0 OK [READ-ONLY] done\r\n");
    let items = FetchItems::ids().flags().mod_seq().envelope().body_structure();
    let fields = Section::header_fields(["FROM", "TO", "SUBJECT", "DATE"]).expect("names of header fields");
    let items = items.section(Section::header()).section(fields).section(Section::whole());
    submit(&mut connection, &Fetch::new(UidSet::all(), items));
    connection
}

fn submit(connection: &mut Connection, command: &impl Command) {
    let request = command.request().expect("a command with a wire form");
    connection.submit(request, Time::ZERO).expect("a connection that is open");
    let sent = connection.transmit().map(<[u8]>::len).sum();
    connection.transmitted(sent, Time::ZERO);
    assert!(connection.poll_event().is_none(), "nothing was received");
}

fn exchange(connection: &mut Connection, line: &[u8]) {
    assert!(receive(connection, line).is_empty(), "a line that fits");
    while connection.poll_event().is_some() {}
}
