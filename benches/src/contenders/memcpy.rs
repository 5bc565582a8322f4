//! One copy of the octets: what any receive path pays that does not read into its own buffer.

use std::hint::black_box;

use crate::contender::{Contender, Counted, Depth};

/// Copies each chunk into the same buffer.
#[derive(Default)]
pub struct Memcpy {
    buffer: Vec<u8>,
}

impl Contender for Memcpy {
    fn name(&self) -> &'static str {
        "memcpy"
    }

    fn depth(&self) -> Depth {
        Depth::Octets
    }

    fn run(&mut self, bytes: &[u8], chunk: usize) -> Counted {
        for chunk in bytes.chunks(chunk) {
            self.buffer.clear();
            self.buffer.extend_from_slice(chunk);
            black_box(self.buffer.as_slice());
        }
        Counted { responses: 0, touched: bytes.len() as u64 }
    }
}
