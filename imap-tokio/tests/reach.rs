//! What is said of a server that cannot be reached.

use std::pin::pin;
use std::time::Duration;

use imap_testserver::TestServer;
use imap_tokio::{Connector, Error, Phase};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

/// Nobody answers in the tests that wait for it.
const SHORT: Duration = Duration::from_millis(100);

fn connector(port: u16) -> Connector {
    Connector::new("mail.example").address("127.0.0.1").port(port).patience(SHORT)
}

async fn error(connector: Connector) -> Error {
    connector.connect().await.expect_err("it cannot be reached")
}

#[tokio::test]
async fn a_server_that_is_silent_is_named_with_its_port() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = silent.local_addr().expect("it is bound").port();
    let error = error(connector(port)).await;
    assert!(error.is_fatal());
    assert_eq!(
        error.to_string(),
        format!("mail.example at 127.0.0.1:{port} was not reached within 100ms, waiting for the TLS handshake")
    );
    assert!(matches!(error, Error::Unreachable { phase: Phase::Tls, .. }), "{error:?}");
}

#[tokio::test]
async fn a_port_that_takes_no_connection_is_named() {
    // Nobody accepts, and there is room for one or two who wait.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let full = socket.listen(1).expect("it listens");
    let address = full.local_addr().expect("it is bound");
    let mut waiting = Vec::new();
    while let Ok(connected) = tokio::time::timeout(SHORT, TcpStream::connect(address)).await {
        waiting.push(connected.expect("it is taken"));
    }
    let port = address.port();
    let error = error(Connector::new("127.0.0.1").port(port).plaintext().patience(SHORT)).await;
    assert_eq!(
        error.to_string(),
        format!("127.0.0.1:{port} was not reached within 100ms, waiting for the TCP connection")
    );
    assert!(matches!(error, Error::Unreachable { phase: Phase::Connect, .. }), "{error:?}");
}

#[tokio::test]
async fn what_fails_on_the_way_to_a_server_names_it() {
    let server = TestServer::builder().user("alice", "secret").start();
    let (plain, tls) = (server.listen_plain().await.expect("a port"), server.listen_tls().await.expect("a port"));
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("it is bound").port();
    let patient = |port| connector(port).patience(Duration::from_secs(60));
    for (connector, begins) in [
        (patient(free), format!("connecting to mail.example at 127.0.0.1:{free}: ")),
        (patient(plain.port()), format!("TLS with mail.example at 127.0.0.1:{} (a port for STARTTLS", plain.port())),
        // The certificate is of an authority that nobody knows.
        (patient(tls.port()), format!("TLS with mail.example at 127.0.0.1:{}: invalid peer certificate", tls.port())),
        (patient(plain.port()).starttls(), format!("TLS with mail.example at 127.0.0.1:{}: ", plain.port())),
        (
            Connector::new("no name").address("127.0.0.1").port(tls.port()),
            format!("TLS with no name at 127.0.0.1:{}: a certificate cannot be for \"no name\": ", tls.port()),
        ),
    ] {
        let error = error(connector).await;
        assert!(matches!(error, Error::Transport(_)), "{error:?}");
        assert!(error.to_string().starts_with(&begins), "{error} does not begin with {begins}");
    }
}

/// What a future ends with when `limit` has passed, and not a moment before. For a clock that stands unless it is waited for.
async fn after<T>(limit: Duration, future: impl Future<Output = Result<T, Error>>) -> Error {
    const MOMENT: Duration = Duration::from_millis(2);
    let (began, mut future) = (Instant::now(), pin!(future));
    assert!(timeout(limit - MOMENT, &mut future).await.is_err(), "it ended before {limit:?}");
    let Err(error) = future.await else { panic!("nobody answers") };
    assert!(began.elapsed() >= limit && began.elapsed() < limit + MOMENT, "{:?} for {limit:?}", began.elapsed());
    error
}

fn impatient() -> Connector {
    let seconds = Duration::from_secs;
    let connector = Connector::new("localhost").connect_within(seconds(11)).tls_within(seconds(13));
    connector.config(|config| {
        config.greeting = seconds(17);
        config.handshake = seconds(19);
        config.progress = seconds(23);
    })
}

#[tokio::test(start_paused = true)]
async fn tls_and_the_greeting_have_each_a_time_of_their_own() {
    let (stream, _silent) = tokio::io::duplex(1 << 16);
    let error = after(Duration::from_secs(13), impatient().open_over(stream)).await;
    assert!(matches!(error, Error::Unreachable { phase: Phase::Tls, .. }) && error.is_fatal(), "{error:?}");

    let (stream, _silent) = tokio::io::duplex(1 << 16);
    let error = after(Duration::from_secs(17), impatient().plaintext().open_over(stream)).await;
    assert!(matches!(error, Error::Timeout { phase: Phase::Greeting, .. }) && error.is_fatal(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn tls_after_starttls_has_its_own_time_too() {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

    let (stream, server) = tokio::io::duplex(1 << 16);
    tokio::spawn(async move {
        let mut server = BufReader::new(server);
        server.write_all(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n").await.expect("it is read");
        let mut line = String::new();
        server.read_line(&mut line).await.expect("a command");
        let tag = line.split(' ').next().expect("a tag");
        server.write_all(format!("{tag} OK go\r\n").as_bytes()).await.expect("it is read");
        std::future::pending::<()>().await;
    });
    let error = after(Duration::from_secs(13), impatient().starttls().open_over(stream)).await;
    assert!(matches!(error, Error::Unreachable { phase: Phase::Tls, .. }), "{error:?}");
}

#[tokio::test]
async fn tcp_has_a_time_of_its_own() {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let full = socket.listen(1).expect("it listens");
    let address = full.local_addr().expect("it is bound");
    let mut waiting = Vec::new();
    while let Ok(connected) = timeout(SHORT, TcpStream::connect(address)).await {
        waiting.push(connected.expect("it is taken"));
    }
    tokio::time::pause();
    let connector = impatient().address("127.0.0.1").port(address.port()).plaintext();
    let error = after(Duration::from_secs(11), connector.connect()).await;
    assert!(matches!(error, Error::Unreachable { phase: Phase::Connect, .. }) && error.is_fatal(), "{error:?}");
}
