//! `sql`: one SELECT on a database of the running demo. A window, not a door: nothing can be changed through it.

use super::{Which, table};
use anyhow::{Context as _, bail};
use mysql_async::prelude::Queryable as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Executor as _, Row as _,
    SqlSafeStr as _, Statement as _,
};
use std::str::FromStr as _;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// orders (the read tables), catalog, and with --store local order-service-1 and order-service-2
    database: String,

    /// The query, in quotes
    query: String,

    #[command(flatten)]
    which: Which,
}

/// Names of the columns, and the rows as text.
struct Answer {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    only_reads(&args.query)?;
    let demo = args.which.find()?;
    let url = demo.databases.get(&args.database).with_context(|| {
        let names: Vec<&str> = demo.databases.keys().map(String::as_str).collect();
        format!("this demo has no database {:?}; it has: {}", args.database, names.join(", "))
    })?;
    let answer = match url.split_once("://") {
        Some(("sqlite", file)) => sqlite(file, &args.query).await,
        Some(("mysql", _)) => mysql(url, &args.query).await,
        Some(("postgres", _)) => postgres(url, &args.query).await,
        _ => bail!("the demo's database {} is of a kind that `sql` cannot read", args.database),
    };
    let answer = answer.with_context(|| format!("the database {} says", args.database))?;
    let columns: Vec<&str> = answer.columns.iter().map(String::as_str).collect();
    print!("{}", table::text(&columns, &answer.rows));
    let count = answer.rows.len();
    println!("({count} {})", if count == 1 { "row" } else { "rows" });
    Ok(())
}

/// The databases refuse changes as well; this says it in better words.
fn only_reads(query: &str) -> anyhow::Result<()> {
    const READING: [&str; 6] = ["SELECT", "WITH", "EXPLAIN", "SHOW", "DESCRIBE", "VALUES"];
    let first = query.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    if !READING.contains(&first.as_str()) {
        bail!(
            "only questions, please: the query begins with {first:?}, and `sql` runs SELECT and its like; a change goes \
             through a service, which knows the rules"
        );
    }
    Ok(())
}

async fn sqlite(file: &str, query: &str) -> anyhow::Result<Answer> {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(10));
    let mut connection: SqliteConnection = options.read_only(true).connect().await?;
    // from the statement, since an answer without rows does not tell its columns
    let statement = (&mut connection).prepare(AssertSqlSafe(query.to_owned()).into_sql_str()).await?;
    let columns = statement.columns().iter().map(|column| column.name().to_owned()).collect();
    let rows = statement.query().fetch_all(&mut connection).await?;
    let rows = rows.iter().map(|row| {
        let cell = |index| Ok(row.try_get_unchecked::<Option<String>, _>(index)?.unwrap_or_else(null));
        (0..row.len()).map(cell).collect::<anyhow::Result<Vec<String>>>()
    });
    let rows = rows.collect::<anyhow::Result<_>>()?;
    connection.close().await?;
    Ok(Answer { columns, rows })
}

async fn mysql(url: &str, query: &str) -> anyhow::Result<Answer> {
    let mut connection = mysql_async::Conn::from_url(url).await?;
    connection.query_drop("SET SESSION TRANSACTION READ ONLY").await?;
    let mut result = connection.query_iter(query).await?;
    let columns = result.columns_ref().iter().map(|column| column.name_str().into_owned()).collect();
    let rows: Vec<mysql_async::Row> = result.collect().await?;
    let cell = |value: mysql_async::Value| match value {
        mysql_async::Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        mysql_async::Value::NULL => null(),
        other => other.as_sql(true),
    };
    let rows = rows.into_iter().map(|row| row.unwrap().into_iter().map(cell).collect()).collect();
    drop(result);
    connection.disconnect().await?;
    Ok(Answer { columns, rows })
}

async fn postgres(url: &str, query: &str) -> anyhow::Result<Answer> {
    // the driver's own error could repeat the URL, and with it the password
    let options =
        PgConnectOptions::from_str(url).map_err(|_| anyhow::anyhow!("the demo's URL of it is not valid"))?;
    let mut connection: PgConnection =
        options.options([("default_transaction_read_only", "on")]).connect().await?;
    // takes one statement only, so that none can follow which allows writing
    let statement = (&mut connection).prepare(AssertSqlSafe(query.to_owned()).into_sql_str()).await?;
    let columns = statement.columns().iter().map(|column| column.name().to_owned()).collect();
    // in the simple protocol every value comes as text
    let rows = sqlx::raw_sql(AssertSqlSafe(query.to_owned())).fetch_all(&mut connection).await?;
    let rows = rows.iter().map(|row| {
        let cell = |index| Ok(row.try_get_unchecked::<Option<String>, _>(index)?.unwrap_or_else(null));
        (0..row.len()).map(cell).collect::<anyhow::Result<Vec<String>>>()
    });
    let rows = rows.collect::<anyhow::Result<_>>()?;
    connection.close().await?;
    Ok(Answer { columns, rows })
}

fn null() -> String {
    "NULL".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_questions_are_passed_on() {
        for query in ["SELECT 1", "  select 1", "WITH a AS (SELECT 1) SELECT * FROM a", "explain SELECT 1"] {
            only_reads(query).unwrap();
        }
        for query in ["DELETE FROM products", "", "drop table orders", "PRAGMA journal_mode=WAL"] {
            let error = only_reads(query).unwrap_err().to_string();
            assert!(error.contains("only questions"), "{error}");
        }
    }
}
