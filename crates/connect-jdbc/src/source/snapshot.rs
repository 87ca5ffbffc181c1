//! A first read in parts: the numbers of a big table are cut into ranges that are read at once. Pure.
//!
//! A stored offset says that everything up to it is in Kafka. So only rows of the first range that is not complete carry one; rows
//! of later ranges have none, until the ranges before theirs are complete. A restart in the middle goes on after the complete part and
//! may read rows of later ranges again.

pub(super) mod parts;

/// The numbers after one, up to and with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) after: i64,
    pub(super) last: i64,
}

/// Cuts the numbers from `first` to `last` into at most `parts` ranges of about the same width. The first begins after `after`,
/// which is before `first`.
pub(super) fn ranges(after: i64, first: i64, last: i64, parts: usize) -> Vec<Range> {
    if last < first || parts == 0 {
        return Vec::new();
    }
    let (from, count) = (i128::from(first), i128::from(last) - i128::from(first) + 1);
    let parts = i128::try_from(parts).unwrap_or(1).min(count);
    let end = |part: i128| i64::try_from(from + count * part / parts - 1).unwrap_or(last);
    (0..parts)
        .map(|part| Range { after: if part == 0 { after } else { end(part) }, last: end(part + 1) })
        .collect()
}

/// How far the ranges have been handed over.
#[derive(Debug)]
pub(super) struct Prefix {
    ranges: Vec<Handed>,
    /// The first that is not complete.
    current: usize,
}

#[derive(Debug)]
struct Handed {
    range: Range,
    /// The last number of this range that was handed over.
    reached: Option<i64>,
    complete: bool,
}

impl Prefix {
    pub(super) fn new(ranges: &[Range]) -> Self {
        let ranges = ranges.iter().map(|range| Handed { range: *range, reached: None, complete: false });
        Self { ranges: ranges.collect(), current: 0 }
    }

    /// A row of a range is handed over, in the range's order; the number that may be stored for it.
    pub(super) fn pass(&mut self, range: usize, id: i64) -> Option<i64> {
        let current = range == self.current;
        let handed = self.ranges.get_mut(range)?;
        handed.reached = Some(id);
        current.then_some(id)
    }

    /// The last row of a range, `id`, is handed over (`None`: the range had no rows, or its last was passed already); the number
    /// that may be stored for it.
    pub(super) fn complete(&mut self, range: usize, id: Option<i64>) -> Option<i64> {
        let current = range == self.current;
        let handed = self.ranges.get_mut(range)?;
        handed.reached = id.or(handed.reached);
        handed.complete = true;
        while self.ranges.get(self.current).is_some_and(|handed| handed.complete) {
            self.current += 1;
        }
        current.then(|| self.reached()).flatten()
    }

    /// Up to which number everything was handed over; `None` before the first row.
    pub(super) fn reached(&self) -> Option<i64> {
        let before = self.current.checked_sub(1).and_then(|last| self.ranges.get(last));
        let now = self.ranges.get(self.current).and_then(|handed| handed.reached);
        now.or(before.map(|handed| handed.range.last))
    }

    pub(super) fn is_complete(&self) -> bool {
        self.current == self.ranges.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_are_about_equal() {
        let texts = |after, first, last, parts| -> Vec<(i64, i64)> {
            ranges(after, first, last, parts).iter().map(|range| (range.after, range.last)).collect()
        };
        assert_eq!(texts(-1, 1, 10, 3), [(-1, 3), (3, 6), (6, 10)]);
        assert_eq!(texts(-1, 5, 6, 4), [(-1, 5), (5, 6)]);
        assert_eq!(texts(-1, 5, 5, 4), [(-1, 5)]);
        assert_eq!(texts(-1, 5, 4, 4), []);
        assert_eq!(texts(i64::MIN, i64::MIN + 1, i64::MAX, 2), [(i64::MIN, -1), (-1, i64::MAX)]);
    }

    #[test]
    fn rows_of_later_ranges_carry_no_number() {
        let mut prefix = Prefix::new(&ranges(-1, 1, 30, 3));
        assert_eq!(prefix.pass(1, 11), None);
        assert_eq!(prefix.pass(0, 1), Some(1));
        assert_eq!(prefix.pass(2, 21), None);
        assert_eq!(prefix.complete(2, Some(29)), None);
        assert_eq!(prefix.reached(), Some(1));
        assert_eq!(prefix.complete(0, Some(9)), Some(11), "and what was read of the next range");
        assert_eq!(prefix.pass(1, 12), Some(12));
        assert!(!prefix.is_complete());
        assert_eq!(prefix.complete(1, Some(15)), Some(30), "and the whole of the last");
        assert!(prefix.is_complete());
    }

    #[test]
    fn ranges_without_rows() {
        let mut prefix = Prefix::new(&ranges(-1, 1, 30, 3));
        assert_eq!(prefix.complete(1, None), None);
        assert_eq!(prefix.complete(0, Some(3)), Some(20));
        assert_eq!(prefix.complete(2, None), Some(30));
        assert!(prefix.is_complete());
    }

    proptest! {
        #[test]
        fn ranges_cover_each_number_once(first in -50_i64..50, width in 0_i64..60, parts in 1_usize..9) {
            let last = first + width;
            let cut = ranges(first - 3, first, last, parts);
            for number in first..=last {
                prop_assert_eq!(cut.iter().filter(|range| range.after < number && number <= range.last).count(), 1);
            }
            prop_assert!(cut.len() <= parts);
            prop_assert_eq!(cut.last().map(|range| range.last), Some(last));
        }

        /// Whatever the order in which rows of the ranges come: a stored number has every smaller row before it.
        #[test]
        fn a_stored_number_is_never_ahead(order in prop::collection::vec(0_usize..4, 0..80)) {
            let cut = ranges(-1, 0, 39, 4);
            let mut prefix = Prefix::new(&cut);
            let mut next: Vec<i64> = cut.iter().map(|range| range.after + 1).collect();
            let mut handed = std::collections::BTreeSet::new();
            for range in order {
                if next[range] > cut[range].last {
                    continue;
                }
                let id = next[range];
                next[range] += 1;
                handed.insert(id);
                let stored =
                    if id == cut[range].last { prefix.complete(range, Some(id)) } else { prefix.pass(range, id) };
                if let Some(stored) = stored {
                    prop_assert!((0..=stored).all(|id| handed.contains(&id)), "{} of {:?}", stored, handed);
                }
            }
        }
    }
}
