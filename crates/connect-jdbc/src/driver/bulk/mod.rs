//! Many rows at once, in the way that the database takes them fastest.

pub(super) mod infile;
mod mysql;
mod postgres;

use super::{Connection, DbError};
use crate::dialect::{Cell, Dialect, TableId, Target, Wire};

pub(super) use mysql::MySqlBulk;
pub(super) use postgres::ColumnArray;

/// The rows of one load, by number.
pub(crate) trait BulkRows: Sync {
    fn len(&self) -> usize;

    /// Gives `each` the values of a row in the order of the columns.
    fn cells(&self, row: usize, each: &mut dyn FnMut(Cell<'_>));
}

/// Where rows go, and how.
#[derive(Debug)]
pub(crate) struct Load<'a> {
    pub(crate) table: &'a TableId,
    pub(crate) columns: &'a [Target<'a>],
    /// How the columns' values travel, which only PostgreSQL asks.
    pub(crate) wires: &'a [Option<Wire>],
    /// An upsert by as many of the first columns; otherwise rows are inserted.
    pub(crate) upsert_keys: Option<usize>,
    /// Whether rows must be written in their order: some may be the same row to the database.
    pub(crate) in_order: bool,
    /// Whether a way may be taken that writes something else if not all goes well, which is an error of
    /// [`InDoubt`](super::ErrorKind::InDoubt) then.
    pub(crate) straight: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bulk {
    /// The rows are written.
    Done,
    /// Nothing has been written: this database, or these rows, have to be written by statements with parameters.
    NotHere,
}

impl Connection {
    /// Writes the rows inside of the open transaction. An error is what the rows' own INSERT would have given.
    pub(crate) async fn load(
        &mut self,
        dialect: &dyn Dialect,
        load: &Load<'_>,
        rows: &dyn BulkRows,
    ) -> Result<Bulk, DbError> {
        match self {
            Self::MySql(connection) => connection.load(dialect, load, rows).await,
            Self::Postgres(connection) => connection.load(dialect, load, rows).await,
            Self::Sqlite(_) => Ok(Bulk::NotHere),
        }
    }
}
