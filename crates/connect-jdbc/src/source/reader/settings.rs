//! What a reader has to know: from the configuration, and per table.

use crate::dialect::Dialect;
use crate::source::config::{Isolation, TimestampInitial};
use crate::source::mapping::MappingOptions;
use crate::source::mode::TableMode;
use crate::source::offsets::Offset;
use crate::source::query::{From, Placeholders};
use crate::source::tables::SourceTable;
use crate::url::JdbcUrl;
use connect_api::OffsetMap;
use std::sync::Arc;
use std::time::Duration;

/// The same for all tables of a task.
#[derive(Debug)]
pub(in crate::source) struct Settings {
    pub(in crate::source) connector: String,
    pub(in crate::source) task: usize,
    pub(in crate::source) url: JdbcUrl,
    pub(in crate::source) dialect: Arc<dyn Dialect>,
    pub(in crate::source) mapping: MappingOptions,
    /// How often in a row connecting may fail; `None` is for ever.
    pub(in crate::source) connect_attempts: Option<u32>,
    pub(in crate::source) connect_backoff: Duration,
    /// How often in a row reading a table may fail; `None` is for ever.
    pub(in crate::source) query_attempts: Option<u32>,
    pub(in crate::source) isolation: Isolation,
    pub(in crate::source) suffix: String,
    /// The query must not be seen in logs and errors.
    pub(in crate::source) masked: bool,
    pub(in crate::source) poll_interval: Duration,
    pub(in crate::source) batch_max_rows: usize,
    pub(in crate::source) max_buffer: usize,
    pub(in crate::source) delay_ms: i64,
    pub(in crate::source) timestamp_initial: TimestampInitial,
    pub(in crate::source) incrementing_initial: i64,
    pub(in crate::source) validate_non_null: bool,
    pub(in crate::source) record_key: bool,
    pub(in crate::source) splits: usize,
    pub(in crate::source) lookback_rows: i64,
    pub(in crate::source) lookback_ms: i64,
}

impl Settings {
    pub(in crate::source) fn placeholders(&self) -> Placeholders {
        match self.url {
            JdbcUrl::Postgres(_) => Placeholders::Numbered,
            JdbcUrl::MySql(_) | JdbcUrl::Sqlite(_) => Placeholders::Question,
        }
    }
}

#[derive(Clone, Debug)]
pub(in crate::source) enum Origin {
    Table(SourceTable),
    Query(String),
}

/// A table to read, or a query.
#[derive(Clone, Debug)]
pub(in crate::source) struct Job {
    pub(in crate::source) origin: Origin,
    pub(in crate::source) mode: TableMode,
    pub(in crate::source) partition: Arc<OffsetMap>,
    pub(in crate::source) topic: Arc<str>,
    /// What was stored.
    pub(in crate::source) offset: Option<Offset>,
}

impl Job {
    pub(in crate::source) fn from(&self) -> From<'_> {
        match &self.origin {
            Origin::Table(table) => From::Table(table),
            Origin::Query(query) => From::Query(query),
        }
    }

    pub(in crate::source) fn table(&self) -> Option<&SourceTable> {
        match &self.origin {
            Origin::Table(table) => Some(table),
            Origin::Query(_) => None,
        }
    }

    /// For a person.
    pub(in crate::source) fn name(&self) -> String {
        match &self.origin {
            Origin::Table(table) => format!("table {}", table.full_name()),
            Origin::Query(_) => "the query".into(),
        }
    }
}
