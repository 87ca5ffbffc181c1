//! Logs on topics.

use super::broker::Broker;
use super::{LONG, worker};
use bytes::Bytes;
use connect_kafka::{KafkaStorage, KafkaTopicLog, StorageKind};
use connect_runtime::ports::{LogEntry, LogRecord, TopicLog};
use connect_runtime::worker_config::StorageTopic;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testkit::kafka_client::{create_topic, delete_topics};
use testkit::{kafka, kafka_tool, unique};

type Seen = Arc<Mutex<Vec<LogEntry>>>;

fn topic(partitions: i32) -> StorageTopic {
    StorageTopic { name: unique("log"), partitions, replication_factor: 1, settings: Default::default() }
}

fn storage(bootstrap: &str) -> KafkaStorage {
    KafkaStorage::new(&worker(bootstrap, "logs")).unwrap()
}

async fn start(log: &KafkaTopicLog) -> Result<Seen, String> {
    let seen = Seen::default();
    let into = seen.clone();
    let started = log.start(Box::new(move |entry| into.lock().unwrap().push(entry)));
    let started =
        tokio::time::timeout(LONG, started).await.unwrap_or_else(|_| panic!("the log does not start"));
    started.map(|()| seen).map_err(|error| error.chain())
}

fn records(keys: std::ops::Range<u32>, value: &str) -> Vec<LogRecord> {
    let record =
        |key: u32| LogRecord { key: key.to_string().into(), value: Some(Bytes::from(value.to_owned())) };
    keys.map(record).collect()
}

fn values(seen: &Seen) -> Vec<(String, Option<String>)> {
    let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    let seen = seen.lock().unwrap();
    let mut values: Vec<_> = seen
        .iter()
        .map(|entry| (text(entry.key.as_ref().unwrap()), entry.value.as_ref().map(text)))
        .collect();
    values.sort();
    values
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_on_one_topic_see_the_same() -> anyhow::Result<()> {
    let (bootstrap, topic) = (kafka()?, topic(5));
    let (storage_a, storage_b) = (storage(&bootstrap), storage(&bootstrap));
    let a = storage_a.log(StorageKind::Offsets, &topic);
    let seen_a = start(&a).await.unwrap();
    assert_eq!(values(&seen_a), []);
    let described = kafka_tool(
        "org.apache.kafka.tools.TopicCommand",
        &["--bootstrap-server", &bootstrap, "--describe", "--topic", &topic.name],
        "",
    )
    .await?;
    assert!(
        described.contains("PartitionCount: 5") && described.contains("cleanup.policy=compact"),
        "{described}"
    );

    a.append(records(0..100, "one")).await?;
    let b = storage_b.log(StorageKind::Offsets, &topic);
    let seen_b = start(&b).await.unwrap();
    assert_eq!(values(&seen_b).len(), 100);
    b.append(vec![LogRecord { key: Bytes::from_static(b"7"), value: None }]).await?;
    a.read_to_end().await?;
    assert_eq!(values(&seen_a).len(), 101);
    assert!(values(&seen_a).contains(&("7".to_owned(), None)));
    // everything is read without being asked for as well
    b.append(records(200..201, "two")).await?;
    testkit::eventually("the record", LONG, async || {
        Ok((values(&seen_a).len() == 102 && values(&seen_b) == values(&seen_a)).then_some(()))
    })
    .await;

    // records of one key stay in their order, over many calls
    for round in 0..50 {
        a.append(records(7..8, &format!("{round:02}"))).await?;
    }
    b.read_to_end().await?;
    let of_seven: Vec<_> =
        seen_b.lock().unwrap().iter().filter(|entry| entry.key.as_deref() == Some(b"7")).cloned().collect();
    assert!(of_seven.iter().all(|entry| entry.partition == of_seven[0].partition));
    assert!(of_seven.windows(2).all(|two| two[0].offset < two[1].offset));
    assert_eq!(of_seven.last().unwrap().value.as_deref(), Some(&b"49"[..]));
    // where Java would have put it
    assert!(seen_b.lock().unwrap().iter().all(|entry| entry.partition < 5));

    // one storage carries several logs; a log that is given up hears nothing more
    let second = super::log::topic(1);
    let c = storage_a.log(StorageKind::Configs, &second);
    let seen_c = start(&c).await.unwrap();
    drop(a);
    let before = values(&seen_a).len();
    b.append(records(0..1, "three")).await?;
    c.append(records(1..2, "four")).await?;
    c.read_to_end().await?;
    assert_eq!(values(&seen_c), [("1".to_owned(), Some("four".to_owned()))]);
    assert_eq!(values(&seen_a).len(), before);
    delete_topics(&bootstrap, &[&topic.name, &second.name]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn markers_of_transactions_do_not_hold_up_a_reader() -> anyhow::Result<()> {
    let (bootstrap, topic) = (kafka()?, topic(1));
    let storage = storage(&bootstrap);
    let log = storage.log(StorageKind::Configs, &topic);
    let seen = start(&log).await.unwrap();
    let producer: FutureProducer = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", &bootstrap)
        .set("transactional.id", unique("tx"))
        .create()?;
    let wait = Duration::from_secs(30);
    producer.init_transactions(wait)?;
    for (value, commit) in [("kept", true), ("dropped", false)] {
        producer.begin_transaction()?;
        let record = FutureRecord::to(&topic.name).key("k").payload(value);
        producer.send(record, wait).await.map_err(|(error, _)| error)?;
        if commit {
            producer.commit_transaction(wait)?;
        } else {
            producer.abort_transaction(wait)?;
        }
        // the end is behind the marker now
        tokio::time::timeout(LONG, log.read_to_end()).await??;
    }
    // read_uncommitted, as the Java worker reads without exactly-once
    assert_eq!(values(&seen).len(), 2);
    // and for one who begins to read here
    let again = storage_seen(&bootstrap, &topic).await;
    assert_eq!(again, 2);
    delete_topics(&bootstrap, &[&topic.name]).await?;
    Ok(())
}

async fn storage_seen(bootstrap: &str, topic: &StorageTopic) -> usize {
    let storage = storage(bootstrap);
    let log = storage.log(StorageKind::Configs, topic);
    start(&log).await.unwrap().lock().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_would_forget_is_refused() -> anyhow::Result<()> {
    let bootstrap = kafka()?;
    let storage = storage(&bootstrap);
    for (kind, partitions, settings, parts) in [
        (
            StorageKind::Statuses,
            1,
            &[("cleanup.policy", "delete")][..],
            &["status.storage.topic", "is delete"],
        ),
        (
            StorageKind::Offsets,
            1,
            &[("cleanup.policy", "compact,delete")],
            &["offset.storage.topic", "compact,delete"],
        ),
        (
            StorageKind::Configs,
            2,
            &[("cleanup.policy", "compact")],
            &["config.storage.topic", "2 partitions"],
        ),
    ] {
        let wrong = topic(1);
        create_topic(&bootstrap, &wrong.name, partitions, settings).await?;
        let error = start(&storage.log(kind, &wrong)).await.unwrap_err();
        assert!(parts.iter().all(|part| error.contains(part)) && error.contains(&wrong.name), "{error}");
        delete_topics(&bootstrap, &[&wrong.name]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_created_is_told_with_the_key_to_change() -> anyhow::Result<()> {
    let bootstrap = kafka()?;
    let storage = storage(&bootstrap);
    let mut many = topic(1);
    many.replication_factor = 3;
    let error = start(&storage.log(StorageKind::Configs, &many)).await.unwrap_err();
    assert!(error.contains("config.storage.replication.factor") && error.contains("3 replicas"), "{error}");
    let mut odd = topic(1);
    odd.settings.insert("segment.bytes".to_owned(), "many".to_owned());
    let error = start(&storage.log(StorageKind::Offsets, &odd)).await.unwrap_err();
    assert!(error.contains("offset.storage.") && error.contains("segment.bytes"), "{error}");

    // the broker's own defaults, and settings of the user's
    let mut open = topic(-1);
    open.replication_factor = -1;
    open.settings.insert("segment.bytes".to_owned(), "2000000".to_owned());
    open.settings.insert("cleanup.policy".to_owned(), "delete".to_owned());
    start(&storage.log(StorageKind::Statuses, &open)).await.unwrap();
    let described = kafka_tool(
        "org.apache.kafka.tools.TopicCommand",
        &["--bootstrap-server", &bootstrap, "--describe", "--topic", &open.name],
        "",
    )
    .await?;
    for part in ["segment.bytes=2000000", "cleanup.policy=compact", "PartitionCount: 1"] {
        assert!(described.contains(part), "{described}");
    }
    delete_topics(&bootstrap, &[&open.name]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_may_go_and_come() -> anyhow::Result<()> {
    let mut broker = Broker::start().await?;
    let topic = topic(3);
    let storage = storage(&broker.bootstrap);
    let log = Arc::new(storage.log(StorageKind::Offsets, &topic));
    let seen = start(&log).await.unwrap();
    log.append(records(0..10, "before")).await?;
    broker.kill();
    let waiting = tokio::spawn({
        let log = log.clone();
        async move { log.append(records(10..20, "meanwhile")).await }
    });
    // a caller's own bound
    assert!(tokio::time::timeout(Duration::from_secs(2), log.read_to_end()).await.is_err());
    // a worker that starts now waits for its brokers, too
    let late = self::storage(&broker.bootstrap);
    let late_log = late.log(StorageKind::Offsets, &topic);
    let starting = tokio::spawn(async move { (start(&late_log).await.unwrap(), late_log) });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!waiting.is_finished() && !starting.is_finished());
    broker.start_again().await?;
    tokio::time::timeout(LONG, waiting).await???;
    tokio::time::timeout(LONG, log.read_to_end()).await??;
    assert_eq!(values(&seen).len(), 20);
    let (seen, late_log) = tokio::time::timeout(LONG, starting).await??;
    late_log.read_to_end().await?;
    assert_eq!(values(&seen).len(), 20);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_log_is_read_to_its_end() -> anyhow::Result<()> {
    let (bootstrap, topic) = (kafka()?, topic(25));
    let storage = storage(&bootstrap);
    let log = storage.log(StorageKind::Offsets, &topic);
    let seen = start(&log).await.unwrap();
    for thousand in 0..20 {
        log.append(records(thousand * 1000..(thousand + 1) * 1000, &"x".repeat(200))).await?;
    }
    log.read_to_end().await?;
    assert_eq!(seen.lock().unwrap().len(), 20_000);
    let began = Instant::now();
    let other = self::storage(&bootstrap);
    let log = other.log(StorageKind::Offsets, &topic);
    let seen = start(&log).await.unwrap();
    assert_eq!(seen.lock().unwrap().len(), 20_000);
    println!("20000 records in 25 partitions read in {:?}", began.elapsed());
    let began = Instant::now();
    log.read_to_end().await?;
    println!("read_to_end at the end took {:?}", began.elapsed());
    let began = Instant::now();
    log.append(records(0..1, "x")).await?;
    println!("an append took {:?}", began.elapsed());
    delete_topics(&bootstrap, &[&topic.name]).await?;
    Ok(())
}
