//! A client and its driver, polled one step at a time: no runtime, no thread, the same on every run.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use imap_proto_core::client::{Client, Driver, Shaken, shake_hands};
use imap_proto_core::{Config, Error, Handshake, Security};

use crate::memory::{Link, MemoryWire};
use crate::strict::StrictServer;

/// Polls after which nothing is taken to come any more.
const MOST_POLLS: usize = 5_000_000;

/// A future that does not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hung {
    /// It waits, the driver waits, and nobody will wake either.
    Asleep,
    /// It was polled over and over.
    Busy,
}

impl fmt::Display for Hung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Hung::Asleep => "hung: the call and the driver wait, and nobody will wake them",
            Hung::Busy => "hung: polled without an end",
        })
    }
}

/// Remembers that somebody is to be polled.
struct Woken(AtomicBool);

impl Woken {
    fn new() -> Arc<Self> {
        Arc::new(Woken(AtomicBool::new(true)))
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A client whose driver moves when the test says so.
pub struct Stepper {
    /// The other end of the wire.
    pub link: Link,
    /// The client.
    pub client: Client,
    driver: Option<Driver<MemoryWire>>,
    end: Option<Error>,
    woken: Arc<Woken>,
}

impl Stepper {
    /// Connects to a server that greets with PREAUTH.
    ///
    /// # Panics
    /// When it does not.
    pub fn connect(server: StrictServer, config: Config) -> Self {
        let link = Link::new(server);
        let shaken = pin!(shake_hands(link.wire(), Handshake::new(config, Security::ImplicitTls, None)));
        link.begin_poll();
        let Poll::Ready(Ok(Shaken::Ready(client, driver))) = shaken.poll(&mut Context::from_waker(Waker::noop()))
        else {
            panic!("the handshake with a server that greets with PREAUTH takes one poll");
        };
        Stepper { link, client, driver: Some(driver), end: None, woken: Woken::new() }
    }

    /// Polls the driver once, woken or not.
    pub fn drive(&mut self) {
        self.woken.take();
        self.link.begin_poll();
        let waker = Waker::from(self.woken.clone());
        if let Some(driver) = &mut self.driver
            && let Poll::Ready(error) = Pin::new(driver).poll(&mut Context::from_waker(&waker))
        {
            self.driver = None;
            self.end = Some(error);
        }
    }

    fn drive_if_woken(&mut self) -> bool {
        let woken = self.woken.take();
        if woken {
            self.drive();
        }
        woken && self.driver.is_some()
    }

    /// Polls the driver until it waits.
    ///
    /// # Errors
    /// When it does not stop.
    pub fn rest(&mut self) -> Result<(), Hung> {
        for _ in 0..MOST_POLLS {
            if !self.drive_if_woken() {
                return Ok(());
            }
        }
        Err(Hung::Busy)
    }

    /// Polls a future and the driver in turn, `steps` polls in all, and returns what the future ended with.
    pub fn step<F: Future + ?Sized>(&mut self, mut future: Pin<&mut F>, steps: usize) -> Option<F::Output> {
        for step in 0..steps {
            if step % 2 == 1 {
                self.drive();
            } else if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return Some(output);
            }
        }
        None
    }

    /// Polls a future and the driver, each only when it was woken, until the future ends.
    ///
    /// # Errors
    /// When it does not.
    pub fn finish<F: Future>(&mut self, future: F) -> Result<F::Output, Hung> {
        let mut future = pin!(future);
        let woken = Woken::new();
        let waker = Waker::from(woken.clone());
        for _ in 0..MOST_POLLS {
            let polled = woken.take();
            if polled && let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Ok(output);
            }
            if !self.drive_if_woken() && !polled && !woken.0.load(Ordering::Relaxed) {
                return Err(Hung::Asleep);
            }
        }
        Err(Hung::Busy)
    }

    /// Why the driver ended.
    pub fn end(&self) -> Option<&Error> {
        self.end.as_ref()
    }

    /// Drops the driver.
    pub fn drop_driver(&mut self) {
        self.driver = None;
    }
}
