//! A record that the converter cannot read, and one that the database refuses, among good ones, on real Kafka.

use crate::support::PATIENCE;
use crate::support::worker::{Worker, platform_sink};
use contracts::{Order, encode};
use serde_json::Value;
use testkit::kafka_client::{self, Topics};
use testkit::{Database, eventually};
use uuid::Uuid;

async fn good_bad_good(kafka: &str, topic: &str) -> anyhow::Result<()> {
    produce(kafka, topic, &["ann", "ann", "ann"]).await
}

/// The second cannot be read.
async fn produce(kafka: &str, topic: &str, users: &[&str]) -> anyhow::Result<()> {
    kafka_client::create_topic(kafka, topic, 1, &[]).await?;
    for (n, user) in (1u128..).zip(users) {
        let order = Order {
            order_id: Uuid::from_u128(n),
            user_id: (*user).into(),
            product_id: 1,
            qty: 1,
            unit_price: 1,
            total_price: 1,
            created_at: 0,
            idempotency_key: None,
        };
        let value = if n == 2 { b"{\"schema\": broken".to_vec() } else { encode(&order) };
        let key = order.order_id.to_string();
        let headers = [("trace", b"t-1".as_slice())];
        kafka_client::produce(kafka, topic, Some(key.as_bytes()), Some(&value), &headers).await?;
    }
    Ok(())
}

/// Passes bad records over, into `dlq`.
fn tolerant(dlq: &str) -> [(&str, &str); 4] {
    [
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", dlq),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ]
}

fn sink(database: &Database, topic: &str, extra: &[(&str, &str)]) -> Value {
    let mut config = platform_sink(database, topic);
    config["auto.create"] = "true".into();
    for (key, value) in extra {
        config[*key] = (*value).into();
    }
    config
}

#[tokio::test]
async fn goes_to_the_dead_letter_topic_with_connects_headers() -> anyhow::Result<()> {
    let kafka = testkit::kafka()?;
    let (topic, name) = (testkit::unique("orders"), testkit::unique("dlq-sink"));
    let dlq = format!("{topic}.dlq");
    let database = Database::create(&testkit::unique("e2e_dlq")).await?;
    let _topics = Topics::removed_at_the_end(&kafka, [topic.clone(), format!("{topic}.dlq")]);
    good_bad_good(&kafka, &topic).await?;
    let worker = Worker::start(&[]).await?;
    let config = sink(&database, &topic, &tolerant(&dlq));
    let created = worker.create(&name, &config).await?;
    assert_eq!(created.status, 201, "{}", created.body);

    eventually("both good rows", PATIENCE, async || Ok((database.count(&topic).await? == 2).then_some(())))
        .await;
    let dead = kafka_client::consume_all(&kafka, &dlq).await?;
    assert_eq!(dead.len(), 1);
    let dead = &dead[0];
    assert_eq!(dead.value.as_deref(), Some(b"{\"schema\": broken".as_slice()), "the value as it came");
    assert_eq!(dead.key_str(), Some(Uuid::from_u128(2).to_string().as_str()));
    assert_eq!(dead.header("trace"), Some("t-1"), "the record's own headers stay");
    for (header, expected) in [
        ("topic", topic.as_str()),
        ("partition", "0"),
        ("offset", "1"),
        ("connector.name", name.as_str()),
        ("task.id", "0"),
        ("stage", "VALUE_CONVERTER"),
        ("class.name", "org.apache.kafka.connect.json.JsonConverter"),
        ("exception.class.name", "org.apache.kafka.connect.errors.DataException"),
    ] {
        assert_eq!(dead.header(&format!("__connect.errors.{header}")), Some(expected), "{header}");
    }
    for header in ["exception.message", "exception.stacktrace"] {
        let text = dead.header(&format!("__connect.errors.{header}")).unwrap_or_default();
        assert!(!text.is_empty(), "{header}");
    }
    worker.task_state(&name, "RUNNING").await;
    Ok(())
}

#[tokio::test]
async fn fails_the_task_with_its_place_when_nothing_is_tolerated() -> anyhow::Result<()> {
    let kafka = testkit::kafka()?;
    let (topic, name) = (testkit::unique("orders"), testkit::unique("strict-sink"));
    let database = Database::create(&testkit::unique("e2e_strict")).await?;
    let _topics = Topics::removed_at_the_end(&kafka, [topic.clone(), format!("{topic}.dlq")]);
    good_bad_good(&kafka, &topic).await?;
    let worker = Worker::start(&[]).await?;
    let created = worker.create(&name, &sink(&database, &topic, &[])).await?;
    assert_eq!(created.status, 201, "{}", created.body);

    let status = worker.task_state(&name, "FAILED").await;
    let trace = status["tasks"][0]["trace"].as_str().unwrap_or_default();
    for part in [topic.as_str(), "partition 0", "offset 1", "JsonConverter"] {
        assert!(trace.contains(part), "no {part:?} in the trace: {trace}");
    }
    assert_eq!(status["connector"]["state"], "RUNNING", "the connector itself is well");
    let committed = kafka_client::committed(&kafka, &format!("connect-{name}"), &topic).await?;
    assert!(
        committed.values().sum::<i64>() <= 1,
        "nothing at or past the bad record is committed: {committed:?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_read_and_what_the_database_refuses_are_both_passed_over() -> anyhow::Result<()> {
    let kafka = testkit::kafka()?;
    let (topic, name) = (testkit::unique("orders"), testkit::unique("both-sink"));
    let dlq = format!("{topic}.dlq");
    let database = Database::create(&testkit::unique("e2e_both")).await?;
    let _topics = Topics::removed_at_the_end(&kafka, [topic.clone(), dlq.clone()]);
    produce(&kafka, &topic, &["ann", "unread", "bob", "much too long", "cid"]).await?;
    let table = format!("create table `{topic}` (order_id varchar(40) primary key, user_id varchar(5))");
    database.execute(&table).await?;
    let worker = Worker::start(&[]).await?;
    let own = [&[("fields.whitelist", "order_id,user_id")], &tolerant(&dlq)[..]].concat();
    let config = sink(&database, &topic, &own);
    let created = worker.create(&name, &config).await?;
    assert_eq!(created.status, 201, "{}", created.body);
    eventually("the three good rows", PATIENCE, async || {
        Ok((database.count(&topic).await? == 3).then_some(()))
    })
    .await;
    let dead = eventually("two dead letters", PATIENCE, async || {
        let dead = kafka_client::consume_all(&kafka, &dlq).await?;
        Ok((dead.len() == 2).then_some(dead))
    })
    .await;
    for (dead, offset, stage, class) in [
        (&dead[0], "1", "VALUE_CONVERTER", "org.apache.kafka.connect.json.JsonConverter"),
        (&dead[1], "3", "TASK_PUT", "org.apache.kafka.connect.sink.SinkTask"),
    ] {
        assert_eq!(dead.header("__connect.errors.offset"), Some(offset));
        assert_eq!(dead.header("__connect.errors.stage"), Some(stage));
        assert_eq!(dead.header("__connect.errors.class.name"), Some(class));
    }
    assert_eq!(dead[1].header("__connect.errors.sqlstate"), Some("22001"));
    worker.task_state(&name, "RUNNING").await;
    Ok(())
}
