//! Records what the real servers say in one session each: `cargo run -p imap-tests --bin record -- DIR`.
//!
//! `DIR/dovecot.imap`, `cyrus.imap` and `courier.imap` are the server's octets alone, for the example `replay`.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;

use imap_tests::mailbox::{big_message, message};
use imap_tests::servers::{Courier, Cyrus, Dovecot, PASSWORD, Server};

/// Asked of all; who does not know a command says so, which is worth recording too. `@` is what mailboxes begin with.
const COMMANDS: [&str; 30] = [
    "CAPABILITY",
    "NAMESPACE",
    "LIST \"\" \"*\"",
    "LSUB \"\" \"*\"",
    "CREATE \"@a b\"",
    "CREATE INBOX",
    "LIST (SPECIAL-USE) \"\" \"*\" RETURN (CHILDREN SUBSCRIBED)",
    "STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)",
    "GETQUOTAROOT INBOX",
    "MYRIGHTS INBOX",
    "SELECT nowhere",
    "SELECT INBOX",
    "FETCH 1:* FULL",
    "FETCH 1:* (UID ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE FLAGS)",
    "UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT DATE)] BODY.PEEK[TEXT]<0.100> BODY.PEEK[1.MIME])",
    "FETCH 3 BODY[]",
    "SEARCH ALL",
    "UID SEARCH RETURN (MIN MAX COUNT ALL) SEEN",
    "SORT (SUBJECT) US-ASCII ALL",
    "THREAD REFERENCES US-ASCII ALL",
    "STORE 1 +FLAGS (\\Deleted $Junk)",
    "FETCH 1:* (UID FLAGS MODSEQ)",
    "COPY 1:2 \"@a b\"",
    "UID MOVE 2 \"@a b\"",
    "EXPUNGE",
    "ENABLE CONDSTORE QRESYNC",
    "GETMETADATA INBOX (/private/comment)",
    "XYZZY",
    "NOOP",
    "LOGOUT",
];

struct Recorder {
    reader: BufReader<TcpStream>,
    recording: Vec<u8>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args().nth(1).ok_or("record DIR")?;
    record(Dovecot::start(), "", Path::new(&dir))?;
    record(Cyrus::start(), "", Path::new(&dir))?;
    record(Courier::start(), "INBOX.", Path::new(&dir))
}

fn record(server: Option<impl Server>, prefix: &str, dir: &Path) -> Result<(), Box<dyn Error>> {
    let Some(server) = server else { return Ok(()) };
    let stream = TcpStream::connect(("127.0.0.1", server.plain_port()))?;
    let mut recorder = Recorder { reader: BufReader::new(stream), recording: Vec::new() };
    recorder.read_until("* OK ")?;
    recorder.ask("a CAPABILITY\r\n", "a ")?;
    recorder.ask(&format!("b LOGIN alice {PASSWORD}\r\n"), "b ")?;
    for octets in [message(4), message(3), big_message(17_000)] {
        recorder.ask(&format!("c APPEND INBOX (\\Seen) {{{}}}\r\n", octets.len()), "+ ")?;
        recorder.ask(&format!("{}\r\n", String::from_utf8(octets)?), "c ")?;
    }
    for (number, command) in COMMANDS.iter().enumerate() {
        let tag = format!("A{number} ");
        recorder.ask(&format!("{tag}{}\r\n", command.replace('@', prefix)), &tag)?;
    }
    let path = dir.join(format!("{}.imap", server.name().to_lowercase()));
    std::fs::write(&path, &recorder.recording)?;
    println!("{}: {} octets", path.display(), recorder.recording.len());
    Ok(())
}

impl Recorder {
    fn ask(&mut self, bytes: &str, end: &str) -> Result<(), Box<dyn Error>> {
        self.reader.get_mut().write_all(bytes.as_bytes())?;
        self.read_until(end)
    }

    /// Reads lines until one starts so. Literals are read as lines, too.
    fn read_until(&mut self, start: &str) -> Result<(), Box<dyn Error>> {
        loop {
            let begin = self.recording.len();
            if self.reader.read_until(b'\n', &mut self.recording)? == 0 {
                return Err(format!("closed before {start:?}").into());
            }
            if self.recording[begin..].starts_with(start.as_bytes()) {
                return Ok(());
            }
        }
    }
}
