//! A connection driven by hand, as a transcript: `C:` what it sends, `S:` what it receives, and its events as text.

use std::time::Duration;

use bytes::Bytes;
use imap_proto_core::command::{Access, Append, Command, Message, Select};
use imap_proto_core::types::MailboxName;
use imap_proto_core::{CommandId, Config, Connection, Event, Time};

pub(crate) struct Script {
    pub(crate) connection: Connection,
    pub(crate) now: Time,
}

impl Script {
    /// A connection after a PREAUTH greeting with these capabilities.
    pub(crate) fn authenticated(capabilities: &str) -> Self {
        Self::configured(capabilities, |_| {})
    }

    pub(crate) fn configured(capabilities: &str, change: impl FnOnce(&mut Config)) -> Self {
        Self::begun(&format!("IMAP4rev1 {capabilities}"), change)
    }

    /// The same, where these capabilities are all there are.
    pub(crate) fn greeted(capabilities: &str) -> Self {
        Self::begun(capabilities, |_| {})
    }

    fn begun(capabilities: &str, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        change(&mut config);
        let mut script = Script { connection: Connection::new(config), now: Time::ZERO };
        script.s(&format!("* PREAUTH [CAPABILITY {capabilities}] hi\r\n"));
        script.e(&["greeting"]);
        script
    }

    /// The same, with INBOX selected by the command of tag A0.
    pub(crate) fn selected(capabilities: &str) -> Self {
        let mut script = Self::authenticated(capabilities);
        script.submit(&Select::new(MailboxName::inbox(), Access::ReadWrite));
        script.c("A0 SELECT \"INBOX\"\r\n");
        script.s("* 3 EXISTS\r\nA0 OK [READ-WRITE] done\r\n");
        script.e(&["0 * 3 EXISTS", "0 ok"]);
        script
    }

    pub(crate) fn submit(&mut self, command: &impl Command) -> CommandId {
        let request = command.request().expect("the command can be sent");
        self.connection.submit(request, self.now).expect("the connection is open")
    }

    pub(crate) fn append(&mut self, message: Message) -> CommandId {
        self.submit(&Append::new(MailboxName::try_from("x").expect("a name"), message))
    }

    pub(crate) fn feed(&mut self, id: CommandId, octets: &'static str) {
        self.connection.feed(id, Bytes::from_static(octets.as_bytes())).expect("the octets were announced");
    }

    pub(crate) fn abandon(&mut self, id: CommandId) -> imap_proto_core::CancelEffect {
        self.connection.abandon(id, self.now)
    }

    /// All that may leave is this, and it leaves.
    #[track_caller]
    pub(crate) fn c(&mut self, expected: &str) {
        assert_eq!(self.leave(), expected);
    }

    /// All that may leave leaves.
    pub(crate) fn leave(&mut self) -> String {
        let waiting: Vec<u8> = self.connection.transmit().flatten().copied().collect();
        self.connection.transmitted(waiting.len(), self.now);
        String::from_utf8_lossy(&waiting).into_owned()
    }

    /// Only so many bytes of what may leave leave.
    pub(crate) fn c_part(&mut self, n: usize) {
        self.connection.transmitted(n, self.now);
    }

    /// Nothing may leave.
    #[track_caller]
    pub(crate) fn c_nothing(&mut self) {
        self.c("");
    }

    pub(crate) fn s(&mut self, bytes: &str) {
        for chunk in bytes.as_bytes().chunks(256) {
            self.connection.receive_space()[..chunk.len()].copy_from_slice(chunk);
            self.connection.received(chunk.len(), self.now);
        }
    }

    /// The peer closes.
    pub(crate) fn s_eof(&mut self) {
        self.connection.received(0, self.now);
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.connection.handle_timeout(self.now);
    }

    /// The events are these.
    #[track_caller]
    pub(crate) fn e(&mut self, expected: &[&str]) {
        assert_eq!(self.events(), expected);
    }

    pub(crate) fn events(&mut self) -> Vec<String> {
        let mut events = Vec::new();
        while let Some(event) = self.connection.poll_event() {
            events.push(render(&event));
        }
        events
    }
}

/// One event as text, commands by their number.
fn render(event: &Event<'_>) -> String {
    let number = |id: &CommandId| format!("{id:?}").chars().filter(char::is_ascii_digit).collect::<String>();
    let whose = |id: &Option<CommandId>| id.as_ref().map_or("-".to_owned(), number);
    match event {
        Event::Greeting(_) => "greeting".to_owned(),
        Event::Data { id, response } => format!("{} {}", whose(id), response.raw().escape_ascii()),
        Event::BodyStart { id, len, .. } => format!("{} body of {len}", whose(id)),
        Event::Body { id, octets } => format!("{} octets {}", whose(id), octets.len()),
        Event::BodyEnd { id } => format!("{} body ends", whose(id)),
        Event::WantsBody { id, max } => format!("{} wants {max}", number(id)),
        Event::Idling { id } => format!("{} idles", number(id)),
        Event::Done { id, outcome: Ok(_) } => format!("{} ok", number(id)),
        Event::Done { id, outcome: Err(refused) } => format!("{} refused {:?}", number(id), refused.condition),
        Event::Failed { id, error, fate } => format!("{} failed {error} {fate:?}", number(id)),
        Event::Closed(error) => format!("closed {error}"),
        other => format!("{other:?}"),
    }
}
