//! The table of keys of `io.confluent.connect.jdbc.JdbcSourceConnector`.

use super::keys::*;
use super::rules;
use crate::config::{CREDENTIALS_PROVIDER, DEFAULT_CREDENTIALS_PROVIDER, URL};
use connect_api::ConfigDef;
use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Validator, Width};

pub(super) static DEF: ConfigDef = ConfigDef::new(&[
    ConfigKey::new(URL, Ty::String, URL_DOC)
        .default("")
        .importance(Importance::High)
        .group(DATABASE, "JDBC URL", Width::Long)
        .dependents(&[WHITELIST, BLACKLIST]),
    user().group(DATABASE, "JDBC User", Width::Long),
    password().group(DATABASE, "JDBC Password", Width::Short),
    ConfigKey::new(
        CREDENTIALS_PROVIDER,
        Ty::Class,
        "A class that provides user and password. Only the default is supported: connection.user and connection.password.",
    )
    .default(DEFAULT_CREDENTIALS_PROVIDER)
    .group(DATABASE, "JDBC Credentials Provider Class", Width::Long),
    attempts(),
    backoff(),
    whitelist(),
    blacklist(),
    ConfigKey::new(
        INCLUDE_LIST,
        Ty::List,
        "Regular expressions for the full names of the tables to read (mydb.users on MariaDB, public.users on PostgreSQL), \
         which they must match from end to end, case and all. Not together with table.whitelist or table.blacklist.",
    )
    .default("")
    .valid(Validator::Check(rules::regexes))
    .importance(Importance::Medium)
    .group(DATABASE, "Tables Included (Regex)", Width::Long),
    ConfigKey::new(
        EXCLUDE_LIST,
        Ty::List,
        "Regular expressions for the full names of tables not to read among those that table.include.list finds; not without it.",
    )
    .default("")
    .valid(Validator::Check(rules::regexes))
    .importance(Importance::Medium)
    .group(DATABASE, "Tables Excluded (Regex)", Width::Long),
    // The reference's own slip: both patterns have this name.
    catalog_pattern().group(DATABASE, "Schema pattern", Width::Short),
    schema_pattern(Importance::High),
    numeric_precision_mapping(),
    ConfigKey::new(
        NUMERIC_MAPPING,
        Ty::String,
        "What becomes of NUMERIC columns. none: Decimal. precision_only: whole numbers become the smallest integer type that holds \
         them, up to int64. best_fit: those too, and numbers with a fraction float64 as far as its digits last. \
         best_fit_eager_double: those too, and all numbers with a fraction float64.",
    )
    .valid(Validator::Check(rules::numeric_mapping))
    .group(DATABASE, "Map Numeric Values, Integral or Decimal, By Precision and Scale", Width::Short)
    .recommend(&["none", "precision_only", "best_fit", "best_fit_eager_double"]),
    dialect().group(DATABASE, "Database Dialect", Width::Long),
    ConfigKey::new(
        CALENDAR,
        Ty::String,
        "What dates before 1582-10-15 mean. LEGACY: the Julian calendar, as Java's older classes have it. PROLEPTIC_GREGORIAN: today's \
         calendar, as databases count.",
    )
    .default("LEGACY")
    .valid(Validator::OneOf(&["LEGACY", "PROLEPTIC_GREGORIAN"]))
    .group(DATABASE, "Date Calendar System", Width::Medium),
    ConfigKey::new(MODE, Ty::String, MODE_DOC)
    .default("")
    .valid(Validator::OneOf(&["", "bulk", "timestamp", "incrementing", "timestamp+incrementing"]))
    .importance(Importance::High)
    .group(MODE_GROUP, "Table Loading Mode", Width::Medium)
    .dependents(&[
        INCREMENTING_COLUMN,
        TIMESTAMP_COLUMN,
        INCREMENTING_MAPPING,
        TIMESTAMP_MAPPING,
        VALIDATE_NON_NULL,
    ]),
    incrementing_column(),
    timestamp_column(),
    ConfigKey::new(
        TIMESTAMP_MAPPING,
        Ty::List,
        "Timestamp columns per table, as regex:[column|column],...; the regular expression must match the table's full name from end \
         to end, and each table read must match exactly one.",
    )
    .default("")
    .valid(Validator::Check(rules::timestamp_mapping))
    .importance(Importance::Medium)
    .group(MODE_GROUP, "Table to timestamp columns mappings", Width::Long)
    .visible_if(with_timestamp),
    ConfigKey::new(
        INCREMENTING_MAPPING,
        Ty::List,
        "The incrementing column per table, as regex:column,...; the regular expression must match the table's full name from end \
         to end, and each table read must match exactly one.",
    )
    .default("")
    .valid(Validator::Check(rules::incrementing_mapping))
    .importance(Importance::Medium)
    .group(MODE_GROUP, "Table to incrementing column mappings", Width::Long)
    .visible_if(with_incrementing),
    ConfigKey::new(
        TIMESTAMP_INITIAL,
        Ty::Long,
        "Where timestamp modes begin in a table never read before, in milliseconds since the epoch; -1 is now. Without this key \
         they begin with the first row.",
    )
    .group(MODE_GROUP, "Unix time value of initial timestamp", Width::Medium)
    .visible_if(with_timestamp),
    validate_non_null(),
    query(),
    ConfigKey::new(QUERY_MASKED, Ty::Password, "As query, but never shown in logs and answers.")
        .default("")
        .importance(Importance::Medium)
        .group(MODE_GROUP, "Query (Masked)", Width::Short)
        .visible_if(|_| false),
    ConfigKey::new(
        QUOTE,
        Ty::String,
        "Whether names stand in quotation marks in SQL: ALWAYS or NEVER. Without them PostgreSQL takes names in lower case.",
    )
    .default("ALWAYS")
    .importance(Importance::Medium)
    .valid(Validator::OneOfIgnoreCase(&["ALWAYS", "NEVER"]))
    .group(MODE_GROUP, "Quote Identifiers", Width::Medium)
    .recommend(&["always", "never"]),
    ConfigKey::new(QUERY_SUFFIX, Ty::String, "Text to stand at the end of each query, such as LIMIT 1000.")
        .default("")
        .group(MODE_GROUP, "Query suffix", Width::Medium),
    ConfigKey::new(
        ISOLATION,
        Ty::String,
        "The isolation of the transactions in which rows are read: DEFAULT (the database's own), READ_UNCOMMITTED, READ_COMMITTED, \
         REPEATABLE_READ or SERIALIZABLE.",
    )
    .default("DEFAULT")
    .valid(Validator::Check(rules::isolation))
    .group(MODE_GROUP, "Transaction Isolation Mode", Width::Medium)
    .recommend(&[
        "default",
        "read_uncommitted",
        "read_committed",
        "repeatable_read",
        "serializable",
        "sql_server_snapshot",
    ]),
    ConfigKey::new(
        QUERY_RETRIES,
        Ty::Int,
        "How many times in a row a query may fail before the task fails; -1: as often as it likes.",
    )
    .default("-1")
    .valid(Validator::AtLeast(-1))
    .group(MODE_GROUP, "Query Retry Attempts", Width::Medium),
    table_types(),
    poll_interval(),
    batch_max_rows("1000"),
    ConfigKey::new(
        MAX_BUFFER,
        Ty::Int,
        "The most rows that are read ahead of what Kafka has taken; 0: four times batch.max.rows.",
    )
    .default("0")
    .valid(Validator::AtLeast(0))
    .group(CONNECTOR, "Maximum Buffer Size", Width::Short),
    ConfigKey::new(
        POLL_LINGER,
        Ty::Long,
        "The most milliseconds to wait for a row before an empty batch is handed on.",
    )
    .default("5000")
    .valid(Validator::AtLeast(0))
    .group(CONNECTOR, "Poll Linger Milliseconds", Width::Short),
    ConfigKey::new(
        STARTUP_LIMIT,
        Ty::Long,
        "Accepted and not needed: the tables are listed before the tasks are configured, however long it takes.",
    )
    .default("10000"),
    table_poll_interval(),
    ConfigKey::new(TOPIC_PREFIX, Ty::String, TOPIC_PREFIX_DOC)
        .default("")
        .valid(Validator::Check(rules::topic_prefix))
        .importance(Importance::High)
        .group(CONNECTOR, "Topic Prefix", Width::Medium),
    delay(),
    db_timezone().group(CONNECTOR, "DB time zone", Width::Medium),
    ConfigKey::new(
        GRANULARITY,
        Ty::String,
        "How timestamp columns are written: connect_logical (Timestamp, milliseconds), micros_long, micros_string, \
         micros_iso_datetime_string, nanos_long, nanos_string or nanos_iso_datetime_string.",
    )
    .default("connect_logical")
    .valid(Validator::Check(rules::granularity))
    .recommend(rules::GRANULARITIES)
    .group(CONNECTOR, "Timestamp granularity for timestamp columns", Width::Medium),
    EXTENSION_KEYS[0],
    EXTENSION_KEYS[1],
    EXTENSION_KEYS[2],
    EXTENSION_KEYS[3],
    EXTENSION_KEYS[4],
]);
