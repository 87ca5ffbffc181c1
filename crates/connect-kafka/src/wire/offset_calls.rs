//! OffsetFetch, OffsetCommit, OffsetDelete, DeleteGroups, for groups that the caller is no member of.

use super::connection::Connection;
use super::error::{Code, WireError, check};
use connect_api::TopicPartition;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::{
    DeleteGroupsRequest, GroupId, OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What the broker says of single partitions.
pub(crate) type PartitionErrors = Vec<(TopicPartition, Code)>;

fn group_id(group: &str) -> GroupId {
    GroupId(StrBytes::from_string(group.to_owned()))
}

fn topic_name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}

fn errors(partitions: impl Iterator<Item = (TopicName, i32, i16)>) -> PartitionErrors {
    let error = |(topic, partition, code): (TopicName, i32, i16)| {
        Some((TopicPartition { topic: topic.as_str().into(), partition }, Code::try_from_code(code)?))
    };
    partitions.filter_map(error).collect()
}

/// Every committed offset of the group; none for a group that does not exist.
pub(crate) async fn fetch_offsets(
    via: &mut Connection,
    group: &str,
    patience: Duration,
) -> Result<Vec<(TopicPartition, i64)>, WireError> {
    const NAME: &str = "OffsetFetch";
    let version = via.version::<OffsetFetchRequest>()?;
    // no topics: all of them, which versions before 2 cannot be asked
    let request = match version {
        ..=1 => return Err(WireError::Unsupported { address: via.address().to_owned(), call: NAME }),
        2..=7 => OffsetFetchRequest::default().with_group_id(group_id(group)).with_topics(None),
        _ => OffsetFetchRequest::default().with_groups(vec![
            OffsetFetchRequestGroup::default().with_group_id(group_id(group)).with_topics(None),
        ]),
    };
    let answer = via.call(&request, version, patience).await?;
    check(NAME, answer.error_code)?;
    let mut found: Vec<(TopicName, i32, i64, i16)> = Vec::new();
    for topic in answer.topics {
        let part = |part: &kafka_protocol::messages::offset_fetch_response::OffsetFetchResponsePartition| {
            (topic.name.clone(), part.partition_index, part.committed_offset, part.error_code)
        };
        found.extend(topic.partitions.iter().map(part));
    }
    for group in answer.groups {
        match Code::try_from_code(group.error_code) {
            Some(Code::GroupIdNotFound) => continue,
            _ => check(NAME, group.error_code)?,
        }
        for topic in group.topics {
            let part =
                |part: &kafka_protocol::messages::offset_fetch_response::OffsetFetchResponsePartitions| {
                    (topic.name.clone(), part.partition_index, part.committed_offset, part.error_code)
                };
            found.extend(topic.partitions.iter().map(part));
        }
    }
    let mut offsets = Vec::new();
    for (topic, partition, offset, code) in found {
        check(NAME, code)?;
        if offset >= 0 {
            offsets.push((TopicPartition { topic: topic.as_str().into(), partition }, offset));
        }
    }
    Ok(offsets)
}

/// Commits as one who is no member, which the broker takes only while the group has none.
pub(crate) async fn commit_offsets(
    via: &mut Connection,
    group: &str,
    offsets: &[(TopicPartition, i64)],
    patience: Duration,
) -> Result<PartitionErrors, WireError> {
    let version = via.version::<OffsetCommitRequest>()?;
    let mut topics: BTreeMap<Arc<str>, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
    for (partition, offset) in offsets {
        topics.entry(partition.topic.clone()).or_default().push(
            OffsetCommitRequestPartition::default()
                .with_partition_index(partition.partition)
                .with_committed_offset(*offset)
                .with_committed_metadata(Some(StrBytes::new())),
        );
    }
    let topic = |(topic, partitions): (Arc<str>, Vec<_>)| {
        OffsetCommitRequestTopic::default().with_name(topic_name(&topic)).with_partitions(partitions)
    };
    let request = OffsetCommitRequest::default()
        .with_group_id(group_id(group))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(topics.into_iter().map(topic).collect());
    let answer = via.call(&request, version, patience).await?;
    Ok(errors(answer.topics.into_iter().flat_map(|topic| {
        let name = topic.name;
        topic.partitions.into_iter().map(move |part| (name.clone(), part.partition_index, part.error_code))
    })))
}

pub(crate) async fn delete_offsets(
    via: &mut Connection,
    group: &str,
    partitions: &[TopicPartition],
    patience: Duration,
) -> Result<PartitionErrors, WireError> {
    let version = via.version::<OffsetDeleteRequest>()?;
    let mut topics: BTreeMap<Arc<str>, Vec<OffsetDeleteRequestPartition>> = BTreeMap::new();
    for partition in partitions {
        topics
            .entry(partition.topic.clone())
            .or_default()
            .push(OffsetDeleteRequestPartition::default().with_partition_index(partition.partition));
    }
    let topic = |(topic, partitions): (Arc<str>, Vec<_>)| {
        OffsetDeleteRequestTopic::default().with_name(topic_name(&topic)).with_partitions(partitions)
    };
    let request = OffsetDeleteRequest::default()
        .with_group_id(group_id(group))
        .with_topics(topics.into_iter().map(topic).collect());
    let answer = via.call(&request, version, patience).await?;
    check("OffsetDelete", answer.error_code)?;
    Ok(errors(answer.topics.into_iter().flat_map(|topic| {
        let name = topic.name;
        topic.partitions.into_iter().map(move |part| (name.clone(), part.partition_index, part.error_code))
    })))
}

pub(crate) async fn delete_group(
    via: &mut Connection,
    group: &str,
    patience: Duration,
) -> Result<(), WireError> {
    let version = via.version::<DeleteGroupsRequest>()?;
    let request = DeleteGroupsRequest::default().with_groups_names(vec![group_id(group)]);
    let answer = via.call(&request, version, patience).await?;
    answer.results.iter().try_for_each(|result| check("DeleteGroups", result.error_code))
}
