//! The sink's keys: their names, and those that Confluent's and Aiven's tables say alike.

use super::rules;
use crate::config::{DIALECT, DIALECTS, PASSWORD, URL, USER};
use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Validator, Width};

pub(super) const INSERT_MODE: &str = "insert.mode";
pub(super) const BATCH_SIZE: &str = "batch.size";
pub(super) const DELETE_ENABLED: &str = "delete.enabled";
pub(super) const TABLE_TYPES: &str = "table.types";
pub(super) const NULL_WITH_DEFAULT: &str = "replace.null.with.default";
pub(super) const TABLE_NAME_FORMAT: &str = "table.name.format";
pub(super) const PK_MODE: &str = "pk.mode";
pub(super) const PK_FIELDS: &str = "pk.fields";
pub(super) const WHITELIST: &str = "fields.whitelist";
pub(super) const DB_TIMEZONE: &str = "db.timezone";
pub(super) const DATE_TIMEZONE: &str = "date.timezone";
pub(super) const TIMESTAMP_FIELDS: &str = "timestamp.fields.list";
pub(super) const TIMESTAMP_PRECISION: &str = "timestamp.precision.mode";
pub(super) const CALENDAR: &str = "date.calendar.system";
pub(super) const STRING_COLUMN: &str = "string.output.value.column.name";
pub(super) const AUTO_CREATE: &str = "auto.create";
pub(super) const AUTO_EVOLVE: &str = "auto.evolve";
pub(super) const QUOTE: &str = "quote.sql.identifiers";
pub(super) const HOLDLOCK: &str = "mssql.use.merge.holdlock";
pub(super) const MAX_RETRIES: &str = "max.retries";
pub(super) const RETRY_BACKOFF: &str = "retry.backoff.ms";
pub(super) const TRIM_LOG: &str = "trim.sensitive.log";

// Aiven's only.
pub(super) const AIVEN_QUOTE: &str = "sql.quote.identifiers";
pub(super) const NORMALIZE: &str = "table.name.normalize";
pub(super) const TOPICS_TO_TABLES: &str = "topics.to.tables.mapping";

// Ours.
pub(super) const EXACTLY_ONCE: &str = "exactly.once.enabled";
pub(super) const EXACTLY_ONCE_TABLE: &str = "exactly.once.table";
pub(super) const SCHEMALESS: &str = "schemaless.values";
pub(super) const WIDEN: &str = "auto.evolve.widen";

pub(super) const WRITES: &str = "Writes";
pub(super) const MAPPING: &str = "Data Mapping";
pub(super) const DDL: &str = "DDL Support";
const RETRIES: &str = "Retries";
const EXTENSIONS: &str = "Extensions";

pub(super) const fn url(group: &'static str) -> ConfigKey {
    ConfigKey::new(
        URL,
        Ty::String,
        "The database: jdbc:mariadb://HOST:PORT/DATABASE, jdbc:mysql://HOST:PORT/DATABASE, \
         jdbc:postgresql://HOST:PORT/DATABASE or jdbc:sqlite:/path/to/file.db. \
         Driver parameters may follow a '?'; those unknown here are ignored with a log line. Other keys that begin with \
         'connection.' are taken as driver parameters too.",
    )
    .required()
    .valid(Validator::NonEmpty)
    .importance(Importance::High)
    .group(group, "JDBC URL", Width::Long)
}

pub(super) const fn user(group: &'static str) -> ConfigKey {
    ConfigKey::new(USER, Ty::String, "The database user; wins over a user in the URL.")
        .importance(Importance::High)
        .group(group, "JDBC User", Width::Medium)
}

pub(super) const fn password(group: &'static str) -> ConfigKey {
    ConfigKey::new(PASSWORD, Ty::Password, "The user's password; wins over a password in the URL.")
        .importance(Importance::High)
        .group(group, "JDBC Password", Width::Medium)
}

pub(super) const fn dialect(group: &'static str, width: Width) -> ConfigKey {
    ConfigKey::new(
        DIALECT,
        Ty::String,
        "The dialect follows from the URL; it may be named here (MySqlDatabaseDialect, PostgreSqlDatabaseDialect, \
         SqliteDatabaseDialect), but another than the URL's is refused.",
    )
    .default("")
    .recommend(DIALECTS)
    .group(group, "Database Dialect", width)
}

pub(super) const fn insert_mode(modes: &'static [&'static str]) -> ConfigKey {
    ConfigKey::new(
        INSERT_MODE,
        Ty::String,
        "insert (and multi): plain INSERT, many rows in a statement. upsert: insert a row or, if its key is there, overwrite \
         the record's own columns in it; gives the same table when records come again. update: overwrite the record's own \
         columns in the row with its key; where there is no such row, nothing happens.",
    )
    .default("insert")
    .valid(Validator::OneOfIgnoreCase(modes))
    .importance(Importance::High)
    .group(WRITES, "Insert Mode", Width::Medium)
}

pub(super) const fn batch_size() -> ConfigKey {
    ConfigKey::new(
        BATCH_SIZE,
        Ty::Int,
        "The most rows that are written at a time. The database's own limits may split them into several statements, of one \
         transaction.",
    )
    .default("3000")
    .valid(Validator::AtLeast(0))
    .importance(Importance::Medium)
    .group(WRITES, "Batch Size", Width::Short)
}

pub(super) const fn delete_enabled(display_name: &'static str) -> ConfigKey {
    ConfigKey::new(
        DELETE_ENABLED,
        Ty::Boolean,
        "Delete the row with the record's key when a record has no value (a tombstone). Needs pk.mode=record_key. Without \
         it a record that has no value cannot be written.",
    )
    .default("false")
    .importance(Importance::Medium)
    .group(WRITES, display_name, Width::Short)
}

pub(super) const fn table_name_format() -> ConfigKey {
    ConfigKey::new(
        TABLE_NAME_FORMAT,
        Ty::String,
        "The table of a topic; ${topic} stands for the topic's name. DATABASE.TABLE (PostgreSQL: SCHEMA.TABLE, also with the \
         database in front) names a table elsewhere; a part in back-ticks or double quotes may hold dots.",
    )
    .default("${topic}")
    .importance(Importance::Medium)
    .group(MAPPING, "Table Name Format", Width::Long)
}

pub(super) const fn pk_mode() -> ConfigKey {
    ConfigKey::new(
        PK_MODE,
        Ty::String,
        "Where a row's key comes from. none: no key. kafka: topic, partition and offset. record_key: the record's key, \
         or fields of it. record_value: fields of the record's value.",
    )
    .default("none")
    .valid(Validator::OneOfIgnoreCase(&["none", "kafka", "record_key", "record_value"]))
    .importance(Importance::High)
    .group(MAPPING, "Primary Key Mode", Width::Medium)
}

pub(super) const fn pk_fields() -> ConfigKey {
    ConfigKey::new(
        PK_FIELDS,
        Ty::List,
        "The key's columns. kafka: three names, default __connect_topic, __connect_partition, __connect_offset. \
         record_key: the column's name for a primitive key, else fields of the key (empty: all). record_value: fields \
         of the value (empty: all).",
    )
    .default("")
    .importance(Importance::Medium)
    .group(MAPPING, "Primary Key Fields", Width::Long)
}

pub(super) const fn whitelist() -> ConfigKey {
    ConfigKey::new(
        WHITELIST,
        Ty::List,
        "The fields of the value to write; empty: all. Key fields are always written.",
    )
    .default("")
    .importance(Importance::Medium)
    .group(MAPPING, "Fields Whitelist", Width::Long)
}

pub(super) const fn db_timezone(group: &'static str, display_name: &'static str) -> ConfigKey {
    ConfigKey::new(
        DB_TIMEZONE,
        Ty::String,
        "The zone whose clock the database's dates and times show: a name such as Europe/Berlin, or an offset such as \
         +01:00. SQLite holds points in time, which have no zone.",
    )
    .default("UTC")
    .valid(Validator::Check(rules::time_zone))
    .importance(Importance::Medium)
    .group(group, display_name, Width::Medium)
}

pub(super) const fn auto_create() -> ConfigKey {
    ConfigKey::new(AUTO_CREATE, Ty::Boolean, "Create a missing table from the record's schema.")
        .default("false")
        .importance(Importance::Medium)
        .group(DDL, "Auto-Create", Width::Short)
}

pub(super) const fn auto_evolve() -> ConfigKey {
    ConfigKey::new(
        AUTO_EVOLVE,
        Ty::Boolean,
        "Add columns that a record has and its table lacks. Columns are never dropped or renamed; see auto.evolve.widen \
         for their types.",
    )
    .default("false")
    .importance(Importance::Medium)
    .group(DDL, "Auto-Evolve", Width::Short)
}

pub(super) const fn max_retries() -> ConfigKey {
    ConfigKey::new(
        MAX_RETRIES,
        Ty::Int,
        "How many times in a row to try again after an error that may pass (lost connection, deadlock, lock wait). \
         Errors that cannot pass fail the task at once.",
    )
    .default("10")
    .valid(Validator::AtLeast(0))
    .importance(Importance::Medium)
    .group(RETRIES, "Maximum Retries", Width::Short)
}

pub(super) const fn retry_backoff() -> ConfigKey {
    ConfigKey::new(RETRY_BACKOFF, Ty::Int, "Milliseconds to wait before trying again.")
        .default("3000")
        .valid(Validator::AtLeast(0))
        .importance(Importance::Medium)
        .group(RETRIES, "Retry Backoff (millis)", Width::Short)
}

/// The reference has none of these; they come last, so that its own keys stay where they are.
pub(super) const EXTENSION_KEYS: [ConfigKey; 4] = [
    ConfigKey::new(
        EXACTLY_ONCE,
        Ty::Boolean,
        "Write each record exactly once: the position in each partition is kept in a table of the same database and moves in \
         the same transaction as the rows.",
    )
    .default("false")
    .importance(Importance::Medium)
    .group(EXTENSIONS, "Exactly Once", Width::Short),
    ConfigKey::new(
        EXACTLY_ONCE_TABLE,
        Ty::String,
        "The table of exactly.once.enabled; it is created where it is missing. Several connectors may share it.",
    )
    .default("__connect_offsets")
    .valid(Validator::NonEmpty)
    .group(EXTENSIONS, "Exactly Once Table", Width::Medium),
    ConfigKey::new(
        SCHEMALESS,
        Ty::String,
        "What to do with records without a schema (JsonConverter with schemas.enable=false). reject: they cannot be written. \
         table: each field goes to the table's column of its name, in that column's type. infer: a schema is made from the \
         record itself: integers int64, fractions float64, texts string, true and false boolean, objects and arrays \
         their JSON text.",
    )
    .default("reject")
    .valid(Validator::OneOfIgnoreCase(&["reject", "table", "infer"]))
    .importance(Importance::Medium)
    .group(EXTENSIONS, "Schemaless Values", Width::Medium),
    ConfigKey::new(
        WIDEN,
        Ty::Boolean,
        "With auto.evolve, also change a column to a larger type of its kind when a schema needs it (INT to BIGINT, a longer \
         VARCHAR); never to one that could lose a value.",
    )
    .default("false")
    .group(EXTENSIONS, "Widen Columns", Width::Short),
];
