//! COMPRESS=DEFLATE as a transform of bytes: between the stream and the decoder, and between the outbox and the stream.
//! RFC 4978
//!
//! ```text
//!  stream ──► input (16 KiB) ──► inflater (32 KiB window) ──► the decoder's space, at most 32 KiB a step
//!  stream ◄── output (32 KiB) ◄── deflater (32 KiB window) ◄── outbox
//! ```
//!
//! What is inflated is inflated because the decoder has nothing left to read: a megabyte that inflates to a gigabyte is
//! never more than one step of it in memory, and every limit counts what came out.

#[cfg(any(feature = "compress", test))]
mod on {
    use alloc::boxed::Box;
    use alloc::vec::Vec;

    use miniz_oxide::deflate::core::{CompressorOxide, create_comp_flags_from_zip_params};
    use miniz_oxide::deflate::stream::deflate;
    use miniz_oxide::inflate::stream::{InflateState, inflate};
    use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus, StreamResult};

    use crate::error::Violation;
    use crate::wire::Decoder;

    /// What is asked of one read while something is under way, and so what waits to be inflated.
    const MOST_INPUT: usize = 16 << 10;
    /// The same while nothing is.
    const IDLE_INPUT: usize = 1 << 10;
    /// What is deflated ahead of a write. More of the outbox follows once it has left.
    const MOST_OUTPUT: usize = 32 << 10;
    /// What is deflated at a time, so that incompressible octets pass that by little.
    const MOST_STEP: usize = 16 << 10;
    /// By how much the output grows while there is more to say.
    const ROOM: usize = 4 << 10;
    /// Between time and size, as zlib has it by default.
    const LEVEL: i32 = 6;
    /// DEFLATE without the header of zlib, with the whole window of 32 KiB. RFC 4978 §4
    const RAW: i32 = -15;

    /// Both directions of a compressed connection.
    pub(in super::super) struct Layer {
        inflater: Box<InflateState>,
        deflater: Box<CompressorOxide>,
        /// What was received, and from where to where it was not inflated yet.
        input: Vec<u8>,
        from: usize,
        until: usize,
        state: State,
        /// What was deflated, and how much of it has left.
        output: Vec<u8>,
        sent: usize,
        /// The first tag of which nothing is in the bytes that left, while none of those that wait have.
        first_unsent: Option<u32>,
        /// True where some of what was deflated is still inside, for want of a flush.
        unflushed: bool,
    }

    #[derive(Clone, Copy, PartialEq, Eq)]
    enum State {
        /// All that was received is inflated.
        Dry,
        /// There is input, or output that found no room.
        Flowing,
        /// The last block is over.
        Ended,
        Corrupt,
    }

    impl core::fmt::Debug for Layer {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            let (input, output) = (self.until - self.from, self.output.len() - self.sent);
            write!(f, "Layer {{ [{input} octets to inflate], [{output} octets to send] }}")
        }
    }

    impl Layer {
        /// Begins with `received`, which came behind the OK.
        pub(in super::super) fn new(received: Vec<u8>) -> Self {
            Layer {
                inflater: InflateState::new_boxed(DataFormat::Raw),
                deflater: Box::new(CompressorOxide::new(create_comp_flags_from_zip_params(LEVEL, RAW, 0))),
                from: 0,
                until: received.len(),
                state: if received.is_empty() { State::Dry } else { State::Flowing },
                input: received,
                output: Vec::new(),
                sent: 0,
                first_unsent: None,
                unflushed: false,
            }
        }

        /// Room to read into: none while as much as may be waits to be inflated.
        pub(in super::super) fn space(&mut self, idle: bool) -> &mut [u8] {
            self.input.copy_within(self.from..self.until, 0);
            (self.from, self.until) = (0, self.until - self.from);
            let most = if idle { IDLE_INPUT } else { MOST_INPUT };
            if self.until == 0 && self.input.len() != most {
                self.input = alloc::vec![0; most];
            }
            self.input.get_mut(self.until..).unwrap_or_default()
        }

        /// True where [`space`](Self::space) has room.
        pub(in super::super) fn has_space(&self) -> bool {
            self.until == self.from || self.until - self.from < self.input.len()
        }

        pub(in super::super) fn received(&mut self, n: usize) {
            self.until = self.input.len().min(self.until + n);
            if self.state == State::Dry {
                self.state = State::Flowing;
            }
        }

        /// Gives memory back while nothing is under way.
        pub(in super::super) fn rest(&mut self) {
            if self.output.is_empty() {
                self.output = Vec::new();
            }
        }

        /// Inflates one step into the decoder's space. How many bytes it was; `None` where there is nothing to inflate.
        pub(in super::super) fn inflate(&mut self, decoder: &mut Decoder) -> Result<Option<usize>, Violation> {
            match self.state {
                State::Dry => return Ok(None),
                State::Corrupt => return Err(Violation::CorruptCompression),
                State::Ended if self.from < self.until => return Err(Violation::DataAfterCompression),
                State::Ended => return Ok(None),
                State::Flowing => {}
            }
            let space = decoder.space();
            let input = self.input.get(self.from..self.until).unwrap_or_default();
            let StreamResult { bytes_consumed, bytes_written, status } =
                inflate(&mut self.inflater, input, space, MZFlush::None);
            self.from += bytes_consumed;
            decoder.received(bytes_written);
            self.state = match status {
                Ok(MZStatus::StreamEnd) => State::Ended,
                // It may hand out what it has before it looks for more: only what brings nothing is through.
                Ok(_) | Err(MZError::Buf) if self.from == self.until && bytes_written == 0 => State::Dry,
                Ok(_) | Err(MZError::Buf) => State::Flowing,
                Err(_) => State::Corrupt,
            };
            Ok(Some(bytes_written))
        }

        /// What may leave.
        pub(in super::super) fn waiting(&self) -> &[u8] {
            self.output.get(self.sent..).unwrap_or_default()
        }

        /// Takes note that `n` bytes of it have left.
        pub(in super::super) fn left(&mut self, n: usize) {
            if n == 0 {
                return;
            }
            self.first_unsent = None;
            self.sent = self.output.len().min(self.sent + n);
            if self.sent == self.output.len() {
                self.output.clear();
                self.sent = 0;
            }
        }

        /// True while more may be deflated before some of it has left.
        pub(in super::super) fn has_room(&self) -> bool {
            self.sent == 0 && self.output.len() < MOST_OUTPUT
        }

        /// Deflates some of the octets, and says how many. `left_tags` is the number of the first tag of which none was
        /// deflated before.
        pub(in super::super) fn deflate(&mut self, octets: &[u8], left_tags: u32) -> usize {
            self.first_unsent.get_or_insert(left_tags);
            let octets = octets.get(..MOST_STEP).unwrap_or(octets);
            self.run(octets, MZFlush::None);
            self.unflushed = true;
            octets.len()
        }

        /// Puts all that was deflated into the output, ended so that the server can inflate all of it.
        pub(in super::super) fn flush(&mut self) {
            if core::mem::take(&mut self.unflushed) {
                self.run(&[], MZFlush::Sync);
            }
        }

        fn run(&mut self, mut octets: &[u8], flush: MZFlush) {
            loop {
                let end = self.output.len();
                self.output.resize(end + ROOM, 0);
                let room = self.output.get_mut(end..).unwrap_or_default();
                let result = deflate(&mut self.deflater, octets, room, flush);
                self.output.truncate(end + result.bytes_written);
                octets = octets.get(result.bytes_consumed..).unwrap_or_default();
                // It stops short of the room only when it is through.
                if result.bytes_written < ROOM {
                    debug_assert!(octets.is_empty(), "all octets are taken");
                    return;
                }
            }
        }

        /// The number of the first tag of which no byte can have left.
        pub(in super::super) fn first_unsent(&self, left_tags: u32) -> u32 {
            self.first_unsent.unwrap_or(left_tags)
        }
    }
}

#[cfg(not(any(feature = "compress", test)))]
mod off {
    use crate::error::Violation;
    use crate::wire::Decoder;

    /// There is none.
    #[derive(Debug)]
    pub(in super::super) enum Layer {}

    impl Layer {
        pub(in super::super) fn space(&mut self, _: bool) -> &mut [u8] {
            match *self {}
        }

        pub(in super::super) fn has_space(&self) -> bool {
            match *self {}
        }

        pub(in super::super) fn received(&mut self, _: usize) {
            match *self {}
        }

        pub(in super::super) fn rest(&mut self) {
            match *self {}
        }

        pub(in super::super) fn inflate(&mut self, _: &mut Decoder) -> Result<Option<usize>, Violation> {
            match *self {}
        }

        pub(in super::super) fn waiting(&self) -> &[u8] {
            match *self {}
        }

        pub(in super::super) fn left(&mut self, _: usize) {
            match *self {}
        }

        pub(in super::super) fn has_room(&self) -> bool {
            match *self {}
        }

        pub(in super::super) fn deflate(&mut self, _: &[u8], _: u32) -> usize {
            match *self {}
        }

        pub(in super::super) fn flush(&mut self) {
            match *self {}
        }

        pub(in super::super) fn first_unsent(&self, _: u32) -> u32 {
            match *self {}
        }
    }
}

#[cfg(not(any(feature = "compress", test)))]
pub(super) use off::*;
#[cfg(any(feature = "compress", test))]
pub(super) use on::*;
