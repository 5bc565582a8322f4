//! DEFLATE below a [`MemoryWire`](crate::memory::MemoryWire), as the server's end of it has it. RFC 4978

use std::collections::VecDeque;

use miniz_oxide::deflate::core::{CompressorOxide, create_comp_flags_from_zip_params};
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush};

/// No header, and a window of 32 KiB. RFC 4978 §4
const RAW: i32 = -15;

/// Both directions of a compressed connection.
pub(crate) struct Deflate {
    inflater: Box<InflateState>,
    deflater: Box<CompressorOxide>,
    /// What is on its way to the client.
    queue: VecDeque<u8>,
    /// What the client knows of it: a flush ends in octets that say nothing more.
    client: Box<InflateState>,
}

impl Deflate {
    pub(crate) fn new() -> Self {
        Deflate {
            inflater: InflateState::new_boxed(DataFormat::Raw),
            deflater: Box::new(CompressorOxide::new(create_comp_flags_from_zip_params(6, RAW, 0))),
            queue: VecDeque::new(),
            client: InflateState::new_boxed(DataFormat::Raw),
        }
    }

    /// Whether all is read of what was said.
    pub(crate) fn is_read(&self) -> bool {
        self.queue.is_empty()
    }

    /// Takes what the server says, flushed.
    pub(crate) fn say(&mut self, bytes: &[u8]) {
        // More than any flushed block of these octets takes.
        let mut deflated = vec![0; bytes.len() * 2 + 1024];
        let done = miniz_oxide::deflate::stream::deflate(&mut self.deflater, bytes, &mut deflated, MZFlush::Sync);
        assert_eq!((done.status.is_ok(), done.bytes_consumed), (true, bytes.len()), "all of it was deflated");
        self.queue.extend(&deflated[..done.bytes_written]);
    }

    /// Gives the client at most `most` bytes, and how many of those said it knows by them.
    pub(crate) fn read(&mut self, most: usize) -> (Vec<u8>, usize) {
        let bytes: Vec<u8> = self.queue.drain(..most.min(self.queue.len())).collect();
        let known = inflated(&mut self.client, &bytes).expect("what was deflated can be inflated");
        (bytes, known.len())
    }

    /// What the client said, or nothing where it is no DEFLATE.
    pub(crate) fn hear(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        inflated(&mut self.inflater, bytes)
    }
}

fn inflated(state: &mut InflateState, mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let mut some = [0; 4096];
    loop {
        let done = inflate(state, bytes, &mut some, MZFlush::None);
        if !matches!(done.status, Ok(_) | Err(MZError::Buf)) {
            return None;
        }
        bytes = &bytes[done.bytes_consumed..];
        plain.extend_from_slice(&some[..done.bytes_written]);
        if bytes.is_empty() && done.bytes_written < some.len() {
            return Some(plain);
        }
    }
}
