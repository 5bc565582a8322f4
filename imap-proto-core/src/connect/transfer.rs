use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::Poll;

use crate::client::TransportError;

/// Parts of one vectored write.
const MOST_PARTS: usize = 32;

/// What a stream failed with, in the words of a [`Wire`](crate::client::Wire).
pub fn broken(error: io::Error) -> TransportError {
    Arc::new(error)
}

/// What a read has brought, in the words of a [`Wire`](crate::client::Wire).
///
/// TLS cut off without a `close_notify` is the end of the stream: what it cut off decides what that means.
///
/// # Errors
/// When the stream failed.
pub fn read_or_end(read: Poll<io::Result<usize>>) -> Poll<Result<usize, TransportError>> {
    match read {
        Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(0)),
        other => other.map_err(broken),
    }
}

/// Lends the parts to a vectored write, as many as it takes at once, and says what came of it in the words of a
/// [`Wire`](crate::client::Wire).
///
/// A stream that knows no vectored write takes the first part that is not empty.
///
/// # Errors
/// When the stream failed.
pub fn write_parts(
    parts: &[&[u8]],
    write: impl FnOnce(&[IoSlice<'_>]) -> Poll<io::Result<usize>>,
) -> Poll<Result<usize, TransportError>> {
    let mut slices = [IoSlice::new(&[]); MOST_PARTS];
    let count = parts.len().min(MOST_PARTS);
    for (slice, part) in slices.iter_mut().zip(parts) {
        *slice = IoSlice::new(part);
    }
    write(&slices[..count]).map_err(broken)
}
