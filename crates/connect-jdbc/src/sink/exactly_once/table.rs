//! The table of positions: `(connector, topic, partition, next_offset)`, a row per partition.

use crate::dialect::{Cell, Dialect, Quoting, StringColumns, TableId, Target, Wire};
use crate::driver::{self, Connection, DbError, ErrorKind};
use crate::url::JdbcUrl;
use connect_api::{Schema, TopicPartition, Type};
use std::collections::HashMap;
use std::sync::Arc;

const CONNECTOR: &str = "connector";
const TOPIC: &str = "topic";
const PARTITION: &str = "partition";
const NEXT: &str = "next_offset";

/// The statements, made once.
pub(in crate::sink) struct PositionTable {
    id: TableId,
    connector: String,
    dialect: Arc<dyn Dialect>,
    create: String,
    select: String,
    insert: Statement,
    advance: Statement,
    delete: Statement,
    /// Whether it is known to be there.
    is_there: bool,
}

struct Statement {
    sql: Arc<str>,
    wires: Vec<Option<Wire>>,
}

impl PositionTable {
    pub(in crate::sink) fn new(url: &JdbcUrl, id: TableId, connector: &str) -> Self {
        // Quoted whatever the user's tables are: `partition` is a word of SQL.
        let dialect = driver::sink_dialect(url, Quoting::Always, StringColumns::Text);
        let table = dialect.table(&id);
        let name = |name: &str| dialect.identifier(name);
        // Names are compared byte by byte, and the table has to follow the transaction.
        let (text, ending) = match url {
            JdbcUrl::MySql(_) => ("VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", " ENGINE=InnoDB"),
            JdbcUrl::Postgres(_) | JdbcUrl::Sqlite(_) => ("VARCHAR(255)", ""),
        };
        let create = format!(
            "CREATE TABLE {table} (\n{} {text} NOT NULL,\n{} {text} NOT NULL,\n{} INT NOT NULL,\n{} BIGINT NOT NULL,\nPRIMARY KEY({}))\
             {ending}",
            name(CONNECTOR),
            name(TOPIC),
            name(PARTITION),
            name(NEXT),
            dialect.list(&[CONNECTOR, TOPIC, PARTITION]),
        );
        let (text, int, long) =
            (Schema::new(Type::String), Schema::new(Type::Int32), Schema::new(Type::Int64));
        let parameter =
            |number, name, schema| dialect.placeholder(number, &Target { name, schema, column: None });
        let of_partition = |first: usize| {
            format!(
                "{} = {} AND {} = {} AND {} = {}",
                name(CONNECTOR),
                parameter(first, CONNECTOR, &text),
                name(TOPIC),
                parameter(first + 1, TOPIC, &text),
                name(PARTITION),
                parameter(first + 2, PARTITION, &int),
            )
        };
        let statement = |sql: String, schemas: &[&Schema]| Statement {
            sql: sql.into(),
            wires: schemas.iter().map(|schema| Wire::of(schema)).collect(),
        };
        let select = format!(
            "SELECT {} FROM {table} WHERE {} = {}",
            dialect.list(&[TOPIC, PARTITION, NEXT]),
            name(CONNECTOR),
            parameter(1, CONNECTOR, &text),
        );
        let insert = format!(
            "INSERT INTO {table}({}) VALUES({},{},{},{})",
            dialect.list(&[CONNECTOR, TOPIC, PARTITION, NEXT]),
            parameter(1, CONNECTOR, &text),
            parameter(2, TOPIC, &text),
            parameter(3, PARTITION, &int),
            parameter(4, NEXT, &long),
        );
        let advance = format!(
            "UPDATE {table} SET {next} = {} WHERE {} AND {next} = {}",
            parameter(1, NEXT, &long),
            of_partition(2),
            parameter(5, NEXT, &long),
            next = name(NEXT),
        );
        let delete = format!("DELETE FROM {table} WHERE {}", of_partition(1));
        Self {
            create,
            select,
            insert: statement(insert, &[&text, &text, &int, &long]),
            advance: statement(advance, &[&long, &text, &text, &int, &long]),
            delete: statement(delete, &[&text, &text, &int]),
            id,
            connector: connector.to_owned(),
            dialect,
            is_there: false,
        }
    }

    pub(super) fn name(&self) -> &TableId {
        &self.id
    }

    /// The connector's positions. Makes the table if need be, so this must run outside a transaction the first time.
    pub(in crate::sink) async fn read(
        &mut self,
        connection: &mut Connection,
    ) -> Result<HashMap<TopicPartition, i64>, DbError> {
        if !self.is_there {
            self.make(connection).await?;
            self.is_there = true;
        }
        let rows = connection.positions(&self.select, &self.connector).await.inspect_err(|error| {
            self.is_there = error.kind != ErrorKind::Structure;
        })?;
        Ok(rows
            .into_iter()
            .map(|(topic, partition, next)| (TopicPartition { topic: topic.into(), partition }, next))
            .collect())
    }

    async fn make(&self, connection: &mut Connection) -> Result<(), DbError> {
        if connection.describe(&*self.dialect, &self.id).await?.is_some() {
            return Ok(());
        }
        tracing::info!(table = %self.id, sql = self.create, "creating table of positions");
        let Err(error) = connection.run(&self.create).await else { return Ok(()) };
        // Another task may have been faster.
        match connection.describe(&*self.dialect, &self.id).await? {
            Some(_) => Ok(()),
            None => Err(error),
        }
    }

    /// Whether the position was `from` and is `to` now.
    pub(super) async fn advance(
        &self,
        connection: &mut Connection,
        partition: &TopicPartition,
        from: i64,
        to: i64,
    ) -> Result<bool, DbError> {
        let [connector, topic, number] = self.key(partition);
        let cells = [Cell::Integer(to), connector, topic, number, Cell::Integer(from)];
        Ok(self.advance.run(connection, &cells).await? == 1)
    }

    /// An error of kind `BadRow` if the partition has a row.
    pub(super) async fn insert(
        &self,
        connection: &mut Connection,
        partition: &TopicPartition,
        next: i64,
    ) -> Result<(), DbError> {
        let [connector, topic, number] = self.key(partition);
        self.insert.run(connection, &[connector, topic, number, Cell::Integer(next)]).await?;
        Ok(())
    }

    /// Sets positions by hand (`None`: no row), all or none.
    pub(in crate::sink) async fn alter(
        &mut self,
        connection: &mut Connection,
        positions: &[(TopicPartition, Option<i64>)],
    ) -> Result<(), DbError> {
        // Also makes the table.
        self.read(connection).await?;
        connection.begin().await?;
        for (partition, next) in positions {
            self.delete.run(connection, &self.key(partition)).await?;
            if let Some(next) = next {
                self.insert(connection, partition, *next).await?;
            }
        }
        connection.commit().await
    }

    fn key<'a>(&'a self, partition: &'a TopicPartition) -> [Cell<'a>; 3] {
        [Cell::Text(&self.connector), Cell::Text(&partition.topic), Cell::Integer(partition.partition.into())]
    }
}

impl Statement {
    async fn run(&self, connection: &mut Connection, cells: &[Cell<'_>]) -> Result<u64, DbError> {
        connection.execute(&self.sql, &self.wires, cells.len(), cells.iter().copied()).await
    }
}
