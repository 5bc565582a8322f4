//! The cancellation table, row by row. What is named without a file is here; `several`, `matrix`, `fates`, `faults` and `beside`
//! are in `tests/tests/drops`, where what a client can do is also dropped at every byte before a strict server, and followed by all
//! else that it can do. Each rule was broken once by hand: the last column has how, and what failed; “the same” is what it is shown by.
//!
//! | given up when | shown by | broken by hand: what failed |
//! | --- | --- | --- |
//! | queued | [`a_command_of_which_nothing_left_is_taken_back`]; changes: `messages::a_change_of_which_nothing_left_is_taken_back` | its octets stay in line: the same |
//! | line partly sent | [`a_line_that_is_partly_sent_is_sent_to_its_end`], `messages::a_change_that_is_partly_or_wholly_sent_…` | as of `matrix`, `SELECT`, in `drops` |
//! | sent, waiting | [`an_abandoned_answer_is_read_over_and_the_next_one_is_right`] | what is read over changes nothing: the same, `an_abandoned_select_…`; it is told: `matrix` in `drops` |
//! | `+` awaited, octets held | `abandoned::a_literal_that_the_core_holds_is_sent_when_it_is_asked_for_…`, `abandoned::a_password_that_waits_…`, [`a_literal_refused_with_no_or_bad_frees_the_line`] | they are not said, as of a source that is gone: `abandoned` and `multi_append`, seven |
//! | `+` awaited, source gone | [`an_abandoned_append_whose_source_is_gone_sends_no_octet`], [`…_is_over_when_it_is_refused`](an_abandoned_append_whose_source_is_gone_is_over_when_it_is_refused), `abandoned::what_may_have_to_close_says_so_…`, `abandoned::a_go_ahead_that_never_comes_…` | it is awaited for ever: `abandoned::a_go_ahead_that_never_comes_…`; spaces are said in place of it: the head of `interop_drops` |
//! | in a literal that is held, `Finish` | `abandoned::an_append_is_sent_to_its_end_wherever_it_is_given_up`, [`a_refusal_does_not_free_us_from_a_literal_already_begun`] | NO frees us: `a_refusal_does_not_free_us_…`; it is closed: `drops` |
//! | in a literal that is held, `Cut` | `multi_append::an_append_is_cut_inside_its_octets_and_not_behind_them` | as of `uploads` in `drops` |
//! | in a literal, source gone | [`a_source_that_leaves_in_the_middle_of_its_octets_closes_the_connection`] | as of `drops` |
//! | all octets out, CRLF or answer outstanding | `abandoned::a_fed_append_of_which_all_octets_are_there_…`, [`an_append_is_in_doubt_from_its_last_octet_on`] | as of `fates` in `drops` |
//! | between messages of MULTIAPPEND | `multi_append::cut_it_finishes_its_message_…`, `multi_append::cut_it_waits_for_the_go_ahead_…`, `multi_append::taken_back_it_ends_with_the_answer_…`, `multi_append::a_source_that_leaves_between_two_messages_…`, `several` | CRLF after the tagged answer: `multi_append::taken_back_it_ends_with_the_answer_…`; it is not taken back: `uploads` in `drops` |
//! | inside a message of MULTIAPPEND, source gone | `multi_append::a_source_that_leaves_inside_a_message_closes_the_connection` | as of `drops` |
//! | non-synchronizing literal | the same tests, with LITERAL+ | as of `fates` in `drops` |
//! | parts of REPLACE and of what else is sent as `Raw` | `abandoned::a_raw_command_with_octets_…`; CATENATE, SORT, THREAD, NOTIFY and UNAUTHENTICATE are not spoken | as of a literal that is held; in doubt from the line end on: `abandoned::a_raw_command_with_octets_…` |
//! | AUTHENTICATE, no byte | `connection::abandon::an_authentication_of_which_nothing_left_is_taken_back` | it is not taken back: the same |
//! | AUTHENTICATE, before `+` | `connection::abandon::an_authentication_is_cancelled_at_its_next_challenge_…`, `…an_ok_to_an_abandoned_authentication_counts` | no `*`: `…is_cancelled_at_its_next_challenge_…`; an OK is nothing: `…an_ok_to_an_abandoned_authentication_counts` |
//! | AUTHENTICATE, response partly sent | `connection::abandon::a_response_that_is_partly_sent_is_finished_…` | it is closed, or no `*`: the same |
//! | AUTHENTICATE, last response sent | `connection::abandon::an_ok_to_an_abandoned_authentication_counts`, `…_that_nobody_verifies_closes_the_connection` | an OK counts whoever has to prove himself: `…that_nobody_verifies_closes_the_connection` |
//! | LOGIN | [`an_abandoned_login_that_is_answered_ok_counts`] | an OK is nothing: the same, `abandoned::a_password_that_waits_…` |
//! | STARTTLS | `connection::abandon::nothing_passes_starttls_…`; the handshake owns the stream: `connect::opening::an_opening_that_is_dropped_…` | it goes with others: the same, `negotiation::what_waits_for_the_answer_to_starttls_…`; no TLS after its OK: both; it is not taken back: the same |
//! | COMPRESS | `compress::of_what_was_dropped_before_its_first_byte_…`, `compress::the_switch_is_at_the_crlf_of_the_ok_wherever_the_bytes_are_cut_and_whoever_waits` | no switch where nobody waits: `compress::the_switch_is_at_the_crlf_…` |
//! | IDLE queued | `abandoned::an_idle_of_which_nothing_left_is_taken_back` | it is not taken back: the same |
//! | IDLE sent, no `+` | [`done_is_never_sent_before_the_go_ahead_of_idle_was_read`], `abandoned::an_abandoned_idle_that_is_refused_is_over` | DONE before `+`, or none at it: `matrix`, `watch`, in `drops` |
//! | IDLE running | `abandoned::a_running_idle_is_told_done_at_once_…`, `abandoned::an_idle_that_was_told_done_is_told_so_once`, [`an_idle_whose_end_is_not_answered_loses_the_connection`] | DONE with what follows alone: `abandoned::a_running_idle_…`, `an_idle_whose_end_…`; nothing in the same write: the former; DONE twice: `abandoned::an_idle_that_was_told_done_is_told_so_once` |
//! | DONE partly sent | `attack::an_idle_dropped_inside_its_done_leaves_the_rest_of_it_to_be_sent` | the rest is taken back: the same, `odd_moments::a_done_that_was_half_sent_…` |
//! | FETCH of huge bodies | [`an_abandoned_body_is_counted_down_and_may_hold_what_looks_like_an_answer`], `abandoned::commands_go_on_beside_a_body_that_is_read_over` | others wait for its end: `abandoned::commands_go_on_beside_…`; it is told: `matrix` in `drops` |
//! | above the drain budget | [`what_exceeds_the_drain_budget_closes_the_connection`], [`what_takes_longer_than_the_drain_time_closes_the_connection`] | either is without end: the same, one each |
//! | SEARCH, LIST, STATUS | `mailboxes::what_only_asks_is_drained_…`, `order::a_search_waits_for_an_abandoned_one` | what is read over is told: the same; one that saves is as good as never sent: `saved::a_search_that_saves_is_finished_…` |
//! | SELECT, EXAMINE | [`an_abandoned_select_selects_all_the_same`], [`a_command_bound_to_a_selection_that_is_over_sends_nothing`] | as of `matrix`, `SELECT`, in `drops` |
//! | STORE, COPY, MOVE, EXPUNGE, CREATE, … | `messages::a_change_that_is_partly_or_wholly_sent_…`, `messages::a_change_is_in_doubt_once_all_of_it_has_left`, `matrix`, `fates` | never in doubt: `messages::a_change_is_in_doubt_…`, `mailboxes::a_change_that_was_sent_is_in_doubt_…` |
//! | CLOSE, UNSELECT, ENABLE, ID | `abandoned::what_changes_the_session_does_so_when_nobody_listens` | the mailbox stays selected, or what is switched on is not noted, told or not: the same |
//! | LOGOUT | `abandoned::a_logout_is_taken_back_before_its_first_byte_…`, [`an_abandoned_logout_still_ends_the_connection`] | it is not taken back, or a missing BYE is an error: the first; something follows: `matrix` in `drops` |
//! | one of several | [`one_of_several_is_abandoned_and_the_others_are_untouched`], `abandoned::a_literal_that_the_core_holds_…` | all under way are given up: the same, `an_abandoned_answer_…` |
//! | a timeout, as a drop | `violations::silence_while_a_command_is_under_way_ends_the_connection`, `beside::a_dropped_append_may_take_its_time` | the command is not given up: `timeouts::a_logout_that_had_its_time_…` |
//! | the last handle dropped | `attack::a_connection_that_nobody_holds_is_closed_without_a_word` of the drops | nothing is closed: the same, `settles::the_driver_ends_with_the_last_handle`; it is closed without a goodbye: `runtimes` of the same name |
//! | a future of the adapter dropped inside a write | `matrix::any_call_can_be_dropped_at_any_byte`, `faults::a_driver_dropped_at_any_byte_…` | all that was offered counts as written: `matrix`; all that was deflated: `compress::commands_that_leave_together_…` |

use std::time::Duration;

use crate::script::Script;
use bytes::Bytes;
use imap_proto_core::command::{Access, Fetch, Idle, Login, Logout, Message, Noop, Search, Select};
use imap_proto_core::types::{FetchItems, MailboxName, Query, Secret, Section, Uid, UidSet};
use imap_proto_core::{CancelEffect, Health};

fn one(uid: u32) -> UidSet {
    UidSet::from(Uid::new(uid).expect("a UID"))
}

fn octets(text: &'static str) -> Message {
    Message::Octets(Bytes::from_static(text.as_bytes()))
}

#[test]
fn a_command_of_which_nothing_left_is_taken_back() {
    let mut script = Script::selected("");
    let id = script.submit(&Noop);
    assert_eq!(script.abandon(id), CancelEffect::Removed);
    script.e(&["1 failed cancelled NotSent"]);
    script.c_nothing();
    script.submit(&Noop);
    script.c("A2 NOOP\r\n");
    script.s("A2 OK\r\n");
    script.e(&["2 ok"]);
}

#[test]
fn a_line_that_is_partly_sent_is_sent_to_its_end() {
    let mut script = Script::selected("");
    let id = script.submit(&Select::new(MailboxName::try_from("foobar").expect("a name"), Access::ReadWrite));
    script.c_part("A1 SELECT \"foo".len());
    assert_eq!(script.abandon(id), CancelEffect::WillFinish);
    script.submit(&Noop);
    script.c("bar\"\r\n");
    script.c_nothing();
    script.s("* 7 EXISTS\r\nA1 OK\r\n");
    script.e(&["1 ok"]);
    script.c("A2 NOOP\r\n");
    assert_eq!(script.connection.view().selected().map(|mailbox| mailbox.exists), Some(7));
}

#[test]
fn an_abandoned_answer_is_read_over_and_the_next_one_is_right() {
    let mut script = Script::selected("");
    let first = script.submit(&Fetch::new(one(1), FetchItems::ids().flags()));
    script.submit(&Fetch::new(one(2), FetchItems::ids().flags()));
    script.c("A1 UID FETCH 1 (UID FLAGS)\r\nA2 UID FETCH 2 (UID FLAGS)\r\n");
    assert_eq!(script.abandon(first), CancelEffect::WillDrain);
    script.s("* 1 FETCH (UID 1 FLAGS ())\r\n* 2 FETCH (UID 2 FLAGS ())\r\n* 4 EXISTS\r\n");
    script.e(&["2 * 2 FETCH (UID 2 FLAGS ())", "- * 4 EXISTS"]);
    assert!(matches!(script.connection.health(), Health::Draining { bytes_left } if bytes_left < 16 << 20));
    script.s("A1 OK\r\nA2 OK\r\n");
    script.e(&["1 ok", "2 ok"]);
    assert!(matches!(script.connection.health(), Health::Usable));
    assert_eq!(script.connection.view().selected().map(|mailbox| mailbox.exists), Some(4));
}

#[test]
fn an_abandoned_body_is_counted_down_and_may_hold_what_looks_like_an_answer() {
    let mut script = Script::selected("");
    let id = script.submit(&Fetch::new(one(1), FetchItems::ids().section(Section::whole())));
    script.c("A1 UID FETCH 1 (UID BODY.PEEK[])\r\n");
    script.s("* 1 FETCH (UID 1 BODY[] {20000}\r\n");
    script.e(&["1 body of 20000"]);
    script.abandon(id);
    script.s(&"A1 OK done\r\n".repeat(2000)[..20000]);
    script.e(&[]);
    script.s(")\r\nA1 OK done\r\n");
    script.e(&["1 ok"]);
}

#[test]
fn what_exceeds_the_drain_budget_closes_the_connection() {
    let mut script = Script::configured("", |config| config.drain_bytes = 100);
    script.submit(&Select::new(MailboxName::inbox(), Access::ReadWrite));
    script.c("A0 SELECT \"INBOX\"\r\n");
    script.s("A0 OK\r\n");
    script.e(&["0 ok"]);
    let id = script.submit(&Search::new(Query::all()));
    script.c("A1 UID SEARCH ALL\r\n");
    script.abandon(id);
    script.s(&format!("* SEARCH{}\r\n", " 1".repeat(60)));
    script.e(&[
        "1 failed limit exceeded: a dropped command had more than 100 bytes to say, see Config::drain_bytes Cancelled",
        "closed limit exceeded: a dropped command had more than 100 bytes to say, see Config::drain_bytes",
    ]);
}

#[test]
fn what_takes_longer_than_the_drain_time_closes_the_connection() {
    let mut script = Script::configured("", |config| config.drain_time = Duration::from_secs(5));
    script.submit(&Select::new(MailboxName::inbox(), Access::ReadWrite));
    script.c("A0 SELECT \"INBOX\"\r\n");
    script.s("A0 OK\r\n");
    script.e(&["0 ok"]);
    let id = script.submit(&Search::new(Query::all()));
    script.c("A1 UID SEARCH ALL\r\n");
    script.abandon(id);
    script.wait(4);
    script.s("* SEARCH 1\r\n");
    script.e(&[]);
    script.wait(1);
    script.e(&[
        "1 failed limit exceeded: a dropped command had more to say after 5s, see Config::drain_time Cancelled",
        "closed limit exceeded: a dropped command had more to say after 5s, see Config::drain_time",
    ]);
}

#[test]
fn a_literal_refused_with_no_or_bad_frees_the_line() {
    for (answer, condition) in [("NO", "No"), ("BAD", "Bad")] {
        let mut script = Script::authenticated("");
        script.append(octets("hello"));
        script.submit(&Noop);
        script.c("A0 APPEND \"x\" {5}\r\n");
        script.s(&format!("A0 {answer} no\r\n"));
        script.e(&[&format!("0 refused {condition}")]);
        script.c("A1 NOOP\r\n");
    }
}

#[test]
fn nothing_passes_a_literal_that_waits_for_its_go_ahead() {
    let mut script = Script::authenticated("");
    script.append(octets("hello"));
    script.submit(&Noop);
    script.c("A0 APPEND \"x\" {5}\r\n");
    script.c_nothing();
    script.s("+ go\r\n");
    script.e(&[]);
    script.c("hello\r\nA1 NOOP\r\n");
}

#[test]
fn an_abandoned_append_whose_octets_are_held_is_finished() {
    let mut script = Script::authenticated("");
    let id = script.append(octets("hello"));
    script.c("A0 APPEND \"x\" {5}\r\n");
    assert_eq!(script.abandon(id), CancelEffect::WillFinish);
    script.s("+ go\r\n");
    script.e(&[]);
    script.c("hello\r\n");
    script.s("A0 OK\r\n");
    script.e(&["0 ok"]);
}

#[test]
fn an_abandoned_append_whose_source_is_gone_sends_no_octet() {
    let mut script = Script::authenticated("");
    let id = script.append(Message::Fed(5));
    script.c("A0 APPEND \"x\" {5}\r\n");
    assert_eq!(script.abandon(id), CancelEffect::MayClose);
    script.s("+ go\r\n");
    script.e(&[
        "0 failed the connection is closed: an APPEND was given up inside its message Cancelled",
        "closed the connection is closed: an APPEND was given up inside its message",
    ]);
    script.c_nothing();
}

#[test]
fn an_abandoned_append_whose_source_is_gone_is_over_when_it_is_refused() {
    let mut script = Script::authenticated("");
    let id = script.append(Message::Fed(5));
    script.c("A0 APPEND \"x\" {5}\r\n");
    script.abandon(id);
    script.s("A0 NO too big\r\n");
    script.e(&["0 refused No"]);
    assert!(matches!(script.connection.health(), Health::Usable));
}

#[test]
fn a_source_that_leaves_in_the_middle_of_its_octets_closes_the_connection() {
    let mut script = Script::authenticated("LITERAL+");
    let id = script.append(Message::Fed(5));
    script.c("A0 APPEND \"x\" {5+}\r\n");
    script.e(&["0 wants 5"]);
    script.feed(id, "he");
    script.c("he");
    script.e(&["0 wants 3"]);
    assert_eq!(script.abandon(id), CancelEffect::WillClose);
    script.e(&[
        "0 failed the connection is closed: an APPEND was given up inside its message Cancelled",
        "closed the connection is closed: an APPEND was given up inside its message",
    ]);
    script.c_nothing();
}

#[test]
fn an_append_is_in_doubt_from_its_last_octet_on() {
    for (sent, fate) in [("A0 APPEND \"x\" {5+}\r\nhell", "Cancelled"), ("A0 APPEND \"x\" {5+}\r\nhello", "InDoubt")] {
        let mut script = Script::authenticated("LITERAL+");
        script.append(octets("hello"));
        script.c_part(sent.len());
        script.s_eof();
        let events = script.events();
        assert!(events[0].ends_with(fate), "{events:?}");
    }
}

#[test]
fn a_refusal_does_not_free_us_from_a_literal_already_begun() {
    let mut script = Script::authenticated("LITERAL+");
    script.append(octets("hello"));
    script.submit(&Noop);
    script.c_part("A0 APPEND \"x\" {5+}\r\nhe".len());
    script.s("A0 NO [OVERQUOTA] no\r\n");
    script.e(&[]);
    script.c("llo\r\nA1 NOOP\r\n");
    script.e(&["0 refused No"]);
}

#[test]
fn ok_before_all_octets_were_sent_is_fatal() {
    let mut script = Script::authenticated("LITERAL+");
    script.append(octets("hello"));
    script.c_part("A0 APPEND \"x\" {5+}\r\nhe".len());
    script.s("A0 OK [APPENDUID 1 2] done\r\n");
    script.e(&[
        "0 failed protocol violation: an answer to a command that was not sent Cancelled",
        "closed protocol violation: an answer to a command that was not sent",
    ]);
}

#[test]
fn done_is_never_sent_before_the_go_ahead_of_idle_was_read() {
    let mut script = Script::selected("IDLE");
    let id = script.submit(&Idle);
    script.c("A1 IDLE\r\n");
    assert_eq!(script.abandon(id), CancelEffect::WillFinish);
    script.submit(&Noop);
    script.c_nothing();
    script.s("* 4 EXISTS\r\n+ idling\r\n");
    script.e(&["- * 4 EXISTS"]);
    script.c("DONE\r\nA2 NOOP\r\n");
    script.s("* 5 EXISTS\r\nA1 OK\r\nA2 OK\r\n");
    script.e(&["- * 5 EXISTS", "1 ok", "2 ok"]);
    script.c_nothing();
}

#[test]
fn idle_gives_way_to_a_command_and_is_taken_up_again() {
    let mut script = Script::selected("IDLE");
    script.submit(&Idle);
    script.c("A1 IDLE\r\n");
    script.s("+ idling\r\n");
    script.e(&["1 idles"]);
    script.submit(&Noop);
    script.c("DONE\r\nA2 NOOP\r\n");
    script.s("A1 OK\r\nA2 OK\r\n");
    script.e(&["2 ok"]);
    script.c("A3 IDLE\r\n");
    script.s("+ idling\r\n");
    script.e(&["1 idles"]);
}

#[test]
fn idle_is_renewed_before_its_time() {
    let mut script = Script::selected("IDLE");
    script.submit(&Idle);
    script.c("A1 IDLE\r\n");
    script.s("+ idling\r\n");
    script.e(&["1 idles"]);
    script.wait(9 * 60 - 1);
    script.c_nothing();
    script.wait(1);
    script.c("DONE\r\n");
    script.s("A1 OK\r\n");
    script.e(&[]);
    script.c("A2 IDLE\r\n");
}

#[test]
fn an_idle_that_the_server_ends_is_taken_up_again_and_not_as_fast_as_the_network_goes() {
    let mut script = Script::selected("IDLE");
    script.submit(&Idle);
    script.c("A1 IDLE\r\n");
    script.s("+ idling\r\n");
    script.e(&["1 idles"]);
    script.wait(60);
    script.s("* 4 EXISTS\r\nA1 OK\r\n");
    script.e(&["- * 4 EXISTS"]);
    script.c("A2 IDLE\r\n");
    // This one is ended as soon as it has begun.
    script.s("+ idling\r\nA2 OK\r\n");
    script.e(&["1 idles"]);
    script.c_nothing();
    script.wait(1);
    script.c_nothing();
    // Nobody else has to wait for that.
    script.submit(&Noop);
    script.c("A3 NOOP\r\n");
    script.s("A3 OK\r\n");
    script.e(&["2 ok"]);
    script.c_nothing();
    script.wait(1);
    script.c("A4 IDLE\r\n");
    script.s("+ idling\r\n");
    script.e(&["1 idles"]);
    assert!(
        script.connection.poll_timeout().is_some_and(|at| at > Duration::from_secs(600)),
        "nothing but the renewal is due"
    );
}

#[test]
fn an_idle_whose_end_is_not_answered_loses_the_connection() {
    let mut script = Script::selected("IDLE");
    let id = script.submit(&Idle);
    script.c("A1 IDLE\r\n");
    script.s("+ idling\r\n");
    script.e(&["1 idles"]);
    script.abandon(id);
    script.c("DONE\r\n");
    script.wait(30);
    let events = script.events();
    assert!(events.iter().any(|event| event.starts_with("closed")), "{events:?}");
}

#[test]
fn an_abandoned_select_selects_all_the_same() {
    let mut script = Script::selected("");
    let id = script.submit(&Select::new(MailboxName::try_from("other").expect("a name"), Access::ReadWrite));
    script.c("A1 SELECT \"other\"\r\n");
    assert_eq!(script.connection.view().selected().map(|_| ()), None);
    script.abandon(id);
    script.s("* 9 EXISTS\r\nA1 OK [READ-ONLY] done\r\n");
    script.e(&["1 ok"]);
    let selected = script.connection.view().selected().expect("a mailbox is selected");
    assert_eq!((selected.mailbox.as_str(), selected.exists, selected.selection), ("other", 9, 2));
}

#[test]
fn a_select_answered_no_leaves_nothing_selected() {
    let mut script = Script::selected("");
    script.submit(&Select::new(MailboxName::try_from("gone").expect("a name"), Access::ReadWrite));
    script.c("A1 SELECT \"gone\"\r\n");
    script.s("A1 NO [NONEXISTENT] no\r\n");
    script.e(&["1 refused No"]);
    assert!(script.connection.view().selected().is_none());
}

#[test]
fn a_command_bound_to_a_selection_that_is_over_sends_nothing() {
    use imap_proto_core::command::Command;
    let mut script = Script::selected("");
    script.submit(&Select::new(MailboxName::try_from("other").expect("a name"), Access::ReadWrite));
    let bound = Search::new(Query::all()).request().expect("it can be sent").bind(1);
    script.connection.submit(bound, script.now).expect("the connection is open");
    script.c("A1 SELECT \"other\"\r\n");
    script.s("A1 OK\r\n");
    script.e(&["1 ok", "2 failed the mailbox is no longer selected NotSent"]);
    script.c_nothing();
}

#[test]
fn select_is_a_full_barrier() {
    let mut script = Script::selected("");
    script.submit(&Noop);
    script.submit(&Select::new(MailboxName::inbox(), Access::ReadWrite));
    script.submit(&Noop);
    script.c("A1 NOOP\r\n");
    script.c_nothing();
    script.s("A1 OK\r\n");
    script.e(&["1 ok"]);
    script.c("A2 SELECT \"INBOX\"\r\n");
    script.c_nothing();
    script.s("A2 OK\r\n");
    script.e(&["2 ok"]);
    script.c("A3 NOOP\r\n");
}

#[test]
fn an_abandoned_login_that_is_answered_ok_counts() {
    let mut script = Script::configured("", |_| {});
    script.connection = imap_proto_core::Connection::new(imap_proto_core::Config::default());
    script.s("* OK hi\r\n");
    script.e(&["greeting"]);
    let id = script.submit(&Login::new("alice", Secret::from("secret")));
    script.c("A0 LOGIN \"alice\" \"secret\"\r\n");
    assert_eq!(script.abandon(id), CancelEffect::WillFinish);
    script.s("A0 OK in\r\n");
    script.e(&["0 ok"]);
    script.submit(&Select::new(MailboxName::inbox(), Access::ReadWrite));
    script.c("A1 SELECT \"INBOX\"\r\n");
}

#[test]
fn an_abandoned_logout_still_ends_the_connection() {
    let mut script = Script::selected("");
    let id = script.submit(&Logout);
    script.c("A1 LOGOUT\r\n");
    script.abandon(id);
    script.s("* BYE bye\r\nA1 OK\r\n");
    script.e(&["1 ok", "closed the connection is closed: logged out"]);
}

#[test]
fn one_of_several_is_abandoned_and_the_others_are_untouched() {
    let mut script = Script::selected("");
    let ids: Vec<_> = (0..3).map(|_| script.submit(&Noop)).collect();
    script.c("A1 NOOP\r\nA2 NOOP\r\nA3 NOOP\r\n");
    script.abandon(ids[1]);
    // Dovecot was seen to answer out of order.
    script.s("A3 OK\r\nA2 OK\r\nA1 OK\r\n");
    script.e(&["3 ok", "2 ok", "1 ok"]);
    // What the others asked for is told.
    let ids: Vec<_> = (1..4).map(|uid| script.submit(&Fetch::new(one(uid), FetchItems::ids().flags()))).collect();
    script.c("A4 UID FETCH 1 (UID FLAGS)\r\nA5 UID FETCH 2 (UID FLAGS)\r\nA6 UID FETCH 3 (UID FLAGS)\r\n");
    script.abandon(ids[1]);
    for (uid, told) in [(1, true), (2, false), (3, true)] {
        let (line, number) = (format!("* {uid} FETCH (UID {uid} FLAGS ())"), uid + 3);
        script.s(&format!("{line}\r\nA{number} OK\r\n"));
        let (line, ok) = (format!("{number} {line}"), format!("{number} ok"));
        let events = [line.as_str(), &ok];
        script.e(if told { &events } else { &events[1..] });
    }
}

#[test]
fn idle_that_is_not_advertised_is_not_sent() {
    let mut script = Script::selected("");
    script.submit(&Idle);
    script.e(&["1 failed the server does not offer IDLE NotSent"]);
    script.c_nothing();
}

#[test]
fn what_could_be_taken_for_another_answer_waits_for_its_turn() {
    let mut script = Script::selected("");
    for (uid, items) in [(1, FetchItems::ids().flags()), (1, FetchItems::summary()), (2, FetchItems::ids().flags())] {
        script.submit(&Fetch::new(one(uid), items));
    }
    script.c("A1 UID FETCH 1 (UID FLAGS)\r\n");
    script.s("* 1 FETCH (UID 1 FLAGS ())\r\nA1 OK\r\n");
    script.e(&["1 * 1 FETCH (UID 1 FLAGS ())", "1 ok"]);
    script.c("A2 UID FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)\r\nA3 UID FETCH 2 (UID FLAGS)\r\n");
    for _ in 0..2 {
        script.submit(&Search::new(Query::all()));
    }
    script.c("A4 UID SEARCH ALL\r\n");
    script.c_nothing();
}

#[test]
fn a_select_refused_before_its_last_octet_leaves_nothing_half_selected() {
    let mut script = Script::selected("LITERAL+");
    let name = MailboxName::try_from("x".repeat(600)).expect("a name");
    script.submit(&Select::new(name, Access::ReadWrite));
    script.c_part("A1 SELECT {600+}\r\nxxx".len());
    script.s("A1 NO no\r\n* 9 EXISTS\r\n");
    script.e(&["1 * 9 EXISTS"]);
    script.c_part(600);
    script.e(&["1 refused No"]);
    assert!(script.connection.view().selected().is_none());
}
