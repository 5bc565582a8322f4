//! The test server and a real Dovecot say the same of the same messages, octet for octet.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use imap_tests::servers::{Dovecot, Server};
use imap_testserver::types::DateTime;
use imap_testserver::{Channel, Output, Session, TestServer};

/// Sections asked for of every message. Where there is no such part Dovecot says `""` and the test server NIL, both of which
/// are right; parts below a leaf, which Dovecot makes up, are not asked for.
const SECTIONS: [&str; 14] =
    ["", "HEADER", "TEXT", "1", "1.MIME", "2", "2.MIME", "2.HEADER", "2.TEXT", "2.1", "2.2", "3", "3.HEADER", "4"];

struct Real(BufReader<TcpStream>);

impl Real {
    /// What comes up to the tagged line, and that line.
    fn ask(&mut self, command: &[u8]) -> Vec<u8> {
        self.0.get_mut().write_all(&[b"T ", command, b"\r\n"].concat()).expect("Dovecot listens");
        let mut answer = Vec::new();
        loop {
            let start = answer.len();
            assert!(self.0.read_until(b'\n', &mut answer).expect("Dovecot answers") > 0, "it is still there");
            let line = &answer[start..];
            if line.starts_with(b"T ") {
                return answer;
            }
            if let Some(length) = literal(line) {
                let mut octets = vec![0; length];
                self.0.read_exact(&mut octets).expect("Dovecot sends what it announces");
                answer.extend_from_slice(&octets);
            }
        }
    }
}

fn ask(session: &mut Session, command: &str) -> Vec<u8> {
    session.receive(format!("T {command}\r\n").as_bytes());
    let outputs = std::iter::from_fn(|| session.next_output());
    let bytes = outputs.filter_map(|output| match output {
        Output::Bytes(bytes) => Some(bytes),
        _ => None,
    });
    bytes.flatten().collect()
}

/// The length that a line announces at its end.
fn literal(line: &[u8]) -> Option<usize> {
    let line = line.strip_suffix(b"}\r\n")?;
    let open = line.iter().rposition(|byte| *byte == b'{')?;
    std::str::from_utf8(&line[open + 1..]).ok()?.parse().ok()
}

/// The untagged answer behind its item's name, in one case, its literals between quotes.
fn value(answer: &[u8], item: &str) -> String {
    let mut shown = Vec::new();
    let mut rest = answer;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n').filter(|_| !rest.starts_with(b"T ")) {
        let (line, behind) = rest.split_at(end + 1);
        rest = behind;
        match literal(line) {
            Some(length) => {
                let open = line.iter().rposition(|byte| *byte == b'{').expect("a literal has a brace");
                let (octets, behind) = rest.split_at(length);
                rest = behind;
                shown.extend_from_slice(&line[..open]);
                shown.extend([b"\"", octets, b"\""].concat());
            }
            None => shown.extend_from_slice(line),
        }
    }
    let text = String::from_utf8_lossy(&shown).to_ascii_lowercase();
    let item = format!("{} ", item.to_ascii_lowercase().replace(".peek", ""));
    let at = text.find(&item).unwrap_or_else(|| panic!("{item}is in the answer {text}"));
    let value = text[at + item.len()..].trim_end();
    if value == "nil)" { "\"\")".to_owned() } else { value.to_owned() }
}

#[test]
fn every_message_is_the_same_as_in_dovecot() {
    let Some(dovecot) = Dovecot::start() else { return };
    let stream = TcpStream::connect(("127.0.0.1", dovecot.plain_port())).expect("Dovecot listens");
    let mut real = Real(BufReader::new(stream));
    real.0.read_line(&mut String::new()).expect("it greets");
    real.ask(format!("LOGIN alice {}", Dovecot::PASSWORD).as_bytes());

    let server = TestServer::builder().user("alice", "secret").realistic().start();
    let project = server.mailbox("Projects/Br\u{fc}cke").messages();
    let inbox = server.mailbox("INBOX");
    for message in project {
        inbox.deliver_with(message.octets, message.flags, DateTime::from_unix_timestamp(0).expect("the epoch"));
    }
    let mut session = server.session(Channel::Clear);
    ask(&mut session, "LOGIN alice secret");
    ask(&mut session, "SELECT INBOX");

    let messages = inbox.messages();
    for (at, message) in messages.iter().enumerate() {
        let header = format!("APPEND INBOX {{{}+}}\r\n", message.octets.len());
        let stored = real.ask(&[header.as_bytes(), &message.octets].concat());
        assert!(String::from_utf8_lossy(&stored).contains("T OK [APPENDUID"), "{}", stored.escape_ascii());
        real.ask(b"SELECT INBOX");
        let number = at + 1;
        let mut items = vec!["RFC822.SIZE".to_owned(), "ENVELOPE".to_owned(), "BODY".to_owned()];
        items.extend(SECTIONS.map(|section| format!("BODY.PEEK[{section}]")));
        // Dovecot joins the pieces of a parameter.
        if !String::from_utf8_lossy(&message.octets).contains("filename*0") {
            items.push("BODYSTRUCTURE".to_owned());
        }
        for item in items {
            let command = format!("FETCH {number} ({item})");
            let (ours, theirs) = (ask(&mut session, &command), real.ask(command.as_bytes()));
            let is_below_leaf = item.contains("2.1") || item.contains("2.2");
            let ours = value(&ours, &item);
            if is_below_leaf && ours == "\"\")" {
                continue;
            }
            assert_eq!(ours, value(&theirs, &item), "message {number}, {item}");
        }
    }
    assert_eq!(messages.len(), 28);
}
