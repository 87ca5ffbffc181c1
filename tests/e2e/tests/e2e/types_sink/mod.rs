//! The sink's type matrix: every Connect type to every database, into created columns and into columns that are there,
//! with values at the edges. What arrived is what the database itself prints.

mod mariadb;
mod postgres;
mod sqlite;

use crate::support::jdbc::*;
use anyhow::{Context, Result, ensure};
use connect_api::{Schema, SinkRecord, SinkTask, Value};
use testkit::Rows;

/// One type of column and values for it, with their texts.
struct Case {
    sql_type: &'static str,
    /// Whether the sink is to create the column, and with that type.
    created: bool,
    schema: Schema,
    /// How the database is asked for the text of column `c`.
    read: &'static str,
    good: Vec<(Value, &'static str)>,
    /// With a part of the error.
    bad: Vec<(Value, &'static str)>,
    /// A part of the error that every value gets, also none.
    refused: Option<&'static str>,
}

/// The sink makes the column, with this type in the database's own words.
fn created(sql_type: &'static str, schema: Schema) -> Case {
    Case {
        sql_type,
        created: true,
        schema: schema.optional(),
        read: "c",
        good: vec![],
        bad: vec![],
        refused: None,
    }
}

/// The column is there with this type.
fn existing(sql_type: &'static str, schema: Schema) -> Case {
    Case { created: false, ..created(sql_type, schema) }
}

impl Case {
    fn read(self, read: &'static str) -> Self {
        Self { read, ..self }
    }

    fn good(mut self, value: impl Into<Value>, text: &'static str) -> Self {
        self.good.push((value.into(), text));
        self
    }

    fn refused(self, part: &'static str) -> Self {
        Self { refused: Some(part), ..self }
    }

    fn bad(mut self, value: impl Into<Value>, part: &'static str) -> Self {
        self.bad.push((value.into(), part));
        self
    }
}

/// What the matrix needs of a database.
trait Bench {
    async fn execute(&self, sql: &str) -> Result<()>;
    async fn query(&self, sql: &str) -> Result<Rows>;
    /// The type of column `c`.
    fn type_of(&self, table: &str) -> String;
}

/// Writes the values of each case to a table of its own, all of them by one statement, then the bad ones one by one; all
/// that is wrong is told at once.
async fn check(db: &impl Bench, task: &mut Box<dyn SinkTask>, cases: Vec<Case>) -> Result<()> {
    let mut wrong = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let table = format!("t{number}");
        if let Err(error) = check_case(db, task, &table, case, &mut wrong).await {
            wrong.push(format!("{} from {:?}: {error:#}", case.sql_type, case.schema.ty));
        }
    }
    ensure!(wrong.is_empty(), "{} of the matrix:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

async fn check_case(
    db: &impl Bench,
    task: &mut Box<dyn SinkTask>,
    table: &str,
    case: &Case,
    wrong: &mut Vec<String>,
) -> Result<()> {
    if !case.created {
        db.execute(&format!("CREATE TABLE {table}(id INT PRIMARY KEY, c {})", case.sql_type)).await?;
    }
    let schema = schema([("id", int()), ("c", case.schema.clone())]);
    let row = |id: usize, value: &Value| -> Result<SinkRecord> {
        let values = vec![Value::Int32(i32::try_from(id)?), value.clone()];
        Ok(SinkRecord { topic: table.into(), ..record(i64::try_from(id)?, &schema, values) })
    };
    let mut values: Vec<(Value, Option<&str>)> =
        case.good.iter().map(|(value, text)| (value.clone(), Some(*text))).collect();
    values.push((Value::Null, None));
    let records: Vec<SinkRecord> =
        values.iter().enumerate().map(|(id, (value, _))| row(id, value)).collect::<Result<_>>()?;
    match (put(task, &records).await, case.refused) {
        (written, None) => drop(written?),
        (Ok(_), Some(_)) => anyhow::bail!("was written"),
        (Err(error), Some(part)) => {
            ensure!(format!("{error:#}").contains(part), "{error:#} lacks {part:?}");
            return Ok(());
        }
    }
    if case.created {
        let found = db.query(&db.type_of(table)).await?;
        let found = found.first().and_then(|row| row[0].clone()).context("the column has no type")?;
        ensure!(found == case.sql_type, "the column was created as {found}");
    }
    let count = format!("SELECT COUNT(*) FROM {table}");
    let written = db.query(&count).await?;
    let rows = db.query(&format!("SELECT {} FROM {table} ORDER BY id", case.read)).await?;
    for ((value, expected), row) in values.iter().zip(rows) {
        if row[0].as_deref() != *expected {
            wrong.push(format!("{} from {value:?}: {:?} and not {expected:?}", case.sql_type, row[0]));
        }
    }
    for (id, (value, part)) in (values.len()..).zip(&case.bad) {
        match put(task, &[row(id, value)?]).await {
            Ok(_) => wrong.push(format!("{} took {value:?}", case.sql_type)),
            Err(error) if format!("{error:#}").contains(part) => {}
            Err(error) => wrong.push(format!("{} from {value:?}: {error:#} lacks {part:?}", case.sql_type)),
        }
    }
    ensure!(db.query(&count).await? == written, "a bad row was written");
    Ok(())
}
