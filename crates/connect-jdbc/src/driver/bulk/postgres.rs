//! PostgreSQL: one parameter per column, an array of the rows' values, and `INSERT .. SELECT .. FROM unnest(..)`. One statement for
//! any number of rows, with the values in the same types as in the multi-row statement; it needs no right and no table that
//! a pooler would have to keep, as a COPY into a temporary table does, and takes the server no longer.

use super::{Bulk, BulkRows, Load};
use crate::dialect::{Cell, Dialect, Element, Postgres, Wire};
use crate::driver::postgres::PostgresSession;
use crate::driver::postgres::encode;
use crate::driver::{DbError, ErrorKind};

/// The values of a column, in the binary form of an array.
pub(in crate::driver) struct ColumnArray {
    pub(in crate::driver) element: Element,
    pub(in crate::driver) rows: i32,
    pub(in crate::driver) nulls: bool,
    /// Each with its length.
    pub(in crate::driver) values: Vec<u8>,
}

impl PostgresSession {
    pub(super) async fn load(
        &mut self,
        dialect: &dyn Dialect,
        load: &Load<'_>,
        rows: &dyn BulkRows,
    ) -> Result<Bulk, DbError> {
        // An array of arrays is one array of two dimensions, which unnest would take apart to the last.
        let elements: Option<Vec<Element>> = load
            .wires
            .iter()
            .map(|wire| wire.filter(|wire| !wire.array).map(|Wire { element, .. }| element))
            .collect();
        let (Some(elements), Ok(count)) = (elements, i32::try_from(rows.len())) else {
            return Ok(Bulk::NotHere);
        };
        let mut arrays: Vec<ColumnArray> = elements
            .into_iter()
            .map(|element| ColumnArray { element, rows: count, nulls: false, values: Vec::new() })
            .collect();
        let mut fault = None;
        for row in 0..rows.len() {
            let mut columns = arrays.iter_mut();
            rows.cells(row, &mut |cell| {
                if let Some(column) = columns.next()
                    && let Err(what) = column.push(cell)
                {
                    fault = Some(what);
                }
            });
        }
        if let Some(fault) = fault {
            return Err(DbError::new(ErrorKind::Unknown, fault));
        }
        let sql =
            Postgres { quoting: dialect.quoting() }.insert_arrays(load.table, load.columns, load.upsert_keys);
        self.execute_arrays(sql.into(), arrays).await?;
        Ok(Bulk::Done)
    }
}

impl ColumnArray {
    fn push(&mut self, cell: Cell<'_>) -> Result<(), String> {
        self.nulls |= cell.is_null();
        encode::write_element(Wire { element: self.element, array: false }, cell, &mut self.values)
    }
}
