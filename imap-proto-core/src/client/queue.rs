use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::{Context, Poll};

use bytes::Bytes;

use super::place::Place;
use super::sync::{AtomicBool, AtomicUsize, AtomicWaker, Ordering};
use crate::command::{Outcome, Request};
use crate::connection::{CancelEffect, Health, View};
use crate::error::{Error, Fate};
use crate::wire::OwnedResponse;

/// Bytes that wait for one reader before the driver stops reading on its account.
pub(super) const MOST_WAITING: usize = 64 << 10;

/// Room for what answers most commands: some data and the end.
const AT_FIRST: usize = 2;

/// What an item costs beside its bytes: a server may send a body octet by octet.
const PER_ITEM: usize = 64;

/// What handles ask of the driver.
#[derive(Debug)]
pub(super) enum Call {
    Submit(Box<Submission>),
    Feed(Box<(Ticket, Bytes)>),
    Abandon {
        ticket: Ticket,
    },
    /// The same, where no octet of it has left.
    Withdraw {
        ticket: Ticket,
    },
    Subscribe {
        reply: Arc<Reply>,
        to: Told,
    },
    Settle {
        reply: Arc<Reply>,
    },
    View {
        reply: Arc<Reply>,
    },
    Health {
        reply: Arc<Reply>,
    },
    /// What dropping it would do now.
    WouldDrop {
        ticket: Ticket,
        reply: Arc<Reply>,
    },
    Close,
}

/// What a listener is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// What the server says unasked, and the end of the connection.
    Everything,
    /// The end of the connection.
    TheEnd,
}

/// A command, and where its answer goes.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) ticket: Ticket,
    pub(super) request: Request,
    pub(super) reply: Arc<Reply>,
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
    /// A body of so many octets begins.
    BodyStart(u64),
    Body(Bytes),
    BodyEnd,
    WantsBody(u64),
    Idling,
    Done(Outcome),
    Failed(Error, Fate<()>),
    /// It had its time; how it ends is told later.
    Overdue(Error, Fate<()>),
    Lagged(u64),
    Settled,
    View(Box<View>),
    Health(Box<Health>),
    WouldDrop(Option<CancelEffect>),
}

impl Item {
    fn weight(&self) -> usize {
        match self {
            Item::Data(response) => response.get().raw().len() + PER_ITEM,
            Item::Body(octets) => octets.len() + PER_ITEM,
            _ => 0,
        }
    }
}

/// All that a client's handles and their driver share: a queue, a waker, and a count.
#[derive(Debug)]
pub(super) struct Calls {
    queue: Place<Queue>,
    driver: AtomicWaker,
    next_ticket: AtomicUsize,
}

/// Nothing is held where nothing waits.
#[derive(Default)]
struct Queue {
    calls: VecDeque<Call>,
    /// Why the connection ended; none while it is open.
    cause: Option<Arc<Error>>,
}

impl Calls {
    pub(super) fn new() -> Self {
        Calls { queue: Place::new(Queue::default()), driver: AtomicWaker::new(), next_ticket: AtomicUsize::new(0) }
    }

    pub(super) fn ticket(&self) -> Ticket {
        Ticket(self.next_ticket.fetch_add(1, Ordering::Relaxed))
    }

    /// Hands a call to the driver.
    ///
    /// # Errors
    /// When the driver is gone, and with it the connection.
    pub(super) fn push(&self, call: Call) -> Result<(), Error> {
        let pushed = self.queue.with(|queue| match &queue.cause {
            Some(cause) => Err((cause.clone(), call)),
            None => {
                queue.calls.push_back(call);
                Ok(())
            }
        });
        self.driver.wake();
        pushed.map_err(|(cause, _)| (*cause).clone())
    }

    /// True once no further call is taken: the connection has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.queue.with(|queue| queue.cause.is_some())
    }

    pub(super) fn pop(&self) -> Option<Call> {
        self.queue.with(|queue| {
            let call = queue.calls.pop_front();
            if queue.calls.is_empty() {
                queue.calls = VecDeque::new();
            }
            call
        })
    }

    pub(super) fn wake_driver(&self) {
        self.driver.wake();
    }

    pub(super) fn register_driver(&self, cx: &Context<'_>) {
        self.driver.register(cx.waker());
    }

    /// Refuses all further calls for `cause`, the first one that is told, and returns those that were under way.
    pub(super) fn close(&self, cause: &Error) -> Vec<Call> {
        let cause = Arc::new(cause.clone());
        let calls = self.queue.with(|queue| {
            queue.cause.get_or_insert_with(|| cause.clone());
            core::mem::take(&mut queue.calls)
        });
        calls.into()
    }
}

/// The way back to one caller, seen from the driver, which alone puts items here.
///
/// Nothing is held where nothing waits: the driver adds to what lies there, and the reader takes all of it at once.
#[derive(Debug)]
pub(super) struct Reply {
    lying: Place<Lying>,
    reader: AtomicWaker,
    /// How many items wait, those among them that the reader has taken and not looked at.
    count: AtomicUsize,
    /// Bytes of them.
    waiting: AtomicUsize,
    /// True once somebody asked for the operation to be given up.
    cancelled: AtomicBool,
}

#[derive(Default)]
struct Lying {
    items: Items,
    /// True once nobody reads any more.
    unread: bool,
}

type Items = VecDeque<(Ticket, Item)>;

impl Reply {
    pub(super) fn push(&self, ticket: Ticket, item: Item) {
        let weight = item.weight();
        let refused = self.lying.with(|lying| {
            if lying.unread {
                return Some(item);
            }
            self.count.fetch_add(1, Ordering::AcqRel);
            self.waiting.fetch_add(weight, Ordering::AcqRel);
            if lying.items.capacity() == 0 {
                lying.items.reserve_exact(AT_FIRST);
            }
            lying.items.push_back((ticket, item));
            None
        });
        // Nobody misses it.
        drop(refused);
        self.reader.wake();
    }

    /// Gives the operation up: its reader is to look.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }

    pub(super) fn wake_reader(&self) {
        self.reader.wake();
    }

    /// Bytes that wait for a reader who still wants them.
    pub(super) fn waiting(&self) -> usize {
        if self.is_cancelled() { 0 } else { self.waiting.load(Ordering::Acquire) }
    }

    /// Items that wait for a reader.
    pub(super) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
}

/// The way back to one caller, seen from the caller.
#[derive(Debug)]
pub(super) struct Reader {
    reply: Arc<Reply>,
    /// What was taken and not looked at yet.
    taken: Items,
}

impl Reader {
    pub(super) fn new() -> Self {
        let reply = Reply {
            lying: Place::new(Lying::default()),
            reader: AtomicWaker::new(),
            count: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            cancelled: AtomicBool::new(false),
        };
        Reader { reply: Arc::new(reply), taken: Items::new() }
    }

    /// The other end.
    pub(super) fn reply(&self) -> &Arc<Reply> {
        &self.reply
    }

    /// The next item. Wakes the driver where it may have stopped reading for this reader's sake.
    pub(super) fn poll_pop(&mut self, calls: &Calls, cx: &Context<'_>) -> Poll<(Ticket, Item)> {
        if let Some(popped) = self.pop(calls) {
            return Poll::Ready(popped);
        }
        self.reply.reader.register(cx.waker());
        // One may have come in between.
        self.pop(calls).map_or(Poll::Pending, Poll::Ready)
    }

    fn pop(&mut self, calls: &Calls) -> Option<(Ticket, Item)> {
        if self.taken.is_empty() {
            self.taken = self.reply.lying.with(|lying| core::mem::take(&mut lying.items));
        }
        let (ticket, item) = self.taken.pop_front()?;
        if self.taken.is_empty() {
            // Nothing is kept for what may come in a week.
            self.taken = Items::new();
        }
        let weight = item.weight();
        self.reply.count.fetch_sub(1, Ordering::AcqRel);
        let before = self.reply.waiting.fetch_sub(weight, Ordering::AcqRel);
        if before > MOST_WAITING / 2 && before - weight <= MOST_WAITING / 2 {
            calls.wake_driver();
        }
        Some((ticket, item))
    }

    /// Nobody reads any more.
    pub(super) fn close(&mut self) {
        let unread = Lying { items: Items::new(), unread: true };
        let lying = self.reply.lying.with(|lying| core::mem::replace(lying, unread));
        drop(lying);
        self.taken = Items::new();
        self.reply.waiting.store(0, Ordering::Release);
        self.reply.count.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_waits_for_a_reader_that_is_gone() {
        let mut reader = Reader::new();
        let reply = reader.reply().clone();
        reply.push(Ticket::NONE, Item::Body(Bytes::from_static(b"octets")));
        assert_eq!(reply.waiting(), 6 + PER_ITEM);
        reader.close();
        // The driver has not heard of it yet.
        reply.push(Ticket::NONE, Item::Body(Bytes::from_static(b"more")));
        assert_eq!(reply.waiting(), 0);
    }

    #[test]
    fn items_come_in_their_order_however_they_are_taken() {
        let (calls, cx) = (Calls::new(), Context::from_waker(core::task::Waker::noop()));
        let mut reader = Reader::new();
        let reply = reader.reply().clone();
        let (mut put, mut seen) = (0, 0);
        for round in 0..50 {
            for _ in 0..round % 7 {
                reply.push(Ticket(put), Item::Lagged(put as u64));
                put += 1;
            }
            for _ in 0..round % 5 {
                let Poll::Ready((ticket, item)) = reader.poll_pop(&calls, &cx) else { break };
                assert!(matches!(item, Item::Lagged(number) if number == seen as u64));
                assert_eq!(ticket, Ticket(seen));
                seen += 1;
            }
            assert_eq!(reply.len(), put - seen);
        }
        while reader.poll_pop(&calls, &cx).is_ready() {
            seen += 1;
        }
        assert_eq!((seen, reply.len(), reader.taken.capacity()), (put, 0, 0));
    }

    #[test]
    fn an_item_that_comes_while_the_reader_takes_others_is_not_lost() {
        const ITEMS: usize = 20_000;
        let calls = Calls::new();
        let mut reader = Reader::new();
        let reply = reader.reply().clone();
        std::thread::scope(|scope| {
            scope.spawn(move || (0..ITEMS).for_each(|number| reply.push(Ticket(number), Item::BodyEnd)));
            let cx = Context::from_waker(core::task::Waker::noop());
            for number in 0..ITEMS {
                let ticket = loop {
                    match reader.poll_pop(&calls, &cx) {
                        Poll::Ready((ticket, _)) => break ticket,
                        Poll::Pending => std::thread::yield_now(),
                    }
                };
                assert_eq!(ticket, Ticket(number));
            }
        });
    }
}
