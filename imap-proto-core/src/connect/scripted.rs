//! Connecting on a runtime whose clock stands unless it is waited for, to addresses of which a test says what they do.

use std::boxed::Box;
use std::collections::BTreeSet;
use std::format;
use std::future::{Future, pending, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::string::{String, ToString};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::vec::Vec;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use super::{Connector, Opened, Route, Runtime, Secured};
use crate::client::{TransportError, Wire};
use crate::error::{Error, Phase};

#[derive(Clone, Copy, Debug)]
enum Does {
    /// Answers after so many milliseconds.
    Answers(u64),
    /// Refuses after so many.
    Refuses(u64),
    /// Says nothing at all.
    Nothing,
}

use Does::{Answers, Nothing, Refuses};

#[derive(Clone)]
struct Scripted(Arc<Mutex<State>>);

struct State {
    now: Duration,
    wakes: BTreeSet<Duration>,
    /// What a look-up tells, and what is there.
    host: Vec<(SocketAddr, Does)>,
    look_up: Duration,
    tried: Vec<(u128, Route)>,
    open: usize,
    /// The address of the stream that was taken.
    taken: Option<IpAddr>,
}

impl Scripted {
    fn new(host: &[(&str, Does)]) -> Self {
        let parse = |(ip, does): &(&str, Does)| (SocketAddr::new(ip.parse().expect("an address"), 993), *does);
        Scripted(Arc::new(Mutex::new(State {
            now: Duration::ZERO,
            wakes: BTreeSet::new(),
            host: host.iter().map(parse).collect(),
            look_up: Duration::ZERO,
            tried: Vec::new(),
            open: 0,
            taken: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics holding it")
    }

    /// Polls a future to its end, with the time going on when nothing else does.
    fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
            let mut state = self.state();
            state.now = state.wakes.pop_first().expect("it waits for nothing");
        }
    }

    /// When each address was tried, in milliseconds.
    fn tried(&self) -> String {
        let state = self.state();
        let tried: Vec<_> = state.tried.iter().map(|(at, route)| format!("{} {at}", route.to.ip())).collect();
        tried.join(", ")
    }

    async fn until(&self, at: Duration) {
        poll_fn(|_| {
            let mut state = self.state();
            if state.now >= at {
                return Poll::Ready(());
            }
            state.wakes.insert(at);
            Poll::Pending
        })
        .await;
    }
}

/// One attempt that was not given up.
struct Open(Scripted);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.state().open -= 1;
    }
}

struct Stream(IpAddr);

/// Greets, and says no more.
struct Greeting(&'static [u8]);

impl Runtime for Scripted {
    type Stream = Stream;
    type Wire = Greeting;
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.state().now
    }

    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send {
        self.until(self.now() + time)
    }

    async fn resolve(&self, _: String, _: u16) -> io::Result<Vec<SocketAddr>> {
        let look_up = self.state().look_up;
        self.sleep(look_up).await;
        Ok(self.state().host.iter().map(|(address, _)| *address).collect())
    }

    async fn connect(&self, route: Route) -> io::Result<Stream> {
        let to = route.to;
        let does = {
            let mut state = self.state();
            state.open += 1;
            let now = state.now.as_millis();
            state.tried.push((now, route));
            state.host.iter().find(|(address, _)| *address == to).map_or(Nothing, |(_, does)| *does)
        };
        let _open = Open(self.clone());
        match does {
            Nothing => pending().await,
            Answers(after) => self.sleep(Duration::from_millis(after)).await,
            Refuses(after) => {
                self.sleep(Duration::from_millis(after)).await;
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
        }
        Ok(Stream(to.ip()))
    }

    async fn secure(&self, _: Stream, _: Arc<ClientConfig>, _: ServerName<'static>) -> io::Result<Secured<Stream>> {
        pending().await
    }

    fn wire(&self, _: Duration, stream: Stream) -> Greeting {
        self.state().taken = Some(stream.0);
        Greeting(b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n")
    }

    fn take_apart(&self, _: Greeting) -> (Duration, Stream) {
        unreachable!("STARTTLS is not asked for")
    }
}

impl Wire for Greeting {
    fn poll_read(&mut self, _: &mut Context<'_>, into: &mut [u8]) -> Poll<Result<usize, TransportError>> {
        let said = core::mem::take(&mut self.0);
        into[..said.len()].copy_from_slice(said);
        if said.is_empty() { Poll::Pending } else { Poll::Ready(Ok(said.len())) }
    }

    fn poll_write(&mut self, _: &mut Context<'_>, from: &[&[u8]]) -> Poll<Result<usize, TransportError>> {
        Poll::Ready(Ok(from.iter().map(|part| part.len()).sum()))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn poll_sleep_until(&mut self, _: &mut Context<'_>, _: Duration) -> Poll<()> {
        Poll::Pending
    }
}

fn connector(scripted: &Scripted) -> Connector<Scripted> {
    Connector::on(scripted.clone(), "mail.example").plaintext().port(993)
}

/// What became of it: the address that was taken, and when.
fn open(scripted: &Scripted, connector: &Connector<Scripted>) -> Result<String, Error> {
    let opened: Result<Opened<Scripted>, Error> = scripted.run(connector.open());
    drop(opened?);
    let state = scripted.state();
    assert_eq!(state.open, 0, "the other attempts are given up");
    Ok(format!("{} {}", state.taken.expect("a stream was taken"), state.now.as_millis()))
}

#[test]
fn the_first_address_to_answer_is_taken_and_the_others_are_given_up() {
    for (host, tried, taken) in [
        (&[("::1", Answers(80)), ("127.0.0.1", Answers(10))][..], "::1 0", "::1 80"),
        // A hole: nobody waits for it longer than for a quarter of a second.
        (&[("::1", Nothing), ("127.0.0.1", Answers(20))], "::1 0, 127.0.0.1 250", "127.0.0.1 270"),
        (&[("127.0.0.1", Nothing), ("::1", Answers(20))], "127.0.0.1 0, ::1 250", "::1 270"),
        // What is slow may still win.
        (&[("::1", Answers(300)), ("127.0.0.1", Answers(90))], "::1 0, 127.0.0.1 250", "::1 300"),
        // A failure does not wait for its quarter of a second.
        (&[("::1", Refuses(30)), ("127.0.0.1", Answers(20))], "::1 0, 127.0.0.1 30", "127.0.0.1 50"),
        // Families take turns.
        (
            &[("::1", Nothing), ("::2", Nothing), ("127.0.0.1", Nothing), ("127.0.0.2", Answers(0))],
            "::1 0, 127.0.0.1 250, ::2 500, 127.0.0.2 750",
            "127.0.0.2 750",
        ),
        // One that fails while another is under way makes room for the next.
        (
            &[("::1", Nothing), ("127.0.0.1", Refuses(50)), ("127.0.0.2", Answers(10))],
            "::1 0, 127.0.0.1 250, 127.0.0.2 300",
            "127.0.0.2 310",
        ),
    ] {
        let scripted = Scripted::new(host);
        let found = open(&scripted, &connector(&scripted)).expect("one of them answers");
        assert_eq!((scripted.tried().as_str(), found.as_str()), (tried, taken), "{host:?}");
    }
}

#[test]
fn what_became_of_each_address_is_told() {
    let scripted = Scripted::new(&[("::1", Refuses(400)), ("127.0.0.1", Refuses(0))]);
    let error = open(&scripted, &connector(&scripted)).expect_err("all of them refuse");
    assert_eq!(
        error.to_string(),
        "connecting to mail.example:993: 127.0.0.1:993: connection refused; [::1]:993: connection refused"
    );
    let Error::Transport(error) = error else { panic!("{error:?}") };
    let error = error.downcast_ref::<io::Error>().expect("it is of IO");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);

    let scripted = Scripted::new(&[("::1", Refuses(0))]);
    let error = open(&scripted, &connector(&scripted)).expect_err("it refuses");
    assert_eq!(error.to_string(), "connecting to mail.example:993: connection refused");

    let error = open(&Scripted::new(&[]), &connector(&Scripted::new(&[]))).expect_err("there is nothing to try");
    assert_eq!(error.to_string(), "connecting to mail.example:993: the host has no address");
}

#[test]
fn the_time_to_connect_is_that_of_all_addresses_and_of_the_look_up() {
    let scripted = Scripted::new(&[("::1", Nothing), ("127.0.0.1", Nothing), ("127.0.0.2", Nothing)]);
    scripted.state().look_up = Duration::from_secs(2);
    let error = open(&scripted, &connector(&scripted).connect_within(Duration::from_secs(5))).expect_err("a hole");
    assert!(matches!(&error, Error::Unreachable { phase: Phase::Connect, server, .. } if server == "mail.example:993"));
    assert_eq!(
        (scripted.tried().as_str(), scripted.now().as_millis()),
        ("::1 2000, 127.0.0.1 2250, 127.0.0.2 2500", 5000)
    );
    assert_eq!(scripted.state().open, 0);
}

#[test]
fn every_address_has_its_turn_however_little_time_there_is() {
    let scripted = Scripted::new(&[("::1", Nothing), ("127.0.0.1", Nothing), ("127.0.0.2", Answers(20))]);
    let found = open(&scripted, &connector(&scripted).connect_within(Duration::from_millis(100)));
    assert_eq!(
        (scripted.tried().as_str(), found.expect("the last answers").as_str()),
        ("::1 0, 127.0.0.1 25, 127.0.0.2 50", "127.0.0.2 70")
    );
}

#[test]
fn an_address_is_dialled_as_it_is_and_from_where_it_is_said() {
    let scripted = Scripted::new(&[("::1", Answers(0)), ("127.0.0.1", Answers(0)), ("127.0.0.2", Answers(0))]);
    let named = connector(&scripted).address("127.0.0.2").tcp_keep_alive(Duration::from_secs(60));
    open(&scripted, &named).expect("it answers");
    let ours: IpAddr = "127.0.0.9".parse().expect("an address");
    open(&scripted, &connector(&scripted).local_address(ours)).expect("one of them answers");
    let state = scripted.state();
    let tried: Vec<_> = state.tried.iter().map(|(_, route)| (route.to.ip().to_string(), route.from)).collect();
    assert_eq!(tried, [("127.0.0.2".to_string(), None), ("127.0.0.1".to_string(), Some(ours))]);
    assert_eq!(state.tried[0].1.keep_alive, Some(Duration::from_secs(60)));
    drop(state);
    let theirs: IpAddr = "2001:db8::1".parse().expect("an address");
    let error = open(&scripted, &connector(&scripted).address("127.0.0.1").local_address(theirs));
    let error = error.expect_err("there is no way");
    assert!(error.to_string().ends_with("no address of the family of the local address"), "{error}");
}

#[test]
fn tls_has_a_time_of_its_own() {
    let scripted = Scripted::new(&[("::1", Answers(900))]);
    let connector = Connector::on(scripted.clone(), "mail.example").tls_within(Duration::from_secs(3));
    let error = open(&scripted, &connector).expect_err("nobody speaks TLS");
    assert!(matches!(error, Error::Unreachable { phase: Phase::Tls, .. }), "{error:?}");
    assert_eq!(scripted.now(), Duration::from_millis(3900));
}

#[test]
fn a_connector_is_shared_and_its_futures_are_sent_between_threads() {
    fn is_shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    fn is_sent<T: Send>(value: T) -> T {
        value
    }
    let scripted = Scripted::new(&[]);
    let connector = connector(&scripted);
    is_shared(&connector);
    drop(is_sent(connector.open()));
    drop(is_sent(connector.check_login()));
    drop::<Box<dyn Future<Output = Result<Opened<Scripted>, Error>> + Send + '_>>(Box::new(connector.open()));
}
