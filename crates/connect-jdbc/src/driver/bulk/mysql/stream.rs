//! Rows as the text that a LOCAL load reads.

use crate::dialect::{Cell, LoadKind, Target, write_load_field};
use crate::driver::bulk::BulkRows;
use crate::driver::bulk::infile::Infile;
use bytes::Bytes;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error};
use tokio::sync::mpsc::Sender;

/// About how much text is sent at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// The kind of each column; `None` if a column has values of several, or of one that cannot be loaded.
pub(super) fn kinds(columns: &[Target<'_>], rows: &dyn BulkRows) -> Option<Vec<LoadKind>> {
    let mut kinds: Vec<Option<LoadKind>> = vec![None; columns.len()];
    let mut fit = true;
    for row in 0..rows.len() {
        let mut known = kinds.iter_mut();
        rows.cells(row, &mut |cell| {
            let Some(known) = known.next() else { return };
            if cell.is_null() {
                return;
            }
            let kind = LoadKind::of(&cell);
            fit &= kind.is_some() && known.is_none_or(|known| Some(known) == kind);
            *known = kind;
        });
    }
    let suits = |(kind, column): (&Option<LoadKind>, &Target<'_>)| kind.is_none_or(|kind| kind.suits(column));
    fit &= kinds.iter().zip(columns).all(suits);
    fit.then(|| kinds.into_iter().map(|kind| kind.unwrap_or(LoadKind::Text)).collect())
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Sent {
    Complete,
    /// A value cannot be written; the rows before it were sent.
    Unfit,
}

/// Runs the load while the rows are written to its stream, which the server asks for by `name`.
pub(super) async fn send(
    conn: &mut Conn,
    sql: &str,
    infile: &Infile,
    name: &str,
    rows: &dyn BulkRows,
    numbered: bool,
) -> Result<Sent, Error> {
    let feed = feed(infile.offer(name), rows, numbered);
    let sent = {
        let load = conn.query_drop(sql);
        tokio::pin!(feed, load);
        let mut sent = None;
        loop {
            tokio::select! {
                biased;
                loaded = &mut load => break loaded.map(|()| sent.unwrap_or(Sent::Unfit)),
                fed = &mut feed, if sent.is_none() => sent = Some(fed),
            }
        }
    };
    infile.withdraw();
    sent
}

async fn feed(sender: Sender<Bytes>, rows: &dyn BulkRows, numbered: bool) -> Sent {
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    for row in 0..rows.len() {
        if numbered {
            let _always = write_load_field(Cell::Integer(row as i64), &mut chunk);
            chunk.push(b'\t');
        }
        let mut first = true;
        let mut fit = true;
        rows.cells(row, &mut |cell| {
            if !std::mem::take(&mut first) {
                chunk.push(b'\t');
            }
            fit &= write_load_field(cell, &mut chunk).is_ok();
        });
        if !fit {
            return Sent::Unfit;
        }
        chunk.push(b'\n');
        if chunk.len() >= CHUNK_BYTES - 1024 {
            let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK_BYTES));
            if sender.send(full.into()).await.is_err() {
                break;
            }
        }
    }
    // Nobody listens any more if the server has refused the load.
    let _gone_either_way = sender.send(chunk.into()).await;
    Sent::Complete
}
