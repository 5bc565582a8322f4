//! What a hostile server, a full socket and an impatient caller do together.

use crate::mailboxes::{answer, name};
use crate::script::Script;
use imap_proto_core::command::{
    Access, Append, CapabilityCommand, Command, Enable, Fetch, Idle, List, Message, Move, Noop, Raw, Returns, Search,
    Select, StatusCommand,
};
use imap_proto_core::types::{
    Capability, FetchItems, ListPattern, MailboxName, Query, Section, StatusItems, Uid, UidSet,
};
use imap_proto_core::{Config, Connection, Event, Time};

fn one(uid: u32) -> UidSet {
    UidSet::from(Uid::new(uid).expect("a UID"))
}

fn whole(uid: u32) -> Fetch {
    Fetch::new(one(uid), FetchItems::ids().section(Section::whole()))
}

#[test]
fn an_idle_dropped_inside_its_done_leaves_the_rest_of_it_to_be_sent() {
    let mut script = Script::selected("IDLE");
    let idle = script.submit(&Idle);
    script.c("A1 IDLE\r\n");
    script.s("+ idling\r\n");
    script.e(&["1 idles"]);
    script.wait(9 * 60);
    script.c_part(2);
    // The server ended it by itself at the same moment.
    script.s("A1 OK enough\r\n");
    script.e(&[]);
    script.abandon(idle);
    script.e(&["1 failed cancelled NotSent"]);
    script.submit(&Noop);
    script.c("NE\r\nA3 NOOP\r\n");
}

#[test]
fn what_is_left_of_a_body_counts_when_it_is_abandoned_inside() {
    let mut script = Script::configured("", |config| config.drain_bytes = 50_000);
    script.submit(&Select::new(MailboxName::inbox(), Access::ReadWrite));
    script.c("A0 SELECT \"INBOX\"\r\n");
    script.s("A0 OK\r\n");
    script.e(&["0 ok"]);
    let id = script.submit(&whole(1));
    script.c("A1 UID FETCH 1 (UID BODY.PEEK[])\r\n");
    script.s("* 1 FETCH (UID 1 BODY[] {1000000}\r\n");
    script.e(&["1 body of 1000000"]);
    script.abandon(id);
    for _ in 0..51 {
        script.s(&"x".repeat(1000));
        script.events();
    }
    assert!(script.connection.is_closed(), "{:?}", script.connection.health());
}

#[test]
fn a_body_whose_uid_comes_late_is_not_given_to_another() {
    let mut script = Script::selected("");
    script.submit(&whole(1));
    script.submit(&whole(2));
    script.c("A1 UID FETCH 1 (UID BODY.PEEK[])\r\nA2 UID FETCH 2 (UID BODY.PEEK[])\r\n");
    script.s("* 2 FETCH (BODY[] {20000}\r\n");
    script.events();
    script.s(&"x".repeat(20000));
    script.events();
    script.s(" UID 2)\r\n");
    let events = script.events();
    assert!(!events.iter().any(|event| event.starts_with("1 * 2 FETCH")), "{events:?}");
}

#[test]
fn bodies_of_one_response_go_the_same_way() {
    let mut script = Script::selected("");
    script.submit(&whole(1));
    script.submit(&whole(2));
    script.c("A1 UID FETCH 1 (UID BODY.PEEK[])\r\nA2 UID FETCH 2 (UID BODY.PEEK[])\r\n");
    script.s("* 2 FETCH (BODY[] {20000}\r\n");
    script.e(&["1 body of 20000"]);
    script.s(&"x".repeat(20000));
    script.events();
    script.s(" UID 2 BODY[] {20000}\r\n");
    let events = script.events();
    assert!(!events.iter().any(|event| event.starts_with("2 body")), "{events:?}");
}

#[test]
fn flags_that_nobody_asked_for_are_not_taken_by_a_fetch() {
    let mut script = Script::selected("");
    script.submit(&Fetch::new(one(1), FetchItems::ids().flags()));
    script.c("A1 UID FETCH 1 (UID FLAGS)\r\n");
    script.s("* 3 FETCH (FLAGS (\\Seen))\r\n");
    script.e(&["- * 3 FETCH (FLAGS (\\\\Seen))"]);
}

#[test]
fn more_bytes_than_there_is_room_for_are_no_overflow() {
    let mut script = Script::selected("");
    script.connection.received(usize::MAX, script.now);
    script.connection.received(usize::MAX, script.now);
}

#[test]
fn what_is_skipped_before_login_counts_too() {
    let mut script = Script { connection: Connection::new(Config::default()), now: Time::ZERO };
    script.s("* OK hi\r\n");
    script.e(&["greeting"]);
    script.s("* X {1000000000000}\r\n");
    for _ in 0..70 {
        script.s(&"x".repeat(1024));
        script.events();
    }
    assert!(script.connection.is_closed());
}

#[test]
fn no_octets_are_no_step_and_the_rest_is_wanted_again() {
    let mut script = Script::selected("LITERAL+");
    let id = script.append(Message::Fed(3));
    script.c("A1 APPEND \"x\" {3+}\r\n");
    script.e(&["1 wants 3"]);
    script.feed(id, "");
    script.e(&["1 wants 3"]);
    script.feed(id, "abc");
    script.c("abc\r\n");
}

#[test]
fn octets_that_nobody_has_any_more_are_not_announced() {
    let mut script = Script::selected("LITERAL-");
    let name = MailboxName::try_from("\u{1}x".repeat(3000).as_str()).expect("a name");
    let id = script.submit(&Append::new(name, Message::Fed(3)));
    let waiting: Vec<u8> = script.connection.transmit().flatten().copied().collect();
    assert!(waiting.starts_with(b"A1 APPEND {"));
    script.connection.transmitted(waiting.len(), script.now);
    script.abandon(id);
    script.s("+ go\r\n");
    let events = script.events();
    assert!(script.connection.is_closed(), "{events:?}");
}

#[test]
fn statuses_that_one_answer_would_fit_wait_for_each_other() {
    let mut script = Script::authenticated("");
    script.submit(&StatusCommand::new(name("inbox/x"), StatusItems::counts()));
    script.submit(&StatusCommand::new(name("INBOX/x"), StatusItems::changes()));
    script.c("A0 STATUS \"inbox/x\" (MESSAGES UNSEEN)\r\n");
}

#[test]
fn what_a_raw_command_claims_is_not_awaited_twice() {
    let raw = |line: &str, claimed: &str| Raw::new(line).expect("a line").claims(claimed).pipelined();
    let search = || Search::new(Query::all()).request();
    let fetch = || Fetch::new(one(1), FetchItems::ids().flags()).request();
    for (other, raw) in [
        (search(), raw("UID SEARCH ALL", "SEARCH")),
        (search(), raw("UID SEARCH ALL", "ESEARCH")),
        (fetch(), raw("UID FETCH 2 FLAGS", "FETCH")),
        (CapabilityCommand::default().request(), raw("CAPABILITY", "CAPABILITY")),
        (List::all().request(), raw("LIST \"\" x", "LIST")),
    ] {
        let pair = [other.expect("it can be sent"), raw.request().expect("it can be sent")];
        for (first, second) in [(&pair[0], &pair[1]), (&pair[1], &pair[0])] {
            let mut script = Script::selected("");
            for request in [first, second] {
                script.connection.submit(request.clone(), Time::ZERO).expect("it is open");
            }
            let sent: Vec<u8> = script.connection.transmit().flatten().copied().collect();
            assert_eq!(sent.iter().filter(|byte| **byte == b'\n').count(), 1, "{}", sent.escape_ascii());
        }
    }
}

#[test]
fn the_size_of_a_decoded_part_goes_to_whoever_asked_for_it() {
    let mut script = Script::selected("BINARY");
    script.submit(&Fetch::new(one(1), FetchItems::ids().flags()));
    script.submit(&Fetch::new(one(1), FetchItems::ids().binary_size("1").expect("a part")));
    script.c("A1 UID FETCH 1 (UID FLAGS)\r\nA2 UID FETCH 1 (UID BINARY.SIZE[1])\r\n");
    script.s("* 1 FETCH (UID 1 FLAGS ())\r\n* 1 FETCH (UID 1 BINARY.SIZE[1] 5)\r\nA2 OK\r\nA1 OK\r\n");
    script.e(&["1 * 1 FETCH (UID 1 FLAGS ())", "2 * 1 FETCH (UID 1 BINARY.SIZE[1] 5)", "2 ok", "1 ok"]);
}

#[test]
fn a_move_in_many_pieces_costs_what_each_of_them_costs() {
    const PIECES: u32 = 100_000;
    let mut script = Script::selected("MOVE");
    let mut command = Move::new(UidSet::all(), name("x"));
    let id = script.submit(&command);
    script.c("A1 UID MOVE 1:* \"x\"\r\n");
    for first in (1..=PIECES).step_by(1000) {
        let lines: Vec<String> =
            (first..first + 1000).map(|uid| format!("* OK [COPYUID 7 {uid} {uid}] moved\r\n")).collect();
        // Each told twice.
        script.s(&lines.concat());
        script.s(&lines.concat());
        while let Some(event) = script.connection.poll_event() {
            if let Event::Data { id: owner, response } = event {
                assert_eq!(owner, Some(id));
                command.fold(response);
            }
        }
    }
    script.s("A1 OK\r\n");
    let copied = answer(&mut script, command).expect("it is moved").expect("it is told where");
    assert!(copied.is_consistent());
    assert_eq!(copied.source.len(), u64::from(PIECES));
}

#[test]
fn a_mailbox_of_many_attributes_costs_what_each_of_them_costs() {
    let mut script = Script::authenticated("");
    let list = List::all();
    script.submit(&list);
    script.c("A0 LIST \"\" \"*\"\r\n");
    let attributes: Vec<String> = (0..200_000).map(|number| format!("\\x{number}")).collect();
    script.s(&format!("* LIST ({}) \"/\" a\r\nA0 OK\r\n", attributes.join(" ")));
    let entries = answer(&mut script, list).expect("it is listed");
    assert_eq!(entries[0].attributes().iter().count(), 200_000);
}

#[test]
fn a_long_name_is_matched_in_the_time_it_takes_to_read() {
    let names = ["/".repeat(300_000), "a".repeat(300_000), "a/".repeat(150_000)];
    for pattern in ["*/%x", "*%x", "*a%x", "*/%/%x%y", "*%a%b"] {
        for name in &names {
            for delimiter in [None, Some('/'), Some('.')] {
                assert!(!ListPattern::from(pattern).matches(name, delimiter), "{pattern}");
            }
        }
    }
}

#[test]
fn what_is_enabled_unasked_is_bounded() {
    let mut script = Script::authenticated("ENABLE");
    script.submit(&Enable::new([Capability::CondStore]));
    script.c("A0 ENABLE CONDSTORE\r\n");
    for number in 0..20_000 {
        script.s(&format!("* ENABLED X{number}\r\n"));
        script.events();
    }
    script.s("* ENABLED CONDSTORE\r\n");
    script.events();
    let enabled = script.connection.view().enabled();
    assert!(enabled.iter().count() <= 1000 && enabled.has(&Capability::CondStore));
}

#[test]
fn no_capability_breaks_out_of_enable() {
    for odd in ["X {3+}", "X{3}", "X Y", "", "X\u{e9}", "X\r\nA1 LOGOUT", "(", "X\"", "X\0"] {
        let request = Enable::new([Capability::from_wire(odd.as_bytes())]).request();
        assert!(request.is_err(), "{odd:?} {request:?}");
    }
    for known in ["UTF8=ACCEPT", "X-GOOD", "imap4rev2", "COMPRESS=DEFLATE"] {
        assert!(Enable::new([Capability::from_wire(known.as_bytes())]).request().is_ok(), "{known}");
    }
}

#[test]
fn no_nul_goes_out_in_a_name_whatever_the_form_of_names_is() {
    for command in [
        StatusCommand::new(MailboxName::from_wire(b"a&AAA-b"), StatusItems::counts()).request(),
        StatusCommand::new(MailboxName::from_wire(b"a\0b"), StatusItems::counts()).request(),
        List::new("a\0b").request(),
        List::new("a").or("b\0").request(),
        List::new("a").below(MailboxName::from_utf8(b"b\0")).request(),
    ] {
        let Ok(request) = command else { continue };
        let mut script = Script::authenticated("ENABLE UTF8=ACCEPT LIST-EXTENDED LITERAL+");
        script.s("* ENABLED UTF8=ACCEPT\r\n");
        script.events();
        script.connection.submit(request, Time::ZERO).expect("it is open");
        let sent: Vec<u8> = script.connection.transmit().flatten().copied().collect();
        assert!(!sent.contains(&0), "{}", sent.escape_ascii());
    }
}

#[test]
fn a_search_for_certain_results_needs_what_its_query_needs() {
    let search = || Search::new(Query::mod_seq(7)).returning(Returns::COUNT);
    for (capabilities, line) in [
        ("CONDSTORE ESEARCH", "A1 UID SEARCH RETURN (COUNT) MODSEQ 7\r\n"),
        ("CONDSTORE", "A1 UID SEARCH MODSEQ 7\r\n"),
        ("ESEARCH", ""),
        ("", ""),
    ] {
        let mut script = Script::selected(if capabilities.is_empty() { "IDLE" } else { capabilities });
        script.submit(&search());
        script.c(line);
    }
}

#[test]
fn an_answer_without_end_fails_its_command_and_not_the_connection() {
    let mut script = Script::configured("", |config| config.answer_bytes = 100);
    script.submit(&imap_proto_core::command::List::all());
    script.c("A0 LIST \"\" \"*\"\r\n");
    for _ in 0..7 {
        script.s("* LIST () \"/\" abcdefgh\r\n");
    }
    script.s("A0 OK done\r\n");
    let events = script.events();
    let told = events.iter().filter(|event| event.starts_with("0 * LIST")).count();
    assert_eq!(told, 4, "{events:?}");
    assert_eq!(
        events.last().map(String::as_str),
        Some("0 failed limit exceeded: an answer of more than 100 bytes Cancelled")
    );
    script.submit(&Noop);
    script.c("A1 NOOP\r\n");
    script.s("A1 OK\r\n");
    script.e(&["1 ok"]);
    // It is told once, however the connection goes on.
    let mut script = Script::configured("", |config| config.answer_bytes = 10);
    script.submit(&imap_proto_core::command::List::all());
    script.c("A0 LIST \"\" \"*\"\r\n");
    script.s("* LIST () \"/\" abcdefgh\r\n");
    script.s_eof();
    let events = script.events();
    assert_eq!(events.iter().filter(|event| event.starts_with('0')).count(), 1, "{events:?}");
    assert!(events.last().is_some_and(|event| event.starts_with("closed")), "{events:?}");
}
