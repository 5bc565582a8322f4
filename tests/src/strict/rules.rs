//! What a client may send when: the judge.

use super::command::{By, Command, Set};
use super::cursor::{Cursor, Fault, Parsed};
use super::framing::Frame;
use super::session::{Selected, State};
use super::{Literals, NoOctets, Refusal, StrictServer, parse};

/// The most octets of a non-synchronizing literal under LITERAL- (RFC 7888 §5).
const LITERAL_MINUS_LIMIT: u64 = 4096;

/// Who may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// The client.
    Client,
    /// The server: its greeting was not taken yet.
    Greeting,
    /// The server: its answer to a synchronizing literal was not taken yet.
    Literal,
    /// The server: the `+` of IDLE was not taken yet.
    Idle,
}

/// Whether a line end may come that belongs to no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineEnd {
    Unexpected,
    /// Once so much of the output is read, and as long as not all of it is.
    Allowed {
        read: usize,
    },
    /// Half of it came.
    Begun,
}

/// What is in progress as far as it forbids other commands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct InProgress {
    select: bool,
    login: bool,
    compress: bool,
    /// Any command but FETCH, STORE and SEARCH: it may bring EXPUNGE, which renumbers the messages (RFC 3501 §5.5).
    renumbering: bool,
}

/// A command line as far as it could be read.
struct Reading {
    tag: Option<String>,
    command: Parsed<Command>,
    sequence_numbers: bool,
}

impl StrictServer {
    pub(super) fn check_turn(&mut self, bytes: &[u8]) {
        let text = match self.turn {
            Turn::Client => return,
            Turn::Greeting => "bytes before the greeting",
            Turn::Literal => "bytes before the answer to the synchronizing literal",
            Turn::Idle => "bytes between IDLE and its continuation",
        };
        self.turn = Turn::Client;
        self.violate(text, bytes);
    }

    pub(super) fn check_framing(&mut self, frame: Option<&Frame>) {
        for fault in self.framer.take_faults() {
            let bytes = match frame {
                Some(Frame::Command(text)) => text.clone(),
                _ => self.framer.text().to_vec(),
            };
            self.violate(fault, &bytes);
        }
    }

    /// A line that ended in a literal's header.
    pub(super) fn literal(&mut self, octets: u64, synchronizing: bool) {
        let text = self.framer.text().to_vec();
        if self.idle.is_some() {
            self.framer.reset();
            return self.end_idle(&text);
        }
        if !synchronizing {
            self.check_non_synchronizing(octets, &text);
            return self.framer.accept(octets);
        }
        match self.refusal(&text) {
            Some(answer) if octets == 0 && self.options.no_octets == NoOctets::WelcomedAndRefused => {
                self.framer.reset();
                self.condemned = false;
                self.line("+ Ready for no octets.");
                self.line_end = LineEnd::Allowed { read: self.output.len() };
                self.line(&answer);
            }
            None => {
                self.framer.accept(octets);
                self.line("+ Ready for the literal.");
            }
            Some(answer) => {
                self.framer.reset();
                self.condemned = false;
                self.line(&answer);
            }
        }
        self.turn = Turn::Literal;
    }

    /// Takes the line end that `+` asked for where the client has read no more than that: it has crossed the NO.
    pub(super) fn took_line_end(&mut self, byte: u8) -> bool {
        match (self.line_end, byte) {
            (LineEnd::Allowed { read }, b'\r') if self.given >= read => self.line_end = LineEnd::Begun,
            (LineEnd::Begun, b'\n') => {
                self.line_end = LineEnd::Unexpected;
                self.turn = Turn::Client;
                self.line("* BAD Invalid tag.");
            }
            _ => return false,
        }
        true
    }

    fn check_non_synchronizing(&mut self, octets: u64, text: &[u8]) {
        match self.options.literals {
            Literals::Plus if self.shown.contains(&"LITERAL+") => {}
            Literals::Minus if self.shown.contains(&"LITERAL-") => {
                if octets > LITERAL_MINUS_LIMIT {
                    self.violate("a non-synchronizing literal over 4096 octets with LITERAL-", text);
                }
            }
            _ => self.violate("a non-synchronizing literal that is not advertised", text),
        }
    }

    /// The tagged answer that takes the place of `+`: what is wrong before the literal need not wait for it.
    fn refusal(&mut self, text: &[u8]) -> Option<String> {
        let reading = self.read(text, false);
        let tag = reading.tag.clone().unwrap_or_else(|| "*".into());
        match reading.command {
            Err(Fault::Literal { octets, message_for }) => {
                if octets == 0 && message_for.is_some() && !self.shown.contains(&"MULTIAPPEND") {
                    self.violate("a message of no octets, which MULTIAPPEND alone has", text);
                }
                let answer = match (self.options.refuse_literal, message_for) {
                    (Some(Refusal::No), _) => "NO [TOOBIG] Literal refused.",
                    (Some(Refusal::Bad), _) => "BAD Literal refused.",
                    // RFC 3502 §6.3.11: a zero-length message is refused.
                    (None, Some(_)) if octets == 0 && self.options.no_octets != NoOctets::Welcomed => {
                        "NO No message of no octets."
                    }
                    (None, Some(mailbox)) if self.authenticated() && !self.model.contains_key(&mailbox) => {
                        "NO [TRYCREATE] No such mailbox."
                    }
                    _ => return None,
                };
                self.options.refuse_literal = None;
                self.claim_tag(&tag, text);
                self.judge_overlap(text);
                Some(format!("{tag} {answer}"))
            }
            Err(fault) => {
                self.violate_grammar(&fault, text);
                Some(format!("{tag} BAD Cannot read this."))
            }
            Ok(_) => None,
        }
    }

    /// A whole line outside of literals.
    pub(super) fn command(&mut self, text: &[u8]) {
        if self.idle.is_some() {
            return self.end_idle(text);
        }
        let reading = self.read(text, true);
        if let Some(tag) = &reading.tag {
            self.claim_tag(tag, text);
        }
        match &reading.command {
            Ok(command) => self.judge(command, reading.sequence_numbers, text),
            Err(fault) => self.violate_grammar(fault, text),
        }
        let tag = reading.tag.unwrap_or_else(|| "*".into());
        match reading.command {
            Ok(command) if !self.condemned => {
                self.note(&command);
                self.run(tag, command);
            }
            _ => self.line(&format!("{tag} BAD Violation.")),
        }
        self.condemned = false;
    }

    fn read(&self, text: &[u8], complete: bool) -> Reading {
        let mut cursor = Cursor::new(text, complete, self.utf8);
        let tag = match cursor.tag() {
            Ok(tag) => tag,
            Err(fault) => {
                return Reading { tag: None, command: Err(fault), sequence_numbers: false };
            }
        };
        let command = cursor.space().and_then(|()| parse::command(&mut cursor));
        Reading { tag: Some(tag), command, sequence_numbers: cursor.sequence_numbers }
    }

    fn violate_grammar(&mut self, fault: &Fault, text: &[u8]) {
        match fault {
            Fault::Grammar { expected, at } => self.violate(format!("expected {expected} at byte {at}"), text),
            Fault::Literal { .. } => self.violate("a literal without its octets", text),
        }
    }

    fn claim_tag(&mut self, tag: &str, text: &[u8]) {
        if !self.tags.insert(tag.to_owned()) {
            self.violate("a tag used before", text);
        }
    }

    fn judge_overlap(&mut self, text: &[u8]) {
        if self.overlap.select {
            self.violate("a command while SELECT or EXAMINE was in progress", text);
        }
        if self.overlap.compress {
            self.violate("a command before COMPRESS was answered", text);
        }
    }

    fn judge(&mut self, command: &Command, sequence_numbers: bool, text: &[u8]) {
        self.judge_overlap(text);
        if sequence_numbers && self.overlap.renumbering {
            self.violate("message sequence numbers while a command was in progress that may renumber", text);
        }
        if let Some(why) = self.wrong_state(command) {
            self.violate(why, text);
        }
        if let Some(capability) = capability(command).filter(|capability| !self.shown.contains(capability)) {
            self.violate(format!("a command of {capability}, which the client has not seen advertised"), text);
        }
        if let (Some(set), State::Selected(Selected { view, .. })) = (sequence_set(command), &self.state)
            && set.highest() as usize > view.len()
        {
            self.violate("a message sequence number greater than the number of messages", text);
        }
    }

    fn wrong_state(&self, command: &Command) -> Option<&'static str> {
        use Command as C;
        let (authenticated, selected) = (self.authenticated(), matches!(self.state, State::Selected(_)));
        match command {
            C::Capability | C::Noop | C::Logout | C::Id => None,
            C::Login { .. } => {
                (authenticated || self.overlap.login).then_some("LOGIN while authenticated or logging in")
            }
            _ if !authenticated => Some("a command that needs authentication"),
            _ if self.overlap.login => Some("a command that needs authentication before LOGIN was answered"),
            C::Enable(_) => selected.then_some("ENABLE while a mailbox is selected"),
            C::Namespace | C::Select { .. } | C::List { .. } | C::Status { .. } | C::Create(_) | C::Delete(_) => None,
            C::Rename { .. } | C::Subscribe(_) | C::Unsubscribe(_) | C::Append { .. } | C::Idle | C::Compress => None,
            _ => (!selected).then_some("a command that needs a selected mailbox"),
        }
    }

    fn note(&mut self, command: &Command) {
        self.unanswered.select |= matches!(command, Command::Select { .. });
        self.unanswered.login |= matches!(command, Command::Login { .. });
        self.unanswered.compress |= *command == Command::Compress;
        self.unanswered.renumbering |= may_renumber(command);
    }

    /// What came in place of DONE or is DONE.
    fn end_idle(&mut self, text: &[u8]) {
        let tag = self.idle.take().unwrap_or_default();
        if !text.eq_ignore_ascii_case(b"DONE") {
            self.violate("something else than DONE in IDLE", text);
        }
        let answer = if self.condemned { "BAD Expected DONE." } else { "OK IDLE done." };
        self.condemned = false;
        self.unanswered.renumbering = true;
        self.line(&format!("{tag} {answer}"));
    }

    fn authenticated(&self) -> bool {
        !matches!(self.state, State::NotAuthenticated)
    }
}

/// Whether EXPUNGE may be sent in answer: RFC 3501 §7.4.1 forbids it with FETCH, STORE and SEARCH alone.
pub(super) fn may_renumber(command: &Command) -> bool {
    use Command as C;
    let by = match command {
        C::Fetch { by, .. } | C::Store { by, .. } | C::Search { by, .. } => *by,
        _ => By::Uid,
    };
    by == By::Uid
}

/// The capability that a command belongs to.
fn capability(command: &Command) -> Option<&'static str> {
    use Command as C;
    match command {
        C::Compress => Some("COMPRESS=DEFLATE"),
        C::Enable(_) => Some("ENABLE"),
        C::Id => Some("ID"),
        C::Idle => Some("IDLE"),
        C::Namespace => Some("NAMESPACE"),
        C::Unselect => Some("UNSELECT"),
        C::Expunge(Some(_)) => Some("UIDPLUS"),
        C::Move { .. } => Some("MOVE"),
        C::Search { options: Some(_), .. } => Some("ESEARCH"),
        C::Append { messages, .. } if messages.len() > 1 => Some("MULTIAPPEND"),
        _ => None,
    }
}

fn sequence_set(command: &Command) -> Option<&Set> {
    use Command as C;
    match command {
        C::Fetch { by: By::Sequence, set, .. }
        | C::Store { by: By::Sequence, set, .. }
        | C::Copy { by: By::Sequence, set, .. }
        | C::Move { by: By::Sequence, set, .. } => Some(set),
        _ => None,
    }
}
