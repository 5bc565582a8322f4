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
        (Fault::Close(Point::After("LOGOUT".to_owned())), "A LOGOUT\r\n", "<close>"),
        (Fault::Close(Point::After("STARTTLS".to_owned())), "A STARTTLS\r\n", "<close>"),
        (
            Fault::Close(Point::After("IDLE".to_owned())),
            "A LOGIN alice secret\r\nB IDLE\r\nDONE\r\n",
            "A OK [CAPABILITY IMAP4rev1 LITERAL+ ENABLE IDLE ID NAMESPACE UIDPLUS MOVE UNSELECT ESEARCH CONDSTORE CHILDREN \
             LIST-EXTENDED LIST-STATUS SPECIAL-USE STATUS=SIZE MULTIAPPEND] Logged in\\r\\n|+ Idling\\r\\n|<close>",
        ),
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
fn a_literal_meets_the_faults_of_its_command_in_their_order() {
    let mut session = begin(Script::new().with(Fault::bye("LOGIN", "bye")).with(Fault::no("LOGIN", "no")));
    assert_eq!(said(&mut session, "A LOGIN {5}\r\n"), "+ Ready for literal data\\r\\n");
    assert_eq!(said(&mut session, "alice secret\r\n"), "* BYE bye\\r\\n|<close>");
}

#[test]
fn a_refused_command_does_nothing() {
    let server = TestServer::builder().script(Script::new().with(Fault::no("CREATE", "no"))).start();
    let mut session = server.session(Channel::Clear);
    said(&mut session, "A LOGIN alice secret\r\nB CREATE x\r\n");
    assert_eq!(said(&mut session, "C STATUS x (MESSAGES)\r\n"), "C NO [NONEXISTENT] No such mailbox\\r\\n");
    assert_eq!(server.faults_left(), 0);
}

fn numbers(mut seed: u64) -> impl FnMut() -> usize {
    move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    }
}

#[test]
fn nothing_a_client_sends_makes_it_panic() {
    let words = [
        "A", "UID", "FETCH", "SEARCH", "1:*", "(", ")", "\"", "{3}\r\n", "{0+}\r\n", "\\", "BODY[", "]<1.2>", "\r\n",
        " ", "LIST", "*", "OR", "NOT", "APPEND", "INBOX", "IDLE", "\0", "\u{e9}",
    ];
    let mut next = numbers(1);
    let server = TestServer::builder().realistic().start();
    for _ in 0..2000 {
        let mut session = server.session(Channel::Clear);
        session.receive(b"0 LOGIN alice secret\r\n1 SELECT INBOX\r\n");
        let mut line = String::from("A ");
        for _ in 0..next() % 12 {
            line += words[next() % words.len()];
            line += if next().is_multiple_of(2) { " " } else { "" };
        }
        session.receive(line.as_bytes());
        session.receive(b"\r\n\r\n");
        while session.next_output().is_some() {}
    }
}

/// Commands that mean something, of which a few octets are others: they come further than noise does.
#[test]
fn nothing_close_to_a_command_makes_it_panic() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let texts = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect::<String>();
    let commands: Vec<_> = texts.lines().filter_map(|line| line.strip_prefix("C: ")).collect();
    assert!(commands.len() > 200, "the transcripts are there");
    let octets = b"0129:*,.()[]<>{}+-\"\\/%&~ \t\0\r\n\x80\xff\x7fAZaz$";
    let mut next = numbers(2);
    for _ in 0..200 {
        let server = TestServer::builder().realistic().start();
        let mut session = server.session(Channel::Clear);
        let mut sent = b"0 LOGIN alice secret\r\n1 SELECT INBOX\r\n".to_vec();
        for _ in 0..60 {
            let start = sent.len();
            sent.extend_from_slice(commands[next() % commands.len()].as_bytes());
            for _ in 0..next() % 3 {
                let (at, octet) = (start + next() % (sent.len() - start + 1), octets[next() % octets.len()]);
                match next() % 3 {
                    0 => sent.insert(at, octet),
                    1 if at < sent.len() => sent[at] = octet,
                    _ if at + 1 < sent.len() => drop(sent.remove(at)),
                    _ => {}
                }
            }
            sent.extend_from_slice(b"\r\n");
        }
        for bytes in sent.chunks(1 + next() % 500) {
            session.receive(bytes);
            while session.next_output().is_some() {}
        }
    }
}
