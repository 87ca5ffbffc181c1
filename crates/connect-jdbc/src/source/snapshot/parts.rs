//! The readers of a first read in parts: a connection for each range, and one place where their rows come together.

use super::{Prefix, Range, ranges};
use crate::driver::{Connection, Parameter, Query, SqlValue};
use crate::source::lookback::Lookback;
use crate::source::offsets::Offset;
use crate::source::query::{self, Bind, Criteria, Statement};
use crate::source::reader::ReadError;
use crate::source::reader::line::Line;
use crate::source::reader::outbox::Outbox;
use crate::source::reader::prepare::Prepared;
use crate::source::reader::progress::{Passed, Place, Progress};
use crate::source::reader::record::{Row, RowReader};
use crate::source::reader::settings::{Job, Settings};
use connect_api::ConnectError;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// What a range's reader holds before it hands it on, beside `batch.max.rows`.
const PIECE_BYTES: usize = 512 * 1024;

/// Rows of one range, in order.
struct Piece {
    range: usize,
    rows: Vec<(i64, Row)>,
    /// There are no more.
    last: bool,
}

/// What is remembered of rows that were handed over.
pub(in crate::source) struct Seen<'a> {
    pub(in crate::source) progress: &'a mut Progress<Row>,
    pub(in crate::source) lookback: Option<&'a mut Lookback>,
}

/// Reads what is in the table now, if it is worth it; what comes later is left to the read that follows.
pub(in crate::source) async fn read(
    settings: &Arc<Settings>,
    job: &Arc<Job>,
    prepared: &Prepared,
    seen: Seen<'_>,
    initial: i64,
    connection: &mut Connection,
    outbox: &mut Outbox,
) -> Result<(), ReadError> {
    let Seen { progress, mut lookback } = seen;
    let (Criteria::Incrementing(id), Some(table)) = (&prepared.criteria, job.table()) else { return Ok(()) };
    let after = progress.offset().id.unwrap_or(initial);
    let (dialect, placeholders) = (&*settings.dialect, settings.placeholders());
    let statement = query::select_bounds(dialect, placeholders, table, id);
    let Some((first, last)) = bounds(connection, &statement, after).await? else { return Ok(()) };
    let small = settings.batch_max_rows.saturating_mul(settings.splits);
    if last.abs_diff(first) < u64::try_from(small).unwrap_or(u64::MAX) {
        return Ok(());
    }
    let ranges = ranges(after, first, last, settings.splits);
    let statement = Arc::new(query::select_range(dialect, placeholders, table, id, &settings.suffix));
    tracing::info!(
        connector = settings.connector,
        task = settings.task,
        table = table.full_name(),
        parts = ranges.len(),
        first,
        last,
        "reading in parts"
    );
    let mut prefix = Prefix::new(&ranges);
    let (sender, mut pieces) = mpsc::channel(ranges.len());
    let mut readers = JoinSet::new();
    for (index, range) in ranges.iter().enumerate() {
        let part = Part {
            settings: settings.clone(),
            job: job.clone(),
            prepared: prepared.clone(),
            statement: statement.clone(),
            index,
            range: *range,
            sender: sender.clone(),
        };
        readers.spawn(part.read());
    }
    drop(sender);
    let gathered = gather(&mut pieces, &mut readers, &mut prefix, &mut lookback, job, outbox).await;
    if let Some(reached) = prefix.reached() {
        progress.jump(reached);
    }
    gathered
}

async fn gather(
    pieces: &mut mpsc::Receiver<Piece>,
    readers: &mut JoinSet<Result<(), ReadError>>,
    prefix: &mut Prefix,
    lookback: &mut Option<&mut Lookback>,
    job: &Job,
    outbox: &mut Outbox,
) -> Result<(), ReadError> {
    while !prefix.is_complete() {
        tokio::select! {
            // Of a reader that has failed; one that went well has sent its last piece.
            Some(ended) = readers.join_next() => match ended {
                Ok(ended) => ended?,
                Err(error) => return Err(ConnectError::caused("a part's reader has ended", error).into()),
            },
            Some(piece) = pieces.recv() => hand_over(piece, prefix, lookback, job, outbox).await?,
            else => return Err(ConnectError::failed("the parts' readers ended before their ranges").into()),
        }
    }
    Ok(())
}

async fn hand_over(
    piece: Piece,
    prefix: &mut Prefix,
    lookback: &mut Option<&mut Lookback>,
    job: &Job,
    outbox: &mut Outbox,
) -> Result<(), ReadError> {
    let Piece { range, rows, last } = piece;
    let count = rows.len();
    if last && count == 0 {
        prefix.complete(range, None);
    }
    for (index, (id, row)) in rows.into_iter().enumerate() {
        let stored = match last && index + 1 == count {
            true => prefix.complete(range, Some(id)),
            false => prefix.pass(range, id),
        };
        let offset = stored.map(|id| Offset { id: Some(id), stamp: None });
        if let Some(lookback) = lookback {
            lookback.is_new(Place { stamp: None, id: Some(id) }, 0);
        }
        let bytes = row.bytes;
        outbox.push(job.record(Passed { row, offset }), bytes).await?;
    }
    Ok(())
}

/// The smallest and the largest number after `after`.
async fn bounds(
    connection: &mut Connection,
    statement: &Statement,
    after: i64,
) -> Result<Option<(i64, i64)>, ReadError> {
    let query = Query { sql: statement.sql.as_str().into(), parameters: vec![Parameter::Integer(after)] };
    let mut rows = connection.read(&query).await?;
    let mut row = Vec::new();
    let found = rows.next(&mut row).await?;
    let bounds = match &*row {
        [first, last] if found => number(first).zip(number(last)),
        _ => None,
    };
    rows.next(&mut row).await?;
    Ok(bounds)
}

fn number(value: &SqlValue) -> Option<i64> {
    match value {
        SqlValue::Int(number) => Some(*number),
        SqlValue::UInt(number) => i64::try_from(*number).ok(),
        SqlValue::Decimal(decimal) if decimal.scale == 0 => i64::try_from(&decimal.unscaled).ok(),
        _ => None,
    }
}

/// One range's reader.
struct Part {
    settings: Arc<Settings>,
    job: Arc<Job>,
    prepared: Prepared,
    statement: Arc<Statement>,
    index: usize,
    range: Range,
    sender: mpsc::Sender<Piece>,
}

impl Part {
    async fn read(self) -> Result<(), ReadError> {
        let parameters = self.statement.binds.iter().map(|bind| match bind {
            Bind::LastId => Parameter::Integer(self.range.last),
            Bind::Id | Bind::Begin | Bind::End => Parameter::Integer(self.range.after),
        });
        let query = Query { sql: self.statement.sql.as_str().into(), parameters: parameters.collect() };
        let mut line = Line::open(&self.settings).await?;
        let mut rows = line.get().read(&query).await?;
        let mut reader = RowReader::new(&self.settings, &self.job, &self.prepared, rows.columns())?;
        let (mut row, mut held, mut bytes) = (Vec::new(), Vec::new(), 0);
        while rows.next(&mut row).await? {
            // Sent only when there is another row, so that the last piece is never empty unless the range is.
            if held.len() >= self.settings.batch_max_rows || bytes >= PIECE_BYTES {
                self.send(std::mem::take(&mut held), false).await?;
                bytes = 0;
            }
            let (place, mapped) = reader.read(&mut row)?;
            bytes += mapped.bytes;
            held.push((place.id.unwrap_or(self.range.after), mapped));
        }
        drop(rows);
        line.close().await;
        self.send(held, true).await
    }

    async fn send(&self, rows: Vec<(i64, Row)>, last: bool) -> Result<(), ReadError> {
        let piece = Piece { range: self.index, rows, last };
        self.sender.send(piece).await.map_err(|_| ReadError::Closed)
    }
}
