//! io-imap: the coroutine below all of its commands, which collects what a command is answered.

use io_imap::codec::CommandCodec;
use io_imap::codec::fragmentizer::Fragmentizer;
use io_imap::send::{ImapSend, ImapSendResult};
use io_imap::types::command::{Command, CommandBody};
use io_imap::types::core::Tag;

use super::codec_values;
use crate::contender::{Contender, Counted, Depth, Touch};

/// One command for each run; a tagged OK follows the corpus, since nothing comes out before it.
pub struct IoImap;

impl Contender for IoImap {
    fn name(&self) -> &'static str {
        "io-imap"
    }

    fn depth(&self) -> Depth {
        Depth::Values
    }

    fn run(&mut self, bytes: &[u8], chunk: usize) -> Counted {
        let tag = Tag::try_from("a1").expect("a1 is a tag");
        let mut send: ImapSend<CommandCodec> = ImapSend::receive(Command { tag, body: CommandBody::Noop });
        let mut fragmentizer = Fragmentizer::without_max_message_size();
        let done: &[u8] = b"a1 OK Fetch completed.\r\n";
        let mut chunks = bytes.chunks(chunk).chain([done]);
        let mut chunk = None;
        let output = loop {
            match send.resume(&mut fragmentizer, chunk.take()) {
                ImapSendResult::WantsRead => chunk = chunks.next(),
                ImapSendResult::WantsWrite(_) => panic!("io-imap wants to write"),
                ImapSendResult::Ok(output) => break output,
                ImapSendResult::Err(error) => panic!("io-imap gives up: {error}"),
            }
        };
        let mut touch = Touch::default();
        output.data.iter().for_each(|data| codec_values::data(data, &mut touch));
        Counted { responses: output.data.len() as u64, touched: touch.0 }
    }
}
