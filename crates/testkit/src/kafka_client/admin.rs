//! Topics and groups.

use anyhow::{Context, bail};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::RDKafkaErrorCode;

use super::{TIMEOUT, blocking, config, while_coordinator_moves};

/// Creates a topic with one replica. It is an error when it exists: names come from [`crate::unique`].
pub async fn create_topic(
    bootstrap: &str,
    topic: &str,
    partitions: i32,
    settings: &[(&str, &str)],
) -> anyhow::Result<()> {
    let mut new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    for (key, value) in settings {
        new = new.set(key, value);
    }
    let results = admin(bootstrap)?.create_topics([&new], &options()).await;
    for result in results.with_context(|| format!("cannot create topic {topic}"))? {
        result.map_err(|(name, code)| anyhow::anyhow!("cannot create topic {name}: {code}"))?;
    }
    Ok(())
}

/// Removes topics; one that does not exist is as good as removed.
pub async fn delete_topics(bootstrap: &str, topics: &[&str]) -> anyhow::Result<()> {
    let results =
        admin(bootstrap)?.delete_topics(topics, &options()).await.context("cannot delete topics")?;
    for result in results {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic)) => {}
            Err((topic, code)) => bail!("cannot delete topic {topic}: {code}"),
        }
    }
    Ok(())
}

/// Topics that are removed when the value is dropped, whatever became of the test. Declare it before the programs that write
/// to them, so that it is dropped after those.
#[derive(Debug)]
pub struct Topics {
    bootstrap: String,
    names: Vec<String>,
}

impl Topics {
    /// The topics need not exist yet, or ever.
    pub fn removed_at_the_end(bootstrap: &str, names: impl IntoIterator<Item = impl Into<String>>) -> Topics {
        Topics { bootstrap: bootstrap.to_owned(), names: names.into_iter().map(Into::into).collect() }
    }
}

impl Drop for Topics {
    fn drop(&mut self) {
        // On a thread with a runtime of its own, as in `Database`: a drop cannot await.
        let (bootstrap, names) = (self.bootstrap.clone(), self.names.clone());
        let removed = std::thread::spawn(move || -> anyhow::Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            runtime.block_on(delete_topics(&bootstrap, &names))
        })
        .join();
        if let Ok(Err(error)) = removed {
            eprintln!("testkit: topics {} were left behind: {error:#}", self.names.join(", "));
        }
    }
}

/// Removes consumer groups; one that does not exist is as good as removed, one with members is an error.
pub async fn delete_groups(bootstrap: &str, groups: &[&str]) -> anyhow::Result<()> {
    let results =
        admin(bootstrap)?.delete_groups(groups, &options()).await.context("cannot delete groups")?;
    for result in results {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::GroupIdNotFound)) => {}
            Err((group, code)) => bail!("cannot delete group {group}: {code}"),
        }
    }
    Ok(())
}

/// Removes every topic and every consumer group whose name contains `part`, which has to come from [`crate::unique`]. A group that
/// still has members stays.
pub async fn remove_all_named(bootstrap: &str, part: &str) -> anyhow::Result<()> {
    let (server, wanted) = (bootstrap.to_owned(), part.to_owned());
    let (topics, groups) = blocking(move || {
        let client: BaseConsumer = config(&server).create()?;
        let metadata = client.fetch_metadata(None, TIMEOUT).context("cannot reach Kafka")?;
        let topics = metadata.topics().iter().map(|topic| topic.name().to_owned());
        let list = while_coordinator_moves(|| client.fetch_group_list(None, TIMEOUT));
        let list = list.context("cannot list groups")?;
        let groups = list.groups().iter().filter(|group| group.members().is_empty());
        let groups = groups.map(|group| group.name().to_owned());
        let named = |name: &String| name.contains(&wanted);
        Ok((topics.filter(named).collect::<Vec<_>>(), groups.filter(named).collect::<Vec<_>>()))
    })
    .await?;
    if !topics.is_empty() {
        delete_topics(bootstrap, &topics.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    }
    if !groups.is_empty() {
        delete_groups(bootstrap, &groups.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    }
    Ok(())
}

pub async fn topic_exists(bootstrap: &str, topic: &str) -> anyhow::Result<bool> {
    let (bootstrap, topic) = (bootstrap.to_owned(), topic.to_owned());
    blocking(move || {
        let client: BaseConsumer = config(&bootstrap).create()?;
        // All topics, not this one: a broker may create a topic that it is asked about by name.
        let metadata = client.fetch_metadata(None, TIMEOUT).context("cannot reach Kafka")?;
        Ok(metadata.topics().iter().any(|found| found.name() == topic))
    })
    .await
}

/// A classic consumer group as its coordinator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// `Stable`, `Empty`, `PreparingRebalance`, ... `Dead` when there is no such group.
    pub state: String,
    pub members: usize,
}

pub async fn group(bootstrap: &str, name: &str) -> anyhow::Result<Group> {
    let (bootstrap, name) = (bootstrap.to_owned(), name.to_owned());
    blocking(move || {
        let client: BaseConsumer = config(&bootstrap).create()?;
        let list = while_coordinator_moves(|| client.fetch_group_list(Some(&name), TIMEOUT));
        let list = list.with_context(|| format!("cannot describe group {name}"))?;
        let found = list.groups().iter().find(|group| group.name() == name);
        let dead = || Group { state: "Dead".to_owned(), members: 0 };
        Ok(found.map_or_else(dead, |group| Group {
            state: group.state().to_owned(),
            members: group.members().len(),
        }))
    })
    .await
}

fn admin(bootstrap: &str) -> anyhow::Result<AdminClient<DefaultClientContext>> {
    config(bootstrap).create().context("cannot create an admin client")
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(TIMEOUT)).request_timeout(Some(TIMEOUT))
}
