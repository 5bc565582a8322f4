use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use crate::client::{Driver, Wire};

/// Waits for something that needs the driver to be polled, before anybody else does so.
pub(super) async fn beside<W: Wire, F: Future>(driver: &mut Driver<W>, future: F) -> F::Output {
    let (mut future, mut is_over) = (pin!(future), false);
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(output);
        }
        // A driver that has ended is not polled again. It has answered all who wait, and woken them.
        is_over = is_over || Pin::new(&mut *driver).poll(cx).is_ready();
        Poll::Pending
    })
    .await
}
