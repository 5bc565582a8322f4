//! Every ordered pair of commands: what leaves together, what waits and why, as `docs/pipelining.md` has it.
//!
//! What is decided is read from the bytes that a connection hands out. With `PAIRS_WRITE=1` the tables are written instead
//! of compared.

mod kinds;
mod oracle;
mod stale;
mod wire;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::path::PathBuf;
use std::{env, fs};

use kinds::{Kind, Until};
use wire::Wire;

use super::CommandId;
use super::order::Why;
use crate::command::{Access, Command, Noop, Request, Select};

/// What becomes of the second of two commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    /// It leaves in the write of the first.
    SameWrite,
    /// It leaves in the write of DONE, which ends the first.
    AfterDone,
    /// It leaves once all of the first is written.
    OnceWritten(Why),
    /// It leaves once the first is answered.
    OnceAnswered(Why),
    /// It waits until the first is answered, and can't be sent after it.
    Never(Why),
    /// It leaves over TLS.
    OverTls(Why),
    /// It leaves compressed, once the first is answered.
    Compressed(Why),
    /// It can't be sent whatever the first is.
    Unfit,
}

impl Decision {
    /// Its sign in the tables.
    fn letter(self) -> char {
        match self {
            Decision::SameWrite => '=',
            Decision::AfterDone => '+',
            Decision::OnceWritten(Why::IdleBegins) => 'i',
            Decision::OnceWritten(_) => 'l',
            Decision::Never(_) => 'x',
            Decision::Unfit => '-',
            Decision::OverTls(_) => 't',
            Decision::Compressed(_) => 'z',
            Decision::OnceAnswered(why) => match why {
                Why::Done => 'd',
                Why::BehindBarrier => 'b',
                Why::IsBarrier => 'B',
                Why::IsIdle => 'I',
                Why::Renumbering => 'n',
                Why::Flags => 'f',
                Why::Mailbox => 'm',
                Why::Ambiguous => 'a',
                Why::Unfinished | Why::IdleBegins | Why::TooMuch => '?',
            },
        }
    }

    /// True where the second leaves before the first is answered.
    fn overtakes(self) -> bool {
        matches!(self, Decision::SameWrite | Decision::AfterDone | Decision::OnceWritten(_))
    }
}

/// Where a connection stands, and the commands that are tried there.
struct Setting {
    name: &'static str,
    greeting: &'static str,
    selects: bool,
    kinds: Vec<Kind>,
}

macro_rules! capabilities {
    ($greeting:literal) => {
        concat!(
            "* ",
            $greeting,
            " [CAPABILITY IMAP4rev1 LITERAL- SASL-IR STARTTLS AUTH=PLAIN ID ENABLE IDLE NAMESPACE UIDPLUS MOVE UNSELECT MULTIAPPEND",
            " ESEARCH SEARCHRES CONDSTORE LIST-EXTENDED LIST-STATUS COMPRESS=DEFLATE] hi\r\n"
        )
    };
}

fn settings() -> [Setting; 3] {
    let (authenticated, open) = (capabilities!("PREAUTH"), capabilities!("OK"));
    [
        Setting { name: "selected", greeting: authenticated, selects: true, kinds: kinds::selected() },
        Setting { name: "unselected", greeting: authenticated, selects: false, kinds: kinds::unselected() },
        Setting { name: "unauthenticated", greeting: open, selects: false, kinds: kinds::unauthenticated() },
    ]
}

impl Setting {
    fn wire(&self) -> Wire {
        let mut wire = Wire::new(self.greeting);
        if self.selects {
            wire.submit(&Select::new("INBOX", Access::ReadWrite).request().expect("a request")).expect("it is open");
            wire.leave();
            wire.says("A0 OK [READ-WRITE] selected\r\n");
            wire.leave();
        }
        wire
    }

    /// What the kind is on the wire before the server says anything, without its tag.
    fn line(&self, kind: &Kind) -> String {
        let mut wire = self.wire();
        wire.submit(&kind.request).expect("it is open");
        let line = wire.waiting();
        line.split_once(' ').map(|(_, line)| line.to_string()).unwrap_or_default()
    }

    /// The commands that can be the second.
    fn seconds(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.iter().filter(|kind| kind.until == Until::Submitted)
    }

    fn decide(&self, first: &Kind, second: &Kind) -> Decision {
        let name = format!("{}: {} + {}", self.name, first.name, second.name);
        let mut wire = self.wire();
        let one = wire.submit(&first.request).expect("it is open");
        wire.bring(one, first.until);
        let own = wire.waiting();
        let Ok(two) = wire.submit(&second.request) else { return Decision::Unfit };
        let tag = if self.selects { 1 } else { 0 };
        let mut pair = Pair { name, wire, one, two, tag, own };
        let early = pair.at_once().map_or_else(|| pair.once_written(), Ok);
        early.unwrap_or_else(|why| pair.once_answered(why))
    }
}

/// Two commands, the second just submitted.
struct Pair {
    name: String,
    wire: Wire,
    one: CommandId,
    two: CommandId,
    /// The number of the first one's tag.
    tag: u32,
    /// What was to leave of the first before the second was submitted.
    own: String,
}

impl Pair {
    /// Where the line of the second begins in what leaves.
    fn second_in(&self, left: &str) -> Option<usize> {
        let begin = format!("A{} ", self.tag + 1);
        let later = || left.find(&format!("\r\n{begin}")).map(|at| at + "\r\n".len());
        if left.starts_with(&begin) { Some(0) } else { later() }
    }

    /// What leaves in the next write is that of the first, and the second or nothing.
    fn at_once(&mut self) -> Option<Decision> {
        let (name, waiting) = (&self.name, self.wire.waiting());
        let behind = waiting.strip_prefix(&self.own).unwrap_or_else(|| panic!("{name}: {:?} + {waiting:?}", self.own));
        let (behind, decision) = match behind.strip_prefix("DONE\r\n") {
            Some(behind) => (behind, Decision::AfterDone),
            None if self.own == "DONE\r\n" => (behind, Decision::AfterDone),
            None => (behind, Decision::SameWrite),
        };
        if self.second_in(behind) == Some(0) {
            return Some(decision);
        }
        assert_eq!(behind, "", "{name}");
        let left = self.wire.leave();
        assert_eq!(self.second_in(&left), None, "{name}: {left:?}");
        None
    }

    /// The first is written to its end; the reason why the second waits on, where it does.
    fn once_written(&mut self) -> Result<Decision, Why> {
        for _ in 0..4 {
            let why = self.wire.why().unwrap_or_else(|| panic!("{}: nothing waits", self.name));
            if !matches!(why, Why::Unfinished | Why::IdleBegins) {
                return Err(why);
            }
            let left = self.wire.go_on(self.one);
            if let Some(at) = self.second_in(&left) {
                assert!(why == Why::Unfinished || left[..at].ends_with("DONE\r\n"), "{}: {left:?}", self.name);
                return Ok(Decision::OnceWritten(why));
            }
        }
        panic!("{}: it is never written", self.name)
    }

    /// Nothing but the tagged answer of the first lets the second go.
    fn once_answered(&mut self, why: Why) -> Decision {
        let (name, wire) = (&self.name, &mut self.wire);
        wire.says("* OK [ALERT] A9 OK\r\n* OK still here\r\n");
        assert_eq!(wire.leave(), "", "{name}");
        assert_eq!(wire.why(), Some(why), "{name}");
        wire.says(&format!("A{} OK done\r\n", self.tag));
        let left = wire.leave();
        if wire.connection.awaits_tls {
            assert_eq!(left, "", "{name}");
            return Decision::OverTls(why);
        }
        if wire.unsent.contains(&self.two) {
            // An IDLE is taken up again where nothing else waits.
            assert!(left.is_empty() || left.ends_with(" IDLE\r\n"), "{name}: {left:?}");
            return Decision::Never(why);
        }
        assert_eq!(self.second_in(&left), Some(0), "{name}: {left:?}");
        match self.wire.connection.layer {
            Some(_) => Decision::Compressed(why),
            None => Decision::OnceAnswered(why),
        }
    }
}

/// The rows of a table, with the numbers of the columns above.
fn table(setting: &Setting, counts: &mut BTreeMap<char, usize>) -> String {
    let seconds = setting.seconds().count();
    let width = setting.kinds.iter().map(|kind| kind.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for digit in [|n: usize| n / 10, |n: usize| n % 10] {
        let digits: String = (1..=seconds).map(|n| char::from_digit(digit(n) as u32, 10).unwrap_or('?')).collect();
        text += &format!("{:width$} {digits}\n", "", width = width + 3);
    }
    for (number, first) in setting.kinds.iter().enumerate() {
        let letters: String = setting.seconds().map(|second| setting.decide(first, second).letter()).collect();
        letters.chars().for_each(|letter| *counts.entry(letter).or_default() += 1);
        // What can only be first has no column.
        let number = if number < seconds { (number + 1).to_string() } else { String::new() };
        text += &format!("{number:>2} {:width$} {letters}\n", first.name);
    }
    text
}

fn document() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/pipelining.md")
}

#[test]
fn every_pair_of_commands_is_decided_as_the_table_says() {
    let path = document();
    let before = fs::read_to_string(&path).expect("the document is there");
    let mut after = before.clone();
    let mut counts = BTreeMap::new();
    let mut put = |name: &str, content: &str| {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
        let from = after.find(&begin).unwrap_or_else(|| panic!("a place for {name}")) + begin.len();
        let to = from + after[from..].find(&end).unwrap_or_else(|| panic!("an end of {name}"));
        after.replace_range(from..to, &format!("```text\n{content}```\n"));
    };
    for setting in settings() {
        // What can only be first stands last, so that the numbers of rows and columns are the same.
        assert!(setting.kinds.is_sorted_by_key(|kind| kind.until != Until::Submitted), "{}", setting.name);
        put(setting.name, &table(&setting, &mut counts));
    }
    let count = |(letter, count): (&char, &usize)| format!("{letter}   {count:>5}\n");
    let all: usize = counts.values().sum();
    put("counts", &format!("{}all {all:>5}\n", counts.iter().map(count).collect::<String>()));
    if env::var_os("PAIRS_WRITE").is_some() {
        fs::write(&path, &after).expect("the document can be written");
    }
    assert!(before == after || env::var_os("PAIRS_WRITE").is_some(), "decided otherwise, see PAIRS_WRITE:\n{after}");
    for letter in counts.keys() {
        assert!(after.contains(&format!("\n| `{letter}` |")), "{letter} has no line in the legend");
    }
}

#[test]
fn what_is_outstanding_is_bounded_in_bytes() {
    let [selected, ..] = settings();
    let mut wire = selected.wire();
    alloc::sync::Arc::make_mut(&mut wire.connection.config).outstanding = 3 * "A1 NOOP\r\n".len();
    let noop = Noop.request().expect("a request");
    (0..6).for_each(|_| _ = wire.submit(&noop).expect("it is open"));
    assert_eq!(wire.leave(), "A1 NOOP\r\nA2 NOOP\r\nA3 NOOP\r\nA4 NOOP\r\n");
    assert_eq!(wire.why(), Some(Why::TooMuch));
    wire.says("A2 OK done\r\n");
    assert_eq!(wire.leave(), "A5 NOOP\r\n");
    assert_eq!(wire.why(), Some(Why::TooMuch));
}

/// A new command is to be in the tables.
#[test]
fn the_tables_have_all_commands_of_the_crate() {
    const NO_COMMANDS: &[&str] = &[
        "Access",
        "Cancelling",
        "Found",
        "InvalidRaw",
        "Message",
        "NewMessage",
        "RawAnswer",
        "Returns",
        "Store",
        "StoreAnswer",
        "Stored",
        "stored",
    ];
    let (exported, tried) = (include_str!("../../command/mod.rs"), include_str!("kinds.rs"));
    let tried: BTreeSet<&str> = tried.split(|c: char| !c.is_alphanumeric()).collect();
    let lines = exported.lines().filter(|line| line.starts_with("pub use ") || line.starts_with("pub(crate) use "));
    let names =
        lines.filter_map(|line| line.rsplit("::").next()).flat_map(|names| names.split([',', ' ', '{', '}', ';']));
    let names: Vec<&str> = names.filter(|name| !name.is_empty() && !NO_COMMANDS.contains(name)).collect();
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        // A search that returns is made of a search.
        assert!(tried.contains(name) || (name == "SearchReturning" && tried.contains("returning")), "{name}");
    }
}
