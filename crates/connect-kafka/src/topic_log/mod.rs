//! The worker's internal topics, as logs that it reads from their start and writes to (`KafkaBasedLog` in Java).

mod config;
mod creation;
mod reader;
mod writer;

use crate::admin::Admin;
use crate::group::{Backoff, Outage};
use crate::wire::{Cluster, WireError, WireSettings};
use async_trait::async_trait;
use config::Clients;
use connect_api::{ConfigMap, ConnectError};
use connect_runtime::ports::{LogReader, LogRecord, TopicLog};
use connect_runtime::worker_config::StorageTopic;
use creation::NotReady;
use reader::Reader;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use tokio::sync::Mutex;
use tokio::time::sleep;
use writer::{Ends, Writer};

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

/// The Kafka clients behind the worker's internal topics. Its logs share a producer; each has a consumer of its own, since a
/// shared one would keep each log waiting for the fetches of the others.
pub struct KafkaStorage(Arc<Shared>);

struct Shared {
    admin: Admin,
    clients: Arc<Clients>,
    writer: Writer,
}

impl KafkaStorage {
    /// `worker` is the worker's configuration as it was given; the keys without a prefix concern these clients. Does not
    /// connect.
    pub fn new(worker: &ConfigMap) -> Result<Self, ConnectError> {
        let clients = Arc::new(Clients::read(worker)?);
        let settings = WireSettings::read(worker, &clients.client_id)?;
        let writer = Writer::new(clients.clone(), &settings.servers());
        let admin = Admin::new(Cluster::new(settings));
        Ok(Self(Arc::new(Shared { admin, clients, writer })))
    }

    pub fn log(&self, kind: StorageKind, topic: &StorageTopic) -> KafkaTopicLog {
        KafkaTopicLog {
            shared: self.0.clone(),
            kind,
            topic: topic.clone(),
            outage: Mutex::new(Outage::of(format!("log on topic {}", topic.name))),
            reader: OnceLock::new(),
            written: Mutex::default(),
        }
    }
}

/// [`TopicLog`] on a topic of Kafka. Waits out whatever trouble passes by itself, so callers bound it in time; when
/// an [`append`](TopicLog::append) is given up, its records may still arrive.
pub struct KafkaTopicLog {
    shared: Arc<Shared>,
    kind: StorageKind,
    topic: StorageTopic,
    outage: Mutex<Outage>,
    /// Since the start.
    reader: OnceLock<Reader>,
    /// The end of what was appended last, if it is known.
    written: Mutex<Option<Ends>>,
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
        let reader = Reader::start(&self.shared.clients, &self.topic.name, self.starts().await?, reader)?;
        if self.reader.set(reader).is_err() {
            return Err(ConnectError::failed(format!(
                "the log on topic {} was started before",
                self.topic.name
            )));
        }
        self.read_to_end().await
    }

    async fn append(&self, records: Vec<LogRecord>) -> Result<(), ConnectError> {
        let ends = self.shared.writer.append(&self.topic.name, records).await?;
        *self.written.lock().await = ends;
        Ok(())
    }

    async fn read_back(&self) -> Result<(), ConnectError> {
        let written = self.written.lock().await.clone();
        match (written, self.reader.get()) {
            (Some(ends), Some(reader)) => reader.reach(ends.into_iter().collect()).await,
            _ => self.read_to_end().await,
        }
    }

    async fn read_to_end(&self) -> Result<(), ConnectError> {
        let topic = &*self.topic.name;
        let reader = self
            .reader
            .get()
            .ok_or_else(|| ConnectError::failed(format!("the log on topic {topic} has not been started")))?;
        let mut backoff = Backoff::new(self.shared.admin.backoff());
        let ends = loop {
            match self.shared.admin.ends(topic).await {
                Ok(ends) => break ends,
                Err(error) => self.wait_out(&mut backoff, error).await?,
            }
        };
        self.outage.lock().await.is_over();
        reader.reach(ends.into_iter().collect()).await
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

    /// The first record that is left of each partition. Looked up here since librdkafka takes half a second or more when it
    /// has to ask for the beginning itself.
    async fn starts(&self) -> Result<BTreeMap<i32, i64>, ConnectError> {
        let mut backoff = Backoff::new(self.shared.admin.backoff());
        loop {
            match self.shared.admin.starts(&self.topic.name).await {
                Ok(starts) => return Ok(starts),
                Err(error) => self.wait_out(&mut backoff, error).await?,
            }
        }
    }

    async fn wait_out(&self, backoff: &mut Backoff, error: WireError) -> Result<(), ConnectError> {
        if error.passes() {
            self.wait(backoff, &error).await;
            Ok(())
        } else {
            Err(ConnectError::caused(format!("internal topic {} cannot be read", self.topic.name), error))
        }
    }

    async fn wait(&self, backoff: &mut Backoff, error: &WireError) {
        self.outage.lock().await.goes_on(error);
        sleep(backoff.next()).await;
    }
}
