//! imap-proto in the best naive loop.

use imap_proto::Response;
use nom::Err::Incomplete;

use super::{proto_values, receive_buffer::ReceiveBuffer};
use crate::contender::{Contender, Counted, Depth, Touch};

/// Parses from the front of one buffer, reads on when a response is incomplete.
#[derive(Default)]
pub struct ImapProto {
    buffer: ReceiveBuffer,
}

impl Contender for ImapProto {
    fn name(&self) -> &'static str {
        "imap-proto"
    }

    fn depth(&self) -> Depth {
        Depth::Values
    }

    fn run(&mut self, bytes: &[u8], chunk: usize) -> Counted {
        let mut touch = Touch::default();
        let mut responses = 0;
        self.buffer.clear();
        for chunk in bytes.chunks(chunk) {
            self.buffer.extend(chunk);
            while !self.buffer.unparsed().is_empty() {
                let remaining = match Response::parse(self.buffer.unparsed()) {
                    Ok((remaining, response)) => {
                        proto_values::touch(&response, &mut touch);
                        remaining.len()
                    }
                    Err(Incomplete(_)) => break,
                    Err(error) => {
                        panic!("imap-proto gives up: {:?}", error.map(|error| error.code))
                    }
                };
                responses += 1;
                self.buffer.keep(remaining);
            }
        }
        Counted { responses, touched: touch.0 }
    }
}
