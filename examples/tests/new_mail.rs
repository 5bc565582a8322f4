//! What arrives is told once, that which came while the server was away among it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::spawn;
use std::time::Duration;

use imap_tests::mailbox::{add_to_maildir, fill_maildir};
use imap_tests::servers::{Dovecot, Server};
use imap_tokio::command::Append;

struct Program {
    child: Child,
    said: Receiver<String>,
    events: Receiver<String>,
}

/// How long a line may take on a busy machine before the program counts as hanging.
const PATIENCE: Duration = Duration::from_secs(60);

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    spawn(move || BufReader::new(stream).lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    receiver
}

impl Program {
    fn start(server: &Dovecot) -> Self {
        let test = std::env::current_exe().expect("this test is a program");
        let program = test.ancestors().nth(2).expect("it is in deps").join("examples/new_mail");
        let mut child = Command::new(program)
            .env("IMAP_PASSWORD", Dovecot::PASSWORD)
            .arg("--ca")
            .arg(server.ca_pem_path())
            .arg(format!("imaps://alice@localhost:{}", server.tls_port()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the example is built");
        let said = lines(child.stdout.take().expect("it is piped"));
        let events = lines(child.stderr.take().expect("it is piped"));
        Program { child, said, events }
    }

    fn says(&mut self, word: &str) {
        let line = self.said.recv_timeout(PATIENCE).expect("it goes on");
        assert!(line.ends_with(word), "{line} for {word}");
    }

    fn event(&mut self, begins: &str) {
        loop {
            let line = self.events.recv_timeout(PATIENCE).expect("it goes on");
            if line.starts_with(begins) {
                return;
            }
            assert!(line.starts_with("Retrying") || line.starts_with("looking"), "{line}");
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Stores a message over a connection of its own. A file that is put beside the server's may be overlooked: Dovecot compares
/// the times of directories by the second.
fn stored(server: &Dovecot, message: &str) {
    let connector = imap_tokio::Connector::new("localhost").address("127.0.0.1").port(server.tls_port());
    let connector = connector.root(server.ca_der().to_vec().into());
    let login = imap_tokio::Credentials::password("alice", Dovecot::PASSWORD);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = connector.credentials(login).connect().await.expect("the server lets us in");
        client.append(Append::new("INBOX", message.to_owned().into_bytes())).await.expect("it is stored");
        client.logout().await.expect("it says goodbye");
    });
}

#[test]
fn nothing_that_arrives_is_left_out_or_told_twice() {
    let Some(server) = Dovecot::start() else { return };
    let maildir = server.maildir("alice");
    fill_maildir(&maildir, 3).expect("messages");
    let arrives = |number: u64| {
        let message = format!("Subject: number {number}\r\n\r\n{number}\r\n");
        add_to_maildir(&maildir, number, message.as_bytes()).expect("it is delivered");
    };
    let mut program = Program::start(&server);
    program.event("Connected");
    program.event("looking from 4 on");
    stored(&server, "Subject: number 10\r\n\r\n");
    program.says("number 10");
    for round in 1..=2 {
        server.stop();
        program.event("Lost");
        arrives(20 * round);
        arrives(20 * round + 1);
        server.start_again();
        program.event("Reconnected { mailbox: Some(Same");
        program.says(&format!("number {}", 20 * round));
        program.says(&format!("number {}", 20 * round + 1));
        stored(&server, &format!("Subject: number {}\r\n\r\n", 20 * round + 2));
        program.says(&format!("number {}", 20 * round + 2));
    }
}
