//! One consumer that reads all logs of a worker and hands each record to its log's reader.

use super::config::Clients;
use crate::clients::creation_failed;
use crate::context::Reporter;
use bytes::Bytes;
use connect_api::ConnectError;
use connect_runtime::ports::{LogEntry, LogReader};
use rdkafka::consumer::{Consumer, ConsumerContext, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::time::sleep;

/// How often positions are looked at while somebody waits for them and no record comes: markers of transactions move them
/// silently.
const LOOK: Duration = Duration::from_millis(10);

/// The pause after an error, which librdkafka may repeat at once.
const ERROR_PAUSE: Duration = Duration::from_millis(50);

impl ConsumerContext for Reporter {}

pub(super) struct Reader {
    consumer: Arc<StreamConsumer<Reporter>>,
    state: Arc<Mutex<State>>,
    /// Somebody waits.
    wake: Arc<Notify>,
    stop: Option<oneshot::Sender<()>>,
}

#[derive(Default)]
struct State {
    logs: HashMap<Arc<str>, Log>,
    waiters: Vec<Waiter>,
}

struct Log {
    reader: LogReader,
    /// The next offset of each partition that something was read of.
    positions: HashMap<i32, i64>,
}

struct Waiter {
    topic: Arc<str>,
    /// Where to, for each partition that is not there yet.
    ends: Vec<(i32, i64)>,
    done: oneshot::Sender<()>,
}

impl State {
    fn deliver(&mut self, message: &BorrowedMessage<'_>) {
        let Some(log) = self.logs.get_mut(message.topic()) else { return };
        let (partition, offset) = (message.partition(), message.offset());
        (log.reader)(LogEntry {
            partition,
            offset,
            key: message.key().map(Bytes::copy_from_slice),
            value: message.payload().map(Bytes::copy_from_slice),
        });
        log.positions.insert(partition, offset + 1);
        if !self.waiters.is_empty() {
            self.settle();
        }
    }

    /// Takes over what the consumer has read, or skipped, up to now.
    fn look(&mut self, positions: &TopicPartitionList) {
        for element in positions.elements() {
            if let (Some(log), Offset::Offset(offset)) =
                (self.logs.get_mut(element.topic()), element.offset())
            {
                let position = log.positions.entry(element.partition()).or_insert(offset);
                *position = offset.max(*position);
            }
        }
        self.settle();
    }

    /// Lets go who has what they waited for, or waits no more.
    fn settle(&mut self) {
        let Self { logs, waiters } = self;
        for index in (0..waiters.len()).rev() {
            let waiter = &mut waiters[index];
            let log = logs.get(&waiter.topic);
            waiter.ends.retain(|(partition, end)| {
                log.and_then(|log| log.positions.get(partition)).is_none_or(|position| position < end)
            });
            if waiter.ends.is_empty() {
                // An error means that nobody waits any more.
                let _ = waiters.swap_remove(index).done.send(());
            } else if waiter.done.is_closed() || log.is_none() {
                waiters.swap_remove(index);
            }
        }
    }
}

impl Reader {
    pub(super) fn start(clients: &Clients) -> Result<Self, ConnectError> {
        let consumer: StreamConsumer<Reporter> = clients
            .consumer
            .create_with_context(Reporter::new(&clients.client_id))
            .map_err(|error| creation_failed(&clients.client_id, &error))?;
        let (stop, stopped) = oneshot::channel();
        let reader = Self {
            consumer: Arc::new(consumer),
            state: Arc::default(),
            wake: Arc::default(),
            stop: Some(stop),
        };
        tokio::spawn(read(reader.consumer.clone(), reader.state.clone(), reader.wake.clone(), stopped));
        Ok(reader)
    }

    /// Reads these partitions from their beginning, beside what is read already.
    pub(super) fn follow(
        &self,
        topic: &str,
        partitions: &[i32],
        reader: LogReader,
    ) -> Result<(), ConnectError> {
        let mut new = TopicPartitionList::with_capacity(partitions.len());
        let mut assigned = Ok(());
        for partition in partitions {
            assigned = assigned.and(new.add_partition_offset(topic, *partition, Offset::Beginning));
        }
        lock(&self.state).logs.insert(topic.into(), Log { reader, positions: HashMap::new() });
        assigned
            .and_then(|()| self.consumer.incremental_assign(&new))
            .map_err(|error| ConnectError::caused(format!("topic {topic} cannot be read"), error))
    }

    pub(super) fn leave(&self, topic: &str) {
        let Some(_) = lock(&self.state).logs.remove(topic) else { return };
        let Ok(assigned) = self.consumer.assignment() else { return };
        let mut old = TopicPartitionList::new();
        for element in assigned.elements_for_topic(topic) {
            old.add_partition(topic, element.partition());
        }
        if let Err(error) = self.consumer.incremental_unassign(&old) {
            tracing::debug!(topic, error = error.to_string(), "topic could not be given up");
        }
        self.wake.notify_one();
    }

    /// Those of the partitions that nothing was read of yet.
    pub(super) fn unread(&self, topic: &str, partitions: impl Iterator<Item = i32>) -> Vec<i32> {
        let state = lock(&self.state);
        let log = state.logs.get(topic);
        partitions.filter(|part| log.is_none_or(|log| !log.positions.contains_key(part))).collect()
    }

    /// Returns when everything before these offsets has gone to the reader.
    pub(super) async fn reach(&self, topic: &str, ends: Vec<(i32, i64)>) -> Result<(), ConnectError> {
        let (done, reached) = oneshot::channel();
        {
            let mut state = lock(&self.state);
            state.waiters.push(Waiter { topic: topic.into(), ends, done });
            state.settle();
        }
        self.wake.notify_one();
        reached.await.map_err(|_| ConnectError::failed(format!("topic {topic} is not read any more")))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // An error means that the runtime is gone, and the task with it.
            let _ = stop.send(());
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn read(
    consumer: Arc<StreamConsumer<Reporter>>,
    state: Arc<Mutex<State>>,
    wake: Arc<Notify>,
    mut stopped: oneshot::Receiver<()>,
) {
    loop {
        let waited_for = !lock(&state).waiters.is_empty();
        tokio::select! {
            biased;
            _ = &mut stopped => break,
            message = consumer.recv() => match message {
                Ok(message) => {
                    lock(&state).deliver(&message);
                    continue;
                }
                Err(KafkaError::PartitionEOF(_)) => {}
                Err(error) => {
                    consumer.context().trouble(&error, "reading the internal topics");
                    sleep(ERROR_PAUSE).await;
                }
            },
            () = wake.notified() => {}
            () = sleep(LOOK), if waited_for => {}
        }
        match consumer.position() {
            Ok(positions) => lock(&state).look(&positions),
            Err(error) => consumer.context().trouble(&error, "asking for positions"),
        }
    }
    // Closing waits for threads of librdkafka; not here.
    drop(std::thread::spawn(move || drop(consumer)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let mut state = State::default();
        let log = Log { reader: Box::new(|_| {}), positions: HashMap::new() };
        state.logs.insert("t".into(), log);
        state
    }

    fn wait(state: &mut State, ends: &[(i32, i64)]) -> oneshot::Receiver<()> {
        let (done, reached) = oneshot::channel();
        state.waiters.push(Waiter { topic: "t".into(), ends: ends.to_vec(), done });
        state.settle();
        reached
    }

    fn at(positions: &[(i32, Offset)]) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in positions {
            list.add_partition_offset("t", *partition, *offset).unwrap();
        }
        list
    }

    #[test]
    fn a_wait_ends_when_every_partition_is_there() {
        let mut state = state();
        assert!(wait(&mut state, &[]).try_recv().is_ok());
        let mut both = wait(&mut state, &[(0, 5), (1, 2)]);
        let mut first = wait(&mut state, &[(0, 5)]);
        state.look(&at(&[(0, Offset::Offset(6)), (1, Offset::Invalid)]));
        assert!(first.try_recv().is_ok() && both.try_recv().is_err());
        // a position does not go back
        state.look(&at(&[(0, Offset::Offset(1)), (1, Offset::Offset(2))]));
        assert!(both.try_recv().is_ok());
        assert!(state.waiters.is_empty());
        assert!(wait(&mut state, &[(0, 6)]).try_recv().is_ok());
    }

    #[test]
    fn who_has_gone_is_not_kept_in_mind() {
        let mut state = state();
        drop(wait(&mut state, &[(0, 5)]));
        state.settle();
        assert!(state.waiters.is_empty());
        let mut orphan = wait(&mut state, &[(0, 5)]);
        state.logs.clear();
        state.settle();
        assert_eq!(orphan.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }
}
