//! What a download, a listing and an upload hold in memory, against a real server.
//!
//! Each is measured in a process of its own, which is this test again with `IMAP_TESTS_MEASURE` set: the most bytes that
//! were allocated at one time above what was allocated once the connection stood. It counts everything on the heap of
//! the client's process: protocol core, adapter, TLS, runtime, and what the test does with the data.

#[expect(dead_code, reason = "not all of it is used here")]
mod session;

use std::alloc::System;
use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use cap::Cap;
use imap_tests::mailbox::add_to_maildir;
use imap_tests::servers::{Dovecot, Server};
use imap_tokio::types::{FetchItems, MailboxName, Section, Uid, UidSet};
use imap_tokio::{Client, Connector, Credentials, Security};
use session::{connector, trusting};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

const BODY: usize = 25_000_000;
/// Dovecot takes minutes for the first listing of 20,000 on a busy machine: `IMAP_TESTS_LISTED` sets another number. The
/// bound is the same for all.
const LISTED: u64 = 5000;
/// Messages of 10,000 octets that are uploaded.
const UPLOADED: usize = 2000;
/// Octets that are received, parsed and handed out at a time, pieces that wait for the reader, and TLS records.
const MOST: usize = 1 << 20;
const MEASURE: &str = "IMAP_TESTS_MEASURE";

#[test]
fn a_download_of_25_mb_to_a_file_holds_less_than_1_mib() {
    if let Some(task) = Task::given() {
        return task.measure();
    }
    let Some(server) = Dovecot::start() else {
        return;
    };
    let digest = write_big_message(&server.maildir("alice"));
    for security in [Security::Plaintext, Security::ImplicitTls] {
        let test = "a_download_of_25_mb_to_a_file_holds_less_than_1_mib";
        assert_eq!(Task::new(&server, "body", security).run(test), format!("{BODY} {digest}"));
    }
}

#[test]
fn a_listing_of_thousands_of_messages_holds_less_than_1_mib() {
    if let Some(task) = Task::given() {
        return task.measure();
    }
    let Some(server) = Dovecot::start() else {
        return;
    };
    let listed = std::env::var("IMAP_TESTS_LISTED").map_or(LISTED, |text| text.parse().expect("a number"));
    for i in 0..listed {
        let message = format!("From: a@example.org\r\nSubject: {i}\r\nMessage-ID: <{i}@example.org>\r\n\r\nSmall.\r\n");
        add_to_maildir(&server.maildir("alice"), i, message.as_bytes()).expect("the Maildir is writable");
    }
    let test = "a_listing_of_thousands_of_messages_holds_less_than_1_mib";
    assert_eq!(Task::new(&server, "list", Security::Plaintext).run(test), listed.to_string());
}

#[test]
fn an_upload_of_thousands_of_messages_holds_less_than_1_mib() {
    if let Some(task) = Task::given() {
        return task.measure();
    }
    let Some(server) = Dovecot::start() else {
        return;
    };
    let test = "an_upload_of_thousands_of_messages_holds_less_than_1_mib";
    assert_eq!(Task::new(&server, "upload", Security::Plaintext).run(test), UPLOADED.to_string());
}

/// Writes the message piece by piece; returns the digest of its octets.
fn write_big_message(maildir: &Path) -> u64 {
    add_to_maildir(maildir, 0, b"").expect("the Maildir is writable");
    let empty = std::fs::read_dir(maildir.join("cur")).expect("the Maildir is there").flatten().next();
    std::fs::remove_file(empty.expect("one message").path()).expect("it can be removed");
    let path = maildir.join(format!("cur/1700000000.M1P1.rig,S={BODY},W={BODY}:2,S"));
    let mut file = File::create(&path).expect("the Maildir is writable");
    let (mut digest, mut written, mut line) = (DefaultHasher::new(), 0, 0_u64);
    while written < BODY {
        let mut text = match line {
            0 => "Subject: big\r\n\r\n".to_owned(),
            _ => format!("{line:020} {:040x}\r\n", line.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        };
        text.truncate(BODY - written);
        file.write_all(text.as_bytes()).expect("there is room");
        digest.write(text.as_bytes());
        written += text.len();
        line += 1;
    }
    let owner = maildir.metadata().expect("the Maildir is there");
    chown(path, Some(owner.uid()), Some(owner.gid())).expect("the tests of Dovecot run as root");
    digest.finish()
}

/// What a process of its own is to do.
struct Task {
    what: String,
    security: Security,
    port: u16,
    ca: PathBuf,
}

impl Task {
    fn new(server: &Dovecot, what: &str, security: Security) -> Self {
        let tls = security == Security::ImplicitTls;
        let port = if tls { server.tls_port() } else { server.plain_port() };
        let ca = server.ca_pem_path().with_file_name("ca.der");
        std::fs::write(&ca, server.ca_der()).expect("the rig's directory is writable");
        // The server is warm, and lets us in.
        let client = async { connector(server, security, "alice").connect().await?.logout().await };
        runtime().block_on(client).expect("Dovecot lets us in");
        Task { what: what.to_owned(), security, port, ca }
    }

    fn given() -> Option<Self> {
        let text = std::env::var(MEASURE).ok()?;
        let mut words = text.split(' ');
        let (what, tls, port, ca) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let security = if tls == "tls" { Security::ImplicitTls } else { Security::Plaintext };
        Some(Task { what: what.to_owned(), security, port: port.parse().ok()?, ca: ca.into() })
    }

    /// Runs it in a process of its own; returns what that found.
    fn run(&self, test: &str) -> String {
        let security = if self.security == Security::ImplicitTls { "tls" } else { "plain" };
        let task = format!("{} {security} {} {}", self.what, self.port, self.ca.display());
        let this = std::env::current_exe().expect("a test has a file");
        let child = Command::new(this).args(["--exact", test, "--nocapture"]).env(MEASURE, &task).output();
        let child = child.expect("a test can be run");
        let output = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success(), "{task}: {output}{}", String::from_utf8_lossy(&child.stderr));
        let word = |name| output.lines().find_map(|line| line.split_once(name)).map(|(_, rest)| rest.to_owned());
        let peak: usize = word("peak ").and_then(|peak| peak.parse().ok()).expect("it says its peak");
        println!("{} {security}: {peak} bytes", self.what);
        assert!(peak < MOST, "{} {security} held {peak} bytes", self.what);
        word("found ").expect("it says what it found")
    }

    fn measure(&self) {
        runtime().block_on(async {
            let client = self.connector().connect().await.expect("Dovecot lets us in");
            let before = HEAP.allocated();
            let found = match &*self.what {
                "body" => self.download(&client).await,
                "upload" => upload(&client).await,
                _ => list(&client).await,
            };
            // What was allocated before the connection stood counts as well, where that was more.
            println!("\npeak {}\nfound {found}", HEAP.max_allocated() - before);
        });
    }

    fn connector(&self) -> Connector {
        let mut root = Vec::new();
        File::open(&self.ca).and_then(|mut file| file.read_to_end(&mut root)).expect("the root is there");
        let connector = Connector::new("localhost").address("127.0.0.1").port(self.port).tls_config(trusting(&root));
        let connector = connector.credentials(Credentials::password("alice", Dovecot::PASSWORD));
        if self.security == Security::Plaintext { connector.plaintext() } else { connector }
    }

    async fn download(&self, client: &Client) -> String {
        let inbox = client.examine(MailboxName::inbox()).await.expect("an INBOX");
        let mut body = inbox.body(Uid::MIN, Section::whole());
        let mut file = File::create(self.ca.with_file_name("download")).expect("the rig's directory is writable");
        let (mut len, mut digest) = (0, DefaultHasher::new());
        while let Some(octets) = body.try_next().await.expect("it comes to its end") {
            file.write_all(&octets).expect("there is room");
            digest.write(&octets);
            len += octets.len();
        }
        format!("{len} {}", digest.finish())
    }
}

async fn upload(client: &Client) -> String {
    let message = |number| format!("Subject: {number}\r\n\r\n{:10000}\r\n", "x");
    let report = client.append_all(MailboxName::inbox(), futures_util::stream::iter((0..UPLOADED).map(message))).await;
    assert!(report.is_complete(), "{:?}", report.ended);
    report.stored().count().to_string()
}

async fn list(client: &Client) -> String {
    let inbox = client.examine(MailboxName::inbox()).await.expect("an INBOX");
    let mut messages = inbox.fetch(UidSet::all(), FetchItems::summary().body_structure());
    let mut count = 0;
    while let Some(message) = messages.try_next().await.expect("it comes to its end") {
        let fetch = message.get();
        assert!(fetch.envelope().is_some_and(|envelope| envelope.subject().is_some()));
        assert!(fetch.flags().is_some() && fetch.body_structure().is_some_and(|part| part.octets() == Some(8)));
        count += 1;
    }
    count.to_string()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
