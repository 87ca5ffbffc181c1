//! The source's keys, as Confluent's connector has them; Aiven's are in `keys_aiven`.

use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Validator, Width};
use connect_api::{ConfigDef, ConfigMap};

use super::rules;
use crate::config::{ATTEMPTS, BACKOFF, CREDENTIALS_PROVIDER, DIALECT, DIALECTS, PASSWORD, URL, USER};

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
const STARTUP_LIMIT: &str = "table.monitoring.startup.polling.limit.ms";
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

const DATABASE: &str = "Database";
pub(super) const MODE_GROUP: &str = "Mode";
const CONNECTOR: &str = "Connector";
const EXTENSIONS: &str = "Extensions";

// What both flavours say the same.

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
    .default("io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider")
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
    ConfigKey::new(
        MODE,
        Ty::String,
        "How new rows are found. bulk: not at all, the whole table is read each time. incrementing: by a column that grows with \
         each new row; changed rows are not seen. timestamp: by a column that tells when a row was written; rows with the \
         same time may be missed. timestamp+incrementing: by both, which misses neither. Deleted rows are never seen.",
    )
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
