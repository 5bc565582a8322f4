use super::{Claim, Command, Completion, Request, State};
use crate::error::Misuse;
use crate::types::{FetchItems, UidSet};
use crate::wire::Encoder;

/// `UID FETCH`. RFC 9051 §6.4.8
///
/// Its responses are events of their own and fold into nothing here. Dropped half-way its answer is
/// read and thrown away, as far as the drain budget allows.
#[derive(Clone, Debug)]
pub struct Fetch {
    uids: UidSet,
    items: FetchItems,
}

impl Fetch {
    /// Fetches `items` of the messages `uids`.
    pub fn new(uids: UidSet, items: FetchItems) -> Self {
        Fetch { uids, items }
    }
}

impl Command for Fetch {
    type Output = ();

    fn request(&self) -> Result<Request, Misuse> {
        if self.uids.is_empty() {
            return Err(Misuse::EmptySet);
        }
        let mut encoder = Encoder::new("UID FETCH");
        encoder.arg(&self.uids).arg(&self.items);
        Ok(Request {
            claim: Claim::Fetch { uids: self.uids.clone(), items: self.items.clone() },
            state: State::Selected,
            ..Request::new("UID FETCH", encoder)?
        })
    }

    fn finish(self, _: Completion) {}
}
