//! The reader of a task: it owns the connection and reads the tables in turn, in a task of its own, while the records that it has
//! handed over are converted and sent.

mod key;
pub(super) mod line;
pub(super) mod moment;
pub(super) mod outbox;
pub(super) mod prepare;
pub(super) mod progress;
pub(super) mod record;
mod schedule;
pub(super) mod settings;
pub(super) mod table;

use crate::driver::{DbError, ErrorKind};
use connect_api::ConnectError;
use line::Line;
use outbox::{Closed, Message, Outbox};
use schedule::Schedule;
use settings::Settings;
use std::sync::Arc;
use std::time::Duration;
use table::Table;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Before the same is tried again that another transaction was in the way of.
const SOON: Duration = Duration::from_millis(100);

/// Why a read has ended early.
#[derive(Debug)]
pub(super) enum ReadError {
    Db(DbError),
    /// Nothing that trying again helps against.
    Fatal(ConnectError),
    /// The task is gone.
    Closed,
}

impl From<DbError> for ReadError {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl From<ConnectError> for ReadError {
    fn from(error: ConnectError) -> Self {
        Self::Fatal(error)
    }
}

impl From<Closed> for ReadError {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

pub(super) struct Reader {
    settings: Arc<Settings>,
    tables: Vec<Table>,
    schedule: Schedule,
    line: Option<Line>,
    outbox: Outbox,
    /// Told when a read that failed is to be tried again.
    go_on: Arc<Notify>,
    /// Failed attempts to connect, in a row.
    connect_failures: u32,
    /// The task was told of trouble and not yet that it is over.
    troubled: bool,
}

impl Reader {
    pub(super) fn new(
        settings: Arc<Settings>,
        tables: Vec<Table>,
        outbox: Outbox,
        go_on: Arc<Notify>,
    ) -> Self {
        let schedule = Schedule::new(tables.len(), settings.poll_interval);
        Self { settings, tables, schedule, line: None, outbox, go_on, connect_failures: 0, troubled: false }
    }

    /// Reads until the task is gone or nothing helps. Everything that waits here may be dropped.
    pub(super) async fn run(mut self) {
        let fatal = loop {
            match self.turn().await {
                Ok(()) => {}
                Err(ReadError::Closed) => return,
                Err(ReadError::Fatal(error)) => break error,
                // A turn deals with these itself.
                Err(ReadError::Db(error)) => break ConnectError::caused("reading has failed", error),
            }
        };
        self.line = None;
        // Whoever is gone need not be told.
        let _ = self.outbox.send(Message::Failed(fatal)).await;
    }

    async fn turn(&mut self) -> Result<(), ReadError> {
        let Some((index, due)) = self.schedule.next() else {
            return Err(ConnectError::failed("there is nothing to read").into());
        };
        if let Some(due) = due {
            tokio::time::sleep_until(due).await;
        }
        match self.read(index).await {
            Ok(()) => {
                self.schedule.was_read(index, Instant::now());
                if std::mem::take(&mut self.troubled) {
                    tracing::info!(
                        connector = self.settings.connector,
                        task = self.settings.task,
                        "reading again"
                    );
                    self.outbox.send(Message::Recovered).await?;
                }
                Ok(())
            }
            Err(ReadError::Db(error)) => {
                self.line = None;
                let (error, backoff) = self.failed(index, error)?;
                self.troubled = true;
                self.outbox.send(Message::Trouble { error, backoff }).await?;
                self.go_on.notified().await;
                Ok(())
            }
            Err(other) => Err(other),
        }
    }

    async fn read(&mut self, index: usize) -> Result<(), ReadError> {
        let mut line = match self.line.take() {
            Some(mut line) => {
                if line.is_alive().await {
                    Some(line)
                } else {
                    None
                }
            }
            None => None,
        };
        let line = match line.take() {
            Some(line) => self.line.insert(line),
            None => self.line.insert(Line::open(&self.settings).await?),
        };
        self.connect_failures = 0;
        let Some(table) = self.tables.get_mut(index) else { return Ok(()) };
        table.read(&self.settings, line.get(), &mut self.outbox).await?;
        table.failures = 0;
        line.was_used();
        Ok(())
    }

    /// Counts a failure and says what to do: wait, or end with an error.
    fn failed(&mut self, index: usize, error: DbError) -> Result<(ConnectError, Duration), ConnectError> {
        let settings = &*self.settings;
        let table = self.tables.get_mut(index);
        let name = table.as_ref().map_or_else(String::new, |table| table.job.name());
        let (message, failures, attempts, backoff) = match error.kind {
            ErrorKind::Connect => {
                self.connect_failures = self.connect_failures.saturating_add(1);
                let message = format!("Could not connect to database. {}", settings.url);
                (message, self.connect_failures, settings.connect_attempts, settings.connect_backoff)
            }
            kind => {
                let failures = table.map_or(1, |table| {
                    table.failures = table.failures.saturating_add(1);
                    table.failures
                });
                let message = format!("reading {name} from {} failed", settings.url);
                let (attempts, backoff) = match kind {
                    ErrorKind::AtOnce => (settings.query_attempts, SOON),
                    ErrorKind::Transient | ErrorKind::Unknown => {
                        let backoff = settings.poll_interval.clamp(SOON, settings.connect_backoff.max(SOON));
                        (settings.query_attempts, backoff)
                    }
                    _ => (Some(1), Duration::ZERO),
                };
                (message, failures, attempts, backoff)
            }
        };
        let error = if settings.masked { hide(error) } else { error };
        match attempts {
            Some(1) => Err(ConnectError::caused(message, error)),
            Some(attempts) if failures >= attempts => {
                let message = format!("{message} ({failures} attempts in a row; see query.retry.attempts)");
                Err(ConnectError::caused(message, error))
            }
            _ => Ok((ConnectError::caused(message, error), backoff)),
        }
    }
}

/// What a database says of a statement quotes it.
fn hide(mut error: DbError) -> DbError {
    error.message = "what the database says is not shown, since it may quote query.masked".into();
    error.column = None;
    error
}
