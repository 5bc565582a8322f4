use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use bytes::Bytes;

use super::pump::Pump;
use super::queue::{Call, Calls, Item, Reply, Submission, Ticket, Told};
use super::slots::{MOST_LYING, Slot, Slots};
use super::wire::Wire;
use crate::config::Time;
use crate::connection::{CancelEffect, CommandId, Connection, Event};
use crate::error::{Closed, Error, Fate, Limit};

/// Rounds in one poll before others get their turn on the same thread.
const MOST_ROUNDS: usize = 64;
/// Items that wait for one listener; further ones are counted and left out.
const MOST_EVENTS: usize = 1024;
/// Bytes of them.
const MOST_EVENT_BYTES: usize = 1 << 20;

/// How long a watch waits for a reader that has enough: then what that one asked for is read on.
const MOST_PAUSE: Time = Time::from_secs(30);

/// Moves one connection: reads, writes, keeps its time, and hands out what arrives.
///
/// It owns the connection and the stream; handles reach it through queues alone, so that dropping any of
/// their futures runs no protocol code, and waits for nothing but the moment in which another thread puts something
/// into the same queue. Spawn it, or poll it beside the calls. It is done
/// when the connection is closed; dropping it closes the connection, and every call ends with
/// [`Closed::DriverGone`].
#[must_use = "nothing moves on the connection unless its driver is polled"]
#[derive(Debug)]
pub struct Driver<W> {
    connection: Connection,
    wire: W,
    pump: Pump,
    calls: Arc<Calls>,
    slots: Slots,
    listeners: Vec<Listener>,
    settling: Vec<Arc<Reply>>,
    /// True while a reader has enough and nothing is read for its sake.
    paused: bool,
    /// Since when that is so.
    paused_since: Option<Time>,
    closing: bool,
}

#[derive(Debug)]
struct Listener {
    reply: Arc<Reply>,
    to: Told,
    missed: u64,
}

impl Listener {
    fn tell(&mut self, make: impl FnOnce() -> Item) {
        if self.reply.len() >= MOST_EVENTS || self.reply.waiting() >= MOST_EVENT_BYTES {
            self.missed += 1;
            return;
        }
        if self.missed > 0 {
            self.reply.push(Ticket::NONE, Item::Lagged(core::mem::take(&mut self.missed)));
        }
        self.reply.push(Ticket::NONE, make());
    }
}

impl<W: Wire> Driver<W> {
    pub(super) fn new(connection: Connection, wire: W, calls: Arc<Calls>) -> Self {
        Driver {
            connection,
            wire,
            pump: Pump::default(),
            calls,
            slots: Slots::default(),
            listeners: Vec::new(),
            settling: Vec::new(),
            paused: false,
            paused_since: None,
            closing: false,
        }
    }

    /// One round of everything. True when anything moved.
    ///
    /// Events come before writing: one that nobody hears of, such as `+`, may have put bytes in line.
    fn round(&mut self, cx: &mut Context<'_>) -> bool {
        let mut moved = self.take_calls();
        moved |= self.hand_out();
        // After the events: what they bring about, as DONE after a `+`, is no event of its own.
        moved |= self.pump.write(&mut self.wire, &mut self.connection, cx);
        let congested = self.is_congested();
        if congested || self.paused {
            self.connection.excuse_silence(self.wire.now());
        }
        self.paused = congested;
        if !self.closing && !congested {
            moved |= self.pump.read(&mut self.wire, &mut self.connection, cx);
        }
        let resumes = self.paused_since.filter(|_| congested && self.connection.has_idle());
        let resumes = resumes.map(|since| since.saturating_add(MOST_PAUSE));
        if let Some(at) = self.connection.poll_timeout().into_iter().chain(resumes).min()
            && self.wire.poll_sleep_until(cx, at).is_ready()
        {
            self.connection.handle_timeout(self.wire.now());
            moved = true;
        }
        moved
    }

    fn take_calls(&mut self) -> bool {
        let mut moved = false;
        while let Some(call) = self.calls.pop() {
            moved = true;
            self.take_call(call);
        }
        moved
    }

    fn take_call(&mut self, call: Call) {
        let now = self.wire.now();
        match call {
            Call::Submit(submission) => {
                let Submission { ticket, request, reply } = *submission;
                if reply.is_cancelled() {
                    return reply.push(ticket, Item::Failed(Error::Cancelled, Fate::NotSent));
                }
                let idle = request.is_idle();
                match self.connection.submit(request, now) {
                    Ok(id) => self.slots.add(Slot { id, ticket, reply, idle, overdue: false }),
                    Err(error) => reply.push(ticket, Item::Failed(error, Fate::NotSent)),
                }
            }
            Call::Feed(feed) => {
                let (ticket, octets) = *feed;
                if let Some(slot) = self.slots.of_ticket(ticket) {
                    // A wrong length ends the connection, and with it the operation.
                    let _ = self.connection.feed(slot.id, octets);
                }
            }
            Call::Abandon { ticket } => {
                if let Some(slot) = self.slots.of_ticket(ticket) {
                    self.connection.abandon(slot.id, now);
                }
            }
            Call::Withdraw { ticket } => {
                if let Some(slot) = self.slots.of_ticket(ticket)
                    && self.connection.would_drop(slot.id) == CancelEffect::Removed
                {
                    self.connection.abandon(slot.id, now);
                }
            }
            Call::Subscribe { reply, to } => {
                forget_gone(&mut self.listeners);
                self.listeners.push(Listener { reply, to, missed: 0 });
            }
            Call::Settle { reply } => self.settling.push(reply),
            Call::View { reply } => {
                reply.push(Ticket::NONE, Item::View(Box::new(self.connection.view().clone())));
            }
            Call::Health { reply } => reply.push(Ticket::NONE, Item::Health(Box::new(self.connection.health()))),
            Call::WouldDrop { ticket, reply } => {
                let effect = self.slots.of_ticket(ticket).map(|slot| self.connection.would_drop(slot.id));
                reply.push(Ticket::NONE, Item::WouldDrop(effect));
            }
            Call::Close => self.connection.close(Error::Closed(Closed::ByOwner)),
        }
    }

    /// Hands out events until there is none, or until a reader has enough.
    fn hand_out(&mut self) -> bool {
        let mut moved = false;
        while !self.is_congested() {
            let Driver { connection, slots, listeners, .. } = self;
            let Some(event) = connection.poll_event() else { break };
            moved = true;
            let closed = matches!(event, Event::Closed(_));
            match event {
                Event::Data { id: Some(id), .. } => slots.tell(id, || Item::Data(connection.take_response())),
                event => deliver(event, slots, listeners),
            }
            self.closing |= closed;
            self.drop_slow_readers();
        }
        // Nothing settled on a connection that was lost: then they are told why.
        if !self.settling.is_empty() && !self.connection.is_closed() && !self.connection.has_abandoned() {
            for reply in self.settling.drain(..) {
                reply.push(Ticket::NONE, Item::Settled);
            }
        }
        moved
    }

    /// True when a reader has enough and nobody else waits for what comes after it, or a watch alone and not for long.
    fn is_congested(&mut self) -> bool {
        if !self.slots.is_any_full() || self.connection.is_closed() {
            self.paused_since = None;
            return false;
        }
        let of_a_full_reader = |id: CommandId| self.slots.of(id).is_some_and(Slot::is_full);
        if self.connection.others_wait(of_a_full_reader) {
            return false;
        }
        let now = self.wire.now();
        let since = *self.paused_since.get_or_insert(now);
        !self.connection.has_idle() || now < since.saturating_add(MOST_PAUSE)
    }

    /// Ends what nobody reads while others wait behind it.
    fn drop_slow_readers(&mut self) {
        let now = self.wire.now();
        for slot in self.slots.take_slow() {
            let error = Error::Limit(Limit::SlowReader { limit: MOST_LYING });
            slot.reply.push(slot.ticket, Item::Failed(error, Fate::Cancelled));
            self.connection.abandon(slot.id, now);
        }
    }
}

fn deliver(event: Event<'_>, slots: &mut Slots, listeners: &mut Vec<Listener>) {
    match event {
        Event::Data { id: None, response } => {
            forget_gone(listeners);
            for listener in listeners.iter_mut().filter(|listener| listener.to == Told::Everything) {
                listener.tell(|| Item::Data(response.to_owned()));
            }
        }
        Event::BodyStart { id: Some(id), len, .. } => slots.tell(id, || Item::BodyStart(len)),
        Event::Body { id: Some(id), octets } => slots.tell(id, || Item::Body(Bytes::copy_from_slice(octets))),
        Event::BodyEnd { id: Some(id) } => slots.tell(id, || Item::BodyEnd),
        Event::WantsBody { id, max } => slots.tell(id, || Item::WantsBody(max)),
        Event::Idling { id } => {
            let is_read = |slot: &Slot| slot.reply.len() < MOST_EVENTS;
            if slots.of(id).is_some_and(is_read) {
                slots.tell(id, || Item::Idling);
            }
        }
        Event::Done { id, outcome } => slots.finish(id, Item::Done(outcome)),
        Event::Failed { id, error, fate } => slots.finish(id, Item::Failed(error, fate)),
        Event::Overdue { id, error, fate } => slots.overdue(id, error, fate),
        // A body that nobody asked for goes with its response; the end of the connection reached every call.
        _ => {}
    }
}

/// Drops the listeners to which nobody listens.
fn forget_gone(listeners: &mut Vec<Listener>) {
    listeners.retain(|listener| Arc::strong_count(&listener.reply) > 1);
}

impl<W: Wire> Future for Driver<W> {
    /// Why the connection ended.
    type Output = Error;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Error> {
        let this = &mut *self;
        this.calls.register_driver(cx);
        for _ in 0..MOST_ROUNDS {
            let moved = this.round(cx);
            if this.closing {
                return this.poll_closed(cx);
            }
            if !moved {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<W: Wire> Driver<W> {
    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let error = match self.connection.health() {
            crate::connection::Health::MustClose(error) => error,
            _ => Error::Closed(Closed::ByOwner),
        };
        self.refuse_all(&error);
        // Best effort, and without waiting: a peer that does not read must not hold us up.
        let _ = self.wire.poll_close(cx);
        Poll::Ready(error)
    }
}

impl<W> Driver<W> {
    /// Ends everything that anybody waits for.
    fn refuse_all(&mut self, error: &Error) {
        for call in self.calls.close(error) {
            if let Call::Submit(submission) = call {
                let Submission { ticket, reply, .. } = *submission;
                reply.push(ticket, Item::Failed(error.clone(), Fate::NotSent));
            } else if let Call::Settle { reply }
            | Call::View { reply }
            | Call::Health { reply }
            | Call::WouldDrop { reply, .. }
            | Call::Subscribe { reply, .. } = call
            {
                reply.push(Ticket::NONE, Item::Failed(error.clone(), Fate::NotSent));
            }
        }
        for reply in self.settling.drain(..) {
            reply.push(Ticket::NONE, Item::Failed(error.clone(), Fate::NotSent));
        }
        for listener in self.listeners.drain(..) {
            listener.reply.push(Ticket::NONE, Item::Failed(error.clone(), Fate::Cancelled));
        }
    }
}

impl<W> Drop for Driver<W> {
    fn drop(&mut self) {
        let error = Error::Closed(Closed::DriverGone);
        self.connection.close(error.clone());
        while let Some(event) = self.connection.poll_event() {
            deliver(event, &mut self.slots, &mut self.listeners);
        }
        self.refuse_all(&error);
    }
}
