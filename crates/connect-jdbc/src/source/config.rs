//! The source's configuration, understood. The keys themselves are in `keys_confluent` and `keys_aiven`, the rules between them in `between`.

use super::keys::*;
use super::mode::{Columns, Mode, TableMode};
use super::pattern::TablePattern;
use super::tables::{SourceTable, read_tables};
use super::{between, keys_aiven, keys_confluent, rules};
use crate::config::{ConnectionConfig, Faults};
use crate::dialect::{Dialect, Quoting};
use crate::driver;
use connect_api::{ConfigDef, ConfigMap, ConnectError, ParsedConfig};
use jiff::tz::TimeZone;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

pub(super) const TABLES: &str = "tables";
pub(super) const TABLES_FETCHED: &str = "tables.fetched";

/// Whose connector a configuration was written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavor {
    Confluent,
    Aiven,
}

impl Flavor {
    pub(super) fn def(self) -> &'static ConfigDef {
        match self {
            Self::Confluent => &keys_confluent::DEF,
            Self::Aiven => &keys_aiven::DEF,
        }
    }
}

/// `numeric.mapping`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumericMapping {
    None,
    PrecisionOnly,
    BestFit,
    BestFitEagerDouble,
}

/// `timestamp.granularity`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Granularity {
    ConnectLogical,
    MicrosLong,
    MicrosString,
    MicrosIsoDatetimeString,
    NanosLong,
    NanosString,
    NanosIsoDatetimeString,
}

/// `date.calendar.system`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Calendar {
    Legacy,
    ProlepticGregorian,
}

/// `transaction.isolation.mode`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isolation {
    Default,
    ReadUncommitted,
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

/// Where timestamp modes begin in what was never read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimestampInitial {
    /// Milliseconds since the epoch.
    At(i64),
    /// The database's clock.
    Now,
}

/// Which of the listed tables are read.
#[derive(Clone, Debug)]
pub(crate) enum TableFilter {
    All,
    Whitelist(HashSet<String>),
    Blacklist(HashSet<String>),
    Patterns { include: Vec<TablePattern>, exclude: Vec<TablePattern> },
}

/// What is read.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    Tables(TableFilter),
    Query {
        text: String,
        /// It was given as `query.masked`: no log and no error may quote it.
        masked: bool,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct SourceConfig {
    pub(crate) flavor: Flavor,
    pub(crate) connection: ConnectionConfig,
    /// Between two attempts to connect.
    pub(crate) connection_backoff: Duration,
    pub(crate) quoting: Quoting,
    pub(crate) isolation: Isolation,

    pub(crate) subject: Subject,
    pub(crate) table_types: Vec<String>,
    pub(crate) catalog_pattern: Option<String>,
    pub(crate) schema_pattern: Option<String>,
    /// Whether SQL names tables with their database or schema (Aiven).
    pub(crate) qualify_names: bool,
    pub(crate) table_poll_interval: Duration,

    pub(crate) mode: Mode,
    pub(super) columns: Columns,
    /// Rows with a larger number are read from what was never read before.
    pub(crate) incrementing_initial: i64,
    pub(crate) timestamp_initial: TimestampInitial,
    pub(crate) validate_non_null: bool,
    /// Milliseconds.
    pub(crate) delay: i64,
    pub(crate) query_suffix: String,
    /// In a row; `None` is for ever.
    pub(crate) query_retries: Option<u32>,
    pub(crate) poll_interval: Duration,
    pub(crate) poll_linger: Duration,
    pub(crate) batch_max_rows: usize,
    /// Rows.
    pub(crate) max_buffer: usize,
    pub(crate) topic_prefix: String,

    pub(crate) time_zone: TimeZone,
    pub(crate) numeric: NumericMapping,
    pub(crate) granularity: Granularity,
    pub(crate) calendar: Calendar,

    pub(crate) record_key: bool,
    pub(crate) snapshot_splits: usize,
    pub(crate) lookback_rows: i64,
    pub(crate) lookback_ms: i64,
    pub(crate) numeric_decimals: bool,
}

impl SourceConfig {
    /// Reads the keys and checks them, each by itself and against each other.
    pub(crate) fn read(flavor: Flavor, config: &ConfigMap) -> Result<Self, Faults> {
        let parsed = flavor.def().parse(config).map_err(|faults| {
            faults.into_iter().map(|fault| (fault.key, fault.message)).collect::<Faults>()
        })?;
        let faults = between::check(flavor, &parsed);
        let connection = ConnectionConfig::read(config, &parsed);
        match (connection, Mode::read(parsed.text(MODE)), time_zone(&parsed)) {
            (Ok(connection), Some(mode), Some(time_zone)) if faults.is_empty() => {
                Ok(Self::of(flavor, connection, mode, time_zone, &parsed))
            }
            (connection, ..) => Err(faults.into_iter().chain(connection.err().unwrap_or_default()).collect()),
        }
    }

    fn of(
        flavor: Flavor,
        connection: ConnectionConfig,
        mode: Mode,
        time_zone: TimeZone,
        parsed: &ParsedConfig,
    ) -> Self {
        let confluent = flavor == Flavor::Confluent;
        let count = |key| usize::try_from(parsed.integer(key)).unwrap_or_default();
        let millis = |key| Duration::from_millis(parsed.integer(key).unsigned_abs());
        let batch_max_rows = count(BATCH_MAX_ROWS);
        let max_buffer = if confluent { count(MAX_BUFFER) } else { 0 };
        Self {
            flavor,
            connection,
            connection_backoff: millis(crate::config::BACKOFF),
            quoting: quoting(flavor, parsed),
            isolation: if confluent { isolation(parsed.text(ISOLATION)) } else { Isolation::Default },
            subject: subject(flavor, parsed),
            table_types: parsed.list(TABLE_TYPES).to_vec(),
            catalog_pattern: parsed.optional_text(CATALOG_PATTERN).map(Into::into),
            schema_pattern: parsed.optional_text(SCHEMA_PATTERN).map(Into::into),
            qualify_names: confluent || parsed.boolean(keys_aiven::QUALIFY),
            table_poll_interval: millis(TABLE_POLL_INTERVAL),
            mode,
            columns: columns(flavor, parsed),
            incrementing_initial: if confluent {
                -1
            } else {
                parsed.integer(keys_aiven::INCREMENTING_INITIAL)
            },
            timestamp_initial: timestamp_initial(flavor, parsed),
            validate_non_null: parsed.boolean(VALIDATE_NON_NULL),
            delay: parsed.integer(DELAY),
            query_suffix: if confluent { parsed.text(QUERY_SUFFIX).to_owned() } else { String::new() },
            query_retries: if confluent { u32::try_from(parsed.integer(QUERY_RETRIES)).ok() } else { None },
            poll_interval: millis(POLL_INTERVAL),
            poll_linger: if confluent { millis(POLL_LINGER) } else { Duration::from_secs(5) },
            batch_max_rows,
            max_buffer: if max_buffer == 0 { batch_max_rows.saturating_mul(4) } else { max_buffer },
            topic_prefix: parsed.text(TOPIC_PREFIX).to_owned(),
            time_zone,
            numeric: numeric(parsed),
            granularity: if confluent {
                granularity(parsed.text(GRANULARITY))
            } else {
                Granularity::ConnectLogical
            },
            calendar: match confluent && parsed.text(CALENDAR) == "PROLEPTIC_GREGORIAN" {
                true => Calendar::ProlepticGregorian,
                false => Calendar::Legacy,
            },
            record_key: parsed.boolean(RECORD_KEY),
            snapshot_splits: count(SNAPSHOT_SPLITS),
            lookback_rows: parsed.integer(LOOKBACK_ROWS),
            lookback_ms: parsed.integer(LOOKBACK_MS),
            numeric_decimals: parsed.boolean(NUMERIC_DECIMALS),
        }
    }

    pub(crate) fn dialect(&self) -> Arc<dyn Dialect> {
        driver::source_dialect(&self.connection.url, self.quoting)
    }

    /// The mode with the columns of this table; `None` is the query.
    pub(crate) fn mode_of(&self, table: Option<&SourceTable>) -> Result<TableMode, ConnectError> {
        self.columns.of(self.mode, table)
    }
}

/// A task's configuration: the connector's, and what the task is to read.
#[derive(Clone, Debug)]
pub(crate) struct TaskConfig {
    pub(crate) source: SourceConfig,
    /// Empty with a query, and when no table was found.
    pub(crate) tables: Vec<SourceTable>,
    /// Whether the connector knew which tables there are; Java's starts tasks before it does, with nothing to do.
    pub(crate) tables_fetched: bool,
}

impl TaskConfig {
    pub(crate) fn read(flavor: Flavor, config: &ConfigMap) -> Result<Self, ConnectError> {
        let source = SourceConfig::read(flavor, config).map_err(|faults| {
            let texts: Vec<_> = faults.into_iter().map(|(_, message)| message).collect();
            ConnectError::config(texts.join("; "))
        })?;
        let text = config.get(TABLES).map(String::as_str).unwrap_or_default();
        let tables = read_tables(text, &source.connection.url).map_err(|what| {
            ConnectError::config(format!("the task's {TABLES} cannot be understood: {what}"))
        })?;
        let tables_fetched = match flavor {
            Flavor::Confluent => config.get(TABLES_FETCHED).is_some_and(|value| value == "true"),
            Flavor::Aiven => true,
        };
        Ok(Self { source, tables, tables_fetched })
    }
}

fn time_zone(parsed: &ParsedConfig) -> Option<TimeZone> {
    crate::zone::zone(parsed.text(DB_TIMEZONE)).ok()
}

fn quoting(flavor: Flavor, parsed: &ParsedConfig) -> Quoting {
    let always = match flavor {
        Flavor::Confluent => parsed.text(QUOTE).eq_ignore_ascii_case("always"),
        Flavor::Aiven => parsed.boolean(keys_aiven::SQL_QUOTE),
    };
    if always { Quoting::Always } else { Quoting::Never }
}

fn isolation(text: &str) -> Isolation {
    match text.to_ascii_uppercase().as_str() {
        "READ_UNCOMMITTED" | "READ_UNCOMMITED" => Isolation::ReadUncommitted,
        "READ_COMMITTED" | "READ_COMMITED" => Isolation::ReadCommitted,
        "REPEATABLE_READ" => Isolation::RepeatableRead,
        "SERIALIZABLE" => Isolation::Serializable,
        _ => Isolation::Default,
    }
}

/// The query as it is used, and whether it is the masked one, which wins.
pub(super) fn query(flavor: Flavor, parsed: &ParsedConfig) -> Option<(&str, bool)> {
    let masked = match flavor {
        Flavor::Confluent => parsed.text(QUERY_MASKED),
        Flavor::Aiven => "",
    };
    match (masked, parsed.text(QUERY)) {
        ("", "") => None,
        ("", plain) => Some((plain, false)),
        (masked, _) => Some((masked, true)),
    }
}

fn subject(flavor: Flavor, parsed: &ParsedConfig) -> Subject {
    if let Some((text, masked)) = query(flavor, parsed) {
        return Subject::Query { text: text.to_owned(), masked };
    }
    let patterns = |key| match flavor {
        Flavor::Confluent => {
            parsed.list(key).iter().filter_map(|text| TablePattern::new(text).ok()).collect::<Vec<_>>()
        }
        Flavor::Aiven => Vec::new(),
    };
    let (include, exclude) = (patterns(INCLUDE_LIST), patterns(EXCLUDE_LIST));
    let names = |key| parsed.list(key).iter().cloned().collect::<HashSet<_>>();
    let (white, black) = (names(WHITELIST), names(BLACKLIST));
    Subject::Tables(if !include.is_empty() || !exclude.is_empty() {
        TableFilter::Patterns { include, exclude }
    } else if !white.is_empty() {
        TableFilter::Whitelist(white)
    } else if !black.is_empty() {
        TableFilter::Blacklist(black)
    } else {
        TableFilter::All
    })
}

fn columns(flavor: Flavor, parsed: &ParsedConfig) -> Columns {
    if flavor == Flavor::Confluent {
        let list = |key| parsed.list(key).iter();
        let incrementing: Vec<_> =
            list(INCREMENTING_MAPPING).filter_map(|item| rules::parse_incrementing(item).ok()).collect();
        let timestamps: Vec<_> =
            list(TIMESTAMP_MAPPING).filter_map(|item| rules::parse_timestamps(item).ok()).collect();
        if !incrementing.is_empty() || !timestamps.is_empty() {
            return Columns::PerTable { incrementing, timestamps };
        }
    }
    Columns::Same {
        incrementing: parsed.text(INCREMENTING_COLUMN).to_owned(),
        timestamps: parsed.list(TIMESTAMP_COLUMN).to_vec(),
    }
}

fn timestamp_initial(flavor: Flavor, parsed: &ParsedConfig) -> TimestampInitial {
    match flavor {
        Flavor::Confluent => match parsed.optional_integer(TIMESTAMP_INITIAL) {
            None => TimestampInitial::At(0),
            Some(-1) => TimestampInitial::Now,
            Some(millis) => TimestampInitial::At(millis),
        },
        Flavor::Aiven => TimestampInitial::At(parsed.integer(keys_aiven::TIMESTAMP_INITIAL_MS)),
    }
}

fn numeric(parsed: &ParsedConfig) -> NumericMapping {
    match parsed.optional_text(NUMERIC_MAPPING).map(str::to_ascii_lowercase).as_deref() {
        Some("precision_only") => NumericMapping::PrecisionOnly,
        Some("best_fit") => NumericMapping::BestFit,
        Some("best_fit_eager_double") => NumericMapping::BestFitEagerDouble,
        None if parsed.boolean(NUMERIC_PRECISION_MAPPING) => NumericMapping::PrecisionOnly,
        _ => NumericMapping::None,
    }
}

fn granularity(text: &str) -> Granularity {
    match text.to_ascii_lowercase().as_str() {
        "micros_long" => Granularity::MicrosLong,
        "micros_string" => Granularity::MicrosString,
        "micros_iso_datetime_string" => Granularity::MicrosIsoDatetimeString,
        "nanos_long" => Granularity::NanosLong,
        "nanos_string" => Granularity::NanosString,
        "nanos_iso_datetime_string" => Granularity::NanosIsoDatetimeString,
        _ => Granularity::ConnectLogical,
    }
}
