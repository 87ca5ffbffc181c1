//! The JDBC source connector in a worker: which tables it gives to tasks, when that changes, and what REST says of it. The same story
//! on MariaDB and PostgreSQL.

use crate::support::database::{AnyDatabase, JdbcTarget};
use crate::support::worker::Worker;
use crate::support::{Answer, PATIENCE, send};
use anyhow::ensure;
use serde_json::{Value, json};
use std::path::PathBuf;
use testkit::kafka_client::{Topics, consume_all};
use testkit::{Database, PgDatabase, eventually};

struct Bench {
    database: AnyDatabase,
    worker: Worker,
    bootstrap: String,
    prefix: String,
    offsets: PathBuf,
    _topics: Topics,
}

impl Bench {
    async fn new(database: AnyDatabase) -> anyhow::Result<Self> {
        let (bootstrap, prefix) = (testkit::kafka()?, testkit::unique("source") + "-");
        let offsets = std::env::temp_dir().join(format!("{prefix}offsets"));
        let path = offsets.display().to_string();
        let keys = [("offset.storage.file.filename", path.as_str()), ("offset.flush.interval.ms", "200")];
        let worker = Worker::start(&keys).await?;
        let _topics =
            Topics::removed_at_the_end(&bootstrap, ["users", "orders"].map(|name| format!("{prefix}{name}")));
        Ok(Self { database, worker, bootstrap, prefix, offsets, _topics })
    }

    async fn mariadb() -> anyhow::Result<Self> {
        Self::new(AnyDatabase::MariaDb(Database::create(&testkit::unique("mydb")).await?)).await
    }

    async fn postgres() -> anyhow::Result<Self> {
        Self::new(AnyDatabase::Postgres(PgDatabase::create(&testkit::unique("mydb")).await?)).await
    }

    async fn run(&self, sql: &str) -> anyhow::Result<()> {
        match &self.database {
            AnyDatabase::MariaDb(database) => database.execute(sql).await,
            AnyDatabase::Postgres(database) => database.execute(sql).await,
        }
    }

    async fn create_table(&self, name: &str) -> anyhow::Result<()> {
        let id = match &self.database {
            AnyDatabase::MariaDb(_) => "int auto_increment primary key",
            AnyDatabase::Postgres(_) => "serial primary key",
        };
        self.run(&format!("create table {name}(id {id}, name varchar(20))")).await
    }

    /// The full name of a table, as offsets have it, and as tasks have it.
    fn names(&self, table: &str) -> (String, String) {
        match &self.database {
            AnyDatabase::MariaDb(database) => {
                (format!("{}.{table}", database.name), format!("`{}`.`{table}`", database.name))
            }
            AnyDatabase::Postgres(_) => (format!("public.{table}"), format!("\"public\".\"{table}\"")),
        }
    }

    fn config(&self, extra: Value) -> Value {
        let connection = self.database.connection();
        let mut config = json!({
            "connector.class": "JdbcSource",
            "connection.url": connection.url,
            "connection.user": connection.user,
            "connection.password": connection.password,
            "mode": "incrementing",
            "topic.prefix": self.prefix,
            "poll.interval.ms": "100",
            "table.poll.interval.ms": "200",
            "tasks.max": "4",
        });
        let config_map = config.as_object_mut().expect("an object");
        config_map.extend(extra.as_object().expect("an object").clone());
        config
    }

    async fn tables_of_tasks(&self) -> anyhow::Result<Vec<String>> {
        let tasks = self.worker.get("/connectors/s/tasks").await?.body;
        let tasks = tasks.as_array().cloned().unwrap_or_default();
        Ok(tasks
            .iter()
            .map(|task| task["config"]["tables"].as_str().unwrap_or_default().to_owned())
            .collect())
    }

    /// Waits until the tasks read these tables and are all running.
    async fn reads(&self, tables: &[&str]) {
        let expected: Vec<String> = tables.iter().map(|table| self.names(table).1).collect();
        eventually(format!("tasks for {tables:?}"), PATIENCE, async || {
            let found = self.tables_of_tasks().await?;
            ensure!(found == expected, "{found:?}");
            let status = self.worker.get("/connectors/s/status").await?.body;
            let tasks = status["tasks"].as_array().cloned().unwrap_or_default();
            ensure!(
                tasks.len() == tables.len() && tasks.iter().all(|task| task["state"] == "RUNNING"),
                "{status}"
            );
            Ok(Some(()))
        })
        .await;
    }

    /// Waits until the topic of `table` has so many records, and gives their ids and names.
    async fn records(&self, table: &str, count: usize) -> Vec<(i64, String)> {
        let topic = format!("{}{table}", self.prefix);
        eventually(format!("{count} records in {topic}"), PATIENCE, async || {
            let messages = consume_all(&self.bootstrap, &topic).await?;
            ensure!(messages.len() >= count, "{}", messages.len());
            let mut records = Vec::new();
            for message in messages {
                let payload = message.json()?["payload"].clone();
                let name = payload["name"].as_str().unwrap_or("NULL").to_owned();
                records.push((payload["id"].as_i64().unwrap_or_default(), name));
            }
            Ok(Some(records))
        })
        .await
    }

    async fn put(&self, path: &str) -> anyhow::Result<Answer> {
        send(reqwest::Client::new().put(format!("{}{path}", self.worker.url))).await
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _may_not_exist = std::fs::remove_file(&self.offsets);
    }
}

async fn the_tables_decide_on_the_tasks(bench: Bench) -> anyhow::Result<()> {
    let created =
        bench.worker.create("s", &bench.config(json!({"table.whitelist": "users, orders"}))).await?;
    assert_eq!(created.status, 201, "{}", created.body);
    // No table yet: as on the Java worker there is one task, and it says what is missing.
    let status = bench.worker.task_state("s", "FAILED").await;
    assert_eq!((&status["connector"]["state"], &status["tasks"][1]), (&json!("RUNNING"), &Value::Null));
    let trace = status["tasks"][0]["trace"].as_str().unwrap_or_default();
    assert!(trace.contains("was not assigned a table nor a query"), "{trace}");
    assert_eq!(bench.tables_of_tasks().await?, [""]);

    bench.create_table("users").await?;
    bench.run("insert into users(name) values('one'), ('two')").await?;
    bench.reads(&["users"]).await;
    let one_two = [(1, "one".to_owned()), (2, "two".to_owned())];
    assert_eq!(bench.records("users", 2).await, one_two);

    bench.create_table("unwanted").await?;
    bench.create_table("orders").await?;
    bench.run("insert into orders(name) values('order')").await?;
    bench.reads(&["orders", "users"]).await;
    assert_eq!(bench.records("orders", 1).await, [(1, "order".to_owned())]);

    bench.run("drop table orders").await?;
    bench.reads(&["users"]).await;
    bench.run("insert into users(name) values('three')").await?;
    let mut all = one_two.to_vec();
    all.push((3, "three".to_owned()));
    assert_eq!(bench.records("users", 3).await, all, "nothing twice");
    Ok(())
}

#[tokio::test]
async fn the_tables_decide_on_the_tasks_on_mariadb() -> anyhow::Result<()> {
    the_tables_decide_on_the_tasks(Bench::mariadb().await?).await
}

#[tokio::test]
async fn the_tables_decide_on_the_tasks_on_postgresql() -> anyhow::Result<()> {
    the_tables_decide_on_the_tasks(Bench::postgres().await?).await
}

async fn it_is_paused_stopped_restarted_and_sent_back(bench: Bench) -> anyhow::Result<()> {
    bench.create_table("users").await?;
    bench.run("insert into users(name) values('one')").await?;
    let created = bench
        .worker
        .create(
            "s",
            &bench
                .config(json!({"table.include.list": ".*[.]users", "incrementing.column.mapping": ".*:id"})),
        )
        .await?;
    assert_eq!(created.status, 201, "{}", created.body);
    bench.reads(&["users"]).await;
    assert_eq!(bench.records("users", 1).await.len(), 1);

    assert_eq!(bench.put("/connectors/s/pause").await?.status, 202);
    bench.worker.task_state("s", "PAUSED").await;
    bench.run("insert into users(name) values('two')").await?;
    assert_eq!(bench.put("/connectors/s/resume").await?.status, 202);
    assert_eq!(bench.records("users", 2).await.len(), 2);
    let restart = format!("{}/connectors/s/restart?includeTasks=true", bench.worker.url);
    assert_eq!(send(reqwest::Client::new().post(restart)).await?.status, 202);
    bench.reads(&["users"]).await;
    bench.run("insert into users(name) values('three')").await?;
    assert_eq!(bench.records("users", 3).await.len(), 3, "nothing twice");

    assert_eq!(bench.put("/connectors/s/stop").await?.status, 204);
    let partition = json!({"protocol": "1", "table": bench.names("users").0});
    eventually("the last offset", PATIENCE, async || {
        let offsets = bench.worker.get("/connectors/s/offsets").await?.body;
        let expected = json!({"offsets": [{"partition": partition, "offset": {"incrementing": 3}}]});
        ensure!(offsets == expected, "{offsets}");
        Ok(Some(()))
    })
    .await;
    let url = format!("{}/connectors/s/offsets", bench.worker.url);
    let patch = |offset: Value| {
        let body = json!({"offsets": [{"partition": partition, "offset": offset}]});
        send(reqwest::Client::new().patch(&url).json(&body))
    };
    let refused = patch(json!({"incrementing": "two"})).await?;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert!(
        refused.body["message"].as_str().unwrap_or_default().contains("whole number"),
        "{}",
        refused.body
    );
    let taken = patch(json!({"incrementing": 1})).await?;
    assert_eq!(taken.status, 200, "{}", taken.body);
    assert_eq!(bench.put("/connectors/s/resume").await?.status, 202);
    let ids: Vec<i64> = bench.records("users", 5).await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [1, 2, 3, 2, 3], "again from where it was sent back to");
    Ok(())
}

#[tokio::test]
async fn it_is_paused_stopped_restarted_and_sent_back_on_mariadb() -> anyhow::Result<()> {
    it_is_paused_stopped_restarted_and_sent_back(Bench::mariadb().await?).await
}

#[tokio::test]
async fn it_is_paused_stopped_restarted_and_sent_back_on_postgresql() -> anyhow::Result<()> {
    it_is_paused_stopped_restarted_and_sent_back(Bench::postgres().await?).await
}

/// `performance_schema.users` and `mydb.users`: the Java connector stops over these two.
#[tokio::test]
async fn the_servers_own_tables_are_no_namesakes() -> anyhow::Result<()> {
    let bench = Bench::mariadb().await?;
    bench.create_table("users").await?;
    bench.worker.create("s", &bench.config(json!({"table.blacklist": "none"}))).await?;
    bench.reads(&["users"]).await;

    // Who asks for all databases has both, and is told so.
    let config = bench.config(json!({"table.whitelist": "users", "catalog.pattern": "%"}));
    let changed = bench.worker.put_config("s", &config).await?;
    assert_eq!(changed.status, 200, "{}", changed.body);
    eventually("a failed connector", PATIENCE, async || {
        let status = bench.worker.get("/connectors/s/status").await?.body;
        ensure!(status["connector"]["state"] == "FAILED", "{status}");
        let trace = status["connector"]["trace"].as_str().unwrap_or_default();
        ensure!(trace.contains("has detected duplicate unqualified table names"), "{trace}");
        ensure!(trace.contains("performance_schema.users"), "{trace}");
        Ok(Some(()))
    })
    .await;
    Ok(())
}

async fn validate_asks_the_database(bench: Bench) -> anyhow::Result<()> {
    bench.create_table("users").await?;
    let class = "io.confluent.connect.jdbc.JdbcSourceConnector";
    let validate = async |extra: Value| -> anyhow::Result<(i64, Vec<(String, String)>)> {
        let mut config = bench.config(extra);
        config["name"] = json!("s");
        config["connector.class"] = json!(class);
        let url = format!("{}/connector-plugins/{class}/config/validate", bench.worker.url);
        let answer = send(reqwest::Client::new().put(url).json(&config)).await?;
        ensure!(answer.status == 200, "{}", answer.body);
        ensure!(answer.body["groups"].as_array().is_some_and(|groups| groups.contains(&json!("Database"))));
        let mut errors = Vec::new();
        for entry in answer.body["configs"].as_array().into_iter().flatten() {
            for error in entry["value"]["errors"].as_array().into_iter().flatten() {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                errors.push((text(&entry["value"]["name"]), text(error)));
            }
        }
        Ok((answer.body["error_count"].as_i64().unwrap_or(-1), errors))
    };
    let none = (0, Vec::new());
    assert_eq!(validate(json!({"table.whitelist": "users"})).await?, none);
    assert_eq!(
        validate(json!({"query": "SELECT * FROM users", "incrementing.column.name": "id"})).await?,
        none
    );

    let (count, errors) =
        validate(json!({"table.whitelist": "users", "connection.password": "wrong-one"})).await?;
    assert_eq!((count, errors[0].0.as_str()), (1, "connection.url"), "{errors:?}");
    assert!(errors[0].1.starts_with("Could not connect to database. "), "{errors:?}");
    assert!(!errors[0].1.contains("wrong-one"), "{errors:?}");

    let query = json!({"query": "SELECT * FROM nowhere", "incrementing.column.name": "id"});
    let (count, errors) = validate(query).await?;
    assert_eq!((count, errors[0].0.as_str()), (1, "query"), "{errors:?}");
    assert!(errors[0].1.contains("(SQLState: 42"), "{errors:?}");

    let (count, errors) = validate(json!({})).await?;
    assert_eq!(count, 4, "{errors:?}");
    assert!(
        errors
            .iter()
            .all(|(_, error)| error.starts_with("At least one table filtering configuration is required.")),
        "{errors:?}"
    );
    Ok(())
}

#[tokio::test]
async fn validate_asks_mariadb() -> anyhow::Result<()> {
    validate_asks_the_database(Bench::mariadb().await?).await
}

#[tokio::test]
async fn validate_asks_postgresql() -> anyhow::Result<()> {
    validate_asks_the_database(Bench::postgres().await?).await
}
