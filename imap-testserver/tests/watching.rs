//! Who is woken by what others do, and who is forgotten.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use imap_testserver::types::Flag;
use imap_testserver::{Channel, Session, TestServer};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn begin(server: &TestServer, commands: &str) -> Session {
    let mut session = server.session(Channel::Clear);
    session.receive(format!("0 LOGIN alice secret\r\n{commands}").as_bytes());
    while session.next_output().is_some() {}
    session
}

#[test]
fn a_session_that_has_ended_is_not_remembered() {
    let server = TestServer::start();
    let count = Arc::new(Count::default());
    for _ in 0..3 {
        let session = begin(&server, "");
        for _ in 0..3 {
            session.watch(&Waker::from(count.clone()));
        }
        assert!(Arc::strong_count(&count) > 1);
    }
    assert_eq!(Arc::strong_count(&count), 1);
    server.mailbox("INBOX").deliver("Subject: x\r\n\r\n");
    assert_eq!(count.0.load(Ordering::Relaxed), 0);
}

#[test]
fn a_session_is_woken_once_by_its_last_waker() {
    let server = TestServer::start();
    let (old, new) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let session = begin(&server, "");
    session.watch(&Waker::from(old.clone()));
    session.watch(&Waker::from(new.clone()));
    for _ in 0..2 {
        server.mailbox("INBOX").deliver("Subject: x\r\n\r\n");
    }
    assert_eq!((old.0.load(Ordering::Relaxed), new.0.load(Ordering::Relaxed)), (0, 1));
}

#[test]
fn a_change_is_told_even_if_its_author_is_sent_away_for_it() {
    let server = TestServer::start();
    server.mailbox("gone");
    let mut author = begin(&server, "1 SELECT gone\r\n");
    begin(&server, "1 DELETE gone\r\n");
    let count = Arc::new(Count::default());
    let idling = begin(&server, "1 SELECT INBOX\r\n2 IDLE\r\n");
    idling.watch(&Waker::from(count.clone()));
    author.receive(b"2 APPEND INBOX {1+}\r\nx\r\n");
    while author.next_output().is_some() {}
    assert!(author.is_over());
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert_eq!(server.mailbox("INBOX").messages().len(), 1);
}

#[test]
fn a_mailbox_below_inbox_is_the_same_for_tests_and_clients() {
    let server = TestServer::start();
    let mailbox = server.mailbox("Inbox/Bills");
    begin(&server, "1 APPEND inbox/Bills {1+}\r\nx\r\n");
    assert_eq!((mailbox.name().as_str(), mailbox.messages().len()), ("INBOX/Bills", 1));
}

#[test]
fn every_change_wakes_who_waits_and_nothing_else_does() {
    for (command, wakes) in [
        ("NOOP", false),
        ("FETCH 1 (FLAGS BODY.PEEK[])", false),
        ("SEARCH ALL", false),
        ("FETCH 1 BODY[]", true),
        ("STORE 1 +FLAGS.SILENT (\\Flagged)", true),
        ("STORE 2 +FLAGS.SILENT (\\Deleted)", false),
        ("COPY 1 INBOX", true),
        ("MOVE 1 INBOX", true),
        ("EXPUNGE", true),
        ("CLOSE", true),
        ("UNSELECT", false),
        ("APPEND INBOX {1+}\r\nx", true),
        ("DELETE other", true),
        ("RENAME INBOX old", true),
    ] {
        let server = TestServer::start();
        let inbox = server.mailbox("INBOX");
        server.mailbox("other");
        inbox.deliver("Subject: one\r\n\r\n");
        let second = inbox.deliver("Subject: two\r\n\r\n");
        inbox.set_flags(second, [Flag::Deleted]);
        let mut author = begin(&server, "1 SELECT INBOX\r\n");
        let (count, waiting) = (Arc::new(Count::default()), begin(&server, "1 SELECT INBOX\r\n2 IDLE\r\n"));
        waiting.watch(&Waker::from(count.clone()));
        author.receive(format!("2 {command}\r\n").as_bytes());
        while author.next_output().is_some() {}
        assert_eq!(count.0.load(Ordering::Relaxed), usize::from(wakes), "{command}");
    }
}
