//! Which offset each record carries: where a reader that has everything up to that record has to go on. Pure.

use crate::source::offsets::{Offset, Stamp};
use crate::source::query::Criteria;

/// Where a row stands in the order in which rows are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::source) struct Place {
    pub(in crate::source) stamp: Option<Stamp>,
    pub(in crate::source) id: Option<i64>,
}

/// A row with what is stored once it is in Kafka.
#[derive(Debug, PartialEq)]
pub(in crate::source) struct Passed<R> {
    pub(in crate::source) row: R,
    pub(in crate::source) offset: Option<Offset>,
}

/// How far the rows have been read.
///
/// Rows of one timestamp may be torn apart by a restart, and the next query asks for later timestamps only. So in timestamp mode a
/// row carries its own timestamp only if the next row's is later, or if there is no next row, and otherwise the
/// last timestamp that is complete. That is why one row is held until the next is known.
#[derive(Debug)]
pub(in crate::source) struct Progress<R> {
    kind: Kind,
    offset: Offset,
    held: Option<(Option<Stamp>, R)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bulk,
    Incrementing,
    Timestamp,
    TimestampIncrementing,
}

impl<R> Progress<R> {
    pub(in crate::source) fn new(criteria: &Criteria, offset: Offset) -> Self {
        let kind = match criteria {
            Criteria::Bulk => Kind::Bulk,
            Criteria::Incrementing(_) => Kind::Incrementing,
            Criteria::Timestamp(_) => Kind::Timestamp,
            Criteria::TimestampIncrementing { .. } => Kind::TimestampIncrementing,
        };
        Self { kind, offset, held: None }
    }

    /// Where the next query goes on.
    pub(in crate::source) fn offset(&self) -> Offset {
        self.offset
    }

    /// Takes a row; answers the row that can be handed over.
    pub(in crate::source) fn pass(&mut self, place: Place, row: R) -> Option<Passed<R>> {
        match self.kind {
            Kind::Bulk => return Some(Passed { row, offset: None }),
            Kind::Timestamp => {
                let (stamp, ready) = self.held.replace((place.stamp, row))?;
                if stamp < place.stamp {
                    self.advance(stamp);
                }
                return Some(self.passed(ready));
            }
            // A look-back finds rows from before, which are no place to go on from.
            Kind::Incrementing => self.offset = Offset { id: self.offset.id.max(place.id), stamp: None },
            Kind::TimestampIncrementing => {
                let place = (place.stamp.or(self.offset.stamp), place.id);
                let (stamp, id) = place.max((self.offset.stamp, self.offset.id));
                self.offset = Offset { id, stamp };
            }
        }
        Some(self.passed(row))
    }

    /// There are no more rows.
    pub(in crate::source) fn end(&mut self) -> Option<Passed<R>> {
        let (stamp, row) = self.held.take()?;
        self.advance(stamp);
        Some(self.passed(row))
    }

    /// Nobody knows whether there are more rows: the row that was held, without going on from it.
    pub(in crate::source) fn interrupted(&mut self) -> Option<Passed<R>> {
        let (_, row) = self.held.take()?;
        Some(self.passed(row))
    }

    /// Goes on after `id`, which a first read in parts has reached.
    pub(in crate::source) fn jump(&mut self, id: i64) {
        self.offset = Offset { id: self.offset.id.max(Some(id)), stamp: None };
    }

    fn advance(&mut self, stamp: Option<Stamp>) {
        self.offset = Offset { id: None, stamp: self.offset.stamp.max(stamp) };
    }

    fn passed(&self, row: R) -> Passed<R> {
        Passed { row, offset: Some(self.offset) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Option<Stamp> {
        Some(Stamp { seconds, nanos: 0 })
    }

    fn stamps(progress: &mut Progress<char>, rows: &[(i64, char)]) -> String {
        let mut passed: Vec<_> = rows
            .iter()
            .filter_map(|(seconds, row)| progress.pass(Place { stamp: at(*seconds), id: None }, *row))
            .collect();
        passed.extend(progress.end());
        let texts = passed.iter().map(|passed| match passed.offset.and_then(|offset| offset.stamp) {
            Some(stamp) => format!("{}{}", passed.row, stamp.seconds),
            None => format!("{}-", passed.row),
        });
        texts.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_timestamp_counts_once_all_its_rows_are_read() {
        let criteria = Criteria::Timestamp(vec!["ts".into()]);
        let mut progress = Progress::new(&criteria, Offset::default());
        assert_eq!(
            stamps(&mut progress, &[(5, 'a'), (5, 'b'), (5, 'c'), (6, 'd'), (6, 'e')]),
            "a- b- c5 d5 e6"
        );
        assert_eq!(progress.offset(), Offset { id: None, stamp: at(6) });
        assert_eq!(stamps(&mut progress, &[(7, 'f')]), "f7");
        assert_eq!(stamps(&mut progress, &[]), "");
        // seen by looking back
        assert_eq!(stamps(&mut progress, &[(3, 'g'), (7, 'h'), (8, 'i')]), "g7 h7 i8");
    }

    #[test]
    fn a_row_that_was_held_when_the_database_went_away() {
        let criteria = Criteria::Timestamp(vec!["ts".into()]);
        let mut progress = Progress::new(&criteria, Offset { id: None, stamp: at(4) });
        assert_eq!(progress.pass(Place { stamp: at(5), id: None }, 'a'), None);
        let offset = Offset { id: None, stamp: at(4) };
        assert_eq!(progress.interrupted(), Some(Passed { row: 'a', offset: Some(offset) }));
        assert_eq!((progress.interrupted(), progress.offset()), (None, offset));
    }

    #[test]
    fn numbers_never_go_back() {
        let mut progress =
            Progress::new(&Criteria::Incrementing("id".into()), Offset { id: None, stamp: at(1) });
        let offsets: Vec<_> = [3, 7, 5, 8]
            .into_iter()
            .filter_map(|id| progress.pass(Place { stamp: None, id: Some(id) }, ()))
            .filter_map(|passed| passed.offset)
            .collect();
        assert_eq!(offsets, [3, 7, 7, 8].map(|id| Offset { id: Some(id), stamp: None }));
    }

    #[test]
    fn bulk_has_nothing_to_go_on_from() {
        let mut progress = Progress::new(&Criteria::Bulk, Offset::default());
        assert_eq!(progress.pass(Place::default(), 1), Some(Passed { row: 1, offset: None }));
        assert_eq!(progress.end(), None);
    }

    proptest! {
        /// Stop after any record and go on from its offset: every row is read at least once.
        #[test]
        fn no_row_is_lost_wherever_it_stops(gaps in prop::collection::vec(0_i64..3, 1..30), stop in 0_usize..30) {
            let criteria = Criteria::Timestamp(vec!["ts".into()]);
            let mut second = 1;
            let rows: Vec<(i64, usize)> =
                gaps.iter().enumerate().map(|(row, gap)| { second += gap; (second, row) }).collect();
            let mut progress = Progress::new(&criteria, Offset::default());
            let mut passed: Vec<_> = rows
                .iter()
                .filter_map(|(seconds, row)| progress.pass(Place { stamp: at(*seconds), id: None }, *row))
                .collect();
            passed.extend(progress.end());
            prop_assert_eq!(passed.len(), rows.len());
            let written = &passed[..=stop.min(passed.len() - 1)];
            let offset = written.last().unwrap().offset.unwrap();
            let after = offset.stamp.unwrap_or(Stamp::EPOCH);
            for (seconds, row) in &rows {
                let again = at(*seconds) > Some(after);
                prop_assert!(again || written.iter().any(|passed| passed.row == *row), "row {} is lost", row);
            }
        }
    }
}
