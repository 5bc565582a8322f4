//! What is asked of sockets.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use imap_proto_core::Error;

use crate::harness::{Harness, begun};

/// Accepts one connection, looks at it, greets unless it is to be silent, and waits for its end.
fn accept<T: Send + 'static>(
    greeting: &'static [u8],
    look: impl FnOnce(&TcpStream) -> T + Send + 'static,
) -> (u16, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("it is bound").port();
    let thread = spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let seen = look(&stream);
        stream.write_all(greeting).expect("it is read");
        let mut rest = Vec::new();
        // A reset is an end as well.
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty(), "{rest:?}");
        seen
    });
    (port, thread)
}

const GREETING: &[u8] = b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n";

pub(crate) async fn local_address<H: Harness>(harness: H) {
    let ours = Ipv4Addr::new(127, 0, 0, 5);
    let (port, server) = accept(GREETING, client);
    let connector = harness.connector("127.0.0.1").plaintext().port(port);
    drop(connector.clone().local_address(ours).connect().await.expect("it greets"));
    assert_eq!(harness.joined(server).await, ours);
    // No address of this machine.
    let nowhere = connector.local_address(Ipv4Addr::new(192, 0, 2, 1)).connect().await;
    assert!(matches!(nowhere, Err(Error::Transport(_))), "{nowhere:?}");
}

fn client(stream: &TcpStream) -> IpAddr {
    stream.peer_addr().expect("it is connected").ip()
}

/// The kind of the timer that runs on the client's socket, as Linux tells it. Another socket, of a connection that is
/// over, may have had its port.
fn timer(stream: &TcpStream) -> String {
    let [ours, theirs] = [stream.local_addr(), stream.peer_addr()].map(|end| end.expect("it is connected").port());
    let sockets = fs::read_to_string("/proc/net/tcp").expect("Linux tells of its sockets");
    let fields = |line: &str| -> Vec<String> { line.split_whitespace().map(str::to_owned).collect() };
    let ends = [theirs, ours].map(|port| format!(":{port:04X}"));
    let is_it = |fields: &Vec<String>| fields[1].ends_with(&ends[0]) && fields[2].ends_with(&ends[1]);
    let socket = sockets.lines().map(fields).find(|fields| is_it(fields) && fields[3] == "01");
    socket.expect("it is there")[5][..2].to_owned()
}

pub(crate) async fn keep_alive<H: Harness>(harness: H) {
    for (keep_alive, expected) in [(None, "00"), (Some(Duration::from_secs(120)), "02")] {
        let (port, server) = accept(GREETING, timer);
        let mut connector = harness.connector("127.0.0.1").plaintext().port(port);
        if let Some(silence) = keep_alive {
            connector = connector.tcp_keep_alive(silence);
        }
        drop(connector.connect().await.expect("it greets"));
        assert_eq!(harness.joined(server).await, expected, "{keep_alive:?}");
    }
}

/// Where `localhost` is an address of IPv6 too, nobody listens there.
pub(crate) async fn several_addresses<H: Harness>(harness: H) {
    let (port, server) = accept(GREETING, client);
    drop(harness.connector("localhost").plaintext().port(port).connect().await.expect("one of them answers"));
    assert_eq!(harness.joined(server).await, Ipv4Addr::LOCALHOST);
    let refused = harness.connector("localhost").plaintext().port(port).connect().await.expect_err("nobody is there");
    let text = refused.to_string();
    assert!(text.starts_with(&format!("connecting to localhost:{port}: ")) && text.contains("refused"), "{text}");
    let unknown = harness.connector("imap.example.invalid").connect().await.expect_err("there is no such host");
    assert!(matches!(unknown, Error::Transport(_)), "{unknown:?}");
    assert!(unknown.to_string().starts_with("connecting to imap.example.invalid:993: "), "{unknown}");
}

pub(crate) async fn dropped<H: Harness>(harness: H) {
    let is_there = Arc::new(AtomicBool::new(false));
    let told = is_there.clone();
    let (port, server) = accept(b"", move |_| told.store(true, Ordering::Release));
    let connector = harness.connector("127.0.0.1").plaintext().port(port);
    let mut connecting: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(connector.connect());
    while !is_there.load(Ordering::Acquire) {
        assert!(begun(&mut connecting).await.is_pending());
        harness.sleep(Duration::from_millis(1)).await;
    }
    drop(connecting);
    // The server has read the end.
    harness.joined(server).await;
}
