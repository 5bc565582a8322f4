//! What a runtime brings: TLS that is cut off, over real sockets, and a runtime that is shut down while calls wait elsewhere.

use std::future::poll_fn;
use std::net::TcpListener as BlockingListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use imap_testserver::TestServer;
use imap_tokio::{Client, Closed, Connector, Credentials, Error, Mailbox};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use super::every_later_call_is_refused;
use super::pending::{Doing, EVERYTHING, Row, Waiting};

/// What a busy machine keeps; no limit of a connection is as short.
const IN_TIME: Duration = Duration::from_secs(20);

/// How a stream is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// It ends, without what TLS says at its end.
    End,
    /// It is reset.
    Reset,
}

/// What stands between a client and its server, and can hold the server's answers back.
struct Between {
    port: u16,
    holds: Arc<AtomicBool>,
    cut: Arc<Notify>,
}

impl Between {
    async fn start(server: std::net::SocketAddr, how: Cut) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let (holds, cut) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let (held, cutting) = (holds.clone(), cut.clone());
        tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.expect("a client");
            let mut server = TcpStream::connect(server).await.expect("the server listens");
            let (mut from_client, mut from_server) = (vec![0; 1 << 14], vec![0; 1 << 14]);
            loop {
                tokio::select! {
                    read = client.read(&mut from_client) => match read {
                        Ok(n) if n > 0 => server.write_all(&from_client[..n]).await.expect("the server reads"),
                        _ => return,
                    },
                    read = server.read(&mut from_server) => match read {
                        Ok(n) if n > 0 && !held.load(Ordering::Acquire) => {
                            client.write_all(&from_server[..n]).await.expect("the client reads");
                        }
                        Ok(n) if n > 0 => {}
                        _ => return,
                    },
                    () = cutting.notified() => break,
                }
            }
            if how == Cut::Reset {
                client.set_zero_linger().expect("it can be set");
            } else {
                client.shutdown().await.expect("it can be ended");
                // What the client still says is read, else closing would be a reset.
                while client.read(&mut from_client).await.is_ok_and(|n| n > 0) {}
            }
        });
        Between { port, holds, cut }
    }

    /// Connects through it and selects INBOX; from then on no answer comes.
    async fn connect(&self, connector: Connector) -> (Client, Mailbox) {
        let connector = connector.address("127.0.0.1").port(self.port);
        let client = connector.credentials(Credentials::password("alice", "secret")).connect().await;
        let client = client.expect("the server lets us in");
        let inbox = client.select("INBOX").await.expect("an INBOX");
        self.holds.store(true, Ordering::Release);
        (client, inbox)
    }
}

fn server() -> TestServer {
    let server = TestServer::builder().user("alice", "secret").mailbox("Other").mailbox("Drafts").start();
    server.mailbox("INBOX").deliver(&b"Subject: one\r\n\r\nand only\r\n"[..]);
    server
}

/// But for the second IDLE, what would end the connection or keep a thread busy, and what waits for something that was sent.
fn rows() -> impl Iterator<Item = &'static Row> {
    let others = ["logout", "IDLE", "APPEND from a source without end", "settle"];
    EVERYTHING.iter().filter(move |(name, _)| !others.contains(name))
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

/// Waits until all have ended, and returns what they ended with.
async fn ends(all: &mut [(&'static str, Doing)]) -> Vec<(&'static str, Result<(), Error>)> {
    let mut ended: Vec<_> = all.iter().map(|_| None).collect();
    let all_end = poll_fn(|cx| {
        for ((name, doing), ended) in all.iter_mut().zip(&mut ended).filter(|(_, ended)| ended.is_none()) {
            if let Poll::Ready(told) = doing.as_mut().poll(cx) {
                *ended = Some((*name, told));
            }
        }
        if ended.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    });
    let in_time = tokio::time::timeout(IN_TIME, all_end).await;
    let hung: Vec<_> = all.iter().zip(&ended).filter(|(_, ended)| ended.is_none()).map(|((name, _), _)| name).collect();
    assert!(in_time.is_ok(), "{hung:?} hang");
    ended.into_iter().flatten().collect()
}

#[test]
fn tls_that_is_cut_off_ends_all_that_waits() {
    for (how, tls) in [(Cut::End, true), (Cut::Reset, true), (Cut::End, false), (Cut::Reset, false)] {
        let is_cause = |error: &Error| match how {
            Cut::End => matches!(error, Error::Closed(Closed::EndOfStream)) && error.is_fatal(),
            Cut::Reset => matches!(error, Error::Transport(_)) && error.is_fatal(),
        };
        runtime().block_on(async {
            let server = server();
            let listener = if tls { server.listen_tls().await } else { server.listen_plain().await };
            let listener = listener.expect("a port");
            let between = Between::start(listener.address(), how).await;
            let connector = Connector::new("localhost").tls_config(server.client_tls().expect("a certificate"));
            let (client, inbox) = between.connect(if tls { connector } else { connector.plaintext() }).await;
            let mut all: Vec<_> = rows().map(|(name, begin)| (*name, begin(&client, &inbox))).collect();
            assert_eq!(poll_all_once(&mut all).await, Vec::<&str>::new());
            between.cut.notify_one();
            for (name, told) in ends(&mut all).await {
                assert!(matches!(&told, Err(error) if is_cause(error)), "{how:?} {tls} {name}: {told:?}");
            }
            every_later_call_is_refused(&client, &inbox, is_cause);
        });
    }
}

/// Begins all, and returns the names of those that ended.
async fn poll_all_once(all: &mut [(&'static str, Doing)]) -> Vec<&'static str> {
    poll_fn(|cx| {
        let ended = all.iter_mut().filter_map(|(name, doing)| doing.as_mut().poll(cx).is_ready().then_some(*name));
        Poll::Ready(ended.collect())
    })
    .await
}

#[test]
fn a_runtime_that_is_shut_down_ends_what_waits_elsewhere() {
    let (servers, clients) = (runtime(), runtime());
    let (between, _listener) = servers.block_on(async {
        let listener = server().listen_plain().await.expect("a port");
        (Between::start(listener.address(), Cut::End).await, listener)
    });
    let (client, inbox) = clients.block_on(between.connect(Connector::new("localhost").plaintext()));
    let mut all: Vec<_> = rows().map(|(name, begin)| Waiting::new(name, begin(&client, &inbox))).collect();
    for _ in 0..10 {
        for waiting in &mut all {
            let ended = waiting.look();
            assert!(ended.is_none(), "{} did not wait: {ended:?}", waiting.name);
        }
    }
    drop(clients);
    let is_cause = |error: &Error| matches!(error, Error::Closed(Closed::DriverGone)) && error.is_fatal();
    for waiting in &mut all {
        let told = waiting.look();
        assert!(matches!(&told, Some(Err(error)) if is_cause(error)), "{}: {told:?}", waiting.name);
    }
    every_later_call_is_refused(&client, &inbox, is_cause);
}

#[test]
fn a_runtime_that_is_shut_down_ends_a_connecting_that_waits_elsewhere() {
    let silent = BlockingListener::bind("127.0.0.1:0").expect("a free port");
    let port = silent.local_addr().expect("it is bound").port();
    for connector in [Connector::new("localhost"), Connector::new("localhost").plaintext()] {
        let clients = runtime();
        let connector = connector.address("127.0.0.1").port(port);
        let mut connecting = Waiting::new("connect", Box::pin(async move { connector.connect().await.map(drop) }));
        let within = clients.enter();
        assert!(connecting.look().is_none());
        let (peer, _) = silent.accept().expect("it connects");
        let ended = connecting.look();
        assert!(ended.is_none(), "{ended:?}");
        drop(within);
        drop(clients);
        let told = connecting.look();
        assert!(matches!(&told, Some(Err(error)) if error.is_fatal()), "{told:?}");
        drop(peer);
    }
}
