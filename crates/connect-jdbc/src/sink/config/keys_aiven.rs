//! The table of keys of `io.aiven.connect.jdbc.JdbcSinkConnector`.

use super::keys::*;
use super::rules;
use connect_api::ConfigDef;
use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Validator, Width};

const DATABASE: &str = "Database";

pub(in crate::sink) static DEF: ConfigDef = ConfigDef::new(&[
    url(DATABASE),
    user(DATABASE),
    password(DATABASE),
    db_timezone(DATABASE, "DB time zone"),
    dialect(DATABASE, Width::Medium),
    ConfigKey::new(AIVEN_QUOTE, Ty::Boolean, "Whether to quote the names of tables and columns.")
        .default("true")
        .group(DATABASE, "Quote SQL Identifiers", Width::Short),
    insert_mode(&["insert", "multi", "upsert", "update"]),
    batch_size(),
    delete_enabled("Delete enabled"),
    table_name_format(),
    ConfigKey::new(
        NORMALIZE,
        Ty::Boolean,
        "Put '_' for each character of the table's name (after table.name.format) that is no ASCII letter, digit or '_'.",
    )
    .default("false")
    .importance(Importance::Medium)
    .group(MAPPING, "Table Name Normalize", Width::Long),
    ConfigKey::new(
        TOPICS_TO_TABLES,
        Ty::List,
        "The tables of some topics, as TOPIC:TABLE,TOPIC:TABLE; wins over table.name.format and table.name.normalize. Topics \
         that are not listed keep to those.",
    )
    .valid(Validator::Check(rules::topics_to_tables))
    .importance(Importance::Medium)
    .group(MAPPING, "Topics To Tables Mapping", Width::Long),
    pk_mode(),
    pk_fields(),
    whitelist(),
    auto_create(),
    auto_evolve(),
    max_retries(),
    retry_backoff(),
    EXTENSION_KEYS[0],
    EXTENSION_KEYS[1],
    EXTENSION_KEYS[2],
    EXTENSION_KEYS[3],
]);
