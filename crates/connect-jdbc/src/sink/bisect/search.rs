//! Which records of a failing batch are bad, found with few attempts. No I/O: it says which records to write next and is
//! told how that went.

use crate::sink::shape::floor_power_of_two;
use std::ops::Range;

/// A walk through the records in their order. What lies behind it is written or known to be bad; ahead, pieces double while
/// they go well, and a piece that fails is halved until one record is left. Only a record that failed alone is bad: it may have
/// been the company that was refused.
///
/// With one bad record in a hundred that is about nine attempts for each; if all are bad, one.
#[derive(Debug)]
pub(in crate::sink) struct Search {
    /// The first record that nothing is known of.
    next: usize,
    count: usize,
    /// The records from `next` up to here have failed together.
    failed: Option<usize>,
    piece: usize,
    /// Good records since the last bad one: about as far away may be the next.
    run: usize,
}

impl Search {
    /// For `count` records that have failed together.
    pub(in crate::sink) fn new(count: usize) -> Self {
        Self { next: 0, count, failed: Some(count), piece: count.max(1), run: 0 }
    }

    /// What to write next, after all that went well before; `None` when all is decided.
    pub(in crate::sink) fn next(&self) -> Option<Range<usize>> {
        if self.next == self.count {
            return None;
        }
        let rows = match self.failed.map(|end| end - self.next) {
            Some(1) => 1,
            // Powers of two, so that a piece is one statement.
            Some(rows) => floor_power_of_two(rows / 2),
            None => self.piece.min(self.count - self.next),
        };
        Some(self.next..self.next + rows)
    }

    /// The records of [`next`](Self::next) are written.
    pub(in crate::sink) fn good(&mut self) {
        let Some(range) = self.next() else { return };
        self.next = range.end;
        self.run += range.len();
        match self.failed {
            Some(end) if end > self.next => {}
            Some(_) => self.failed = None,
            None => self.piece = self.piece.saturating_mul(2),
        }
    }

    /// They cannot be written, not these together; returns the record if it was alone.
    pub(in crate::sink) fn bad(&mut self) -> Option<usize> {
        let range = self.next()?;
        if range.len() > 1 {
            self.failed = Some(range.end);
            return None;
        }
        self.next = range.end;
        self.failed = None;
        self.piece = self.run.max(1).next_power_of_two();
        self.run = 0;
        Some(range.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Writes to a table that refuses `bad`; returns what was written, what was rejected and the attempts.
    fn run(count: usize, bad: impl Fn(&[usize], usize) -> bool) -> (Vec<usize>, Vec<usize>, usize) {
        let (mut written, mut rejected, mut attempts) = (Vec::new(), Vec::new(), 0);
        let mut search = Search::new(count);
        while let Some(range) = search.next() {
            attempts += 1;
            let mark = written.len();
            for index in range {
                if bad(&written, index) {
                    written.truncate(mark);
                    rejected.extend(search.bad());
                    break;
                }
                written.push(index);
            }
            if written.len() > mark {
                search.good();
            }
        }
        (written, rejected, attempts)
    }

    #[test]
    fn one_in_a_hundred_costs_few_attempts() {
        for shift in 0..100 {
            let (written, rejected, attempts) = run(3000, |_, index| index % 100 == shift);
            assert_eq!((written.len(), rejected.len()), (2970, 30));
            assert!(attempts <= 330, "{attempts}");
        }
        // As chance has it: x -> 48271x mod 2^31-1.
        let mut random = 1u64;
        for _ in 0..50 {
            let mut bad = vec![false; 3000];
            for _ in 0..30 {
                random = random * 48271 % 2_147_483_647;
                bad[random as usize % 3000] = true;
            }
            let attempts = run(3000, |_, index| bad[index]).2;
            assert!(attempts <= 400, "{attempts}");
        }
    }

    #[test]
    fn few_or_all_are_bad() {
        let (written, rejected, attempts) = run(3000, |_, _| true);
        assert_eq!((written.len(), rejected.len()), (0, 3000));
        assert!(attempts < 3050, "{attempts}");
        let (_, rejected, attempts) = run(3000, |_, index| index == 1234);
        assert_eq!(rejected, [1234]);
        assert!(attempts < 30, "{attempts}");
        assert_eq!(run(1, |_, _| true), (vec![], vec![0], 1));
        assert_eq!(run(0, |_, _| true), (vec![], vec![], 0));
    }

    #[test]
    fn what_fails_only_in_company_is_good() {
        let mut search = Search::new(2);
        assert_eq!(search.next(), Some(0..1));
        search.good();
        assert_eq!(search.next(), Some(1..2));
        search.good();
        assert_eq!(search.next(), None);
    }

    #[test]
    fn of_two_with_one_key_the_first_is_written() {
        let keys = [1, 2, 1, 3, 2, 2];
        let taken = |written: &[usize], index: usize| written.iter().any(|&other| keys[other] == keys[index]);
        let (written, rejected, _) = run(keys.len(), taken);
        assert_eq!((written, rejected), (vec![0, 1, 3], vec![2, 4, 5]));
    }

    proptest! {
        #[test]
        fn exactly_the_bad_ones_in_order(bad in prop::collection::vec(any::<bool>(), 0..200)) {
            let (written, rejected, _) = run(bad.len(), |_, index| bad[index]);
            let (expected, others): (Vec<usize>, Vec<usize>) = (0..bad.len()).partition(|&index| bad[index]);
            prop_assert_eq!(rejected, expected);
            prop_assert_eq!(written, others);
        }
    }
}
