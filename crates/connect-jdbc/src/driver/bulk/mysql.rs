//! MariaDB: a LOCAL load, straight into the table or by way of a temporary one. LOCAL turns what does not fit into warnings, so a
//! load into the table counts only if it gave none and wrote every row; the caller takes the transaction back otherwise. From a
//! temporary table rows go on by INSERT .. SELECT, and what that meets is an error as ever.

mod staging;
mod stream;

use super::infile::Infile;
use super::{Bulk, BulkRows, Load};
use crate::dialect::{Dialect, LoadKind, MySql, TableId, straight_load, takes_straight};
use crate::driver::error::mysql::db_error;
use crate::driver::mysql::{MySqlConnection, no_answer};
use crate::driver::{DbError, ErrorKind};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, ServerError};
use staging::Stagings;
use stream::{Sent, kinds, send};

/// Facts of more tables are not kept.
const MAX_TABLES: usize = 64;

/// The bulk path of one connection.
pub(in crate::driver) struct MySqlBulk {
    /// Whether the server takes LOCAL loads from us.
    allowed: bool,
    infile: Infile,
    loads: u64,
    /// Whether a load into the table can be undone, and does what an INSERT does.
    straight: Vec<(TableId, bool)>,
    stagings: Stagings,
}

impl MySqlBulk {
    pub(in crate::driver) fn new(allowed: bool, infile: Infile) -> Self {
        Self { allowed, infile, loads: 0, straight: Vec::new(), stagings: Stagings::default() }
    }
}

impl MySqlConnection {
    pub(super) async fn load(
        &mut self,
        dialect: &dyn Dialect,
        load: &Load<'_>,
        rows: &dyn BulkRows,
    ) -> Result<Bulk, DbError> {
        if !self.bulk.allowed {
            return Ok(Bulk::NotHere);
        }
        let Some(kinds) = kinds(load.columns, rows) else { return Ok(Bulk::NotHere) };
        let dialect = MySql::new(dialect.quoting());
        let work = async {
            let (bulk, conn) = (&mut self.bulk, &mut self.conn);
            let fits = load.straight
                && load.columns.iter().zip(&kinds).all(|(column, kind)| takes_straight(column, *kind));
            if fits && bulk.may_go_straight(conn, &dialect, load.table).await? {
                return bulk.straight(conn, &dialect, load, &kinds, rows).await;
            }
            bulk.by_staging(conn, &dialect, load, kinds, rows).await
        };
        match self.limit {
            None => work.await,
            Some(limit) => tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(no_answer(limit))),
        }
    }
}

impl MySqlBulk {
    /// A transaction can be taken back on InnoDB only, and triggers may write to tables of other engines. Galera may commit in the
    /// middle of a load.
    async fn may_go_straight(
        &mut self,
        conn: &mut Conn,
        dialect: &MySql,
        table: &TableId,
    ) -> Result<bool, DbError> {
        if let Some((_, known)) = self.straight.iter().find(|(known, _)| known == table) {
            return Ok(*known);
        }
        let found: Option<u8> = conn.query_first(dialect.undoes_loads(table)).await.map_err(db_error)?;
        if self.straight.len() == MAX_TABLES {
            self.straight.remove(0);
        }
        self.straight.push((table.clone(), found.is_some()));
        Ok(found.is_some())
    }

    async fn straight(
        &mut self,
        conn: &mut Conn,
        dialect: &MySql,
        load: &Load<'_>,
        kinds: &[LoadKind],
        rows: &dyn BulkRows,
    ) -> Result<Bulk, DbError> {
        let name = self.next_name();
        let sql = straight_load(dialect, &name, load.table, load.columns, kinds);
        let sent = send(conn, &sql, &self.infile, &name, rows, false).await;
        match sent {
            Ok(Sent::Complete) if wrote_all(conn, rows) => Ok(Bulk::Done),
            Ok(_) => Err(DbError::new(
                ErrorKind::InDoubt,
                format!(
                    "a load of {} rows wrote {}, with {} warnings",
                    rows.len(),
                    conn.affected_rows(),
                    conn.get_warnings()
                ),
            )),
            Err(Error::Server(error)) if refuses_loads(&error) => self.give_up(&error),
            Err(error) => Err(db_error(error)),
        }
    }

    async fn by_staging(
        &mut self,
        conn: &mut Conn,
        dialect: &MySql,
        load: &Load<'_>,
        kinds: Vec<LoadKind>,
        rows: &dyn BulkRows,
    ) -> Result<Bulk, DbError> {
        let name = self.next_name();
        let staging = match self.stagings.get(conn, dialect, load, kinds).await {
            Ok(Some(staging)) => staging,
            Ok(None) => return Ok(Bulk::NotHere),
            Err(Error::Server(error)) => return self.stagings.give_up(&error),
            Err(error) => return Err(db_error(error)),
        };
        let sql = staging.load(dialect, &name);
        match send(conn, &sql, &self.infile, &name, rows, staging.numbered).await {
            Ok(Sent::Complete) => {}
            Ok(Sent::Unfit) => return Ok(Bulk::NotHere),
            Err(Error::Server(error)) => return self.give_up(&error),
            Err(error) => return Err(db_error(error)),
        }
        if !wrote_all(conn, rows) {
            tracing::debug!(table = %load.table, warnings = conn.get_warnings(), "rows do not load as they are");
            return Ok(Bulk::NotHere);
        }
        let names: Vec<&str> = load.columns.iter().map(|column| column.name).collect();
        let sql = staging.move_on(dialect, load.table, &names, load.upsert_keys);
        conn.query_drop(sql).await.map_err(db_error)?;
        Ok(Bulk::Done)
    }

    fn next_name(&mut self) -> String {
        self.loads += 1;
        format!("connect-rows-{}", self.loads)
    }

    /// Loads nothing any more for as long as the connection lives.
    fn give_up(&mut self, refused: &ServerError) -> Result<Bulk, DbError> {
        tracing::warn!(
            code = refused.code,
            error = refused.message,
            "the server refuses a LOCAL load, so rows are written by statements, which takes longer; it needs local_infile=1"
        );
        self.allowed = false;
        Ok(Bulk::NotHere)
    }
}

/// Whether the load was taken as it is.
fn wrote_all(conn: &Conn, rows: &dyn BulkRows) -> bool {
    conn.get_warnings() == 0 && conn.affected_rows() == rows.len() as u64
}

/// Command not allowed with this version or configuration; LOCAL switched off.
fn refuses_loads(error: &ServerError) -> bool {
    matches!(error.code, 1148 | 3948 | 4166)
}
