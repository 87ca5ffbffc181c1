//! The temporary tables that rows go through.

use crate::dialect::{Dialect, LoadKind, MySql, Staging, TableId};
use crate::driver::DbError;
use crate::driver::bulk::{Bulk, Load};
use crate::driver::mysql::text;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Row, ServerError};
use std::collections::HashMap;

/// More temporary tables are not kept; records of many schemas in turn make them anew.
const MAX_STAGED: usize = 16;

/// The temporary tables of one connection.
#[derive(Default)]
pub(super) struct Stagings {
    refused: bool,
    staged: Vec<Staged>,
    made: u64,
}

/// A temporary table and what it is for.
struct Staged {
    target: TableId,
    upsert: bool,
    must_number: bool,
    staging: Staging,
}

impl Stagings {
    /// An empty temporary table for these rows; none where the server gives none.
    pub(super) async fn get(
        &mut self,
        conn: &mut Conn,
        dialect: &MySql,
        load: &Load<'_>,
        kinds: Vec<LoadKind>,
    ) -> Result<Option<&Staging>, Error> {
        if self.refused {
            return Ok(None);
        }
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
            return Ok(Some(&staged.staging));
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
        Ok(self.staged.last().map(|staged| &staged.staging))
    }

    /// Asks for none any more for as long as the connection lives.
    pub(super) fn give_up(&mut self, refused: &ServerError) -> Result<Bulk, DbError> {
        tracing::warn!(
            code = refused.code,
            error = refused.message,
            "the server refuses a temporary table, so rows that cannot be loaded into their table are written by statements, which \
             takes longer; the user needs the right to CREATE TEMPORARY TABLES"
        );
        self.refused = true;
        Ok(Bulk::NotHere)
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
