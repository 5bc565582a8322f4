use alloc::boxed::Box;
use alloc::string::ToString;
use core::pin::Pin;
use core::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

use super::Client;
use super::queue::{Call, Ticket};
use crate::error::{Error, SourceFailure};

/// The octets of a message, in pieces, from whoever has them.
pub type Source =
    Pin<Box<dyn Stream<Item = Result<Bytes, Box<dyn core::error::Error + Send + Sync>>> + Send + 'static>>;

/// The octets of one command on their way from their source to the driver.
pub(super) struct Feed {
    source: Source,
    /// How many are wanted now.
    wanted: u64,
    /// Why the command will be given up, where that is no cancelling.
    failure: Option<SourceFailure>,
}

impl Feed {
    pub(super) fn new(source: Source) -> Self {
        Feed { source, wanted: 0, failure: None }
    }

    /// The connection wants so many at most.
    pub(super) fn want(&mut self, max: u64) {
        self.wanted = max;
    }

    /// Gives the driver one piece for each time octets are wanted. Tells how many it gave.
    pub(super) fn poll(&mut self, client: &Client, ticket: Ticket, cx: &mut Context<'_>) -> u64 {
        while self.wanted > 0 {
            let problem = match self.source.as_mut().poll_next(cx) {
                Poll::Pending => return 0,
                Poll::Ready(Some(Ok(octets))) if octets.is_empty() => continue,
                Poll::Ready(Some(Ok(octets))) if octets.len() as u64 <= self.wanted => {
                    self.wanted = 0;
                    let given = octets.len() as u64;
                    // A driver that is gone has already said so.
                    let _ = client.calls().push(Call::Feed(Box::new((ticket, octets))));
                    return given;
                }
                Poll::Ready(Some(Err(error))) => SourceFailure::Read(error.to_string()),
                Poll::Ready(_) => SourceFailure::Length,
            };
            self.wanted = 0;
            self.failure = Some(problem);
            let _ = client.calls().push(Call::Abandon { ticket });
        }
        0
    }

    /// What a command that ended with `error` ended for: the failure of the source goes before what came of it.
    pub(super) fn blame(&mut self, error: Error) -> Error {
        let closed = error.is_fatal();
        self.failure.take().map(|failure| Error::Source { failure, closed }).unwrap_or(error)
    }
}
