//! Takes care that an internal topic is there and keeps what it is given.

use super::StorageKind;
use crate::admin::Admin;
use crate::wire::{Code, CreateTopic, Metadata, NotCreated, WireError};
use connect_api::ConnectError;
use connect_runtime::worker_config::StorageTopic;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const POLICY: &str = "cleanup.policy";

/// How long all brokers may take to know a topic that one of them has created; Java's figure.
const KNOWN_WITHIN: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) enum NotReady {
    /// Worth another attempt.
    Yet(WireError),
    /// Somebody has to change something.
    Ever(ConnectError),
}

impl From<WireError> for NotReady {
    fn from(error: WireError) -> Self {
        if error.passes() {
            Self::Yet(error)
        } else {
            Self::Ever(ConnectError::caused("the internal topics of the worker cannot be used", error))
        }
    }
}

/// The partitions of the topic. It is created when it is missing; one that is there must keep the last record of each key.
pub(super) async fn ensure(
    admin: &Admin,
    kind: StorageKind,
    topic: &StorageTopic,
) -> Result<Vec<i32>, NotReady> {
    let metadata = admin.metadata(&[&topic.name]).await?;
    let partitions = match partitions(&metadata, topic) {
        Some(Ok(partitions)) => partitions,
        Some(Err(Code::UnknownTopicOrPartition)) | None => {
            if create(admin, &metadata, kind, topic).await? {
                return known(admin, topic).await;
            }
            known(admin, topic).await?
        }
        Some(Err(Code::TopicAuthorizationFailed)) => {
            return Err(never(kind, topic, "the worker may not use it; allow it on the brokers"));
        }
        Some(Err(Code::InvalidTopicException)) => {
            return Err(never(kind, topic, "this is no legal name of a topic"));
        }
        Some(Err(code)) => return Err(WireError::Refused { call: "Metadata", code }.into()),
    };
    verify(admin, kind, topic).await?;
    Ok(partitions)
}

/// `None` when the broker says nothing of the topic; partitions only once all of them have a leader.
fn partitions(metadata: &Metadata, topic: &StorageTopic) -> Option<Result<Vec<i32>, Code>> {
    Some(match metadata.topics.get(&topic.name)? {
        Ok(partitions) if partitions.is_empty() || partitions.values().any(|leader| *leader < 0) => {
            Err(Code::LeaderNotAvailable)
        }
        Ok(partitions) => Ok(partitions.keys().copied().collect()),
        Err(code) => Err(*code),
    })
}

async fn known(admin: &Admin, topic: &StorageTopic) -> Result<Vec<i32>, NotReady> {
    let deadline = Instant::now() + KNOWN_WITHIN;
    let mut pause = Duration::from_millis(5);
    loop {
        let code = match partitions(&admin.metadata(&[&topic.name]).await?, topic) {
            Some(Ok(partitions)) => return Ok(partitions),
            Some(Err(code)) => code,
            None => Code::UnknownTopicOrPartition,
        };
        if Instant::now() >= deadline {
            return Err(WireError::Refused { call: "Metadata", code }.into());
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(500));
    }
}

/// `false` when somebody else was faster, maybe with settings of their own.
async fn create(
    admin: &Admin,
    metadata: &Metadata,
    kind: StorageKind,
    topic: &StorageTopic,
) -> Result<bool, NotReady> {
    let mut settings = topic.settings.clone();
    settings.insert(POLICY.to_owned(), "compact".to_owned());
    let partitions = if kind == StorageKind::Configs { 1 } else { topic.partitions };
    let replication_factor = i16::try_from(topic.replication_factor)
        .map_err(|_| never(kind, topic, &factor_remedy(kind, topic.replication_factor)))?;
    let new = CreateTopic { name: &topic.name, partitions, replication_factor, settings: &settings };
    match admin.create(metadata, new).await {
        Ok(()) => {
            tracing::info!(topic = topic.name, partitions, replication_factor, "created internal topic");
            Ok(true)
        }
        Err(NotCreated { error, explanation }) => {
            let explained = explanation.map(|text| format!(" ({text})")).unwrap_or_default();
            let remedy = match (&error, error.code()) {
                (_, Some(Code::TopicAlreadyExists)) => return Ok(false),
                (_, Some(Code::InvalidReplicationFactor)) => factor_remedy(kind, topic.replication_factor),
                (_, Some(Code::InvalidPartitions)) => {
                    format!(
                        "set {}.partitions to a number above 0, or to -1 for the brokers' default",
                        kind.prefix()
                    )
                }
                (_, Some(Code::InvalidConfig)) => {
                    format!("correct the settings that begin with {}.", kind.prefix())
                }
                (WireError::Unsupported { .. }, _)
                | (
                    _,
                    Some(
                        Code::TopicAuthorizationFailed
                        | Code::ClusterAuthorizationFailed
                        | Code::PolicyViolation,
                    ),
                ) => format!(
                    "the brokers do not let this worker create it: create it yourself, with {POLICY}=compact and {}",
                    if kind == StorageKind::Configs { "one partition" } else { "several partitions" }
                ),
                // the controller has changed since it was asked for
                (_, Some(Code::NotController)) => return Err(NotReady::Yet(error)),
                _ if error.passes() => return Err(NotReady::Yet(error)),
                _ => "the brokers' logs may say more".to_owned(),
            };
            let what = format!("{remedy}{explained}");
            let message = format!(
                "topic {} ({}.topic) could not be created at {}: {what}",
                topic.name,
                kind.prefix(),
                admin.servers()
            );
            Err(NotReady::Ever(ConnectError::caused(message, error)))
        }
    }
}

fn factor_remedy(kind: StorageKind, asked: i32) -> String {
    format!(
        "the cluster cannot keep {asked} replicas: set {}.replication.factor to the number of its brokers or less (1 on a \
         single broker), or to -1 for the brokers' default",
        kind.prefix()
    )
}

fn never(kind: StorageKind, topic: &StorageTopic, why: &str) -> NotReady {
    NotReady::Ever(ConnectError::config(format!("topic {} ({}.topic): {why}", topic.name, kind.prefix())))
}

/// A topic that deletes old records would forget connectors, offsets and states in time.
async fn verify(admin: &Admin, kind: StorageKind, topic: &StorageTopic) -> Result<(), NotReady> {
    match admin.cleanup_policy(&topic.name).await {
        Ok(Some(policy)) if only_compact(&policy) => Ok(()),
        Ok(Some(policy)) => Err(never(
            kind,
            topic,
            &format!(
                "its {POLICY} is {policy}, with which {} would be lost in time; it must be compact and nothing else: change the \
                 topic, or name another one in {}.topic",
                kind.contents(),
                kind.prefix()
            ),
        )),
        Err(error) if error.passes() => Err(NotReady::Yet(error)),
        // An old broker, or one that does not tell everybody; Java goes on, too.
        Ok(None) | Err(_) => {
            tracing::info!(
                topic = topic.name,
                "the brokers do not tell the topic's cleanup.policy; it should be compact"
            );
            Ok(())
        }
    }
}

fn only_compact(policy: &str) -> bool {
    let mut policies = policy.split(',').map(str::trim).filter(|policy| !policy.is_empty()).peekable();
    policies.peek().is_some() && policies.all(|policy| policy == "compact")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_compaction_alone_keeps_everything() {
        for (policy, fit) in [
            ("compact", true),
            (" compact ,", true),
            ("delete", false),
            ("compact,delete", false),
            ("", false),
        ] {
            assert_eq!(only_compact(policy), fit, "{policy}");
        }
    }

    #[test]
    fn a_topic_is_ready_when_every_partition_has_a_leader() {
        let topic = StorageTopic {
            name: "t".to_owned(),
            partitions: 2,
            replication_factor: 1,
            settings: connect_api::ConfigMap::new(),
        };
        let with = |entry| {
            let topics = std::collections::HashMap::from([("t".to_owned(), entry)]);
            partitions(&Metadata { topics, ..Metadata::default() }, &topic)
        };
        assert_eq!(with(Ok([(0, 1), (1, 1)].into())), Some(Ok(vec![0, 1])));
        assert_eq!(with(Ok([(0, 1), (1, -1)].into())), Some(Err(Code::LeaderNotAvailable)));
        assert_eq!(with(Ok([].into())), Some(Err(Code::LeaderNotAvailable)));
        assert_eq!(with(Err(Code::UnknownTopicOrPartition)), Some(Err(Code::UnknownTopicOrPartition)));
        assert_eq!(partitions(&Metadata::default(), &topic), None);
    }
}
