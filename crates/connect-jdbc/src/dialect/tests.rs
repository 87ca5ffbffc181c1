//! The SQL text of the dialects, side by side.

use super::*;
use connect_api::Type;
use expect_test::{Expect, expect};
use std::sync::{Arc, LazyLock};

const MYSQL: MySql = MySql::new(Quoting::Always);
const POSTGRES: Postgres = Postgres { quoting: Quoting::Always };
const SQLITE: Sqlite = Sqlite::for_writing(Quoting::Always);

fn table(name: &str) -> TableId {
    TableId::named(name)
}

fn check(render: impl Fn(&dyn Dialect) -> String, expected: Expect) {
    expected.assert_eq(&format!(
        "MariaDB: {}\nPostgreSQL: {}\nSQLite: {}\n",
        render(&MYSQL),
        render(&POSTGRES),
        render(&SQLITE)
    ));
}

fn column(name: &str, schema: Schema, key: bool) -> Column {
    Column { name: name.into(), schema: Arc::new(schema), key, timestamp_field: false }
}

static INT: LazyLock<Schema> = LazyLock::new(|| Schema::new(Type::Int32));

fn ints<'a>(names: &[&'a str]) -> Vec<Target<'a>> {
    names.iter().map(|name| Target { name, schema: &INT, column: None }).collect()
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

fn array(element: Schema) -> Schema {
    Schema::new(Type::Array(Arc::new(element)))
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
        Column { timestamp_field: true, ..column("tf", Schema::timestamp(), false) },
        column("n", Schema::new(Type::Int64).named("io.debezium.time.Timestamp"), false),
        column("st", Schema::structure([]).named("Address"), false),
        column("ar", array(Schema::new(Type::Int8)), false),
        column("ad", array(Schema::decimal(2)), false),
        column("aa", array(array(Schema::new(Type::Int8))), false),
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
              `tf` DATETIME(6) NOT NULL
              `n` BIGINT NOT NULL
              field 'st': Address (STRUCT) type doesn't have a mapping to the SQL database column type; flatten it (Flatten transform) or leave it out (fields.whitelist, ReplaceField transform)
              field 'ar': null (ARRAY) type doesn't have a mapping to the SQL database column type; flatten it (Flatten transform) or leave it out (fields.whitelist, ReplaceField transform)
              field 'ad': null (ARRAY) type doesn't have a mapping to the SQL database column type; flatten it (Flatten transform) or leave it out (fields.whitelist, ReplaceField transform)
              field 'aa': null (ARRAY) type doesn't have a mapping to the SQL database column type; flatten it (Flatten transform) or leave it out (fields.whitelist, ReplaceField transform)
            PostgreSQL: "i8" SMALLINT NOT NULL
              "i16" SMALLINT NULL
              "i32" INT NOT NULL
              "i64" BIGINT NOT NULL
              "f32" REAL NOT NULL
              "f64" DOUBLE PRECISION NOT NULL
              "b" BOOLEAN NOT NULL
              "s" TEXT NOT NULL
              "sk" TEXT NOT NULL
              "y" BYTEA NOT NULL
              "d" DECIMAL NOT NULL
              "dn" DECIMAL NOT NULL
              "da" DATE NOT NULL
              "ti" TIME NOT NULL
              "ts" TIMESTAMP NULL
              "tf" TIMESTAMP NOT NULL
              "n" BIGINT NOT NULL
              field 'st': Address (STRUCT) type doesn't have a mapping to the SQL database column type; flatten it (Flatten transform) or leave it out (fields.whitelist, ReplaceField transform)
              "ar" SMALLINT[] NOT NULL
              "ad" DECIMAL[] NOT NULL
              field 'aa': null (ARRAY) type doesn't have a mapping to the SQL database column type; flatten it (Flatten transform) or leave it out (fields.whitelist, ReplaceField transform)
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
              `tf` NUMERIC NOT NULL
              `n` INTEGER NOT NULL
              field 'st': Address (STRUCT) type doesn't have a mapping to the SQL database column type; flatten it (Flatten transform) or leave it out (fields.whitelist, ReplaceField transform)
              field 'ar': null (ARRAY) type doesn't have a mapping to the SQL database column type; flatten it (Flatten transform) or leave it out (fields.whitelist, ReplaceField transform)
              field 'ad': null (ARRAY) type doesn't have a mapping to the SQL database column type; flatten it (Flatten transform) or leave it out (fields.whitelist, ReplaceField transform)
              field 'aa': null (ARRAY) type doesn't have a mapping to the SQL database column type; flatten it (Flatten transform) or leave it out (fields.whitelist, ReplaceField transform)
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
        column(
            "sa",
            array(Schema::new(Type::String)).with_default(Value::Array(vec!["a'b".into(), Value::Null])),
            false,
        ),
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
              field 'sa': null (ARRAY) type doesn't have a mapping to the SQL database column type; flatten it (Flatten transform) or leave it out (fields.whitelist, ReplaceField transform)
              field 'nan': its default value cannot be the default of a column; correct the schema or leave the field out
            PostgreSQL: "b" BOOLEAN DEFAULT TRUE
              "i" BIGINT DEFAULT -7
              "f" DOUBLE PRECISION DEFAULT 1e300
              "s" TEXT DEFAULT 'it''s a \ `tick`'
              "k" TEXT DEFAULT 'x' NOT NULL
              "y" BYTEA DEFAULT '\x00FF27'
              "d" DECIMAL DEFAULT -0.05
              "da" DATE DEFAULT '1969-12-31'
              "ti" TIME DEFAULT '23:59:59.999'
              "ts" TIMESTAMP DEFAULT '1969-12-31 23:59:59.999'
              "sa" TEXT[] DEFAULT ARRAY['a''b',NULL]::TEXT[]
              "nan" DOUBLE PRECISION DEFAULT 'NaN'
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
              field 'sa': null (ARRAY) type doesn't have a mapping to the SQL database column type; flatten it (Flatten transform) or leave it out (fields.whitelist, ReplaceField transform)
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
            PostgreSQL: CREATE TABLE "t" (
            "id" INT NOT NULL,
            "na`me" TEXT NULL)
            SQLite: CREATE TABLE `t` (
            `id` INTEGER NOT NULL,
            `na``me` TEXT NULL)
        "#]],
    );
    let other = TableId { catalog: Some("db".into()), database: Some("shop".into()), name: "t".into() };
    assert_eq!(POSTGRES.table(&other), "\"db\".\"shop\".\"t\"");
    let refused: Vec<bool> = [&MYSQL as &dyn Dialect, &POSTGRES, &SQLITE]
        .map(|dialect| dialect.check_table(&other).is_err())
        .to_vec();
    assert_eq!(refused, [true, false, true]);
    let other = TableId { catalog: None, ..other };
    check(
        |dialect| dialect.create_table(&other, &ddl(dialect), &["id"]),
        expect![[r#"
            MariaDB: CREATE TABLE `shop`.`t` (
            `id` INT NOT NULL,
            `na``me` TEXT NULL,
            PRIMARY KEY(`id`))
            PostgreSQL: CREATE TABLE "shop"."t" (
            "id" INT NOT NULL,
            "na`me" TEXT NULL,
            PRIMARY KEY("id"))
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
            PostgreSQL: ALTER TABLE "t" 
            ADD "id" INT NOT NULL,
            ADD "na`me" TEXT NULL
            SQLite: ALTER TABLE `t` 
            ADD `id` INTEGER NOT NULL; ALTER TABLE `t` 
            ADD `na``me` TEXT NULL
        "#]],
    );
}

#[test]
fn writes() {
    check(
        |dialect| dialect.insert(&table("t"), &ints(&["a", "b"]), 1),
        expect![[r#"
            MariaDB: INSERT INTO `t`(`a`,`b`) VALUES(?,?)
            PostgreSQL: INSERT INTO "t"("a","b") VALUES($1::int4,$2::int4)
            SQLite: INSERT INTO `t`(`a`,`b`) VALUES(?,?)
        "#]],
    );
    check(
        |dialect| dialect.insert(&table("t"), &ints(&["a", "b"]), 3),
        expect![[r#"
            MariaDB: INSERT INTO `t`(`a`,`b`) VALUES(?,?),(?,?),(?,?)
            PostgreSQL: INSERT INTO "t"("a","b") VALUES($1::int4,$2::int4),($3::int4,$4::int4),($5::int4,$6::int4)
            SQLite: INSERT INTO `t`(`a`,`b`) VALUES(?,?),(?,?),(?,?)
        "#]],
    );
    check(
        |dialect| dialect.upsert(&table("t"), &ints(&["k", "l", "a", "b"]), 2, 2),
        expect![[r#"
            MariaDB: INSERT INTO `t`(`k`,`l`,`a`,`b`) VALUES(?,?,?,?),(?,?,?,?) ON DUPLICATE KEY UPDATE `a`=VALUES(`a`),`b`=VALUES(`b`)
            PostgreSQL: INSERT INTO "t"("k","l","a","b") VALUES($1::int4,$2::int4,$3::int4,$4::int4),($5::int4,$6::int4,$7::int4,$8::int4) ON CONFLICT ("k","l") DO UPDATE SET "a"=EXCLUDED."a","b"=EXCLUDED."b"
            SQLite: INSERT INTO `t`(`k`,`l`,`a`,`b`) VALUES(?,?,?,?),(?,?,?,?) ON CONFLICT(`k`,`l`) DO UPDATE SET `a`=excluded.`a`,`b`=excluded.`b`
        "#]],
    );
    check(
        |dialect| dialect.upsert(&table("t"), &ints(&["k", "l"]), 2, 1),
        expect![[r#"
            MariaDB: INSERT INTO `t`(`k`,`l`) VALUES(?,?) ON DUPLICATE KEY UPDATE `k`=VALUES(`k`),`l`=VALUES(`l`)
            PostgreSQL: INSERT INTO "t"("k","l") VALUES($1::int4,$2::int4) ON CONFLICT ("k","l") DO NOTHING
            SQLite: INSERT INTO `t`(`k`,`l`) VALUES(?,?) ON CONFLICT(`k`,`l`) DO NOTHING
        "#]],
    );
}

#[test]
fn updates() {
    check(
        |dialect| dialect.update(&table("t"), &ints(&["a", "b", "k", "l"]), 2, 1),
        expect![[r#"
        MariaDB: UPDATE `t` SET `a` = ?, `b` = ? WHERE `k` = ? AND `l` = ?
        PostgreSQL: UPDATE "t" SET "a" = $1::int4, "b" = $2::int4 WHERE "k" = $3::int4 AND "l" = $4::int4
        SQLite: UPDATE `t` SET `a` = ?, `b` = ? WHERE `k` = ? AND `l` = ?
    "#]],
    );
    check(
        |dialect| dialect.update(&table("t"), &ints(&["a"]), 0, 1),
        expect![[r#"
        MariaDB: UPDATE `t` SET `a` = ?
        PostgreSQL: UPDATE "t" SET "a" = $1::int4
        SQLite: UPDATE `t` SET `a` = ?
    "#]],
    );
    check(
        |dialect| dialect.update(&table("t"), &ints(&["k", "l"]), 2, 1),
        expect![[r#"
        MariaDB: UPDATE `t` SET `k` = `k`, `l` = `l` WHERE `k` = ? AND `l` = ?
        PostgreSQL: UPDATE "t" SET "k" = "k", "l" = "l" WHERE "k" = $1::int4 AND "l" = $2::int4
        SQLite: UPDATE `t` SET `k` = `k`, `l` = `l` WHERE `k` = ? AND `l` = ?
    "#]],
    );
    check(
        |dialect| {
            let columns = ints(&["a", "b", "k", "l"]);
            let rows = dialect.max_update_rows(&columns, 2).min(2);
            dialect.update(&table("t"), &columns, 2, rows)
        },
        expect![[r#"
            MariaDB: UPDATE `t` SET `a` = ?, `b` = ? WHERE `k` = ? AND `l` = ?
            PostgreSQL: UPDATE "t" AS t SET "a" = v."a", "b" = v."b" FROM (VALUES ($1::int4,$2::int4,$3::int4,$4::int4),($5::int4,$6::int4,$7::int4,$8::int4)) AS v("a","b","k","l") WHERE t."k" = v."k" AND t."l" = v."l"
            SQLite: UPDATE `t` SET `a` = ?, `b` = ? WHERE `k` = ? AND `l` = ?
        "#]],
    );
    check(
        |dialect| {
            let columns = ints(&["k"]);
            let rows = dialect.max_update_rows(&columns, 1).min(2);
            dialect.update(&table("t"), &columns, 1, rows)
        },
        expect![[r#"
            MariaDB: UPDATE `t` SET `k` = `k` WHERE `k` = ?
            PostgreSQL: UPDATE "t" AS t SET "k" = v."k" FROM (VALUES ($1::int4),($2::int4)) AS v("k") WHERE t."k" = v."k"
            SQLite: UPDATE `t` SET `k` = `k` WHERE `k` = ?
        "#]],
    );
}

/// Of two rows with one key PostgreSQL would take any.
#[test]
fn keys_that_only_the_server_knows_to_be_the_same_are_updated_one_by_one() {
    let text = Schema::new(Type::String);
    let strict = TableColumn::plain("k", "text");
    let loose = TableColumn { loose_text: true, ..strict.clone() };
    for (column, expected) in [(Some(&strict), usize::MAX), (Some(&loose), 1), (None, 1)] {
        let columns = [ints(&["a"])[0], Target { name: "k", schema: &text, column }];
        assert_eq!(POSTGRES.max_update_rows(&columns, 1), expected, "{column:?}");
    }
    assert_eq!(POSTGRES.max_update_rows(&ints(&["a"]), 0), 1);
}

#[test]
fn deletes() {
    let decimal = Schema::decimal(2);
    let amount = Target { name: "d", schema: &decimal, column: None };
    let keys = [ints(&["k"]), ints(&["k", "l"]), vec![amount]];
    let all = |dialect: &dyn Dialect| {
        let texts = keys.iter().flat_map(|keys| {
            let rows = dialect.max_delete_rows(keys).min(3);
            [dialect.delete(&table("t"), keys, 1), dialect.delete(&table("t"), keys, rows)]
        });
        texts.collect::<Vec<_>>().join("\n  ")
    };
    check(
        all,
        expect![[r#"
        MariaDB: DELETE FROM `t` WHERE `k` = ?
          DELETE FROM `t` WHERE `k` IN (?,?,?)
          DELETE FROM `t` WHERE `k` = ? AND `l` = ?
          DELETE FROM `t` WHERE (`k` = ? AND `l` = ?) OR (`k` = ? AND `l` = ?) OR (`k` = ? AND `l` = ?)
          DELETE FROM `t` WHERE `d` = CAST(? AS DECIMAL(65,2))
          DELETE FROM `t` WHERE `d` IN (CAST(? AS DECIMAL(65,2)),CAST(? AS DECIMAL(65,2)),CAST(? AS DECIMAL(65,2)))
        PostgreSQL: DELETE FROM "t" WHERE "k" = $1::int4
          DELETE FROM "t" WHERE ("k") IN (($1::int4),($2::int4),($3::int4))
          DELETE FROM "t" WHERE "k" = $1::int4 AND "l" = $2::int4
          DELETE FROM "t" WHERE ("k","l") IN (($1::int4,$2::int4),($3::int4,$4::int4),($5::int4,$6::int4))
          DELETE FROM "t" WHERE "d" = $1::text::numeric
          DELETE FROM "t" WHERE ("d") IN (($1::text::numeric),($2::text::numeric),($3::text::numeric))
        SQLite: DELETE FROM `t` WHERE `k` = ?
          DELETE FROM `t` WHERE `k` = ?
          DELETE FROM `t` WHERE `k` = ? AND `l` = ?
          DELETE FROM `t` WHERE `k` = ? AND `l` = ?
          DELETE FROM `t` WHERE `d` = ?
          DELETE FROM `t` WHERE `d` = ?
    "#]],
    );
}

#[test]
fn types_are_changed() {
    let changes = [
        (TableColumn::plain("n", "smallint"), "BIGINT".to_owned()),
        (TableColumn::plain("na\"me", "character varying(5)"), "VARCHAR(8)".to_owned()),
    ];
    assert_eq!(
        POSTGRES.change_types(&table("t"), &changes),
        "ALTER TABLE \"t\" \nALTER \"n\" TYPE BIGINT,\nALTER \"na\"\"me\" TYPE VARCHAR(8)"
    );
}

/// What a value without a schema becomes.
#[test]
fn columns_have_schemas() {
    let name = |dialect: &dyn Dialect, sql_type: &str| {
        let schema = dialect.column_schema(&TableColumn::plain("c", sql_type));
        schema.map_or("none".to_owned(), |schema| match schema.logical() {
            Some(logical) => format!("{logical:?}"),
            None => format!("{:?}", schema.ty),
        })
    };
    for (dialect, sql_type, expected) in [
        (&MYSQL as &dyn Dialect, "tinyint(1)", "Boolean"),
        (&MYSQL, "tinyint(4)", "Int8"),
        (&MYSQL, "tinyint(3) unsigned", "Int16"),
        (&MYSQL, "int(10) unsigned", "Int64"),
        (&MYSQL, "bigint(20) unsigned", "Decimal { scale: 0 }"),
        (&MYSQL, "bit(1)", "Boolean"),
        (&MYSQL, "bit(12)", "Int64"),
        (&MYSQL, "decimal(10,2)", "Decimal { scale: 2 }"),
        (&MYSQL, "timestamp(3)", "Timestamp"),
        (&MYSQL, "enum('int','(1)')", "String"),
        (&MYSQL, "varbinary(10)", "Bytes"),
        (&MYSQL, "point", "none"),
        (&POSTGRES, "character varying(5)", "String"),
        (&POSTGRES, "numeric(10,2)", "Decimal { scale: 2 }"),
        (&POSTGRES, "timestamp(3) with time zone", "Timestamp"),
        (&POSTGRES, "time without time zone", "Time"),
        (&POSTGRES, "shop.mood", "String"),
        (&SQLITE, "INT8", "Int64"),
        (&SQLITE, "VARCHAR(3)", "String"),
        (&SQLITE, "DATETIME", "Timestamp"),
        (&SQLITE, "NUMERIC(10,2)", "Decimal { scale: 2 }"),
        (&SQLITE, "", "String"),
    ] {
        assert_eq!(name(dialect, sql_type), expected, "{sql_type}");
    }
    let integers = POSTGRES.column_schema(&TableColumn::plain("c", "integer[]"));
    assert_eq!(integers, Some(array(Schema::new(Type::Int32).optional())));
    for (sql_type, instants) in [
        ("timestamp", true),
        ("timestamp(3)", true),
        ("timestamp with time zone", true),
        ("timestamp without time zone", false),
        ("datetime(3)", false),
    ] {
        assert_eq!(TableColumn::plain("c", sql_type).holds_instants(), instants, "{sql_type}");
    }
}

#[test]
fn column_types_are_taken_apart() {
    for (sql_type, base, lengths, unsigned) in [
        ("varchar(20)", "varchar", vec![20], false),
        ("bigint(20) unsigned zerofill", "bigint", vec![20], true),
        ("numeric(10,2)", "numeric", vec![10, 2], false),
        ("timestamp(3) without time zone", "timestamp without time zone", vec![3], false),
        ("enum('a','b(')", "enum", vec![], false),
        ("INTEGER", "integer", vec![], false),
        ("", "", vec![], false),
    ] {
        let column = TableColumn::plain("c", sql_type);
        assert_eq!(
            (column.base_type().as_str(), column.type_lengths(), column.is_unsigned()),
            (base, lengths, unsigned),
            "{sql_type}"
        );
    }
}

#[test]
fn reads() {
    let other = TableId { catalog: None, database: Some("sh'op".into()), name: "t'`".into() };
    check(
        |dialect| dialect.describe(&other),
        expect![[r#"
            MariaDB: SHOW FULL COLUMNS FROM `sh'op`.`t'```
            PostgreSQL: SELECT a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), CASE WHEN t.typname <> 'citext' AND t.typcategory = 'S' OR t.oid = 'pg_catalog.bytea'::pg_catalog.regtype THEN NULL ELSE pg_catalog.format_type(t.oid, -1) END, NOT (a.attnotnull OR t.typnotnull), a.atthasdef OR t.typdefault IS NOT NULL OR COALESCE(pg_catalog.to_jsonb(a)->>'attidentity', '') <> '', COALESCE(pg_catalog.to_jsonb(a)->>'attgenerated', '') <> '', COALESCE(a.attnum = ANY (i.indkey), false), t.typcategory <> 'S' OR t.typname = 'citext' OR COALESCE(pg_catalog.to_jsonb(co)->>'collisdeterministic' = 'false', false), c.relkind::text FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_class c ON c.oid = a.attrelid LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation WHERE c.oid = pg_catalog.to_regclass('"sh''op"."t''`"') AND c.relkind IN ('r', 'p', 'v', 'f') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
            SQLite: SELECT name, type, "notnull", dflt_value IS NOT NULL, pk, hidden, (SELECT type FROM `sh'op`.sqlite_master WHERE name = 't''`' COLLATE NOCASE AND type IN ('table', 'view')) FROM pragma_table_xinfo('t''`', 'sh''op') WHERE hidden <> 1
        "#]],
    );
    check(
        |dialect| dialect.describe(&table("t")),
        expect![[r#"
            MariaDB: SHOW FULL COLUMNS FROM `t`
            PostgreSQL: SELECT a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), CASE WHEN t.typname <> 'citext' AND t.typcategory = 'S' OR t.oid = 'pg_catalog.bytea'::pg_catalog.regtype THEN NULL ELSE pg_catalog.format_type(t.oid, -1) END, NOT (a.attnotnull OR t.typnotnull), a.atthasdef OR t.typdefault IS NOT NULL OR COALESCE(pg_catalog.to_jsonb(a)->>'attidentity', '') <> '', COALESCE(pg_catalog.to_jsonb(a)->>'attgenerated', '') <> '', COALESCE(a.attnum = ANY (i.indkey), false), t.typcategory <> 'S' OR t.typname = 'citext' OR COALESCE(pg_catalog.to_jsonb(co)->>'collisdeterministic' = 'false', false), c.relkind::text FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_class c ON c.oid = a.attrelid LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation WHERE c.oid = pg_catalog.to_regclass('"t"') AND c.relkind IN ('r', 'p', 'v', 'f') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
            SQLite: SELECT name, type, "notnull", dflt_value IS NOT NULL, pk, hidden, (SELECT type FROM sqlite_master WHERE name = 't' COLLATE NOCASE AND type IN ('table', 'view')) FROM pragma_table_xinfo('t') WHERE hidden <> 1
        "#]],
    );
}

#[test]
fn unquoted() {
    let postgres = Postgres { quoting: Quoting::Never };
    assert_eq!(postgres.insert(&table("T"), &ints(&["A"]), 1), "INSERT INTO t(a) VALUES($1::int4)");
    let names: [&dyn Dialect; 2] = [&MySql::new(Quoting::Never), &Sqlite::for_writing(Quoting::Never)];
    for dialect in names {
        assert_eq!(dialect.insert(&table("t"), &ints(&["a"]), 1), "INSERT INTO t(a) VALUES(?)");
    }
}

#[test]
fn postgres_parameters_name_their_type() {
    let text = Schema::new(Type::String);
    let texts = array(text.clone());
    let decimals = array(Schema::decimal(2));
    let cases = [
        (&*INT, None),
        (&*INT, Some("numeric")),
        (&text, None),
        (&text, Some("jsonb")),
        (&text, Some("shop.\"mood\"")),
        (&texts, None),
        (&texts, Some("uuid[]")),
        (&decimals, Some("numeric[]")),
    ];
    let known: Vec<TableColumn> = cases
        .iter()
        .map(|(_, text_cast)| TableColumn {
            text_cast: text_cast.map(str::to_owned),
            ..TableColumn::plain("c", "")
        })
        .collect();
    let columns: Vec<Target<'_>> = cases
        .iter()
        .zip(&known)
        .map(|((schema, _), column)| Target { name: "c", schema, column: Some(column) })
        .collect();
    let groups: Vec<String> =
        columns.iter().zip(1..).map(|(column, number)| POSTGRES.placeholder(number, column)).collect();
    expect![[r#"
        $1::int4
        $2::int4
        $3::text
        $4::text::jsonb
        $5::text::shop."mood"
        $6::text[]
        $7::text[]::uuid[]
        $8::text[]::numeric[]"#]]
    .assert_eq(&groups.join("\n"));
    for (schema, expected) in [
        (Schema::new(Type::Boolean), "$1::bool"),
        (Schema::new(Type::Int8), "$1::int2"),
        (Schema::new(Type::Int64), "$1::int8"),
        (Schema::new(Type::Float32), "$1::float4"),
        (Schema::new(Type::Float64), "$1::float8"),
        (Schema::new(Type::Bytes), "$1::bytea"),
        (Schema::decimal(3), "$1::text::numeric"),
        (Schema::date(), "$1::date"),
        (Schema::time(), "$1::time"),
        (Schema::timestamp(), "$1::timestamp"),
    ] {
        assert_eq!(POSTGRES.placeholder(1, &Target { name: "c", schema: &schema, column: None }), expected);
    }
}

#[test]
fn postgres_knows_a_name_by_its_first_63_bytes_and_folds_it_unquoted() {
    let long = format!("{}é", "x".repeat(62));
    assert_eq!(POSTGRES.stored_name(&long), "x".repeat(62));
    assert_eq!(POSTGRES.identifier("Na\"me"), "\"Na\"\"me\"");
    let folding = Postgres { quoting: Quoting::Never };
    assert_eq!(
        (folding.stored_name("Ordér"), folding.identifier("OrderId")),
        ("ordér".into(), "orderid".into())
    );
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
        Value::Date(-2_440_588),
        Value::Date(-2_440_589),
        Value::Date(2_145_042_905),
        Value::Date(2_145_042_906),
        Value::Timestamp(9_224_318_015_999_999),
        Value::Timestamp(9_224_318_016_000_000),
        Value::from("a\0b"),
        Value::Array(vec![Value::Null, Value::from("\0")]),
        Value::Array(vec![Value::Null, Value::Int8(1)]),
        Value::Array(vec![Value::Array(vec![])]),
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
              day -2440588 since 1970-01-01 is not in the years 1 to 9999
              day -2440589 since 1970-01-01 is not in the years 1 to 9999
              day 2145042905 since 1970-01-01 is not in the years 1 to 9999
              day 2145042906 since 1970-01-01 is not in the years 1 to 9999
              9224318015999999 ms since 1970-01-01 is not in the years 1 to 9999
              9224318016000000 ms since 1970-01-01 is not in the years 1 to 9999
              String("a\0b") ok
              no column can hold a value of type array
              no column can hold a value of type array
              no column can hold a value of type array
              no column can hold a value of type array
            PostgreSQL: Float64(NaN) ok
              Float32(inf) ok
              9223372036854775807 ms since 1970-01-01 is not in the years 4713 BC to 294276
              Timestamp(-62135596800001) ok
              Timestamp(-62135596800000) ok
              Timestamp(253402300799999) ok
              day -2147483648 since 1970-01-01 is not in the years 4713 BC to 5874897
              Date(2932896) ok
              Date(2932897) ok
              -1 ms is not a time of day (0 to 86399999)
              86400000 ms is not a time of day (0 to 86399999)
              Date(-2440588) ok
              day -2440589 since 1970-01-01 is not in the years 4713 BC to 5874897
              Date(2145042905) ok
              day 2145042906 since 1970-01-01 is not in the years 4713 BC to 5874897
              Timestamp(9224318015999999) ok
              9224318016000000 ms since 1970-01-01 is not in the years 4713 BC to 294276
              the text holds a NUL character (U+0000), which PostgreSQL cannot store
              the text holds a NUL character (U+0000), which PostgreSQL cannot store
              Array([Null, Int8(1)]) ok
              no column can hold an array of arrays
              Array([]) ok
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
              Date(-2440588) ok
              Date(-2440589) ok
              Date(2145042905) ok
              Date(2145042906) ok
              Timestamp(9224318015999999) ok
              Timestamp(9224318016000000) ok
              String("a\0b") ok
              no column can hold a value of type array
              no column can hold a value of type array
              no column can hold a value of type array
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
            PostgreSQL: "order_id" TEXT NOT NULL, "qty" INT NOT NULL, "created_at" TIMESTAMP NOT NULL, "note" TEXT NULL
            SQLite: `order_id` TEXT NOT NULL, `qty` INTEGER NOT NULL, `created_at` NUMERIC NOT NULL, `note` TEXT NULL
        "#]],
    );
}
