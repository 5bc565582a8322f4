use std::fmt;

/// Says what a mailbox is for. RFC 6154 §2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SpecialUse {
    /// `\All`: it shows all messages.
    All,
    /// `\Archive`: old messages go here.
    Archive,
    /// `\Drafts`: what is not finished.
    Drafts,
    /// `\Flagged`: it shows what is flagged.
    Flagged,
    /// `\Junk`: what nobody asked for.
    Junk,
    /// `\Sent`: copies of what was sent.
    Sent,
    /// `\Trash`: what was thrown away.
    Trash,
}

impl fmt::Display for SpecialUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\\{self:?}")
    }
}
