//! Through proxies that run on threads of their own: to Dovecot with TLS, and refused by the proxy itself.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::spawn;
use std::time::Duration;

use imap_proto_core::connect::{Connector, LoginCheck, Proxy};
use imap_proto_core::{Credentials, Error, Phase, ProxyFailure};
use imap_tests::servers::{Dovecot, PASSWORD, Server};

use crate::harness::{Harness, PATIENCE, begun};

/// What a proxy does with those whose password is right; the others are refused.
#[derive(Clone, Copy, Debug)]
enum Does {
    /// Connects to that port of this machine, whatever the name.
    Connects(u16),
    Refuses,
    /// Says nothing to a connection.
    Nothing,
}

/// A proxy that tells which server it was asked for, and when a client has gone.
struct Played {
    port: u16,
    told: Receiver<String>,
}

type Serve = fn(&TcpStream, Does, &Sender<String>) -> io::Result<()>;

fn play(serve: Serve, does: Does) -> Played {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("it is bound").port();
    let (tell, told) = channel();
    spawn(move || {
        while let Ok((client, _)) = listener.accept() {
            let tell = tell.clone();
            spawn(move || {
                // A client that has gone is told of as well. Nobody may be left to hear it.
                let ended = serve(&client, does, &tell);
                let _ = client.shutdown(Shutdown::Both);
                let _ = tell.send(format!("gone: {}", ended.is_ok()));
            });
        }
    });
    Played { port, told }
}

/// RFC 1928, RFC 1929: alice with the password `open sesame`.
fn socks5(mut client: &TcpStream, does: Does, tell: &Sender<String>) -> io::Result<()> {
    let take = |count: usize| {
        let mut octets = vec![0; count];
        (&mut &*client).read_exact(&mut octets).map(|()| octets)
    };
    let count = take(2)?[1];
    if !take(count.into())?.contains(&2) {
        return client.write_all(&[5, 0xFF]);
    }
    client.write_all(&[5, 2])?;
    let user = take(2)?[1];
    let user = take(user.into())?;
    let password = take(1)?[0];
    if (user, take(password.into())?) != (b"alice".to_vec(), b"open sesame".to_vec()) {
        return client.write_all(&[1, 1]);
    }
    client.write_all(&[1, 0])?;
    let len = take(5)?[4];
    let name = String::from_utf8(take(len.into())?).expect("a name");
    let port = take(2)?;
    let _ = tell.send(format!("{name}:{}", u16::from_be_bytes([port[0], port[1]])));
    match does {
        Does::Connects(port) => {
            let server = TcpStream::connect(("127.0.0.1", port))?;
            client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0])?;
            carry(client, &server)
        }
        Does::Refuses => client.write_all(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]),
        Does::Nothing => until_gone(client),
    }
}

/// RFC 9110 §9.3.6, with the same login.
fn http(mut client: &TcpStream, does: Does, tell: &Sender<String>) -> io::Result<()> {
    let mut reader = BufReader::new(client);
    let mut next_line = || {
        let mut line = String::new();
        reader.read_line(&mut line).map(|_| line.trim_end().to_owned())
    };
    let asked = next_line()?;
    let mut is_let_in = false;
    loop {
        match next_line()?.as_str() {
            "" => break,
            "Proxy-Authorization: Basic YWxpY2U6b3BlbiBzZXNhbWU=" => is_let_in = true,
            _ => {}
        }
    }
    if !is_let_in {
        return client.write_all(b"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n");
    }
    let _ = tell.send(asked.split(' ').nth(1).unwrap_or_default().to_owned());
    match does {
        Does::Connects(port) => {
            let server = TcpStream::connect(("127.0.0.1", port))?;
            client.write_all(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n")?;
            carry(client, &server)
        }
        Does::Refuses => client.write_all(b"HTTP/1.1 403 Not there\r\nContent-Length: 0\r\n\r\n"),
        Does::Nothing => until_gone(client),
    }
}

/// Both directions, until each has ended.
fn carry(client: &TcpStream, server: &TcpStream) -> io::Result<()> {
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    let back = spawn(move || {
        let _ = io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Write);
    });
    // A reset is an end as well.
    let _ = io::copy(&mut &*client, &mut &*server);
    let _ = server.shutdown(Shutdown::Write);
    back.join().expect("it does not panic");
    Ok(())
}

fn until_gone(mut client: &TcpStream) -> io::Result<()> {
    // A reset is an end as well.
    let _ = io::copy(&mut client, &mut io::sink());
    Ok(())
}

type Make = fn(u16) -> Proxy;

const KINDS: [(Serve, Make); 2] =
    [(socks5, |port| Proxy::socks5("127.0.0.1", port)), (http, |port| Proxy::http("127.0.0.1", port))];

/// The name of the server means nothing here: whoever looks it up does not get there.
fn connector<H: Harness>(harness: H, proxy: Proxy) -> Connector<H::Runtime> {
    harness.connector("imap.example.invalid").proxy(proxy.credentials("alice", "open sesame"))
}

pub(crate) async fn at_dovecot<H: Harness>(harness: H) {
    let Some(server) = Dovecot::start() else { return };
    let root = server.ca_der().to_vec();
    for (serve, make) in KINDS {
        for (port, is_tls) in [(server.tls_port(), true), (server.plain_port(), false)] {
            let played = play(serve, Does::Connects(port));
            // The certificate is for `localhost`, and the name that the proxy is told is that of `address`.
            let connector = harness.connector("localhost").address("imap.example.invalid").root(root.clone().into());
            let connector = connector.credentials(Credentials::password("alice", PASSWORD));
            let connector = connector.proxy(make(played.port).credentials("alice", "open sesame"));
            let connector = if is_tls { connector } else { connector.starttls() };
            let client = connector.connect().await.expect("it goes through");
            client.select("INBOX").await.expect("an INBOX");
            client.logout().await.expect("it says goodbye");
            let asked = if is_tls { "imap.example.invalid:993" } else { "imap.example.invalid:143" };
            assert_eq!(played.told.recv_timeout(PATIENCE).as_deref(), Ok(asked));
            assert_eq!(played.told.recv_timeout(PATIENCE).as_deref(), Ok("gone: true"));
            let checked = connector.check_login().await;
            assert!(matches!(checked, LoginCheck::Accepted), "{checked:?}");

            // TLS is with the server, and of another name it is refused.
            let proxy = make(played.port).credentials("alice", "open sesame");
            let other = harness.connector("imap.example.invalid").root(root.clone().into()).proxy(proxy);
            let other = if is_tls { other } else { other.starttls() };
            let error = other.connect().await.expect_err("the certificate is not for it");
            assert!(matches!(error, Error::Transport(_)), "{error:?}");
            assert!(error.to_string().contains(" through the proxy "), "{error}");
        }
    }
}

fn failure<T>(result: Result<T, Error>) -> ProxyFailure {
    match result.err().expect("it fails") {
        Error::Proxy(error) => error.failure,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn refused<H: Harness>(harness: H) {
    for (serve, make) in KINDS {
        let played = play(serve, Does::Refuses);
        let refused = failure(connector(harness, make(played.port)).connect().await);
        assert!(matches!(refused, ProxyFailure::Refused { .. }), "{refused:?}");
        assert_eq!(played.told.recv_timeout(PATIENCE).as_deref(), Ok("imap.example.invalid:993"));
        for proxy in [make(played.port), make(played.port).credentials("alice", "another")] {
            let wrong = failure(harness.connector("imap.example.invalid").proxy(proxy).connect().await);
            assert!(matches!(wrong, ProxyFailure::Login { .. }), "{wrong:?}");
        }
        let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it is bound").port();
        let unreached = failure(connector(harness, make(nobody)).connect().await);
        assert!(matches!(unreached, ProxyFailure::Unreachable(_)), "{unreached:?}");
    }
}

pub(crate) async fn silent_or_dropped<H: Harness>(harness: H) {
    for (serve, make) in KINDS {
        let played = play(serve, Does::Nothing);
        let connector = connector(harness, make(played.port));
        let late = connector.clone().connect_within(Duration::from_millis(200)).connect().await;
        assert!(matches!(late, Err(Error::Unreachable { phase: Phase::Proxy, .. })), "{late:?}");
        let asked = |played: &Played| played.told.recv_timeout(PATIENCE).expect("it tells");
        // On a busy machine before it has asked for anything.
        while !asked(&played).starts_with("gone") {}

        let mut connecting: std::pin::Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(connector.connect());
        while played.told.try_recv().is_err() {
            assert!(begun(&mut connecting).await.is_pending());
            harness.sleep(Duration::from_millis(1)).await;
        }
        drop(connecting);
        assert_eq!(asked(&played), "gone: true", "its socket is closed");
    }
}
