//! Writes to the config topic, in the order they were asked for. What waits while one write is under way goes together in
//! the next, so that many changes cost few round trips.

use super::state::Event;
use crate::ports::{LogRecord, TopicLog};
use connect_api::ConnectError;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// For the acknowledgement, and again for the records to come back.
const LIMIT: Duration = Duration::from_secs(30);

struct Write {
    id: u64,
    records: Vec<LogRecord>,
}

pub(super) struct Writer {
    writes: mpsc::UnboundedSender<Write>,
}

impl Writer {
    /// Ends when the writer is dropped and all is written.
    pub(super) fn start(log: Arc<dyn TopicLog>, events: mpsc::UnboundedSender<Event>) -> Self {
        let (writes, mut waiting) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(first) = waiting.recv().await {
                let mut batch = vec![first];
                while let Ok(more) = waiting.try_recv() {
                    batch.push(more);
                }
                write(&*log, batch, &events).await;
            }
        });
        Self { writes }
    }

    pub(super) fn write(&self, id: u64, records: Vec<LogRecord>) {
        // The writer ends after the loop that calls this.
        let _ = self.writes.send(Write { id, records });
    }
}

async fn write(log: &dyn TopicLog, batch: Vec<Write>, events: &mpsc::UnboundedSender<Event>) {
    let all = batch.iter().flat_map(|write| write.records.iter().cloned()).collect();
    let mut results = Vec::with_capacity(batch.len());
    match append(log, all).await {
        Err(_) if batch.len() > 1 => {
            // One of them may be what Kafka will not take; writing the others again does no harm.
            for write in batch {
                results.push((write.id, append(log, write.records).await));
            }
        }
        result => results.extend(batch.iter().map(|write| (write.id, result.clone()))),
    }
    if results.iter().any(|(_, result)| result.is_ok())
        && !matches!(timeout(LIMIT, log.read_back()).await, Ok(Ok(())))
    {
        tracing::warn!("what was written to the config topic has not been read back in time");
    }
    for (write, result) in results {
        let _ = events.send(Event::Written { write, result });
    }
}

async fn append(log: &dyn TopicLog, records: Vec<LogRecord>) -> Result<(), String> {
    match timeout(LIMIT, log.append(records)).await {
        Ok(result) => result.map_err(|error: ConnectError| error.chain()),
        Err(_) => Err(format!("no answer within {} s", LIMIT.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{LogReader, TopicLog};
    use async_trait::async_trait;
    use bytes::Bytes;
    use std::sync::Mutex;

    /// Takes no record `bad`, nor anything together with it.
    #[derive(Default)]
    struct PickyLog {
        calls: Mutex<Vec<Vec<Bytes>>>,
    }

    #[async_trait]
    impl TopicLog for PickyLog {
        async fn start(&self, _: LogReader) -> Result<(), ConnectError> {
            Ok(())
        }

        async fn append(&self, records: Vec<LogRecord>) -> Result<(), ConnectError> {
            // Meanwhile others are asked for.
            tokio::time::sleep(Duration::from_millis(10)).await;
            let keys: Vec<Bytes> = records.into_iter().map(|record| record.key).collect();
            let is_bad = keys.iter().any(|key| key == "bad");
            self.calls.lock().unwrap().push(keys);
            if is_bad { Err(ConnectError::failed("too large")) } else { Ok(()) }
        }

        async fn read_to_end(&self) -> Result<(), ConnectError> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_goes_together_and_a_bad_record_takes_no_other_with_it() {
        let log = Arc::new(PickyLog::default());
        let (events, mut told) = mpsc::unbounded_channel();
        let writer = Writer::start(log.clone(), events);
        let record = |key: &'static str| LogRecord { key: Bytes::from(key), value: None };
        writer.write(1, vec![record("a")]);
        tokio::time::sleep(Duration::from_millis(1)).await;
        writer.write(2, vec![record("b"), record("c")]);
        writer.write(3, vec![record("bad")]);
        let mut results = Vec::new();
        while results.len() < 3 {
            if let Some(Event::Written { write, result }) = told.recv().await {
                results.push((write, result));
            }
        }
        assert_eq!(results, [(1, Ok(())), (2, Ok(())), (3, Err("too large".into()))]);
        let calls = log.calls.lock().unwrap().clone();
        assert_eq!(calls, [vec!["a"], vec!["b", "c", "bad"], vec!["b", "c"], vec!["bad"]]);
    }
}
