//! What the demo itself does on Kafka: see that it is there, read topics to their end, remove what a check created.

use anyhow::{Context as _, bail};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::Message as _;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A record as far as the check looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
}

const PATIENCE: Duration = Duration::from_secs(20);

fn config(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap)
        .set("client.id", "demo")
        // librdkafka writes connection errors to stderr, between the progress lines; ours say enough
        .set("log_level", "0");
    config
}

/// Fails unless a broker answers.
pub(crate) async fn answers(bootstrap: &str) -> anyhow::Result<()> {
    let address = bootstrap.to_owned();
    let asked = tokio::task::spawn_blocking(move || -> anyhow::Result<()> {
        let consumer: BaseConsumer = config(&address).create()?;
        consumer.fetch_metadata(None, Duration::from_secs(10))?;
        Ok(())
    });
    asked.await?.with_context(|| format!("no Kafka answers at {bootstrap}"))
}

/// Every record of the topic as of now; none if there is no such topic.
pub(crate) async fn read_all(bootstrap: &str, topic: &str) -> anyhow::Result<Vec<Record>> {
    let (address, name) = (bootstrap.to_owned(), topic.to_owned());
    tokio::task::spawn_blocking(move || read_all_blocking(&address, &name))
        .await?
        .with_context(|| format!("reading the topic {topic}"))
}

fn read_all_blocking(bootstrap: &str, topic: &str) -> anyhow::Result<Vec<Record>> {
    // librdkafka wants a group id of every consumer; nothing is committed, so no such group comes to exist
    let consumer: BaseConsumer = config(bootstrap)
        .set("group.id", "demo-reader")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "error")
        .create()?;
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    let partitions = match metadata.topics().first() {
        Some(found) if found.error().is_none() => found.partitions().iter().map(|p| p.id()).collect(),
        _ => Vec::new(),
    };

    let mut ends = HashMap::new();
    let mut assignment = TopicPartitionList::new();
    for partition in partitions {
        let (low, high) = consumer.fetch_watermarks(topic, partition, PATIENCE)?;
        if high > low {
            ends.insert(partition, high);
            assignment.add_partition_offset(topic, partition, Offset::Offset(low))?;
        }
    }
    if ends.is_empty() {
        return Ok(Vec::new());
    }
    consumer.assign(&assignment)?;

    let mut records = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while !ends.is_empty() {
        if Instant::now() > deadline {
            bail!(
                "{} records came in {} s, partitions {:?} are unread",
                records.len(),
                PATIENCE.as_secs(),
                ends
            );
        }
        let Some(message) = consumer.poll(Duration::from_millis(200)) else { continue };
        let message = message?;
        let Some(&end) = ends.get(&message.partition()) else { continue };
        if message.offset() < end {
            records.push(Record {
                key: message.key().map(<[u8]>::to_vec),
                value: message.payload().map(<[u8]>::to_vec),
            });
        }
        if message.offset() + 1 >= end {
            ends.remove(&message.partition());
        }
    }
    Ok(records)
}

/// Deletes topics; one that does not exist is fine. Says what could not be deleted.
pub(crate) async fn delete_topics(bootstrap: &str, topics: &[&str]) -> Vec<String> {
    let deleted = async {
        let admin: AdminClient<DefaultClientContext> = config(bootstrap).create()?;
        admin.delete_topics(topics, &options()).await
    };
    match deleted.await {
        Ok(results) => results
            .into_iter()
            .filter_map(Result::err)
            .filter_map(|(name, code)| refusal("topic", &name, code))
            .collect(),
        Err(error) => vec![format!("topics {}: {error}", topics.join(", "))],
    }
}

/// Deletes consumer groups; the broker refuses while it believes in a member, which for one that was killed lasts a
/// session timeout, so this asks for a while.
pub(crate) async fn delete_groups(bootstrap: &str, groups: &[&str]) -> Vec<String> {
    let admin: AdminClient<DefaultClientContext> = match config(bootstrap).create() {
        Ok(admin) => admin,
        Err(error) => return vec![format!("groups {}: {error}", groups.join(", "))],
    };
    let deadline = Instant::now() + PATIENCE;
    let mut left = groups.to_vec();
    loop {
        let failed: Vec<(String, RDKafkaErrorCode)> = match admin.delete_groups(&left, &options()).await {
            Ok(results) => results.into_iter().filter_map(Result::err).collect(),
            Err(error) => return vec![format!("groups {}: {error}", left.join(", "))],
        };
        let busy = |(_, code): &(String, RDKafkaErrorCode)| {
            matches!(code, RDKafkaErrorCode::NonEmptyGroup | RDKafkaErrorCode::CoordinatorLoadInProgress)
        };
        if !failed.iter().any(busy) || Instant::now() > deadline {
            return failed.into_iter().filter_map(|(name, code)| refusal("group", &name, code)).collect();
        }
        // one that failed for good fails the same way next time, and is reported then
        left.retain(|group| failed.iter().any(|(name, _)| name == group));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE))
}

fn refusal(what: &str, name: &str, code: RDKafkaErrorCode) -> Option<String> {
    let gone = matches!(code, RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::GroupIdNotFound);
    (!gone).then(|| format!("{what} {name}: {code}"))
}
