use super::{exchange, logged_in, play, selected};
use crate::strict::{NoOctets, Options, Refusal, StrictServer};

#[test]
fn a_session_from_greeting_to_logout() {
    let mut server = StrictServer::new(Options::default());
    play(
        &mut server,
        r#"
        S: * OK [CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE IDLE] Strict server ready.
        C: a LOGIN alice wrong
        S: a NO [AUTHENTICATIONFAILED]
        C: b LOGIN alice secret
        S: b OK [CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE UNSELECT UIDPLUS MOVE MULTIAPPEND ESEARCH] Logged in.
        C: c ENABLE CONDSTORE
        S: * ENABLED
        S: c OK
        C: d CREATE work/now
        S: d OK
        C: e LIST "" %
        S: * LIST () "/" "INBOX"
        S: e OK
        C: f LIST work/ *
        S: * LIST () "/" "work/now"
        S: f OK
        C: g APPEND work/now (\Seen kw) " 1-Feb-2024 10:20:30 +0100" {10}
        S: + Ready
        C: Subject: a
        S: g OK [APPENDUID 1002 1] Stored.
        C: h STATUS work/now (MESSAGES UIDNEXT UNSEEN)
        S: * STATUS "work/now" (MESSAGES 1 UIDNEXT 2 UNSEEN 0)
        S: h OK
        C: i SELECT work/now
        S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft kw)
        S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft kw \*)]
        S: * 1 EXISTS
        S: * 0 RECENT
        S: * OK [UIDVALIDITY 1002]
        S: * OK [UIDNEXT 2]
        S: i OK [READ-WRITE]
        C: j UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (Subject)]<3.5>)
        S: * 1 FETCH (UID 1 FLAGS (\Seen kw) INTERNALDATE " 1-Feb-2024 10:20:30 +0100" RFC822.SIZE 10 BODY[HEADER.FIELDS (Subject)]<3> {5}
        S: ject:)
        S: j OK
        C: k LOGOUT
        S: * BYE
        S: k OK
        "#,
    );
    assert!(server.closed());
}

#[test]
fn messages_are_flagged_searched_copied_and_expunged() {
    play(
        &mut selected(Options::default()),
        r#"
        C: a UID SEARCH SUBJECT t
        S: * SEARCH 2 3
        S: a OK
        C: b UID SEARCH RETURN (MIN MAX COUNT ALL) ALL
        S: * ESEARCH (TAG "b") UID COUNT 3 MIN 1 MAX 3 ALL 1:3
        S: b OK
        C: c SEARCH RETURN () SEEN
        S: * ESEARCH (TAG "c")
        S: c OK
        C: d UID STORE 1,3 +FLAGS (\Deleted)
        S: * 1 FETCH (UID 1 FLAGS (\Deleted))
        S: * 3 FETCH (UID 3 FLAGS (\Deleted))
        S: d OK
        C: e STORE 2 +FLAGS.SILENT kw
        S: e OK
        C: f UID COPY 1:2 INBOX
        S: * 5 EXISTS
        S: f OK [COPYUID 1001 1:2 4:5]
        C: g UID EXPUNGE 1
        S: * 1 EXPUNGE
        S: g OK
        C: h EXPUNGE
        S: * 3 EXPUNGE
        S: * 2 EXPUNGE
        S: h OK
        C: i FETCH 1:* (FLAGS BODY[TEXT])
        S: * 1 FETCH (FLAGS (\Seen kw) BODY[TEXT] {14}
        S: Text of two.
        S: )
        S: * 2 FETCH (FLAGS (\Seen kw) BODY[TEXT] {14}
        S: Text of two.
        S: )
        S: i OK
        C: j UID MOVE 2 nowhere
        S: j NO [TRYCREATE]
        C: k CREATE there
        S: k OK
        C: l MOVE 1 there
        S: * OK [COPYUID 1002 2 1]
        S: * 1 EXPUNGE
        S: l OK
        C: m FETCH 1 (ENVELOPE BODYSTRUCTURE)
        S: * 1 FETCH (ENVELOPE (NIL "two" (("A, B" NIL "ab" "example.org")) (("A, B" NIL "ab" "example.org")) (("A, B" NIL "ab" "example.org")) NIL NIL NIL NIL NIL) BODYSTRUCTURE ("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "8BIT" 14 1))
        S: m OK
        "#,
    );
}

#[test]
fn changes_are_told_in_idle_at_once_and_else_when_allowed() {
    let mut server = selected(Options::default());
    play(&mut server, "C: a IDLE\nS: + idling");
    assert_eq!(server.deliver("INBOX", b"Subject: four\r\n\r\n"), 4);
    assert!(server.expunge("INBOX", 2));
    assert!(server.set_flags("INBOX", 3, &["\\Seen"]));
    play(
        &mut server,
        r"
        S: * 4 EXISTS
        S: * 2 EXPUNGE
        S: * 2 FETCH (UID 3 FLAGS (\Seen))
        C: done
        S: a OK",
    );
    server.expunge("INBOX", 1);
    server.deliver("INBOX", b"Subject: five\r\n\r\n");
    play(
        &mut server,
        r"
        C: b FETCH 1:2 UID
        S: * 2 FETCH (UID 3)
        S: * 4 EXISTS
        S: b OK
        C: c NOOP
        S: * 1 EXPUNGE
        S: c OK
        C: d UID FETCH 4:5 UID
        S: * 2 FETCH (UID 4)
        S: * 3 FETCH (UID 5)
        S: d OK",
    );
}

#[test]
fn several_messages_are_stored_all_or_none() {
    let mut server = logged_in(Options::default());
    play(
        &mut server,
        "
        C: a APPEND INBOX (\\Seen) {3}
        S: +
        C: one \" 1-Feb-2024 10:20:30 +0100\" {3}
        S: +
        C: two {5+}
        C: three
        S: a OK [APPENDUID 1001 4:6] Stored.
        C: b APPEND INBOX {3}
        S: +
        C: one {0}
        S: b NO
        C: c NOOP
        S: c OK",
    );
    let bodies: Vec<&[u8]> = server.mailboxes()["INBOX"].messages[3..].iter().map(|m| &m.body[..]).collect();
    assert_eq!(bodies, [&b"one"[..], b"two", b"three"]);
}

#[test]
fn a_message_of_no_octets_is_refused_as_each_server_does() {
    let mut server = logged_in(Options { no_octets: NoOctets::Welcomed, ..Options::default() });
    play(&mut server, "C: a APPEND INBOX {1+}\nC: x {0}\nS: +\nC:\nS: a NO\nC: b NOOP\nS: b OK");
    let cyrus = Options { no_octets: NoOctets::WelcomedAndRefused, ..Options::default() };
    // Read as one: nothing more is to be sent.
    let mut server = logged_in(cyrus.clone());
    play(&mut server, "C: a APPEND INBOX {1+}\nC: x {0}\nS: +\nS: a NO\nC: b NOOP\nS: b OK");
    // Read one by one: the line is ended, and that was one too many.
    for more in [0, 1] {
        let mut server = logged_in(cyrus.clone());
        server.receive(b"a APPEND INBOX {1+}\r\nx {0}\r\n");
        let go_ahead = server.take_some(b"+ Ready for no octets.\r\n".len() + more);
        assert!(go_ahead.starts_with(b"+ "));
        server.receive(b"\r");
        assert!(server.take_output().ends_with(b"octets.\r\n"));
        assert_eq!(exchange(&mut server, "\nb NOOP\r\n"), "* BAD Invalid tag.\r\nb OK Done.\r\n");
        assert_eq!(server.violations(), []);
    }
}

#[test]
fn literals_are_refused_as_asked_once() {
    for (refusal, answer) in [(Refusal::No, "NO [TOOBIG]"), (Refusal::Bad, "BAD")] {
        let mut server = logged_in(Options { refuse_literal: Some(refusal), ..Options::default() });
        play(
            &mut server,
            &format!("C: a APPEND INBOX {{9}}\nS: a {answer}\nC: b SELECT {{1}}\nS: +\nC: x\nS: b NO [NONEXISTENT]"),
        );
        server.refuse_literal(refusal);
        play(&mut server, &format!("C: c SELECT {{1}}\nS: c {answer}\nC: d NOOP\nS: d OK"));
    }
}

#[test]
fn messages_of_no_octets_and_for_unknown_mailboxes_are_refused_before_their_literal() {
    play(
        &mut logged_in(Options::default()),
        "
        C: a APPEND INBOX {0}
        S: a NO
        C: b APPEND nowhere {5}
        S: b NO [TRYCREATE]
        C: c SELECT {0}
        S: +
        C:
        S: c NO",
    );
    let mut server = logged_in(Options::default());
    let answer = exchange(&mut server, "a APPEND INBOX {0+}\r\n\r\nb NOOP\r\n");
    assert!(answer.starts_with("a NO ") && answer.contains("\r\nb OK "), "{answer}");
    assert_eq!(server.mailboxes()["INBOX"].messages.len(), 3);
    assert_eq!(server.violations(), []);
}

#[test]
fn held_output_counts_as_not_sent() {
    let mut server = logged_in(Options::default());
    server.hold();
    server.receive(b"a NOOP\r\n");
    assert_eq!(server.take_output(), b"");
    server.release();
    assert_eq!(server.take_output(), b"a OK Done.\r\n");
}

#[test]
fn an_examined_mailbox_does_not_change() {
    play(
        &mut logged_in(Options::default()),
        r"
        C: a STATUS INBOX (UNSEEN)
        S: * STATUS
        S: a OK
        C: b UNSUBSCRIBE INBOX
        S: b OK",
    );
    let mut server = logged_in(Options::default());
    let answer = exchange(&mut server, "a EXAMINE INBOX\r\n");
    assert!(answer.contains("[PERMANENTFLAGS ()]") && answer.ends_with("a OK [READ-ONLY] Selected.\r\n"));
    exchange(&mut server, "b FETCH 1 BODY[]\r\n");
    for command in ["STORE 1 FLAGS (a)", "EXPUNGE", "MOVE 1 INBOX"] {
        let tag = command.len();
        let answer = exchange(&mut server, format!("{tag} {command}\r\n"));
        assert!(answer.starts_with(&format!("{tag} NO [READ-ONLY]")), "{answer}");
    }
    assert!(server.mailboxes()["INBOX"].messages.iter().all(|message| message.flags.is_empty()));
}

#[test]
fn lsub_lists_what_was_subscribed_to() {
    let mut server = logged_in(Options::default());
    server.create("Unheard of");
    play(
        &mut server,
        r#"
        C: a LSUB "" *
        S: a OK
        C: b SUBSCRIBE INBOX
        S: b OK
        C: c SUBSCRIBE Gone
        S: c OK
        C: d LSUB "" *
        S: * LSUB () "/" "Gone"
        S: * LSUB () "/" "INBOX"
        S: d OK
        C: e UNSUBSCRIBE INBOX
        S: e OK"#,
    );
    assert_eq!(server.subscribed().iter().collect::<Vec<_>>(), ["Gone"]);
}

#[test]
fn compress_is_agreed_to_once() {
    let mut server = logged_in(Options { compress: true, ..Options::default() });
    assert!(!server.compressed());
    play(
        &mut server,
        r"
        C: a COMPRESS DEFLATE
        S: a OK
        C: b COMPRESS DEFLATE
        S: b NO [COMPRESSIONACTIVE]",
    );
    assert!(server.compressed());
}

#[test]
fn what_was_begun_is_counted_and_what_is_selected_is_told() {
    let mut server = logged_in(Options::default());
    let before = server.begun();
    exchange(&mut server, "a EXAMINE INBOX\r\n");
    exchange(&mut server, "b");
    assert_eq!((server.begun() - before, server.selected_mailbox()), (2, Some(("INBOX", true))));
    exchange(&mut server, " IDLE\r\n");
    exchange(&mut server, "DONE\r\n");
    exchange(&mut server, "c CLOSE\r\n");
    assert_eq!((server.begun() - before, server.selected_mailbox()), (3, None));
    assert_eq!(server.violations(), []);
}
