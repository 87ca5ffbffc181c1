use super::super::config::{Flavor, SourceConfig, Subject, TableFilter, TimestampInitial};
use super::super::mode::{IncrementingColumn, TableMode};
use super::super::tables::SourceTable;
use connect_api::ConfigMap;

fn map(pairs: &[(&str, &str)]) -> ConfigMap {
    let mut config = ConfigMap::new();
    config.insert("connection.url".into(), "jdbc:mariadb://h/mydb".into());
    config.insert("topic.prefix".into(), "t_".into());
    config.extend(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    config
}

fn read(flavor: Flavor, pairs: &[(&str, &str)]) -> Result<SourceConfig, Vec<(String, String)>> {
    SourceConfig::read(flavor, &map(pairs))
}

/// The keys that are wrong, and how the message of the first begins.
#[track_caller]
fn refused(flavor: Flavor, pairs: &[(&str, &str)], keys: &[&str], message: &str) {
    let faults = read(flavor, pairs).expect_err("a fault");
    let wrong: Vec<&str> = faults.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(wrong, keys, "{faults:?}");
    assert!(faults[0].1.contains(message), "{}", faults[0].1);
}

#[test]
fn the_rules_between_keys_are_those_of_the_reference() {
    use Flavor::Confluent;
    let filters = ["table.whitelist", "table.blacklist", "table.include.list", "table.exclude.list"];
    refused(Confluent, &[], &["mode"], "Query mode must be specified");
    refused(
        Confluent,
        &[("mode", "bulk")],
        &filters,
        "At least one table filtering configuration is required. ",
    );
    refused(
        Confluent,
        &[("mode", "bulk"), ("table.whitelist", "a"), ("table.blacklist", "b")],
        &filters[..2],
        "table.whitelist and table.blacklist are exclusive",
    );
    refused(
        Confluent,
        &[("mode", "incrementing"), ("table.whitelist", "a"), ("incrementing.column.mapping", ".*:id")],
        &["table.whitelist", "incrementing.column.mapping"],
        "Cannot mix legacy and new configuration approaches. ",
    );
    refused(
        Confluent,
        &[("mode", "bulk"), ("query", "select 1"), ("query.masked", "select 2")],
        &["query", "query.masked"],
        "Both 'query' and 'query.masked' configs cannot be set at the same time. ",
    );
    refused(
        Confluent,
        &[("mode", "bulk"), ("query", "select 1"), ("table.whitelist", "a")],
        &["query", "table.whitelist"],
        "Do not specify table filtering configs with 'query'. ",
    );
    refused(
        Confluent,
        &[("mode", "bulk"), ("query.masked", "delete from secrets")],
        &["query.masked"],
        "Only SELECT statements are supported for 'query.masked'. Please provide a statement that starts with SELECT.",
    );
    refused(
        Confluent,
        &[("mode", "bulk"), ("query", "selection of a")],
        &["query"],
        "Only SELECT statements",
    );
    refused(
        Confluent,
        &[("mode", "bulk"), ("query", "select 1"), ("topic.prefix", "")],
        &["topic.prefix"],
        "may not be empty",
    );
    refused(
        Confluent,
        &[("mode", "timestamp+incrementing"), ("query", "select 1"), ("timestamp.column.name", "ts")],
        &["incrementing.column.name"],
        "'incrementing.column.name' must be provided when using mode 'incrementing' or 'timestamp+incrementing' with a custom \
         query. ",
    );
    refused(
        Confluent,
        &[("mode", "bulk"), ("table.exclude.list", "a")],
        &["table.exclude.list"],
        "table.exclude.list cannot be used without table.include.list. ",
    );
    refused(
        Confluent,
        &[("mode", "timestamp"), ("table.include.list", "a")],
        &["mode"],
        "Timestamp column configuration must be provided when using mode 'timestamp' or 'timestamp+incrementing'. Provide \
         'timestamp.columns.mapping'.",
    );
    refused(
        Confluent,
        &[("mode", "timestamp"), ("table.whitelist", "a")],
        &["mode"],
        "Provide 'timestamp.column.name'.",
    );
    refused(
        Confluent,
        &[("mode", "incrementing"), ("table.include.list", "a")],
        &["mode"],
        "Provide 'incrementing.column.mapping'.",
    );
    refused(
        Confluent,
        &[("mode", "bulk"), ("table.include.list", "a"), ("timestamp.columns.mapping", "a:[ts]")],
        &["mode"],
        "Remove 'timestamp.columns.mapping'.",
    );
    refused(
        Confluent,
        &[("mode", "bulk"), ("table.include.list", "a"), ("incrementing.column.mapping", "a:id")],
        &["mode"],
        "Remove 'incrementing.column.mapping'.",
    );
    refused(
        Confluent,
        &[
            ("mode", "timestamp"),
            ("table.whitelist", "a"),
            ("timestamp.column.name", "t"),
            ("snapshot.splits", "4"),
        ],
        &["snapshot.splits"],
        "needs mode=incrementing",
    );
}

#[test]
fn aivens_rules_are_its_own() {
    use Flavor::Aiven;
    refused(Aiven, &[], &["mode"], "Missing required configuration \"mode\" which has no default value.");
    refused(Aiven, &[("mode", "")], &["mode"], "String must be one of: bulk, timestamp");
    refused(
        Aiven,
        &[("mode", "incrementing"), ("table.names.qualify", "false")],
        &["incrementing.column.name"],
        "When using unqualified table names and either incrementing or timestamp+incrementing mode",
    );
    refused(
        Aiven,
        &[("mode", "bulk"), ("numeric.mapping", "best_fit_eager_double")],
        &["numeric.mapping"],
        "Invalid enumerator",
    );
    let config = read(
        Aiven,
        &[
            ("mode", "incrementing"),
            ("incrementing.initial", "-100"),
            ("timestamp.initial.ms", "5"),
            ("sql.quote.identifiers", "false"),
        ],
    )
    .unwrap();
    // No filter is no fault here.
    assert!(matches!(config.subject, Subject::Tables(TableFilter::All)));
    assert_eq!((config.incrementing_initial, config.batch_max_rows), (-100, 100));
    assert_eq!(config.timestamp_initial, TimestampInitial::At(5));
    assert_eq!(config.quoting, crate::dialect::Quoting::Never);
}

#[test]
fn single_values_are_checked_in_the_references_words() {
    let base = [("mode", "bulk"), ("table.whitelist", "a")];
    for (key, value, message) in [
        ("mode", "often", "String must be one of: , bulk, timestamp, incrementing, timestamp+incrementing"),
        ("numeric.mapping", "Best_Fit", "Invalid enumerator"),
        ("timestamp.granularity", "seconds", "Invalid enumerator"),
        ("db.timezone", "Mars/Phobos", "Invalid time zone"),
        ("date.calendar.system", "legacy", "String must be one of: LEGACY, PROLEPTIC_GREGORIAN"),
        ("topic.prefix", "a b", "Topic prefix must not contain any character other than ASCII alphanumerics"),
        (
            "topic.prefix",
            &"x".repeat(250),
            "Topic prefix length must not exceed max topic name length, 249 chars",
        ),
        (
            "table.include.list",
            "a,(b",
            "Must be a valid comma-separated list of regular expression patterns: unclosed group",
        ),
        ("incrementing.column.mapping", "a", "Invalid format. Expected 'regex:columnName'"),
        ("incrementing.column.mapping", "a:", "Column name cannot be empty"),
        ("timestamp.columns.mapping", "a:b", "Columns list must be enclosed in square brackets"),
        ("timestamp.columns.mapping", "a:[]", "Columns list cannot be empty"),
        ("timestamp.columns.mapping", "a:[b||c]", "Every column name should be non-empty string"),
        ("dialect.name", "MyDialect", "Invalid enumerator"),
        (
            "dialect.name",
            "OracleDatabaseDialect",
            "does not fit connection.url, which names a database of MySqlDatabaseDialect",
        ),
        (
            "transaction.isolation.mode",
            "SQL_SERVER_SNAPSHOT",
            "can only be configured with a Sql Server Dialect",
        ),
        ("batch.max.rows", "0", "Value must be at least 1"),
    ] {
        let pairs: Vec<_> =
            base.iter().filter(|(other, _)| *other != key).copied().chain([(key, value)]).collect();
        refused(Flavor::Confluent, &pairs, &[key], message);
    }
}

#[test]
fn columns_are_found_per_table() {
    let users = SourceTable { catalog: Some("mydb".into()), schema: None, name: "users".into() };
    let orders = SourceTable { name: "orders".into(), ..users.clone() };
    let config = read(
        Flavor::Confluent,
        &[
            ("mode", "timestamp+incrementing"),
            ("table.include.list", "mydb[.].*"),
            ("incrementing.column.mapping", r"mydb\.users:id, .*\.o.*:order_id"),
            ("timestamp.columns.mapping", "mydb.users:[changed|created], .*:[at]"),
        ],
    )
    .unwrap();
    let error = config.mode_of(Some(&users)).unwrap_err().to_string();
    assert!(
        error.ends_with("Included table 'mydb.users' matches more than one of the provided regexes"),
        "{error}"
    );
    assert_eq!(
        config.mode_of(Some(&orders)).unwrap(),
        TableMode::TimestampIncrementing {
            incrementing: IncrementingColumn::Named("order_id".into()),
            timestamps: vec!["at".into()],
        }
    );
    let other = SourceTable { name: "x".into(), ..users };
    let error = config.mode_of(Some(&other)).unwrap_err().to_string();
    assert!(error.ends_with("Included table 'mydb.x' does not match any of the provided regexes"), "{error}");

    let config = read(Flavor::Confluent, &[("mode", "incrementing"), ("table.whitelist", "users")]).unwrap();
    assert_eq!(
        config.mode_of(Some(&other)).unwrap(),
        TableMode::Incrementing(IncrementingColumn::Detect),
        "the column is to be detected"
    );
}

#[test]
fn defaults_are_those_of_the_reference() {
    let named = ("dialect.name", "MySqlDatabaseDialect");
    let config = read(Flavor::Confluent, &[("mode", "bulk"), ("table.whitelist", "users"), named]).unwrap();
    assert_eq!((config.batch_max_rows, config.max_buffer), (1000, 4000));
    assert_eq!(config.timestamp_initial, TimestampInitial::At(0));
    assert_eq!(config.query_retries, None);
    assert_eq!(config.poll_interval.as_millis(), 5000);
    assert_eq!(config.table_poll_interval.as_millis(), 60_000);
    assert_eq!(config.connection_backoff.as_millis(), 10_000);
    let query = [("mode", "bulk"), ("query.masked", "SELECT secret FROM a"), ("timestamp.initial", "-1")];
    let config = read(Flavor::Confluent, &query).unwrap();
    assert_eq!(config.timestamp_initial, TimestampInitial::Now);
    assert!(matches!(config.subject, Subject::Query { masked: true, .. }));
}
