//! Signs from any thread to the one task that polls for them.

use alloc::sync::Arc;
use core::task::{Context, Poll};

use super::place::Place;
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
    left: Place<Option<T>>,
    reader: AtomicWaker,
}

impl<T> Left<T> {
    pub(crate) fn new() -> Self {
        Left { left: Place::new(None), reader: AtomicWaker::new() }
    }

    /// What is left first counts.
    pub(crate) fn leave(&self, left: T) {
        let mut left = Some(left);
        self.left.with(|lies| {
            if lies.is_none() {
                *lies = left.take();
            }
        });
        self.reader.wake();
    }

    pub(crate) fn poll_take(&self, cx: &Context<'_>) -> Poll<T> {
        self.reader.register(cx.waker());
        self.left.with(Option::take).map_or(Poll::Pending, Poll::Ready)
    }
}
