//! W3: the text's own connectors over MariaDB, with the console producer, under both URL schemes. The sink alone, then the whole
//! way from table to table.

use crate::support::PATIENCE;
use crate::support::worker::Worker;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::kafka_client::{self, Topics};
use testkit::{Database, eventually, kafka_tool};

/// What the source half would put on the topic: `created_at` included.
const FROM_SOURCE: &str = r#"{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":true,"field":"name"},{"type":"string","optional":true,"field":"pwd"},{"type":"int64","optional":true,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"created_at"}],"optional":false,"name":"users"},"payload":{"id":1,"name":"User name","pwd":"test1","created_at":1714810000123}}"#;

/// What the text types into the console producer: a schema without `created_at`.
const TYPED: &str = r#"{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":true,"field":"name"},{"type":"string","optional":true,"field":"pwd"}],"optional":false,"name":"users"},"payload":{"id":10,"name":"typed user","pwd":"test1234"}}"#;

/// The text's sink, key by key.
fn sink(database: &Database, scheme: &str, topic: &str) -> Value {
    json!({
        "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
        "connection.url": database.jdbc_url(scheme),
        "connection.user": database.server.user,
        "connection.password": database.server.password,
        "auto.create": "true",
        "auto.evolve": "true",
        "delete.enabled": "false",
        "tasks.max": "1",
        "topics": topic,
    })
}

async fn walkthrough(scheme: &str) -> anyhow::Result<()> {
    let bootstrap = testkit::kafka()?;
    let server = testkit::mariadb()?;
    let database = Database::create(&testkit::unique("mydb")).await?;
    let topic = testkit::unique("my_topic_users");
    let _topics = Topics::removed_at_the_end(&bootstrap, [&topic]);
    let mut worker = Worker::start(&[]).await?;

    let config = sink(&database, scheme, &topic);
    let created = worker.create("my-sink-connect", &config).await?;
    assert_eq!(created.status, 201, "{}", created.body);
    assert!(created.headers["location"].to_str()?.ends_with("/connectors/my-sink-connect"));
    assert_eq!(created.body["name"], "my-sink-connect");
    assert_eq!(created.body["config"]["name"], "my-sink-connect");
    assert_eq!(created.body["config"]["topics"], topic);
    assert_eq!(created.body["type"], "sink");
    assert!(created.body["tasks"].is_array());
    assert!(!created.body.to_string().contains(&server.password), "the password is shown: {}", created.body);

    let status = worker.task_state("my-sink-connect", "RUNNING").await;
    let worker_id = &status["connector"]["worker_id"];
    assert_eq!(status["name"], "my-sink-connect");
    assert_eq!(status["type"], "sink");
    assert_eq!(status["connector"]["state"], "RUNNING");
    assert_eq!(status["tasks"][0]["id"], 0);
    assert_eq!(&status["tasks"][0]["worker_id"], worker_id);

    kafka_client::produce(&bootstrap, &topic, None, Some(FROM_SOURCE.as_bytes()), &[]).await?;
    let arguments = ["--bootstrap-server", bootstrap.as_str(), "--topic", topic.as_str()];
    kafka_tool("org.apache.kafka.tools.ConsoleProducer", &arguments, &format!("{TYPED}\n")).await?;

    let rows = eventually("both rows", PATIENCE, async || {
        let select = format!("SELECT id, name, pwd, created_at FROM `{topic}` ORDER BY id");
        let rows = database.query(&select).await?;
        anyhow::ensure!(rows.len() >= 2, "{rows:?}");
        Ok(Some(rows))
    })
    .await;
    let row = |cells: [Option<&str>; 4]| cells.map(|cell| cell.map(str::to_owned)).to_vec();
    assert_eq!(
        rows,
        [
            row([Some("1"), Some("User name"), Some("test1"), Some("2024-05-04 08:06:40.123")]),
            row([Some("10"), Some("typed user"), Some("test1234"), None]),
        ]
    );

    assert_eq!(worker.get("/connectors").await?.body, json!(["my-sink-connect"]));
    assert_eq!(worker.delete("my-sink-connect").await?.status, 204);
    assert_eq!(worker.get("/connectors").await?.body, json!([]));
    assert_eq!(worker.get("/connectors/my-sink-connect").await?.status, 404);
    worker.process.terminate();
    assert!(worker.process.wait_exit(Duration::from_secs(10)).await?.success());
    assert!(!worker.process.log().contains(&server.password), "the password is in the log");
    Ok(())
}

#[tokio::test]
async fn with_a_jdbc_mysql_url() -> anyhow::Result<()> {
    walkthrough("mysql").await
}

#[tokio::test]
async fn with_a_jdbc_mariadb_url() -> anyhow::Result<()> {
    walkthrough("mariadb").await
}

/// W3 whole: the text's table, its two connectors with no other key, a row that goes through and one that is typed.
async fn from_table_to_table(
    scheme: &str,
    table: &str,
    insert: &str,
    user_id: Option<&str>,
) -> anyhow::Result<()> {
    let bootstrap = testkit::kafka()?;
    let server = testkit::mariadb()?;
    let database = Database::create(&testkit::unique("mydb")).await?;
    let prefix = format!("{}_my_topic_", testkit::unique("w3"));
    let topic = format!("{prefix}users");
    let _topics = Topics::removed_at_the_end(&bootstrap, [&topic]);
    let offsets = std::env::temp_dir().join(format!("{topic}.offsets"));
    let path = offsets.display().to_string();
    let mut worker = Worker::start(&[("offset.storage.file.filename", &path)]).await?;
    database.execute(table).await?;

    let source = json!({
        "connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector",
        "connection.url": database.jdbc_url(scheme),
        "connection.user": server.user,
        "connection.password": server.password,
        "mode": "incrementing",
        "incrementing.column.name": "id",
        "table.whitelist": "users",
        "topic.prefix": prefix,
        "tasks.max": "1",
    });
    let created = worker.create("my-source-connect", &source).await?;
    assert_eq!(created.status, 201, "{}", created.body);
    let mut shown = source.clone();
    shown["name"] = json!("my-source-connect");
    shown["connection.password"] = created.body["config"]["connection.password"].clone();
    assert_eq!(
        created.body,
        json!({"name": "my-source-connect", "config": shown, "tasks": [], "type": "source"})
    );
    assert!(!created.body.to_string().contains(&server.password), "the password is shown: {}", created.body);
    let status = worker.task_state("my-source-connect", "RUNNING").await;
    let worker_id = &status["connector"]["worker_id"];
    assert_eq!(
        status,
        json!({
            "name": "my-source-connect",
            "connector": {"state": "RUNNING", "worker_id": worker_id, "version": status["connector"]["version"]},
            "tasks": [{"id": 0, "state": "RUNNING", "worker_id": worker_id, "version": status["tasks"][0]["version"]}],
            "type": "source",
        })
    );
    let sink = sink(&database, scheme, &topic);
    assert_eq!(worker.create("my-sink-connect", &sink).await?.status, 201);
    worker.task_state("my-sink-connect", "RUNNING").await;

    database.execute(insert).await?;
    let select =
        "select timestampdiff(microsecond, '1970-01-01', created_at) div 1000, created_at from users";
    let at = &database.query(select).await?[0];
    let (millis, created_at) = (at[0].clone().unwrap_or_default(), at[1].clone());
    let line = eventually("the line in the topic", PATIENCE, async || {
        let messages = kafka_client::consume_all(&bootstrap, &topic).await?;
        Ok(messages.first().and_then(|message| message.value_str().map(str::to_owned)))
    })
    .await;
    let mut expected = FROM_SOURCE.replace("1714810000123", &millis);
    if let Some(user_id) = user_id {
        expected = expected
            .replace(
                r#"{"type":"string","optional":true,"field":"name"}"#,
                r#"{"type":"string","optional":false,"field":"user_id"},{"type":"string","optional":true,"field":"name"}"#,
            )
            .replace(r#""id":1,"#, &format!(r#""id":1,"user_id":"{user_id}","#));
    }
    assert_eq!(line, expected, "byte for byte");

    let mut rows_expected = vec![vec![
        Some("1".to_owned()),
        Some("User name".to_owned()),
        Some("test1".to_owned()),
        created_at.map(|text| format!("{}.000", text.trim_end_matches(".000"))),
    ]];
    // A record without a column that is NOT NULL in the sink's table could not be written, in Java either.
    if user_id.is_none() {
        let arguments = ["--bootstrap-server", bootstrap.as_str(), "--topic", topic.as_str()];
        kafka_tool("org.apache.kafka.tools.ConsoleProducer", &arguments, &format!("{TYPED}\n")).await?;
        let typed = ["10", "typed user", "test1234"].map(|text| Some(text.to_owned()));
        rows_expected.push(typed.into_iter().chain([None]).collect());
    }
    eventually("the rows", PATIENCE, async || {
        let select = format!("SELECT id, name, pwd, cast(created_at as char) FROM `{topic}` ORDER BY id");
        let rows = database.query(&select).await?;
        anyhow::ensure!(rows == rows_expected, "{rows:?}, not {rows_expected:?}");
        Ok(Some(()))
    })
    .await;
    for name in ["my-source-connect", "my-sink-connect"] {
        assert_eq!(worker.delete(name).await?.status, 204);
    }
    worker.process.terminate();
    assert!(worker.process.wait_exit(Duration::from_secs(10)).await?.success());
    assert!(!worker.process.log().contains(&server.password), "the password is in the log");
    let _may_not_exist = std::fs::remove_file(&offsets);
    Ok(())
}

const TABLE: &str = "create table users(id int auto_increment primary key, name varchar(20), pwd varchar(20), \
     created_at datetime default NOW())";

#[tokio::test]
async fn from_table_to_table_with_a_jdbc_mysql_url() -> anyhow::Result<()> {
    let insert = "insert into users(name, pwd) values('User name', 'test1')";
    from_table_to_table("mysql", TABLE, insert, None).await
}

#[tokio::test]
async fn from_table_to_table_with_a_jdbc_mariadb_url() -> anyhow::Result<()> {
    let insert = "insert into users(name, pwd) values('User name', 'test1')";
    from_table_to_table("mariadb", TABLE, insert, None).await
}

/// The second text's table has a user id that is not null.
#[tokio::test]
async fn from_table_to_table_with_the_second_texts_table() -> anyhow::Result<()> {
    let table = "create table users(id int auto_increment primary key, user_id varchar(20) not null, name varchar(20), \
                 pwd varchar(20), created_at datetime default NOW())";
    let insert = "insert into users(user_id, name, pwd) values('user1', 'User name', 'test1')";
    from_table_to_table("mysql", table, insert, Some("user1")).await
}
