//! The JDBC sink against a real PostgreSQL, called as the runtime calls it: what only a server can show about SQL text,
//! types, errors and other sessions.

use crate::support::jdbc::*;
use anyhow::{Result, ensure};
use connect_api::{Decimal, Schema, SinkConnector, SinkRecord, SinkTask, Type, Value};
use connect_jdbc::JdbcSinkConnector;
use std::sync::Arc;
use testkit::{PgDatabase, unique};

async fn task(db: &PgDatabase, pairs: &[(&str, &str)]) -> Result<Box<dyn SinkTask>> {
    start(&sink_config(db, pairs)).await
}

async fn rows(db: &PgDatabase, sql: &str) -> Result<Vec<String>> {
    Ok(words(&db.query(sql).await?))
}

/// Name, type and nullability of a table's columns, one per line.
async fn columns(db: &PgDatabase, table: &str) -> Result<Vec<String>> {
    let sql = "SELECT a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN '!' ELSE '' END, \
               pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND \
               d.adnum = a.attnum WHERE a.attnum > 0 AND a.attrelid = ";
    rows(db, &format!("{sql}'{table}'::regclass ORDER BY a.attnum")).await
}

#[tokio::test]
async fn a_table_is_created_and_upserted_into() -> Result<()> {
    let db = PgDatabase::create(&unique("jdbc")).await?;
    for name in ["c", "d"] {
        let mut task = task(&db, UPSERT).await?;
        task.put(&named(&id_name(), &[(1, "a"), (2, "b"), (1, name)])).await.map_err(text_of)?;
        task.stop().await;
        assert_eq!(rows(&db, "SELECT * FROM t ORDER BY id").await?, [format!("1 {name}"), "2 b".into()]);
    }
    assert_eq!(columns(&db, "t").await?, ["id integer ! NULL", "name text  NULL"]);
    let key = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 't'::regclass";
    assert_eq!(rows(&db, key).await?, ["PRIMARY KEY (id)"]);
    Ok(())
}

#[tokio::test]
async fn an_upsert_leaves_other_columns_alone() -> Result<()> {
    let db = PgDatabase::create(&unique("jdbc")).await?;
    // Names that differ in case only are found, as the table spells them.
    db.execute(r#"CREATE TABLE t("ID" INT PRIMARY KEY, name TEXT, note VARCHAR(9) DEFAULT 'new')"#).await?;
    db.execute("INSERT INTO t VALUES(1, 'a', 'kept')").await?;
    let mut task = task(&db, UPSERT).await?;
    task.put(&named(&id_name(), &[(1, "b"), (2, "c")])).await.map_err(text_of)?;
    assert_eq!(rows(&db, "SELECT * FROM t ORDER BY 1").await?, ["1 b kept", "2 c new"]);

    let key_only = schema([("id", int())]);
    let both = [record(0, &key_only, vec![Value::Int32(1)]), record(1, &key_only, vec![Value::Int32(1)])];
    task.put(&both).await.map_err(text_of)?;
    assert_eq!(rows(&db, "SELECT * FROM t ORDER BY 1").await?, ["1 b kept", "2 c new"]);
    Ok(())
}

/// PostgreSQL refuses a statement that meets a key twice, so rows of one key become one; whose keys it alone knows to be
/// the same are written one by one.
#[tokio::test]
async fn the_last_of_a_key_wins_whatever_the_key() -> Result<()> {
    let db = PgDatabase::create(&unique("jdbc")).await?;
    let mut task = self::task(&db, UPSERT).await?;
    let rows_in = pairs(&id_name(), (0..3000).map(|n| (n % 7, format!("{n}"))));
    task.put(&rows_in).await.map_err(text_of)?;
    assert_eq!(
        rows(&db, "SELECT * FROM t ORDER BY id").await?,
        ["0 2996", "1 2997", "2 2998", "3 2999", "4 2993", "5 2994", "6 2995"].map(str::to_owned)
    );

    // A second schema between: what the wider record said of x must not be undone by the order of groups.
    let wide = schema([("id", int()), ("x", int().optional())]);
    let mut mixed = named(&id_name(), &[(1, "first")]);
    mixed.push(record(1, &wide, vec![Value::Int32(1), Value::Int32(5)]));
    mixed.extend(named(&id_name(), &[(1, "last")]));
    task.put(&mixed).await.map_err(text_of)?;
    assert_eq!(rows(&db, "SELECT name, x FROM t WHERE id = 1").await?, ["last 5"]);

    db.execute("CREATE TABLE u(id UUID PRIMARY KEY, n INT)").await?;
    let by_uuid = schema([("id", text()), ("n", int())]);
    let same = ["6f2b8f0e-1111-4222-8333-444455556666", "6F2B8F0E-1111-4222-8333-444455556666"];
    let records: Vec<SinkRecord> = (0..40_i32)
        .map(|n| {
            let id = same[usize::from(n % 2 == 1)];
            record(n.into(), &by_uuid, vec![id.into(), Value::Int32(n)])
        })
        .collect();
    let mut task = self::task(&db, &[UPSERT, &[("table.name.format", "u")]].concat()).await?;
    for _ in 0..2 {
        assert_eq!(put(&mut task, &records).await?, 0, "no retry is needed");
        assert_eq!(rows(&db, "SELECT * FROM u").await?, [format!("{} 39", same[0])]);
    }
    Ok(())
}

#[tokio::test]
async fn values_at_the_edges() -> Result<()> {
    let db = PgDatabase::create(&unique("jdbc")).await?;
    let array = |element: Schema| Schema::new(Type::Array(Arc::new(element)));
    let schema = schema([
        ("b", Schema::new(Type::Boolean)),
        ("i8", Schema::new(Type::Int8)),
        ("i16", Schema::new(Type::Int16)),
        ("i32", int()),
        ("i64", Schema::new(Type::Int64)),
        ("f32", Schema::new(Type::Float32)),
        ("f64", Schema::new(Type::Float64)),
        ("s", text().optional()),
        ("y", Schema::new(Type::Bytes)),
        ("d", Schema::decimal(3)),
        ("da", Schema::date()),
        ("ti", Schema::time()),
        ("ts", Schema::timestamp()),
        ("ai", array(Schema::new(Type::Int8).optional())),
        ("at", array(text()).optional()),
        ("ad", array(Schema::decimal(1))),
        ("ats", array(Schema::timestamp())),
    ]);
    let low = vec![
        Value::Boolean(false),
        Value::Int8(i8::MIN),
        Value::Int16(i16::MIN),
        Value::Int32(i32::MIN),
        Value::Int64(i64::MIN),
        Value::Float32(0.5),
        Value::Float64(-1e300),
        Value::from("'; DROP TABLE t; -- \\ ? $1 :x é😀"),
        Value::Bytes(vec![0, 255, 39].into()),
        Value::Decimal(Decimal::new(-1, 3)),
        Value::Date(-2_440_588),
        Value::Time(0),
        Value::Timestamp(-1),
        Value::Array(vec![Value::Int8(-1), Value::Null]),
        Value::Array(vec!["a\"b,{}".into(), "".into()]),
        Value::Array(vec![Value::Decimal(Decimal::new(-15, 1))]),
        Value::Array(vec![Value::Timestamp(0)]),
    ];
    let high = vec![
        Value::Boolean(true),
        Value::Int8(i8::MAX),
        Value::Int16(i16::MAX),
        Value::Int32(i32::MAX),
        Value::Int64(i64::MAX),
        Value::Float32(f32::NAN),
        Value::Float64(f64::INFINITY),
        Value::Null,
        Value::Bytes(vec![].into()),
        Value::Decimal(Decimal::new(10_i128.pow(37), 3)),
        Value::Date(2_145_042_905),
        Value::Time(86_399_999),
        Value::Timestamp(9_224_318_015_999_999),
        Value::Array(vec![]),
        Value::Null,
        Value::Array(vec![]),
        Value::Array(vec![]),
    ];
    let mut task = task(&db, &[("date.calendar.system", "PROLEPTIC_GREGORIAN")]).await?;
    task.put(&[record(0, &schema, low), record(1, &schema, high)]).await.map_err(text_of)?;
    assert_eq!(
        rows(&db, "SELECT * FROM t").await?,
        [
            "f -128 -32768 -2147483648 -9223372036854775808 0.5 -1e+300 '; DROP TABLE t; -- \\ ? $1 :x é😀 \\x00ff27 \
             -0.001 4714-11-24 BC 00:00:00 1969-12-31 23:59:59.999 {-1,NULL} {\"a\\\"b,{}\",\"\"} {-1.5} \
             {\"1970-01-01 00:00:00\"}",
            "t 127 32767 2147483647 9223372036854775807 NaN Infinity NULL \\x 10000000000000000000000000000000000.000 \
             5874897-12-31 23:59:59.999 294276-12-31 23:59:59.999 {} NULL {} {}",
        ]
    );
    assert_eq!(
        columns(&db, "t").await?[8..13].join(", "),
        "y bytea ! NULL, d numeric ! NULL, da date ! NULL, ti time without time zone ! NULL, ts timestamp without time zone ! NULL"
    );
    Ok(())
}

#[tokio::test]
async fn defaults_arrive_in_the_table() -> Result<()> {
    let db = PgDatabase::create(&unique("jdbc")).await?;
    let fields = [
        ("b", Schema::new(Type::Boolean), Value::Boolean(true)),
        ("f", Schema::new(Type::Float64), Value::Float64(1e300)),
        ("n", Schema::new(Type::Float32), Value::Float32(f32::NEG_INFINITY)),
        ("s", text(), r"it's a \ `tick` $1".into()),
        ("y", Schema::new(Type::Bytes), Value::Bytes(vec![0, 255, 39].into())),
        ("d", Schema::decimal(2), Value::Decimal(Decimal::new(-5, 2))),
        ("da", Schema::date(), Value::Date(-1)),
        ("ti", Schema::time(), Value::Time(86_399_999)),
        ("ts", Schema::timestamp(), Value::Timestamp(-1)),
        ("a", Schema::new(Type::Array(Arc::new(text()))), Value::Array(vec!["a'b".into(), Value::Null])),
    ];
    let mut all = vec![("id", int())];
    all.extend(
        fields.iter().map(|(name, schema, value)| (*name, schema.clone().with_default(value.clone()))),
    );
    let schema = schema(all);
    let mut values = vec![Value::Null; fields.len() + 1];
    values[0] = Value::Int32(1);
    let expected = "t 1e+300 -Infinity it's a \\ `tick` $1 \\x00ff27 -0.05 1969-12-31 23:59:59.999 1969-12-31 \
                    23:59:59.999 {a'b,NULL}";
    for table in ["created", "evolved"] {
        let mut task = task(&db, &[("table.name.format", table)]).await?;
        if table == "evolved" {
            db.execute("CREATE TABLE evolved(id INT)").await?;
            db.execute("INSERT INTO evolved VALUES(7)").await?;
        }
        task.put(&[record(0, &schema, values.clone())]).await.map_err(text_of)?;
        db.execute(&format!("INSERT INTO {table}(id) VALUES(9)")).await?;
        for row in rows(&db, &format!("SELECT b,f,n,s,y,d,da,ti,ts,a FROM {table}")).await? {
            assert_eq!(row, expected, "{table}");
        }
    }
    Ok(())
}

/// A text goes into a column of any type, by the server's own reading of it.
#[tokio::test]
async fn texts_are_cast_to_the_type_of_the_column() -> Result<()> {
    let db = PgDatabase::create(&unique("jdbc")).await?;
    db.execute(
        "CREATE SCHEMA shop; CREATE TYPE shop.mood AS ENUM ('glad', 'sad'); CREATE DOMAIN short AS VARCHAR(3); \
         CREATE TABLE t(id UUID PRIMARY KEY, j JSON, jb JSONB, m shop.mood, tz TIMESTAMPTZ, n NUMERIC(10,2), i INET, \
         v VARCHAR(5), dom short, us UUID[], bits BIT(3), at TIMESTAMPTZ)",
    )
    .await?;
    let names = ["id", "j", "jb", "m", "tz", "n", "i", "v", "dom", "bits"];
    let mut fields: Vec<(&str, Schema)> = names.iter().map(|name| (*name, text().optional())).collect();
    fields.push(("us", Schema::new(Type::Array(Arc::new(text()))).optional()));
    fields.push(("at", Schema::timestamp().optional()));
    let schema = schema(fields);
    let id = "6f2b8f0e-1111-4222-8333-444455556666";
    let texts = [
        id,
        r#"{"b": 1,"a":2}"#,
        r#"{"b": 1,"a":2}"#,
        "sad",
        "2024-05-04T10:00:00+02:00",
        "12.345",
        "10.0.0.1",
        "12345",
        "abc",
        "101",
    ];
    let mut values: Vec<Value> = texts.iter().map(|text| Value::from(*text)).collect();
    values.push(Value::Array(vec![id.into()]));
    values.push(Value::Timestamp(0));
    let nulls: Vec<Value> = values
        .iter()
        .enumerate()
        .map(|(i, value)| {
            if i == 0 {
                "6f2b8f0e-1111-4222-8333-444455556667".into()
            } else {
                let _ = value;
                Value::Null
            }
        })
        .collect();
    let mut task = task(&db, UPSERT).await?;
    task.put(&[record(0, &schema, values.clone()), record(1, &schema, nulls)]).await.map_err(text_of)?;
    assert_eq!(
        rows(&db, "SELECT j, jb, m, tz AT TIME ZONE 'UTC', n, i, v, dom, us, bits, at AT TIME ZONE 'UTC' FROM t ORDER BY id").await?,
        [
            format!(r#"{{"b": 1,"a":2}} {{"a": 2, "b": 1}} sad 2024-05-04 08:00:00 12.35 10.0.0.1 12345 abc {{{id}}} 101 1970-01-01 00:00:00"#),
            "NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL".to_owned(),
        ]
    );
    // What does not fit is refused, not cut off.
    for (index, bad, state) in [
        (7, "123456", "22001"),
        (8, "abcd", "22001"),
        (9, "1010", "22026"),
        (3, "angry", "22P02"),
        (1, "{", "22P02"),
    ] {
        let mut values = values.clone();
        values[index] = bad.into();
        let error = fatal(task.put(&[record(5, &schema, values)]).await)?;
        assert!(
            error.contains(&format!(
                "offset=5,timestamp=null) cannot be written to table t: SQLSTATE {state}: "
            )),
            "{bad}: {error}"
        );
    }
    Ok(())
}

/// The type of a column is looked at again when it turns out to be another than it was.
#[tokio::test]
async fn a_column_that_changed_its_type_is_found() -> Result<()> {
    let db = PgDatabase::create(&unique("jdbc")).await?;
    let mut task = task(&db, UPSERT).await?;
    let schema = id_name();
    task.put(&named(&schema, &[(1, "{}")])).await.map_err(text_of)?;
    db.execute("ALTER TABLE t ALTER name TYPE JSONB USING name::jsonb").await?;
    assert_eq!(put(&mut task, &named(&schema, &[(1, "[2]")])).await?, 1);
    assert_eq!(rows(&db, "SELECT * FROM t").await?, ["1 [2]"]);
    // The same statement's parameters may also change with the schema.
    let long = self::schema([("id", Schema::new(Type::Int64)), ("name", text().optional())]);
    db.execute("ALTER TABLE t ALTER id TYPE BIGINT").await?;
    task.put(&[record(0, &long, vec![Value::Int64(1 << 40), "[3]".into()])]).await.map_err(text_of)?;
    task.put(&named(&schema, &[(2, "[4]")])).await.map_err(text_of)?;
    assert_eq!(rows(&db, "SELECT * FROM t ORDER BY id").await?, ["1 [2]", "2 [4]", "1099511627776 [3]"]);
    Ok(())
}

#[tokio::test]
async fn what_a_text_or_key_cannot_hold_is_refused() -> Result<()> {
    let db = PgDatabase::create(&unique("jdbc")).await?;
    let mut task = task(&db, UPSERT).await?;
    let error = fatal(task.put(&named(&id_name(), &[(1, "a"), (2, "a\0b")])).await)?;
    assert!(
        error.contains("offset=1") && error.contains("field 'name'") && error.contains("NUL character"),
        "{error}"
    );

    db.execute("CREATE TABLE t(id INT, name VARCHAR(3))").await?;
    let error = fatal(task.put(&named(&id_name(), &[(1, "a")])).await)?;
    assert!(error.contains("SQLSTATE 42P10") && error.contains("give the table a primary key"), "{error}");
    let mut task = self::task(&db, &[]).await?;
    let error = fatal(task.put(&named(&id_name(), &[(1, "ok"), (1, "long")])).await)?;
    assert!(error.contains("SQLSTATE 22001"), "{error}");
    db.execute("ALTER TABLE t ADD strict INT NOT NULL").await?;
    let error = fatal(task.put(&named(&id_name(), &[(1, "ok")])).await)?;
    assert!(error.contains("SQLSTATE 23502"), "{error}");
    assert_eq!(db.count("t").await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_put_is_all_or_nothing_even_when_it_creates_tables() -> Result<()> {
    let db = PgDatabase::create(&unique("jdbc")).await?;
    let mut task =
        task(&db, &[("pk.mode", "record_value"), ("pk.fields", "id"), ("batch.size", "2")]).await?;
    let mut records = named(&id_name(), &[(1, "a"), (2, "b"), (3, "c"), (2, "again")]);
    records.push(SinkRecord { topic: "other".into(), ..records[0].clone() });
    let error = fatal(task.put(&records).await)?;
    assert!(
        error.contains("offset=3,timestamp=null) cannot be written to table t: SQLSTATE 23505: duplicate key value violates"),
        "{error}"
    );
    assert!(error.contains("Key (id)=(2) already exists"), "{error}");
    assert!(!error.contains(&db.server.password), "{error}");
    assert_eq!((db.count("t").await?, db.count("other").await?), (0, 0));
    // The task goes on when the records are right.
    task.put(&named(&id_name(), &[(1, "a")])).await.map_err(text_of)?;
    assert_eq!(db.count("t").await?, 1);
    Ok(())
}

#[tokio::test]
async fn many_and_large_rows_are_split() -> Result<()> {
    let db = PgDatabase::create(&unique("jdbc")).await?;
    let mut task = task(&db, &[("pk.mode", "kafka")]).await?;
    let rows_in = pairs(&id_name(), (0..3777).map(|id| (id, format!("n{id}"))));
    task.put(&rows_in).await.map_err(text_of)?;
    let sql = "SELECT COUNT(*), COUNT(*) FILTER (WHERE id = __connect_offset AND name = 'n' || id) FROM t";
    assert_eq!(rows(&db, sql).await?, ["3777 3777"]);
    // 200 columns: 65535 parameters are 256 rows.
    let names: Vec<String> = (0..200).map(|n| format!("c{n}")).collect();
    let wide = schema(names.iter().map(|name| (name.as_str(), Schema::new(Type::Int16))));
    let records: Vec<SinkRecord> = (0..700).map(|n| record(n, &wide, vec![Value::Int16(7); 200])).collect();
    let mut wide_task = self::task(&db, &[("table.name.format", "wide")]).await?;
    wide_task.put(&records).await.map_err(text_of)?;
    assert_eq!(rows(&db, "SELECT COUNT(*), MIN(c0), MAX(c199) FROM wide").await?, ["700 7 7"]);
    // A column is added to a table that is there, and a name too long for the server is known by its beginning.
    let long = "x".repeat(70);
    let longer = schema([("id", int()), (long.as_str(), int().optional())]);
    let mut task = self::task(&db, &[("table.name.format", "long")]).await?;
    for n in 0..2 {
        task.put(&[record(n, &longer, vec![Value::Int32(1), Value::Int32(2)])]).await.map_err(text_of)?;
    }
    assert_eq!(rows(&db, "SELECT * FROM long").await?, ["1 2", "1 2"]);

    let mut large = self::task(&db, &[("table.name.format", "big")]).await?;
    let megabyte = "x".repeat(1 << 20);
    large.put(&pairs(&id_name(), (0..40).map(|id| (id, megabyte.clone())))).await.map_err(text_of)?;
    assert_eq!(rows(&db, "SELECT COUNT(*), MIN(LENGTH(name)) FROM big").await?, ["40 1048576"]);
    Ok(())
}

#[tokio::test]
async fn a_table_of_a_schema() -> Result<()> {
    let db = PgDatabase::create(&unique("jdbc")).await?;
    db.execute("CREATE SCHEMA shop; CREATE SCHEMA \"Odd One\"").await?;
    let current = format!("{}?currentSchema=shop", db.jdbc_url());
    for (schema, pairs) in [
        ("\"Odd One\"", &[("table.name.format", "\"Odd One\".${topic}")][..]),
        ("shop", &[("connection.url", current.as_str())][..]),
    ] {
        let mut task = task(&db, &[UPSERT, pairs].concat()).await?;
        for name in ["a", "b"] {
            task.put(&named(&id_name(), &[(1, name)])).await.map_err(text_of)?;
        }
        assert_eq!(rows(&db, &format!("SELECT * FROM {schema}.t")).await?, ["1 b"]);
    }
    let mut task = task(&db, &[UPSERT, &[("table.name.format", "nowhere.t")]].concat()).await?;
    let error = fatal(task.put(&named(&id_name(), &[(1, "a")])).await)?;
    assert!(error.contains("SQLSTATE 3F000: schema \"nowhere\" does not exist"), "{error}");
    Ok(())
}

#[tokio::test]
async fn unquoted_names_are_lower_case() -> Result<()> {
    let db = PgDatabase::create(&unique("jdbc")).await?;
    let never = &[("quote.sql.identifiers", "never"), ("table.name.format", "Orders_${topic}")];
    let mut task = task(&db, &[&UPSERT[..2], &[("pk.fields", "Id")], never].concat()).await?;
    let schema = schema([("Id", int()), ("userName", text())]);
    for name in ["a", "b"] {
        task.put(&[record(0, &schema, vec![Value::Int32(1), name.into()])]).await.map_err(text_of)?;
    }
    assert_eq!(rows(&db, "SELECT id, username FROM orders_t").await?, ["1 b"]);
    Ok(())
}

#[tokio::test]
async fn unprepared_statements_and_a_session_that_does_not_keep_them() -> Result<()> {
    let db = PgDatabase::create(&unique("jdbc")).await?;
    let url = format!("{}?prepareThreshold=0&ApplicationName=unprepared", db.jdbc_url());
    let mut task = task(&db, &[UPSERT, &[("connection.url", &url)]].concat()).await?;
    for name in ["a", "b"] {
        task.put(&named(&id_name(), &[(1, name), (2, name)])).await.map_err(text_of)?;
    }
    assert_eq!(rows(&db, "SELECT * FROM t ORDER BY id").await?, ["1 b", "2 b"]);
    Ok(())
}

#[tokio::test]
async fn a_refused_login_is_final_and_names_no_password() -> Result<()> {
    let db = PgDatabase::create(&unique("jdbc")).await?;
    let pairs = [("connection.password", "wr0ng")];
    let faults = JdbcSinkConnector::confluent().validate_remote(&sink_config(&db, &pairs)).await;
    ensure!(faults.len() == 1, "{faults:?}");
    assert!(faults[0].1.starts_with("Could not connect to database. "), "{faults:?}");
    assert!(
        faults[0].1.contains("SQLSTATE 28P01: password authentication failed")
            && !faults[0].1.contains("wr0ng"),
        "{faults:?}"
    );
    let mut task = task(&db, &pairs).await?;
    let error = fatal(task.put(&named(&id_name(), &[(1, "a")])).await)?;
    assert!(error.contains("SQLSTATE 28P01") && !error.contains("wr0ng"), "{error}");

    assert_eq!(JdbcSinkConnector::confluent().validate_remote(&sink_config(&db, &[])).await, []);
    let unknown = format!("jdbc:postgresql://127.0.0.1:{}/no_such_database", db.server.port);
    let faults = JdbcSinkConnector::confluent()
        .validate_remote(&sink_config(&db, &[("connection.url", &unknown)]))
        .await;
    assert!(
        faults[0].1.contains("SQLSTATE 3D000: database \"no_such_database\" does not exist"),
        "{faults:?}"
    );
    Ok(())
}
