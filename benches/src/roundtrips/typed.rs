//! imap-next and io-imap, which take the commands of imap-codec and leave the stream to their user.

use std::collections::VecDeque;

use imap_codec::imap_types::command::{Command, CommandBody};
use imap_codec::imap_types::core::{Literal, Tag, Vec1};
use imap_codec::imap_types::extensions::binary::LiteralOrLiteral8;
use imap_codec::imap_types::fetch::{Macro, MessageDataItemName};
use imap_codec::imap_types::mailbox::Mailbox;
use imap_codec::imap_types::response::{Status, StatusKind, Tagged};
use imap_codec::imap_types::status::StatusDataItemName;
use imap_next::client::{Client, Event, Options};
use imap_next::{Interrupt, Io, State};
use io_imap::codec::CommandCodec;
use io_imap::codec::fragmentizer::Fragmentizer;
use io_imap::send::{ImapSend, ImapSendResult};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

use super::{Work, folder, small};
use crate::options::Sizes;

/// Enqueues at most so many commands at once; what needs another's answer is not among them.
pub(super) async fn imap_next(mut stream: DuplexStream, work: Work, sizes: Sizes, at_once: usize) -> Instant {
    let mut began = Instant::now();
    let mut client = Client::new(Options::default());
    for (at, step) in steps(work, &sizes).into_iter().enumerate() {
        if at == 1 && work != Work::FirstSummary {
            began = Instant::now();
        }
        let mut waiting: VecDeque<_> = step.into();
        while !waiting.is_empty() {
            let batch = waiting.len().min(at_once);
            for (n, body) in waiting.drain(..batch).enumerate() {
                client.enqueue_command(tagged(&format!("s{at}n{n}"), body));
            }
            finish(&mut client, &mut stream, batch).await;
        }
    }
    began
}

/// Moves octets until so many tagged lines have come.
async fn finish(client: &mut Client, stream: &mut DuplexStream, mut commands: usize) {
    let mut buffer = vec![0; 16 << 10];
    while commands > 0 {
        match client.next() {
            Err(Interrupt::Io(Io::Output(octets))) => stream.write_all(&octets).await.expect("it listens"),
            Err(Interrupt::Io(Io::NeedMoreInput)) => {
                let n = stream.read(&mut buffer).await.expect("it answers");
                assert!(n > 0, "imap-next is cut off");
                client.enqueue_input(&buffer[..n]);
            }
            Err(Interrupt::Error(error)) => panic!("imap-next gives up: {error}"),
            Ok(Event::StatusReceived { status: Status::Tagged(Tagged { body, .. }) }) => {
                assert_eq!(body.kind, StatusKind::Ok, "{body:?}");
                commands -= 1;
            }
            Ok(_) => {}
        }
    }
}

/// Its coroutine does one command after another.
pub(super) async fn io_imap(mut stream: DuplexStream, work: Work, sizes: Sizes) -> Instant {
    let mut began = Instant::now();
    let mut buffer = vec![0; 16 << 10];
    let greeting = stream.read(&mut buffer).await.expect("it greets");
    assert!(buffer[..greeting].ends_with(b"\r\n"));
    let mut fragmentizer = Fragmentizer::without_max_message_size();
    for (at, step) in steps(work, &sizes).into_iter().enumerate() {
        if at == 1 && work != Work::FirstSummary {
            began = Instant::now();
        }
        for (n, body) in step.into_iter().enumerate() {
            let command = tagged(&format!("s{at}n{n}"), body);
            let mut send = ImapSend::new(CommandCodec::default(), command);
            let mut read = None;
            loop {
                match send.resume(&mut fragmentizer, read.take().map(|n| &buffer[..n])) {
                    ImapSendResult::WantsRead => read = Some(stream.read(&mut buffer).await.expect("it answers")),
                    ImapSendResult::WantsWrite(octets) => stream.write_all(&octets).await.expect("it listens"),
                    ImapSendResult::Ok(_) => break,
                    ImapSendResult::Err(error) => panic!("io-imap gives up: {error}"),
                }
            }
        }
    }
    began
}

fn tagged(tag: &str, body: CommandBody<'static>) -> Command<'static> {
    Command { tag: Tag::try_from(tag.to_owned()).expect("a tag"), body }
}

/// Each step needs the answers to the one before; the first logs in.
fn steps(work: Work, sizes: &Sizes) -> Vec<Vec<CommandBody<'static>>> {
    let select = |name: String| CommandBody::select(name).expect("a mailbox");
    let fetch = |items: Vec<MessageDataItemName<'static>>| CommandBody::fetch("1:*", items, false).expect("a fetch");
    let mut steps = vec![vec![CommandBody::login("alice", "secret").expect("a login")]];
    match work {
        Work::FirstSummary => {
            steps.push(vec![select("INBOX".to_owned())]);
            steps.push(vec![CommandBody::fetch("1:*", Macro::All, true).expect("a fetch")]);
        }
        Work::Status => {
            let items = [StatusDataItemName::Messages, StatusDataItemName::UidNext, StatusDataItemName::Unseen];
            let status = |n| CommandBody::status(folder(n), items.to_vec()).expect("a mailbox");
            steps.push((0..sizes.commands).map(status).collect());
        }
        Work::Append => {
            let literal = Literal::try_from(small()).expect("no NUL").into_non_sync();
            let append = CommandBody::Append {
                mailbox: Mailbox::Inbox,
                flags: Vec::new(),
                date: None,
                message: LiteralOrLiteral8::Literal(literal),
            };
            steps.push(vec![append; sizes.commands]);
        }
        Work::Synchronise => {
            steps.push(vec![CommandBody::list("", "*").expect("a pattern")]);
            let names = (0..sizes.mailboxes - 1).map(folder).chain(["INBOX".to_owned()]);
            let items = Vec1::try_from(vec![MessageDataItemName::Uid, MessageDataItemName::Flags]).expect("two items");
            // Nothing of the answer to SELECT is needed for what follows.
            steps.push(names.flat_map(|name| [select(name), fetch(items.clone().into_inner())]).collect());
        }
    }
    steps
}
