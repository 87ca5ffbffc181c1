//! Rows that were committed late: each poll reads the last stretch again, and rows that it has seen are passed over. Pure.
//!
//! A row gets its number or timestamp when it is written, and can be seen once it is committed. A transaction that takes its time
//! therefore makes rows appear behind the place up to which the source has read, where it would never look.

use super::offsets::{Offset, Stamp};
use super::reader::progress::Place;
use crate::driver::SqlValue;
use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// How far to look back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// `lookback.rows`: this many numbers of the incrementing column.
    Rows(i64),
    /// `lookback.ms`.
    Millis(i64),
}

/// What is remembered of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    stamp: Stamp,
    /// The number; where there is none, a digest of the row.
    row: i128,
    /// Rows that are equal in everything are told apart by their count.
    nth: u32,
}

/// Some megabytes. A stretch with more rows is shortened.
const MOST: usize = 100_000;

#[derive(Debug)]
pub(super) struct Lookback {
    reach: Reach,
    seen: BTreeSet<Seen>,
    /// What is not after this is not looked at again, since it is not remembered.
    floor: Option<(Stamp, i128)>,
    /// The last row in the order of reading.
    highest: Option<(Stamp, i128)>,
    /// Equal rows of this poll.
    counts: HashMap<(Stamp, i128), u32>,
    most: usize,
    shortened: bool,
}

impl Lookback {
    pub(super) fn new(reach: Reach) -> Self {
        Self {
            reach,
            seen: BTreeSet::new(),
            floor: None,
            highest: None,
            counts: HashMap::new(),
            most: MOST,
            shortened: false,
        }
    }

    /// Where the next query begins, when everything up to `offset` has been read. Before the first row there is nothing to look
    /// back at.
    pub(super) fn begin(&mut self, offset: Offset) -> Offset {
        self.counts.clear();
        let end = match (self.reach, offset) {
            (Reach::Rows(_), Offset { id: Some(id), .. }) => (Stamp::EPOCH, i128::from(id)),
            (Reach::Millis(_), Offset { stamp: Some(stamp), .. }) => (stamp, 0),
            _ => return offset,
        };
        let begin = self.before(end);
        let begin = self.floor.map_or(begin, |floor| floor.max(begin));
        self.seen = self.seen.split_off(&Seen { stamp: begin.0, row: begin.1, nth: u32::MAX });
        match self.reach {
            Reach::Rows(_) => Offset { id: Some(i64::try_from(begin.1).unwrap_or(i64::MIN)), stamp: None },
            // All rows of the first timestamp are behind it.
            Reach::Millis(_) => Offset { id: Some(i64::MAX), stamp: Some(begin.0) },
        }
    }

    /// Whether the row is new, which is remembered. Where rows have no number, their [`digest`] tells them apart.
    pub(super) fn is_new(&mut self, place: Place, digest: i128) -> bool {
        let stamp = match self.reach {
            Reach::Rows(_) => Stamp::EPOCH,
            Reach::Millis(_) => place.stamp.unwrap_or(Stamp::EPOCH),
        };
        let row = place.id.map_or(digest, i128::from);
        let nth = self.counts.entry((stamp, row)).or_default();
        let new = self.seen.insert(Seen { stamp, row, nth: *nth });
        *nth += 1;
        self.highest = self.highest.max(Some((stamp, row)));
        if let Some(highest) = self.highest {
            let out_of_reach = self.before(highest);
            while self.seen.first().is_some_and(|first| (first.stamp, first.row) <= out_of_reach) {
                self.seen.pop_first();
            }
        }
        if self.seen.len() > self.most {
            self.forget_first();
        }
        new
    }

    /// The end of what is too far behind to be looked at.
    fn before(&self, (stamp, row): (Stamp, i128)) -> (Stamp, i128) {
        match self.reach {
            Reach::Rows(rows) => (stamp, row.saturating_sub(rows.into())),
            Reach::Millis(millis) => (stamp.minus_millis(millis), i128::MAX),
        }
    }

    /// With the row all others of its timestamp are forgotten: a query can only begin after a timestamp.
    fn forget_first(&mut self) {
        let Some(first) = self.seen.pop_first() else { return };
        let floor = match self.reach {
            Reach::Rows(_) => (first.stamp, first.row),
            Reach::Millis(_) => (first.stamp, i128::MAX),
        };
        self.floor = self.floor.max(Some(floor));
        if !std::mem::replace(&mut self.shortened, true) {
            tracing::warn!(
                rows = self.most,
                "the look-back window holds too many rows and is shortened; set lookback.rows or lookback.ms lower"
            );
        }
    }
}

/// 127 bits of what is in a row.
pub(super) fn digest(row: &[SqlValue]) -> i128 {
    let half = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        seed.hash(&mut hasher);
        for value in row {
            feed(value, &mut hasher);
        }
        hasher.finish()
    };
    i128::from(half(0) >> 1) << 64 | i128::from(half(1))
}

fn feed(value: &SqlValue, hasher: &mut impl Hasher) {
    std::mem::discriminant(value).hash(hasher);
    match value {
        SqlValue::Null => {}
        SqlValue::Bool(value) => value.hash(hasher),
        SqlValue::Int(value)
        | SqlValue::Date(value)
        | SqlValue::Time { micros: value }
        | SqlValue::TimeTz { micros: value } => value.hash(hasher),
        SqlValue::UInt(value) => value.hash(hasher),
        SqlValue::Float(value) => value.to_bits().hash(hasher),
        SqlValue::Double(value) => value.to_bits().hash(hasher),
        SqlValue::Text(value) => value.hash(hasher),
        SqlValue::Bytes(value) => value.hash(hasher),
        SqlValue::Decimal(value) => value.to_string().hash(hasher),
        SqlValue::DateTime { seconds, nanos } | SqlValue::Instant { seconds, nanos } => {
            (seconds, nanos).hash(hasher);
        }
        SqlValue::Infinity { negative } => negative.hash(hasher),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(id: i64) -> Place {
        Place { stamp: None, id: Some(id) }
    }

    fn at(seconds: i64) -> Place {
        Place { stamp: Some(Stamp { seconds, nanos: 0 }), id: None }
    }

    #[test]
    fn late_numbers_are_found_and_the_others_passed_over() {
        let mut lookback = Lookback::new(Reach::Rows(10));
        assert_eq!(lookback.begin(Offset::default()), Offset::default());
        let new = |lookback: &mut Lookback, ids: &[i64]| -> Vec<i64> {
            ids.iter().copied().filter(|number| lookback.is_new(id(*number), 0)).collect()
        };
        assert_eq!(new(&mut lookback, &[1, 2, 4, 9]), [1, 2, 4, 9]);
        let offset = |id| Offset { id: Some(id), stamp: None };
        assert_eq!(lookback.begin(offset(9)), offset(-1));
        assert_eq!(new(&mut lookback, &[1, 2, 3, 4, 9, 12]), [3, 12]);
        assert_eq!(lookback.begin(offset(12)), offset(2));
        assert_eq!(lookback.seen.len(), 4);
    }

    #[test]
    fn a_first_read_remembers_only_what_is_in_reach() {
        let mut lookback = Lookback::new(Reach::Rows(5));
        assert!((0..1_000).all(|number| lookback.is_new(id(number), 0)));
        assert_eq!(lookback.seen.len(), 5);
        assert!(!lookback.shortened);
    }

    #[test]
    fn late_timestamps_and_equal_rows() {
        let row = |text: &str| digest(&[SqlValue::Text(text.into())]);
        let mut lookback = Lookback::new(Reach::Millis(2000));
        assert!(lookback.is_new(at(10), row("a")));
        assert!(lookback.is_new(at(10), row("a")), "a second row with the same content");
        assert!(lookback.is_new(at(10), row("b")));
        let begin = lookback.begin(Offset { id: None, stamp: at(10).stamp });
        assert_eq!(begin, Offset { id: Some(i64::MAX), stamp: at(8).stamp });
        let passes: Vec<bool> = [(9, "late"), (10, "a"), (10, "a"), (10, "a"), (10, "b"), (11, "a")]
            .iter()
            .map(|(seconds, text)| lookback.is_new(at(*seconds), row(text)))
            .collect();
        assert_eq!(passes, [true, false, false, true, false, true]);
        lookback.begin(Offset { id: None, stamp: at(13).stamp });
        assert!(lookback.seen.is_empty());
    }

    #[test]
    fn a_stretch_with_too_many_rows_is_shortened_and_repeats_nothing() {
        let mut lookback = Lookback::new(Reach::Rows(1_000));
        lookback.most = 3;
        for number in 1..=5 {
            assert!(lookback.is_new(id(number), 0));
        }
        let begin = lookback.begin(Offset { id: Some(5), stamp: None });
        assert_eq!(begin.id, Some(2));
        assert!((3..=5).all(|number| !lookback.is_new(id(number), 0)));
    }

    #[test]
    fn rows_differ_by_every_value_and_its_kind() {
        let rows = [
            vec![SqlValue::Null],
            vec![SqlValue::Null, SqlValue::Null],
            vec![SqlValue::Int(1)],
            vec![SqlValue::UInt(1)],
            vec![SqlValue::Text("1".into())],
            vec![SqlValue::Text("a".into()), SqlValue::Text("b".into())],
            vec![SqlValue::Text("ab".into()), SqlValue::Text("".into())],
            vec![SqlValue::DateTime { seconds: 1, nanos: 0 }],
            vec![SqlValue::Instant { seconds: 1, nanos: 0 }],
        ];
        let digests: BTreeSet<i128> = rows.iter().map(|row| digest(row)).collect();
        assert_eq!(digests.len(), rows.len());
        assert!(digests.iter().all(|digest| *digest >= 0));
    }
}
