use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use imap_proto_core::client::Source;
use tokio::io::{AsyncRead, ReadBuf};

/// What is read at a time.
const CHUNK: usize = 32 << 10;

/// Makes the octets of a reader the source of [`Client::append_from`](crate::Client::append_from).
pub fn read_from(reader: impl AsyncRead + Send + 'static) -> Source {
    Box::pin(ReadFrom { reader: Box::pin(reader) })
}

struct ReadFrom<R> {
    reader: Pin<Box<R>>,
}

impl<R: AsyncRead> futures_core::Stream for ReadFrom<R> {
    type Item = Result<Bytes, Box<dyn std::error::Error + Send + Sync>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut chunk = BytesMut::zeroed(CHUNK);
        let mut buffer = ReadBuf::new(&mut chunk);
        ready!(self.reader.as_mut().poll_read(cx, &mut buffer))?;
        let filled = buffer.filled().len();
        chunk.truncate(filled);
        Poll::Ready((filled > 0).then(|| Ok(chunk.freeze())))
    }
}
