//! W2, the sink half: the text's own connector over PostgreSQL, with a record as the source would make it and one typed
//! into the console producer.

use crate::support::PATIENCE;
use crate::support::worker::Worker;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::{PgDatabase, eventually, kafka_client, kafka_tool};

/// What the source half would put on the topic: `id` not optional, `created_at` a day number.
const FROM_SOURCE: &str = r#"{"schema":{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"},{"type":"string","optional":true,"field":"user_id"},{"type":"string","optional":true,"field":"pwd"},{"type":"string","optional":true,"field":"name"},{"type":"int32","optional":true,"name":"org.apache.kafka.connect.data.Date","version":1,"field":"created_at"}],"optional":false,"name":"users"},"payload":{"id":5,"user_id":"user5","pwd":"test5555","name":"User name555","created_at":19847}}"#;

/// The same form, typed into the console producer.
const TYPED: &str = r#"{"schema":{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"},{"type":"string","optional":true,"field":"user_id"},{"type":"string","optional":true,"field":"pwd"},{"type":"string","optional":true,"field":"name"},{"type":"int32","optional":true,"name":"org.apache.kafka.connect.data.Date","version":1,"field":"created_at"}],"optional":false,"name":"users"},"payload":{"id":10,"user_id":"user10","pwd":"test1010","name":"typed user","created_at":null}}"#;

/// The text's connector, byte for byte, but for what each machine has of its own: where the database is, who may enter, and
/// the name of the topic.
const CONFIG: &str = r#"{
    "name": "my-sink-connect",
    "config": {
        "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
        "connection.url": "jdbc:postgresql://HOST:PORT/DB",
        "connection.user": "USER",
        "connection.password": "PASSWORD",
        "auto.create": "true",
        "auto.evolve": "true",
        "delete.enabled": "false",
        "tasks.max": "1",
        "topics": "my_topic_users"
    }
}"#;

#[tokio::test]
async fn the_sink_of_the_text() -> anyhow::Result<()> {
    let bootstrap = testkit::kafka()?;
    let database = PgDatabase::create(&testkit::unique("mydb")).await?;
    let server = database.server.clone();
    let topic = testkit::unique("my_topic_users");
    let mut worker = Worker::start(&[]).await?;

    let config = CONFIG
        .replace("HOST:PORT/DB", &format!("{}:{}/{}", server.host, server.port, database.name))
        .replace("USER", &server.user)
        .replace("PASSWORD", &server.password)
        .replace("my_topic_users", &topic);
    let config: Value = serde_json::from_str(&config)?;
    let created = worker.create("my-sink-connect", &config["config"]).await?;
    assert_eq!(created.status, 201, "{}", created.body);
    assert_eq!(created.body["config"]["name"], "my-sink-connect");
    assert_eq!(created.body["type"], "sink");
    assert!(!created.body.to_string().contains(&server.password), "the password is shown: {}", created.body);
    let status = worker.task_state("my-sink-connect", "RUNNING").await;
    assert_eq!((&status["connector"]["state"], &status["tasks"][0]["id"]), (&json!("RUNNING"), &json!(0)));

    kafka_client::produce(&bootstrap, &topic, None, Some(FROM_SOURCE.as_bytes()), &[]).await?;
    let arguments = ["--bootstrap-server", bootstrap.as_str(), "--topic", topic.as_str()];
    kafka_tool("org.apache.kafka.tools.ConsoleProducer", &arguments, &format!("{TYPED}\n")).await?;

    let rows = eventually("both rows", PATIENCE, async || {
        let select = format!("SELECT id, user_id, pwd, name, created_at FROM {topic} ORDER BY id");
        let rows = database.query(&select).await?;
        anyhow::ensure!(rows.len() >= 2, "{rows:?}");
        Ok(Some(rows))
    })
    .await;
    let row = |cells: [Option<&str>; 5]| cells.map(|cell| cell.map(str::to_owned)).to_vec();
    assert_eq!(
        rows,
        [
            row([Some("5"), Some("user5"), Some("test5555"), Some("User name555"), Some("2024-05-04")]),
            row([Some("10"), Some("user10"), Some("test1010"), Some("typed user"), None]),
        ]
    );
    let types = format!(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_name = '{topic}' \
         ORDER BY ordinal_position"
    );
    let column =
        |name: &str, ty: &str, null: &str| [name, ty, null].map(|cell| Some(cell.to_owned())).to_vec();
    assert_eq!(
        database.query(&types).await?,
        [
            column("id", "bigint", "NO"),
            column("user_id", "text", "YES"),
            column("pwd", "text", "YES"),
            column("name", "text", "YES"),
            column("created_at", "date", "YES"),
        ]
    );

    assert_eq!(worker.delete("my-sink-connect").await?.status, 204);
    worker.process.terminate();
    assert!(worker.process.wait_exit(Duration::from_secs(10)).await?.success());
    assert!(!worker.process.log().contains(&server.password), "the password is in the log");
    Ok(())
}
