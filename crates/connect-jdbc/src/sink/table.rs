//! What is known about tables, and how they come to be what the records need.

use super::config::{InsertMode, SinkConfig};
use super::plan::MAX_SHAPES;
use super::shape::{Shape, ShapeColumn};
use super::statements::{Statements, find};
use crate::dialect::{Dialect, TableColumn, TableId};
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
    columns: Vec<TableColumn>,
    /// For the shapes that need no more columns than these.
    ready: Vec<Arc<Statements>>,
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

    fn statements(&self, shape: &Arc<Shape>) -> Option<&Arc<Statements>> {
        self.known.get(&shape.table)?.ready.iter().find(|ready| ready.are_for(shape))
    }

    /// Makes sure that the table is there with the columns of the shape; returns the statements for them. Must run outside a transaction: MariaDB commits
    /// at every DDL statement.
    pub(super) async fn prepare(
        &mut self,
        connection: &mut Connection,
        dialect: &dyn Dialect,
        config: &SinkConfig,
        shape: &Arc<Shape>,
    ) -> Result<Arc<Statements>, TableError> {
        if let Some(ready) = self.statements(shape) {
            return Ok(ready.clone());
        }
        let table = &shape.table;
        let mut columns = self.known.get(table).map(|known| known.columns.clone());
        if columns.is_none() {
            columns = describe(connection, dialect, table).await?;
        }
        let mut columns = match columns {
            Some(columns) => columns,
            None => create(connection, dialect, config, shape).await?,
        };
        if let Some(evolved) = evolve(connection, dialect, config, shape, &columns).await? {
            columns = evolved;
        }
        if config.insert_mode == InsertMode::Upsert && !self.known.contains_key(table) {
            warn_without_unique_key(connection, shape).await?;
        }
        let known = self
            .known
            .entry(table.clone())
            .or_insert_with(|| Definition { columns: Vec::new(), ready: Vec::new() });
        known.columns = columns;
        if known.ready.len() == MAX_SHAPES {
            known.ready.remove(0);
        }
        let statements = Arc::new(Statements::new(dialect, shape.clone(), &known.columns));
        known.ready.push(statements.clone());
        Ok(statements)
    }
}

async fn describe(
    connection: &mut Connection,
    dialect: &dyn Dialect,
    table: &Arc<TableId>,
) -> Result<Option<Vec<TableColumn>>, TableError> {
    connection.describe(dialect, table).await.map_err(|error| TableError::Db(table.clone(), error))
}

async fn create(
    connection: &mut Connection,
    dialect: &dyn Dialect,
    config: &SinkConfig,
    shape: &Shape,
) -> Result<Vec<TableColumn>, TableError> {
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
        (Some(columns), _) => Ok(columns),
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
    columns: &[TableColumn],
) -> Result<Option<Vec<TableColumn>>, TableError> {
    let table = &shape.table;
    let mut missing = missing_columns(dialect, shape, columns);
    if missing.is_empty() {
        return Ok(None);
    }
    check_evolution(config, shape, &missing)?;
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
        let columns = describe(connection, dialect, table).await?.unwrap_or_default();
        missing = missing_columns(dialect, shape, &columns);
        if missing.is_empty() {
            return Ok(Some(columns));
        }
    }
    let error = last_error
        .unwrap_or_else(|| DbError::new(ErrorKind::Structure, "columns were added but are not there"));
    Err(TableError::Db(table.clone(), error))
}

fn check_evolution(config: &SinkConfig, shape: &Shape, missing: &[&ShapeColumn]) -> Result<(), TableError> {
    let table = &shape.table;
    if !config.auto_evolve {
        let names: Vec<&str> = missing.iter().map(|column| &*column.column.name).collect();
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
