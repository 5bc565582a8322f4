use std::fmt;

/// One thing the client must not have sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule that was broken.
    pub text: String,
    /// The bytes that broke it.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: \"{}\"", self.text, self.bytes.escape_ascii())
    }
}
