//! How values travel to PostgreSQL: their types, and the days and moments as it counts them.

use connect_api::{Logical, Schema, Type};

/// The type in which the values of a column travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wire {
    pub(crate) element: Element,
    pub(crate) array: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Text,
    Bytea,
    /// Sent as text, which holds every digit.
    Numeric,
    Date,
    Time,
    Timestamp,
}

impl Wire {
    pub(crate) fn of(schema: &Schema) -> Option<Self> {
        match &schema.ty {
            Type::Array(element) => Some(Self { element: Element::of(element)?, array: true }),
            _ => Some(Self { element: Element::of(schema)?, array: false }),
        }
    }
}

impl Wire {
    /// The type as a cast names it.
    pub(super) fn sql_type(self) -> String {
        format!("{}{}", self.element.parameter_type(), if self.array { "[]" } else { "" })
    }
}

impl Element {
    fn of(schema: &Schema) -> Option<Self> {
        Some(match (schema.logical(), &schema.ty) {
            (Some(Logical::Decimal { .. }), _) => Self::Numeric,
            (Some(Logical::Date), _) => Self::Date,
            (Some(Logical::Time), _) => Self::Time,
            (Some(Logical::Timestamp), _) => Self::Timestamp,
            (None, Type::Boolean) => Self::Bool,
            (None, Type::Int8 | Type::Int16) => Self::Int2,
            (None, Type::Int32) => Self::Int4,
            (None, Type::Int64) => Self::Int8,
            (None, Type::Float32) => Self::Float4,
            (None, Type::Float64) => Self::Float8,
            (None, Type::String) => Self::Text,
            (None, Type::Bytes) => Self::Bytea,
            (None, Type::Array(_) | Type::Map { .. } | Type::Struct(_)) => return None,
        })
    }

    pub(super) fn column_type(self) -> &'static str {
        match self {
            Self::Bool => "BOOLEAN",
            Self::Int2 => "SMALLINT",
            Self::Int4 => "INT",
            Self::Int8 => "BIGINT",
            Self::Float4 => "REAL",
            Self::Float8 => "DOUBLE PRECISION",
            Self::Text => "TEXT",
            Self::Bytea => "BYTEA",
            Self::Numeric => "DECIMAL",
            Self::Date => "DATE",
            Self::Time => "TIME",
            Self::Timestamp => "TIMESTAMP",
        }
    }

    pub(super) fn parameter_type(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int2 => "int2",
            Self::Int4 => "int4",
            Self::Int8 => "int8",
            Self::Float4 => "float4",
            Self::Float8 => "float8",
            Self::Text | Self::Numeric => "text",
            Self::Bytea => "bytea",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
        }
    }
}

/// PostgreSQL counts from 2000-01-01.
const DAYS_TO_2000: i32 = 10_957;

/// A date as the server counts it; `None` beyond what a column holds.
pub(crate) fn days_since_2000(days: i32) -> Option<i32> {
    /// What the server takes: from day 0 of the Julian count, 4714-11-24 BC, to 5874897-12-31.
    const RANGE: std::ops::RangeInclusive<i64> = -2_440_588..=2_145_042_905;
    RANGE.contains(&i64::from(days)).then(|| days.checked_sub(DAYS_TO_2000)).flatten()
}

/// A timestamp as the server counts it; `None` beyond what a column holds.
pub(crate) fn micros_since_2000(millis: i64) -> Option<i64> {
    micros_in_range(i128::from(millis) * 1000)
}

/// As [`micros_since_2000`], for a clock's seconds and the nanoseconds after them. Half a microsecond is rounded up, as PostgreSQL's
/// Java driver does, also into the next second or day.
pub(crate) fn clock_micros_since_2000(seconds: i64, nanos: u32) -> Option<i64> {
    micros_in_range(i128::from(seconds) * 1_000_000 + (i128::from(nanos) + 500) / 1000)
}

fn micros_in_range(since_1970: i128) -> Option<i64> {
    const RANGE: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;
    let micros = since_1970 - i128::from(DAYS_TO_2000) * 86_400_000_000;
    i64::try_from(micros).ok().filter(|micros| RANGE.contains(micros))
}
