//! The consumer of a sink task.

use crate::raw_record::Copies;
use crate::rebalance::{TaskContext, commit, list};
use async_trait::async_trait;
use connect_api::{ConnectError, TopicPartition};
use connect_runtime::ports::{Commit, RawRecord, Rebalance, SinkConsumer};
use futures::{FutureExt, StreamExt};
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code};
use rdkafka::{Offset, TopicPartitionList};
use std::future::{poll_fn, ready};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};

/// A poll ends when it has as many bytes, whatever the number of records.
const MAX_POLL_BYTES: usize = 256 * 1024;

/// How long a commit, or leaving the group, may take. librdkafka's own bounds are longer.
const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) struct Consumer {
    /// `None` once it is closed.
    inner: Option<Arc<StreamConsumer<TaskContext>>>,
    bootstrap: String,
    copies: Copies,
}

impl Consumer {
    pub(crate) fn new(inner: StreamConsumer<TaskContext>, bootstrap: String) -> Self {
        Self { inner: Some(Arc::new(inner)), bootstrap, copies: Copies::default() }
    }

    fn inner(&self) -> Result<&Arc<StreamConsumer<TaskContext>>, ConnectError> {
        self.inner.as_ref().ok_or_else(|| ConnectError::failed("the consumer is closed"))
    }

    /// Completes a rebalance, which asks the broker.
    async fn complete(
        &self,
        work: impl FnOnce(&TaskContext, &StreamConsumer<TaskContext>) -> KafkaResult<()> + Send + 'static,
    ) -> Result<(), ConnectError> {
        let consumer = self.inner()?.clone();
        let completed = spawn_blocking(move || work(consumer.context(), &consumer)).await;
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| {
            let message = format!("a rebalance could not be completed with Kafka at {}", self.bootstrap);
            ConnectError::caused(message, source)
        };
        completed.map_err(|join| failed(join.into()))?.map_err(|error| failed(error.into()))
    }

    /// Whether the consumer goes on by itself after `error`.
    fn judge(&self, error: KafkaError) -> Result<(), ConnectError> {
        let fatal = match &error {
            KafkaError::MessageConsumption(code) => matches!(
                code,
                Code::TopicAuthorizationFailed
                    | Code::GroupAuthorizationFailed
                    | Code::ClusterAuthorizationFailed
                    | Code::SaslAuthenticationFailed
                    | Code::InconsistentGroupProtocol
                    | Code::InvalidGroupId
                    | Code::AutoOffsetReset
            ),
            KafkaError::PartitionEOF(_) => return Ok(()),
            KafkaError::MessageConsumptionFatal(_) => true,
            _ => false,
        };
        if fatal {
            let message = format!("the consumer cannot go on reading from Kafka at {}", self.bootstrap);
            return Err(ConnectError::caused(message, error));
        }
        if let Some(inner) = &self.inner {
            inner.context().trouble(&error, "poll");
        }
        Ok(())
    }
}

#[async_trait]
impl SinkConsumer for Consumer {
    async fn poll(&mut self, max_records: usize, wait: Duration) -> Result<Vec<RawRecord>, ConnectError> {
        let deadline = Instant::now() + wait;
        let consumer = self.inner()?.clone();
        let context = consumer.context();
        let mut records: Vec<RawRecord> = Vec::new();
        let mut bytes = 0;
        let mut messages = consumer.stream();
        // A rebalance is not an item of the stream.
        let mut next_or_rebalance = |waker: &mut std::task::Context<'_>| match messages.poll_next_unpin(waker)
        {
            Poll::Pending if context.has_pending() => Poll::Ready(None),
            next => next,
        };
        if context.has_pending() {
            return Ok(records);
        }
        while records.len() < max_records && bytes < MAX_POLL_BYTES {
            let next = poll_fn(&mut next_or_rebalance);
            let next = if records.is_empty() {
                timeout_at(deadline, next).await.ok().flatten()
            } else {
                next.now_or_never().flatten()
            };
            match next {
                None => break,
                Some(Ok(message)) => {
                    bytes += message.key_len() + message.payload_len();
                    records.push(self.copies.raw_record(&message));
                }
                Some(Err(error)) => self.judge(error)?,
            }
        }
        Ok(records)
    }

    fn rebalance(&self) -> Option<Rebalance> {
        self.inner.as_ref().and_then(|consumer| consumer.context().pending())
    }

    async fn assign(&mut self, positions: &[(TopicPartition, i64)]) -> Result<(), ConnectError> {
        let positions = positions.to_vec();
        self.complete(move |context, consumer| context.assign(consumer, &positions)).await
    }

    async fn revoke(&mut self) -> Result<(), ConnectError> {
        self.complete(|context, consumer| context.revoke(consumer)).await
    }

    async fn seek(&mut self, positions: &[(TopicPartition, i64)]) -> Result<(), ConnectError> {
        let consumer = self.inner()?.clone();
        let positions = positions.to_vec();
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| {
            ConnectError::caused("the consumer could not be sent to another position", source)
        };
        let sought = spawn_blocking(move || {
            let owned = consumer.context().assignment.owned();
            let mut list = TopicPartitionList::new();
            for (partition, offset) in positions.iter().filter(|(partition, _)| owned.contains(partition)) {
                list.add_partition_offset(&partition.topic, partition.partition, Offset::Offset(*offset))?;
            }
            if list.count() > 0 {
                let list = consumer.seek_partitions(list, PATIENCE)?;
                list.elements().iter().try_for_each(|element| element.error())?;
            }
            KafkaResult::Ok(())
        });
        sought.await.map_err(|join| failed(join.into()))?.map_err(|error| failed(error.into()))
    }

    fn mark_done(&mut self, partition: &TopicPartition, next_offset: i64) {
        if let Some(consumer) = &self.inner {
            consumer.context().assignment.mark_done(partition, next_offset);
        }
    }

    fn commit(&mut self) -> Commit {
        let consumer = match self.inner() {
            Ok(consumer) => consumer.clone(),
            Err(error) => return ready(Err(error)).boxed(),
        };
        let done = consumer.context().assignment.uncommitted(|_| true);
        if done.is_empty() {
            return ready(Ok(())).boxed();
        }
        let failed = {
            let bootstrap = self.bootstrap.clone();
            move |source: Box<dyn std::error::Error + Send + Sync>| {
                ConnectError::caused(
                    format!("offsets could not be committed to Kafka at {bootstrap}"),
                    source,
                )
            }
        };
        let committing = spawn_blocking(move || {
            let result = commit(&*consumer, &done);
            if result.is_ok() {
                consumer.context().assignment.committed(&done);
            }
            result
        });
        async move {
            match timeout(PATIENCE, committing).await {
                Ok(Ok(result)) => result.map_err(|error| failed(error.into())),
                Ok(Err(join)) => Err(failed(join.into())),
                Err(_) => Err(failed(format!("no answer within {} s", PATIENCE.as_secs()).into())),
            }
        }
        .boxed()
    }

    fn pause(&mut self) -> Result<(), ConnectError> {
        let consumer = self.inner()?;
        let assignment = &consumer.context().assignment;
        assignment.set_paused(true);
        consumer
            .pause(&list(assignment.owned()))
            .map_err(|error| ConnectError::caused("the consumer could not be paused", error))
    }

    fn resume(&mut self) -> Result<(), ConnectError> {
        let consumer = self.inner()?;
        let assignment = &consumer.context().assignment;
        assignment.set_paused(false);
        consumer
            .resume(&list(assignment.owned()))
            .map_err(|error| ConnectError::caused("the consumer could not be resumed", error))
    }

    async fn close(&mut self) {
        if let Err(error) = self.commit().await {
            tracing::warn!(error = error.chain(), "last commit failed");
        }
        if let Some(consumer) = self.inner.take() {
            // Leaving the group waits for the broker.
            if timeout(PATIENCE, spawn_blocking(move || leave(consumer))).await.is_err() {
                tracing::warn!("consumer has not left its group in time and is left behind");
            }
        }
    }
}

/// After a panic of its task nobody calls `close`; leaving the group must not hold up a thread of the runtime.
impl Drop for Consumer {
    fn drop(&mut self) {
        if let Some(consumer) = self.inner.take() {
            std::thread::spawn(move || leave(consumer));
        }
    }
}

/// Dropping the last of the client gives its partitions away, which nobody else would complete any more.
fn leave(consumer: Arc<StreamConsumer<TaskContext>>) {
    consumer.context().close(&*consumer);
}
