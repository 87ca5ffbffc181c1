//! The matrix on SQLite, whose columns have leanings, not types. The text is SQLite's own `quote(c)`: it tells a number
//! from a text.

use super::*;
use crate::support::database::{Connection, JdbcTarget};
use connect_api::{Decimal, Type};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Row};
use std::path::PathBuf;
use testkit::unique;

/// A file that goes away with the value.
struct File(PathBuf);

impl File {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("{}.db", unique("types"))))
    }

    async fn connect(&self) -> Result<SqliteConnection> {
        Ok(SqliteConnectOptions::new().filename(&self.0).create_if_missing(true).connect().await?)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _may_not_exist = std::fs::remove_file(format!("{}{suffix}", self.0.display()));
        }
    }
}

impl JdbcTarget for File {
    fn connection(&self) -> Connection<'_> {
        Connection { url: format!("jdbc:sqlite:{}", self.0.display()), user: "", password: "" }
    }
}

impl Bench for File {
    async fn execute(&self, sql: &str) -> Result<()> {
        let mut conn = self.connect().await?;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut conn).await?;
        Ok(conn.close().await?)
    }

    async fn query(&self, sql: &str) -> Result<Rows> {
        let mut conn = self.connect().await?;
        let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut conn).await?;
        conn.close().await?;
        let text = |row: &sqlx::sqlite::SqliteRow| {
            (0..row.len())
                .map(|index| Ok(row.try_get_unchecked::<Option<String>, _>(index)?))
                .collect::<Result<Vec<_>>>()
        };
        rows.iter().map(text).collect()
    }

    fn type_of(&self, table: &str) -> String {
        format!("SELECT type FROM pragma_table_info('{table}') WHERE name = 'c'")
    }
}

/// `quote` has a word for NULL, too.
const READ: &str = "CASE WHEN c IS NULL THEN NULL ELSE quote(c) END";

fn decimal(unscaled: i64, scale: i32) -> Value {
    Value::Decimal(Decimal::new(unscaled, scale))
}

#[tokio::test]
async fn sqlite_columns_that_the_sink_creates() -> Result<()> {
    let file = File::new();
    let cases = vec![
        created("INTEGER", Schema::new(Type::Int8)).good(Value::Int8(i8::MIN), "-128"),
        created("INTEGER", Schema::new(Type::Int16)).good(Value::Int16(i16::MIN), "-32768"),
        created("INTEGER", Schema::new(Type::Int32)).good(Value::Int32(i32::MAX), "2147483647"),
        created("INTEGER", Schema::new(Type::Int64))
            .good(Value::Int64(i64::MIN), "-9223372036854775808")
            .good(Value::Int64(i64::MAX), "9223372036854775807"),
        created("REAL", Schema::new(Type::Float32))
            .good(Value::Float32(0.5), "0.5")
            .good(Value::Float32(0.1), "1.000000014901161194e-01")
            .bad(Value::Float32(f32::NAN), "SQLite would write NaN as NULL"),
        created("REAL", Schema::new(Type::Float64))
            .good(Value::Float64(-1e300), "-1.0e+300")
            .good(Value::Float64(f64::INFINITY), "9.0e+999")
            .bad(Value::Float64(f64::NAN), "SQLite would write NaN as NULL"),
        created("INTEGER", Schema::new(Type::Boolean))
            .good(Value::Boolean(true), "1")
            .good(Value::Boolean(false), "0"),
        created("TEXT", Schema::new(Type::String))
            .good("", "''")
            .good("it's \\ \"é\" 😀 ?1 :x", "'it''s \\ \"é\" 😀 ?1 :x'")
            .good("12", "'12'"),
        created("BLOB", Schema::new(Type::Bytes))
            .good(Value::Bytes(vec![].into()), "X''")
            .good(Value::Bytes(vec![0, 255, 39].into()), "X'00FF27'"),
        created("NUMERIC", Schema::decimal(2)).good(decimal(-5, 2), "-0.05").good(decimal(100, 2), "1"),
        created("NUMERIC", Schema::decimal(-2)).good(decimal(-12, -2), "-1200"),
        created("NUMERIC", Schema::date())
            .good(Value::Date(-1), "-86400000")
            .good(Value::Date(i32::MAX), "185542587100800000"),
        created("NUMERIC", Schema::time()).good(Value::Time(86_399_999), "86399999"),
        created("NUMERIC", Schema::timestamp())
            .good(Value::Timestamp(-1), "-1")
            .good(Value::Timestamp(1_710_000_000_007), "1710000000007"),
    ];
    let cases = cases.into_iter().map(|case| case.read(READ)).collect();
    let mut task = start(&sink_config(&file, &[])).await?;
    check(&file, &mut task, cases).await
}

#[tokio::test]
async fn sqlite_columns_that_are_there() -> Result<()> {
    let file = File::new();
    let text = || Schema::new(Type::String);
    let cases = vec![
        existing("", text()).good("12", "'12'"),
        existing("INTEGER", text()).good("12", "12").good("x", "'x'"),
        existing("TEXT", Schema::new(Type::Int64)).good(Value::Int64(12), "'12'"),
        existing("NUMERIC", text()).good("1.50", "1.5").good("", "''"),
        existing("DATETIME", Schema::timestamp()).good(Value::Timestamp(-1), "-1"),
        existing("VARCHAR(3)", text()).good("longer", "'longer'"),
        existing("BOOLEAN", Schema::new(Type::Boolean)).good(Value::Boolean(true), "1"),
        existing("INTEGER CHECK (c < 10)", Schema::new(Type::Int32))
            .good(Value::Int32(9), "9")
            .bad(Value::Int32(10), "CHECK constraint failed"),
    ];
    let cases = cases.into_iter().map(|case| case.read(READ)).collect();
    let mut task = start(&sink_config(&file, &[])).await?;
    check(&file, &mut task, cases).await
}
