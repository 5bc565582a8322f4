//! What waits for what. `docs/pipelining.md` has every pair; here are those that something depends on.

use imap_proto_core::Misuse;
use imap_proto_core::command::{
    Append, Command, Completion, Copy, Create, Delete, Expunge, Fetch, Idle, List, Lsub, Move, Noop, Raw, Rename,
    Request, Search, StatusCommand, Store, StoreCommand, Subscribe, Unsubscribe,
};
use imap_proto_core::types::{FetchItems, Flag, Query, Section, SeqNum, SeqSet, StatusItems, Uid, UidSet};

use crate::script::Script;

/// A command of any kind.
#[derive(Debug)]
struct Ready(Request);

impl Command for Ready {
    type Output = ();

    fn request(&self) -> Result<Request, Misuse> {
        Ok(self.0.clone())
    }

    fn finish(self, _: Completion) {}
}

fn uids(low: u32, high: u32) -> UidSet {
    UidSet::from(Uid::new(low).expect("a UID")..=Uid::new(high).expect("a UID"))
}

/// Dovecot was seen to answer `* SEARCH` twice, then the second tag, then the first.
#[test]
fn a_search_waits_for_an_abandoned_one() {
    let mut script = Script::selected("");
    let first = script.submit(&Search::new(Query::seen()));
    script.c("A1 UID SEARCH SEEN\r\n");
    script.abandon(first);
    script.submit(&Search::new(Query::all()));
    script.c_nothing();
    script.s("* SEARCH 1\r\nA1 OK\r\n");
    script.e(&["1 ok"]);
    script.c("A2 UID SEARCH ALL\r\n");
    script.s("* SEARCH 1 2\r\nA2 OK\r\n");
    script.e(&["2 * SEARCH 1 2", "2 ok"]);
}

/// Dovecot was seen to send the data of the second before it ended the first.
#[test]
fn a_fetch_waits_for_one_that_asks_for_the_same_of_the_same_messages() {
    let mut script = Script::selected("");
    let first = script.submit(&Fetch::new(uids(1, 9), FetchItems::ids().flags()));
    script.c("A1 UID FETCH 1:9 (UID FLAGS)\r\n");
    script.abandon(first);
    script.submit(&Fetch::new(uids(9, 12), FetchItems::summary()));
    script.submit(&Noop);
    script.c_nothing();
    script.s("A1 OK\r\n");
    script.e(&["1 ok"]);
    script.c("A2 UID FETCH 9:12 (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)\r\nA3 NOOP\r\n");
}

/// RFC 9051 §5.5: "One example is a FETCH that would cause \\Seen flags to be set and a SEARCH UNSEEN command."
#[test]
fn a_search_by_flags_waits_for_what_changes_them_which_waits_for_it() {
    let mut script = Script::selected("");
    let marking = Fetch::new(uids(1, 1), FetchItems::ids().section_marking_seen(Section::whole()));
    script.submit(&marking);
    script.submit(&Search::new(Query::unseen()));
    script.submit(&Noop);
    script.c("A1 UID FETCH 1 (UID BODY[])\r\n");
    script.s("A1 OK\r\n");
    script.e(&["1 ok"]);
    script.c("A2 UID SEARCH UNSEEN\r\nA3 NOOP\r\n");
    script.submit(&StoreCommand::new(uids(2, 2), Store::add(Flag::Seen)));
    script.c_nothing();
    script.s("* SEARCH 2\r\nA2 OK\r\n");
    script.e(&["2 * SEARCH 2", "2 ok"]);
    script.c("A4 UID STORE 2 +FLAGS (\\Seen)\r\n");
    // By what no flag is in, they go together.
    script.submit(&Search::new(Query::subject("x")));
    script.submit(&marking);
    script.c("A5 UID SEARCH SUBJECT \"x\"\r\nA6 UID FETCH 1 (UID BODY[])\r\n");
}

/// What leaves of the second, in a connection with INBOX selected, while the first is under way.
fn behind(first: &impl Command, second: &impl Command) -> String {
    let mut script = Script::selected("LITERAL+ LIST-STATUS LIST-EXTENDED MOVE");
    script.submit(first);
    script.leave();
    script.submit(second);
    script.leave()
}

#[test]
fn what_changes_the_selected_mailbox_and_what_is_about_its_messages_wait_for_each_other() {
    let fetch = Fetch::new(uids(1, 9), FetchItems::ids().flags());
    let taking =
        [Rename::new("inbox", "Old").request(), Delete::new("INBOX").request(), Create::new("INBOX").request()];
    for request in taking {
        let request = Ready(request.expect("a request"));
        assert_eq!(behind(&fetch, &request), "", "{request:?}");
        assert_eq!(behind(&request, &fetch), "", "{request:?}");
        assert_eq!(behind(&request, &Expunge), "", "{request:?}");
        assert_ne!(behind(&request, &Noop), "", "{request:?}");
    }
    // What is below it, and whether it is subscribed to, changes nothing in it.
    for request in [Create::new("INBOX/A").request(), Subscribe::new("INBOX").request(), Delete::new("A").request()] {
        let request = Ready(request.expect("a request"));
        assert_ne!(behind(&fetch, &request), "", "{request:?}");
        assert_ne!(behind(&request, &fetch), "", "{request:?}");
    }
}

#[test]
fn the_case_of_names_makes_no_difference_to_the_order() {
    assert_eq!(behind(&Rename::new("INBOX", "Old"), &Create::new("inbox/Sub")), "");
    assert_eq!(behind(&Create::new("Work/A"), &StatusCommand::new("work/a", StatusItems::counts())), "");
    assert_eq!(behind(&Create::new("É"), &Delete::new("É")), "");
    assert_ne!(behind(&Create::new("Work2"), &Delete::new("Work")), "");
}

#[test]
fn a_status_waits_for_messages_that_are_put_into_the_mailbox_which_wait_for_it() {
    let (append, moving) = (Append::new("inbox/A", "x"), Move::new(uids(1, 9), "INBOX/A"));
    let status = |name| StatusCommand::new(name, StatusItems::counts());
    let list = List::all().return_status(StatusItems::counts());
    assert_eq!(behind(&append, &status("INBOX/A")), "");
    assert_eq!(behind(&status("INBOX/A"), &append), "");
    assert_eq!(behind(&moving, &status("inbox/A")), "");
    assert_eq!(behind(&status("inbox/A"), &moving), "");
    assert_eq!(behind(&append, &list), "");
    assert_eq!(behind(&list, &append), "");
    assert_ne!(behind(&append, &status("INBOX/B")), "");
    assert_ne!(behind(&status("INBOX/B"), &append), "");
    assert_ne!(behind(&append, &List::all()), "");
    assert_ne!(behind(&append, &moving), "");
}

#[test]
fn a_subscription_waits_for_listings_and_for_changes_of_the_name_alone() {
    let subscribe = Subscribe::new("A");
    assert_eq!(behind(&subscribe, &List::all()), "");
    assert_eq!(behind(&Lsub::new("*"), &subscribe), "");
    assert_eq!(behind(&subscribe, &Unsubscribe::new("a")), "");
    assert_eq!(behind(&Create::new("A"), &subscribe), "");
    assert_ne!(behind(&subscribe, &StatusCommand::new("A", StatusItems::counts())), "");
    assert_ne!(behind(&Append::new("A", "x"), &subscribe), "");
    assert_ne!(behind(&subscribe, &Subscribe::new("B")), "");
}

/// They would mean other messages than those that the caller had in mind.
#[test]
fn sequence_numbers_are_not_sent_where_something_was_expunged_while_they_waited() {
    let numbers = || SeqSet::from(SeqNum::new(3).expect("a number"));
    let deleting = || Store::add(Flag::Deleted);
    let waiting = [
        StoreCommand::new(numbers(), deleting()).request(),
        Fetch::new(numbers(), FetchItems::ids().flags()).request(),
        Copy::new(SeqSet::from_start(SeqNum::new(2).expect("a number")), "x").request(),
        Move::new(numbers(), "x").request(),
        Search::new(Query::seq_num(numbers())).request(),
        Search::numbers(Query::unseen().and(!Query::seq_num(numbers()))).request(),
    ];
    for request in waiting.map(|request| Ready(request.expect("a request"))) {
        for gone in ["* 1 EXPUNGE\r\n", "* VANISHED 7\r\n"] {
            let mut script = Script::selected("MOVE IDLE");
            script.submit(&Noop);
            script.c("A1 NOOP\r\n");
            script.submit(&request);
            script.c_nothing();
            script.s(gone);
            script.s("A1 OK\r\n");
            let events = script.events();
            script.c_nothing();
            let failed = "2 failed messages were expunged before the command could be sent NotSent";
            assert_eq!(events.last().map(String::as_str), Some(failed), "{request:?}: {events:?}");
            // Whoever knows of it may say it again.
            script.submit(&request);
            assert!(script.leave().starts_with("A2 "), "{request:?}");
        }
        // Before IDLE has ended is while it waits.
        let mut script = Script::selected("MOVE IDLE");
        script.submit(&Idle);
        script.c("A1 IDLE\r\n");
        script.s("+ idling\r\n");
        script.e(&["1 idles"]);
        script.submit(&request);
        script.c("DONE\r\n");
        script.s("* 1 EXPUNGE\r\nA1 OK\r\n");
        script.e(&["- * 1 EXPUNGE", "2 failed messages were expunged before the command could be sent NotSent"]);
        script.c("A2 IDLE\r\n");
    }
    let of_all = [
        StoreCommand::new(SeqSet::all(), deleting()).request(),
        Fetch::new(SeqSet::last_message(), FetchItems::summary()).request(),
        Search::numbers(Query::unseen()).request(),
        Fetch::new(uids(3, 3), FetchItems::ids().flags()).request(),
    ];
    for request in of_all.map(|request| Ready(request.expect("a request"))) {
        let mut script = Script::selected("");
        script.submit(&Raw::new("XFOO").expect("a command"));
        script.c("A1 XFOO\r\n");
        script.submit(&request);
        script.s("* 1 EXPUNGE\r\nA1 OK\r\n");
        script.e(&["- * 1 EXPUNGE", "1 ok"]);
        assert!(script.leave().starts_with("A2 "), "{request:?}");
    }
}

/// Its data has the flags in it, so that it would answer the one that asked for them.
#[test]
fn a_fetch_that_marks_as_seen_waits_for_one_that_asks_for_the_flags() {
    let marking = || Fetch::new(uids(5, 5), FetchItems::ids().section_marking_seen(Section::whole()));
    let mut script = Script::selected("CONDSTORE");
    script.submit(&Fetch::new(uids(1, 9), FetchItems::ids().flags()));
    script.submit(&marking());
    script.c("A1 UID FETCH 1:9 (UID FLAGS)\r\n");
    script.s("* 5 FETCH (UID 5 FLAGS ())\r\nA1 OK\r\n");
    script.e(&["1 * 5 FETCH (UID 5 FLAGS ())", "1 ok"]);
    script.c("A2 UID FETCH 5 (UID BODY[])\r\n");
    script.submit(&Fetch::new(uids(1, 9), FetchItems::ids().mod_seq()));
    script.submit(&Noop);
    script.c_nothing();
    script.s("* 5 FETCH (UID 5 FLAGS (\\Seen) BODY[] {1}\r\nx)\r\nA2 OK\r\n");
    script.e(&["2 * 5 FETCH (UID 5 FLAGS (\\\\Seen) BODY[] {1}\\r\\nx)", "2 ok"]);
    script.c("A3 UID FETCH 1:9 (UID MODSEQ)\r\nA4 NOOP\r\n");
    // Without the flags, nobody minds.
    script.submit(&marking());
    script.submit(&Fetch::new(uids(1, 9), FetchItems::ids().size()));
    script.c_nothing();
    script.s("A3 OK\r\n");
    script.e(&["3 ok"]);
    script.c("A5 UID FETCH 5 (UID BODY[])\r\nA6 UID FETCH 1:9 (UID RFC822.SIZE)\r\n");
}

#[test]
fn fetches_of_other_messages_other_items_and_other_pieces_go_together() {
    let mut script = Script::selected("");
    let piece = |offset| FetchItems::ids().partial(Section::whole(), offset, 9);
    script.submit(&Fetch::new(uids(1, 9), FetchItems::ids().flags()));
    script.submit(&Fetch::new(uids(10, 19), FetchItems::ids().flags()));
    script.submit(&Fetch::new(uids(1, 9), FetchItems::ids().size()));
    script.submit(&Fetch::new(uids(1, 1), piece(0)));
    script.submit(&Fetch::new(uids(1, 1), piece(9)));
    script.c(concat!(
        "A1 UID FETCH 1:9 (UID FLAGS)\r\nA2 UID FETCH 10:19 (UID FLAGS)\r\nA3 UID FETCH 1:9 (UID RFC822.SIZE)\r\n",
        "A4 UID FETCH 1 (UID BODY.PEEK[]<0.9>)\r\nA5 UID FETCH 1 (UID BODY.PEEK[]<9.9>)\r\n"
    ));
}
