//! From epoch numbers to calendar dates, UTC, proleptic Gregorian.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
const MILLIS_PER_DAY: i64 = 86_400_000;

/// `None` outside the years -9999 to 9999. Not by way of `jiff::Timestamp`, which ends a day before 9999-12-31: the date
/// that many people write for "never".
pub(crate) fn datetime_from_millis(millis: i64) -> Option<DateTime> {
    EPOCH.checked_add(SignedDuration::from_millis(millis)).ok()
}

pub(crate) fn date_from_days(days: i32) -> Option<Date> {
    datetime_from_millis(i64::from(days) * MILLIS_PER_DAY).map(DateTime::date)
}

/// As [`datetime_from_millis`], for a clock's seconds and the nanoseconds after them.
pub(crate) fn datetime_from_clock(seconds: i64, nanos: u32) -> Option<DateTime> {
    EPOCH.checked_add(SignedDuration::new(seconds, nanos.try_into().ok()?)).ok()
}
