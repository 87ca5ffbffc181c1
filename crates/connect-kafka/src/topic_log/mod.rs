//! The worker's internal topics, as logs that it reads from their start and writes to (`KafkaBasedLog` in Java).

mod admin;
mod config;
mod creation;
mod reader;
mod writer;

use crate::group::{Backoff, Outage};
use crate::wire::{Cluster, WireError, WireSettings};
use admin::Admin;
use async_trait::async_trait;
use config::Clients;
use connect_api::{ConfigMap, ConnectError};
use connect_runtime::ports::{LogReader, LogRecord, TopicLog};
use connect_runtime::worker_config::StorageTopic;
use creation::NotReady;
use reader::Reader;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Mutex;
use tokio::time::sleep;
use writer::Writer;

/// Which of the three internal topics a log is; decides which keys an error names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageKind {
    Configs,
    Offsets,
    Statuses,
}

impl StorageKind {
    /// What its keys begin with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Configs => "config.storage",
            Self::Offsets => "offset.storage",
            Self::Statuses => "status.storage",
        }
    }

    fn contents(self) -> &'static str {
        match self {
            Self::Configs => "the configurations of connectors",
            Self::Offsets => "the offsets of source connectors",
            Self::Statuses => "the states of connectors and tasks",
        }
    }
}

/// The Kafka clients behind the worker's internal topics: one producer and one consumer for all of its logs, since each
/// client costs threads and memory.
pub struct KafkaStorage(Arc<Shared>);

struct Shared {
    admin: Admin,
    clients: Clients,
    reader: Mutex<Option<Arc<Reader>>>,
    writer: Writer,
}

impl KafkaStorage {
    /// `worker` is the worker's configuration as it was given; the keys without a prefix concern these clients. Does not
    /// connect.
    pub fn new(worker: &ConfigMap) -> Result<Self, ConnectError> {
        let clients = Clients::read(worker)?;
        let settings = WireSettings::read(worker, &clients.client_id)?;
        let writer = Writer::new(clients.producer.clone(), &clients.client_id, &settings.servers());
        let admin = Admin::new(Cluster::new(settings));
        Ok(Self(Arc::new(Shared { admin, clients, reader: Mutex::default(), writer })))
    }

    pub fn log(&self, kind: StorageKind, topic: &StorageTopic) -> KafkaTopicLog {
        KafkaTopicLog {
            shared: self.0.clone(),
            kind,
            topic: topic.clone(),
            outage: Mutex::new(Outage::of(format!("log on topic {}", topic.name))),
            started: AtomicBool::new(false),
        }
    }
}

impl Shared {
    async fn reader(&self) -> Result<Arc<Reader>, ConnectError> {
        let mut slot = self.reader.lock().await;
        if let Some(reader) = &*slot {
            return Ok(reader.clone());
        }
        let reader = Arc::new(Reader::start(&self.clients)?);
        *slot = Some(reader.clone());
        Ok(reader)
    }
}

/// [`TopicLog`] on a topic of Kafka. Waits out whatever trouble passes by itself, so callers bound it in time; when
/// an [`append`](TopicLog::append) is given up, its records may still arrive.
pub struct KafkaTopicLog {
    shared: Arc<Shared>,
    kind: StorageKind,
    topic: StorageTopic,
    outage: Mutex<Outage>,
    started: AtomicBool,
}

#[async_trait]
impl TopicLog for KafkaTopicLog {
    async fn start(&self, reader: LogReader) -> Result<(), ConnectError> {
        // A producer needs a moment to be ready; it has it while the log is read.
        self.shared.writer.prepare().await?;
        let partitions = self.ready().await?;
        if self.kind == StorageKind::Configs && partitions.len() > 1 {
            return Err(ConnectError::config(format!(
                "topic {} (config.storage.topic) has {} partitions, but the order of all its records matters, so it must have \
                 exactly one: name another topic",
                self.topic.name,
                partitions.len()
            )));
        }
        self.shared.reader().await?.follow(&self.topic.name, &partitions, reader)?;
        self.started.store(true, Ordering::Release);
        self.read_to_end().await
    }

    async fn append(&self, records: Vec<LogRecord>) -> Result<(), ConnectError> {
        self.shared.writer.append(&self.topic.name, records).await
    }

    async fn read_to_end(&self) -> Result<(), ConnectError> {
        let topic = &*self.topic.name;
        let reader = self.shared.reader().await?;
        let mut backoff = Backoff::new(self.shared.admin.backoff());
        let ends = loop {
            match self.ends(&reader).await {
                Ok(ends) => break ends,
                Err(error) if error.passes() => self.wait(&mut backoff, &error).await,
                Err(error) => {
                    return Err(ConnectError::caused(
                        format!("the end of topic {topic} could not be found"),
                        error,
                    ));
                }
            }
        };
        self.outage.lock().await.is_over();
        reader.reach(topic, ends).await
    }
}

impl KafkaTopicLog {
    /// The partitions of the topic, which is there and fit for its purpose afterwards.
    async fn ready(&self) -> Result<Vec<i32>, ConnectError> {
        let mut backoff = Backoff::new(self.shared.admin.backoff());
        loop {
            match creation::ensure(&self.shared.admin, self.kind, &self.topic).await {
                Ok(partitions) => {
                    self.outage.lock().await.is_over();
                    return Ok(partitions);
                }
                Err(NotReady::Ever(error)) => return Err(error),
                Err(NotReady::Yet(error)) => self.wait(&mut backoff, &error).await,
            }
        }
    }

    /// How far each partition goes in which there is something to read.
    async fn ends(&self, reader: &Reader) -> Result<Vec<(i32, i64)>, WireError> {
        let topic = &*self.topic.name;
        let mut ends = self.shared.admin.ends(topic).await?;
        ends.retain(|_, end| *end > 0);
        let unread = reader.unread(topic, ends.keys().copied());
        if !unread.is_empty() {
            // All records of a partition may be deleted: then there is an end, and nothing before it.
            let starts = self.shared.admin.starts(topic, &unread).await?;
            ends.retain(|partition, end| starts.get(partition).is_none_or(|start| start < end));
        }
        Ok(ends.into_iter().collect())
    }

    async fn wait(&self, backoff: &mut Backoff, error: &WireError) {
        self.outage.lock().await.goes_on(error);
        sleep(backoff.next()).await;
    }
}

impl Drop for KafkaTopicLog {
    fn drop(&mut self) {
        if self.started.load(Ordering::Acquire)
            && let Ok(slot) = self.shared.reader.try_lock()
            && let Some(reader) = &*slot
        {
            reader.leave(&self.topic.name);
        }
    }
}
