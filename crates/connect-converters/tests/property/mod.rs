//! Whatever comes, the converter answers; and what a writer wrote comes back.

use bytes::Bytes;
use connect_api::{ConfigMap, Decimal, Field, Logical, Schema, Type, Value};
use connect_converters::create;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;

/// A schema and a value of it.
type Pair = (Schema, Value);

fn leaf() -> impl Strategy<Value = Pair> {
    prop_oneof![
        any::<i8>().prop_map(|v| (Schema::new(Type::Int8), Value::Int8(v))),
        any::<i16>().prop_map(|v| (Schema::new(Type::Int16), Value::Int16(v))),
        any::<i32>().prop_map(|v| (Schema::new(Type::Int32), Value::Int32(v))),
        any::<i64>().prop_map(|v| (Schema::new(Type::Int64), Value::Int64(v))),
        proptest::num::f32::NORMAL.prop_map(|v| (Schema::new(Type::Float32), Value::Float32(v))),
        proptest::num::f64::NORMAL.prop_map(|v| (Schema::new(Type::Float64), Value::Float64(v))),
        any::<bool>().prop_map(|v| (Schema::new(Type::Boolean), Value::Boolean(v))),
        any::<String>().prop_map(|v| (Schema::new(Type::String), Value::String(v.into()))),
        vec(any::<u8>(), 0..20).prop_map(|v| (Schema::new(Type::Bytes), Value::Bytes(v.into()))),
        any::<i32>().prop_map(|v| (Schema::date(), Value::Date(v))),
        (0..86_400_000).prop_map(|v| (Schema::time(), Value::Time(v))),
        any::<i64>().prop_map(|v| (Schema::timestamp(), Value::Timestamp(v))),
        (any::<i128>(), 0..20).prop_map(|(v, s)| (Schema::decimal(s), Value::Decimal(Decimal::new(v, s)))),
    ]
}

fn pair() -> impl Strategy<Value = Pair> {
    leaf().prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            (inner.clone(), 0..4_usize).prop_map(|((schema, value), n)| {
                (Schema::new(Type::Array(Arc::new(schema))), Value::Array(vec![value; n]))
            }),
            (inner.clone(), any::<String>()).prop_map(|((schema, value), key)| {
                let ty = Type::Map { key: Arc::new(Schema::new(Type::String)), value: Arc::new(schema) };
                (Schema::new(ty), Value::Map(vec![(Value::String(key.into()), value)]))
            }),
            (inner.clone(), any::<i32>()).prop_map(|((schema, value), key)| {
                let ty = Type::Map { key: Arc::new(Schema::new(Type::Int32)), value: Arc::new(schema) };
                (Schema::new(ty), Value::Map(vec![(Value::Int32(key), value)]))
            }),
            vec((inner.clone(), any::<bool>()), 0..5).prop_map(structure),
            inner.prop_map(|(schema, value)| (schema.optional(), value)),
        ]
    })
}

/// A struct of these; where the flag is set the field is optional and null.
fn structure(members: Vec<(Pair, bool)>) -> Pair {
    let mut fields = Vec::new();
    let mut values = Vec::new();
    for (index, ((schema, value), null)) in members.into_iter().enumerate() {
        let schema = if null { schema.optional() } else { schema };
        fields.push(Field { name: format!("f{index}").into(), schema: Arc::new(schema) });
        values.push(if null { Value::Null } else { value });
    }
    (Schema::new(Type::Struct(fields)), Value::Struct(values))
}

fn write_schema(schema: &Schema) -> Json {
    let mut object = Map::new();
    let name = match &schema.ty {
        Type::Float32 => "float".to_owned(),
        Type::Float64 => "double".to_owned(),
        other => other.name().to_lowercase(),
    };
    object.insert("type".into(), name.into());
    object.insert("optional".into(), schema.optional.into());
    match &schema.ty {
        Type::Array(item) => {
            object.insert("items".into(), write_schema(item));
        }
        Type::Map { key, value } => {
            object.insert("keys".into(), write_schema(key));
            object.insert("values".into(), write_schema(value));
        }
        Type::Struct(fields) => {
            let fields = fields.iter().map(|field| {
                let mut json = write_schema(&field.schema);
                json["field"] = (*field.name).into();
                json
            });
            object.insert("fields".into(), fields.collect());
        }
        _ => {}
    }
    if let Some(name) = &schema.name {
        object.insert("name".into(), (**name).into());
    }
    if let Some(version) = schema.version {
        object.insert("version".into(), version.into());
    }
    if !schema.parameters.is_empty() {
        object.insert("parameters".into(), json!(schema.parameters));
    }
    Json::Object(object)
}

fn write_value(schema: &Schema, value: &Value) -> Json {
    use base64::Engine as _;
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    match (value, &schema.ty) {
        (Value::Null, _) => Json::Null,
        (Value::Boolean(v), _) => json!(v),
        (Value::Int8(v), _) => json!(v),
        (Value::Int16(v), _) => json!(v),
        (Value::Int32(v) | Value::Date(v) | Value::Time(v), _) => json!(v),
        (Value::Int64(v) | Value::Timestamp(v), _) => json!(v),
        (Value::Float32(v), _) => json!(v),
        (Value::Float64(v), _) => json!(v),
        (Value::String(v), _) => json!(&**v),
        (Value::Bytes(v), _) => json!(base64(v)),
        (Value::Decimal(v), _) => {
            assert!(matches!(schema.logical(), Some(Logical::Decimal { .. })));
            json!(base64(&v.unscaled.to_signed_bytes_be()))
        }
        (Value::Array(items), Type::Array(schema)) => {
            items.iter().map(|item| write_value(schema, item)).collect()
        }
        (Value::Map(entries), Type::Map { key, value }) if key.ty == Type::String => {
            let entries = entries.iter().map(|(k, v)| {
                let Value::String(k) = k else { panic!("{k:?}") };
                (k.to_string(), write_value(value, v))
            });
            Json::Object(entries.collect())
        }
        (Value::Map(entries), Type::Map { key, value }) => {
            entries.iter().map(|(k, v)| json!([write_value(key, k), write_value(value, v)])).collect()
        }
        (Value::Struct(values), Type::Struct(fields)) => {
            let entries = fields.iter().zip(values);
            Json::Object(entries.map(|(f, v)| (f.name.to_string(), write_value(&f.schema, v))).collect())
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn what_was_written_comes_back((schema, value) in pair(), payload_first: bool) {
        let (schema_json, payload) = (write_schema(&schema), write_value(&schema, &value));
        let text = if payload_first {
            format!("{{\"payload\":{payload},\"schema\":{schema_json}}}")
        } else {
            format!("{{\"schema\":{schema_json},\"payload\":{payload}}}")
        };
        let mut converter = create("Json", &ConfigMap::new(), false).unwrap();
        // twice: the second reading takes the schema from the cache
        for _ in 0..2 {
            let (read_schema, read) = converter.to_connect_data("t", Some(&Bytes::from(text.clone()))).unwrap();
            prop_assert_eq!(read_schema.as_deref(), Some(&schema));
            prop_assert_eq!(&read, &value);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        for enable in ["true", "false"] {
            let config = ConfigMap::from([("schemas.enable".to_string(), enable.to_string())]);
            let mut converter = create("Json", &config, false).unwrap();
            let _ = converter.to_connect_data("t", Some(&Bytes::from(bytes.clone())));
        }
    }

    /// Envelopes with bytes changed are nearer to what goes wrong than noise is.
    #[test]
    fn damaged_envelopes_never_panic((schema, value) in pair(), damage in vec((any::<usize>(), any::<u8>()), 0..4)) {
        let text = format!("{{\"schema\":{},\"payload\":{}}}", write_schema(&schema), write_value(&schema, &value));
        let mut bytes = text.into_bytes();
        for (position, byte) in damage {
            let position = position % bytes.len();
            bytes[position] = byte;
        }
        let mut converter = create("Json", &ConfigMap::new(), false).unwrap();
        let _ = converter.to_connect_data("t", Some(&Bytes::from(bytes)));
    }

    /// Any schema over any other value: lenient, or an error.
    #[test]
    fn crossed_schemas_never_panic((schema, _) in pair(), (other, value) in pair()) {
        let text = format!("{{\"schema\":{},\"payload\":{}}}", write_schema(&schema), write_value(&other, &value));
        let mut converter = create("Json", &ConfigMap::new(), false).unwrap();
        let _ = converter.to_connect_data("t", Some(&Bytes::from(text)));
    }
}
