use super::in_flight::{Entry, InFlight, Stage};
use crate::command::{Claim, Order, State};
use crate::types::MailboxName;

/// Whether a queued command may be written now. RFC 9051 §5.5
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Yes.
    Now,
    /// When what is under way has come further.
    Later(Why),
    /// As soon as a running IDLE is told to end, in the same write.
    AfterDone,
}

/// Why a command waits. `docs/pipelining.md` has every pair of commands with its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// A literal or an exchange is being written: nothing else may be said before its end. RFC 9051 §5.5
    Unfinished,
    /// IDLE waits for its `+`: DONE, and what follows it, may not come before. RFC 9051 §6.3.13
    IdleBegins,
    /// IDLE was told to end: until it has, the server may expunge, and what goes alone is not alone.
    Done,
    /// A barrier is under way.
    BehindBarrier,
    /// It is a barrier, and others are under way.
    IsBarrier,
    /// It is an IDLE, which begins alone.
    IsIdle,
    /// It has message sequence numbers in it, and others are under way that may renumber. RFC 9051 §5.5 and §7.5.1
    Renumbering,
    /// It searches by flags and others change them, or the other way round. RFC 9051 §5.5
    Flags,
    /// As many bytes as may be are written and not answered.
    TooMuch,
    /// It changes a mailbox that another is about, or another changes one that it is about. RFC 9051 §5.5
    Mailbox,
    /// Its answer could not be told from that of another.
    Ambiguous,
}

/// What else the order depends on.
#[derive(Debug)]
pub(super) struct Circumstances<'a> {
    /// How many bytes may be written and not answered.
    pub(super) outstanding: usize,
    /// True where the UID of a message may come behind its body.
    pub(super) late_uids: bool,
    /// The mailbox that is selected.
    pub(super) selected: Option<&'a MailboxName>,
}

/// Decides for `next`, the first of those that wait.
///
/// Nothing passes a literal that is being written or waits for its `+`, nothing passes a barrier and a
/// barrier passes nothing. IDLE begins alone, and gives way by DONE, never before its own `+` was read:
/// a server was seen to hang on that. Of two searches or fetches under way Dovecot was seen to send all
/// data before it ended the first one, and to end the second one first.
pub(super) fn turn(next: &Entry, in_flight: &InFlight, now: &Circumstances<'_>) -> Turn {
    let Some((first, last)) = in_flight.ends() else { return Turn::Now };
    match first.stage {
        Stage::Idling { .. } => return Turn::AfterDone,
        // DONE is in the outbox: what follows it may follow in the same write.
        Stage::Ending { .. } if matches!(next.order, Order::Free | Order::Names | Order::Subscriptions) => {}
        Stage::Ending { .. } => return Turn::Later(Why::Done),
        _ if first.is_idle() => return Turn::Later(Why::IdleBegins),
        _ => {}
    }
    // While these are answered the server may not expunge, and may with any other (RFC 9051 §7.5.1).
    let is_numbered = matches!(next.order, Order::Numbers | Order::Renumbering);
    let why = if last.is_being_written() {
        Some(Why::Unfinished)
    } else if last.order.is_barrier() {
        Some(Why::BehindBarrier)
    } else if next.order.is_barrier() {
        Some(Why::IsBarrier)
    } else if next.is_idle() {
        Some(Why::IsIdle)
    } else if is_numbered && in_flight.has_unnumbered() {
        Some(Why::Renumbering)
    } else if in_flight.minds_flags(next) {
        Some(Why::Flags)
    } else if in_flight.outstanding() > now.outstanding as u64 {
        Some(Why::TooMuch)
    } else {
        in_flight.near(next, now.late_uids).find_map(|other| meets(next, other, now))
    };
    why.map_or(Turn::Now, Turn::Later)
}

/// Why the two may not be under way together, whatever else is.
fn meets(next: &Entry, other: &Entry, now: &Circumstances<'_>) -> Option<Why> {
    if is_about_a_change(next, other, now.selected) || counts(next, other) || counts(other, next) {
        Some(Why::Mailbox)
    } else if is_ambiguous(&next.claim, &other.claim, now.late_uids) {
        Some(Why::Ambiguous)
    } else {
        None
    }
}

/// True where one changes a mailbox that the other has to do with: RFC 9051 §5.5 forbids to send both, since a server may
/// take them in any order.
fn is_about_a_change(next: &Entry, other: &Entry, selected: Option<&MailboxName>) -> bool {
    let (changes, other_changes) = (next.order.changes_names(), other.order.changes_names());
    if !changes && !other_changes {
        return false;
    }
    let lists = |entry: &Entry| matches!(&entry.claim, Claim::Named(names) if names.iter().any(|name| name == "LIST"));
    if lists(next) || lists(other) {
        return true;
    }
    // The mailbox itself is as it was before.
    let subscribes = |entry: &Entry| entry.order == Order::Subscriptions;
    if (subscribes(next) && !other_changes) || (subscribes(other) && !changes) {
        return false;
    }
    let mut pairs = next.mailboxes.iter().flat_map(|one| other.mailboxes.iter().map(move |another| (one, another)));
    pairs.any(|(one, another)| is_within(one, another) || is_within(another, one))
        || takes_away(next, other, selected)
        || takes_away(other, next, selected)
}

/// True where the one changes the selected mailbox, or one above it, and the other is about the messages in it.
fn takes_away(change: &Entry, other: &Entry, selected: Option<&MailboxName>) -> bool {
    let is_selected = |name: &MailboxName| selected.is_some_and(|selected| is_within(selected, name));
    change.order == Order::Names && other.state == State::Selected && change.mailboxes.iter().any(is_selected)
}

/// True where the one is told how many messages a mailbox has, and the other puts some into it.
fn counts(told: &Entry, other: &Entry) -> bool {
    other.filled().is_some_and(|filled| match &told.claim {
        Claim::Status(mailbox) => mailbox.is_alike(filled),
        Claim::Named(names) => ["LIST", "STATUS"].iter().all(|name| names.iter().any(|one| one == name)),
        _ => false,
    })
}

/// True where the one is the other or below it, whatever the delimiter is, and whatever the case: to some servers it makes
/// no difference, in INBOX to none.
fn is_within(one: &MailboxName, other: &MailboxName) -> bool {
    one.as_str().split_at_checked(other.as_str().len()).is_some_and(|(top, below)| {
        top.eq_ignore_ascii_case(other.as_str()) && !below.starts_with(char::is_alphanumeric)
    })
}

/// True where the answers of both could not be told apart: `* SEARCH` and `* LIST` do not say whose they are, and FETCH
/// data of one message may be of either that asked for the same of it; so may that of any message where the UID comes late.
fn is_ambiguous(next: &Claim, other: &Claim, late_uids: bool) -> bool {
    match (next, other) {
        (Claim::Search { .. }, Claim::Search { .. })
        | (Claim::Copied, Claim::Copied)
        | (Claim::Capability, Claim::Capability) => true,
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
        Claim::Search { .. } => &["SEARCH", "ESEARCH"],
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
        Append, CapabilityCommand, Command, Create, Delete, Fetch, Id, List, Move, Noop, Raw, Request, Search,
        StatusCommand, Store, StoreCommand, Subscribe,
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
            1 => name().prop_map(|name| Subscribe::new(name).request()),
            2 => name().prop_map(|name| Append::new(name, "x").request()),
            1 => Just(Search::new(Query::all()).request()),
            1 => (messages(), name()).prop_map(|(messages, name)| Move::new(messages, name).request()),
            1 => Just(CapabilityCommand::default().request()),
            1 => Just(Id::new(None).request()),
            1 => Just(List::new("*").request()),
            1 => Just(List::new("*").return_status(StatusItems::counts()).request()),
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
            selected in name(),
        ) {
            let selected = MailboxName::try_from(selected).expect("a name");
            let now = Circumstances { outstanding: usize::MAX, late_uids, selected: Some(&selected) };
            let mut in_flight = InFlight::default();
            let ids: Vec<CommandId> = (u32::MAX - 9..=u32::MAX).chain(0..30).map(CommandId).take(requests.len()).collect();
            for (tag, (id, request)) in ids.iter().zip(requests).enumerate() {
                in_flight.push(*id, request, None, 0);
                prop_assert!(in_flight.begin(*id, tag as u32).is_some());
            }
            for index in gone {
                let id = *index.get(&ids);
                let was_there = in_flight.get(id).is_some_and(|entry| entry.id == id);
                prop_assert_eq!(in_flight.remove(id).is_some_and(|entry| entry.id == id), was_there);
            }
            in_flight.push(CommandId(99), next, None, 0);
            let next = in_flight.next_queued().expect("it was put there");
            let meets = |other: &Entry| meets(next, other, &now).is_some();
            let near: Vec<&Entry> = in_flight.near(next, late_uids).collect();
            let one_is_enough = matches!(next.claim, Claim::Named(_)) && near.iter().copied().any(meets);
            for other in in_flight.under_way().filter(|other| meets(other)) {
                prop_assert!(one_is_enough || near.iter().any(|near| near.id == other.id), "{other:?} for {next:?}");
            }
        }
    }
}
