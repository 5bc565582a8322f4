//! A host in memory that goes away, refuses and comes back as a test says, on tokio's clock.

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use imap_proto_core::connect::rustls::ClientConfig;
use imap_proto_core::connect::rustls::pki_types::ServerName;
use imap_proto_core::connect::{Connector, Route, Runtime, Secured, Spawn};
use imap_testserver::TestServer;
use imap_tokio::{Credentials, Duplex, Tokio, TokioWire};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::Instant;

/// What one attempt to connect comes to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    Serves,
    Refuses,
    /// Nobody answers.
    Hangs,
}

#[derive(Clone)]
pub(crate) struct Host(Arc<Mutex<State>>);

struct State {
    server: TestServer,
    next: VecDeque<Does>,
    then: Does,
    began: Instant,
    dialled: Vec<Duration>,
    /// Attempts that nobody has given up.
    dialling: usize,
    said: Vec<u8>,
    sessions: Vec<JoinHandle<io::Result<()>>>,
    tasks: usize,
}

impl Host {
    pub(crate) fn new(server: &TestServer) -> Self {
        Host(Arc::new(Mutex::new(State {
            server: server.clone(),
            next: VecDeque::new(),
            then: Does::Serves,
            began: Instant::now(),
            dialled: Vec::new(),
            dialling: 0,
            said: Vec::new(),
            sessions: Vec::new(),
            tasks: 0,
        })))
    }

    pub(crate) fn connector(&self) -> Connector<Host> {
        let connector = Connector::on(self.clone(), "mail.example").plaintext().address("127.0.0.1");
        connector.credentials(Credentials::password("alice", "secret"))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics holding it")
    }

    /// What the next attempts come to, and all after them.
    pub(crate) fn will(&self, next: impl IntoIterator<Item = Does>, then: Does) {
        let mut state = self.state();
        (state.next, state.then) = (next.into_iter().collect(), then);
    }

    /// All connections end without a word. On a runtime of one thread everybody has heard of it afterwards.
    pub(crate) async fn cut(&self) {
        let sessions = std::mem::take(&mut self.state().sessions);
        for session in sessions {
            session.abort();
            drop(session.await);
        }
        settle().await;
    }

    /// When it was dialled, in milliseconds.
    pub(crate) fn dialled(&self) -> Vec<u128> {
        self.state().dialled.iter().map(Duration::as_millis).collect()
    }

    /// Attempts that are under way, and tasks of the client's that have not ended.
    pub(crate) fn left(&self) -> (usize, usize) {
        let state = self.state();
        (state.dialling, state.tasks)
    }

    /// How often all clients together have said it.
    pub(crate) fn heard(&self, command: &str) -> usize {
        String::from_utf8_lossy(&self.state().said).matches(command).count()
    }
}

/// Lets every task run that can.
pub(crate) async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

/// One that is counted as long as it is there.
struct Counted(Host, fn(&mut State) -> &mut usize);

impl Counted {
    fn new(host: &Host, which: fn(&mut State) -> &mut usize) -> Self {
        *which(&mut host.state()) += 1;
        Counted(host.clone(), which)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        *(self.1)(&mut self.0.state()) -= 1;
    }
}

impl Runtime for Host {
    type Stream = Box<dyn Duplex>;
    type Wire = TokioWire<Box<dyn Duplex>>;
    type Instant = Instant;

    fn now(&self) -> Instant {
        Instant::now()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn resolve(&self, _: String, _: u16) -> io::Result<Vec<SocketAddr>> {
        unreachable!("an address is dialled")
    }

    async fn connect(&self, _: Route) -> io::Result<Box<dyn Duplex>> {
        let _dialling = Counted::new(self, |state| &mut state.dialling);
        let does = {
            let mut state = self.state();
            let at = state.began.elapsed();
            state.dialled.push(at);
            let then = state.then;
            state.next.pop_front().unwrap_or(then)
        };
        match does {
            Does::Refuses => Err(io::ErrorKind::ConnectionRefused.into()),
            Does::Hangs => pending().await,
            Does::Serves => {
                let (ours, theirs) = tokio::io::duplex(1 << 16);
                let server = self.state().server.clone();
                let session = tokio::spawn(async move { server.serve_stream(theirs).await });
                self.state().sessions.push(session);
                Ok(Box::new(Overheard { stream: ours, host: self.clone() }))
            }
        }
    }

    async fn secure(
        &self,
        _: Box<dyn Duplex>,
        _: Arc<ClientConfig>,
        _: ServerName<'static>,
    ) -> io::Result<Secured<Box<dyn Duplex>>> {
        unreachable!("it is in the clear")
    }

    fn wire(&self, began: Instant, stream: Box<dyn Duplex>) -> Self::Wire {
        Tokio.wire(began, stream)
    }

    fn take_apart(&self, wire: Self::Wire) -> (Instant, Box<dyn Duplex>) {
        Tokio.take_apart(wire)
    }
}

impl Spawn for Host {
    fn spawn(&self, future: impl Future<Output: Send + 'static> + Send + 'static) {
        let task = Counted::new(self, |state| &mut state.tasks);
        tokio::spawn(async move {
            let _task = task;
            drop(future.await);
        });
    }
}

/// A stream of which the host keeps what the client says.
struct Overheard {
    stream: DuplexStream,
    host: Host,
}

impl AsyncRead for Overheard {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Overheard {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, from);
        if let Poll::Ready(Ok(count)) = wrote {
            self.host.state().said.extend_from_slice(&from[..count]);
        }
        wrote
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
