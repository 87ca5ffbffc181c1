//! The statuses of connectors, tasks and topics in the status topic. What is put becomes visible when it has been read back, to
//! this worker as to all others.

use super::status_cache::{StatusCache, is_safe};
use super::status_records::{
    Status, StatusRecord, TopicStatus, connector_key, parse, status_value, task_key, topic_key, topic_record,
};
use super::status_writer::{Put, Puts, StatusWriter};
use crate::group::Work;
use crate::herder::{State, TaskId};
use crate::ports::{LogEntry, TopicLog};
use bytes::Bytes;
use connect_api::ConnectError;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

#[derive(Default)]
struct Known {
    cache: StatusCache,
    /// The tasks that a status was put for, by connector: it may not be in the cache yet when the connector is removed.
    put: BTreeMap<String, BTreeSet<usize>>,
    /// What this worker has said last of what it runs, by key.
    own: BTreeMap<Bytes, Status>,
}

impl Known {
    fn said(&mut self, key: &Bytes, status: &Status) {
        if status.state == State::Unassigned {
            self.own.remove(key);
        } else {
            self.own.insert(key.clone(), status.clone());
        }
    }

    /// What this worker has to say again, since `heard` hides it: a worker that hung while its work was given to this one does not
    /// know of that, and speaks of its last generation when it goes on; a leader that hung may remove what was made again meanwhile.
    fn repetition_of(&self, key: &[u8], heard: Option<&Status>) -> Option<Bytes> {
        let own = self.own.get(key)?;
        let is_hidden =
            heard.is_none_or(|heard| heard.worker_id != own.worker_id && heard.generation < own.generation);
        is_hidden.then(|| status_value(own))
    }
}

/// `KafkaStatusBackingStore`. Puts return at once; they are written in their order, again and again until Kafka takes them. Of
/// several that wait for the same connector, task or topic only the newest is written. Dropping the store ends the writing.
pub struct StatusStore {
    log: Arc<dyn TopicLog>,
    known: Arc<Mutex<Known>>,
    writer: StatusWriter,
    on_topic_removed: OnceLock<OnTopicRemoved>,
}

/// Is told a connector.
type OnTopicRemoved = Arc<dyn Fn(&str) + Send + Sync>;

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StatusStore {
    pub fn new(log: Arc<dyn TopicLog>) -> Self {
        Self { log, known: Arc::default(), writer: StatusWriter::new(), on_topic_removed: OnceLock::new() }
    }

    /// Who is to be told when a topic was removed from a connector's list, by whatever worker: its tasks are to say again what they
    /// use. To be set before the start, once; must not block.
    pub fn on_topic_removed(&self, told: impl Fn(&str) + Send + Sync + 'static) {
        // A second one would never be told of anything, and nobody sets it.
        let _ = self.on_topic_removed.set(Arc::new(told));
    }

    /// Reads the topic to its end and begins to write. Called once, inside a tokio runtime.
    pub async fn start(&self) -> Result<(), ConnectError> {
        let (known, puts) = (self.known.clone(), self.writer.puts());
        let told = self.on_topic_removed.get().cloned();
        self.log.start(Box::new(move |entry| read(&known, &puts, told.as_ref(), &entry))).await?;
        self.writer.start(self.log.clone());
        Ok(())
    }

    pub fn put_connector(&self, name: &str, status: Status) {
        self.put_status(connector_key(name), &status);
    }

    /// Passed over when another worker is known to have spoken in a later generation.
    pub fn put_connector_safe(&self, name: &str, status: Status) {
        let name_to_check = name.to_owned();
        self.put_safe(connector_key(name), status, move |status, known| {
            is_safe(status, known.cache.connectors.get(&name_to_check))
        });
    }

    pub fn put_task(&self, id: &TaskId, status: Status) {
        self.remember(id);
        self.put_status(task_key(id), &status);
    }

    /// Passed over when another worker is known to have spoken in a later generation.
    pub fn put_task_safe(&self, id: &TaskId, status: Status) {
        self.remember(id);
        let id_to_check = id.clone();
        self.put_safe(task_key(id), status, move |status, known| {
            is_safe(status, known.cache.task(&id_to_check))
        });
    }

    pub fn put_topic(&self, status: TopicStatus) {
        let record = topic_record(&status);
        self.put(record.key, record.value);
    }

    pub fn remove_topic(&self, connector: &str, topic: &str) {
        self.put(topic_key(topic, connector), None);
    }

    pub fn remove_task(&self, id: &TaskId) {
        if let Some(tasks) = lock(&self.known).put.get_mut(&id.connector) {
            tasks.remove(&id.task);
        }
        self.put(task_key(id), None);
    }

    /// Tombstones for the connector and every task that is known of it. Its topics stay.
    pub fn remove_connector(&self, name: &str) {
        let mut tasks = BTreeSet::new();
        {
            let mut known = lock(&self.known);
            tasks.extend(known.put.remove(name).unwrap_or_default());
            tasks.extend(known.cache.tasks.get(name).into_iter().flat_map(|tasks| tasks.keys().copied()));
        }
        for task in tasks {
            self.put(task_key(&TaskId { connector: name.to_owned(), task }), None);
        }
        self.put(connector_key(name), None);
    }

    /// Returns when everything put so far is acknowledged. While Kafka is away that takes as long; the caller bounds it.
    pub async fn flush(&self) {
        self.writer.flush().await;
    }

    /// Returns when everything that others had written before the call is known here. The caller bounds it.
    pub async fn read_to_end(&self) -> Result<(), ConnectError> {
        self.log.read_to_end().await
    }

    pub fn connector(&self, name: &str) -> Option<Status> {
        lock(&self.known).cache.connectors.get(name).cloned()
    }

    pub fn task(&self, id: &TaskId) -> Option<Status> {
        lock(&self.known).cache.task(id).cloned()
    }

    /// By task number.
    pub fn tasks(&self, name: &str) -> Vec<(usize, Status)> {
        let known = lock(&self.known);
        let tasks = known.cache.tasks.get(name).into_iter().flatten();
        tasks.map(|(task, status)| (*task, status.clone())).collect()
    }

    /// By topic name.
    pub fn topics(&self, name: &str) -> Vec<TopicStatus> {
        lock(&self.known)
            .cache
            .topics
            .get(name)
            .into_iter()
            .flat_map(|topics| topics.values().cloned())
            .collect()
    }

    /// Every connector that a status, a task's status or a topic is known of, deleted ones too.
    pub fn connectors(&self) -> BTreeSet<String> {
        let known = lock(&self.known);
        let StatusCache { connectors, tasks, topics } = &known.cache;
        connectors.keys().chain(tasks.keys()).chain(topics.keys()).cloned().collect()
    }

    /// The connectors and tasks whose worker has left them properly: their last record says UNASSIGNED, in the generation `since` or
    /// later. What was said earlier is of a worker that had it before: the next one may be about to run it.
    pub fn let_go(&self, since: i32) -> Work {
        lock(&self.known).cache.let_go(since)
    }

    fn remember(&self, id: &TaskId) {
        lock(&self.known).put.entry(id.connector.clone()).or_default().insert(id.task);
    }

    fn put(&self, key: Bytes, value: Option<Bytes>) {
        if value.is_none() {
            lock(&self.known).own.remove(&key);
        }
        self.writer.put(key, Put { value, check: None });
    }

    fn put_status(&self, key: Bytes, status: &Status) {
        lock(&self.known).said(&key, status);
        self.put(key, Some(status_value(status)));
    }

    fn put_safe(
        &self,
        key: Bytes,
        status: Status,
        is_safe: impl Fn(&Status, &Known) -> bool + Send + Sync + 'static,
    ) {
        {
            let mut known = lock(&self.known);
            if !is_safe(&status, &known) {
                known.own.remove(&key);
                return;
            }
            known.said(&key, &status);
        }
        let (known, value) = (self.known.clone(), Some(status_value(&status)));
        let check = Arc::new(move || is_safe(&status, &lock(&known)));
        self.writer.put(key, Put { value, check: Some(check) });
    }
}

fn read(known: &Mutex<Known>, puts: &Puts, told: Option<&OnTopicRemoved>, entry: &LogEntry) {
    let key = entry.key.as_deref().unwrap_or_default();
    let text = String::from_utf8_lossy(key);
    match parse(&text, entry.value.as_deref()) {
        Ok(record) => {
            let mut known = lock(known);
            if let StatusRecord::Connector(_, heard) | StatusRecord::Task(_, heard) = &record
                && let Some(value) = known.repetition_of(key, heard.as_ref())
            {
                puts.put(Bytes::copy_from_slice(key), Put { value: Some(value), check: None });
            }
            let removed = match &record {
                StatusRecord::Topic { connector, status: None, .. } => Some(connector.clone()),
                _ => None,
            };
            known.cache.apply(record);
            drop(known);
            if let (Some(connector), Some(told)) = (removed, told) {
                told(&connector);
            }
        }
        Err(why) => tracing::warn!(
            key = &*text,
            partition = entry.partition,
            offset = entry.offset,
            why,
            "a record of the status topic is malformed and ignored"
        ),
    }
}

#[cfg(test)]
mod tests;
