use imap_proto_core::types::{Capability, Date, SeqNum, SeqSet, Uid, UidSet};
use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use super::Session;
use super::answer::{Outcome, Parsed, bad, no, ok};
use super::args::Args;
use super::dispatch::{By, no_such_mailbox};
use super::search_keys::{Key, When};
use super::view::{Entry, Numbers, View};
use crate::message::{Fields, Part, PartTree};
use crate::store::Message;

/// The results that ESEARCH returns. RFC 4731 §3.1
#[derive(Clone, Copy, Debug, Default)]
struct Returns {
    min: bool,
    max: bool,
    all: bool,
    count: bool,
}

/// A message that was found.
struct Found {
    number: u32,
    mod_seq: u64,
}

impl Session {
    /// SEARCH and UID SEARCH. RFC 9051 §6.4.4
    pub(super) fn search(&mut self, tag: &str, by: By, mut args: Args<'_>) -> Outcome {
        let returns = if args.skip("RETURN") { Some(self.returns(args.list()?)?) } else { None };
        if args.skip("CHARSET") {
            let charset = args.astring()?;
            if !charset.eq_ignore_ascii_case(b"UTF-8") && !charset.eq_ignore_ascii_case(b"US-ASCII") {
                return no("[BADCHARSET (US-ASCII UTF-8)] Unknown charset");
            }
        }
        let key = self.search_program(&mut args)?;
        let asks_mod_seq = key.has_mod_seq();
        self.cond_store |= asks_mod_seq;
        let (Some(account), Some(view)) = (self.account.clone(), &self.view) else { return no_such_mailbox() };
        key.each_set(&mut |numbers| view.choose(&Numbers::SeqNums(numbers.clone())).map(drop))?;
        let mut found = Vec::new();
        let mut store = account.lock();
        if let Some(mailbox) = store.by_validity(view.validity) {
            for (at, entry) in view.entries.iter().enumerate() {
                let Some(message) = mailbox.get(entry.uid) else { continue };
                let candidate = Candidate { at, entry, message, view };
                if candidate.matches(&key) {
                    let number = if by == By::Uid { entry.uid.get() } else { at as u32 + 1 };
                    found.push(Found { number, mod_seq: message.mod_seq });
                }
            }
        }
        drop(store);
        let line = match returns {
            Some(returns) => esearch(tag, by, returns, &found, asks_mod_seq),
            None => {
                let numbers: String = found.iter().map(|found| format!(" {}", found.number)).collect();
                let highest = found.iter().map(|found| found.mod_seq).max().filter(|_| asks_mod_seq);
                let highest = highest.map(|highest| format!(" (MODSEQ {highest})")).unwrap_or_default();
                format!("SEARCH{numbers}{highest}")
            }
        };
        self.untagged(&line);
        ok("That is all")
    }

    /// ```abnf
    /// search-return-opts = SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"
    /// ```
    fn returns(&self, mut options: Args<'_>) -> Parsed<Returns> {
        if !self.has(&Capability::Esearch) {
            return bad("No RETURN");
        }
        let mut returns = Returns { all: options.is_empty(), ..Returns::default() };
        while !options.is_empty() {
            match &options.word()?[..] {
                "MIN" => returns.min = true,
                "MAX" => returns.max = true,
                "ALL" => returns.all = true,
                "COUNT" => returns.count = true,
                _ => return bad("Unknown return option"),
            }
        }
        Ok(returns)
    }
}

/// ```abnf
/// esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)
/// ```
fn esearch(tag: &str, by: By, returns: Returns, found: &[Found], asks_mod_seq: bool) -> String {
    let mut line = format!("ESEARCH (TAG \"{tag}\")");
    if by == By::Uid {
        line += " UID";
    }
    let (first, last) = (found.first(), found.last());
    if let (true, Some(first)) = (returns.min, first) {
        line += &format!(" MIN {}", first.number);
    }
    if let (true, Some(last)) = (returns.max, last) {
        line += &format!(" MAX {}", last.number);
    }
    if returns.count {
        line += &format!(" COUNT {}", found.len());
    }
    let set: UidSet = found.iter().filter_map(|found| Uid::new(found.number)).collect();
    if returns.all && !set.is_empty() {
        line += &format!(" ALL {set}");
    }
    // Of those that are returned. RFC 7162 §3.1.10
    let only_ends = !returns.all && !returns.count && (returns.min || returns.max);
    let highest = match only_ends {
        true => first.filter(|_| returns.min).into_iter().chain(last.filter(|_| returns.max)).map(|f| f.mod_seq).max(),
        false => found.iter().map(|found| found.mod_seq).max(),
    };
    if let (true, Some(highest)) = (asks_mod_seq, highest) {
        line += &format!(" MODSEQ {highest}");
    }
    line
}

/// A message that is looked at.
struct Candidate<'a> {
    at: usize,
    entry: &'a Entry,
    message: &'a Message,
    view: &'a View,
}

impl Candidate<'_> {
    fn matches(&self, key: &Key) -> bool {
        let size = self.message.content.raw().len() as u64;
        match key {
            Key::All => true,
            Key::And(keys) => keys.iter().all(|key| self.matches(key)),
            Key::Or(one, other) => self.matches(one) || self.matches(other),
            Key::Not(key) => !self.matches(key),
            Key::SeqNums(numbers) => self.is_in(numbers),
            Key::Uids(uids) => {
                let is_last = self.at + 1 == self.view.entries.len();
                uids.contains(self.entry.uid) || (is_last && uids.is_open())
            }
            Key::Has(flag) => self.message.flags.contains(flag),
            Key::Recent => self.entry.is_recent,
            Key::Header { name, value } => self.header_holds(name, value),
            Key::Body(text) => body_holds(self.message.content.raw(), text),
            Key::Text(text) => {
                let content = &self.message.content;
                let in_header = |part: &Part| part.fields(content.raw()).any(|field| decoded(field.raw).contains(text));
                content.root().any(&in_header) || body_holds(content.raw(), text)
            }
            Key::Larger(than) => size > *than,
            Key::Smaller(than) => size < *than,
            Key::Received(when, day) => is_when(self.message.date.date(), *when, *day),
            Key::Sent(when, day) => {
                sent_on(self.message.content.header()).is_some_and(|sent| is_when(sent, *when, *day))
            }
            Key::ModSeq(least) => self.message.mod_seq >= *least,
        }
    }

    fn is_in(&self, numbers: &SeqSet) -> bool {
        let start = numbers.open_start().map(|start| start.get() as usize);
        let in_open = start.is_some_and(|start| self.at + 1 >= start.min(self.view.entries.len()));
        in_open || SeqNum::new(self.at as u32 + 1).is_some_and(|number| numbers.contains(number))
    }

    /// An empty text is in every field that is there.
    fn header_holds(&self, name: &str, text: &str) -> bool {
        let mut fields = self.message.content.header().filter(|field| field.is(name));
        fields.any(|field| decoded(field.body()).contains(text))
    }
}

/// The text of a field with its encoded words decoded, in small letters.
fn decoded(field: &[u8]) -> String {
    let mut value = field.to_vec();
    if !value.ends_with(b"\n") {
        value.extend_from_slice(b"\r\n");
    }
    match MessageStream::new(&value).parse_unstructured() {
        HeaderValue::Text(text) => text.to_lowercase(),
        _ => String::new(),
    }
}

/// True when the text of some part, decoded, holds it. What is no text is not looked at.
fn body_holds(raw: &[u8], text: &str) -> bool {
    PartTree::new(raw).is_some_and(|tree| tree.any_text(|body| body.to_lowercase().contains(text)))
}

/// The day of the Date field, in its own time zone. RFC 9051 §6.4.4
fn sent_on(fields: Fields<'_>) -> Option<Date> {
    let mut value = fields.value("Date")?.into_owned();
    value.extend_from_slice(b"\r\n");
    match MessageStream::new(&value).parse_date() {
        HeaderValue::DateTime(date) => Date::new(date.year, date.month, date.day),
        _ => None,
    }
}

fn is_when(date: Date, when: When, day: Date) -> bool {
    match when {
        When::Before => date < day,
        When::On => date == day,
        When::Since => date >= day,
    }
}
