use super::{CommandId, Connection};
use crate::command::Claim;
use crate::types::{FetchItems, ItemMask, Uid, UidSet};
use crate::wire::grammar::{Attribute, Fetch};
use crate::wire::{Condition, Kind, Response};

impl Connection {
    /// Whose the current response is: the oldest command under way that claims it.
    pub(super) fn claimant(&self, so_far: SoFar) -> Option<CommandId> {
        let response = self.decoder.response();
        let under_way = self.in_flight.iter().filter(|entry| entry.begun);
        let mut claiming = under_way.filter(|entry| claims(&entry.claim, &response, so_far));
        claiming.next().map(|entry| entry.id)
    }

    /// True when the body of the current response, which is complete now, was given to `owner` and is another's.
    pub(super) fn has_gone_astray(&self, owner: CommandId) -> bool {
        let response = self.decoder.response();
        let of_owner = self.in_flight.get(owner).is_some_and(|entry| claims(&entry.claim, &response, SoFar::All));
        !of_owner && self.claimant(SoFar::All).is_some()
    }
}

/// How much of a response there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SoFar {
    /// What comes before a body.
    Part,
    All,
}

fn claims(claim: &Claim, response: &Response<'_>, so_far: SoFar) -> bool {
    match (claim, response.kind()) {
        (Claim::Fetch { uids, items }, Kind::Fetch(_)) => {
            response.as_fetch().is_some_and(|fetch| claims_fetch(uids, items, fetch, so_far))
        }
        (Claim::Search, Kind::Search) => true,
        (Claim::Capability, Kind::Capability) => true,
        (Claim::Mailbox, Kind::Exists(_) | Kind::Recent(_) | Kind::Flags | Kind::Status(Condition::Ok)) => true,
        _ => false,
    }
}

/// FETCH data answers a command that asked for its message and for one of its items. While its UID has
/// not been seen, as where a body begins to stream, the items decide; without one it answers nobody (RFC 9051 §6.4.9).
fn claims_fetch(uids: &UidSet, items: &FetchItems, fetch: Fetch<'_>, so_far: SoFar) -> bool {
    let (mut is_wanted, mut is_asked_for) = (false, false);
    for attribute in fetch.attributes() {
        match attribute {
            // An open set has the last message in it, whatever its UID.
            Attribute::Uid(uid) if !is_wanted && !uids.is_open() && !uids.contains(Uid::from(uid)) => return false,
            Attribute::Uid(_) => is_wanted = true,
            _ => {}
        }
        is_asked_for = is_asked_for || asks_for(items, attribute);
        if is_wanted && is_asked_for {
            return true;
        }
    }
    is_asked_for && so_far == SoFar::Part
}

fn asks_for(items: &FetchItems, attribute: Attribute<'_>) -> bool {
    let mask = items.mask();
    match attribute {
        Attribute::Uid(_) => mask == ItemMask::UID && items.sections().is_empty() && items.raw_items().is_empty(),
        Attribute::Flags(_) => mask.contains(ItemMask::FLAGS),
        Attribute::Size(_) => mask.contains(ItemMask::SIZE),
        Attribute::InternalDate(_) => mask.contains(ItemMask::INTERNAL_DATE),
        Attribute::Envelope(_) => mask.contains(ItemMask::ENVELOPE),
        Attribute::BodyStructure(_) => mask.contains(ItemMask::BODY_STRUCTURE),
        Attribute::ModSeq(_) => mask.contains(ItemMask::MOD_SEQ),
        Attribute::Section(data) => {
            items.sections().iter().any(|asked| asked.is_answered_by(data.name(), data.origin()))
        }
        // What is not known here, or is damaged, is worth more to whoever asked for the message than to nobody.
        _ => true,
    }
}
