use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, ReadBuf};

use super::Random;

/// A reader that gives pieces of random sizes, and often has nothing yet.
pub(super) struct Hesitant {
    octets: Bytes,
    random: Random,
}

impl Hesitant {
    pub(super) fn new(octets: Bytes, random: Random) -> Self {
        Hesitant { octets, random }
    }
}

impl AsyncRead for Hesitant {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        if self.random.one_in(3) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let most = 1 + self.random.below(16 << 10);
        let len = most.min(into.remaining()).min(self.octets.len());
        into.put_slice(&self.octets[..len]);
        self.octets.advance(len);
        Poll::Ready(Ok(()))
    }
}
