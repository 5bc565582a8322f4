//! A strict model of an IMAP server without IO, which judges every byte a client sends.

mod command;
mod cursor;
mod framing;
mod mailboxes;
mod messages;
mod model;
mod options;
mod parse;
mod parse_fetch;
mod parse_search;
mod render;
mod rules;
mod search;
mod session;
#[cfg(test)]
mod tests;
mod violation;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::mem::take;

pub use model::{Mailbox, Message, Model, SOME_DATE};
pub use options::{Greeting, Literals, NoOctets, Options, Refusal};
pub use violation::Violation;

use framing::{Frame, Framer};
use rules::{InProgress, LineEnd, Turn};
use session::State;

/// A strict IMAP4rev1 server that is a pure state machine.
///
/// Bytes of the client go in with [`receive`](Self::receive), in any chunking; bytes for it come out of
/// [`take_output`](Self::take_output), the greeting first. What the client must not have sent is noted in
/// [`violations`](Self::violations), answered BAD and not carried out.
///
/// What was taken counts as read by the client, and what was not taken (or is [held](Self::hold)) as not yet sent. So
/// octets of a synchronizing literal are judged by whether its `+` was *taken* before, DONE by the `+` of IDLE, a new
/// command by the answer to SELECT, and an extension by the capability list. A driver takes the output where the client
/// would read it, and nowhere else.
///
/// ```
/// use imap_tests::strict::{Options, StrictServer};
///
/// let mut server = StrictServer::new(Options::default());
/// assert!(server.take_output().starts_with(b"* OK [CAPABILITY IMAP4rev1 "));
/// server.receive(b"a LOGIN alice {6}\r\n");
/// assert!(server.take_output().starts_with(b"+ "));
/// server.receive(b"secret\r\n");
/// assert!(server.take_output().starts_with(b"a OK "));
/// assert!(server.violations().is_empty());
/// server.receive(b"b FETCH 1 FLAGS\r\n");
/// assert_eq!(server.violations().len(), 1);
/// ```
#[derive(Debug)]
pub struct StrictServer {
    options: Options,
    framer: Framer,
    state: State,
    model: Model,
    mailboxes_created: u32,
    subscribed: BTreeSet<String>,
    output: Vec<u8>,
    /// How much of the output was taken by [`take_some`](Self::take_some).
    given: usize,
    held: bool,
    /// Bytes of it that are let through all the same.
    released: usize,
    closing: Closing,
    violations: Vec<Violation>,
    tags: HashSet<String>,
    turn: Turn,
    line_end: LineEnd,
    /// The commands whose tagged answer was not taken yet.
    unanswered: InProgress,
    /// Those among them when the command now arriving began.
    overlap: InProgress,
    /// The capabilities the client has read.
    shown: Vec<&'static str>,
    to_show: Option<Vec<&'static str>>,
    /// Whether UTF8=ACCEPT is enabled and the client has read so.
    utf8: bool,
    utf8_next: bool,
    compressed: bool,
    /// How many commands were begun.
    begun: usize,
    /// The tag of the IDLE that runs.
    idle: Option<String>,
    /// Whether the command now arriving broke a rule already.
    condemned: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    Open,
    ByLogout,
    ByServer,
}

impl StrictServer {
    /// Creates a server with an empty INBOX and its greeting queued.
    pub fn new(options: Options) -> Self {
        let mut server = Self {
            framer: Framer::default(),
            state: State::NotAuthenticated,
            model: BTreeMap::new(),
            mailboxes_created: 0,
            subscribed: BTreeSet::new(),
            output: Vec::new(),
            given: 0,
            held: false,
            released: 0,
            closing: Closing::Open,
            violations: Vec::new(),
            tags: HashSet::new(),
            turn: Turn::Greeting,
            line_end: LineEnd::Unexpected,
            unanswered: InProgress::default(),
            overlap: InProgress::default(),
            shown: Vec::new(),
            to_show: None,
            utf8: false,
            utf8_next: false,
            compressed: false,
            begun: 0,
            idle: None,
            condemned: false,
            options,
        };
        server.create("INBOX");
        server.greet();
        server
    }

    fn greet(&mut self) {
        let code = match self.options.greeting {
            Greeting::Bye => return self.bye("Not now."),
            Greeting::Preauth => {
                self.state = State::Authenticated;
                "PREAUTH"
            }
            Greeting::Ok => "OK",
        };
        let capabilities = if self.options.capability_in_greeting { self.capability_code() } else { String::new() };
        self.line(&format!("* {code} {capabilities}Strict server ready."));
    }

    /// Takes bytes of the client.
    ///
    /// Bytes after LOGOUT are a violation; bytes after a BYE of the server's own are dropped, for they may have crossed it.
    pub fn receive(&mut self, bytes: &[u8]) {
        for (index, &byte) in bytes.iter().enumerate() {
            let rest = bytes.get(index..).unwrap_or_default();
            match self.closing {
                Closing::Open => {}
                Closing::ByLogout => return self.violate("bytes after LOGOUT", rest),
                Closing::ByServer => return,
            }
            if self.took_line_end(byte) {
                continue;
            }
            self.check_turn(rest);
            if self.framer.is_between_commands() {
                self.begun += usize::from(self.idle.is_none());
                self.overlap = self.unanswered;
            }
            let frame = self.framer.push(byte);
            self.check_framing(frame.as_ref());
            match frame {
                Some(Frame::Command(text)) => self.command(&text),
                Some(Frame::Header { octets, synchronizing }) => self.literal(octets, synchronizing),
                None => {}
            }
        }
    }

    /// Takes the bytes for the client, who is taken to have read them at once; none while they are [held](Self::hold).
    pub fn take_output(&mut self) -> Vec<u8> {
        if self.held { Vec::new() } else { self.take_all() }
    }

    fn take_all(&mut self) -> Vec<u8> {
        self.turn = Turn::Client;
        if self.line_end != LineEnd::Begun {
            self.line_end = LineEnd::Unexpected;
        }
        self.unanswered = InProgress::default();
        self.utf8 = self.utf8_next;
        if let Some(shown) = self.to_show.take() {
            self.shown = shown;
        }
        let given = take(&mut self.given);
        take(&mut self.output).split_off(given)
    }

    /// Returns the bytes that wait for the client, which stay where they are.
    pub fn peek(&self) -> &[u8] {
        self.output.get(self.given..self.given + self.waiting()).unwrap_or_default()
    }

    /// Takes at most `most` bytes for the client. What they mean counts as read with the last byte of all there is.
    pub fn take_some(&mut self, most: usize) -> Vec<u8> {
        let left = self.output.get(self.given..).unwrap_or_default();
        let most = if self.held { most.min(self.released) } else { most };
        let some = match left.get(..most) {
            Some(some) if most < left.len() => {
                let some = some.to_vec();
                self.given += most;
                some
            }
            _ => self.take_all(),
        };
        self.released = self.released.saturating_sub(some.len());
        some
    }

    /// Returns how many bytes wait for the client.
    pub fn waiting(&self) -> usize {
        let left = self.output.len() - self.given;
        if self.held { left.min(self.released) } else { left }
    }

    /// Holds back everything not yet taken until [`release`](Self::release), as a slow server would.
    pub fn hold(&mut self) {
        self.held = true;
    }

    /// Lets one line through that is [held](Self::hold) back.
    pub fn release_line(&mut self) {
        let held = self.output.get(self.given + self.released..).unwrap_or_default();
        self.released += held.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    }

    /// Ends [`hold`](Self::hold).
    pub fn release(&mut self) {
        self.held = false;
        self.released = 0;
    }

    /// Returns whether the server closes the connection once its output is taken.
    pub fn closed(&self) -> bool {
        self.closing != Closing::Open
    }

    /// Returns everything the client must not have sent, in the order it came.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Returns the bytes of a command that is not finished, or nothing: what is owed when the connection ends.
    pub fn unfinished(&self) -> &[u8] {
        self.framer.text()
    }

    /// Returns how many octets of the current literal are still to come.
    pub fn octets_owed(&self) -> u64 {
        self.framer.octets_left()
    }

    /// Returns how many commands were begun, be it by one byte.
    pub fn begun(&self) -> usize {
        self.begun
    }

    /// Returns the mailbox that is selected, and whether it is to be read only.
    pub fn selected_mailbox(&self) -> Option<(&str, bool)> {
        match &self.state {
            State::Selected(selected) => Some((&selected.name, selected.read_only)),
            _ => None,
        }
    }

    /// Returns whether COMPRESS was agreed to: what follows the answer to it is DEFLATE, in both directions, which is the
    /// driver's to see to.
    pub fn compressed(&self) -> bool {
        self.compressed
    }

    /// Returns whether IDLE runs.
    pub fn idling(&self) -> bool {
        self.idle.is_some()
    }

    /// Refuses the next synchronizing literal with this instead of `+`.
    pub fn refuse_literal(&mut self, refusal: Refusal) {
        self.options.refuse_literal = Some(refusal);
    }

    /// Takes back [`refuse_literal`](Self::refuse_literal), where no literal came to be refused.
    pub fn accept_literals(&mut self) {
        self.options.refuse_literal = None;
    }

    /// Says BYE and closes, as on a shutdown.
    pub fn bye(&mut self, text: &str) {
        self.line(&format!("* BYE {text}"));
        self.closing = Closing::ByServer;
    }

    /// Returns the mailboxes as the server holds them.
    pub fn mailboxes(&self) -> &Model {
        &self.model
    }

    /// Returns the names that the user subscribed to.
    pub fn subscribed(&self) -> &BTreeSet<String> {
        &self.subscribed
    }

    /// Subscribes to a name.
    pub fn subscribe(&mut self, name: &str) {
        self.subscribed.insert(name.to_owned());
    }

    /// Creates a mailbox unless it is there.
    pub fn create(&mut self, name: &str) {
        if !self.model.contains_key(name) {
            self.mailboxes_created += 1;
            self.model.insert(name.to_owned(), Mailbox::new(1000 + self.mailboxes_created));
        }
    }

    /// Delivers a message and returns its UID, as another session would; the mailbox is created when missing.
    ///
    /// It is announced at once in IDLE, else with the next command.
    pub fn deliver(&mut self, mailbox: &str, body: &[u8]) -> u32 {
        self.create(mailbox);
        let uid = self
            .model
            .get_mut(mailbox)
            .map_or(0, |mailbox| mailbox.add(BTreeSet::new(), model::SOME_DATE.into(), body.to_vec()));
        self.announce_in_idle();
        uid
    }

    /// Expunges a message as another session would, and returns whether it was there.
    ///
    /// It is announced at once in IDLE, else with the next command that allows it (not FETCH, STORE or SEARCH).
    pub fn expunge(&mut self, mailbox: &str, uid: u32) -> bool {
        let found = self.model.get_mut(mailbox).is_some_and(|mailbox| mailbox.remove(uid));
        self.announce_in_idle();
        found
    }

    /// Sets the flags of a message as another session would, and returns whether it was there.
    pub fn set_flags(&mut self, mailbox: &str, uid: u32, flags: &[&str]) -> bool {
        let Some(message) = self.model.get_mut(mailbox).and_then(|mailbox| mailbox.message_mut(uid)) else {
            return false;
        };
        message.flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        if let State::Selected(selected) = &mut self.state {
            selected.flags_changed(mailbox, uid);
        }
        self.announce_in_idle();
        true
    }

    fn announce_in_idle(&mut self) {
        if self.idle.is_some() {
            self.announce(true);
        }
    }

    fn line(&mut self, line: &str) {
        self.output.extend_from_slice(line.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }

    fn violate(&mut self, text: impl Into<String>, bytes: &[u8]) {
        self.condemned = true;
        self.violations.push(Violation { text: text.into(), bytes: bytes.to_vec() });
    }
}
