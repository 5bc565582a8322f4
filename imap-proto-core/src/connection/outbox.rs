use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::Range;

use bytes::Bytes;

use super::CommandId;
use crate::wire::LineText;

/// What may leave now, in order, and whose it is. What one command has here is in one piece, and the older command's
/// comes first: nothing passes what is being written.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    segments: VecDeque<Segment>,
    /// Bytes of the first segment that have left.
    sent: usize,
}

#[derive(Debug)]
struct Segment {
    owner: CommandId,
    content: Content,
    /// True where it announces a message after the first one of its command.
    next_message: bool,
}

pub(super) enum Content {
    Line(LineText),
    Octets(Bytes),
}

impl core::fmt::Debug for Content {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Content::Line(line) => line.fmt(f),
            // A password may be a literal.
            Content::Octets(octets) => write!(f, "[{} octets]", octets.len()),
        }
    }
}

/// What goes out instead of the messages that are taken back.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instead {
    /// A message of no octets, which takes back those that went out.
    NoMessage,
    /// The end of the command.
    LineEnd,
}

/// It waits for its `+` whatever the server offers: some took what followed `{0+}` amiss. RFC 3502 §6.3.11
pub(super) const NO_MESSAGE: &[u8] = b" {0}\r\n";

/// Bytes that left.
pub(super) struct Left {
    pub(super) owner: CommandId,
    pub(super) bytes: usize,
    /// True where nothing of their owner waits any more.
    pub(super) all: bool,
}

impl Segment {
    fn as_bytes(&self) -> &[u8] {
        match &self.content {
            Content::Line(line) => line.as_bytes(),
            Content::Octets(octets) => octets,
        }
    }
}

impl Outbox {
    pub(super) fn push_line(&mut self, owner: CommandId, line: LineText) {
        self.segments.push_back(Segment { owner, content: Content::Line(line), next_message: false });
    }

    /// The line that announces a message after the first one: until it is begun, all from there on can be taken back.
    pub(super) fn push_next_message(&mut self, owner: CommandId, line: LineText) {
        self.segments.push_back(Segment { owner, content: Content::Line(line), next_message: true });
    }

    pub(super) fn push_octets(&mut self, owner: CommandId, octets: Bytes) {
        if !octets.is_empty() {
            self.segments.push_back(Segment { owner, content: Content::Octets(octets), next_message: false });
        }
    }

    /// Gives memory back.
    pub(super) fn rest(&mut self) {
        self.segments.shrink_to(super::AT_REST);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// True while any byte of `owner` waits here.
    pub(super) fn holds(&self, owner: CommandId) -> bool {
        !self.places(owner).is_empty()
    }

    /// Where the segments of `owner` are.
    fn places(&self, owner: CommandId) -> Range<usize> {
        let Some(first) = self.segments.front().map(|segment| segment.owner) else { return 0..0 };
        let since = owner.since(first);
        let from = self.segments.partition_point(|segment| segment.owner.since(first) < since);
        let until = self.segments.partition_point(|segment| segment.owner.since(first) <= since);
        from..until
    }

    /// Bytes that wait, of `owner` alone.
    pub(super) fn waiting(&self, owner: CommandId) -> usize {
        let skipped = self.segments.front().filter(|first| first.owner == owner).map_or(0, |_| self.sent);
        self.segments.range(self.places(owner)).map(|s| s.as_bytes().len()).sum::<usize>() - skipped
    }

    /// True where nothing of `owner` waits but the line end behind octets, without which some servers act on them.
    pub(super) fn has_said_all(&self, owner: CommandId) -> bool {
        self.segments.range(self.places(owner)).all(|segment| segment.as_bytes() == b"\r\n")
    }

    /// Takes back what `owner` put here, but for a segment that is partly sent.
    pub(super) fn remove_unsent(&mut self, owner: CommandId) {
        let Range { start, end } = self.places(owner);
        let begun = usize::from(start == 0 && end > 0 && self.sent > 0);
        self.segments.drain(start + begun..end);
    }

    /// Where the first announcement of `owner` is that [can be taken back](Self::push_next_message).
    fn next_message(&self, owner: CommandId) -> Option<usize> {
        let is_begun = |index| index == 0 && self.sent > 0;
        self.places(owner).find(|index| {
            let is_next = self.segments.get(*index).is_some_and(|segment| segment.next_message);
            is_next && !is_begun(*index)
        })
    }

    pub(super) fn has_next_message(&self, owner: CommandId) -> bool {
        self.next_message(owner).is_some()
    }

    /// Puts `instead` in the place of the next message of `owner` and all after it. False where none can be taken back.
    pub(super) fn replace_next_message(&mut self, owner: CommandId, instead: Instead) -> bool {
        let Some(at) = self.next_message(owner) else { return false };
        self.segments.drain(at..self.places(owner).end);
        let (line, next_message) = match instead {
            Instead::NoMessage => (NO_MESSAGE, true),
            Instead::LineEnd => (&b"\r\n"[..], false),
        };
        let content = Content::Line(LineText::Open(Vec::from(line)));
        self.segments.insert(at, Segment { owner, content, next_message });
        true
    }

    pub(super) fn slices(&self) -> impl Iterator<Item = &[u8]> {
        self.segments.iter().enumerate().map(|(index, segment)| {
            let from = if index == 0 { self.sent } else { 0 };
            segment.as_bytes().get(from..).unwrap_or_default()
        })
    }

    /// Takes note that up to `n` bytes of the first segment left. `sent` is told of a segment that has left as a whole.
    pub(super) fn advance(&mut self, n: usize, sent: impl FnOnce(CommandId, &Content)) -> Option<Left> {
        let first = self.segments.front()?;
        let (owner, left) = (first.owner, first.as_bytes().len() - self.sent);
        let bytes = left.min(n);
        if bytes == left {
            sent(owner, &first.content);
            self.segments.pop_front();
            self.sent = 0;
        } else {
            self.sent += bytes;
        }
        let all = self.segments.front().is_none_or(|first| first.owner != owner);
        Some(Left { owner, bytes, all })
    }
}
