//! The sink and tables that are there already: views, partitions, generated and other columns of their own, tables of other
//! schemas; columns that grow; updates and deletes by the statements of each server.

use crate::support::database::{AnyDatabase, JdbcTarget};
use crate::support::jdbc::*;
use anyhow::{Result, ensure};
use connect_api::{Decimal, Schema, SchemaRef, SinkRecord, Type, Value};
use testkit::{Database, PgDatabase, unique};

async fn mariadb() -> Result<AnyDatabase> {
    Ok(AnyDatabase::MariaDb(Database::create(&unique("tables")).await?))
}

async fn postgres() -> Result<AnyDatabase> {
    Ok(AnyDatabase::Postgres(PgDatabase::create(&unique("tables")).await?))
}

async fn execute(db: &AnyDatabase, sql: &str) -> Result<()> {
    match db {
        AnyDatabase::MariaDb(db) => db.execute(sql).await,
        AnyDatabase::Postgres(db) => db.execute(sql).await,
    }
}

async fn rows(db: &AnyDatabase, sql: &str) -> Result<Vec<String>> {
    Ok(words(&db.query(sql).await?))
}

/// One put by a task of its own.
async fn written(db: &impl JdbcTarget, pairs: &[(&str, &str)], records: &[SinkRecord]) -> Result<()> {
    let mut task = start(&sink_config(db, pairs)).await?;
    let put = put(&mut task, records).await;
    task.stop().await;
    put.map(drop)
}

async fn error(db: &impl JdbcTarget, pairs: &[(&str, &str)], records: &[SinkRecord]) -> Result<String> {
    match written(db, pairs, records).await {
        Err(error) => Ok(format!("{error:#}")),
        Ok(()) => anyhow::bail!("it was written"),
    }
}

#[tokio::test]
async fn views_are_written_to_when_allowed_and_never_altered() -> Result<()> {
    for db in [mariadb().await?, postgres().await?] {
        execute(&db, "CREATE TABLE base(id INT PRIMARY KEY, name VARCHAR(9))").await?;
        execute(&db, "CREATE VIEW t AS SELECT id, name FROM base").await?;
        let records = named(&id_name(), &[(1, "a"), (2, "b")]);
        let refused = error(&db, &[], &records).await?;
        assert!(refused.contains("t is a VIEW, and table.types allows TABLE only"), "{refused}");
        let views = [("table.types", "TABLE,VIEW")];
        written(&db, &views, &records).await?;
        assert_eq!(rows(&db, "SELECT * FROM base ORDER BY id").await?, ["1 a", "2 b"]);
        let wide = schema([("id", int()), ("more", int().optional())]);
        let refused = error(&db, &views, &[record(0, &wide, vec![Value::Int32(3), Value::Null])]).await?;
        assert!(
            refused.contains("View t is missing fields (more) and ALTER VIEW is unsupported"),
            "{refused}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn partitioned_tables_are_tables_on_mariadb_and_a_type_on_postgres() -> Result<()> {
    let records = named(&id_name(), &[(1, "a"), (150, "b")]);
    let maria = mariadb().await?;
    execute(
        &maria,
        "CREATE TABLE t(id INT PRIMARY KEY, name TEXT) PARTITION BY RANGE (id) \
         (PARTITION a VALUES LESS THAN (100), PARTITION b VALUES LESS THAN (200))",
    )
    .await?;
    written(&maria, UPSERT, &records).await?;
    let postgres = postgres().await?;
    execute(
        &postgres,
        "CREATE TABLE t(id INT PRIMARY KEY, name TEXT) PARTITION BY RANGE (id); \
         CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (100); \
         CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (100) TO (200)",
    )
    .await?;
    let refused = error(&postgres, UPSERT, &records).await?;
    assert!(refused.contains("add PARTITIONED TABLE to table.types"), "{refused}");
    let allowed = [UPSERT, &[("table.types", "PARTITIONED TABLE")]].concat();
    written(&postgres, &allowed, &records).await?;
    for db in [&maria, &postgres] {
        assert_eq!(rows(db, "SELECT * FROM t ORDER BY id").await?, ["1 a", "150 b"]);
    }
    // No partition takes the row: it is at fault, not the task.
    for db in [&maria, &postgres] {
        let refused = error(db, &allowed_types(&allowed), &named(&id_name(), &[(999, "c")])).await?;
        assert!(
            refused.contains("SQLSTATE HY000, error 1526") || refused.contains("SQLSTATE 23514"),
            "{refused}"
        );
    }
    Ok(())
}

/// Of either server.
fn allowed_types<'a>(pairs: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut pairs: Vec<_> = pairs.iter().copied().filter(|(key, _)| *key != "table.types").collect();
    pairs.push(("table.types", "TABLE,PARTITIONED TABLE"));
    pairs
}

#[tokio::test]
async fn columns_of_the_table_s_own_are_left_to_the_database() -> Result<()> {
    for (db, create) in [
        (
            mariadb().await?,
            "CREATE TABLE t(ID INT PRIMARY KEY, name VARCHAR(20), twice INT AS (id * 2) STORED, \
             seen INT DEFAULT 7, Other INT)",
        ),
        (
            postgres().await?,
            "CREATE TABLE t(\"ID\" INT PRIMARY KEY, name TEXT, twice INT GENERATED ALWAYS AS (\"ID\" * 2) STORED, \
             seen INT DEFAULT 7, \"Other\" INT)",
        ),
    ] {
        execute(&db, create).await?;
        // The record has a field for the generated column, which is not written, and names in another case.
        let fields = schema([("id", int()), ("twice", int()), ("NAME", text()), ("other", int().optional())]);
        let row = |id: i32, name: &str| {
            record(id.into(), &fields, vec![Value::Int32(id), Value::Int32(-1), name.into(), Value::Int32(5)])
        };
        written(&db, UPSERT, &[row(1, "a"), row(2, "b")]).await?;
        written(&db, UPSERT, &[row(2, "c")]).await?;
        assert_eq!(rows(&db, "SELECT * FROM t ORDER BY 1").await?, ["1 a 2 7 5", "2 c 4 7 5"]);
        let by_generated = [("insert.mode", "upsert"), ("pk.mode", "record_value"), ("pk.fields", "twice")];
        let refused = error(&db, &by_generated, &[row(3, "x")]).await?;
        assert!(refused.contains("the key column 'twice' of table t is a generated column"), "{refused}");
        // A column that must have a value and gets none is the database's to refuse.
        execute(&db, "CREATE TABLE u(id INT PRIMARY KEY, name VARCHAR(9), must INT NOT NULL)").await?;
        let to_u = [UPSERT, &[("table.name.format", "u")]].concat();
        let refused = error(&db, &to_u, &named(&id_name(), &[(1, "a")])).await?;
        assert!(refused.contains("must") && refused.contains("SQLSTATE"), "{refused}");
    }
    Ok(())
}

#[tokio::test]
async fn tables_of_other_schemas_and_catalogues() -> Result<()> {
    let AnyDatabase::MariaDb(maria) = mariadb().await? else { unreachable!() };
    let other = Database::create(&unique("tables")).await?;
    let format = format!("{}.${{topic}}", other.name);
    for name in ["a", "b"] {
        let pairs = [UPSERT, &[("table.name.format", format.as_str())]].concat();
        written(&maria, &pairs, &named(&id_name(), &[(1, name)])).await?;
    }
    assert_eq!(words(&other.query("SELECT * FROM t").await?), ["1 b"]);
    let refused =
        error(&maria, &[("table.name.format", "a.b.${topic}")], &named(&id_name(), &[(1, "a")])).await?;
    assert!(refused.contains("three parts"), "{refused}");

    let AnyDatabase::Postgres(postgres) = postgres().await? else { unreachable!() };
    postgres.execute("CREATE SCHEMA shop").await?;
    let format = format!("{}.shop.${{topic}}", postgres.name);
    for name in ["a", "b"] {
        let pairs = [UPSERT, &[("table.name.format", format.as_str())]].concat();
        written(&postgres, &pairs, &named(&id_name(), &[(1, name)])).await?;
    }
    assert_eq!(words(&postgres.query("SELECT * FROM shop.t").await?), ["1 b"]);
    let pairs = [("table.name.format", "elsewhere.shop.${topic}")];
    let refused = error(&postgres, &pairs, &named(&id_name(), &[(1, "a")])).await?;
    assert!(refused.contains("SQLSTATE 0A000: cross-database references are not implemented"), "{refused}");
    Ok(())
}

const WIDEN: &[(&str, &str)] = &[("auto.evolve.widen", "true")];

#[tokio::test]
async fn columns_grow_when_records_need_it_and_all_else_of_them_stays() -> Result<()> {
    let maria = mariadb().await?;
    execute(
        &maria,
        "CREATE TABLE t(id INT PRIMARY KEY, n SMALLINT UNSIGNED NOT NULL DEFAULT 7 COMMENT 'it''s, n', f FLOAT, \
         s VARCHAR(5) CHARACTER SET latin1 NOT NULL, y VARBINARY(4))",
    )
    .await?;
    let postgres = postgres().await?;
    execute(
        &postgres,
        "CREATE TABLE t(id INT PRIMARY KEY, n SMALLINT NOT NULL DEFAULT 7, f REAL, s VARCHAR(5) NOT NULL, y BYTEA)",
    )
    .await?;
    let fields = schema([
        ("id", Schema::new(Type::Int64)),
        ("n", Schema::new(Type::Int64)),
        ("f", Schema::new(Type::Float64)),
        ("s", text()),
        ("y", Schema::new(Type::Bytes)),
    ]);
    let row = |id: i64, n: i64, text: &str, bytes: usize| {
        let f = Value::Float64(0.1);
        let values =
            vec![Value::Int64(id), Value::Int64(n), f, text.into(), Value::Bytes(vec![7; bytes].into())];
        record(id, &fields, values)
    };
    for db in [&maria, &postgres] {
        let refused = error(db, UPSERT, &[row(1, 1 << 40, "a", 1)]).await?;
        assert!(refused.contains("SQLSTATE 22003"), "{refused}");
        let mut task = start(&sink_config(db, &[UPSERT, WIDEN].concat())).await?;
        put(&mut task, &[row(1, 1 << 40, "a", 4)]).await?;
        // Later records may be longer; the statements were prepared before.
        put(&mut task, &[row(2, -1, "sixsix", 5)]).await?;
        put(&mut task, &[row(3, 0, &"x".repeat(100_000), 70_000)]).await?;
        let sql = "SELECT id, n, f, LENGTH(s), LENGTH(y) FROM t ORDER BY id";
        assert_eq!(rows(db, sql).await?, ["1 1099511627776 0.1 1 4", "2 -1 0.1 6 5", "3 0 0.1 100000 70000"]);
        // Never the key: other tables may refer to it.
        let refused = fatal(task.put(&[row(1 << 40, 0, "a", 1)]).await)?;
        assert!(refused.contains("SQLSTATE 22003"), "{refused}");
    }
    let created = rows(&maria, "SHOW CREATE TABLE t").await?.join("\n");
    for line in [
        "`id` int(11) NOT NULL,",
        "`n` bigint(20) NOT NULL DEFAULT 7 COMMENT 'it''s, n',",
        "`f` double DEFAULT NULL,",
        "`s` mediumtext CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL,",
        "`y` mediumblob DEFAULT NULL,",
    ] {
        assert!(created.contains(line), "{line} is not in {created}");
    }
    let sql = "SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, atthasdef), ', ' \
               ORDER BY attnum) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0";
    assert_eq!(
        rows(&postgres, sql).await?,
        ["id integer t f, n bigint t t, f double precision f f, s text t f, y bytea f f"]
    );
    Ok(())
}

#[tokio::test]
async fn a_column_that_may_not_grow_makes_bad_rows_of_those_that_do_not_fit() -> Result<()> {
    let fields = schema([("id", int()), ("n", Schema::new(Type::Int64))]);
    let row = |id: i32, n| record(id.into(), &fields, vec![Value::Int32(id), Value::Int64(n)]);
    let maria = mariadb().await?;
    execute(&maria, "CREATE TABLE parent(n INT PRIMARY KEY)").await?;
    execute(&maria, "INSERT INTO parent VALUES(5)").await?;
    execute(&maria, "CREATE TABLE t(id INT PRIMARY KEY, n INT, FOREIGN KEY (n) REFERENCES parent(n))")
        .await?;
    let postgres = postgres().await?;
    execute(&postgres, "CREATE TABLE t(id INT PRIMARY KEY, n INT); CREATE VIEW v AS SELECT n FROM t").await?;
    for db in [&maria, &postgres] {
        let mut task = start(&sink_config(db, &[UPSERT, WIDEN].concat())).await?;
        put(&mut task, &[row(1, 5)]).await?;
        let refused = fatal(task.put(&[row(2, 1 << 40)]).await)?;
        assert!(refused.contains("SQLSTATE 22003"), "{refused}");
        put(&mut task, &[row(3, 5)]).await?;
        assert_eq!(rows(db, "SELECT * FROM t ORDER BY id").await?, ["1 5", "3 5"]);
    }
    Ok(())
}

/// Keys of several types: what an IN list or a list of values compares must be what one row's statement compares.
fn keyed() -> Vec<(&'static str, &'static str, Schema, Vec<Value>)> {
    let decimal = |unscaled: i64| Value::Decimal(Decimal::new(unscaled, 2));
    vec![
        ("INT", "INT", int(), (0..5).map(Value::Int32).collect()),
        ("VARCHAR(20)", "VARCHAR(20)", text(), ["a", "b", "é", "1", "01"].map(Value::from).to_vec()),
        (
            "DECIMAL(40,2)",
            "NUMERIC(40,2)",
            Schema::decimal(2),
            // Numbers that are the same as doubles.
            (0..5).map(|n| decimal(900_719_925_474_099_300 + n)).collect(),
        ),
        ("DATE", "DATE", Schema::date(), (0..5).map(|n| Value::Date(n * 1000 - 2000)).collect()),
        (
            "DATETIME(3)",
            "TIMESTAMP(3)",
            Schema::timestamp(),
            (0..5).map(|n| Value::Timestamp(n - 2)).collect(),
        ),
    ]
}

#[tokio::test]
async fn updates_and_deletes_meet_exactly_their_rows() -> Result<()> {
    for (db, on_mariadb) in [(mariadb().await?, true), (postgres().await?, false)] {
        for (number, (maria_type, postgres_type, key, keys)) in keyed().into_iter().enumerate() {
            let table = format!("t{number}");
            let sql_type = if on_mariadb { maria_type } else { postgres_type };
            execute(
                &db,
                &format!("CREATE TABLE {table}(id {sql_type} PRIMARY KEY, l INT, n INT, m INT DEFAULT 9)"),
            )
            .await?;
            let fields = schema([("id", key), ("l", int()), ("n", int())]);
            let to = |record: SinkRecord| SinkRecord { topic: table.as_str().into(), ..record };
            let row = |index: usize, n: i32| -> Result<SinkRecord> {
                let values = vec![keys[index].clone(), Value::Int32(1), Value::Int32(n)];
                Ok(to(record(i64::try_from(index)?, &fields, values)))
            };
            let all = |n: i32| (0..keys.len()).map(|index| row(index, n)).collect::<Result<Vec<_>>>();
            written(&db, UPSERT, &all(0)?).await?;

            // Of two rows of one key the later counts; a row that is not there is no error.
            let update = [("insert.mode", "update"), ("pk.mode", "record_value"), ("pk.fields", "id")];
            let mut changes = all(1)?[..4].to_vec();
            changes.push(row(0, 2)?);
            written(&db, &update, &changes).await?;
            let sql = format!("SELECT n, m, COUNT(*) FROM {table} GROUP BY n, m ORDER BY n");
            assert_eq!(rows(&db, &sql).await?, ["0 9 1", "1 9 3", "2 9 1"], "{sql_type}");
            let two = [("insert.mode", "update"), ("pk.mode", "record_value"), ("pk.fields", "id,l")];
            written(&db, &two, &all(3)?).await?;
            assert_eq!(rows(&db, &sql).await?, ["3 9 5"], "{sql_type}");

            let delete = [
                ("insert.mode", "upsert"),
                ("pk.mode", "record_key"),
                ("pk.fields", "id"),
                ("delete.enabled", "true"),
            ];
            let tombstones = tombstones(&table, &fields, &keys[..4]);
            written(&db, &delete, &tombstones).await?;
            let left = format!("SELECT n FROM {table}");
            assert_eq!(rows(&db, &left).await?, ["3"], "{sql_type}: only the last is left");
        }
    }
    Ok(())
}

/// Records with the first field of the schema as their key and no value.
fn tombstones(table: &str, fields: &SchemaRef, keys: &[Value]) -> Vec<SinkRecord> {
    let key_schema = fields.fields()[0].schema.clone();
    keys.iter()
        .zip(0..)
        .map(|(key, offset)| SinkRecord {
            topic: table.into(),
            key_schema: Some(key_schema.clone()),
            key: key.clone(),
            value_schema: None,
            value: Value::Null,
            ..record(offset, fields, vec![])
        })
        .collect()
}

#[tokio::test]
async fn keys_of_several_columns_are_deleted_many_at_a_time() -> Result<()> {
    for db in [mariadb().await?, postgres().await?] {
        execute(&db, "CREATE TABLE t(a INT, b VARCHAR(9), n INT, PRIMARY KEY(a, b))").await?;
        let key = schema([("a", int()), ("b", text())]);
        let key_of =
            |n: i32| Value::Struct(vec![Value::Int32(n / 10), format!("k{}", n % 10).as_str().into()]);
        let fields = schema([("n", int())]);
        let keyed = |n: i32, value: Option<Value>| SinkRecord {
            key_schema: Some(key.clone()),
            key: key_of(n),
            value_schema: value.is_some().then(|| fields.clone()),
            value: value.unwrap_or(Value::Null),
            ..record(n.into(), &fields, vec![])
        };
        let pairs = [("insert.mode", "upsert"), ("pk.mode", "record_key"), ("delete.enabled", "true")];
        let rows_in: Vec<SinkRecord> =
            (0..3000).map(|n| keyed(n, Some(Value::Struct(vec![Value::Int32(n)])))).collect();
        written(&db, &pairs, &rows_in).await?;
        let gone: Vec<SinkRecord> = (0..3000).filter(|n| n % 3 != 0).map(|n| keyed(n, None)).collect();
        written(&db, &pairs, &gone).await?;
        let found = rows(&db, "SELECT COUNT(*), SUM(n), SUM(MOD(n, 3)) FROM t").await?;
        ensure!(found == ["1000 1498500 0"], "{found:?}");
    }
    Ok(())
}
