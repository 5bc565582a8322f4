use std::boxed::Box;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_core::Stream;

use crate::error::{Error, Refused, UidValidityChange};
use crate::types::MailboxName;

/// Events that wait for one listener; of more than these the oldest are left out, and counted.
const MOST_WAITING: usize = 256;

/// What happens to a [`Reconnecting`](super::Reconnecting) connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ReconnectEvent {
    /// The first connection is there.
    Connected,
    /// The connection has ended. Another is opened when one is asked for.
    Lost {
        /// What ended it.
        cause: Error,
    },
    /// An attempt failed, or its connection was lost soon after it, and there will be another.
    Retrying {
        /// The number of the next attempt, from 2 on.
        attempt: u32,
        /// After how long it begins.
        after: Duration,
        /// What was wrong with the one before.
        cause: Error,
    },
    /// There is a connection again.
    Reconnected {
        /// What became of the mailbox that was selected; `None` where none was, or nobody has a handle on it any more.
        mailbox: Option<Resumed>,
    },
    /// No further attempt is made, until one is asked for.
    GaveUp {
        /// What was wrong with the last.
        cause: Error,
    },
    /// So many events were left out because they were not read in time.
    Lagged(u64),
}

/// What became of the selected mailbox on a new connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Resumed {
    /// It is selected again, and its UIDs are what they were. What happened in it meanwhile is for the caller to ask.
    Same {
        /// Its name.
        mailbox: MailboxName,
    },
    /// A mailbox of that name is selected, and the UIDs of the one before are worth nothing: its handles refuse.
    Changed(UidValidityChange),
    /// The server does not select it any more: it is gone, as [`Code::NonExistent`](crate::types::Code::NonExistent) says, or not to
    /// be had for now.
    Refused {
        /// Its name.
        mailbox: MailboxName,
        /// What the server said.
        refused: Box<Refused>,
    },
}

/// The events of a [`Reconnecting`](super::Reconnecting) from when it was asked for, as a stream. It ends when all handles are
/// dropped, or after [`logout`](super::Reconnecting::logout).
///
/// Bounded: see [`ReconnectEvent::Lagged`].
#[must_use = "nobody is told unless the stream is polled"]
#[derive(Debug)]
pub struct ReconnectEvents {
    queue: Arc<Listener>,
}

impl ReconnectEvents {
    pub(super) fn new(queue: Arc<Listener>) -> Self {
        ReconnectEvents { queue }
    }

    /// The next event; `None` after the last. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<ReconnectEvent> {
        std::future::poll_fn(|cx| self.poll_event(cx)).await
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<ReconnectEvent>> {
        let mut queue = self.queue.lock();
        if queue.missed > 0 {
            return Poll::Ready(Some(ReconnectEvent::Lagged(std::mem::take(&mut queue.missed))));
        }
        match queue.events.pop_front() {
            Some(event) => Poll::Ready(Some(event)),
            None if queue.is_over => Poll::Ready(None),
            None => {
                queue.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Stream for ReconnectEvents {
    type Item = ReconnectEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_event(cx)
    }
}

/// What waits for one stream of events.
#[derive(Debug, Default)]
pub(super) struct Listener(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<ReconnectEvent>,
    missed: u64,
    is_over: bool,
    waker: Option<Waker>,
}

impl Listener {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an event, and returns who is to be woken for it.
    pub(super) fn tell(&self, event: ReconnectEvent) -> Option<Waker> {
        let mut queue = self.lock();
        if queue.events.len() == MOST_WAITING {
            queue.events.pop_front();
            queue.missed += 1;
        }
        queue.events.push_back(event);
        queue.waker.take()
    }

    /// There will be no more.
    pub(super) fn end(&self) -> Option<Waker> {
        let mut queue = self.lock();
        queue.is_over = true;
        queue.waker.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Closed;

    #[test]
    fn the_oldest_events_are_left_out_and_counted() {
        let queue = Arc::new(Listener::default());
        let mut events = ReconnectEvents::new(queue.clone());
        queue.tell(ReconnectEvent::Connected);
        queue.tell(ReconnectEvent::Connected);
        for _ in 0..MOST_WAITING {
            queue.tell(ReconnectEvent::GaveUp { cause: Error::Closed(Closed::EndOfStream) });
        }
        queue.end();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(matches!(events.poll_event(&mut cx), Poll::Ready(Some(ReconnectEvent::Lagged(2)))));
        for _ in 0..MOST_WAITING {
            assert!(matches!(events.poll_event(&mut cx), Poll::Ready(Some(ReconnectEvent::GaveUp { .. }))));
        }
        assert!(matches!(events.poll_event(&mut cx), Poll::Ready(None)));
    }
}
