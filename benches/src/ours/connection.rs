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
    responses: Responses,
    look: fn(Response<'_>, &mut Touch),
    connection: Connection,
    is_first: bool,
}

/// What is done with responses before they are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Responses {
    /// Nothing. Long literals are streamed, and each piece is looked at as it comes.
    Borrowed,
    /// They are kept, with all their literals.
    Owned,
}

impl Connected {
    /// Hands each response to `look`.
    pub(super) fn new(
        name: &'static str,
        depth: Depth,
        responses: Responses,
        look: fn(Response<'_>, &mut Touch),
    ) -> Self {
        let mut config = Config::default();
        if responses == Responses::Owned {
            let whole = config.authenticated.response as u64;
            (config.authenticated.literal, config.authenticated.inline) = (whole, whole);
        }
        Connected { name, depth, responses, look, connection: fetching(config), is_first: false }
    }

    fn drain(&mut self, touch: &mut Touch) -> u64 {
        let is_owned = self.responses == Responses::Owned;
        let mut responses = 0;
        loop {
            // Matched where it is: to bind an event is to move it.
            match self.connection.poll_event() {
                None => break,
                Some(Event::Data { .. }) if is_owned => {}
                Some(Event::Data { response, .. }) => {
                    (self.look)(response, touch);
                    responses += 1;
                    continue;
                }
                Some(Event::BodyStart { .. }) => {
                    self.is_first = true;
                    continue;
                }
                Some(Event::Body { octets, .. }) => {
                    touch.piece(octets, std::mem::take(&mut self.is_first));
                    continue;
                }
                Some(Event::BodyEnd { .. }) => continue,
                Some(event) => panic!("no corpus makes {event:?}"),
            }
            (self.look)(self.connection.take_response().get(), touch);
            responses += 1;
        }
        responses
    }
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

fn fetching(config: Config) -> Connection {
    let mut connection = Connection::new(config);
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
