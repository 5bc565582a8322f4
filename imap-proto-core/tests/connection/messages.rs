//! The commands on messages: what they send, what is theirs, what waits for what.

use imap_proto_core::command::{
    Access, Close, Command, Completion, Copy, Expunge, Fetch, Found, Move, Noop, Raw, Returns, Search, Select, Store,
    StoreAnswer, StoreCommand, UidExpunge, Unselect,
};
use imap_proto_core::types::{
    Code, CopyUid, FetchItems, Flag, Keyword, MailboxName, Messages, Query, SeqNum, SeqSet, Uid, UidSet,
};
use imap_proto_core::{CommandId, Error, Event, Misuse};

use crate::script::Script;

type Submit = dyn Fn(&mut Script) -> CommandId;

fn uids(low: u32, high: u32) -> UidSet {
    UidSet::from(Uid::new(low).expect("a UID")..=Uid::new(high).expect("a UID"))
}

fn numbers(low: u32, high: u32) -> SeqSet {
    SeqSet::from(SeqNum::new(low).expect("a number")..=SeqNum::new(high).expect("a number"))
}

fn archive() -> MailboxName {
    MailboxName::new("Archive").expect("a name")
}

fn seen(messages: impl Into<Messages>) -> StoreCommand {
    StoreCommand::new(messages, Store::add(Flag::Seen))
}

/// Folds what is the command's own until it is done.
fn outcome<C: Command>(script: &mut Script, mut command: C, id: CommandId) -> Result<C::Output, Error> {
    while let Some(event) = script.connection.poll_event() {
        match event {
            Event::Data { id: Some(owner), response } if owner == id => command.fold(response),
            Event::Done { id: owner, outcome } if owner == id => {
                return outcome.map(|ok: Completion| command.finish(ok)).map_err(Error::Refused);
            }
            Event::Failed { id: owner, error, .. } if owner == id => return Err(error),
            _ => {}
        }
    }
    panic!("the command is not done")
}

/// Sends a command in a session of these capabilities, with INBOX selected, and gives it an answer.
fn answered<C: Command>(capabilities: &str, command: C, line: &str, answer: &str) -> Result<C::Output, Error> {
    let mut script = Script::selected(capabilities);
    let id = script.submit(&command);
    script.c(line);
    script.s(answer);
    outcome(&mut script, command, id)
}

fn unsupported(capabilities: &str, command: &impl Command, name: &str) {
    let mut script = Script::selected(capabilities);
    script.submit(command);
    script.c_nothing();
    script.e(&[&format!("1 failed the server does not offer {name} NotSent")]);
}

#[test]
fn commands_have_their_wire_form() {
    fn work() -> Flag {
        Flag::Keyword(Keyword::new("Work").expect("a keyword"))
    }
    fn one() -> UidSet {
        uids(4, 4)
    }
    let table: &[(&Submit, &str)] = &[
        (&|s| s.submit(&seen(one())), "UID STORE 4 +FLAGS (\\Seen)"),
        (&|s| s.submit(&seen(numbers(1, 3))), "STORE 1:3 +FLAGS (\\Seen)"),
        (
            &|s| s.submit(&StoreCommand::new(one(), Store::remove([Flag::Seen, work()]).silent())),
            "UID STORE 4 -FLAGS.SILENT (\\Seen Work)",
        ),
        (&|s| s.submit(&StoreCommand::new(one(), Store::replace([]))), "UID STORE 4 FLAGS ()"),
        (
            &|s| s.submit(&StoreCommand::new(one(), Store::replace(work()).unchanged_since(77).silent())),
            "UID STORE 4 (UNCHANGEDSINCE 77) FLAGS.SILENT (Work)",
        ),
        (&|s| s.submit(&Copy::new(UidSet::all(), archive())), "UID COPY 1:* \"Archive\""),
        (&|s| s.submit(&Copy::new(numbers(2, 3), archive())), "COPY 2:3 \"Archive\""),
        (&|s| s.submit(&Move::new(one(), archive())), "UID MOVE 4 \"Archive\""),
        (&|s| s.submit(&Move::new(numbers(1, 1), archive())), "MOVE 1 \"Archive\""),
        (&|s| s.submit(&Expunge), "EXPUNGE"),
        (&|s| s.submit(&UidExpunge::new(uids(3, 9))), "UID EXPUNGE 3:9"),
        (&|s| s.submit(&Close), "CLOSE"),
        (&|s| s.submit(&Unselect), "UNSELECT"),
        (&|s| s.submit(&Fetch::new(numbers(1, 2), FetchItems::ids().flags())), "FETCH 1:2 (UID FLAGS)"),
        (
            &|s| s.submit(&Fetch::new(one(), FetchItems::ids().flags()).changed_since(12)),
            "UID FETCH 4 (UID FLAGS MODSEQ) (CHANGEDSINCE 12)",
        ),
        // No mod-sequence is zero, and of what has changed since the beginning nothing is left out.
        (
            &|s| s.submit(&Fetch::new(one(), FetchItems::ids().flags()).changed_since(0)),
            "UID FETCH 4 (UID FLAGS MODSEQ)",
        ),
        (
            &|s| s.submit(&Fetch::new(one(), FetchItems::ids().binary("1").expect("a part"))),
            "UID FETCH 4 (UID BINARY.PEEK[1])",
        ),
        (&|s| s.submit(&Select::new(archive(), Access::ReadOnly).condstore()), "EXAMINE \"Archive\" (CONDSTORE)"),
        (&|s| s.submit(&Search::numbers(Query::seen())), "SEARCH SEEN"),
        (
            &|s| s.submit(&Search::new(Query::seen()).returning(Returns::ALL | Returns::MIN)),
            "UID SEARCH RETURN (MIN ALL) SEEN",
        ),
        (
            &|s| s.submit(&Search::numbers(Query::from("é")).returning(Returns::COUNT)),
            "SEARCH RETURN (COUNT) CHARSET UTF-8 FROM {2+}\r\né",
        ),
        (&|s| s.submit(&Raw::new("XFOO bar").expect("a line")), "XFOO bar"),
        (
            &|s| {
                s.submit(
                    &Raw::new("XFOO").expect("a line").string("a\"b").literal(&b"\r\n"[..]).text("x").expect("text"),
                )
            },
            "XFOO \"a\\\"b\" {2+}\r\n\r\n x",
        ),
    ];
    for (submit, line) in table {
        let mut script = Script::selected("CONDSTORE ESEARCH MOVE UIDPLUS UNSELECT BINARY LITERAL+");
        submit(&mut script);
        script.c(&format!("A1 {line}\r\n"));
    }
}

#[test]
fn what_cannot_be_sent_is_refused_before_it_is_submitted() {
    let refusal = |command: &dyn Fn() -> Result<(), Misuse>| command().expect_err("it is refused");
    let store = |store: Store| StoreCommand::new(uids(1, 1), store).request().map(drop);
    assert_eq!(refusal(&|| store(Store::add([]))), Misuse::NoFlags);
    assert_eq!(refusal(&|| store(Store::remove([]))), Misuse::NoFlags);
    assert_eq!(refusal(&|| store(Store::add([Flag::Seen, Flag::Recent]))), Misuse::Flag(Flag::Recent));
    assert_eq!(refusal(&|| store(Store::replace(Flag::Any))), Misuse::Flag(Flag::Any));
    assert_eq!(refusal(&|| seen(UidSet::new()).request().map(drop)), Misuse::EmptySet);
    assert_eq!(refusal(&|| Copy::new(SeqSet::new(), archive()).request().map(drop)), Misuse::EmptySet);
    assert_eq!(refusal(&|| Move::new(UidSet::new(), archive()).request().map(drop)), Misuse::EmptySet);
    assert_eq!(refusal(&|| UidExpunge::new(UidSet::new()).request().map(drop)), Misuse::EmptySet);
    assert_eq!(refusal(&|| UidExpunge::new(numbers(1, 2)).request().map(drop)), Misuse::OnlyUids);
    assert!(matches!(
        refusal(&|| Raw::new("XFOO").expect("a line").string(*b"\0").request().map(drop)),
        Misuse::Encode(_)
    ));
}

#[test]
fn what_the_server_does_not_offer_is_not_sent() {
    let conditional = StoreCommand::new(uids(1, 1), Store::add(Flag::Seen).unchanged_since(1));
    unsupported("", &conditional, "CONDSTORE");
    unsupported("", &Fetch::new(uids(1, 1), FetchItems::ids()).changed_since(1), "CONDSTORE");
    unsupported("", &Fetch::new(uids(1, 1), FetchItems::ids().binary_size("1").expect("a part")), "BINARY");
    unsupported("", &Search::new(Query::mod_seq(1)), "CONDSTORE");
    unsupported("", &Select::new(archive(), Access::ReadWrite).condstore(), "CONDSTORE");
    unsupported("", &Move::new(uids(1, 1), archive()), "MOVE");
    unsupported("", &UidExpunge::new(uids(1, 1)), "UIDPLUS");
    unsupported("", &Unselect, "UNSELECT");
    // QRESYNC has CONDSTORE in it, and IMAP4rev2 the others.
    for (capabilities, command) in [("QRESYNC", conditional.request()), ("IMAP4rev2", Unselect.request())] {
        let mut script = Script::selected(capabilities);
        script.connection.submit(command.expect("a request"), script.now).expect("it is open");
        script.e(&[]);
    }
}

#[test]
fn no_and_bad_are_refusals_with_their_code() {
    let code = |answer: Result<StoreAnswer, Error>| match answer {
        Err(Error::Refused(refused)) => (refused.command.into_owned(), refused.code),
        other => panic!("{other:?}"),
    };
    let line = "A1 UID STORE 1 +FLAGS (\\Seen)\r\n";
    assert_eq!(
        code(answered("", seen(uids(1, 1)), line, "A1 NO [CANNOT] no\r\n")),
        ("UID STORE".to_owned(), Some(Code::Cannot))
    );
    assert_eq!(code(answered("", seen(uids(1, 1)), line, "A1 BAD what\r\n")), ("UID STORE".to_owned(), None));
    let refused =
        answered("", Copy::new(uids(1, 1), archive()), "A1 UID COPY 1 \"Archive\"\r\n", "A1 NO [TRYCREATE] no\r\n");
    assert!(matches!(refused, Err(Error::Refused(refused)) if refused.code == Some(Code::TryCreate)));
    let refused = answered("", Expunge, "A1 EXPUNGE\r\n", "A1 NO read-only\r\n");
    assert!(matches!(refused, Err(Error::Refused(_))));
}

#[test]
fn store_tells_what_came_of_each_message_once() {
    let answer = answered(
        "CONDSTORE",
        seen(uids(4, 6)),
        "A1 UID STORE 4:6 +FLAGS (\\Seen)\r\n",
        concat!(
            "* 3 FETCH (FLAGS (\\Seen) UID 6)\r\n",
            "* 1 FETCH (UID 4 FLAGS (\\Draft))\r\n",
            "* 1 FETCH (UID 4 FLAGS (\\Seen \\Draft) MODSEQ (8))\r\n",
            "* 3 FETCH (UID 6 MODSEQ (9))\r\n",
            "A1 OK\r\n"
        ),
    );
    let answer = answer.expect("it is done");
    let told: Vec<_> =
        answer.messages.iter().map(|told| (told.uid.map(u32::from), told.seq.get(), told.mod_seq)).collect();
    let mod_seq = std::num::NonZeroU64::new;
    assert_eq!(told, [(Some(4), 1, mod_seq(8)), (Some(6), 3, mod_seq(9))]);
    assert_eq!(answer.messages[0].flags, Some(vec![Flag::Seen, Flag::Draft]));
    assert!(answer.messages[1].has(&Flag::Seen));
    assert_eq!(answer.modified, None);
}

#[test]
fn what_a_conditional_store_left_alone_is_told_as_the_command_was() {
    for (messages, line, expected) in [
        (Messages::from(uids(5, 9)), "UID STORE 5:9", Messages::from(uids(7, 8))),
        (Messages::from(numbers(5, 9)), "STORE 5:9", Messages::from(numbers(7, 8))),
    ] {
        let command = StoreCommand::new(messages, Store::add(Flag::Seen).silent().unchanged_since(320));
        let line = format!("A1 {line} (UNCHANGEDSINCE 320) +FLAGS.SILENT (\\Seen)\r\n");
        let answer = answered(
            "CONDSTORE",
            command.clone(),
            &line,
            "* 5 FETCH (UID 5 MODSEQ (400))\r\nA1 OK [MODIFIED 7:8] conditional\r\n",
        );
        let answer = answer.expect("it is done");
        assert_eq!((answer.messages.len(), answer.modified), (1, Some(expected)));
        let refused = answered("CONDSTORE", command, &line, "A1 NO [MODIFIED 7:8] some are gone\r\n");
        let Err(Error::Refused(refused)) = refused else { panic!("{refused:?}") };
        assert!(matches!(refused.code, Some(Code::Modified(set)) if set.uids().len() == 2));
    }
}

#[test]
fn what_comes_in_between_goes_where_it_belongs() {
    let mut script = Script::selected("");
    script.submit(&seen(uids(4, 6)));
    script.c("A1 UID STORE 4:6 +FLAGS (\\Seen)\r\n");
    script.s(concat!(
        "* 1 FETCH (UID 4 FLAGS (\\Seen))\r\n",
        "* 9 FETCH (UID 40 FLAGS (\\Seen))\r\n",
        "* 2 FETCH (FLAGS (\\Seen))\r\n",
        "* 2 FETCH (UID 5 RFC822.SIZE 7)\r\n",
        "* 3 EXPUNGE\r\n",
        "* VANISHED 90\r\n",
        "* 7 EXISTS\r\n",
        "A1 OK\r\n"
    ));
    script.e(&[
        "1 * 1 FETCH (UID 4 FLAGS (\\\\Seen))",
        "- * 9 FETCH (UID 40 FLAGS (\\\\Seen))",
        "- * 2 FETCH (FLAGS (\\\\Seen))",
        "- * 2 FETCH (UID 5 RFC822.SIZE 7)",
        "- * 3 EXPUNGE",
        "- * VANISHED 90",
        "- * 7 EXISTS",
        "1 ok",
    ]);
    script.submit(&seen(numbers(1, 2)));
    script.submit(&Fetch::new(numbers(5, 6), FetchItems::ids().flags()));
    script.c("A2 STORE 1:2 +FLAGS (\\Seen)\r\nA3 FETCH 5:6 (UID FLAGS)\r\n");
    script.s(concat!(
        "* 2 FETCH (FLAGS (\\Seen))\r\n",
        "* 3 FETCH (FLAGS (\\Seen))\r\n",
        "* 5 FETCH (FLAGS (\\Seen))\r\n",
        "* 5 FETCH (UID 9 FLAGS (\\Seen))\r\n",
        "A2 OK\r\nA3 OK\r\n"
    ));
    script.e(&[
        "2 * 2 FETCH (FLAGS (\\\\Seen))",
        "- * 3 FETCH (FLAGS (\\\\Seen))",
        // A fetch asks for the UID: what has none was told unasked.
        "- * 5 FETCH (FLAGS (\\\\Seen))",
        "3 * 5 FETCH (UID 9 FLAGS (\\\\Seen))",
        "2 ok",
        "3 ok",
    ]);
    script.submit(&StoreCommand::new(uids(4, 6), Store::add(Flag::Seen).silent()));
    script.c("A4 UID STORE 4:6 +FLAGS.SILENT (\\Seen)\r\n");
    script.s("* 1 FETCH (UID 4 MODSEQ (12))\r\n* 2 FETCH (UID 5 FLAGS (\\Draft))\r\nA4 OK\r\n");
    script.e(&["4 * 1 FETCH (UID 4 MODSEQ (12))", "- * 2 FETCH (UID 5 FLAGS (\\\\Draft))", "4 ok"]);
}

#[test]
fn stores_of_the_same_messages_wait_for_each_other_and_others_go_together() {
    let mut script = Script::selected("");
    script.submit(&seen(uids(1, 5)));
    script.submit(&seen(uids(6, 9)));
    script.submit(&Fetch::new(uids(10, 12), FetchItems::ids().flags()));
    script.c(
        "A1 UID STORE 1:5 +FLAGS (\\Seen)\r\nA2 UID STORE 6:9 +FLAGS (\\Seen)\r\nA3 UID FETCH 10:12 (UID FLAGS)\r\n",
    );
    script.submit(&StoreCommand::new(uids(5, 5), Store::remove(Flag::Seen).silent()));
    script.c_nothing();
    script.s("A2 OK\r\nA3 OK\r\n");
    script.e(&["2 ok", "3 ok"]);
    script.c_nothing();
    script.s("A1 OK\r\n");
    script.e(&["1 ok"]);
    script.c("A4 UID STORE 5 -FLAGS.SILENT (\\Seen)\r\n");
    // Its size may come with the flags.
    script.submit(&Fetch::new(uids(5, 7), FetchItems::ids().size()));
    script.c_nothing();
    script.s("A4 OK\r\n");
    script.e(&["4 ok"]);
    script.c("A5 UID FETCH 5:7 (UID RFC822.SIZE)\r\n");
}

#[test]
fn numbers_wait_for_whatever_may_expunge() {
    let fetch = || Fetch::new(numbers(1, 2), FetchItems::ids().size());
    let by_uid: [&Submit; 6] = [
        &|s| s.submit(&seen(uids(90, 91))),
        &|s| s.submit(&Copy::new(uids(90, 91), archive())),
        &|s| s.submit(&Noop),
        &|s| s.submit(&Search::new(Query::all())),
        // By number itself, and answered with EXPUNGE all the same (RFC 9051 §7.5.1).
        &|s| s.submit(&Copy::new(numbers(90, 91), archive())),
        &|s| s.submit(&Search::new(Query::seq_num(numbers(1, 2)))),
    ];
    for submit in by_uid {
        let mut script = Script::selected("");
        submit(&mut script);
        let waiting: usize = script.connection.transmit().map(<[u8]>::len).sum();
        script.c_part(waiting);
        script.submit(&fetch());
        script.c_nothing();
        script.s("A1 OK\r\n");
        script.e(&["1 ok"]);
        script.c("A2 FETCH 1:2 (UID RFC822.SIZE)\r\n");
    }
    let with_numbers: [&Submit; 5] = [
        &|s| s.submit(&Copy::new(numbers(1, 2), archive())),
        &|s| s.submit(&Move::new(numbers(1, 2), archive())),
        &|s| s.submit(&Search::new(Query::seq_num(numbers(1, 2)))),
        &|s| s.submit(&Search::numbers(Query::all())),
        &|s| s.submit(&seen(numbers(1, 2))),
    ];
    for submit in with_numbers {
        let mut script = Script::selected("MOVE");
        script.submit(&Noop);
        script.c("A1 NOOP\r\n");
        submit(&mut script);
        script.c_nothing();
        script.s("* 4 EXISTS\r\nA1 OK\r\n");
        script.e(&["- * 4 EXISTS", "1 ok"]);
        assert!(!script.connection.is_quiet());
    }
    let mut script = Script::selected("");
    script.submit(&fetch());
    script.submit(&seen(numbers(7, 9)));
    script.submit(&Search::numbers(Query::all()));
    script.c("A1 FETCH 1:2 (UID RFC822.SIZE)\r\nA2 STORE 7:9 +FLAGS (\\Seen)\r\nA3 SEARCH ALL\r\n");
    script.submit(&Copy::new(numbers(1, 2), archive()));
    script.c("A4 COPY 1:2 \"Archive\"\r\n");
    script.submit(&fetch());
    script.c_nothing();
}

#[test]
fn what_vanishes_is_counted_and_what_vanished_before_is_not() {
    let mut script = Script::selected("");
    script.s("* VANISHED (EARLIER) 1:900\r\n* VANISHED 41,43\r\n* VANISHED\r\n");
    script.events();
    let exists = |script: &Script| script.connection.view().selected().map(|mailbox| mailbox.exists);
    assert_eq!(exists(&script), Some(1));
    script.s("* VANISHED 1:4294967295\r\n");
    script.events();
    assert_eq!(exists(&script), Some(0));
}

/// What COPYUID says, source and destination.
fn shown(copied: Option<Box<CopyUid>>) -> String {
    copied.map_or("-".into(), |copied| {
        let pairs: Vec<_> = copied.pairs().map(|(from, to)| format!("{from}>{to}")).collect();
        format!("{} {}", copied.uid_validity, pairs.join(","))
    })
}

#[test]
fn where_copied_messages_are_is_told_in_many_ways() {
    for (answer, expected) in [
        ("A1 OK [COPYUID 55 4:5 31:32] done\r\n", "55 4>31,5>32"),
        ("A1 OK done\r\n", "-"),
        ("A1 OK [COPYUID 1  ] done\r\n", "-"),
        ("A1 OK [COPYUID 0 4 5] done\r\n", "-"),
    ] {
        let copied = answered("", Copy::new(uids(4, 5), archive()), "A1 UID COPY 4:5 \"Archive\"\r\n", answer);
        assert_eq!(shown(copied.expect("it is done")), expected, "{answer}");
    }
    // Quirks 32 to 36.
    for (answer, expected) in [
        ("* OK [COPYUID 55 4:5 31:32] Moved\r\n* 1 EXPUNGE\r\n* 1 EXPUNGE\r\nA1 OK done\r\n", "55 4>31,5>32"),
        ("A1 OK [COPYUID 55 4 31] done\r\n", "55 4>31"),
        ("* OK [COPYUID 55 4 31] x\r\nA1 OK [COPYUID 55 4 31] done\r\n", "55 4>31"),
        ("* OK [COPYUID 55 4 31] x\r\n* OK [COPYUID 55 5 40] x\r\nA1 OK done\r\n", "55 4>31,5>40"),
        ("[COPYUID 55 31 6]\r\nA1 OK done\r\n", "55 31>6"),
        ("* [COPYUID 123456 1 2]\r\nA1 OK done\r\n", "123456 1>2"),
        ("* OK [COPYUID 1  ]\r\nA1 OK done\r\n", "-"),
        ("* OK still there\r\nA1 OK done\r\n", "-"),
        ("* OK [COPYUID 54 1 2] old\r\n* OK [COPYUID 55 1 3] new\r\nA1 OK\r\n", "55 1>3"),
    ] {
        let moved = answered("MOVE", Move::new(uids(4, 5), archive()), "A1 UID MOVE 4:5 \"Archive\"\r\n", answer);
        assert_eq!(shown(moved.expect("it is done")), expected, "{answer}");
    }
}

#[test]
fn moves_wait_for_each_other_and_expunges_are_told_to_whoever_listens() {
    let mut script = Script::selected("MOVE");
    script.submit(&Move::new(uids(1, 1), archive()));
    script.submit(&Move::new(uids(2, 2), archive()));
    script.c("A1 UID MOVE 1 \"Archive\"\r\n");
    script.s("* OK [COPYUID 5 1 1] moved\r\n* OK hello\r\n* 1 EXPUNGE\r\nA1 OK\r\n");
    script.e(&["1 * OK [COPYUID 5 1 1] moved", "- * OK hello", "- * 1 EXPUNGE", "1 ok"]);
    assert_eq!(script.connection.view().selected().map(|mailbox| mailbox.exists), Some(2));
    script.c("A2 UID MOVE 2 \"Archive\"\r\n");
}

#[test]
fn results_are_asked_for_where_they_can_be_and_counted_where_not() {
    let count = || Search::new(Query::unseen()).returning(Returns::COUNT | Returns::MAX);
    let plain = "A1 UID SEARCH UNSEEN\r\n";
    let extended = "A1 UID SEARCH RETURN (MAX COUNT) UNSEEN\r\n";
    for (capabilities, line, answer) in [
        ("", plain, "* SEARCH 3 9 5\r\nA1 OK\r\n"),
        ("ESEARCH", extended, "* ESEARCH (TAG \"A1\") UID MAX 9 COUNT 3\r\nA1 OK\r\n"),
        ("IMAP4rev2", extended, "* ESEARCH (TAG \"A1\") UID ALL 3,5,9\r\nA1 OK\r\n"),
        ("ESEARCH", extended, "* SEARCH 3 9 5\r\nA1 OK\r\n"),
    ] {
        let Found { max, count, min, all, .. } = answered(capabilities, count(), line, answer).expect("it is done");
        assert_eq!((max, count, min, all), (Uid::new(9), Some(3), None, None), "{answer}");
    }
}

#[test]
fn an_answer_with_another_tag_is_not_the_searchs_own() {
    let mut script = Script::selected("ESEARCH");
    script.submit(&Search::new(Query::all()).returning(Returns::ALL));
    script.c("A1 UID SEARCH RETURN (ALL) ALL\r\n");
    script.s("* ESEARCH (TAG \"A9\") UID ALL 7\r\n* ESEARCH (TAG \"A1\") UID ALL 1:4000000\r\nA1 OK\r\n");
    let events = script.events().join("\n").replace('\\', "");
    assert_eq!(events, "- * ESEARCH (TAG \"A9\") UID ALL 7\n1 * ESEARCH (TAG \"A1\") UID ALL 1:4000000\n1 ok");
}

#[test]
fn quirk_125_a_charset_that_is_not_known_is_told_and_ascii_names_none() {
    let command = Search::new(Query::subject("Grüße"));
    let line = "A1 UID SEARCH CHARSET UTF-8 SUBJECT {7+}\r\nGrüße\r\n";
    for charsets in ["(US-ASCII)", "US-ASCII"] {
        let answer = format!("A1 NO [BADCHARSET {charsets}] no\r\n");
        let refused = answered("LITERAL+", command.clone(), line, &answer);
        let Err(Error::Refused(refused)) = refused else { panic!("{refused:?}") };
        assert_eq!(refused.code, Some(Code::BadCharset(vec!["US-ASCII".into()])));
    }
    let command = Search::new(Query::subject("Hi"));
    answered("", command, "A1 UID SEARCH SUBJECT \"Hi\"\r\n", "A1 OK\r\n").expect("it is done");
}

#[test]
fn closing_leaves_the_mailbox_with_its_first_byte() {
    for (capabilities, closing) in [("", Close.request()), ("UNSELECT", Unselect.request())] {
        let mut script = Script::selected(capabilities);
        let selection = script.connection.view().selection();
        script.submit(&Noop);
        script.c("A1 NOOP\r\n");
        script.connection.submit(closing.expect("a request"), script.now).expect("it is open");
        let search = Search::new(Query::all()).request().expect("a request").bind(selection);
        script.connection.submit(search, script.now).expect("it is open");
        // A barrier: it waits for what is under way, and all else waits for it.
        script.c_nothing();
        script.s("A1 OK\r\n");
        script.e(&["1 ok"]);
        assert!(script.connection.view().selected().is_some());
        script.c_part(1);
        assert!(script.connection.view().selected().is_none());
        let waiting: usize = script.connection.transmit().map(<[u8]>::len).sum();
        script.c_part(waiting);
        script.s("A2 NO no\r\n");
        script.e(&["2 refused No", "3 failed the mailbox is no longer selected NotSent"]);
        assert!(script.connection.view().selected().is_none());
    }
}

#[test]
fn a_raw_command_goes_alone_and_has_what_it_names() {
    let mut script = Script::selected("");
    script.submit(&Noop);
    let raw = Raw::new("XFOO bar").expect("a line").claims("xfoo").claims("FETCH");
    let id = script.submit(&raw);
    script.submit(&Noop);
    script.c("A1 NOOP\r\n");
    script.s("* XFOO early\r\nA1 OK\r\n");
    script.e(&["- * XFOO early", "1 ok"]);
    script.c("A2 XFOO bar\r\n");
    script.s("* XFOO 1 (2)\r\n* 3 XFOO x\r\n* 1 FETCH (FLAGS ())\r\n* XBAR\r\n* 2 EXPUNGE\r\nA2 OK [XCODE y] fine\r\n");
    let answer = outcome(&mut script, raw, id).expect("it is done");
    let raws: Vec<_> = answer.responses.iter().map(|response| response.get().raw().to_vec()).collect();
    assert_eq!(raws, [&b"* XFOO 1 (2)"[..], b"* 3 XFOO x", b"* 1 FETCH (FLAGS ())"]);
    assert_eq!((answer.text.as_str(), answer.left_out), ("fine", 0));
    assert!(matches!(answer.code, Some(Code::Other { name, .. }) if name.as_str() == "XCODE"));
    script.c("A3 NOOP\r\n");
    script.submit(&Raw::new("XFOO").expect("a line").pipelined());
    script.c("A4 XFOO\r\n");
}

#[test]
fn a_refused_raw_command_is_named_by_its_first_word() {
    for (line, name) in
        [("XFOO bar", "XFOO"), ("getquotaroot", "GETQUOTAROOT"), ("UID XBAR 1:*", "UID XBAR"), ("UID \"7454\"", "UID")]
    {
        let raw = Raw::new(line).expect("a line").secret("7454");
        let mut script = Script::selected("");
        let id = script.submit(&raw);
        script.c(&format!("A1 {line} \"7454\"\r\n"));
        script.s("A1 NO not here\r\n");
        let error = outcome(&mut script, raw, id).expect_err("it is refused");
        assert_eq!(error.to_string(), format!("{name} refused: not here"));
    }
}

/// What changes something, with its line. The mailbox is left by the last two.
fn changes() -> [(&'static Submit, &'static str); 11] {
    [
        (&|s| s.submit(&seen(uids(1, 1))), "UID STORE 1 +FLAGS (\\Seen)"),
        (&|s| s.submit(&seen(numbers(1, 1))), "STORE 1 +FLAGS (\\Seen)"),
        (&|s| s.submit(&Copy::new(uids(1, 1), archive())), "UID COPY 1 \"Archive\""),
        (&|s| s.submit(&Copy::new(numbers(1, 1), archive())), "COPY 1 \"Archive\""),
        (&|s| s.submit(&Move::new(uids(1, 1), archive())), "UID MOVE 1 \"Archive\""),
        (&|s| s.submit(&Expunge), "EXPUNGE"),
        (&|s| s.submit(&UidExpunge::new(uids(1, 9))), "UID EXPUNGE 1:9"),
        (&|s| s.submit(&Raw::new("XFOO bar").expect("a line")), "XFOO bar"),
        (
            &|s| {
                let section = imap_proto_core::types::Section::header();
                s.submit(&Fetch::new(uids(1, 1), FetchItems::ids().section_marking_seen(section)))
            },
            "UID FETCH 1 (UID BODY[HEADER])",
        ),
        (&|s| s.submit(&Close), "CLOSE"),
        (&|s| s.submit(&Unselect), "UNSELECT"),
    ]
}

const ALL: &str = "CONDSTORE ESEARCH MOVE UIDPLUS UNSELECT";

#[test]
fn a_change_of_which_nothing_left_is_taken_back() {
    for (submit, _) in changes() {
        let mut script = Script::selected(ALL);
        let id = submit(&mut script);
        assert_eq!(script.abandon(id), imap_proto_core::CancelEffect::Removed);
        script.e(&["1 failed cancelled NotSent"]);
        script.submit(&Noop);
        script.c("A2 NOOP\r\n");
        assert!(script.connection.view().selected().is_some());
    }
}

#[test]
fn a_change_that_is_partly_or_wholly_sent_is_finished_and_its_answer_read_over() {
    for (submit, line) in changes() {
        let line = format!("A1 {line}\r\n");
        for sent in [4, line.len() - 1, line.len()] {
            let mut script = Script::selected(ALL);
            let id = submit(&mut script);
            script.c_part(sent);
            assert_eq!(script.abandon(id), imap_proto_core::CancelEffect::WillFinish, "{line}");
            script.submit(&Noop);
            let waiting: Vec<u8> = script.connection.transmit().flatten().copied().collect();
            assert!(String::from_utf8_lossy(&waiting).starts_with(&line[sent..]), "{line}");
            script.c_part(waiting.len());
            script.s("* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n* 2 EXPUNGE\r\nA1 OK [COPYUID 1 1 2] done\r\n");
            let events = script.events();
            assert_eq!(events.last().map(String::as_str), Some("1 ok"), "{events:?}");
            assert!(!events.iter().any(|event| event.starts_with("1 *")), "{events:?}");
            let rest: Vec<u8> = script.connection.transmit().flatten().copied().collect();
            let all = [waiting, rest].concat();
            assert!(String::from_utf8_lossy(&all).ends_with("A2 NOOP\r\n"), "{line}");
            script.connection.transmitted(all.len(), script.now);
            script.s("A2 OK\r\n");
            script.e(&["2 ok"]);
        }
    }
}

#[test]
fn a_change_is_in_doubt_once_all_of_it_has_left() {
    for (submit, line) in changes() {
        let line = format!("A1 {line}\r\n");
        for (sent, fate) in [(0, "NotSent"), (4, "Cancelled"), (line.len() - 1, "Cancelled"), (line.len(), "InDoubt")] {
            let mut script = Script::selected(ALL);
            submit(&mut script);
            script.c_part(sent);
            script.s_eof();
            let events = script.events();
            assert!(events[0].ends_with(fate), "{line} {sent} {events:?}");
        }
    }
    // What only asks has no effect whenever it is lost.
    for submit in [&(|s: &mut Script| s.submit(&Search::new(Query::all()).returning(Returns::ALL))) as &Submit, &|s| {
        s.submit(&Raw::new("XFOO").expect("a line").claims("XFOO").only_asks())
    }] {
        let mut script = Script::selected(ALL);
        submit(&mut script);
        let waiting: usize = script.connection.transmit().map(<[u8]>::len).sum();
        script.c_part(waiting);
        script.s_eof();
        assert!(script.events()[0].ends_with("Cancelled"));
    }
}
