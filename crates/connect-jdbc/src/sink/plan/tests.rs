use super::*;
use crate::dialect::{MySql, Quoting};
use crate::sink::fixtures::{config, item, item_schema, record};
use connect_api::{Schema, Type, Value};
use expect_test::expect;
use proptest::prelude::*;

const DIALECT: MySql = MySql::new(Quoting::Always);

fn plan<'a>(pairs: &[(&str, &str)], records: &'a [SinkRecord]) -> Result<Vec<Group<'a>>, ConnectError> {
    let context = Context { config: &config(pairs), dialect: &DIALECT, connector: "my-sink" };
    let plan = Planner::default().plan(&context, records.iter().enumerate());
    plan.rejected.into_iter().next().map_or(Ok(plan.groups), |(_, error)| Err(error))
}

fn shown(groups: &[Group<'_>]) -> Vec<String> {
    groups
        .iter()
        .map(|group| {
            let offsets: Vec<String> = group.rows.iter().map(|row| row.record.offset.to_string()).collect();
            format!("{}: {}", group.shape.table, offsets.join(" "))
        })
        .collect()
}

fn refusal(pairs: &[(&str, &str)], record: SinkRecord) -> String {
    plan(pairs, &[record]).unwrap_err().chain()
}

#[test]
fn tables_do_not_break_each_others_groups() {
    let schema = item_schema();
    let records: Vec<_> = ["a", "b", "a", "b", "a"]
        .iter()
        .zip(0..)
        .map(|(topic, offset)| record(topic, offset, &schema, item(1, "x")))
        .collect();
    assert_eq!(shown(&plan(&[], &records).unwrap()), ["a: 0 2 4", "b: 1 3"]);
    assert_eq!(shown(&plan(&[("table.name.format", "all")], &records).unwrap()), ["all: 0 1 2 3 4"]);
}

#[test]
fn a_change_of_schema_starts_a_group_and_equal_schemas_do_not() {
    let (one, same) = (item_schema(), item_schema());
    let other: SchemaRef = Schema::structure([("id", Schema::new(Type::Int32))]).into();
    let short = || Value::Struct(vec![Value::Int32(1)]);
    let records = [
        record("a", 0, &one, item(1, "x")),
        record("a", 1, &same, item(1, "x")),
        record("a", 2, &other, short()),
        record("a", 3, &one, item(1, "x")),
    ];
    let groups = plan(&[], &records).unwrap();
    assert_eq!(shown(&groups), ["a: 0 1", "a: 2", "a: 3"]);
    assert!(Arc::ptr_eq(&groups[0].shape, &groups[2].shape));
}

#[test]
fn only_record_key_looks_at_the_keys_schema() {
    let schema = item_schema();
    let mut records = [record("a", 0, &schema, item(1, "x")), record("a", 1, &schema, item(1, "x"))];
    records[1].key_schema = None;
    assert_eq!(shown(&plan(&[], &records).unwrap()), ["a: 0 1"]);
}

#[test]
fn records_that_cannot_be_rows_are_named() {
    let schema = item_schema();
    let good = || record("orders", 5, &schema, item(1, "x"));
    let key = [("pk.mode", "record_key"), ("pk.fields", "k")];

    let tombstone = SinkRecord { value: Value::Null, value_schema: None, ..good() };
    expect!["Sink connector 'my-sink' is configured with 'delete.enabled=false' and 'pk.mode=none' and therefore requires records with a non-null Struct or String value and non-null Struct or String schema, but found record at (topic='orders',partition=0,offset=5,timestamp=1000) with a null value and null value schema. Records without a value (tombstones) cannot be written as rows: set delete.enabled=true (with pk.mode=record_key) to delete rows, or filter them out (Filter transform with the RecordIsTombstone predicate)"].assert_eq(&refusal(&[], tombstone));
    let schemaless = SinkRecord { value: Value::Map(vec![]), value_schema: None, ..good() };
    expect![[r#"Sink connector 'my-sink' is configured with 'delete.enabled=false' and 'pk.mode=none' and therefore requires records with a non-null Struct or String value and non-null Struct or String schema, but found record at (topic='orders',partition=0,offset=5,timestamp=1000) with a map value and null value schema. Write the records with a schema (JsonConverter: an object with "schema" and "payload", and value.converter.schemas.enable=true), or set schemaless.values to table or infer"#]].assert_eq(&refusal(&[], schemaless));
    let text =
        SinkRecord { value: Value::Int32(1), value_schema: Some(Schema::new(Type::Int32).into()), ..good() };
    expect![[r#"Sink connector 'my-sink' is configured with 'delete.enabled=false' and 'pk.mode=kafka' and therefore requires records with a non-null Struct or String value and non-null Struct or String schema, but found record at (topic='orders',partition=0,offset=5,timestamp=1000) with a int32 value and int32 value schema. Write the records with a schema (JsonConverter: an object with "schema" and "payload", and value.converter.schemas.enable=true), or set schemaless.values to table or infer"#]].assert_eq(&refusal(&[("pk.mode", "kafka")], text));
    let no_key = SinkRecord { key: Value::Null, ..good() };
    expect!["Sink connector 'my-sink' is configured with 'delete.enabled=false' and 'pk.mode=record_key' and therefore requires records with a non-null key and non-null Struct or primitive key schema, but found record at (topic='orders',partition=0,offset=5,timestamp=1000) with a null key and string key schema. Give the records keys, use a key.converter with a schema (e.g. StringConverter), or another pk.mode"].assert_eq(&refusal(&key, no_key));
    let null_key =
        SinkRecord { value: Value::Struct(vec![Value::Int32(1), Value::Null, Value::Null]), ..good() };
    expect!["the record at (topic='orders',partition=0,offset=5,timestamp=1000) cannot be written to table orders: field 'name': a key column cannot be null; correct the record, or leave the field out (fields.whitelist, ReplaceField transform)"].assert_eq(&refusal(&[("pk.mode", "record_value"), ("pk.fields", "name")], null_key));
    expect!["the record at (topic='orders',partition=0,offset=5,timestamp=1000) cannot be written to table orders: PK mode for table 'orders' is RECORD_VALUE with configured PK fields [nope], but record value schema does not contain field: nope (it has id, name, qty); correct pk.fields or the records"].assert_eq(&refusal(&[("pk.mode", "record_value"), ("pk.fields", "nope")], good()));
    let dotted = SinkRecord { topic: "a.b.c.d".into(), ..good() };
    expect!["table.name.format does not fit: 'a.b.c.d', the name of the table for topic 'a.b.c.d' by the format string '${topic}', names no table: it has an empty part, more than three parts between dots, or a quote that is not closed; names are TABLE, DATABASE.TABLE (PostgreSQL: SCHEMA.TABLE, DATABASE.SCHEMA.TABLE); put a part with dots in back-ticks, e.g. `${topic}`"].assert_eq(&refusal(&[], dotted));

    let time: SchemaRef = Schema::structure([("at", Schema::timestamp())]).into();
    let far = record("orders", 9, &time, Value::Struct(vec![Value::Timestamp(i64::MAX)]));
    expect!["the record at (topic='orders',partition=0,offset=9,timestamp=1000) cannot be written to table orders: field 'at': 9223372036854775807 ms since 1970-01-01 is not in the years 1 to 9999; correct the record, or leave the field out (fields.whitelist, ReplaceField transform)"].assert_eq(&refusal(&[], far));
}

#[test]
fn statement_sizes() {
    let even = |count: usize| vec![10; count];
    let lengths = |bytes: &[usize], max_rows, max_bytes| -> Vec<usize> {
        split(bytes, max_rows, max_bytes).iter().map(Range::len).collect()
    };
    assert_eq!(lengths(&even(0), 4, 100), [0; 0]);
    assert_eq!(lengths(&even(11), 4, 1000), [4, 4, 2, 1]);
    assert_eq!(lengths(&even(500), 1024, 1_000_000), [256, 128, 64, 32, 16, 4]);
    assert_eq!(lengths(&even(8), 1024, 39), [2, 2, 2, 2]);
    assert_eq!(lengths(&[10, 999, 10, 10], 1024, 50), [1, 1, 2], "a row beyond the limit goes alone");
}

proptest! {
    #[test]
    fn every_row_is_in_one_statement_in_order(
        bytes in prop::collection::vec(0usize..400, 0..600),
        rows_log in 0u32..11,
        max_bytes in 1usize..5000,
    ) {
        let max_rows = 1 << rows_log;
        let ranges = split(&bytes, max_rows, max_bytes);
        let order: Vec<usize> = ranges.iter().cloned().flatten().collect();
        prop_assert_eq!(order, (0..bytes.len()).collect::<Vec<_>>());
        for range in ranges {
            prop_assert!(range.len().is_power_of_two() && range.len() <= max_rows);
            prop_assert!(range.len() == 1 || bytes[range].iter().sum::<usize>() <= max_bytes);
        }
    }
}
