//! One table, or the query: what is known of it, and one read of it.

use super::ReadError;
use super::moment::{self, Form};
use super::outbox::Outbox;
use super::prepare::{self, Prepared};
use super::progress::{Passed, Progress};
use super::record::{Row, RowReader};
use super::settings::{Job, Settings};
use crate::driver::{Connection, Parameter, Query, ResultColumn};
use crate::source::config::TimestampInitial;
use crate::source::lookback::{Lookback, Reach, digest};
use crate::source::offsets::Stamp;
use crate::source::query::{self, Bind, Criteria, Placeholders, Statement};
use crate::source::snapshot::parts::{self, Seen};
use connect_api::ConnectError;
use jiff::tz::TimeZone;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// How long rows may wait for others when the database takes its time.
const PATIENCE: Duration = Duration::from_millis(100);

pub(in crate::source) struct Table {
    pub(in crate::source) job: Arc<Job>,
    known: Option<Known>,
    /// Failed reads in a row.
    pub(super) failures: u32,
}

/// What is known after the first look at the table.
struct Known {
    prepared: Prepared,
    statement: Statement,
    progress: Progress<Row>,
    /// Where a table begins that has no offset yet.
    start: (i64, Stamp),
    form: Option<Form>,
    lookback: Option<Lookback>,
    rows: Option<RowReader>,
    /// No read went through yet.
    first: bool,
}

impl Table {
    pub(in crate::source) fn new(job: Arc<Job>) -> Self {
        Self { job, known: None, failures: 0 }
    }

    /// Reads what is new, and hands it over.
    pub(super) async fn read(
        &mut self,
        settings: &Arc<Settings>,
        connection: &mut Connection,
        outbox: &mut Outbox,
    ) -> Result<(), ReadError> {
        let job = &self.job;
        let known = match &mut self.known {
            Some(known) => known,
            unknown => unknown.insert(Known::learn(settings, job, connection).await?),
        };
        let mut read = Ok(());
        if known.first && settings.splits > 1 {
            let seen = Seen { progress: &mut known.progress, lookback: known.lookback.as_mut() };
            read = parts::read(settings, job, &known.prepared, seen, known.start.0, connection, outbox).await;
        }
        if read.is_ok() {
            read = known.read(settings, job, connection, outbox).await;
        }
        if read.is_err() {
            let held = known.progress.interrupted();
            // Without a look-back the row is read again; with one it counts as seen.
            if let Some(held) = held.filter(|_| known.lookback.is_some()) {
                let bytes = held.row.bytes;
                outbox.push(job.record(held), bytes).await?;
            }
        }
        outbox.flush().await?;
        known.first &= read.is_err();
        read
    }
}

impl Known {
    async fn learn(settings: &Settings, job: &Job, connection: &mut Connection) -> Result<Self, ReadError> {
        let prepared = prepare::prepare(settings, job, connection).await?;
        let criteria = &prepared.criteria;
        let statement = |placeholders| {
            query::select(&*settings.dialect, placeholders, job.from(), criteria, &settings.suffix)
        };
        if !settings.masked {
            let (connector, task) = (&settings.connector, settings.task);
            let sql = statement(Placeholders::Question).sql;
            tracing::info!(connector, task, sql, "begin using sql query");
        }
        let mut offset = job.offset.unwrap_or_default();
        let stamp = match settings.timestamp_initial {
            TimestampInitial::At(0) => Stamp::EPOCH,
            TimestampInitial::At(millis) => Stamp::from_millis(millis),
            TimestampInitial::Now if criteria.timestamps().is_empty() || offset.stamp.is_some() => {
                Stamp::EPOCH
            }
            TimestampInitial::Now => now(settings, connection).await?,
        };
        if job.offset.is_none() && !criteria.timestamps().is_empty() && stamp != Stamp::EPOCH {
            // As if it had been stored: rows that share the first timestamp carry it.
            offset.stamp = Some(stamp);
        }
        Ok(Self {
            statement: statement(settings.placeholders()),
            progress: Progress::new(criteria, offset),
            start: (settings.incrementing_initial, stamp),
            form: None,
            lookback: reach(settings, criteria).map(Lookback::new),
            rows: None,
            first: true,
            prepared,
        })
    }

    async fn read(
        &mut self,
        settings: &Settings,
        job: &Job,
        connection: &mut Connection,
        outbox: &mut Outbox,
    ) -> Result<(), ReadError> {
        let query = self.query(settings, job, connection).await?;
        let mut rows = connection.read(&query).await?;
        let reader = match &mut self.rows {
            Some(reader) if reader.fits(rows.columns()) => reader,
            other => other.insert(RowReader::new(settings, job, &self.prepared, rows.columns())?),
        };
        let mut row = Vec::new();
        let with_digest = self.lookback.is_some() && self.prepared.criteria.id().is_none();
        while next_row(rows.next(&mut row), outbox).await? {
            let digest = if with_digest { digest(&row) } else { 0 };
            let (place, mapped) = reader.read(&mut row)?;
            if self.lookback.as_mut().is_some_and(|lookback| !lookback.is_new(place, digest)) {
                continue;
            }
            if let Some(passed) = self.progress.pass(place, mapped) {
                push(job, passed, outbox).await?;
            }
        }
        if let Some(passed) = self.progress.end() {
            push(job, passed, outbox).await?;
        }
        Ok(())
    }

    async fn query(
        &mut self,
        settings: &Settings,
        job: &Job,
        connection: &mut Connection,
    ) -> Result<Query, ReadError> {
        let zone = &settings.mapping.time_zone;
        let timestamps = self.prepared.criteria.timestamps();
        let mut end = Stamp::EPOCH;
        if !timestamps.is_empty() {
            if self.form.is_none() {
                self.form = prepare::timestamp_form(settings, job, timestamps, connection).await?;
            }
            end = now(settings, connection).await?.minus_millis(settings.delay_ms);
        }
        let offset = self.progress.offset();
        let begin = match &mut self.lookback {
            Some(lookback) => lookback.begin(offset),
            None => offset,
        };
        let begin = (begin.id.unwrap_or(self.start.0), begin.stamp.unwrap_or(self.start.1));
        let form = self.form.unwrap_or(Form::Wall);
        let parameters = bind(&self.statement.binds, begin, end, form, zone)?;
        tracing::debug!(
            connector = settings.connector,
            task = settings.task,
            table = %job.name(),
            id = begin.0,
            from_ms = begin.1.millis(),
            to_ms = end.millis(),
            "reading"
        );
        Ok(Query { sql: self.statement.sql.as_str().into(), parameters })
    }
}

fn reach(settings: &Settings, criteria: &Criteria) -> Option<Reach> {
    match criteria {
        Criteria::Bulk => None,
        Criteria::Incrementing(_) => Some(Reach::Rows(settings.lookback_rows)),
        Criteria::Timestamp(_) | Criteria::TimestampIncrementing { .. } => {
            Some(Reach::Millis(settings.lookback_ms))
        }
    }
    .filter(|reach| matches!(reach, Reach::Rows(1..) | Reach::Millis(1..)))
}

fn bind(
    binds: &[Bind],
    (id, begin): (i64, Stamp),
    end: Stamp,
    form: Form,
    zone: &TimeZone,
) -> Result<Vec<Parameter>, ConnectError> {
    let value = |bind: &Bind| match bind {
        Bind::Begin => moment::parameter(begin, form, zone).map_err(ConnectError::failed),
        Bind::End => moment::parameter(end, form, zone).map_err(ConnectError::failed),
        Bind::Id | Bind::LastId => Ok(Parameter::Integer(id)),
    };
    binds.iter().map(value).collect()
}

async fn push(job: &Job, passed: Passed<Row>, outbox: &mut Outbox) -> Result<(), ReadError> {
    let bytes = passed.row.bytes;
    Ok(outbox.push(job.record(passed), bytes).await?)
}

/// The database's time.
async fn now(settings: &Settings, connection: &mut Connection) -> Result<Stamp, ReadError> {
    let zone = match settings.url {
        crate::url::JdbcUrl::Sqlite(_) => &TimeZone::UTC,
        _ => &settings.mapping.time_zone,
    };
    let mut rows = connection.read(&prepare::plain(query::current_time(&settings.url).into())).await?;
    let mut row = Vec::new();
    let found = rows.next(&mut row).await?;
    let described = rows.columns().first().map(|column: &ResultColumn| column.kind.clone());
    let stamp = match (row.first(), described) {
        (Some(value), Some(kind)) if found => moment::stamp(value, &kind, zone).ok().flatten(),
        _ => None,
    };
    // Read to its end, so that the connection is free for the next statement.
    rows.next(&mut row).await?;
    Ok(stamp.ok_or_else(|| ConnectError::failed("the database does not tell its time"))?)
}

/// Waits for a row, and meanwhile lets go of those that wait.
pub(in crate::source) async fn next_row<T, E>(
    next: impl Future<Output = Result<T, E>>,
    outbox: &mut Outbox,
) -> Result<T, ReadError>
where
    ReadError: From<E>,
{
    let mut next = pin!(next);
    // Most rows are there already: no clock for those.
    if let Poll::Ready(row) = poll_once(&mut next).await {
        return Ok(row?);
    }
    if !outbox.is_empty() {
        match tokio::time::timeout(PATIENCE, &mut next).await {
            Ok(row) => return Ok(row?),
            Err(_) => outbox.flush().await?,
        }
    }
    Ok(next.await?)
}

/// Asks a future once.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::future::poll_fn(|context| Poll::Ready(std::pin::Pin::new(&mut *future).poll(context))).await
}
