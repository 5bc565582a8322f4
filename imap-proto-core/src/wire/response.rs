use super::grammar::{Fetch, identification, list_entry, namespaces, status};
use super::parsed::Parsed;
use super::scan::leading_number;
use super::value::{Text, Value, Values, parse_number};
use super::{Damage, Detached, Tokens};
use crate::types::{Identification, ListEntry, MailboxName, Namespaces, Status};

/// The condition of a status response or of a tagged one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// `OK`: done, or information.
    Ok,
    /// `NO`: refused or failed, or a warning.
    No,
    /// `BAD`: not understood.
    Bad,
    /// `BYE`: the server closes.
    Bye,
    /// `PREAUTH`: a greeting that needs no login.
    PreAuth,
}

impl Condition {
    fn parse(word: &[u8]) -> Option<Self> {
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        match word.len() {
            2 if is("OK") => Some(Condition::Ok),
            2 if is("NO") => Some(Condition::No),
            3 if is("BAD") => Some(Condition::Bad),
            3 if is("BYE") => Some(Condition::Bye),
            7 if is("PREAUTH") => Some(Condition::PreAuth),
            _ => None,
        }
    }
}

/// What kind of response it is, as far as its first words tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// `+ …`: the server waits for more of a command.
    Continue,
    /// `tag OK …`: the end of a command.
    Tagged(Condition),
    /// `* OK …` and the like.
    Status(Condition),
    /// `* n EXISTS`
    Exists(u32),
    /// `* n RECENT`
    Recent(u32),
    /// `* n EXPUNGE`
    Expunge(u32),
    /// `* n FETCH …`
    Fetch(u32),
    /// `* CAPABILITY …`
    Capability,
    /// `* FLAGS …`
    Flags,
    /// `* SEARCH …`: its numbers are not tokenised, since there may be a million of them.
    Search,
    /// `* ENABLED …`
    Enabled,
    /// Untagged data of another name; [`Response::name`] tells it.
    Other,
    /// A line that begins like no response at all.
    Garbage,
}

impl Kind {
    fn has_values(self) -> bool {
        matches!(self, Kind::Fetch(_) | Kind::Flags | Kind::Enabled | Kind::Other)
    }
}

/// Where the parts of a response are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) kind: Kind,
    /// The tag, or the name of untagged data.
    word: (u32, u32),
    /// What follows the name, or the text of a status.
    rest: u32,
}

impl Head {
    /// That of nothing.
    pub(super) const NONE: Head = Head { kind: Kind::Garbage, word: (0, 0), rest: 0 };

    /// Reads the first words of a frame.
    #[inline]
    pub(super) fn parse(frame: &[u8]) -> Self {
        if let Some((number, digits)) = fetch_head(frame) {
            let word = (3 + digits as u32, 8 + digits as u32);
            return Head { kind: Kind::Fetch(number), word, rest: word.1 + 1 };
        }
        if frame.starts_with(b"* LIST (") {
            // As nearly all servers write it.
            return Head { kind: Kind::Other, word: (2, 6), rest: 7 };
        }
        Head::parse_odd(frame)
    }

    #[inline(never)]
    fn parse_odd(frame: &[u8]) -> Self {
        parse_head(frame).unwrap_or(Head::NONE)
    }

    /// Where the values begin, where they are to be tokenised.
    #[inline]
    pub(super) fn values(&self) -> Option<usize> {
        self.kind.has_values().then_some(self.rest as usize)
    }
}

/// `* 23 FETCH (`, as nearly all servers write it, and what nearly all responses begin with: the number, and how many
/// digits it has.
#[inline]
fn fetch_head(frame: &[u8]) -> Option<(u32, usize)> {
    let digits = frame.strip_prefix(b"* ")?;
    let (len @ 1..8, number) = leading_number(u64::from_le_bytes(*digits.first_chunk()?)) else { return None };
    digits[len..].starts_with(b" FETCH (").then_some((number as u32, len))
}

/// ```abnf
/// response      = *(continue-req / response-data) response-done
/// response-data = "*" SP (resp-cond-state / resp-cond-bye / mailbox-data / message-data / capability-data) CRLF
/// message-data  = nz-number SP ("EXPUNGE" / ("FETCH" SP msg-att))
/// response-tagged = tag SP resp-cond-state CRLF
/// ```
fn parse_head(frame: &[u8]) -> Option<Head> {
    let first = word_at(frame, 0);
    match &frame[first.0..first.1] {
        b"*" => {
            let word = word_at(frame, first.1);
            let name = &frame[word.0..word.1];
            if name.first() == Some(&b'[') {
                return Some(bare_code(word));
            }
            if let Some(number) = parse_number(name) {
                return numbered(frame, number, word_at(frame, word.1));
            }
            match Condition::parse(name) {
                Some(condition) => Some(head(Kind::Status(condition), word, frame)),
                None => Some(named(frame, name, word)),
            }
        }
        b"+" => Some(head(Kind::Continue, first, frame)),
        tag if is_tag(tag) => {
            let word = word_at(frame, first.1);
            let Some(condition) = Condition::parse(&frame[word.0..word.1]) else {
                return tag.starts_with(b"[").then(|| bare_code(first));
            };
            let mut tagged = head(Kind::Tagged(condition), word, frame);
            tagged.word = (first.0 as u32, first.1 as u32);
            Some(tagged)
        }
        _ => None,
    }
}

/// A response code with nothing before it, or with no more than `*`: meant is `* OK` (quirks 32, 33).
fn bare_code(word: (usize, usize)) -> Head {
    Head { kind: Kind::Status(Condition::Ok), word: (word.0 as u32, word.0 as u32), rest: word.0 as u32 }
}

fn head(kind: Kind, word: (usize, usize), frame: &[u8]) -> Head {
    let space = usize::from(frame.get(word.1) == Some(&b' '));
    Head { kind, word: (word.0 as u32, word.1 as u32), rest: (word.1 + space) as u32 }
}

fn numbered(frame: &[u8], number: u64, word: (usize, usize)) -> Option<Head> {
    let name = &frame[word.0..word.1];
    // Nearly all servers write capitals.
    let is = |expected: &str| name == expected.as_bytes() || name.eq_ignore_ascii_case(expected.as_bytes());
    // A number out of range costs this response, as quirk 27 wants it.
    let kind = match u32::try_from(number) {
        Ok(n) if is("FETCH") => Kind::Fetch(n),
        Ok(n) if is("EXISTS") => Kind::Exists(n),
        Ok(n) if is("RECENT") => Kind::Recent(n),
        Ok(n) if is("EXPUNGE") => Kind::Expunge(n),
        _ => Kind::Other,
    };
    Some(head(kind, word, frame))
}

fn named(frame: &[u8], name: &[u8], word: (usize, usize)) -> Head {
    let is = |expected: &str| name.eq_ignore_ascii_case(expected.as_bytes());
    let kind = if is("SEARCH") {
        Kind::Search
    } else if is("CAPABILITY") {
        Kind::Capability
    } else if is("FLAGS") {
        Kind::Flags
    } else if is("ENABLED") {
        Kind::Enabled
    } else {
        Kind::Other
    };
    head(kind, word, frame)
}

/// The word at or behind `from`: up to a space, or to a parenthesis that a server forgot to set apart (quirk 6).
#[inline]
fn word_at(frame: &[u8], from: usize) -> (usize, usize) {
    let mut start = from;
    while frame.get(start) == Some(&b' ') {
        start += 1;
    }
    let mut end = start;
    while let Some(byte) = frame.get(end)
        && !matches!(byte, b' ' | b'(' | b'\r' | b'\n')
    {
        end += 1;
    }
    (start, end)
}

fn is_tag(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(|b| b.is_ascii_graphic() && !br#"*+(){}%"\"#.contains(b))
}

/// One response, borrowed from where it was received.
#[derive(Clone, Copy)]
pub struct Response<'a> {
    parsed: &'a Parsed,
}

impl<'a> Response<'a> {
    #[inline]
    pub(super) fn of(parsed: &'a Parsed) -> Self {
        Response { parsed }
    }

    /// What kind of response it is.
    #[inline]
    pub fn kind(&self) -> Kind {
        self.parsed.head.kind
    }

    /// The bytes of the response, without its line end and without the octets of detached literals.
    #[inline]
    pub fn raw(&self) -> &'a [u8] {
        self.parsed.frame()
    }

    /// The tag of a tagged response, the name of untagged data (`LIST`, `XFOO`), else what came first.
    pub fn name(&self) -> &'a [u8] {
        let (start, end) = self.parsed.head.word;
        self.raw().get(start as usize..end as usize).unwrap_or_default()
    }

    /// What follows the condition of a status or tagged response, or the `+`; else the data behind the name.
    pub fn text(&self) -> Text<'a> {
        Text::plain(self.raw().get(self.parsed.head.rest as usize..).unwrap_or_default())
    }

    /// The values behind the name; none for statuses, `SEARCH` and `CAPABILITY`, which are text.
    pub fn values(&self) -> Values<'a> {
        Values::all(self.parsed)
    }

    /// The table that [`values`](Self::values) goes through, for a grammar of one's own.
    #[inline]
    pub fn tokens(&self) -> Tokens<'a> {
        self.parsed.tokens()
    }

    /// What was missing or too much in the response.
    pub fn damage(&self) -> Damage {
        self.parsed.damage
    }

    /// The literals whose octets are not in the frame.
    pub fn detached(&self) -> &'a [Detached] {
        &self.parsed.detached
    }

    /// Copies the response: one allocation, two where it has detached literals.
    pub fn to_owned(&self) -> OwnedResponse {
        OwnedResponse::new(self.parsed.alone())
    }

    /// Reads the name of a mailbox, in the form of the session. `None` for a list or a detached literal;
    /// `NIL` is a mailbox of that name (quirk 61).
    pub fn mailbox(&self, value: Value<'a>) -> Option<MailboxName> {
        let text = value.text().or_else(|| value.atom().map(Text::plain))?;
        Some(self.mailbox_of(&text.to_bytes()))
    }

    pub(crate) fn mailbox_of(&self, octets: &[u8]) -> MailboxName {
        if self.parsed.utf8_names { MailboxName::from_utf8(octets) } else { MailboxName::from_wire(octets) }
    }

    /// True for untagged data of this name, in any case.
    #[inline]
    pub(crate) fn is_named(&self, name: &str) -> bool {
        matches!(self.kind(), Kind::Other | Kind::Enabled | Kind::Flags)
            && self.name().eq_ignore_ascii_case(name.as_bytes())
    }

    /// The typed view on FETCH data; `None` for any other response.
    #[inline]
    pub fn as_fetch(&self) -> Option<Fetch<'a>> {
        match self.kind() {
            Kind::Fetch(seq) => Fetch::new(seq, self.values()),
            _ => None,
        }
    }

    /// What LIST, LSUB or XLIST data says of a mailbox; `None` for any other response, and where there is no name in it.
    pub fn as_list(&self) -> Option<ListEntry> {
        ["LIST", "LSUB", "XLIST"].iter().find(|name| self.is_named(name)).and_then(|_| list_entry(self))
    }

    /// What STATUS data says of which mailbox; `None` for any other response.
    pub fn as_status(&self) -> Option<(MailboxName, Status)> {
        self.is_named("STATUS").then(|| status(self))?
    }

    /// What NAMESPACE data says; `None` for any other response.
    pub fn as_namespaces(&self) -> Option<Namespaces> {
        self.is_named("NAMESPACE").then(|| namespaces(self))
    }

    /// What ID data says; `None` for any other response, and for `NIL`.
    pub fn as_identification(&self) -> Option<Identification> {
        self.is_named("ID").then(|| identification(self))?
    }

    /// The first value, where it is the only one that matters.
    pub fn first(&self) -> Option<Value<'a>> {
        self.values().peek()
    }
}

impl core::fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let raw = self.raw();
        write!(f, "{:?} {}", self.kind(), raw[..raw.len().min(64)].escape_ascii())
    }
}

/// One response that is kept: its bytes and its tokens, so that nothing is parsed again.
#[derive(Clone)]
pub struct OwnedResponse(Parsed);

impl OwnedResponse {
    pub(super) fn new(parsed: Parsed) -> Self {
        OwnedResponse(parsed)
    }

    /// Lends the response.
    #[inline]
    pub fn get(&self) -> Response<'_> {
        Response::of(&self.0)
    }
}

impl core::fmt::Debug for OwnedResponse {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.get().fmt(f)
    }
}
