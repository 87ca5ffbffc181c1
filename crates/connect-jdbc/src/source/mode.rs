//! How new rows of a table are found.

use super::pattern::TablePattern;
use super::tables::SourceTable;
use connect_api::ConnectError;

/// `mode`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Bulk,
    Incrementing,
    Timestamp,
    TimestampIncrementing,
}

impl Mode {
    pub(super) fn read(text: &str) -> Option<Self> {
        Some(match text {
            "bulk" => Self::Bulk,
            "incrementing" => Self::Incrementing,
            "timestamp" => Self::Timestamp,
            "timestamp+incrementing" => Self::TimestampIncrementing,
            _ => return None,
        })
    }

    pub(crate) fn uses_incrementing(self) -> bool {
        matches!(self, Self::Incrementing | Self::TimestampIncrementing)
    }

    pub(crate) fn uses_timestamp(self) -> bool {
        matches!(self, Self::Timestamp | Self::TimestampIncrementing)
    }
}

/// Which columns the configuration names.
#[derive(Clone, Debug)]
pub(super) enum Columns {
    /// The same for every table; an empty incrementing column is to be detected.
    Same {
        incrementing: String,
        timestamps: Vec<String>,
    },
    PerTable {
        incrementing: Vec<(TablePattern, String)>,
        timestamps: Vec<(TablePattern, Vec<String>)>,
    },
}

/// The incrementing column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IncrementingColumn {
    Named(String),
    /// The table's single auto-increment column.
    Detect,
}

/// The mode with the columns of one table, or of the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TableMode {
    Bulk,
    Incrementing(IncrementingColumn),
    /// Never empty.
    Timestamp(Vec<String>),
    TimestampIncrementing {
        incrementing: IncrementingColumn,
        /// Never empty.
        timestamps: Vec<String>,
    },
}

impl Columns {
    /// `None` is the query.
    pub(super) fn of(&self, mode: Mode, table: Option<&SourceTable>) -> Result<TableMode, ConnectError> {
        Ok(match mode {
            Mode::Bulk => TableMode::Bulk,
            Mode::Incrementing => TableMode::Incrementing(self.incrementing(table)?),
            Mode::Timestamp => TableMode::Timestamp(self.timestamps(table)?),
            Mode::TimestampIncrementing => TableMode::TimestampIncrementing {
                incrementing: self.incrementing(table)?,
                timestamps: self.timestamps(table)?,
            },
        })
    }

    fn incrementing(&self, table: Option<&SourceTable>) -> Result<IncrementingColumn, ConnectError> {
        let name = match (self, table) {
            (Self::Same { incrementing, .. }, _) => incrementing,
            (Self::PerTable { incrementing, .. }, Some(table)) if !incrementing.is_empty() => {
                the_one(incrementing, table, "incrementing")?
            }
            (Self::PerTable { .. }, _) => "",
        };
        Ok(match name {
            "" => IncrementingColumn::Detect,
            name => IncrementingColumn::Named(name.to_owned()),
        })
    }

    fn timestamps(&self, table: Option<&SourceTable>) -> Result<Vec<String>, ConnectError> {
        match (self, table) {
            (Self::Same { timestamps, .. }, _) => Ok(timestamps.clone()),
            (Self::PerTable { timestamps, .. }, Some(table)) => {
                the_one(timestamps, table, "timestamp").cloned()
            }
            // Refused with the configuration.
            (Self::PerTable { .. }, None) => {
                Err(ConnectError::config("a query has no table to find columns for"))
            }
        }
    }
}

/// What the one pattern that matches the table stands for.
fn the_one<'a, T>(
    patterns: &'a [(TablePattern, T)],
    table: &SourceTable,
    which: &str,
) -> Result<&'a T, ConnectError> {
    let name = table.full_name();
    let mut matching = patterns.iter().filter(|(pattern, _)| pattern.matches(&name));
    let problem = match (matching.next(), matching.next()) {
        (Some((_, columns)), None) => return Ok(columns),
        (None, _) => "does not match any of the provided regexes",
        (Some(_), Some(_)) => "matches more than one of the provided regexes",
    };
    Err(ConnectError::failed(format!(
        "Error while validating {which} column mappings: Included table '{name}' {problem}"
    )))
}
