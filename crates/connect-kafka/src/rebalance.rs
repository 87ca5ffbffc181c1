//! What librdkafka calls back. A rebalance is kept there until the task completes it: what is being written of a partition has to be
//! finished, and marked, before somebody else may read on in it.

use crate::assignment::Assignment;
use crate::context::Reporter;
use crate::starts;
use connect_api::TopicPartition;
use connect_runtime::ports::Rebalance;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) struct TaskContext {
    reporter: Reporter,
    pub(crate) assignment: Assignment,
    /// Where to begin in a partition that has no committed offset; `None` where that is an error.
    reset: Option<Offset>,
    pending: Mutex<Option<Pending>>,
    /// Nobody completes a rebalance any more.
    closing: AtomicBool,
}

#[derive(Clone)]
struct Pending {
    rebalance: Rebalance,
    list: TopicPartitionList,
}

impl TaskContext {
    pub(crate) fn new(client: &str, reset: Option<Offset>) -> Self {
        Self {
            reporter: Reporter::new(client),
            assignment: Assignment::default(),
            reset,
            pending: Mutex::default(),
            closing: AtomicBool::new(false),
        }
    }

    pub(crate) fn trouble(&self, error: &KafkaError, what: &str) {
        self.reporter.trouble(error, what);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Pending>> {
        // Nothing here panics with the lock held.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn has_pending(&self) -> bool {
        self.lock().is_some()
    }

    pub(crate) fn pending(&self) -> Option<Rebalance> {
        self.lock().as_ref().map(|pending| pending.rebalance.clone())
    }

    /// Completes the assignment that waits.
    pub(crate) fn assign(
        &self,
        consumer: &impl Consumer<Self>,
        positions: &[(TopicPartition, i64)],
    ) -> KafkaResult<()> {
        let Some(Pending { rebalance: Rebalance::Assigned(given), list }) = self.lock().take() else {
            return Ok(());
        };
        let mut begins: HashMap<TopicPartition, i64> = positions.iter().cloned().collect();
        let open = given.iter().filter(|partition| !begins.contains_key(partition)).cloned().collect();
        begins.extend(self.settle_starts(consumer, open));
        for mut element in list.elements() {
            let partition = TopicPartition { topic: element.topic().into(), partition: element.partition() };
            if let Some(begin) = begins.get(&partition) {
                element.set_offset(Offset::Offset(*begin))?;
            }
        }
        tracing::info!(client = self.reporter.client, partitions = names(&given), "partitions assigned");
        self.assignment.given(given, &begins);
        take_over(consumer, &list)?;
        if self.assignment.is_paused()
            && let Err(error) = consumer.pause(&list)
        {
            self.trouble(&error, "pause after a rebalance");
        }
        Ok(())
    }

    /// Where the consumer will begin in those of the partitions that have no committed offset.
    fn settle_starts(
        &self,
        consumer: &impl Consumer<Self>,
        open: Vec<TopicPartition>,
    ) -> HashMap<TopicPartition, i64> {
        let Some(reset) = self.reset.filter(|_| !open.is_empty()) else { return HashMap::new() };
        starts::settle(consumer, list(open), reset).unwrap_or_else(|error| {
            tracing::warn!(
                client = self.reporter.client,
                error = error.to_string(),
                "where to begin could not be asked for; a partition without a committed offset gets one with its first \
                 record only"
            );
            HashMap::new()
        })
    }

    /// Completes the revocation that waits.
    pub(crate) fn revoke(&self, consumer: &impl Consumer<Self>) -> KafkaResult<()> {
        let Some(Pending { rebalance: Rebalance::Revoked(taken), list: revoked }) = self.lock().take() else {
            return Ok(());
        };
        let (client, partitions) = (&*self.reporter.client, names(&taken));
        let done = self.assignment.uncommitted(|partition| taken.contains(partition));
        if consumer.assignment_lost() {
            // The coordinator takes no commit any more.
            tracing::warn!(
                client,
                partitions,
                "membership lost, perhaps because a put took longer than max.poll.interval.ms: others may already read \
                 what is not committed once more"
            );
        } else {
            if !done.is_empty() {
                match commit(consumer, &done) {
                    Ok(()) => self.assignment.committed(&done),
                    Err(error) => {
                        let error = error.to_string();
                        tracing::warn!(client, error, "offsets of revoked partitions could not be committed");
                    }
                }
            }
            tracing::info!(client, partitions, "partitions revoked");
        }
        // In librdkafka a pause outlives the assignment: were the partition to come back after the task's resume, which
        // knows only of what is ours by then, it would stay silent.
        if self.assignment.is_paused()
            && let Err(error) = consumer.resume(&revoked)
        {
            self.trouble(&error, "resume of revoked partitions");
        }
        self.assignment.taken(&taken);
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_unassign(&revoked),
            _ => consumer.unassign(),
        }
    }

    /// From now on a rebalance is completed as it comes; so is the one that waits.
    pub(crate) fn close(&self, consumer: &impl Consumer<Self>) {
        self.closing.store(true, Ordering::Release);
        if let Err(error) = self.complete_at_the_end(consumer) {
            self.trouble(&error, "rebalance at the end");
        }
    }

    fn complete_at_the_end(&self, consumer: &impl Consumer<Self>) -> KafkaResult<()> {
        match self.pending() {
            None => Ok(()),
            Some(Rebalance::Revoked(_)) => self.revoke(consumer),
            // Nothing of it is read; it is given away again at once.
            Some(Rebalance::Assigned(_)) => {
                let Some(pending) = self.lock().take() else { return Ok(()) };
                take_over(consumer, &pending.list)
            }
        }
    }
}

impl ClientContext for TaskContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.reporter.log_line(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reporter.trouble(&error, reason);
    }
}

impl ConsumerContext for TaskContext {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, kind: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let list = list.clone();
        let rebalance = match Code::from(kind) {
            Code::AssignPartitions => Rebalance::Assigned(partitions(&list)),
            Code::RevokePartitions => Rebalance::Revoked(partitions(&list)),
            code => return self.trouble(&KafkaError::Rebalance(code), "rebalance"),
        };
        *self.lock() = Some(Pending { rebalance, list });
        if self.closing.load(Ordering::Acquire)
            && let Err(error) = self.complete_at_the_end(consumer)
        {
            self.trouble(&error, "rebalance at the end");
        }
    }
}

fn take_over(consumer: &impl Consumer<TaskContext>, list: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_assign(list),
        _ => consumer.assign(list),
    }
}

pub(crate) fn commit(
    consumer: &impl Consumer<TaskContext>,
    done: &[(TopicPartition, i64)],
) -> KafkaResult<()> {
    let mut offsets = TopicPartitionList::with_capacity(done.len());
    for (partition, next_offset) in done {
        offsets.add_partition_offset(&partition.topic, partition.partition, Offset::Offset(*next_offset))?;
    }
    match consumer.commit(&offsets, CommitMode::Sync) {
        Err(KafkaError::ConsumerCommit(Code::NoOffset)) => Ok(()),
        other => other,
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<TopicPartition> {
    let partition = |topic: &str, partition| TopicPartition { topic: topic.into(), partition };
    list.elements().iter().map(|element| partition(element.topic(), element.partition())).collect()
}

pub(crate) fn list(partitions: Vec<TopicPartition>) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for partition in partitions {
        list.add_partition(&partition.topic, partition.partition);
    }
    list
}

fn names(partitions: &[TopicPartition]) -> String {
    let mut names: Vec<_> = partitions.iter().map(ToString::to_string).collect();
    names.sort();
    names.join(",")
}
