use super::in_flight::{Entry, InFlight, Stage};
use crate::command::{Claim, Order};
use crate::types::MailboxName;

/// Whether a queued command may be written now. RFC 9051 §5.5
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Yes.
    Now,
    /// When what is under way has come further.
    Later,
    /// As soon as a running IDLE is told to end, in the same write.
    AfterDone,
}

/// Decides for `next`, the first of those that wait.
///
/// Nothing passes a literal that is being written or waits for its `+`, nothing passes a barrier and a
/// barrier passes nothing. IDLE begins alone, and gives way by DONE, never before its own `+` was read:
/// a server was seen to hang on that. Of two searches or fetches under way Dovecot was seen to send all
/// data before it ended the first one, and to end the second one first.
pub(super) fn turn(next: &Entry, in_flight: &InFlight, limit: usize, late_uids: bool) -> Turn {
    let Some((first, last)) = in_flight.ends() else { return Turn::Now };
    match first.stage {
        Stage::Idling { .. } => return Turn::AfterDone,
        // DONE is in the outbox: what follows it may follow in the same write.
        Stage::Ending { .. } if matches!(next.order, Order::Free | Order::Names) => {}
        _ if first.is_idle() => return Turn::Later,
        _ => {}
    }
    let is_alone = |order: Order| order.is_barrier() || order == Order::Idle;
    // While these are answered the server may not expunge, and may with any other (RFC 9051 §7.5.1).
    let is_numbered = matches!(next.order, Order::Numbers | Order::Renumbering);
    let waits = last.is_being_written()
        || last.order.is_barrier()
        || is_alone(next.order)
        || (is_numbered && in_flight.has_unnumbered())
        || in_flight.outstanding() > limit;
    let meets = |other: &Entry| is_about_a_change(next, other) || is_ambiguous(&next.claim, &other.claim, late_uids);
    if waits || in_flight.near(next, late_uids).any(meets) { Turn::Later } else { Turn::Now }
}

/// True where one changes a mailbox that the other has to do with: RFC 9051 §5.5 forbids to send both, since a server may
/// take them in any order.
fn is_about_a_change(next: &Entry, other: &Entry) -> bool {
    let changes = |entry: &Entry| entry.order == Order::Names;
    let lists = |entry: &Entry| matches!(&entry.claim, Claim::Named(names) if names.iter().any(|name| name == "LIST"));
    let mut pairs = next.mailboxes.iter().flat_map(|one| other.mailboxes.iter().map(move |another| (one, another)));
    (changes(next) || changes(other))
        && (lists(next)
            || lists(other)
            || pairs.any(|(one, another)| is_within(one, another) || is_within(another, one)))
}

/// True where the one is the other or below it, whatever the delimiter is.
fn is_within(one: &MailboxName, other: &MailboxName) -> bool {
    let below = one.as_str().strip_prefix(other.as_str());
    below.is_some_and(|below| !below.starts_with(char::is_alphanumeric))
}

/// True where the answers of both could not be told apart: `* SEARCH` and `* LIST` do not say whose they are, and FETCH
/// data of one message may be of either that asked for the same of it; so may that of any message where the UID comes late.
fn is_ambiguous(next: &Claim, other: &Claim, late_uids: bool) -> bool {
    match (next, other) {
        (Claim::Search, Claim::Search) | (Claim::Copied, Claim::Copied) | (Claim::Capability, Claim::Capability) => {
            true
        }
        (Claim::Fetch { messages, items }, Claim::Fetch { messages: others, items: other_items }) => {
            items.overlaps(other_items) && (late_uids || messages.may_overlap(others))
        }
        // Whatever is fetched of a message may have its flags with it.
        (Claim::Store { messages, .. } | Claim::Fetch { messages, .. }, Claim::Store { messages: others, .. })
        | (Claim::Store { messages, .. }, Claim::Fetch { messages: others, .. }) => messages.may_overlap(others),
        (Claim::Named(names), Claim::Named(others)) => names.iter().any(|name| others.contains(name)),
        (Claim::Status(mailbox), Claim::Status(other)) => mailbox.is_alike(other),
        (Claim::Named(names), other) | (other, Claim::Named(names)) => {
            names.iter().any(|name| names_of(other).iter().any(|own| name == own))
        }
        _ => false,
    }
}

/// What the data that is claimed without its name is called.
fn names_of(claim: &Claim) -> &'static [&'static str] {
    match claim {
        Claim::Search => &["SEARCH", "ESEARCH"],
        Claim::Fetch { .. } | Claim::Store { .. } => &["FETCH"],
        Claim::Capability => &["CAPABILITY"],
        Claim::Status(_) => &["STATUS"],
        Claim::Mailbox | Claim::Copied | Claim::Named(_) | Claim::Nothing => &[],
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::super::CommandId;
    use super::*;
    use crate::command::{
        CapabilityCommand, Command, Create, Delete, Fetch, Id, List, Move, Noop, Raw, Request, Search, StatusCommand,
        Store, StoreCommand,
    };
    use crate::types::{FetchItems, Flag, Messages, Query, SeqNum, SeqSet, StatusItems, Uid, UidSet};

    fn messages() -> impl Strategy<Value = Messages> {
        let ends = || (1u32..20, 1u32..20);
        let uid = |number| Uid::new(number).expect("it is not 0");
        let seq = |number| SeqNum::new(number).expect("it is not 0");
        prop_oneof![
            4 => prop::collection::vec(1u32..100, 1..3)
                .prop_map(move |numbers| Messages::from(numbers.into_iter().map(uid).collect::<UidSet>())),
            2 => ends().prop_map(move |(one, other)| Messages::from(UidSet::from(uid(one.min(other))..=uid(other.max(one))))),
            1 => ends().prop_map(move |(start, _)| Messages::from(UidSet::from_start(uid(start)))),
            2 => ends().prop_map(move |(one, other)| Messages::from(SeqSet::from(seq(one.min(other))..=seq(other.max(one))))),
            1 => Just(Messages::from(SeqSet::all())),
            1 => Just(Messages::Saved),
        ]
    }

    fn name() -> impl Strategy<Value = &'static str> {
        prop::sample::select(&["INBOX", "inbox/A", "INBOX/A", "Work", "Work/old", "work", "Workshop", "A"][..])
    }

    fn request() -> impl Strategy<Value = Request> {
        let items =
            || prop::sample::select(vec![FetchItems::ids(), FetchItems::ids().flags(), FetchItems::ids().size()]);
        prop_oneof![
            4 => (messages(), items()).prop_map(|(messages, items)| Fetch::new(messages, items).request()),
            4 => messages().prop_map(|messages| StoreCommand::new(messages, Store::add(Flag::Seen)).request()),
            2 => name().prop_map(|name| StatusCommand::new(name, StatusItems::counts()).request()),
            1 => name().prop_map(|name| Create::new(name).request()),
            1 => name().prop_map(|name| Delete::new(name).request()),
            1 => Just(Search::new(Query::all()).request()),
            1 => (messages(), name()).prop_map(|(messages, name)| Move::new(messages, name).request()),
            1 => Just(CapabilityCommand::default().request()),
            1 => Just(Id::new(None).request()),
            1 => Just(List::new("*").request()),
            1 => Just(Noop.request()),
            1 => prop::sample::select(&["FETCH", "STATUS", "SEARCH", "LIST", "QUOTA"][..])
                .prop_map(|name| Raw::new("X").map(|raw| raw.claims(name)).expect("a command").request()),
        ]
        .prop_map(|request| request.expect("it has a wire form"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        /// What is compared is enough: whoever is left out could not have made it wait.
        #[test]
        fn what_a_command_would_wait_for_is_near(
            requests in prop::collection::vec(request(), 1..30),
            gone in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
            next in request(),
            late_uids in any::<bool>(),
        ) {
            let mut in_flight = InFlight::default();
            let ids: Vec<CommandId> = (u32::MAX - 9..=u32::MAX).chain(0..30).map(CommandId).take(requests.len()).collect();
            for (tag, (id, request)) in ids.iter().zip(requests).enumerate() {
                in_flight.push(*id, request, None);
                prop_assert!(in_flight.begin(*id, tag as u32).is_some());
            }
            for index in gone {
                let id = *index.get(&ids);
                let was_there = in_flight.get(id).is_some_and(|entry| entry.id == id);
                prop_assert_eq!(in_flight.remove(id).is_some_and(|entry| entry.id == id), was_there);
            }
            in_flight.push(CommandId(99), next, None);
            let next = in_flight.next_queued().expect("it was put there");
            let meets =
                |other: &Entry| is_about_a_change(next, other) || is_ambiguous(&next.claim, &other.claim, late_uids);
            let near: Vec<&Entry> = in_flight.near(next, late_uids).collect();
            let one_is_enough = matches!(next.claim, Claim::Named(_)) && near.iter().copied().any(meets);
            for other in in_flight.under_way().filter(|other| meets(other)) {
                prop_assert!(one_is_enough || near.iter().any(|near| near.id == other.id), "{other:?} for {next:?}");
            }
        }
    }
}
