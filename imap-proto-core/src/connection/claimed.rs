use alloc::collections::BTreeSet;

use super::CommandId;
use super::in_flight::Entry;
use crate::command::Claim;
use crate::types::{MailboxName, Messages};

/// What the commands under way claim, sorted, so that the few that one more has to be compared with are found among many.
#[derive(Debug, Default)]
pub(super) struct Claimed {
    /// The kind of a claim, where its span begins, and whose it is.
    spans: BTreeSet<(Kind, u32, CommandId)>,
    /// How far beyond its beginning a span of messages reaches at the most.
    longest: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Search,
    Capability,
    Copied,
    Uids,
    Numbers,
    Status,
    Named,
    /// No claim, but a change of which mailboxes there are.
    Change,
    /// No claim, but messages for that mailbox.
    Filled,
}

/// A claim of that kind can meet others of the kind where their spans meet.
#[derive(Clone, Copy, Debug)]
struct Span {
    kind: Kind,
    low: u32,
    high: u32,
}

impl Span {
    fn all(kind: Kind) -> Self {
        Span { kind, low: 0, high: u32::MAX }
    }

    /// `None` for what is claimed by one command alone, or by none.
    fn of(claim: &Claim) -> Option<Self> {
        Some(match claim {
            Claim::Nothing | Claim::Mailbox => return None,
            Claim::Search { .. } => Span::all(Kind::Search),
            Claim::Capability => Span::all(Kind::Capability),
            Claim::Copied => Span::all(Kind::Copied),
            Claim::Named(_) => Span::all(Kind::Named),
            Claim::Status(mailbox) => Span::of_mailbox(Kind::Status, mailbox),
            Claim::Fetch { messages, .. } | Claim::Store { messages, .. } => Span::of_messages(messages),
        })
    }

    fn of_mailbox(kind: Kind, mailbox: &MailboxName) -> Self {
        let point = digest(mailbox);
        Span { kind, low: point, high: point }
    }

    fn of_messages(messages: &Messages) -> Self {
        // Where the end is open, any message may be in it, and there is no last one.
        let (kind, ends) = match messages {
            Messages::Uids(uids) => (Kind::Uids, uids.first().map(u32::from).zip(uids.last().map(u32::from))),
            Messages::Numbers(seqs) => (Kind::Numbers, seqs.first().map(u32::from).zip(seqs.last().map(u32::from))),
            Messages::Saved => (Kind::Uids, None),
        };
        match ends {
            Some((low, high)) => Span { kind, low, high },
            _ => Span::all(kind),
        }
    }
}

impl Claimed {
    pub(super) fn insert(&mut self, entry: &Entry) {
        for span in spans(entry) {
            self.spans.insert((span.kind, span.low, entry.id));
            if matches!(span.kind, Kind::Uids | Kind::Numbers) {
                self.longest = self.longest.max(span.high - span.low);
            }
        }
    }

    pub(super) fn remove(&mut self, entry: &Entry) {
        for span in spans(entry) {
            self.spans.remove(&(span.kind, span.low, entry.id));
        }
        if self.spans.is_empty() {
            *self = Claimed::default();
        }
    }

    /// The commands of which `next`, which changes no mailbox, may get the answers, or they its; and those that change
    /// one. A few more may be among them.
    pub(super) fn near(&self, next: &Entry, late_uids: bool) -> impl Iterator<Item = CommandId> + '_ {
        const ALL: usize = usize::MAX;
        let span = Span::of(&next.claim);
        // Whose data comes without a UID is told apart by what was asked for.
        let own = span.map(|span| if late_uids { Span::all(span.kind) } else { span });
        let others: &[(Kind, usize)] = match span.map(|span| span.kind) {
            None => &[],
            // What is counted differently may be the same.
            Some(Kind::Uids) => &[(Kind::Numbers, ALL), (Kind::Named, ALL)],
            Some(Kind::Numbers) => &[(Kind::Uids, ALL), (Kind::Named, ALL)],
            // All of a kind have the same names.
            Some(Kind::Named) => &[
                (Kind::Search, 1),
                (Kind::Capability, 1),
                (Kind::Uids, 1),
                (Kind::Numbers, 1),
                (Kind::Status, 1),
                (Kind::Filled, 1),
            ],
            Some(_) => &[(Kind::Named, ALL)],
        };
        let others = others.iter().chain(&[(Kind::Change, ALL)]);
        let others = others.flat_map(|(kind, most)| self.within(Span::all(*kind)).take(*most));
        // Who is told how many messages there are minds those that come.
        let told = span.filter(|span| span.kind == Kind::Status).map(|span| Span { kind: Kind::Filled, ..span });
        let filled = next.filled().map(|mailbox| Span::of_mailbox(Kind::Status, mailbox));
        let listings = filled.map(|_| Span::all(Kind::Named));
        let spans = own.into_iter().chain(told).chain(filled).chain(listings);
        spans.flat_map(|span| self.within(span)).chain(others)
    }

    fn within(&self, span: Span) -> impl Iterator<Item = CommandId> + '_ {
        let reach = if matches!(span.kind, Kind::Uids | Kind::Numbers) { self.longest } else { 0 };
        let first = (span.kind, span.low.saturating_sub(reach), CommandId(0));
        let last = (span.kind, span.high, CommandId(u32::MAX));
        self.spans.range(first..=last).map(|(_, _, id)| *id)
    }
}

fn spans(entry: &Entry) -> impl Iterator<Item = Span> {
    let change = entry.order.changes_names().then_some(Span::all(Kind::Change));
    let filled = entry.filled().map(|mailbox| Span::of_mailbox(Kind::Filled, mailbox));
    Span::of(&entry.claim).into_iter().chain(change).chain(filled)
}

/// The same for names that are alike, in whatever case they are; different for nearly all others.
fn digest(mailbox: &MailboxName) -> u32 {
    // FNV-1a.
    let step = |digest: u32, octet: &u8| (digest ^ u32::from(octet.to_ascii_lowercase())).wrapping_mul(0x0100_0193);
    mailbox.as_str().as_bytes().iter().fold(0x811c_9dc5, step)
}
