//! A [`Wire`] to a [`StrictServer`] in the same process, as coarse or as fine as a test wants it.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use imap_proto_core::Time;
use imap_proto_core::client::{TransportError, Wire};

use crate::deflate::Deflate;
use crate::strict::StrictServer;

/// A message that is [delivered](Link::deliver_in_idle).
pub const NEWS: &[u8] = b"Subject: new\r\n\r\nnew\r\n";

/// How many bytes pass at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The most that one read brings.
    pub read: usize,
    /// The most that one write takes.
    pub write: usize,
    /// Whether one read or one write is all that happens in one poll of the driver, so that each is a point to stop at.
    pub one_at_a_time: bool,
}

impl Pace {
    /// Everything at once.
    pub const AT_ONCE: Self = Self { read: usize::MAX, write: usize::MAX, one_at_a_time: false };

    /// So many bytes in one poll of the driver.
    pub const fn bytes(grain: usize) -> Self {
        Self { read: grain, write: grain, one_at_a_time: true }
    }
}

/// What happens to a connection at some byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The stream ends.
    End,
    /// `BYE`, and the stream ends.
    Bye,
    /// The stream fails.
    Error,
    /// An answer to a command that was never sent, and the stream stays open.
    Garbage,
    /// Nothing comes any more, and nobody says so.
    Silence,
}

/// What both ends of a [`MemoryWire`] share: the test's end of it.
#[derive(Clone)]
pub struct Link(Rc<RefCell<State>>);

struct State {
    server: StrictServer,
    /// Once COMPRESS was agreed to and the client has read so.
    deflate: Option<Deflate>,
    pace: Pace,
    /// Reads and writes that may still happen in this poll of the driver.
    budget: usize,
    now: Time,
    sleeper: Option<(Time, Waker)>,
    reader: Option<Waker>,
    writer: Option<Waker>,
    written: Vec<u8>,
    read: u64,
    fault: Option<(u64, Fault)>,
    write_fault: Option<u64>,
    /// Writing is refused until it is released.
    write_held: bool,
    farewell: Option<VecDeque<u8>>,
    deliveries: usize,
    delivered: usize,
}

impl Link {
    /// A link to `server` on which everything passes at once.
    pub fn new(server: StrictServer) -> Self {
        Self(Rc::new(RefCell::new(State {
            server,
            deflate: None,
            pace: Pace::AT_ONCE,
            budget: usize::MAX,
            now: Time::ZERO,
            sleeper: None,
            reader: None,
            writer: None,
            written: Vec::new(),
            read: 0,
            fault: None,
            write_fault: None,
            write_held: false,
            farewell: None,
            deliveries: 0,
            delivered: 0,
        })))
    }

    /// The client's end.
    pub fn wire(&self) -> MemoryWire {
        MemoryWire(self.clone())
    }

    /// The server, to look at.
    pub fn server(&self) -> Ref<'_, StrictServer> {
        Ref::map(self.0.borrow(), |state| &state.server)
    }

    /// The server, to change it. What it says then is read at the next poll.
    pub fn server_mut(&self) -> RefMut<'_, StrictServer> {
        self.wake();
        RefMut::map(self.0.borrow_mut(), |state| &mut state.server)
    }

    fn wake(&self) {
        let mut state = self.0.borrow_mut();
        for waker in [state.reader.take(), state.writer.take()].into_iter().flatten() {
            waker.wake();
        }
    }

    /// Sets how many bytes pass at a time.
    pub fn set_pace(&self, pace: Pace) {
        self.0.borrow_mut().pace = pace;
    }

    /// Bytes that the server was sent.
    pub fn written(&self) -> usize {
        self.0.borrow().written.len()
    }

    /// All that the server was sent from byte `from` on.
    pub fn sent(&self, from: usize) -> Vec<u8> {
        self.0.borrow().written.get(from..).unwrap_or_default().to_vec()
    }

    /// Bytes that the client has read.
    pub fn read(&self) -> u64 {
        self.0.borrow().read
    }

    /// Lets `fault` happen when the client has read so many bytes. What it writes afterwards reaches nobody.
    pub fn fail_read_at(&self, at: u64, fault: Fault) {
        self.0.borrow_mut().fault = Some((at, fault));
        self.wake();
    }

    /// Whether something happens to the connection at some byte.
    pub fn is_faulty(&self) -> bool {
        self.0.borrow().fault.is_some()
    }

    /// Lets writing fail when so many bytes were written.
    pub fn fail_write_at(&self, at: usize) {
        self.0.borrow_mut().write_fault = Some(at as u64);
    }

    /// Stops taking bytes, as a peer does that does not read, or goes on.
    pub fn hold_writes(&self, held: bool) {
        self.0.borrow_mut().write_held = held;
        self.wake();
    }

    /// Delivers so many messages to INBOX in all, each as soon as IDLE runs and nothing else is to be said.
    pub fn deliver_in_idle(&self, messages: usize) {
        self.0.borrow_mut().deliveries = messages;
        self.wake();
    }

    /// How many were delivered by [`deliver_in_idle`](Self::deliver_in_idle).
    pub fn delivered(&self) -> usize {
        self.0.borrow().delivered
    }

    /// The time that has passed.
    pub fn now(&self) -> Time {
        self.0.borrow().now
    }

    /// Lets time pass.
    pub fn advance(&self, by: Time) {
        let mut state = self.0.borrow_mut();
        state.now += by;
        if state.sleeper.as_ref().is_some_and(|(at, _)| *at <= state.now)
            && let Some((_, waker)) = state.sleeper.take()
        {
            waker.wake();
        }
    }

    /// Begins a poll of the driver.
    pub(crate) fn begin_poll(&self) {
        let mut state = self.0.borrow_mut();
        state.budget = if state.pace.one_at_a_time { 1 } else { usize::MAX };
    }
}

impl State {
    fn spend(&mut self, cx: &Context<'_>) -> bool {
        if self.budget == 0 {
            cx.waker().wake_by_ref();
            return false;
        }
        self.budget -= 1;
        true
    }

    /// What another session does in the mailbox, at a moment when nothing else is to be said.
    fn deliver(&mut self) {
        if self.deliveries > 0 && self.server.idling() && self.server.waiting() == 0 {
            self.deliveries -= 1;
            self.delivered += 1;
            self.server.deliver("INBOX", NEWS);
        }
    }

    /// What the client reads of what the server says.
    fn say(&mut self, most: usize) -> Vec<u8> {
        let Some(deflate) = &mut self.deflate else {
            let bytes = self.server.take_some(most);
            if self.server.compressed() && self.server.waiting() == 0 {
                self.deflate = Some(Deflate::new());
            }
            return bytes;
        };
        if deflate.is_read() {
            deflate.say(self.server.peek());
        }
        let (bytes, known) = deflate.read(most);
        if known > 0 {
            self.server.take_some(known);
        }
        bytes
    }

    fn hear(&mut self, bytes: &[u8]) {
        match &mut self.deflate {
            None => self.server.receive(bytes),
            // What is no DEFLATE is judged as it is.
            Some(deflate) => match deflate.hear(bytes) {
                Some(heard) => self.server.receive(&heard),
                None => self.server.receive(bytes),
            },
        }
    }

    fn reaches_server(&self) -> bool {
        self.fault.is_none_or(|(at, _)| self.read < at)
    }
}

/// A stream to a [`StrictServer`], and a clock that the test moves.
pub struct MemoryWire(Link);

impl fmt::Debug for MemoryWire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryWire")
    }
}

fn broken() -> TransportError {
    Arc::new(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
}

impl Wire for MemoryWire {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<Result<usize, TransportError>> {
        let state = &mut *self.0.0.borrow_mut();
        let mut most = into.len().min(state.pace.read);
        if let Some((at, fault)) = state.fault {
            if state.read == at {
                let farewell = state.farewell.get_or_insert_with(|| match fault {
                    Fault::Bye => b"* BYE Down for tonight.\r\n".iter().copied().collect(),
                    Fault::Garbage => b"A4000000 OK done\r\n".iter().copied().collect(),
                    Fault::End | Fault::Error | Fault::Silence => VecDeque::new(),
                });
                let n = most.min(farewell.len());
                if n == 0 && matches!(fault, Fault::Garbage | Fault::Silence) {
                    return Poll::Pending;
                }
                for (slot, byte) in into.iter_mut().zip(farewell.drain(..n)) {
                    *slot = byte;
                }
                return Poll::Ready(if n == 0 && fault == Fault::Error { Err(broken()) } else { Ok(n) });
            }
            most = most.min(usize::try_from(at - state.read).unwrap_or(usize::MAX));
        }
        state.deliver();
        let is_all_read = state.server.waiting() == 0 && state.deflate.as_ref().is_none_or(Deflate::is_read);
        if is_all_read && !state.server.closed() {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if !state.spend(cx) {
            return Poll::Pending;
        }
        let bytes = state.say(most);
        for (slot, byte) in into.iter_mut().zip(&bytes) {
            *slot = *byte;
        }
        state.read += bytes.len() as u64;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, from: &[&[u8]]) -> Poll<Result<usize, TransportError>> {
        let state = &mut *self.0.0.borrow_mut();
        if state.write_held {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let mut most = state.pace.write;
        if let Some(at) = state.write_fault {
            most = most.min(usize::try_from(at).unwrap_or(usize::MAX).saturating_sub(state.written.len()));
            if most == 0 {
                return Poll::Ready(Err(broken()));
            }
        }
        if !state.spend(cx) {
            return Poll::Pending;
        }
        let mut taken = 0;
        for part in from {
            let some = part.get(..part.len().min(most - taken)).unwrap_or_default();
            state.written.extend_from_slice(some);
            if state.reaches_server() {
                state.hear(some);
            }
            taken += some.len();
        }
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn now(&self) -> Time {
        self.0.0.borrow().now
    }

    fn poll_sleep_until(&mut self, cx: &mut Context<'_>, at: Time) -> Poll<()> {
        let mut state = self.0.0.borrow_mut();
        if state.now >= at {
            return Poll::Ready(());
        }
        state.sleeper = Some((at, cx.waker().clone()));
        Poll::Pending
    }
}
