use alloc::sync::Arc;
use core::task::{Context, Poll};

use crate::config::Time;

/// What a stream says when it fails: IO or TLS.
pub type TransportError = Arc<dyn core::error::Error + Send + Sync>;

/// A byte stream and a clock: all that a runtime has to bring.
///
/// Each method registers the waker of `cx` when it answers `Pending`, and only then. Nothing is lost
/// when a poll is not repeated: the state of the stream lives here, not in a future.
pub trait Wire: Unpin {
    /// Reads into `into`; zero bytes mean that the peer has closed.
    ///
    /// # Errors
    /// When the stream failed. It is not used afterwards.
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<Result<usize, TransportError>>;

    /// Writes from the front of `from`; zero bytes are taken for an end of the stream.
    ///
    /// # Errors
    /// When the stream failed. It is not used afterwards.
    fn poll_write(&mut self, cx: &mut Context<'_>, from: &[&[u8]]) -> Poll<Result<usize, TransportError>>;

    /// Sends what the stream holds back.
    ///
    /// # Errors
    /// When the stream failed. It is not used afterwards.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>>;

    /// Closes the writing side in good order.
    ///
    /// # Errors
    /// When the stream failed; it is closed all the same.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>>;

    /// The time since the connection began.
    fn now(&self) -> Time;

    /// Waits until `at`. A later call with another time replaces the earlier one.
    fn poll_sleep_until(&mut self, cx: &mut Context<'_>, at: Time) -> Poll<()>;
}
