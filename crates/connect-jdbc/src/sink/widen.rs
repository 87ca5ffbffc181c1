//! `auto.evolve.widen`: columns that get a larger type when records need it.

use super::plan::Group;
use super::statements::find;
use crate::dialect::{Cell, Dialect, Longest, TableColumn, TableDefinition, TableKind};
use connect_api::{Type, Value};

/// The columns that do not hold what the group's records have, with the types that do. Never columns of the primary key,
/// to which other tables may refer; the database itself refuses those of foreign keys.
pub(super) fn needed(
    dialect: &dyn Dialect,
    group: &Group<'_>,
    definition: &TableDefinition,
) -> Vec<(TableColumn, String)> {
    if definition.kind == TableKind::View {
        return Vec::new();
    }
    let widened = group.shape.columns[group.shape.keys..].iter().enumerate().filter_map(|(index, column)| {
        let schema = &column.column.schema;
        let found = find(dialect, &definition.columns, &column.column.name)?;
        if found.key || found.generated {
            return None;
        }
        let longest = match schema.ty {
            Type::String | Type::Bytes => longest(group, group.shape.keys + index),
            _ => Longest::default(),
        };
        Some((found.clone(), dialect.widened(found, schema, longest)?))
    });
    widened.collect()
}

fn longest(group: &Group<'_>, column: usize) -> Longest {
    let mut longest = Longest::default();
    for row in &group.rows {
        let (chars, bytes) = match group.shape.columns[column].cell(&group.shape.times, row) {
            Cell::Text(text) => (text.chars().count(), text.len()),
            Cell::Value(Value::String(text)) => (text.chars().count(), text.len()),
            Cell::Value(Value::Bytes(bytes)) => (0, bytes.len()),
            _ => (0, 0),
        };
        longest.chars = longest.chars.max(chars);
        longest.bytes = longest.bytes.max(bytes);
    }
    longest
}
