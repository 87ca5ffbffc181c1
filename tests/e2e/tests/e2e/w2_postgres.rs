//! W2: the text's own connectors over PostgreSQL. The sink alone, with a record as the source would make it and one typed
//! into the console producer; then the whole way from table to table.

use crate::support::worker::Worker;
use crate::support::{PATIENCE, get, post};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::kafka_client::Topics;
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

/// The text's source, byte for byte but for the same, and for the beginning of the topic's name.
const SOURCE: &str = r#"{
    "name": "my-source-connect",
    "config": {
        "connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector",
        "connection.url": "jdbc:postgresql://HOST:PORT/DB",
        "connection.user": "USER",
        "connection.password": "PASSWORD",
        "mode": "incrementing",
        "incrementing.column.name": "id",
        "table.whitelist": "users",
        "topic.prefix": "my_topic_",
        "tasks.max": "1"
    }
}"#;

/// W2 whole: a distributed worker, source and sink as the text has them, a row that goes through, one that is typed.
#[tokio::test]
async fn the_text_from_table_to_table() -> anyhow::Result<()> {
    let bootstrap = testkit::kafka()?;
    let database = PgDatabase::create(&testkit::unique("mydb")).await?;
    let server = database.server.clone();
    let unique = testkit::unique("w2");
    let prefix = format!("{unique}_my_topic_");
    let topic = format!("{prefix}users");
    let internal =
        ["connect-configs", "connect-offsets", "connect-status"].map(|name| format!("{unique}-{name}"));
    let _topics = Topics::removed_at_the_end(&bootstrap, internal.iter().chain([&topic]));
    let port = testkit::free_port();
    // The stock file of the text, with the names of this test.
    let properties = std::env::temp_dir().join(format!("{unique}.properties"));
    std::fs::write(
        &properties,
        format!(
            "bootstrap.servers={bootstrap}\ngroup.id={unique}\n\
             key.converter=org.apache.kafka.connect.json.JsonConverter\n\
             value.converter=org.apache.kafka.connect.json.JsonConverter\n\
             key.converter.schemas.enable=true\nvalue.converter.schemas.enable=true\n\
             offset.storage.topic={}\noffset.storage.replication.factor=1\n\
             config.storage.topic={}\nconfig.storage.replication.factor=1\n\
             status.storage.topic={}\nstatus.storage.replication.factor=1\n\
             offset.flush.interval.ms=10000\nlisteners=http://127.0.0.1:{port}\n",
            internal[1], internal[0], internal[2]
        ),
    )?;
    let mut process = testkit::connect_distributed("w2", &properties);
    let url = format!("http://127.0.0.1:{port}");
    eventually("a healthy worker", PATIENCE, async || {
        Ok((get(format!("{url}/health")).await?.status == 200).then_some(()))
    })
    .await;

    database
        .execute(
            "create table users(id bigserial primary key, user_id varchar, pwd varchar, name varchar, \
             created_at date default current_date)",
        )
        .await?;
    let fill_in = |config: &str| -> anyhow::Result<Value> {
        let config = config
            .replace("HOST:PORT/DB", &format!("{}:{}/{}", server.host, server.port, database.name))
            .replace("USER", &server.user)
            .replace("PASSWORD", &server.password)
            .replace("my_topic_", &prefix);
        Ok(serde_json::from_str(&config)?)
    };
    for (config, ty) in [(SOURCE, "source"), (CONFIG, "sink")] {
        let config = fill_in(config)?;
        let name = config["name"].as_str().unwrap_or_default();
        let created = post(format!("{url}/connectors"), &config).await?;
        assert_eq!(created.status, 201, "{}", created.body);
        assert_eq!((&created.body["type"], &created.body["config"]["name"]), (&json!(ty), &json!(name)));
        eventually(format!("{name} to run"), PATIENCE, async || {
            let status = get(format!("{url}/connectors/{name}/status")).await?.body;
            anyhow::ensure!(status["tasks"][0]["state"] == "RUNNING", "{status}");
            Ok(Some(()))
        })
        .await;
    }
    for topic in &internal {
        assert!(kafka_client::topic_exists(&bootstrap, topic).await?, "{topic}");
    }

    database
        .execute("insert into users(user_id, pwd, name) values('user5', 'test5555', 'User name555')")
        .await?;
    let day = &database.query("select created_at - date '1970-01-01', created_at from users").await?[0];
    let (number, date) = (day[0].clone().unwrap_or_default(), day[1].clone());
    let line = eventually("the line in the topic", PATIENCE, async || {
        let messages = kafka_client::consume_all(&bootstrap, &topic).await?;
        Ok(messages.first().and_then(|message| message.value_str().map(str::to_owned)))
    })
    .await;
    let expected = FROM_SOURCE.replace("\"id\":5", "\"id\":1").replace("19847", &number);
    assert_eq!(line, expected, "byte for byte");

    let arguments = ["--bootstrap-server", bootstrap.as_str(), "--topic", topic.as_str()];
    kafka_tool("org.apache.kafka.tools.ConsoleProducer", &arguments, &format!("{TYPED}\n")).await?;
    let rows = eventually("both rows", PATIENCE, async || {
        let select = format!("SELECT id, user_id, pwd, name, created_at FROM \"{topic}\" ORDER BY id");
        let rows = database.query(&select).await?;
        anyhow::ensure!(rows.len() >= 2, "{rows:?}");
        Ok(Some(rows))
    })
    .await;
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        rows,
        [
            vec![text("1"), text("user5"), text("test5555"), text("User name555"), date],
            vec![text("10"), text("user10"), text("test1010"), text("typed user"), None],
        ]
    );
    process.terminate();
    assert!(process.wait_exit(Duration::from_secs(20)).await?.success());
    assert!(!process.log().contains(&server.password), "the password is in the log");
    std::fs::remove_file(&properties)?;
    Ok(())
}
