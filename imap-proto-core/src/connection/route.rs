use alloc::format;

use super::in_flight::{Entry, InFlight};
use super::{CommandId, Connection};
use crate::command::Claim;
use crate::types::{Code, FetchItems, ItemMask, Messages, Section, SeqNum, SeqSet, Uid};
use crate::wire::grammar::{
    Attribute, AttributeName, Fetch, NamedAttribute, ToldSection, parse_status_text, status_mailbox,
};
use crate::wire::{Condition, Kind, Response, Value};

impl Connection {
    /// True when the body of the current response, which is complete now, was given to `owner` and is another's.
    pub(super) fn has_gone_astray(&self, owner: CommandId) -> bool {
        let response = self.decoder.response();
        let tag_prefix = &self.tag_prefix;
        let of_owner = self.in_flight.get(owner).is_some_and(|entry| claims(entry, &response, SoFar::All, tag_prefix));
        !of_owner && self.in_flight.claimant(&response, SoFar::All, tag_prefix).is_some()
    }
}

impl InFlight {
    /// Whose a response is: the oldest command under way that claims it.
    pub(super) fn claimant(&self, response: &Response<'_>, so_far: SoFar, tag_prefix: &str) -> Option<CommandId> {
        let mut under_way = self.under_way().filter(|entry| entry.begun);
        under_way.find(|entry| claims(entry, response, so_far, tag_prefix)).map(|entry| entry.id)
    }

    /// The same for a response that is whole, to count what it is told.
    pub(super) fn claimant_mut(&mut self, response: &Response<'_>, tag_prefix: &str) -> Option<&mut Entry> {
        let mut under_way = self.under_way_mut().filter(|entry| entry.begun);
        under_way.find(|entry| claims(entry, response, SoFar::All, tag_prefix))
    }
}

fn claims(entry: &Entry, response: &Response<'_>, so_far: SoFar, tag_prefix: &str) -> bool {
    match (&entry.claim, response.kind()) {
        (Claim::Fetch { messages, items }, Kind::Fetch(_)) => {
            response.as_fetch().is_some_and(|fetch| claims_fetch(messages, items, fetch, so_far))
        }
        (Claim::Store { messages, items }, Kind::Fetch(_)) => {
            response.as_fetch().is_some_and(|fetch| claims_stored(messages, items, fetch))
        }
        (Claim::Search { .. }, Kind::Search) => true,
        (Claim::Search { .. }, Kind::Other) => {
            is_named(response, "ESEARCH") && is_correlated(entry, response, tag_prefix)
        }
        (Claim::Capability, Kind::Capability) => true,
        (Claim::Mailbox, Kind::Exists(_) | Kind::Recent(_) | Kind::Flags | Kind::Status(Condition::Ok)) => true,
        (
            Claim::Named(names),
            Kind::Other
            | Kind::Enabled
            | Kind::Flags
            | Kind::Search
            | Kind::Capability
            | Kind::Exists(_)
            | Kind::Recent(_)
            | Kind::Expunge(_)
            | Kind::Fetch(_),
        ) => names.iter().any(|name| is_named(response, name)) && !is_unreadable_list(response),
        (Claim::Status(mailbox), Kind::Other) if is_named(response, "STATUS") => {
            status_mailbox(response).is_some_and(|name| name.is_alike(mailbox))
        }
        (Claim::Copied, Kind::Status(Condition::Ok)) => {
            matches!(parse_status_text(response.text().as_raw()).0, Some(Code::CopyUid(_)))
        }
        _ => false,
    }
}

/// True where `(TAG "A7")` names the command, or there is no such correlator (quirk 122). RFC 4466 §2.6.2
fn is_correlated(entry: &Entry, response: &Response<'_>, tag_prefix: &str) -> bool {
    let mut correlator = response.first().and_then(Value::list).into_iter().flatten();
    if correlator.next().and_then(Value::atom).is_none_or(|word| !word.eq_ignore_ascii_case(b"TAG")) {
        return true;
    }
    let Some(tag) = correlator.next().and_then(Value::text) else { return true };
    let own = entry.tag.map(|number| format!("{}{number}", tag_prefix));
    own.is_some_and(|own| *tag.to_bytes() == *own.as_bytes())
}

fn is_named(response: &Response<'_>, name: &str) -> bool {
    response.name().eq_ignore_ascii_case(name.as_bytes())
}

/// A listing without a name that can be read is nobody's: whoever listens sees it as it came.
fn is_unreadable_list(response: &Response<'_>) -> bool {
    let mut values = response.values();
    let attributes = values.peek().and_then(Value::list).is_some();
    let name = values.nth(if attributes { 2 } else { 1 });
    ["LIST", "LSUB", "XLIST"].iter().any(|listing| is_named(response, listing))
        && name.is_none_or(|name| name.text().is_none() && !name.is_nil())
}

/// How much of a response there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SoFar {
    /// What comes before a body.
    Part,
    All,
}

/// FETCH data answers a command that asked for its message and for one of its items. While its UID has
/// not been seen, as where a body begins to stream, the items decide; without one it answers nobody (RFC 9051 §6.4.9).
fn claims_fetch(messages: &Messages, items: &FetchItems, fetch: Fetch<'_>, so_far: SoFar) -> bool {
    let (mut is_wanted, mut is_asked_for) = (false, false);
    let uids = match messages {
        Messages::Uids(uids) => Some(uids),
        // The UID is asked for here as well: what comes without it was told unasked.
        Messages::Numbers(numbers) if !has_number(numbers, fetch) => return false,
        Messages::Numbers(_) => None,
        // Which these are the server alone knows.
        Messages::Saved => None,
    };
    for attribute in fetch.names() {
        match (attribute.uid_if_named(), uids) {
            // An open set has the last message in it, whatever its UID.
            (Some(uid), Some(uids)) if !is_wanted && !uids.is_open() && !uids.contains(Uid::from(uid)) => {
                return false;
            }
            (Some(_), _) => is_wanted = true,
            _ => {}
        }
        is_asked_for = is_asked_for || asks_for(items, attribute);
        if is_wanted && is_asked_for {
            return true;
        }
    }
    is_asked_for && so_far == SoFar::Part
}

/// The same for STORE, which asks for no UID where it has numbers. Nothing of it is streamed.
fn claims_stored(messages: &Messages, items: &FetchItems, fetch: Fetch<'_>) -> bool {
    let is_wanted = match messages {
        Messages::Uids(uids) => fetch.uid().is_some_and(|uid| uids.is_open() || uids.contains(Uid::from(uid))),
        Messages::Numbers(numbers) => has_number(numbers, fetch),
        Messages::Saved => fetch.uid().is_some(),
    };
    let mask = items.mask();
    is_wanted
        && fetch.attributes().any(|attribute| match attribute {
            Attribute::Flags(_) => mask.contains(ItemMask::FLAGS),
            Attribute::ModSeq(_) => mask.contains(ItemMask::MOD_SEQ),
            _ => false,
        })
}

/// An open set has the last message in it, whatever its number.
fn has_number(numbers: &SeqSet, fetch: Fetch<'_>) -> bool {
    numbers.is_open() || numbers.contains(SeqNum::from(fetch.seq()))
}

/// By its name: what is damaged is no less asked for.
fn asks_for(items: &FetchItems, attribute: NamedAttribute<'_>) -> bool {
    let mask = items.mask();
    let asked = match attribute.name {
        AttributeName::Uid => return mask == ItemMask::UID && items.has_no_arguments(),
        AttributeName::Flags => ItemMask::FLAGS,
        AttributeName::Size => ItemMask::SIZE,
        AttributeName::InternalDate => ItemMask::INTERNAL_DATE,
        AttributeName::Envelope => ItemMask::ENVELOPE,
        AttributeName::BodyStructure => ItemMask::BODY_STRUCTURE,
        AttributeName::ModSeq => ItemMask::MOD_SEQ,
        AttributeName::Missing => return true,
        AttributeName::Other => return asks_for_section(items, attribute),
    };
    mask.contains(asked)
}

#[inline(never)]
fn asks_for_section(items: &FetchItems, attribute: NamedAttribute<'_>) -> bool {
    if let Some(ToldSection { section, origin, binary }) = attribute.section() {
        return items.has_section(section, origin, binary);
    }
    let name = attribute.word();
    if is_binary_size(name) {
        return !items.raw_items().is_empty() || items.sizes().iter().any(|part| names_size_of(name, part));
    }
    // What is not known here is worth more to whoever asked for the message than to nobody.
    true
}

const BINARY_SIZE: &[u8] = b"BINARY.SIZE[";

fn is_binary_size(name: &[u8]) -> bool {
    name.get(..BINARY_SIZE.len()).is_some_and(|word| word.eq_ignore_ascii_case(BINARY_SIZE))
}

fn names_size_of(name: &[u8], part: &Section) -> bool {
    let asked = name.get(BINARY_SIZE.len()..).and_then(|rest| rest.strip_suffix(b"]"));
    asked.is_some_and(|asked| part.matches_wire(asked))
}
