use alloc::collections::VecDeque;
use alloc::collections::vec_deque;
use alloc::vec::Vec;
use core::fmt;
use core::ops::RangeInclusive;

use super::uid::Identifier;
use super::{SeqNum, Uid};
use crate::wire::grammar::set::parse_set;

/// A set of [`Uid`]s.
pub type UidSet = Set<Uid>;
/// A set of message sequence numbers.
pub type SeqSet = Set<SeqNum>;

/// How many ranges `Debug` shows.
const DEBUG_RANGES: usize = 16;

/// Holds message identifiers as ranges: sorted, apart from each other, the last one possibly open (`7:*`).
///
/// RFC 9051 §9, `sequence-set`. `Display` is the wire form; the empty set has none, ask
/// [`is_empty`](Self::is_empty) before sending.
///
/// The open end reaches up to the last message there is, and always holds that one: with five messages, `7:*` is message
/// five. `*` alone is kept as an open end that begins at 4294967295, which means the same.
///
/// Memory goes by the number of ranges. Adding in ascending or descending order is cheap, in any other order use
/// `collect` or `extend`, which sort once.
///
/// ```
/// use imap_proto_core::types::{Uid, UidSet};
///
/// let set: UidSet = [3, 1, 2, 9].into_iter().filter_map(Uid::new).collect();
/// assert_eq!(set.to_string(), "1:3,9");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Set<T> {
    ranges: VecDeque<(T, T)>,
    open: Option<T>,
}

impl<T> Set<T> {
    /// Returns the empty set.
    pub const fn new() -> Self {
        Set { ranges: VecDeque::new(), open: None }
    }

    /// True when it holds nothing, and therefore has no wire form.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty() && self.open.is_none()
    }

    /// True when it ends in `*`.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }
}

impl<T: Identifier> Set<T> {
    /// Reads the wire form, elements in any order and `8:3` as `3:8`; `None` where it is none.
    ///
    /// Zeros and empty elements are passed over, so that the set can be empty.
    pub fn from_wire(wire: &[u8]) -> Option<Self> {
        parse_set(wire)
    }

    /// Returns `1:*`, every message.
    pub fn all() -> Self {
        Self::from_start(T::wrap(core::num::NonZeroU32::MIN))
    }

    /// Returns `*`, the last message whatever its number. Some servers refuse it; prefer a number where one is known.
    pub fn last_message() -> Self {
        Self::from_start(T::wrap(core::num::NonZeroU32::MAX))
    }

    /// Returns `start:*`, which holds the last message even when that is below `start`.
    pub fn from_start(start: T) -> Self {
        Set { ranges: VecDeque::new(), open: Some(start) }
    }

    /// Adds one identifier.
    #[inline]
    pub fn insert(&mut self, id: T) {
        self.insert_range(id, id);
    }

    /// Adds all between the two, both included, in either order.
    pub fn insert_range(&mut self, one: T, other: T) {
        let (low, high) = if one <= other { (one, other) } else { (other, one) };
        match self.open {
            Some(start) if low >= start => {}
            Some(start) if high.after() >= start => self.insert_from(low),
            _ => {
                if !self.append(low, high) {
                    self.insert_between(low, high);
                }
            }
        }
    }

    /// Adds `start:*`.
    pub fn insert_from(&mut self, start: T) {
        let mut start = self.open.map_or(start, |open| open.min(start));
        while let Some(&(low, high)) = self.ranges.back() {
            if high.after() < start {
                break;
            }
            start = start.min(low);
            self.ranges.pop_back();
        }
        self.open = Some(start);
    }

    /// Adds many ranges in any order, sorting once.
    pub fn extend_ranges(&mut self, ranges: impl IntoIterator<Item = (T, T)>) {
        let open = self.open.take();
        let mut late = Vec::new();
        for (one, other) in ranges {
            let (low, high) = if one <= other { (one, other) } else { (other, one) };
            if !self.append(low, high) {
                late.push((low, high));
            }
        }
        if !late.is_empty() {
            late.sort_unstable();
            self.merge(late.into_iter());
        }
        if let Some(start) = open {
            self.insert_from(start);
        }
    }

    /// Returns what is in either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut both = Set::new();
        both.ranges.reserve(self.ranges.len().max(other.ranges.len()));
        both.ranges.extend(&self.ranges);
        both.merge(other.ranges.iter().copied());
        for start in self.open.into_iter().chain(other.open) {
            both.insert_from(start);
        }
        both
    }

    /// Returns what is in both sets. Where one has an open end, it holds all from its start on.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut both = Set::new();
        let open = |set: &Self| set.open.map(|start| (start, T::wrap(core::num::NonZeroU32::MAX)));
        let (mut mine, mut theirs) =
            (self.ranges().chain(open(self)).peekable(), other.ranges().chain(open(other)).peekable());
        while let (Some(&(low, high)), Some(&(other_low, other_high))) = (mine.peek(), theirs.peek()) {
            if low.max(other_low) <= high.min(other_high) {
                both.append(low.max(other_low), high.min(other_high));
            }
            if high <= other_high {
                mine.next();
            } else {
                theirs.next();
            }
        }
        if self.open.is_some() && other.open.is_some() {
            both.open = both.ranges.pop_back().map(|(start, _)| start);
        }
        both
    }

    /// True when it holds the identifier; an open end holds all from its start on.
    pub fn contains(&self, id: T) -> bool {
        if self.open.is_some_and(|start| id >= start) {
            return true;
        }
        let at = self.ranges.partition_point(|(_, high)| *high < id);
        self.ranges.get(at).is_some_and(|(low, _)| *low <= id)
    }

    /// True when no identifier is in both sets. An open end may hold any, being the last message at the least.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        if self.is_empty() || other.is_empty() {
            return true;
        }
        if self.open.is_some() || other.open.is_some() {
            return false;
        }
        let (few, many) = if self.ranges.len() < other.ranges.len() { (self, other) } else { (other, self) };
        few.ranges.iter().all(|(low, high)| {
            let at = many.ranges.partition_point(|(_, end)| end < low);
            many.ranges.get(at).is_none_or(|(start, _)| start > high)
        })
    }

    /// How many identifiers it holds, without an open end.
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|(low, high)| low.count_to(*high)).sum()
    }

    /// The ranges in ascending order, both ends included, without an open end.
    pub fn ranges(&self) -> impl DoubleEndedIterator<Item = (T, T)> + ExactSizeIterator + '_ {
        self.ranges.iter().copied()
    }

    /// The identifiers in ascending order, without an open end.
    pub fn iter(&self) -> SetIter<'_, T> {
        SetIter { ranges: self.ranges.iter(), front: None, back: None }
    }

    /// True where `*` stands for itself: for the last message and none before it.
    #[cfg(feature = "client")]
    pub(crate) fn ends_in_last_message(&self) -> bool {
        self.open == Some(T::wrap(core::num::NonZeroU32::MAX))
    }

    /// Where the open end begins.
    pub fn open_start(&self) -> Option<T> {
        self.open
    }

    /// The lowest identifier, be it the start of the open end.
    pub fn first(&self) -> Option<T> {
        self.ranges.front().map(|(low, _)| *low).or(self.open)
    }

    /// The highest identifier; `None` when the set is empty or its end is open.
    pub fn last(&self) -> Option<T> {
        match self.open {
            Some(_) => None,
            None => self.ranges.back().map(|(_, high)| *high),
        }
    }

    /// Takes out the `count` lowest identifiers, or as many as there are. An open end stays.
    #[must_use]
    pub fn split_front(&mut self, mut count: u64) -> Self {
        let mut taken = Set::new();
        while count > 0
            && let Some((low, high)) = self.ranges.pop_front()
        {
            let (cut, rest) = cut_after(low, high, count);
            taken.ranges.push_back(cut);
            count -= cut.0.count_to(cut.1);
            if let Some(rest) = rest {
                self.ranges.push_front(rest);
            }
        }
        taken
    }

    /// Takes out the `count` highest identifiers, or as many as there are. An open end stays.
    #[must_use]
    pub fn split_back(&mut self, mut count: u64) -> Self {
        let mut taken = Set::new();
        while count > 0
            && let Some((low, high)) = self.ranges.pop_back()
        {
            let len = low.count_to(high);
            if len <= count {
                taken.ranges.push_front((low, high));
                count -= len;
                continue;
            }
            let (rest, cut) = cut_after(low, high, len - count);
            self.ranges.push_back(rest);
            if let Some(cut) = cut {
                taken.ranges.push_front(cut);
            }
            count = 0;
        }
        taken
    }

    /// Adds a range that does not begin before the last one does; the answer is whether it was so.
    #[inline]
    fn append(&mut self, low: T, high: T) -> bool {
        match self.ranges.back_mut() {
            Some(last) if low < last.0 => return false,
            Some(last) if low <= last.1.after() => last.1 = last.1.max(high),
            _ => self.ranges.push_back((low, high)),
        }
        true
    }

    fn insert_between(&mut self, mut low: T, mut high: T) {
        let from = self.ranges.partition_point(|range| range.1.after() < low);
        let until = self.ranges.partition_point(|range| range.0 <= high.after());
        if from >= until {
            self.ranges.insert(from, (low, high));
            return;
        }
        for range in self.ranges.range(from..until) {
            low = low.min(range.0);
            high = high.max(range.1);
        }
        self.ranges[from] = (low, high);
        self.ranges.drain(from + 1..until);
    }

    /// Merges ranges sorted by their start into the closed part.
    fn merge(&mut self, sorted: impl Iterator<Item = (T, T)>) {
        let mine = core::mem::take(&mut self.ranges);
        let mut mine = mine.into_iter().peekable();
        for range in sorted {
            while let Some(smaller) = mine.next_if(|own| *own <= range) {
                self.append(smaller.0, smaller.1);
            }
            self.append(range.0, range.1);
        }
        for (low, high) in mine {
            self.append(low, high);
        }
    }
}

/// Cuts a range behind its first `count` identifiers, `count` being at least one.
fn cut_after<T: Identifier>(low: T, high: T, count: u64) -> ((T, T), Option<(T, T)>) {
    if low.count_to(high) <= count {
        return ((low, high), None);
    }
    let last = u64::from(low.number().get()) + count - 1;
    let last = u32::try_from(last).ok().and_then(T::from_number).unwrap_or(high);
    ((low, last), Some((last.after(), high)))
}

/// Walks the identifiers of a [`Set`].
#[derive(Clone, Debug)]
pub struct SetIter<'a, T> {
    ranges: vec_deque::Iter<'a, (T, T)>,
    front: Option<(T, T)>,
    back: Option<(T, T)>,
}

impl<T: Identifier> Iterator for SetIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let front = &mut self.front;
        let (low, high) = front.take().or_else(|| self.ranges.next().copied()).or_else(|| self.back.take())?;
        *front = (low < high).then(|| (low.after(), high));
        Some(low)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let ends = self.front.iter().chain(&self.back).count();
        (self.ranges.len() + ends, None)
    }
}

impl<T: Identifier> DoubleEndedIterator for SetIter<'_, T> {
    fn next_back(&mut self) -> Option<T> {
        let back = &mut self.back;
        let (low, high) = back.take().or_else(|| self.ranges.next_back().copied()).or_else(|| self.front.take())?;
        *back = (low < high).then(|| (low, high.before()));
        Some(high)
    }
}

impl<'a, T: Identifier> IntoIterator for &'a Set<T> {
    type Item = T;
    type IntoIter = SetIter<'a, T>;

    fn into_iter(self) -> SetIter<'a, T> {
        self.iter()
    }
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Set::new()
    }
}

impl<T: Identifier> From<T> for Set<T> {
    fn from(id: T) -> Self {
        Self::from(id..=id)
    }
}

impl<T: Identifier> From<&Set<T>> for Set<T> {
    fn from(set: &Set<T>) -> Self {
        set.clone()
    }
}

impl<T: Identifier> From<Vec<T>> for Set<T> {
    fn from(ids: Vec<T>) -> Self {
        ids.into_iter().collect()
    }
}

impl<T: Identifier, const N: usize> From<[T; N]> for Set<T> {
    fn from(ids: [T; N]) -> Self {
        ids.into_iter().collect()
    }
}

impl<T: Identifier> From<RangeInclusive<T>> for Set<T> {
    fn from(range: RangeInclusive<T>) -> Self {
        let mut set = Set::new();
        set.insert_range(*range.start(), *range.end());
        set
    }
}

impl<T: Identifier> Extend<T> for Set<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, ids: I) {
        self.extend_ranges(ids.into_iter().map(|id| (id, id)));
    }
}

impl<T: Identifier> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(ids: I) -> Self {
        let mut set = Set::new();
        set.extend(ids);
        set
    }
}

impl<T: Identifier> Set<T> {
    fn write(&self, f: &mut fmt::Formatter<'_>, most: usize) -> fmt::Result {
        let mut comma = "";
        for (low, high) in self.ranges().take(most) {
            write!(f, "{comma}{low}")?;
            if low < high {
                write!(f, ":{high}")?;
            }
            comma = ",";
        }
        if self.ranges.len() > most {
            write!(f, ",… {} more", self.ranges.len() - most)?;
        }
        match self.open {
            Some(start) if start.number() == core::num::NonZeroU32::MAX => write!(f, "{comma}*"),
            Some(start) => write!(f, "{comma}{start}:*"),
            None => Ok(()),
        }
    }
}

impl<T: Identifier> fmt::Display for Set<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, usize::MAX)
    }
}

impl<T: Identifier> fmt::Debug for Set<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        self.write(f, DEBUG_RANGES)?;
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::format;
    use std::string::ToString;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn uid(number: u32) -> Uid {
        Uid::new(number).unwrap()
    }

    fn set(ids: &[u32]) -> UidSet {
        ids.iter().map(|id| uid(*id)).collect()
    }

    #[test]
    fn neighbours_become_one_range() {
        assert_eq!(set(&[5, 1, 3, 2]).to_string(), "1:3,5");
    }

    #[test]
    fn an_open_end_swallows_what_touches_it() {
        let mut open = set(&[1, 2, 5]);
        open.insert_from(uid(9));
        assert_eq!(open.to_string(), "1:2,5,9:*");
        open.insert_range(uid(8), uid(6));
        assert_eq!(open.to_string(), "1:2,5:*");
        assert!(open.contains(uid(77)) && !open.contains(uid(4)));
        assert_eq!((open.first(), open.last(), open.len()), (Some(uid(1)), None, 2));
        assert_eq!(open.union(&UidSet::all()).to_string(), "1:*");
        assert_eq!(UidSet::last_message().to_string(), "*");
    }

    #[test]
    fn sets_are_disjoint_when_they_share_nothing() {
        for (one, other, disjoint) in [
            (set(&[1, 2, 3]), set(&[4, 5]), true),
            (set(&[1, 5, 9]), set(&[2, 6, 8]), true),
            (set(&[1, 5, 9]), set(&[3, 4, 9]), false),
            (set(&[1]), set(&[1]), false),
            (UidSet::from(uid(2)..=uid(90)), set(&[1, 40]), false),
            (set(&[]), UidSet::all(), true),
            (set(&[1]), UidSet::from_start(uid(7)), false),
        ] {
            assert_eq!((one.is_disjoint(&other), other.is_disjoint(&one)), (disjoint, disjoint), "{one} {other}");
        }
    }

    #[test]
    fn what_is_in_both_sets() {
        for (one, other, both) in [
            ("1:5,8", "4:9", "4:5,8"),
            ("1:5", "6:9", ""),
            ("", "1:*", ""),
            ("1:*", "3,7:9", "3,7:9"),
            ("3:5,9:*", "4,10:*", "4,10:*"),
            ("1,3,5,7", "2,3,4,7", "3,7"),
        ] {
            let read = |wire: &str| UidSet::from_wire(wire.as_bytes()).unwrap();
            let (one, other) = (read(one), read(other));
            assert_eq!(one.intersection(&other).to_string(), both, "{one} {other}");
            assert_eq!(other.intersection(&one).to_string(), both, "{other} {one}");
        }
    }

    #[test]
    fn the_highest_number_is_no_special_case() {
        let mut high = UidSet::from(Uid::MAX);
        high.insert(Uid::MAX);
        high.insert_range(Uid::MAX, Uid::MIN);
        assert_eq!((high.len(), high.last()), (u64::from(u32::MAX), Some(Uid::MAX)));
        assert_eq!(high.split_back(1).to_string(), "4294967295");
        assert_eq!(high.split_front(u64::MAX).to_string(), "1:4294967294");
        assert!(high.is_empty());
    }

    #[test]
    fn a_million_in_the_worst_order_are_quick() {
        let count = 1_000_000u32;
        let scattered = (0..u64::from(count)).map(|i| uid((i * 7_919 % u64::from(count)) as u32 * 2 + 1));
        assert_eq!(scattered.collect::<UidSet>().ranges().len(), count as usize);
        let mut descending = UidSet::new();
        (1..=count).rev().for_each(|i| descending.insert(uid(i * 2)));
        assert_eq!(descending.len(), u64::from(count));
    }

    #[test]
    fn debug_is_bounded() {
        let many: UidSet = (1..100).map(|i| uid(i * 2)).collect();
        assert!(format!("{many:?}").ends_with(",32,… 83 more}"));
    }

    proptest! {
        #[test]
        fn a_set_is_what_a_set_of_numbers_is(
            ids in prop::collection::vec(1u32..60, 0..40),
            more in prop::collection::vec((1u32..60, 1u32..60), 0..6),
            count in 0u64..70,
        ) {
            let mut model: BTreeSet<u32> = ids.iter().copied().collect();
            let mut one_by_one = UidSet::new();
            ids.iter().for_each(|id| one_by_one.insert(uid(*id)));
            prop_assert_eq!(&one_by_one, &set(&ids));

            let mut at_once = one_by_one.clone();
            at_once.extend_ranges(more.iter().map(|(a, b)| (uid(*a), uid(*b))));
            let others = more.iter().fold(UidSet::new(), |all, (a, b)| {
                let mut range = UidSet::new();
                range.insert_range(uid(*a), uid(*b));
                all.union(&range)
            });
            prop_assert_eq!(&one_by_one.union(&others), &at_once);
            for (a, b) in more {
                one_by_one.insert_range(uid(a), uid(b));
                model.extend(a.min(b)..=a.max(b));
            }
            prop_assert_eq!(&one_by_one, &at_once);

            prop_assert_eq!(at_once.len(), model.len() as u64);
            let sorted: Vec<u32> = model.iter().copied().collect();
            prop_assert_eq!(&at_once.iter().map(Uid::get).collect::<Vec<_>>(), &sorted);
            let mut reversed: Vec<u32> = at_once.iter().rev().map(Uid::get).collect();
            reversed.reverse();
            prop_assert_eq!(&reversed, &sorted);
            prop_assert!((1..60).all(|id| at_once.contains(uid(id)) == model.contains(&id)));

            let at = (count as usize).min(sorted.len());
            let mut rest = at_once.clone();
            prop_assert_eq!(rest.split_front(count), set(&sorted[..at]));
            prop_assert_eq!(rest, set(&sorted[at..]));
            let at = sorted.len() - at;
            let mut rest = at_once.clone();
            prop_assert_eq!(rest.split_back(count), set(&sorted[at..]));
            prop_assert_eq!(rest, set(&sorted[..at]));
        }

        #[test]
        fn both_ends_of_the_walk_meet(ids in prop::collection::vec(1u32..40, 0..40), turns in prop::collection::vec(any::<bool>(), 80)) {
            let set = set(&ids);
            let (mut walk, mut seen) = (set.iter(), BTreeSet::new());
            for front in turns {
                let id = if front { walk.next() } else { walk.next_back() };
                let Some(id) = id else { break };
                prop_assert!(seen.insert(id));
            }
            prop_assert_eq!(seen.len() as u64, set.len());
        }
    }
}
