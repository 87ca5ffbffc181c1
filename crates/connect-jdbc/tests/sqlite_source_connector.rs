//! The source connector against SQLite files: which tables there are, who reads them, and when that changes.

use connect_api::{ConfigMap, SourceConnector};
use connect_jdbc::JdbcSourceConnector;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::timeout;

/// Long enough for a busy machine; nothing is measured with it.
const LONG: Duration = Duration::from_secs(20);

/// A file of its own that goes away with the value.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("connect-jdbc-source-{name}-{}.db", std::process::id())))
    }

    async fn run(&self, sql: &str) {
        let options = SqliteConnectOptions::new().filename(&self.0).create_if_missing(true);
        let mut conn = options.connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    }

    fn config(&self, pairs: &[(&str, &str)]) -> ConfigMap {
        let mut config = ConfigMap::new();
        config.insert("connection.url".into(), format!("jdbc:sqlite:{}", self.0.display()));
        config.insert("mode".into(), "bulk".into());
        config.insert("topic.prefix".into(), "t_".into());
        config.extend(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        config
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _may_not_exist = std::fs::remove_file(format!("{}{suffix}", self.0.display()));
        }
    }
}

/// The `tables` of each task.
async fn tables(config: &ConfigMap, max_tasks: usize) -> Vec<String> {
    let configs = JdbcSourceConnector::confluent().task_configs(config, max_tasks).await.unwrap();
    let mut tables = Vec::new();
    for mut task in configs {
        assert_eq!(task.shift_remove("tables.fetched").as_deref(), Some("true"));
        tables.push(task.shift_remove("tables").unwrap());
        assert_eq!(&task, config, "nothing else differs");
    }
    tables
}

#[tokio::test]
async fn tables_are_listed_filtered_and_shared_out() {
    let file = File::new("list");
    file.run(
        "CREATE TABLE b(id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE TABLE a(x); CREATE TABLE \"odd,name\"(x);
         CREATE TABLE sqlitefan(x); CREATE VIEW v AS SELECT * FROM a; INSERT INTO b DEFAULT VALUES",
    )
    .await;
    let all = [("table.blacklist", "none")];
    assert_eq!(tables(&file.config(&all), 1).await, [r#""a","b","odd,name","sqlitefan""#]);
    assert_eq!(tables(&file.config(&all), 3).await, [r#""a","b""#, r#""odd,name""#, r#""sqlitefan""#]);
    assert_eq!(tables(&file.config(&all), 9).await, [r#""a""#, r#""b""#, r#""odd,name""#, r#""sqlitefan""#]);
    let both = [("table.blacklist", "none"), ("table.types", "view, TABLE")];
    assert_eq!(tables(&file.config(&both), 1).await, [r#""a","b","odd,name","sqlitefan","v""#]);
    assert_eq!(tables(&file.config(&[("table.whitelist", r#"b,"a""#)]), 1).await, [r#""a","b""#]);
    assert_eq!(tables(&file.config(&[("table.include.list", "[ab]|v")]), 1).await, [r#""a","b""#]);
    assert_eq!(tables(&file.config(&[("table.whitelist", "nothing")]), 4).await, [""]);
    assert_eq!(tables(&file.config(&[("query", "SELECT * FROM a")]), 4).await, [""]);

    let aiven = JdbcSourceConnector::aiven().task_configs(&file.config(&[]), 1).await.unwrap();
    assert_eq!(aiven[0]["tables"], r#""a","b","odd,name","sqlitefan""#);
    assert_eq!(aiven[0].get("tables.fetched"), None, "a key that Aiven's task does not know");
}

#[tokio::test]
async fn the_watch_returns_when_a_table_comes_or_goes() {
    let file = File::new("watch");
    file.run("CREATE TABLE a(x)").await;
    let config = file.config(&[("table.blacklist", "none"), ("table.poll.interval.ms", "20")]);
    let connector = JdbcSourceConnector::confluent();
    for (change, expected) in [
        ("CREATE TABLE b(x)", r#""a","b""#),
        ("DROP TABLE a", r#""b""#),
        ("DROP TABLE b", ""),
        ("CREATE TABLE c(x)", r#""c""#),
    ] {
        let current = connector.task_configs(&config, 2).await.unwrap();
        {
            let watch = connector.watch(&config, 2, &current);
            tokio::pin!(watch);
            let early = timeout(Duration::from_millis(200), &mut watch).await;
            assert!(early.is_err(), "nothing has changed before {change}");
            file.run(change).await;
            timeout(LONG, watch).await.unwrap_or_else(|_| panic!("{change} was not seen"));
        }
        assert_eq!(tables(&config, 1).await, [expected]);
    }
}

#[tokio::test]
async fn the_database_is_asked_when_a_configuration_is_validated() {
    let file = File::new("validate");
    file.run("CREATE TABLE a(x)").await;
    let connector = JdbcSourceConnector::confluent();
    assert_eq!(connector.validate_remote(&file.config(&[("table.whitelist", "later")])).await, []);
    assert_eq!(connector.validate_remote(&file.config(&[("query", "SELECT x FROM a")])).await, []);

    let faults = connector.validate_remote(&file.config(&[("query", "SELECT secret FROM nowhere")])).await;
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].0, "query");
    assert!(faults[0].1.starts_with("The configured query is not valid and has database/connection errors."));
    assert!(faults[0].1.ends_with("no such table: nowhere"), "{}", faults[0].1);

    let masked = [("query.masked", "SELECT secret FROM nowhere")];
    let faults = connector.validate_remote(&file.config(&masked)).await;
    assert_eq!(faults[0].0, "query.masked");
    assert!(!faults[0].1.contains("nowhere") && !faults[0].1.contains("secret"), "{}", faults[0].1);

    let nowhere = [("table.whitelist", "a"), ("connection.url", "jdbc:sqlite:/nowhere/at/all.db")];
    let faults = connector.validate_remote(&file.config(&nowhere)).await;
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].0, "connection.url");
    assert!(faults[0].1.starts_with("Could not connect to database. "), "{}", faults[0].1);
}

#[tokio::test]
async fn a_database_that_is_away_fails_the_connector_after_the_attempts_allowed() {
    let file = File::new("away");
    let keys = [
        ("table.whitelist", "a"),
        ("connection.url", "jdbc:mariadb://127.0.0.1:1/mydb"),
        ("connection.attempts", "2"),
        ("connection.backoff.ms", "10"),
    ];
    let error = JdbcSourceConnector::confluent().task_configs(&file.config(&keys), 1).await.unwrap_err();
    assert!(error.chain().starts_with("Could not connect to database. "), "{}", error.chain());
}
