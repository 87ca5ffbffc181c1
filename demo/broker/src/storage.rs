//! Stores each record as a batch of its own.
//!
//! tansu's in-memory storage knows a batch by its first offset only. Asked for an offset in the middle of a batch, it
//! begins with the next batch, so a consumer that continues where it had committed would lose records; asked for a
//! partition's end, it names the last batch's first offset plus one. Neither can go wrong with batches of one record.
//! The client does not notice: sequence numbers count records, not batches.

use async_trait::async_trait;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};
use tansu_sans_io::create_topics_request::CreatableTopic;
use tansu_sans_io::delete_groups_response::DeletableGroupResult;
use tansu_sans_io::delete_records_request::DeleteRecordsTopic;
use tansu_sans_io::delete_records_response::DeleteRecordsTopicResult;
use tansu_sans_io::describe_cluster_response::DescribeClusterBroker;
use tansu_sans_io::describe_configs_response::DescribeConfigsResult;
use tansu_sans_io::describe_topic_partitions_response::DescribeTopicPartitionsResponseTopic;
use tansu_sans_io::incremental_alter_configs_request::AlterConfigsResource;
use tansu_sans_io::incremental_alter_configs_response::AlterConfigsResourceResponse;
use tansu_sans_io::list_groups_response::ListedGroup;
use tansu_sans_io::record::{Builder as RecordBuilder, deflated, inflated};
use tansu_sans_io::txn_offset_commit_response::TxnOffsetCommitResponseTopic;
use tansu_sans_io::{ConfigResource, ErrorCode, IsolationLevel, ListOffset, ScramMechanism};
use tansu_storage::{
    BrokerRegistrationRequest, GroupDetail, ListOffsetResponse, MetadataResponse, NamedGroupDetail,
    OffsetCommitRequest, OffsetStage, ProducerIdResponse, Result, ScramCredential, Storage, TopicId,
    Topition, TxnAddPartitionsRequest, TxnAddPartitionsResponse, TxnOffsetCommitRequest, UpdateError,
    Version,
};
use url::Url;
use uuid::Uuid;

/// Everything but `produce` is the inner storage's.
#[derive(Clone, Debug)]
pub(crate) struct SingleRecords<S>(pub(crate) S);

/// One batch per record, with the sequence numbers the records had.
fn split(batch: deflated::Batch) -> Result<Vec<deflated::Batch>> {
    let batch = inflated::Batch::try_from(batch)?;
    let idempotent = batch.base_sequence >= 0;
    let single = |record: tansu_sans_io::record::Record| -> Result<deflated::Batch> {
        let offset_delta = record.offset_delta;
        let sequence =
            if idempotent { batch.base_sequence.wrapping_add(offset_delta) } else { batch.base_sequence };
        let single = inflated::Batch::builder()
            .base_offset(batch.base_offset)
            .partition_leader_epoch(batch.partition_leader_epoch)
            .magic(batch.magic)
            .attributes(batch.attributes)
            .last_offset_delta(0)
            .base_timestamp(batch.base_timestamp)
            .max_timestamp(batch.base_timestamp + record.timestamp_delta)
            .producer_id(batch.producer_id)
            .producer_epoch(batch.producer_epoch)
            .base_sequence(sequence)
            .record(RecordBuilder::from(record).offset_delta(0))
            .build()?;
        Ok(single.try_into()?)
    };
    batch.records.clone().into_iter().map(single).collect()
}

#[async_trait]
impl<S: Storage> Storage for SingleRecords<S> {
    async fn produce(
        &self,
        transaction_id: Option<&str>,
        topition: &Topition,
        batch: deflated::Batch,
    ) -> Result<i64> {
        if batch.record_count <= 1 {
            return self.0.produce(transaction_id, topition, batch).await;
        }
        let mut first = None;
        for single in split(batch)? {
            let offset = self.0.produce(transaction_id, topition, single).await?;
            first.get_or_insert(offset);
        }
        Ok(first.unwrap_or_default())
    }

    async fn register_broker(&self, registration: BrokerRegistrationRequest) -> Result<()> {
        self.0.register_broker(registration).await
    }

    async fn create_topic(&self, topic: CreatableTopic, validate_only: bool) -> Result<Uuid> {
        self.0.create_topic(topic, validate_only).await
    }

    async fn incremental_alter_resource(
        &self,
        resource: AlterConfigsResource,
    ) -> Result<AlterConfigsResourceResponse> {
        self.0.incremental_alter_resource(resource).await
    }

    async fn delete_records(&self, topics: &[DeleteRecordsTopic]) -> Result<Vec<DeleteRecordsTopicResult>> {
        self.0.delete_records(topics).await
    }

    async fn delete_topic(&self, topic: &TopicId) -> Result<ErrorCode> {
        self.0.delete_topic(topic).await
    }

    async fn brokers(&self) -> Result<Vec<DescribeClusterBroker>> {
        self.0.brokers().await
    }

    async fn fetch(
        &self,
        topition: &'_ Topition,
        offset: i64,
        min_bytes: u32,
        max_bytes: u32,
        isolation: IsolationLevel,
    ) -> Result<Vec<deflated::Batch>> {
        self.0.fetch(topition, offset, min_bytes, max_bytes, isolation).await
    }

    async fn offset_stage(&self, topition: &Topition) -> Result<OffsetStage> {
        self.0.offset_stage(topition).await
    }

    async fn list_offsets(
        &self,
        isolation: IsolationLevel,
        offsets: &[(Topition, ListOffset)],
    ) -> Result<Vec<(Topition, ListOffsetResponse)>> {
        self.0.list_offsets(isolation, offsets).await
    }

    async fn offset_commit(
        &self,
        group: &str,
        retention: Option<Duration>,
        offsets: &[(Topition, OffsetCommitRequest)],
    ) -> Result<Vec<(Topition, ErrorCode)>> {
        self.0.offset_commit(group, retention, offsets).await
    }

    async fn offset_fetch(
        &self,
        group: Option<&str>,
        topics: &[Topition],
        require_stable: Option<bool>,
    ) -> Result<BTreeMap<Topition, i64>> {
        self.0.offset_fetch(group, topics, require_stable).await
    }

    async fn committed_offset_topitions(&self, group: &str) -> Result<BTreeMap<Topition, i64>> {
        self.0.committed_offset_topitions(group).await
    }

    async fn metadata(&self, topics: Option<&[TopicId]>) -> Result<MetadataResponse> {
        self.0.metadata(topics).await
    }

    async fn upsert_user_scram_credential(
        &self,
        user: &str,
        mechanism: ScramMechanism,
        credential: ScramCredential,
    ) -> Result<()> {
        self.0.upsert_user_scram_credential(user, mechanism, credential).await
    }

    async fn delete_user_scram_credential(&self, user: &str, mechanism: ScramMechanism) -> Result<()> {
        self.0.delete_user_scram_credential(user, mechanism).await
    }

    async fn user_scram_credential(
        &self,
        user: &str,
        mechanism: ScramMechanism,
    ) -> Result<Option<ScramCredential>> {
        self.0.user_scram_credential(user, mechanism).await
    }

    async fn describe_config(
        &self,
        name: &str,
        resource: ConfigResource,
        keys: Option<&[String]>,
    ) -> Result<DescribeConfigsResult> {
        self.0.describe_config(name, resource, keys).await
    }

    async fn list_groups(&self, states: Option<&[String]>) -> Result<Vec<ListedGroup>> {
        self.0.list_groups(states).await
    }

    async fn delete_groups(&self, groups: Option<&[String]>) -> Result<Vec<DeletableGroupResult>> {
        self.0.delete_groups(groups).await
    }

    async fn describe_groups(
        &self,
        groups: Option<&[String]>,
        authorized_operations: bool,
    ) -> Result<Vec<NamedGroupDetail>> {
        self.0.describe_groups(groups, authorized_operations).await
    }

    async fn describe_topic_partitions(
        &self,
        topics: Option<&[TopicId]>,
        partition_limit: i32,
        cursor: Option<Topition>,
    ) -> Result<Vec<DescribeTopicPartitionsResponseTopic>> {
        self.0.describe_topic_partitions(topics, partition_limit, cursor).await
    }

    async fn update_group(
        &self,
        group: &str,
        detail: GroupDetail,
        version: Option<Version>,
    ) -> Result<Version, UpdateError<GroupDetail>> {
        self.0.update_group(group, detail, version).await
    }

    async fn init_producer(
        &self,
        transaction_id: Option<&str>,
        transaction_timeout_ms: i32,
        producer_id: Option<i64>,
        producer_epoch: Option<i16>,
    ) -> Result<ProducerIdResponse> {
        self.0.init_producer(transaction_id, transaction_timeout_ms, producer_id, producer_epoch).await
    }

    async fn txn_add_offsets(
        &self,
        transaction_id: &str,
        producer_id: i64,
        producer_epoch: i16,
        group: &str,
    ) -> Result<ErrorCode> {
        self.0.txn_add_offsets(transaction_id, producer_id, producer_epoch, group).await
    }

    async fn txn_add_partitions(
        &self,
        partitions: TxnAddPartitionsRequest,
    ) -> Result<TxnAddPartitionsResponse> {
        self.0.txn_add_partitions(partitions).await
    }

    async fn txn_offset_commit(
        &self,
        offsets: TxnOffsetCommitRequest,
    ) -> Result<Vec<TxnOffsetCommitResponseTopic>> {
        self.0.txn_offset_commit(offsets).await
    }

    async fn txn_end(
        &self,
        transaction_id: &str,
        producer_id: i64,
        producer_epoch: i16,
        committed: bool,
    ) -> Result<ErrorCode> {
        self.0.txn_end(transaction_id, producer_id, producer_epoch, committed).await
    }

    async fn maintain(&self, now: SystemTime) -> Result<()> {
        self.0.maintain(now).await
    }

    async fn cluster_id(&self) -> Result<String> {
        self.0.cluster_id().await
    }

    async fn node(&self) -> Result<i32> {
        self.0.node().await
    }

    async fn advertised_listener(&self) -> Result<Url> {
        self.0.advertised_listener().await
    }

    async fn ping(&self) -> Result<()> {
        self.0.ping().await
    }
}
