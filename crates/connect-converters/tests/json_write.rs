//! What JsonConverter writes, byte for byte. The expectations were printed by the Java converter 4.3.0 (`tests/oracle/Write.java`).

use bytes::Bytes;
use connect_api::{ConfigMap, ConnectError, Converter, Decimal, Schema, SchemaRef, Type, Value};
use connect_converters::create;
use std::sync::Arc;

fn convert(config: &[(&str, &str)], schema: Option<Schema>, value: Value) -> Result<Option<String>, String> {
    let config: ConfigMap = config.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let mut converter = create("Json", &config, false).unwrap();
    let schema: Option<SchemaRef> = schema.map(Arc::new);
    let mut write = || written(&mut *converter, schema.as_ref(), &value);
    let first = write().map_err(|error| error.to_string())?;
    assert_eq!(first, write().unwrap(), "the remembered schema gives the same bytes");
    Ok(first)
}

fn written(
    converter: &mut dyn Converter,
    schema: Option<&SchemaRef>,
    value: &Value,
) -> Result<Option<String>, ConnectError> {
    let mut out = Vec::new();
    let some = converter.from_connect_data("t", schema, value, &mut out)?;
    Ok(some.then(|| String::from_utf8(out).unwrap()))
}

const PLAIN: &[(&str, &str)] = &[("schemas.enable", "false")];
const ENVELOPE: &[(&str, &str)] = &[];

#[track_caller]
fn check(config: &[(&str, &str)], schema: Option<Schema>, value: impl Into<Value>, expected: &str) {
    assert_eq!(convert(config, schema, value.into()).unwrap().unwrap(), expected);
}

fn of(ty: Type) -> Option<Schema> {
    Some(Schema::new(ty))
}

#[test]
fn lines_of_a_file() {
    check(
        ENVELOPE,
        of(Type::String),
        "ITEM001,SHOP001,929,2018-10-01 01:01:01",
        r#"{"schema":{"type":"string","optional":false},"payload":"ITEM001,SHOP001,929,2018-10-01 01:01:01"}"#,
    );
    check(PLAIN, of(Type::String), "hello-1", r#""hello-1""#);
    check(
        PLAIN,
        of(Type::String),
        "tab\t quote\" back\\ slash/ nul\0 esc\u{1b} del\u{7f} é 한 \u{2028} 😀",
        "\"tab\\t quote\\\" back\\\\ slash/ nul\\u0000 esc\\u001B del\u{7f} é 한 \u{2028} \\uD83D\\uDE00\"",
    );
}

#[test]
fn nulls() {
    assert_eq!(convert(ENVELOPE, None, Value::Null), Ok(None));
    assert_eq!(convert(PLAIN, None, Value::Null), Ok(None));
    check(
        ENVELOPE,
        Some(Schema::new(Type::String).optional()),
        Value::Null,
        r#"{"schema":{"type":"string","optional":true},"payload":null}"#,
    );
    check(PLAIN, Some(Schema::new(Type::String).optional()), Value::Null, "null");
    let with_default = || Schema::new(Type::Int32).optional().with_default(Value::Int32(7));
    check(PLAIN, Some(with_default()), Value::Null, "7");
    check(
        &[("schemas.enable", "false"), ("replace.null.with.default", "false")],
        Some(with_default()),
        Value::Null,
        "null",
    );
    assert_eq!(
        convert(PLAIN, of(Type::Int32), Value::Null),
        Err("Conversion error: null value for field that is required and has no default value".into())
    );
}

#[test]
fn numbers() {
    check(PLAIN, of(Type::Int64), Value::Int64(i64::MIN), "-9223372036854775808");
    check(PLAIN, of(Type::Float64), Value::Float64(1e10), "1.0E10");
    check(PLAIN, of(Type::Float64), Value::Float64(0.1), "0.1");
    check(PLAIN, of(Type::Float32), Value::Float32(1.5), "1.5");
    check(PLAIN, of(Type::Float64), Value::Float64(f64::NAN), "\"NaN\"");
    check(PLAIN, of(Type::Float64), Value::Float64(f64::NEG_INFINITY), "\"-Infinity\"");
    check(PLAIN, of(Type::Bytes), Value::Bytes(Bytes::from_static(b"\xff\x00a")), "\"/wBh\"");
}

#[test]
fn logical_types() {
    let decimal = || Value::Decimal(Decimal::new(-12345, 2));
    check(
        ENVELOPE,
        Some(Schema::decimal(2)),
        decimal(),
        r#"{"schema":{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}},"payload":"z8c="}"#,
    );
    check(
        &[("schemas.enable", "false"), ("decimal.format", "numeric")],
        Some(Schema::decimal(2)),
        decimal(),
        "-123.45",
    );
    check(
        &[("schemas.enable", "false"), ("decimal.format", "NUMERIC")],
        Some(Schema::decimal(-3)),
        Value::Decimal(Decimal::new(1, -3)),
        "1E+3",
    );
    check(
        ENVELOPE,
        Some(Schema::date().optional()),
        Value::Date(19847),
        r#"{"schema":{"type":"int32","optional":true,"name":"org.apache.kafka.connect.data.Date","version":1},"payload":19847}"#,
    );
    check(PLAIN, Some(Schema::time()), Value::Time(86_399_999), "86399999");
    check(PLAIN, Some(Schema::timestamp()), Value::Timestamp(-1), "-1");
    assert!(convert(PLAIN, Some(Schema::decimal(3)), decimal()).unwrap_err().contains("mismatching scale"));
}

#[test]
fn structs_arrays_and_maps() {
    let schema = Schema::structure([
        ("id", Schema::new(Type::Int32)),
        ("name", Schema::new(Type::String).optional()),
        ("created_at", Schema::timestamp().optional()),
        ("n", Schema::new(Type::Int8).with_default(Value::Int8(5))),
    ])
    .named("users");
    let value = Value::Struct(vec![Value::Int32(1), "a".into(), Value::Null, Value::Int8(2)]);
    check(
        ENVELOPE,
        Some(schema.clone()),
        value.clone(),
        r#"{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":true,"field":"name"},{"type":"int64","optional":true,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"created_at"},{"type":"int8","optional":false,"default":5,"field":"n"}],"optional":false,"name":"users"},"payload":{"id":1,"name":"a","created_at":null,"n":2}}"#,
    );
    check(PLAIN, Some(schema), value, r#"{"id":1,"name":"a","created_at":null,"n":2}"#);
    let of_strings =
        Type::Map { key: Arc::new(Schema::new(Type::String)), value: Arc::new(Schema::new(Type::Int32)) };
    check(
        ENVELOPE,
        of(of_strings),
        Value::Map(vec![("a".into(), Value::Int32(1))]),
        r#"{"schema":{"type":"map","keys":{"type":"string","optional":false},"values":{"type":"int32","optional":false},"optional":false},"payload":{"a":1}}"#,
    );
    let of_numbers =
        Type::Map { key: Arc::new(Schema::new(Type::Int32)), value: Arc::new(Schema::new(Type::Boolean)) };
    check(PLAIN, of(of_numbers), Value::Map(vec![(Value::Int32(1), Value::Boolean(true))]), "[[1,true]]");
    check(
        ENVELOPE,
        of(Type::Array(Arc::new(Schema::new(Type::Float64).optional()))),
        Value::Array(vec![Value::Float64(0.5), Value::Null]),
        r#"{"schema":{"type":"array","items":{"type":"double","optional":true},"optional":false},"payload":[0.5,null]}"#,
    );
}

#[test]
fn without_a_schema() {
    check(ENVELOPE, None, "x", r#"{"schema":null,"payload":"x"}"#);
    check(
        PLAIN,
        None,
        Value::Map(vec![("a".into(), Value::Array(vec![Value::Null, Value::Int64(1)]))]),
        r#"{"a":[null,1]}"#,
    );
    check(PLAIN, None, Value::Map(vec![(Value::Int64(1), "a".into())]), r#"[[1,"a"]]"#);
    assert!(convert(PLAIN, None, Value::Date(1)).is_err());
}

#[test]
fn a_value_of_another_type_than_its_schema_is_refused() {
    for (ty, value) in [
        (Type::Int32, Value::Int64(1)),
        (Type::String, Value::Int32(1)),
        (Type::Struct(Vec::new()), Value::Struct(vec![Value::Null])),
    ] {
        let error = convert(PLAIN, of(ty), value).unwrap_err();
        assert!(error.starts_with("Invalid type for "), "{error}");
    }
    let nested = Schema::structure([("a", Schema::new(Type::Int32))]);
    let error = convert(PLAIN, Some(nested), Value::Struct(vec!["x".into()])).unwrap_err();
    assert_eq!(error, "Invalid type for INT32: string (at field \"a\")");
}

#[test]
fn a_new_schema_replaces_the_remembered_one() {
    let mut converter = create("Json", &ConfigMap::new(), false).unwrap();
    let mut write = |ty: Type, value: Value| {
        written(&mut *converter, Some(&Arc::new(Schema::new(ty))), &value).unwrap().unwrap()
    };
    for _ in 0..2 {
        assert_eq!(
            write(Type::Int8, Value::Int8(1)),
            r#"{"schema":{"type":"int8","optional":false},"payload":1}"#
        );
        assert_eq!(
            write(Type::Int16, Value::Int16(1)),
            r#"{"schema":{"type":"int16","optional":false},"payload":1}"#
        );
    }
}
