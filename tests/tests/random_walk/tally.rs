use std::collections::BTreeMap;
use std::fmt;

/// What came of the operations of a walk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// By the name of the operation: how often it was begun, and how often dropped half-way.
    operations: BTreeMap<&'static str, (usize, usize)>,
    /// Drops after which an operation on the same connection gave the right result.
    pub(crate) usable: usize,
    /// Drops after which the connection was closed, by cause.
    pub(crate) closed: BTreeMap<String, usize>,
    /// How commands ended that were cancelled, or that the connection was lost under.
    pub(crate) fates: BTreeMap<&'static str, usize>,
    /// What the reports of `append_all` say of messages.
    pub(crate) reports: BTreeMap<&'static str, usize>,
    /// Drops that no operation of the same connection followed, as at the end of a walk.
    pub(crate) last: usize,
    /// Handles of a mailbox that refused after a dropped SELECT of another one.
    pub(crate) deselected: usize,
    /// Answers that some of the messages asked for are removed.
    pub(crate) of_removed: usize,
}

impl Tally {
    pub(super) fn count(&mut self, operation: &'static str, dropped: bool) {
        let entry = self.operations.entry(operation).or_default();
        entry.0 += 1;
        entry.1 += usize::from(dropped);
    }

    pub(crate) fn operations(&self) -> usize {
        self.operations.values().map(|(begun, _)| begun).sum()
    }

    pub(crate) fn dropped(&self) -> usize {
        self.operations.values().map(|(_, dropped)| dropped).sum()
    }

    /// Cancelled commands of which something had left.
    pub(crate) fn reached(&self) -> usize {
        self.fates.iter().filter(|(what, _)| **what != "not sent").map(|(_, count)| count).sum()
    }

    pub(crate) fn add(&mut self, other: &Tally) {
        for (operation, (begun, dropped)) in &other.operations {
            let entry = self.operations.entry(operation).or_default();
            entry.0 += begun;
            entry.1 += dropped;
        }
        for (cause, count) in &other.closed {
            *self.closed.entry(cause.clone()).or_default() += count;
        }
        for (fate, count) in &other.fates {
            *self.fates.entry(fate).or_default() += count;
        }
        for (what, count) in &other.reports {
            *self.reports.entry(what).or_default() += count;
        }
        self.usable += other.usable;
        self.last += other.last;
        self.deselected += other.deselected;
        self.of_removed += other.of_removed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closed: usize = self.closed.values().sum();
        writeln!(f, "  {} operations, {} of them dropped half-way", self.operations(), self.dropped())?;
        for (operation, (begun, dropped)) in &self.operations {
            writeln!(f, "    {operation:<16} {begun:>6}, dropped {dropped:>6}")?;
        }
        writeln!(
            f,
            "  connection usable after {} drops, not asked after {}, closed after {closed}",
            self.usable, self.last
        )?;
        for (cause, count) in &self.closed {
            writeln!(f, "    {cause}: {count}")?;
        }
        writeln!(
            f,
            "  stale mailboxes that refused: {}; messages found removed: {}",
            self.deselected, self.of_removed
        )?;
        write!(f, "  fates of the cancelled: {:?}; reports of append_all: {:?}", self.fates, self.reports)
    }
}
