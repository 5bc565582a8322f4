//! Every ordered pair of commands: what leaves together, what waits and why, as `docs/pipelining.md` has it.
//!
//! What is decided is read from the bytes that a connection hands out. With `PAIRS_WRITE=1` the tables are written instead
//! of compared.

mod kinds;
mod oracle;
mod stale;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::path::PathBuf;
use std::{env, fs};

use bytes::Bytes;
use kinds::{Kind, Until};

use super::order::{Turn, Why, turn};
use super::{CommandId, Connection, Event};
use crate::command::{Access, Command, Noop, Request, Select};
use crate::config::{Config, Time};
use crate::error::{Error, Fate};

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
            " [CAPABILITY IMAP4rev1 LITERAL- SASL-IR STARTTLS AUTH=PLAIN ID ENABLE IDLE NAMESPACE UIDPLUS MOVE UNSELECT",
            " ESEARCH SEARCHRES CONDSTORE LIST-EXTENDED LIST-STATUS] hi\r\n"
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
        let pair = format!("{}: {} + {}", self.name, first.name, second.name);
        let mut wire = self.wire();
        let one = wire.submit(&first.request).expect("it is open");
        let tag = if self.selects { 1 } else { 0 };
        wire.bring(one, first.until);
        let own = wire.waiting();
        let Ok(two) = wire.submit(&second.request) else { return Decision::Unfit };
        let together = wire.waiting();
        let is_second = |bytes: &str| bytes.starts_with(&format!("A{} ", tag + 1));
        let has_second = |bytes: &str| is_second(bytes) || bytes.contains(&format!("\r\nA{} ", tag + 1));

        let behind = together.strip_prefix(&own).unwrap_or_else(|| panic!("{pair}: {own:?} became {together:?}"));
        let after_done = if own == "DONE\r\n" { Some(behind) } else { behind.strip_prefix("DONE\r\n") };
        match after_done {
            Some(behind) if is_second(behind) => return Decision::AfterDone,
            Some(behind) => assert_eq!(behind, "", "{pair}"),
            None if is_second(behind) => return Decision::SameWrite,
            None => assert_eq!(behind, "", "{pair}"),
        }
        let left = wire.leave();
        assert!(!has_second(&left), "{pair}: {left:?}");
        let mut why = wire.why().unwrap_or_else(|| panic!("{pair}: nothing waits"));
        while matches!(why, Why::Unfinished | Why::IdleBegins) {
            let left = wire.go_on(one);
            if let Some(at) = left.find(&format!("\r\nA{} ", tag + 1)) {
                assert!(why == Why::Unfinished || left[..at].ends_with("DONE"), "{pair}: {left:?}");
                return Decision::OnceWritten(why);
            }
            let before = core::mem::replace(&mut why, wire.why().unwrap_or_else(|| panic!("{pair}: nothing waits")));
            assert_ne!((before, why), (Why::IdleBegins, Why::IdleBegins), "{pair}");
        }
        wire.says("* OK [ALERT] A9 OK\r\n* OK still here\r\n");
        assert_eq!(wire.leave(), "", "{pair}");
        assert_eq!(wire.why(), Some(why), "{pair}");
        wire.says(&format!("A{tag} OK done\r\n"));
        let left = wire.leave();
        assert!(wire.ended.contains(&one) || matches!(first.until, Until::Done) || first.name.starts_with("IDLE"));
        if is_second(&left) {
            return Decision::OnceAnswered(why);
        }
        if wire.connection.awaits_tls {
            assert_eq!(left, "", "{pair}");
            return Decision::OverTls(why);
        }
        // An IDLE may be taken up again where nothing else waits any more.
        assert!(!has_second(&left) || left.ends_with("IDLE\r\n"), "{pair}: {left:?}");
        assert!(wire.unsent.contains(&two), "{pair}: {left:?}");
        Decision::Never(why)
    }
}

/// A connection with its bytes.
struct Wire {
    connection: Connection,
    /// How many octets are to be fed, and to whom.
    wanted: Option<(CommandId, u64)>,
    challenged: bool,
    ended: BTreeSet<CommandId>,
    /// Those that failed without a byte.
    unsent: BTreeSet<CommandId>,
    errors: BTreeMap<CommandId, Error>,
}

impl Wire {
    fn new(greeting: &str) -> Self {
        let connection = Connection::new(Config::default());
        let (ended, unsent, errors) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        let mut wire = Wire { connection, wanted: None, challenged: false, ended, unsent, errors };
        wire.says(greeting);
        wire.leave();
        wire
    }

    fn submit(&mut self, request: &Request) -> Result<CommandId, Error> {
        self.connection.submit(request.clone(), Time::ZERO)
    }

    /// What would leave with the next write.
    fn waiting(&self) -> String {
        let bytes: Vec<u8> = self.connection.transmit().flatten().copied().collect();
        String::from_utf8(bytes).expect("it is text")
    }

    /// Lets all leave that may, and hears all events.
    fn leave(&mut self) -> String {
        let mut left = String::new();
        loop {
            let waiting = self.waiting();
            if !waiting.is_empty() {
                self.connection.transmitted(waiting.len(), Time::ZERO);
                left += &waiting;
            }
            let mut is_over = false;
            match self.connection.poll_event() {
                None => is_over = true,
                Some(Event::WantsBody { id, max }) => self.wanted = Some((id, max)),
                Some(Event::Challenge { .. }) => self.challenged = true,
                Some(Event::Done { id, .. }) => _ = self.ended.insert(id),
                Some(Event::Failed { id, error, fate }) => {
                    self.errors.insert(id, error);
                    if matches!(fate, Fate::NotSent) {
                        self.unsent.insert(id);
                    }
                }
                _ => {}
            }
            if is_over && self.waiting().is_empty() {
                return left;
            }
        }
    }

    fn says(&mut self, bytes: &str) {
        self.connection.receive_space()[..bytes.len()].copy_from_slice(bytes.as_bytes());
        self.connection.received(bytes.len(), Time::ZERO);
    }

    fn bring(&mut self, id: CommandId, until: Until) {
        if until == Until::Submitted {
            return;
        }
        self.leave();
        self.says("+ \r\n");
        self.leave();
        if until == Until::Done {
            let renewal = self.connection.poll_timeout().expect("it is renewed");
            self.connection.handle_timeout(renewal);
            assert_eq!(self.waiting(), "DONE\r\n", "{id:?}");
        }
    }

    /// Does what an unfinished command waits for.
    fn go_on(&mut self, id: CommandId) -> String {
        if let Some((wanting, octets)) = self.wanted.take() {
            let octets = Bytes::from(alloc::vec![b'x'; usize::try_from(octets).expect("it is short")]);
            self.connection.feed(wanting, octets).expect("they are wanted");
        } else if core::mem::take(&mut self.challenged) {
            self.connection.answer(id, &"secret".into(), Time::ZERO);
        } else {
            self.says("+ \r\n");
        }
        self.leave()
    }

    /// Why the next command waits.
    fn why(&self) -> Option<Why> {
        let in_flight = &self.connection.in_flight;
        match turn(in_flight.next_queued()?, in_flight, &self.connection.circumstances()) {
            Turn::Later(why) => Some(why),
            turn => panic!("it may leave: {turn:?}"),
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
    wire.connection.config.outstanding = 3 * "A1 NOOP\r\n".len();
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
        "Found",
        "InvalidRaw",
        "Message",
        "NewMessage",
        "RawAnswer",
        "Returns",
        "Store",
        "StoreAnswer",
        "Stored",
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
