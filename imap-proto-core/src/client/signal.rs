//! Signs from any thread to the one task that polls for them.

use alloc::sync::Arc;
use core::task::{Context, Poll};

use concurrent_queue::ConcurrentQueue;

use super::sync::{AtomicBool, AtomicWaker, Ordering};

/// The sign to stop. All clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Stop(Arc<StopState>);

#[derive(Debug)]
struct StopState {
    is_set: AtomicBool,
    waker: AtomicWaker,
}

impl Stop {
    pub(crate) fn new() -> Self {
        Stop(Arc::new(StopState { is_set: AtomicBool::new(false), waker: AtomicWaker::new() }))
    }

    pub(crate) fn set(&self) {
        self.0.is_set.store(true, Ordering::Release);
        self.0.waker.wake();
    }

    /// True once it is set; until then the task is woken when it is.
    pub(crate) fn is_set_or_wakes(&self, cx: &Context<'_>) -> bool {
        self.0.waker.register(cx.waker());
        self.0.is_set.load(Ordering::Acquire)
    }
}

/// One thing that is left for one task, which may be there before or after it.
#[derive(Debug)]
pub(crate) struct Left<T> {
    left: ConcurrentQueue<T>,
    reader: AtomicWaker,
}

impl<T> Left<T> {
    pub(crate) fn new() -> Self {
        Left { left: ConcurrentQueue::bounded(1), reader: AtomicWaker::new() }
    }

    /// What is left first counts.
    pub(crate) fn leave(&self, left: T) {
        let _ = self.left.push(left);
        self.reader.wake();
    }

    pub(crate) fn poll_take(&self, cx: &Context<'_>) -> Poll<T> {
        self.reader.register(cx.waker());
        self.left.pop().map_or(Poll::Pending, Poll::Ready)
    }
}
