use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use imap_proto_core::Time;
use imap_proto_core::client::{Source, TransportError, Wire, source_by};
use imap_proto_core::connect::{broken, read_or_end, write_parts};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Any tokio stream as a [`Wire`], with tokio's clock.
#[derive(Debug)]
pub struct TokioWire<S> {
    stream: S,
    began: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<S> TokioWire<S> {
    /// Takes a connected stream. The time of the connection begins now.
    pub fn new(stream: S) -> Self {
        Self::from_parts(Instant::now(), stream)
    }

    /// When the connection began, and its stream.
    pub fn into_parts(self) -> (Instant, S) {
        (self.began, self.stream)
    }

    /// A connection that began at that time, as when TLS is put over its stream.
    pub fn from_parts(began: Instant, stream: S) -> Self {
        TokioWire { stream, began, sleep: None }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire for TokioWire<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<Result<usize, TransportError>> {
        read_or_end(poll_read(Pin::new(&mut self.stream), cx, into))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, from: &[&[u8]]) -> Poll<Result<usize, TransportError>> {
        write_parts(from, |slices| Pin::new(&mut self.stream).poll_write_vectored(cx, slices))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Pin::new(&mut self.stream).poll_flush(cx).map_err(broken)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Pin::new(&mut self.stream).poll_shutdown(cx).map_err(broken)
    }

    fn now(&self) -> Time {
        self.began.elapsed()
    }

    fn poll_sleep_until(&mut self, cx: &mut Context<'_>, at: Time) -> Poll<()> {
        // What is to happen later than the clock can tell is not to happen.
        let Some(deadline) = self.began.checked_add(at) else { return Poll::Pending };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx)
    }
}

/// Makes the octets of a reader the source of [`Client::append_from`](crate::Client::append_from).
pub fn read_from(reader: impl AsyncRead + Send + 'static) -> Source {
    let mut reader = Box::pin(reader);
    source_by(move |cx, into| poll_read(reader.as_mut(), cx, into))
}

fn poll_read(reader: Pin<&mut impl AsyncRead>, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
    let mut buffer = ReadBuf::new(into);
    ready!(reader.poll_read(cx, &mut buffer))?;
    Poll::Ready(Ok(buffer.filled().len()))
}
