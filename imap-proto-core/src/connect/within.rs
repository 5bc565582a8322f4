use std::borrow::ToOwned;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::Runtime;
use crate::error::{Error, Phase};

/// Waits for something until its time is over.
pub(super) async fn within<R: Runtime, F: Future>(
    runtime: &R,
    patience: Duration,
    phase: Phase,
    server: &str,
    future: F,
) -> Result<F::Output, Error> {
    let (mut future, mut time) = (pin!(future), pin!(runtime.sleep(patience)));
    poll_fn(|cx| {
        if let Poll::Ready(done) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(done));
        }
        let over = time.as_mut().poll(cx);
        over.map(|()| Err(Error::Unreachable { phase, limit: patience, server: server.to_owned() }))
    })
    .await
}
