//! What a script does, seen at the session itself.

use std::time::Duration;

use imap_testserver::{Channel, Fault, Output, Point, Refusal, Script, Session, TestServer};

fn begin(script: Script) -> Session {
    let server = TestServer::builder().start();
    let mut session = server.session(Channel::Clear);
    while session.next_output().is_some() {}
    server.misbehave(script);
    session
}

/// What comes of it, as text.
fn said(session: &mut Session, sent: &str) -> String {
    session.receive(sent.as_bytes());
    let outputs = std::iter::from_fn(|| session.next_output());
    let shown = outputs.map(|output| match output {
        Output::Bytes(bytes) => bytes.escape_ascii().to_string(),
        Output::Pause(time) => format!("<{time:?}>"),
        Output::StartTls => "<tls>".to_owned(),
        Output::Close => "<close>".to_owned(),
    });
    shown.collect::<Vec<_>>().join("|")
}

#[test]
fn each_fault_shows() {
    let refuse = |with| Fault::Refuse { command: "noop".to_owned(), with, text: "[X] no".to_owned() };
    for (fault, sent, expected) in [
        (refuse(Refusal::No), "A NOOP\r\nB NOOP\r\n", "A NO [X] no\\r\\n|B OK Done\\r\\n"),
        (refuse(Refusal::Bad), "A NOOP\r\n", "A BAD [X] no\\r\\n"),
        (Fault::no("SELECT", "no"), "A SELECT {5}\r\nB NOOP\r\n", "A NO no\\r\\n|B OK Done\\r\\n"),
        (
            Fault::no("UID FETCH", "no"),
            "A FETCH 1 UID\r\nB UID FETCH 1 UID\r\n",
            "A BAD Log in first\\r\\n|B NO no\\r\\n",
        ),
        (Fault::bye("NOOP", "bye"), "A NOOP\r\nB NOOP\r\n", "* BYE bye\\r\\n|<close>"),
        (Fault::Close(Point::Before("NOOP".to_owned())), "A NOOP\r\n", "<close>"),
        (Fault::Close(Point::After("NOOP".to_owned())), "A NOOP\r\n", "<close>"),
        (Fault::Close(Point::Continuation), "A LOGIN {5}\r\n", "<close>"),
        (Fault::Insert(b"odd".to_vec()), "A NOOP\r\nB NOOP\r\n", "odd\\r\\nA OK Done\\r\\n|B OK Done\\r\\n"),
        (Fault::Split(6), "A NOOP\r\n", "A OK D|one\\r\\n"),
        (Fault::Delay(Duration::from_millis(5)), "A NOOP\r\nB NOOP\r\n", "<5ms>|A OK Done\\r\\n|<5ms>|B OK Done\\r\\n"),
    ] {
        let shown = format!("{fault:?}");
        assert_eq!(said(&mut begin(Script::new().with(fault)), sent), expected, "{shown}");
    }
}

#[test]
fn a_refused_command_does_nothing() {
    let server = TestServer::builder().script(Script::new().with(Fault::no("CREATE", "no"))).start();
    let mut session = server.session(Channel::Clear);
    said(&mut session, "A LOGIN alice secret\r\nB CREATE x\r\n");
    assert_eq!(said(&mut session, "C STATUS x (MESSAGES)\r\n"), "C NO [NONEXISTENT] No such mailbox\\r\\n");
    assert_eq!(server.faults_left(), 0);
}

#[test]
fn nothing_a_client_sends_makes_it_panic() {
    let words = [
        "A", "UID", "FETCH", "SEARCH", "1:*", "(", ")", "\"", "{3}\r\n", "{0+}\r\n", "\\", "BODY[", "]<1.2>", "\r\n",
        " ", "LIST", "*", "OR", "NOT", "APPEND", "INBOX", "IDLE", "\0", "\u{e9}",
    ];
    let mut seed = 1u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    let server = TestServer::builder().realistic().start();
    for _ in 0..2000 {
        let mut session = server.session(Channel::Clear);
        session.receive(b"0 LOGIN alice secret\r\n1 SELECT INBOX\r\n");
        let mut line = String::from("A ");
        for _ in 0..next() % 12 {
            line += words[next() % words.len()];
            line += if next() % 2 == 0 { " " } else { "" };
        }
        session.receive(line.as_bytes());
        session.receive(b"\r\n\r\n");
        while session.next_output().is_some() {}
    }
}
