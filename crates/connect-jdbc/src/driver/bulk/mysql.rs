//! MariaDB: a LOCAL load into a temporary table, and from there by INSERT .. SELECT. LOCAL turns values that do not fit into
//! warnings, so it never goes to the table itself; what the INSERT meets is an error as ever.

use super::infile::Infile;
use super::{Bulk, BulkRows, Load};
use crate::dialect::{Cell, Dialect, LoadKind, MySql, Staging, TableId, Target, write_load_field};
use crate::driver::DbError;
use crate::driver::error::mysql::db_error;
use crate::driver::mysql::{MySqlConnection, no_answer, text};
use bytes::Bytes;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Row};
use std::collections::HashMap;

/// About how much text is sent at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// More temporary tables are not kept; records of many schemas in turn make them anew.
const MAX_STAGED: usize = 16;

/// The bulk path of one connection.
pub(in crate::driver) struct MySqlBulk {
    allowed: bool,
    infile: Infile,
    staged: Vec<Staged>,
    made: u64,
    loads: u64,
}

/// A temporary table and what it is for.
struct Staged {
    target: TableId,
    upsert: bool,
    must_number: bool,
    staging: Staging,
}

impl MySqlBulk {
    pub(in crate::driver) fn new(allowed: bool, infile: Infile) -> Self {
        Self { allowed, infile, staged: Vec::new(), made: 0, loads: 0 }
    }
}

impl MySqlConnection {
    pub(super) async fn load(
        &mut self,
        dialect: &dyn Dialect,
        load: &Load<'_>,
        rows: &dyn BulkRows,
    ) -> Result<Bulk, DbError> {
        match self.limit {
            None => self.load_now(dialect, load, rows).await,
            Some(limit) => {
                let loaded = tokio::time::timeout(limit, self.load_now(dialect, load, rows)).await;
                loaded.unwrap_or_else(|_| Err(no_answer(limit)))
            }
        }
    }

    async fn load_now(
        &mut self,
        dialect: &dyn Dialect,
        load: &Load<'_>,
        rows: &dyn BulkRows,
    ) -> Result<Bulk, DbError> {
        let bulk = &mut self.bulk;
        if !bulk.allowed {
            return Ok(Bulk::NotHere);
        }
        let Some(kinds) = kinds(load.columns, rows) else { return Ok(Bulk::NotHere) };
        let dialect = MySql::new(dialect.quoting());
        let staged = match bulk.stage(&mut self.conn, &dialect, load, kinds).await {
            Ok(staged) => staged,
            Err(error) => return bulk.give_up(error),
        };
        let staging = &bulk.staged[staged].staging;
        bulk.loads += 1;
        let name = format!("connect-rows-{}", bulk.loads);
        let sql = staging.load(&dialect, &name);
        let numbered = staging.numbered;
        let sender = bulk.infile.offer(&name);
        let conn = &mut self.conn;
        let sent = send(conn, &sql, sender, rows, numbered).await;
        bulk.infile.withdraw();
        match sent {
            Ok(Sent::Complete) => {}
            Ok(Sent::Unfit) => return Ok(Bulk::NotHere),
            Err(error) => return bulk.give_up(error),
        }
        if conn.get_warnings() > 0 || conn.affected_rows() != rows.len() as u64 {
            tracing::debug!(table = %load.table, warnings = conn.get_warnings(), "rows do not load as they are");
            return Ok(Bulk::NotHere);
        }
        let names: Vec<&str> = load.columns.iter().map(|column| column.name).collect();
        let sql = bulk.staged[staged].staging.move_on(&dialect, load.table, &names, load.upsert_keys);
        conn.query_drop(sql).await.map_err(db_error)?;
        Ok(Bulk::Done)
    }
}

impl MySqlBulk {
    /// Takes the detour away for as long as the connection lives, if it was the server that refused it.
    fn give_up(&mut self, error: Error) -> Result<Bulk, DbError> {
        let Error::Server(refused) = &error else { return Err(db_error(error)) };
        tracing::warn!(
            code = refused.code,
            error = refused.message,
            "the server refuses a LOCAL load into a temporary table, so rows are written by statements, which takes longer; it \
             needs local_infile=1 and the right to CREATE TEMPORARY TABLES"
        );
        self.allowed = false;
        Ok(Bulk::NotHere)
    }

    /// An empty temporary table for these rows: its index.
    async fn stage(
        &mut self,
        conn: &mut Conn,
        dialect: &MySql,
        load: &Load<'_>,
        kinds: Vec<LoadKind>,
    ) -> Result<usize, Error> {
        let upsert = load.upsert_keys.is_some();
        let known = self.staged.iter().position(|staged| {
            staged.target == *load.table
                && staged.upsert == upsert
                && staged.staging.kinds == kinds
                && (staged.staging.numbered || !(load.in_order || staged.must_number))
        });
        if let Some(index) = known {
            let staged = &self.staged[index];
            conn.query_drop(staged.staging.empty(dialect)).await?;
            return Ok(index);
        }
        let must_number = must_number(conn, dialect, load).await?;
        if self.staged.len() == MAX_STAGED {
            let oldest = self.staged.remove(0);
            conn.query_drop(format!("DROP TEMPORARY TABLE {}", dialect.table(&oldest.staging.table))).await?;
        }
        self.made += 1;
        let table = TableId { name: format!("__connect_bulk_{}", self.made), ..load.table.clone() };
        let staging = Staging { table, kinds, numbered: load.in_order || must_number };
        conn.query_drop(staging.create(dialect)).await?;
        self.staged.push(Staged { target: load.table.clone(), upsert, must_number, staging });
        Ok(self.staged.len() - 1)
    }
}

/// Whether the table itself asks for rows in their order: because it counts them, or because a row may meet another by a key that
/// is not the upsert's.
async fn must_number(conn: &mut Conn, dialect: &MySql, load: &Load<'_>) -> Result<bool, Error> {
    let counters: Vec<Row> = conn.query(dialect.counters(load.table)).await?;
    if !counters.is_empty() {
        return Ok(true);
    }
    let Some(keys) = load.upsert_keys else { return Ok(false) };
    let rows: Vec<Row> = conn.query(dialect.unique_keys(load.table)).await?;
    let mut unique: HashMap<String, (usize, bool)> = HashMap::new();
    for row in &rows {
        let (Ok(key), Ok(column)) = (text(row, "Key_name"), text(row, "Column_name")) else {
            return Ok(true);
        };
        let ours = load.columns[..keys].iter().any(|known| known.name.eq_ignore_ascii_case(&column));
        let (columns, all_ours) = unique.entry(key).or_insert((0, true));
        *columns += 1;
        *all_ours &= ours;
    }
    Ok(unique.is_empty() || !unique.values().all(|(columns, all_ours)| *all_ours && *columns == keys))
}

/// The kind of each column; `None` if a column has values of several, or of one that cannot be loaded.
fn kinds(columns: &[Target<'_>], rows: &dyn BulkRows) -> Option<Vec<LoadKind>> {
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

enum Sent {
    Complete,
    /// A value cannot be written.
    Unfit,
}

/// Runs the load while the rows are written to its stream.
async fn send(
    conn: &mut Conn,
    sql: &str,
    sender: tokio::sync::mpsc::Sender<Bytes>,
    rows: &dyn BulkRows,
    numbered: bool,
) -> Result<Sent, Error> {
    let feed = async move {
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
    };
    let load = conn.query_drop(sql);
    tokio::pin!(feed, load);
    let mut sent = None;
    loop {
        tokio::select! {
            biased;
            loaded = &mut load => return loaded.map(|()| sent.unwrap_or(Sent::Unfit)),
            fed = &mut feed, if sent.is_none() => sent = Some(fed),
        }
    }
}
