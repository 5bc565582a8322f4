use std::io::{Read, Write};
use std::net::TcpStream;

use imap_codec::imap_types::command::{Command, CommandBody};
use imap_codec::imap_types::core::Tag;
use imap_codec::imap_types::fetch::{MessageDataItem, MessageDataItemName};
use imap_codec::imap_types::response::Data;
use io_imap::codec::CommandCodec;
use io_imap::codec::fragmentizer::Fragmentizer;
use io_imap::send::{ImapSend, ImapSendResult};

use super::{Login, Work};

/// As its own blocking client does: its coroutine over a stream, 16 KiB a read.
pub(super) fn run(work: Work, login: &Login<'_>) -> u64 {
    let mut session = Session::new(login.port);
    session.run(CommandBody::login(login.user.to_owned(), login.password.to_owned()).expect("a login"));
    if work == Work::List {
        let names = session.run(CommandBody::list("", "*").expect("a pattern"));
        return names.iter().filter(|data| matches!(data, Data::List { .. })).count() as u64;
    }
    session.run(CommandBody::examine("INBOX").expect("a mailbox"));
    let mut items = vec![
        MessageDataItemName::Flags,
        MessageDataItemName::InternalDate,
        MessageDataItemName::Rfc822Size,
        MessageDataItemName::Envelope,
    ];
    match work {
        Work::A | Work::List => {}
        Work::B => items.push(MessageDataItemName::BodyStructure),
        Work::Body => items = vec![MessageDataItemName::BodyExt { section: None, partial: None, peek: true }],
    }
    let messages = session.run(CommandBody::fetch("1:*", items, true).expect("a fetch"));
    messages.iter().map(|data| count(work, data)).sum()
}

fn count(work: Work, data: &Data<'_>) -> u64 {
    let Data::Fetch { items, .. } = data else { return 0 };
    let found = items.as_ref().iter().map(|item| match item {
        MessageDataItem::BodyExt { data, .. } => data.0.as_ref().map_or(0, |data| data.as_ref().len() as u64),
        MessageDataItem::Envelope(envelope) if work != Work::Body => u64::from(envelope.subject.0.is_some()),
        _ => 0,
    });
    found.sum()
}

struct Session {
    stream: TcpStream,
    fragmentizer: Fragmentizer,
    buffer: Vec<u8>,
    tags: u32,
}

impl Session {
    fn new(port: u16) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("Dovecot listens");
        let mut buffer = vec![0; 16 << 10];
        let greeting = stream.read(&mut buffer).expect("it greets");
        assert!(buffer[..greeting].ends_with(b"\r\n"));
        Self { stream, fragmentizer: Fragmentizer::without_max_message_size(), buffer, tags: 0 }
    }

    fn run(&mut self, body: CommandBody<'static>) -> Vec<Data<'static>> {
        self.tags += 1;
        let tag = Tag::try_from(format!("t{}", self.tags)).expect("a tag");
        let mut send = ImapSend::new(CommandCodec::default(), Command { tag, body });
        let mut read = None;
        loop {
            match send.resume(&mut self.fragmentizer, read.take().map(|n| &self.buffer[..n])) {
                ImapSendResult::WantsRead => read = Some(self.stream.read(&mut self.buffer).expect("it answers")),
                ImapSendResult::WantsWrite(octets) => self.stream.write_all(&octets).expect("it listens"),
                ImapSendResult::Ok(output) => return output.data,
                ImapSendResult::Err(error) => panic!("io-imap gives up: {error}"),
            }
        }
    }
}
