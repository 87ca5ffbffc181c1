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

/// Writes `w` and deletes `d` of keys, in record order; answers the groups as `operation keys`.
fn delete_groups(key: fn(&str) -> Value, script: &[(char, &str)]) -> Vec<String> {
    let schema = item_schema();
    let key_schema = match key("1") {
        Value::String(_) => Schema::new(Type::String),
        _ => Schema::new(Type::Int64),
    };
    let key_schema: SchemaRef = key_schema.into();
    let records: Vec<_> = script
        .iter()
        .zip(0..)
        .map(|((what, name), offset)| {
            let mut record = record("t", offset, &schema, item(1, "x"));
            record.key = key(name);
            record.key_schema = Some(key_schema.clone());
            if *what == 'd' {
                (record.value, record.value_schema) = (Value::Null, None);
            }
            record
        })
        .collect();
    let pairs = [
        ("insert.mode", "upsert"),
        ("pk.mode", "record_key"),
        ("pk.fields", "k"),
        ("delete.enabled", "true"),
    ];
    let groups = plan(&pairs, &records).unwrap();
    groups
        .iter()
        .map(|group| {
            let names: Vec<&str> =
                group.rows.iter().map(|row| script[usize::try_from(row.record.offset).unwrap()].1).collect();
            format!("{:?} {}", group.operation(), names.join(" "))
        })
        .collect()
}

fn number(name: &str) -> Value {
    Value::Int64(name.parse().unwrap())
}

#[test]
fn a_delete_and_a_write_of_one_key_keep_their_order() {
    let script = [('w', "1"), ('d', "1"), ('w', "1"), ('d', "2"), ('w', "3"), ('d', "1"), ('w', "1")];
    assert_eq!(
        delete_groups(number, &script),
        ["Upsert 1", "Delete 1 2", "Upsert 1 3", "Delete 1", "Upsert 1"],
        "the delete of 2 moved before the write of 1, that of 1 did not"
    );
    let text = |name: &str| Value::from(name);
    assert_eq!(
        delete_groups(text, &[('w', "1"), ('d', "2"), ('w', "3"), ('d', "4")]),
        ["Upsert 1", "Delete 2", "Upsert 3", "Delete 4"],
        "to a database, texts that differ may be one key"
    );
    let uuid = |name: &str| Value::from(format!("0192e4a0-0000-7000-8000-00000000000{name}").as_str());
    assert_eq!(
        delete_groups(uuid, &[('w', "1"), ('d', "2"), ('w', "3"), ('d', "4")]),
        ["Upsert 1", "Delete 2 4", "Upsert 3"]
    );
    assert_eq!(delete_groups(number, &[('d', "1"), ('d', "2"), ('d', "1")]), ["Delete 2 1"]);
}

proptest! {
    /// Whatever is grouped, each key ends as in record order.
    #[test]
    fn groups_leave_the_same_rows(script in prop::collection::vec((any::<bool>(), 0..4u8), 0..60)) {
        const NAMES: [&str; 4] = ["0", "1", "2", "3"];
        let script: Vec<(char, &str)> = script
            .iter()
            .map(|(write, key)| (if *write { 'w' } else { 'd' }, NAMES[usize::from(*key)]))
            .collect();
        let mut expected = [None; 4];
        for (what, name) in &script {
            expected[name.parse::<usize>().unwrap()] = Some(*what);
        }
        let mut found = [None; 4];
        for group in delete_groups(number, &script) {
            let (operation, names) = group.split_once(' ').unwrap();
            for name in names.split(' ') {
                let what = if operation == "Delete" { 'd' } else { 'w' };
                found[name.parse::<usize>().unwrap()] = Some(what);
            }
        }
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn texts_are_values_of_one_column() {
    let text = |pairs: &[(&str, &str)]| {
        let record = SinkRecord {
            value: "hello".into(),
            value_schema: Some(Schema::new(Type::String).into()),
            ..record("orders", 5, &item_schema(), Value::Null)
        };
        match plan(pairs, std::slice::from_ref(&record)) {
            Ok(groups) => {
                let names: Vec<&str> =
                    groups[0].shape.columns.iter().map(|column| &*column.column.name).collect();
                names.join(" ")
            }
            Err(error) => error.chain(),
        }
    };
    assert_eq!(text(&[]), "record_value");
    let key = [("pk.mode", "record_key"), ("pk.fields", "k"), ("string.output.value.column.name", "v")];
    assert_eq!(text(&key), "k v");
    expect!["Sink connector 'my-sink' is configured with field-level options that are not applicable to String values: fields.whitelist, timestamp.fields.list. Remove these options, or have the upstream producer emit Struct values instead."].assert_eq(&text(&[("fields.whitelist", "a"), ("timestamp.fields.list", "b")]));
    let same = [("pk.mode", "record_key"), ("pk.fields", "k"), ("string.output.value.column.name", "k")];
    assert!(
        text(&same).contains("conflicts with a primary key column for table 'orders'"),
        "{}",
        text(&same)
    );
    let value = [("pk.mode", "record_value")];
    assert!(text(&value).contains("pk.mode record_value is not supported with String value schemas"));
}

#[test]
fn values_stay_out_of_errors_where_they_are_to() {
    let time: SchemaRef = Schema::structure([("at", Schema::timestamp())]).into();
    let far = || record("orders", 9, &time, Value::Struct(vec![Value::Timestamp(i64::MAX)]));
    assert!(refusal(&[], far()).contains("9223372036854775807"));
    let trimmed = refusal(&[("trim.sensitive.log", "true")], far());
    assert!(!trimmed.contains("9223372036854775807") && trimmed.contains("field 'at'"), "{trimmed}");
}
