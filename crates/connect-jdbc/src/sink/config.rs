//! The sink's configuration: two tables of keys, Confluent's and Aiven's, read into one form.

mod keys;
mod keys_aiven;
mod keys_confluent;
mod rules;

use super::convert::{Precision, Times};
use super::table_name::TableNames;
use crate::config::{ConnectionConfig, Faults};
use crate::dialect::{Quoting, StringColumns, TableId, TableKind};
use connect_api::{ConfigDef, ConfigMap, ParsedConfig};
use keys::*;
use std::time::Duration;

/// Whose connector the configuration was written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavor {
    Confluent,
    Aiven,
}

impl Flavor {
    pub(super) fn def(self) -> &'static ConfigDef {
        match self {
            Flavor::Confluent => &keys_confluent::DEF,
            Flavor::Aiven => &keys_aiven::DEF,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InsertMode {
    Insert,
    Update,
    Upsert,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PkMode {
    None,
    Kafka,
    RecordKey,
    RecordValue,
}

impl PkMode {
    pub(super) fn name(self) -> &'static str {
        match self {
            PkMode::None => "none",
            PkMode::Kafka => "kafka",
            PkMode::RecordKey => "record_key",
            PkMode::RecordValue => "record_value",
        }
    }
}

/// `schemaless.values`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Schemaless {
    Reject,
    Table,
    Infer,
}

/// The columns of `pk.mode=kafka` where `pk.fields` names no others.
pub(super) const KAFKA_PK: [&str; 3] = ["__connect_topic", "__connect_partition", "__connect_offset"];

#[derive(Clone, Debug)]
pub(super) struct SinkConfig {
    pub(super) connection: ConnectionConfig,
    pub(super) insert_mode: InsertMode,
    /// Only with [`PkMode::RecordKey`].
    pub(super) deletes: bool,
    pub(super) pk_mode: PkMode,
    pub(super) pk_fields: Vec<String>,
    pub(super) whitelist: Vec<String>,
    pub(super) null_with_default: bool,
    /// The column of values that are a text; `None` where there is no such key and they cannot be written.
    pub(super) string_column: Option<String>,
    pub(super) table_names: TableNames,
    pub(super) table_types: Vec<TableKind>,
    pub(super) strings: StringColumns,
    pub(super) times: Times,
    pub(super) timestamp_fields: Vec<String>,
    pub(super) schemaless: Schemaless,
    pub(super) auto_create: bool,
    pub(super) auto_evolve: bool,
    /// Whether `auto_evolve` may also enlarge columns.
    pub(super) widen: bool,
    pub(super) batch_size: usize,
    pub(super) max_retries: u32,
    pub(super) retry_backoff: Duration,
    pub(super) quoting: Quoting,
    /// The table of positions, if each record is to be written exactly once.
    pub(super) exactly_once: Option<TableId>,
    /// Values of records must not be in log lines and error texts.
    pub(super) trim_log: bool,
}

impl SinkConfig {
    /// Reads the keys and checks them, each by itself and against each other.
    pub(super) fn read(flavor: Flavor, config: &ConfigMap) -> Result<Self, Faults> {
        let parsed = flavor.def().parse(config).map_err(|faults| {
            faults.into_iter().map(|fault| (fault.key, fault.message)).collect::<Faults>()
        })?;
        let mut faults = Faults::new();
        let insert_mode = match parsed.text(INSERT_MODE).to_ascii_lowercase().as_str() {
            "upsert" => InsertMode::Upsert,
            "update" => InsertMode::Update,
            // Aiven's `multi` is an insert of many rows at a time, which every insert is here.
            _ => InsertMode::Insert,
        };
        let pk_mode = match parsed.text(PK_MODE).to_ascii_lowercase().as_str() {
            "kafka" => PkMode::Kafka,
            "record_key" => PkMode::RecordKey,
            "record_value" => PkMode::RecordValue,
            _ => PkMode::None,
        };
        let pk_fields = parsed.list(PK_FIELDS).to_vec();
        let deletes = parsed.boolean(DELETE_ENABLED);
        faults.extend(rules::check_key(flavor, insert_mode, deletes, pk_mode, &pk_fields));
        faults.extend(rules::list_fault(WHITELIST, parsed.list(WHITELIST)));
        let timestamp_fields = optional_list(&parsed, TIMESTAMP_FIELDS).to_vec();
        faults.extend(rules::list_fault(TIMESTAMP_FIELDS, &timestamp_fields));
        let table_names = kept(&mut faults, TABLE_NAME_FORMAT, &parsed, table_names(&parsed));
        let exactly_once = parsed.boolean(EXACTLY_ONCE).then(|| parsed.text(EXACTLY_ONCE_TABLE));
        let exactly_once = exactly_once.map(TableNames::fixed).transpose();
        let exactly_once = kept(&mut faults, EXACTLY_ONCE_TABLE, &parsed, exactly_once).flatten();
        let times = kept(&mut faults, DB_TIMEZONE, &parsed, times(&parsed));
        let connection = match ConnectionConfig::read(config, &parsed) {
            Ok(connection) => Some(connection),
            Err(more) => {
                faults.extend(more);
                None
            }
        };
        let (Some(connection), Some(table_names), Some(times), true) =
            (connection, table_names, times, faults.is_empty())
        else {
            return Err(faults);
        };
        Ok(Self {
            connection,
            insert_mode,
            deletes,
            pk_mode,
            pk_fields,
            whitelist: parsed.list(WHITELIST).to_vec(),
            null_with_default: !parsed.knows(NULL_WITH_DEFAULT) || parsed.boolean(NULL_WITH_DEFAULT),
            string_column: parsed.knows(STRING_COLUMN).then(|| parsed.text(STRING_COLUMN).to_owned()),
            table_names,
            table_types: table_types(&parsed),
            strings: match flavor {
                Flavor::Confluent => StringColumns::Text,
                Flavor::Aiven => StringColumns::VarChar256,
            },
            times,
            timestamp_fields,
            schemaless: match parsed.text(SCHEMALESS).to_ascii_lowercase().as_str() {
                "table" => Schemaless::Table,
                "infer" => Schemaless::Infer,
                _ => Schemaless::Reject,
            },
            auto_create: parsed.boolean(AUTO_CREATE),
            auto_evolve: parsed.boolean(AUTO_EVOLVE),
            widen: parsed.boolean(WIDEN),
            batch_size: usize::try_from(parsed.integer(BATCH_SIZE)).unwrap_or_default(),
            max_retries: u32::try_from(parsed.integer(MAX_RETRIES)).unwrap_or_default(),
            retry_backoff: Duration::from_millis(parsed.integer(RETRY_BACKOFF).unsigned_abs()),
            quoting: quoting(&parsed),
            exactly_once,
            trim_log: parsed.knows(TRIM_LOG) && parsed.boolean(TRIM_LOG),
        })
    }
}

fn invalid(key: &str, parsed: &ParsedConfig, what: &str) -> String {
    format!("Invalid value {} for configuration {key}: {what}", parsed.text(key))
}

fn kept<T>(faults: &mut Faults, key: &str, parsed: &ParsedConfig, result: Result<T, String>) -> Option<T> {
    result.map_err(|what| faults.push((key.to_owned(), invalid(key, parsed, &what)))).ok()
}

fn optional_list<'p>(parsed: &'p ParsedConfig, key: &str) -> &'p [String] {
    if parsed.knows(key) { parsed.list(key) } else { &[] }
}

fn table_names(parsed: &ParsedConfig) -> Result<TableNames, String> {
    let listed = optional_list(parsed, TOPICS_TO_TABLES).iter().map(String::as_str);
    TableNames::new(
        parsed.text(TABLE_NAME_FORMAT),
        parsed.knows(NORMALIZE) && parsed.boolean(NORMALIZE),
        &rules::parse_topics_to_tables(listed)?,
    )
}

fn table_types(parsed: &ParsedConfig) -> Vec<TableKind> {
    match parsed.knows(TABLE_TYPES) {
        true => parsed.list(TABLE_TYPES).iter().filter_map(|name| TableKind::named(name)).collect(),
        // Aiven's connector does not ask what kind of table it is.
        false => TableKind::ALL.to_vec(),
    }
}

fn times(parsed: &ParsedConfig) -> Result<Times, String> {
    let zone = parsed.text(DB_TIMEZONE);
    // Aiven's connector writes dates, too, in the zone of the database.
    let date_zone = match parsed.knows(DATE_TIMEZONE) {
        true if parsed.text(DATE_TIMEZONE).eq_ignore_ascii_case("utc") => "UTC",
        _ => zone,
    };
    let precision = match parsed.knows(TIMESTAMP_PRECISION) {
        true if parsed.text(TIMESTAMP_PRECISION).eq_ignore_ascii_case("nanoseconds") => Precision::Nanos,
        _ => Precision::Micros,
    };
    let proleptic = parsed.knows(CALENDAR) && parsed.text(CALENDAR) == "PROLEPTIC_GREGORIAN";
    Times::new(zone, date_zone, proleptic, precision)
}

fn quoting(parsed: &ParsedConfig) -> Quoting {
    let always = match parsed.knows(QUOTE) {
        true => !parsed.text(QUOTE).eq_ignore_ascii_case("never"),
        false => parsed.boolean(AIVEN_QUOTE),
    };
    if always { Quoting::Always } else { Quoting::Never }
}

#[cfg(test)]
mod tests;
