//! Every column type of the three databases as the JDBC source gives it, held against what the Java connector gave for the same columns and
//! values: tests/golden/jdbc_source, whose README says how that was recorded.

use crate::support::jdbc_source::{SqliteDatabase, source_config, source_task, until_records};
use anyhow::{Context, Result, ensure};
use connect_api::{ConfigMap, SourceRecord};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use testkit::{Database, PgDatabase, unique};

const DAY: &str = "86400000";

/// A column with one value, read under some configuration.
struct Case {
    column: String,
    value: String,
    config: Vec<(String, String)>,
    /// Ours where it is not Java's.
    expected: Value,
}

impl Case {
    fn is_error(&self) -> bool {
        self.expected.get("error").is_some()
    }

    fn names_the_key(&self) -> bool {
        self.column.contains("PRIMARY KEY")
    }

    fn name(&self) -> String {
        format!("{} with {} under {:?}", self.column, self.value, self.config)
    }
}

fn cases(file: &str) -> Result<Vec<Case>> {
    let path = format!("{}/../golden/jdbc_source/{file}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    text.lines()
        .map(|line| {
            let case: Map<String, Value> = serde_json::from_str(line).with_context(|| line.to_owned())?;
            let part = |name: &str| case.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let config = case.get("config").and_then(Value::as_object).context("no config")?;
            let setting = |(key, value): (&String, &Value)| {
                (key.clone(), value.as_str().unwrap_or_default().to_owned())
            };
            Ok(Case {
                column: part("column"),
                value: part("value"),
                config: config.iter().map(setting).collect(),
                expected: case.get("ours").or_else(|| case.get("java")).context("no expectation")?.clone(),
            })
        })
        .collect()
}

/// Cases that can be columns of one table: those that are read under one configuration. A value that is refused ends the read, so it
/// has a table of its own; so has a key.
fn tables(cases: Vec<Case>) -> Vec<Vec<Case>> {
    let mut shared: BTreeMap<Vec<(String, String)>, Vec<Case>> = BTreeMap::new();
    let mut tables = Vec::new();
    for case in cases {
        if case.is_error() || case.names_the_key() {
            tables.push(vec![case]);
        } else {
            shared.entry(case.config.clone()).or_default().push(case);
        }
    }
    tables.extend(shared.into_values());
    tables
}

/// A database in which the cases are tried.
trait Engine {
    fn config(&self, pairs: &[(&str, &str)]) -> ConfigMap;
    async fn run(&self, sql: &str) -> Result<()>;
    /// A statement with values that the server's usual rules refuse.
    async fn insert(&self, sql: &str) -> Result<()> {
        self.run(sql).await
    }
}

impl Engine for Database {
    fn config(&self, pairs: &[(&str, &str)]) -> ConfigMap {
        source_config(self, pairs)
    }

    async fn run(&self, sql: &str) -> Result<()> {
        self.execute(sql).await
    }

    async fn insert(&self, sql: &str) -> Result<()> {
        self.execute(&format!("SET STATEMENT sql_mode='', time_zone='+00:00' FOR {sql}")).await
    }
}

impl Engine for PgDatabase {
    fn config(&self, pairs: &[(&str, &str)]) -> ConfigMap {
        source_config(self, pairs)
    }

    async fn run(&self, sql: &str) -> Result<()> {
        self.execute(sql).await
    }
}

impl Engine for SqliteDatabase {
    fn config(&self, pairs: &[(&str, &str)]) -> ConfigMap {
        source_config(self, pairs)
    }

    async fn run(&self, sql: &str) -> Result<()> {
        self.execute(sql).await
    }
}

async fn read(engine: &impl Engine, table: &str, settings: &[(String, String)]) -> Result<Vec<SourceRecord>> {
    let settings = settings.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let fixed =
        [("mode", "bulk"), ("table.whitelist", table), ("topic.prefix", "types-"), ("poll.interval.ms", DAY)];
    let mut task =
        source_task(&engine.config(&fixed.into_iter().chain(settings).collect::<Vec<_>>())).await?;
    let records = until_records(&mut task).await;
    task.stop().await;
    records
}

/// The record's value as the JsonConverter writes it.
fn json(record: &SourceRecord) -> Result<Value> {
    let class = "org.apache.kafka.connect.json.JsonConverter";
    let mut converter = connect_converters::create(class, &ConfigMap::new(), false)?;
    let (schema, mut out) = (record.value_schema.as_ref(), Vec::new());
    ensure!(converter.from_connect_data(&record.topic, schema, &record.value, &mut out)?, "no value");
    Ok(serde_json::from_slice(&out)?)
}

/// What the value has of a column, in the form of the golden files.
fn outcome(value: &Value, column: &str) -> Result<Value> {
    let fields = value.pointer("/schema/fields").and_then(Value::as_array).context("no fields")?;
    let Some(field) = fields.iter().find(|field| field["field"] == column) else {
        return Ok(serde_json::json!({ "left_out": true }));
    };
    let mut schema = field.as_object().context("no schema")?.clone();
    schema.shift_remove("field");
    Ok(serde_json::json!({ "schema": schema, "payload": value["payload"][column] }))
}

async fn check(engine: &impl Engine, cases: Vec<Case>, quote: char) -> Result<()> {
    let mut faults = Vec::new();
    let mut seen = 0;
    for (number, cases) in tables(cases).into_iter().enumerate() {
        let table = format!("t{number}");
        let columns: Vec<String> = cases
            .iter()
            .enumerate()
            .map(|(index, case)| format!("{quote}C{index}{quote} {}", case.column))
            .collect();
        let values: Vec<&str> = cases.iter().map(|case| case.value.as_str()).collect();
        engine.run(&format!("CREATE TABLE {table} ({})", columns.join(", "))).await?;
        engine.insert(&format!("INSERT INTO {table} VALUES ({})", values.join(", "))).await?;
        let config = cases.first().map(|case| case.config.clone()).unwrap_or_default();
        let read = read(engine, &table, &config).await;
        seen += cases.len();
        match read {
            Err(error) => {
                let error = format!("{error:#}");
                for case in cases {
                    let wanted = case.expected["error"]
                        .as_str()
                        .unwrap_or("a record")
                        .replace("column c ", "column C0 ");
                    if !error.contains(&wanted) {
                        faults.push(format!("{}: {error}\n  instead of {wanted}", case.name()));
                    }
                }
            }
            Ok(records) => {
                ensure!(records.len() == 1, "{table}: {} records", records.len());
                let value = json(&records[0])?;
                ensure!(value["schema"]["name"] == table.as_str(), "{table}: {}", value["schema"]);
                for (index, case) in cases.iter().enumerate() {
                    let outcome = outcome(&value, &format!("C{index}"))?;
                    if outcome != case.expected {
                        faults.push(format!("{}: {outcome}\n  instead of {}", case.name(), case.expected));
                    }
                }
            }
        }
    }
    ensure!(seen > 90, "only {seen} cases");
    ensure!(faults.is_empty(), "{} of {seen} cases:\n{}", faults.len(), faults.join("\n"));
    Ok(())
}

#[tokio::test]
async fn mariadb_as_java_has_it() -> Result<()> {
    let db = Database::create(&unique("types")).await?;
    check(&db, cases("mariadb")?, '`').await
}

#[tokio::test]
async fn postgres_as_java_has_it() -> Result<()> {
    let db = PgDatabase::create(&unique("types")).await?;
    db.execute(
        "CREATE TYPE mood AS ENUM('sad', 'happy'); CREATE DOMAIN posint AS integer CHECK (value > 0); \
         CREATE DOMAIN nonnull_text AS text NOT NULL; CREATE DOMAIN price AS numeric(10,2); CREATE TYPE pair AS (a int, b text)",
    )
    .await?;
    check(&db, cases("postgresql")?, '"').await
}

#[tokio::test]
async fn sqlite_as_java_has_it_or_should() -> Result<()> {
    let db = SqliteDatabase::create("types").await?;
    check(&db, cases("sqlite")?, '`').await
}

/// A column says too little about its values, so its schema grows with them; records before keep theirs.
#[tokio::test]
async fn a_schema_grows_when_values_ask_for_it() -> Result<()> {
    let db = SqliteDatabase::create("grow").await?;
    db.execute("CREATE TABLE t (n NUMERIC, at DATETIME)").await?;
    db.execute("INSERT INTO t VALUES (1, '2024-02-29'), (1.25, '2024-02-29 00:00:01'), (3, NULL)").await?;
    let records = read(&db, "t", &[]).await?;
    let values = records.iter().map(json).collect::<Result<Vec<_>>>()?;
    let shown: Vec<String> = values
        .iter()
        .map(|value| {
            let fields = &value["schema"]["fields"];
            let payload = &value["payload"];
            format!(
                "{} {} {} {}",
                fields[0]["parameters"]["scale"], payload["n"], fields[1]["name"], payload["at"]
            )
        })
        .collect();
    let (date, timestamp) =
        ("\"org.apache.kafka.connect.data.Date\"", "\"org.apache.kafka.connect.data.Timestamp\"");
    assert_eq!(
        shown,
        [
            format!("\"0\" \"AQ==\" {date} 19782"),
            format!("\"2\" \"fQ==\" {timestamp} 1709164801000"),
            format!("\"2\" \"ASw=\" {timestamp} null"),
        ]
    );
    Ok(())
}
