//! The table of keys of `io.aiven.connect.jdbc.JdbcSourceConnector`.

use super::keys::*;
use super::rules;
use crate::config::URL;
use connect_api::ConfigDef;
use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Validator, Width};

pub(super) const INCREMENTING_INITIAL: &str = "incrementing.initial";
pub(super) const TIMESTAMP_INITIAL_MS: &str = "timestamp.initial.ms";
pub(super) const QUALIFY: &str = "table.names.qualify";
pub(super) const SQL_QUOTE: &str = "sql.quote.identifiers";

pub(super) static DEF: ConfigDef = ConfigDef::new(&[
    ConfigKey::new(URL, Ty::String, URL_DOC)
        .required()
        .importance(Importance::High)
        .group(DATABASE, "JDBC URL", Width::Long)
        .dependents(&[WHITELIST, BLACKLIST]),
    user().group(DATABASE, "JDBC User", Width::Medium),
    password().group(DATABASE, "JDBC Password", Width::Medium),
    attempts(),
    backoff(),
    whitelist(),
    blacklist(),
    catalog_pattern().group(DATABASE, "Catalog pattern", Width::Short),
    schema_pattern(Importance::Medium),
    numeric_precision_mapping(),
    ConfigKey::new(
        NUMERIC_MAPPING,
        Ty::String,
        "What becomes of NUMERIC columns. none: Decimal. precision_only: whole numbers become the smallest integer type that holds \
         them, up to int64. best_fit: those too, and numbers with a fraction float64 as far as its digits last.",
    )
    .valid(Validator::Check(rules::aiven_numeric_mapping))
    .group(DATABASE, "Map Numeric Values, Integral or Decimal, By Precision and Scale", Width::Short)
    .recommend(&["none", "precision_only", "best_fit"]),
    ConfigKey::new(
        QUALIFY,
        Ty::Boolean,
        "Whether queries name a table with its database or schema. If not, the database's search path decides, and tables of the same \
         name count as one.",
    )
    .default("true")
    .group(DATABASE, "Qualify table names", Width::Short),
    db_timezone().group(DATABASE, "DB time zone", Width::Medium),
    dialect().group(DATABASE, "Database Dialect", Width::Medium),
    ConfigKey::new(
        SQL_QUOTE,
        Ty::Boolean,
        "Whether names stand in quotation marks in SQL. Without them PostgreSQL takes names in lower case.",
    )
    .default("true")
    .group(DATABASE, "Quote SQL Identifiers", Width::Short),
    ConfigKey::new(MODE, Ty::String, MODE_DOC)
    .required()
    .valid(Validator::OneOf(&["bulk", "timestamp", "incrementing", "timestamp+incrementing"]))
    .importance(Importance::High)
    .group(MODE_GROUP, "Table Loading Mode", Width::Medium)
    .dependents(&[
        INCREMENTING_COLUMN,
        TIMESTAMP_COLUMN,
        VALIDATE_NON_NULL,
        TIMESTAMP_INITIAL_MS,
        INCREMENTING_INITIAL,
    ]),
    incrementing_column(),
    timestamp_column(),
    validate_non_null(),
    query(),
    ConfigKey::new(
        TIMESTAMP_INITIAL_MS,
        Ty::Long,
        "Rows with a later time than this are read from a table never read before, in milliseconds since the epoch.",
    )
    .default("0")
    .importance(Importance::Medium)
    .group(MODE_GROUP, "Initial timestamp (ms since epoch, can be negative)", Width::Medium),
    ConfigKey::new(
        INCREMENTING_INITIAL,
        Ty::Long,
        "Rows with a larger value than this are read from a table never read before: smaller for rows with values below 0, larger \
         to skip rows.",
    )
    .default("-1")
    .importance(Importance::Medium)
    .group(MODE_GROUP, "Incrementing Column Initial Value", Width::Medium),
    table_types(),
    poll_interval(),
    batch_max_rows("100"),
    table_poll_interval(),
    ConfigKey::new(TOPIC_PREFIX, Ty::String, TOPIC_PREFIX_DOC)
        .required()
        .importance(Importance::High)
        .group(CONNECTOR, "Topic Prefix", Width::Medium),
    delay(),
    EXTENSION_KEYS[0],
    EXTENSION_KEYS[1],
    EXTENSION_KEYS[2],
    EXTENSION_KEYS[3],
    EXTENSION_KEYS[4],
]);
