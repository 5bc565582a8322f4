use alloc::borrow::Cow;
use core::num::NonZeroU32;

use super::set::parse_set;
use crate::types::{Identifier, Set};
use crate::wire::{Response, Text, Value, Values};

// RFC 9051 §9
//
// esearch-response    = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)
// search-correlator   = SP "(" "TAG" SP tag-string ")"
// search-return-data  = "MIN" SP nz-number / "MAX" SP nz-number / "ALL" SP sequence-set / "COUNT" SP number /
//                       search-ret-data-ext
// search-ret-data-ext = search-modifier-name SP search-return-value
//
// RFC 7162 §7
//
// search-sort-mod-seq =  "(" "MODSEQ" SP mod-sequence-value ")"
// search-return-data  =/ "MODSEQ" SP mod-sequence-value

/// Shows the answer to a SEARCH that asked for certain results. RFC 9051 §7.3.4
///
/// The word `UID` may be missing, or have the results in a list behind it (quirk 122).
#[derive(Clone, Copy, Debug)]
pub struct Esearch<'a> {
    tag: Option<Text<'a>>,
    is_by_uid: bool,
    results: Values<'a>,
}

/// One result of a search.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SearchResult<'a> {
    /// The lowest message.
    Min(NonZeroU32),
    /// The highest message.
    Max(NonZeroU32),
    /// All of them: see [`SearchSet`].
    All(SearchSet<'a>),
    /// How many there are.
    Count(u64),
    /// The highest mod-sequence of what was found. RFC 7162 §3.1.5
    ModSeq(u64),
    /// What is not known here, or has not the shape its name calls for.
    Other {
        /// Its name as it came.
        name: &'a [u8],
        /// What stands behind it.
        value: Value<'a>,
    },
}

/// A set that is not read yet: it may have a million ranges.
#[derive(Clone, Copy, Debug)]
pub struct SearchSet<'a>(Text<'a>);

impl SearchSet<'_> {
    /// Reads it, by its ranges: `1:4000000` costs as much as `1`. `None` where it is no set.
    pub fn read<T: Identifier>(self) -> Option<Set<T>> {
        match self.0.to_bytes() {
            Cow::Borrowed(wire) => parse_set(wire),
            Cow::Owned(wire) => parse_set(&wire),
        }
    }
}

impl<'a> Esearch<'a> {
    /// Reads a response; `None` where it is no `ESEARCH`.
    pub fn new(response: &Response<'a>) -> Option<Self> {
        if !response.name().eq_ignore_ascii_case(b"ESEARCH") {
            return None;
        }
        let mut results = response.values();
        let tag = results.peek().and_then(tag);
        if results.peek().and_then(Value::list).is_some() {
            results.next();
        }
        let is_by_uid = results.peek().is_some_and(|word| is(word, b"UID"));
        if is_by_uid {
            results.next();
        }
        if let Some(list) = results.peek().and_then(Value::list) {
            results = list;
        }
        Some(Esearch { tag, is_by_uid, results })
    }

    /// The tag of the command it answers, where the server says so.
    pub fn tag(self) -> Option<Text<'a>> {
        self.tag
    }

    /// True when its numbers are UIDs, as far as the server says so.
    pub fn is_by_uid(self) -> bool {
        self.is_by_uid
    }

    /// Goes through the results, in the order of the server.
    pub fn results(self) -> impl Iterator<Item = SearchResult<'a>> {
        Results(self.results)
    }
}

fn tag(correlator: Value<'_>) -> Option<Text<'_>> {
    let mut values = correlator.list()?;
    if !is(values.next()?, b"TAG") {
        return None;
    }
    values.next()?.text()
}

fn is(value: Value<'_>, word: &[u8]) -> bool {
    value.atom().is_some_and(|atom| atom.eq_ignore_ascii_case(word))
}

struct Results<'a>(Values<'a>);

impl<'a> Iterator for Results<'a> {
    type Item = SearchResult<'a>;

    fn next(&mut self) -> Option<SearchResult<'a>> {
        loop {
            let name = self.0.next()?;
            // A list in the place of a name says nothing.
            let Some(word) = name.text().map(Text::as_raw) else { continue };
            let value = self.0.next()?;
            let known = if is(name, b"MIN") {
                nz_number(value).map(SearchResult::Min)
            } else if is(name, b"MAX") {
                nz_number(value).map(SearchResult::Max)
            } else if is(name, b"ALL") {
                value.text().map(|set| SearchResult::All(SearchSet(set)))
            } else if is(name, b"COUNT") {
                value.count().map(SearchResult::Count)
            } else if is(name, b"MODSEQ") {
                mod_seq(value).map(SearchResult::ModSeq)
            } else {
                None
            };
            return Some(known.unwrap_or(SearchResult::Other { name: word, value }));
        }
    }
}

fn nz_number(value: Value<'_>) -> Option<NonZeroU32> {
    NonZeroU32::new(u32::try_from(value.number()?).ok()?)
}

/// A number; some put it in parentheses as in FETCH data.
fn mod_seq(value: Value<'_>) -> Option<u64> {
    match value.list() {
        Some(mut values) => values.next()?.count(),
        None => value.count(),
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;
    use alloc::{format, vec};

    use proptest::prelude::*;

    use super::*;
    use crate::types::UidSet;
    use crate::wire::{Decoder, Limits};

    fn with<T>(line: &str, see: impl FnOnce(Response<'_>) -> T) -> T {
        let mut decoder = Decoder::new(Limits::default());
        let line = format!("{line}\r\n");
        for chunk in line.as_bytes().chunks(512) {
            let _ = decoder.advance();
            decoder.space()[..chunk.len()].copy_from_slice(chunk);
            decoder.received(chunk.len());
        }
        assert!(matches!(decoder.advance(), Ok(Some(_))));
        see(decoder.response())
    }

    fn shown(line: &str) -> Vec<String> {
        with(line, |response| {
            let esearch = Esearch::new(&response).expect("an ESEARCH");
            let mut all = vec![esearch.tag().map_or("-".to_string(), |tag| tag.to_str().into_owned())];
            all.push(if esearch.is_by_uid() { "uid" } else { "-" }.to_string());
            all.extend(esearch.results().map(|result| match result {
                SearchResult::All(set) => format!("all {:?}", set.read::<crate::types::Uid>()),
                SearchResult::Other { name, value } => {
                    format!("{} {}", name.escape_ascii(), value.raw().escape_ascii())
                }
                other => format!("{other:?}"),
            }));
            all
        })
    }

    #[test]
    fn results_are_read_whatever_servers_make_of_them() {
        for (line, expected) in [
            (
                "* ESEARCH (TAG \"A285\") UID MIN 7 MAX 3800 COUNT 15 ALL 7,9:11",
                &["A285", "uid", "Min(7)", "Max(3800)", "Count(15)", "all Some({7,9:11})"][..],
            ),
            ("* ESEARCH (TAG \"A1\") ALL 1:3", &["A1", "-", "all Some({1:3})"]),
            ("* ESEARCH (TAG \"A1\") UID (ALL 1,2)", &["A1", "uid", "all Some({1:2})"]),
            ("* ESEARCH UID COUNT 5", &["-", "uid", "Count(5)"]),
            ("* ESEARCH (TAG A1) uid all 8:3,1:*", &["A1", "uid", "all Some({1:*})"]),
            ("* ESEARCH", &["-", "-"]),
            ("* ESEARCH (TAG \"A1\") UID", &["A1", "uid"]),
            ("* ESEARCH (TAG \"A1\") ALL", &["A1", "-"]),
            ("* ESEARCH (TAG \"A1\") MIN 0 COUNT x ALL y", &["A1", "-", "MIN 0", "COUNT x", "all None"]),
            (
                "* ESEARCH (TAG \"A1\") PARTIAL (1:10 NIL) MODSEQ 12 COUNT 0",
                &["A1", "-", "PARTIAL (1:10 NIL)", "ModSeq(12)", "Count(0)"],
            ),
            ("* ESEARCH (X) UID (()) COUNT 2", &["-", "uid"]),
            ("* esearch (TAG \"A\") ALL \"2,4\"", &["A", "-", "all Some({2,4})"]),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
        assert!(with("* SEARCH 1", |response| Esearch::new(&response).is_none()));
    }

    #[test]
    fn a_long_range_is_one_and_a_million_singles_are_quick() {
        let set = |line: &str| {
            with(line, |response| match Esearch::new(&response).and_then(|esearch| esearch.results().next()) {
                Some(SearchResult::All(set)) => set.read().unwrap_or_default(),
                other => panic!("{other:?}"),
            })
        };
        let all: UidSet = set("* ESEARCH (TAG \"A1\") UID ALL 1:4000000");
        assert_eq!((all.len(), all.ranges().len()), (4_000_000, 1));
        let singles: Vec<String> = (1..=1_000_000u32).rev().map(|number| (number * 2).to_string()).collect();
        let all: UidSet = set(&format!("* ESEARCH UID ALL {}", singles.join(",")));
        assert_eq!((all.len(), all.ranges().len()), (1_000_000, 1_000_000));
    }

    proptest! {
        #[test]
        fn nothing_panics(rest in "[ ()\"TAGUIDMINMAXALLCOUNT0-9:,*]{0,40}") {
            with(&format!("* ESEARCH {rest}"), |response| {
                let esearch = Esearch::new(&response);
                let _ = esearch.map(|esearch| esearch.results().count());
            });
        }
    }
}
