//! Every file of `tests/transcripts` is a conversation that has to go as it is written.
//!
//! ```text
//! # a comment
//! ! without MOVE      how the server is; also `announcing`, `tls`, `tls-required`, `login` (each session begins logged in)
//! C: A1 NOOP          the first session sends this and CRLF
//! S: A1 OK Done       and is answered this and CRLF, and nothing else before it sends again
//! C2: …               a second session of the same user
//! ```
//!
//! What is no bytes is written `<close>`, `<tls>`. With `IMAP_TRANSCRIPTS=write` the answers are written anew: read the difference.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::Path;

use imap_testserver::types::{Capability, DateTime, Flag};
use imap_testserver::{Channel, Output, Session, TestServer};

const MULTIPART: &str = "From: Bob <bob@example.org>\r\nTo: alice@example.org\r\nSubject: two\r\nDate: Tue, 3 Mar 2026 10:00:00 +0100\r\n\
MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
--b\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nplain text\r\n\
--b\r\nContent-Type: text/html\r\n\r\n<p>text</p>\r\n--b--\r\n";

struct Conversation {
    server: TestServer,
    channel: Channel,
    logged_in: bool,
    sessions: BTreeMap<char, (Session, VecDeque<String>)>,
}

impl Conversation {
    fn begin(directives: &[&str]) -> Self {
        let (mut channel, mut logged_in) = (Channel::Clear, false);
        let mut builder = TestServer::builder().user("alice", "secret");
        for directive in directives {
            builder = match directive.split_once(' ') {
                Some(("without", name)) => builder.without(Capability::from_wire(name.as_bytes())),
                Some(("announcing", name)) => builder.announcing(Capability::from_wire(name.as_bytes())),
                _ if *directive == "tls-required" => builder.tls_required(),
                _ => {
                    match *directive {
                        "tls" => channel = Channel::Tls,
                        "login" => logged_in = true,
                        other => panic!("unknown directive {other}"),
                    }
                    builder
                }
            };
        }
        let server = builder.start();
        let date = DateTime::from_wire(b"03-Mar-2026 10:00:00 +0100").unwrap();
        let inbox = server.mailbox("INBOX");
        let one = "From: alice@example.org\r\nSubject: one\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\n\r\nbody one\r\n";
        inbox.deliver_with(one, [Flag::Seen], date);
        inbox.deliver_with(MULTIPART, [], date);
        let three =
            "From: carol@example.net\r\nSubject: =?utf-8?Q?Caf=C3=A9?=\r\nCc: Dave <dave@example.net>\r\n\r\nthird\r\n";
        inbox.deliver_with(three, [Flag::Flagged, Flag::Junk], date);
        Conversation { server, channel, logged_in, sessions: BTreeMap::new() }
    }

    fn session(&mut self, number: char) -> &mut (Session, VecDeque<String>) {
        let (server, channel, logged_in) = (&self.server, self.channel, self.logged_in);
        self.sessions.entry(number).or_insert_with(|| {
            let mut session = server.session(channel);
            if logged_in {
                session.receive(b"0 LOGIN alice secret\r\n");
                while session.next_output().is_some() {}
            }
            (session, VecDeque::new())
        })
    }

    /// Gathers what every session has to say.
    fn listen(&mut self) {
        for (session, said) in self.sessions.values_mut() {
            session.look();
            while let Some(output) = session.next_output() {
                match output {
                    Output::Bytes(bytes) => {
                        let text = String::from_utf8(bytes).expect("the answers of a transcript are UTF-8");
                        let text = text.strip_suffix("\r\n").expect("an answer ends in CRLF").to_owned();
                        said.extend(text.split("\r\n").map(str::to_owned));
                    }
                    Output::StartTls => said.push_back("<tls>".to_owned()),
                    Output::Close => said.push_back("<close>".to_owned()),
                    Output::Pause(time) => said.push_back(format!("<pause {time:?}>")),
                }
            }
        }
    }
}

/// Plays the lines of a transcript, sent in chunks of so many bytes; the answer is what it should have been.
fn play(text: &str, chunk: usize) -> String {
    let directives: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("! ")).collect();
    let mut conversation = Conversation::begin(&directives);
    let mut actual = String::new();
    let flush = |conversation: &mut Conversation, actual: &mut String| {
        conversation.listen();
        for (number, (_, said)) in &mut conversation.sessions {
            let number = if *number == '1' { String::new() } else { number.to_string() };
            for line in said.drain(..) {
                *actual += format!("S{number}: {line}").trim_end();
                actual.push('\n');
            }
        }
    };
    if !conversation.logged_in {
        conversation.session('1');
    }
    let mut has_begun = false;
    for line in text.lines() {
        let Some((who, sent)) = line.split_once(':').filter(|(who, _)| matches!(*who, "C" | "C2" | "C3")) else {
            if !["S:", "S2:", "S3:"].iter().any(|said| line.starts_with(said)) {
                let is_known = line.is_empty() || line.starts_with('#') || line.starts_with("! ");
                assert!(is_known, "neither sent nor said, nor a comment: {line:?}");
                actual += line;
                actual.push('\n');
            }
            continue;
        };
        if !has_begun {
            flush(&mut conversation, &mut actual);
            has_begun = true;
        }
        actual += line;
        actual.push('\n');
        let number = who.chars().nth(1).unwrap_or('1');
        let line = format!("{}\r\n", sent.strip_prefix(' ').unwrap_or(sent));
        for bytes in line.as_bytes().chunks(chunk) {
            conversation.session(number).0.receive(bytes);
        }
        flush(&mut conversation, &mut actual);
    }
    actual
}

#[test]
fn conversations_go_as_they_are_written() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 5, "the transcripts are there");
    let mut wrong = Vec::new();
    for file in files {
        let written = fs::read_to_string(&file).unwrap();
        let actual = play(&written, usize::MAX);
        assert_eq!(play(&written, 1), actual, "{} byte by byte", file.display());
        if std::env::var_os("IMAP_TRANSCRIPTS").is_some_and(|how| how == "write") {
            fs::write(&file, &actual).unwrap();
        } else if actual != written {
            let differs = actual.lines().zip(written.lines()).find(|(actual, written)| actual != written);
            wrong.push(format!("{}: {differs:?}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "answered, written:\n{}", wrong.join("\n"));
}
