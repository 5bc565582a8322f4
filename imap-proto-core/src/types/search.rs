use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Not;

use super::{Date, Flag, Keyword, SeqSet, UidSet};

/// Says which messages a SEARCH is after.
///
/// Values only: whatever text is searched for, it can't become a key. RFC 9051 §6.4.4
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
}

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

/// What was saved, as a search key.
const SAVED: &str = "$";

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
            Flag::Recent => Query::key(Part::Word("RECENT")),
            other => Query::keyword(other.to_keyword()?),
        })
    }

    /// Matches text in a header field; no text at all asks for the field itself.
    pub fn header(name: impl Into<String>, text: impl Into<String>) -> Self {
        Query::key(Part::Header(name.into(), text.into()))
    }

    /// Matches what has more octets.
    pub fn larger(octets: u32) -> Self {
        Query::key(Part::Number("LARGER", octets.into()))
    }

    /// Matches what has fewer octets.
    pub fn smaller(octets: u32) -> Self {
        Query::key(Part::Number("SMALLER", octets.into()))
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
        Query::key(Part::Number("MODSEQ", mod_seq))
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

    /// True when it names messages by sequence number, so that nothing may be expunged while it is on its way.
    pub fn has_numbers(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Messages(_)))
    }

    /// True when it has what was saved in it, which needs SEARCHRES. RFC 5182
    pub(crate) fn needs_saved(&self) -> bool {
        self.parts.contains(&Part::Word(SAVED))
    }

    /// True when it asks for an age, which needs WITHIN. RFC 5032
    pub(crate) fn needs_within(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Number("OLDER" | "YOUNGER", _)))
    }

    /// True when it asks for mod-sequences, which needs CONDSTORE. RFC 7162 §3.1.5
    pub fn needs_mod_seq(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Number("MODSEQ", _)))
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
