//! From values to JSON, byte for byte as Java's converter writes it.

use super::decimal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connect_api::data::java;
use connect_api::json::{push_float, push_integer, push_string};
use connect_api::{ConnectError, Logical, Schema, SchemaRef, Type, Value};
use std::io::Write as _;

/// What of the converter's configuration the written form depends on.
#[derive(Clone, Copy)]
pub(super) struct Writer {
    pub(super) replace_null: bool,
    /// `decimal.format=NUMERIC`
    pub(super) numeric_decimals: bool,
}

/// The schema written last, with its text; the records of a topic mostly share one.
#[derive(Default)]
pub(super) struct SchemaText(Option<(SchemaRef, Vec<u8>)>);

impl SchemaText {
    pub(super) fn push(
        &mut self,
        out: &mut Vec<u8>,
        schema: &SchemaRef,
        writer: Writer,
    ) -> Result<(), ConnectError> {
        if let Some((last, text)) = &self.0
            && (std::sync::Arc::ptr_eq(last, schema) || last == schema)
        {
            out.extend_from_slice(text);
            return Ok(());
        }
        let mut text = Vec::new();
        writer.schema(&mut text, schema, None)?;
        out.extend_from_slice(&text);
        self.0 = Some((schema.clone(), text));
        Ok(())
    }
}

impl Writer {
    /// The schema in the order of Java's fields; `field` is the name of the struct field it describes.
    fn schema(self, out: &mut Vec<u8>, schema: &Schema, field: Option<&str>) -> Result<(), ConnectError> {
        let name = match &schema.ty {
            Type::Int8 => "int8",
            Type::Int16 => "int16",
            Type::Int32 => "int32",
            Type::Int64 => "int64",
            Type::Float32 => "float",
            Type::Float64 => "double",
            Type::Boolean => "boolean",
            Type::String => "string",
            Type::Bytes => "bytes",
            Type::Array(_) => "array",
            Type::Map { .. } => "map",
            Type::Struct(_) => "struct",
        };
        out.extend_from_slice(b"{\"type\":\"");
        out.extend_from_slice(name.as_bytes());
        out.push(b'"');
        match &schema.ty {
            Type::Array(items) => {
                out.extend_from_slice(b",\"items\":");
                self.schema(out, items, None)?;
            }
            Type::Map { key, value } => {
                out.extend_from_slice(b",\"keys\":");
                self.schema(out, key, None)?;
                out.extend_from_slice(b",\"values\":");
                self.schema(out, value, None)?;
            }
            Type::Struct(fields) => {
                out.extend_from_slice(b",\"fields\":[");
                for (index, field) in fields.iter().enumerate() {
                    out.extend((index > 0).then_some(b','));
                    self.schema(out, &field.schema, Some(&field.name))?;
                }
                out.push(b']');
            }
            _ => {}
        }
        put(out, format_args!(",\"optional\":{}", schema.optional));
        let text = |out: &mut Vec<u8>, key: &str, text: &str| {
            put(out, format_args!(",\"{key}\":"));
            push_string(out, text);
        };
        if let Some(name) = &schema.name {
            text(out, "name", name);
        }
        if let Some(version) = schema.version {
            put(out, format_args!(",\"version\":{version}"));
        }
        if let Some(doc) = &schema.doc {
            text(out, "doc", doc);
        }
        if !schema.parameters.is_empty() {
            out.extend_from_slice(b",\"parameters\":{");
            for (index, (key, value)) in schema.parameters.iter().enumerate() {
                out.extend((index > 0).then_some(b','));
                push_string(out, key);
                out.push(b':');
                push_string(out, value);
            }
            out.push(b'}');
        }
        if let Some(default) = &schema.default {
            out.extend_from_slice(b",\"default\":");
            self.value(out, Some(schema), default)?;
        }
        if let Some(field) = field {
            text(out, "field", field);
        }
        out.push(b'}');
        Ok(())
    }

    pub(super) fn value(
        self,
        out: &mut Vec<u8>,
        schema: Option<&Schema>,
        value: &Value,
    ) -> Result<(), ConnectError> {
        let Some(schema) = schema else { return self.without_schema(out, value) };
        match (&schema.ty, schema.logical(), value) {
            (_, _, Value::Null) => return self.null(out, schema),
            (_, Some(Logical::Decimal { scale }), Value::Decimal(value)) => {
                if value.scale != scale {
                    return Err(ConnectError::data(format!(
                        "Decimal value has mismatching scale for given Decimal: the schema says {scale}, the value has {}",
                        value.scale
                    )));
                }
                if self.numeric_decimals {
                    out.extend_from_slice(java::decimal(value).as_bytes());
                } else {
                    push_string(out, &decimal::to_base64(value));
                }
            }
            (_, Some(Logical::Date), Value::Date(days)) => push_integer(out, (*days).into()),
            (_, Some(Logical::Time), Value::Time(millis)) => push_integer(out, (*millis).into()),
            (_, Some(Logical::Timestamp), Value::Timestamp(millis)) => push_integer(out, *millis),
            (_, Some(_), value) => return Err(mismatch(schema, value)),
            (Type::Int8, None, Value::Int8(_))
            | (Type::Int16, None, Value::Int16(_))
            | (Type::Int32, None, Value::Int32(_))
            | (Type::Int64, None, Value::Int64(_))
            | (Type::Float32, None, Value::Float32(_))
            | (Type::Float64, None, Value::Float64(_))
            | (Type::Boolean, None, Value::Boolean(_))
            | (Type::String, None, Value::String(_))
            | (Type::Bytes, None, Value::Bytes(_)) => return self.without_schema(out, value),
            (Type::Array(item), None, Value::Array(values)) => {
                self.list(out, values.iter().map(|value| (Some(&**item), value)))?;
            }
            (Type::Map { key, value: item }, None, Value::Map(entries)) => {
                self.map(out, key.ty == Type::String, Some((key, item)), entries)?;
            }
            (Type::Struct(fields), None, Value::Struct(values)) if fields.len() == values.len() => {
                out.push(b'{');
                for (index, (field, value)) in fields.iter().zip(values).enumerate() {
                    out.extend((index > 0).then_some(b','));
                    push_string(out, &field.name);
                    out.push(b':');
                    self.value(out, Some(&field.schema), value).map_err(|error| match error {
                        ConnectError::Data(text) => {
                            ConnectError::data(format!("{text} (at field \"{}\")", field.name))
                        }
                        other => other,
                    })?;
                }
                out.push(b'}');
            }
            (_, None, value) => return Err(mismatch(schema, value)),
        }
        Ok(())
    }

    fn null(self, out: &mut Vec<u8>, schema: &Schema) -> Result<(), ConnectError> {
        match &schema.default {
            Some(default) if self.replace_null && !default.is_null() => {
                self.value(out, Some(schema), default)
            }
            _ if schema.optional => {
                out.extend_from_slice(b"null");
                Ok(())
            }
            _ => Err(ConnectError::data(
                "Conversion error: null value for field that is required and has no default value",
            )),
        }
    }

    fn without_schema(self, out: &mut Vec<u8>, value: &Value) -> Result<(), ConnectError> {
        match value {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Boolean(value) => put(out, format_args!("{value}")),
            Value::Int8(value) => push_integer(out, (*value).into()),
            Value::Int16(value) => push_integer(out, (*value).into()),
            Value::Int32(value) => push_integer(out, (*value).into()),
            Value::Int64(value) => push_integer(out, *value),
            Value::Float32(value) => push_float(out, &java::float(*value)),
            Value::Float64(value) => push_float(out, &java::double(*value)),
            Value::String(text) => push_string(out, text),
            Value::Bytes(bytes) => push_string(out, &STANDARD.encode(bytes)),
            Value::Array(values) => return self.list(out, values.iter().map(|value| (None, value))),
            Value::Map(entries) => {
                let by_name = entries.iter().all(|(key, _)| matches!(key, Value::String(_)));
                return self.map(out, by_name, None, entries);
            }
            Value::Struct(_) | Value::Decimal(_) | Value::Date(_) | Value::Time(_) | Value::Timestamp(_) => {
                return Err(ConnectError::data(format!(
                    "a {} without a schema cannot be written as JSON",
                    value.type_name()
                )));
            }
        }
        Ok(())
    }

    fn list<'a>(
        self,
        out: &mut Vec<u8>,
        values: impl Iterator<Item = (Option<&'a Schema>, &'a Value)>,
    ) -> Result<(), ConnectError> {
        out.push(b'[');
        for (index, (schema, value)) in values.enumerate() {
            out.extend((index > 0).then_some(b','));
            self.value(out, schema, value)?;
        }
        out.push(b']');
        Ok(())
    }

    /// An object where the keys are strings, else a list of pairs.
    fn map(
        self,
        out: &mut Vec<u8>,
        by_name: bool,
        schemas: Option<(&SchemaRef, &SchemaRef)>,
        entries: &[(Value, Value)],
    ) -> Result<(), ConnectError> {
        let (key_schema, value_schema) = (schemas.map(|(key, _)| &**key), schemas.map(|(_, value)| &**value));
        out.push(if by_name { b'{' } else { b'[' });
        for (index, (key, value)) in entries.iter().enumerate() {
            out.extend((index > 0).then_some(b','));
            if by_name {
                match key {
                    Value::String(name) => push_string(out, name),
                    other => {
                        return Err(ConnectError::data(format!(
                            "a map with string keys has a key of type {}",
                            other.type_name()
                        )));
                    }
                }
                out.push(b':');
                self.value(out, value_schema, value)?;
            } else {
                self.list(out, [(key_schema, key), (value_schema, value)].into_iter())?;
            }
        }
        out.push(if by_name { b'}' } else { b']' });
        Ok(())
    }
}

fn mismatch(schema: &Schema, value: &Value) -> ConnectError {
    let name = schema.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    ConnectError::data(format!("Invalid type for {}{name}: {}", schema.ty.name(), value.type_name()))
}

/// Writing to memory cannot fail.
fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}
