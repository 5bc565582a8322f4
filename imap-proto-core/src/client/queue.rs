use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::{Context, Poll};

use atomic_waker::AtomicWaker;
use bytes::Bytes;
use concurrent_queue::ConcurrentQueue;

use crate::command::{Outcome, Request};
use crate::connection::View;
use crate::error::{Closed, Error, Fate};
use crate::wire::OwnedResponse;

/// Bytes that wait for one reader before the driver stops reading on its account.
pub(super) const MOST_WAITING: usize = 64 << 10;

/// As many threads may ask at the same moment why a connection ended, and be told.
const CAUSES: usize = 32;

/// What an item costs beside its bytes: a server may send a body octet by octet.
const PER_ITEM: usize = 64;

/// What handles ask of the driver.
#[derive(Debug)]
pub(super) enum Call {
    Submit { ticket: Ticket, request: Box<Request>, reply: Arc<Reply> },
    Feed { ticket: Ticket, octets: Bytes },
    Abandon { ticket: Ticket },
    Subscribe { reply: Arc<Reply> },
    Settle { reply: Arc<Reply> },
    View { reply: Arc<Reply> },
    Close,
}

/// The number of a call among those of its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(usize);

impl Ticket {
    /// That of what is no command.
    pub(super) const NONE: Ticket = Ticket(usize::MAX);
}

/// What the driver answers.
#[derive(Debug)]
pub(super) enum Item {
    Data(OwnedResponse),
    BodyStart(OwnedResponse),
    Body(Bytes),
    BodyEnd,
    WantsBody(u64),
    Idling,
    Done(Outcome),
    Failed(Error, Fate<()>),
    Lagged(u64),
    Settled,
    View(Box<View>),
}

impl Item {
    fn weight(&self) -> usize {
        match self {
            Item::Data(response) | Item::BodyStart(response) => response.get().raw().len() + PER_ITEM,
            Item::Body(octets) => octets.len() + PER_ITEM,
            _ => 0,
        }
    }
}

/// All that a client's handles and their driver share: a queue, a waker, and a count.
#[derive(Debug)]
pub(super) struct Calls {
    queue: ConcurrentQueue<Call>,
    driver: AtomicWaker,
    next_ticket: AtomicUsize,
    /// Copies of why the connection ended; none while it is open.
    causes: ConcurrentQueue<Error>,
}

impl Calls {
    pub(super) fn new() -> Self {
        Calls {
            queue: ConcurrentQueue::unbounded(),
            driver: AtomicWaker::new(),
            next_ticket: AtomicUsize::new(0),
            causes: ConcurrentQueue::bounded(CAUSES),
        }
    }

    pub(super) fn ticket(&self) -> Ticket {
        Ticket(self.next_ticket.fetch_add(1, Ordering::Relaxed))
    }

    /// Hands a call to the driver.
    ///
    /// # Errors
    /// When the driver is gone, and with it the connection.
    pub(super) fn push(&self, call: Call) -> Result<(), Error> {
        let pushed = self.queue.push(call).map_err(|_| self.cause());
        self.driver.wake();
        pushed
    }

    pub(super) fn pop(&self) -> Option<Call> {
        self.queue.pop().ok()
    }

    pub(super) fn wake_driver(&self) {
        self.driver.wake();
    }

    pub(super) fn register_driver(&self, cx: &Context<'_>) {
        self.driver.register(cx.waker());
    }

    /// Why the connection ended. Each reader takes a copy and puts one back: nobody waits for anybody.
    fn cause(&self) -> Error {
        let Ok(error) = self.causes.pop() else { return Error::Closed(Closed::DriverGone) };
        // It has room: a copy was just taken.
        let _ = self.causes.push(error.clone());
        error
    }

    /// Refuses all further calls for `cause`, the first one that is told, and returns those that were under way.
    pub(super) fn close(&self, cause: &Error) -> Vec<Call> {
        if !self.queue.is_closed() {
            while self.causes.push(cause.clone()).is_ok() {}
        }
        self.queue.close();
        self.queue.try_iter().collect()
    }
}

/// The way back to one caller.
#[derive(Debug)]
pub(super) struct Reply {
    items: ConcurrentQueue<(Ticket, Item)>,
    reader: AtomicWaker,
    /// Bytes of the items that wait.
    waiting: AtomicUsize,
    /// True once somebody asked for the operation to be given up.
    pub(super) cancelled: AtomicBool,
}

impl Reply {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Reply {
            items: ConcurrentQueue::unbounded(),
            reader: AtomicWaker::new(),
            waiting: AtomicUsize::new(0),
            cancelled: AtomicBool::new(false),
        })
    }

    pub(super) fn push(&self, ticket: Ticket, item: Item) {
        self.waiting.fetch_add(item.weight(), Ordering::AcqRel);
        // It is closed when nobody reads it any more; then nobody misses the item.
        let _ = self.items.push((ticket, item));
        self.reader.wake();
    }

    pub(super) fn wake_reader(&self) {
        self.reader.wake();
    }

    /// Bytes that wait for a reader who still wants them.
    pub(super) fn waiting(&self) -> usize {
        if self.items.is_closed() || self.is_cancelled() {
            return 0;
        }
        self.waiting.load(Ordering::Acquire)
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// The next item. Wakes the driver where it may have stopped reading for this reader's sake.
    pub(super) fn poll_pop(&self, calls: &Calls, cx: &Context<'_>) -> Poll<(Ticket, Item)> {
        if let Some(popped) = self.pop(calls) {
            return Poll::Ready(popped);
        }
        self.reader.register(cx.waker());
        // One may have come in between.
        self.pop(calls).map_or(Poll::Pending, Poll::Ready)
    }

    fn pop(&self, calls: &Calls) -> Option<(Ticket, Item)> {
        let (ticket, item) = self.items.pop().ok()?;
        let weight = item.weight();
        let before = self.waiting.fetch_sub(weight, Ordering::AcqRel);
        if before > MOST_WAITING / 2 && before - weight <= MOST_WAITING / 2 {
            calls.wake_driver();
        }
        Some((ticket, item))
    }

    /// Nobody reads any more.
    pub(super) fn close(&self) {
        self.items.close();
        while self.items.pop().is_ok() {}
        self.waiting.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_waits_for_a_reader_that_is_gone() {
        let reply = Reply::new();
        reply.push(Ticket::NONE, Item::Body(Bytes::from_static(b"octets")));
        assert_eq!(reply.waiting(), 6 + PER_ITEM);
        reply.close();
        // The driver has not heard of it yet.
        reply.push(Ticket::NONE, Item::Body(Bytes::from_static(b"more")));
        assert_eq!(reply.waiting(), 0);
    }
}
