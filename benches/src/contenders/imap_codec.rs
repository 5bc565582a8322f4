//! imap-codec, in the naive loop and behind its Fragmentizer.

use imap_codec::ResponseCodec;
use imap_codec::decode::{Decoder, ResponseDecodeError};
use imap_codec::fragmentizer::{FragmentInfo, Fragmentizer};

use super::{codec_values, receive_buffer::ReceiveBuffer};
use crate::contender::{Contender, Counted, Depth, Touch};

/// Parses from the front of one buffer, reads on when a response is incomplete.
#[derive(Default)]
pub struct Raw {
    buffer: ReceiveBuffer,
}

impl Contender for Raw {
    fn name(&self) -> &'static str {
        "imap-codec raw"
    }

    fn depth(&self) -> Depth {
        Depth::Values
    }

    fn run(&mut self, bytes: &[u8], chunk: usize) -> Counted {
        let codec = ResponseCodec::default();
        let mut touch = Touch::default();
        let mut responses = 0;
        self.buffer.clear();
        for chunk in bytes.chunks(chunk) {
            self.buffer.extend(chunk);
            while !self.buffer.unparsed().is_empty() {
                let remaining = match codec.decode(self.buffer.unparsed()) {
                    Ok((remaining, response)) => {
                        codec_values::response(&response, &mut touch);
                        remaining.len()
                    }
                    Err(ResponseDecodeError::Failed) => panic!("imap-codec gives up"),
                    Err(_) => break,
                };
                responses += 1;
                self.buffer.keep(remaining);
            }
        }
        Counted { responses, touched: touch.0 }
    }
}

/// Lets the Fragmentizer find the responses, decodes each once, borrowed.
pub struct Fragmented {
    fragmentizer: Fragmentizer,
}

impl Default for Fragmented {
    fn default() -> Self {
        Self { fragmentizer: Fragmentizer::without_max_message_size() }
    }
}

impl Contender for Fragmented {
    fn name(&self) -> &'static str {
        "imap-codec + Fragmentizer"
    }

    fn depth(&self) -> Depth {
        Depth::Values
    }

    fn run(&mut self, bytes: &[u8], chunk: usize) -> Counted {
        let codec = ResponseCodec::default();
        let mut touch = Touch::default();
        let mut responses = 0;
        for chunk in bytes.chunks(chunk) {
            self.fragmentizer.enqueue_bytes(chunk);
            while let Some(fragment) = self.fragmentizer.progress() {
                let line = matches!(fragment, FragmentInfo::Line { announcement: None, .. });
                if !line || !self.fragmentizer.is_message_complete() {
                    continue;
                }
                match self.fragmentizer.decode_message(&codec) {
                    Ok(response) => codec_values::response(&response, &mut touch),
                    Err(_) => panic!("imap-codec behind its Fragmentizer gives up"),
                }
                responses += 1;
            }
        }
        Counted { responses, touched: touch.0 }
    }
}
