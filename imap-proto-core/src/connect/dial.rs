use std::boxed::Box;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec::{self, Vec};

use super::failure::Failures;
use super::runtime::Pending;
use super::spans::not_reached;
use super::{Route, Runtime};

/// How long one attempt is alone before the next begins. RFC 8305 §5
const ALONE: Duration = Duration::from_millis(250);

/// Tries addresses one after the other, the next while the one before is still under way, and returns the stream of the
/// first that answers; the others are given up.
///
/// ```text
///  0 ms    first ───────────────────────────────► (nobody answers)
///  250 ms          second ──► refused
///  at once                    third ──► connected
/// ```
///
/// All of them have begun within `patience`.
pub(super) async fn dial<R: Runtime>(
    runtime: &R,
    routes: Vec<Route>,
    patience: Duration,
) -> Result<R::Stream, Failures> {
    let alone = ALONE.min(patience / u32::try_from(routes.len() + 1).unwrap_or(u32::MAX));
    let mut race = Race {
        runtime,
        alone,
        waiting: routes.into_iter(),
        attempts: Vec::new(),
        pause: None,
        failures: Failures::new(),
    };
    poll_fn(|cx| race.poll(cx)).await
}

struct Race<'a, R: Runtime> {
    runtime: &'a R,
    alone: Duration,
    waiting: vec::IntoIter<Route>,
    attempts: Vec<(SocketAddr, Pending<'a, std::io::Result<R::Stream>>)>,
    /// Until the next may begin, where it is not at once.
    pause: Option<Pending<'a, ()>>,
    failures: Failures,
}

impl<R: Runtime> Race<'_, R> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<R::Stream, Failures>> {
        loop {
            if let Some(stream) = self.poll_attempts(cx) {
                return Poll::Ready(Ok(stream));
            }
            if self.pause.as_mut().is_some_and(|pause| pause.as_mut().poll(cx).is_pending()) {
                return Poll::Pending;
            }
            self.pause = None;
            let Some(route) = self.waiting.next() else {
                let over = self.attempts.is_empty();
                return if over { Poll::Ready(Err(std::mem::take(&mut self.failures))) } else { Poll::Pending };
            };
            self.attempts.push((route.to, Box::pin(self.runtime.connect(route))));
            self.pause = Some(Box::pin(self.runtime.sleep(self.alone)));
        }
    }

    /// Returns the stream of the first that has one. Those that failed make room for the next.
    fn poll_attempts(&mut self, cx: &mut Context<'_>) -> Option<R::Stream> {
        let mut at = 0;
        while let Some((address, attempt)) = self.attempts.get_mut(at) {
            match attempt.as_mut().poll(cx) {
                Poll::Pending => at += 1,
                Poll::Ready(Ok(stream)) => return Some(stream),
                Poll::Ready(Err(error)) => {
                    not_reached(*address, &error);
                    self.failures.push((*address, error));
                    drop(self.attempts.remove(at));
                    self.pause = None;
                }
            }
        }
        None
    }
}
