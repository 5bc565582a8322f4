use alloc::vec::Vec;
use core::num::NonZeroU64;

use super::{Claim, Command, Completion, Effect, Order, Request, State};
use crate::error::Misuse;
use crate::types::{Capability, Fragment, Identifier, Query, SeqNum, Set, Uid};
use crate::wire::grammar::{Esearch, SearchResult, search_mod_seq, search_numbers};
use crate::wire::{Encoder, Kind, Response};

/// `UID SEARCH` and `SEARCH`. RFC 9051 §6.4.4 and §6.4.9
///
/// Which of them is a matter of its type: [`Search::new`] finds UIDs, [`Search::numbers`] sequence numbers. Whether
/// the server answers with `SEARCH` or `ESEARCH` makes no difference (quirk 121).
///
/// Strings go out without a charset where they are ASCII, else as UTF-8; a server that does not know it refuses with
/// [`Code::BadCharset`](crate::types::Code::BadCharset) (quirk 125). Dropped half-way its answer is read over; it changes nothing.
#[derive(Clone, Debug)]
pub struct Search<T: Identifier = Uid> {
    query: Query,
    answer: Answer<T>,
}

impl Search<Uid> {
    /// Searches the selected mailbox for UIDs.
    pub fn new(query: Query) -> Self {
        Search { query, answer: Answer::default() }
    }
}

impl Search<SeqNum> {
    /// Searches the selected mailbox for sequence numbers.
    pub fn numbers(query: Query) -> Self {
        Search { query, answer: Answer::default() }
    }
}

impl<T: Identifier> Search<T> {
    /// Asks for certain results instead of all numbers.
    pub fn returning(self, returns: Returns) -> SearchReturning<T> {
        SearchReturning { query: self.query, returns, answer: self.answer }
    }
}

impl<T: Identifier> Command for Search<T> {
    type Output = Set<T>;

    fn request(&self) -> Result<Request, Misuse> {
        request::<T>(&self.query, plain::<T>(&self.query))
    }

    fn fold(&mut self, response: Response<'_>) {
        self.answer.take(response);
    }

    fn finish(self, _: Completion) -> Set<T> {
        self.answer.into_set()
    }
}

/// Names results of a search, as a set. RFC 9051 §6.4.4
///
/// ```
/// use imap_proto_core::command::Returns;
///
/// let returns = Returns::COUNT | Returns::MAX;
/// assert_eq!(returns.to_string(), "(MAX COUNT)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Returns(u8);

impl Returns {
    /// `MIN`: the lowest message.
    pub const MIN: Self = Returns(1);
    /// `MAX`: the highest message.
    pub const MAX: Self = Returns(2);
    /// `COUNT`: how many there are.
    pub const COUNT: Self = Returns(4);
    /// `ALL`: all of them.
    pub const ALL: Self = Returns(8);
    /// `SAVE`: the server keeps them as [`Messages::Saved`](crate::types::Messages::Saved), for the commands that follow.
    /// Needs SEARCHRES, which IMAP4rev2 includes. Any of the others may be asked for with it; the command waits for those
    /// under way, and those that follow wait for it. Given up half-way it is finished, so that `$` is another:
    /// `Operation::cancel` tells whether it was done. RFC 5182
    pub const SAVE: Self = Returns(16);

    /// True when all of the other are in it.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl core::ops::BitOr for Returns {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Returns(self.0 | other.0)
    }
}

impl core::fmt::Display for Returns {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let names = [
            (Returns::MIN, "MIN"),
            (Returns::MAX, "MAX"),
            (Returns::COUNT, "COUNT"),
            (Returns::ALL, "ALL"),
            (Returns::SAVE, "SAVE"),
        ];
        let mut before = "(";
        for (_, name) in names.iter().filter(|(returns, _)| self.contains(*returns)) {
            write!(f, "{before}{name}")?;
            before = " ";
        }
        f.write_str(")")
    }
}

/// A search for certain results. RFC 4731, RFC 9051 §6.4.4
///
/// Where the server does not offer ESEARCH it is an ordinary search, and the results are made of the numbers. As
/// [`Search`] for the rest.
#[derive(Clone, Debug)]
pub struct SearchReturning<T: Identifier = Uid> {
    query: Query,
    returns: Returns,
    answer: Answer<T>,
}

/// What a search found, as far as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found<T: Identifier = Uid> {
    /// The lowest; `None` where nothing was found.
    pub min: Option<T>,
    /// The highest; `None` where nothing was found.
    pub max: Option<T>,
    /// How many.
    pub count: Option<u64>,
    /// All of them, by their ranges.
    pub all: Option<Set<T>>,
    /// The highest mod-sequence of what is told, where the query asks for mod-sequences. RFC 7162 §3.1.5
    pub mod_seq: Option<NonZeroU64>,
}

impl<T: Identifier> Command for SearchReturning<T> {
    type Output = Found<T>;

    fn request(&self) -> Result<Request, Misuse> {
        let mut encoder = Encoder::new(names::<T>());
        encoder.text(" RETURN").arg(self.returns);
        write(&self.query, &mut encoder);
        let request = request::<T>(&self.query, encoder)?;
        if self.returns.contains(Returns::SAVE) {
            // What is saved is used by what follows, and not by what went before.
            let request = Request { order: Order::Barrier, effect: Effect::Change, ..request };
            return Ok(request.needing(Capability::SearchRes, "SEARCHRES"));
        }
        Ok(request.or_without(Capability::Esearch, plain::<T>(&self.query))?)
    }

    fn fold(&mut self, response: Response<'_>) {
        self.answer.take(response);
    }

    fn finish(self, _: Completion) -> Found<T> {
        let Answer { min, max, count, mod_seq, is_extended, .. } = self.answer;
        let all = self.answer.into_set();
        // Of numbers that came all results can be made; an ESEARCH that has nothing has found nothing.
        let counted = all.len() + u64::from(all.is_open());
        let has_numbers = !all.is_empty() || !is_extended || (min.is_none() && max.is_none());
        let asked = |returns| self.returns.contains(returns);
        Found {
            min: min.or(all.first()).filter(|_| asked(Returns::MIN)),
            max: max.or(all.last()).filter(|_| asked(Returns::MAX)),
            count: count.or(has_numbers.then_some(counted)).filter(|_| asked(Returns::COUNT)),
            all: asked(Returns::ALL).then_some(all),
            mod_seq: mod_seq.and_then(NonZeroU64::new),
        }
    }
}

fn names<T: Identifier>() -> &'static str {
    if T::PREFIX.is_empty() { "SEARCH" } else { "UID SEARCH" }
}

fn plain<T: Identifier>(query: &Query) -> Encoder {
    let mut encoder = Encoder::new(names::<T>());
    write(query, &mut encoder);
    encoder
}

/// ```abnf
/// search-program  = ["CHARSET" SP charset SP] search-key *(SP search-key)
/// ```
fn write(query: &Query, encoder: &mut Encoder) {
    if query.needs_charset() {
        encoder.charset();
    }
    encoder.text(" ");
    query.write(&mut |part| match part {
        Fragment::Text(text) => {
            encoder.text(text);
        }
        Fragment::String(octets) => {
            encoder.string(octets);
        }
    });
}

fn request<T: Identifier>(query: &Query, encoder: Encoder) -> Result<Request, Misuse> {
    let order = match (T::PREFIX.is_empty(), query.has_numbers()) {
        (true, _) => Order::Numbers,
        // RFC 9051 §7.5.1: while UID SEARCH is answered the server may expunge.
        (false, true) => Order::Renumbering,
        (false, false) => Order::Free,
    };
    let claim = Claim::Search { by_flags: query.is_by_flags() };
    let numbered = query.names_numbers();
    let request = Request { claim, order, numbered, state: State::Selected, ..Request::new(names::<T>(), encoder)? };
    Ok(query.needs().fold(request, |request, (capability, name)| request.needing(capability, name)))
}

/// What came of a search so far: several responses are one answer (quirk 123).
#[derive(Clone, Debug)]
struct Answer<T: Identifier> {
    found: Set<T>,
    /// What is not in the set yet, so that each of many lines does not cost as much as all before it.
    late: Vec<(T, T)>,
    min: Option<T>,
    max: Option<T>,
    count: Option<u64>,
    mod_seq: Option<u64>,
    is_extended: bool,
}

impl<T: Identifier> Default for Answer<T> {
    fn default() -> Self {
        Answer {
            found: Set::new(),
            late: Vec::new(),
            min: None,
            max: None,
            count: None,
            mod_seq: None,
            is_extended: false,
        }
    }
}

impl<T: Identifier> Answer<T> {
    fn take(&mut self, response: Response<'_>) {
        if response.kind() == Kind::Search {
            let text = response.text();
            let numbers = search_numbers(text.as_raw()).filter_map(|number| T::from_number(number.get()));
            self.late.extend(numbers.map(|number| (number, number)));
            self.mod_seq = self.mod_seq.max(search_mod_seq(text.as_raw()));
        } else if let Some(esearch) = Esearch::new(&response) {
            self.is_extended = true;
            esearch.results().for_each(|result| self.take_result(result));
        }
        if self.late.len() > self.found.ranges().len() {
            self.found.extend_ranges(self.late.drain(..));
        }
    }

    fn take_result(&mut self, result: SearchResult<'_>) {
        match result {
            SearchResult::Min(min) => self.min = Some(T::wrap(min)),
            SearchResult::Max(max) => self.max = Some(T::wrap(max)),
            SearchResult::Count(count) => self.count = Some(count),
            SearchResult::ModSeq(mod_seq) => self.mod_seq = self.mod_seq.max(Some(mod_seq)),
            SearchResult::All(set) => {
                let Some(set) = set.read::<T>() else { return };
                self.late.extend(set.ranges());
                if let Some(start) = set.open_start() {
                    self.found.insert_from(start);
                }
            }
            SearchResult::Other { .. } => {}
        }
    }

    fn into_set(mut self) -> Set<T> {
        self.found.extend_ranges(self.late);
        self.found
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;
    use crate::wire::{Decoder, Limits};

    fn feed(command: &mut impl Command, decoder: &mut Decoder, line: &str) {
        decoder.space()[..line.len()].copy_from_slice(line.as_bytes());
        decoder.received(line.len());
        decoder.advance().ok();
        command.fold(decoder.response());
    }

    fn ok() -> Completion {
        Completion::default()
    }

    #[test]
    fn many_search_lines_in_any_order_are_one_answer() {
        let mut search = Search::new(Query::all());
        let mut decoder = Decoder::new(Limits::default());
        for number in (0..5000u32).rev() {
            feed(&mut search, &mut decoder, &format!("* SEARCH {} 20000\r\n", number * 2 + 1));
            // What waits is never more than what is there: each merge is paid for by those before it.
            assert!(search.answer.late.len() <= search.answer.found.ranges().len());
        }
        let found = search.finish(ok());
        assert_eq!((found.len(), found.last()), (5001, Uid::new(20000)));
    }

    #[test]
    fn a_plain_search_may_be_answered_with_esearch() {
        for (lines, expected) in [
            (&["* SEARCH 2 1 2"][..], "1:2"),
            (&["* ESEARCH (TAG \"A1\") UID ALL 1:3,7", "* SEARCH 9"], "1:3,7,9"),
            (&["* ESEARCH (TAG \"A1\") UID (ALL 5)"], "5"),
            (&["* ESEARCH (TAG \"A1\") UID"], ""),
            (&["* SEARCH", "* SEARCH 4 (MODSEQ 9)"], "4"),
        ] {
            let mut search = Search::new(Query::all());
            let mut decoder = Decoder::new(Limits::default());
            lines.iter().for_each(|line| feed(&mut search, &mut decoder, &format!("{line}\r\n")));
            assert_eq!(search.finish(ok()).to_string(), expected, "{lines:?}");
        }
    }

    #[test]
    fn results_are_the_same_however_the_server_tells_them() {
        let everything = Returns::MIN | Returns::MAX | Returns::COUNT | Returns::ALL;
        let full = "Some(SeqNum(2)) Some(SeqNum(9)) Some(4) Some({2,7:9}) None";
        let none = "None None Some(0) Some({}) None";
        for (returns, lines, expected) in [
            (everything, &["* ESEARCH (TAG \"A\") MIN 2 MAX 9 COUNT 4 ALL 2,7:9"][..], full),
            (everything, &["* ESEARCH ALL 2,7:9"], full),
            (everything, &["* SEARCH 7 8 9 2"], full),
            (everything, &["* SEARCH 9", "* SEARCH 2 8 7"], full),
            (everything, &["* ESEARCH (TAG \"A\") COUNT 0"], none),
            (everything, &["* ESEARCH (TAG \"A\")"], none),
            (everything, &["* SEARCH"], none),
            (everything, &[], none),
            (Returns::COUNT, &["* SEARCH 1 2 3"], "None None Some(3) None None"),
            (Returns::COUNT, &["* ESEARCH COUNT 3"], "None None Some(3) None None"),
            (Returns::MIN, &["* ESEARCH MIN 3 MODSEQ 12"], "Some(SeqNum(3)) None None None Some(12)"),
            (Returns::MIN | Returns::COUNT, &["* ESEARCH MIN 3"], "Some(SeqNum(3)) None None None None"),
            (Returns::MAX, &["* SEARCH 3 4 (MODSEQ 7)"], "None Some(SeqNum(4)) None None Some(7)"),
        ] {
            let mut search = Search::numbers(Query::all()).returning(returns);
            let mut decoder = Decoder::new(Limits::default());
            lines.iter().for_each(|line| feed(&mut search, &mut decoder, &format!("{line}\r\n")));
            let Found { min, max, count, all, mod_seq } = search.finish(ok());
            assert_eq!(format!("{min:?} {max:?} {count:?} {all:?} {mod_seq:?}"), expected, "{returns} {lines:?}");
        }
    }
}
