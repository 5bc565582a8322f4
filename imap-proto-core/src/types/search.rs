use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::Not;

use super::fetch_items::is_contained;
use super::{Capability, Date, EntryType, Flag, Keyword, SeqSet, UidSet};

/// Says which messages a SEARCH is after.
///
/// Values only: whatever text is searched for, it can't become a key; [`raw`](Self::raw) takes keys that are not known here. A
/// key that the session does not have is refused with [`Error::Unsupported`](crate::Error::Unsupported), and nothing is sent.
/// RFC 9051 §6.4.4
///
/// ```
/// use imap_proto_core::types::{Date, Query};
///
/// let day = Date::new(1994, 2, 1).unwrap();
/// let query = Query::unseen().and(Query::from("Smith").or(Query::since(day)));
/// assert_eq!(query.to_string(), r#"UNSEEN OR FROM "Smith" SINCE 1-Feb-1994"#);
/// assert_eq!((!query).to_string(), r#"NOT (UNSEEN OR FROM "Smith" SINCE 1-Feb-1994)"#);
/// ```
///
/// What is asked for often, days being those of the server's time zone:
///
/// ```
/// # use imap_proto_core::types::{Date, Query};
/// # let (first, last, today) = (Date::new(2026, 3, 1).unwrap(), Date::new(2026, 4, 1).unwrap(), Date::new(2026, 3, 9).unwrap());
/// let of_today = Query::on(today);
/// let of_march = Query::since(first).and(Query::before(last));
/// let from_a_domain = Query::from("@example.org");
/// let to_bea = Query::any([Query::to("bea"), Query::cc("bea"), Query::bcc("bea")]);
/// let has_a_list = Query::header("List-Id", "");
/// let at_least_a_mebibyte = !Query::smaller(1 << 20);
/// # let all = [of_today, of_march, from_a_domain, to_bea, has_a_list, at_least_a_mebibyte].map(|query| query.to_string());
/// # assert_eq!(all[1], "SINCE 1-Mar-2026 BEFORE 1-Apr-2026");
/// # assert_eq!(all[3], r#"OR OR TO "bea" CC "bea" BCC "bea""#);
/// ```
///
/// A text must not hold NUL, which no string of IMAP can carry: the encoder refuses the command.
#[derive(Clone, PartialEq, Eq)]
pub struct Query {
    /// The query as the protocol has it, operators before what they apply to: flat, so that no depth costs stack.
    parts: Vec<Part>,
    /// How many keys stand side by side, all of which must match.
    keys: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Or,
    Not,
    Open,
    Close,
    Word(&'static str),
    Uids(UidSet),
    Messages(SeqSet),
    Keyword(&'static str, Keyword),
    Text(&'static str, String),
    Header(String, String),
    Date(&'static str, Date),
    Number(&'static str, u64),
    /// A mod-sequence with whatever names its entry.
    ModSeq(Option<(Flag, EntryType)>, u64),
    Raw(String),
}

/// Says that a raw search key would break out of its command: it is empty, holds more than printable ASCII or a brace, or its
/// quotes or parentheses don't close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("search key can't be sent as it is")]
pub struct InvalidQuery;

/// Hands an encoder one piece of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment<'a> {
    /// Goes out as it is.
    Text(&'a str),
    /// Goes out as a quoted string or a literal, whichever holds it.
    String(&'a [u8]),
}

macro_rules! words {
    ($($(#[$doc:meta])* $method:ident = $name:literal;)*) => {
        $($(#[$doc])*
        pub fn $method() -> Self {
            Query::key(Part::Word($name))
        })*
    };
}

macro_rules! texts {
    ($($(#[$doc:meta])* $method:ident = $name:literal;)*) => {
        $($(#[$doc])*
        pub fn $method(text: impl Into<String>) -> Self {
            Query::key(Part::Text($name, text.into()))
        })*
    };
}

macro_rules! dates {
    ($($(#[$doc:meta])* $method:ident = $name:literal;)*) => {
        $($(#[$doc])*
        pub fn $method(date: Date) -> Self {
            Query::key(Part::Date($name, date))
        })*
    };
}

/// The most of `number64`. RFC 9051 §9
const MOST: u64 = i64::MAX as u64;

impl Query {
    words! {
        /// Matches every message.
        all = "ALL";
        /// Matches what has been read.
        seen = "SEEN";
        /// Matches what has not been read.
        unseen = "UNSEEN";
        /// Matches what has been answered.
        answered = "ANSWERED";
        /// Matches what has not been answered.
        unanswered = "UNANSWERED";
        /// Matches what wants attention.
        flagged = "FLAGGED";
        /// Matches what does not want attention.
        unflagged = "UNFLAGGED";
        /// Matches what the next EXPUNGE removes.
        deleted = "DELETED";
        /// Matches what the next EXPUNGE leaves.
        undeleted = "UNDELETED";
        /// Matches what is not finished.
        draft = "DRAFT";
        /// Matches what is finished.
        undraft = "UNDRAFT";
        /// Matches what this session was the first to be told of. Of IMAP4rev1: refused in a session of IMAP4rev2.
        /// RFC 3501 §6.4.4
        recent = "RECENT";
        /// `NEW`: matches what is recent and has not been read. As [`recent`](Self::recent) for the rest.
        new_mail = "NEW";
        /// Matches what is not recent. As [`recent`](Self::recent) for the rest.
        old = "OLD";
        /// Matches what the last search with [`Returns::SAVE`](crate::command::Returns::SAVE) found. Needs SEARCHRES. RFC 5182
        saved_result = "$";
    }

    texts! {
        /// Matches text in the header field From.
        from = "FROM";
        /// Matches text in the header field To.
        to = "TO";
        /// Matches text in the header field Cc.
        cc = "CC";
        /// Matches text in the header field Bcc.
        bcc = "BCC";
        /// Matches text in the header field Subject.
        subject = "SUBJECT";
        /// Matches text in the body.
        body = "BODY";
        /// Matches text anywhere in the message.
        text = "TEXT";
        /// `X-GM-RAW`: matches what Gmail finds by that text in its own language. Needs X-GM-EXT-1.
        gmail_raw = "X-GM-RAW";
        /// `X-GM-LABELS`: matches what has that label of Gmail. Needs X-GM-EXT-1.
        gmail_label = "X-GM-LABELS";
    }

    dates! {
        /// Matches what was received before the day, in the server's time zone.
        before = "BEFORE";
        /// Matches what was received on the day, in the server's time zone.
        on = "ON";
        /// Matches what was received on the day or later, in the server's time zone.
        since = "SINCE";
        /// Matches what has a Date header before the day.
        sent_before = "SENTBEFORE";
        /// Matches what has a Date header on the day.
        sent_on = "SENTON";
        /// Matches what has a Date header on the day or later.
        sent_since = "SENTSINCE";
    }

    /// Matches messages by UID. The empty set matches none.
    pub fn uid(uids: UidSet) -> Self {
        if uids.is_empty() { !Query::all() } else { Query::key(Part::Uids(uids)) }
    }

    /// Matches messages by sequence number. The empty set matches none.
    pub fn seq_num(messages: SeqSet) -> Self {
        if messages.is_empty() { !Query::all() } else { Query::key(Part::Messages(messages)) }
    }

    /// Matches what has the keyword.
    pub fn keyword(keyword: Keyword) -> Self {
        Query::key(Part::Keyword("KEYWORD", keyword))
    }

    /// Matches what does not have the keyword.
    pub fn unkeyword(keyword: Keyword) -> Self {
        Query::key(Part::Keyword("UNKEYWORD", keyword))
    }

    /// Matches what has the flag; `None` for flags that SEARCH has no key for.
    pub fn flag(flag: &Flag) -> Option<Self> {
        Some(match flag {
            Flag::Seen => Query::seen(),
            Flag::Answered => Query::answered(),
            Flag::Flagged => Query::flagged(),
            Flag::Deleted => Query::deleted(),
            Flag::Draft => Query::draft(),
            Flag::Recent => Query::recent(),
            other => Query::keyword(other.to_keyword()?),
        })
    }

    /// Matches text in a header field; no text at all asks for the field itself.
    pub fn header(name: impl Into<String>, text: impl Into<String>) -> Self {
        Query::key(Part::Header(name.into(), text.into()))
    }

    /// Matches what has more octets; `!Query::smaller(octets)` what has so many or more.
    ///
    /// More than 32 bits hold are of IMAP4rev2, and refused in a session of IMAP4rev1. RFC 9051 §6.4.4
    pub fn larger(octets: u64) -> Self {
        Query::key(Part::Number("LARGER", octets.min(MOST)))
    }

    /// Matches what has fewer octets; `!Query::larger(octets)` what has so many or fewer. As [`larger`](Self::larger) for the
    /// rest.
    pub fn smaller(octets: u64) -> Self {
        Query::key(Part::Number("SMALLER", octets.min(MOST)))
    }

    /// Matches what was received longer ago than that; needs WITHIN. RFC 5032
    pub fn older(seconds: core::num::NonZeroU32) -> Self {
        Query::key(Part::Number("OLDER", seconds.get().into()))
    }

    /// Matches what was received in that time up to now; needs WITHIN. RFC 5032
    pub fn younger(seconds: core::num::NonZeroU32) -> Self {
        Query::key(Part::Number("YOUNGER", seconds.get().into()))
    }

    /// Matches what has this mod-sequence or a higher one; needs CONDSTORE. RFC 7162 §3.1.5
    pub fn mod_seq(mod_seq: u64) -> Self {
        Query::key(Part::ModSeq(None, mod_seq))
    }

    /// Matches what has this mod-sequence or a higher one for a flag; `None` for what is no flag. Needs CONDSTORE.
    /// RFC 7162 §3.1.5
    ///
    /// Servers that keep no mod-sequences of single flags go by that of the message.
    pub fn mod_seq_of(flag: &Flag, entry: EntryType, mod_seq: u64) -> Option<Self> {
        flag.is_storable().then(|| Query::key(Part::ModSeq(Some((flag.clone(), entry)), mod_seq)))
    }

    /// Matches the message with this identifier of Gmail, `X-GM-MSGID`. Needs X-GM-EXT-1.
    pub fn gmail_message(id: u64) -> Self {
        Query::key(Part::Number("X-GM-MSGID", id))
    }

    /// Matches the messages of a conversation of Gmail, `X-GM-THRID`. Needs X-GM-EXT-1.
    pub fn gmail_thread(id: u64) -> Self {
        Query::key(Part::Number("X-GM-THRID", id))
    }

    /// Matches what keys match that have no method here, as they are. What they need of the server is the caller's to know.
    ///
    /// They stand in parentheses, so that they are one key whatever they say. They are ASCII, as no literal can be among them:
    /// text that is not goes with the methods.
    ///
    /// ```
    /// use imap_proto_core::types::Query;
    ///
    /// let query = Query::raw("X-GM-RAW \"has:attachment\"")?.and(Query::unseen());
    /// assert_eq!(query.to_string(), r#"(X-GM-RAW "has:attachment") UNSEEN"#);
    /// assert!(Query::raw("SEEN\r\nA1 LOGOUT").is_err());
    /// # Ok::<(), imap_proto_core::types::InvalidQuery>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidQuery`] where it would break out of the command.
    pub fn raw(keys: impl Into<String>) -> Result<Self, InvalidQuery> {
        let keys = keys.into();
        if is_contained(keys.as_bytes()) { Ok(Query::key(Part::Raw(keys))) } else { Err(InvalidQuery) }
    }

    /// Matches what one of them matches at the least; of none, nothing. Many of them nest no deeper than they must.
    pub fn any(queries: impl IntoIterator<Item = Query>) -> Self {
        let mut level: Vec<Query> = queries.into_iter().collect();
        while level.len() > 1 {
            let mut pairs = level.into_iter();
            let mut above = Vec::with_capacity(pairs.len().div_ceil(2));
            while let Some(one) = pairs.next() {
                above.push(match pairs.next() {
                    Some(other) => one.or(other),
                    None => one,
                });
            }
            level = above;
        }
        level.pop().unwrap_or_else(|| !Query::all())
    }

    /// Matches what both match.
    #[must_use]
    pub fn and(mut self, other: Query) -> Self {
        self.parts.extend(other.parts);
        self.keys += other.keys;
        self
    }

    /// Matches what either matches.
    #[must_use]
    pub fn or(self, other: Query) -> Self {
        let mut either = self.prefixed(Part::Or);
        other.append_single(&mut either);
        Query { parts: either, keys: 1 }
    }

    /// Hands out the query in order, strings apart from what goes out as it is.
    pub fn write(&self, out: &mut impl FnMut(Fragment<'_>)) {
        let mut space = "";
        for part in &self.parts {
            if !space.is_empty() && *part != Part::Close {
                out(Fragment::Text(space));
            }
            part.write(out);
            space = if *part == Part::Open { "" } else { " " };
        }
    }

    /// True when a string is not ASCII: then SEARCH must name the charset UTF-8, and else should name none (quirk 125).
    pub fn needs_charset(&self) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Text(_, text) => !text.is_ascii(),
            Part::Header(name, text) => !name.is_ascii() || !text.is_ascii(),
            _ => false,
        })
    }

    /// True when it names messages by sequence number, so that nothing may be expunged while it is on its way. Raw keys may.
    pub fn has_numbers(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Messages(_) | Part::Raw(_)))
    }

    /// True when it surely names messages by sequence numbers that move.
    pub(crate) fn names_numbers(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Messages(numbers) if numbers.may_move()))
    }

    /// True when what it finds depends on flags, or on mod-sequences, which change with them. Raw keys may.
    pub(crate) fn is_by_flags(&self) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Word(word) => !matches!(*word, "ALL" | "RECENT" | "OLD" | "$"),
            Part::Keyword(..) | Part::ModSeq(..) | Part::Raw(_) => true,
            _ => false,
        })
    }

    /// What the server must offer for it, by name.
    pub(crate) fn needs(&self) -> impl Iterator<Item = (Capability, &'static str)> + '_ {
        self.parts.iter().filter_map(Part::need)
    }

    fn key(part: Part) -> Self {
        Query { parts: Vec::from([part]), keys: 1 }
    }

    fn prefixed(self, operator: Part) -> Vec<Part> {
        let mut parts = Vec::with_capacity(self.parts.len() + 3);
        parts.push(operator);
        self.append_single(&mut parts);
        parts
    }

    /// Appends it as one key, in parentheses where it is several.
    fn append_single(self, parts: &mut Vec<Part>) {
        if self.keys == 1 {
            parts.extend(self.parts);
        } else {
            parts.push(Part::Open);
            parts.extend(self.parts);
            parts.push(Part::Close);
        }
    }
}

impl Part {
    fn need(&self) -> Option<(Capability, &'static str)> {
        Some(match self {
            // Of RFC 3501, gone with RFC 9051 (its appendix E).
            Part::Word("RECENT" | "NEW" | "OLD") => (Capability::Imap4Rev1, "IMAP4rev1"),
            Part::Word("$") => (Capability::SearchRes, "SEARCHRES"),
            Part::Number("LARGER" | "SMALLER", octets) if *octets > u32::MAX.into() => {
                (Capability::Imap4Rev2, "IMAP4rev2")
            }
            Part::Number("OLDER" | "YOUNGER", _) => (Capability::Within, "WITHIN"),
            Part::ModSeq(..) => (Capability::CondStore, "CONDSTORE"),
            Part::Text("X-GM-RAW" | "X-GM-LABELS", _) | Part::Number("X-GM-MSGID" | "X-GM-THRID", _) => {
                (Capability::GmailExtensions, "X-GM-EXT-1")
            }
            _ => return None,
        })
    }

    fn write(&self, out: &mut impl FnMut(Fragment<'_>)) {
        match self {
            Part::Or => out(Fragment::Text("OR")),
            Part::Not => out(Fragment::Text("NOT")),
            Part::Open => out(Fragment::Text("(")),
            Part::Close => out(Fragment::Text(")")),
            Part::Word(word) => out(Fragment::Text(word)),
            Part::Uids(uids) => out(Fragment::Text(&format!("UID {uids}"))),
            Part::Messages(messages) => out(Fragment::Text(&format!("{messages}"))),
            Part::Keyword(key, keyword) => out(Fragment::Text(&format!("{key} {keyword}"))),
            Part::Date(key, date) => out(Fragment::Text(&format!("{key} {date}"))),
            Part::Number(key, number) => out(Fragment::Text(&format!("{key} {number}"))),
            Part::ModSeq(None, number) => out(Fragment::Text(&format!("MODSEQ {number}"))),
            Part::ModSeq(Some((flag, entry)), number) => out(Fragment::Text(&mod_seq_of(flag, *entry, *number))),
            Part::Raw(keys) => out(Fragment::Text(&format!("({keys})"))),
            Part::Text(key, text) => {
                out(Fragment::Text(key));
                out(Fragment::Text(" "));
                out(Fragment::String(text.as_bytes()));
            }
            Part::Header(name, text) => {
                out(Fragment::Text("HEADER "));
                out(Fragment::String(name.as_bytes()));
                out(Fragment::Text(" "));
                out(Fragment::String(text.as_bytes()));
            }
        }
    }
}

/// ```abnf
/// search-modseq-ext = SP entry-name SP entry-type-req
/// entry-flag-name   = DQUOTE "/flags/" attr-flag DQUOTE
/// ```
fn mod_seq_of(flag: &Flag, entry: EntryType, number: u64) -> String {
    // Between the quotes a backslash is escaped.
    let flag = flag.to_string().replace('\\', "\\\\");
    format!("MODSEQ \"/flags/{flag}\" {} {number}", entry.as_str())
}

impl Not for Query {
    type Output = Query;

    /// Matches what the query does not.
    fn not(self) -> Query {
        Query { parts: self.prefixed(Part::Not), keys: 1 }
    }
}

impl From<UidSet> for Query {
    fn from(uids: UidSet) -> Self {
        Query::uid(uids)
    }
}

/// Shows the query with its strings escaped as in Rust: for people, not for the wire.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut result = Ok(());
        self.write(&mut |fragment| {
            let written = match fragment {
                Fragment::Text(text) => f.write_str(text),
                Fragment::String(bytes) => fmt::Debug::fmt(&String::from_utf8_lossy(bytes), f),
            };
            result = result.and(written);
        });
        result
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use crate::types::Uid;

    use super::*;

    #[test]
    fn a_query_is_by_flags_where_any_of_its_keys_is() {
        let keyword = || Keyword::new("Work").unwrap();
        for query in [
            Query::unseen(),
            Query::new_mail(),
            Query::all().and(!Query::deleted()),
            Query::keyword(keyword()).or(Query::all()),
            Query::unkeyword(keyword()),
            Query::mod_seq(7),
            Query::mod_seq_of(&Flag::Seen, EntryType::Any, 7).unwrap(),
            Query::raw("UNSEEN").unwrap(),
        ] {
            assert!(query.is_by_flags(), "{query}");
        }
        for query in [
            Query::all(),
            Query::recent(),
            Query::old(),
            Query::saved_result(),
            !Query::subject("UNSEEN").and(Query::larger(7)),
            Query::seq_num(SeqSet::all()),
        ] {
            assert!(!query.is_by_flags(), "{query}");
        }
    }

    #[test]
    fn queries_and_their_wire_form() {
        let uid = |number| Uid::new(number).unwrap();
        let day = Date::new(2024, 12, 31).unwrap();
        let both = || Query::seen().and(Query::draft());
        let table = [
            (Query::all(), "ALL"),
            (Query::uid(UidSet::from(uid(1)..=uid(9))), "UID 1:9"),
            (Query::uid(UidSet::new()), "NOT ALL"),
            (Query::seq_num(SeqSet::all()), "1:*"),
            (Query::keyword(Keyword::new("$Junk").unwrap()), "KEYWORD $Junk"),
            (Query::flag(&Flag::Junk).unwrap(), "KEYWORD $Junk"),
            (Query::header("X-A", ""), "HEADER \"X-A\" \"\""),
            (Query::before(day).and(Query::larger(7)), "BEFORE 31-Dec-2024 LARGER 7"),
            (both().or(Query::all()), "OR (SEEN DRAFT) ALL"),
            (Query::all().or(both()), "OR ALL (SEEN DRAFT)"),
            (!both(), "NOT (SEEN DRAFT)"),
            (!!Query::all(), "NOT NOT ALL"),
            (Query::seen().or(Query::draft()).or(both()).and(both()), "OR OR SEEN DRAFT (SEEN DRAFT) SEEN DRAFT"),
            (!(!both()).and(both()), "NOT (NOT (SEEN DRAFT) SEEN DRAFT)"),
        ];
        for (query, expected) in table {
            assert_eq!(query.to_string(), expected);
        }
    }

    #[test]
    fn every_key_of_both_revisions_has_its_wire_form() {
        let work = || Keyword::new("Work").unwrap();
        let day = || Date::new(1994, 2, 1).unwrap();
        let uids = || UidSet::from(super::super::Uid::new(5).unwrap());
        let numbers = || SeqSet::from(super::super::SeqNum::new(2).unwrap());
        // In the order of RFC 3501 §6.4.4; all but NEW, OLD and RECENT are in RFC 9051 §6.4.4 too.
        let table = [
            (Query::seq_num(numbers()), "2"),
            (Query::all(), "ALL"),
            (Query::answered(), "ANSWERED"),
            (Query::bcc("x"), "BCC \"x\""),
            (Query::before(day()), "BEFORE 1-Feb-1994"),
            (Query::body("x"), "BODY \"x\""),
            (Query::cc("x"), "CC \"x\""),
            (Query::deleted(), "DELETED"),
            (Query::draft(), "DRAFT"),
            (Query::flagged(), "FLAGGED"),
            (Query::from("x"), "FROM \"x\""),
            (Query::header("X-Y", ""), "HEADER \"X-Y\" \"\""),
            (Query::keyword(work()), "KEYWORD Work"),
            (Query::larger(7), "LARGER 7"),
            (Query::new_mail(), "NEW"),
            (!Query::all(), "NOT ALL"),
            (Query::old(), "OLD"),
            (Query::on(day()), "ON 1-Feb-1994"),
            (Query::all().or(Query::old()), "OR ALL OLD"),
            (Query::recent(), "RECENT"),
            (Query::seen(), "SEEN"),
            (Query::sent_before(day()), "SENTBEFORE 1-Feb-1994"),
            (Query::sent_on(day()), "SENTON 1-Feb-1994"),
            (Query::sent_since(day()), "SENTSINCE 1-Feb-1994"),
            (Query::since(day()), "SINCE 1-Feb-1994"),
            (Query::smaller(7), "SMALLER 7"),
            (Query::subject("x"), "SUBJECT \"x\""),
            (Query::text("x"), "TEXT \"x\""),
            (Query::to("x"), "TO \"x\""),
            (Query::uid(uids()), "UID 5"),
            (Query::unanswered(), "UNANSWERED"),
            (Query::undeleted(), "UNDELETED"),
            (Query::undraft(), "UNDRAFT"),
            (Query::unflagged(), "UNFLAGGED"),
            (Query::unkeyword(work()), "UNKEYWORD Work"),
            (Query::unseen(), "UNSEEN"),
            // Of extensions.
            (Query::saved_result(), "$"),
            (Query::mod_seq(7), "MODSEQ 7"),
            (Query::gmail_raw("in:inbox \"a b\""), r#"X-GM-RAW "in:inbox \"a b\"""#),
            (Query::gmail_label("x"), "X-GM-LABELS \"x\""),
            (Query::gmail_message(u64::MAX), "X-GM-MSGID 18446744073709551615"),
            (Query::gmail_thread(7), "X-GM-THRID 7"),
        ];
        for (query, expected) in table {
            assert_eq!(query.to_string(), expected);
        }
    }

    #[test]
    fn a_size_is_no_larger_than_can_be_said() {
        assert_eq!(Query::larger(u64::MAX).to_string(), "LARGER 9223372036854775807");
        assert_eq!((!Query::smaller(1 << 32)).to_string(), "NOT SMALLER 4294967296");
    }

    #[test]
    fn mod_sequences_may_be_those_of_a_flag() {
        let of = |flag: Flag, entry| Query::mod_seq_of(&flag, entry, 620_162_338).map(|query| query.to_string());
        let table = [
            (of(Flag::Draft, EntryType::Any), Some(r#"MODSEQ "/flags/\\Draft" all 620162338"#)),
            (of(Flag::Junk, EntryType::Shared), Some(r#"MODSEQ "/flags/$Junk" shared 620162338"#)),
            (of(Flag::from_wire(b"\\X"), EntryType::Private), Some(r#"MODSEQ "/flags/\\X" priv 620162338"#)),
            (of(Flag::Recent, EntryType::Any), None),
            (of(Flag::Any, EntryType::Any), None),
            (of(Flag::from_wire(b"a\" b"), EntryType::Any), None),
        ];
        for (found, expected) in table {
            assert_eq!(found.as_deref(), expected);
        }
    }

    #[test]
    fn raw_keys_are_one_key_and_stay_in_their_line() {
        let raw = |keys: &str| Query::raw(keys).map(|query| (!query).and(Query::seen()).to_string());
        for keys in ["SEEN", "NOT", "OR SEEN", "X-GM-RAW \"a ) {3} \\\" b\"", "1:3 (SEEN (DRAFT))", "RETURN (SAVE) ALL"]
        {
            assert_eq!(raw(keys), Ok(format!("NOT ({keys}) SEEN")));
        }
        for keys in [
            "",
            " ",
            "SEEN)",
            "(SEEN",
            "SEEN) LOGOUT (",
            "A\r\nB LOGOUT",
            "A\nB",
            "FROM {3}",
            "FROM {3+}",
            "FROM ~{3}",
            "\"",
            "\"\\\"",
            "\"\\a\"",
            "A\0",
            "é",
            "\"é\"",
            "\"\t\"",
        ] {
            assert_eq!(Query::raw(keys), Err(InvalidQuery), "{keys:?}");
        }
    }

    #[test]
    fn any_nests_no_deeper_than_it_must() {
        let any = |count: u64| Query::any((0..count).map(Query::larger)).to_string();
        assert_eq!(any(0), "NOT ALL");
        assert_eq!(any(1), "LARGER 0");
        assert_eq!(any(3), "OR OR LARGER 0 LARGER 1 LARGER 2");
        assert_eq!(any(4), "OR OR LARGER 0 LARGER 1 OR LARGER 2 LARGER 3");
        let deepest = any(1000).split(" LARGER").map(|ors| ors.matches("OR").count()).max();
        assert_eq!(deepest, Some(10));
        let pair = || Query::seen().and(Query::draft());
        assert_eq!(Query::any([pair(), pair()]).to_string(), "OR (SEEN DRAFT) (SEEN DRAFT)");
    }

    #[test]
    fn text_is_a_string_and_nothing_else() {
        let mut strings = Vec::new();
        Query::subject("x\r\nA LOGOUT").and(Query::header("a b", "\"")).write(&mut |fragment| match fragment {
            Fragment::String(bytes) => strings.push(bytes.to_vec()),
            Fragment::Text(text) => assert!(!text.contains(['\r', '"']), "{text}"),
        });
        assert_eq!(strings, [&b"x\r\nA LOGOUT"[..], b"a b", b"\""]);
    }

    #[test]
    fn a_charset_is_for_what_is_not_ascii() {
        assert!(!Query::from("a").needs_charset());
        assert!((!Query::all().and(Query::body("é"))).needs_charset());
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = (0..5_000).fold(Query::all(), |query, _| (!query).or(Query::seen()));
        assert!(deep.to_string().starts_with("OR NOT OR NOT OR"));
    }
}
