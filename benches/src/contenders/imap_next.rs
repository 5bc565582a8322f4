//! imap-next: its sans-IO client, which owns each response it hands out.

use imap_next::client::{Client, Event, Options};
use imap_next::{Interrupt, Io, State};

use super::codec_values;
use crate::contender::{Contender, Counted, Depth, Touch};

/// A fresh client for each run, behind the greeting.
pub struct ImapNext;

impl Contender for ImapNext {
    fn name(&self) -> &'static str {
        "imap-next"
    }

    fn depth(&self) -> Depth {
        Depth::Values
    }

    fn run(&mut self, bytes: &[u8], chunk: usize) -> Counted {
        let mut options = Options::default();
        options.discard_greeting = true;
        let mut client = Client::new(options);
        let mut chunks = bytes.chunks(chunk);
        let mut touch = Touch::default();
        let mut responses = 0;
        loop {
            match client.next() {
                Ok(Event::DataReceived { data }) => {
                    codec_values::data(&data, &mut touch);
                    responses += 1;
                }
                Ok(event) => panic!("imap-next has an event not asked for: {event:?}"),
                Err(Interrupt::Io(Io::NeedMoreInput)) => match chunks.next() {
                    Some(chunk) => client.enqueue_input(chunk),
                    None => break,
                },
                Err(Interrupt::Io(Io::Output(_))) => panic!("imap-next wants to write"),
                Err(Interrupt::Error(error)) => panic!("imap-next gives up: {error}"),
            }
        }
        Counted { responses, touched: touch.0 }
    }
}
