use alloc::vec::Vec;
use core::ops::Range;

use memchr::{memchr, memchr2};

use super::Limits;

/// The receive buffer of a connection that has nothing under way.
const IDLE_SPACE: usize = 1 << 10;
/// The most that is asked of one read: two TLS records.
const MOST_SPACE: usize = 32 << 10;
/// More digits than a `u64` has are no length of anything.
const MOST_DIGITS: usize = 19;

/// Cuts bytes in any chunking into responses and the pieces of streamed literals.
///
/// ```text
///               ┌────────────── next line ──────────────┐
///               ▼                                       │
///  bytes ──► [ Line ] ──LF, no {n}──► Frame             │
///               │ LF after {n}                          │
///               ├── short enough ──► [ Literal ] ───────┤ stays in the frame
///               ├── a body section ─► [ Stream ] ───────┤ BodyStart, Body…, BodyEnd
///               └── over the limit ─► [ Skip ] ─────────┘ counted down, not kept
/// ```
///
/// Framing knows nothing of grammar but the two places where `{n}` opens no literal: inside a quoted
/// string, and in the text of `OK`, `NO`, `BAD`, `BYE`, `PREAUTH`, `+` and tagged lines, where a server
/// may echo what anybody wrote. A response that does not parse can therefore never cost its neighbours.
///
/// No byte is looked for twice: scanning goes on where it stopped, whatever the chunks.
/// [`scanned`](Self::scanned) counts, so that a test can hold us to it.
#[derive(Debug)]
pub struct Framer {
    buffer: Vec<u8>,
    /// The first byte of the response under way.
    head: usize,
    /// The first byte behind its last literal.
    line: usize,
    /// The first byte that was not looked at.
    scan: usize,
    /// The end of what was received.
    tail: usize,
    /// How far what was handed out last reaches; it is given up at the next call.
    spent: Spent,
    state: State,
    detached: Vec<Detached>,
    space: usize,
    scanned: u64,
    limits: Limits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Line,
    Literal { left: usize },
    Stream { left: u64 },
    Skip { left: u64 },
    StreamEnded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spent {
    Nothing,
    Frame { until: usize },
    Literal { from: usize, until: usize },
}

/// A literal whose octets are not in the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detached {
    /// Where its octets would begin in the frame.
    pub(crate) at: u32,
    /// True when it was longer than [`Limits::literal`] where no body is expected: its octets are gone.
    pub skipped: bool,
    /// Its length in octets, as announced.
    pub len: u64,
}

/// What the framer found next. Ranges are resolved with [`Framer::bytes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// One whole response, without its line end.
    Frame(Range<usize>),
    /// A streamed literal begins; the range is the response up to it.
    BodyStart {
        /// What came of the response so far.
        prefix: Range<usize>,
        /// The announced length in octets.
        len: u64,
    },
    /// Octets of the literal.
    Body(Range<usize>),
    /// The literal is over; the response goes on.
    BodyEnd,
}

/// Why the boundary between responses is lost. There is no way on from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A response is longer than [`Limits::response`].
    #[error("response longer than the limit of {limit} bytes")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// A literal announces a length no counter can hold.
    #[error("literal length out of range")]
    LiteralLength,
}

impl Framer {
    /// Returns a framer with an empty buffer.
    pub fn new(limits: Limits) -> Self {
        Framer {
            buffer: Vec::new(),
            head: 0,
            line: 0,
            scan: 0,
            tail: 0,
            spent: Spent::Nothing,
            state: State::Line,
            detached: Vec::new(),
            space: IDLE_SPACE,
            scanned: 0,
            limits: limits.clamped(),
        }
    }

    /// Replaces the limits, from the next literal or line on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits.clamped();
    }

    /// Room to read into: between one and 32 KiB, more after reads that filled it.
    ///
    /// Call [`next_piece`](Self::next_piece) until it has nothing more before reading again, else the buffer grows
    /// with what was left.
    pub fn space(&mut self) -> &mut [u8] {
        self.give_up_spent();
        if self.head == self.tail {
            self.move_to_front();
        }
        if self.buffer.len() - self.tail < self.space {
            if self.head > 0 {
                self.move_to_front();
            }
            let wanted = self.tail + self.space;
            if self.buffer.len() < wanted {
                // Doubling keeps copying linear; the length of a literal plays no part.
                let len = wanted.max(self.tail * 2);
                self.buffer.resize(len, 0);
            }
        }
        let until = self.buffer.len().min(self.tail + MOST_SPACE);
        &mut self.buffer[self.tail..until]
    }

    /// Takes note that `n` bytes were read into [`space`](Self::space).
    pub fn received(&mut self, n: usize) {
        let room = self.buffer.len() - self.tail;
        self.tail += n.min(room);
        if n >= self.space {
            self.space = (self.space * 2).min(MOST_SPACE);
        }
    }

    /// Gives memory back while nothing is expected. Does nothing where a response is half received.
    pub fn rest(&mut self) {
        self.give_up_spent();
        if self.head == self.tail && self.buffer.len() > IDLE_SPACE {
            self.move_to_front();
            self.buffer = Vec::new();
            self.space = IDLE_SPACE;
        }
    }

    /// Finds the next piece, or `None` when more has to be received.
    ///
    /// # Errors
    /// [`FrameError`] when the boundary is lost; the framer must not be used afterwards.
    pub fn next_piece(&mut self) -> Result<Option<Piece>, FrameError> {
        self.give_up_spent();
        loop {
            match self.state {
                State::Line => match self.next_line()? {
                    Line::Missing => return Ok(None),
                    Line::Frame(frame) => return Ok(Some(Piece::Frame(frame))),
                    Line::Blank | Line::Opened => {}
                    Line::Body { len } => {
                        let prefix = self.head..self.scan;
                        return Ok(Some(Piece::BodyStart { prefix, len }));
                    }
                },
                State::Literal { left } => {
                    let n = left.min(self.tail - self.scan);
                    self.scan += n;
                    if n < left {
                        self.state = State::Literal { left: left - n };
                        return Ok(None);
                    }
                    self.end_literal();
                }
                State::Stream { left } => {
                    let n = self.available(left);
                    if n == 0 {
                        return Ok(None);
                    }
                    let (from, until) = (self.scan, self.scan + n);
                    self.spent = Spent::Literal { from, until };
                    let left = left - n as u64;
                    self.state = if left == 0 { State::StreamEnded } else { State::Stream { left } };
                    return Ok(Some(Piece::Body(from..until)));
                }
                State::StreamEnded => {
                    self.end_literal();
                    return Ok(Some(Piece::BodyEnd));
                }
                State::Skip { left } => {
                    let n = self.available(left);
                    self.remove(self.scan, self.scan + n);
                    let left = left - n as u64;
                    self.state = State::Skip { left };
                    if left > 0 {
                        return Ok(None);
                    }
                    self.end_literal();
                }
            }
        }
    }

    /// The bytes of a range that [`next_piece`](Self::next_piece) returned, until it is called again.
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.buffer.get(range).unwrap_or_default()
    }

    /// The literals of the current frame whose octets are not in it.
    pub fn detached(&self) -> &[Detached] {
        &self.detached
    }

    /// True when no response is half received.
    pub fn is_between_responses(&self) -> bool {
        match self.spent {
            Spent::Frame { until } => until == self.tail,
            Spent::Nothing => self.state == State::Line && self.head == self.tail,
            Spent::Literal { .. } => false,
        }
    }

    /// Bytes received and not yet part of anything handed out.
    pub fn buffered(&self) -> usize {
        let from = match self.spent {
            Spent::Frame { until } | Spent::Literal { until, .. } => until,
            Spent::Nothing => self.head,
        };
        self.tail - from
    }

    /// How many bytes were looked at so far. At most twice what was received.
    pub fn scanned(&self) -> u64 {
        self.scanned
    }

    fn next_line(&mut self) -> Result<Line, FrameError> {
        let fresh = &self.buffer[self.scan..self.tail];
        let Some(lf) = memchr(b'\n', fresh) else {
            self.scanned += fresh.len() as u64;
            self.scan = self.tail;
            return self.check_length(Line::Missing);
        };
        self.scanned += lf as u64 + 1;
        let end = self.scan + lf;
        self.scan = end + 1;
        let segment = trim_line_end(&self.buffer[self.line..end]);
        if self.line == self.head {
            let nuls = segment.iter().take_while(|b| **b == 0).count();
            if nuls == segment.len() {
                self.start_frame(self.scan);
                return Ok(Line::Blank);
            }
            self.head += nuls;
            self.line = self.head;
        }
        let segment = trim_line_end(&self.buffer[self.line..end]);
        let frame_end = self.line + segment.len();
        if let Some(marker) = LiteralMarker::at_end_of(segment)
            && opens_literal(&self.buffer[self.head..frame_end])
        {
            self.scanned += segment.len() as u64;
            if !ends_inside_quotes(segment) {
                let len = marker.len?;
                return self.open_literal(len, marker.start + self.line);
            }
        }
        self.spent = Spent::Frame { until: self.scan };
        self.check_length(Line::Frame(self.head..frame_end))
    }

    fn check_length(&self, line: Line) -> Result<Line, FrameError> {
        let limit = self.limits.response;
        if self.scan - self.head > limit { Err(FrameError::TooLong { limit }) } else { Ok(line) }
    }

    fn open_literal(&mut self, len: u64, marker: usize) -> Result<Line, FrameError> {
        self.check_length(Line::Opened)?;
        let room = (self.limits.response - (self.scan - self.head)) as u64;
        let streamed = len > self.limits.inline && is_body_value(&self.buffer[self.head..marker]);
        if !streamed && len <= self.limits.literal.min(room) {
            self.state = State::Literal { left: len as usize };
            return Ok(Line::Opened);
        }
        let at = (self.scan - self.head) as u32;
        self.detached.push(Detached { at, len, skipped: !streamed });
        if streamed {
            self.state = State::Stream { left: len };
            Ok(Line::Body { len })
        } else {
            self.state = State::Skip { left: len };
            Ok(Line::Opened)
        }
    }

    fn end_literal(&mut self) {
        self.state = State::Line;
        self.line = self.scan;
    }

    fn available(&self, left: u64) -> usize {
        usize::try_from(left).unwrap_or(usize::MAX).min(self.tail - self.scan)
    }

    fn give_up_spent(&mut self) {
        match core::mem::replace(&mut self.spent, Spent::Nothing) {
            Spent::Nothing => {}
            Spent::Frame { until } => self.start_frame(until),
            Spent::Literal { from, until } => self.remove(from, until),
        }
    }

    fn start_frame(&mut self, at: usize) {
        self.head = at;
        self.line = at;
        self.scan = at;
        self.detached.clear();
    }

    /// Takes octets of a literal out of the buffer: the short prefix moves, not what follows.
    fn remove(&mut self, from: usize, until: usize) {
        if until == self.tail {
            self.tail = from;
            return;
        }
        let by = until - from;
        self.buffer.copy_within(self.head..from, self.head + by);
        self.head += by;
        self.line += by;
        self.scan += by;
    }

    /// Moves what is left of the buffer to its front.
    fn move_to_front(&mut self) {
        self.buffer.copy_within(self.head..self.tail, 0);
        self.line -= self.head;
        self.scan -= self.head;
        self.tail -= self.head;
        self.head = 0;
    }
}

enum Line {
    Missing,
    Blank,
    Opened,
    Frame(Range<usize>),
    Body { len: u64 },
}

struct LiteralMarker {
    start: usize,
    len: Result<u64, FrameError>,
}

impl LiteralMarker {
    /// `"~"? "{" number64 "+"? "}"` at the end of a line; spaces behind it are tolerated (quirk 14).
    fn at_end_of(line: &[u8]) -> Option<Self> {
        let trimmed = match line.last()? {
            b'}' => line,
            b' ' => line.trim_ascii_end(),
            _ => return None,
        };
        let inner = trimmed.strip_suffix(b"}")?;
        let inner = inner.strip_suffix(b"+").unwrap_or(inner);
        let digits = inner.iter().rev().take_while(|b| b.is_ascii_digit()).count();
        let rest = inner.strip_suffix(&inner[inner.len() - digits..])?;
        let rest = rest.strip_suffix(b"{")?;
        if digits == 0 {
            return None;
        }
        let start = rest.strip_suffix(b"~").unwrap_or(rest).len();
        Some(LiteralMarker { start, len: literal_length(&inner[inner.len() - digits..]) })
    }
}

fn literal_length(digits: &[u8]) -> Result<u64, FrameError> {
    let zeros = digits.iter().take_while(|b| **b == b'0').count();
    let digits = &digits[zeros..];
    if digits.len() > MOST_DIGITS {
        return Err(FrameError::LiteralLength);
    }
    let len = digits.iter().fold(0u64, |n, b| n.wrapping_mul(10).wrapping_add(u64::from(b - b'0')));
    // RFC 9051 §9: number64 is below 2^63.
    if len > i64::MAX as u64 { Err(FrameError::LiteralLength) } else { Ok(len) }
}

fn trim_line_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Only untagged data carries literals; status text never does, whatever it ends with.
fn opens_literal(frame: &[u8]) -> bool {
    let Some(rest) = frame.strip_prefix(b"*") else { return false };
    let rest = rest.trim_ascii_start();
    if rest.first().is_some_and(u8::is_ascii_digit) {
        return true;
    }
    let word = rest.split(|b| matches!(b, b' ' | b'\r' | b'\n')).next().unwrap_or_default();
    !["OK", "NO", "BAD", "BYE", "PREAUTH"].iter().any(|s| word.eq_ignore_ascii_case(s.as_bytes()))
}

fn ends_inside_quotes(segment: &[u8]) -> bool {
    let Some(first) = memchr2(b'"', b'\\', segment) else { return false };
    if memchr(b'\\', &segment[first..]).is_none() {
        // Counting is cheaper than going from quote to quote.
        return segment.iter().filter(|b| **b == b'"').count() % 2 == 1;
    }
    let mut inside = false;
    let mut at = 0;
    while let Some(found) = segment.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if segment[at] == b'"' {
            inside = !inside;
            at += 1;
        } else {
            at += 1 + usize::from(inside);
        }
    }
    inside
}

/// True where a literal is the value of a body section: `… BODY[…] `, `… BODY[…]<0> `, `… RFC822 `.
fn is_body_value(prefix: &[u8]) -> bool {
    let prefix = prefix.trim_ascii_end();
    let section = match prefix.last() {
        Some(b']') => true,
        Some(b'>') => {
            let digits = prefix[..prefix.len() - 1].trim_ascii_end();
            let open = digits.iter().rposition(|b| !b.is_ascii_digit());
            open.is_some_and(|at| digits[..=at].ends_with(b"]<"))
        }
        _ => {
            let at = prefix.iter().rposition(|b| matches!(b, b' ' | b'('));
            let word = &prefix[at.map_or(0, |at| at + 1)..];
            ["RFC822", "RFC822.TEXT", "RFC822.HEADER"].iter().any(|w| word.eq_ignore_ascii_case(w.as_bytes()))
        }
    };
    section && is_fetch(prefix)
}

fn is_fetch(frame: &[u8]) -> bool {
    let mut words = frame.split(|b| *b == b' ').filter(|word| !word.is_empty());
    let star = words.next() == Some(b"*");
    let number = words.next().is_some_and(|w| w.iter().all(u8::is_ascii_digit));
    star && number && words.next().is_some_and(|w| w.len() >= 5 && w[..5].eq_ignore_ascii_case(b"FETCH"))
}
