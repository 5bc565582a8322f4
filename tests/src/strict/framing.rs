use std::mem::take;

/// Cuts the client's bytes into commands: lines, and literals between them.
///
/// A finished command is its bytes as sent, literal headers and octets included, without the last CRLF.
#[derive(Debug, Default)]
pub(super) struct Framer {
    text: Vec<u8>,
    segment: usize,
    octets_left: u64,
    carriage_return: bool,
    faults: Vec<&'static str>,
}

/// What a byte completed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// A whole command, or a line such as DONE.
    Command(Vec<u8>),
    /// A line that ended in `{n}` or `{n+}`: the server must [`accept`](Framer::accept) or [`reset`](Framer::reset).
    Header {
        /// The announced size.
        octets: u64,
        /// Whether the client has to wait for the server's answer.
        synchronizing: bool,
    },
}

impl Framer {
    pub(super) fn push(&mut self, byte: u8) -> Option<Frame> {
        if self.octets_left > 0 {
            self.octets_left -= 1;
            self.text.push(byte);
            if self.octets_left == 0 {
                self.segment = self.text.len();
            }
            return None;
        }
        if byte == b'\n' {
            if !self.carriage_return {
                self.faults.push("bare LF");
            }
            self.carriage_return = false;
            return Some(self.end_of_line());
        }
        if self.carriage_return {
            self.faults.push("bare CR");
            self.text.push(b'\r');
        }
        self.carriage_return = byte == b'\r';
        if byte == 0 {
            self.faults.push("NUL outside of a literal");
        }
        if !self.carriage_return {
            self.text.push(byte);
        }
        None
    }

    fn end_of_line(&mut self) -> Frame {
        match header(self.text.get(self.segment..).unwrap_or_default()) {
            Some((octets, synchronizing)) => {
                self.text.extend_from_slice(b"\r\n");
                Frame::Header { octets, synchronizing }
            }
            None => {
                self.segment = 0;
                Frame::Command(take(&mut self.text))
            }
        }
    }

    /// Takes the next `octets` bytes as the literal whose header was last seen.
    pub(super) fn accept(&mut self, octets: u64) {
        self.octets_left = octets;
        self.segment = self.text.len();
    }

    /// Drops the command begun: its literal was refused.
    pub(super) fn reset(&mut self) -> Vec<u8> {
        self.segment = 0;
        take(&mut self.text)
    }

    /// The command so far.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether the next byte starts a command.
    pub(super) fn is_between_commands(&self) -> bool {
        self.text.is_empty() && self.octets_left == 0 && !self.carriage_return
    }

    /// The octets of a literal still to come.
    pub(super) fn octets_left(&self) -> u64 {
        self.octets_left
    }

    pub(super) fn take_faults(&mut self) -> Vec<&'static str> {
        take(&mut self.faults)
    }
}

/// `literal = "{" number ["+"] "}" CRLF`, seen from its end.
fn header(line: &[u8]) -> Option<(u64, bool)> {
    let line = line.strip_suffix(b"}")?;
    let open = line.iter().rposition(|&byte| byte == b'{')?;
    let inner = line.get(open + 1..)?;
    let (digits, synchronizing) = match inner.strip_suffix(b"+") {
        Some(digits) => (digits, false),
        None => (inner, true),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let octets = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((octets, synchronizing))
}
