//! The JDBC sink against a real MariaDB, called as the runtime calls it: what only a server can show about SQL text,
//! types, errors and other sessions.

use crate::support::jdbc::*;
use anyhow::{Result, ensure};
use connect_api::{ConfigMap, Decimal, Schema, SinkConnector, SinkRecord, SinkTask, Type, Value};
use connect_jdbc::JdbcSinkConnector;
use testkit::{Database, unique};

fn config(db: &Database, pairs: &[(&str, &str)]) -> ConfigMap {
    sink_config(db, pairs)
}

async fn task(db: &Database, pairs: &[(&str, &str)]) -> Result<Box<dyn SinkTask>> {
    start(&config(db, pairs)).await
}

/// Rows as words, NULL for null.
async fn rows(db: &Database, sql: &str) -> Result<Vec<String>> {
    Ok(words(&db.query(sql).await?))
}

#[tokio::test]
async fn both_url_schemes_create_and_upsert() -> Result<()> {
    let db = Database::create(&unique("jdbc")).await?;
    for scheme in ["mysql", "mariadb"] {
        let mut task = task(&db, &[UPSERT, &[("connection.url", &db.jdbc_url(scheme))]].concat()).await?;
        task.put(&named(&id_name(), &[(1, "a"), (2, "b"), (1, scheme)])).await.map_err(text_of)?;
        task.stop().await;
        assert_eq!(rows(&db, "SELECT * FROM t ORDER BY id").await?, [format!("1 {scheme}"), "2 b".into()]);
    }
    let created = rows(&db, "SHOW CREATE TABLE t").await?;
    assert!(
        created[0].contains("`id` int(11) NOT NULL,\n  `name` text DEFAULT NULL,\n  PRIMARY KEY (`id`)"),
        "{created:?}"
    );
    Ok(())
}

#[tokio::test]
async fn an_upsert_leaves_other_columns_alone() -> Result<()> {
    let db = Database::create(&unique("jdbc")).await?;
    db.execute("CREATE TABLE t(ID INT PRIMARY KEY, name TEXT, note VARCHAR(9) DEFAULT 'new')").await?;
    db.execute("INSERT INTO t VALUES(1, 'a', 'kept')").await?;
    let mut task = task(&db, UPSERT).await?;
    task.put(&named(&id_name(), &[(1, "b"), (2, "c")])).await.map_err(text_of)?;
    assert_eq!(rows(&db, "SELECT * FROM t ORDER BY id").await?, ["1 b kept", "2 c new"]);

    let key_only = schema([("id", int())]);
    task.put(&[record(0, &key_only, vec![Value::Int32(1)])]).await.map_err(text_of)?;
    assert_eq!(rows(&db, "SELECT * FROM t ORDER BY id").await?, ["1 b kept", "2 c new"]);
    Ok(())
}

#[tokio::test]
async fn string_keys_fit_or_are_refused() -> Result<()> {
    let db = Database::create(&unique("jdbc")).await?;
    let schema = schema([("id", text()), ("n", int())]);
    let row = |offset, id: &str| record(offset, &schema, vec![id.into(), Value::Int32(1)]);
    let mut task = task(&db, UPSERT).await?;
    task.put(&[row(0, "a"), row(1, &"é".repeat(255))]).await.map_err(text_of)?;
    let error = fatal(task.put(&[row(2, "b"), row(3, &"x".repeat(256))]).await)?;
    assert!(
        error.contains("offset=3,timestamp=null) cannot be written to table t, column 'id': SQLSTATE 22001, error 1406: Data"),
        "{error}"
    );
    assert_eq!(db.count("t").await?, 2);

    let mut by_offset =
        self::task(&db, &[("pk.mode", "kafka"), ("insert.mode", "upsert"), ("table.name.format", "k")])
            .await?;
    for _ in 0..2 {
        by_offset.put(&[row(5, "a"), row(6, "a")]).await.map_err(text_of)?;
    }
    assert_eq!(
        rows(&db, "SELECT __connect_topic, __connect_partition, __connect_offset, id FROM k ORDER BY 3")
            .await?,
        ["t 3 5 a", "t 3 6 a"]
    );
    Ok(())
}

#[tokio::test]
async fn values_at_the_edges() -> Result<()> {
    let db = Database::create(&unique("jdbc")).await?;
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
    ]);
    let low = vec![
        Value::Boolean(false),
        Value::Int8(i8::MIN),
        Value::Int16(i16::MIN),
        Value::Int32(i32::MIN),
        Value::Int64(i64::MIN),
        Value::Float32(0.5),
        Value::Float64(-1e300),
        Value::from("'; DROP TABLE t; -- \\ ? :x é😀"),
        Value::Bytes(vec![0, 255, 39].into()),
        Value::Decimal(Decimal::new(-1, 3)),
        Value::Date(-141_427),
        Value::Time(0),
        Value::Timestamp(-1),
    ];
    let high = vec![
        Value::Boolean(true),
        Value::Int8(i8::MAX),
        Value::Int16(i16::MAX),
        Value::Int32(i32::MAX),
        Value::Int64(i64::MAX),
        Value::Float32(-0.25),
        Value::Float64(f64::MAX),
        Value::Null,
        Value::Bytes(vec![].into()),
        Value::Decimal(Decimal::new(10_i128.pow(37), 3)),
        Value::Date(2_932_896),
        Value::Time(86_399_999),
        Value::Timestamp(253_402_300_799_999),
    ];
    let mut task = task(&db, &[]).await?;
    task.put(&[record(0, &schema, low), record(1, &schema, high)]).await.map_err(text_of)?;
    assert_eq!(
        rows(&db, "SELECT b,i8,i16,i32,i64,f32,f64,s,HEX(y),d,da,ti,ts FROM t").await?,
        [
            "0 -128 -32768 -2147483648 -9223372036854775808 0.5 -1e300 '; DROP TABLE t; -- \\ ? :x é😀 00FF27 -0.001 \
             1582-10-15 00:00:00.000 1969-12-31 23:59:59.999",
            "1 127 32767 2147483647 9223372036854775807 -0.25 1.7976931348623157e308 NULL  \
             10000000000000000000000000000000000.000 9999-12-31 23:59:59.999 9999-12-31 23:59:59.999",
        ]
    );
    Ok(())
}

#[tokio::test]
async fn defaults_arrive_in_the_table() -> Result<()> {
    let db = Database::create(&unique("jdbc")).await?;
    let schema = schema([
        ("id", int()),
        ("b", Schema::new(Type::Boolean).with_default(Value::Boolean(true))),
        ("f", Schema::new(Type::Float64).with_default(Value::Float64(1e300))),
        ("s", text().with_default(r"it's a \ `tick` ? :x".into())),
        ("y", Schema::new(Type::Bytes).with_default(Value::Bytes(vec![0, 255, 39].into()))),
        ("d", Schema::decimal(2).with_default(Value::Decimal(Decimal::new(-5, 2)))),
        ("da", Schema::date().with_default(Value::Date(-1))),
        ("ti", Schema::time().with_default(Value::Time(86_399_999))),
        ("ts", Schema::timestamp().with_default(Value::Timestamp(-1))),
    ]);
    let expected =
        "1 1e300 it's a \\ `tick` ? :x 00FF27 -0.05 1969-12-31 23:59:59.999 1969-12-31 23:59:59.999";
    let mut values = vec![Value::Int32(1)];
    values.resize(9, Value::Null);
    // Created in one go, and added to a table that has rows.
    for table in ["created", "evolved"] {
        let mut task = task(&db, &[("table.name.format", table)]).await?;
        if table == "evolved" {
            db.execute("CREATE TABLE evolved(id INT)").await?;
            db.execute("INSERT INTO evolved VALUES(7)").await?;
        }
        task.put(&[record(0, &schema, values.clone())]).await.map_err(text_of)?;
        db.execute(&format!("INSERT INTO {table}(id) VALUES(9)")).await?;
        for row in rows(&db, &format!("SELECT b,f,s,HEX(y),d,da,ti,ts FROM {table}")).await? {
            assert_eq!(row, expected, "{table}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_put_is_all_or_nothing_even_when_it_creates_tables() -> Result<()> {
    let db = Database::create(&unique("jdbc")).await?;
    let schema = id_name();
    let mut task =
        task(&db, &[("pk.mode", "record_value"), ("pk.fields", "id"), ("batch.size", "2")]).await?;
    let mut records = named(&schema, &[(1, "a"), (2, "b"), (3, "c"), (2, "again")]);
    records.push(SinkRecord { topic: "other".into(), ..records[0].clone() });
    let error = fatal(task.put(&records).await)?;
    assert!(
        error.contains("offset=3,timestamp=null) cannot be written to table t: SQLSTATE 23000, error 1062: Duplicate entry '2'"),
        "{error}"
    );
    assert!(!error.contains(&db.server.password), "{error}");
    assert_eq!((db.count("t").await?, db.count("other").await?), (0, 0));
    Ok(())
}

#[tokio::test]
async fn many_and_large_rows_are_split() -> Result<()> {
    let db = Database::create(&unique("jdbc")).await?;
    let mut task = task(&db, &[("pk.mode", "kafka")]).await?;
    let rows_in = pairs(&id_name(), (0..3777).map(|id| (id, format!("n{id}"))));
    task.put(&rows_in).await.map_err(text_of)?;
    assert_eq!(
        rows(&db, "SELECT COUNT(*), SUM(id = __connect_offset AND name = CONCAT('n', id)) FROM t").await?,
        ["3777 3777"]
    );

    let packet: usize = rows(&db, "SELECT @@max_allowed_packet").await?[0].parse()?;
    db.execute("CREATE TABLE big(id INT, name LONGTEXT)").await?;
    let mut large = self::task(&db, &[("table.name.format", "big")]).await?;
    let megabyte = "x".repeat(1 << 20);
    let count = i32::try_from(packet * 3 / 2 / megabyte.len())?;
    large.put(&pairs(&id_name(), (0..count).map(|id| (id, megabyte.clone())))).await.map_err(text_of)?;
    assert_eq!(rows(&db, "SELECT COUNT(*), MIN(LENGTH(name)) FROM big").await?, [format!("{count} 1048576")]);
    Ok(())
}

#[tokio::test]
async fn a_table_of_another_database() -> Result<()> {
    let (db, other) = (Database::create(&unique("jdbc")).await?, Database::create(&unique("jdbc")).await?);
    let format = format!("{}.${{topic}}", other.name);
    let mut task = task(&db, &[UPSERT, &[("table.name.format", &format)]].concat()).await?;
    for name in ["a", "b"] {
        task.put(&named(&id_name(), &[(1, name)])).await.map_err(text_of)?;
    }
    assert_eq!(rows(&other, "SELECT * FROM t").await?, ["1 b"]);
    Ok(())
}

#[tokio::test]
async fn a_refused_login_is_final_and_names_no_password() -> Result<()> {
    let db = Database::create(&unique("jdbc")).await?;
    let pairs = [("connection.password", "wr0ng")];
    let faults = JdbcSinkConnector::confluent().validate_remote(&config(&db, &pairs)).await;
    ensure!(faults.len() == 1, "{faults:?}");
    assert!(faults[0].1.starts_with("Could not connect to database. "), "{faults:?}");
    assert!(
        faults[0].1.contains("error 1045: Access denied") && !faults[0].1.contains("wr0ng"),
        "{faults:?}"
    );
    let mut task = task(&db, &pairs).await?;
    let error = fatal(task.put(&named(&id_name(), &[(1, "a")])).await)?;
    assert!(error.contains("error 1045") && !error.contains("wr0ng"), "{error}");

    assert_eq!(JdbcSinkConnector::confluent().validate_remote(&config(&db, &[])).await, []);
    let unknown = [("connection.url", "jdbc:mysql://127.0.0.1:PORT/no_such_database")]
        .map(|(key, url)| (key, url.replace("PORT", &db.server.port.to_string())));
    let faults =
        JdbcSinkConnector::confluent().validate_remote(&config(&db, &[(unknown[0].0, &unknown[0].1)])).await;
    assert!(faults[0].1.contains("error 1049: Unknown database"), "{faults:?}");
    Ok(())
}

#[tokio::test]
async fn a_value_the_server_refuses_is_final() -> Result<()> {
    let db = Database::create(&unique("jdbc")).await?;
    db.execute("CREATE TABLE t(id TINYINT, name VARCHAR(3))").await?;
    let mut task = task(&db, &[]).await?;
    for (id, name, code) in [(300, "a", "1264"), (1, "long", "1406")] {
        let error = fatal(task.put(&named(&id_name(), &[(1, "ok"), (id, name)])).await)?;
        assert!(error.contains(&format!("error {code}")), "{error}");
    }
    let huge = "x".repeat(rows(&db, "SELECT @@max_allowed_packet").await?[0].parse::<usize>()? + 1);
    let error = fatal(task.put(&named(&id_name(), &[(1, &huge)])).await)?;
    assert!(
        error.contains("offset=0,timestamp=null) cannot be written to table t: a row of about"),
        "{error:.300}"
    );
    assert!(error.contains("raise that setting"), "{error:.300}");
    assert_eq!(db.count("t").await?, 0);
    Ok(())
}
