//! What one client can make grow, and where that ends.

use imap_testserver::types::Capability;
use imap_testserver::{Channel, Output, Session, TestServer};

fn said(session: &mut Session, sent: &str) -> String {
    session.receive(sent.as_bytes());
    let outputs = std::iter::from_fn(|| session.next_output());
    let shown = outputs.map(|output| match output {
        Output::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        other => format!("<{other:?}>"),
    });
    shown.collect()
}

fn logged_in(server: &TestServer) -> Session {
    let mut session = server.session(Channel::Clear);
    said(&mut session, "0 LOGIN alice secret\r\n");
    session
}

#[test]
fn commands_wait_until_the_answers_before_were_taken() {
    let server = TestServer::start();
    let mut session = logged_in(&server);
    session.receive(b"A NOOP\r\nB STATUS INBOX (MESSAGES)\r\n");
    assert_eq!(session.next_output(), Some(Output::Bytes(b"A OK Done\r\n".to_vec())));
    server.mailbox("INBOX").deliver("Subject: x\r\n\r\n");
    assert_eq!(said(&mut session, ""), "* STATUS \"INBOX\" (MESSAGES 1)\r\nB OK That is all\r\n");
}

#[test]
fn a_stranger_sends_no_more_than_a_login_takes() {
    let server = TestServer::start();
    let long = "x".repeat(20_000);
    for sent in [long.clone(), format!("A LOGIN {{20000+}}\r\n{long}")] {
        let mut session = server.session(Channel::Clear);
        said(&mut session, "");
        for bytes in sent.as_bytes().chunks(1000) {
            session.receive(bytes);
        }
        assert_eq!(said(&mut session, ""), "* BYE [TOOBIG] Log in first\r\n<Close>");
    }
    let mut session = server.session(Channel::Clear);
    said(&mut session, "");
    for _ in 0..1000 {
        assert_eq!(said(&mut session, &format!("A LOGIN alice {}\r\n", &long[..1000])), WRONG);
    }
    // Whoever has logged in sends what they like, in the same breath, too.
    let letter = format!("B LOGIN alice secret\r\nC APPEND INBOX {{20000+}}\r\n{long}\r\n");
    assert!(said(&mut session, &letter).contains("C OK [APPENDUID "));
}

const WRONG: &str = "A NO [AUTHENTICATIONFAILED] Wrong name or password\r\n";

#[test]
fn what_is_too_much_is_refused() {
    let server = TestServer::start();
    server.mailbox("INBOX").deliver("Subject: x\r\n\r\n");
    let mut session = logged_in(&server);
    said(&mut session, "1 SELECT INBOX\r\n");
    let list = |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(" ");
    let sections = |count| list(count, &|at| format!("BODY.PEEK[]<{at}.1>"));
    let keywords = |count| list(count, &|at| format!("k{at}"));
    let deep = |length: usize| "a/".repeat(length / 2);
    for (command, expected) in [
        (format!("SEARCH {}", "ALL ".repeat(20_000)), "A BAD [TOOBIG] Line too long"),
        (format!("FETCH 1 ({})", sections(101)), "A BAD Too many items"),
        (format!("STORE 1 +FLAGS ({})", keywords(101)), "A NO [LIMIT] Too many flags"),
        (format!("STORE 1 +FLAGS ({})", "k".repeat(101)), "A BAD Flag too long"),
        (format!("APPEND INBOX ({}) {{1+}}\r\nx", keywords(101)), "A NO [LIMIT] Too many flags"),
        (format!("CREATE {}", deep(1004)), "A NO [LIMIT] Name too long"),
        (format!("SUBSCRIBE {}", deep(1004)), "A NO [LIMIT] Name too long"),
        (format!("RENAME INBOX {}", deep(1004)), "A NO [LIMIT] Name too long"),
        (format!("LIST \"\" {}", "*".repeat(1001)), "A BAD Pattern too long"),
    ] {
        assert_eq!(said(&mut session, &format!("A {command}\r\n")), format!("{expected}\r\n"));
    }
    for command in [
        format!("FETCH 1 ({})", sections(100)),
        format!("STORE 1 +FLAGS ({})", keywords(100)),
        format!("STORE 1 FLAGS ({})", "k".repeat(100)),
        format!("CREATE {}", deep(1000)),
        format!("SUBSCRIBE {}", deep(1000)),
        format!("LIST \"\" {}", "*".repeat(1000)),
    ] {
        let answer = said(&mut session, &format!("A {command}\r\n"));
        assert!(answer.contains("A OK "), "{command}: {answer}");
    }
}

#[test]
fn a_long_literal_is_refused_before_it_comes() {
    let server = TestServer::start();
    let most = 32 << 20;
    for (sent, expected) in [
        (format!("A APPEND INBOX {{{}}}\r\n", most + 1), "A NO [TOOBIG] Literal too long\r\n"),
        (format!("A APPEND INBOX {{{}+}}\r\n", most + 1), "* BYE [TOOBIG] Literal too long\r\n<Close>"),
        (format!("A APPEND INBOX {{{most}}}\r\n"), "+ Ready for literal data\r\n"),
        (format!("A APPEND INBOX {{{most}+}}\r\n"), ""),
    ] {
        assert_eq!(said(&mut logged_in(&server), &sent), expected, "{sent}");
    }
    // What fits alone need not fit with what came before it.
    let mut session = logged_in(&server);
    assert_eq!(said(&mut session, &format!("A APPEND INBOX {{{most}+}}\r\n")), "");
    said(&mut session, &"x".repeat(most));
    let answer = said(&mut session, &format!(" {{{most}}}\r\nB NOOP\r\n"));
    assert_eq!(answer, "A NO [TOOBIG] Literal too long\r\nB OK Done\r\n");
}

#[test]
fn a_literal_that_needs_not_wait_is_short_where_literal_minus_is_all_there_is() {
    let builder = TestServer::builder().without(Capability::LiteralPlus).announcing(Capability::LiteralMinus);
    let mut session = logged_in(&builder.start());
    for (length, expected) in [(4096, "A OK [APPENDUID "), (4097, "A BAD Literal not waited for")] {
        let answer = said(&mut session, &format!("A APPEND INBOX {{{length}+}}\r\n{}\r\n", "x".repeat(length)));
        assert!(answer.starts_with(expected), "{answer}");
    }
}

#[test]
fn nobody_logs_in_with_what_is_no_password() {
    let server = TestServer::start();
    server.mailbox_of("ghost", "INBOX");
    let mut session = server.session(Channel::Clear);
    said(&mut session, "");
    for (command, expected) in [
        ("LOGIN ghost \"\"", WRONG),
        ("AUTHENTICATE PLAIN AGdob3N0AA==", WRONG),
        ("LOGIN alice {1+}\r\n\0", "A BAD NUL in a literal\r\n"),
    ] {
        assert_eq!(said(&mut session, &format!("A {command}\r\n")), expected, "{command}");
    }
}

#[test]
fn names_do_not_grow_by_renaming_what_is_above() {
    let server = TestServer::start();
    let mut session = logged_in(&server);
    assert!(said(&mut session, &format!("A CREATE a/{}\r\n", "b".repeat(900))).starts_with("A OK"));
    let answer = said(&mut session, &format!("A RENAME a {}\r\n", "c".repeat(900)));
    assert_eq!(answer, "A NO [LIMIT] Name too long\r\n");
    assert!(said(&mut session, "A RENAME a cc\r\n").starts_with("A OK"));
}

#[test]
fn mailboxes_and_subscriptions_come_to_an_end() {
    let server = TestServer::start();
    let mut session = logged_in(&server);
    for at in 0..10 {
        let many: String = (0..1000).map(|n| format!("A CREATE m{at}-{n}\r\nA SUBSCRIBE s{at}-{n}\r\n")).collect();
        said(&mut session, &many);
    }
    for command in ["CREATE a/b", "SUBSCRIBE one-more", "RENAME m0-0 a/b"] {
        assert_eq!(said(&mut session, &format!("A {command}\r\n")), "A NO [LIMIT] Too many mailboxes\r\n");
    }
    assert_eq!(said(&mut session, "A SUBSCRIBE s0-0\r\n"), "A OK Subscribed\r\n");
    assert_eq!(
        said(&mut session, "A DELETE m0-0\r\nA DELETE m0-1\r\nA CREATE n\r\n"),
        "A OK Deleted\r\nA OK Deleted\r\nA OK Created\r\n"
    );
}

#[test]
fn copies_of_copies_come_to_an_end() {
    let server = TestServer::start();
    server.mailbox("INBOX").deliver("Subject: x\r\n\r\n");
    let mut session = logged_in(&server);
    said(&mut session, "1 SELECT INBOX\r\n");
    let answers: Vec<_> = (0..18).map(|_| said(&mut session, "A UID COPY 1:* INBOX\r\n")).collect();
    assert!(answers[16].contains("A OK [COPYUID "), "{}", answers[16]);
    assert_eq!(answers[17], "A NO [LIMIT] Too many messages\r\n");
    assert_eq!(
        said(&mut session, "A STATUS INBOX (MESSAGES)\r\n"),
        "* STATUS \"INBOX\" (MESSAGES 131072)\r\nA OK That is all\r\n"
    );
}
