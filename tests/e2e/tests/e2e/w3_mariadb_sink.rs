//! W3, the sink half: the text's own connector over MariaDB, with the console producer, under both URL schemes.

use crate::support::PATIENCE;
use crate::support::worker::Worker;
use serde_json::json;
use std::time::Duration;
use testkit::kafka_client::{self, Topics};
use testkit::{Database, eventually, kafka_tool};

/// What the source half would put on the topic: `created_at` included.
const FROM_SOURCE: &str = r#"{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":true,"field":"name"},{"type":"string","optional":true,"field":"pwd"},{"type":"int64","optional":true,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"created_at"}],"optional":false,"name":"users"},"payload":{"id":1,"name":"User name","pwd":"test1","created_at":1714810000123}}"#;

/// What the text types into the console producer: a schema without `created_at`.
const TYPED: &str = r#"{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":true,"field":"name"},{"type":"string","optional":true,"field":"pwd"}],"optional":false,"name":"users"},"payload":{"id":10,"name":"typed user","pwd":"test1234"}}"#;

async fn walkthrough(scheme: &str) -> anyhow::Result<()> {
    let bootstrap = testkit::kafka()?;
    let server = testkit::mariadb()?;
    let database = Database::create(&testkit::unique("mydb")).await?;
    let topic = testkit::unique("my_topic_users");
    let _topics = Topics::removed_at_the_end(&bootstrap, [&topic]);
    let mut worker = Worker::start(&[]).await?;

    let config = json!({
        "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
        "connection.url": database.jdbc_url(scheme),
        "connection.user": server.user,
        "connection.password": server.password,
        "auto.create": "true",
        "auto.evolve": "true",
        "delete.enabled": "false",
        "tasks.max": "1",
        "topics": topic,
    });
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
