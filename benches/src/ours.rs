//! Our own receive path: octets through the decoder, then tokens, values read in place, and values kept.

mod connection;
mod nom_tokens;
mod values;
mod views;

use imap_proto_core::wire::{Decoder, Limits, Response, Step};

use connection::{Connected, Responses};

use crate::contender::{Contender, Counted, Depth, Touch};

/// The contender that only frames and tokenises.
pub const TOKENS: &str = "ours: frames+tokens, borrowed";

/// The contender all ratios are taken against.
pub const REFERENCE: &str = "ours: connection, owned";

/// Our own contenders, fresh.
pub fn contenders() -> Vec<Box<dyn Contender>> {
    vec![
        Box::new(Ours::new(TOKENS, Depth::Frames, |response, touch| {
            touch.number(response.tokens().len() as u64);
        })),
        Box::new(Ours::new("ours: values, borrowed", Depth::Values, values::touch)),
        Box::new(Ours::new("ours: typed views", Depth::Values, views::touch)),
        Box::new(Ours::new("ours: nom over tokens", Depth::Values, nom_tokens::touch)),
        Box::new(Ours::new("ours: owned", Depth::Values, |response, touch| {
            views::touch(response.to_owned().get(), touch);
        })),
        Box::new(Connected::new("ours: connection", Depth::Values, Responses::Borrowed, views::touch)),
        Box::new(Connected::new(
            "ours: connection, owned, unread",
            Depth::Frames,
            Responses::Owned,
            |response, touch| {
                touch.number(response.tokens().len() as u64);
            },
        )),
        Box::new(Connected::new(REFERENCE, Depth::Values, Responses::Owned, views::touch)),
    ]
}

/// The decoder, and what is done with each response.
struct Ours {
    name: &'static str,
    depth: Depth,
    consume: fn(Response<'_>, &mut Touch),
    decoder: Decoder,
    /// Nothing was seen yet of the literal that is streamed.
    is_first: bool,
}

impl Ours {
    fn new(name: &'static str, depth: Depth, consume: fn(Response<'_>, &mut Touch)) -> Self {
        Self { name, depth, consume, decoder: Decoder::new(Limits::default()), is_first: false }
    }

    /// Consumes what is whole; of long literals, which are streamed, what is there.
    fn drain(&mut self, touch: &mut Touch) -> u64 {
        let mut responses = 0;
        while let Some(step) = self.decoder.advance().expect("a corpus keeps the limits") {
            match step {
                Step::Response => {
                    (self.consume)(self.decoder.response(), touch);
                    responses += 1;
                }
                Step::BodyStart { .. } => self.is_first = true,
                Step::Body => touch.piece(self.decoder.octets(), std::mem::take(&mut self.is_first)),
                Step::BodyEnd => {}
            }
        }
        responses
    }
}

impl Contender for Ours {
    fn name(&self) -> &'static str {
        self.name
    }

    fn depth(&self) -> Depth {
        self.depth
    }

    fn run(&mut self, bytes: &[u8], chunk: usize) -> Counted {
        let mut touch = Touch::default();
        let mut responses = 0;
        for mut chunk in bytes.chunks(chunk) {
            while !chunk.is_empty() {
                let space = self.decoder.space();
                let (now, later) = chunk.split_at(chunk.len().min(space.len()));
                space[..now.len()].copy_from_slice(now);
                self.decoder.received(now.len());
                chunk = later;
                responses += self.drain(&mut touch);
            }
        }
        Counted { responses, touched: touch.0 }
    }
}
