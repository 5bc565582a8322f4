//! The connection as a state machine: [`Connection`] is its face.
//!
//! Quirks are cited by their numbers in `docs/quirks.md`.

mod abandon;
#[cfg(test)]
mod chunking;
mod claimed;
mod compress;
mod enabled;
mod event;
mod handshake;
mod in_flight;
mod log;
mod order;
mod outbox;
#[cfg(test)]
mod pairs;
mod receive;
mod route;
mod send;
mod timer;
mod view;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::time::Duration;

use bytes::Bytes;

pub use event::Event;
pub use handshake::{Handshake, Security, Want};
pub use view::{Selected, SessionState, View};

use crate::command::{Clock, Effect, Request};
use crate::config::{Config, Time};
use crate::error::{Closed, Error, Fate, Misuse, Phase};
use crate::wire::{Decoder, OwnedResponse};
use in_flight::{InFlight, Stage};
use outbox::Outbox;

/// A command on its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(u32);

impl CommandId {
    /// How many were submitted since `first`, which is older. Numbers begin again after the highest.
    pub(crate) fn since(self, first: CommandId) -> u32 {
        self.0.wrapping_sub(first.0)
    }
}

/// One IMAP connection: bytes in and events out, commands in and bytes out. No IO, no clock.
///
/// * **Wire**: read into [`receive_space`](Self::receive_space) and say so with [`received`](Self::received);
///   write what [`transmit`](Self::transmit) lends and say so with [`transmitted`](Self::transmitted), before
///   anything else is called.
/// * **Commands**: [`submit`](Self::submit) them, [`feed`](Self::feed) them when the server wants a body,
///   [`answer`](Self::answer) its challenges, [`abandon`](Self::abandon) them when nobody waits any more.
/// * **Events**: [`poll_event`](Self::poll_event) until it has none, after each of the above. They are made on
///   demand from the receive buffer: whoever stops polling stops reading.
/// * **Time**: call [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) is reached.
/// * **Queries**: [`view`](Self::view), [`health`](Self::health), [`would_drop`](Self::would_drop).
///
/// The order in a loop: write, poll events, read, poll events, sleep until the timeout. An error that ends
/// the connection is sticky: every command ends with it, then comes [`Event::Closed`].
///
/// ```
/// use imap_proto_core::{Config, Connection, Event, Time, command::{Command, Noop}};
///
/// let mut connection = Connection::new(Config::default());
/// let greeting = b"* PREAUTH ready\r\n";
/// connection.receive_space()[..greeting.len()].copy_from_slice(greeting);
/// connection.received(greeting.len(), Time::ZERO);
/// assert!(matches!(connection.poll_event(), Some(Event::Greeting(_))));
///
/// connection.submit(Noop.request()?, Time::ZERO)?;
/// let sent: Vec<u8> = connection.transmit().flatten().copied().collect();
/// assert_eq!(sent, b"A0 NOOP\r\n");
/// connection.transmitted(sent.len(), Time::ZERO);
/// # Ok::<(), imap_proto_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Connection {
    config: Arc<Config>,
    /// The letters every tag begins with.
    tag_prefix: Box<str>,
    decoder: Decoder,
    /// Between them and the stream, once the server has agreed to COMPRESS.
    layer: Option<Box<compress::Layer>>,
    outbox: Outbox,
    in_flight: InFlight,
    view: View,
    next_id: u32,
    next_tag: u32,
    /// The number of the newest tag of which a byte has left, plus one.
    left_tags: u32,
    unknown_tags: u32,
    received: u64,
    /// When a byte last moved in either direction.
    activity: Time,
    /// Since when the octets of a message are wanted of their source.
    wanted_since: Time,
    /// When the last command ended that others waited behind, and that was not just read over.
    in_front_until: Time,
    /// When the last one ended, or had its time, whose turn it was.
    turn_since: Time,
    now: Time,
    pending: VecDeque<Pending>,
    /// The command whose body is streaming.
    body: Option<CommandId>,
    /// True once a body came before the UID of its message: the UID does not tell then whose it is.
    late_uids: bool,
    end_of_stream: bool,
    /// True once the server has agreed to TLS: what waits leaves over TLS, and nothing more in clear text.
    awaits_tls: bool,
    /// True once credentials have left, until the server took them: what it says may have them in it.
    credentials_out: bool,
    /// When the server said BYE to a login whose answer may still come.
    bye_since: Option<Time>,
    end: Option<Error>,
    /// What is logged of it is logged inside this.
    span: log::ConnectionSpan,
}

/// For how many of anything a connection keeps room while it does nothing. Pipelining may have needed a lot,
/// and a connection may idle for days.
const AT_REST: usize = 4;

/// What is to be told, and needs no bytes of the receive buffer.
#[derive(Debug)]
enum Pending {
    WantsBody { id: CommandId },
    Done { id: CommandId, outcome: crate::command::Outcome },
    Failed { id: CommandId, error: Error, fate: Fate<()> },
    Overdue { id: CommandId, error: Error, fate: Fate<()> },
    Closed,
}

/// What may be in a tag. RFC 9051 §9
fn letters_of(prefix: &str) -> Box<str> {
    prefix.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Whether a connection can be used.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Health {
    /// It can.
    Usable,
    /// It can, while the answer of something abandoned is read over.
    Draining {
        /// How much more of it is accepted.
        bytes_left: u64,
    },
    /// It cannot, for that reason.
    MustClose(Error),
}

/// What dropping a command would do, or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelEffect {
    /// Nothing of it was sent, and nothing will be.
    Removed,
    /// It is carried out to its end.
    WillFinish,
    /// Its answer is read and thrown away.
    WillDrain,
    /// The server is told to store none of its messages: nothing comes of it. RFC 3502
    WillUndo,
    /// It waits for the server's `+`, and what would have to follow is gone or not to be sent: the server may still refuse
    /// it, else the connection has to be closed.
    MayClose,
    /// The connection has to be closed.
    WillClose,
}

impl Connection {
    /// Returns a connection that waits for the greeting. With the feature `tracing` the span that is current now is the
    /// connection's: the spans of its commands are inside it, whoever moves it.
    ///
    /// Many connections may have one configuration in common.
    pub fn new(config: impl Into<Arc<Config>>) -> Self {
        let config = config.into();
        Connection {
            decoder: Decoder::new(config.unauthenticated),
            tag_prefix: letters_of(&config.tag_prefix),
            config,
            layer: None,
            outbox: Outbox::default(),
            in_flight: InFlight::default(),
            view: View::default(),
            next_id: 0,
            next_tag: 0,
            left_tags: 0,
            unknown_tags: 0,
            received: 0,
            activity: Time::ZERO,
            wanted_since: Time::ZERO,
            in_front_until: Time::ZERO,
            turn_since: Time::ZERO,
            now: Time::ZERO,
            pending: VecDeque::new(),
            body: None,
            late_uids: false,
            end_of_stream: false,
            awaits_tls: false,
            credentials_out: false,
            bye_since: None,
            end: None,
            span: log::ConnectionSpan::current(),
        }
    }

    /// Room to read into. Small while nothing is under way.
    ///
    /// There is none while what was received of a [compressed](crate::View::is_compressed) connection waits for
    /// [`poll_event`](Self::poll_event) to be called until it has none: nothing is to be read then.
    pub fn receive_space(&mut self) -> &mut [u8] {
        let idle = self.in_flight.iter().all(|entry| matches!(entry.stage, Stage::Idling { .. }));
        if idle {
            self.decoder.rest();
            self.in_flight.rest();
            self.outbox.rest();
            self.pending.shrink_to_fit();
        }
        if let Some(layer) = &mut self.layer {
            if idle {
                layer.rest();
            }
            return layer.space(idle);
        }
        self.decoder.space()
    }

    /// Takes the response of the [`Event::Data`] that was polled last. Where it is longer than 32 KiB and most of what was received,
    /// it is not copied but taken with the buffer, as a body is that [`Limits::inline`](crate::wire::Limits::inline) lets stay in
    /// its response: then it is held once, and never twice.
    ///
    /// Call it once, and before anything else that needs `&mut self`.
    #[inline]
    pub fn take_response(&mut self) -> OwnedResponse {
        self.decoder.take_response()
    }

    /// Takes note that `n` bytes were read into [`receive_space`](Self::receive_space); none: the peer has closed.
    pub fn received(&mut self, n: usize, now: Time) {
        self.now = now;
        self.activity = now;
        if n == 0 {
            // What had no room to be read into says nothing of the peer.
            self.end_of_stream |= self.layer.as_ref().is_none_or(|layer| layer.has_space());
            return;
        }
        if let Some(layer) = &mut self.layer {
            return layer.received(n);
        }
        self.decoder.received(n);
        self.received = self.received.saturating_add(n as u64);
    }

    /// Puts a command in line. It leaves when its turn comes, and is answered by
    /// [`Event::Done`] or [`Event::Failed`], exactly one of them.
    ///
    /// # Errors
    /// The cause, where the connection is closed; [`Misuse::AlreadyIdling`]; [`Phase::Operation`] where it has no time at all.
    pub fn submit(&mut self, request: Request, now: Time) -> Result<CommandId, Error> {
        self.now = now;
        if let Some(end) = &self.end {
            return Err(end.clone());
        }
        if request.order == crate::command::Order::Idle && self.in_flight.idle().is_some() {
            return Err(Error::Misuse(Misuse::AlreadyIdling));
        }
        let within = request.within.or(self.config.command.filter(|_| request.order != crate::command::Order::Idle));
        if let Some(limit) = within.filter(Duration::is_zero) {
            return Err(Error::Timeout { phase: Phase::Operation, limit });
        }
        let id = CommandId(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        if self.in_flight.under_way().all(|entry| !entry.is_owed()) {
            self.activity = now;
        }
        let (by, in_turn) = match request.clock {
            Clock::Submission => (within.map(|within| now.saturating_add(within)), false),
            Clock::Turn => (None, within.is_some()),
        };
        self.in_flight.push(id, request, by, self.view.expunged);
        if let Some(entry) = self.in_flight.get_mut(id) {
            (entry.within, entry.in_turn) = (within, in_turn);
        }
        self.write_queued();
        Ok(id)
    }

    /// Gives octets of a message, no more than [`Event::WantsBody`] asked for.
    ///
    /// # Errors
    /// [`Misuse::TooManyOctets`] for more than were announced; the connection is closed where some had left.
    pub fn feed(&mut self, id: CommandId, octets: Bytes) -> Result<(), Error> {
        let Some(entry) = self.in_flight.get_mut(id) else { return Ok(()) };
        let Stage::Feeding { left } = &mut entry.stage else {
            self.abandon(id, self.now);
            return Err(Error::Misuse(Misuse::TooManyOctets));
        };
        let Some(rest) = left.checked_sub(octets.len() as u64) else {
            self.abandon(id, self.now);
            return Err(Error::Misuse(Misuse::TooManyOctets));
        };
        *left = rest;
        self.in_flight.wrote(id, octets.len());
        let nothing = octets.is_empty();
        self.outbox.push_octets(id, octets);
        if rest == 0 {
            self.write_parts(id);
            self.write_queued();
        } else if nothing && !self.outbox.holds(id) {
            self.pending.push_back(Pending::WantsBody { id });
        }
        Ok(())
    }

    /// What the server told us so far.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Whether the connection can be used.
    pub fn health(&self) -> Health {
        if let Some(end) = &self.end {
            return Health::MustClose(end.clone());
        }
        let drained = self.in_flight.iter().filter_map(|entry| entry.abandoned).map(|a| a.drained).max();
        match drained {
            None => Health::Usable,
            Some(drained) => Health::Draining { bytes_left: self.config.drain_bytes.saturating_sub(drained) },
        }
    }

    /// True when no command is under way or waits, abandoned ones included.
    pub fn is_settled(&self) -> bool {
        self.in_flight.is_empty() && self.is_quiet()
    }

    /// True while an abandoned command is still being finished.
    pub fn has_abandoned(&self) -> bool {
        self.in_flight.iter().any(|entry| entry.abandoned.is_some())
    }

    /// True where an IDLE is wanted: it runs, or is to be taken up.
    pub fn has_idle(&self) -> bool {
        self.in_flight.idle().is_some()
    }

    /// True when there is a command other than those of `except` and a wanted IDLE. Abandoned ones count: they are
    /// to be read over in time. So do the ends of commands that were not told yet.
    pub fn others_wait(&self, except: impl Fn(CommandId) -> bool) -> bool {
        !self.pending.is_empty()
            || self.in_flight.iter().any(|entry| {
                let unwanted = entry.abandoned.is_some();
                (unwanted || !entry.is_idle()) && !except(entry.id)
            })
    }

    /// True once the connection has ended, whoever was told so far.
    pub fn is_closed(&self) -> bool {
        self.end.is_some()
    }

    /// Ends the connection for `error`: nothing more is sent, and every command fails with it.
    pub fn close(&mut self, error: Error) {
        if self.end.is_some() {
            return;
        }
        let error = self.blamed(error);
        log::closed(&self.span, &error, self.credentials_out);
        let outbox = core::mem::take(&mut self.outbox);
        self.layer = None;
        for entry in self.in_flight.drain() {
            let fate = abandon::fate(&entry, &outbox);
            log::unanswered(&entry, &fate);
            if !entry.untold {
                self.pending.push_back(Pending::Failed { id: entry.id, error: error.clone(), fate });
            }
        }
        self.pending.push_back(Pending::Closed);
        self.body = None;
        self.end = Some(error);
    }

    /// Whatever ends the stream behind a BYE, the server has said why.
    fn blamed(&mut self, error: Error) -> Error {
        match self.bye_since.take() {
            Some(_) if !matches!(error, Error::Bye { .. }) => self.cause_of_end(),
            _ => error,
        }
    }

    fn close_at_end(&mut self) {
        let error = self.cause_of_end();
        self.close(error);
    }

    fn cause_of_end(&mut self) -> Error {
        let logging_out = self.in_flight.iter().any(|e| matches!(e.effect, Effect::Logout) && e.begun);
        match self.view.bye.take().map(|bye| *bye) {
            _ if logging_out => Error::Closed(Closed::LoggedOut),
            Some((code, text)) => Error::Bye { code, text },
            None => Error::Closed(Closed::EndOfStream),
        }
    }

    /// True where a tagged answer to a login may follow: some say BYE first, and then why.
    fn awaits_verdict(&self) -> bool {
        self.view.state == SessionState::NotAuthenticated
            && self.in_flight.iter().any(|entry| {
                let is_said =
                    matches!(entry.stage, Stage::Sent | Stage::WaitsForGoAhead) && !self.outbox.holds(entry.id);
                matches!(entry.effect, Effect::Authenticate { .. }) && entry.begun && is_said
            })
    }

    /// The OK to COMPRESS has come, which goes alone: all bytes behind it are compressed, and nothing waits to leave as it is.
    #[cfg(any(feature = "compress", test))]
    fn begin_compression(&mut self) {
        let received = self.decoder.take_buffered();
        self.received = self.received.saturating_sub(received.len() as u64);
        self.layer = Some(Box::new(compress::Layer::new(received)));
        self.view.is_compressed = true;
    }

    /// What was received and not yet understood, for whoever is to take over the stream.
    pub(crate) fn buffered(&self) -> usize {
        self.decoder.buffered()
    }
}
