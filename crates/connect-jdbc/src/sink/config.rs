//! The sink's keys and the rules between them.

use super::table_name::TableNameFormat;
use crate::config::{CONNECTION_KEYS, ConnectionConfig, Faults, NotYet, unsupported};
use crate::dialect::{Quoting, StringColumns, TableKind};
use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Validator, Width};
use connect_api::{ConfigDef, ConfigMap};
use std::time::Duration;

const INSERT_MODE: &str = "insert.mode";
const BATCH_SIZE: &str = "batch.size";
const DELETE_ENABLED: &str = "delete.enabled";
const TABLE_TYPES: &str = "table.types";
const NULL_WITH_DEFAULT: &str = "replace.null.with.default";
const TABLE_NAME_FORMAT: &str = "table.name.format";
const PK_MODE: &str = "pk.mode";
const PK_FIELDS: &str = "pk.fields";
const WHITELIST: &str = "fields.whitelist";
const DB_TIMEZONE: &str = "db.timezone";
const DATE_TIMEZONE: &str = "date.timezone";
const TIMESTAMP_FIELDS: &str = "timestamp.fields.list";
const TIMESTAMP_PRECISION: &str = "timestamp.precision.mode";
const CALENDAR: &str = "date.calendar.system";
const STRING_COLUMN: &str = "string.output.value.column.name";
const AUTO_CREATE: &str = "auto.create";
const AUTO_EVOLVE: &str = "auto.evolve";
const QUOTE: &str = "quote.sql.identifiers";
const HOLDLOCK: &str = "mssql.use.merge.holdlock";
const MAX_RETRIES: &str = "max.retries";
const RETRY_BACKOFF: &str = "retry.backoff.ms";
const TRIM_LOG: &str = "trim.sensitive.log";

const WRITES: &str = "Writes";
const MAPPING: &str = "Data Mapping";
const DDL: &str = "DDL Support";
const RETRIES: &str = "Retries";

pub(super) static DEF: ConfigDef = ConfigDef::new(&[
    CONNECTION_KEYS[0],
    CONNECTION_KEYS[1],
    CONNECTION_KEYS[2],
    CONNECTION_KEYS[3],
    CONNECTION_KEYS[4],
    CONNECTION_KEYS[5],
    CONNECTION_KEYS[6],
    ConfigKey::new(
        INSERT_MODE,
        Ty::String,
        "insert: plain INSERT. upsert: insert a row or, if its key is there, overwrite the record's own columns in it; \
         gives the same table when records come again. update is not supported yet.",
    )
    .default("insert")
    .valid(Validator::OneOfIgnoreCase(&["insert", "upsert", "update"]))
    .importance(Importance::High)
    .group(WRITES, "Insert Mode", Width::Medium),
    ConfigKey::new(
        BATCH_SIZE,
        Ty::Int,
        "The most rows of one statement. The database's own limits may split further; all rows that the task gets at a \
         time (consumer.override.max.poll.records) are one transaction whatever the size.",
    )
    .default("3000")
    .valid(Validator::AtLeast(0))
    .importance(Importance::Medium)
    .group(WRITES, "Batch Size", Width::Short),
    ConfigKey::new(DELETE_ENABLED, Ty::Boolean, "Delete a row when its record has no value. Not supported yet.")
        .default("false")
        .importance(Importance::Medium)
        .group(WRITES, "Enable deletes", Width::Short),
    ConfigKey::new(
        TABLE_TYPES,
        Ty::List,
        "What may be written to: TABLE, PARTITIONED TABLE (PostgreSQL's), VIEW. A table of another type is an error. Views \
         are never changed by auto.evolve.",
    )
    .default("TABLE")
        .group(WRITES, "Table Types", Width::Medium),
    ConfigKey::new(
        NULL_WITH_DEFAULT,
        Ty::Boolean,
        "Write a field's default where its value is null. Only true is supported yet.",
    )
    .default("true")
    .group(WRITES, "Replace null with default value", Width::Short),
    ConfigKey::new(
        TABLE_NAME_FORMAT,
        Ty::String,
        "The table of a topic; ${topic} stands for the topic's name. DATABASE.TABLE names a table of another database; \
         a part in back-ticks may hold dots.",
    )
    .default("${topic}")
    .valid(Validator::NonEmpty)
    .importance(Importance::Medium)
    .group(MAPPING, "Table Name Format", Width::Long),
    ConfigKey::new(
        PK_MODE,
        Ty::String,
        "Where a row's key comes from. none: no key. kafka: topic, partition and offset. record_key: the record's key, \
         or fields of it. record_value: fields of the record's value.",
    )
    .default("none")
    .valid(Validator::OneOfIgnoreCase(&["none", "kafka", "record_key", "record_value"]))
    .importance(Importance::High)
    .group(MAPPING, "Primary Key Mode", Width::Medium),
    ConfigKey::new(
        PK_FIELDS,
        Ty::List,
        "The key's columns. kafka: three names, default __connect_topic, __connect_partition, __connect_offset. \
         record_key: the column's name for a primitive key, else fields of the key (empty: all). record_value: fields \
         of the value (empty: all).",
    )
    .default("")
    .importance(Importance::Medium)
    .group(MAPPING, "Primary Key Fields", Width::Long),
    ConfigKey::new(WHITELIST, Ty::List, "The fields of the value to write; empty: all. Key fields are always written.")
        .default("")
        .importance(Importance::Medium)
        .group(MAPPING, "Fields Whitelist", Width::Long),
    ConfigKey::new(DB_TIMEZONE, Ty::String, "The zone of dates and times in the database. Only UTC is supported yet.")
        .default("UTC")
        .importance(Importance::Medium)
        .group(MAPPING, "DB Time Zone", Width::Medium),
    ConfigKey::new(DATE_TIMEZONE, Ty::String, "The zone of DATE columns: DB_TIMEZONE or UTC, which are the same here.")
        .default("DB_TIMEZONE")
        .valid(Validator::OneOfIgnoreCase(&["DB_TIMEZONE", "UTC"]))
        .group(MAPPING, "Date Time Zone", Width::Medium),
    ConfigKey::new(TIMESTAMP_FIELDS, Ty::List, "int64 and string fields to write as timestamps. Not supported yet.")
        .default("")
        .group(MAPPING, "Timestamp Fields", Width::Long),
    ConfigKey::new(TIMESTAMP_PRECISION, Ty::String, "The precision of timestamp.fields.list.")
        .default("MICROSECONDS")
        .valid(Validator::OneOfIgnoreCase(&["MICROSECONDS", "NANOSECONDS"]))
        .group(MAPPING, "Timestamp Precision", Width::Medium),
    ConfigKey::new(
        CALENDAR,
        Ty::String,
        "The calendar of dates before 1582-10-15. They are always written in the proleptic Gregorian one; naming it is \
         not supported yet.",
    )
    .default("LEGACY")
    .valid(Validator::OneOfIgnoreCase(&["LEGACY", "PROLEPTIC_GREGORIAN"]))
    .group(MAPPING, "Date Calendar System", Width::Medium),
    ConfigKey::new(STRING_COLUMN, Ty::String, "The column of plain string values, which are not supported yet.")
        .default("record_value")
        .group(MAPPING, "String Value Column", Width::Medium),
    ConfigKey::new(AUTO_CREATE, Ty::Boolean, "Create a missing table from the record's schema.")
        .default("false")
        .importance(Importance::Medium)
        .group(DDL, "Auto-Create", Width::Short),
    ConfigKey::new(
        AUTO_EVOLVE,
        Ty::Boolean,
        "Add columns that a record has and its table lacks. Columns are never dropped, renamed or changed.",
    )
    .default("false")
    .importance(Importance::Medium)
    .group(DDL, "Auto-Evolve", Width::Short),
    ConfigKey::new(QUOTE, Ty::String, "Whether to quote the names of tables and columns.")
        .default("ALWAYS")
        .valid(Validator::OneOfIgnoreCase(&["ALWAYS", "NEVER"]))
        .importance(Importance::Medium)
        .group(DDL, "Quote Identifiers", Width::Medium),
    ConfigKey::new(HOLDLOCK, Ty::Boolean, "A matter of SQL Server; without effect on the databases supported here.")
        .default("true")
        .group(DDL, "SQL Server - Use HOLDLOCK in MERGE", Width::Medium),
    ConfigKey::new(
        MAX_RETRIES,
        Ty::Int,
        "How many times in a row to try again after an error that may pass (lost connection, deadlock, lock wait). \
         Errors that cannot pass fail the task at once.",
    )
    .default("10")
    .valid(Validator::AtLeast(0))
    .importance(Importance::Medium)
    .group(RETRIES, "Maximum Retries", Width::Short),
    ConfigKey::new(RETRY_BACKOFF, Ty::Int, "Milliseconds to wait before trying again.")
        .default("3000")
        .valid(Validator::AtLeast(0))
        .importance(Importance::Medium)
        .group(RETRIES, "Retry Backoff (millis)", Width::Short),
    ConfigKey::new(TRIM_LOG, Ty::Boolean, "Keep record data out of error texts. Not supported yet.").default("false"),
]);

const NOT_YET: &[NotYet] = &[
    NotYet::new(INSERT_MODE, &["insert", "upsert"], "insert or upsert"),
    NotYet::new(DELETE_ENABLED, &["false"], "false"),
    NotYet::new(NULL_WITH_DEFAULT, &["true"], "true"),
    NotYet::new(DB_TIMEZONE, &["UTC"], "UTC"),
    NotYet::new(TIMESTAMP_FIELDS, &[""], ""),
    NotYet::new(TIMESTAMP_PRECISION, &["MICROSECONDS"], "MICROSECONDS"),
    NotYet::new(CALENDAR, &["LEGACY"], "LEGACY"),
    NotYet::new(STRING_COLUMN, &["record_value"], "record_value"),
    NotYet::new(TRIM_LOG, &["false"], "false"),
];

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

/// The columns of `pk.mode=kafka` where `pk.fields` names no others.
pub(super) const KAFKA_PK: [&str; 3] = ["__connect_topic", "__connect_partition", "__connect_offset"];

#[derive(Clone, Debug)]
pub(super) struct SinkConfig {
    pub(super) connection: ConnectionConfig,
    pub(super) insert_mode: InsertMode,
    pub(super) pk_mode: PkMode,
    pub(super) pk_fields: Vec<String>,
    pub(super) whitelist: Vec<String>,
    pub(super) table_name: TableNameFormat,
    pub(super) table_types: Vec<TableKind>,
    pub(super) strings: StringColumns,
    pub(super) auto_create: bool,
    pub(super) auto_evolve: bool,
    pub(super) widen: bool,
    pub(super) batch_size: usize,
    pub(super) max_retries: u32,
    pub(super) retry_backoff: Duration,
    pub(super) quoting: Quoting,
    pub(super) exactly_once: Option<crate::dialect::TableId>,
}

impl SinkConfig {
    /// Reads the keys and checks them, each by itself and against each other.
    pub(super) fn read(config: &ConfigMap) -> Result<Self, Faults> {
        let parsed = DEF.parse(config).map_err(|faults| {
            faults.into_iter().map(|fault| (fault.key, fault.message)).collect::<Faults>()
        })?;
        let mut faults = unsupported(config, NOT_YET);
        let insert_mode = match parsed.text(INSERT_MODE).to_ascii_lowercase().as_str() {
            "upsert" => InsertMode::Upsert,
            _ => InsertMode::Insert,
        };
        let pk_mode = match parsed.text(PK_MODE).to_ascii_lowercase().as_str() {
            "kafka" => PkMode::Kafka,
            "record_key" => PkMode::RecordKey,
            "record_value" => PkMode::RecordValue,
            _ => PkMode::None,
        };
        let pk_fields = parsed.list(PK_FIELDS).to_vec();
        let table_types = table_types(parsed.list(TABLE_TYPES)).unwrap_or_else(|fault| {
            faults.push(fault);
            Vec::new()
        });
        faults.extend(check_key(insert_mode, pk_mode, &pk_fields));
        faults.extend(list_fault(WHITELIST, parsed.list(WHITELIST)));
        let table_name = TableNameFormat::new(parsed.text(TABLE_NAME_FORMAT)).map_err(|message| {
            let text = parsed.text(TABLE_NAME_FORMAT);
            (
                TABLE_NAME_FORMAT.to_owned(),
                format!("Invalid value {text} for configuration {TABLE_NAME_FORMAT}: {message}"),
            )
        });
        let connection = ConnectionConfig::read(config, &parsed);
        match (connection, table_name) {
            (Ok(connection), Ok(table_name)) if faults.is_empty() => Ok(Self {
                connection,
                insert_mode,
                pk_mode,
                pk_fields,
                whitelist: parsed.list(WHITELIST).to_vec(),
                table_name,
                table_types,
                auto_create: parsed.boolean(AUTO_CREATE),
                auto_evolve: parsed.boolean(AUTO_EVOLVE),
                widen: false,
                batch_size: usize::try_from(parsed.integer(BATCH_SIZE)).unwrap_or_default(),
                max_retries: u32::try_from(parsed.integer(MAX_RETRIES)).unwrap_or_default(),
                retry_backoff: Duration::from_millis(parsed.integer(RETRY_BACKOFF).unsigned_abs()),
                strings: StringColumns::Text,
                exactly_once: None,
                quoting: if parsed.text(QUOTE).eq_ignore_ascii_case("never") {
                    Quoting::Never
                } else {
                    Quoting::Always
                },
            }),
            (connection, table_name) => {
                faults.extend(table_name.err());
                faults.extend(connection.err().unwrap_or_default());
                Err(faults)
            }
        }
    }
}

fn table_types(words: &[String]) -> Result<Vec<TableKind>, (String, String)> {
    let named = |word: &String| {
        TableKind::named(word).ok_or_else(|| {
            let all = TableKind::ALL.map(TableKind::name).join(", ");
            (
                TABLE_TYPES.to_owned(),
                format!("Invalid value {word} for configuration {TABLE_TYPES}: must be one or more of {all}"),
            )
        })
    };
    words.iter().map(named).collect()
}

fn check_key(insert_mode: InsertMode, pk_mode: PkMode, pk_fields: &[String]) -> Option<(String, String)> {
    let fault = |key: &str, message: String| Some((key.to_owned(), message));
    match pk_mode {
        PkMode::None if insert_mode == InsertMode::Upsert => fault(
            PK_MODE,
            format!(
                "{INSERT_MODE}=upsert requires key columns, and {PK_MODE}=none gives none; set {PK_MODE} to record_key, \
                 record_value or kafka, or {INSERT_MODE} to insert"
            ),
        ),
        // Java ignores the names as well.
        PkMode::None => None,
        PkMode::Kafka if !matches!(pk_fields.len(), 0 | 3) => fault(
            PK_FIELDS,
            format!(
                "{PK_MODE}=kafka needs no name or exactly three (topic, partition, offset), not {}",
                pk_fields.len()
            ),
        ),
        _ => list_fault(PK_FIELDS, pk_fields),
    }
}

fn list_fault(key: &str, names: &[String]) -> Option<(String, String)> {
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Some((key.to_owned(), format!("{key} holds an empty name; remove the surplus comma")));
        }
        if names[..index].contains(name) {
            return Some((key.to_owned(), format!("{key} names {name} twice; remove one of them")));
        }
    }
    None
}

#[cfg(test)]
mod tests;
