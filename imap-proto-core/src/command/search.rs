use super::{Claim, Command, Completion, Request, State};
use crate::error::Misuse;
use crate::types::{Fragment, Query, UidSet};
use crate::wire::grammar::search_numbers;
use crate::wire::{Encoder, Kind, Response};

/// `UID SEARCH`. RFC 9051 §6.4.4
///
/// Dropped half-way its answer is read over; it changes nothing.
#[derive(Clone, Debug)]
pub struct Search {
    query: Query,
    found: UidSet,
}

impl Search {
    /// Searches the selected mailbox.
    pub fn new(query: Query) -> Self {
        Search { query, found: UidSet::default() }
    }
}

impl Command for Search {
    type Output = UidSet;

    fn request(&self) -> Result<Request, Misuse> {
        let mut encoder = Encoder::new("UID SEARCH");
        if self.query.needs_charset() {
            encoder.text(" CHARSET UTF-8");
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
            self.found.extend(search_numbers(response.text().as_raw()));
        }
    }

    fn finish(self, _: Completion) -> UidSet {
        self.found
    }
}
