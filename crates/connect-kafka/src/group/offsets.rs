//! [`GroupOffsets`] on Kafka.

use super::backoff::Backoff;
use super::verdict::{Verdict, judge};
use crate::wire::{
    Cluster, Code, Connection, WireError, WireSettings, commit_offsets, delete_group, delete_offsets,
    fetch_offsets,
};
use async_trait::async_trait;
use connect_api::{ConfigMap, ConnectError, TopicPartition};
use connect_runtime::ports::{GroupOffsets, GroupOffsetsError};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long trouble that passes is waited out (half of Java's `default.api.timeout.ms`: a REST request waits behind it).
const PATIENCE: Duration = Duration::from_secs(30);

const CLIENT_ID: &str = "connect-worker-adminclient";

/// [`GroupOffsets`] by requests to the group's coordinator, as somebody who is no member.
pub struct KafkaGroupOffsets {
    /// `bootstrap.servers` and the worker's `admin.*`, prefix removed.
    worker: ConfigMap,
}

impl KafkaGroupOffsets {
    /// `worker` is the worker's configuration as it was given. Does not connect.
    pub fn new(worker: &ConfigMap) -> Result<Self, ConnectError> {
        let below =
            |(key, value): (&String, &String)| Some((key.strip_prefix("admin.")?.to_owned(), value.clone()));
        let mut base = ConfigMap::new();
        if let Some(servers) = worker.get("bootstrap.servers") {
            base.insert("bootstrap.servers".to_owned(), servers.clone());
        }
        base.extend(worker.iter().filter_map(below));
        WireSettings::read(&base, CLIENT_ID)?;
        Ok(Self { worker: base })
    }

    fn cluster(&self, overrides: &ConfigMap) -> Result<Cluster, ConnectError> {
        let mut settings = self.worker.clone();
        settings.extend(overrides.iter().map(|(key, value)| (key.clone(), value.clone())));
        let client_id = settings.get("client.id").map_or(CLIENT_ID, String::as_str).to_owned();
        Ok(Cluster::new(WireSettings::read(&settings, &client_id)?))
    }
}

#[async_trait]
impl GroupOffsets for KafkaGroupOffsets {
    async fn list(
        &self,
        group: &str,
        overrides: &ConfigMap,
    ) -> Result<Vec<(TopicPartition, i64)>, ConnectError> {
        let cluster = self.cluster(overrides)?;
        match at_coordinator(&cluster, group, &Request::List).await {
            Ok(answer) => Ok(answer.offsets),
            Err(error) => Err(failed("list the offsets of", group, &cluster, error)),
        }
    }

    async fn alter(
        &self,
        group: &str,
        offsets: Vec<(TopicPartition, Option<i64>)>,
        overrides: &ConfigMap,
    ) -> Result<(), GroupOffsetsError> {
        let cluster = self.cluster(overrides).map_err(GroupOffsetsError::Other)?;
        // Nothing is changed when one of them is wrong.
        match unknown_partition(&cluster, &offsets).await {
            Ok(None) => {}
            Ok(Some(unknown)) => return Err(GroupOffsetsError::UnknownPartition(unknown)),
            Err(error) => return Err(refusal(group, &cluster, error)),
        }
        let (mut set, mut removed) = (Vec::new(), Vec::new());
        for (partition, offset) in offsets {
            match offset {
                Some(offset) => set.push((partition, offset)),
                None => removed.push(partition),
            }
        }
        let requests = [
            (!set.is_empty()).then_some(Request::Set(set)),
            (!removed.is_empty()).then_some(Request::Remove(removed)),
        ];
        for request in requests.into_iter().flatten() {
            match at_coordinator(&cluster, group, &request).await {
                Ok(Answer { refused: None, .. }) => {}
                Ok(Answer { refused: Some((at, Code::UnknownTopicOrPartition)), .. }) => {
                    return Err(GroupOffsetsError::UnknownPartition(at));
                }
                Ok(Answer { refused: Some((_, code)), .. }) => {
                    return Err(refusal(group, &cluster, WireError::Refused { call: request.name(), code }));
                }
                // without a group there is no offset to remove
                Err(error) if error.code() == Some(Code::GroupIdNotFound) => {}
                Err(error) => return Err(refusal(group, &cluster, error)),
            }
        }
        Ok(())
    }

    async fn delete(&self, group: &str, overrides: &ConfigMap) -> Result<(), GroupOffsetsError> {
        let cluster = self.cluster(overrides).map_err(GroupOffsetsError::Other)?;
        match at_coordinator(&cluster, group, &Request::DeleteGroup).await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some(Code::GroupIdNotFound) => Ok(()),
            Err(error) => Err(refusal(group, &cluster, error)),
        }
    }
}

enum Request {
    List,
    Set(Vec<(TopicPartition, i64)>),
    Remove(Vec<TopicPartition>),
    DeleteGroup,
}

#[derive(Default)]
struct Answer {
    offsets: Vec<(TopicPartition, i64)>,
    /// The first partition of which the coordinator would not have it.
    refused: Option<(TopicPartition, Code)>,
}

impl Request {
    fn name(&self) -> &'static str {
        match self {
            Self::List => "OffsetFetch",
            Self::Set(_) => "OffsetCommit",
            Self::Remove(_) => "OffsetDelete",
            Self::DeleteGroup => "DeleteGroups",
        }
    }

    async fn send(&self, via: &mut Connection, group: &str, patience: Duration) -> Result<Answer, WireError> {
        let refused = |errors| Ok(Answer { refused: lasting(self.name(), errors)?, ..Answer::default() });
        match self {
            Self::List => Ok(Answer { offsets: fetch_offsets(via, group, patience).await?, refused: None }),
            Self::Set(offsets) => refused(commit_offsets(via, group, offsets, patience).await?),
            Self::Remove(partitions) => refused(delete_offsets(via, group, partitions, patience).await?),
            Self::DeleteGroup => delete_group(via, group, patience).await.map(|()| Answer::default()),
        }
    }
}

/// Repeats the request at whoever is the group's coordinator, until it succeeds, fails for good, or patience is at its end.
async fn at_coordinator(cluster: &Cluster, group: &str, request: &Request) -> Result<Answer, WireError> {
    let deadline = Instant::now() + PATIENCE;
    let mut backoff = Backoff::new(cluster.settings.backoff);
    let mut connection = None;
    loop {
        let error = match connected(cluster, group, &mut connection).await {
            Ok(connection) => match request.send(connection, group, cluster.settings.request_timeout).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            },
            Err(error) => error,
        };
        match judge(&error) {
            Verdict::Wait => {}
            Verdict::Elsewhere => connection = None,
            _ => return Err(error),
        }
        let pause = backoff.next();
        if Instant::now() + pause >= deadline {
            return Err(error);
        }
        sleep(pause).await;
    }
}

async fn connected<'a>(
    cluster: &Cluster,
    group: &str,
    connection: &'a mut Option<Connection>,
) -> Result<&'a mut Connection, WireError> {
    let connected = match connection.take().filter(Connection::usable) {
        Some(connection) => connection,
        None => cluster.open_coordinator(group).await?.1,
    };
    Ok(connection.insert(connected))
}

/// The first refusal that no retry will cure; one that passes becomes an error of the whole request, which is repeated.
fn lasting(
    call: &'static str,
    errors: Vec<(TopicPartition, Code)>,
) -> Result<Option<(TopicPartition, Code)>, WireError> {
    for (_, code) in &errors {
        let error = WireError::Refused { call, code: *code };
        // retriable in general, but here it means that there is no such partition
        let exists = *code != Code::UnknownTopicOrPartition;
        if exists && matches!(judge(&error), Verdict::Wait | Verdict::Elsewhere) {
            return Err(error);
        }
    }
    Ok(errors.into_iter().next())
}

fn refusal(group: &str, cluster: &Cluster, error: WireError) -> GroupOffsetsError {
    match error.code() {
        // What the coordinator says to one who is no member while the group has some.
        Some(
            Code::UnknownMemberId
            | Code::IllegalGeneration
            | Code::RebalanceInProgress
            | Code::NonEmptyGroup
            | Code::GroupSubscribedToTopic,
        ) => GroupOffsetsError::NotEmpty(group.to_owned()),
        _ => GroupOffsetsError::Other(failed("change the offsets of", group, cluster, error)),
    }
}

async fn unknown_partition(
    cluster: &Cluster,
    offsets: &[(TopicPartition, Option<i64>)],
) -> Result<Option<TopicPartition>, WireError> {
    let topics: BTreeSet<&str> = offsets.iter().map(|(partition, _)| &*partition.topic).collect();
    let topics: Vec<&str> = topics.into_iter().collect();
    let mut connection = cluster.any().await?;
    let metadata = cluster.metadata(&mut connection, &topics).await?;
    let exists = |partition: &TopicPartition| match metadata.topics.get(&*partition.topic) {
        Some(Ok(partitions)) => partitions.contains_key(&partition.partition),
        Some(Err(Code::UnknownTopicOrPartition | Code::InvalidTopicException)) | None => false,
        // trouble of another kind is for the coordinator to tell
        Some(Err(_)) => true,
    };
    Ok(offsets.iter().map(|(partition, _)| partition).find(|partition| !exists(partition)).cloned())
}

fn failed(what: &str, group: &str, cluster: &Cluster, error: WireError) -> ConnectError {
    let servers = cluster.settings.servers();
    ConnectError::caused(
        format!("could not {what} the consumer group {group} (bootstrap.servers={servers})"),
        error,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster() -> Cluster {
        let java = ConfigMap::from_iter([("bootstrap.servers".to_owned(), "h:1".to_owned())]);
        Cluster::new(WireSettings::read(&java, "c").unwrap())
    }

    #[test]
    fn a_group_with_members_is_told_from_other_trouble() {
        for (code, expected) in [
            (Code::UnknownMemberId, "the consumer group g still has members"),
            (Code::RebalanceInProgress, "the consumer group g still has members"),
            (Code::NonEmptyGroup, "the consumer group g still has members"),
            (Code::GroupSubscribedToTopic, "the consumer group g still has members"),
            (Code::OffsetMetadataTooLarge, "could not be changed"),
            (Code::CoordinatorNotAvailable, "could not be changed"),
        ] {
            let text =
                refusal("g", &cluster(), WireError::Refused { call: "OffsetCommit", code }).to_string();
            assert!(text.contains(expected), "{code:?}: {text}");
        }
    }

    #[test]
    fn only_what_passes_is_repeated() {
        let at = TopicPartition { topic: "t".into(), partition: 3 };
        let judged = |code| lasting("OffsetCommit", vec![(at.clone(), code)]);
        for code in [Code::UnknownTopicOrPartition, Code::UnknownMemberId, Code::OffsetMetadataTooLarge] {
            assert_eq!(judged(code).unwrap(), Some((at.clone(), code)));
        }
        for code in [Code::NotCoordinator, Code::CoordinatorLoadInProgress] {
            assert_eq!(judged(code).unwrap_err().code(), Some(code));
        }
        assert_eq!(lasting("OffsetCommit", vec![]).unwrap(), None);
    }

    #[test]
    fn an_override_wins_over_the_workers_admin_settings() {
        let map =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        let worker: ConfigMap =
            map(&[("bootstrap.servers", "a:1"), ("admin.request.timeout.ms", "7"), ("group.id", "w")]);
        let offsets = KafkaGroupOffsets::new(&worker).unwrap();
        let settings = offsets.cluster(&map(&[("bootstrap.servers", "b:2")])).unwrap().settings;
        assert_eq!(
            (settings.servers(), settings.request_timeout),
            ("b:2".to_owned(), Duration::from_millis(7))
        );
        let tls = offsets.cluster(&map(&[("security.protocol", "SASL_SSL")])).unwrap_err();
        assert!(tls.to_string().contains("TLS"), "{tls}");
    }
}
