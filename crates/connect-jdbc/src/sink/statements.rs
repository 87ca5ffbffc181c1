//! The statements that write records of one shape to their table as it is now.

use super::plan::Operation;
use super::shape::{MAX_ROWS, Shape};
use crate::dialect::{Dialect, TableColumn, Target, Wire};
use connect_api::SchemaRef;
use std::sync::{Arc, OnceLock};

/// Row counts are powers of two up to [`MAX_ROWS`].
const TEXTS: usize = MAX_ROWS.trailing_zeros() as usize + 1;

#[derive(Debug)]
pub(super) struct Statements {
    shape: Arc<Shape>,
    columns: Vec<KnownColumn>,
    /// How each column's values travel, where the driver has to be told.
    pub(super) wires: Vec<Option<Wire>>,
    texts: [OnceLock<Arc<str>>; TEXTS],
}

#[derive(Debug)]
struct KnownColumn {
    schema: SchemaRef,
    /// As the table spells it.
    name: String,
    text_cast: Option<String>,
}

impl Statements {
    pub(super) fn new(dialect: &dyn Dialect, shape: Arc<Shape>, table: &[TableColumn]) -> Self {
        let columns: Vec<KnownColumn> = shape
            .in_statement()
            .map(|column| {
                let name = &column.column.name;
                let found = find(dialect, table, name);
                KnownColumn {
                    schema: column.column.schema.clone(),
                    name: found.map_or_else(|| name.to_string(), |found| found.name.clone()),
                    text_cast: found.and_then(|found| found.text_cast.clone()),
                }
            })
            .collect();
        let wires = columns.iter().map(|column| Wire::of(&column.schema)).collect();
        Self { shape, columns, wires, texts: Default::default() }
    }

    pub(super) fn are_for(&self, shape: &Arc<Shape>) -> bool {
        Arc::ptr_eq(&self.shape, shape)
    }

    /// The statement that writes `rows` (a power of two) rows; its text is made once.
    pub(super) fn text(&self, dialect: &dyn Dialect, rows: usize) -> Arc<str> {
        debug_assert!(rows.is_power_of_two());
        let text = self.texts[rows.trailing_zeros() as usize].get_or_init(|| {
            let shape = &*self.shape;
            let targets: Vec<Target<'_>> = self
                .columns
                .iter()
                .map(|column| Target {
                    name: &column.name,
                    schema: &column.schema,
                    text_cast: column.text_cast.as_deref(),
                })
                .collect();
            match shape.operation {
                Operation::Insert => dialect.insert(&shape.table, &targets, rows),
                Operation::Upsert => dialect.upsert(&shape.table, &targets, shape.keys, rows),
                Operation::Update => dialect.update(&shape.table, &targets, shape.keys),
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
