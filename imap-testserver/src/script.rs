use std::collections::VecDeque;
use std::time::Duration;

/// Says how a server is to misbehave; empty unless faults are added.
///
/// [`Delay`](Fault::Delay) and [`Split`](Fault::Split) hold as long as the script does. Every other fault happens once, to the
/// first session that comes to it, and faults that meet the same place happen in the order they were added.
///
/// ```
/// use std::time::Duration;
/// use imap_testserver::{Fault, Script, TestServer};
///
/// let script = Script::new().with(Fault::Delay(Duration::from_millis(20))).with(Fault::no("SELECT", "not today"));
/// let server = TestServer::builder().script(script).start();
/// assert_eq!(server.faults_left(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    faults: VecDeque<Fault>,
}

/// Says one thing that goes wrong.
///
/// Commands are named as on the wire, in any case, those by UID with their prefix: `UID FETCH`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Each answer takes so much longer, one after the other: it is a slow server, and not a long way to it, so that ten
    /// commands sent at once take ten times as long. An hour makes it silent. Whoever drives the session keeps the time, by the
    /// runtime's timer.
    Delay(Duration),
    /// What is sent leaves in pieces of so many bytes, each flushed on its own. Zero is as one.
    Split(usize),
    /// The next command of this name is answered NO or BAD and does nothing; when it begins with a synchronizing
    /// literal, it is answered in place of the `+`.
    Refuse {
        /// The command.
        command: String,
        /// What it is answered.
        with: Refusal,
        /// The text of the answer, response code and all.
        text: String,
    },
    /// The next command of this name is answered with BYE and the end of the connection.
    Bye {
        /// The command.
        command: String,
        /// The text of the answer, response code and all.
        text: String,
    },
    /// The connection ends without a word.
    Close(Point),
    /// A line is sent before the next answer, as it is; its line end is added.
    Insert(Vec<u8>),
}

/// Says which of the two ways to refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `NO`: not possible.
    No,
    /// `BAD`: not understood.
    Bad,
}

/// Says where a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Point {
    /// In place of the greeting.
    Greeting,
    /// When a command of this name has come, before it does anything.
    Before(String),
    /// When a command of this name has done its work, in place of its answer.
    After(String),
    /// Where the `+` for a literal, a SASL response or IDLE would be sent.
    Continuation,
}

impl Script {
    /// Returns the script of a server that behaves.
    pub fn new() -> Self {
        Script::default()
    }

    /// Adds a fault.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Self {
        self.faults.push_back(fault);
        self
    }

    /// The faults that have not happened yet, and those that hold on.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter()
    }

    pub(crate) fn delay(&self) -> Option<Duration> {
        self.faults.iter().find_map(|fault| match fault {
            Fault::Delay(delay) => Some(*delay),
            _ => None,
        })
    }

    pub(crate) fn split(&self) -> Option<usize> {
        self.faults.iter().find_map(|fault| match fault {
            Fault::Split(length) => Some((*length).max(1)),
            _ => None,
        })
    }

    /// Takes the first fault that is met at the coming of this command.
    pub(crate) fn take_for(&mut self, name: &str) -> Option<Fault> {
        self.take(|fault| fault.is_for(name))
    }

    /// Takes it if it refuses the command, which is possible before all of the command is there.
    pub(crate) fn take_refusal(&mut self, name: &str) -> Option<(Refusal, String)> {
        let first = self.faults.iter().find(|fault| fault.is_for(name))?;
        if !matches!(first, Fault::Refuse { .. }) {
            return None;
        }
        match self.take_for(name)? {
            Fault::Refuse { with, text, .. } => Some((with, text)),
            _ => None,
        }
    }

    /// True when the connection is to end here, which it does once.
    pub(crate) fn closes_at(&mut self, here: &Point) -> bool {
        let is_here = |point: &Point| match (point, here) {
            (Point::After(one), Point::After(other)) => one.eq_ignore_ascii_case(other),
            _ => point == here,
        };
        self.take(|fault| matches!(fault, Fault::Close(point) if is_here(point))).is_some()
    }

    pub(crate) fn take_insert(&mut self) -> Option<Vec<u8>> {
        match self.take(|fault| matches!(fault, Fault::Insert(_))) {
            Some(Fault::Insert(line)) => Some(line),
            _ => None,
        }
    }

    fn take(&mut self, is: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let at = self.faults.iter().position(is)?;
        self.faults.remove(at)
    }
}

impl Fault {
    fn is_for(&self, name: &str) -> bool {
        match self {
            Fault::Refuse { command, .. } | Fault::Bye { command, .. } | Fault::Close(Point::Before(command)) => {
                command.eq_ignore_ascii_case(name)
            }
            _ => false,
        }
    }

    /// Returns the fault that answers the next command of this name NO.
    pub fn no(command: impl Into<String>, text: impl Into<String>) -> Self {
        Fault::Refuse { command: command.into(), with: Refusal::No, text: text.into() }
    }

    /// Returns the fault that answers the next command of this name BAD.
    pub fn bad(command: impl Into<String>, text: impl Into<String>) -> Self {
        Fault::Refuse { command: command.into(), with: Refusal::Bad, text: text.into() }
    }

    /// Returns the fault that answers the next command of this name with BYE.
    pub fn bye(command: impl Into<String>, text: impl Into<String>) -> Self {
        Fault::Bye { command: command.into(), text: text.into() }
    }
}

impl Refusal {
    /// The line that refuses a command.
    pub(crate) fn line(self, tag: &str, text: &str) -> String {
        match self {
            Refusal::No => format!("{tag} NO {text}\r\n"),
            Refusal::Bad => format!("{tag} BAD {text}\r\n"),
        }
    }
}
