//! A runtime for tests whose clock stands unless it is waited for, and whose streams lead to peers that a test plays.

use std::boxed::Box;
use std::collections::{BTreeSet, VecDeque};
use std::format;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::string::{String, ToString};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use std::vec;
use std::vec::Vec;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use super::{Connector, Route, Runtime, Secured, TlsFacts};
use crate::client::{TransportError, Wire};

/// What a peer does about what it hears; at first it hears nothing.
pub(super) enum Does {
    Says(Vec<u8>),
    /// Says it, and closes.
    Closes(Vec<u8>),
}

pub(super) type Peer = Box<dyn FnMut(&[u8]) -> Does + Send>;

/// Whoever listens, by the address.
type Listens = dyn Fn(SocketAddr) -> io::Result<Peer> + Send + Sync;

#[derive(Clone)]
pub(super) struct Stage {
    state: Arc<Mutex<State>>,
    listens: Arc<Listens>,
    /// What becomes of TLS: nothing is encrypted where it succeeds.
    tls: Option<fn() -> io::Error>,
    /// Octets of one read.
    chunk: usize,
    /// Octets of a peer, behind which it says nothing.
    silent_after: usize,
}

#[derive(Default)]
struct State {
    now: Duration,
    wakes: BTreeSet<Duration>,
    looked_up: Vec<String>,
    tls_with: Vec<String>,
    open: usize,
    heard: Vec<u8>,
}

impl Stage {
    pub(super) fn new(listens: impl Fn(SocketAddr) -> io::Result<Peer> + Send + Sync + 'static) -> Self {
        Stage {
            state: Arc::default(),
            listens: Arc::new(listens),
            tls: None,
            chunk: usize::MAX,
            silent_after: usize::MAX,
        }
    }

    /// A server that answers each command by its first words, the tag left out, as a table has it: `%` is the tag, an empty key
    /// the greeting, and what is not in it is `OK`. `<` at the end closes.
    pub(super) fn imap(table: &'static [(&'static str, &'static str)]) -> Self {
        Self::new(move |_| Ok(imap(table)))
    }

    pub(super) fn tls_fails(mut self, with: fn() -> io::Error) -> Self {
        self.tls = Some(with);
        self
    }

    pub(super) fn in_chunks(mut self, chunk: usize) -> Self {
        self.chunk = chunk;
        self
    }

    /// Each peer says so many octets and no more.
    pub(super) fn silent_after(mut self, octets: usize) -> Self {
        self.silent_after = octets;
        self
    }

    pub(super) fn connector(&self) -> Connector<Stage> {
        Connector::on(self.clone(), "mail.example")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics holding it")
    }

    pub(super) fn looked_up(&self) -> Vec<String> {
        self.state().looked_up.clone()
    }

    pub(super) fn tls_with(&self) -> Vec<String> {
        self.state().tls_with.clone()
    }

    /// Streams that are still there.
    pub(super) fn open(&self) -> usize {
        self.state().open
    }

    /// All that peers were told.
    pub(super) fn heard(&self) -> String {
        String::from_utf8_lossy(&self.state().heard).into_owned()
    }

    /// Polls a future to its end, with the time going on when nothing else does.
    pub(super) fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(woken.clone());
        let mut cx = Context::from_waker(&waker);
        loop {
            while woken.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                    return output;
                }
            }
            let mut state = self.state();
            state.now = state.wakes.pop_first().expect("it waits for nothing");
            woken.0.store(true, Ordering::Relaxed);
        }
    }

    /// Polls a future until it waits for something other than itself.
    pub(super) fn run_until_it_waits<F: Future>(&self, future: &mut std::pin::Pin<Box<F>>) -> bool {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(woken.clone());
        let mut cx = Context::from_waker(&waker);
        while woken.0.swap(false, Ordering::Relaxed) {
            if future.as_mut().poll(&mut cx).is_ready() {
                return false;
            }
        }
        true
    }

    fn poll_until(&self, at: Duration) -> Poll<()> {
        let mut state = self.state();
        if state.now >= at {
            return Poll::Ready(());
        }
        state.wakes.insert(at);
        Poll::Pending
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(super) fn imap(table: &'static [(&'static str, &'static str)]) -> Peer {
    let find = move |line: &str| table.iter().find(|(key, _)| !key.is_empty() && line.starts_with(key));
    let greeting = table.iter().find(|(key, _)| key.is_empty()).map_or("", |(_, greeting)| greeting);
    let (mut begins, mut held) = (true, Vec::new());
    Box::new(move |octets| {
        let mut says = String::new();
        if std::mem::take(&mut begins) {
            says.push_str(greeting);
        }
        held.extend_from_slice(octets);
        while let Some(end) = held.windows(2).position(|pair| pair == b"\r\n") {
            let line: Vec<u8> = held.drain(..end + 2).collect();
            let line = String::from_utf8(line).expect("clear text");
            let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
            let answer = find(command).map_or("% OK done\r\n", |(_, answer)| answer);
            says.push_str(&answer.replace('%', tag));
        }
        match says.strip_suffix('<') {
            Some(last) => Does::Closes(last.as_bytes().to_vec()),
            None => Does::Says(says.into_bytes()),
        }
    })
}

pub(super) struct Stream {
    stage: Stage,
    peer: Peer,
    inbox: VecDeque<u8>,
    is_closed: bool,
    reader: Option<Waker>,
    read: usize,
}

impl Stream {
    fn tell(&mut self, octets: &[u8]) {
        self.stage.state().heard.extend_from_slice(octets);
        if self.is_closed {
            return;
        }
        let (Does::Says(says) | Does::Closes(says)) = &match (self.peer)(octets) {
            Does::Closes(says) => {
                self.is_closed = true;
                Does::Closes(says)
            }
            says => says,
        };
        self.inbox.extend(says);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.stage.state().open -= 1;
    }
}

pub(super) struct StageWire {
    began: Duration,
    stream: Stream,
}

impl Runtime for Stage {
    type Stream = Stream;
    type Wire = StageWire;
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.state().now
    }

    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send {
        let at = self.now() + time;
        poll_fn(move |_| self.poll_until(at))
    }

    async fn resolve(&self, host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.state().looked_up.push(format!("{host}:{port}"));
        Ok(vec![SocketAddr::from(([192, 0, 2, 1], port))])
    }

    async fn connect(&self, route: Route) -> io::Result<Stream> {
        let peer = (self.listens)(route.to)?;
        self.state().open += 1;
        let mut stream =
            Stream { stage: self.clone(), peer, inbox: VecDeque::new(), is_closed: false, reader: None, read: 0 };
        stream.tell(b"");
        Ok(stream)
    }

    async fn secure(
        &self,
        stream: Stream,
        _: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> io::Result<Secured<Stream>> {
        self.state().tls_with.push(name.to_str().to_string());
        match self.tls {
            Some(error) => Err(error()),
            None => Ok(Secured { stream, tls: TlsFacts { exporter: None, end_certificate: None } }),
        }
    }

    fn wire(&self, began: Duration, stream: Stream) -> StageWire {
        StageWire { began, stream }
    }

    fn take_apart(&self, wire: StageWire) -> (Duration, Stream) {
        (wire.began, wire.stream)
    }
}

impl Wire for StageWire {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<Result<usize, TransportError>> {
        let stream = &mut self.stream;
        let left = stream.stage.silent_after.saturating_sub(stream.read);
        let count = stream.inbox.len().min(into.len()).min(stream.stage.chunk).min(left);
        stream.read += count;
        if count == 0 && !stream.is_closed {
            stream.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        for (into, octet) in into.iter_mut().zip(stream.inbox.drain(..count)) {
            *into = octet;
        }
        Poll::Ready(Ok(count))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, from: &[&[u8]]) -> Poll<Result<usize, TransportError>> {
        let octets = from.concat();
        self.stream.tell(&octets);
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn now(&self) -> Duration {
        self.stream.stage.now().saturating_sub(self.began)
    }

    fn poll_sleep_until(&mut self, _: &mut Context<'_>, at: Duration) -> Poll<()> {
        self.stream.stage.poll_until(self.began + at)
    }
}
