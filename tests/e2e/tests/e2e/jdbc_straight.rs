//! MariaDB's LOCAL load straight into the table: it turns what does not fit into warnings, and yet the table has exactly the good
//! rows, with the values that statements write, and exactly the bad ones are rejected.

use crate::support::jdbc::*;
use anyhow::{Context, Result};
use connect_api::{Decimal, Schema, SchemaRef, SinkRecord, Type, Value};
use testkit::{Database, unique};

/// More than it takes to leave the statements.
const ROWS: i32 = 600;

async fn database() -> Result<Database> {
    Database::create(&unique("straight")).await
}

async fn rows(db: &Database, sql: &str) -> Result<Vec<String>> {
    Ok(words(&db.query(sql).await?))
}

/// `(id, v)`
fn id_v(rows: impl IntoIterator<Item = (i32, Value)>) -> Vec<SinkRecord> {
    let schema = schema([("id", int()), ("v", text().optional())]);
    rows.into_iter()
        .zip(0..)
        .map(|((id, v), offset)| record(offset, &schema, vec![Value::Int32(id), v]))
        .collect()
}

/// Where the good value goes and the bad one does not: what comes before the table, its column, what comes after it, and the values.
type Case = (&'static str, &'static str, &'static str, Option<&'static str>, Option<&'static str>);

const CASES: &[Case] = &[
    ("", "v VARCHAR(10)", "", Some("good"), Some("much too long")),
    ("", "v VARCHAR(10) CHARACTER SET latin1", "", Some("\u{e9}"), Some("\u{1f600}")),
    ("", "v TEXT CHARACTER SET utf8mb3", "", Some("\u{20ac}"), Some("\u{1f600}")),
    ("", "v TINYINT", "", Some("7"), Some("300")),
    ("", "v INT UNSIGNED", "", Some("7"), Some("-1")),
    ("", "v INT", "", Some("-7"), Some("7 apples")),
    ("", "v INT", "", None, Some("")),
    ("", "v DECIMAL(5,2)", "", Some("1.239"), Some("1000")),
    ("", "v DOUBLE", "", Some("1e300"), Some("1e400")),
    ("", "v DATE", "", Some("2024-02-29"), Some("2023-02-29")),
    ("", "v DATETIME", "", Some("2024-02-29 10:00:00.5"), Some("2024-02-29 25:00:00")),
    ("", "v TIMESTAMP NULL", "", Some("2024-02-29 10:00:00"), Some("1950-01-01 00:00:00")),
    ("", "v ENUM('good')", "", Some("good"), Some("better")),
    ("", "v SET('good')", "", Some("good"), Some("better")),
    ("", "v JSON", "", Some("{}"), Some("{")),
    ("", "v UUID", "", Some("00000000-0000-0000-0000-0000000000ff"), Some("ff")),
    ("", "v VARCHAR(10) NOT NULL", "", Some("good"), None),
    ("", "v VARCHAR(10) CHECK (v <> 'bad')", "", Some("good"), Some("bad")),
    ("", "v VARCHAR(10), w INT AS (1 / (v <> 'bad')) STORED", "", Some("good"), Some("bad")),
    (
        "CREATE TABLE p(v VARCHAR(10) PRIMARY KEY); INSERT INTO p VALUES ('good')",
        "v VARCHAR(10), FOREIGN KEY(v) REFERENCES p(v)",
        "",
        Some("good"),
        Some("bad"),
    ),
    (
        "",
        "v VARCHAR(10)",
        "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW IF NEW.v = 'bad' THEN SIGNAL SQLSTATE '45000'; END IF",
        Some("good"),
        Some("bad"),
    ),
    (
        "",
        "v VARCHAR(10)",
        "ALTER TABLE t DROP PRIMARY KEY; ALTER TABLE t PARTITION BY LIST COLUMNS(v) (PARTITION a VALUES IN ('good'))",
        Some("good"),
        Some("bad"),
    ),
];

#[tokio::test]
async fn a_bad_value_of_any_kind_is_found_and_no_good_row_goes_with_it() -> Result<()> {
    for (number, (before, column, after, good, bad)) in CASES.iter().enumerate() {
        let db = database().await?;
        for sql in before.split("; ").filter(|sql| !sql.is_empty()) {
            db.execute(sql).await?;
        }
        db.execute(&format!("CREATE TABLE t(id INT PRIMARY KEY, {column})")).await?;
        // A trigger has its semicolons inside.
        let after = if after.starts_with("ALTER") { after.split("; ").collect() } else { vec![*after] };
        for sql in after.iter().filter(|sql| !sql.is_empty()) {
            db.execute(sql).await?;
        }
        let value = |text: &Option<&str>| text.map_or(Value::Null, Value::from);
        let mut task = start_tolerant(&sink_config(&db, &[])).await?;
        // The second put does not go straight any more, the third is all good.
        for put in 0..3 {
            let is_bad = |n: i32| put < 2 && n == 400 + put;
            let records =
                id_v((0..ROWS).map(|n| (put * ROWS + n, value(if is_bad(n) { bad } else { good }))));
            let rejected =
                task.put(&records).await.map_err(text_of).with_context(|| format!("{column} {after:?}"))?;
            let indexes: Vec<usize> = rejected.iter().map(|rejected| rejected.index).collect();
            let expected: Vec<usize> = if put < 2 { vec![400 + put as usize] } else { vec![] };
            assert_eq!(indexes, expected, "case {number}, {column} {after:?}: {rejected:?}");
        }
        task.stop().await;
        let counts = rows(&db, "SELECT COUNT(*), COUNT(DISTINCT id), COUNT(DISTINCT IFNULL(v, '')), SUM(id IN (400, 1001)) FROM t").await?;
        assert_eq!(counts, [format!("{0} {0} 1 0", 3 * ROWS - 2)], "case {number}, {column} {after:?}");
    }
    Ok(())
}

#[tokio::test]
async fn one_bad_row_in_a_hundred_is_rejected_and_only_that() -> Result<()> {
    let db = database().await?;
    db.execute("CREATE TABLE t(id INT PRIMARY KEY, v VARCHAR(10))").await?;
    let mut task = start_tolerant(&sink_config(&db, &[])).await?;
    for put in 0..2 {
        let v = |n: i32| if n % 100 == 37 { "much too long" } else { "good" };
        // And one id that was there before, one that comes twice.
        let id = |n: i32| match n {
            50 => put * 10_000 + 49,
            n => put * 10_000 + n,
        };
        let rejected = task.put(&id_v((0..3000).map(|n| (id(n), v(n).into())))).await.map_err(text_of)?;
        let indexes: Vec<usize> = rejected.iter().map(|rejected| rejected.index).collect();
        let expected: Vec<usize> = (0..3000).filter(|n| n % 100 == 37 || *n == 50).collect();
        assert_eq!(indexes, expected);
    }
    task.stop().await;
    let found = rows(&db, "SELECT COUNT(*), SUM(v = 'good'), SUM(id % 100 = 37) FROM t").await?;
    assert_eq!(found, [format!("{0} {0} 0", 2 * (3000 - 31))]);
    Ok(())
}

#[tokio::test]
async fn a_table_beside_one_in_doubt_gets_its_rows_once() -> Result<()> {
    let db = database().await?;
    db.execute("CREATE TABLE a(id INT, v VARCHAR(10))").await?;
    db.execute("CREATE TABLE b(id INT, v VARCHAR(10))").await?;
    let config = sink_config(&db, &[("table.name.format", "${topic}")]);
    let mut task = start_tolerant(&config).await?;
    let mut records =
        id_v((0..2 * ROWS).map(|n| (n, if n == 999 { "much too long" } else { "good" }.into())));
    for (n, record) in records.iter_mut().enumerate() {
        record.topic = ["a", "b"][n % 2].into();
    }
    let rejected = task.put(&records).await.map_err(text_of)?;
    assert_eq!(rejected.iter().map(|rejected| rejected.index).collect::<Vec<_>>(), [999]);
    task.stop().await;
    for (table, count) in [("a", ROWS), ("b", ROWS - 1)] {
        let sql = format!("SELECT COUNT(*), COUNT(DISTINCT id) FROM {table}");
        assert_eq!(rows(&db, &sql).await?, [format!("{count} {count}")]);
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_taken_back_goes_by_way_of_a_temporary_table() -> Result<()> {
    let db = database().await?;
    db.execute("CREATE TABLE aria(id INT, v VARCHAR(10)) ENGINE=Aria").await?;
    db.execute("CREATE TABLE base(id INT, v VARCHAR(10))").await?;
    db.execute("CREATE VIEW seen AS SELECT id, v FROM base WHERE v <> 'bad' WITH CHECK OPTION").await?;
    db.execute("CREATE TABLE old(id INT, v VARCHAR(10)) WITH SYSTEM VERSIONING").await?;
    for table in ["aria", "seen", "old"] {
        let config = [("table.name.format", table), ("table.types", "TABLE,VIEW")];
        let mut task = start_tolerant(&sink_config(&db, &config)).await?;
        put(&mut task, &id_v((0..ROWS).map(|n| (n, "good".into())))).await?;
        if table != "aria" {
            let bad = if table == "seen" { "bad" } else { "much too long" };
            let records = id_v((ROWS..2 * ROWS).map(|n| (n, if n == 700 { bad } else { "good" }.into())));
            let rejected = task.put(&records).await.map_err(text_of)?;
            assert_eq!(rejected.iter().map(|rejected| rejected.index).collect::<Vec<_>>(), [100]);
        }
        task.stop().await;
        let count = if table == "aria" { ROWS } else { 2 * ROWS - 1 };
        let sql = format!("SELECT COUNT(*), COUNT(DISTINCT id), MIN(v) FROM {table}");
        assert_eq!(rows(&db, &sql).await?, [format!("{count} {count} good")]);
    }
    Ok(())
}

fn odd() -> SchemaRef {
    let optional = |ty: Type| Schema::new(ty).optional();
    schema([
        ("id", int()),
        ("latin", optional(Type::String)),
        ("three", optional(Type::String)),
        ("fixed", optional(Type::String)),
        ("digits", optional(Type::Int64)),
        ("bits", optional(Type::Int16)),
        ("written_bits", optional(Type::String)),
        ("year", optional(Type::Int32)),
        ("choice", optional(Type::String)),
        ("numbered_choice", optional(Type::Int8)),
        ("some", optional(Type::String)),
        ("id_text", optional(Type::String)),
        ("address", optional(Type::String)),
        ("json", optional(Type::String)),
        ("rounded", Schema::decimal(6).optional()),
        ("single", optional(Type::Int64)),
        ("double_in_decimal", optional(Type::Float64)),
        ("double", optional(Type::Float64)),
        ("raw", optional(Type::Bytes)),
        ("fixed_raw", optional(Type::Bytes)),
        ("raw_text", optional(Type::String)),
        ("day", Schema::date().optional()),
        ("day_time", Schema::date().optional()),
        ("second", Schema::timestamp().optional()),
        ("instant", Schema::timestamp().optional()),
        ("clock", Schema::time().optional()),
        ("big", optional(Type::String)),
    ])
}

fn odd_table(name: &str) -> String {
    format!(
        "CREATE TABLE {name}(number INT AUTO_INCREMENT PRIMARY KEY, id INT, latin VARCHAR(20) CHARACTER SET latin1, three TEXT CHARACTER SET utf8mb3, \
         fixed CHAR(5), digits VARCHAR(30), bits BIT(10), written_bits BIT(16), year YEAR, choice ENUM('a','b','2'), numbered_choice ENUM('2','1','x'), \
         some SET('a','b'), id_text UUID, address INET6, json JSON, rounded DECIMAL(12,2), single FLOAT, double_in_decimal DECIMAL(20,3), \
         `double` DOUBLE(20,2), raw BLOB, fixed_raw BINARY(6), raw_text VARBINARY(30), day DATE, day_time DATETIME, second DATETIME, instant TIMESTAMP(1) NULL, \
         clock TIME, big BIGINT UNSIGNED, twice INT AS (id * 2) STORED, made INT DEFAULT (id + 1), seen INT INVISIBLE DEFAULT 3)"
    )
}

fn odd_values(n: i32) -> Vec<Value> {
    let text = |text: &str| Value::from(text);
    let all = vec![
        Value::Int32(n),
        text(["", "caf\u{e9}\t\u{20ac}", "\\N", " x "][n as usize % 4]),
        text(["\u{20ac}uro\n", "\0", "a\\", "\r\n"][n as usize % 4]),
        text(["abc  ", "abcde ", "", "\u{1f600}"][n as usize % 4]),
        Value::Int64(i64::from(n) * 7_777_777_777_777_777 - 1),
        Value::Int16((n % 1000) as i16),
        text(["7", "ab", "", "\u{e9}"][n as usize % 4]),
        Value::Int32([0, 1, 70, 1999, 2155][n as usize % 5]),
        text(["a", "B", "2"][n as usize % 3]),
        Value::Int8((n % 3 + 1) as i8),
        text(["a", "", "a,b", "b"][n as usize % 4]),
        text(["00000000-0000-0000-0000-0000000000FF", "6ccd780cbaba102695645b8c656024db"][n as usize % 2]),
        text(["::1", "::ffff:1.2.3.4"][n as usize % 2]),
        text(["{\"a\": \"\\u0000\\\\\"}", "[1,\t2]", "null"][n as usize % 3]),
        Value::Decimal(Decimal::new(n * 1_234_567, 6)),
        Value::Int64(9_007_199_791_611_905 + i64::from(n)),
        Value::Float64(f64::from(n) / 16.0 + 0.0005),
        Value::Float64(if n % 7 == 0 { -0.0 } else { f64::from(n) * 0.005 }),
        Value::Bytes(vec![0, 9, 10, 13, 92, 39, (n % 256) as u8].into()),
        Value::Bytes(vec![b'N', (n % 256) as u8].into()),
        text("\u{e9}\\N\t\n"),
        Value::Date(n * 17 - 5000),
        Value::Date(n * 1000 - 700_000),
        Value::Timestamp(i64::from(n) * 1_234_567_891 + 555),
        Value::Timestamp(i64::from(n) * 1_234_567_891 + 1_555),
        Value::Time(n * 71_999 + 555),
        text(["18446744073709551615", "7", " 8", "1e3"][n as usize % 4]),
    ];
    // Each column has its NULLs, except the id.
    let is_null = |index: usize| index > 0 && (n as usize + index).is_multiple_of(11);
    all.into_iter()
        .enumerate()
        .map(|(index, value)| if is_null(index) { Value::Null } else { value })
        .collect()
}

/// Written in loads, of all columns and of those that take them straight, and by statements.
#[tokio::test]
async fn odd_columns_get_what_statements_write() -> Result<()> {
    // Whole numbers go straight as such only to some columns; what is left of them goes with `LEFT_OUT`.
    const LEFT_OUT: [&str; 5] = ["bits", "year", "numbered_choice", "single", "double_in_decimal"];
    let schema = odd();
    let all: Vec<&str> = schema.fields().iter().map(|field| &*field.name).collect();
    let straight: Vec<&str> = all.iter().filter(|name| !LEFT_OUT.contains(name)).copied().collect();
    let records: Vec<SinkRecord> = (0..ROWS).map(|n| record(i64::from(n), &schema, odd_values(n))).collect();
    for mode in ["", "TIME_ROUND_FRACTIONAL", "NO_AUTO_VALUE_ON_ZERO,ANSI_QUOTES"] {
        let counted = Counted::create().await?;
        let db = &counted.db;
        db.execute(&format!("GRANT CREATE TEMPORARY TABLES ON `{}`.* TO '{}'@'%'", db.name, counted.user))
            .await?;
        let url = format!("{}?sessionVariables=sql_mode='{mode}',max_error_count=0", db.jdbc_url("mariadb"));
        for (fields, names) in [("all", &all), ("straight", &straight)] {
            for (way, size) in [("loaded", ROWS as usize), ("stated", 100)] {
                let table = format!("{fields}_{way}");
                db.execute(&odd_table(&table)).await?;
                let config = [
                    ("connection.url", &*url),
                    ("table.name.format", &table),
                    ("fields.whitelist", &names.join(",")),
                ];
                let login = [("connection.user", &*counted.user), ("connection.password", "pw")];
                let mut task = start(&sink_config(db, &[&config[..], &login].concat())).await?;
                let before = counted.writes().await?;
                for records in records.chunks(size) {
                    put(&mut task, records).await.with_context(|| format!("{mode} {table}"))?;
                }
                if table == "straight_loaded" {
                    assert_eq!(counted.writes().await? - before, 1);
                }
                task.stop().await;
            }
            let columns = "t.*, HEX(latin), HEX(fixed), HEX(bits), HEX(written_bits), HEX(raw), HEX(fixed_raw), single * 1e10, seen";
            let of = |way: &str| format!("SELECT {columns} FROM {fields}_{way} t ORDER BY id");
            let loaded = rows(db, &of("loaded")).await?;
            assert_eq!(loaded.len(), ROWS as usize);
            assert_eq!(loaded, rows(db, &of("stated")).await?, "{mode} {fields}");
        }
        counted.drop().await?;
    }
    Ok(())
}

/// The statements of one user, counted by the server.
struct Counted {
    db: Database,
    user: String,
}

impl Counted {
    async fn create() -> Result<Counted> {
        let db = database().await?;
        let user = unique("straight").replace('_', "");
        for sql in [
            "SET GLOBAL userstat = 1".to_owned(),
            format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'pw'"),
            format!("GRANT SELECT, INSERT, UPDATE, CREATE ON `{}`.* TO '{user}'@'%'", db.name),
        ] {
            db.execute(&sql).await?;
        }
        Ok(Counted { db, user })
    }

    async fn writes(&self) -> Result<u64> {
        let sql = format!(
            "SELECT UPDATE_COMMANDS FROM information_schema.USER_STATISTICS WHERE USER = '{}'",
            self.user
        );
        let found = rows(&self.db, &sql).await?.concat();
        Ok(if found.is_empty() { 0 } else { found.parse()? })
    }

    async fn drop(self) -> Result<()> {
        self.db.execute(&format!("DROP USER '{}'@'%'", self.user)).await
    }
}

/// Without the right to make temporary tables, and with one statement for a put.
#[tokio::test]
async fn inserts_and_upserts_of_new_keys_are_one_statement() -> Result<()> {
    for mode in [&[][..], UPSERT] {
        let counted = Counted::create().await?;
        let login = [("connection.user", &*counted.user), ("connection.password", "pw")];
        let mut task = start(&sink_config(&counted.db, &[mode, &login].concat())).await?;
        let new = |put: i32| id_name_rows(put * ROWS, "new");
        put(&mut task, &new(0)).await?;
        let before = counted.writes().await?;
        put(&mut task, &new(1)).await?;
        put(&mut task, &new(2)).await?;
        assert_eq!(counted.writes().await? - before, 2);
        assert_eq!(rows(&counted.db, "SELECT COUNT(*) FROM t").await?, [(3 * ROWS).to_string()]);
        if mode == UPSERT {
            // Half of the keys are there: the load is taken back.
            put(&mut task, &id_name_rows(2 * ROWS + ROWS / 2, "later")).await?;
            let counts = "SELECT COUNT(*), SUM(name = 'later'), SUM(name = 'new') FROM t";
            assert_eq!(
                rows(&counted.db, counts).await?,
                [format!("{} {ROWS} {}", 3 * ROWS + ROWS / 2, 2 * ROWS + ROWS / 2)]
            );
        }
        task.stop().await;
        counted.drop().await?;
    }
    Ok(())
}

fn id_name_rows(from: i32, name: &str) -> Vec<SinkRecord> {
    pairs(&id_name(), (from..from + ROWS).map(|id| (id, name.to_owned())))
}
