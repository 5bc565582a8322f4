/// A command with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Capability,
    Noop,
    Check,
    Logout,
    Login { user: Vec<u8>, password: Vec<u8> },
    Enable(Vec<String>),
    Id,
    Namespace,
    Select { mailbox: String, read_only: bool },
    Close,
    Unselect,
    List { verb: &'static str, pattern: String },
    Status { mailbox: String, items: Vec<String> },
    Create(String),
    Delete(String),
    Rename { from: String, to: String },
    Subscribe(String),
    Unsubscribe(String),
    Compress,
    Fetch { by: By, set: Set, items: Vec<Item> },
    Search { by: By, options: Option<Vec<String>>, charset: Option<String>, keys: Vec<Key> },
    Store { by: By, set: Set, change: Change, silent: bool, flags: Vec<String> },
    Copy { by: By, set: Set, mailbox: String },
    Move { by: By, set: Set, mailbox: String },
    Expunge(Option<Set>),
    Append { mailbox: String, messages: Vec<NewMessage> },
    Idle,
}

/// `append-message`, RFC 3502
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewMessage {
    pub(super) flags: Vec<String>,
    pub(super) date: Option<String>,
    pub(super) octets: Vec<u8>,
}

/// Whether numbers are message sequence numbers or UIDs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Sequence,
    Uid,
}

/// What STORE does with the flags it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Replace,
    Add,
    Remove,
}

/// A sequence set; `None` is `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Set(pub(super) Vec<(Option<u32>, Option<u32>)>);

impl Set {
    /// Whether it holds `number` when `*` is `last`.
    pub(super) fn contains(&self, number: u32, last: u32) -> bool {
        self.0.iter().any(|&(from, to)| {
            let (from, to) = (from.unwrap_or(last), to.unwrap_or(last));
            (from.min(to)..=from.max(to)).contains(&number)
        })
    }

    /// The greatest number written out; 1 when there is only `*`, which needs one message.
    pub(super) fn highest(&self) -> u32 {
        self.0.iter().flat_map(|&(from, to)| [from.unwrap_or(1), to.unwrap_or(1)]).max().unwrap_or(0)
    }
}

/// A data item of FETCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Uid,
    Flags,
    InternalDate,
    Size,
    Envelope,
    Structure(&'static str),
    Section { label: Label, section: Section, partial: Option<(u32, u32)>, peek: bool },
}

/// How the answer names a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    Body,
    /// One of RFC822, RFC822.HEADER and RFC822.TEXT.
    Old(&'static str),
}

/// `section-spec`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) part: Vec<u32>,
    pub(super) text: SectionText,
}

/// `section-text`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SectionText {
    Whole,
    Header,
    Text,
    Mime,
    Fields { names: Vec<String>, inverted: bool },
}

/// `search-key`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    All,
    Flag { flag: String, set: bool },
    New,
    Header { field: String, value: Vec<u8> },
    Body(Vec<u8>),
    Text(Vec<u8>),
    Date { day: Day, sent: bool, compare: When },
    Larger(u32),
    Smaller(u32),
    Sequence(Set),
    Uid(Set),
    Not(Box<Key>),
    Or(Box<Key>, Box<Key>),
    And(Vec<Key>),
}

/// Year, month and day, so that days compare as they follow each other.
pub(super) type Day = (u32, u32, u32);

/// How a message's day lies to the day of a search key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Before,
    On,
    Since,
}
