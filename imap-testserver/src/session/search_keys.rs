use imap_proto_core::types::{Capability, Date, Flag, SeqSet, UidSet};

use super::Session;
use super::answer::{Bad, Parsed, bad};
use super::args::{Args, flag, set};

/// NOT, OR and parentheses nest no deeper.
const MOST_DEPTH: usize = 50;

/// What a message must be to be found. RFC 9051 §6.4.4, and RECENT, NEW and OLD of RFC 3501.
#[derive(Clone, Debug)]
pub(super) enum Key {
    All,
    And(Vec<Key>),
    Or(Box<Key>, Box<Key>),
    Not(Box<Key>),
    SeqNums(SeqSet),
    Uids(UidSet),
    Has(Flag),
    Recent,
    Header {
        name: String,
        value: String,
    },
    Body(String),
    Text(String),
    Larger(u64),
    Smaller(u64),
    Received(When, Date),
    Sent(When, Date),
    /// RFC 7162 §3.1.5
    ModSeq(u64),
}

/// On which side of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Before,
    On,
    Since,
}

impl Session {
    /// ```abnf
    /// search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)
    /// ```
    pub(super) fn search_program(&self, args: &mut Args<'_>) -> Parsed<Key> {
        let mut keys = vec![self.search_key(args, 0)?];
        while !args.is_empty() {
            keys.push(self.search_key(args, 0)?);
        }
        Ok(Key::And(keys))
    }

    fn search_key(&self, args: &mut Args<'_>, depth: usize) -> Parsed<Key> {
        if depth > MOST_DEPTH {
            return bad("Too many levels");
        }
        if args.at_list() {
            let mut list = args.list()?;
            let mut keys = Vec::new();
            loop {
                keys.push(self.search_key(&mut list, depth + 1)?);
                if list.is_empty() {
                    return Ok(Key::And(keys));
                }
            }
        }
        let value = args.next()?;
        let word = value.atom().ok_or(Bad("Search key expected".into()))?;
        if matches!(word.first(), Some(b'0'..=b'9' | b'*')) {
            return set(word).map(Key::SeqNums);
        }
        let not = |key| Key::Not(Box::new(key));
        Ok(match word.to_ascii_uppercase().as_slice() {
            b"ALL" => Key::All,
            b"ANSWERED" => Key::Has(Flag::Answered),
            b"DELETED" => Key::Has(Flag::Deleted),
            b"DRAFT" => Key::Has(Flag::Draft),
            b"FLAGGED" => Key::Has(Flag::Flagged),
            b"SEEN" => Key::Has(Flag::Seen),
            b"UNANSWERED" => not(Key::Has(Flag::Answered)),
            b"UNDELETED" => not(Key::Has(Flag::Deleted)),
            b"UNDRAFT" => not(Key::Has(Flag::Draft)),
            b"UNFLAGGED" => not(Key::Has(Flag::Flagged)),
            b"UNSEEN" => not(Key::Has(Flag::Seen)),
            b"RECENT" => Key::Recent,
            b"OLD" => not(Key::Recent),
            b"NEW" => Key::And(vec![Key::Recent, not(Key::Has(Flag::Seen))]),
            b"KEYWORD" => Key::Has(keyword(args)?),
            b"UNKEYWORD" => not(Key::Has(keyword(args)?)),
            b"UID" => Key::Uids(args.set()?),
            b"NOT" => not(self.search_key(args, depth + 1)?),
            b"OR" => {
                let one = self.search_key(args, depth + 1)?;
                Key::Or(Box::new(one), Box::new(self.search_key(args, depth + 1)?))
            }
            b"HEADER" => Key::Header { name: text(args)?, value: text(args)? },
            name @ (b"FROM" | b"TO" | b"CC" | b"BCC" | b"SUBJECT") => {
                Key::Header { name: String::from_utf8_lossy(name).to_ascii_lowercase(), value: text(args)? }
            }
            b"BODY" => Key::Body(text(args)?),
            b"TEXT" => Key::Text(text(args)?),
            b"LARGER" => Key::Larger(args.number()?),
            b"SMALLER" => Key::Smaller(args.number()?),
            b"BEFORE" => Key::Received(When::Before, args.date()?),
            b"ON" => Key::Received(When::On, args.date()?),
            b"SINCE" => Key::Received(When::Since, args.date()?),
            b"SENTBEFORE" => Key::Sent(When::Before, args.date()?),
            b"SENTON" => Key::Sent(When::On, args.date()?),
            b"SENTSINCE" => Key::Sent(When::Since, args.date()?),
            b"MODSEQ" if self.has(&Capability::CondStore) => Key::ModSeq(mod_seq(args)?),
            _ => return bad("Unknown search key"),
        })
    }
}

impl Key {
    /// True when the client asks for mod-sequences, here or further down.
    pub(super) fn has_mod_seq(&self) -> bool {
        match self {
            Key::ModSeq(_) => true,
            Key::And(keys) => keys.iter().any(Key::has_mod_seq),
            Key::Or(one, other) => one.has_mod_seq() || other.has_mod_seq(),
            Key::Not(key) => key.has_mod_seq(),
            _ => false,
        }
    }

    /// Calls it with each set of sequence numbers.
    pub(super) fn each_set(&self, with: &mut impl FnMut(&SeqSet) -> Parsed<()>) -> Parsed<()> {
        match self {
            Key::SeqNums(numbers) => with(numbers),
            Key::And(keys) => keys.iter().try_for_each(|key| key.each_set(with)),
            Key::Or(one, other) => one.each_set(with).and_then(|()| other.each_set(with)),
            Key::Not(key) => key.each_set(with),
            _ => Ok(()),
        }
    }
}

fn keyword(args: &mut Args<'_>) -> Parsed<Flag> {
    match flag(args.next()?)? {
        flag if flag.is_keyword() => Ok(flag),
        _ => bad("Keyword expected"),
    }
}

/// The text to look for, in small letters.
fn text(args: &mut Args<'_>) -> Parsed<String> {
    let text = String::from_utf8(args.astring()?);
    text.map(|text| text.to_lowercase()).map_err(|_| Bad("UTF-8 expected".into()))
}

/// `"MODSEQ" [SP DQUOTE "/flags/" flag DQUOTE SP ("priv" / "shared" / "all")] SP mod-sequence-valzer`
fn mod_seq(args: &mut Args<'_>) -> Parsed<u64> {
    let mut ahead = *args;
    if ahead.number().is_err() {
        args.string()?;
        if !matches!(&args.word()?[..], "PRIV" | "SHARED" | "ALL") {
            return bad("priv, shared or all expected");
        }
    }
    args.number()
}
