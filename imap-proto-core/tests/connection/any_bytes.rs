//! Any bytes at any moment: each command ends once, and what is sent stays in step.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::script::Script;
use imap_proto_core::command::{
    Access, Append, Cancelling, Command, Fetch, Idle, Logout, Message, MultiAppend, NewMessage, Noop, Search, Select,
};
use imap_proto_core::types::{FetchItems, Query, Section, Uid, UidSet};
use imap_proto_core::{CommandId, Event, LiteralPolicy};

/// Numbers that look like chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % most
    }

    fn one_in(&mut self, most: usize) -> bool {
        self.below(most) == 0
    }
}

/// The letter of which all messages are made, and nothing else that is sent.
const LETTER: u8 = b'z';

fn octets(len: usize) -> Bytes {
    vec![LETTER; len].into()
}

struct Play {
    script: Script,
    chance: Chance,
    sent: Vec<u8>,
    /// How often each was told to end.
    ends: BTreeMap<CommandId, usize>,
    wanted: Vec<(CommandId, u64)>,
    is_patient: bool,
    /// How many bytes had been sent whenever the server said `+`.
    go_aheads: Vec<usize>,
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut chance = Chance(seed);
        let capabilities = ["", "LITERAL+", "LITERAL+ MULTIAPPEND", "MULTIAPPEND"][chance.below(4)];
        let synchronizing = chance.one_in(3);
        let mut script = Script::configured(&format!("IDLE {capabilities}"), |config| {
            config.authenticated.inline = 8;
            config.unknown_tags = 1000;
            if synchronizing {
                config.literals = LiteralPolicy::Synchronizing;
            }
        });
        script.wait(1);
        Play {
            script,
            chance,
            sent: Vec::new(),
            ends: BTreeMap::new(),
            wanted: Vec::new(),
            is_patient: !seed.is_multiple_of(4),
            go_aheads: Vec::new(),
        }
    }

    fn submit(&mut self) {
        let cancelling = if self.chance.one_in(2) { Cancelling::Cut } else { Cancelling::Finish };
        let len = 1 + self.chance.below(12);
        let message = |fed: bool| match fed {
            true => NewMessage::new(Message::Fed(len as u64)),
            false => NewMessage::new(octets(len)),
        };
        let fed = self.chance.one_in(2);
        let one = UidSet::from(Uid::new(1).expect("it is not 0"));
        let request = match self.chance.below(10) {
            0 | 1 => Noop.request(),
            2 => Search::new(Query::all()).request(),
            3 | 4 => Append::new("x", message(fed)).cancelling(cancelling).request(),
            5 | 6 => {
                let mixed = fed && self.chance.one_in(2);
                MultiAppend::new("x", [message(fed), message(mixed), message(fed)]).cancelling(cancelling).request()
            }
            7 => Idle.request(),
            8 => Fetch::new(one, FetchItems::ids().section(Section::whole())).request(),
            _ if self.chance.one_in(15) => Logout.request(),
            _ => Select::new("INBOX", Access::ReadWrite).request(),
        };
        if let Ok(id) = self.script.connection.submit(request.expect("a request"), self.script.now) {
            self.ends.insert(id, 0);
        }
    }

    fn leave(&mut self) {
        // As a driver does: what was read is heard before more is written.
        self.hear();
        let waiting: Vec<u8> = self.script.connection.transmit().flatten().copied().collect();
        let n = if self.chance.one_in(2) { waiting.len() } else { self.chance.below(waiting.len() + 1) };
        self.sent.extend_from_slice(&waiting[..n]);
        self.script.connection.transmitted(n, self.script.now);
    }

    /// How many tags were sent, the last one perhaps in part.
    fn tags(&self) -> usize {
        let text = String::from_utf8_lossy(&self.sent);
        let tags = text.lines().filter_map(|line| line.strip_prefix('A')?.split(' ').next()?.parse::<usize>().ok());
        tags.max().map_or(0, |tag| tag + 1)
    }

    fn say(&mut self) {
        // One that waits for all to arrive comes further.
        if self.is_patient && !self.script.connection.is_quiet() {
            return self.leave();
        }
        // One of the last three, or rarely the next.
        let next = usize::from(!self.is_patient && self.chance.one_in(100));
        let tag = (self.tags() + next).saturating_sub(1 + self.chance.below(3));
        let line = match self.chance.below(16) {
            0..4 => "+ go\r\n".to_owned(),
            4..8 => format!("A{tag} OK done\r\n"),
            8 | 9 => format!("A{tag} NO refused\r\n"),
            10 => format!("A{tag} BAD what\r\n"),
            11 => "* 3 EXISTS\r\n* 1 EXPUNGE\r\n".to_owned(),
            12 => "* SEARCH 1 2\r\n".to_owned(),
            13 => "* 1 FETCH (UID 1 BODY[] {12}\r\nA0 OK odd\r\n\r\n)\r\n".to_owned(),
            14 => "* 1 FETCH (BODY[] {12}\r\nA0 OK odd\r\n\r\n UID 1)\r\n".to_owned(),
            _ if self.chance.one_in(30) => "* BYE enough\r\n".to_owned(),
            _ => "* OK still here\r\n".to_owned(),
        };
        if line.starts_with('+') {
            self.go_aheads.push(self.sent.len());
        }
        self.script.s(&line);
    }

    fn hear(&mut self) {
        while let Some(event) = self.script.connection.poll_event() {
            match event {
                Event::Done { id, .. } | Event::Failed { id, .. } => *self.ends.entry(id).or_default() += 1,
                Event::WantsBody { id, max } => self.wanted.push((id, max)),
                _ => {}
            }
        }
    }

    fn feed(&mut self) {
        let Some((id, max)) = self.wanted.pop() else { return };
        if self.ends.get(&id) != Some(&0) {
            return;
        }
        let max = usize::try_from(max).expect("it is short");
        let len = if self.chance.one_in(2) { max } else { self.chance.below(max + 1) };
        self.script.connection.feed(id, octets(len)).expect("no more than was wanted");
    }

    fn step(&mut self) {
        match self.chance.below(12) {
            0 | 1 => self.submit(),
            2..5 => self.leave(),
            5..8 => self.say(),
            8 | 9 => self.feed(),
            10 => {
                let at = self.chance.below(self.ends.len() + 1);
                if let Some(id) = self.ends.keys().nth(at).copied().filter(|_| self.chance.one_in(2)) {
                    self.script.connection.abandon(id, self.script.now);
                }
            }
            _ => {
                self.script.now += Duration::from_millis(700);
                self.script.connection.handle_timeout(self.script.now);
            }
        }
        if self.chance.below(4) > 0 {
            self.hear();
        }
    }
}

/// Reads what was sent as a server does that knows how long each literal is. A message is cut only where the stream ends.
fn is_in_step(sent: &[u8], go_aheads: &[usize]) -> Result<(), String> {
    let mut rest = sent;
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let (line, behind) = (&rest[..end], &rest[end + 2..]);
        rest = behind;
        if line.contains(&LETTER) {
            return Err(format!("octets in a line: {}", line.escape_ascii()));
        }
        let Some(announced) = line.strip_suffix(b"}") else { continue };
        let open = announced.iter().rposition(|byte| *byte == b'{').ok_or("no brace")?;
        let number = std::str::from_utf8(&announced[open + 1..]).map_err(|error| error.to_string())?;
        let len: usize = number.trim_end_matches('+').parse().map_err(|_| format!("a length of {number}"))?;
        let came = rest.iter().take_while(|byte| **byte == LETTER).count();
        let is_refused = came == 0 && !number.ends_with('+') && rest.starts_with(b"A");
        if !is_refused && came != len && came < rest.len() {
            return Err(format!("{came} octets of {len}, then {}", rest[came..].escape_ascii()));
        }
        if came > 0 && !number.ends_with('+') && !go_aheads.contains(&(sent.len() - rest.len())) {
            return Err(format!("octets that nobody asked for behind {}", line.escape_ascii()));
        }
        if came > len {
            return Err(format!("{came} octets of {len}"));
        }
        rest = &rest[came..];
    }
    Ok(())
}

const SEEDS: u64 = 40_000;

#[test]
fn each_command_ends_once_and_what_is_sent_stays_in_step() {
    let mut closed = 0;
    for seed in 0..SEEDS {
        let mut play = Play::new(seed);
        for _ in 0..60 {
            play.step();
        }
        play.hear();
        closed += u64::from(play.script.connection.is_closed());
        play.script.s_eof();
        play.hear();
        assert!(play.script.connection.is_closed(), "seed {seed}");
        let wrong = play.ends.iter().find(|(_, ends)| **ends != 1);
        assert!(wrong.is_none(), "seed {seed}: {wrong:?}\n{}", play.sent.escape_ascii());
        let judged = is_in_step(&play.sent, &play.go_aheads);
        assert!(judged.is_ok(), "seed {seed}: {judged:?}\n{}", play.sent.escape_ascii());
    }
    println!("{closed} ended before their time");
    assert!(closed < SEEDS / 10 * 9, "{closed}: nothing was tried");
}
