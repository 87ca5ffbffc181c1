//! The statements that write records of one shape to their table as it is now.

use super::convert::Times;
use super::plan::Operation;
use super::row::Row;
use super::shape::{MAX_ROWS, Shape, floor_power_of_two};
use crate::dialect::{Cell, Dialect, TableColumn, Target, Wire};
use connect_api::SchemaRef;
use std::sync::{Arc, OnceLock};

/// Row counts are powers of two up to [`MAX_ROWS`].
const TEXTS: usize = MAX_ROWS.trailing_zeros() as usize + 1;

#[derive(Debug)]
pub(super) struct Statements {
    shape: Arc<Shape>,
    columns: Vec<KnownColumn>,
    /// Of the shape's columns in the order of the statement.
    ways: Vec<Way>,
    /// For columns that hold points in time.
    instants: Times,
    /// How many of the columns are the key.
    keys: usize,
    /// The most rows of one statement, a power of two.
    pub(super) max_rows: usize,
    /// How each column's values travel, where the driver has to be told.
    pub(super) wires: Vec<Option<Wire>>,
    texts: [OnceLock<Arc<str>>; TEXTS],
}

#[derive(Debug)]
struct KnownColumn {
    schema: SchemaRef,
    /// As the table spells it.
    name: String,
    column: Option<TableColumn>,
}

/// How a column of the shape gets its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    AsShown,
    /// It holds a point in time, whatever the zone of the other columns.
    AsInstant,
    /// The database computes it.
    NotWritten,
}

impl Statements {
    pub(super) fn new(dialect: &dyn Dialect, shape: Arc<Shape>, table: &[TableColumn]) -> Self {
        let mut ways = Vec::new();
        let mut columns = Vec::new();
        let mut keys = 0;
        for column in shape.in_statement() {
            let name = &column.column.name;
            let found = find(dialect, table, name);
            let way = match found {
                Some(found) if found.generated => Way::NotWritten,
                Some(found) if found.holds_instants() => Way::AsInstant,
                _ => Way::AsShown,
            };
            ways.push(way);
            if way != Way::NotWritten {
                keys += usize::from(column.column.key);
                columns.push(KnownColumn {
                    schema: column.column.schema.clone(),
                    name: found.map_or_else(|| name.to_string(), |found| found.name.clone()),
                    column: found.cloned(),
                });
            }
        }
        let wires = columns.iter().map(|column| Wire::of(&column.schema)).collect();
        let max_rows = shape.max_rows;
        let instants = shape.times.for_instants();
        let mut statements =
            Self { shape, columns, ways, instants, keys, max_rows, wires, texts: Default::default() };
        let targets = statements.targets();
        let most = match statements.shape.operation {
            Operation::Insert | Operation::Upsert => max_rows,
            Operation::Update => dialect.max_update_rows(&targets, keys),
            Operation::Delete => dialect.max_delete_rows(&targets),
        };
        statements.max_rows = floor_power_of_two(most.min(max_rows));
        statements
    }

    /// The columns of the statement, for those who write it in another way.
    pub(super) fn targets(&self) -> Vec<Target<'_>> {
        self.columns
            .iter()
            .map(|column| Target {
                name: &column.name,
                schema: &column.schema,
                column: column.column.as_ref(),
            })
            .collect()
    }

    /// How many of the columns are the key. They are the first, but in an update the last.
    pub(super) fn keys(&self) -> usize {
        self.keys
    }

    /// How many values a row has.
    pub(super) fn width(&self) -> usize {
        self.columns.len()
    }

    /// The values of a row in the order of the statement, without those that the database computes.
    pub(super) fn cells<'a>(&'a self, row: &'a Row<'_>) -> impl Iterator<Item = Cell<'a>> + Send {
        self.shape.in_statement().zip(&self.ways).filter_map(|(column, way)| match way {
            Way::AsShown => Some(column.cell(&self.shape.times, row)),
            Way::AsInstant => Some(column.cell(&self.instants, row)),
            Way::NotWritten => None,
        })
    }

    pub(super) fn are_for(&self, shape: &Arc<Shape>) -> bool {
        Arc::ptr_eq(&self.shape, shape)
    }

    /// The statement that writes `rows` (a power of two) rows; its text is made once.
    pub(super) fn text(&self, dialect: &dyn Dialect, rows: usize) -> Arc<str> {
        debug_assert!(rows.is_power_of_two());
        let text = self.texts[rows.trailing_zeros() as usize].get_or_init(|| {
            let shape = &*self.shape;
            let targets = self.targets();
            match shape.operation {
                Operation::Insert => dialect.insert(&shape.table, &targets, rows),
                Operation::Upsert => dialect.upsert(&shape.table, &targets, self.keys, rows),
                Operation::Update => dialect.update(&shape.table, &targets, self.keys, rows),
                Operation::Delete => dialect.delete(&shape.table, &targets, rows),
            }
            .into()
        });
        text.clone()
    }
}

/// The table's column for a field: by its name, else by its name without regard to case, as most databases compare.
pub(super) fn find<'a>(
    dialect: &dyn Dialect,
    table: &'a [TableColumn],
    field: &str,
) -> Option<&'a TableColumn> {
    let name = dialect.stored_name(field);
    let lower = name.to_lowercase();
    table
        .iter()
        .find(|column| column.name == name)
        .or_else(|| table.iter().find(|column| column.name.to_lowercase() == lower))
}
