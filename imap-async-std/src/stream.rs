use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_io::{AsyncRead, AsyncWrite};
use imap_proto_core::Time;
use imap_proto_core::client::{Source, TransportError, Wire, source_by};
use imap_proto_core::connect::{broken, read_or_end, write_parts};

/// Any stream of `futures-io` as a [`Wire`], with a timer of the caller's.
///
/// `sleep` makes a future that ends at an instant, whatever it ends with: `smol::Timer::at` is one. It is called whenever
/// there is another instant to wait for, and what it made before is dropped then.
pub struct FuturesWire<S, F, T> {
    stream: S,
    began: Instant,
    sleep: F,
    sleeping: Option<(Instant, Pin<Box<T>>)>,
}

impl<S, F: FnMut(Instant) -> T, T: Future> FuturesWire<S, F, T> {
    /// Takes a connected stream. The time of the connection begins now.
    pub fn new(stream: S, sleep: F) -> Self {
        Self::from_parts(Instant::now(), stream, sleep)
    }

    /// A connection that began at that time, as when TLS is put over its stream.
    pub fn from_parts(began: Instant, stream: S, sleep: F) -> Self {
        FuturesWire { stream, began, sleep, sleeping: None }
    }

    /// When the connection began, its stream, and its timer.
    pub fn into_parts(self) -> (Instant, S, F) {
        (self.began, self.stream, self.sleep)
    }
}

impl<S, F, T> Wire for FuturesWire<S, F, T>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: FnMut(Instant) -> T + Unpin,
    T: Future,
{
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<Result<usize, TransportError>> {
        read_or_end(Pin::new(&mut self.stream).poll_read(cx, into))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, from: &[&[u8]]) -> Poll<Result<usize, TransportError>> {
        write_parts(from, |slices| Pin::new(&mut self.stream).poll_write_vectored(cx, slices))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Pin::new(&mut self.stream).poll_flush(cx).map_err(broken)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Pin::new(&mut self.stream).poll_close(cx).map_err(broken)
    }

    fn now(&self) -> Time {
        self.began.elapsed()
    }

    fn poll_sleep_until(&mut self, cx: &mut Context<'_>, at: Time) -> Poll<()> {
        // What is to happen later than the clock can tell is not to happen.
        let Some(deadline) = self.began.checked_add(at) else { return Poll::Pending };
        if Instant::now() >= deadline {
            self.sleeping = None;
            return Poll::Ready(());
        }
        let sleeping = match self.sleeping.take() {
            Some((until, sleeping)) if until == deadline => sleeping,
            _ => Box::pin((self.sleep)(deadline)),
        };
        let (_, sleeping) = self.sleeping.insert((deadline, sleeping));
        let ended = sleeping.as_mut().poll(cx).is_ready();
        if ended {
            // It is not to be polled again.
            self.sleeping = None;
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl<S: fmt::Debug, F, T> fmt::Debug for FuturesWire<S, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FuturesWire").field("stream", &self.stream).field("began", &self.began).finish_non_exhaustive()
    }
}

/// Makes the octets of a reader the source of [`Client::append_from`](crate::Client::append_from).
pub fn read_from(reader: impl AsyncRead + Send + 'static) -> Source {
    let mut reader = Box::pin(reader);
    source_by(move |cx, into| reader.as_mut().poll_read(cx, into))
}
