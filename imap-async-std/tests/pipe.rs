//! The client over an in-memory pipe of `futures-io`, to the strict server.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{Thread, current, park_timeout};
use std::time::{Duration, Instant};

use futures_io::{AsyncRead, AsyncWrite};
use imap_async_std::command::Append;
use imap_async_std::types::{FetchItems, MailboxName, Query, Section, Uid, UidSet};
use imap_async_std::{
    Client, Config, Credentials, Error, FuturesWire, Handshake, Phase, Security, Shaken, Wire, shake_hands,
};
use imap_tests::strict::{Options, StrictServer};

/// A stream whose other end is a server, so many bytes at a time.
#[derive(Clone)]
struct Pipe(Rc<RefCell<State>>);

struct State {
    server: Option<StrictServer>,
    grain: usize,
    reader: Option<Waker>,
    closed: bool,
    fails: bool,
}

impl Pipe {
    fn new(server: Option<StrictServer>, grain: usize) -> Self {
        Pipe(Rc::new(RefCell::new(State { server, grain, reader: None, closed: false, fails: false })))
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.borrow_mut();
        if state.fails {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let most = into.len().min(state.grain);
        let bytes = state.server.as_mut().map(|server| server.take_some(most)).unwrap_or_default();
        if bytes.is_empty() {
            if state.closed || state.server.as_ref().is_some_and(StrictServer::closed) {
                return Poll::Ready(Ok(0));
            }
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        into[..bytes.len()].copy_from_slice(&bytes);
        Poll::Ready(Ok(bytes.len()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.borrow_mut();
        let n = from.len().min(state.grain);
        if let Some(server) = &mut state.server {
            server.receive(&from[..n]);
        }
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(n))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.borrow_mut().closed = true;
        Poll::Ready(Ok(()))
    }
}

/// A timer that looks at the clock each time it is polled, as the executor below does in short steps.
async fn sleep(until: Instant) {
    poll_fn(|_| if Instant::now() >= until { Poll::Ready(()) } else { Poll::Pending }).await;
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Arc::new(Unpark(current())).into();
    let (mut future, mut cx) = (pin!(future), Context::from_waker(&waker));
    let began = Instant::now();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it hangs");
        park_timeout(Duration::from_millis(5));
    }
}

async fn connect(pipe: Pipe, config: Config) -> Result<(Client, impl Future), Error> {
    let login = Credentials::password("alice", "secret");
    let handshake = Handshake::new(config, Security::Plaintext, Some(login));
    match shake_hands(FuturesWire::new(pipe, sleep), Box::new(handshake)).await? {
        Shaken::Ready(client, driver) => Ok((client, driver)),
        Shaken::Tls(..) | Shaken::Again(_) => panic!("nobody asked for TLS or a token"),
    }
}

/// Polls the driver beside what is done with it.
async fn beside<T>(driver: impl Future, work: impl Future<Output = T>) -> T {
    let (mut driver, mut work, mut over) = (pin!(driver), pin!(work), false);
    poll_fn(|cx| {
        if !over {
            over = driver.as_mut().poll(cx).is_ready();
        }
        work.as_mut().poll(cx)
    })
    .await
}

#[test]
fn a_session_is_had_whatever_the_pipe_takes_at_a_time() {
    for grain in [1, 7, usize::MAX] {
        let pipe = Pipe::new(Some(StrictServer::new(Options::default())), grain);
        let end = pipe.clone();
        block_on(async {
            let (client, driver) = connect(pipe, Config::default()).await.expect("the server lets us in");
            beside(driver, session(client)).await;
        });
        let state = end.0.borrow();
        assert!(state.closed, "the writing side is closed in good order");
        assert_eq!(state.server.as_ref().map(StrictServer::violations), Some(&[][..]));
    }
}

async fn session(client: Client) {
    let message = b"Subject: hello\r\n\r\nworld\r\n";
    let append = Append::new(MailboxName::inbox(), &message[..]);
    client.append(append).await.expect("it is stored");
    let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
    let last = Uid::new(inbox.exists()).expect("a message is there");
    assert_eq!(inbox.search(Query::all()).await.expect("it searches").len(), inbox.exists().into());
    // A stream that is dropped after its first message.
    let mut messages = inbox.fetch(UidSet::all(), FetchItems::ids().flags());
    assert!(messages.try_next().await.expect("it is told").is_some());
    drop(messages);
    let mut body = inbox.body(last, Section::whole());
    let mut octets = Vec::new();
    while let Some(more) = body.try_next().await.expect("it comes to its end") {
        octets.extend_from_slice(&more);
    }
    assert_eq!(octets, message);
    client.logout().await.expect("it says goodbye");
}

#[test]
fn a_server_that_says_nothing_is_given_up_by_the_callers_timer() {
    let mut config = Config::default();
    config.greeting = Duration::from_millis(60);
    let result = block_on(connect(Pipe::new(None, 1), config));
    assert!(matches!(result, Err(Error::Timeout { phase: Phase::Greeting, .. })), "{:?}", result.err());
}

#[test]
fn a_failure_of_the_stream_is_told_as_it_is() {
    let pipe = Pipe::new(None, 1);
    pipe.0.borrow_mut().fails = true;
    let result = block_on(connect(pipe, Config::default()));
    let Err(Error::Transport(error)) = result else { panic!("{:?}", result.err()) };
    let error = error.downcast_ref::<io::Error>().expect("it is the error of the stream");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[test]
fn one_timer_is_made_for_one_instant() {
    let made = Arc::new(AtomicUsize::new(0));
    let counted = made.clone();
    let timer = move |until| {
        counted.fetch_add(1, Ordering::Relaxed);
        Box::pin(sleep(until))
    };
    let mut wire = FuturesWire::new(Pipe::new(None, 1), timer);
    let mut cx = Context::from_waker(Waker::noop());
    let hour = Duration::from_secs(3600);
    for (at, expected) in [(hour, 1), (hour, 1), (2 * hour, 2), (2 * hour, 2), (hour, 3)] {
        assert!(wire.poll_sleep_until(&mut cx, at).is_pending());
        assert_eq!(made.load(Ordering::Relaxed), expected);
    }
    assert!(wire.poll_sleep_until(&mut cx, Duration::MAX).is_pending());
    assert!(wire.poll_sleep_until(&mut cx, Duration::ZERO).is_ready());
    assert!(wire.poll_sleep_until(&mut cx, Duration::ZERO).is_ready());
}
