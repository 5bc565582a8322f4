//! The RFC's side: which pairs must wait and which need not, told from the lines alone, by the words of RFC 9051.

use super::*;

/// A command as it is on the wire, without its tag.
struct Line {
    name: String,
    arguments: String,
}

impl Line {
    fn new(line: &str) -> Self {
        let line = line.split("\r\n").next().unwrap_or_default();
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (name, arguments) = match rest.split_once(' ') {
            Some((second, rest)) if first == "UID" => (format!("UID {second}"), rest),
            _ => (first.to_string(), rest),
        };
        Line { name, arguments: arguments.to_string() }
    }

    fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }

    fn on_messages(&self) -> bool {
        self.name.starts_with("UID ")
            || self.is(&["FETCH", "STORE", "SEARCH", "COPY", "MOVE", "EXPUNGE", "CHECK", "IDLE"])
    }

    fn has_sequence_numbers(&self) -> bool {
        let begins_with_set = self.arguments.starts_with(|c: char| c.is_ascii_digit() || c == '*');
        self.is(&["FETCH", "STORE", "COPY", "MOVE"]) || (self.is(&["SEARCH", "UID SEARCH"]) && begins_with_set)
    }

    fn sets_seen(&self) -> bool {
        self.is(&["FETCH", "UID FETCH"]) && self.arguments.contains("BODY[")
    }

    fn stores(&self) -> bool {
        self.is(&["STORE", "UID STORE"])
    }

    fn searches_by_flags(&self) -> bool {
        self.is(&["SEARCH", "UID SEARCH"]) && self.arguments.ends_with("UNSEEN")
    }

    /// The mailboxes that it names, which are its quoted arguments here.
    fn mailboxes(&self) -> Vec<String> {
        let inbox =
            |name: &str| if name.eq_ignore_ascii_case("INBOX") { "INBOX".to_string() } else { name.to_string() };
        if self.is(&["LOGIN", "ID", "LIST", "LSUB"]) {
            return Vec::new();
        }
        self.arguments.split('"').skip(1).step_by(2).map(inbox).collect()
    }

    fn changes_mailboxes(&self) -> bool {
        self.is(&["CREATE", "DELETE", "RENAME"])
    }

    fn lists(&self) -> bool {
        self.is(&["LIST", "LSUB"])
    }

    fn adds_messages(&self) -> bool {
        self.is(&["APPEND", "COPY", "UID COPY", "MOVE", "UID MOVE"])
    }

    fn names_one_of(&self, other: &Line) -> bool {
        let names = other.mailboxes();
        self.mailboxes().iter().any(|name| names.contains(name))
    }

    fn changes_selection(&self) -> bool {
        self.is(&["SELECT", "EXAMINE", "CLOSE", "UNSELECT"])
    }
}

/// A sentence of the RFC and the pairs that it forbids to be under way together.
type Rule = (&'static str, fn(&Line, &Line) -> bool);

const MUST_WAIT: &[Rule] = &[
    // "if the client sends any command other than FETCH, STORE, or SEARCH, it MUST wait for the completion result response
    // before sending a command with message sequence numbers", and the note on UID commands behind it; §6.4.8 on MOVE.
    ("§5.5 sequence numbers", |first, second| {
        !first.is(&["FETCH", "STORE", "SEARCH"]) && second.has_sequence_numbers()
    }),
    // "One example is a FETCH that would cause \Seen flags to be set and a SEARCH UNSEEN command."
    ("§5.5 \\Seen", |first, second| {
        (first.sets_seen() && second.searches_by_flags()) || (first.searches_by_flags() && second.sets_seen())
    }),
    // "when a command would affect the results of another command"
    ("§5.5 flags", |first, second| {
        (first.stores() && second.searches_by_flags()) || (first.searches_by_flags() && second.stores())
    }),
    ("§5.5 mailboxes", |first, second| {
        (first.changes_mailboxes() || second.changes_mailboxes())
            && (first.names_one_of(second) || first.lists() || second.lists())
    }),
    ("§5.5 what is in a mailbox", |first, second| {
        ((first.adds_messages() && second.is(&["STATUS"])) || (first.is(&["STATUS"]) && second.adds_messages()))
            && first.names_one_of(second)
    }),
    ("§5.5 the selected mailbox", |first, second| {
        let takes_inbox = |line: &Line| line.is(&["RENAME"]) && line.mailboxes()[0] == "INBOX";
        (takes_inbox(first) && second.on_messages()) || (first.on_messages() && takes_inbox(second))
    }),
    ("§6.3.2 the selection", |first, second| {
        (first.changes_selection() && second.on_messages()) || (first.on_messages() && second.changes_selection())
    }),
    // "The client MUST NOT send any further commands until it has seen the result of COMPRESS."
    ("RFC 4978 §3", |first, _| first.is(&["COMPRESS"])),
    // Said of each in its own words: nothing follows them until they are answered.
    ("§6.1.3, §6.2.1, §6.2.2", |first, _| first.is(&["LOGOUT", "STARTTLS", "AUTHENTICATE"])),
];

/// "any command continuation request responses and command continuations MUST be negotiated before any subsequent command
/// is initiated", and that of IDLE is not over before DONE (§6.3.13).
fn waits_for_continuation(first: &str) -> bool {
    let announced = first.strip_suffix("}\r\n").and_then(|line| line.rsplit_once('{'));
    announced.is_some_and(|(_, count)| count.ends_with(|c: char| c.is_ascii_digit()))
        || first == "IDLE\r\n"
        || first == "AUTHENTICATE PLAIN\r\n"
}

#[test]
fn what_the_rfc_forbids_to_be_under_way_together_is_not() {
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for setting in settings() {
        for first in &setting.kinds {
            let first_line = setting.line(first);
            for second in setting.seconds() {
                let decision = setting.decide(first, second);
                let (one, two) = (Line::new(&first_line), Line::new(&setting.line(second)));
                let rules = MUST_WAIT.iter().filter(|(_, forbids)| forbids(&one, &two)).map(|(rule, _)| rule);
                for rule in rules {
                    *met.entry(rule).or_default() += 1;
                    if decision.overtakes() {
                        wrong.push(format!("{rule}: {} + {} {decision:?}", first.name, second.name));
                    }
                }
                if waits_for_continuation(&first_line) {
                    *met.entry("§5.5 continuations").or_default() += 1;
                    let at_once = matches!(decision, Decision::SameWrite | Decision::AfterDone);
                    if at_once && first.until == Until::Submitted {
                        wrong.push(format!("continuations: {} + {}", first.name, second.name));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(met.len(), MUST_WAIT.len() + 1, "a rule that meets no pair: {met:?}");
}

fn all_leave_together(setting: &Setting, names: &[&str]) -> bool {
    let mut wire = setting.wire();
    for name in names {
        let kind = setting.kinds.iter().find(|kind| kind.name == *name).unwrap_or_else(|| panic!("no kind {name}"));
        wire.submit(&kind.request).expect("it is open");
    }
    wire.waiting().matches("\r\n").count() == names.len()
}

#[test]
fn the_sequences_that_the_rfc_calls_valid_leave_in_one_write_and_the_others_do_not() {
    let [selected, ..] = settings();
    let (fetch, store, search, copy) = ("FETCH 1:9 FLAGS", "STORE 10:19 silent", "SEARCH ALL", "COPY 1:9 Other");
    for valid in [
        &[fetch, store, search, "NOOP"][..],
        &[store, copy, "EXPUNGE"],
        // A UID command behind numbers harms none of them.
        &[fetch, "UID FETCH 1:9 RFC822.SIZE", "UID SEARCH ALL"],
        // RFC 6851 §3.3: "Both MOVE and UID MOVE can be pipelined with other commands".
        &[store, "MOVE 1:9 Other", "NOOP"],
    ] {
        assert!(all_leave_together(&selected, valid), "{valid:?}");
    }
    for invalid in [
        &[fetch, "NOOP", store][..],
        &[store, copy, fetch],
        &[copy, copy],
        &["UID SEARCH ALL", "UID SEARCH 1:9"],
        &["MOVE 1:9 Other", fetch],
        &["UID MOVE 1:9 Other", "SEARCH 1:9"],
    ] {
        assert!(!all_leave_together(&selected, invalid), "{invalid:?}");
    }
}

#[test]
fn what_is_independent_leaves_in_one_write() {
    let [selected, ..] = settings();
    let names = [
        "NOOP",
        "UID FETCH 1:9 FLAGS",
        "UID STORE 10:19 silent",
        "UID SEARCH ALL",
        "UID COPY 1:9 Other",
        "STATUS Third",
    ];
    for first in names {
        for second in names.into_iter().filter(|second| *second != first) {
            assert!(all_leave_together(&selected, &[first, second]), "{first} + {second}");
        }
    }
    assert!(all_leave_together(&selected, &names));
}
