//! From the records of a put to groups of rows, and from a group to statements. No I/O: a record that cannot be written
//! is found before anything is.

use super::config::{InsertMode, PkMode, SinkConfig};
use super::shape::{Shape, floor_power_of_two};
use super::{distinct, row};
use crate::dialect::{Dialect, TableId};
use connect_api::{ConnectError, SchemaRef, SinkRecord};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// Rows of one shape, in the order of their records.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) shape: Arc<Shape>,
    pub(super) rows: Vec<&'a SinkRecord>,
    /// About how many bytes each row takes.
    pub(super) bytes: Vec<usize>,
}

/// What was learned about topics and schemas, kept from put to put.
#[derive(Debug, Default)]
pub(super) struct Planner {
    topics: HashMap<Arc<str>, usize>,
    tables: Vec<KnownTable>,
}

#[derive(Debug)]
struct KnownTable {
    id: Arc<TableId>,
    /// Few: a new one only when a schema changes. The latest used stands last.
    shapes: Vec<Arc<Shape>>,
}

/// Beyond this the oldest is forgotten; writers that alternate between more schemas cost time, not memory.
pub(super) const MAX_SHAPES: usize = 32;

impl Planner {
    /// Groups the records by table, and within a table by runs of the same schema: rows of one table keep their order,
    /// tables do not wait for each other's schema changes.
    pub(super) fn plan<'a>(
        &mut self,
        config: &SinkConfig,
        dialect: &dyn Dialect,
        connector: &str,
        records: &'a [SinkRecord],
    ) -> Result<Vec<Group<'a>>, ConnectError> {
        let mut groups: Vec<Group<'a>> = Vec::new();
        // The group that the table's next row may join.
        let mut open: Vec<Option<usize>> = vec![None; self.tables.len()];
        for record in records {
            let value_schema = row::value_schema(config, connector, record)?;
            let table = self.table(config, record)?;
            open.resize(self.tables.len(), None);
            let key_schema = key_schema(config, record);
            let group = match open[table] {
                Some(group) if groups[group].shape.fits(key_schema, value_schema) => group,
                _ => {
                    let shape = self.tables[table].shape(config, dialect, record)?;
                    groups.push(Group { shape, rows: Vec::new(), bytes: Vec::new() });
                    groups.len() - 1
                }
            };
            open[table] = Some(group);
            let group = &mut groups[group];
            group.bytes.push(row::check(&group.shape, dialect, record)?);
            group.rows.push(record);
        }
        if config.insert_mode == InsertMode::Upsert && dialect.one_row_per_key() {
            groups.iter_mut().for_each(distinct::keep_last);
        }
        Ok(groups)
    }

    fn table(&mut self, config: &SinkConfig, record: &SinkRecord) -> Result<usize, ConnectError> {
        if let Some(known) = self.topics.get(&record.topic) {
            return Ok(*known);
        }
        let id = config
            .table_name
            .table(&record.topic)
            .map_err(|what| ConnectError::config(format!("table.name.format does not fit: {what}")))?;
        let index = self.tables.iter().position(|table| *table.id == id).unwrap_or_else(|| {
            self.tables.push(KnownTable { id: Arc::new(id), shapes: Vec::new() });
            self.tables.len() - 1
        });
        self.topics.insert(record.topic.clone(), index);
        Ok(index)
    }
}

impl KnownTable {
    fn shape(
        &mut self,
        config: &SinkConfig,
        dialect: &dyn Dialect,
        record: &SinkRecord,
    ) -> Result<Arc<Shape>, ConnectError> {
        let key_schema = key_schema(config, record);
        let value_schema = record.value_schema.as_ref().expect("checked by row::value_schema");
        if let Some(index) = self.shapes.iter().rposition(|shape| shape.fits(key_schema, value_schema)) {
            let shape = self.shapes.remove(index);
            self.shapes.push(shape.clone());
            return Ok(shape);
        }
        let shape =
            Shape::new(config, dialect, self.id.clone(), key_schema, value_schema).map_err(|what| {
                ConnectError::failed(format!(
                    "the record at {} cannot be written to table {}: {what}",
                    row::place(record),
                    self.id
                ))
            })?;
        if self.shapes.len() == MAX_SHAPES {
            self.shapes.remove(0);
        }
        let shape = Arc::new(shape);
        self.shapes.push(shape.clone());
        Ok(shape)
    }
}

/// The key's schema where it matters: elsewhere records with different keys are alike.
fn key_schema<'a>(config: &SinkConfig, record: &'a SinkRecord) -> Option<&'a SchemaRef> {
    match config.pk_mode {
        PkMode::RecordKey => record.key_schema.as_ref(),
        PkMode::None | PkMode::Kafka | PkMode::RecordValue => None,
    }
}

/// Splits rows of these sizes into statements of at most `max_rows` rows and, unless a row alone is larger, `max_bytes`
/// bytes. Row counts are powers of two, so that there are few statement texts and each stays prepared.
pub(super) fn split(bytes: &[usize], max_rows: usize, max_bytes: usize) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let mut total = 0usize;
        let fitting = bytes[start..]
            .iter()
            .take(max_rows)
            .take_while(|bytes| {
                total = total.saturating_add(**bytes);
                total <= max_bytes
            })
            .count();
        let rows = floor_power_of_two(fitting.max(1));
        ranges.push(start..start + rows);
        start += rows;
    }
    ranges
}

#[cfg(test)]
mod tests;
