//! The loop around Kafka: read a batch, have it decided, published, and its offsets committed.

use super::backoff::{Backoff, Stopped};
use super::dead_letter::dead_letter;
use super::group::{CHECK, Group};
use super::handler;
use super::publisher::{Outbound, Publisher, decision_record};
use crate::chain::chain;
use crate::config::Config;
use crate::store::Store;
use contracts::{Decision, Order, TopicSpec};
use futures::FutureExt;
use rdkafka::consumer::{CommitMode, Consumer as _, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};
use service_kit::health::Readiness;
use service_kit::kafka;
use service_kit::trace::TraceContext;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How many records share a transaction: enough that its cost does not count, few enough that its locks are short.
const BATCH_MAX: usize = 500;

/// Work that takes longer than this (a database or a broker is away) continues beside a paused consumer, which goes on
/// polling and so stays in its group. Pausing throws away what was fetched ahead, so it is not done for every batch.
const PAUSE_AFTER: Duration = Duration::from_secs(2);

pub struct Consumer {
    inbox: Inbox,
    work: Work,
    bootstrap: String,
    stop: CancellationToken,
}

impl Consumer {
    pub fn new(
        config: &Config,
        store: Store,
        readiness: Readiness,
        stop: CancellationToken,
    ) -> Result<Self, KafkaError> {
        readiness.set(CHECK, Err("joining the group".into()));
        let consumer: StreamConsumer<Group> = kafka::consumer_config(&config.kafka, &config.consumer_group)
            .create_with_context(Group::new(readiness.clone()))?;
        let kafka = Arc::new(consumer);
        let work = Work {
            kafka: Arc::clone(&kafka),
            publisher: Publisher::new(&config.kafka, readiness.clone())?,
            store,
            decisions: TopicSpec::facts(&config.decisions_topic),
            dead_letters: TopicSpec::dead_letters(&config.orders_topic),
            readiness: readiness.clone(),
            stop: stop.clone(),
        };
        let inbox =
            Inbox { kafka, topic: config.orders_topic.clone(), readiness, records: Vec::new(), told: None };
        Ok(Self { inbox, work, bootstrap: config.kafka.clone(), stop })
    }

    /// Works until `stop`: the batch at hand is finished, then the group is left.
    pub async fn run(mut self) {
        if self.work_until_stopped().await.is_err() {
            tracing::info!("stopped before the batch was finished, its records will come again");
        }
        let Self { inbox, work, .. } = self;
        inbox.kafka.unsubscribe();
        // Leaving the group and flushing the producer take a moment and block.
        let _ = tokio::task::spawn_blocking(move || drop((inbox, work))).await;
        tracing::info!("left the consumer group");
    }

    async fn work_until_stopped(&mut self) -> Result<(), Stopped> {
        self.create_topics().await?;
        if let Err(error) = self.inbox.kafka.subscribe(&[&self.inbox.topic]) {
            // Only an empty name is refused here, and the configuration has none.
            tracing::error!(%error, "cannot subscribe");
            return Err(Stopped);
        }
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                () = self.inbox.fill() => {}
            }
            let batch = self.inbox.take();
            if !batch.is_empty() {
                self.finish(&batch).await?;
            }
        }
    }

    /// The topics written here exist before the first record: a broker that creates topics by itself would make them
    /// with its own number of partitions.
    async fn create_topics(&self) -> Result<(), Stopped> {
        for spec in [&self.work.decisions, &self.work.dead_letters] {
            let mut backoff = Backoff::new();
            loop {
                let result = tokio::select! {
                    result = kafka::ensure_topic(&self.bootstrap, spec) => result,
                    () = self.stop.cancelled() => return Err(Stopped),
                };
                let Err(error) = result else { break };
                // `service_kit::kafka::watch` tells the log and `/health/ready` about the same trouble.
                tracing::debug!(%error, topic = spec.name, "topic not there yet");
                backoff.pause(&self.stop).await?;
            }
        }
        Ok(())
    }

    async fn finish(&mut self, batch: &[Record]) -> Result<(), Stopped> {
        let Self { inbox, work, .. } = self;
        let mut work = std::pin::pin!(work.batch(batch));
        if let Ok(result) = tokio::time::timeout(PAUSE_AFTER, &mut work).await {
            return result;
        }
        inbox.pause();
        let result = loop {
            tokio::select! {
                biased;
                result = &mut work => break result,
                // A partition that is assigned meanwhile comes unpaused and may deliver a record.
                () = inbox.receive() => inbox.pause(),
            }
        };
        inbox.resume();
        result
    }
}

/// A record, and how often its partition had been lost when it was read.
struct Record {
    message: OwnedMessage,
    epoch: u64,
}

/// The reading half.
struct Inbox {
    kafka: Arc<StreamConsumer<Group>>,
    topic: String,
    readiness: Readiness,
    records: Vec<Record>,
    /// The last error that was logged.
    told: Option<KafkaError>,
}

impl Inbox {
    /// Waits for a record, then takes what is there already.
    async fn fill(&mut self) {
        if self.records.is_empty() {
            self.receive().await;
        }
        while self.records.len() < BATCH_MAX {
            if self.receive().now_or_never().is_none() {
                break;
            }
        }
    }

    /// What was read and still belongs to this member.
    fn take(&mut self) -> Vec<Record> {
        let mut records = std::mem::take(&mut self.records);
        records.retain(|record| is_current(&self.kafka, record));
        records
    }

    /// Waits for the next event: a record or an error. Rebalances happen in here.
    async fn receive(&mut self) {
        let error = match self.kafka.recv().await {
            Ok(message) => {
                let epoch = self.kafka.context().epoch(message.partition());
                let message = message.detach();
                self.records.push(Record { message, epoch });
                self.told = None;
                return;
            }
            Err(error) => error,
        };
        // A broker that is away reports itself in turns of several errors; `service_kit::kafka::watch` says it once.
        let away = matches!(
            error.rdkafka_error_code(),
            Some(
                RDKafkaErrorCode::BrokerTransportFailure
                    | RDKafkaErrorCode::AllBrokersDown
                    | RDKafkaErrorCode::Resolve
            )
        );
        if away || self.told.as_ref() == Some(&error) {
            tracing::debug!(%error, "no orders at the moment");
            return;
        }
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::UnknownTopicOrPartition) {
            let waiting = format!("waiting for the topic {}, which its writer creates", self.topic);
            tracing::info!("{waiting}");
            self.readiness.set(CHECK, Err(waiting));
        } else {
            tracing::warn!(%error, "cannot read orders at the moment");
        }
        self.told = Some(error);
    }

    fn pause(&self) {
        let done = self.kafka.assignment().and_then(|all| self.kafka.pause(&all));
        if let Err(error) = done {
            tracing::warn!(%error, "cannot pause the consumer");
        }
    }

    fn resume(&self) {
        let done = self.kafka.assignment().and_then(|all| self.kafka.resume(&all));
        if let Err(error) = done {
            tracing::warn!(%error, "cannot resume the consumer");
        }
    }
}

fn is_current(kafka: &StreamConsumer<Group>, record: &Record) -> bool {
    kafka.context().epoch(record.message.partition()) == record.epoch
}

/// The working half. It owns its retries: it ends when the batch is done, or when the service stops.
struct Work {
    kafka: Arc<StreamConsumer<Group>>,
    store: Store,
    publisher: Publisher,
    decisions: TopicSpec,
    dead_letters: TopicSpec,
    readiness: Readiness,
    stop: CancellationToken,
}

impl Work {
    async fn batch(&mut self, batch: &[Record]) -> Result<(), Stopped> {
        let mut orders = Vec::with_capacity(batch.len());
        let mut traces: HashMap<Uuid, TraceContext> = HashMap::with_capacity(batch.len());
        let mut outbound = Vec::with_capacity(batch.len());
        for Record { message, .. } in batch {
            match handler::read(message.key(), message.payload()) {
                Ok(order) => {
                    traces.entry(order.order_id).or_insert_with(|| kafka::trace_of(message.headers()));
                    orders.push(order);
                }
                Err(error) => {
                    let (partition, offset) = (message.partition(), message.offset());
                    tracing::warn!(
                        partition,
                        offset,
                        error = chain(&error),
                        "malformed record, to the dead-letter topic"
                    );
                    outbound.push(dead_letter(&self.dead_letters.name, message, &error));
                }
            }
        }
        if !orders.is_empty() {
            let decisions = self.decide(&orders).await?;
            service_kit::crash::point("catalog.after-commit");
            outbound.extend(self.decision_records(&decisions, &traces));
        }
        self.publisher.publish(outbound, &self.stop).await?;
        self.commit(batch).await;
        Ok(())
    }

    fn decision_records(
        &self,
        decisions: &[Decision],
        traces: &HashMap<Uuid, TraceContext>,
    ) -> impl Iterator<Item = Outbound> {
        decisions.iter().filter_map(|decision| {
            let trace = traces.get(&decision.order_id)?;
            let (order_id, request_id) = (decision.order_id, &trace.request_id);
            tracing::debug!(%order_id, request_id, outcome = decision.outcome.as_str(), "order decided");
            Some(decision_record(&self.decisions.name, decision, trace))
        })
    }

    /// Tries until it works. The first failure is not worth a line: it is mostly two instances that met.
    async fn decide(&self, orders: &[Order]) -> Result<Vec<Decision>, Stopped> {
        let mut backoff = Backoff::new();
        let decisions = loop {
            let error =
                match handler::decide(&self.store, orders, chrono::Utc::now().timestamp_millis()).await {
                    Ok(decisions) => break decisions,
                    Err(error) => error,
                };
            if backoff.attempts() == 1 {
                let text = chain(&error);
                tracing::warn!(
                    error = text,
                    orders = orders.len(),
                    "orders cannot be decided, retrying until they are"
                );
                self.readiness.set(CHECK, Err(format!("orders wait: {error}; the log tells why")));
            }
            backoff.pause(&self.stop).await?;
        };
        if backoff.attempts() > 1 {
            tracing::info!(attempts = backoff.attempts(), orders = orders.len(), "orders are decided again");
            self.readiness.set(CHECK, Ok(()));
        }
        Ok(decisions)
    }

    /// Commits the offsets of a finished batch. A failure is no reason to stop: the next commit covers this one, and
    /// until then a redelivered order gets its stored decision again.
    async fn commit(&self, batch: &[Record]) {
        let mut ends: BTreeMap<i32, i64> = BTreeMap::new();
        for record in batch.iter().filter(|record| is_current(&self.kafka, record)) {
            let end = ends.entry(record.message.partition()).or_default();
            *end = (*end).max(record.message.offset() + 1);
        }
        let Some(topic) = batch.first().map(|record| record.message.topic().to_owned()) else { return };
        let kafka = Arc::clone(&self.kafka);
        let committed = tokio::task::spawn_blocking(move || {
            let mut offsets = TopicPartitionList::with_capacity(ends.len());
            for (partition, end) in ends {
                offsets.add_partition_offset(&topic, partition, Offset::Offset(end))?;
            }
            kafka.store_offsets(&offsets)?;
            kafka.commit_consumer_state(CommitMode::Sync)
        });
        match committed.await {
            Ok(Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset))) | Err(_) => {}
            Ok(Err(error)) => tracing::warn!(%error, "offsets not committed, records may come again"),
        }
    }
}
