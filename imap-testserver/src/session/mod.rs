//! One connection's side of the protocol, without IO.

mod answer;
mod append;
mod args;
mod authenticate;
mod compress;
mod copy;
mod dispatch;
mod fetch;
mod fetch_items;
mod list;
mod list_options;
mod mailboxes;
mod scram;
mod search;
mod search_keys;
mod select;
mod spacing;
mod status;
mod store;
mod view;

use std::collections::VecDeque;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use imap_proto_core::types::Capabilities;
use imap_proto_core::wire::{ClientLine, CommandFramer, CommandPiece, FrameError, Limits};

use crate::options::{Bindings, Channel, Greeting};
use crate::script::{Fault, Point, Script};
use crate::server::Shared;
use crate::store::Account;
use authenticate::Exchange;

use answer::{Answer, Bad};
use compress::{Compression, Corrupt};
use view::View;

/// The longest command, its literals included.
const LONGEST_COMMAND: usize = 64 << 20;
/// The longest literal: what tests upload as one message.
const LONGEST_LITERAL: u64 = 32 << 20;
/// The longest command without its literals: what Dovecot takes.
const LONGEST_LINE: usize = 64 << 10;
/// What may be kept of a command of somebody who is not known: a name and a password, both in literals.
const MOST_OF_A_STRANGER: usize = 16 << 10;

/// One connection to a [`TestServer`](crate::TestServer): bytes in, bytes out, no IO and no clock.
///
/// Bytes of the client go into [`receive`](Self::receive); what is to be done then comes from
/// [`next_output`](Self::next_output), until there is no more. Between the two, [`watch`](Self::watch) says who is to be woken
/// when another session has changed something, and [`look`](Self::look) tells the client, if it is in IDLE.
///
/// Of commands that came together each is obeyed once the answers before it were taken, so that a client that only sends makes
/// nothing grow.
///
/// ```
/// use imap_testserver::{Channel, Output, TestServer};
///
/// let server = TestServer::builder().user("alice", "secret").start();
/// let mut session = server.session(Channel::Clear);
/// assert!(matches!(session.next_output(), Some(Output::Bytes(greeting)) if greeting.starts_with(b"* OK ")));
/// session.receive(b"A1 LOGIN alice secret\r\n");
/// assert!(matches!(session.next_output(), Some(Output::Bytes(answer)) if answer.starts_with(b"A1 OK ")));
/// ```
#[derive(Debug)]
pub struct Session {
    shared: Arc<Shared>,
    /// Which session of the server this is.
    number: u64,
    channel: Channel,
    bindings: Bindings,
    exchange: Exchange,
    /// Once the client asked for it.
    compression: Option<Compression>,
    framer: CommandFramer,
    /// Octets in literals of the command under way.
    in_literals: u64,
    account: Option<Arc<Account>>,
    view: Option<View>,
    waiting: Waiting,
    /// Set by a literal that must not be sent unasked; the command is not obeyed.
    bad_literal: bool,
    /// The client knows mod-sequences. RFC 7162 §3.1
    cond_store: bool,
    is_over: bool,
    /// The answer under way.
    out: Vec<u8>,
    outputs: VecDeque<Output>,
}

/// What the session wants done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// These bytes are to be sent, and flushed.
    Bytes(Vec<u8>),
    /// So much time is to pass first.
    Pause(Duration),
    /// TLS is to be taken up now, then [`Session::tls_begun`] to be called.
    StartTls,
    /// The connection is to be closed. Nothing comes after it.
    Close,
}

/// What the next line of the client is.
#[derive(Debug)]
enum Waiting {
    Command,
    /// The response to a challenge of AUTHENTICATE.
    Response {
        tag: String,
    },
    /// `DONE`
    Done {
        tag: String,
    },
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>, channel: Channel) -> Self {
        let mut session = Session {
            number: shared.next_session(),
            shared,
            channel,
            bindings: Bindings::default(),
            exchange: Exchange::Plain,
            compression: None,
            framer: CommandFramer::new(longest(MOST_OF_A_STRANGER)),
            in_literals: 0,
            account: None,
            view: None,
            waiting: Waiting::Command,
            bad_literal: false,
            cond_store: false,
            is_over: false,
            out: Vec::new(),
            outputs: VecDeque::new(),
        };
        session.greet();
        session
    }

    /// Takes bytes from the client. After [`Output::Close`] they are thrown away.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.is_over {
            return;
        }
        match &mut self.compression {
            Some(compression) => compression.receive(bytes),
            None => self.framer.receive(bytes),
        }
        self.go_ahead();
    }

    /// What is to be done next; `None` when the client is to be heard.
    pub fn next_output(&mut self) -> Option<Output> {
        self.go_ahead();
        self.outputs.pop_front()
    }

    /// True when [`next_output`](Self::next_output) has something.
    pub fn has_output(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// Takes note that the connection is encrypted from here on.
    pub fn tls_begun(&mut self) {
        self.channel = Channel::Tls;
    }

    /// Takes note of what the TLS below can be bound to.
    pub fn bind(&mut self, bindings: Bindings) {
        self.bindings = bindings;
    }

    /// Has the waker called once, when another session of the same user changes something.
    pub fn watch(&self, waker: &Waker) {
        if let Some(account) = &self.account {
            account.watch(self.number, waker);
        }
    }

    /// Tells a client in IDLE what other sessions have changed; any other learns it with its next command.
    pub fn look(&mut self) {
        if matches!(self.waiting, Waiting::Done { .. }) && !self.is_over {
            self.tell_changes(view::Expunges::Told);
            self.end_answer();
        }
    }

    /// True when nothing more is going to happen.
    pub fn is_over(&self) -> bool {
        self.is_over && self.outputs.is_empty()
    }

    fn greet(&mut self) {
        if self.script().closes_at(&Point::Greeting) {
            return self.close();
        }
        match self.shared.options.greeting.clone() {
            Greeting::Ok => {
                let capabilities = self.capabilities();
                self.untagged(&format!("OK [CAPABILITY {capabilities}] Ready"));
            }
            Greeting::PreAuth(user) => {
                self.admit(self.shared.account(&user));
                let capabilities = self.capabilities();
                self.untagged(&format!("PREAUTH [CAPABILITY {capabilities}] Logged in as {user}"));
            }
            Greeting::Bye(text) => self.bye(&text),
        }
        self.end_answer();
    }

    /// From here on the client is known, and may send what it likes.
    fn admit(&mut self, account: Arc<Account>) {
        self.account = Some(account);
        self.framer.set_limits(longest(LONGEST_COMMAND));
    }

    /// Obeys what has come, up to the next answer.
    fn go_ahead(&mut self) {
        while self.outputs.is_empty() && !self.is_over {
            let piece = match self.waiting {
                Waiting::Command => self.framer.next_piece(),
                Waiting::Response { .. } | Waiting::Done { .. } => self
                    .framer
                    .next_line()
                    .map(|line| line.map(|ClientLine { frame, crlf }| CommandPiece::Command { frame, crlf })),
            };
            match piece {
                Ok(None) => match self.compression.as_mut().map(Compression::inflate) {
                    Some(Ok(bytes)) if !bytes.is_empty() => self.framer.receive(&bytes),
                    Some(Err(Corrupt)) => self.bye("Compressed data is corrupt"),
                    _ => break,
                },
                Ok(Some(CommandPiece::Literal { prefix, len, synchronizing })) => {
                    // What comes unasked is not looked at before all of it is there.
                    let prefix = if synchronizing { self.framer.bytes(prefix).to_vec() } else { Vec::new() };
                    self.literal(&prefix, len, synchronizing);
                }
                Ok(Some(CommandPiece::Command { frame, crlf })) => {
                    let frame = self.framer.bytes(frame).to_vec();
                    self.line(&frame, crlf);
                }
                Err(FrameError::TooLong { .. }) if self.account.is_none() => self.bye("[TOOBIG] Log in first"),
                Err(FrameError::TooLong { .. }) => self.bye("[TOOBIG] Command too long"),
                Err(_) => self.bye("Literal too long"),
            }
            self.end_answer();
        }
    }

    fn literal(&mut self, prefix: &[u8], len: u64, synchronizing: bool) {
        if !synchronizing {
            if len > LONGEST_LITERAL {
                return self.bye("[TOOBIG] Literal too long");
            }
            self.bad_literal |= !self.takes_unasked(len);
            self.in_literals = self.in_literals.saturating_add(len);
            return;
        }
        match self.refusal(prefix, len) {
            Some(line) => {
                self.framer.refuse_literal();
                (self.in_literals, self.bad_literal) = (0, false);
                self.out.extend_from_slice(line.as_bytes());
                self.end_answer();
            }
            None => {
                self.in_literals = self.in_literals.saturating_add(len);
                self.go_on("Ready for literal data");
            }
        }
    }

    fn line(&mut self, frame: &[u8], crlf: bool) {
        let bad_literal = std::mem::take(&mut self.bad_literal);
        let in_literals = std::mem::take(&mut self.in_literals);
        let is_long = frame.len() as u64 > in_literals.saturating_add(LONGEST_LINE as u64);
        match std::mem::replace(&mut self.waiting, Waiting::Command) {
            Waiting::Command => match (crlf, bad_literal) {
                (true, false) if is_long => self.refuse_whole(frame, "[TOOBIG] Line too long"),
                (true, false) => self.command(frame),
                (true, true) => self.refuse_whole(frame, "Literal not waited for"),
                (false, _) => self.refuse_whole(frame, "Line does not end in CRLF"),
            },
            Waiting::Response { tag } => {
                let outcome = self.authenticate_response(&tag, frame);
                self.finish(&tag, "AUTHENTICATE", outcome);
            }
            Waiting::Done { tag } => {
                let outcome = if frame.eq_ignore_ascii_case(b"DONE") {
                    self.tell_changes(view::Expunges::Told);
                    answer::ok("Idle is over")
                } else {
                    answer::bad("DONE expected")
                };
                self.finish(&tag, "IDLE", outcome);
            }
        }
    }

    /// Ends a command: what changed is told by the command itself, the tagged line comes last.
    fn finish(&mut self, tag: &str, name: &str, outcome: Result<Answer, Bad>) {
        if outcome == Ok(Answer::Later) {
            return self.end_answer();
        }
        if self.script().closes_at(&Point::After(name.to_owned())) {
            return self.close();
        }
        let line = match outcome {
            Ok(Answer::Later) => String::new(),
            Ok(Answer::Ok(ref text)) => format!("{tag} OK {text}\r\n"),
            Ok(Answer::Last(text) | Answer::StartTls(text) | Answer::Compress(text)) => format!("{tag} OK {text}\r\n"),
            Ok(Answer::No(ref text)) => format!("{tag} NO {text}\r\n"),
            Err(Bad(ref text)) => format!("{tag} BAD {text}\r\n"),
        };
        self.out.extend_from_slice(line.as_bytes());
        self.end_answer();
        match outcome {
            Ok(Answer::Last(_)) => self.close(),
            Ok(Answer::StartTls(_)) => {
                // What came behind it in the clear is nobody's. RFC 9051 §6.2.1
                self.framer.discard();
                self.outputs.push_back(Output::StartTls);
            }
            Ok(Answer::Compress(_)) => {
                // A client that compresses waits for the answer. RFC 4978 §3
                self.framer.discard();
                self.compression = Some(Compression::new());
            }
            _ => {}
        }
    }

    /// Does what the script has for a command of this name; true when that is all the client gets.
    fn misbehave(&mut self, tag: &str, name: &str) -> bool {
        let fault = self.script().take_for(name);
        match fault {
            Some(Fault::Refuse { with, text, .. }) => {
                self.out.extend_from_slice(with.line(tag, &text).as_bytes());
                self.end_answer();
            }
            Some(Fault::Bye { text, .. }) => self.bye(&text),
            Some(_) => self.close(),
            None => return false,
        }
        true
    }

    fn untagged(&mut self, text: &str) {
        self.out.extend_from_slice(b"* ");
        self.out.extend_from_slice(text.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    /// Asks the client to go on.
    fn go_on(&mut self, text: &str) {
        if self.script().closes_at(&Point::Continuation) {
            return self.close();
        }
        self.out.extend_from_slice(format!("+ {text}\r\n").as_bytes());
        self.end_answer();
    }

    fn bye(&mut self, text: &str) {
        self.untagged(&format!("BYE {text}"));
        self.end_answer();
        self.close();
    }

    fn close(&mut self) {
        self.out.clear();
        self.is_over = true;
        self.outputs.push_back(Output::Close);
    }

    /// Hands out what was gathered, in the way the script has it.
    fn end_answer(&mut self) {
        if self.is_over {
            // Nothing comes behind the end.
            self.out.clear();
        }
        if self.out.is_empty() {
            return;
        }
        let (insert, delay, split) = {
            let mut script = self.script();
            (script.take_insert(), script.delay(), script.split())
        };
        let mut bytes = Vec::new();
        if let Some(line) = insert {
            bytes.extend_from_slice(&line);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.append(&mut self.out);
        if let Some(compression) = &mut self.compression {
            bytes = compression.deflate(&bytes);
        }
        self.outputs.extend(delay.map(Output::Pause));
        match split {
            Some(length) => self.outputs.extend(bytes.chunks(length).map(|piece| Output::Bytes(piece.to_vec()))),
            None => self.outputs.push_back(Output::Bytes(bytes)),
        }
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.shared.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is announced at this moment.
    fn capabilities(&self) -> Capabilities {
        self.shared.options.announced(self.channel, self.account.is_some())
    }
}

fn longest(command: usize) -> Limits {
    let mut limits = Limits::default();
    limits.response = command;
    limits
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(account) = &self.account {
            account.forget(self.number);
        }
    }
}
