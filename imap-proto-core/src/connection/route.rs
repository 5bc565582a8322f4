use super::{CommandId, Connection};
use crate::command::Claim;
use crate::types::{FetchItems, Uid, UidSet};
use crate::wire::grammar::Fetch;
use crate::wire::{Condition, Kind, Response};

impl Connection {
    /// Whose the current response is: the oldest command under way that claims it.
    pub(super) fn claimant(&self) -> Option<CommandId> {
        let response = self.decoder.response();
        let under_way = self.in_flight.iter().filter(|entry| entry.begun);
        let mut claiming = under_way.filter(|entry| claims(&entry.claim, &response));
        claiming.next().map(|entry| entry.id)
    }
}

fn claims(claim: &Claim, response: &Response<'_>) -> bool {
    match (claim, response.kind()) {
        (Claim::Fetch { uids, items }, Kind::Fetch(seq)) => {
            Fetch::new(seq, response.values()).is_some_and(|fetch| claims_fetch(uids, items, &fetch))
        }
        (Claim::Search, Kind::Search) => true,
        (Claim::Capability, Kind::Capability) => true,
        (Claim::Mailbox, Kind::Exists(_) | Kind::Recent(_) | Kind::Flags | Kind::Status(Condition::Ok)) => true,
        _ => false,
    }
}

/// FETCH data answers a command that asked for its message and for one of its items. While its UID has
/// not been seen, as where a body begins to stream, the items decide.
fn claims_fetch(uids: &UidSet, items: &FetchItems, fetch: &Fetch<'_>) -> bool {
    if fetch.uid().is_some_and(|uid| !uids.contains(Uid::from(uid))) {
        return false;
    }
    items.is_answered_by(fetch)
}
