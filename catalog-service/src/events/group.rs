//! What the consumer has to know about its group: which partitions it lost since it read a record.

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;
use service_kit::health::Readiness;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) const CHECK: &str = "consumer";

/// Counts, per partition, how often it was taken away. A record read under an older count than today's belongs to
/// another member by now.
pub(super) struct Group {
    losses: Mutex<HashMap<i32, u64>>,
    readiness: Readiness,
}

impl Group {
    pub(super) fn new(readiness: Readiness) -> Self {
        Self { losses: Mutex::default(), readiness }
    }

    pub(super) fn epoch(&self, partition: i32) -> u64 {
        self.lock().get(&partition).copied().unwrap_or(0)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i32, u64>> {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<i32> {
    list.elements().iter().map(|element| element.partition()).collect()
}

impl ClientContext for Group {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // librdkafka repeats itself every second while a broker is away; what matters is said once, elsewhere.
        tracing::debug!(?level, facility, "{message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka client");
    }
}

impl ConsumerContext for Group {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Revoke(list) = rebalance else { return };
        let partitions = partitions(list);
        let mut losses = self.lock();
        for partition in &partitions {
            *losses.entry(*partition).or_default() += 1;
        }
        drop(losses);
        tracing::info!(?partitions, "partitions revoked");
        // In librdkafka a pause outlives the assignment: were the partition to come back, it would stay silent.
        if let Err(error) = consumer.resume(list) {
            tracing::warn!(%error, "cannot resume revoked partitions");
        }
        // Only finished work has stored offsets. A member that was thrown out has nothing to say any more.
        if consumer.assignment_lost() {
            return;
        }
        match consumer.commit_consumer_state(CommitMode::Sync) {
            Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            Err(error) => {
                tracing::warn!(%error, "offsets not committed at revocation, records will come again")
            }
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(list) => {
                tracing::info!(partitions = ?partitions(list), "partitions assigned");
                self.readiness.set(CHECK, Ok(()));
            }
            Rebalance::Revoke(_) => {}
            Rebalance::Error(error) => tracing::warn!(%error, "rebalance failed"),
        }
    }
}
