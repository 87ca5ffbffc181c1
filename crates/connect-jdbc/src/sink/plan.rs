//! From the records of a put to groups of rows, and from a group to statements. No I/O: a record that cannot be written
//! is found before anything is.

use super::config::{InsertMode, PkMode, SinkConfig};
use super::distinct;
use super::row::{self, Row};
use super::shape::{Shape, floor_power_of_two};
use crate::dialect::{Dialect, TableId};
use connect_api::{ConnectError, SchemaRef, SinkRecord};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// What a group's rows do to their table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    Insert,
    Update,
    Upsert,
    Delete,
}

/// What does not change from put to put.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    pub(super) config: &'c SinkConfig,
    pub(super) dialect: &'c dyn Dialect,
    pub(super) connector: &'c str,
}

/// What to write, group after group; and the records that cannot be rows.
#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    pub(super) groups: Vec<Group<'a>>,
    /// In record order, by the index that came with the record.
    pub(super) rejected: Vec<(usize, ConnectError)>,
}

/// Rows of one shape and so of one [`Operation`] on one table.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) shape: Arc<Shape>,
    /// In record order; upserts sorted by key where the order between keys cannot matter.
    pub(super) rows: Vec<Row<'a>>,
    /// About how many bytes each row takes.
    pub(super) bytes: Vec<usize>,
}

impl Group<'_> {
    pub(super) fn operation(&self) -> Operation {
        self.shape.operation
    }
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
    /// tables do not wait for each other's schema changes. Each record comes with its index in the put, so that a part of
    /// a put can be planned again.
    pub(super) fn plan<'a>(
        &mut self,
        context: &Context<'_>,
        records: impl IntoIterator<Item = (usize, &'a SinkRecord)>,
    ) -> Plan<'a> {
        let mut plan = Plan::default();
        // The group that the table's next row may join.
        let mut open: Vec<Option<usize>> = vec![None; self.tables.len()];
        for (index, record) in records {
            if let Err(error) = self.add(context, Row::new(index, record), &mut plan.groups, &mut open) {
                plan.rejected.push((index, error));
            }
        }
        if context.config.insert_mode != InsertMode::Insert && context.dialect.one_row_per_key() {
            plan.groups.iter_mut().for_each(distinct::keep_last);
        }
        plan
    }

    fn add<'a>(
        &mut self,
        context: &Context<'_>,
        row: Row<'a>,
        groups: &mut Vec<Group<'a>>,
        open: &mut Vec<Option<usize>>,
    ) -> Result<(), ConnectError> {
        let Context { config, dialect, connector } = *context;
        let value_schema = row::value_schema(config, connector, row.record)?;
        let table = self.table(config, row.record)?;
        open.resize(self.tables.len(), None);
        let key_schema = key_schema(config, row.record);
        let joined = open[table].filter(|group| groups[*group].shape.fits(key_schema, value_schema));
        let shape = match joined {
            Some(group) => groups[group].shape.clone(),
            None => self.tables[table].shape(config, dialect, row.record)?,
        };
        let bytes = row::check(&shape, dialect, &row)?;
        let group = joined.unwrap_or_else(|| {
            groups.push(Group { shape, rows: Vec::new(), bytes: Vec::new() });
            groups.len() - 1
        });
        open[table] = Some(group);
        groups[group].bytes.push(bytes);
        groups[group].rows.push(row);
        Ok(())
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
