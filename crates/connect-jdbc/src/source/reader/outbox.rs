//! Batches on their way from the reader to the task's polls.

use connect_api::{ConnectError, SourceRecord};
use std::time::Duration;
use tokio::sync::mpsc;

/// A batch ends before it is much larger than this, however few rows it has: together with the number of batches that may
/// wait it bounds the memory.
const BATCH_BYTES: usize = 512 * 1024;

/// How many batches may wait, whatever `max.buffer.size` says.
const MOST_BATCHES: usize = 8;

/// What the reader tells the task.
#[derive(Debug)]
pub(in crate::source) enum Message {
    Batch(Vec<SourceRecord>),
    /// A read went well after one that did not.
    Recovered,
    /// The reader waits until it is told to try again.
    Trouble {
        error: ConnectError,
        backoff: Duration,
    },
    /// The reader has ended.
    Failed(ConnectError),
}

/// The task is gone.
#[derive(Debug)]
pub(in crate::source) struct Closed;

#[derive(Debug)]
pub(in crate::source) struct Outbox {
    sender: mpsc::Sender<Message>,
    batch: Vec<SourceRecord>,
    bytes: usize,
    max_rows: usize,
    /// The size of the last batch, and mostly of the next.
    usual: usize,
}

impl Outbox {
    /// For batches of `max_rows` of which `max_buffer` rows may wait.
    pub(in crate::source) fn new(max_rows: usize, max_buffer: usize) -> (Self, mpsc::Receiver<Message>) {
        let max_rows = max_rows.max(1);
        let (sender, receiver) = mpsc::channel((max_buffer / max_rows).clamp(1, MOST_BATCHES));
        (Self { sender, batch: Vec::new(), bytes: 0, max_rows, usual: 0 }, receiver)
    }

    /// `bytes` is about what the record takes.
    pub(in crate::source) async fn push(&mut self, record: SourceRecord, bytes: usize) -> Result<(), Closed> {
        if self.batch.is_empty() {
            self.batch.reserve(self.usual);
        }
        self.batch.push(record);
        self.bytes += bytes;
        if self.batch.len() >= self.max_rows || self.bytes >= BATCH_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    pub(in crate::source) fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    pub(in crate::source) async fn flush(&mut self) -> Result<(), Closed> {
        self.bytes = 0;
        match std::mem::take(&mut self.batch) {
            batch if batch.is_empty() => Ok(()),
            batch => {
                self.usual = batch.len();
                self.send(Message::Batch(batch)).await
            }
        }
    }

    pub(in crate::source) async fn send(&mut self, message: Message) -> Result<(), Closed> {
        self.sender.send(message).await.map_err(|_| Closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_api::Value;

    fn record() -> SourceRecord {
        SourceRecord {
            source_partition: None,
            source_offset: None,
            topic: "t".into(),
            partition: None,
            timestamp: None,
            key_schema: None,
            key: Value::Null,
            value_schema: None,
            value: Value::Null,
        }
    }

    #[tokio::test]
    async fn batches_end_by_rows_and_by_bytes() {
        let (mut outbox, mut receiver) = Outbox::new(3, 100);
        for bytes in [1, 1, 1, BATCH_BYTES, 1] {
            outbox.push(record(), bytes).await.unwrap();
        }
        outbox.flush().await.unwrap();
        assert!(outbox.is_empty());
        let mut sizes = Vec::new();
        while let Ok(Message::Batch(batch)) = receiver.try_recv() {
            sizes.push(batch.len());
        }
        assert_eq!(sizes, [3, 1, 1]);
        drop(receiver);
        outbox.push(record(), 1).await.unwrap();
        assert!(outbox.flush().await.is_err());
    }

    #[tokio::test]
    async fn the_rows_that_wait_are_bounded() {
        for (max_rows, max_buffer, batches) in [(10, 0, 1), (10, 40, 4), (1, 1_000_000, MOST_BATCHES)] {
            let (outbox, _receiver) = Outbox::new(max_rows, max_buffer);
            assert_eq!(outbox.sender.capacity(), batches);
        }
    }
}
