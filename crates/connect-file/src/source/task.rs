//! The source task: each line a record.

use super::lines::Line;
use super::offsets::{FILENAME, POSITION, position};
use super::stdin::Stdin;
use super::tail::{Tail, TailError};
use crate::config;
use async_trait::async_trait;
use connect_api::{
    ConfigMap, ConnectError, OffsetMap, PollError, Schema, SchemaRef, SourceOffset, SourceRecord, SourceTask,
    SourceTaskContext, Type, Value,
};
use serde_json::Value as Json;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, sleep, timeout};

/// How soon an appended line is seen.
const LOOK: Duration = Duration::from_millis(100);

/// How long a poll without news takes.
const QUIET: Duration = Duration::from_secs(1);

/// Before a file that cannot be read is tried again.
const BACKOFF: Duration = Duration::from_secs(3);

#[derive(Default)]
pub(super) struct FileStreamSourceTask {
    running: Option<Running>,
}

struct Running {
    input: Input,
    batch_size: usize,
    topic: Arc<str>,
    /// `{"filename": ..}`; standard input has none, since nobody can go back in it.
    partition: Option<Arc<OffsetMap>>,
    schema: SchemaRef,
}

enum Input {
    File(Tail),
    Stdin(Stdin),
}

#[async_trait]
impl SourceTask for FileStreamSourceTask {
    async fn start(&mut self, context: SourceTaskContext, config: &ConfigMap) -> Result<(), ConnectError> {
        let config = config::read(&config::SOURCE, config)?;
        let (input, partition) = match config::file(&config) {
            None => (Input::Stdin(Stdin::take()?), None),
            Some(file) => {
                let partition = OffsetMap::from_iter([(FILENAME.to_owned(), Json::from(file))]);
                let stored = context.offsets.offset(&partition).await?;
                let resume = stored.as_ref().map(position).transpose()?;
                (Input::File(Tail::new(file.into(), resume)), Some(Arc::new(partition)))
            }
        };
        self.running = Some(Running {
            input,
            batch_size: config.integer("batch.size") as usize,
            topic: config.text("topic").into(),
            partition,
            schema: Arc::new(Schema::new(Type::String)),
        });
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>, PollError> {
        let Some(running) = &mut self.running else {
            return Err(ConnectError::failed("poll before start").into());
        };
        let lines = match &mut running.input {
            Input::File(tail) => from_file(tail, running.batch_size).await?,
            Input::Stdin(stdin) => {
                let lines = timeout(QUIET, stdin.read(running.batch_size)).await.unwrap_or_default();
                if lines.is_empty() {
                    // At the end of the input there is no news at once and for ever.
                    sleep(LOOK).await;
                }
                lines.into_iter().map(|text| Line { text, position: 0 }).collect()
            }
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64;
        Ok(lines.into_iter().map(|line| running.record(line, now)).collect())
    }

    async fn stop(&mut self) {
        self.running = None;
    }
}

/// The lines that are there, or come within [`QUIET`].
async fn from_file(tail: &mut Tail, most: usize) -> Result<Vec<Line>, PollError> {
    let end = Instant::now() + QUIET;
    loop {
        // In the task's own thread: where a network hangs behind the file this task alone hangs with it, and hundreds of quiet files
        // do not cost a second thread each.
        match tail.read(most) {
            Ok(lines) if lines.is_empty() && Instant::now() < end => sleep(LOOK).await,
            Ok(lines) => return Ok(lines),
            Err(error @ TailError::Unreadable { .. }) => {
                let error = ConnectError::caused("reading is tried again", error);
                return Err(PollError::Retriable { error, backoff: BACKOFF });
            }
            Err(error) => return Err(ConnectError::failed(error.to_string()).into()),
        }
    }
}

impl Running {
    fn record(&self, line: Line, now: i64) -> SourceRecord {
        let position = i64::try_from(line.position).unwrap_or(i64::MAX);
        let offset = || SourceOffset::numbers(&[POSITION], [position]);
        SourceRecord {
            source_offset: self.partition.is_some().then(offset),
            source_partition: self.partition.clone(),
            topic: self.topic.clone(),
            partition: None,
            timestamp: Some(now),
            key_schema: None,
            key: Value::Null,
            value_schema: Some(self.schema.clone()),
            value: Value::String(line.text.into()),
        }
    }
}
