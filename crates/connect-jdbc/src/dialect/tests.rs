//! The SQL text of both dialects, side by side.

use super::*;
use connect_api::Type;
use expect_test::{Expect, expect};
use std::sync::Arc;

const MYSQL: MySql = MySql { quoting: Quoting::Always };
const SQLITE: Sqlite = Sqlite { quoting: Quoting::Always };

fn table(name: &str) -> TableId {
    TableId { database: None, name: name.into() }
}

fn check(render: impl Fn(&dyn Dialect) -> String, expected: Expect) {
    expected.assert_eq(&format!("MariaDB: {}\nSQLite: {}\n", render(&MYSQL), render(&SQLITE)));
}

fn column(name: &str, schema: Schema, key: bool) -> Column {
    Column { name: name.into(), schema: Arc::new(schema), key }
}

fn columns_text(dialect: &dyn Dialect, columns: &[Column]) -> String {
    let lines: Vec<String> = columns
        .iter()
        .map(|column| match dialect.column_ddl(column) {
            Ok(ddl) => dialect.column_text(&ddl),
            Err(error) => error.to_string(),
        })
        .collect();
    lines.join("\n  ")
}

#[test]
fn types() {
    let columns = [
        column("i8", Schema::new(Type::Int8), false),
        column("i16", Schema::new(Type::Int16).optional(), false),
        column("i32", Schema::new(Type::Int32), false),
        column("i64", Schema::new(Type::Int64), true),
        column("f32", Schema::new(Type::Float32), false),
        column("f64", Schema::new(Type::Float64), false),
        column("b", Schema::new(Type::Boolean), false),
        column("s", Schema::new(Type::String), false),
        column("sk", Schema::new(Type::String).optional(), true),
        column("y", Schema::new(Type::Bytes), false),
        column("d", Schema::decimal(4), false),
        column("dn", Schema::decimal(-2), false),
        column("da", Schema::date(), false),
        column("ti", Schema::time(), false),
        column("ts", Schema::timestamp().optional(), false),
        column("n", Schema::new(Type::Int64).named("io.debezium.time.Timestamp"), false),
        column("st", Schema::structure([]).named("Address"), false),
        column("ar", Schema::new(Type::Array(Arc::new(Schema::new(Type::Int8)))), false),
    ];
    check(
        |dialect| columns_text(dialect, &columns),
        expect![[r#"
        MariaDB: `i8` TINYINT NOT NULL
          `i16` SMALLINT NULL
          `i32` INT NOT NULL
          `i64` BIGINT NOT NULL
          `f32` FLOAT NOT NULL
          `f64` DOUBLE NOT NULL
          `b` TINYINT NOT NULL
          `s` TEXT NOT NULL
          `sk` VARCHAR(255) NOT NULL
          `y` VARBINARY(1024) NOT NULL
          `d` DECIMAL(65,4) NOT NULL
          `dn` DECIMAL(65,0) NOT NULL
          `da` DATE NOT NULL
          `ti` TIME(3) NOT NULL
          `ts` DATETIME(3) NULL
          `n` BIGINT NOT NULL
          field 'st': Address (STRUCT) type doesn't have a mapping to the SQL database column type; flatten it (Flatten transform) or leave it out (fields.whitelist, ReplaceField transform)
          field 'ar': null (ARRAY) type doesn't have a mapping to the SQL database column type; flatten it (Flatten transform) or leave it out (fields.whitelist, ReplaceField transform)
        SQLite: `i8` INTEGER NOT NULL
          `i16` INTEGER NULL
          `i32` INTEGER NOT NULL
          `i64` INTEGER NOT NULL
          `f32` REAL NOT NULL
          `f64` REAL NOT NULL
          `b` INTEGER NOT NULL
          `s` TEXT NOT NULL
          `sk` TEXT NOT NULL
          `y` BLOB NOT NULL
          `d` NUMERIC NOT NULL
          `dn` NUMERIC NOT NULL
          `da` NUMERIC NOT NULL
          `ti` NUMERIC NOT NULL
          `ts` NUMERIC NULL
          `n` INTEGER NOT NULL
          field 'st': Address (STRUCT) type doesn't have a mapping to the SQL database column type; flatten it (Flatten transform) or leave it out (fields.whitelist, ReplaceField transform)
          field 'ar': null (ARRAY) type doesn't have a mapping to the SQL database column type; flatten it (Flatten transform) or leave it out (fields.whitelist, ReplaceField transform)
    "#]],
    );
}

#[test]
fn defaults() {
    let columns = [
        column("b", Schema::new(Type::Boolean).with_default(Value::Boolean(true)), false),
        column("i", Schema::new(Type::Int64).optional().with_default(Value::Int64(-7)), false),
        column("f", Schema::new(Type::Float64).with_default(Value::Float64(1e300)), false),
        column("s", Schema::new(Type::String).with_default(Value::from(r"it's a \ `tick`")), false),
        column("k", Schema::new(Type::String).with_default(Value::from("x")), true),
        column("y", Schema::new(Type::Bytes).with_default(Value::Bytes(vec![0, 255, 39].into())), false),
        column("d", Schema::decimal(2).with_default(Value::Decimal(Decimal::new(-5, 2))), false),
        column("da", Schema::date().with_default(Value::Date(-1)), false),
        column("ti", Schema::time().with_default(Value::Time(86_399_999)), false),
        column("ts", Schema::timestamp().with_default(Value::Timestamp(-1)), false),
        column("nan", Schema::new(Type::Float64).with_default(Value::Float64(f64::NAN)), false),
    ];
    check(
        |dialect| columns_text(dialect, &columns),
        expect![[r#"
            MariaDB: `b` TINYINT DEFAULT 1
              `i` BIGINT DEFAULT -7
              `f` DOUBLE DEFAULT 1e300
              `s` TEXT DEFAULT ('it''s a \\ `tick`')
              `k` VARCHAR(255) DEFAULT 'x' NOT NULL
              `y` VARBINARY(1024) DEFAULT X'00FF27'
              `d` DECIMAL(65,2) DEFAULT -0.05
              `da` DATE DEFAULT '1969-12-31'
              `ti` TIME(3) DEFAULT '23:59:59.999'
              `ts` DATETIME(3) DEFAULT '1969-12-31 23:59:59.999'
              field 'nan': its default value cannot be the default of a column; correct the schema or leave the field out
            SQLite: `b` INTEGER DEFAULT 1
              `i` INTEGER DEFAULT -7
              `f` REAL DEFAULT 1e300
              `s` TEXT DEFAULT 'it''s a \ `tick`'
              `k` TEXT DEFAULT 'x' NOT NULL
              `y` BLOB DEFAULT X'00FF27'
              `d` NUMERIC DEFAULT -0.05
              `da` NUMERIC DEFAULT -86400000
              `ti` NUMERIC DEFAULT 86399999
              `ts` NUMERIC DEFAULT -1
              field 'nan': its default value cannot be the default of a column; correct the schema or leave the field out
        "#]],
    );
}

#[test]
fn create_and_alter() {
    let columns = [
        column("id", Schema::new(Type::Int32), true),
        column("na`me", Schema::new(Type::String).optional(), false),
    ];
    let ddl = |dialect: &dyn Dialect| -> Vec<ColumnDdl> {
        columns.iter().map(|column| dialect.column_ddl(column).unwrap()).collect()
    };
    check(
        |dialect| dialect.create_table(&table("t"), &ddl(dialect), &[]),
        expect![[r#"
        MariaDB: CREATE TABLE `t` (
        `id` INT NOT NULL,
        `na``me` TEXT NULL)
        SQLite: CREATE TABLE `t` (
        `id` INTEGER NOT NULL,
        `na``me` TEXT NULL)
    "#]],
    );
    let other = TableId { database: Some("shop".into()), name: "t".into() };
    check(
        |dialect| dialect.create_table(&other, &ddl(dialect), &["id"]),
        expect![[r#"
        MariaDB: CREATE TABLE `shop`.`t` (
        `id` INT NOT NULL,
        `na``me` TEXT NULL,
        PRIMARY KEY(`id`))
        SQLite: CREATE TABLE `shop`.`t` (
        `id` INTEGER NOT NULL,
        `na``me` TEXT NULL,
        PRIMARY KEY(`id`))
    "#]],
    );
    check(
        |dialect| dialect.add_columns(&table("t"), &ddl(dialect)).join("; "),
        expect![[r#"
        MariaDB: ALTER TABLE `t` 
        ADD `id` INT NOT NULL,
        ADD `na``me` TEXT NULL
        SQLite: ALTER TABLE `t` 
        ADD `id` INTEGER NOT NULL; ALTER TABLE `t` 
        ADD `na``me` TEXT NULL
    "#]],
    );
}

#[test]
fn writes() {
    check(
        |dialect| dialect.insert(&table("t"), &["a", "b"], 1),
        expect![[r#"
        MariaDB: INSERT INTO `t`(`a`,`b`) VALUES(?,?)
        SQLite: INSERT INTO `t`(`a`,`b`) VALUES(?,?)
    "#]],
    );
    check(
        |dialect| dialect.insert(&table("t"), &["a", "b"], 3),
        expect![[r#"
        MariaDB: INSERT INTO `t`(`a`,`b`) VALUES(?,?),(?,?),(?,?)
        SQLite: INSERT INTO `t`(`a`,`b`) VALUES(?,?),(?,?),(?,?)
    "#]],
    );
    check(
        |dialect| dialect.upsert(&table("t"), &["k", "l"], &["a", "b"], 2),
        expect![[r#"
        MariaDB: INSERT INTO `t`(`k`,`l`,`a`,`b`) VALUES(?,?,?,?),(?,?,?,?) ON DUPLICATE KEY UPDATE `a`=VALUES(`a`),`b`=VALUES(`b`)
        SQLite: INSERT INTO `t`(`k`,`l`,`a`,`b`) VALUES(?,?,?,?),(?,?,?,?) ON CONFLICT(`k`,`l`) DO UPDATE SET `a`=excluded.`a`,`b`=excluded.`b`
    "#]],
    );
    check(
        |dialect| dialect.upsert(&table("t"), &["k", "l"], &[], 1),
        expect![[r#"
        MariaDB: INSERT INTO `t`(`k`,`l`) VALUES(?,?) ON DUPLICATE KEY UPDATE `k`=VALUES(`k`),`l`=VALUES(`l`)
        SQLite: INSERT INTO `t`(`k`,`l`) VALUES(?,?) ON CONFLICT(`k`,`l`) DO NOTHING
    "#]],
    );
}

#[test]
fn reads() {
    let other = TableId { database: Some("sh'op".into()), name: "t'`".into() };
    check(
        |dialect| dialect.describe(&other),
        expect![[r#"
        MariaDB: SHOW COLUMNS FROM `sh'op`.`t'```
        SQLite: SELECT name FROM pragma_table_info('t''`', 'sh''op')
    "#]],
    );
    check(
        |dialect| dialect.describe(&table("t")),
        expect![[r#"
        MariaDB: SHOW COLUMNS FROM `t`
        SQLite: SELECT name FROM pragma_table_info('t')
    "#]],
    );
}

#[test]
fn unquoted() {
    let names: [&dyn Dialect; 2] = [&MySql { quoting: Quoting::Never }, &Sqlite { quoting: Quoting::Never }];
    for dialect in names {
        assert_eq!(dialect.insert(&table("t"), &["a"], 1), "INSERT INTO t(a) VALUES(?)");
    }
}

#[test]
fn values_that_a_database_cannot_hold() {
    let cases = [
        Value::Float64(f64::NAN),
        Value::Float32(f32::INFINITY),
        Value::Timestamp(i64::MAX),
        Value::Timestamp(-62_135_596_800_001),
        Value::Timestamp(-62_135_596_800_000),
        Value::Timestamp(253_402_300_799_999),
        Value::Date(i32::MIN),
        Value::Date(2_932_896),
        Value::Date(2_932_897),
        Value::Time(-1),
        Value::Time(86_400_000),
        Value::Array(vec![]),
    ];
    check(
        |dialect| {
            let lines: Vec<String> = cases
                .iter()
                .map(|value| match dialect.check_value(value) {
                    Ok(()) => format!("{value:?} ok"),
                    Err(error) => error,
                })
                .collect();
            lines.join("\n  ")
        },
        expect![[r#"
            MariaDB: MariaDB and MySQL have no NaN
              MariaDB and MySQL have no inf
              9223372036854775807 ms since 1970-01-01 is not in the years 1 to 9999
              -62135596800001 ms since 1970-01-01 is not in the years 1 to 9999
              Timestamp(-62135596800000) ok
              Timestamp(253402300799999) ok
              day -2147483648 since 1970-01-01 is not in the years 1 to 9999
              Date(2932896) ok
              day 2932897 since 1970-01-01 is not in the years 1 to 9999
              -1 ms is not a time of day (0 to 86399999)
              86400000 ms is not a time of day (0 to 86399999)
              no column can hold a value of type array
            SQLite: SQLite would write NaN as NULL
              Float32(inf) ok
              Timestamp(9223372036854775807) ok
              Timestamp(-62135596800001) ok
              Timestamp(-62135596800000) ok
              Timestamp(253402300799999) ok
              Date(-2147483648) ok
              Date(2932896) ok
              Date(2932897) ok
              Time(-1) ok
              Time(86400000) ok
              no column can hold a value of type array
        "#]],
    );
}

#[test]
fn a_contract_schema_gives_its_table() {
    let schema = Schema::structure([
        ("order_id", Schema::new(Type::String)),
        ("qty", Schema::new(Type::Int32)),
        ("created_at", Schema::timestamp()),
        ("note", Schema::new(Type::String).optional()),
    ]);
    check(
        |dialect| {
            let columns = table_columns(dialect, &schema, &["order_id"]).unwrap();
            columns.iter().map(|column| dialect.column_text(column)).collect::<Vec<_>>().join(", ")
        },
        expect![[r#"
            MariaDB: `order_id` VARCHAR(255) NOT NULL, `qty` INT NOT NULL, `created_at` DATETIME(3) NOT NULL, `note` TEXT NULL
            SQLite: `order_id` TEXT NOT NULL, `qty` INTEGER NOT NULL, `created_at` NUMERIC NOT NULL, `note` TEXT NULL
        "#]],
    );
}
