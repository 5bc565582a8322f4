//! The other commands on mailboxes, and those on the session, as transcripts.

use imap_proto_core::command::{
    Check, Command, Create, Delete, Enable, Id, List, Lsub, NamespaceCommand, Noop, Rename, StatusCommand, Subscribe,
    Unsubscribe,
};
use imap_proto_core::types::{Capability, Identification, MailboxName, Namespaces, SpecialUse, Status, StatusItems};
use imap_proto_core::{CancelEffect, CommandId, Event, Misuse};
use proptest::prelude::*;

use crate::script::Script;

pub(crate) fn name(text: &str) -> MailboxName {
    MailboxName::new(text).expect("a name")
}

/// Submits a command of any type.
type Submit<'a> = &'a dyn Fn(&mut Script) -> CommandId;

/// Runs one command to its end: `C:` what it sends, `S:` what comes, and what it makes of it.
#[track_caller]
pub(crate) fn run<C: Command>(script: &mut Script, command: C, c: &str, s: &str) -> Result<C::Output, String> {
    script.submit(&command);
    script.c(c);
    script.s(s);
    answer(script, command)
}

#[track_caller]
pub(crate) fn answer<C: Command>(script: &mut Script, mut command: C) -> Result<C::Output, String> {
    while let Some(event) = script.connection.poll_event() {
        match event {
            Event::Data { id: Some(_), response } => command.fold(response),
            Event::Done { outcome, .. } => {
                return outcome.map(|ok| command.finish(ok)).map_err(|refused| format!("{:?}", refused.condition));
            }
            Event::Failed { error, fate, .. } => return Err(format!("{error} {fate:?}")),
            _ => {}
        }
    }
    Err("no answer".into())
}

#[test]
fn statuses_of_different_mailboxes_are_pipelined_and_told_apart() {
    let mut script = Script::authenticated("CONDSTORE");
    let status = |text| StatusCommand::new(name(text), StatusItems::changes());
    let (mut a, mut b) = (status("a"), status("b c"));
    script.submit(&a);
    script.submit(&b);
    script.submit(&status("a"));
    script.c(concat!(
        "A0 STATUS \"a\" (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)\r\n",
        "A1 STATUS \"b c\" (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)\r\n"
    ));
    script
        .s("* STATUS \"b c\" (MESSAGES 2)\r\n* STATUS z (MESSAGES 9)\r\n* STATUS a (MESSAGES 1)\r\nA1 OK\r\nA0 OK\r\n");
    let (mut others, mut told) = (0, Vec::new());
    while let Some(event) = script.connection.poll_event() {
        match event {
            Event::Data { id: None, .. } => others += 1,
            Event::Data { response, .. } if response.as_status().is_some_and(|(name, _)| name == "a") => {
                a.fold(response)
            }
            Event::Data { response, .. } => b.fold(response),
            Event::Done { id, outcome } => told.push((id, outcome.is_ok())),
            _ => {}
        }
    }
    assert_eq!((others, told.len()), (1, 2), "quirk 75: the status of another mailbox is an event");
    script.c("A2 STATUS \"a\" (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)\r\n");
}

#[test]
fn a_status_that_says_nothing_is_empty_and_one_of_nothing_is_not_sent() {
    let mut script = Script::authenticated("");
    let status = StatusCommand::new(MailboxName::inbox(), StatusItems::counts());
    let told = run(&mut script, status, "A0 STATUS \"INBOX\" (MESSAGES UNSEEN)\r\n", "A0 OK\r\n");
    assert_eq!(told, Ok(Status::default()));
    let below = StatusCommand::new(name("INBOX/x"), StatusItems::new().messages());
    let told =
        run(&mut script, below, "A1 STATUS \"INBOX/x\" (MESSAGES)\r\n", "* STATUS Inbox/x (MESSAGES 7)\r\nA1 OK\r\n");
    assert_eq!(told.expect("it is answered").messages, Some(7), "quirk 65: INBOX in any case");
    let empty = StatusCommand::new(MailboxName::inbox(), StatusItems::new());
    assert_eq!(empty.request().expect_err("it is misused"), Misuse::NothingAsked);
}

#[test]
fn namespaces_are_asked_for_in_a_way_the_server_knows() {
    let personal = |told: Result<Namespaces, String>| {
        let told = told.expect("it is answered");
        told.personal.iter().map(|one| format!("{:?} {:?}", one.prefix, one.delimiter)).collect::<Vec<_>>()
    };
    let mut script = Script::authenticated("NAMESPACE");
    let s = "* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\nA0 OK\r\n";
    let told = run(&mut script, NamespaceCommand::default(), "A0 NAMESPACE\r\n", s);
    assert_eq!(personal(told), ["\"INBOX.\" Some('.')"]);
    let mut script = Script::authenticated("");
    let s = "* LIST (\\Noselect) \"/\" \"\"\r\nA0 OK\r\n";
    let told = run(&mut script, NamespaceCommand::default(), "A0 LIST \"\" \"\"\r\n", s);
    assert_eq!(personal(told), ["\"\" Some('/')"]);
}

#[test]
fn an_id_is_given_and_taken() {
    let mut script = Script::authenticated("ID");
    let ours = Identification::new().with_name("our \"mail\"").with("x-caf\u{e9}", "1").with_vendor("v");
    script.submit(&Id::new(Some(ours)));
    script.c("A0 ID (\"name\" \"our \\\"mail\\\"\" {7}\r\n");
    script.s("+ go\r\n");
    assert!(script.events().is_empty());
    script.c("x-caf\u{e9} \"1\" \"vendor\" \"v\")\r\n");
    script.s("* ID (\"name\" \"Server\" \"version\" NIL)\r\nA0 OK\r\n");
    let theirs = answer(&mut script, Id::new(None)).expect("it is answered").expect("it says what it is");
    assert_eq!((theirs.name(), theirs.version()), (Some("Server"), None));
    let nothing = run(&mut script, Id::new(None), "A1 ID NIL\r\n", "* ID NIL\r\nA1 OK\r\n");
    assert_eq!(nothing, Ok(None));
    let long = Identification::new().with("x".repeat(31), "");
    assert_eq!(Id::new(Some(long)).request().expect_err("it is misused"), Misuse::Identification);
}

#[test]
fn what_the_server_does_not_offer_is_not_sent() {
    let mut script = Script::authenticated("");
    let commands: [(Submit<'_>, &str); 4] = [
        (&|script| script.submit(&Id::new(None)), "0 failed the server does not offer ID NotSent"),
        (
            &|script| script.submit(&Enable::new([Capability::CondStore])),
            "1 failed the server does not offer ENABLE NotSent",
        ),
        (
            &|script| script.submit(&Create::new(name("a")).special_use(SpecialUse::Sent)),
            "2 failed the server does not offer CREATE-SPECIAL-USE NotSent",
        ),
        (
            &|script| script.submit(&Check),
            "3 failed CHECK is not allowed in this state: logged in or not, a mailbox selected or not NotSent",
        ),
    ];
    for (submit, expected) in commands {
        submit(&mut script);
        script.c_nothing();
        script.e(&[expected]);
    }
    let mut script = Script::selected("");
    script.submit(&Check);
    script.c("A1 CHECK\r\n");
}

#[test]
fn what_is_refused_is_told() {
    let commands: [(Submit<'_>, &str); 9] = [
        (&|s| s.submit(&List::all()), "LIST \"\" \"*\""),
        (&|s| s.submit(&Lsub::new("*")), "LSUB \"\" \"*\""),
        (&|s| s.submit(&NamespaceCommand::default()), "NAMESPACE"),
        (&|s| s.submit(&Id::new(None)), "ID NIL"),
        (&|s| s.submit(&Enable::new([Capability::CondStore])), "ENABLE CONDSTORE"),
        (&|s| s.submit(&StatusCommand::new(name("a"), StatusItems::counts())), "STATUS \"a\" (MESSAGES UNSEEN)"),
        (&|s| s.submit(&Create::new(name("a"))), "CREATE \"a\""),
        (&|s| s.submit(&Delete::new(name("a"))), "DELETE \"a\""),
        (&|s| s.submit(&Rename::new(name("a"), name("b"))), "RENAME \"a\" \"b\""),
    ];
    for (submit, line) in commands {
        for (answer, condition) in [("NO", "No"), ("BAD", "Bad")] {
            let mut script = Script::authenticated("NAMESPACE ID ENABLE");
            submit(&mut script);
            script.c(&format!("A0 {line}\r\n"));
            script.s(&format!("A0 {answer} no\r\n"));
            script.e(&[&format!("0 refused {condition}")]);
            assert!(script.connection.view().enabled().is_empty());
            script.submit(&Noop);
            script.c("A1 NOOP\r\n");
        }
    }
}

#[test]
fn a_mailbox_is_made_renamed_subscribed_and_removed() {
    let mut script = Script::authenticated("CREATE-SPECIAL-USE");
    let create = Create::new(name("Entw\u{fc}rfe")).special_use(SpecialUse::Drafts).special_use(SpecialUse::Archive);
    let c = "A0 CREATE \"Entw&APw-rfe\" (USE (\\Drafts \\Archive))\r\n";
    let id = run(&mut script, create, c, "A0 OK [MAILBOXID (F22)] made\r\n");
    assert_eq!(id, Ok(Some("F22".into())));
    let plain = run(&mut script, Create::new(name("a")), "A1 CREATE \"a\"\r\n", "A1 OK\r\n");
    assert_eq!(plain, Ok(None));
    let rename = Rename::new(name("a"), name("b \u{e9}"));
    assert_eq!(run(&mut script, rename, "A2 RENAME \"a\" \"b &AOk-\"\r\n", "A2 OK\r\n"), Ok(()));
    assert_eq!(run(&mut script, Subscribe::new(name("b")), "A3 SUBSCRIBE \"b\"\r\n", "A3 OK\r\n"), Ok(()));
    assert_eq!(run(&mut script, Unsubscribe::new(name("b")), "A4 UNSUBSCRIBE \"b\"\r\n", "A4 OK\r\n"), Ok(()));
    assert_eq!(run(&mut script, Delete::new(name("b")), "A5 DELETE \"b\"\r\n", "A5 OK\r\n"), Ok(()));
}

/// RFC 9051 §5.5: a server may take in any order what is sent together.
#[test]
fn what_has_to_do_with_a_mailbox_waits_for_its_making() {
    let status = |text| StatusCommand::new(name(text), StatusItems::new().messages());
    let mut script = Script::authenticated("");
    script.submit(&Create::new(name("a")));
    script.submit(&Create::new(name("ab")));
    script.submit(&status("c"));
    script.submit(&Subscribe::new(name("a")));
    script.submit(&status("d"));
    script.c("A0 CREATE \"a\"\r\nA1 CREATE \"ab\"\r\nA2 STATUS \"c\" (MESSAGES)\r\n");
    script.s("A0 OK\r\n");
    script.e(&["0 ok"]);
    script.c("A3 SUBSCRIBE \"a\"\r\nA4 STATUS \"d\" (MESSAGES)\r\n");
    script.s("A4 OK\r\nA3 OK\r\nA2 OK\r\nA1 OK\r\n");
    script.e(&["4 ok", "3 ok", "2 ok", "1 ok"]);
    for (first, second) in [("a", "a/b"), ("a/b", "a")] {
        let mut script = Script::authenticated("");
        script.submit(&Rename::new(name(first), name("z")));
        script.submit(&status(second));
        script.c(&format!("A0 RENAME \"{first}\" \"z\"\r\n"));
    }
    let mut script = Script::authenticated("");
    script.submit(&List::all());
    script.submit(&Delete::new(name("a")));
    script.c("A0 LIST \"\" \"*\"\r\n");
    script.s("* LIST () \"/\" a\r\nA0 OK\r\n");
    script.e(&["0 * LIST () \\\"/\\\" a", "0 ok"]);
    script.submit(&List::all());
    script.c("A1 DELETE \"a\"\r\n");
    script.s("A1 OK\r\n");
    script.e(&["1 ok"]);
    script.c("A2 LIST \"\" \"*\"\r\n");
}

#[test]
fn what_only_asks_is_drained_when_given_up_and_what_changes_is_finished() {
    let table: [(Submit<'_>, &str, CancelEffect); 5] = [
        (&|s| s.submit(&List::all()), "* LIST () \"/\" a\r\n", CancelEffect::WillDrain),
        (
            &|s| s.submit(&StatusCommand::new(name("a"), StatusItems::counts())),
            "* STATUS a (MESSAGES 1)\r\n",
            CancelEffect::WillDrain,
        ),
        (&|s| s.submit(&NamespaceCommand::default()), "* NAMESPACE NIL NIL NIL\r\n", CancelEffect::WillDrain),
        (&|s| s.submit(&Create::new(name("a"))), "", CancelEffect::WillFinish),
        (&|s| s.submit(&Enable::new([Capability::CondStore])), "* ENABLED CONDSTORE\r\n", CancelEffect::WillFinish),
    ];
    for (submit, data, effect) in table {
        let mut script = Script::authenticated("NAMESPACE ENABLE");
        let queued = submit(&mut script);
        assert_eq!(script.abandon(queued), CancelEffect::Removed);
        script.c_nothing();
        script.e(&["0 failed cancelled NotSent"]);
        let sent = submit(&mut script);
        script.c_part(3);
        assert_eq!(script.abandon(sent), effect);
        let rest: usize = script.connection.transmit().map(<[u8]>::len).sum();
        script.c_part(rest);
        script.s(&format!("{data}A1 OK\r\n"));
        script.e(&["1 ok"]);
        script.submit(&Noop);
        script.c("A2 NOOP\r\n");
        assert_eq!(script.connection.view().enabled().is_empty(), !data.contains("ENABLED"));
    }
}

#[test]
fn a_change_that_was_sent_is_in_doubt_when_the_connection_is_lost() {
    let mut script = Script::authenticated("");
    script.submit(&Create::new(name("a")));
    script.submit(&List::all());
    script.c("A0 CREATE \"a\"\r\n");
    script.s_eof();
    let events = script.events();
    assert!(events[0].starts_with("0 failed") && events[0].ends_with("InDoubt"), "{events:?}");
    assert!(events[1].starts_with("1 failed") && events[1].ends_with("NotSent"), "{events:?}");
}

#[test]
fn enable_goes_alone_and_names_travel_in_utf_8_from_then_on() {
    let mut script = Script::authenticated("ENABLE UTF8=ACCEPT");
    script.submit(&StatusCommand::new(name("\u{fc}"), StatusItems::new().messages()));
    script.submit(&Enable::new([Capability::Utf8Accept, Capability::CondStore]));
    script.submit(&StatusCommand::new(name("\u{fc}"), StatusItems::new().messages()));
    script.submit(&List::new("\u{fc}&%"));
    script.c("A0 STATUS \"&APw-\" (MESSAGES)\r\n");
    script.s("* STATUS \"&APw-\" (MESSAGES 1)\r\nA0 OK\r\n");
    script.e(&["0 * STATUS \\\"&APw-\\\" (MESSAGES 1)", "0 ok"]);
    script.c("A1 ENABLE UTF8=ACCEPT CONDSTORE\r\n");
    script.s("* ENABLED UTF8=ACCEPT\r\nA1 OK\r\n");
    let enabled = answer(&mut script, Enable::new([Capability::Utf8Accept])).expect("it is answered");
    assert_eq!(enabled.to_string(), "UTF8=ACCEPT");
    script.c("A2 STATUS \"\u{fc}\" (MESSAGES)\r\nA3 LIST \"\" \"\u{fc}&%\"\r\n");
    script.s("* STATUS \"\u{fc}\" (MESSAGES 1)\r\n* LIST () \"/\" \"\u{fc}&x\"\r\n");
    let (mut names, mut owners) = (Vec::new(), Vec::new());
    while let Some(Event::Data { id, response }) = script.connection.poll_event() {
        owners.push(id.is_some());
        names.extend(response.as_status().map(|(name, _)| name));
        names.extend(response.as_list().map(|entry| entry.name().clone()));
    }
    assert_eq!((names, owners), (vec![name("\u{fc}"), name("\u{fc}&x")], vec![true, true]));
}

#[test]
fn a_session_that_can_only_be_of_imap4rev2_has_names_in_utf_8_from_its_beginning() {
    let mut script = Script::greeted("IMAP4rev2");
    script.submit(&StatusCommand::new(name("\u{fc}"), StatusItems::new().messages()));
    script.c("A0 STATUS \"\u{fc}\" (MESSAGES)\r\n");
    script.s("* STATUS \"\u{fc}&x\" (MESSAGES 1)\r\n");
    let Some(Event::Data { response, .. }) = script.connection.poll_event() else { panic!("it is told") };
    assert_eq!(response.as_status().map(|(name, _)| name), Some(name("\u{fc}&x")));
}

#[test]
fn what_imap4rev2_no_longer_has_is_not_asked_for_once_it_is_enabled() {
    let mut script = Script::authenticated("IMAP4rev2 ENABLE");
    let counts = || StatusCommand::new(name("x"), StatusItems::new().messages().recent());
    script.submit(&counts());
    script.c("A0 STATUS \"x\" (MESSAGES RECENT)\r\n");
    script.s("* STATUS x (MESSAGES 1 RECENT 0)\r\nA0 OK\r\n");
    script.e(&["0 * STATUS x (MESSAGES 1 RECENT 0)", "0 ok"]);
    script.submit(&Enable::new([Capability::Imap4Rev2]));
    script.c("A1 ENABLE IMAP4rev2\r\n");
    script.s("* ENABLED IMAP4rev2\r\nA1 OK\r\n");
    while script.connection.poll_event().is_some() {}
    script.submit(&counts());
    script.c("A2 STATUS \"x\" (MESSAGES)\r\n");
}

#[test]
fn quirk_58_an_ok_without_enabled_switches_on_what_the_server_knows() {
    let table = [
        ("A0 OK\r\n", "CONDSTORE UTF8=ACCEPT"),
        ("* ENABLED\r\nA0 OK\r\n", ""),
        ("* ENABLED CONDSTORE\r\nA0 OK\r\n", "CONDSTORE"),
        ("* ENABLED CONDSTORE\r\n* ENABLED X-NEW\r\nA0 OK\r\n", "CONDSTORE X-NEW"),
    ];
    for (s, expected) in table {
        let mut script = Script::authenticated("ENABLE CONDSTORE UTF8=ONLY");
        let enable = Enable::new([Capability::CondStore, Capability::Utf8Accept, Capability::from_wire(b"X-NEW")]);
        let enabled = run(&mut script, enable, "A0 ENABLE CONDSTORE UTF8=ACCEPT X-NEW\r\n", s).expect("it is answered");
        assert_eq!(&enabled, script.connection.view().enabled());
        let mut names: Vec<String> = enabled.iter().map(ToString::to_string).collect();
        names.sort();
        assert_eq!(names.join(" "), expected, "{s}");
    }
}

#[test]
fn enable_comes_before_any_mailbox_is_selected() {
    let mut script = Script::selected("ENABLE");
    script.submit(&Enable::new([Capability::CondStore]));
    script.c_nothing();
    script.e(&["1 failed ENABLE is not allowed in this state: logged in or not, a mailbox selected or not NotSent"]);
    assert_eq!(Enable::new([]).request().expect_err("it is misused"), Misuse::NothingAsked);
}

proptest! {
    #[test]
    fn names_that_go_in_come_out_in_either_encoding(
        names in prop::collection::vec("[a-z&/%*\"\\\\{} ü台😀\t-]{1,12}", 1..20),
        utf8 in any::<bool>(),
        chunk in 1usize..40,
    ) {
        let mut script = Script::authenticated("ENABLE UTF8=ACCEPT");
        let mut tag = 0;
        if utf8 {
            let s = "* ENABLED UTF8=ACCEPT\r\nA0 OK\r\n";
            let enabled = run(&mut script, Enable::new([Capability::Utf8Accept]), "A0 ENABLE UTF8=ACCEPT\r\n", s);
            prop_assert!(enabled.is_ok());
            tag = 1;
        }
        // What a CREATE sends is how a server names it.
        let mut lines = String::new();
        let names: Vec<MailboxName> = names.iter().map(|text| name(text)).collect();
        for mailbox in &names {
            script.submit(&Create::new(mailbox.clone()));
            let sent: Vec<u8> = script.connection.transmit().flatten().copied().collect();
            script.connection.transmitted(sent.len(), script.now);
            let sent = String::from_utf8(sent).expect("nothing else in a name");
            let prefix = format!("A{tag} CREATE ");
            let wire = sent.strip_prefix(prefix.as_str()).expect("it is sent");
            lines += &format!("* LIST () NIL {wire}");
            script.s(&format!("A{tag} OK\r\n"));
            prop_assert_eq!(script.events().len(), 1);
            tag += 1;
        }
        let mut list = List::all();
        script.submit(&list);
        script.c(&format!("A{tag} LIST \"\" \"*\"\r\n"));
        lines += &format!("A{tag} OK\r\n");
        for piece in lines.as_bytes().chunks(chunk) {
            script.connection.receive_space()[..piece.len()].copy_from_slice(piece);
            script.connection.received(piece.len(), script.now);
            while let Some(event) = script.connection.poll_event() {
                if let Event::Data { response, .. } = event {
                    list.fold(response);
                }
            }
        }
        let found: Vec<MailboxName> = list.finish(Default::default()).iter().map(|entry| entry.name().clone()).collect();
        prop_assert_eq!(found, names);
    }
}
