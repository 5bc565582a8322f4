//! What a strict server sees of the client: lines and literals, and nothing out of turn.

/// Reads the client's bytes and holds them to the protocol.
#[derive(Debug, Default)]
pub(crate) struct Output {
    line: Vec<u8>,
    state: State,
    /// The tag of the IDLE that was begun last, while DONE is the only thing that may follow.
    idle: Option<Vec<u8>>,
    said: Vec<u8>,
    /// Where in it begins what came after the last synchronizing literal or IDLE.
    since: usize,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Line,
    /// A literal that the server has to ask for: its octets, or another command.
    Waiting(u64),
    Literal(u64),
}

/// The first octet of every literal that is sent here; no tag begins with it.
pub(crate) const LITERAL: u8 = b'z';

impl Output {
    /// Takes note of what the server said.
    pub(crate) fn server_said(&mut self, bytes: &[u8]) {
        self.said.extend_from_slice(bytes);
    }

    /// Takes what left the client.
    pub(crate) fn left(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.take(*byte);
        }
    }

    /// True while a literal of which octets have left, or may leave at once, is unfinished.
    pub(crate) fn owes_octets(&self) -> bool {
        matches!(self.state, State::Literal(_))
    }

    fn take(&mut self, byte: u8) {
        if let State::Waiting(len) = self.state {
            if len == 0 && byte == b'\r' {
                assert!(self.has_gone_ahead(), "a line goes on that the server did not go on with");
                self.state = State::Line;
            } else if byte == LITERAL {
                assert!(self.has_gone_ahead(), "octets of a literal that the server did not ask for");
                self.state = State::Literal(len);
            } else {
                self.line.clear();
                self.state = State::Line;
            }
        }
        match self.state {
            State::Literal(left) => {
                self.state = if left > 1 { State::Literal(left - 1) } else { State::Line };
            }
            _ => {
                self.line.push(byte);
                if byte == b'\n' {
                    self.end_line();
                }
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r\n").expect("a line ends with CRLF");
        assert!(!line.iter().any(|b| matches!(b, b'\r' | b'\n' | 0)), "{}", line.escape_ascii());
        if let Some(tag) = self.idle.take() {
            let answered = contains(&self.said, &tag);
            assert!(line == b"DONE" || answered, "{} while idling", line.escape_ascii());
            if line == b"DONE" {
                assert!(self.has_gone_ahead(), "DONE before the server began to idle");
                return;
            }
        }
        // What follows a literal may be the end of the line, a parenthesis, or a space and more.
        let begins = !line.is_empty() && !line.starts_with(b" ") && !line.starts_with(b")");
        if begins {
            let (tag, rest) = line.split_at(line.iter().position(|b| *b == b' ').expect("a tag and a command"));
            assert!(tag.len() > 1 && tag[0] == b'A' && tag[1..].iter().all(u8::is_ascii_digit));
            let name = &rest[1..];
            assert!(name.first().is_some_and(u8::is_ascii_uppercase), "{}", line.escape_ascii());
            if name == b"IDLE" {
                self.idle = Some(tag.to_vec());
                self.since = self.unfinished();
            }
        }
        self.state = match marker(line) {
            Some((len, true)) => {
                self.since = self.unfinished();
                State::Waiting(len)
            }
            Some((0, false)) | None => State::Line,
            Some((len, false)) => State::Literal(len),
        };
    }

    /// Where the line begins that the server has not finished: it counts as said from now on.
    fn unfinished(&self) -> usize {
        self.said.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1)
    }

    fn has_gone_ahead(&self) -> bool {
        self.said[self.since..].contains(&b'+')
    }
}

/// The length of the literal that a line announces, and whether it waits for the server.
fn marker(line: &[u8]) -> Option<(u64, bool)> {
    let inner = line.strip_suffix(b"}")?;
    let (inner, waits) = match inner.strip_suffix(b"+") {
        Some(inner) => (inner, false),
        None => (inner, true),
    };
    let at = inner.iter().rposition(|b| *b == b'{')?;
    Some((std::str::from_utf8(&inner[at + 1..]).ok()?.parse().ok()?, waits))
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
