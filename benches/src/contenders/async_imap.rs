//! async-imap: its client over a stream that is always ready.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use async_imap::Client;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::proto_values;
use crate::contender::{Contender, Counted, Depth, Touch};

/// A fresh client for each run; responses are taken below the commands, where they are neither sorted nor
/// sent through a channel.
pub struct AsyncImap;

impl Contender for AsyncImap {
    fn name(&self) -> &'static str {
        "async-imap"
    }

    fn depth(&self) -> Depth {
        Depth::Values
    }

    fn run(&mut self, bytes: &[u8], chunk: usize) -> Counted {
        let mut client = Client::new(Feed { bytes, chunk });
        let receive = pin!(async {
            let mut touch = Touch::default();
            let mut responses = 0;
            while let Some(response) = client.read_response().await.expect("async-imap gives up") {
                proto_values::touch(response.parsed(), &mut touch);
                responses += 1;
            }
            Counted { responses, touched: touch.0 }
        });
        match receive.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(counted) => counted,
            Poll::Pending => panic!("async-imap waits for a stream that is always ready"),
        }
    }
}

/// The octets of a corpus as a stream.
#[derive(Debug)]
struct Feed<'a> {
    bytes: &'a [u8],
    chunk: usize,
}

impl AsyncRead for Feed<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let length = self.bytes.len().min(self.chunk).min(buf.remaining());
        let (now, later) = self.bytes.split_at(length);
        buf.put_slice(now);
        self.bytes = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Feed<'_> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
