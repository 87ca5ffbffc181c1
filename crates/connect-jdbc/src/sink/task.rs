//! The task: one put is one transaction.

use super::config::SinkConfig;
use super::plan::{Context, Group, Planner, split};
use super::row::Row;
use super::shape::Shape;
use super::statements::Statements;
use super::table::{TableError, Tables};
use crate::dialect::{Dialect, TableId};
use crate::driver::{self, Connection, DbError, ErrorKind};
use async_trait::async_trait;
use connect_api::{ConfigMap, ConnectError, PutError, Rejected, SinkRecord, SinkTask, SinkTaskContext};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A connection that rested longer may have been closed by the other side, so it is tried before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct JdbcSinkTask {
    started: Option<Started>,
}

struct Started {
    context: SinkTaskContext,
    config: SinkConfig,
    dialect: Arc<dyn Dialect>,
    planner: Planner,
    tables: Tables,
    /// Out of its place while a put uses it: a put that is cancelled drops it, and with it the open transaction.
    connection: Option<(Connection, Instant)>,
    /// Failed attempts since the last good put.
    failures: u32,
}

/// A failed attempt to write.
struct WriteError {
    error: DbError,
    /// Table and records of the statement, if there was one.
    what: String,
    shape: Option<Arc<Shape>>,
}

impl WriteError {
    fn new(error: DbError, what: impl Into<String>) -> Self {
        Self { error, what: what.into(), shape: None }
    }
}

#[async_trait]
impl SinkTask for JdbcSinkTask {
    async fn start(&mut self, context: SinkTaskContext, config: &ConfigMap) -> Result<(), ConnectError> {
        let config = SinkConfig::read(config).map_err(|faults| {
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
        let dialect = driver::dialect(url, config.quoting, config.strings);
        self.started = Some(Started {
            context,
            config,
            dialect,
            planner: Planner::default(),
            tables: Tables::default(),
            connection: None,
            failures: 0,
        });
        Ok(())
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<Vec<Rejected>, PutError> {
        let started =
            self.started.as_mut().ok_or_else(|| ConnectError::failed("the task was not started"))?;
        started.put(records).await.map(|()| Vec::new())
    }

    async fn stop(&mut self) {
        if let Some((connection, _)) = self.started.take().and_then(|started| started.connection) {
            connection.close().await;
        }
    }
}

impl Started {
    async fn put(&mut self, records: &[SinkRecord]) -> Result<(), PutError> {
        if records.is_empty() {
            return Ok(());
        }
        let context =
            Context { config: &self.config, dialect: &*self.dialect, connector: &self.context.connector };
        let plan = self.planner.plan(&context, records.iter().enumerate());
        if let Some((_, error)) = plan.rejected.into_iter().next() {
            return Err(error.into());
        }
        let groups = plan.groups;
        let mut connection = match self.connect().await {
            Ok(connection) => connection,
            Err(error) => return Err(self.failed(WriteError::new(error, ""), true)),
        };
        // An error against a table that was looked at just now will not go away by looking again.
        let looked_at_now = groups.iter().all(|group| !self.tables.is_ready(&group.shape));
        let written = match self.prepare(&mut connection, &groups).await {
            Ok(statements) => match check_row_sizes(&connection, &groups) {
                Ok(()) => write_all(&mut connection, &*self.dialect, &groups, &statements).await,
                Err(error) => Err(error),
            },
            Err(TableError::Unfit(message)) => {
                connection.close().await;
                self.tables.forget();
                return Err(ConnectError::failed(message).into());
            }
            Err(TableError::Db(table, error)) => Err(WriteError::new(error, of_table(&table))),
        };
        match written {
            Ok(()) => {
                self.connection = Some((connection, Instant::now()));
                self.failures = 0;
                Ok(())
            }
            Err(error) => {
                connection.roll_back_and_close().await;
                self.tables.forget();
                Err(self.failed(error, looked_at_now))
            }
        }
    }

    async fn connect(&mut self) -> Result<Connection, DbError> {
        if let Some((mut connection, last_used)) = self.connection.take()
            && (last_used.elapsed() < TRUSTED_IDLE || connection.is_alive().await)
        {
            return Ok(connection);
        }
        Connection::open(&self.config.connection.url).await
    }

    /// All DDL comes before the transaction, which it would commit half-way.
    async fn prepare(
        &mut self,
        connection: &mut Connection,
        groups: &[Group<'_>],
    ) -> Result<Vec<Arc<Statements>>, TableError> {
        let mut statements = Vec::with_capacity(groups.len());
        for group in groups {
            let prepared = self.tables.prepare(connection, &*self.dialect, &self.config, group).await?;
            statements.push(prepared);
        }
        Ok(statements)
    }

    /// Counts a failed attempt and says whether there is to be another.
    fn failed(&mut self, failure: WriteError, looked_at_now: bool) -> PutError {
        let WriteError { error, what, .. } = failure;
        self.failures = self.failures.saturating_add(1);
        let connection = &self.config.connection;
        let (retries, backoff) = match error.kind {
            ErrorKind::Connect => (
                self.config.max_retries.max(connection.attempts.saturating_sub(1)),
                connection.backoff.unwrap_or(self.config.retry_backoff),
            ),
            ErrorKind::Structure if looked_at_now => (0, Duration::ZERO),
            ErrorKind::Transient | ErrorKind::Structure => {
                (self.config.max_retries, self.config.retry_backoff)
            }
            ErrorKind::AtOnce | ErrorKind::Unknown => (self.config.max_retries, self.config.retry_backoff),
            ErrorKind::SameKey | ErrorKind::BadRow | ErrorKind::Permanent => (0, Duration::ZERO),
        };
        let message = match error.kind {
            ErrorKind::Connect => format!("Could not connect to database. {}", connection.url),
            _ => format!("writing to {} failed{what}", connection.url),
        };
        if self.failures <= retries {
            tracing::warn!(
                connector = self.context.connector,
                task = self.context.task,
                attempt = self.failures,
                retries,
                %error,
                "{}, will try again", message
            );
            return PutError::Retriable { error: ConnectError::caused(message, error), backoff };
        }
        let message = match retries {
            0 => message,
            _ => format!("{message} ({} attempts in a row; see max.retries)", self.failures),
        };
        PutError::Fatal(ConnectError::caused(message, error))
    }
}

/// The transaction; once more with single rows for each table where the database found two rows of a statement to have the
/// same key. One after the other they are what they are on any database: the later wins.
async fn write_all(
    connection: &mut Connection,
    dialect: &dyn Dialect,
    groups: &[Group<'_>],
    statements: &[Arc<Statements>],
) -> Result<(), WriteError> {
    loop {
        let error = match write(connection, dialect, groups, statements).await {
            Err(error) if error.error.kind == ErrorKind::SameKey => error,
            done => return done,
        };
        let Some(shape) = &error.shape else { return Err(error) };
        if shape.one_by_one.swap(true, Ordering::Relaxed) {
            return Err(error);
        }
        tracing::info!(table = %shape.table, "keys that differ are the same to the database, rows are written one by one");
        connection.roll_back().await.map_err(|error| WriteError::new(error, ""))?;
    }
}

async fn write(
    connection: &mut Connection,
    dialect: &dyn Dialect,
    groups: &[Group<'_>],
    statements: &[Arc<Statements>],
) -> Result<(), WriteError> {
    let nowhere = |error| WriteError::new(error, "");
    connection.begin().await.map_err(nowhere)?;
    let max_bytes = connection.max_statement_bytes();
    for (group, statements) in groups.iter().zip(statements) {
        let shape = &*group.shape;
        let max_rows = if shape.one_by_one.load(Ordering::Relaxed) { 1 } else { statements.max_rows };
        for range in split(&group.bytes, max_rows, max_bytes) {
            let rows = &group.rows[range];
            let sql = statements.text(dialect, rows.len());
            let cells = rows.iter().flat_map(|row| statements.cells(row));
            let count = rows.len() * statements.width();
            connection.execute(&sql, &statements.wires, count, cells).await.map_err(|error| WriteError {
                error,
                what: format!("{} ({})", of_table(&shape.table), offsets(rows)),
                shape: Some(group.shape.clone()),
            })?;
        }
    }
    connection.commit().await.map_err(nowhere)
}

fn check_row_sizes(connection: &Connection, groups: &[Group<'_>]) -> Result<(), WriteError> {
    let limit = connection.max_row_bytes();
    for group in groups {
        if let Some(index) = group.bytes.iter().position(|bytes| *bytes > limit) {
            let message = format!(
                "a row of about {} bytes is larger than the server's max_allowed_packet of {limit}; raise that setting",
                group.bytes[index]
            );
            let what = format!("{} ({})", of_table(&group.shape.table), offsets(&group.rows[index..=index]));
            return Err(WriteError::new(DbError::new(ErrorKind::Permanent, message), what));
        }
    }
    Ok(())
}

fn of_table(table: &TableId) -> String {
    format!(", table {table}")
}

/// `orders-0 offsets 5 to 9, orders-1 offset 3`
fn offsets(rows: &[Row<'_>]) -> String {
    let mut ranges: Vec<(&SinkRecord, i64, i64)> = Vec::new();
    for Row { record, .. } in rows {
        let range = ranges
            .iter_mut()
            .find(|(first, ..)| first.partition == record.partition && first.topic == record.topic);
        match range {
            Some((_, from, to)) => (*from, *to) = ((*from).min(record.offset), (*to).max(record.offset)),
            None => ranges.push((record, record.offset, record.offset)),
        }
    }
    let texts: Vec<String> = ranges
        .iter()
        .map(|(record, from, to)| match from == to {
            true => format!("{}-{} offset {from}", record.topic, record.partition),
            false => format!("{}-{} offsets {from} to {to}", record.topic, record.partition),
        })
        .collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_api::Value;

    fn record(topic: &str, partition: i32, offset: i64) -> SinkRecord {
        SinkRecord {
            topic: topic.into(),
            partition,
            offset,
            timestamp: None,
            key_schema: None,
            key: Value::Null,
            value_schema: None,
            value: Value::Null,
        }
    }

    #[test]
    fn offsets_of_a_statement() {
        let records = [record("a", 0, 5), record("b", 1, 3), record("a", 0, 7)];
        let rows: Vec<Row<'_>> =
            records.iter().enumerate().map(|(index, record)| Row::new(index, record)).collect();
        assert_eq!(offsets(&rows), "a-0 offsets 5 to 7, b-1 offset 3");
    }
}
