use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use imap_proto_core::Time;
use imap_proto_core::client::{TransportError, Wire};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Parts of one vectored write.
const MOST_PARTS: usize = 32;

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
        let mut buffer = ReadBuf::new(into);
        match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
            Ok(()) => Poll::Ready(Ok(buffer.filled().len())),
            // TLS cut off without a close_notify. What it cut off decides what that means.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(0)),
            Err(error) => Poll::Ready(Err(transport(error))),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, from: &[&[u8]]) -> Poll<Result<usize, TransportError>> {
        let stream = Pin::new(&mut self.stream);
        if from.len() == 1 || !stream.is_write_vectored() {
            return stream.poll_write(cx, from.first().copied().unwrap_or_default()).map_err(transport);
        }
        let mut slices = [IoSlice::new(&[]); MOST_PARTS];
        let count = from.len().min(MOST_PARTS);
        for (slice, part) in slices.iter_mut().zip(from) {
            *slice = IoSlice::new(part);
        }
        stream.poll_write_vectored(cx, &slices[..count]).map_err(transport)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Pin::new(&mut self.stream).poll_flush(cx).map_err(transport)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Pin::new(&mut self.stream).poll_shutdown(cx).map_err(transport)
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

pub(crate) fn transport(error: io::Error) -> TransportError {
    Arc::new(error)
}
