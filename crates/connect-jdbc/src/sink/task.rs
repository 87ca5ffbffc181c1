//! The task: one put is one transaction, repeated as long as that may help.

use super::config::{Flavor, SinkConfig};
use super::exactly_once::{PositionTable, Positions};
use super::plan::{Context, Planner};
use super::retry::{AtOnce, Budget, Verdict};
use super::table::Tables;
use super::write::{Attempt, Failure, WriteError};
use crate::dialect::Dialect;
use crate::driver::{self, Connection, DbError, ErrorKind, unless_hung};
use async_trait::async_trait;
use connect_api::{
    ConfigMap, ConnectError, PutError, Rejected, SinkRecord, SinkTask, SinkTaskContext, TopicPartition,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A connection that rested longer may have been closed by the other side, so it is tried before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(10);

pub(super) struct JdbcSinkTask {
    flavor: Flavor,
    started: Option<Started>,
}

impl JdbcSinkTask {
    pub(super) fn new(flavor: Flavor) -> Self {
        Self { flavor, started: None }
    }
}

struct Started {
    context: SinkTaskContext,
    config: SinkConfig,
    dialect: Arc<dyn Dialect>,
    planner: Planner,
    tables: Tables,
    /// `exactly.once.enabled`
    positions: Option<Positions>,
    /// Out of its place while a put uses it: a put that is cancelled drops it, and with it the open transaction.
    connection: Option<(Connection, Instant)>,
    budget: Budget,
}

#[async_trait]
impl SinkTask for JdbcSinkTask {
    async fn start(&mut self, context: SinkTaskContext, config: &ConfigMap) -> Result<(), ConnectError> {
        let config = SinkConfig::read(self.flavor, config).map_err(|faults| {
            let messages: Vec<String> = faults.into_iter().map(|(_, message)| message).collect();
            ConnectError::config(messages.join("; "))
        })?;
        let url = &config.connection.url;
        if !url.ignored().is_empty() {
            tracing::info!(
                connector = context.connector,
                task = context.task,
                parameters = url.ignored().join(", "),
                "driver parameters without effect here are ignored"
            );
        }
        let dialect = driver::sink_dialect(url, config.quoting, config.strings);
        let positions = config
            .exactly_once
            .clone()
            .map(|table| Positions::new(PositionTable::new(url, table, &context.connector)));
        self.started = Some(Started {
            context,
            config,
            dialect,
            planner: Planner::default(),
            tables: Tables::default(),
            positions,
            connection: None,
            budget: Budget::default(),
        });
        Ok(())
    }

    async fn open(
        &mut self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<(TopicPartition, i64)>, ConnectError> {
        match &mut self.started {
            Some(started) => Ok(started.open(partitions).await),
            None => Err(ConnectError::failed("the task was not started")),
        }
    }

    fn batch_size(&self) -> usize {
        self.started.as_ref().map_or(0, |started| started.config.batch_size)
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<Vec<Rejected>, PutError> {
        let started =
            self.started.as_mut().ok_or_else(|| ConnectError::failed("the task was not started"))?;
        started.put(records).await
    }

    async fn stop(&mut self) {
        if let Some((connection, _)) = self.started.take().and_then(|started| started.connection) {
            connection.close().await;
        }
    }
}

impl Started {
    /// A database that cannot be asked now will be asked by the first put, which has retries.
    async fn open(&mut self, partitions: &[TopicPartition]) -> Vec<(TopicPartition, i64)> {
        if self.positions.is_none() {
            return Vec::new();
        }
        let url = self.config.connection.url.clone();
        match unless_hung(&url, self.ask_positions(partitions)).await {
            Ok(begin) => begin,
            Err(error) => {
                tracing::warn!(
                    connector = self.context.connector,
                    task = self.context.task,
                    %error,
                    "the table of positions cannot be read yet, will ask again with the first records"
                );
                Vec::new()
            }
        }
    }

    async fn ask_positions(
        &mut self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<(TopicPartition, i64)>, DbError> {
        let mut connection = self.connect().await?;
        let Some(positions) = &mut self.positions else { return Ok(Vec::new()) };
        let begin = positions.open(&mut connection, partitions).await?;
        self.connection = Some((connection, Instant::now()));
        Ok(begin)
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<Vec<Rejected>, PutError> {
        let nothing_left = self.positions.as_ref().is_none_or(|positions| !positions.has_rejected());
        if records.is_empty() && nothing_left {
            return Ok(Vec::new());
        }
        let url = self.config.connection.url.clone();
        let mut at_once = AtOnce::new();
        loop {
            let failure = match unless_hung(&url, self.attempt(records)).await {
                Ok(rejected) => {
                    self.budget.refill();
                    return Ok(rejected);
                }
                Err(failure) => failure,
            };
            match failure {
                Failure::Db(failure) => {
                    let pause = (failure.error.kind == ErrorKind::AtOnce).then(|| at_once.pause()).flatten();
                    let Some(pause) = pause else { return Err(self.failed(failure)) };
                    tracing::debug!(
                        connector = self.context.connector,
                        task = self.context.task,
                        error = %failure.error,
                        "the database has taken the transaction back, writing it again"
                    );
                    tokio::time::sleep(pause).await;
                }
                Failure::Record(fault) => return Err(PutError::BadRecord(fault.rejected())),
                Failure::Put(error) => return Err(error),
            }
        }
    }

    async fn attempt(&mut self, records: &[SinkRecord]) -> Result<Vec<Rejected>, Failure> {
        let mut connection = self.connect().await?;
        let attempt = Attempt::new(
            &mut connection,
            Context { config: &self.config, dialect: &*self.dialect, connector: &self.context.connector },
            &mut self.planner,
            &mut self.tables,
            self.positions.as_mut(),
            self.context.tolerates_errors,
        );
        let written = attempt.write(records).await;
        let works = match &written {
            Ok(_) => true,
            Err(Failure::Db(failure)) if failure.error.kind != ErrorKind::AtOnce => {
                connection.roll_back_and_close().await;
                self.tables.forget();
                self.planner.forget_tables();
                return written;
            }
            // Frees locks; that there may be no transaction is no fault of the connection.
            Err(_) => connection.end_transaction().await.is_ok(),
        };
        if works {
            self.connection = Some((connection, Instant::now()));
        }
        written
    }

    async fn connect(&mut self) -> Result<Connection, DbError> {
        if let Some((mut connection, last_used)) = self.connection.take()
            && (last_used.elapsed() < TRUSTED_IDLE || connection.is_alive().await)
        {
            return Ok(connection);
        }
        Connection::open(&self.config.connection.url).await
    }

    /// Counts a failed attempt and says whether there is to be another.
    fn failed(&mut self, failure: WriteError) -> PutError {
        let WriteError { mut error, what, looked_at_now, .. } = failure;
        if self.config.trim_log && matches!(error.kind, ErrorKind::Permanent | ErrorKind::Unknown) {
            error = error.without_words();
        }
        let url = &self.config.connection.url;
        let message = match error.kind {
            ErrorKind::Connect => format!("Could not connect to database. {url}"),
            _ => format!("writing to {url} failed{what}"),
        };
        match self.budget.failed(&self.config, error.kind, looked_at_now) {
            Verdict::Again { backoff, attempt, retries } => {
                tracing::warn!(
                    connector = self.context.connector,
                    task = self.context.task,
                    attempt,
                    retries,
                    %error,
                    "{message}, will try again"
                );
                PutError::Retriable { error: ConnectError::caused(message, error), backoff }
            }
            Verdict::GiveUp { attempts } if attempts > 1 => PutError::Fatal(ConnectError::caused(
                format!("{message} ({attempts} attempts in a row; see max.retries)"),
                error,
            )),
            Verdict::GiveUp { .. } | Verdict::Hopeless => {
                PutError::Fatal(ConnectError::caused(message, error))
            }
        }
    }
}
