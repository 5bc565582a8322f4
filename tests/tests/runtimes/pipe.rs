//! A stream in memory, of tokio and of `futures-io`, with a session of the test server, or another peer, at its other end.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker, ready};

use imap_testserver::{Channel, Output, Session, TestServer};
use tokio::io::ReadBuf;

/// What one read brings and one write takes at the most: answers and commands come in pieces.
const GRAIN: usize = 1500;

/// Who is at the other end.
pub(crate) trait Peer: Send {
    /// Takes what the client has sent.
    fn receive(&mut self, bytes: &[u8]);

    /// Moves what it says behind the rest. True when it has closed.
    fn say(&mut self, out: &mut VecDeque<u8>) -> bool;

    /// True when it has more to say, which it looks for. The waker is woken when that changes by itself.
    fn has_more(&mut self, waker: &Waker) -> bool;
}

impl Peer for Session {
    fn receive(&mut self, bytes: &[u8]) {
        Session::receive(self, bytes);
    }

    fn say(&mut self, out: &mut VecDeque<u8>) -> bool {
        let mut closed = false;
        while let Some(output) = self.next_output() {
            match output {
                Output::Bytes(bytes) => out.extend(bytes),
                Output::Close => closed = true,
                other => panic!("nobody asked for {other:?}"),
            }
        }
        closed
    }

    fn has_more(&mut self, waker: &Waker) -> bool {
        self.watch(waker);
        self.look();
        self.has_output()
    }
}

/// Both the stream and what the test has of it.
#[derive(Clone)]
pub(crate) struct Pipe(Arc<Mutex<State>>);

struct State {
    peer: Box<dyn Peer>,
    out: VecDeque<u8>,
    /// Octets that the client has read.
    read: usize,
    /// Where a read ends, and the next one finds nothing at first.
    split: Option<usize>,
    /// Where nothing more comes, and then it ends.
    ends: Option<usize>,
    closed: bool,
    /// The client has closed its side.
    is_shut: bool,
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
        Self::to_peer(server.session(Channel::Clear))
    }

    pub(crate) fn to_peer(peer: impl Peer + 'static) -> Self {
        Pipe(Arc::new(Mutex::new(State {
            peer: Box::new(peer),
            out: VecDeque::new(),
            read: 0,
            split: None,
            ends: None,
            closed: false,
            is_shut: false,
            is_silent: false,
            cut: None,
            reader: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics holding it")
    }

    /// What is read comes in two parts, the first of so many octets.
    pub(crate) fn split_at(self, offset: usize) -> Self {
        self.state().split = Some(offset);
        self
    }

    /// The stream ends behind so many octets.
    pub(crate) fn end_at(self, offset: usize) -> Self {
        self.state().ends = Some(offset);
        self
    }

    /// How many octets the client has read.
    pub(crate) fn read(&self) -> usize {
        self.state().read
    }

    /// How many octets were said that the client has not read.
    pub(crate) fn unread(&self) -> usize {
        self.state().out.len()
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

    /// True when the client has closed its side in good order, and not only let it go.
    pub(crate) fn is_shut(&self) -> bool {
        self.state().is_shut
    }

    fn poll_read_some(&self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let state = &mut *self.state();
        loop {
            match state.cut {
                Some(Cut::End) => return Poll::Ready(Ok(0)),
                Some(Cut::Reset) => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                None => {}
            }
            state.closed |= state.peer.say(&mut state.out);
            if state.split == Some(state.read) {
                state.split = None;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if state.ends == Some(state.read) {
                return Poll::Ready(Ok(0));
            }
            if !state.is_silent && !state.out.is_empty() {
                let next = state.split.into_iter().chain(state.ends).filter(|at| *at > state.read).min();
                let most = next.map_or(GRAIN, |at| GRAIN.min(at - state.read));
                let count = into.len().min(state.out.len()).min(most);
                state.read += count;
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
            let has_more = state.peer.has_more(cx.waker());
            if state.is_silent || !has_more {
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
        state.peer.receive(&from[..count]);
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
        Ok(count)
    }

    fn close(&self) {
        let mut state = self.state();
        (state.closed, state.is_shut) = (true, true);
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
