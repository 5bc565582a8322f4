//! The rigs themselves: the servers start, answer and go, and the strict server takes what Dovecot takes.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use imap_tests::mailbox::{big_message, fill_maildir, message};
use imap_tests::servers::{Courier, Cyrus, Dovecot, PASSWORD, Server, USERS};
use imap_tests::strict::{Options, StrictServer};

/// A session that any IMAP4rev1 server with LITERAL+, UIDPLUS and IDLE takes; each step ends in a line that starts so.
const SESSION: &[(&str, &str)] = &[
    ("a CAPABILITY\r\n", "a OK "),
    ("b LOGIN alice {6}\r\n", "+ "),
    ("secret\r\n", "b OK "),
    ("c CAPABILITY\r\n", "c OK "),
    ("d CREATE \"a b\"\r\n", "d OK "),
    (
        "e APPEND \"a b\" (\\Seen) \" 1-Feb-2024 10:00:00 +0000\" {19+}\r\nSubject: x\r\n\r\ntext\n\r\n",
        "e OK [APPENDUID ",
    ),
    ("f SELECT {3+}\r\na b\r\n", "f OK [READ-WRITE] "),
    ("g UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (Subject)]<0.9>)\r\n", "g OK "),
    ("h UID SEARCH RETURN (COUNT ALL) SUBJECT x UNDELETED\r\n", "h OK "),
    ("i UID STORE 1 +FLAGS.SILENT (\\Deleted kw)\r\n", "i OK "),
    ("j IDLE\r\n", "+ idling"),
    ("DONE\r\nk NOOP\r\n", "k OK "),
    ("l UID EXPUNGE 1\r\n", "l OK "),
    ("m SELECT INBOX\r\n", "m OK "),
    ("n DELETE \"a b\"\r\n", "n OK "),
    ("o APPEND INBOX {0+}\r\n\r\n", "o NO "),
    ("p SELECT nowhere\r\n", "p NO "),
    ("q LOGOUT\r\n", "q OK "),
];

struct Line {
    reader: BufReader<TcpStream>,
}

impl Line {
    fn open(server: &dyn Server) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", server.plain_port())).expect("the server listens");
        let mut line = Self { reader: BufReader::new(stream) };
        line.read_until("* OK ");
        line
    }

    fn send(&mut self, bytes: &str, end: &str) -> String {
        self.reader.get_mut().write_all(bytes.as_bytes()).expect("the connection is open");
        self.read_until(end)
    }

    fn read_until(&mut self, start: &str) -> String {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            let read = self.reader.read_line(&mut line).expect("the connection is open");
            assert!(read > 0, "closed before {start:?}: {all}");
            all.push_str(&line);
            if line.starts_with(start) {
                return all;
            }
            assert!(!line.starts_with(&start[..2]) || start.starts_with('*'), "{line:?} in place of {start:?}");
        }
    }
}

#[test]
fn dovecot_serves_the_messages_of_a_maildir() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    fill_maildir(&server.maildir("alice"), 300).expect("the Maildir is writable");
    let mut line = Line::open(&server);
    line.send("a LOGIN alice secret\r\n", "a OK ");
    let answer = line.send("b SELECT INBOX\r\n", "b OK ");
    assert!(answer.contains("* 300 EXISTS\r\n"), "{answer}");
    let answer = line.send("c FETCH 1,8 RFC822.SIZE\r\n", "c OK ");
    for (number, i) in [(1, 0), (8, 7)] {
        let size = message(i).len();
        assert!(answer.contains(&format!("* {number} FETCH (RFC822.SIZE {size})\r\n")), "{answer}");
    }
    let answer = line.send("d FETCH 1:* (ENVELOPE BODYSTRUCTURE)\r\n", "d OK ");
    assert_eq!(answer.matches(" FETCH (ENVELOPE (").count(), 300);
    assert!(answer.contains(r#""alternative""#) && answer.contains(r#""mixed""#), "parts are recognised");
}

#[test]
fn the_strict_server_takes_what_dovecot_takes() {
    let mut strict = StrictServer::new(Options::default());
    strict.take_output();
    for (client, end) in SESSION {
        strict.receive(client.as_bytes());
        let output = String::from_utf8(strict.take_output()).expect("the answers are text");
        assert!(output.lines().any(|line| line.starts_with(end)), "{client:?}: {output}");
    }
    assert_eq!(strict.violations(), []);

    let Some(server) = Dovecot::start() else {
        return;
    };
    let mut line = Line::open(&server);
    for (client, end) in SESSION {
        line.send(client, end);
    }
}

#[test]
fn a_stopped_dovecot_leaves_nothing_behind() {
    serves_and_goes(Dovecot::start());
}

#[test]
fn a_stopped_cyrus_leaves_nothing_behind() {
    serves_and_goes(Cyrus::start());
}

#[test]
fn a_stopped_courier_leaves_nothing_behind() {
    serves_and_goes(Courier::start());
}

fn serves_and_goes(server: Option<impl Server>) {
    let Some(server) = server else {
        return;
    };
    for user in USERS {
        let mut line = Line::open(&server);
        line.send(&format!("a LOGIN {user} {PASSWORD}\r\n"), "a OK ");
        let answer = line.send("b SELECT INBOX\r\n", "b OK ");
        assert!(answer.contains("* 0 EXISTS\r\n"), "{answer}");
    }
    let log = server.log();
    assert!(log.contains("alice"), "the log tells of logins: {log}");
    let mut open = Line::open(&server);
    let dir: PathBuf = server.ca_pem_path().ancestors().skip(2).take(1).collect();
    assert!(dir.join("users").exists());
    let ports = [server.plain_port(), server.tls_port()];
    drop(server);
    assert!(!dir.exists());
    for port in ports {
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    }
    let mut rest = String::new();
    // A session that was open is over, in whatever way.
    while open.reader.read_line(&mut rest).is_ok_and(|read| read > 0) {}
    assert_eq!(processes_of(&dir), [] as [String; 0]);
    let mounts = std::fs::read_to_string("/proc/mounts").expect("Linux tells");
    assert!(!mounts.contains(&*dir.to_string_lossy()), "{mounts}");
}

/// Processes that have the directory in their command line.
fn processes_of(dir: &Path) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("Linux tells");
    let lines = processes.filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(&*dir.to_string_lossy())).collect()
}

#[test]
fn a_big_message_can_be_appended() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let mut line = Line::open(&server);
    line.send("a LOGIN bob secret\r\n", "a OK ");
    let big = String::from_utf8(big_message(3_000_000)).expect("messages are text");
    line.send("b APPEND INBOX {3000000}\r\n", "+ ");
    line.send(&format!("{big}\r\n"), "b OK ");
}
