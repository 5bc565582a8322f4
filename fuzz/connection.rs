use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use imap_proto_core::command::{
    Access, Append, Cancelling, CapabilityCommand, Close, Command, Copy, Create, Enable, Expunge, Fetch, Id, Idle,
    List, Login, Logout, Message, Move, MultiAppend, NamespaceCommand, Noop, Raw, Rename, Request, Returns, Search,
    Select, StatusCommand, Store, StoreCommand, UidExpunge, Unselect,
};
use imap_proto_core::types::{
    Capability, FetchItems, Flag, Identification, MailboxName, Query, Secret, Section, SeqSet, SpecialUse, StatusItems,
    Uid, UidSet,
};
use imap_proto_core::wire::grammar::Esearch;
use imap_proto_core::{CommandId, Config, Connection, Error, Event, LiteralPolicy, Time};

use crate::alphabet::spell;
use crate::output::{LITERAL, Output};

/// Any commands and any server: the client's bytes are always a client's, every command ends exactly once,
/// nothing waits for ever, and the same inputs give the same outputs.
///
/// # Panics
/// When one of these is not so.
pub fn connection(data: &[u8]) {
    assert_eq!(Session::run(data), Session::run(data), "the same inputs give the same outputs");
}

struct Session {
    connection: Connection,
    output: Output,
    now: Time,
    /// Every command, and whether it has ended.
    commands: BTreeMap<CommandId, Fate>,
    /// The octets that were asked for.
    wanted: Option<(CommandId, u64)>,
    /// Whose body is under way, and how many of its octets are still to come.
    body: Option<(Option<CommandId>, u64)>,
    closed: bool,
    log: String,
}

#[derive(Clone, Copy, Debug, Default)]
struct Fate {
    ended: bool,
    abandoned: bool,
    fed: bool,
}

impl Session {
    fn run(data: &[u8]) -> String {
        let Some((choice, mut ops)) = data.split_first() else { return String::new() };
        let mut session = Session::new(*choice);
        while let Some((op, rest)) = ops.split_first() {
            ops = rest;
            match op {
                // A byte of what the server says is an op of its own kind: runs of them come in one piece.
                0x20..=0xff | b'\r' | b'\n' => {
                    let run = 1 + ops.iter().take_while(|b| **b >= 0x20 || matches!(**b, b'\r' | b'\n')).count();
                    let said = &data[data.len() - ops.len() - 1..][..run];
                    ops = &ops[run - 1..];
                    session.receive(&spell(said, 4 << 10));
                }
                0..=2 => {
                    let (which, rest) = ops.split_first().unwrap_or((&0, &[]));
                    ops = rest;
                    session.submit(*which);
                }
                3 | 4 => session.transmit(usize::MAX),
                5 => session.transmit(1),
                6 => session.transmit(7),
                7 => session.feed(u64::MAX),
                8 => session.feed(1),
                9 => session.abandon(0),
                11 => session.abandon(1),
                12 => session.wait(Duration::from_secs(1)),
                14 => session.wait(Duration::from_secs(20)),
                15 => session.time_out(),
                16 => session.feed_amiss(),
                17 => session.end_of_stream(),
                _ => session.transmit(3),
            }
            session.check();
        }
        session.finish()
    }

    fn new(choice: u8) -> Self {
        let mut config = Config::default();
        if choice & 1 != 0 {
            config.literals = LiteralPolicy::Synchronizing;
        }
        if choice & 2 != 0 {
            for limits in [&mut config.unauthenticated, &mut config.authenticated] {
                (limits.response, limits.literal, limits.inline, limits.depth) = (2048, 200, 4, 3);
            }
        }
        if choice & 4 != 0 {
            (config.drain_bytes, config.outstanding, config.unknown_tags) = (64, 40, 2);
        }
        let mut session = Session {
            connection: Connection::new(config),
            output: Output::default(),
            now: Time::ZERO,
            commands: BTreeMap::new(),
            wanted: None,
            body: None,
            closed: false,
            log: String::new(),
        };
        match choice >> 3 & 3 {
            0 => session.receive(b"* OK [CAPABILITY IMAP4rev1 LITERAL+ IDLE MULTIAPPEND] ready\r\n"),
            1 => session.receive(b"* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+ IDLE MULTIAPPEND] ready\r\n"),
            2 => {
                session.receive(b"* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n");
                session.submit(3);
                session.transmit(usize::MAX);
                session.receive(b"A0 OK selected\r\n");
            }
            _ => {}
        }
        session
    }

    fn submit(&mut self, which: u8) {
        let Some(request) = request(which) else { return };
        let fed = matches!(which % COMMANDS, 9 | 10 | 47 | 48);
        match self.connection.submit(request, self.now) {
            Ok(id) => {
                assert!(!self.closed);
                let fresh = self.commands.insert(id, Fate { fed, ..Fate::default() });
                assert!(fresh.is_none());
            }
            Err(error) => self.note(&error),
        }
        self.poll();
    }

    fn receive(&mut self, mut bytes: &[u8]) {
        self.output.server_said(bytes);
        while !bytes.is_empty() && !self.closed {
            let space = self.connection.receive_space();
            let n = space.len().min(bytes.len());
            space[..n].copy_from_slice(&bytes[..n]);
            bytes = &bytes[n..];
            self.connection.received(n, self.now);
            self.poll();
        }
    }

    fn end_of_stream(&mut self) {
        let _ = self.connection.receive_space();
        self.connection.received(0, self.now);
        self.poll();
        assert!(self.closed, "the end of the stream closes the connection");
    }

    fn transmit(&mut self, most: usize) {
        let bytes: Vec<u8> = self.connection.transmit().flatten().copied().take(most).collect();
        self.output.left(&bytes);
        let _ = writeln!(self.log, "C: {}", bytes.escape_ascii());
        self.connection.transmitted(bytes.len(), self.now);
        self.poll();
    }

    fn feed(&mut self, most: u64) {
        let Some((id, max)) = self.wanted.take() else { return };
        if self.commands[&id].ended {
            return;
        }
        let n = max.min(most);
        self.connection.feed(id, Bytes::from(vec![LITERAL; n as usize])).expect("no more than was asked for");
        self.wanted = Some((id, max - n)).filter(|(_, left)| *left > 0);
        self.poll();
    }

    /// More than was announced, or to a command that wants none.
    fn feed_amiss(&mut self) {
        let Some((id, _)) = self.commands.iter().find(|(_, fate)| !fate.ended).map(|(id, fate)| (*id, *fate)) else {
            return;
        };
        self.wanted = None;
        if let Err(error) = self.connection.feed(id, Bytes::from_static(&[LITERAL; 5000])) {
            self.note(&error);
            self.given_up(id);
        }
        self.poll();
    }

    fn given_up(&mut self, id: CommandId) {
        if let Some(fate) = self.commands.get_mut(&id) {
            fate.abandoned = true;
        }
        // Nothing more is told of its body.
        self.body.take_if(|(owner, _)| *owner == Some(id));
    }

    fn abandon(&mut self, nth: usize) {
        let open: Vec<CommandId> = self.commands.iter().filter(|(_, fate)| !fate.ended).map(|(id, _)| *id).collect();
        let Some(id) = open.get(nth).or(open.first()) else { return };
        let foreseen = self.connection.would_drop(*id);
        let effect = self.connection.abandon(*id, self.now);
        assert_eq!(foreseen, effect);
        self.given_up(*id);
        let _ = writeln!(self.log, "{effect:?}");
        self.poll();
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.connection.handle_timeout(self.now);
        self.poll();
    }

    fn time_out(&mut self) {
        let Some(at) = self.connection.poll_timeout() else { return };
        self.now = self.now.max(at);
        self.connection.handle_timeout(self.now);
        assert!(self.connection.poll_timeout().is_none_or(|next| next > self.now), "a deadline that does not pass");
        self.poll();
    }

    fn poll(&mut self) {
        let Session { connection, commands, wanted, body, closed, log, .. } = self;
        while let Some(event) = connection.poll_event() {
            assert!(!*closed, "nothing follows the end");
            match &event {
                Event::Data { response, .. } => {
                    let _ = response.unsolicited();
                    let _ = Esearch::new(response).map(|esearch| esearch.results().count());
                }
                Event::Done { id, .. } | Event::Failed { id, .. } => {
                    let fate = commands.get_mut(id).expect("it was submitted");
                    assert!(!fate.ended, "a command ends once");
                    fate.ended = true;
                }
                Event::WantsBody { id, max } => {
                    assert!(*max > 0 && commands[id].fed && !commands[id].ended);
                    *wanted = Some((*id, *max));
                }
                Event::BodyStart { id, len, .. } => {
                    assert!(body.is_none(), "one body at a time");
                    assert!(id.is_none_or(|id| !commands[&id].abandoned && !commands[&id].ended));
                    *body = Some((*id, *len));
                }
                Event::Body { octets, .. } => {
                    let (_, left) = body.as_mut().expect("a body has begun");
                    *left = left.checked_sub(octets.len() as u64).expect("no more octets than announced");
                }
                Event::BodyEnd { id } => assert_eq!(body.take(), Some((*id, 0))),
                Event::Closed(_) => *closed = true,
                _ => {}
            }
            match event {
                // The pieces depend on how it was read.
                Event::Body { .. } => {}
                event => drop(writeln!(log, "{event:?}")),
            }
        }
    }

    fn check(&mut self) {
        let waiting: usize = self.connection.transmit().map(<[u8]>::len).sum();
        assert_eq!(waiting == 0, self.connection.is_quiet());
        if self.closed {
            assert_eq!(waiting, 0, "nothing is sent after the end");
            assert!(self.commands.values().all(|fate| fate.ended), "the end is the end of every command");
            assert!(self.connection.poll_timeout().is_none());
            return;
        }
        let open = self.commands.values().filter(|fate| !fate.ended);
        // Who feeds a message owes it himself; what waits behind it waits for him.
        if open.clone().count() > 0 && !open.clone().any(|fate| fate.fed) {
            assert!(self.connection.poll_timeout().is_some(), "something is owed and nothing watches over it");
        }
        assert_eq!(self.connection.is_settled(), open.count() == 0 && waiting == 0);
    }

    fn finish(mut self) -> String {
        if !self.closed {
            let clean = !self.output.owes_octets();
            self.connection.close(Error::Cancelled);
            self.poll();
            let _ = writeln!(self.log, "closed, {clean}");
        }
        self.check();
        assert!(self.closed);
        self.log
    }

    fn note(&mut self, error: &Error) {
        let _ = writeln!(self.log, "{error:?}");
    }
}

/// How many there are to choose from.
const COMMANDS: u8 = 49;

/// One of each command, in all the forms that differ on the wire.
fn request(which: u8) -> Option<Request> {
    let uids = || UidSet::from_wire(b"1:2,4").expect("a set");
    let inbox = MailboxName::inbox;
    let request = match which % COMMANDS {
        0 => Noop.request(),
        1 => CapabilityCommand::default().request(),
        2 => Login::new("user", Secret::from("word")).request(),
        3 => Select::new(inbox(), Access::ReadWrite).request(),
        4 => Select::new(MailboxName::new("zwei").expect("a name"), Access::ReadOnly).request(),
        5 => Fetch::new(uids(), FetchItems::summary().section(Section::whole())).request(),
        6 => Fetch::new(uids(), FetchItems::ids().flags()).request(),
        7 => Search::new(Query::text("z\u{fc}rich")).request(),
        8 => Append::new(inbox(), Message::Octets(Bytes::from_static(b"z: 1\r\n\r\nA9 NOOP\r\n"))).request(),
        9 => Append::new(inbox(), Message::Fed(12)).flags([Flag::Seen]).request(),
        10 => Append::new(inbox(), Message::Fed(5000)).request(),
        11 | 12 => Idle.request(),
        13 => Logout.request(),
        14 => Login::new("z\u{fc}rich", Secret::from("z\u{fc}")).request(),
        15 => Fetch::new(UidSet::all(), FetchItems::ids().partial(Section::text(), 0, 9)).request(),
        16 => Noop.request().map(|request| request.bind(1)),
        17 => Search::new(Query::text("z\u{fc}").and(Query::subject("z\u{e4}"))).request(),
        18 => Append::new(inbox(), Message::Octets(Bytes::from(vec![LITERAL; 4097]))).request(),
        19 => StoreCommand::new(uids(), Store::add(Flag::Seen)).request(),
        20 => StoreCommand::new(SeqSet::all(), Store::replace([]).silent()).request(),
        21 => StoreCommand::new(uids(), Store::remove(Flag::Seen).unchanged_since(9)).request(),
        22 => Copy::new(uids(), MailboxName::new("z\u{fc}").expect("a name")).request(),
        23 => Copy::new(SeqSet::last_message(), inbox()).request(),
        24 => Move::new(uids(), inbox()).request(),
        25 => Expunge.request(),
        26 => UidExpunge::new(uids()).request(),
        27 => Close.request(),
        28 => Unselect.request(),
        29 => Search::numbers(Query::all()).request(),
        30 => Search::new(Query::seen()).returning(Returns::ALL | Returns::COUNT).request(),
        31 => Fetch::new(SeqSet::all(), FetchItems::ids().flags()).request(),
        32 => Fetch::new(uids(), FetchItems::ids().flags()).changed_since(7).request(),
        33 => Raw::new("XFOO bar").expect("a line").claims("XFOO").request(),
        34 => Raw::new("XFOO").expect("a line").literal(&b"z"[..]).pipelined().request(),
        35 => List::new("z\u{fc}/%").request(),
        36 => List::all().or("b").select_subscribed().return_status(StatusItems::all()).request(),
        37 => StatusCommand::new(inbox(), StatusItems::all()).request(),
        38 => Create::new(MailboxName::new("z\u{fc}").expect("a name")).special_use(SpecialUse::Junk).request(),
        39 => Rename::new(inbox(), MailboxName::new("z\u{fc}/b").expect("a name")).request(),
        40 => Enable::new([Capability::Utf8Accept]).request(),
        41 => NamespaceCommand::default().request(),
        42 => Id::new(Some(Identification::new().with_name("z\u{fc}"))).request(),
        44 => MultiAppend::new(inbox(), ["z", "zz", "zzz"]).request(),
        45 => MultiAppend::new(inbox(), ["z", "zz", "zzz"]).cancelling(Cancelling::Cut).request(),
        46 => Append::new(inbox(), "zz").cancelling(Cancelling::Cut).request(),
        47 => MultiAppend::new(inbox(), [Message::Fed(3), Message::from("z"), Message::Fed(2)]).request(),
        48 => {
            MultiAppend::new(MailboxName::new("z\u{fc}\u{e4}".repeat(200)).expect("a name"), [1, 2].map(Message::Fed))
                .request()
        }
        _ => Search::new(Query::uid([Uid::new(1).expect("not zero")].into_iter().collect())).request(),
    };
    request.ok()
}
