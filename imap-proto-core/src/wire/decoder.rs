use alloc::vec::Vec;

use super::frame::{Framer, Piece};
use super::{FrameError, Limits, OwnedResponse, Response};

/// What is longer is worth a receive buffer of its own.
const LONG: usize = 32 << 10;

/// Bytes in, responses out: the framer, one token table that is used again and again, and nothing else.
///
/// ```
/// use imap_proto_core::wire::{Decoder, Kind, Limits, Step};
///
/// let mut decoder = Decoder::new(Limits::default());
/// let line = b"* 23 EXISTS\r\n";
/// decoder.space()[..line.len()].copy_from_slice(line);
/// decoder.received(line.len());
/// assert_eq!(decoder.advance()?, Some(Step::Response));
/// assert_eq!(decoder.response().kind(), Kind::Exists(23));
/// assert_eq!(decoder.advance()?, None);
/// # Ok::<(), imap_proto_core::wire::FrameError>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    framer: Framer,
    limits: Limits,
}

/// What [`Decoder::advance`] arrived at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A whole response; [`Decoder::response`] lends it.
    Response,
    /// A streamed literal begins; [`Decoder::response`] lends what came before it.
    BodyStart {
        /// The announced length in octets.
        len: u64,
    },
    /// Octets of that literal; [`Decoder::octets`] lends them.
    Body,
    /// The literal is over.
    BodyEnd,
}

impl Decoder {
    /// Returns a decoder that has received nothing.
    pub fn new(limits: Limits) -> Self {
        Decoder { framer: Framer::new(limits), limits }
    }

    /// Replaces the limits, as authentication does.
    pub fn set_limits(&mut self, limits: Limits) {
        self.framer.set_limits(limits);
        self.limits = limits;
    }

    /// Says that mailbox names come in UTF-8 from here on, as ENABLE may bring about.
    pub fn set_utf8_names(&mut self, utf8_names: bool) {
        self.framer.parsed.utf8_names = utf8_names;
    }

    /// Room to read into: between a quarter of a KiB and 32 KiB, more after reads that filled it.
    ///
    /// Go on until there is nothing more before reading again, else the buffer grows with what was left.
    pub fn space(&mut self) -> &mut [u8] {
        self.framer.space()
    }

    /// Takes note that `n` bytes were read into [`space`](Self::space).
    pub fn received(&mut self, n: usize) {
        self.framer.received(n);
    }

    /// Goes on to the next response or piece of a body; `None` when more has to be received.
    ///
    /// # Errors
    /// [`FrameError`] when the boundary between responses is lost.
    #[inline]
    pub fn advance(&mut self) -> Result<Option<Step>, FrameError> {
        let step = match self.framer.next_piece() {
            Piece::Missing => return Ok(None),
            Piece::Frame => {
                self.framer.parsed.read(self.framer.found(), &self.limits);
                Step::Response
            }
            Piece::BodyStart => {
                self.framer.parsed.read(self.framer.found(), &self.limits);
                Step::BodyStart { len: self.framer.detached().last().map_or(0, |body| body.len) }
            }
            Piece::Body => Step::Body,
            Piece::BodyEnd => Step::BodyEnd,
            Piece::Lost(lost) => return Err(self.framer.error(lost)),
        };
        Ok(Some(step))
    }

    /// The response that [`advance`](Self::advance) arrived at.
    #[inline]
    pub fn response(&self) -> Response<'_> {
        Response::of(&self.framer.parsed)
    }

    /// Takes the response that [`advance`](Self::advance) arrived at, with the buffer in which it was received where most of
    /// that is the response: what is long is not copied. Then there is nothing to lend until the next one.
    #[inline]
    pub fn take_response(&mut self) -> OwnedResponse {
        if self.framer.found().len() > LONG
            && let Some(parsed) = self.framer.take_with_buffer()
        {
            return OwnedResponse::new(parsed);
        }
        self.response().to_owned()
    }

    /// The octets that [`advance`](Self::advance) arrived at, where it was [`Step::Body`].
    #[inline]
    pub fn octets(&self) -> &[u8] {
        self.framer.bytes()
    }

    /// Takes out what was received behind the response that [`advance`](Self::advance) arrived at.
    #[cfg(any(feature = "compress", test))]
    pub(crate) fn take_buffered(&mut self) -> Vec<u8> {
        self.framer.take_buffered()
    }

    /// True when no response is half received.
    pub fn is_between_responses(&self) -> bool {
        self.framer.is_between_responses()
    }

    /// Bytes received and not yet part of anything that was arrived at.
    pub fn buffered(&self) -> usize {
        self.framer.buffered()
    }

    /// How many bytes were looked at so far to find where responses end. At most twice what was received.
    pub fn scanned(&self) -> u64 {
        self.framer.scanned()
    }

    /// Gives memory back while nothing is expected.
    pub fn rest(&mut self) {
        self.framer.rest();
        if self.framer.parsed.block.capacity() > 128 {
            self.framer.parsed.block = Vec::new();
            self.framer.parsed.count = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::super::{Detached, Kind, TokenKind, Value};
    use super::*;

    fn feed(decoder: &mut Decoder, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let space = decoder.space();
            let (now, later) = bytes.split_at(bytes.len().min(space.len()));
            space[..now.len()].copy_from_slice(now);
            decoder.received(now.len());
            bytes = later;
        }
    }

    #[test]
    fn a_streamed_body_comes_between_its_response_so_far_and_the_whole_of_it() {
        let mut decoder = Decoder::new(Limits { inline: 2, ..Limits::default() });
        feed(&mut decoder, b"* 1 FETCH (UID 7 BODY[] {5}\r\nabc");
        assert_eq!(decoder.advance(), Ok(Some(Step::BodyStart { len: 5 })));
        assert_eq!(decoder.response().as_fetch().and_then(|fetch| fetch.uid()).map(u32::from), Some(7));
        assert_eq!(decoder.advance(), Ok(Some(Step::Body)));
        assert_eq!(decoder.octets(), b"abc");
        assert_eq!(decoder.advance(), Ok(None));
        feed(&mut decoder, b"de FLAGS ())\r\n");
        assert_eq!(decoder.advance(), Ok(Some(Step::Body)));
        assert_eq!(decoder.octets(), b"de");
        assert_eq!(decoder.advance(), Ok(Some(Step::BodyEnd)));
        assert_eq!(decoder.advance(), Ok(Some(Step::Response)));
        let literal = Detached { at: 29, skipped: false, len: 5 };
        assert_eq!(decoder.response().detached(), [literal]);
        let list = decoder.response().first().and_then(Value::list).expect("a list");
        assert_eq!(list.clone().nth(3).and_then(Value::detached), Some((0, literal)));
        assert_eq!(list.clone().nth(3).map(Value::kind), Some(TokenKind::Detached));
        assert_eq!(decoder.response().raw(), b"* 1 FETCH (UID 7 BODY[] {5}\r\n FLAGS ())");
        assert_eq!(decoder.advance(), Ok(None));
    }

    #[test]
    fn what_has_no_values_leaves_none_of_the_response_before() {
        let mut decoder = Decoder::new(Limits::default());
        feed(&mut decoder, b"* LIST (a b\r\n* SEARCH 1 2 3\r\n");
        assert_eq!(decoder.advance(), Ok(Some(Step::Response)));
        assert!(decoder.response().damage().unbalanced);
        assert_eq!(decoder.advance(), Ok(Some(Step::Response)));
        assert!(decoder.response().values().is_empty() && decoder.response().damage().is_none());
    }

    #[test]
    fn new_limits_hold_from_the_next_line_on() {
        let mut decoder = Decoder::new(Limits { response: 8, ..Limits::default() });
        feed(&mut decoder, b"* OK\r\n");
        assert_eq!(decoder.advance(), Ok(Some(Step::Response)));
        decoder.set_limits(Limits { response: 12, depth: 0, ..Limits::default() });
        feed(&mut decoder, b"* FLAGS ()\r\n* FLAGS (a)\r\n");
        assert_eq!(decoder.advance(), Ok(Some(Step::Response)));
        assert_eq!(decoder.response().first().map(Value::kind), Some(TokenKind::Opaque));
        assert_eq!(decoder.advance(), Err(FrameError::TooLong { limit: 12 }));
    }

    #[test]
    fn what_was_read_before_a_rest_is_gone_with_its_bytes() {
        let mut decoder = Decoder::new(Limits::default());
        let line = [&b"* X \""[..], &b"a".repeat(2000), b"\" b\r\n"].concat();
        for piece in line.chunks(500) {
            feed(&mut decoder, piece);
            let _ = decoder.advance();
        }
        assert_eq!(decoder.response().values().count(), 2);
        decoder.rest();
        assert!(decoder.response().raw().is_empty() && decoder.response().values().is_empty());
    }

    #[test]
    fn a_kept_response_is_the_same_as_the_one_it_is_a_copy_of() {
        for len in 0..20 {
            let line = format!("* X ({} \"{}\" {{3}}\r\na\"b) c\r\n", "a".repeat(len), "b".repeat(len / 2));
            let mut decoder = Decoder::new(Limits::default());
            feed(&mut decoder, b"* OK\r\n");
            assert_eq!(decoder.advance(), Ok(Some(Step::Response)));
            feed(&mut decoder, line.as_bytes());
            assert_eq!(decoder.advance(), Ok(Some(Step::Response)));
            let response = decoder.response();
            let kept = response.to_owned();
            assert_eq!(kept.get().raw(), line.trim_end().as_bytes());
            assert!(kept.get().tokens().eq(response.tokens()));
            let [ours, theirs] = [kept.get(), response].map(|one| format!("{:?}", one.values().collect::<Vec<_>>()));
            assert_eq!(ours, theirs);
            assert_eq!(kept.clone().get().to_owned().get().raw(), response.raw());
        }
    }

    #[test]
    fn what_is_taken_is_what_was_lent_and_what_comes_behind_it_is_not_lost() {
        for (name, octets) in [("BODY[]", 100_000), ("X", 100_000), ("BODY[]", 100)] {
            let line = format!("* 1 FETCH ({name} {{{octets}}}\r\n{} UID 7)\r\n", "a".repeat(octets));
            let before = format!("* OK\r\n* OK {}\r\n", "b".repeat(octets / 2));
            for input in [format!("{line}* 2 EXISTS\r\n* 3 EX"), format!("{before}{line}* 2 EXISTS\r\n* 3 EX")] {
                let limits = Limits { inline: 200_000, ..Limits::default() };
                let [mut decoder, mut lent] = [Decoder::new(limits), Decoder::new(limits)];
                for piece in input.as_bytes().chunks(10_000) {
                    feed(&mut decoder, piece);
                    feed(&mut lent, piece);
                    while let Some(step) = lent.advance().expect("it can be framed") {
                        assert_eq!(decoder.advance(), Ok(Some(step)));
                        let taken = decoder.take_response();
                        assert_eq!(taken.get().raw(), lent.response().raw());
                        assert!(taken.get().tokens().eq(lent.response().tokens()));
                        assert_eq!(taken.get().kind(), lent.response().kind());
                    }
                    assert_eq!(decoder.advance(), Ok(None));
                    assert_eq!(decoder.buffered(), lent.buffered());
                }
                feed(&mut decoder, b"ISTS\r\n");
                assert_eq!(decoder.advance(), Ok(Some(Step::Response)));
                assert_eq!(decoder.response().kind(), Kind::Exists(3));
            }
        }
    }

    #[test]
    fn a_long_response_is_taken_with_its_buffer() {
        let mut decoder = Decoder::new(Limits { inline: 200_000, ..Limits::default() });
        let line = format!("* 1 FETCH (BODY[] {{100000}}\r\n{})\r\n", "a".repeat(100_000));
        for piece in line.as_bytes().chunks(1000) {
            feed(&mut decoder, piece);
            let _ = decoder.advance();
        }
        let place = decoder.response().raw().as_ptr();
        let taken = decoder.take_response();
        assert_eq!(taken.get().raw().as_ptr(), place, "it was not copied");
        assert!(decoder.response().raw().is_empty() && decoder.response().values().is_empty());
        assert_eq!(decoder.framer.parsed.buffer.capacity(), 0);
        assert_eq!(decoder.take_response().get().raw(), b"");
    }

    #[test]
    fn a_decoder_at_rest_gives_its_table_back() {
        let mut decoder = Decoder::new(Limits::default());
        feed(&mut decoder, &[b"* X", &b" a".repeat(500)[..], b"\r\n"].concat()[..1000]);
        feed(&mut decoder, b"a\r\n");
        assert_eq!(decoder.advance(), Ok(Some(Step::Response)));
        assert!(decoder.framer.parsed.block.capacity() > 128);
        decoder.rest();
        assert_eq!(decoder.framer.parsed.block.capacity(), 0);
    }
}
