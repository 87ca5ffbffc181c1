//! From epoch numbers to calendar dates, UTC, proleptic Gregorian.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// `None` outside the years -9999 to 9999.
pub(crate) fn datetime_from_millis(millis: i64) -> Option<DateTime> {
    Timestamp::from_millisecond(millis).ok().map(|timestamp| Offset::UTC.to_datetime(timestamp))
}

pub(crate) fn date_from_days(days: i32) -> Option<Date> {
    datetime_from_millis(i64::from(days) * MILLIS_PER_DAY).map(DateTime::date)
}
