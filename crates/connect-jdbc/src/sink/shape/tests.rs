use super::*;
use crate::dialect::{MySql, Quoting};
use crate::sink::fixtures::{config, item, item_schema, record};
use crate::sink::row::Row;
use crate::sink::statements::Statements;
use expect_test::{Expect, expect};

const DIALECT: MySql = MySql::new(Quoting::Always);

fn shape(
    pairs: &[(&str, &str)],
    key_schema: Option<Schema>,
    value_schema: &SchemaRef,
) -> Result<Shape, String> {
    let table = Arc::new(TableId::named("t"));
    Shape::new(&config(pairs), &DIALECT, table, key_schema.map(Arc::new).as_ref(), Some(value_schema))
}

fn check(pairs: &[(&str, &str)], key_schema: Option<Schema>, expected: Expect) {
    let shown = match shape(pairs, key_schema, &item_schema()) {
        Ok(shape) => format!(
            "{}\n{}\n",
            DIALECT.create_table(&shape.table, &shape.create_columns(), &shape.key_names()),
            Statements::new(&DIALECT, Arc::new(shape), &[]).text(&DIALECT, 1)
        ),
        Err(error) => error,
    };
    expected.assert_eq(&shown);
}

fn text() -> Schema {
    Schema::new(Type::String).optional()
}

fn key_struct() -> Schema {
    Schema::structure([
        ("zone", text()),
        ("area", Schema::new(Type::Int32)),
        ("id", Schema::new(Type::Int64)),
    ])
}

#[test]
fn pk_none() {
    check(
        &[],
        None,
        expect![[r#"
        CREATE TABLE `t` (
        `id` INT NOT NULL,
        `name` TEXT NULL,
        `qty` INT DEFAULT 1)
        INSERT INTO `t`(`id`,`name`,`qty`) VALUES(?,?,?)
    "#]],
    );
}

#[test]
fn pk_kafka() {
    check(
        &[("pk.mode", "kafka")],
        None,
        expect![[r#"
        CREATE TABLE `t` (
        `__connect_topic` VARCHAR(255) NOT NULL,
        `__connect_partition` INT NOT NULL,
        `__connect_offset` BIGINT NOT NULL,
        `id` INT NOT NULL,
        `name` TEXT NULL,
        `qty` INT DEFAULT 1,
        PRIMARY KEY(`__connect_topic`,`__connect_partition`,`__connect_offset`))
        INSERT INTO `t`(`__connect_topic`,`__connect_partition`,`__connect_offset`,`id`,`name`,`qty`) VALUES(?,?,?,?,?,?)
    "#]],
    );
    check(
        &[("pk.mode", "kafka"), ("pk.fields", "tt,pp,oo"), ("insert.mode", "upsert")],
        None,
        expect![[r#"
        CREATE TABLE `t` (
        `id` INT NOT NULL,
        `name` TEXT NULL,
        `qty` INT DEFAULT 1,
        `oo` BIGINT NOT NULL,
        `pp` INT NOT NULL,
        `tt` VARCHAR(255) NOT NULL,
        PRIMARY KEY(`tt`,`pp`,`oo`))
        INSERT INTO `t`(`tt`,`pp`,`oo`,`id`,`name`,`qty`) VALUES(?,?,?,?,?,?) ON DUPLICATE KEY UPDATE `id`=VALUES(`id`),`name`=VALUES(`name`),`qty`=VALUES(`qty`)
    "#]],
    );
}

#[test]
fn pk_record_key() {
    check(
        &[("pk.mode", "record_key"), ("pk.fields", "k")],
        Some(text()),
        expect![[r#"
        CREATE TABLE `t` (
        `id` INT NOT NULL,
        `name` TEXT NULL,
        `qty` INT DEFAULT 1,
        `k` VARCHAR(255) NOT NULL,
        PRIMARY KEY(`k`))
        INSERT INTO `t`(`k`,`id`,`name`,`qty`) VALUES(?,?,?,?)
    "#]],
    );
    check(
        &[("pk.mode", "record_key"), ("pk.fields", "id"), ("insert.mode", "upsert")],
        Some(text()),
        expect![[r#"
            CREATE TABLE `t` (
            `id` VARCHAR(255) NOT NULL,
            `name` TEXT NULL,
            `qty` INT DEFAULT 1,
            PRIMARY KEY(`id`))
            INSERT INTO `t`(`id`,`name`,`qty`) VALUES(?,?,?) ON DUPLICATE KEY UPDATE `name`=VALUES(`name`),`qty`=VALUES(`qty`)
        "#]],
    );
    check(
        &[("pk.mode", "record_key")],
        Some(text()),
        expect![
            "Need exactly one PK column defined since the key schema for records is a primitive type, defined columns are: []; set pk.fields to one name, the column to hold the key"
        ],
    );
    check(
        &[("pk.mode", "record_key"), ("pk.fields", "a,b")],
        Some(text()),
        expect![
            "Need exactly one PK column defined since the key schema for records is a primitive type, defined columns are: [a, b]; set pk.fields to one name, the column to hold the key"
        ],
    );
    check(
        &[("pk.mode", "record_key")],
        Some(key_struct()),
        expect![[r#"
        CREATE TABLE `t` (
        `id` BIGINT NOT NULL,
        `name` TEXT NULL,
        `qty` INT DEFAULT 1,
        `area` INT NOT NULL,
        `zone` VARCHAR(255) NOT NULL,
        PRIMARY KEY(`zone`,`area`,`id`))
        INSERT INTO `t`(`zone`,`area`,`id`,`name`,`qty`) VALUES(?,?,?,?,?)
    "#]],
    );
    check(
        &[("pk.mode", "record_key"), ("pk.fields", "zone,area")],
        Some(key_struct()),
        expect![[r#"
        CREATE TABLE `t` (
        `id` INT NOT NULL,
        `name` TEXT NULL,
        `qty` INT DEFAULT 1,
        `area` INT NOT NULL,
        `zone` VARCHAR(255) NOT NULL,
        PRIMARY KEY(`zone`,`area`))
        INSERT INTO `t`(`zone`,`area`,`id`,`name`,`qty`) VALUES(?,?,?,?,?)
    "#]],
    );
    check(
        &[("pk.mode", "record_key"), ("pk.fields", "nope")],
        Some(key_struct()),
        expect![
            "PK mode for table 't' is RECORD_KEY with configured PK fields [nope], but record key schema does not contain field: nope (it has zone, area, id); correct pk.fields or the records"
        ],
    );
}

#[test]
fn pk_record_value() {
    check(
        &[("pk.mode", "record_value"), ("insert.mode", "upsert")],
        None,
        expect![[r#"
        CREATE TABLE `t` (
        `id` INT NOT NULL,
        `name` VARCHAR(255) NOT NULL,
        `qty` INT DEFAULT 1 NOT NULL,
        PRIMARY KEY(`id`,`name`,`qty`))
        INSERT INTO `t`(`id`,`name`,`qty`) VALUES(?,?,?) ON DUPLICATE KEY UPDATE `id`=VALUES(`id`),`name`=VALUES(`name`),`qty`=VALUES(`qty`)
    "#]],
    );
    check(
        &[("pk.mode", "record_value"), ("pk.fields", "name,id"), ("insert.mode", "upsert")],
        None,
        expect![[r#"
            CREATE TABLE `t` (
            `id` INT NOT NULL,
            `name` VARCHAR(255) NOT NULL,
            `qty` INT DEFAULT 1,
            PRIMARY KEY(`name`,`id`))
            INSERT INTO `t`(`name`,`id`,`qty`) VALUES(?,?,?) ON DUPLICATE KEY UPDATE `qty`=VALUES(`qty`)
        "#]],
    );
    check(
        &[("pk.mode", "record_value"), ("pk.fields", "Id")],
        None,
        expect![
            "PK mode for table 't' is RECORD_VALUE with configured PK fields [Id], but record value schema does not contain field: Id (it has id, name, qty); correct pk.fields or the records"
        ],
    );
}

#[test]
fn whitelist() {
    check(
        &[("fields.whitelist", "qty")],
        None,
        expect![[r#"
        CREATE TABLE `t` (
        `qty` INT DEFAULT 1)
        INSERT INTO `t`(`qty`) VALUES(?)
    "#]],
    );
    check(
        &[("fields.whitelist", "qty"), ("pk.mode", "record_value"), ("pk.fields", "id")],
        None,
        expect![[r#"
            CREATE TABLE `t` (
            `id` INT NOT NULL,
            `qty` INT DEFAULT 1,
            PRIMARY KEY(`id`))
            INSERT INTO `t`(`id`,`qty`) VALUES(?,?)
        "#]],
    );
    check(
        &[("fields.whitelist", "nope")],
        None,
        expect![
            "No fields found using key and value schemas for table: t; check pk.fields and fields.whitelist"
        ],
    );
}

#[test]
fn unmapped_types_are_named() {
    let schema = Arc::new(Schema::structure([("address", Schema::structure([]).named("Address"))]));
    expect!["field 'address': Address (STRUCT) type doesn't have a mapping to the SQL database column type; flatten it (Flatten transform) or leave it out (fields.whitelist, ReplaceField transform)"].assert_eq(&shape(&[], None, &schema).unwrap_err());
}

#[test]
fn cells_follow_the_columns_and_nulls_become_defaults() {
    let schema = item_schema();
    let shape = shape(&[("pk.mode", "kafka")], None, &schema).unwrap();
    let record = record("topic", 7, &schema, item(3, "x"));
    let row = Row::new(&record);
    let cells: Vec<Cell<'_>> = shape.in_statement().map(|column| column.cell(&shape.times, &row)).collect();
    assert_eq!(
        cells,
        [
            Cell::Text("topic"),
            Cell::Integer(0),
            Cell::Integer(7),
            Cell::Value(&Value::Int32(3)),
            Cell::Value(&Value::from("x")),
            Cell::Value(&Value::Int32(1)),
        ]
    );
}

#[test]
fn statement_size_follows_batch_size_and_placeholders() {
    let schema = item_schema();
    for (batch_size, rows) in [("0", 1), ("1", 1), ("3", 2), ("500", 256), ("3000", 1024), ("100000", 1024)] {
        assert_eq!(
            shape(&[("batch.size", batch_size)], None, &schema).unwrap().max_rows,
            rows,
            "{batch_size}"
        );
    }
    let wide: Vec<(String, Schema)> = (0..100).map(|i| (format!("c{i}"), Schema::new(Type::Int8))).collect();
    let wide = Arc::new(Schema::structure(wide.iter().map(|(name, schema)| (name.as_str(), schema.clone()))));
    assert_eq!(shape(&[], None, &wide).unwrap().max_rows, 512);
}
