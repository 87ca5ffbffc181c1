//! The ways in which many rows are written at once give what statements give, value by value and row by row.

use crate::support::database::{AnyDatabase, JdbcTarget};
use crate::support::jdbc::*;
use anyhow::Result;
use connect_api::{Decimal, Schema, SchemaRef, SinkRecord, Type, Value};
use testkit::{Database, PgDatabase, unique};

/// More than it takes to leave the statements.
const ROWS: i32 = 1200;

async fn mariadb() -> Result<AnyDatabase> {
    Ok(AnyDatabase::MariaDb(Database::create(&unique("bulk")).await?))
}

async fn postgres() -> Result<AnyDatabase> {
    Ok(AnyDatabase::Postgres(PgDatabase::create(&unique("bulk")).await?))
}

async fn rows(db: &AnyDatabase, sql: &str) -> Result<Vec<String>> {
    Ok(words(&db.query(sql).await?))
}

/// A LOCAL load shows in the server's counters.
async fn loads(db: &AnyDatabase) -> Result<String> {
    Ok(rows(db, "SHOW GLOBAL STATUS LIKE 'Com_load'").await?.concat())
}

fn everything() -> SchemaRef {
    schema([
        ("id", int()),
        ("flag", Schema::new(Type::Boolean)),
        ("small", Schema::new(Type::Int8).optional()),
        ("big", Schema::new(Type::Int64)),
        ("single", Schema::new(Type::Float32)),
        ("double", Schema::new(Type::Float64)),
        ("words", text().optional()),
        ("bytes", Schema::new(Type::Bytes).optional()),
        ("amount", Schema::decimal(3)),
        ("day", Schema::date()),
        ("clock", Schema::time()),
        ("moment", Schema::timestamp().optional()),
    ])
}

fn values(n: i32) -> Vec<Value> {
    const WORDS: [&str; 8] = [
        "",
        "\\N",
        "a\tb",
        "line\nnext\r\n",
        "back\\slash\\",
        "quote'\"`",
        "\u{e4}\u{20ac}\u{1f600}",
        " spaces ",
    ];
    let big = if n % 2 == 0 { i64::MAX - i64::from(n) } else { i64::MIN + i64::from(n) };
    vec![
        Value::Int32(n),
        Value::Boolean(n % 2 == 0),
        if n % 5 == 0 { Value::Null } else { Value::Int8((n % 256 - 128) as i8) },
        Value::Int64(big),
        Value::Float32(n as f32 / 7.0),
        Value::Float64(f64::from(n) / 7.0 * 1e30),
        if n % 9 == 0 { Value::Null } else { WORDS[n as usize % 8].into() },
        if n % 11 == 0 { Value::Null } else { Value::Bytes(vec![0, 9, 10, 92, (n % 256) as u8].into()) },
        Value::Decimal(Decimal::new(n - 600, 3)),
        Value::Date(n * 17 - 5000),
        Value::Time(n * 71_999),
        if n % 13 == 0 { Value::Null } else { Value::Timestamp(i64::from(n) * 1_234_567_891) },
    ]
}

/// Written once in one put and once in small ones, which are too few for a load.
async fn both_ways(db: &AnyDatabase, mode: &[(&str, &str)]) -> Result<()> {
    let schema = everything();
    let records: Vec<SinkRecord> = (0..ROWS).map(|n| record(i64::from(n), &schema, values(n))).collect();
    for (table, size) in [("one", ROWS as usize), ("many", 100)] {
        let mut task = start(&sink_config(db, &[mode, &[("table.name.format", table)]].concat())).await?;
        // A second time, for a task that knows the table by now; an upsert meets its own rows.
        for records in records.chunks(size) {
            put(&mut task, records).await?;
        }
        for records in records.chunks(size).filter(|_| mode == UPSERT) {
            put(&mut task, records).await?;
        }
        task.stop().await;
    }
    let all = rows(db, "SELECT * FROM one ORDER BY id").await?;
    assert_eq!(all.len(), ROWS as usize);
    assert_eq!(all, rows(db, "SELECT * FROM many ORDER BY id").await?);
    Ok(())
}

#[tokio::test]
async fn mariadb_loads_every_value_as_statements_write_it() -> Result<()> {
    let db = mariadb().await?;
    let before = loads(&db).await?;
    both_ways(&db, &[]).await?;
    assert_ne!(before, loads(&db).await?, "nothing was loaded");
    both_ways(&mariadb().await?, UPSERT).await
}

#[tokio::test]
async fn postgres_takes_every_value_as_statements_write_it() -> Result<()> {
    both_ways(&postgres().await?, &[]).await?;
    both_ways(&postgres().await?, UPSERT).await
}

fn named_rows(count: i32, name: impl Fn(i32) -> String) -> Vec<SinkRecord> {
    let schema = id_name();
    pairs(&schema, (0..count).map(|n| (n, name(n))))
}

const BY_NAME: &[(&str, &str)] = &[
    ("insert.mode", "upsert"),
    ("pk.mode", "record_value"),
    ("pk.fields", "name"),
    ("auto.create", "false"),
];

#[tokio::test]
async fn the_later_of_two_keys_that_are_one_to_a_collation_wins() -> Result<()> {
    let db = mariadb().await?;
    db.query("CREATE TABLE t(name VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, id INT)").await?;
    let mut task = start(&sink_config(&db, BY_NAME)).await?;
    // `key1` and `KEY1`, `é` and `E`: every name comes twice, 600 rows apart.
    let name = |n: i32| match (n % 600, n < 600) {
        (0, true) => "\u{e9}".to_owned(),
        (0, false) => "E".to_owned(),
        (n, true) => format!("key{n}"),
        (n, false) => format!("KEY{n} "),
    };
    put(&mut task, &named_rows(1200, name)).await?;
    assert_eq!(rows(&db, "SELECT COUNT(*), MIN(id), MAX(id) FROM t").await?, ["600 600 1199"]);
    Ok(())
}

#[tokio::test]
async fn rows_that_a_table_counts_keep_their_order() -> Result<()> {
    let db = mariadb().await?;
    db.query("CREATE TABLE t(number INT AUTO_INCREMENT PRIMARY KEY, id INT, name TEXT)").await?;
    let mut task = start(&sink_config(&db, &[])).await?;
    // Of very different lengths, which a temporary table would put elsewhere.
    let name = |n: i32| "x".repeat([1, 9000, 50, 2000, 5, 300][n as usize % 6]);
    put(&mut task, &named_rows(ROWS, name)).await?;
    let turned = "SELECT COUNT(*) FROM t a JOIN t b ON b.id = a.id + 1 WHERE b.number < a.number";
    assert_eq!(rows(&db, turned).await?, ["0"]);
    assert_eq!(rows(&db, "SELECT COUNT(*) FROM t").await?, [ROWS.to_string()]);
    Ok(())
}

/// A name too long, and a number twice: exactly these rows are rejected.
async fn bad_rows_among_many(db: &AnyDatabase) -> Result<()> {
    db.query("CREATE TABLE t(id INT PRIMARY KEY, name VARCHAR(10))").await?;
    let mut task = start_tolerant(&sink_config(db, &[])).await?;
    let mut records = named_rows(ROWS, |n| if n == 700 { "much too long".into() } else { format!("n{n}") });
    records[900].value = records[5].value.clone();
    let rejected = task.put(&records).await.map_err(text_of)?;
    let indexes: Vec<usize> = rejected.iter().map(|rejected| rejected.index).collect();
    assert_eq!(indexes, [700, 900], "{rejected:?}");
    assert_eq!(rows(db, "SELECT COUNT(*) FROM t").await?, [(ROWS - 2).to_string()]);
    task.stop().await;
    Ok(())
}

#[tokio::test]
async fn bad_rows_are_found_in_a_load() -> Result<()> {
    bad_rows_among_many(&mariadb().await?).await?;
    bad_rows_among_many(&postgres().await?).await
}

#[tokio::test]
async fn without_leave_to_load_rows_are_written_by_statements() -> Result<()> {
    let db = mariadb().await?;
    let AnyDatabase::MariaDb(server) = &db else { unreachable!("made so") };
    let user = unique("bulk").replace('_', "");
    for sql in [
        format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'pw'"),
        format!("GRANT SELECT, INSERT, UPDATE, CREATE, ALTER ON `{}`.* TO '{user}'@'%'", server.name),
    ] {
        server.execute(&sql).await?;
    }
    let url = format!("{}?allowLocalInfile=false", db.connection().url);
    for settings in
        [vec![("connection.user", &*user), ("connection.password", "pw")], vec![("connection.url", &*url)]]
    {
        let mut task = start(&sink_config(&db, &[UPSERT, &settings].concat())).await?;
        for round in 0..2 {
            put(&mut task, &named_rows(ROWS, |n| format!("{round}-{n}"))).await?;
        }
        task.stop().await;
        assert_eq!(rows(&db, "SELECT COUNT(*), MIN(LEFT(name, 2)) FROM t").await?, [format!("{ROWS} 1-")]);
    }
    server.execute(&format!("DROP USER '{user}'@'%'")).await
}
