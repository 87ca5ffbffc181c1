//! Dates and times as a database is to show them: in its zone, by its calendar, and made from numbers and texts.

mod clock;

use crate::dialect::Cell;
use clock::Clock;
use connect_api::{Logical, Schema, Type, Value};

const MILLIS_PER_DAY: i64 = 86_400_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// `timestamp.precision.mode`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precision {
    Micros,
    Nanos,
}

/// `db.timezone`, `date.timezone`, `date.calendar.system`, `timestamp.precision.mode`
#[derive(Clone, Debug)]
pub(super) struct Times {
    clock: Clock,
    date_clock: Clock,
    precision: Precision,
}

/// What a column's values become on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conversion {
    Date,
    Time,
    Timestamp,
    /// A field of `timestamp.fields.list`.
    Epoch,
    /// Of [`micros_schema`].
    Micros,
}

const UNIT: &str = "connect-jdbc.unit";

/// Timestamps of plain JSON: int64, microseconds since 1970.
pub(super) fn micros_schema() -> Schema {
    let mut schema = Schema::timestamp();
    schema.parameters.insert(UNIT.into(), "micros".into());
    schema
}

impl Conversion {
    /// For the values of a field; `None` where they stay as they are.
    pub(super) fn of(schema: &Schema, timestamp_field: bool) -> Option<Self> {
        match (schema.logical(), &schema.ty) {
            (Some(Logical::Date), _) => Some(Self::Date),
            (Some(Logical::Time), _) => Some(Self::Time),
            (Some(Logical::Timestamp), _) if schema.parameters.contains_key(UNIT) => Some(Self::Micros),
            (Some(Logical::Timestamp), _) => Some(Self::Timestamp),
            (None, Type::Int64 | Type::String) if timestamp_field => Some(Self::Epoch),
            _ => None,
        }
    }
}

impl Times {
    pub(super) fn new(
        zone: &str,
        date_zone: &str,
        proleptic: bool,
        precision: Precision,
    ) -> Result<Self, String> {
        Ok(Self {
            clock: Clock::new(crate::zone::zone(zone)?, !proleptic),
            date_clock: Clock::new(crate::zone::zone(date_zone)?, !proleptic),
            precision,
        })
    }

    /// For a column that holds points in time: the clock of UTC, by the same calendar.
    pub(super) fn for_instants(&self) -> Self {
        let utc = Clock::new(jiff::tz::TimeZone::UTC, self.clock.is_legacy());
        Self { clock: utc, ..self.clone() }
    }

    /// For a database that keeps dates and times as numbers, which know neither zones nor calendars.
    pub(super) fn for_numbers(&self) -> Self {
        let utc = Clock::new(jiff::tz::TimeZone::UTC, false);
        Self { clock: utc.clone(), date_clock: utc, precision: self.precision }
    }

    pub(super) fn cell<'a>(&self, conversion: Conversion, value: &'a Value) -> Result<Cell<'a>, String> {
        Ok(match (conversion, value) {
            (Conversion::Date, Value::Date(days)) => {
                let shown = self.date_clock.shown(i64::from(*days) * SECONDS_PER_DAY)?;
                match shown.div_euclid(SECONDS_PER_DAY) {
                    same if same == i64::from(*days) => Cell::Value(value),
                    days => Cell::Date(days),
                }
            }
            (Conversion::Time, Value::Time(millis)) => {
                // The clock of the day that the reference lays it on.
                let shift = self.clock.shown(0)?;
                match (i64::from(*millis) + shift * 1000).rem_euclid(MILLIS_PER_DAY) {
                    same if same == i64::from(*millis) || shift == 0 => Cell::Value(value),
                    millis => Cell::Time { nanos: millis.unsigned_abs() * 1_000_000 },
                }
            }
            (Conversion::Timestamp, Value::Timestamp(millis)) => {
                let seconds = millis.div_euclid(1000);
                match self.clock.shown(seconds)? {
                    same if same == seconds => Cell::Value(value),
                    seconds => Cell::DateTime { seconds, nanos: millis.rem_euclid(1000) as u32 * 1_000_000 },
                }
            }
            (Conversion::Micros, Value::Int64(number)) => {
                self.epoch(i128::from(*number), Precision::Micros)?
            }
            (Conversion::Epoch, Value::Int64(number)) => self.epoch(i128::from(*number), self.precision)?,
            (Conversion::Epoch, Value::String(text)) => {
                let number = parse_integer(text).ok_or_else(|| {
                    "a field of timestamp.fields.list must be an integer in digits, the microseconds or nanoseconds \
                     since 1970 (timestamp.precision.mode)"
                        .to_owned()
                })?;
                self.epoch(number, self.precision)?
            }
            _ => Cell::Value(value),
        })
    }

    fn epoch(&self, count: i128, precision: Precision) -> Result<Cell<'static>, String> {
        let (per_second, nanos_each) = match precision {
            Precision::Micros => (1_000_000, 1000),
            Precision::Nanos => (1_000_000_000, 1),
        };
        let seconds =
            i64::try_from(count.div_euclid(per_second)).map_err(|_| "a timestamp beyond all years")?;
        let nanos = (count.rem_euclid(per_second) * nanos_each) as u32;
        Ok(Cell::DateTime { seconds: self.clock.shown(seconds)?, nanos })
    }

    /// A default of a column as the database is to show it, in the form of a Connect value.
    pub(super) fn shown_default(&self, conversion: Conversion, value: &Value) -> Result<Value, String> {
        Ok(as_value(self.cell(conversion, value)?).unwrap_or_else(|| value.clone()))
    }
}

/// The Connect value that shows the same: for checks of ranges and literals. `None` for other cells.
pub(super) fn as_value(cell: Cell<'_>) -> Option<Value> {
    let far = |negative| if negative { i64::MIN } else { i64::MAX };
    Some(match cell {
        Cell::DateTime { seconds, nanos } => Value::Timestamp(
            seconds
                .checked_mul(1000)
                .and_then(|millis| millis.checked_add(i64::from(nanos / 1_000_000)))
                .unwrap_or_else(|| far(seconds < 0)),
        ),
        Cell::Date(days) => {
            Value::Date(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }))
        }
        Cell::Time { nanos } => Value::Time(i32::try_from(nanos / 1_000_000).unwrap_or(i32::MAX)),
        Cell::Value(_) | Cell::Text(_) | Cell::Integer(_) => return None,
    })
}

/// A sign or none, and digits: what `Long.parseLong` takes.
fn parse_integer(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
