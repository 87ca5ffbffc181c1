//! The helpers against the real engines: a helper that is wrong makes every test that uses it worthless.

use std::collections::HashMap;

use testkit::kafka_client::{self, Record};
use testkit::{Database, PgDatabase, kafka_tool, unique};

#[tokio::test]
async fn records_are_read_back_with_key_value_headers_and_place() -> anyhow::Result<()> {
    let kafka = testkit::kafka()?;
    let topic = unique("testkit");
    kafka_client::create_topic(&kafka, &topic, 3, &[("cleanup.policy", "compact")]).await?;
    assert!(kafka_client::topic_exists(&kafka, &topic).await?);

    let headers: &[(&str, &[u8])] = &[("trace", b"a"), ("trace", b"b")];
    let place = kafka_client::produce(&kafka, &topic, Some(b"k"), Some(br#"{"n":1}"#), headers).await?;
    let tombstone = kafka_client::produce(&kafka, &topic, Some(b"k"), None, &[]).await?;
    assert_eq!((place.0, place.1 + 1), tombstone, "equal keys go to one partition");
    kafka_client::produce_all(&kafka, &topic, (0..50).map(|n| Record::new(format!("key-{n}"), "v"))).await?;

    let all = kafka_client::consume_all(&kafka, &topic).await?;
    assert_eq!(all.len(), 52);
    let first =
        all.iter().find(|message| (message.partition, message.offset) == place).expect("the first record");
    assert_eq!(
        (first.key_str(), first.json()?["n"].as_i64(), first.header("trace")),
        (Some("k"), Some(1), Some("b"))
    );
    assert!(
        all.iter().any(|message| (message.partition, message.offset) == tombstone && message.value.is_none())
    );

    kafka_client::delete_topics(&kafka, &[&topic, "testkit_never_created"]).await?;
    assert!(kafka_client::consume_all(&kafka, &topic).await.is_err());
    Ok(())
}

#[tokio::test]
async fn what_one_run_left_behind_is_removed_by_its_name_and_nothing_else() -> anyhow::Result<()> {
    let kafka = testkit::kafka()?;
    let (run, other) = (unique("run"), unique("other"));
    let topics = [format!("a-{run}-b"), format!("{run}-c"), other];
    for topic in &topics {
        kafka_client::create_topic(&kafka, topic, 1, &[]).await?;
    }
    kafka_client::remove_all_named(&kafka, &run).await?;
    let mut there = Vec::new();
    for topic in &topics {
        there.push(kafka_client::topic_exists(&kafka, topic).await?);
    }
    assert_eq!(there, [false, false, true]);
    kafka_client::remove_all_named(&kafka, &topics[2]).await
}

#[tokio::test]
async fn offsets_of_a_group_are_seen_without_joining_it() -> anyhow::Result<()> {
    use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
    let kafka = testkit::kafka()?;
    let (topic, name) = (unique("testkit"), unique("group"));
    kafka_client::create_topic(&kafka, &topic, 2, &[]).await?;
    let in_first = |n: i32| Record { partition: Some(0), ..Record::new("k", n.to_string()) };
    kafka_client::produce_all(&kafka, &topic, (0..5).map(in_first)).await?;
    assert_eq!(kafka_client::committed(&kafka, &name, &topic).await?, HashMap::new());

    let mut config = rdkafka::ClientConfig::new();
    let consumer: BaseConsumer = config.set("bootstrap.servers", &kafka).set("group.id", &name).create()?;
    let mut offsets = rdkafka::TopicPartitionList::new();
    offsets.add_partition_offset(&topic, 0, rdkafka::Offset::Offset(4))?;
    consumer.commit(&offsets, CommitMode::Sync)?;
    drop(consumer);

    assert_eq!(kafka_client::committed(&kafka, &name, &topic).await?, HashMap::from([(0, 4)]));
    let group = kafka_client::group(&kafka, &name).await?;
    assert_eq!((group.state.as_str(), group.members), ("Empty", 0));
    kafka_client::delete_groups(&kafka, &[&name, "testkit_no_such_group"]).await?;
    assert_eq!(kafka_client::group(&kafka, &name).await?.state, "Dead");
    kafka_client::delete_topics(&kafka, &[&topic]).await
}

#[tokio::test]
async fn a_database_lives_as_long_as_its_value() -> anyhow::Result<()> {
    let name = unique("testkit");
    let other = Database::create(&unique("testkit")).await?;
    let exists = format!("SELECT schema_name FROM information_schema.schemata WHERE schema_name = '{name}'");
    let db = Database::create(&name).await?;
    assert_eq!(other.query(&exists).await?, [[Some(name.clone())]]);
    db.execute("CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(20), at DATETIME(3))").await?;
    db.execute("INSERT INTO t VALUES (1, 'ö', '2026-01-31 12:00:00.123'), (2, NULL, NULL)").await?;
    assert_eq!(
        db.query("SELECT * FROM t ORDER BY id").await?,
        [[Some("1"), Some("ö"), Some("2026-01-31 12:00:00.123")], [Some("2"), None, None]]
            .map(|row| row.map(|cell| cell.map(str::to_owned)))
    );
    assert_eq!(db.count("t").await?, 2);
    drop(db);
    assert!(other.query(&exists).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn the_console_producer_types_a_record() -> anyhow::Result<()> {
    let kafka = testkit::kafka()?;
    let topic = unique("testkit");
    kafka_client::create_topic(&kafka, &topic, 1, &[]).await?;
    let args = ["--bootstrap-server", &kafka, "--topic", &topic];
    kafka_tool("org.apache.kafka.tools.ConsoleProducer", &args, "{\"typed\":true}\n").await?;
    let all = kafka_client::consume_all(&kafka, &topic).await?;
    assert_eq!(all.iter().map(|message| message.value_str()).collect::<Vec<_>>(), [Some("{\"typed\":true}")]);
    let error = kafka_tool("org.apache.kafka.tools.ConsoleProducer", &["--nonsense"], "").await.unwrap_err();
    assert!(error.to_string().contains("nonsense"), "{error}");
    kafka_client::delete_topics(&kafka, &[&topic]).await
}

#[tokio::test]
async fn a_postgres_database_lives_as_long_as_its_value() -> anyhow::Result<()> {
    let name = unique("testkit");
    let other = PgDatabase::create(&unique("testkit")).await?;
    let there = format!("SELECT COUNT(*) FROM pg_database WHERE datname = '{name}'");
    let db = PgDatabase::create(&name).await?;
    assert_eq!(other.query(&there).await?, [[Some("1".to_owned())]]);
    db.execute(
        "CREATE TABLE t(n INT, b BOOLEAN, y BYTEA); INSERT INTO t VALUES(1, TRUE, '\\x00'), (2, NULL, '')",
    )
    .await?;
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        db.query("SELECT * FROM t ORDER BY n").await?,
        [[text("1"), text("t"), text("\\x00")], [text("2"), None, text("\\x")]]
    );
    assert_eq!(db.count("t").await?, 2);
    assert_eq!(db.jdbc_url(), format!("jdbc:postgresql://{}:{}/{name}", db.server.host, db.server.port));
    assert!(db.query("SELECT nonsense FROM t").await.is_err());
    drop(db);
    assert_eq!(other.query(&there).await?, [[Some("0".to_owned())]]);
    Ok(())
}
