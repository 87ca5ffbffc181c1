//! The table of keys of `io.confluent.connect.jdbc.JdbcSinkConnector`.

use super::keys::*;
use super::rules;
use crate::config::{ATTEMPTS, BACKOFF, CREDENTIALS_PROVIDER, DEFAULT_CREDENTIALS_PROVIDER};
use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Validator, Width};
use connect_api::{ConfigDef, ConfigMap};

const CONNECTION: &str = "Connection";
const DML: &str = "DML Support";

fn by_record_key(config: &ConfigMap) -> bool {
    config.get(PK_MODE).is_some_and(|mode| mode.trim().eq_ignore_ascii_case("record_key"))
}

fn deletes(config: &ConfigMap) -> &'static [&'static str] {
    if by_record_key(config) { &["true", "false"] } else { &["false"] }
}

fn pk_modes(config: &ConfigMap) -> &'static [&'static str] {
    match config.get(DELETE_ENABLED) {
        Some(enabled) if enabled.trim().eq_ignore_ascii_case("true") => &["record_key"],
        _ => &["none", "kafka", "record_key", "record_value"],
    }
}

pub(in crate::sink) static DEF: ConfigDef = ConfigDef::new(&[
    url(CONNECTION),
    user(CONNECTION),
    password(CONNECTION),
    ConfigKey::new(
        CREDENTIALS_PROVIDER,
        Ty::Class,
        "A Java class that provides user and password. Only the default can be had: connection.user and connection.password.",
    )
    .default(DEFAULT_CREDENTIALS_PROVIDER)
    .group(CONNECTION, "JDBC Credentials Provider Class", Width::Long),
    dialect(CONNECTION, Width::Long),
    ConfigKey::new(
        ATTEMPTS,
        Ty::Int,
        "How many times in a row connecting may fail before the task fails; max.retries applies when it allows more.",
    )
    .default("3")
    .valid(Validator::AtLeast(1))
    .group(CONNECTION, "JDBC connection attempts", Width::Short),
    ConfigKey::new(
        BACKOFF,
        Ty::Long,
        "Milliseconds to wait after a failed attempt to connect. Without this key a sink waits retry.backoff.ms.",
    )
    .default("10000")
    .valid(Validator::AtLeast(0))
    .group(CONNECTION, "JDBC connection backoff in milliseconds", Width::Short),
    insert_mode(&["insert", "upsert", "update"]),
    batch_size(),
    delete_enabled("Enable deletes").recommend_beside(deletes).visible_if(by_record_key),
    ConfigKey::new(
        TABLE_TYPES,
        Ty::List,
        "What may be written to: TABLE, PARTITIONED TABLE (PostgreSQL; elsewhere those are tables like others), VIEW.",
    )
    .default("TABLE")
    .valid(Validator::Check(rules::table_types))
    .group(WRITES, "Table Types", Width::Medium),
    ConfigKey::new(
        NULL_WITH_DEFAULT,
        Ty::Boolean,
        "Write the default of a field's schema where the record has null. Fields of the key always are.",
    )
    .default("true")
    .group(WRITES, "Replace null value with default value", Width::Medium),
    table_name_format().valid(Validator::NonEmpty),
    pk_mode().recommend_beside(pk_modes),
    pk_fields(),
    whitelist(),
    db_timezone(MAPPING, "DB Time Zone"),
    ConfigKey::new(
        DATE_TIMEZONE,
        Ty::String,
        "The zone of dates (without a time). DB_TIMEZONE: that of db.timezone, as it always was; west of Greenwich the date is \
         then the day before. UTC: the date as it is in the record.",
    )
    .default("DB_TIMEZONE")
    .valid(Validator::OneOfIgnoreCase(&["DB_TIMEZONE", "UTC"]))
    .recommend(&["db_timezone", "utc"])
    .group(MAPPING, "Time Zone used for Date", Width::Medium),
    ConfigKey::new(
        TIMESTAMP_FIELDS,
        Ty::List,
        "The fields of the value, of type int64 or string, that count microseconds or nanoseconds since 1970 and are written \
         as timestamps.",
    )
    .default("")
    .importance(Importance::Medium)
    .group(MAPPING, "Timestamp Fields Whitelist", Width::Medium),
    ConfigKey::new(
        TIMESTAMP_PRECISION,
        Ty::String,
        "What the fields of timestamp.fields.list count: MICROSECONDS or NANOSECONDS. Columns hold microseconds: PostgreSQL's \
         are rounded, MariaDB's cut off.",
    )
    .default("MICROSECONDS")
    .valid(Validator::OneOfIgnoreCase(&["MICROSECONDS", "NANOSECONDS"]))
    .recommend(&["microseconds", "nanoseconds"])
    .group(MAPPING, "Sink Timestamp Precision mode", Width::Medium),
    ConfigKey::new(
        CALENDAR,
        Ty::String,
        "The calendar of dates before 1582-10-15. LEGACY: the Julian one, as in Java's older classes. PROLEPTIC_GREGORIAN: the \
         Gregorian one for all times, as in SQL and in newer programs.",
    )
    .default("LEGACY")
    .valid(Validator::OneOf(&["LEGACY", "PROLEPTIC_GREGORIAN"]))
    .group(MAPPING, "Date Calendar System", Width::Medium),
    ConfigKey::new(
        STRING_COLUMN,
        Ty::String,
        "The column of values that are a text and no struct (StringConverter).",
    )
    .default("record_value")
    .valid(Validator::NonEmpty)
    .group(MAPPING, "String Value Column Name", Width::Medium),
    auto_create(),
    auto_evolve(),
    ConfigKey::new(QUOTE, Ty::String, "Whether to quote the names of tables and columns.")
        .default("ALWAYS")
        .valid(Validator::OneOfIgnoreCase(&["ALWAYS", "NEVER"]))
        .recommend(&["always", "never"])
        .importance(Importance::Medium)
        .group(DDL, "Quote Identifiers", Width::Medium),
    ConfigKey::new(HOLDLOCK, Ty::Boolean, "A matter of SQL Server; without effect on the databases supported here.")
        .default("true")
        .group(DML, "SQL Server - Use HOLDLOCK in MERGE", Width::Medium),
    max_retries(),
    retry_backoff(),
    ConfigKey::new(
        TRIM_LOG,
        Ty::Boolean,
        "Keep the values of records out of log lines and error texts.",
    )
    .default("false")
    .order(-1),
    EXTENSION_KEYS[0],
    EXTENSION_KEYS[1],
    EXTENSION_KEYS[2],
    EXTENSION_KEYS[3],
]);
