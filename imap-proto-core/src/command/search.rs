use alloc::vec::Vec;

use super::{Claim, Command, Completion, Request, State};
use crate::error::Misuse;
use crate::types::{Fragment, Query, Uid, UidSet};
use crate::wire::grammar::search_numbers;
use crate::wire::{Encoder, Kind, Response};

/// `UID SEARCH`. RFC 9051 §6.4.4
///
/// Dropped half-way its answer is read over; it changes nothing.
#[derive(Clone, Debug)]
pub struct Search {
    query: Query,
    found: UidSet,
    /// What is not in the set yet, so that each of many lines does not cost as much as all before it.
    late: Vec<Uid>,
}

impl Search {
    /// Searches the selected mailbox.
    pub fn new(query: Query) -> Self {
        Search { query, found: UidSet::default(), late: Vec::new() }
    }
}

impl Command for Search {
    type Output = UidSet;

    fn request(&self) -> Result<Request, Misuse> {
        let mut encoder = Encoder::new("UID SEARCH");
        if self.query.needs_charset() {
            encoder.charset();
        }
        encoder.text(" ");
        self.query.write(&mut |part| match part {
            Fragment::Text(text) => {
                encoder.text(text);
            }
            Fragment::String(octets) => {
                encoder.string(octets);
            }
        });
        Ok(Request { claim: Claim::Search, state: State::Selected, ..Request::new("UID SEARCH", encoder)? })
    }

    fn fold(&mut self, response: Response<'_>) {
        if response.kind() == Kind::Search {
            // Several lines are one answer (quirk 123).
            self.late.extend(search_numbers(response.text().as_raw()));
            if self.late.len() > self.found.ranges().len() {
                self.found.extend(self.late.drain(..));
            }
        }
    }

    fn finish(mut self, _: Completion) -> UidSet {
        self.found.extend(self.late);
        self.found
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::wire::{Decoder, Limits};

    #[test]
    fn many_search_lines_in_any_order_are_one_answer() {
        let mut search = Search::new(Query::all());
        let mut decoder = Decoder::new(Limits::default());
        for number in (0..5000u32).rev() {
            let line = format!("* SEARCH {} 20000\r\n", number * 2 + 1);
            decoder.space()[..line.len()].copy_from_slice(line.as_bytes());
            decoder.received(line.len());
            decoder.advance().ok();
            search.fold(decoder.response());
            // What waits is never more than what is there: each merge is paid for by those before it.
            assert!(search.late.len() <= search.found.ranges().len());
        }
        let found = search.finish(Completion::default());
        assert_eq!((found.len(), found.last()), (5001, Uid::new(20000)));
    }
}
