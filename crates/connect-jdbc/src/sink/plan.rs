//! From the records of a put to groups of rows, and from a group to statements. No I/O: a record that cannot be written
//! is found before anything is.

use super::config::{PkMode, SinkConfig};
use super::order::Open;
use super::row::{self, Row};
use super::shape::{Shape, floor_power_of_two};
use super::{distinct, plain};
use crate::dialect::{Dialect, TableDefinition, TableId};
use connect_api::{ConnectError, SchemaRef, SinkRecord};
use std::borrow::Cow;
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
    /// For records without a schema.
    plain: plain::Table,
}

/// Beyond this the oldest is forgotten; writers that alternate between more schemas cost time, not memory.
pub(super) const MAX_SHAPES: usize = 32;

/// A record with the schemas that it comes with or was given.
struct Input<'a> {
    row: Row<'a>,
    key_schema: Option<Cow<'a, SchemaRef>>,
    value_schema: Option<Cow<'a, SchemaRef>>,
}

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
        let mut open: Vec<Open> = Vec::new();
        for (index, record) in records {
            if let Err(error) = self.add(context, record, &mut plan.groups, &mut open) {
                plan.rejected.push((index, error));
            }
        }
        for group in &mut plan.groups {
            let one_row_per_key = match group.operation() {
                Operation::Insert => false,
                Operation::Upsert => context.dialect.one_row_per_key(),
                // One statement takes any of two rows with the same key; a second delete finds nothing.
                Operation::Update | Operation::Delete => true,
            };
            if one_row_per_key {
                distinct::keep_last(group);
            }
        }
        plan
    }

    /// The tables that records without a schema are for and that have not been looked at: to be told to
    /// [`learn`](Self::learn) before these records are planned.
    pub(super) fn wanted(&mut self, context: &Context<'_>, records: &[SinkRecord]) -> Vec<Arc<TableId>> {
        let mut wanted: Vec<Arc<TableId>> = Vec::new();
        for record in records.iter().filter(|record| plain::is_plain(context.config, record)) {
            // Where the topic has no table, the plan says so.
            let Ok(table) = self.table(context.config, &record.topic) else { continue };
            let table = &self.tables[table];
            if !table.plain.is_known() && !wanted.contains(&table.id) {
                wanted.push(table.id.clone());
            }
        }
        wanted
    }

    /// How a table looks; `None` where there is none yet.
    pub(super) fn learn(
        &mut self,
        context: &Context<'_>,
        id: &TableId,
        definition: Option<&TableDefinition>,
    ) {
        if let Some(table) = self.tables.iter_mut().find(|table| *table.id == *id) {
            table.plain = plain::Table::new(context.dialect, definition);
        }
    }

    /// The tables may look otherwise by now.
    pub(super) fn forget_tables(&mut self) {
        for table in &mut self.tables {
            table.plain = plain::Table::default();
        }
    }

    fn add<'a>(
        &mut self,
        context: &Context<'_>,
        record: &'a SinkRecord,
        groups: &mut Vec<Group<'a>>,
        open: &mut Vec<Open>,
    ) -> Result<(), ConnectError> {
        let config = context.config;
        let table = self.table(config, &record.topic)?;
        let input = self.tables[table].input(context, record)?;
        row::check_key(context, record, input.key_schema.as_deref())?;
        let deletes = row::is_delete(config, record);
        if !deletes {
            row::check_value(context, record, input.value_schema.as_deref())?;
        }
        let value_schema = input.value_schema.as_deref().filter(|_| !deletes);
        let key_schema = input.key_schema.as_deref().filter(|_| config.pk_mode == PkMode::RecordKey);
        open.resize_with(self.tables.len(), Open::default);
        let open = &mut open[table];
        let candidate = open.candidate(deletes);
        let candidate = candidate.filter(|group| groups[*group].shape.fits(key_schema, value_schema));
        let shape = match candidate {
            Some(group) => groups[group].shape.clone(),
            None => self.tables[table].shape(context, record, key_schema, value_schema)?,
        };
        let bytes = row::check(&shape, context.dialect, &input.row, config.trim_log)?;
        let key = config.deletes.then(|| distinct::certain_key(&shape, &input.row)).flatten();
        let joined = candidate.filter(|group| open.may_join(*group, deletes, key.as_deref()));
        let group = joined.unwrap_or_else(|| {
            groups.push(Group { shape, rows: Vec::new(), bytes: Vec::new() });
            groups.len() - 1
        });
        if config.deletes {
            open.joined(group, deletes, key);
        } else {
            open.joined_last(group);
        }
        groups[group].bytes.push(bytes);
        groups[group].rows.push(input.row);
        Ok(())
    }

    fn table(&mut self, config: &SinkConfig, topic: &Arc<str>) -> Result<usize, ConnectError> {
        if let Some(known) = self.topics.get(topic) {
            return Ok(*known);
        }
        let id = config
            .table_names
            .table(topic)
            .map_err(|what| ConnectError::config(format!("table.name.format does not fit: {what}")))?;
        let index = self.tables.iter().position(|table| *table.id == id).unwrap_or_else(|| {
            self.tables.push(KnownTable {
                id: Arc::new(id),
                shapes: Vec::new(),
                plain: plain::Table::default(),
            });
            self.tables.len() - 1
        });
        self.topics.insert(topic.clone(), index);
        Ok(index)
    }
}

impl KnownTable {
    fn input<'a>(
        &mut self,
        context: &Context<'_>,
        record: &'a SinkRecord,
    ) -> Result<Input<'a>, ConnectError> {
        if !plain::is_plain(context.config, record) {
            return Ok(Input {
                row: Row::new(record),
                key_schema: record.key_schema.as_ref().map(Cow::Borrowed),
                value_schema: record.value_schema.as_ref().map(Cow::Borrowed),
            });
        }
        let made = self.plain.give_schemas(context, &self.id, record).map_err(|what| {
            let what = if context.config.trim_log { "its values do not fit".to_owned() } else { what };
            self.unfit(record, &what)
        })?;
        let (key_schema, key) = made.key.unzip();
        let (value_schema, value) = made.value.unzip();
        let given = |made: Option<SchemaRef>, own: &'a Option<SchemaRef>| {
            made.map(Cow::Owned).or_else(|| own.as_ref().map(Cow::Borrowed))
        };
        Ok(Input {
            row: Row::made(record, key, value),
            key_schema: given(key_schema, &record.key_schema),
            value_schema: given(value_schema, &record.value_schema),
        })
    }

    fn shape(
        &mut self,
        context: &Context<'_>,
        record: &SinkRecord,
        key_schema: Option<&SchemaRef>,
        value_schema: Option<&SchemaRef>,
    ) -> Result<Arc<Shape>, ConnectError> {
        if let Some(index) = self.shapes.iter().rposition(|shape| shape.fits(key_schema, value_schema)) {
            let shape = self.shapes.remove(index);
            self.shapes.push(shape.clone());
            return Ok(shape);
        }
        let shape = Shape::new(context.config, context.dialect, self.id.clone(), key_schema, value_schema)
            .map_err(|what| self.unfit(record, &what))?;
        if self.shapes.len() == MAX_SHAPES {
            self.shapes.remove(0);
        }
        let shape = Arc::new(shape);
        self.shapes.push(shape.clone());
        Ok(shape)
    }

    fn unfit(&self, record: &SinkRecord, what: &str) -> ConnectError {
        let place = row::place(record);
        ConnectError::data(format!("the record at {place} cannot be written to table {}: {what}", self.id))
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
