use imap_proto_core::types::{Capability, MailboxName};
use imap_proto_core::wire::{Limits, Tokenized, Values};

use super::answer::{Answer, Outcome, bad, no, ok};
use super::append::EMPTY;
use super::args::{Args, is_atom_char};
use super::spacing::is_strict;
use super::view::Expunges;
use super::{LONGEST_COMMAND, LONGEST_LINE, LONGEST_LITERAL, Session, Waiting};
use crate::options::Channel;
use crate::script::Refusal;
use crate::store::{Account, DELIMITER};

/// The longest literal that may go unasked where only `LITERAL-` is offered. RFC 7888 §5
const LITERAL_MINUS: u64 = 4096;
/// What a client may send before it is known: names and passwords.
const LONGEST_UNAUTHENTICATED: u64 = 4096;
/// Parentheses nest no deeper in any command that makes sense.
const DEPTH: u16 = 64;

/// In which states a command makes sense. RFC 9051 §3
#[derive(Clone, Copy, PartialEq)]
enum State {
    Any,
    Unauthenticated,
    Authenticated,
    Selected,
}

fn state(name: &str) -> Option<State> {
    Some(match name {
        "CAPABILITY" | "NOOP" | "LOGOUT" | "ID" => State::Any,
        "STARTTLS" | "LOGIN" | "AUTHENTICATE" => State::Unauthenticated,
        "ENABLE" | "SELECT" | "EXAMINE" | "CREATE" | "DELETE" | "RENAME" | "SUBSCRIBE" | "UNSUBSCRIBE" | "LIST"
        | "LSUB" | "NAMESPACE" | "STATUS" | "APPEND" | "IDLE" | "COMPRESS" => State::Authenticated,
        "CHECK" | "CLOSE" | "UNSELECT" | "EXPUNGE" | "SEARCH" | "FETCH" | "STORE" | "COPY" | "MOVE" | "UID FETCH"
        | "UID STORE" | "UID SEARCH" | "UID COPY" | "UID MOVE" | "UID EXPUNGE" => State::Selected,
        _ => return None,
    })
}

/// What has to be announced for a command to be known.
fn capability(name: &str) -> Option<Capability> {
    Some(match name {
        "STARTTLS" => Capability::StartTls,
        "COMPRESS" => Capability::CompressDeflate,
        "ID" => Capability::Id,
        "ENABLE" => Capability::Enable,
        "NAMESPACE" => Capability::Namespace,
        "IDLE" => Capability::Idle,
        "UNSELECT" => Capability::Unselect,
        "MOVE" | "UID MOVE" => Capability::Move,
        "UID EXPUNGE" => Capability::UidPlus,
        _ => return None,
    })
}

/// Whether a command names messages by UID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    SeqNum,
    Uid,
}

/// The command as it begins: its tag, its name with `UID` before it, and the rest.
fn head<'a>(values: Values<'a>) -> Option<(String, String, Args<'a>)> {
    let mut args = Args(values);
    let tag = args.next().ok()?.atom().filter(|tag| is_tag(tag))?;
    let mut name = args.word().unwrap_or_default();
    if name == "UID" {
        name = format!("UID {}", args.word().unwrap_or_default());
    }
    Some((String::from_utf8_lossy(tag).into_owned(), name, args))
}

/// ```abnf
/// tag = 1*<any ASTRING-CHAR except "+">
/// ```
fn is_tag(tag: &[u8]) -> bool {
    tag.iter().all(|byte| (is_atom_char(*byte) || *byte == b']') && *byte != b'+')
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    (limits.response, limits.depth) = (LONGEST_COMMAND, DEPTH);
    limits
}

impl Session {
    /// One whole command.
    pub(super) fn command(&mut self, frame: &[u8]) {
        let line = Tokenized::new(frame.to_vec(), &limits());
        let Some((tag, name, args)) = head(line.values()) else {
            return self.refuse_whole(b"", "Tag expected");
        };
        if self.misbehave(&tag, &name) {
            return;
        }
        let strict = line.damage().is_none() && is_strict(&line);
        let outcome = if strict { self.run(&tag, &name, args) } else { bad("Malformed command") };
        if let Some(account) = &self.account {
            account.tell_of_changes();
        }
        if self.is_over {
            return;
        }
        // Sequence numbers must not move under a command that uses them. RFC 9051 §7.5.1
        let expunges = match &name[..] {
            "FETCH" | "STORE" | "SEARCH" => Expunges::Held,
            _ => Expunges::Told,
        };
        if matches!(outcome, Ok(Answer::Ok(_) | Answer::No(_))) {
            self.tell_changes(expunges);
        }
        if !self.is_over {
            self.finish(&tag, &name, outcome);
        }
    }

    fn run(&mut self, tag: &str, name: &str, mut args: Args<'_>) -> Outcome {
        let known = state(name).filter(|_| capability(name).is_none_or(|needed| self.shared.options.has(&needed)));
        match known {
            None => return bad("Unknown command"),
            Some(State::Unauthenticated) if self.account.is_some() => return bad("Already logged in"),
            Some(State::Authenticated | State::Selected) if self.account.is_none() => return bad("Log in first"),
            Some(State::Selected) if self.view.is_none() => return bad("No mailbox is selected"),
            Some(_) => {}
        }
        match name {
            "CAPABILITY" => {
                args.end()?;
                let capabilities = self.capabilities();
                self.untagged(&format!("CAPABILITY {capabilities}"));
                ok("That is all")
            }
            "NOOP" | "CHECK" => args.end().and_then(|()| ok("Done")),
            "LOGOUT" => {
                args.end()?;
                self.untagged("BYE See you");
                Ok(Answer::Last("Logged out"))
            }
            "ID" => self.id(args),
            "STARTTLS" => self.start_tls(args),
            "COMPRESS" => self.compress(args),
            "LOGIN" => self.login(args),
            "AUTHENTICATE" => self.authenticate(tag, args),
            "ENABLE" => self.enable(args),
            "NAMESPACE" => {
                args.end()?;
                self.untagged(&format!("NAMESPACE ((\"\" \"{DELIMITER}\")) NIL NIL"));
                ok("That is all")
            }
            "SELECT" | "EXAMINE" => self.select(name, args),
            "CREATE" => self.create(args),
            "DELETE" => self.delete(args),
            "RENAME" => self.rename(args),
            "SUBSCRIBE" => self.subscribe(args),
            "UNSUBSCRIBE" => self.unsubscribe(args),
            "LIST" => self.list(args),
            "LSUB" => self.lsub(args),
            "STATUS" => self.status(args),
            "APPEND" => self.append(args),
            "IDLE" => {
                args.end()?;
                self.waiting = Waiting::Done { tag: tag.to_owned() };
                self.go_on("Idling");
                // What happened before is told at once, too.
                self.tell_changes(Expunges::Told);
                Ok(Answer::Later)
            }
            "CLOSE" | "UNSELECT" => self.close_mailbox(name, args),
            "EXPUNGE" => self.expunge(None, args),
            "UID EXPUNGE" => {
                let uids = args.set()?;
                self.expunge(Some(uids), args)
            }
            "SEARCH" => self.search(tag, By::SeqNum, args),
            "UID SEARCH" => self.search(tag, By::Uid, args),
            "FETCH" => self.fetch(By::SeqNum, args),
            "UID FETCH" => self.fetch(By::Uid, args),
            "STORE" => self.store(By::SeqNum, args),
            "UID STORE" => self.store(By::Uid, args),
            "COPY" => self.copy(By::SeqNum, args),
            "UID COPY" => self.copy(By::Uid, args),
            "MOVE" => self.move_messages(By::SeqNum, args),
            _ => self.move_messages(By::Uid, args),
        }
    }

    /// RFC 2971 §3.1: `id = "ID" SP id-params-list`
    fn id(&mut self, mut args: Args<'_>) -> Outcome {
        if args.at_list() {
            let mut pairs = args.list()?;
            while !pairs.is_empty() {
                pairs.string()?;
                if !pairs.skip("NIL") {
                    pairs.string()?;
                }
            }
        } else if !args.skip("NIL") {
            return bad("List or NIL expected");
        }
        args.end()?;
        self.untagged("ID (\"name\" \"imap-testserver\")");
        ok("Pleased to meet you")
    }

    fn start_tls(&self, args: Args<'_>) -> Outcome {
        args.end()?;
        match self.channel {
            Channel::Tls => bad("TLS is active"),
            Channel::Clear => Ok(Answer::StartTls("Begin TLS")),
        }
    }

    /// RFC 4978 §3
    fn compress(&self, mut args: Args<'_>) -> Outcome {
        let mechanism = args.word()?;
        args.end()?;
        match self.compression {
            Some(_) => bad("Compression is active"),
            None if mechanism == "DEFLATE" => Ok(Answer::Compress("Begin compression")),
            None => bad("Unknown mechanism"),
        }
    }

    /// RFC 5161 §3.1
    fn enable(&mut self, mut args: Args<'_>) -> Outcome {
        let mut enabled = String::new();
        loop {
            let word = args.word()?;
            if Capability::from_wire(word.as_bytes()) == Capability::CondStore && self.has(&Capability::CondStore) {
                self.cond_store = true;
                enabled = " CONDSTORE".to_owned();
            }
            if args.is_empty() {
                break;
            }
        }
        self.untagged(&format!("ENABLED{enabled}"));
        ok("Enabled")
    }

    pub(super) fn has(&self, capability: &Capability) -> bool {
        self.shared.options.has(capability)
    }

    /// Answers a command that is not even read.
    pub(super) fn refuse_whole(&mut self, frame: &[u8], text: &str) {
        let tag = frame.split(|byte| *byte == b' ').next().filter(|tag| !tag.is_empty() && is_tag(tag));
        let tag = tag.map_or("*".into(), String::from_utf8_lossy);
        self.out.extend_from_slice(Refusal::Bad.line(&tag, text).as_bytes());
        self.end_answer();
    }

    /// True when a literal of this length may come without waiting. RFC 7888
    pub(super) fn takes_unasked(&self, len: u64) -> bool {
        self.has(&Capability::LiteralPlus) || (self.has(&Capability::LiteralMinus) && len <= LITERAL_MINUS)
    }

    /// The line that refuses a literal before its octets have come, if it is to be.
    pub(super) fn refusal(&mut self, prefix: &[u8], len: u64) -> Option<String> {
        let line = Tokenized::new(prefix.to_vec(), &limits());
        let Some((tag, name, mut args)) = head(line.values()) else {
            return Some(Refusal::Bad.line("*", "Tag expected"));
        };
        if self.account.is_none() && len > LONGEST_UNAUTHENTICATED {
            return Some(Refusal::No.line(&tag, "[TOOBIG] Log in first"));
        }
        // What fits no command together with those before it would lose the boundary.
        let in_literals = self.in_literals.saturating_add(len);
        if len > LONGEST_LITERAL || in_literals > (LONGEST_COMMAND - LONGEST_LINE) as u64 {
            return Some(Refusal::No.line(&tag, "[TOOBIG] Literal too long"));
        }
        if state(&name).is_none() {
            return Some(Refusal::Bad.line(&tag, "Unknown command"));
        }
        if let Some((with, text)) = self.script().take_refusal(&name) {
            return Some(with.line(&tag, &text));
        }
        if name == "APPEND" && len == 0 && self.has(&Capability::MultiAppend) {
            return Some(Refusal::No.line(&tag, EMPTY));
        }
        if name == "APPEND"
            && let Some(account) = &self.account
            && let Ok(mailbox) = args.mailbox()
            && mailbox_missing(account, &mailbox)
        {
            return Some(Refusal::No.line(&tag, "[TRYCREATE] No such mailbox"));
        }
        None
    }
}

fn mailbox_missing(account: &Account, name: &MailboxName) -> bool {
    account.lock().get(name).is_none()
}

/// The answer when a mailbox is not there.
pub(super) fn no_such_mailbox() -> Outcome {
    no("[NONEXISTENT] No such mailbox")
}
