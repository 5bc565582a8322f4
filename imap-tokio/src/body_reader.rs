use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use imap_proto_core::client::BodyStream;
use tokio::io::{AsyncRead, ReadBuf};

/// The octets of a section as a reader, for whatever takes one: `tokio::io::copy` to a file, a decoder, a hash.
///
/// An error of the download is an [`io::Error`] with the [`Error`](crate::Error) in it, told by every read from then on: what was
/// cut short never looks complete. Dropped half-way, what was asked for is read over, two pieces at most, as with the
/// [`BodyStream`] it is made of.
///
/// ```no_run
/// use imap_tokio::{BodyReader, Mailbox, types::{Section, Uid}};
///
/// # async fn run(inbox: &Mailbox, uid: Uid) -> std::io::Result<()> {
/// let mut reader = BodyReader::new(inbox.body(uid, Section::whole()));
/// tokio::io::copy(&mut reader, &mut tokio::io::sink()).await?;
/// assert!(reader.existed());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is fetched unless it is read"]
pub struct BodyReader {
    body: BodyStream,
}

impl BodyReader {
    /// Reads what the stream has left.
    pub fn new(body: BodyStream) -> Self {
        BodyReader { body }
    }

    /// True once the server gave the section, be it empty.
    pub fn existed(&self) -> bool {
        self.body.existed()
    }
}

impl From<BodyStream> for BodyReader {
    fn from(body: BodyStream) -> Self {
        BodyReader::new(body)
    }
}

impl AsyncRead for BodyReader {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let count = ready!(self.body.poll_read(cx, into.initialize_unfilled())).map_err(io::Error::other)?;
        into.advance(count);
        Poll::Ready(Ok(()))
    }
}
