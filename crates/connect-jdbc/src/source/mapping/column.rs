//! One column: its schema, and its values.

use super::decimal::{needed_scale, parse, rescale, to_double, to_integer};
use super::shown::shown;
use super::temporal::{self, day_in, instant, point, time_of_day, utc_time_of_day};
use super::{Calendar, Granularity, MappingOptions, NumericMapping};
use crate::driver::{ColumnKind, ResultColumn, SqlValue};
use bytes::Bytes;
use bytestring::ByteString;
use connect_api::{Decimal, Schema, Type, Value};
use jiff::tz::TimeZone;

/// The schema parameter that carries a decimal's precision.
const PRECISION: &str = "connect.decimal.precision";
/// Numbers with at most so many digits fit into an int64.
const INTEGER_DIGITS: u32 = 18;
/// A negative scale down to this is still a whole number for the numeric mappings.
const LOWEST_SCALE: i32 = -84;
/// The digits of 2^64.
const UNSIGNED_DIGITS: u32 = 20;
const SECONDS_PER_DAY: i64 = 86_400;
/// What PostgreSQL's Java driver has for `infinity` and `-infinity`, in seconds since the epoch.
const INFINITY: i64 = 9_223_372_036_825_200;
const NEGATIVE_INFINITY: i64 = -9_223_372_036_832_400;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Target {
    Boolean,
    Int8,
    /// Eight bits as they are: the greatest is the sign.
    Bits,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Decimal {
        scale: i32,
    },
    /// Of a column without a declared scale: that of the longest fraction so far.
    Growing {
        scale: i32,
    },
    Text,
    Bytes,
    Date,
    /// A date until a value comes that has a time of day.
    DateAtFirst,
    Year,
    Time,
    Timestamp,
}

#[derive(Debug)]
pub(super) struct ColumnMapper {
    name: Box<str>,
    optional: bool,
    target: Target,
    precision: Option<u32>,
    granularity: Granularity,
    calendar: Calendar,
}

impl ColumnMapper {
    /// `None` if no schema is known for the column's type.
    pub(super) fn new(options: &MappingOptions, column: &ResultColumn) -> Option<Self> {
        let (target, precision) = target(options, &column.kind)?;
        Some(Self {
            name: column.name.clone(),
            optional: column.nullable,
            target,
            precision,
            granularity: options.granularity,
            calendar: options.calendar,
        })
    }

    pub(super) fn schema(&self) -> Schema {
        let mut schema = match self.target {
            Target::Boolean => Schema::new(Type::Boolean),
            Target::Int8 | Target::Bits => Schema::new(Type::Int8),
            Target::Int16 => Schema::new(Type::Int16),
            Target::Int32 => Schema::new(Type::Int32),
            Target::Int64 => Schema::new(Type::Int64),
            Target::Float32 => Schema::new(Type::Float32),
            Target::Float64 => Schema::new(Type::Float64),
            Target::Decimal { scale } | Target::Growing { scale } => Schema::decimal(scale),
            Target::Text => Schema::new(Type::String),
            Target::Bytes => Schema::new(Type::Bytes),
            Target::Date | Target::DateAtFirst | Target::Year => Schema::date(),
            Target::Time => Schema::time(),
            Target::Timestamp => self.granularity.schema(),
        };
        if let Some(precision) = self.precision {
            schema.parameters.insert(PRECISION.into(), precision.to_string());
        }
        schema.optional = self.optional;
        schema
    }

    /// Makes room for a value that the schema so far cannot hold; says whether that has changed the schema.
    pub(super) fn adapt(&mut self, value: &SqlValue) -> bool {
        let wider = match (self.target, value) {
            (Target::Growing { scale }, _) => match exact(value).map(|decimal| needed_scale(&decimal)) {
                Some(needed) if needed > scale => Target::Growing { scale: needed },
                _ => return false,
            },
            (Target::DateAtFirst, value) => match moment(value) {
                Some(moment) if moment.seconds.rem_euclid(SECONDS_PER_DAY) != 0 || moment.nanos > 0 => {
                    Target::Timestamp
                }
                _ => return false,
            },
            _ => return false,
        };
        self.target = wider;
        true
    }

    /// The error says what is wrong and what to do; the caller knows which row it is.
    pub(super) fn map(&self, value: SqlValue, zone: &TimeZone) -> Result<Value, String> {
        if matches!(value, SqlValue::Null) {
            return if self.optional {
                Ok(Value::Null)
            } else {
                Err(self.fault(
                    "is NOT NULL, but its value is none (a zero date)",
                    "correct the row, or make it NULL in a query: NULLIF(column, '0000-00-00')",
                ))
            };
        }
        // A second owner of a text or of bytes would cost an allocation.
        let value = match (self.target, value) {
            (Target::Text, SqlValue::Text(text)) => return Ok(Value::String(text)),
            (Target::Bytes, SqlValue::Bytes(bytes)) => return Ok(Value::Bytes(bytes)),
            (_, value) => value,
        };
        self.convert(&value, zone).ok_or_else(|| self.unfit(&value))
    }

    fn convert(&self, value: &SqlValue, zone: &TimeZone) -> Option<Value> {
        Some(match self.target {
            Target::Boolean => Value::Boolean(match value {
                SqlValue::Bool(value) => *value,
                other => integer(other)? != 0,
            }),
            Target::Int8 => Value::Int8(integer(value)?.try_into().ok()?),
            Target::Bits => Value::Int8(u8::try_from(integer(value)?).ok()? as i8),
            Target::Int16 => Value::Int16(integer(value)?.try_into().ok()?),
            Target::Int32 => Value::Int32(integer(value)?.try_into().ok()?),
            Target::Int64 => Value::Int64(integer(value)?),
            Target::Float32 => Value::Float32(match value {
                SqlValue::Float(value) => *value,
                other => double(other)? as f32,
            }),
            Target::Float64 => Value::Float64(double(value)?),
            Target::Decimal { scale } | Target::Growing { scale } => {
                Value::Decimal(rescale(exact(value)?, scale)?)
            }
            Target::Text => text(value)?,
            Target::Bytes => match value {
                SqlValue::Text(text) => Value::Bytes(Bytes::copy_from_slice(text.as_bytes())),
                _ => return None,
            },
            Target::Date | Target::DateAtFirst => {
                let moment = moment(value)?;
                let days = day_in(self.calendar, moment.seconds.div_euclid(SECONDS_PER_DAY));
                Value::Date(days.try_into().ok()?)
            }
            Target::Year => {
                let days = temporal::first_of_january(integer(value)?)?;
                Value::Date(day_in(self.calendar, days).try_into().ok()?)
            }
            Target::Time => Value::Time(match value {
                SqlValue::Time { micros } => time_of_day(*micros, zone)?,
                SqlValue::TimeTz { micros } => utc_time_of_day(*micros)?,
                _ => return None,
            }),
            Target::Timestamp => self.timestamp(value, zone)?,
        })
    }

    fn timestamp(&self, value: &SqlValue, zone: &TimeZone) -> Option<Value> {
        if let SqlValue::Infinity { negative } = value {
            let (seconds, number) =
                if *negative { (NEGATIVE_INFINITY, i64::MIN) } else { (INFINITY, i64::MAX) };
            return match self.granularity {
                Granularity::MicrosLong | Granularity::NanosLong => Some(Value::Int64(number)),
                Granularity::MicrosString => Some(Value::String(number.to_string().into())),
                Granularity::ConnectLogical
                | Granularity::NanosString
                | Granularity::MicrosIsoDatetimeString
                | Granularity::NanosIsoDatetimeString => self.granularity.value(seconds, 0, zone),
            };
        }
        let moment = moment(value)?;
        let seconds = if moment.absolute {
            point(moment.seconds, self.calendar)
        } else {
            instant(moment.seconds, zone, self.calendar)
        };
        self.granularity.value(seconds, moment.nanos, zone)
    }

    fn unfit(&self, value: &SqlValue) -> String {
        let what = format!("has the value {}, which {} cannot hold", shown(value), self.type_name());
        let remedy = match (self.target, value) {
            (Target::Int64, SqlValue::UInt(_)) => {
                "set numeric.mapping.decimals=true, or cast it to DECIMAL(20,0) in a query"
            }
            (Target::Decimal { .. } | Target::Growing { .. }, SqlValue::Double(_)) => {
                "leave such rows out in a query, or cast the column to a floating-point type there"
            }
            (Target::Timestamp, _) => {
                "use a coarser timestamp.granularity, or leave such rows out in a query"
            }
            _ => "cast it in a query, to text for example, or leave such rows out there",
        };
        self.fault(&what, remedy)
    }

    fn type_name(&self) -> String {
        let schema = self.schema();
        match (&schema.name, self.target) {
            (_, Target::Decimal { scale } | Target::Growing { scale }) => {
                format!("a Decimal with {scale} digits after the point")
            }
            (Some(name), _) => format!("a Connect {}", name.rsplit('.').next().unwrap_or(name)),
            (None, _) => format!("the type {}", schema.ty.name()),
        }
    }

    fn fault(&self, what: &str, remedy: &str) -> String {
        format!("column {} {what}: {remedy}", self.name)
    }
}

/// The target, and the precision that the schema carries.
fn target(options: &MappingOptions, kind: &ColumnKind) -> Option<(Target, Option<u32>)> {
    let plain = |target| Some((target, None));
    match *kind {
        ColumnKind::Boolean => plain(Target::Boolean),
        ColumnKind::Bit { length } => plain(if length <= 8 { Target::Bits } else { Target::Bytes }),
        ColumnKind::TinyInt { unsigned: false } => plain(Target::Int8),
        ColumnKind::TinyInt { unsigned: true } | ColumnKind::SmallInt { unsigned: false } => {
            plain(Target::Int16)
        }
        ColumnKind::SmallInt { unsigned: true } | ColumnKind::Integer { unsigned: false } => {
            plain(Target::Int32)
        }
        ColumnKind::BigInt { unsigned: true } if options.numeric_decimals => {
            Some((Target::Decimal { scale: 0 }, Some(UNSIGNED_DIGITS)))
        }
        ColumnKind::Integer { unsigned: true } | ColumnKind::BigInt { .. } => plain(Target::Int64),
        ColumnKind::Real => plain(Target::Float32),
        ColumnKind::Double => plain(Target::Float64),
        ColumnKind::Numeric { precision, scale } => Some(numeric(options.numeric, precision, scale)),
        ColumnKind::Decimal { precision, scale } => Some(numeric(
            if options.numeric_decimals { options.numeric } else { NumericMapping::None },
            precision,
            scale,
        )),
        ColumnKind::Text => plain(Target::Text),
        ColumnKind::Bytes => plain(Target::Bytes),
        ColumnKind::Date => plain(Target::Date),
        ColumnKind::DateOrTimestamp => plain(Target::DateAtFirst),
        ColumnKind::Year => plain(Target::Year),
        ColumnKind::Time => plain(Target::Time),
        ColumnKind::Timestamp => plain(Target::Timestamp),
        ColumnKind::Unsupported { .. } => None,
    }
}

fn numeric(mapping: NumericMapping, precision: u32, scale: i32) -> (Target, Option<u32>) {
    let whole = (LOWEST_SCALE..1).contains(&scale);
    let decimal = (Target::Decimal { scale }, Some(precision));
    // Without a declared precision nothing is known about the values: neither that they are whole nor how long they are.
    if precision == 0 {
        return match (mapping, scale) {
            (NumericMapping::BestFitEagerDouble, _) => (Target::Float64, None),
            (_, 0) => (Target::Growing { scale }, Some(0)),
            _ => decimal,
        };
    }
    let short = precision <= INTEGER_DIGITS;
    match mapping {
        NumericMapping::PrecisionOnly if scale == 0 && short => (by_digits(precision), None),
        NumericMapping::BestFit | NumericMapping::BestFitEagerDouble if whole && short => {
            (by_digits(precision), None)
        }
        NumericMapping::BestFit if scale > 0 && short => (Target::Float64, None),
        NumericMapping::BestFitEagerDouble if scale > 0 => (Target::Float64, None),
        _ => decimal,
    }
}

fn by_digits(precision: u32) -> Target {
    match precision {
        0..=2 => Target::Int8,
        3..=4 => Target::Int16,
        5..=9 => Target::Int32,
        _ => Target::Int64,
    }
}

fn integer(value: &SqlValue) -> Option<i64> {
    match value {
        SqlValue::Int(value) => Some(*value),
        SqlValue::Bool(value) => Some((*value).into()),
        SqlValue::Double(value) => to_integer(parse(&format!("{value:e}"))?),
        SqlValue::Text(text) => to_integer(parse(text.trim())?),
        SqlValue::Decimal(decimal) => to_integer(decimal.clone()),
        _ => None,
    }
}

fn double(value: &SqlValue) -> Option<f64> {
    match value {
        SqlValue::Double(value) => Some(*value),
        SqlValue::Float(value) => Some((*value).into()),
        SqlValue::Int(value) => Some(*value as f64),
        SqlValue::UInt(value) => Some(*value as f64),
        SqlValue::Text(text) => text.trim().parse().ok(),
        SqlValue::Decimal(decimal) => to_double(decimal),
        _ => None,
    }
}

fn exact(value: &SqlValue) -> Option<Decimal> {
    match value {
        SqlValue::Decimal(decimal) => Some(decimal.clone()),
        SqlValue::Text(text) => parse(text.trim()),
        SqlValue::Int(value) => Some(Decimal::new(*value, 0)),
        SqlValue::UInt(value) => Some(Decimal::new(*value, 0)),
        // The shortest digits that mean this double; NaN and infinity have none.
        SqlValue::Double(value) => parse(&format!("{value:e}")),
        _ => None,
    }
}

fn text(value: &SqlValue) -> Option<Value> {
    Some(Value::String(match value {
        // SQLite keeps what it is given, whatever the column's type.
        SqlValue::Int(value) => value.to_string().into(),
        SqlValue::Double(value) => connect_api::data::java::double(*value).into(),
        SqlValue::Bytes(bytes) => ByteString::try_from(bytes.clone()).ok()?,
        _ => return None,
    }))
}

/// A date and time as seconds since 1970-01-01T00:00, of the epoch or of a clock on the wall.
struct Moment {
    seconds: i64,
    nanos: u32,
    absolute: bool,
}

fn moment(value: &SqlValue) -> Option<Moment> {
    const MILLIS_PER_DAY: f64 = 86_400_000.0;
    /// 1970-01-01T00:00 as a Julian day number.
    const EPOCH_JULIAN: f64 = 2_440_587.5;
    let of_millis = |millis: i64, absolute| Moment {
        seconds: millis.div_euclid(1000),
        nanos: (millis.rem_euclid(1000) * 1_000_000) as u32,
        absolute,
    };
    Some(match value {
        SqlValue::Date(days) => {
            Moment { seconds: days.checked_mul(SECONDS_PER_DAY)?, nanos: 0, absolute: false }
        }
        SqlValue::DateTime { seconds, nanos } => Moment { seconds: *seconds, nanos: *nanos, absolute: false },
        SqlValue::Instant { seconds, nanos } => Moment { seconds: *seconds, nanos: *nanos, absolute: true },
        // The forms that SQLite's drivers write: milliseconds, days of the Julian count, text.
        SqlValue::Int(millis) => of_millis(*millis, true),
        SqlValue::Double(days) => {
            let millis = ((days - EPOCH_JULIAN) * MILLIS_PER_DAY).round();
            of_millis((millis.abs() < i64::MAX as f64).then_some(millis as i64)?, false)
        }
        SqlValue::Text(text) => {
            let (seconds, nanos, absolute) = temporal::parse(text)?;
            Moment { seconds, nanos, absolute }
        }
        _ => return None,
    })
}
