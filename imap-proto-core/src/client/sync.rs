//! What is shared between threads is made of these: the real ones, or loom's, which try every order in which threads may
//! meet (see `races`).

#[cfg(not(all(loom, test)))]
pub(super) use atomic_waker::AtomicWaker;
#[cfg(not(all(loom, test)))]
pub(super) use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
#[cfg(all(loom, test))]
pub(super) use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Loom's has another signature.
#[cfg(all(loom, test))]
#[derive(Debug)]
pub(super) struct AtomicWaker(loom::future::AtomicWaker);

#[cfg(all(loom, test))]
impl AtomicWaker {
    pub(super) fn new() -> Self {
        AtomicWaker(loom::future::AtomicWaker::new())
    }

    pub(super) fn register(&self, waker: &core::task::Waker) {
        self.0.register_by_ref(waker);
    }

    pub(super) fn wake(&self) {
        self.0.wake();
    }
}
