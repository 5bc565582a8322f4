use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::AsyncRead;
use imap_proto_core::client::BodyStream;

/// The octets of a section as a reader, for whatever takes one: `smol::io::copy` to a file, a decoder, a hash.
///
/// An error of the download is an [`io::Error`] with the [`Error`](crate::Error) in it, told by every read from then on: what was
/// cut short never looks complete. Dropped half-way, what was asked for is read over, two pieces at most, as with the
/// [`BodyStream`] it is made of.
///
/// ```no_run
/// use imap_async_std::{BodyReader, Mailbox, types::{Section, Uid}};
///
/// # async fn run(inbox: &Mailbox, uid: Uid) -> std::io::Result<()> {
/// let mut reader = BodyReader::new(inbox.body(uid, Section::whole()));
/// smol::io::copy(&mut reader, &mut smol::io::sink()).await?;
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
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        self.body.poll_read(cx, into).map_err(io::Error::other)
    }
}
