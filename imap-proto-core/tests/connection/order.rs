//! What waits for what, where answers could not be told apart.

use imap_proto_core::command::{Fetch, Noop, Search, Store, StoreCommand};
use imap_proto_core::types::{FetchItems, Flag, Query, Section, Uid, UidSet};

use crate::script::Script;

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
