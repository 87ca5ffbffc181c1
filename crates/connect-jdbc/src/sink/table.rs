//! What is known about tables, and how they come to be what the records need.

use super::config::{InsertMode, SinkConfig};
use super::plan::{Group, MAX_SHAPES, Operation};
use super::shape::{Shape, ShapeColumn};
use super::statements::{Statements, find};
use super::widen;
use crate::dialect::{Dialect, TableColumn, TableDefinition, TableId, TableKind};
use crate::driver::{Connection, DbError, ErrorKind};
use std::collections::HashMap;
use std::sync::Arc;

/// Definitions read from the database, until an error casts doubt on them.
#[derive(Debug, Default)]
pub(super) struct Tables {
    known: HashMap<Arc<TableId>, Definition>,
}

#[derive(Debug)]
struct Definition {
    table: TableDefinition,
    /// For the shapes that need no more columns than these.
    ready: Vec<Arc<Statements>>,
    /// Columns that the database did not let grow: a row that needs it is a bad row.
    narrow: Vec<String>,
}

#[derive(Debug)]
pub(super) enum TableError {
    Db(Arc<TableId>, DbError),
    /// The table is not what the records need, and may not be changed.
    Unfit(String),
}

/// Several tasks may change one table at the same time; each round sees what the others have done.
const ROUNDS: usize = 3;

impl Tables {
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// Whether the table is known, from before, to have the columns of the shape.
    pub(super) fn is_ready(&self, shape: &Arc<Shape>) -> bool {
        self.statements(shape).is_some()
    }

    /// Whether the table is there now.
    pub(super) async fn is_there(
        &self,
        connection: &mut Connection,
        dialect: &dyn Dialect,
        table: &Arc<TableId>,
    ) -> Result<bool, TableError> {
        Ok(self.known.contains_key(table) || describe(connection, dialect, table).await?.is_some())
    }

    fn statements(&self, shape: &Arc<Shape>) -> Option<&Arc<Statements>> {
        self.known.get(&shape.table)?.ready.iter().find(|ready| ready.are_for(shape))
    }

    fn too_narrow(
        &self,
        dialect: &dyn Dialect,
        config: &SinkConfig,
        group: &Group<'_>,
    ) -> Vec<(TableColumn, String)> {
        let Some(known) = self.known.get(&group.shape.table).filter(|_| config.widen) else {
            return Vec::new();
        };
        let mut needed = widen::needed(dialect, group, &known.table);
        needed.retain(|(column, _)| !known.narrow.contains(&column.name));
        needed
    }

    /// Gives columns larger types where the records need them. What the database refuses (a column of a foreign key or an
    /// index, one that a view shows) stays as it is, and the rows that do not fit are its to refuse.
    async fn widen(
        &mut self,
        connection: &mut Connection,
        dialect: &dyn Dialect,
        config: &SinkConfig,
        group: &Group<'_>,
    ) -> Result<(), TableError> {
        let changes = self.too_narrow(dialect, config, group);
        let table = &group.shape.table;
        let failed = |error| TableError::Db(table.clone(), error);
        if changes.is_empty() {
            return Ok(());
        }
        for change in changes {
            let name = change.0.name.clone();
            let one = std::slice::from_ref(&change);
            let sql = connection.change_types(dialect.quoting(), table, one).await.map_err(failed)?;
            let changed = match &sql {
                Some(sql) => {
                    tracing::info!(%table, %sql, "widening a column");
                    connection.run(sql).await
                }
                None => Err(DbError::new(ErrorKind::Structure, "its definition is not as it was")),
            };
            if let Err(error) = changed {
                tracing::warn!(%table, column = name, %error, "the column cannot be widened");
                if let Some(known) = self.known.get_mut(table) {
                    known.narrow.push(name);
                }
            }
        }
        let definition = describe(connection, dialect, table).await?;
        if let (Some(known), Some(definition)) = (self.known.get_mut(table), definition) {
            known.table = definition;
            known.ready.clear();
        }
        Ok(())
    }

    /// Makes sure that the table is there with the columns of the group's shape; returns the statements for them. Must run outside a transaction: MariaDB commits
    /// at every DDL statement.
    pub(super) async fn prepare(
        &mut self,
        connection: &mut Connection,
        dialect: &dyn Dialect,
        config: &SinkConfig,
        group: &Group<'_>,
    ) -> Result<Arc<Statements>, TableError> {
        let shape = &group.shape;
        if let Some(ready) = self.statements(shape)
            && self.too_narrow(dialect, config, group).is_empty()
        {
            return Ok(ready.clone());
        }
        let table = &shape.table;
        let mut definition = self.known.get(table).map(|known| known.table.clone());
        if definition.is_none() {
            dialect.check_table(table).map_err(|what| {
                TableError::Unfit(format!(
                    "{what}; correct table.name.format, or put a part that has dots in back-ticks"
                ))
            })?;
            definition = describe(connection, dialect, table).await?;
        }
        let mut definition = match definition {
            Some(definition) => definition,
            None => create(connection, dialect, config, shape).await?,
        };
        check_kind(config, table, definition.kind)?;
        if let Some(evolved) = evolve(connection, dialect, config, shape, &definition).await? {
            definition = evolved;
        }
        check_keys(dialect, shape, &definition)?;
        check_columns(dialect, shape, &definition)?;
        if config.insert_mode == InsertMode::Upsert && !self.known.contains_key(table) {
            warn_without_unique_key(connection, shape).await?;
        }
        let known = self.known.entry(table.clone()).or_insert_with(|| Definition {
            table: definition.clone(),
            ready: Vec::new(),
            narrow: Vec::new(),
        });
        known.table = definition;
        self.widen(connection, dialect, config, group).await?;
        let known = self.known.get_mut(table).expect("made above");
        if known.ready.len() == MAX_SHAPES {
            known.ready.remove(0);
        }
        let statements = Arc::new(Statements::new(dialect, shape.clone(), &known.table.columns));
        known.ready.push(statements.clone());
        Ok(statements)
    }
}

async fn describe(
    connection: &mut Connection,
    dialect: &dyn Dialect,
    table: &Arc<TableId>,
) -> Result<Option<TableDefinition>, TableError> {
    connection.describe(dialect, table).await.map_err(|error| TableError::Db(table.clone(), error))
}

async fn create(
    connection: &mut Connection,
    dialect: &dyn Dialect,
    config: &SinkConfig,
    shape: &Shape,
) -> Result<TableDefinition, TableError> {
    let table = &shape.table;
    if !config.auto_create {
        return Err(TableError::Unfit(format!(
            "Table {table} is missing and auto-creation is disabled; create the table or set auto.create=true"
        )));
    }
    let sql = dialect.create_table(table, &shape.create_columns(), &shape.key_names());
    tracing::info!(%table, %sql, "creating table");
    let created = connection.run(&sql).await;
    if let Err(error) = &created {
        tracing::warn!(%table, %error, "create failed, will attempt amend if table already exists");
    }
    match (describe(connection, dialect, table).await?, created) {
        (Some(definition), _) => Ok(definition),
        (None, Err(error)) => Err(TableError::Db(table.clone(), error)),
        (None, Ok(())) => Err(TableError::Db(
            table.clone(),
            DbError::new(ErrorKind::Structure, "the table was created but is not there"),
        )),
    }
}

/// Adds what is missing; returns the new definition if it changed.
async fn evolve(
    connection: &mut Connection,
    dialect: &dyn Dialect,
    config: &SinkConfig,
    shape: &Shape,
    definition: &TableDefinition,
) -> Result<Option<TableDefinition>, TableError> {
    let table = &shape.table;
    let mut missing = missing_columns(dialect, shape, &definition.columns);
    if missing.is_empty() {
        return Ok(None);
    }
    check_evolution(config, shape, definition.kind, &missing)?;
    let mut last_error = None;
    for _ in 0..ROUNDS {
        // A column added later is not part of the primary key, so it may hold NULL.
        let added: Vec<_> = missing
            .iter()
            .map(|column| {
                let mut ddl = column.ddl.clone();
                ddl.nullable = true;
                ddl
            })
            .collect();
        for sql in dialect.add_columns(table, &added) {
            tracing::info!(%table, %sql, "adding columns");
            if let Err(error) = connection.run(&sql).await {
                tracing::warn!(%table, %error, "alter failed, will look at the table again");
                last_error = Some(error);
            }
        }
        let Some(definition) = describe(connection, dialect, table).await? else { break };
        missing = missing_columns(dialect, shape, &definition.columns);
        if missing.is_empty() {
            return Ok(Some(definition));
        }
    }
    let error = last_error
        .unwrap_or_else(|| DbError::new(ErrorKind::Structure, "columns were added but are not there"));
    Err(TableError::Db(table.clone(), error))
}

/// A table of a type that nobody has allowed was hardly meant.
fn check_kind(config: &SinkConfig, table: &TableId, kind: TableKind) -> Result<(), TableError> {
    if config.table_types.contains(&kind) {
        return Ok(());
    }
    let allowed: Vec<&str> = config.table_types.iter().map(|kind| kind.name()).collect();
    Err(TableError::Unfit(format!(
        "{table} is a {}, and table.types allows {} only; add {} to table.types, or write to another table \
         (table.name.format)",
        kind.name(),
        allowed.join(", "),
        kind.name()
    )))
}

/// A row cannot be found by a key that the database computes.
fn check_keys(dialect: &dyn Dialect, shape: &Shape, definition: &TableDefinition) -> Result<(), TableError> {
    if shape.operation == Operation::Insert {
        return Ok(());
    }
    let is_generated =
        |name: &&str| find(dialect, &definition.columns, name).is_some_and(|column| column.generated);
    match shape.key_names().into_iter().find(is_generated) {
        None => Ok(()),
        Some(name) => Err(TableError::Unfit(format!(
            "the key column '{name}' of table {} is a generated column, which cannot be written; choose other key columns \
             (pk.fields)",
            shape.table
        ))),
    }
}

/// Columns of a type that no value of a record becomes (MariaDB's geometries).
fn check_columns(
    dialect: &dyn Dialect,
    shape: &Shape,
    definition: &TableDefinition,
) -> Result<(), TableError> {
    for column in &shape.columns {
        let Some(found) = find(dialect, &definition.columns, &column.column.name) else { continue };
        if !found.generated && dialect.column_schema(found).is_none() {
            return Err(TableError::Unfit(format!(
                "column '{}' of table {} has the type {}, to which nothing can be written; leave the field out \
                 (fields.whitelist, ReplaceField transform)",
                found.name, shape.table, found.sql_type
            )));
        }
    }
    Ok(())
}

fn check_evolution(
    config: &SinkConfig,
    shape: &Shape,
    kind: TableKind,
    missing: &[&ShapeColumn],
) -> Result<(), TableError> {
    let table = &shape.table;
    let names: Vec<&str> = missing.iter().map(|column| &*column.column.name).collect();
    if kind == TableKind::View {
        return Err(TableError::Unfit(format!(
            "View {table} is missing fields ({}) and ALTER VIEW is unsupported; change the view by hand, or leave the \
             fields out (fields.whitelist)",
            names.join(", ")
        )));
    }
    if !config.auto_evolve {
        return Err(TableError::Unfit(format!(
            "Table {table} is missing fields ({}) and auto-evolution is disabled; add the columns, set auto.evolve=true, or \
             leave the fields out (fields.whitelist)",
            names.join(", ")
        )));
    }
    let strict = missing.iter().find(|column| {
        let schema = &column.column.schema;
        !schema.optional && column.ddl.default.is_none()
    });
    match strict {
        None => Ok(()),
        Some(column) => Err(TableError::Unfit(format!(
            "Cannot ALTER TABLE {table} to add missing field '{}', as the field is not optional and does not have a default \
             value; make the field optional in the schema or add the column by hand",
            column.column.name
        ))),
    }
}

fn missing_columns<'a>(
    dialect: &dyn Dialect,
    shape: &'a Shape,
    columns: &[TableColumn],
) -> Vec<&'a ShapeColumn> {
    let is_there = |column: &&ShapeColumn| find(dialect, columns, &column.column.name).is_some();
    shape.columns.iter().filter(|column| !is_there(column)).collect()
}

/// MariaDB takes ON DUPLICATE KEY UPDATE for a table without a matching key and then adds rows.
async fn warn_without_unique_key(connection: &mut Connection, shape: &Shape) -> Result<(), TableError> {
    let keys = shape.key_names();
    let unique = connection
        .is_unique(&shape.table, &keys)
        .await
        .map_err(|error| TableError::Db(shape.table.clone(), error))?;
    if !unique {
        tracing::warn!(
            table = %shape.table,
            columns = %keys.join(", "),
            "the table has no unique key on the key columns: upserts will add rows instead of changing them"
        );
    }
    Ok(())
}
