use super::{exchange, logged_in, selected};
use crate::strict::{Greeting, Literals, NoOctets, Options, Refusal, StrictServer};

/// Sends `client` and expects exactly one violation with this text.
#[track_caller]
fn one_violation(server: &mut StrictServer, client: impl AsRef<[u8]>, text: &str) {
    let client = client.as_ref();
    server.receive(client);
    let found = server.violations();
    assert!(found.len() == 1 && found[0].text.contains(text), "{}: {found:?}", client.escape_ascii());
}

#[test]
fn malformed_lines_are_violations() {
    let lines: &[&[u8]] = &[
        b"",
        b" a NOOP",
        b"a",
        b"a ",
        b"a  NOOP",
        b"a NOOP ",
        b"a NOOP x",
        b"a+ NOOP",
        b"a* NOOP",
        b"\"a\" NOOP",
        b"a XYZZY",
        b"a XYZZY 1",
        b"DONE",
        b"a SELECT",
        b"a SELECT ",
        b"a SELECT a b",
        b"a SELECT a*",
        b"a SELECT (a)",
        b"a SELECT \"a",
        b"a SELECT \"a\\b\"",
        b"a SELECT \"a\"b",
        b"a SELECT \"\xc3\xa9\"",
        b"a SELECT \xc3\xa9",
        b"a SELECT {2+}\r\n\xc3\xa9",
        b"a SELECT a\x01",
        b"a SELECT a\tb",
        b"a SELECT a\x7f",
        b"a SELECT a&b",
        b"a SELECT &",
        b"a SELECT &AB-",
        b"a SELECT a{3",
        b"a SELECT {x}",
        b"a SELECT {4294967296}",
        b"a SELECT ~{3+}\r\nabc",
        b"a SELECT {3+}\r\na\x00c",
        b"a SELECT INBOX (CONDSTORE)",
        b"a LIST \"\"",
        b"a LIST \"\" ",
        b"a LIST (SUBSCRIBED) \"\" *",
        b"a LIST \"\" a b",
        b"a STATUS INBOX MESSAGES",
        b"a STATUS INBOX ()",
        b"a STATUS INBOX (SIZE)",
        b"a STATUS INBOX (MESSAGES  UNSEEN)",
        b"a STATUS INBOX (MESSAGES",
        b"a ID (name x)",
        b"a ID (\"name\")",
        b"a ID (\"name\" \"a\" \"NAME\" \"b\")",
        b"a ID (\"name\" \"\xc3\xa9\")",
        b"a APPEND INBOX {3+}\r\na\x00c",
        b"a ENABLE",
        b"a ENABLE (A)",
        b"a APPEND INBOX abc",
        b"a APPEND INBOX \"abc\"",
        b"a APPEND INBOX (\\Recent) {1+}\r\nx",
        b"a APPEND INBOX (\\Foo) {1+}\r\nx",
        b"a APPEND INBOX \\Seen {1+}\r\nx",
        b"a APPEND INBOX \"1-Feb-2024 00:00:00 +0000\" {1+}\r\nx",
        b"a APPEND INBOX \"01-Foo-2024 00:00:00 +0000\" {1+}\r\nx",
        b"a APPEND INBOX \"00-Feb-2024 00:00:00 +0000\" {1+}\r\nx",
        b"a APPEND INBOX \"01-Feb-2024 24:00:00 +0000\" {1+}\r\nx",
        b"a APPEND INBOX \"01-Feb-2024 00:00:00\" {1+}\r\nx",
        b"a APPEND INBOX \"01+Feb-2024 00:00:00 +0000\" {1+}\r\nx",
        b"a APPEND INBOX {1+}\r\nxy",
        b"a APPEND INBOX {1+}\r\nx ",
        b"a APPEND INBOX {1+}\r\nx {1+}\r\ny ",
        b"a APPEND INBOX {1+}\r\nx {1+}\r\ny{1+}\r\nz",
        b"a AUTHENTICATE PLAIN",
        b"a STARTTLS",
        b"a COMPRESS",
        b"a COMPRESS LZ4",
    ];
    for line in lines {
        let mut server = logged_in(Options::default());
        one_violation(&mut server, [*line, b"\r\n"].concat(), "");
        assert!(String::from_utf8_lossy(&server.take_output()).contains(" BAD "), "{}", line.escape_ascii());
        assert!(exchange(&mut server, "next NOOP\r\n").ends_with("next OK Done.\r\n"));
    }
}

#[test]
fn malformed_commands_on_messages_are_violations() {
    let commands: &[&str] = &[
        "FETCH",
        "FETCH 1",
        "FETCH 0 FLAGS",
        "FETCH 01 FLAGS",
        "FETCH 1: FLAGS",
        "FETCH 1,,2 FLAGS",
        "FETCH 1:2:3 FLAGS",
        "FETCH $ FLAGS",
        "FETCH 1 FLAGS UID",
        "FETCH 1 ()",
        "FETCH 1 (ALL)",
        "FETCH 1 (FLAGS,UID)",
        "FETCH 1 MODSEQ",
        "FETCH 1 BODY.PEEK",
        "FETCH 1 RFC822[]",
        "FETCH 1 BODY[0]",
        "FETCH 1 BODY[1.]",
        "FETCH 1 BODY[MIME]",
        "FETCH 1 BODY[HEADER.FIELDS]",
        "FETCH 1 BODY[HEADER.FIELDS ()]",
        "FETCH 1 BODY[HEADER.FIELDS (A:)]",
        "FETCH 1 BODY[",
        "FETCH 1 BODY[]<0>",
        "FETCH 1 BODY[]<0.0>",
        "FETCH 1 BODY[]<-1.5>",
        "FETCH 1 BODY[] <0.5>",
        "FETCH 4 FLAGS",
        "FETCH 1:4 FLAGS",
        "STORE 4 FLAGS ()",
        "COPY 4 INBOX",
        "UID FETCH 4294967296 FLAGS",
        "UID NOOP",
        "UID  FETCH 1 FLAGS",
        "UID EXPUNGE",
        "EXPUNGE 1",
        "SEARCH",
        "SEARCH FOO",
        "SEARCH SUBJECT",
        "SEARCH SUBJECT a  SEEN",
        "SEARCH NOT",
        "SEARCH OR SEEN",
        "SEARCH ()",
        "SEARCH SINCE 1994-02-01",
        "SEARCH SINCE 32-Feb-1994",
        "SEARCH SINCE 1-Feb-94",
        "SEARCH CHARSET UTF-8",
        "SEARCH RETURN ALL",
        "SEARCH RETURN (SAVE) ALL",
        "SEARCH RETURN (ALL)",
        "SEARCH TEXT {2+}\r\n\u{c3}\u{a9}",
        "SEARCH LARGER -1",
        "STORE 1 FLAGS",
        "STORE 1 FLAGS (\\Recent)",
        "STORE 1 FLAGS (a b",
        "STORE 1 + FLAGS (a)",
        "STORE 1 FLAGS.QUIET (a)",
        "STORE 1 FLAGS \"a\"",
        "COPY 1",
        "COPY 1 a b",
        "ENABLE CONDSTORE",
        "LOGIN alice secret",
    ];
    for command in commands {
        let mut server = selected(Options::default());
        let line = format!("a {command}\r\n");
        one_violation(&mut server, line.chars().map(|char| char as u32 as u8).collect::<Vec<u8>>(), "");
    }
}

#[test]
fn bare_line_ends_and_nul_are_violations() {
    for (bytes, text) in [
        (&b"a NOOP\n"[..], "bare LF"),
        (b"a LOGIN {5+}\r\nalice secret\n", "bare LF"),
        (b"a LOGIN {1+}\r\n\r\n", "bare LF"),
        (b"a NO\rOP\r\n", "bare CR"),
        (b"a NOOP\r\r\n", "bare CR"),
        (b"a NO\0OP\r\n", "NUL"),
    ] {
        let mut server = StrictServer::new(Options::default());
        server.take_output();
        server.receive(bytes);
        let found = server.violations();
        assert!(found.first().is_some_and(|violation| violation.text.contains(text)), "{found:?}");
    }
}

#[test]
fn commands_in_the_wrong_state_are_violations() {
    for command in ["SELECT INBOX", "LIST \"\" *", "IDLE", "FETCH 1 FLAGS", "CLOSE", "APPEND INBOX {1+}\r\nx"] {
        let mut server = StrictServer::new(Options::default());
        server.take_output();
        one_violation(&mut server, format!("a {command}\r\n"), "needs authentication");
    }
    for command in ["FETCH 1 FLAGS", "UID FETCH 1 FLAGS", "SEARCH ALL", "CLOSE", "UNSELECT", "EXPUNGE", "CHECK"] {
        one_violation(&mut logged_in(Options::default()), format!("a {command}\r\n"), "needs a selected");
        let mut server = selected(Options::default());
        exchange(&mut server, "x SELECT nowhere\r\n");
        one_violation(&mut server, format!("a {command}\r\n"), "needs a selected");
    }
}

#[test]
fn octets_before_the_continuation_are_a_violation() {
    let mut server = logged_in(Options::default());
    one_violation(&mut server, "a SELECT {5}\r\nINBOX\r\n", "before the answer to the synchronizing literal");

    let mut server = logged_in(Options::default());
    server.hold();
    server.receive(b"a SELECT {5}\r\n");
    assert_eq!(server.take_output(), b"");
    one_violation(&mut server, "I", "before the answer to the synchronizing literal");

    let mut server = logged_in(Options { refuse_literal: Some(Refusal::No), ..Options::default() });
    one_violation(&mut server, "a SELECT {5}\r\nb NOOP\r\n", "before the answer to the synchronizing literal");
}

#[test]
fn several_messages_and_their_end_must_be_advertised_and_in_turn() {
    let without = Options { withheld: &["MULTIAPPEND"], ..Options::default() };
    one_violation(&mut logged_in(without.clone()), "a APPEND INBOX {1+}\r\nx {1+}\r\ny\r\n", "MULTIAPPEND");
    one_violation(&mut logged_in(without), "a APPEND INBOX {1+}\r\nx {0}\r\n", "MULTIAPPEND");
    // The answer was read, and it was no `+`.
    for no_octets in [NoOctets::Refused, NoOctets::WelcomedAndRefused] {
        let mut server = logged_in(Options { no_octets, ..Options::default() });
        exchange(&mut server, "a APPEND INBOX {1+}\r\nx {0}\r\n");
        one_violation(&mut server, "\r\n", "expected");
    }
    // `+` was not read.
    let mut server = logged_in(Options { no_octets: NoOctets::WelcomedAndRefused, ..Options::default() });
    server.receive(b"a APPEND INBOX {1+}\r\nx {0}\r\n");
    server.take_some(5);
    server.receive(b"\r");
    assert!(server.violations()[0].text.contains("before the answer"), "{:?}", server.violations());
}

#[test]
fn non_synchronizing_literals_must_be_advertised_and_small_enough() {
    let none = Options { literals: Literals::Synchronizing, ..Options::default() };
    one_violation(&mut logged_in(none), "a SELECT {5+}\r\nINBOX\r\n", "not advertised");

    let minus = Options { literals: Literals::Minus, ..Options::default() };
    let append = format!("a APPEND INBOX {{4097+}}\r\n{}\r\n", "x".repeat(4097));
    one_violation(&mut logged_in(minus), append, "over 4096");

    let mut server = StrictServer::new(Options { capability_in_greeting: false, ..Options::default() });
    server.take_output();
    one_violation(&mut server, "a LOGIN {5+}\r\nalice secret\r\n", "not advertised");
}

#[test]
fn only_done_ends_idle_and_only_after_the_continuation() {
    let mut server = logged_in(Options::default());
    one_violation(&mut server, "a IDLE\r\nDONE\r\n", "between IDLE and its continuation");
    for line in ["b NOOP", "DONE ", "", "DONE {3}", "a DONE"] {
        let mut server = logged_in(Options::default());
        exchange(&mut server, "a IDLE\r\n");
        one_violation(&mut server, format!("{line}\r\n"), "something else than DONE");
        assert!(String::from_utf8_lossy(&server.take_output()).starts_with("a BAD "));
    }
}

#[test]
fn commands_that_overlap_select_login_or_compress_are_violations() {
    let mut server = logged_in(Options::default());
    one_violation(&mut server, "a SELECT INBOX\r\nb NOOP\r\n", "SELECT or EXAMINE was in progress");

    let mut server = logged_in(Options::default());
    server.receive(b"a EXAMINE INBOX\r\nb NO");
    server.take_output();
    one_violation(&mut server, "OP\r\n", "SELECT or EXAMINE was in progress");

    let mut server = StrictServer::new(Options::default());
    server.take_output();
    one_violation(&mut server, "a LOGIN alice secret\r\nb SELECT INBOX\r\n", "before LOGIN was answered");

    let mut server = logged_in(Options { compress: true, ..Options::default() });
    one_violation(&mut server, "a COMPRESS DEFLATE\r\nb NOOP\r\n", "before COMPRESS was answered");
}

#[test]
fn invalid_pipelines_of_the_rfc_are_violations() {
    for pipeline in [
        "a FETCH 1 FLAGS\r\nb NOOP\r\nc STORE 1 FLAGS ()\r\n",
        "a STORE 1 FLAGS ()\r\nb COPY 1 INBOX\r\nc FETCH 1 FLAGS\r\n",
        "a COPY 1 INBOX\r\nb COPY 1 INBOX\r\n",
        "a CHECK\r\nb FETCH 1 FLAGS\r\n",
        "a UID SEARCH ALL\r\nb UID SEARCH 1\r\n",
        "a UID FETCH 1 FLAGS\r\nb SEARCH NOT 1\r\n",
    ] {
        one_violation(&mut selected(Options::default()), pipeline, "may renumber");
    }
    let mut server = selected(Options::default());
    exchange(&mut server, "a IDLE\r\n");
    one_violation(&mut server, "DONE\r\nb FETCH 1 FLAGS\r\n", "may renumber");
}

#[test]
fn extensions_need_to_be_seen_advertised() {
    let options = Options { capability_in_login: false, esearch: false, ..Options::default() };
    let mut server = StrictServer::new(options.clone());
    server.take_output();
    exchange(&mut server, "a LOGIN alice secret\r\n");
    one_violation(&mut server, "b NAMESPACE\r\n", "of NAMESPACE");
    one_violation(&mut selected(options), "a SEARCH RETURN () ALL\r\n", "of ESEARCH");
    one_violation(&mut logged_in(Options::default()), "a COMPRESS DEFLATE\r\n", "of COMPRESS=DEFLATE");

    let mut server = StrictServer::new(Options { capability_in_greeting: false, ..Options::default() });
    server.take_output();
    one_violation(&mut server, "a CAPABILITY\r\nb ID NIL\r\n", "of ID");
}

#[test]
fn a_tag_used_before_is_a_violation() {
    one_violation(&mut logged_in(Options::default()), "login NOOP\r\n", "a tag used before");
    let mut server = logged_in(Options { refuse_literal: Some(Refusal::Bad), ..Options::default() });
    exchange(&mut server, "a SELECT {5}\r\n");
    one_violation(&mut server, "a NOOP\r\n", "a tag used before");
}

#[test]
fn talking_outside_of_the_session_is_a_violation() {
    one_violation(&mut StrictServer::new(Options::default()), "a NOOP\r\n", "before the greeting");
    let mut server = logged_in(Options::default());
    one_violation(&mut server, "a LOGOUT\r\nb NOOP\r\n", "after LOGOUT");

    let mut server = StrictServer::new(Options { greeting: Greeting::Bye, ..Options::default() });
    assert!(server.closed() && server.take_output().starts_with(b"* BYE "));
    server.receive(b"a NOOP\r\n");
    assert_eq!(server.violations(), []);
}

#[test]
fn a_wrong_command_is_refused_at_its_first_synchronizing_literal() {
    let mut server = logged_in(Options::default());
    one_violation(&mut server, "a LIST * {5}\r\n", "expected");
    assert_eq!(server.take_output(), b"a BAD Cannot read this.\r\n");
    assert!(exchange(&mut server, "b NOOP\r\n").starts_with("b OK"));
}
