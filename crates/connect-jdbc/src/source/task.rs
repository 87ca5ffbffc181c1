//! The task: hands the reader's batches to the runtime.

use super::config::{Flavor, SourceConfig, Subject, TaskConfig};
use super::mapping::MappingOptions;
use super::mode::TableMode;
use super::offsets::{self, Offset};
use super::reader::Reader;
use super::reader::outbox::{Message, Outbox};
use super::reader::settings::{Job, Origin, Settings};
use super::reader::table::Table;
use super::{config, query};
use async_trait::async_trait;
use connect_api::{
    ConfigMap, ConnectError, OffsetMap, PollError, SourceRecord, SourceTask, SourceTaskContext,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The longest and the shortest that a poll waits for records, whatever `poll.linger.ms` says: the runtime wants to be answered
/// once in a while, and not all the time.
const LONGEST: Duration = Duration::from_secs(1);
const SHORTEST: Duration = Duration::from_millis(100);

/// How long a poll waits for the outcome of another attempt, so that the status does not say that all is well meanwhile.
const ANOTHER_ATTEMPT: Duration = Duration::from_secs(15);

/// How long stopping waits for the reader to let go.
const GOODBYE: Duration = Duration::from_secs(2);

pub(super) struct JdbcSourceTask {
    flavor: Flavor,
    state: State,
}

enum State {
    New,
    /// The connector does not know its tables yet; it will configure its tasks anew when it does.
    Idle,
    Running(Running),
}

struct Running {
    messages: mpsc::Receiver<Message>,
    reader: JoinHandle<()>,
    go_on: Arc<Notify>,
    linger: Duration,
    /// The last read has failed.
    troubled: bool,
    /// The reader waits to be told to try again.
    waiting: bool,
}

impl JdbcSourceTask {
    pub(super) fn new(flavor: Flavor) -> Self {
        Self { flavor, state: State::New }
    }
}

#[async_trait]
impl SourceTask for JdbcSourceTask {
    async fn start(&mut self, context: SourceTaskContext, config: &ConfigMap) -> Result<(), ConnectError> {
        let TaskConfig { source, tables, tables_fetched } = TaskConfig::read(self.flavor, config)?;
        let origins: Vec<Origin> = match &source.subject {
            Subject::Query { .. } if !tables.is_empty() => {
                return Err(ConnectError::config(
                    "Invalid configuration: a JdbcSourceTask cannot have both a table and a query assigned to it",
                ));
            }
            Subject::Query { text, .. } => vec![Origin::Query(text.clone())],
            Subject::Tables(_) if tables.is_empty() && !tables_fetched => {
                self.state = State::Idle;
                return Ok(());
            }
            Subject::Tables(_) if tables.is_empty() => {
                return Err(ConnectError::config(
                    "Task is being killed because it was not assigned a table nor a query to execute. If run in table mode please \
                     make sure that the tables exist on the database. If the table does exist on the database, we recommend using \
                     the fully qualified table name.",
                ));
            }
            Subject::Tables(_) => tables.into_iter().map(Origin::Table).collect(),
        };
        let mut jobs = Vec::with_capacity(origins.len());
        for origin in origins {
            jobs.push(Table::new(Arc::new(job(&source, origin, &context).await?)));
        }
        let settings = settings(&source, &context);
        say_what_is_ignored(&settings);
        let (outbox, messages) = Outbox::new(settings.batch_max_rows, settings.max_buffer);
        let go_on = Arc::new(Notify::new());
        let reader = Reader::new(Arc::new(settings), jobs, outbox, go_on.clone());
        self.state = State::Running(Running {
            messages,
            reader: tokio::spawn(reader.run()),
            go_on,
            linger: source.poll_linger.clamp(SHORTEST, LONGEST),
            troubled: false,
            waiting: false,
        });
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>, PollError> {
        match &mut self.state {
            State::New => Err(ConnectError::failed("poll before start").into()),
            State::Idle => {
                tokio::time::sleep(LONGEST).await;
                Ok(Vec::new())
            }
            State::Running(running) => running.poll().await,
        }
    }

    async fn stop(&mut self) {
        if let State::Running(mut running) = std::mem::replace(&mut self.state, State::New) {
            running.reader.abort();
            // What does not let go then is aborted when it next waits.
            let _ = timeout(GOODBYE, &mut running.reader).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Running {
    async fn poll(&mut self) -> Result<Vec<SourceRecord>, PollError> {
        if std::mem::take(&mut self.waiting) {
            self.go_on.notify_one();
        }
        let limit = if self.troubled { ANOTHER_ATTEMPT } else { self.linger };
        match timeout(limit, self.messages.recv()).await {
            Err(_) => Ok(Vec::new()),
            Ok(Some(Message::Batch(records))) => {
                self.troubled = false;
                Ok(records)
            }
            Ok(Some(Message::Recovered)) => {
                self.troubled = false;
                Ok(Vec::new())
            }
            Ok(Some(Message::Trouble { error, backoff })) => {
                (self.troubled, self.waiting) = (true, true);
                Err(PollError::Retriable { error, backoff })
            }
            Ok(Some(Message::Failed(error))) => Err(error.into()),
            Ok(None) => Err(ConnectError::failed("the reader has ended without a word; see the log").into()),
        }
    }
}

async fn job(
    config: &SourceConfig,
    origin: Origin,
    context: &SourceTaskContext,
) -> Result<Job, ConnectError> {
    let (mode, topic, partitions) = match &origin {
        Origin::Table(table) => {
            let mode = config.mode_of(Some(table))?;
            let topic = format!("{}{}", config.topic_prefix, table.name);
            (mode, topic, vec![offsets::table_partition(table), offsets::old_table_partition(table)])
        }
        Origin::Query(_) => {
            (config.mode_of(None)?, config.topic_prefix.clone(), vec![offsets::query_partition()])
        }
    };
    let (partition, offset) = match (&mode, &origin) {
        (TableMode::Bulk, Origin::Table(table)) => (offsets::old_table_partition(table), None),
        (TableMode::Bulk, Origin::Query(_)) => (offsets::query_partition(), None),
        _ => {
            let offset = stored(&partitions, context).await?;
            (partitions.into_iter().next().unwrap_or_default(), offset)
        }
    };
    Ok(Job { origin, mode, partition: Arc::new(partition), topic: topic.into(), offset })
}

/// The offset under the newest form of the partition that has one.
async fn stored(
    partitions: &[OffsetMap],
    context: &SourceTaskContext,
) -> Result<Option<Offset>, ConnectError> {
    for partition in partitions {
        if let Some(offset) = context.offsets.offset(partition).await? {
            return Offset::read(&offset).map(Some);
        }
    }
    Ok(None)
}

fn settings(config: &SourceConfig, context: &SourceTaskContext) -> Settings {
    let attempts = config.connection.attempts;
    let query_attempts = config.query_retries.filter(|attempts| *attempts > 0);
    Settings {
        connector: context.connector.clone(),
        task: context.task,
        url: config.connection.url.clone(),
        dialect: config.dialect(),
        mapping: MappingOptions::from(config),
        connect_attempts: query_attempts.map(|retries| retries.max(attempts)),
        connect_backoff: config.connection_backoff,
        query_attempts,
        isolation: config.isolation,
        suffix: config.query_suffix.trim().to_owned(),
        masked: matches!(config.subject, Subject::Query { masked: true, .. }),
        poll_interval: config.poll_interval,
        batch_max_rows: config.batch_max_rows.max(1),
        max_buffer: config.max_buffer,
        delay_ms: config.delay,
        timestamp_initial: config.timestamp_initial,
        incrementing_initial: config.incrementing_initial,
        validate_non_null: config.validate_non_null,
        record_key: config.record_key,
        splits: config.snapshot_splits,
        lookback_rows: config.lookback_rows,
        lookback_ms: config.lookback_ms,
    }
}

fn say_what_is_ignored(settings: &Settings) {
    let (connector, task) = (&settings.connector, settings.task);
    let ignored = settings.url.ignored();
    if !ignored.is_empty() {
        let parameters = ignored.join(", ");
        tracing::info!(connector, task, parameters, "driver parameters without effect here are ignored");
    }
    let isolation = settings.isolation;
    if isolation != config::Isolation::Default && query::isolate(&settings.url, isolation).is_none() {
        tracing::warn!(
            connector,
            task,
            ?isolation,
            "the database does not have this transaction.isolation.mode, its own is used"
        );
    }
}
