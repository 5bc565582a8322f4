//! Commands that are bound to a selection which is over: they fail with `Deselected`, and not a byte of them leaves.

use super::*;
use crate::command::{Close, Idle, Noop, Unselect};
use crate::error::Error;

/// How a selection ends.
struct Ending {
    name: &'static str,
    request: Request,
    answer: &'static str,
}

fn endings() -> [Ending; 8] {
    let select = |name, access| Select::new(name, access).request().expect("a request");
    let (select, examine) = (|name| select(name, Access::ReadWrite), |name| select(name, Access::ReadOnly));
    let (close, unselect) = (|| Close.request().expect("a request"), || Unselect.request().expect("a request"));
    [
        Ending { name: "SELECT of another", request: select("Other"), answer: "OK [READ-WRITE] selected" },
        Ending { name: "SELECT of the same", request: select("INBOX"), answer: "OK [READ-WRITE] selected" },
        Ending { name: "EXAMINE", request: examine("Other"), answer: "OK [READ-ONLY] selected" },
        Ending { name: "CLOSE", request: close(), answer: "OK closed" },
        Ending { name: "UNSELECT", request: unselect(), answer: "OK unselected" },
        Ending { name: "a refused SELECT", request: select("Other"), answer: "NO [NONEXISTENT] no such mailbox" },
        Ending { name: "a refused EXAMINE", request: examine("Other"), answer: "BAD what" },
        Ending { name: "a refused CLOSE", request: close(), answer: "NO not now" },
    ]
}

/// All that may be bound: what needs a mailbox to be selected, and the rest too.
fn bound(setting: &Setting, selection: u32) -> impl Iterator<Item = (&Kind, Request)> {
    setting.seconds().map(move |kind| (kind, kind.request.clone().bind(selection)))
}

fn selected() -> Setting {
    let [selected, ..] = settings();
    selected
}

fn assert_unsent(wire: &Wire, id: CommandId, what: &str) {
    assert!(wire.unsent.contains(&id), "{what}");
    assert!(matches!(wire.errors.get(&id), Some(Error::Deselected)), "{what}: {:?}", wire.errors.get(&id));
}

#[test]
fn what_is_bound_to_a_selection_that_is_over_fails_before_a_byte_is_sent() {
    let setting = selected();
    let mut tried = 0;
    for ending in endings() {
        let selection = setting.wire().connection.view().selection();
        for (kind, request) in bound(&setting, selection) {
            let what = format!("{} after {}", kind.name, ending.name);
            // While the first waits, while it is under way, and when it is answered.
            let mut wire = setting.wire();
            wire.submit(&Noop.request().expect("a request")).expect("it is open");
            wire.submit(&ending.request).expect("it is open");
            let mut ids = Vec::from([wire.submit(&request).expect("it is open")]);
            let mut left = wire.leave();
            wire.says("A1 OK\r\n");
            left += &wire.leave();
            let before = left.len();
            // A connection has one IDLE at a time.
            ids.extend(wire.submit(&request));
            left += &wire.leave();
            wire.says(&format!("A2 {}\r\n", ending.answer));
            left += &wire.leave();
            ids.extend(wire.submit(&request));
            left += &wire.leave();
            ids.iter().for_each(|id| assert_unsent(&wire, *id, &what));
            assert!(left.len() == before && left.starts_with("A1 NOOP\r\nA2 "), "{what}: {left}");
            tried += ids.len();
        }
    }
    assert!(tried > 8 * 60 * 2, "{tried}");
}

#[test]
fn an_idle_does_not_end_for_what_is_bound_to_a_selection_before_it() {
    let setting = selected();
    let selection = setting.wire().connection.view().selection();
    for (kind, request) in bound(&setting, selection).filter(|(kind, _)| kind.name != "IDLE") {
        let mut wire = setting.wire();
        wire.submit(&Select::new("Other", Access::ReadWrite).request().expect("a request")).expect("it is open");
        wire.leave();
        wire.says("A1 OK [READ-WRITE] selected\r\n");
        wire.leave();
        let idle = Idle.request().expect("a request").bind(selection + 1);
        wire.submit(&idle).expect("it is open");
        assert_eq!(wire.leave(), "A2 IDLE\r\n");
        // Before its `+`, and after.
        let early = wire.submit(&request).expect("it is open");
        assert_eq!(wire.leave(), "");
        wire.says("+ idling\r\n");
        assert_eq!(wire.leave(), "", "{}", kind.name);
        let late = wire.submit(&request).expect("it is open");
        assert_eq!(wire.leave(), "", "{}", kind.name);
        [early, late].iter().for_each(|id| assert_unsent(&wire, *id, kind.name));
    }
}

/// What is taken up again is bound as it was.
#[test]
fn an_idle_is_not_taken_up_again_in_another_selection() {
    for ending in endings() {
        let mut wire = selected().wire();
        let selection = wire.connection.view().selection();
        let idle = wire.submit(&Idle.request().expect("a request").bind(selection)).expect("it is open");
        wire.leave();
        wire.says("+ idling\r\n");
        wire.leave();
        wire.submit(&ending.request).expect("it is open");
        assert_eq!(wire.leave(), "DONE\r\n");
        wire.says("A1 OK idled\r\n");
        let left = wire.leave();
        assert!(left.starts_with("A2 ") && !left.contains("IDLE"), "{left}");
        wire.says(&format!("A2 {}\r\n", ending.answer));
        assert_eq!(wire.leave(), "", "{}", ending.name);
        assert_unsent(&wire, idle, ending.name);
    }
}
