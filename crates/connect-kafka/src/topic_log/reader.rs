//! A consumer that reads one log and hands its records to the log's reader.

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
use std::collections::{BTreeMap, HashMap};
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
    state: Arc<Mutex<State>>,
    /// Somebody waits.
    wake: Arc<Notify>,
    stop: Option<oneshot::Sender<()>>,
}

#[derive(Default)]
struct State {
    /// The next offset of each partition.
    positions: HashMap<i32, i64>,
    waiters: Vec<Waiter>,
    /// Nothing will be read any more.
    over: bool,
}

struct Waiter {
    /// Where to, for each partition that is not there yet.
    ends: Vec<(i32, i64)>,
    done: oneshot::Sender<()>,
}

impl State {
    fn advance(&mut self, partition: i32, position: i64) {
        let known = self.positions.entry(partition).or_insert(position);
        *known = position.max(*known);
    }

    /// Takes over what the consumer has read, or skipped, up to now.
    fn look(&mut self, positions: &TopicPartitionList) {
        for element in positions.elements() {
            if let Offset::Offset(offset) = element.offset() {
                self.advance(element.partition(), offset);
            }
        }
        self.settle();
    }

    /// Lets go who has what they waited for, or waits no more.
    fn settle(&mut self) {
        let Self { positions, waiters, over } = self;
        for index in (0..waiters.len()).rev() {
            let waiter = &mut waiters[index];
            waiter
                .ends
                .retain(|(partition, end)| positions.get(partition).is_none_or(|position| position < end));
            if waiter.ends.is_empty() {
                // An error means that nobody waits any more.
                let _ = waiters.swap_remove(index).done.send(());
            } else if waiter.done.is_closed() || *over {
                waiters.swap_remove(index);
            }
        }
    }
}

impl Reader {
    /// Reads the topic's partitions from these offsets on.
    pub(super) fn start(
        clients: &Clients,
        topic: &str,
        starts: BTreeMap<i32, i64>,
        reader: LogReader,
    ) -> Result<Self, ConnectError> {
        let consumer: StreamConsumer<Reporter> = clients
            .consumer
            .create_with_context(clients.reporter())
            .map_err(|error| creation_failed(&clients.client_id, &error))?;
        let mut partitions = TopicPartitionList::with_capacity(starts.len());
        let mut assigned = Ok(());
        for (partition, start) in &starts {
            assigned =
                assigned.and(partitions.add_partition_offset(topic, *partition, Offset::Offset(*start)));
        }
        assigned
            .and_then(|()| consumer.assign(&partitions))
            .map_err(|error| ConnectError::caused(format!("internal topic {topic} cannot be read"), error))?;
        let positions = starts.into_iter().collect();
        let (stop, stopped) = oneshot::channel();
        let started = Self {
            state: Arc::new(Mutex::new(State { positions, ..State::default() })),
            wake: Arc::default(),
            stop: Some(stop),
        };
        tokio::spawn(read(consumer, reader, started.state.clone(), started.wake.clone(), stopped));
        Ok(started)
    }

    /// Returns when everything before these offsets has gone to the reader.
    pub(super) async fn reach(&self, ends: Vec<(i32, i64)>) -> Result<(), ConnectError> {
        let (done, reached) = oneshot::channel();
        {
            let mut state = lock(&self.state);
            state.waiters.push(Waiter { ends, done });
            state.settle();
        }
        self.wake.notify_one();
        reached.await.map_err(|_| ConnectError::failed("the internal topic is not read any more"))
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

fn entry(message: &BorrowedMessage<'_>) -> LogEntry {
    LogEntry {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(Bytes::copy_from_slice),
        value: message.payload().map(Bytes::copy_from_slice),
    }
}

/// When this task ends, by a panic of the reader for instance, nobody is to wait for ever.
struct Over(Arc<Mutex<State>>);

impl Drop for Over {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.over = true;
        state.settle();
    }
}

async fn read(
    consumer: StreamConsumer<Reporter>,
    mut reader: LogReader,
    state: Arc<Mutex<State>>,
    wake: Arc<Notify>,
    mut stopped: oneshot::Receiver<()>,
) {
    let over = Over(state.clone());
    loop {
        let waited_for = !lock(&state).waiters.is_empty();
        tokio::select! {
            biased;
            _ = &mut stopped => break,
            message = consumer.recv() => match message {
                Ok(message) => {
                    let (partition, offset) = (message.partition(), message.offset());
                    reader(entry(&message));
                    let mut state = lock(&state);
                    state.advance(partition, offset + 1);
                    state.settle();
                    continue;
                }
                Err(KafkaError::PartitionEOF(_)) => {}
                Err(error) => {
                    consumer.context().trouble(&error, "reading an internal topic");
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
    drop(over);
    // Closing waits for threads of librdkafka; not here.
    drop(std::thread::spawn(move || drop(consumer)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(state: &mut State, ends: &[(i32, i64)]) -> oneshot::Receiver<()> {
        let (done, reached) = oneshot::channel();
        state.waiters.push(Waiter { ends: ends.to_vec(), done });
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
        let mut state = State::default();
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
    fn nobody_waits_for_ever() {
        let state = Arc::new(Mutex::new(State::default()));
        drop(wait(&mut lock(&state), &[(0, 5)]));
        lock(&state).settle();
        assert!(lock(&state).waiters.is_empty());
        let mut orphan = wait(&mut lock(&state), &[(0, 5)]);
        drop(Over(state.clone()));
        assert_eq!(orphan.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        let mut late = wait(&mut lock(&state), &[(0, 5)]);
        assert_eq!(late.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }
}
