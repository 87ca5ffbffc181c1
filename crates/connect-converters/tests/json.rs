//! What the Java converter 4.3.0 answered to the same messages, as a table; the README names the few
//! places where this one is stricter.

mod property;

use bytes::Bytes;
use connect_api::{ConfigMap, ConnectError, Decimal, SchemaRef, Type, Value};
use connect_converters::create;

fn converted(config: &[(&str, &str)], json: &[u8]) -> Result<(Option<SchemaRef>, Value), ConnectError> {
    let config: ConfigMap = config.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    let mut converter = create("JsonConverter", &config, false).unwrap();
    converter.to_connect_data("t", Some(&Bytes::copy_from_slice(json)))
}

fn envelope(schema: &str, payload: &str) -> Result<Value, String> {
    let json = format!("{{\"schema\":{schema},\"payload\":{payload}}}");
    let turned = format!("{{\"payload\": {payload} , \"schema\": {schema}}}");
    let value = converted(&[], json.as_bytes()).map(|(_, value)| value).map_err(|error| error.to_string());
    let other = converted(&[], turned.as_bytes()).map(|(_, value)| value).map_err(|error| error.to_string());
    assert_eq!(value.is_ok(), other.is_ok(), "{turned}: {other:?}");
    if value.is_ok() {
        assert_eq!(value, other, "{turned}");
    }
    value
}

fn schemaless(json: &str) -> Result<Value, String> {
    let read = converted(&[("schemas.enable", "false")], json.as_bytes());
    read.map(|(schema, value)| {
        assert_eq!(schema, None);
        value
    })
    .map_err(|error| error.to_string())
}

fn map(entries: &[(&str, Value)]) -> Value {
    Value::Map(entries.iter().map(|(key, value)| (Value::from(*key), value.clone())).collect())
}

#[test]
fn primitives_are_lenient() {
    use Value::*;
    let optional = |ty: &str| format!("{{\"type\":\"{ty}\",\"optional\":true}}");
    for (payload, int8, int16, int32, int64) in [
        ("1", 1, 1, 1, 1),
        ("300", 44, 300, 300, 300),
        ("-129", 127, -129, -129, -129),
        ("3.7", 3, 3, 3, 3),
        ("1e10", 0, -7168, 1410065408, 10_000_000_000),
        ("9223372036854775808", 0, 0, 0, i64::MIN),
        ("\"12\"", 0, 0, 0, 0),
        ("true", 0, 0, 0, 0),
        ("[1,[2]]", 0, 0, 0, 0),
        ("{\"a\":{\"b\":1}}", 0, 0, 0, 0),
    ] {
        assert_eq!(envelope(&optional("int8"), payload), Ok(Int8(int8)), "{payload}");
        assert_eq!(envelope(&optional("int16"), payload), Ok(Int16(int16)), "{payload}");
        assert_eq!(envelope(&optional("int32"), payload), Ok(Int32(int32)), "{payload}");
        assert_eq!(envelope(&optional("int64"), payload), Ok(Int64(int64)), "{payload}");
    }
    for (payload, double) in [
        ("3", 3.0),
        ("3.7", 3.7),
        ("-0", 0.0),
        ("1.5e-3", 0.0015),
        ("9223372036854775808", 9.223372036854776e18),
        ("99999999999999999999999", 1e23),
        ("\"12\"", 0.0),
        ("true", 0.0),
        ("{}", 0.0),
    ] {
        assert_eq!(envelope(&optional("double"), payload), Ok(Float64(double)), "{payload}");
        assert_eq!(envelope(&optional("float"), payload), Ok(Float32(double as f32)), "{payload}");
    }
    for (payload, expected) in
        [("true", true), ("false", false), ("1", false), ("\"true\"", false), ("[]", false)]
    {
        assert_eq!(envelope(&optional("boolean"), payload), Ok(Boolean(expected)), "{payload}");
    }
    for (payload, expected) in [
        ("\"a\"", Value::from("a")),
        ("\"\"", Value::from("")),
        ("\"\\ud83d\\ude00\\n\"", Value::from("😀\n")),
        ("5", Null),
        ("true", Null),
        ("[\"a\"]", Null),
        ("{\"a\":1}", Null),
        ("null", Null),
    ] {
        assert_eq!(envelope(&optional("string"), payload), Ok(expected), "{payload}");
    }
    for (payload, expected) in
        [("\"AQI=\"", Bytes(vec![1, 2].into())), ("\"\"", Bytes(vec![].into())), ("5", Null)]
    {
        assert_eq!(envelope(&optional("bytes"), payload), Ok(expected), "{payload}");
    }
    assert!(envelope(&optional("bytes"), "\"AQI\"").unwrap_err().starts_with("Invalid bytes field"));
}

const STRUCT: &str = r#"{"type":"struct","fields":[{"field":"i","type":"int32"},{"field":"s","type":"string"},
    {"field":"d","type":"int32","default":7},{"field":"od","type":"string","optional":true,"default":"x"},
    {"field":"o","type":"string","optional":true}]}"#;

#[test]
fn structs() {
    let filled = |i: i32| {
        Value::Struct(vec![Value::Int32(i), Value::from("a"), Value::Int32(7), Value::from("x"), Value::Null])
    };
    for (payload, expected) in [
        (r#"{"i":1,"s":"a"}"#, Ok(filled(1))),
        (r#"{"s":"a","zz":[1,{"i":5}],"i":1}"#, Ok(filled(1))),
        (r#"{"i":1,"s":"a","d":null,"od":null,"o":null}"#, Ok(filled(1))),
        (r#"{"i":1,"i":2,"s":"a"}"#, Ok(filled(2))),
        (r#"{"i":true,"s":"a","o":5}"#, Ok(filled(0))),
        (r#"{"i":1,"s":5}"#, Err("Invalid value: null used for required field: \"s\", schema type: STRING")),
        (r#"{"s":"a"}"#, Err("Invalid null value for required INT32 field (at field \"i\")")),
        (r#"{"i":1}"#, Err("Invalid null value for required STRING field (at field \"s\")")),
        ("5", Err("Structs should be encoded as JSON objects, but found NUMBER")),
        ("[]", Err("Structs should be encoded as JSON objects, but found ARRAY")),
        ("\"x\"", Err("Structs should be encoded as JSON objects, but found STRING")),
        ("null", Err("Invalid null value for required STRUCT field")),
    ] {
        assert_eq!(envelope(STRUCT, payload), expected.map_err(str::to_owned), "{payload}");
    }
    let nested =
        format!("{{\"type\":\"struct\",\"fields\":[{}]}}", STRUCT.replacen('{', "{\"field\":\"n\",", 1));
    let error = envelope(&nested, r#"{"n":{"s":"a"}}"#).unwrap_err();
    assert_eq!(error, "Invalid null value for required INT32 field (at field \"n.i\")");
}

#[test]
fn nulls_stay_when_they_are_not_to_be_replaced() {
    let payload = r#"{"i":1,"s":"a","d":3}"#;
    let json = format!("{{\"schema\":{STRUCT},\"payload\":{payload}}}");
    let (_, value) = converted(&[("replace.null.with.default", "false")], json.as_bytes()).unwrap();
    let Value::Struct(values) = value else { panic!("{value:?}") };
    assert_eq!(values[3], Value::Null);
}

#[test]
fn arrays_and_maps() {
    let array = r#"{"type":"array","items":{"type":"int32"}}"#;
    let ints = |values: &[i32]| Ok(Value::Array(values.iter().map(|v| Value::Int32(*v)).collect()));
    assert_eq!(envelope(array, "[1,2]"), ints(&[1, 2]));
    assert_eq!(envelope(array, "5"), ints(&[]));
    assert_eq!(envelope(array, "\"x\""), ints(&[]));
    assert_eq!(envelope(array, "{\"a\":1}"), ints(&[1]));
    assert_eq!(envelope(array, "[null]"), Err("Invalid null value for required INT32 field".into()));

    let by_text = r#"{"type":"map","keys":{"type":"string"},"values":{"type":"int32"}}"#;
    assert_eq!(envelope(by_text, r#"{"1":2,"1":3}"#), Ok(map(&[("1", Value::Int32(3))])));
    assert_eq!(
        envelope(by_text, "[[1,2]]"),
        Err("Maps with string fields should be encoded as JSON objects, but found ARRAY".into())
    );
    let by_int = r#"{"type":"map","keys":{"type":"int32"},"values":{"type":"int32"}}"#;
    assert_eq!(envelope(by_int, "[[1,2]]"), Ok(Value::Map(vec![(Value::Int32(1), Value::Int32(2))])));
    for (payload, error) in [
        (
            "{\"1\":2}",
            "Maps with non-string fields should be encoded as JSON array of tuples, but found OBJECT",
        ),
        ("5", "Maps with non-string fields should be encoded as JSON array of tuples, but found NUMBER"),
        ("[[1]]", "Found invalid map entry, expected length 2 but found :1"),
        ("[[1,2,3]]", "Found invalid map entry, expected length 2 but found :3"),
        ("[1]", "Found invalid map entry instead of array tuple"),
        ("[[1,null]]", "Invalid null value for required INT32 field"),
    ] {
        assert_eq!(envelope(by_int, payload), Err(error.into()), "{payload}");
    }
}

#[test]
fn logical_types() {
    let schema = |ty: &str, name: &str| {
        let name = format!("org.apache.kafka.connect.data.{name}");
        format!("{{\"type\":\"{ty}\",\"name\":\"{name}\",\"version\":1,\"parameters\":{{\"scale\":\"2\"}}}}")
    };
    let (date, time, timestamp) =
        (schema("int32", "Date"), schema("int32", "Time"), schema("int64", "Timestamp"));
    assert_eq!(envelope(&date, "5"), Ok(Value::Date(5)));
    assert_eq!(envelope(&time, "5"), Ok(Value::Time(5)));
    assert_eq!(envelope(&timestamp, "-5"), Ok(Value::Timestamp(-5)));
    for (schema, payload, error) in [
        (&date, "5.5", "Invalid type for Date, underlying representation should be integer but was NUMBER"),
        (
            &date,
            "99999999999",
            "Invalid type for Date, underlying representation should be integer but was NUMBER",
        ),
        (&time, "\"5\"", "Invalid type for Time, underlying representation should be integer but was STRING"),
        (
            &time,
            "86400001",
            "Time values must use number of milliseconds greater than 0 and less than 86400000",
        ),
        (
            &timestamp,
            "5.5",
            "Invalid type for Timestamp, underlying representation should be integral but was NUMBER",
        ),
        (&timestamp, "null", "Invalid null value for required INT64 field"),
    ] {
        assert_eq!(envelope(schema, payload), Err(error.into()), "{payload}");
    }
    let decimal = schema("bytes", "Decimal");
    assert_eq!(envelope(&decimal, "1.10"), Ok(Value::Decimal(Decimal::new(110, 2))));
    assert_eq!(envelope(&decimal, "\"AfQ=\""), Ok(Value::Decimal(Decimal::new(500, 2))));
    let exact = "123456789012345678901234567890.12";
    let Ok(Value::Decimal(read)) = envelope(&decimal, exact) else { panic!("{exact}") };
    assert_eq!(read.to_string(), exact);
    assert_eq!(
        envelope(&decimal, "true"),
        Err("Invalid type for Decimal, underlying representation should be numeric or bytes but was BOOLEAN"
            .into())
    );
}

#[test]
fn only_an_envelope_is_an_envelope() {
    for json in
        ["", "  ", "null", "5", "\"x\"", "[1]", "true", r#"{"payload":1}"#, r#"{"schema":null}"#, "{}"]
            .into_iter()
            .chain([
                r#"{"payload":1,"schema":{"type":"int32"},"x":1}"#,
                r#"{"x":1,"payload":1,"schema":{"type":"int32"}}"#,
            ])
    {
        let text = converted(&[], json.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            text,
            "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not contain additional \
             fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter \
             configuration.",
            "{json}"
        );
    }
    assert_eq!(envelope("null", r#"{"a":1}"#), Ok(map(&[("a", Value::Int64(1))])));
    assert_eq!(envelope("null", "null"), Ok(Value::Null));
    let trailing = br#"{"schema":{"type":"int32"},"payload":1} and more"#;
    assert_eq!(converted(&[], trailing).unwrap().1, Value::Int32(1));
    let marked = b"\xef\xbb\xbf{\"schema\":{\"type\":\"int32\"},\"payload\":1}";
    assert_eq!(converted(&[], marked).unwrap().1, Value::Int32(1));
    let (schema, _) =
        converted(&[], br#"{"schema":{"type":"int32","name":"n","version":3},"payload":1}"#).unwrap();
    let schema = schema.unwrap();
    assert_eq!((schema.name.as_deref(), schema.version, &schema.ty), (Some("n"), Some(3), &Type::Int32));
}

#[test]
fn a_tombstone_is_null() {
    let mut converter = create("JsonConverter", &ConfigMap::new(), false).unwrap();
    assert_eq!(converter.to_connect_data("t", None).unwrap(), (None, Value::Null));
}

#[test]
fn broken_schemas() {
    for (schema, error) in [
        ("5", "Schema must contain 'type' field"),
        ("{}", "Schema must contain 'type' field"),
        (r#"{"type":5}"#, "Schema must contain 'type' field"),
        (r#"{"type":"nope"}"#, "Unknown schema type: nope"),
        (
            r#"{"type":"float32"}"#,
            "Unknown schema type: float32 (in JSON the types are called float and double)",
        ),
        (r#"{"type":"struct"}"#, "Struct schema's \"fields\" argument is not an array."),
        (r#"{"type":"struct","fields":[null]}"#, "Struct schema's field name not specified properly"),
        (
            r#"{"type":"struct","fields":[{"field":5,"type":"int32"}]}"#,
            "Struct schema's field name not specified properly",
        ),
        (
            r#"{"type":"struct","fields":[{"field":"a","type":"int8"},{"field":"a","type":"int8"}]}"#,
            "Cannot create field because of field name duplication a",
        ),
        (r#"{"type":"array"}"#, "Array schema did not specify the element type"),
        (r#"{"type":"map"}"#, "Map schema did not specify the key type"),
        (r#"{"type":"map","keys":{"type":"string"}}"#, "Map schema did not specify the value type"),
        (r#"{"type":"int32","parameters":{"a":5}}"#, "Schema parameters must have string values."),
    ] {
        assert_eq!(envelope(schema, "{\"a\":1}"), Err(error.into()), "{schema}");
    }
    let careless =
        r#"{"type":"int32","optional":"true","version":"1","name":5,"doc":6,"parameters":5,"default":"x"}"#;
    assert_eq!(envelope(careless, "null"), Ok(Value::Int32(0)));
}

#[test]
fn broken_syntax_is_shown_with_its_place() {
    let json = br#"{"schema":{"type":"int32"},"payload":1"#;
    assert_eq!(
        converted(&[], json).unwrap_err().to_string(),
        "Converting byte[] to Kafka Connect data failed due to serialization error: EOF while parsing an object at line 1 \
         column 38 (the value begins with \"{\\\"schema\\\":{\\\"type\\\":\\\"int32\\\"},\\\"payload\\\":1\")"
    );
    let binary = [b"\x00\xff\xfe".as_slice(), &[b'x'; 100]].concat();
    let text = converted(&[], &binary).unwrap_err().to_string();
    assert!(text.contains("at line 1 column 1 (the value begins with \"\\0\u{fffd}\u{fffd}xxx"), "{text}");
    assert!(text.ends_with("x\"...)") && text.len() < 300, "{text}");
    let inside =
        envelope(r#"{"type":"map","keys":{"type":"int8"},"values":{"type":"int8"}}"#, "[[1,2],[1,x]]");
    assert!(inside.unwrap_err().starts_with("Converting byte[] to Kafka Connect data failed"));
}

#[test]
fn without_schemas() {
    let nested = map(&[
        ("a", Value::Int64(1)),
        ("b", Value::Array(vec![Value::Float64(1.5), Value::Null, map(&[("c", Value::Boolean(true))])])),
    ]);
    for (json, expected) in [
        ("", Value::Null),
        ("  ", Value::Null),
        ("null", Value::Null),
        ("5", Value::Int64(5)),
        ("5.5", Value::Float64(5.5)),
        ("9223372036854775808", Value::Int64(i64::MIN)),
        ("\"x\"", Value::from("x")),
        (r#"{"a":1,"b":[1.5,null,{"c":true}]}"#, nested),
        (r#"{"a":1} x"#, map(&[("a", Value::Int64(1))])),
        (r#"{"a":1,"a":2}"#, map(&[("a", Value::Int64(2))])),
    ] {
        assert_eq!(schemaless(json), Ok(expected), "{json}");
    }
    assert!(schemaless("{a}").is_err());
    assert!(schemaless(&"[".repeat(100_000)).is_err());
}

#[test]
fn one_schema_for_all() {
    let fixed = [("schema.content", r#"{"type":"int32"}"#)];
    let (schema, value) = converted(&fixed, b"5").unwrap();
    assert_eq!((schema.map(|schema| schema.ty.clone()), value), (Some(Type::Int32), Value::Int32(5)));
    let config = ConfigMap::from([("schema.content".to_string(), "zz".to_string())]);
    let text = create("JsonConverter", &config, false).err().unwrap().to_string();
    assert!(text.starts_with("Failed to parse schema in converter config"), "{text}");
}

#[test]
fn messages_that_begin_alike_are_read_alike() {
    let config = ConfigMap::new();
    let schema =
        r#"{"type":"struct","fields":[{"field":"a","type":"int32","optional":true}],"optional":true}"#;
    let first = format!(r#"{{"schema":{schema},"payload":{{"a":1}}}}"#);
    let head = format!(r#"{{"schema":{schema},"payload":"#);
    for rest in [
        r#"{"a":2}}"#,
        "{\"a\":3} }\n",
        r#"{"a":4}} {"more":1}"#,
        r#"{"a":5}}}"#,
        r#"{"a":6},"more":7}"#,
        r#"{"a":"text"}}"#,
        r#"{"a":8},"schema":null}"#,
        "null}",
        r#"{"a":9}"#,
        r#"{"a":}}"#,
        "}",
        "",
    ] {
        let bytes = Bytes::from(format!("{head}{rest}"));
        let alone = create("JsonConverter", &config, false).unwrap().to_connect_data("t", Some(&bytes));
        let mut converter = create("JsonConverter", &config, false).unwrap();
        converter.to_connect_data("t", Some(&Bytes::from(first.clone()))).unwrap();
        let after = converter.to_connect_data("t", Some(&bytes));
        match (alone, after) {
            (Ok(alone), Ok(after)) => assert_eq!(alone, after, "{rest}"),
            (Err(alone), Err(after)) => assert_eq!(alone.to_string(), after.to_string(), "{rest}"),
            (alone, after) => panic!("{rest}: {alone:?} but then {after:?}"),
        }
    }
}
