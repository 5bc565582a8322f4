/// Says whose change of a flag counts, where flags are one's own or shared. RFC 7162 §3.1.5
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EntryType {
    /// `priv`: that of one's own flag.
    Private,
    /// `shared`: that of the flag all users share.
    Shared,
    /// `all`: the later of both.
    Any,
}

impl EntryType {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            EntryType::Private => "priv",
            EntryType::Shared => "shared",
            EntryType::Any => "all",
        }
    }
}
