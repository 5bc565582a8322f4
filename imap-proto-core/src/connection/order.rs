use super::in_flight::{Entry, InFlight, Stage};
use crate::command::{Claim, Order};

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
/// a server was seen to hang on that. Of two searches under way Dovecot was seen to answer the second one first,
/// and `* SEARCH` does not say which it is.
pub(super) fn turn(next: &Entry, in_flight: &InFlight, limit: usize) -> Turn {
    let mut outstanding = 0;
    let mut turn = Turn::Now;
    for other in in_flight.iter().filter(|other| other.stage != Stage::Queued) {
        match other.stage {
            Stage::Idling { .. } => turn = Turn::AfterDone,
            // DONE is in the outbox: what follows it may follow in the same write.
            Stage::Ending { .. } if next.order == Order::Free => {}
            Stage::Ending { .. } => return Turn::Later,
            _ if other.is_idle() || other.is_being_written() => return Turn::Later,
            _ if other.order == Order::Barrier || next.order != Order::Free => return Turn::Later,
            _ if is_ambiguous(&next.claim, &other.claim) => return Turn::Later,
            _ => outstanding += other.outstanding,
        }
    }
    if outstanding > limit { Turn::Later } else { turn }
}

fn is_ambiguous(next: &Claim, other: &Claim) -> bool {
    matches!((next, other), (Claim::Search, Claim::Search))
}
