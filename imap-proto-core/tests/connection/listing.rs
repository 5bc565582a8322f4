//! LIST and LSUB, as transcripts.

use imap_proto_core::Misuse;
use imap_proto_core::command::{Command, List, Lsub};
use imap_proto_core::types::{ListEntry, StatusItems};

use crate::mailboxes::{name, run};
use crate::script::Script;

const EXTENDED: &str = "LIST-EXTENDED LIST-STATUS SPECIAL-USE";

/// Names of entries, with `!` where they can't be selected, `+` where they are subscribed, `>` where something below is.
fn shown(entries: &[ListEntry]) -> String {
    let one = |entry: &ListEntry| {
        let marks =
            [(!entry.is_selectable(), "!"), (entry.is_subscribed(), "+"), (entry.child_info().count() > 0, ">")];
        let marks: String = marks.iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| *mark).collect();
        let messages = entry.status().and_then(|status| status.messages);
        format!("{}{marks}{}", entry.name(), messages.map_or(String::new(), |count| format!("={count}")))
    };
    entries.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_list_says_which_mailboxes_there_are() {
    let mut script = Script::authenticated("");
    let found = run(
        &mut script,
        List::all(),
        "A0 LIST \"\" \"*\"\r\n",
        "* LIST (\\Noselect) \"/\" a\r\n* LIST () \"/\" \"a/b c\"\r\n* LIST () \"/\" INBOX\r\nA0 OK done\r\n",
    );
    assert_eq!(shown(&found.expect("it is answered")), "a! a/b c INBOX");
}

#[test]
fn an_extended_list_asks_for_what_the_server_offers_and_no_more() {
    let every = || {
        let list = List::new("%").or("a/%").below(name("x")).select_subscribed().select_special_use().select_remote();
        list.recursive_match().return_subscribed().return_children().return_special_use()
    };
    let table = [
        (
            every().return_status(StatusItems::all()),
            EXTENDED,
            "LIST (SUBSCRIBED REMOTE RECURSIVEMATCH SPECIAL-USE) \"x\" (\"%\" \"a/%\") RETURN (SUBSCRIBED CHILDREN \
             SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY UNSEEN RECENT))",
        ),
        (
            every().return_status(StatusItems::counts()),
            "LIST-EXTENDED",
            "LIST (SUBSCRIBED REMOTE RECURSIVEMATCH) \"x\" (\"%\" \"a/%\") RETURN (SUBSCRIBED CHILDREN)",
        ),
        (
            List::all().return_status(StatusItems::counts().size()),
            "LIST-EXTENDED LIST-STATUS STATUS=SIZE",
            "LIST \"\" \"*\" RETURN (STATUS (MESSAGES UNSEEN SIZE))",
        ),
        (List::all().return_special_use(), "LIST-EXTENDED", "LIST \"\" \"*\""),
        (List::new("a").or("Entw\u{fc}rfe"), "IMAP4rev2", "LIST \"\" (\"a\" \"Entw&APw-rfe\")"),
        (List::new("\"%\\"), "", "LIST \"\" \"\\\"%\\\\\""),
        // Without the extension.
        (every(), "", "LSUB \"x\" \"*\""),
        (List::new("a/%").or("a/b*").return_children(), "SPECIAL-USE LIST-STATUS", "LIST \"\" \"a/*\""),
        (List::new("%").return_status(StatusItems::counts()), "LIST-STATUS", "LIST \"\" \"%\""),
    ];
    for (list, capabilities, expected) in table {
        let mut script = Script::authenticated(capabilities);
        script.submit(&list);
        script.c(&format!("A0 {expected}\r\n"));
    }
}

#[test]
fn a_recursive_match_alone_is_no_selection() {
    for list in [List::all().recursive_match(), List::all().recursive_match().select_remote().select_special_use()] {
        assert_eq!(list.request().expect_err("it is misused"), Misuse::LoneRecursiveMatch);
    }
}

#[test]
fn a_fallback_gives_what_was_asked_for() {
    let mut script = Script::authenticated("");
    let several = run(
        &mut script,
        List::new("a/%").or("b").return_children(),
        "A0 LIST \"\" \"*\"\r\n",
        "* LIST () \"/\" a\r\n* LIST () \"/\" a/x\r\n* LIST () \"/\" a/x/y\r\n* LIST () \"/\" b\r\n* LIST () \"/\" c\r\nA0 OK\r\n",
    );
    assert_eq!(shown(&several.expect("it is answered")), "a/x b");
    let mut other = Script::authenticated("");
    let beyond_ascii = run(
        &mut other,
        List::new("\u{fc}%").or("b"),
        "A0 LIST \"\" \"*\"\r\n",
        "* LIST () \"/\" &APw-x\r\n* LIST () \"/\" b\r\n* LIST () \"/\" c\r\nA0 OK\r\n",
    );
    assert_eq!(shown(&beyond_ascii.expect("it is answered")), "\u{fc}x b");
    let subscribed = run(
        &mut script,
        List::new("%").select_subscribed().recursive_match(),
        "A1 LSUB \"\" \"%\"\r\n",
        "* LSUB () \"/\" a\r\n* LSUB (\\Noselect) \"/\" b\r\nA1 OK\r\n",
    );
    assert_eq!(shown(&subscribed.expect("it is answered")), "a+ b!>");
    // Courier tells of those above, though `*` is no reason for it.
    let subscribed = run(
        &mut script,
        List::all().select_subscribed(),
        "A2 LSUB \"\" \"*\"\r\n",
        "* LSUB (\\HasNoChildren) \".\" INBOX.a.b\r\n* LSUB (\\Noselect \\HasChildren) \".\" INBOX.a\r\nA2 OK\r\n",
    );
    assert_eq!(shown(&subscribed.expect("it is answered")), "INBOX.a.b+");
    let with_uses = run(
        &mut script,
        List::all().select_special_use(),
        "A3 LIST \"\" \"*\"\r\n",
        "* LIST () \"/\" a\r\n* LIST (\\Sent) \"/\" b\r\n* LIST (\\HasNoChildren) \"/\" c\r\n* LIST (\\X-New) \"/\" d\r\nA3 OK\r\n",
    );
    assert_eq!(shown(&with_uses.expect("it is answered")), "b d");
}

#[test]
fn lsub_says_what_is_subscribed() {
    let mut script = Script::authenticated("");
    let c = "A0 LSUB \"\" \"*\"\r\n";
    let found = run(&mut script, Lsub::new("*"), c, "* LSUB () \".\" a.b\r\n* LSUB (\\Noselect) \".\" c\r\nA0 OK\r\n");
    assert_eq!(shown(&found.expect("it is answered")), "a.b+ c!>");
}

#[test]
fn a_list_with_status_gives_each_name_its_own_in_whatever_order_they_come() {
    let orders = [
        "* LIST () \"/\" a\r\n* STATUS a (MESSAGES 1)\r\n* LIST () \"/\" Inbox/b\r\n* STATUS Inbox/b (MESSAGES 2)\r\n* LIST () \"/\" c\r\n",
        // With delimiters at the ends (quirk 66).
        "* LIST () \"/\" a/\r\n* STATUS a/ (MESSAGES 1)\r\n* LIST () \"/\" /Inbox/b/\r\n* STATUS /Inbox/b/ (MESSAGES 2)\r\n* LIST () \"/\" c\r\n",
        "* LIST () \"/\" a\r\n* LIST () \"/\" Inbox/b\r\n* LIST () \"/\" c\r\n* STATUS a (MESSAGES 1)\r\n* STATUS Inbox/b (MESSAGES 2)\r\n",
        "* LIST () \"/\" a\r\n* STATUS Inbox/b (MESSAGES 2)\r\n* STATUS zz (MESSAGES 9)\r\n* LIST () \"/\" Inbox/b\r\n* LIST () \"/\" c\r\n* STATUS a (MESSAGES 1)\r\n",
    ];
    for order in orders {
        let mut script = Script::authenticated(EXTENDED);
        let list = List::all().return_status(StatusItems::new().messages());
        let c = "A0 LIST \"\" \"*\" RETURN (STATUS (MESSAGES))\r\n";
        let found = run(&mut script, list, c, &format!("{order}A0 OK\r\n"));
        assert_eq!(shown(&found.expect("it is answered")), "a=1 INBOX/b=2 c");
    }
}

#[test]
fn quirk_65_and_66_names_are_made_comparable() {
    let mut script = Script::authenticated("");
    let s = "* LIST () \"/\" \"inbox/x\"\r\n* LIST () \"/\" \"a/\"\r\n* LIST () \"/\" \"/b\"\r\n* LIST () \"/\" Inbox\r\nA0 OK\r\n";
    let found = run(&mut script, List::all(), "A0 LIST \"\" \"*\"\r\n", s);
    assert_eq!(shown(&found.expect("it is answered")), "INBOX/x a b INBOX");
    let s = "* LIST () \"/\" \"/home/b\"\r\nA1 OK\r\n";
    let found = run(&mut script, List::new("/home/%"), "A1 LIST \"\" \"/home/%\"\r\n", s);
    assert_eq!(shown(&found.expect("it is answered")), "/home/b", "what was asked for is what it is called");
    let s = "* LIST (\\Noselect) \"/\" \"\"\r\nA2 OK\r\n";
    let found = run(&mut script, List::new(""), "A2 LIST \"\" \"\"\r\n", s).expect("it is answered");
    assert_eq!((found[0].delimiter(), found[0].name().as_str()), (Some('/'), ""));
}

#[test]
fn quirk_71_names_that_do_not_match_are_left_out() {
    let mut script = Script::authenticated("");
    let s = "* LIST () \"/\" a\r\n* LIST () \"/\" a/b\r\n* LIST () \"/\" \"x\" (\"OLDNAME\" (\"y\"))\r\nA0 OK\r\n";
    let found = run(&mut script, List::new("%"), "A0 LIST \"\" \"%\"\r\n", s);
    assert_eq!(shown(&found.expect("it is answered")), "a x");
    let s = "* LIST () \"/\" x (\"OLDNAME\" (\"old\"))\r\n* LIST () \"/\" SENT\r\nA1 OK\r\n";
    let found = run(&mut script, List::new("old"), "A1 LIST \"\" \"old\"\r\n", s);
    assert_eq!(shown(&found.expect("it is answered")), "x", "a name that was asked for by its old one");
    let s = "* LIST () \"/\" ref/a/b\r\nA2 OK\r\n";
    let found = run(&mut script, List::new("%").below(name("ref")), "A2 LIST \"ref\" \"%\"\r\n", s);
    assert_eq!(shown(&found.expect("it is answered")), "ref/a/b", "what a reference means is the server's affair");
}

#[test]
fn listings_wait_for_each_other() {
    let mut script = Script::authenticated("");
    script.submit(&List::all());
    script.submit(&Lsub::new("*"));
    script.c("A0 LIST \"\" \"*\"\r\n");
    script.s("A0 OK\r\n");
    script.e(&["0 ok"]);
    script.c("A1 LSUB \"\" \"*\"\r\n");
}

#[test]
fn a_listing_that_cannot_be_read_is_an_event() {
    let mut script = Script::authenticated("");
    script.submit(&List::all());
    script.c("A0 LIST \"\" \"*\"\r\n");
    script.s("* LIST () NIL\r\n* LIST () NIL NIL\r\n* LSUB () NIL (a)\r\nA0 OK\r\n");
    script.e(&["- * LIST () NIL", "0 * LIST () NIL NIL", "- * LSUB () NIL (a)", "0 ok"]);
}
