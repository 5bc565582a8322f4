//! A stream in memory, of tokio and of `futures-io`, with a session of the test server at its other end.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker, ready};

use imap_testserver::{Channel, Output, Session, TestServer};
use tokio::io::ReadBuf;

/// What one read brings and one write takes at the most: answers and commands come in pieces.
const GRAIN: usize = 1500;

/// Both the stream and what the test has of it.
#[derive(Clone)]
pub(crate) struct Pipe(Arc<Mutex<State>>);

struct State {
    session: Session,
    out: VecDeque<u8>,
    closed: bool,
    /// Nothing is said any more.
    is_silent: bool,
    cut: Option<Cut>,
    reader: Option<Waker>,
}

/// How a server goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    End,
    Reset,
}

impl Pipe {
    pub(crate) fn to(server: &TestServer) -> Self {
        Pipe(Arc::new(Mutex::new(State {
            session: server.session(Channel::Clear),
            out: VecDeque::new(),
            closed: false,
            is_silent: false,
            cut: None,
            reader: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics holding it")
    }

    /// The server says nothing from now on.
    pub(crate) fn silence(&self) {
        self.state().is_silent = true;
    }

    pub(crate) fn cut(&self, how: Cut) {
        let mut state = self.state();
        state.cut = Some(how);
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }

    /// True when the client has closed its side, or dropped it.
    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed || Arc::strong_count(&self.0) == 1
    }

    fn poll_read_some(&self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let state = &mut *self.state();
        loop {
            match state.cut {
                Some(Cut::End) => return Poll::Ready(Ok(0)),
                Some(Cut::Reset) => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                None => {}
            }
            while let Some(output) = state.session.next_output() {
                match output {
                    Output::Bytes(bytes) => state.out.extend(bytes),
                    Output::Close => state.closed = true,
                    other => panic!("nobody asked for {other:?}"),
                }
            }
            if !state.is_silent && !state.out.is_empty() {
                let count = into.len().min(state.out.len()).min(GRAIN);
                for (slot, byte) in into.iter_mut().zip(state.out.drain(..count)) {
                    *slot = byte;
                }
                return Poll::Ready(Ok(count));
            }
            if state.closed {
                return Poll::Ready(Ok(0));
            }
            // First the waker, then the look: nothing falls between them.
            state.reader = Some(cx.waker().clone());
            state.session.watch(cx.waker());
            state.session.look();
            if state.is_silent || !state.session.has_output() {
                return Poll::Pending;
            }
        }
    }

    fn write_some(&self, from: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        match state.cut {
            Some(Cut::Reset) => return Err(io::ErrorKind::BrokenPipe.into()),
            // It still takes what nobody reads.
            Some(Cut::End) => return Ok(from.len()),
            None => {}
        }
        let count = from.len().min(GRAIN);
        state.session.receive(&from[..count]);
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
        Ok(count)
    }

    fn close(&self) {
        self.state().closed = true;
    }
}

impl tokio::io::AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let count = ready!(self.poll_read_some(cx, into.initialize_unfilled()))?;
        into.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl tokio::io::AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write_some(from))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        Poll::Ready(Ok(()))
    }
}

impl futures_io::AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_read_some(cx, into)
    }
}

impl futures_io::AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write_some(from))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        Poll::Ready(Ok(()))
    }
}
