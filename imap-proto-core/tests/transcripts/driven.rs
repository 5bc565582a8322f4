//! A transcript, had with a connection: our commands where we have the command, others in their stead.

use std::collections::BTreeMap;

use imap_proto_core::command::{
    Access, Append, CapabilityCommand, Command, Idle, Login, Logout, Message, Noop, Request, Select,
};
use imap_proto_core::types::{Flag, MailboxName, Secret};
use imap_proto_core::{CommandId, Config, Connection, Event, SessionState, Time};

use super::reader::{Line, Transcript, announced};

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) events: Vec<String>,
    /// Client lines that ours was compared with.
    pub(crate) compared: usize,
}

pub(crate) struct Session {
    connection: Connection,
    outcome: Outcome,
    /// Our tags by those of the transcript.
    tags: BTreeMap<String, String>,
    idle: Option<CommandId>,
    sent: u32,
    ended: u32,
    closed: bool,
}

impl Session {
    pub(crate) fn run(transcript: &Transcript, mut piece: impl FnMut() -> usize) -> Outcome {
        let mut session = Session {
            connection: Connection::new(Config::default()),
            outcome: Outcome { events: Vec::new(), compared: 0 },
            tags: BTreeMap::new(),
            idle: None,
            sent: 0,
            ended: 0,
            closed: false,
        };
        session.greet(transcript);
        let mut lines = transcript.lines.iter().peekable();
        // Octets of a literal that the server, or the client, still owes.
        let (mut literal, mut owed) = (0usize, 0usize);
        while let Some(line) = lines.next() {
            if session.closed {
                break;
            }
            match line {
                Line::Server(text) if literal > 0 => {
                    literal = literal.saturating_sub(text.len() + 2);
                    session.receive(&format!("{text}\r\n"), &mut piece);
                }
                Line::Server(text) => {
                    literal = announced(text).unwrap_or(0);
                    let line = session.with_our_tag(text);
                    session.receive(&format!("{line}\r\n"), &mut piece);
                }
                Line::Client(text) if owed > 0 => owed = owed.saturating_sub(text.len() + 2),
                Line::Client(text) if text == "DONE" => session.done(),
                Line::Client(text) if is_command(text) => {
                    owed = announced(&text.replace("+}", "}")).unwrap_or(0);
                    let rest: Vec<&Line> = lines.clone().collect();
                    session.say(text, &octets_of(text, &rest));
                }
                // What follows a `+`; ours is sent by the command itself.
                Line::Client(_) => {}
            }
        }
        // Then the server closes.
        let _ = session.connection.receive_space();
        session.connection.received(0, Time::ZERO);
        session.poll();
        assert_eq!(session.ended, session.sent, "every command ends once");
        session.outcome
    }

    /// Examples begin anywhere: a session that logs in has not done so before.
    fn greet(&mut self, transcript: &Transcript) {
        let first = transcript.server_lines().next().unwrap_or_default();
        let greets = matches!(transcript.lines.first(), Some(Line::Server(_)))
            && ["* OK ", "* PREAUTH ", "* BYE "].iter().any(|start| first.starts_with(start));
        let logs_in = transcript.lines.iter().any(|line| match line {
            Line::Client(text) => ["LOGIN", "AUTHENTICATE", "STARTTLS"].contains(&&*name_of(text)),
            Line::Server(_) => false,
        });
        match (greets, logs_in) {
            (true, _) => {}
            (false, true) => self.receive("* OK ready\r\n", &mut || usize::MAX),
            (false, false) => self.receive("* PREAUTH ready\r\n", &mut || usize::MAX),
        }
    }

    /// Sends our form of a client's line, or another command in its stead.
    fn say(&mut self, line: &str, octets: &str) {
        let ours = self.ours(line, octets);
        let compared = ours.is_some();
        let request = ours.unwrap_or_else(|| self.stand_in(line));
        let idle = request.name() == "IDLE";
        let id = self.connection.submit(request, Time::ZERO).expect("the connection is open");
        self.idle = idle.then_some(id).or(self.idle);
        let tag = format!("A{}", self.sent);
        self.sent += 1;
        let (theirs, rest) = line.split_once(' ').expect("a tag and a command");
        self.tags.insert(theirs.to_owned(), tag.clone());
        let sent = self.transmit();
        if compared {
            assert_eq!(normal(&sent), normal(&format!("{tag} {rest}\r\n")));
            self.outcome.compared += 1;
        }
    }

    fn done(&mut self) {
        let id = self.idle.take().expect("IDLE was sent");
        self.connection.abandon(id, Time::ZERO);
        assert_eq!(self.transmit(), "DONE\r\n");
        self.outcome.compared += 1;
    }

    /// A command of ours that sends this line, where there is one and it may be sent now.
    fn ours(&self, line: &str, octets: &str) -> Option<Request> {
        let words: Vec<&str> = line.split(' ').skip(1).collect();
        let name = name_of(line);
        let authenticated = !matches!(self.connection.view().state(), SessionState::NotAuthenticated);
        let mailbox = |text: &str| MailboxName::new(text.trim_matches('"')).expect("a name");
        let request = match (&*name, &words[1..]) {
            ("CAPABILITY", []) => CapabilityCommand::default().request(),
            ("NOOP", []) => Noop.request(),
            ("LOGOUT", []) => Logout.request(),
            ("LOGIN", [user, password]) if !authenticated && announced(line).is_none() => {
                let (user, password) = (user.trim_matches('"'), password.trim_matches('"'));
                Login::new(user, Secret::from(password)).request()
            }
            ("SELECT", [name]) if authenticated => Select::new(mailbox(name), Access::ReadWrite).request(),
            ("EXAMINE", [name]) if authenticated => Select::new(mailbox(name), Access::ReadOnly).request(),
            ("IDLE", []) if authenticated => Idle.request(),
            ("APPEND", [name, "(\\Seen)", _]) if authenticated && announced(line).is_some() => {
                let message = Message::Octets(octets.to_owned().into());
                Append::new(mailbox(name), message).flags([Flag::Seen]).request()
            }
            _ => return None,
        };
        Some(request.expect("it has a wire form"))
    }

    /// One that has the same effect on what the connection takes.
    fn stand_in(&self, line: &str) -> Request {
        let not_yet = self.connection.view().state() == SessionState::NotAuthenticated;
        let logs_in = matches!(&*name_of(line), "LOGIN" | "AUTHENTICATE");
        if not_yet && logs_in { Login::new("x", Secret::from("x")).request() } else { Noop.request() }
            .expect("it has a wire form")
    }

    /// Puts our tag in place of the transcript's. Where the RFC mistook a tag, or left out the command, there is one.
    fn with_our_tag(&mut self, line: &str) -> String {
        let Some((tag, rest)) = line.split_once(' ').filter(|(tag, _)| !matches!(*tag, "*" | "+")) else {
            return line.to_owned();
        };
        if !self.tags.contains_key(tag) {
            let oldest = self.tags.keys().next().cloned();
            match oldest {
                Some(other) => drop(self.tags.remove(&other).map(|ours| self.tags.insert(tag.to_owned(), ours))),
                None => self.say(&format!("{tag} X-LEFT-OUT"), ""),
            }
        }
        let ours = self.tags.remove(tag).unwrap_or_default();
        format!("{ours} {rest}")
    }

    fn transmit(&mut self) -> String {
        let bytes: Vec<u8> = self.connection.transmit().flatten().copied().collect();
        self.connection.transmitted(bytes.len(), Time::ZERO);
        self.poll();
        String::from_utf8(bytes).expect("what we send is text")
    }

    fn receive(&mut self, text: &str, piece: &mut impl FnMut() -> usize) {
        let mut rest = text.as_bytes();
        while !rest.is_empty() && !self.closed {
            let space = self.connection.receive_space();
            let n = piece().clamp(1, rest.len()).min(space.len());
            space[..n].copy_from_slice(&rest[..n]);
            self.connection.received(n, Time::ZERO);
            rest = &rest[n..];
            self.poll();
        }
        // What a `+` allowed.
        self.transmit();
    }

    fn poll(&mut self) {
        while let Some(event) = self.connection.poll_event() {
            let told = match event {
                Event::Greeting(response) => format!("greeting {}", response.raw().escape_ascii()),
                Event::Data { response, .. } => format!("data {}", response.raw().escape_ascii()),
                Event::Done { outcome, .. } => {
                    self.ended += 1;
                    format!("done {}", outcome.map_or_else(|refused| refused.to_string(), |_| "ok".to_owned()))
                }
                Event::Failed { error, .. } => {
                    self.ended += 1;
                    format!("failed {error}")
                }
                Event::Closed(error) => {
                    self.closed = true;
                    format!("closed {error}")
                }
                other => format!("{other:?}"),
            };
            self.outcome.events.push(told);
        }
    }
}

fn name_of(line: &str) -> String {
    line.split(' ').nth(1).unwrap_or_default().to_ascii_uppercase()
}

/// A line with a tag and the name of a command; what follows a literal or a `+` has none.
fn is_command(line: &str) -> bool {
    let tag = line.split(' ').next().unwrap_or_default();
    let tagged = !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.') && tag.len() <= 5;
    tagged && tag.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_lowercase()) && line.contains(' ')
}

/// The octets of the literal that a client's line announces.
fn octets_of(line: &str, rest: &[&Line]) -> String {
    let Some(len) = announced(line) else { return String::new() };
    let lines = rest.iter().filter_map(|line| match line {
        Line::Client(text) => Some(&**text),
        Line::Server(_) => None,
    });
    let text = lines.collect::<Vec<_>>().join("\r\n");
    text.get(..len).unwrap_or_default().to_owned()
}

/// Case and quotes are the sender's choice.
fn normal(line: &str) -> String {
    line.replace('"', "").to_ascii_lowercase()
}
