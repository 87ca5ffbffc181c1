//! Moments between the database's clock and ours. Pure.

use crate::driver::{ColumnKind, Parameter, SqlValue};
use crate::source::offsets::Stamp;
use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// In which form a database compares a timestamp column with a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Form {
    /// What a clock on the wall shows in `db.timezone`.
    Wall,
    /// PostgreSQL's `timestamptz`.
    Instant,
    /// Milliseconds since the epoch: SQLite, as the Java driver writes them.
    Millis,
    /// Text as SQLite's CURRENT_TIMESTAMP writes it.
    Text,
}

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
const SECONDS_PER_DAY: i64 = 86_400;
const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// The moment of a column's value; `None` for NULL. The error says what is wrong with the value.
pub(in crate::source) fn stamp(
    value: &SqlValue,
    kind: &ColumnKind,
    zone: &TimeZone,
) -> Result<Option<Stamp>, String> {
    let wall = match value {
        SqlValue::Null => return Ok(None),
        SqlValue::Instant { seconds, nanos } => return Ok(Some(Stamp { seconds: *seconds, nanos: *nanos })),
        SqlValue::Int(millis) if is_time(kind) => {
            return Ok(Some(Stamp::from_millis(*millis)));
        }
        SqlValue::DateTime { seconds, nanos } => on_the_wall(*seconds, *nanos),
        SqlValue::Date(days) => days.checked_mul(SECONDS_PER_DAY).and_then(|seconds| on_the_wall(seconds, 0)),
        SqlValue::Text(text) => text.parse().ok(),
        _ => return Err("is not a timestamp; name a column that is one".into()),
    };
    let stamp = wall.and_then(|wall| read_wall(wall, zone));
    stamp.map(Some).ok_or_else(|| format!("holds {value:?}, which is no moment that an offset can name"))
}

fn is_time(kind: &ColumnKind) -> bool {
    matches!(kind, ColumnKind::Timestamp | ColumnKind::Date | ColumnKind::DateOrTimestamp)
}

fn on_the_wall(seconds: i64, nanos: u32) -> Option<DateTime> {
    EPOCH.checked_add(SignedDuration::new(seconds, i32::try_from(nanos).ok()?)).ok()
}

fn read_wall(wall: DateTime, zone: &TimeZone) -> Option<Stamp> {
    // Of an hour that the clock shows twice the second, as `java.util.Calendar` does.
    let nanos = zone.to_ambiguous_zoned(wall).later().ok()?.timestamp().as_nanosecond();
    Some(Stamp {
        seconds: i64::try_from(nanos.div_euclid(NANOS_PER_SECOND)).ok()?,
        nanos: nanos.rem_euclid(NANOS_PER_SECOND) as u32,
    })
}

/// A moment as a parameter.
pub(in crate::source) fn parameter(stamp: Stamp, form: Form, zone: &TimeZone) -> Result<Parameter, String> {
    let beyond = || format!("{} s since 1970 is no moment that the database could compare", stamp.seconds);
    let wall = |zone: &TimeZone| {
        let nanos = i32::try_from(stamp.nanos).map_err(|_| beyond())?;
        let moment = jiff::Timestamp::new(stamp.seconds, 0).map_err(|_| beyond())?;
        zone.to_datetime(moment).checked_add(SignedDuration::new(0, nanos)).map_err(|_| beyond())
    };
    Ok(match form {
        Form::Wall => Parameter::DateTime(wall(zone)?),
        Form::Instant => {
            let micros = stamp.seconds.checked_mul(1_000_000).ok_or_else(beyond)?;
            Parameter::Instant { micros: micros + i64::from(stamp.nanos / 1000) }
        }
        Form::Millis => Parameter::Integer(stamp.millis()),
        Form::Text => {
            let wall = wall(zone)?;
            // Texts are compared as texts: no digits where the column has none.
            let format = match stamp.nanos {
                0 => "%Y-%m-%d %H:%M:%S",
                nanos if nanos % 1_000_000 == 0 => "%Y-%m-%d %H:%M:%S.%3f",
                nanos if nanos % 1_000 == 0 => "%Y-%m-%d %H:%M:%S.%6f",
                _ => "%Y-%m-%d %H:%M:%S.%9f",
            };
            Parameter::Text(wall.strftime(format).to_string())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    #[test]
    fn values_of_columns() {
        let kind = ColumnKind::Timestamp;
        let berlin = zone("Europe/Berlin");
        let noon = Stamp { seconds: 1_704_106_800, nanos: 500_000_000 };
        for value in [
            SqlValue::Instant { seconds: 1_704_106_800, nanos: 500_000_000 },
            SqlValue::Int(1_704_106_800_500),
            // 12:00:00.5 in Berlin
            SqlValue::DateTime { seconds: 1_704_110_400, nanos: 500_000_000 },
            SqlValue::Text("2024-01-01 12:00:00.5".into()),
        ] {
            assert_eq!(stamp(&value, &kind, &berlin), Ok(Some(noon)), "{value:?}");
        }
        let midnight = Stamp { seconds: 1_704_063_600, nanos: 0 };
        assert_eq!(stamp(&SqlValue::Date(19_723), &ColumnKind::Date, &berlin), Ok(Some(midnight)));
        assert_eq!(stamp(&SqlValue::Null, &kind, &berlin), Ok(None));
    }

    #[test]
    fn values_that_are_no_moment() {
        for value in
            [SqlValue::Text("soon".into()), SqlValue::Bool(true), SqlValue::Infinity { negative: false }]
        {
            assert!(stamp(&value, &ColumnKind::Timestamp, &TimeZone::UTC).is_err(), "{value:?}");
        }
        assert!(stamp(&SqlValue::Int(7), &ColumnKind::BigInt { unsigned: false }, &TimeZone::UTC).is_err());
    }

    #[test]
    fn parameters_in_every_form() {
        let stamp = Stamp { seconds: 1_704_106_800, nanos: 120_000_000 };
        let berlin = zone("Europe/Berlin");
        let given = |form| parameter(stamp, form, &berlin).unwrap();
        assert_eq!(given(Form::Wall), Parameter::DateTime("2024-01-01T12:00:00.12".parse().unwrap()));
        assert_eq!(given(Form::Instant), Parameter::Instant { micros: 1_704_106_800_120_000 });
        assert_eq!(given(Form::Millis), Parameter::Integer(1_704_106_800_120));
        assert_eq!(given(Form::Text), Parameter::Text("2024-01-01 12:00:00.120".into()));
        let whole = parameter(Stamp { nanos: 0, ..stamp }, Form::Text, &TimeZone::UTC);
        assert_eq!(whole, Ok(Parameter::Text("2024-01-01 11:00:00".into())));
        assert!(parameter(Stamp { seconds: i64::MAX, nanos: 0 }, Form::Wall, &berlin).is_err());
    }

    proptest! {
        #[test]
        fn what_is_asked_for_is_what_was_read(seconds in -3_000_000_000_i64..8_000_000_000, nanos in 0_u32..1_000_000_000) {
            let stamp = Stamp { seconds, nanos };
            let zone = zone("Asia/Kolkata");
            let Ok(Parameter::DateTime(wall)) = parameter(stamp, Form::Wall, &zone) else { panic!("no wall clock") };
            prop_assert_eq!(read_wall(wall, &zone), Some(stamp));
        }
    }
}
