/// What a server may make grow, and how far.
///
/// Every value is a bound on something that arrives; none is ever allocated ahead of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one response without its streamed literals. Beyond it the boundary is lost and the
    /// connection ends. Real mailboxes were seen to send lines of several MiB.
    pub response: usize,
    /// Bytes of one literal that is kept inside its response. A longer one is counted down, not
    /// stored, and its value is reported as [`skipped`](crate::wire::Detached::skipped).
    pub literal: u64,
    /// A literal that is the value of a body section is streamed when it is longer than this.
    pub inline: u64,
    /// Tokens of one response; beyond it the response is handed out as raw bytes.
    pub tokens: usize,
    /// Nesting of parentheses; a deeper group becomes one opaque token.
    pub depth: u16,
}

impl Limits {
    /// The limits of an authenticated connection.
    pub const fn authenticated() -> Self {
        Limits { response: 32 << 20, literal: 1 << 20, inline: 16 << 10, tokens: 1 << 20, depth: 256 }
    }

    /// The limits before authentication, where a peer has shown nothing yet.
    pub const fn unauthenticated() -> Self {
        Limits { response: 8 << 10, literal: 4 << 10, inline: 4 << 10, tokens: 4 << 10, depth: 32 }
    }
}

impl Limits {
    /// Offsets in a token have 28 bits.
    pub(crate) fn clamped(mut self) -> Self {
        self.response = self.response.min((1 << 28) - 1);
        self.literal = self.literal.min(self.response as u64);
        self.inline = self.inline.min(self.literal);
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits::authenticated()
    }
}
