//! CreateTopics, DescribeConfigs, ListOffsets.

use super::connection::Connection;
use super::error::{WireError, check};
use connect_api::ConfigMap;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{
    BrokerId, CreateTopicsRequest, DescribeConfigsRequest, ListOffsetsRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use std::collections::BTreeMap;
use std::time::Duration;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

pub(crate) struct CreateTopic<'a> {
    pub(crate) name: &'a str,
    /// -1: the broker's default, also for the replication factor (KIP-464).
    pub(crate) partitions: i32,
    pub(crate) replication_factor: i16,
    pub(crate) settings: &'a ConfigMap,
}

/// What the broker adds to a refusal is often the only useful part.
#[derive(Debug)]
pub(crate) struct NotCreated {
    pub(crate) error: WireError,
    pub(crate) explanation: Option<String>,
}

impl From<WireError> for NotCreated {
    fn from(error: WireError) -> Self {
        Self { error, explanation: None }
    }
}

pub(crate) async fn create_topic(
    via: &mut Connection,
    topic: CreateTopic<'_>,
    patience: Duration,
) -> Result<(), NotCreated> {
    let version = via.version::<CreateTopicsRequest>()?;
    let setting = |(name, value): (&String, &String)| {
        CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value)))
    };
    let creatable = CreatableTopic::default()
        .with_name(TopicName(text(topic.name)))
        .with_num_partitions(topic.partitions)
        .with_replication_factor(topic.replication_factor)
        .with_configs(topic.settings.iter().map(setting).collect());
    let request = CreateTopicsRequest::default()
        .with_topics(vec![creatable])
        .with_timeout_ms(i32::try_from(patience.as_millis()).unwrap_or(i32::MAX));
    // the broker waits up to `patience` itself
    let answer = via.call(&request, version, patience + Duration::from_secs(5)).await?;
    for topic in answer.topics {
        if let Err(error) = check("CreateTopics", topic.error_code) {
            return Err(NotCreated { error, explanation: topic.error_message.map(|text| text.to_string()) });
        }
    }
    Ok(())
}

/// The topic's `cleanup.policy`; `None` when the broker does not know such a thing.
pub(crate) async fn cleanup_policy(
    via: &mut Connection,
    topic: &str,
    patience: Duration,
) -> Result<Option<String>, WireError> {
    const KEY: &str = "cleanup.policy";
    const TOPIC: i8 = 2;
    let version = via.version::<DescribeConfigsRequest>()?;
    let resource = DescribeConfigsResource::default()
        .with_resource_type(TOPIC)
        .with_resource_name(text(topic))
        .with_configuration_keys(Some(vec![StrBytes::from_static_str(KEY)]));
    let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
    let answer = via.call(&request, version, patience).await?;
    let mut policy = None;
    for result in answer.results {
        check("DescribeConfigs", result.error_code)?;
        let own = result.configs.into_iter().find(|config| *config.name == *KEY);
        policy = policy.or(own.and_then(|config| config.value).map(|value| value.to_string()));
    }
    Ok(policy)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OffsetSpec {
    Earliest,
    /// Behind the last record that is replicated, transactions under way included.
    Latest,
}

/// Offsets of partitions that this broker leads.
pub(crate) async fn list_offsets(
    via: &mut Connection,
    topic: &str,
    partitions: &[i32],
    spec: OffsetSpec,
    patience: Duration,
) -> Result<BTreeMap<i32, i64>, WireError> {
    let version = via.version::<ListOffsetsRequest>()?;
    let timestamp = match spec {
        OffsetSpec::Latest => -1,
        OffsetSpec::Earliest => -2,
    };
    let partition = |partition: &i32| {
        ListOffsetsPartition::default().with_partition_index(*partition).with_timestamp(timestamp)
    };
    let topic = ListOffsetsTopic::default()
        .with_name(TopicName(text(topic)))
        .with_partitions(partitions.iter().map(partition).collect());
    let request = ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
    let answer = via.call(&request, version, patience).await?;
    let mut offsets = BTreeMap::new();
    for partition in answer.topics.into_iter().flat_map(|topic| topic.partitions) {
        check("ListOffsets", partition.error_code)?;
        offsets.insert(partition.partition_index, partition.offset);
    }
    Ok(offsets)
}
