//! A compacted topic of one partition in memory: the configs and statuses of a standalone worker, which outlive nothing, and the
//! topics of tests.

use crate::ports::{LogEntry, LogReader, LogRecord, TopicLog};
use async_trait::async_trait;
use bytes::Bytes;
use connect_api::ConnectError;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The topic itself; clones are the same one.
#[derive(Clone, Default)]
pub struct MemoryTopic {
    partition: Arc<Mutex<Partition>>,
}

#[derive(Default)]
struct Partition {
    next_offset: i64,
    next_reader: u64,
    /// The latest record of each key by its offset. A tombstone stays until the next record comes, so that who reads from the
    /// start gets as far as who was there all the time.
    records: BTreeMap<i64, LogRecord>,
    latest: HashMap<Bytes, i64>,
    readers: BTreeMap<u64, LogReader>,
}

impl MemoryTopic {
    pub fn new() -> Self {
        Self::default()
    }

    /// One worker's view of the topic, with a reader of its own.
    pub fn log(&self) -> MemoryLog {
        MemoryLog { topic: self.clone(), reader: Mutex::new(None) }
    }

    /// What a new reader would get.
    pub fn records(&self) -> Vec<LogEntry> {
        self.lock().records.iter().map(|(offset, record)| entry(*offset, record)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Partition> {
        self.partition.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entry(offset: i64, record: &LogRecord) -> LogEntry {
    LogEntry { partition: 0, offset, key: Some(record.key.clone()), value: record.value.clone() }
}

impl Partition {
    fn append(&mut self, record: LogRecord) {
        if let Some((offset, LogRecord { value: None, .. })) = self.records.last_key_value() {
            let offset = *offset;
            if let Some(tombstone) = self.records.remove(&offset) {
                self.latest.remove(&tombstone.key);
            }
        }
        let offset = self.next_offset;
        self.next_offset += 1;
        if let Some(older) = self.latest.insert(record.key.clone(), offset) {
            self.records.remove(&older);
        }
        for reader in self.readers.values_mut() {
            reader(entry(offset, &record));
        }
        self.records.insert(offset, record);
    }
}

/// Records go to every reader before [`append`](TopicLog::append) returns.
pub struct MemoryLog {
    topic: MemoryTopic,
    reader: Mutex<Option<u64>>,
}

#[async_trait]
impl TopicLog for MemoryLog {
    async fn start(&self, mut reader: LogReader) -> Result<(), ConnectError> {
        let mut partition = self.topic.lock();
        for (offset, record) in &partition.records {
            reader(entry(*offset, record));
        }
        let id = partition.next_reader;
        partition.next_reader += 1;
        partition.readers.insert(id, reader);
        *self.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(id);
        Ok(())
    }

    async fn append(&self, records: Vec<LogRecord>) -> Result<(), ConnectError> {
        let mut partition = self.topic.lock();
        for record in records {
            partition.append(record);
        }
        Ok(())
    }

    async fn read_to_end(&self) -> Result<(), ConnectError> {
        Ok(())
    }
}

impl Drop for MemoryLog {
    fn drop(&mut self) {
        let id = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The reader is dropped outside the lock: it may hold the last handle of what drops another log.
        let reader = id.and_then(|id| self.topic.lock().readers.remove(&id));
        drop(reader);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn record(key: &str, value: Option<&str>) -> LogRecord {
        LogRecord {
            key: Bytes::copy_from_slice(key.as_bytes()),
            value: value.map(|value| Bytes::copy_from_slice(value.as_bytes())),
        }
    }

    async fn read(log: &MemoryLog) -> mpsc::Receiver<(i64, String)> {
        let (sender, receiver) = mpsc::channel();
        let reader = move |entry: LogEntry| {
            let key = String::from_utf8(entry.key.unwrap().to_vec()).unwrap();
            let _ = sender.send((entry.offset, key));
        };
        log.start(Box::new(reader)).await.unwrap();
        receiver
    }

    #[tokio::test]
    async fn readers_see_what_was_there_and_what_comes() {
        let topic = MemoryTopic::new();
        let (first, second) = (topic.log(), topic.log());
        let early = read(&first).await;
        first.append(vec![record("a", Some("1")), record("b", Some("1"))]).await.unwrap();
        let late = read(&second).await;
        second.append(vec![record("c", Some("1"))]).await.unwrap();
        let expected = [(0, "a".to_owned()), (1, "b".into()), (2, "c".into())];
        assert_eq!(early.try_iter().collect::<Vec<_>>(), expected);
        assert_eq!(late.try_iter().collect::<Vec<_>>(), expected);
        drop(second);
        first.append(vec![record("d", Some("1"))]).await.unwrap();
        assert_eq!(early.try_iter().count(), 1);
        assert!(late.recv().is_err(), "the reader of a dropped log is gone");
    }

    #[tokio::test]
    async fn the_latest_of_a_key_is_kept_and_the_end_is_never_lost() {
        let topic = MemoryTopic::new();
        let log = topic.log();
        for n in 0..1000 {
            log.append(vec![record("a", Some(&n.to_string())), record("b", Some("x"))]).await.unwrap();
        }
        log.append(vec![record("b", None)]).await.unwrap();
        let offsets = |topic: &MemoryTopic| topic.records().iter().map(|e| e.offset).collect::<Vec<_>>();
        assert_eq!(offsets(&topic), [1998, 2000], "the tombstone is the end");
        log.append(vec![record("c", Some("y"))]).await.unwrap();
        assert_eq!(offsets(&topic), [1998, 2001]);
    }
}
