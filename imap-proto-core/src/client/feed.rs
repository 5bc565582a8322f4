use alloc::boxed::Box;
use alloc::string::ToString;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;

use super::Client;
use super::queue::{Call, Ticket};
use crate::error::{Error, SourceFailure};

/// The octets of a message, in pieces, from whoever has them.
pub type Source =
    Pin<Box<dyn Stream<Item = Result<Bytes, Box<dyn core::error::Error + Send + Sync>>> + Send + 'static>>;

/// What is read at a time.
const CHUNK: usize = 32 << 10;

/// Makes a [`Source`] of a reader that is polled: of the adapters' `read_from`.
///
/// `read` puts octets into the slice and tells how many; zero is the end.
pub fn source_by<E>(read: impl FnMut(&mut Context<'_>, &mut [u8]) -> Poll<Result<usize, E>> + Send + 'static) -> Source
where
    E: Into<Box<dyn core::error::Error + Send + Sync>> + 'static,
{
    Box::pin(Reading { read: Box::new(read), chunk: BytesMut::new() })
}

struct Reading<R: ?Sized> {
    chunk: BytesMut,
    read: Box<R>,
}

impl<E, R> Stream for Reading<R>
where
    E: Into<Box<dyn core::error::Error + Send + Sync>>,
    R: FnMut(&mut Context<'_>, &mut [u8]) -> Poll<Result<usize, E>>,
{
    type Item = Result<Bytes, Box<dyn core::error::Error + Send + Sync>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Reading { chunk, read } = &mut *self;
        chunk.resize(CHUNK, 0);
        let count = ready!(read(cx, chunk)).map_err(Into::into)?;
        // A reader that says more than there is room for has not read it.
        let octets = chunk.split_to(count.min(CHUNK));
        chunk.clear();
        Poll::Ready((!octets.is_empty()).then(|| Ok(octets.freeze())))
    }
}

/// The octets of one command on their way from their source to the driver.
pub(super) struct Feed {
    source: Source,
    /// What it gave beyond the end of one message.
    rest: Bytes,
    /// Octets that are not fed yet, of all messages.
    owed: u64,
    /// How many are wanted now.
    wanted: u64,
    /// Why the command will be given up, where that is no cancelling.
    failure: Option<SourceFailure>,
}

impl Feed {
    /// One of so many octets.
    pub(super) fn new(source: Source, owed: u64) -> Self {
        Feed { source, rest: Bytes::new(), owed, wanted: 0, failure: None }
    }

    /// The connection wants so many at most.
    pub(super) fn want(&mut self, max: u64) {
        self.wanted = max;
    }

    /// Gives the driver one piece for each time octets are wanted. Tells how many it gave.
    pub(super) fn poll(&mut self, client: &Client, ticket: Ticket, cx: &mut Context<'_>) -> u64 {
        if self.wanted == 0 {
            return 0;
        }
        let Poll::Ready(piece) = self.poll_piece(cx) else { return 0 };
        self.wanted = 0;
        let (given, call) = match piece {
            Ok(octets) => (octets.len() as u64, Call::Feed(Box::new((ticket, octets)))),
            Err(failure) => {
                self.failure = Some(failure);
                (0, Call::Abandon { ticket })
            }
        };
        // A driver that is gone has already said so.
        let _ = client.calls().push(call);
        given
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, SourceFailure>> {
        while self.rest.is_empty() {
            match ready!(self.source.as_mut().poll_next(cx)) {
                Some(Ok(octets)) if octets.is_empty() => {
                    // A source may have nothing at once, for ever: others are to have their turn.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Ok(octets)) if octets.len() as u64 <= self.owed => self.rest = octets,
                Some(Err(error)) => return Poll::Ready(Err(SourceFailure::Read(error.to_string()))),
                _ => return Poll::Ready(Err(SourceFailure::Length)),
            }
        }
        let len = self.rest.len().min(usize::try_from(self.wanted).unwrap_or(usize::MAX));
        self.owed = self.owed.saturating_sub(len as u64);
        Poll::Ready(Ok(self.rest.split_to(len)))
    }

    /// What a command that ended with `error` ended for: the failure of the source goes before what came of it.
    pub(super) fn blame(&mut self, error: Error) -> Error {
        let closed = error.is_fatal();
        self.failure.take().map(|failure| Error::Source { failure, closed }).unwrap_or(error)
    }
}
