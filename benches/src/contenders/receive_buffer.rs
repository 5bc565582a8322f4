//! The buffer for parsers that bring none: contiguous, parsed from the front, moved down when more is read.

/// Octets that were received and not yet parsed.
#[derive(Default)]
pub(crate) struct ReceiveBuffer {
    bytes: Vec<u8>,
    parsed: usize,
}

impl ReceiveBuffer {
    /// Forgets everything but the allocation.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.parsed = 0;
    }

    /// Appends a chunk, as a read from the socket would.
    pub(crate) fn extend(&mut self, chunk: &[u8]) {
        if self.parsed == self.bytes.len() {
            self.clear();
        } else if self.parsed > 0 {
            self.bytes.copy_within(self.parsed.., 0);
            self.bytes.truncate(self.bytes.len() - self.parsed);
            self.parsed = 0;
        }
        self.bytes.extend_from_slice(chunk);
    }

    /// What is to be parsed.
    pub(crate) fn unparsed(&self) -> &[u8] {
        &self.bytes[self.parsed..]
    }

    /// Goes on behind a response that left `remaining` octets.
    pub(crate) fn keep(&mut self, remaining: usize) {
        self.parsed = self.bytes.len() - remaining;
    }
}
