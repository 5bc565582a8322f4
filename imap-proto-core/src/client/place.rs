//! What several threads change, one at a time, where there may be no standard library and so no mutex.

#[cfg(not(all(loom, test)))]
mod real {
    use alloc::boxed::Box;

    use crossbeam_utils::Backoff;
    use crossbeam_utils::atomic::AtomicCell;

    /// A value that is taken out by whoever changes it, and put back. It is as large as a pointer.
    ///
    /// Who comes meanwhile spins until it is back. So a change moves a few pointers, or a queue that has to grow, panics for
    /// nothing, and runs nobody else's code.
    pub(crate) struct Place<T>(AtomicCell<Option<Box<T>>>);

    impl<T> Place<T> {
        pub(crate) fn new(value: T) -> Self {
            Place(AtomicCell::new(Some(Box::new(value))))
        }

        /// Changes the value, or looks at it.
        pub(crate) fn with<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
            let backoff = Backoff::new();
            loop {
                if let Some(mut value) = self.0.take() {
                    let result = change(&mut value);
                    self.0.store(Some(value));
                    return result;
                }
                backoff.snooze();
            }
        }
    }
}

/// The same for loom, which cannot look into the other: that one value is taken and put back by one at a time.
#[cfg(all(loom, test))]
mod modelled {
    use loom::sync::Mutex;

    pub(crate) struct Place<T>(Mutex<T>);

    impl<T> Place<T> {
        pub(crate) fn new(value: T) -> Self {
            Place(Mutex::new(value))
        }

        pub(crate) fn with<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
            change(&mut self.0.lock().expect("nobody panics"))
        }
    }
}

#[cfg(all(loom, test))]
pub(super) use modelled::Place;
#[cfg(not(all(loom, test)))]
pub(super) use real::Place;

impl<T> core::fmt::Debug for Place<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use alloc::boxed::Box;
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn it_is_a_pointer_without_a_lock_beside_it() {
        assert!(crossbeam_utils::atomic::AtomicCell::<Option<Box<Vec<u8>>>>::is_lock_free());
        assert_eq!(size_of::<Place<[u8; 1000]>>(), size_of::<usize>());
    }

    #[test]
    fn no_change_is_lost_whoever_makes_it() {
        const THREADS: usize = 4;
        const CHANGES: usize = 20_000;
        let place = Place::new(Vec::new());
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let place = &place;
                scope.spawn(move || (0..CHANGES).for_each(|change| place.with(|all| all.push((thread, change)))));
            }
        });
        let all = place.with(core::mem::take);
        for thread in 0..THREADS {
            assert!(all.iter().filter(|(who, _)| *who == thread).map(|(_, change)| *change).eq(0..CHANGES));
        }
    }
}
