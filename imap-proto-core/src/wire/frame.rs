use core::ops::Range;

use memchr::memchr;

use super::Limits;
use super::literal::{LiteralMarker, ends_inside_quotes, is_body_value, is_fetch};
use super::parsed::Parsed;
use super::scan::near_line_feed;

/// The receive buffer of a connection that has nothing under way.
const IDLE_SPACE: usize = 1 << 9;
/// The most that is asked of one read: two TLS records.
const MOST_SPACE: usize = 32 << 10;
/// The length of `PREAUTH`.
const LONGEST_STATUS: usize = 7;

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
pub(super) struct Framer {
    /// Its buffer is where bytes are received, its frame is for those who read what was found.
    pub(super) parsed: Parsed,
    /// The first byte of the response under way.
    head: usize,
    /// The first byte behind its last literal.
    line: usize,
    /// The first byte that was not looked at.
    scan: usize,
    /// The end of what was received.
    tail: usize,
    /// Where what was handed out last is.
    found: Range<usize>,
    /// How far it reaches; it is given up at the next call.
    spent: Spent,
    state: State,
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

impl Detached {
    /// Where its octets would begin in the frame, in bytes.
    pub fn offset(&self) -> usize {
        self.at as usize
    }
}

/// What the framer found next. [`Framer::found`] tells where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Nothing: more has to be received.
    Missing,
    /// One whole response, without its line end.
    Frame,
    /// A streamed literal begins; found is the response up to it.
    BodyStart,
    /// Octets of the literal.
    Body,
    /// The literal is over; the response goes on.
    BodyEnd,
    /// A [`FrameError`].
    Lost(Lost),
}

/// A [`FrameError`] that fits into a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    TooLong,
    LiteralLength,
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
    pub(super) fn new(limits: Limits) -> Self {
        Framer {
            parsed: Parsed::new(),
            head: 0,
            line: 0,
            scan: 0,
            tail: 0,
            found: 0..0,
            spent: Spent::Nothing,
            state: State::Line,
            space: IDLE_SPACE,
            scanned: 0,
            limits: limits.clamped(),
        }
    }

    /// Replaces the limits, from the next literal or line on.
    pub(super) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits.clamped();
    }

    /// What [`Decoder::space`](super::Decoder::space) lends.
    pub(super) fn space(&mut self) -> &mut [u8] {
        self.give_up_spent();
        if self.head == self.tail {
            self.move_to_front();
        }
        // Half of it will do, so that what is left in front of a body does not make the buffer grow.
        if self.parsed.buffer.len() - self.tail < self.space / 2 {
            if self.head > 0 {
                self.move_to_front();
            }
            if self.parsed.buffer.len() - self.tail < self.space / 2 {
                self.grow();
            }
        }
        let until = self.parsed.buffer.len().min(self.tail + MOST_SPACE);
        &mut self.parsed.buffer[self.tail..until]
    }

    /// Room for one more read. A literal's length plays no part, but that there is no more than it needs.
    fn grow(&mut self) {
        let len = self.tail + self.space;
        let buffer = &mut self.parsed.buffer;
        if len > buffer.capacity() {
            let grown = match self.state {
                State::Literal { left } => grown(self.tail, self.scan + left + 2 * MOST_SPACE),
                _ => 2 * self.tail,
            };
            buffer.reserve_exact(len.max(grown) - buffer.len());
        }
        buffer.resize(len, 0);
    }

    /// Takes note that `n` bytes were read into [`space`](Self::space).
    pub(super) fn received(&mut self, n: usize) {
        let room = self.parsed.buffer.len() - self.tail;
        self.tail += n.min(room);
        if n >= room.min(MOST_SPACE) {
            self.space = (self.space * 2).min(MOST_SPACE);
        }
    }

    /// Gives memory back while nothing is expected. Does nothing where a response is half received.
    pub(super) fn rest(&mut self) {
        self.give_up_spent();
        if self.head == self.tail {
            if self.parsed.buffer.len() > IDLE_SPACE {
                self.move_to_front();
                self.parsed.release();
            }
            self.space = IDLE_SPACE;
            self.parsed.detached.shrink_to(1);
        }
    }

    /// Finds the next piece. Once the boundary is lost it must not be called again.
    pub(super) fn next_piece(&mut self) -> Piece {
        self.give_up_spent();
        loop {
            match self.state {
                State::Line => match self.next_line() {
                    Line::Goes => {}
                    Line::Ends(piece) => return piece,
                },
                State::Literal { left } => {
                    let n = left.min(self.tail - self.scan);
                    self.scan += n;
                    if n < left {
                        self.state = State::Literal { left: left - n };
                        return Piece::Missing;
                    }
                    self.end_literal();
                }
                State::Stream { left } => {
                    let n = self.available(left);
                    if n == 0 {
                        return Piece::Missing;
                    }
                    let (from, until) = (self.scan, self.scan + n);
                    self.spent = Spent::Literal { from, until };
                    let left = left - n as u64;
                    self.state = if left == 0 { State::StreamEnded } else { State::Stream { left } };
                    self.found = from..until;
                    return Piece::Body;
                }
                State::StreamEnded => {
                    self.end_literal();
                    return Piece::BodyEnd;
                }
                State::Skip { left } => {
                    let n = self.available(left);
                    self.remove(self.scan, self.scan + n);
                    let left = left - n as u64;
                    self.state = State::Skip { left };
                    if left > 0 {
                        return Piece::Missing;
                    }
                    self.end_literal();
                }
            }
        }
    }

    /// Where the piece is that [`next_piece`](Self::next_piece) returned.
    #[inline]
    pub(super) fn found(&self) -> Range<usize> {
        self.found.clone()
    }

    /// Its bytes, until [`next_piece`](Self::next_piece) is called again.
    pub(super) fn bytes(&self) -> &[u8] {
        self.parsed.buffer.get(self.found()).unwrap_or_default()
    }

    /// What [`Piece::Lost`] stands for.
    pub(super) fn error(&self, lost: Lost) -> FrameError {
        match lost {
            Lost::TooLong => FrameError::TooLong { limit: self.limits.response },
            Lost::LiteralLength => FrameError::LiteralLength,
        }
    }

    /// The literals of the current frame whose octets are not in it.
    pub(super) fn detached(&self) -> &[Detached] {
        &self.parsed.detached
    }

    /// True when no response is half received.
    pub(super) fn is_between_responses(&self) -> bool {
        match self.spent {
            Spent::Frame { until } => until == self.tail,
            Spent::Nothing => self.state == State::Line && self.head == self.tail,
            Spent::Literal { .. } => false,
        }
    }

    /// Bytes received and not yet part of anything handed out.
    pub(super) fn buffered(&self) -> usize {
        let from = match self.spent {
            Spent::Frame { until } | Spent::Literal { until, .. } => until,
            Spent::Nothing => self.head,
        };
        self.tail - from
    }

    /// Takes out what was received behind what was handed out last. For when it is of another protocol.
    #[cfg(any(feature = "compress", test))]
    pub(super) fn take_buffered(&mut self) -> alloc::vec::Vec<u8> {
        let from = self.tail - self.buffered();
        let taken = self.parsed.buffer[from..self.tail].to_vec();
        self.tail = from;
        taken
    }

    /// Parts with the buffer and with what was read in it, where most of it is the frame that was found last.
    #[cold]
    pub(super) fn take_with_buffer(&mut self) -> Option<Parsed> {
        let Spent::Frame { until } = self.spent else { return None };
        let frame = until - self.head;
        if frame < self.head + self.tail - until {
            return None;
        }
        let taken = self.parsed.split_off(until, self.tail);
        self.tail -= until;
        self.spent = Spent::Nothing;
        self.start_frame(0);
        Some(taken)
    }

    /// How many bytes were looked at so far. At most twice what was received.
    pub(super) fn scanned(&self) -> u64 {
        self.scanned
    }

    fn next_line(&mut self) -> Line {
        let fresh = &self.parsed.buffer[self.scan..self.tail];
        // What closes the parentheses behind a literal is near.
        let line_feed = if self.line == self.head { memchr(b'\n', fresh) } else { near_line_feed(fresh) };
        let Some(lf) = line_feed else {
            self.scanned += fresh.len() as u64;
            self.scan = self.tail;
            return Line::Ends(if self.is_too_long() { Piece::Lost(Lost::TooLong) } else { Piece::Missing });
        };
        self.scanned += lf as u64 + 1;
        let end = self.scan + lf;
        self.scan = end + 1;
        // Before anything else, so that it is the same error whether or not the line came in one piece.
        if self.is_too_long() {
            return Line::Ends(Piece::Lost(Lost::TooLong));
        }
        let line = &self.parsed.buffer[self.line..end];
        let mut segment = line.strip_suffix(b"\r").unwrap_or(line);
        let first = self.line == self.head;
        if first && matches!(segment, [] | [0, ..]) {
            let nuls = segment.iter().take_while(|b| **b == 0).count();
            self.scanned += nuls as u64;
            if nuls == segment.len() {
                self.start_frame(self.scan);
                return Line::Goes;
            }
            segment = &segment[nuls..];
            self.head += nuls;
            self.line = self.head;
        }
        if !first && segment.is_empty() && is_fetch(&self.parsed.buffer[self.head..self.line]) {
            // A literal that was announced too short leaves its line end inside the parentheses (quirk 19). What
            // follows tells.
            match self.parsed.buffer[..self.tail].get(self.scan) {
                None => {
                    self.scan = end;
                    return Line::Ends(Piece::Missing);
                }
                Some(b' ' | b')') => {
                    self.line = self.scan;
                    return Line::Goes;
                }
                Some(_) => {}
            }
        }
        let frame_end = self.line + segment.len();
        // What has opened one literal is no status.
        if let Some(marker) = LiteralMarker::at_end_of(segment)
            && let Some(from) = if first { self.data_start(segment.len()) } else { Some(0) }
        {
            let segment = &self.parsed.buffer[self.line..frame_end];
            self.scanned += (segment.len() - from) as u64;
            if !ends_inside_quotes(&segment[from..]) {
                return match marker.len {
                    Some(len) => self.open_literal(len, marker.start + self.line),
                    None => Line::Ends(Piece::Lost(Lost::LiteralLength)),
                };
            }
        }
        self.spent = Spent::Frame { until: self.scan };
        self.found = self.head..frame_end;
        Line::Ends(Piece::Frame)
    }

    /// Where the name of untagged data stands in the first line of a response. Only such data carries
    /// literals; status text never does, whatever it ends with.
    fn data_start(&mut self, len: usize) -> Option<usize> {
        let line = &self.parsed.buffer[self.head..self.head + len];
        // What is about a message, as nearly all literals are, and written as by nearly all servers.
        if let [b'*', b' ', b'0'..=b'9', ..] = line {
            self.scanned += 2;
            return Some(2);
        }
        let rest = line.strip_prefix(b"*")?.trim_ascii_start();
        let start = line.len() - rest.len();
        self.scanned += start as u64;
        let word = &rest[..rest.len().min(LONGEST_STATUS + 1)];
        let word = word.split(|b| matches!(b, b' ' | b'(')).next().unwrap_or_default();
        let is_status = word.starts_with(b"[")
            || ["OK", "NO", "BAD", "BYE", "PREAUTH"].iter().any(|s| word.eq_ignore_ascii_case(s.as_bytes()));
        if is_status { None } else { Some(start) }
    }

    fn is_too_long(&self) -> bool {
        self.scan - self.head > self.limits.response
    }

    fn open_literal(&mut self, len: u64, marker: usize) -> Line {
        let room = (self.limits.response - (self.scan - self.head)) as u64;
        let streamed = len > self.limits.inline && is_body_value(&self.parsed.buffer[self.head..marker]);
        if !streamed && len <= self.limits.literal.min(room) {
            self.state = State::Literal { left: len as usize };
            return Line::Goes;
        }
        let at = (self.scan - self.head) as u32;
        self.parsed.detached.push(Detached { at, len, skipped: !streamed });
        if streamed {
            self.state = State::Stream { left: len };
            self.found = self.head..self.scan;
            Line::Ends(Piece::BodyStart)
        } else {
            self.state = State::Skip { left: len };
            Line::Goes
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
        self.parsed.detached.clear();
    }

    /// Takes octets of a literal out of the buffer. What is shorter moves, the response before them or
    /// what was received after them: else a long response with many literals were copied for each.
    fn remove(&mut self, from: usize, until: usize) {
        if self.tail - until <= from - self.head {
            self.parsed.buffer.copy_within(until..self.tail, from);
            self.tail -= until - from;
            return;
        }
        let by = until - from;
        self.parsed.buffer.copy_within(self.head..from, self.head + by);
        self.head += by;
        self.line += by;
        self.scan += by;
    }

    /// Moves what is left of the buffer to its front.
    fn move_to_front(&mut self) {
        self.parsed.buffer.copy_within(self.head..self.tail, 0);
        self.line -= self.head;
        self.scan -= self.head;
        self.tail -= self.head;
        self.head = 0;
    }
}

enum Line {
    /// The response goes on, or was none.
    Goes,
    Ends(Piece),
}

/// How large a buffer becomes that is full with what `came` and will hold `all`: up to twice as large, and by an eighth
/// at least, since that keeps copying linear; but as large as needed in the end, where one can know.
fn grown(came: usize, all: usize) -> usize {
    match all.saturating_sub(came) {
        more if more < came / 8 => 2 * came,
        more if more <= came => all,
        // So much is left for the last step.
        more if more - came < came / 4 => came + came / 2,
        _ => 2 * came,
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::{String, ToString};
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    fn feed(framer: &mut Framer, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let space = framer.space();
            let n = space.len().min(bytes.len());
            space[..n].copy_from_slice(&bytes[..n]);
            framer.received(n);
            bytes = &bytes[n..];
        }
    }

    fn shown(bytes: &[u8]) -> String {
        bytes.escape_ascii().to_string().replace("\\\"", "\"")
    }

    /// The pieces of `input`, fed whole or byte by byte.
    fn pieces(input: &[u8], limits: Limits, step: usize) -> Vec<String> {
        let mut framer = Framer::new(limits);
        let mut found = Vec::new();
        let mut body = Vec::new();
        for chunk in input.chunks(step) {
            feed(&mut framer, chunk);
            loop {
                match framer.next_piece() {
                    Piece::Missing => break,
                    Piece::Frame => {
                        let skipped = framer.detached().iter().filter(|d| d.skipped).count();
                        let note = if skipped > 0 { format!(" ({skipped} skipped)") } else { String::new() };
                        found.push(format!("{}{note}", shown(framer.bytes())));
                    }
                    Piece::BodyStart => {
                        let len = framer.detached().last().map_or(0, |body| body.len);
                        found.push(format!("{} >{len}", shown(framer.bytes())));
                    }
                    Piece::Body => body.extend_from_slice(framer.bytes()),
                    Piece::BodyEnd => found.push(format!(">{}", shown(&core::mem::take(&mut body)))),
                    Piece::Lost(lost) => {
                        found.push(framer.error(lost).to_string());
                        return found;
                    }
                }
            }
        }
        if framer.buffered() > 0 || !framer.is_between_responses() {
            found.push(String::from("…"));
        }
        found
    }

    #[track_caller]
    fn check(input: &[u8], limits: Limits, expected: &[&str]) {
        for step in [usize::MAX, 1, 2, 5] {
            assert_eq!(pieces(input, limits, step), expected, "{} in pieces of {step}", input.escape_ascii());
        }
    }

    /// Streams what is longer than four octets, skips what is longer than eight.
    fn small() -> Limits {
        Limits { literal: 8, inline: 4, ..Limits::default() }
    }

    #[test]
    fn status_text_opens_no_literal_whatever_it_ends_with() {
        for start in
            ["* OK", "* NO", "* BAD", "* BYE", "* PREAUTH", "* ok", "*  OK", "A1 OK", "A1 NO", "A1 BAD", "+", "+ OK"]
        {
            for end in ["{3}", "{5+}", "~{3}", "{99999999999999999999}", "{3}  "] {
                let line = format!("{start} see {end}");
                check(format!("{line}\r\n* 1 EXISTS\r\n").as_bytes(), small(), &[&line, "* 1 EXISTS"]);
            }
        }
    }

    #[test]
    fn literals_are_known_by_the_end_of_their_line() {
        for (input, expected) in [
            (&b"* X {3}\r\na\r\n b\r\n"[..], &["* X {3}\\r\\na\\r\\n b"][..]),
            (b"* X {3+}\r\nabc\r\n", &["* X {3+}\\r\\nabc"]),
            (b"* X {0003}\r\nabc\r\n", &["* X {0003}\\r\\nabc"]),
            (b"* X {0}\r\n\r\n", &["* X {0}\\r\\n"]),
            (b"* X ~{3}\r\n\0\0\0\r\n", &["* X ~{3}\\r\\n\\x00\\x00\\x00"]),
            (b"* X {3}\nabc\n", &["* X {3}\\nabc"]),
            (b"* X {3+   }   \r\nabc\r\n", &["* X {3+   }   \\r\\nabc"]),
            (b"* X {1}\r\n\n{2}\r\n\r\n\r\n", &["* X {1}\\r\\n\\n{2}\\r\\n\\r\\n"]),
            (b"* X \"{3}\"\r\n* Y\r\n", &["* X \"{3}\"", "* Y"]),
            (b"* X \"a {3}\r\n* Y\r\n", &["* X \"a {3}", "* Y"]),
            (b"* X \"\\\" {3}\r\n* Y\r\n", &["* X \"\\\\\" {3}", "* Y"]),
            (b"* X \\\" {3}\r\n* Y\r\n", &["* X \\\\\" {3}", "* Y"]),
            (b"* X \"a\" {1}\r\na\r\n", &["* X \"a\" {1}\\r\\na"]),
            (b"* X {}\r\n* X {-1}\r\n* X {a}\r\n* X 3}\r\n", &["* X {}", "* X {-1}", "* X {a}", "* X 3}"]),
            (b"* X {3}\r\nab", &["…"]),
        ] {
            check(input, Limits::default(), expected);
        }
    }

    #[test]
    fn line_ends_and_nuls_around_responses_are_no_part_of_them() {
        for (input, expected) in [
            (&b"* X\n* Y\r\n"[..], &["* X", "* Y"][..]),
            (b"\r\n\n* X\r\n\r\n", &["* X"]),
            (b"\0\0* X\r\n\0\r\n\0\0\n", &["* X"]),
            (b"* X\0\r\n", &["* X\\x00"]),
            (b"* X\r\r\n", &["* X\\r"]),
            (b"* X\r", &["…"]),
        ] {
            check(input, Limits::default(), expected);
        }
    }

    #[test]
    fn a_length_that_no_counter_holds_is_fatal() {
        let lost = "literal length out of range";
        for length in ["9223372036854775808", "10000000000000000000", "99999999999999999999", &"9".repeat(300)] {
            check(format!("* X {{{length}}}\r\n").as_bytes(), Limits::default(), &[lost]);
            check(
                format!("* X \"{{{length}}}\"\r\n").as_bytes(),
                Limits::default(),
                &[&format!("* X \"{{{length}}}\"")],
            );
        }
        for length in ["9223372036854775807", "0009223372036854775807"] {
            check(format!("* X {{{length}}}\r\nab").as_bytes(), Limits::default(), &["…"]);
        }
    }

    #[test]
    fn long_values_of_body_sections_are_streamed() {
        for name in ["BODY[]", "BODY[1.TEXT]<0>", "body[]  ", "RFC822", "RFC822.HEADER", "rfc822.text", "BINARY[1]"] {
            let inline = format!("* 1 FETCH ({name} {{4}}\\r\\nabcd)");
            check(format!("* 1 FETCH ({name} {{4}}\r\nabcd)\r\n").as_bytes(), small(), &[&inline]);
            let start = format!("* 1 FETCH ({name} {{5}}\\r\\n");
            let input = format!("* 1 FETCH ({name} {{5}}\r\nabcde)\r\n* Y\r\n");
            check(input.as_bytes(), small(), &[&format!("{start} >5"), ">abcde", &format!("{start})"), "* Y"]);
        }
        check(b"* 1 FETCH (BODY[] {5}\r\nabc", small(), &["* 1 FETCH (BODY[] {5}\\r\\n >5", "…"]);
    }

    #[test]
    fn a_literal_too_long_anywhere_else_is_skipped_and_costs_nobody_else() {
        check(
            b"* LIST () \"/\" {9}\r\n\r\n* 1 X\r\n {1}\r\nb\r\n* Y\r\n",
            small(),
            &["* LIST () \"/\" {9}\\r\\n {1}\\r\\nb (1 skipped)", "* Y"],
        );
        check(b"* X {8}\r\n12345678\r\n", small(), &["* X {8}\\r\\n12345678"]);
        let fetch = "* 1 FETCH (ENVELOPE ({9}\\r\\n BODY[] {5}\\r\\n";
        check(
            b"* 1 FETCH (ENVELOPE ({9}\r\n123456789 BODY[] {5}\r\nabcde))\r\n* Y\r\n",
            small(),
            &[&format!("{fetch} >5"), ">abcde", &format!("{fetch})) (1 skipped)"), "* Y"],
        );
    }

    #[test]
    fn a_response_is_as_long_as_the_limit_and_no_longer() {
        let lost = "response longer than the limit of 20 bytes";
        let limits = Limits { response: 20, ..Limits::default() };
        let line = |len: usize| format!("* {}\r\n", "x".repeat(len - 4));
        check(line(19).as_bytes(), limits, &[line(19).trim_end()]);
        check(line(20).as_bytes(), limits, &[line(20).trim_end()]);
        check(line(21).as_bytes(), limits, &[lost]);
        check([&[0; 21][..], b"\r\n"].concat().as_slice(), limits, &[lost]);
        check("x".repeat(21).as_bytes(), limits, &[lost]);
        // What is kept of literals counts, what is not does not.
        check(b"* X {9}\r\n123456789\r\n", limits, &["* X {9}\\r\\n123456789"]);
        check(b"* X {10}\r\n1234567890\r\n", limits, &[lost]);
        check(b"* X {11}\r\n12345678901\r\n", limits, &["* X {11}\\r\\n (1 skipped)"]);
    }

    #[test]
    fn the_buffer_grows_with_what_came_and_never_with_what_was_announced() {
        let mut framer = Framer::new(Limits::default());
        for line in
            [&b"* 1 FETCH (BODY[] {4294967296}\r\n0123456789"[..], b"* LIST () \"/\" {4294967296}\r\n0123456789"]
        {
            let mut framer = Framer::new(Limits::default());
            feed(&mut framer, line);
            while framer.next_piece() != Piece::Missing {}
            assert!(framer.space().len() <= 2 * IDLE_SPACE);
            assert!(framer.parsed.buffer.capacity() <= 2 * IDLE_SPACE);
        }
        let mut most = 0;
        feed(&mut framer, b"* LIST () \"/\" {1000000}\r\n");
        for _ in 0..100 {
            feed(&mut framer, &[b'x'; 1000]);
            assert_eq!(framer.next_piece(), Piece::Missing);
            most = most.max(framer.space().len());
        }
        assert!(most <= MOST_SPACE);
        assert!(framer.parsed.buffer.capacity() <= 2 * (framer.buffered() + MOST_SPACE));
    }

    #[test]
    fn a_buffer_grows_by_a_part_of_itself_to_what_is_needed() {
        for all in (100_000..30_000_000).step_by(9_973) {
            let mut came = 32_768;
            while came < all {
                let next = grown(came, all);
                assert!(next >= came + came / 8 && next <= 2 * came, "{came} of {all}: {next}");
                came = next;
            }
            assert_eq!(came, all, "no more than is needed");
        }
        assert_eq!([grown(1000, 1000), grown(1000, 10), grown(1000, 1100)], [2000; 3]);
    }

    #[test]
    fn a_framer_at_rest_gives_its_memory_back() {
        let mut framer = Framer::new(Limits::default());
        let long = [&vec![b'x'; 100_000][..], b"\r\n* Y"].concat();
        feed(&mut framer, &long);
        assert_eq!(framer.next_piece(), Piece::Frame);
        assert_eq!(framer.next_piece(), Piece::Missing);
        framer.rest();
        assert!(framer.parsed.buffer.capacity() > 100_000, "a response is half received");
        feed(&mut framer, b"\r\n");
        assert_eq!(framer.next_piece(), Piece::Frame);
        framer.rest();
        assert_eq!(framer.parsed.buffer.capacity(), 0);
        assert_eq!(framer.space().len(), IDLE_SPACE);
    }

    #[test]
    fn a_long_response_is_not_moved_for_each_of_its_bodies() {
        let mut framer = Framer::new(Limits { inline: 0, ..Limits::default() });
        feed(&mut framer, &[b"* 1 FETCH (X ", &vec![b'x'; 50_000][..]].concat());
        for _ in 0..100 {
            feed(&mut framer, b" BODY[] {1}\r\na BODY[");
            while let piece = framer.next_piece()
                && piece != Piece::Missing
            {
                assert!(matches!(piece, Piece::BodyStart | Piece::Body | Piece::BodyEnd));
            }
            feed(&mut framer, b"]");
            assert_eq!(framer.head, 0, "what follows the body moves, not the response before it");
        }
    }
}
