//! Dates and times: the clock on a wall in `db.timezone` as a point in time, days before the Gregorian reform, and the
//! forms of `timestamp.granularity`.

use super::{Calendar, Granularity};
use bytestring::ByteString;
use connect_api::{Schema, Type, Value};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use std::fmt::Write as _;

const SECONDS_PER_DAY: i64 = 86_400;
const MICROS_PER_DAY: i64 = SECONDS_PER_DAY * 1_000_000;
/// 1582-10-15, the first day of the Gregorian calendar, as days since 1970-01-01.
const REFORM: i64 = -141_427;

/// 1900-01-01, where the tables of `java.util.TimeZone` begin, in seconds since the epoch.
const FIRST_OFFSETS: i64 = -2_208_988_800;

/// Days since 1970-01-01 of a date that the database shows in the proleptic Gregorian calendar: the same year, month and day may
/// be another day in the Julian calendar.
pub(super) fn day_in(calendar: Calendar, days: i64) -> i64 {
    if calendar == Calendar::ProlepticGregorian || days >= REFORM {
        return days;
    }
    let (year, month, day) = civil(days);
    julian_days(year, month, day)
}

/// Year, month and day in the proleptic Gregorian calendar; the year 0 is 1 BC. Counted in eras of 400 years from 1 March
/// of the year 0, since databases know years that `jiff` does not.
pub(super) fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// Days since 1970-01-01 of a date of the Julian calendar.
fn julian_days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted_month + 2) / 5 + day - 1;
    // 0000-03-01 of the Julian calendar is two days before that of the Gregorian.
    year * 365 + year.div_euclid(4) + of_year - 719_470
}

/// `None` beyond the years that MariaDB's `YEAR` and a text could mean.
pub(super) fn first_of_january(year: i64) -> Option<i64> {
    let date = Date::new(i16::try_from(year).ok()?, 1, 1).ok()?;
    Some((date - Date::constant(1970, 1, 1)).get_days().into())
}

/// Seconds since the epoch at which a clock in `zone` shows `seconds` since 1970-01-01T00:00. An hour that the clock skips is counted
/// on from before; of one that it shows twice `java.util.Calendar` takes the second and `java.time` the first.
pub(super) fn instant(seconds: i64, zone: &TimeZone, calendar: Calendar) -> i64 {
    let days = seconds.div_euclid(SECONDS_PER_DAY);
    let seconds = day_in(calendar, days) * SECONDS_PER_DAY + seconds.rem_euclid(SECONDS_PER_DAY);
    if *zone == TimeZone::UTC {
        return seconds;
    }
    let wall = Timestamp::from_second(seconds).map_or_else(
        // Beyond the years of zone tables their last rules go on.
        |_| if seconds < 0 { DateTime::MIN } else { DateTime::MAX },
        |shown_as_utc| Offset::UTC.to_datetime(shown_as_utc),
    );
    let offset = match zone.to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Gap { before, .. } => before,
        AmbiguousOffset::Fold { before, after } => match calendar {
            Calendar::Legacy => after,
            Calendar::ProlepticGregorian => before,
        },
    };
    let instant = seconds - i64::from(offset.seconds());
    // `java.util.TimeZone` knows no local mean times.
    if calendar == Calendar::Legacy && instant < FIRST_OFFSETS {
        let first = Timestamp::from_second(FIRST_OFFSETS).map(|at| zone.to_offset(at));
        return first.map_or(instant, |offset| seconds - i64::from(offset.seconds()));
    }
    instant
}

/// A point in time under the calendar: what the Java drivers do to dates before the reform, they do to those with a zone too.
pub(super) fn point(seconds: i64, calendar: Calendar) -> i64 {
    instant(seconds, &TimeZone::UTC, calendar)
}

/// A time of day in `zone` as milliseconds of a day in UTC. A day is as long in every zone, so it goes round.
pub(super) fn time_of_day(micros: i64, zone: &TimeZone) -> Option<i32> {
    // 24:00 is a time of day in PostgreSQL, and Connect has it too.
    if !(0..=MICROS_PER_DAY).contains(&micros) {
        return None;
    }
    let offset = match zone == &TimeZone::UTC {
        true => 0,
        false => i64::from(zone.to_offset(Timestamp::UNIX_EPOCH).seconds()),
    };
    let shifted = if offset == 0 { micros } else { (micros - offset * 1_000_000).rem_euclid(MICROS_PER_DAY) };
    i32::try_from(shifted / 1000).ok()
}

/// A time of day whose zone has been taken off already.
pub(super) fn utc_time_of_day(micros: i64) -> Option<i32> {
    i32::try_from(micros.rem_euclid(MICROS_PER_DAY) / 1000).ok()
}

impl Granularity {
    pub(super) fn schema(self) -> Schema {
        match self {
            Self::ConnectLogical => Schema::timestamp(),
            Self::MicrosLong | Self::NanosLong => Schema::new(Type::Int64),
            Self::MicrosString
            | Self::MicrosIsoDatetimeString
            | Self::NanosString
            | Self::NanosIsoDatetimeString => Schema::new(Type::String),
        }
    }

    /// `None` if the number is too great for its type.
    pub(super) fn value(self, seconds: i64, nanos: u32, zone: &TimeZone) -> Option<Value> {
        let micros = || i128::from(seconds) * 1_000_000 + i128::from(nanos / 1000);
        let nanoseconds = || i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        Some(match self {
            Self::ConnectLogical => {
                Value::Timestamp(seconds.checked_mul(1000)?.checked_add(i64::from(nanos / 1_000_000))?)
            }
            Self::MicrosLong => Value::Int64(micros().try_into().ok()?),
            Self::NanosLong => Value::Int64(nanoseconds().try_into().ok()?),
            Self::MicrosString => text(micros().to_string()),
            Self::NanosString => text(nanoseconds().to_string()),
            Self::MicrosIsoDatetimeString => text(iso(seconds, nanos / 1000, 6, zone)),
            Self::NanosIsoDatetimeString => text(iso(seconds, nanos, 9, zone)),
        })
    }
}

fn text(text: String) -> Value {
    Value::String(ByteString::from(text))
}

/// `yyyy-MM-dd'T'HH:mm:ss.SSSSSS` of `java.time`: years before Christ count without a sign, those beyond 9999 get one.
fn iso(seconds: i64, fraction: u32, digits: usize, zone: &TimeZone) -> String {
    let offset = match Timestamp::from_second(seconds) {
        Ok(at) if *zone != TimeZone::UTC => zone.to_offset(at).seconds(),
        _ => 0,
    };
    let wall = seconds.saturating_add(offset.into());
    let (year, month, day) = civil(wall.div_euclid(SECONDS_PER_DAY));
    let of_day = wall.rem_euclid(SECONDS_PER_DAY);
    let year_of_era = if year > 0 { year } else { 1 - year };
    let mut out = String::with_capacity(29);
    let sign = if year_of_era > 9999 { "+" } else { "" };
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "{sign}{year_of_era:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{fraction:0digits$}",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60,
    );
    out
}

/// A date and time as SQLite's own functions write them, and their like: seconds and nanoseconds, and whether the text names a zone.
pub(super) fn parse(text: &str) -> Option<(i64, u32, bool)> {
    let text = text.trim();
    let (text, zone) = match text.strip_suffix(['Z', 'z']) {
        Some(text) => (text.trim_end(), Some(0)),
        None => match zone_of(text) {
            Some((text, zone)) => (text, Some(zone)),
            None => (text, None),
        },
    };
    let (date, time) = match text.split_once([' ', 'T', 't']) {
        Some((date, time)) => (date, time.trim_start()),
        None => (text, "00:00"),
    };
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<i16>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let days = i64::from((date - Date::constant(1970, 1, 1)).get_days());
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = clock.splitn(3, ':').map(|part| part.parse::<u8>().ok().map(i64::from));
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().map_or(Some(0), |second| second)?;
    if hour > 24 || minute > 59 || second > 59 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let nanos = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let seconds = days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
    Some((seconds - zone.unwrap_or_default(), nanos, zone.is_some()))
}

/// `+02:00` at the end of a text that has a time before it.
fn zone_of(text: &str) -> Option<(&str, i64)> {
    let at = text.len().checked_sub(6)?;
    let (rest, zone) = (text.get(..at)?, text.get(at..)?);
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    rest.contains(':').then(|| (rest.trim_end(), sign * (hours * 3600 + minutes * 60)))
}
