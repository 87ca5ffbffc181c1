use super::*;
use crate::dialect::{Postgres, Quoting, TableKind};
use crate::sink::fixtures::{config, record};
use connect_api::Decimal;

const DIALECT: Postgres = Postgres { quoting: Quoting::Always };

fn definition() -> TableDefinition {
    let columns = [
        ("id", "bigint"),
        ("name", "character varying(20)"),
        ("price", "numeric(10,2)"),
        ("day", "date"),
        ("at", "timestamp with time zone"),
        ("clock", "time without time zone"),
        ("ok", "boolean"),
        ("extra", "jsonb"),
        ("small", "smallint"),
        ("bytes", "bytea"),
        ("tags", "text[]"),
    ];
    let columns = columns.map(|(name, sql_type)| TableColumn::plain(name, sql_type)).to_vec();
    TableDefinition { kind: TableKind::Table, columns }
}

fn object(entries: Vec<(&str, Value)>) -> Value {
    Value::Map(entries.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// The fields that become of an object, as `name=value`.
fn made(pairs: &[(&str, &str)], known: bool, value: Value) -> Result<Vec<(String, Value)>, String> {
    let config = config(pairs);
    let context = Context { config: &config, dialect: &DIALECT, connector: "sink" };
    let definition = definition();
    let mut table = Table::new(&DIALECT, known.then_some(&definition));
    let mut record = record("t", 0, &TEXT, value);
    record.value_schema = None;
    assert!(is_plain(&config, &record));
    let (schema, value) = table.give_schemas(&context, &TableId::named("t"), &record)?.value.unwrap();
    let Value::Struct(values) = value else { panic!("{value:?}") };
    Ok(schema.fields().iter().map(|field| field.name.to_string()).zip(values).collect())
}

const TABLE: &[(&str, &str)] = &[("schemaless.values", "table")];
const INFER: &[(&str, &str)] = &[("schemaless.values", "infer")];

#[test]
fn values_become_what_their_columns_hold() {
    for (name, given, expected) in [
        ("id", Value::Int64(5), Value::Int64(5)),
        ("ID", "17".into(), Value::Int64(17)),
        ("id", Value::Float64(3.0), Value::Int64(3)),
        ("name", Value::Int64(5), "5".into()),
        ("name", object(vec![("a", Value::Null)]), r#"{"a":null}"#.into()),
        ("price", Value::Float64(12.5), Value::Decimal(Decimal::new(125, 1))),
        ("price", Value::Int64(-3), Value::Decimal(Decimal::new(-3, 0))),
        ("price", "-0.05".into(), Value::Decimal(Decimal::new(-5, 2))),
        ("day", "1970-01-11".into(), Value::Date(10)),
        ("at", "2024-05-06T10:11:12.123456+02:00".into(), Value::Int64(1_714_983_072_123_456)),
        ("at", "1970-01-01 00:00:01".into(), Value::Int64(1_000_000)),
        ("at", Value::Int64(7), Value::Int64(7000)),
        ("clock", "00:00:01.5".into(), Value::Time(1500)),
        ("ok", Value::Boolean(true), Value::Boolean(true)),
        ("ok", Value::Int64(0), Value::Boolean(false)),
        ("extra", "text".into(), r#""text""#.into()),
        ("extra", Value::Array(vec![Value::Int64(1), Value::Float64(0.5)]), "[1,0.5]".into()),
        ("bytes", "AQID/w==".into(), Value::Bytes(vec![1, 2, 3, 255].into())),
        ("tags", Value::Array(vec!["a".into(), Value::Null]), Value::Array(vec!["a".into(), Value::Null])),
        ("name", Value::Null, Value::Null),
    ] {
        let fields = made(TABLE, true, object(vec![(name, given.clone())]));
        assert_eq!(fields, Ok(vec![(name.to_owned(), expected)]), "{name} {given:?}");
    }
}

#[test]
fn what_does_not_fit_is_refused_without_its_value() {
    for (name, given) in [
        ("id", Value::Float64(1.5)),
        ("id", "1x".into()),
        ("small", Value::Int64(40_000)),
        ("price", "1e5".into()),
        ("day", "tomorrow".into()),
        ("ok", Value::Int64(2)),
        ("bytes", "?".into()),
        ("tags", "a".into()),
    ] {
        let error = made(TABLE, true, object(vec![(name, given.clone())])).unwrap_err();
        assert!(error.contains(&format!("field '{name}': a JSON value of type")), "{given:?}: {error}");
    }
    let unknown = || object(vec![("id", Value::Int64(1)), ("more", Value::Int64(2))]);
    let error = made(TABLE, true, unknown()).unwrap_err();
    assert!(error.contains("table t has no column for field 'more'"), "{error}");
    let evolving = [("schemaless.values", "table"), ("auto.evolve", "true")];
    assert_eq!(made(&evolving, true, unknown()).unwrap().len(), 2);
    let listed = [("schemaless.values", "table"), ("fields.whitelist", "id")];
    assert_eq!(made(&listed, true, unknown()).unwrap().len(), 1);
}

#[test]
fn without_a_column_the_schema_follows_from_the_value() {
    let value = object(vec![
        ("a", Value::Int64(1)),
        ("b", Value::Float64(1.5)),
        ("c", "x".into()),
        ("d", Value::Boolean(true)),
        ("e", object(vec![("f", "g".into())])),
        ("n", Value::Null),
    ]);
    let fields = made(INFER, false, value).unwrap();
    assert_eq!(
        fields,
        [
            ("a".to_owned(), Value::Int64(1)),
            ("b".to_owned(), Value::Float64(1.5)),
            ("c".to_owned(), "x".into()),
            ("d".to_owned(), Value::Boolean(true)),
            ("e".to_owned(), r#"{"f":"g"}"#.into()),
        ],
        "a null says nothing of a column that is not there"
    );
    let fields = made(INFER, true, object(vec![("name", Value::Null), ("n", Value::Null)])).unwrap();
    assert_eq!(fields, [("name".to_owned(), Value::Null)]);
}

#[test]
fn objects_alike_share_their_schema() {
    let config = config(INFER);
    let context = Context { config: &config, dialect: &DIALECT, connector: "sink" };
    let mut table = Table::new(&DIALECT, None);
    let mut schema = |value: i64| {
        let mut record = record("t", 0, &TEXT, object(vec![("a", Value::Int64(value))]));
        record.value_schema = None;
        table.give_schemas(&context, &TableId::named("t"), &record).unwrap().value.unwrap().0
    };
    assert!(Arc::ptr_eq(&schema(1), &schema(2)));
}
