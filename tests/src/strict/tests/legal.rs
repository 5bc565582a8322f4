use super::{exchange, logged_in, selected};
use crate::strict::{Greeting, Literals, Options, StrictServer};

#[test]
fn legal_commands_before_login_are_no_violations() {
    let commands: &[&str] = &[
        "a CAPABILITY\r\n",
        "a nOOp\r\n",
        "A-1.x]$&/=~ NOOP\r\n",
        "a LOGOUT\r\n",
        "a ID NIL\r\n",
        "a ID ()\r\n",
        "a ID (\"name\" \"x\" \"version\" NIL)\r\n",
        "a login alice secret\r\n",
        "a LOGIN \"alice\" \"se\\\"c\\\\ret\"\r\n",
        "a LOGIN {5+}\r\nalice {6+}\r\nsecret\r\n",
        "a LOGIN alice ]x\r\n",
        "a LOGIN alice \"\"\r\n",
        "a LOGIN alice \"100%*\"\r\n",
        "a LOGIN alice {0+}\r\n\r\n",
        "a NOOP\r\nb NOOP\r\nc CAPABILITY\r\n",
        "a LOGIN alice secret\r\nb CAPABILITY\r\n",
    ];
    for command in commands {
        let mut server = StrictServer::new(Options::default());
        server.take_output();
        server.receive(command.as_bytes());
        assert_eq!(server.violations(), [], "{command}");
    }
}

#[test]
fn legal_commands_after_login_are_no_violations() {
    let commands: &[&str] = &[
        "a ENABLE CONDSTORE QRESYNC\r\n",
        "a NAMESPACE\r\n",
        "a SELECT inbox\r\n",
        "a EXAMINE \"INBOX\"\r\n",
        "a SELECT nowhere\r\n",
        "a SELECT &Jjo-!\r\n",
        "a SELECT \"a&-b\"\r\n",
        "a SELECT {5+}\r\nINBOX\r\n",
        "a LIST \"\" *\r\n",
        "a LIST \"\" \"\"\r\n",
        "a LIST a/ %]\r\n",
        "a LIST \"\" {1+}\r\n*\r\n",
        "a LSUB \"\" \"%/%\"\r\n",
        "a STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)\r\n",
        "a CREATE \"a b\"\r\nb DELETE \"a b\"\r\n",
        "a CREATE x/\r\nb RENAME x y\r\nc SUBSCRIBE y\r\nd UNSUBSCRIBE y\r\n",
        "a APPEND INBOX {3+}\r\nabc\r\n",
        "a APPEND INBOX () {3+}\r\n\r\n\r\r\n",
        "a APPEND INBOX (\\Seen kw $Junk \\flagged) \" 1-Feb-2024 23:59:60 -0730\" {3+}\r\n\u{c3}\u{a9}\n\r\n",
        "a APPEND INBOX \"31-dec-2024 00:00:00 +0000\" {0+}\r\n\r\n",
        "a SELECT INBOX\r\n",
        "a IDLE\r\n",
    ];
    for command in commands {
        let mut server = logged_in(Options::default());
        // The tables are text: one octet a character.
        server.receive(&command.chars().map(|char| char as u32 as u8).collect::<Vec<u8>>());
        assert_eq!(server.violations(), [], "{command}");
        assert_eq!(server.unfinished(), b"", "{command}");
    }
}

#[test]
fn legal_commands_on_messages_are_no_violations() {
    let commands: &[&str] = &[
        "FETCH 1 FLAGS",
        "FETCH 1:* ALL",
        "FETCH *:1,2 FULL",
        "FETCH 3 fast",
        "FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE)",
        "FETCH 1 (RFC822 RFC822.HEADER RFC822.TEXT)",
        "FETCH 1 BODY[]",
        "FETCH 1 (BODY.PEEK[]<0.4294967295> body.peek[header])",
        "FETCH 1 BODY[1.2.3]",
        "FETCH 1 BODY[1.MIME]<5.1>",
        "FETCH 1 BODY[1.2.HEADER.FIELDS.NOT (From)]",
        "FETCH 1 BODY[HEADER.FIELDS (Subject \"To\" X-a])]",
        "UID FETCH 900:1000,* (FLAGS)",
        "UID FETCH 4294967295 UID",
        "SEARCH ALL",
        "SEARCH 1:* UNSEEN SUBJECT x",
        "SEARCH 9 NOT (SEEN OR FROM a TO \"b c\") UID 5:*",
        "SEARCH CHARSET UTF-8 TEXT {2+}\r\n\u{c3}\u{a9}",
        "SEARCH CHARSET \"iso-8859-1\" TEXT x",
        "SEARCH SINCE 1-Feb-1994 BEFORE \"31-Dec-2024\" SENTON 02-mar-2000 LARGER 0 SMALLER 10",
        "SEARCH KEYWORD $x UNKEYWORD y HEADER X \"\" BCC a CC b BODY c NEW OLD RECENT DRAFT UNDRAFT",
        "SEARCH RETURN () ALL",
        "UID SEARCH RETURN (MIN MAX ALL COUNT) CHARSET US-ASCII 1:2",
        "STORE 1 FLAGS ()",
        "STORE 1:3 +FLAGS.SILENT (\\Seen \\DELETED kw)",
        "STORE 1 -flags \\Seen kw",
        "UID STORE 1:* FLAGS \\Answered",
        "COPY 1:2 INBOX",
        "UID COPY 1 nowhere",
        "MOVE 1 INBOX",
        "UID MOVE 99 INBOX",
        "EXPUNGE",
        "UID EXPUNGE 1:*",
        "CHECK",
        "CLOSE",
        "UNSELECT",
        "STATUS INBOX (MESSAGES)",
    ];
    for command in commands {
        let mut server = selected(Options::default());
        let line = format!("a {command}\r\n");
        server.receive(&line.chars().map(|char| char as u32 as u8).collect::<Vec<u8>>());
        let output = String::from_utf8_lossy(&server.take_output()).into_owned();
        assert_eq!(server.violations(), [], "{command}");
        assert!(output.contains("a OK ") || output.contains("a NO "), "{command}: {output}");
    }
}

#[test]
fn legal_pipelines_of_the_rfc_are_no_violations() {
    let pipelines: &[&str] = &[
        "a FETCH 1 FLAGS\r\nb STORE 1 FLAGS ()\r\nc SEARCH 1\r\nd CHECK\r\n",
        "a STORE 1 FLAGS ()\r\nb COPY 1 INBOX\r\nc EXPUNGE\r\n",
        "a UID SEARCH ALL\r\nb UID SEARCH UID 1\r\nc UID FETCH 1 FLAGS\r\n",
        "a NOOP\r\nb SELECT INBOX\r\n",
        "a CLOSE\r\nb SELECT INBOX\r\n",
        "a UID FETCH 1:* FLAGS\r\nb IDLE\r\n",
    ];
    for pipeline in pipelines {
        let mut server = selected(Options::default());
        server.receive(pipeline.as_bytes());
        assert_eq!(server.violations(), [], "{pipeline}");
    }
}

#[test]
fn a_session_is_judged_alike_in_any_chunking() {
    let session: &[&str] = &[
        "a LOGIN {5+}\r\nalice \"secret\"\r\n",
        "b SELECT {5}\r\n",
        "INBOX\r\n",
        "c APPEND INBOX (\\Seen) {5}\r\n",
        "\r\n{3}\r\n",
        "d UID FETCH 1:* (FLAGS BODY[])\r\n",
        "e IDLE\r\n",
        "DONE\r\nf NOOP\r\n",
        "g LOGOUT\r\n",
    ];
    let mut outputs = Vec::new();
    for size in [1, 2, 3, 7, 100] {
        let mut server = StrictServer::new(Options::default());
        let mut output = server.take_output();
        for part in session {
            for chunk in part.as_bytes().chunks(size) {
                server.receive(chunk);
            }
            output.extend(server.take_output());
        }
        assert_eq!(server.violations(), []);
        outputs.push(output);
    }
    assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn literal_minus_allows_4096_octets() {
    let mut server = selected(Options { literals: Literals::Minus, ..Options::default() });
    let answer = exchange(&mut server, format!("a APPEND INBOX {{4096+}}\r\n{}\r\n", "x".repeat(4096)));
    assert!(answer.contains("a OK [APPENDUID 1001 4]"), "{answer}");
    assert_eq!(server.violations(), []);
}

#[test]
fn utf8_in_quotes_is_legal_once_enabled() {
    let mut server = logged_in(Options { utf8_accept: true, ..Options::default() });
    exchange(&mut server, "a ENABLE UTF8=ACCEPT\r\n");
    exchange(&mut server, "b CREATE \"Entwürfe\"\r\n");
    assert_eq!(server.violations(), []);
    assert!(server.mailboxes().contains_key("Entwürfe"));
}

#[test]
fn preauth_needs_no_login() {
    let mut server = StrictServer::new(Options { greeting: Greeting::Preauth, ..Options::default() });
    assert!(server.take_output().starts_with(b"* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE "));
    assert!(exchange(&mut server, "a SELECT INBOX\r\n").ends_with("a OK [READ-WRITE] Selected.\r\n"));
    assert_eq!(server.violations(), []);
}
