//! Writing statuses without making anybody wait: one task that appends in order, tries again while Kafka does not take them, and
//! keeps only the newest status per key meanwhile.

use crate::ports::{LogRecord, TopicLog};
use bytes::Bytes;
use indexmap::IndexMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long the topic's end is looked for before something is written that is not to overrule others.
const CATCH_UP: Duration = Duration::from_secs(2);

/// How many records in a row may be refused one by one before it is Kafka that is away, and not the records that are bad.
const REFUSED_IN_A_ROW: usize = 3;

/// Whether a status is still to be written, asked before each try.
pub(super) type Check = Arc<dyn Fn() -> bool + Send + Sync>;

#[derive(Clone)]
pub(super) struct Put {
    /// `None` is a tombstone.
    pub(super) value: Option<Bytes>,
    pub(super) check: Option<Check>,
}

#[derive(Default)]
struct Queue {
    pending: IndexMap<Bytes, Put>,
    /// Something was taken out of `pending` and is not through yet.
    busy: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    wake: Notify,
    /// Changes whenever a batch is through.
    through: watch::Sender<()>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct StatusWriter {
    shared: Arc<Shared>,
    running: Mutex<Option<AbortOnDropHandle<()>>>,
}

impl StatusWriter {
    pub(super) fn new() -> Self {
        let shared = Shared { queue: Mutex::default(), wake: Notify::new(), through: watch::Sender::new(()) };
        Self { shared: Arc::new(shared), running: Mutex::new(None) }
    }

    /// Begins to write; what was put before waits until then.
    pub(super) fn start(&self, log: Arc<dyn TopicLog>) {
        let handle = tokio::spawn(write(self.shared.clone(), log));
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        *running = Some(AbortOnDropHandle::new(handle));
    }

    pub(super) fn put(&self, key: Bytes, put: Put) {
        self.puts().put(key, put);
    }

    /// Does not keep the writer alive.
    pub(super) fn puts(&self) -> Puts {
        Puts(self.shared.clone())
    }

    /// Returns when there is nothing left to write.
    pub(super) async fn flush(&self) {
        let mut through = self.shared.through.subscribe();
        loop {
            {
                let queue = self.shared.lock();
                if queue.pending.is_empty() && !queue.busy {
                    return;
                }
            }
            if through.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Where to put what is to be written.
pub(super) struct Puts(Arc<Shared>);

impl Puts {
    pub(super) fn put(&self, key: Bytes, put: Put) {
        let mut queue = self.0.lock();
        queue.pending.shift_remove(&key);
        queue.pending.insert(key, put);
        drop(queue);
        self.0.wake.notify_one();
    }
}

type Entry = (Bytes, Put);

async fn write(shared: Arc<Shared>, log: Arc<dyn TopicLog>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let batch: Vec<Entry> = {
            let mut queue = shared.lock();
            let batch: Vec<Entry> = queue.pending.drain(..).collect();
            queue.busy = !batch.is_empty();
            batch
        };
        if batch.is_empty() {
            shared.wake.notified().await;
            continue;
        }
        if batch.iter().any(|(_, put)| put.check.is_some()) {
            // This worker may have hung, and what others have said meanwhile not been read yet. While Kafka does not answer, nothing
            // is written either.
            let _ = timeout(CATCH_UP, log.read_to_end()).await;
        }
        let batch: Vec<Entry> = batch
            .into_iter()
            .filter(|(_, put)| put.check.as_ref().is_none_or(|is_wanted| is_wanted()))
            .collect();
        let left = append(&*log, batch).await;
        let all_written = left.is_empty();
        {
            let mut queue = shared.lock();
            for (key, put) in left.into_iter().rev() {
                // Unless there is something newer for the key by now.
                if !queue.pending.contains_key(&key) {
                    queue.pending.shift_insert(0, key, put);
                }
            }
            queue.busy = false;
        }
        shared.through.send_replace(());
        if all_written {
            pause = FIRST_PAUSE;
        } else {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn record((key, put): &Entry) -> LogRecord {
    LogRecord { key: key.clone(), value: put.value.clone() }
}

/// What was not taken. When all together are refused, each has its own try: one that Kafka never takes must not hold back the
/// others, so those that had theirs come last the next time.
async fn append(log: &dyn TopicLog, batch: Vec<Entry>) -> Vec<Entry> {
    if batch.is_empty() {
        return batch;
    }
    let Err(error) = log.append(batch.iter().map(record).collect()).await else { return Vec::new() };
    tracing::warn!(
        statuses = batch.len(),
        error = error.chain(),
        "statuses could not be written and are tried again"
    );
    if batch.len() == 1 {
        return batch;
    }
    let (mut refused, mut in_a_row) = (Vec::new(), 0);
    let mut batch = batch.into_iter();
    while in_a_row < REFUSED_IN_A_ROW {
        let Some(entry) = batch.next() else { break };
        match log.append(vec![record(&entry)]).await {
            Ok(()) => in_a_row = 0,
            Err(_) => {
                in_a_row += 1;
                refused.push(entry);
            }
        }
    }
    batch.chain(refused).collect()
}
