//! A connection, a server that says what it is told to, and what left.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::kinds::Until;
use crate::command::Request;
use crate::config::{Config, Time};
use crate::connection::order::{Turn, Why, turn};
use crate::connection::{CommandId, Connection, Event};
use crate::error::{Error, Fate};

/// A connection with its bytes.
pub(super) struct Wire {
    pub(super) connection: Connection,
    /// How many octets are to be fed, and to whom.
    wanted: Option<(CommandId, u64)>,
    challenged: bool,
    /// Those that failed without a byte.
    pub(super) unsent: BTreeSet<CommandId>,
    pub(super) errors: BTreeMap<CommandId, Error>,
}

impl Wire {
    pub(super) fn new(greeting: &str) -> Self {
        let connection = Connection::new(Config::default());
        let (unsent, errors) = (BTreeSet::new(), BTreeMap::new());
        let mut wire = Wire { connection, wanted: None, challenged: false, unsent, errors };
        wire.says(greeting);
        wire.leave();
        wire
    }

    pub(super) fn submit(&mut self, request: &Request) -> Result<CommandId, Error> {
        self.connection.submit(request.clone(), Time::ZERO)
    }

    /// What would leave with the next write, before it is compressed.
    pub(super) fn waiting(&self) -> String {
        let bytes: Vec<u8> = self.connection.outbox.slices().flatten().copied().collect();
        String::from_utf8(bytes).expect("it is text")
    }

    /// Lets all leave that may, and hears all events.
    pub(super) fn leave(&mut self) -> String {
        let mut left = String::new();
        loop {
            let waiting = self.waiting();
            if !waiting.is_empty() {
                let n = self.connection.transmit().map(<[u8]>::len).sum();
                self.connection.transmitted(n, Time::ZERO);
                left += &waiting;
            }
            let mut is_over = false;
            match self.connection.poll_event() {
                None => is_over = true,
                Some(Event::WantsBody { id, max }) => self.wanted = Some((id, max)),
                Some(Event::Challenge { .. }) => self.challenged = true,
                Some(Event::Failed { id, error, fate }) => {
                    self.errors.insert(id, error);
                    if matches!(fate, Fate::NotSent) {
                        self.unsent.insert(id);
                    }
                }
                _ => {}
            }
            if is_over && self.waiting().is_empty() {
                return left;
            }
        }
    }

    pub(super) fn says(&mut self, bytes: &str) {
        self.connection.receive_space()[..bytes.len()].copy_from_slice(bytes.as_bytes());
        self.connection.received(bytes.len(), Time::ZERO);
    }

    pub(super) fn bring(&mut self, id: CommandId, until: Until) {
        if until == Until::Submitted {
            return;
        }
        self.leave();
        self.says("+ \r\n");
        self.leave();
        if until == Until::Done {
            let renewal = self.connection.poll_timeout().expect("it is renewed");
            self.connection.handle_timeout(renewal);
            assert_eq!(self.waiting(), "DONE\r\n", "{id:?}");
        }
    }

    /// Does what an unfinished command waits for.
    pub(super) fn go_on(&mut self, id: CommandId) -> String {
        if let Some((wanting, octets)) = self.wanted.take() {
            let octets = Bytes::from(alloc::vec![b'x'; usize::try_from(octets).expect("it is short")]);
            self.connection.feed(wanting, octets).expect("they are wanted");
        } else if core::mem::take(&mut self.challenged) {
            self.connection.answer(id, &"secret".into(), Time::ZERO);
        } else {
            self.says("+ \r\n");
        }
        self.leave()
    }

    /// Why the next command waits.
    pub(super) fn why(&self) -> Option<Why> {
        let in_flight = &self.connection.in_flight;
        match turn(in_flight.next_queued()?, in_flight, &self.connection.circumstances()) {
            Turn::Later(why) => Some(why),
            turn => panic!("it may leave: {turn:?}"),
        }
    }
}
