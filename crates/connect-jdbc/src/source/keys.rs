//! The source's keys: their names, and those that Confluent's and Aiven's tables say alike.

use super::rules;
use crate::config::{ATTEMPTS, BACKOFF, DIALECT, DIALECTS, PASSWORD, USER};
use connect_api::ConfigMap;
use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Validator, Width};

pub(super) const WHITELIST: &str = "table.whitelist";
pub(super) const BLACKLIST: &str = "table.blacklist";
pub(super) const INCLUDE_LIST: &str = "table.include.list";
pub(super) const EXCLUDE_LIST: &str = "table.exclude.list";
pub(super) const CATALOG_PATTERN: &str = "catalog.pattern";
pub(super) const SCHEMA_PATTERN: &str = "schema.pattern";
pub(super) const NUMERIC_PRECISION_MAPPING: &str = "numeric.precision.mapping";
pub(super) const NUMERIC_MAPPING: &str = "numeric.mapping";
pub(super) const CALENDAR: &str = "date.calendar.system";
pub(super) const MODE: &str = "mode";
pub(super) const INCREMENTING_COLUMN: &str = "incrementing.column.name";
pub(super) const TIMESTAMP_COLUMN: &str = "timestamp.column.name";
pub(super) const TIMESTAMP_MAPPING: &str = "timestamp.columns.mapping";
pub(super) const INCREMENTING_MAPPING: &str = "incrementing.column.mapping";
pub(super) const TIMESTAMP_INITIAL: &str = "timestamp.initial";
pub(super) const VALIDATE_NON_NULL: &str = "validate.non.null";
pub(super) const QUERY: &str = "query";
pub(super) const QUERY_MASKED: &str = "query.masked";
pub(super) const QUOTE: &str = "quote.sql.identifiers";
pub(super) const QUERY_SUFFIX: &str = "query.suffix";
pub(super) const ISOLATION: &str = "transaction.isolation.mode";
pub(super) const QUERY_RETRIES: &str = "query.retry.attempts";
pub(super) const TABLE_TYPES: &str = "table.types";
pub(super) const POLL_INTERVAL: &str = "poll.interval.ms";
pub(super) const BATCH_MAX_ROWS: &str = "batch.max.rows";
pub(super) const MAX_BUFFER: &str = "max.buffer.size";
pub(super) const POLL_LINGER: &str = "poll.linger.ms";
pub(super) const STARTUP_LIMIT: &str = "table.monitoring.startup.polling.limit.ms";
pub(super) const TABLE_POLL_INTERVAL: &str = "table.poll.interval.ms";
pub(super) const TOPIC_PREFIX: &str = "topic.prefix";
pub(super) const DELAY: &str = "timestamp.delay.interval.ms";
pub(super) const DB_TIMEZONE: &str = "db.timezone";
pub(super) const GRANULARITY: &str = "timestamp.granularity";

// Ours.
pub(super) const RECORD_KEY: &str = "record.key.primary.key";
pub(super) const SNAPSHOT_SPLITS: &str = "snapshot.splits";
pub(super) const LOOKBACK_ROWS: &str = "lookback.rows";
pub(super) const LOOKBACK_MS: &str = "lookback.ms";
pub(super) const NUMERIC_DECIMALS: &str = "numeric.mapping.decimals";

pub(super) const DATABASE: &str = "Database";
pub(super) const MODE_GROUP: &str = "Mode";
pub(super) const CONNECTOR: &str = "Connector";
const EXTENSIONS: &str = "Extensions";

pub(super) const URL_DOC: &str = "The database to read: jdbc:mariadb://HOST:PORT/DATABASE, jdbc:mysql://HOST:PORT/DATABASE, \
     jdbc:postgresql://HOST:PORT/DATABASE or jdbc:sqlite:/path/to/file.db. Only this database is searched for tables unless \
     catalog.pattern says otherwise. Driver parameters may follow a '?'; those unknown here are ignored with a log line. Other \
     keys that begin with 'connection.' are taken as driver parameters too.";

pub(super) const fn user() -> ConfigKey {
    ConfigKey::new(USER, Ty::String, "The database user; wins over a user in the URL.")
        .importance(Importance::High)
}

pub(super) const fn password() -> ConfigKey {
    ConfigKey::new(PASSWORD, Ty::Password, "The user's password; wins over a password in the URL.")
        .importance(Importance::High)
}

pub(super) const fn attempts() -> ConfigKey {
    ConfigKey::new(
        ATTEMPTS,
        Ty::Int,
        "How many times in a row connecting may fail before the connector or task fails.",
    )
    .default("3")
    .valid(Validator::AtLeast(1))
    .group(DATABASE, "JDBC connection attempts", Width::Short)
}

pub(super) const fn backoff() -> ConfigKey {
    ConfigKey::new(BACKOFF, Ty::Long, "Milliseconds to wait between two attempts to connect.")
        .default("10000")
        .valid(Validator::AtLeast(0))
        .group(DATABASE, "JDBC connection backoff in milliseconds", Width::Short)
}

pub(super) const fn whitelist() -> ConfigKey {
    ConfigKey::new(
        WHITELIST,
        Ty::List,
        "The tables to read: the name alone, or with its database or schema, quoted or not. Not together with \
         table.blacklist.",
    )
    .default("")
    .importance(Importance::Medium)
    .group(DATABASE, "Table Whitelist", Width::Long)
}

pub(super) const fn blacklist() -> ConfigKey {
    ConfigKey::new(
        BLACKLIST,
        Ty::List,
        "The tables not to read, named as in table.whitelist, with which it does not go together.",
    )
    .default("")
    .importance(Importance::Medium)
    .group(DATABASE, "Table Blacklist", Width::Long)
}

pub(super) const fn catalog_pattern() -> ConfigKey {
    ConfigKey::new(
        CATALOG_PATTERN,
        Ty::String,
        "On MariaDB and MySQL, the databases in which tables are looked for (% and _ stand for any characters and any one); \
         without this key the database of the URL, or every one but the server's own if the URL names none. On PostgreSQL only \
         the URL's database can be read. SQLite has no catalogs.",
    )
    .importance(Importance::Medium)
}

pub(super) const fn schema_pattern(importance: Importance) -> ConfigKey {
    ConfigKey::new(
        SCHEMA_PATTERN,
        Ty::String,
        "On PostgreSQL, the schemas in which tables are looked for (% and _ stand for any characters and any one); without this \
         key every schema but the server's own. The other databases have none.",
    )
    .importance(importance)
    .group(DATABASE, "Schema pattern", Width::Short)
}

pub(super) const fn numeric_precision_mapping() -> ConfigKey {
    ConfigKey::new(
        NUMERIC_PRECISION_MAPPING,
        Ty::Boolean,
        "The older form of numeric.mapping=precision_only; numeric.mapping wins over it.",
    )
    .default("false")
    .group(DATABASE, "Map Numeric Values By Precision (deprecated)", Width::Short)
}

/// The mode as it stands, which a form may not have filled in yet: then nothing is hidden.
pub(super) fn with_incrementing(config: &ConfigMap) -> bool {
    !matches!(config.get(MODE).map(String::as_str), Some("bulk" | "timestamp"))
}

pub(super) fn with_timestamp(config: &ConfigMap) -> bool {
    !matches!(config.get(MODE).map(String::as_str), Some("bulk" | "incrementing"))
}

fn with_columns(config: &ConfigMap) -> bool {
    config.get(MODE).map(String::as_str) != Some("bulk")
}

pub(super) const fn incrementing_column() -> ConfigKey {
    ConfigKey::new(
        INCREMENTING_COLUMN,
        Ty::String,
        "The column whose value is larger in each new row. Empty: the table's single auto-increment column. It may not be \
         nullable, unless validate.non.null=false.",
    )
    .default("")
    .importance(Importance::Medium)
    .group(MODE_GROUP, "Incrementing Column Name", Width::Medium)
    .visible_if(with_incrementing)
}

pub(super) const fn timestamp_column() -> ConfigKey {
    ConfigKey::new(
        TIMESTAMP_COLUMN,
        Ty::List,
        "The column that tells when a row was written, or several of which the first that is not null counts.",
    )
    .default("")
    .importance(Importance::Medium)
    .group(MODE_GROUP, "Timestamp Column Name", Width::Medium)
    .visible_if(with_timestamp)
}

pub(super) const fn validate_non_null() -> ConfigKey {
    ConfigKey::new(
        VALIDATE_NON_NULL,
        Ty::Boolean,
        "Whether a task fails when the incrementing column, or every timestamp column, is nullable: rows without a value there \
         are never read.",
    )
    .default("true")
    .group(MODE_GROUP, "Validate Non Null", Width::Short)
    .visible_if(with_columns)
}

pub(super) const fn query() -> ConfigKey {
    ConfigKey::new(
        QUERY,
        Ty::String,
        "A SELECT to read instead of tables: a join, some columns, some rows. Except in bulk mode a WHERE is added to it, so it may \
         have none of its own. Its records go to the topic that topic.prefix names.",
    )
    .default("")
    .importance(Importance::Medium)
    .group(MODE_GROUP, "Query", Width::Short)
}

pub(super) const fn table_types() -> ConfigKey {
    ConfigKey::new(
        TABLE_TYPES,
        Ty::List,
        "The kinds of tables to look for: TABLE, VIEW, SYSTEM TABLE, GLOBAL TEMPORARY, LOCAL TEMPORARY, ALIAS, SYNONYM and whatever \
         else the database calls them (PARTITIONED TABLE, MATERIALIZED VIEW). A kind that a database does not have finds nothing.",
    )
    .default("TABLE")
    .group(CONNECTOR, "Table Types", Width::Medium)
}

pub(super) const fn poll_interval() -> ConfigKey {
    ConfigKey::new(POLL_INTERVAL, Ty::Int, "Milliseconds between two looks for new rows in a table.")
        .default("5000")
        .valid(Validator::AtLeast(0))
        .importance(Importance::High)
        .group(CONNECTOR, "Poll Interval (ms)", Width::Short)
}

pub(super) const fn batch_max_rows(default: &'static str) -> ConfigKey {
    ConfigKey::new(BATCH_MAX_ROWS, Ty::Int, "The most rows that are handed on at a time.")
        .default(default)
        .valid(Validator::AtLeast(1))
        .group(CONNECTOR, "Max Rows Per Batch", Width::Short)
}

pub(super) const fn table_poll_interval() -> ConfigKey {
    ConfigKey::new(
        TABLE_POLL_INTERVAL,
        Ty::Long,
        "Milliseconds between two looks for tables that have come or gone; when there are any, the tasks are configured anew.",
    )
    .default("60000")
    .valid(Validator::AtLeast(1))
    .group(CONNECTOR, "Metadata Change Monitoring Interval (ms)", Width::Short)
}

pub(super) const MODE_DOC: &str = "How new rows are found. bulk: not at all, the whole table is read each time. incrementing: by a column that grows with \
     each new row; changed rows are not seen. timestamp: by a column that tells when a row was written; rows with the \
     same time may be missed. timestamp+incrementing: by both, which misses neither. Deleted rows are never seen.";

pub(super) const TOPIC_PREFIX_DOC: &str =
    "What stands before the table's name in the name of its topic; for a query it is the topic's whole name.";

pub(super) const fn delay() -> ConfigKey {
    ConfigKey::new(
        DELAY,
        Ty::Long,
        "Milliseconds that a row must be old, by its timestamp and the database's clock, before it is read: time for transactions \
         with an earlier timestamp to be committed.",
    )
    .default("0")
    .importance(Importance::High)
    .group(CONNECTOR, "Delay Interval (ms)", Width::Medium)
}

pub(super) const fn db_timezone() -> ConfigKey {
    ConfigKey::new(
        DB_TIMEZONE,
        Ty::String,
        "The zone of the database's dates and times that have none of their own: a name such as Asia/Seoul, or an offset.",
    )
    .default("UTC")
    .valid(Validator::Check(rules::time_zone))
    .importance(Importance::Medium)
}

pub(super) const fn dialect() -> ConfigKey {
    ConfigKey::new(
        DIALECT,
        Ty::String,
        "Empty: the dialect follows from the URL. Another one than the URL's is not supported.",
    )
    .default("")
    .valid(Validator::Check(rules::dialect))
    .recommend(DIALECTS)
}

/// Ours, last in both tables.
pub(super) const EXTENSION_KEYS: [ConfigKey; 5] = [
    ConfigKey::new(
        RECORD_KEY,
        Ty::Boolean,
        "Whether records get a key: a struct of the table's primary key columns. Without it keys are null, as in Java's connector. \
         Not with a query.",
    )
    .default("false")
    .group(EXTENSIONS, "Record Key From Primary Key", Width::Short),
    ConfigKey::new(
        SNAPSHOT_SPLITS,
        Ty::Int,
        "In incrementing mode, into how many ranges of the column a table is split that is read for the first time; the ranges \
         are read at the same time. 1: one after the other, in order.",
    )
    .default("1")
    .valid(Validator::Between(1, 64))
    .group(EXTENSIONS, "Snapshot Splits", Width::Short),
    ConfigKey::new(
        LOOKBACK_ROWS,
        Ty::Long,
        "In incrementing mode, how far below the highest value read rows are looked for again that were committed late; a row that \
         was seen is not sent again while the task runs. 0: not at all. For modes with timestamps there is lookback.ms.",
    )
    .default("0")
    .valid(Validator::Between(0, 1_000_000))
    .group(EXTENSIONS, "Look-back Window (rows)", Width::Short),
    ConfigKey::new(
        LOOKBACK_MS,
        Ty::Long,
        "In modes with a timestamp column, how many milliseconds before the highest value read rows are looked for again that were \
         committed late; a row that was seen is not sent again while the task runs. 0: not at all.",
    )
    .default("0")
    .valid(Validator::Between(0, 86_400_000))
    .group(EXTENSIONS, "Look-back Window (ms)", Width::Short),
    ConfigKey::new(
        NUMERIC_DECIMALS,
        Ty::Boolean,
        "Whether numeric.mapping is true of DECIMAL columns too, which is what MariaDB and MySQL call all of them.",
    )
    .default("false")
    .group(EXTENSIONS, "Map DECIMAL Columns As NUMERIC", Width::Short),
];
