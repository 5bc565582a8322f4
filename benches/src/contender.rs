//! What is measured: one receive path, fed the octets of a corpus in chunks.

/// A receive path.
///
/// A contender lives through all rounds of one corpus and may keep its buffers between two runs, as a
/// connection would.
pub trait Contender {
    /// The column head; our own begin with `ours`.
    fn name(&self) -> &'static str;

    /// How far the contender takes the octets.
    fn depth(&self) -> Depth;

    /// Receives all of `bytes`, at most `chunk` octets at a time, and looks at what came out.
    ///
    /// # Panics
    ///
    /// Where the contender cannot read a corpus at all.
    fn run(&mut self, bytes: &[u8], chunk: usize) -> Counted;
}

/// How far a contender takes the octets, and with it what its [`Counted`] must agree upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Looks at no octet: a limit, not a receive path.
    Octets,
    /// Finds the responses.
    Frames,
    /// Reads the values out of the responses; all such contenders must give the same [`Touch`].
    Values,
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// The number of responses.
    pub responses: u64,
    /// The sum over all values that were looked at.
    pub touched: u64,
}

/// The sum over what a consumer of the corpora would look at, so that nothing of a parse is dead code.
///
/// All contenders that read values add the same ones, so the sums must be equal: UID, MODSEQ, a 1 for each
/// flag and the length of each keyword; of an envelope the lengths of date, subject and message id and of
/// name, mailbox and host of each address in From and To; of a body structure its octets and the length of
/// each subtype; the length of a literal and its first octet; of LIST the length of the name; of SEARCH all
/// numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Touch(pub u64);

impl Touch {
    /// Adds a number.
    pub fn number(&mut self, number: impl Into<u64>) {
        self.0 = self.0.wrapping_add(number.into());
    }

    /// Adds the length of a string.
    pub fn string(&mut self, string: &[u8]) {
        self.0 = self.0.wrapping_add(string.len() as u64);
    }

    /// Adds the length of a string, or nothing for NIL.
    pub fn nstring(&mut self, string: Option<&[u8]>) {
        self.string(string.unwrap_or_default());
    }

    /// Adds the length of the data of a `BODY[...]` and its first octet.
    pub fn literal(&mut self, data: &[u8]) {
        self.string(data);
        self.number(data.first().copied().unwrap_or_default());
    }

    /// Adds a piece of such data, the first one or a later one.
    pub fn piece(&mut self, octets: &[u8], is_first: bool) {
        if is_first { self.literal(octets) } else { self.string(octets) }
    }

    /// Adds a flag by its name on the wire.
    pub fn flag(&mut self, flag: &[u8]) {
        if flag.starts_with(b"\\") {
            self.number(1_u8);
        } else {
            self.keyword(flag);
        }
    }

    /// Adds a keyword: a flag without a backslash.
    pub fn keyword(&mut self, keyword: &[u8]) {
        self.number(1_u8);
        self.string(keyword);
    }
}
