//! The schema half of an envelope, and the memory of those seen before.

use super::context::Context;
use super::value::ValueSeed;
use bytes::Bytes;
use connect_api::{Field, Schema, SchemaRef, Type};
use serde::de::DeserializeSeed;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::Arc;

/// How deep schemas may lie in each other; the payload's own limit is near.
const MAX_DEPTH: usize = 100;

/// Schemas by their text. The messages of a topic mostly carry the same one, so the last is compared first.
pub(super) struct SchemaCache {
    last: Option<(Arc<str>, Option<SchemaRef>)>,
    known: HashMap<Arc<str>, Option<SchemaRef>>,
    limit: usize,
}

impl SchemaCache {
    pub(super) fn new(limit: usize) -> Self {
        Self { last: None, known: HashMap::new(), limit }
    }

    /// The text of the schema that was asked for last.
    pub(super) fn last_text(&self) -> Option<&str> {
        self.last.as_ref().map(|(text, _)| &**text)
    }

    /// The schema of that text, `None` for JSON's null; the error says what is wrong with it.
    pub(super) fn get(&mut self, text: &str) -> Result<Option<SchemaRef>, String> {
        if let Some((last, schema)) = &self.last
            && **last == *text
        {
            return Ok(schema.clone());
        }
        let (text, schema) = match self.known.get_key_value(text) {
            Some((text, schema)) => (text.clone(), schema.clone()),
            None => {
                let schema = parse(text)?;
                let text: Arc<str> = text.into();
                // Whoever has that many schemas has a new one per message: starting over costs no more than an order
                // of use would.
                if self.known.len() >= self.limit {
                    self.known.clear();
                }
                if self.limit > 0 {
                    self.known.insert(text.clone(), schema.clone());
                }
                (text, schema)
            }
        };
        self.last = Some((text, schema.clone()));
        Ok(schema)
    }
}

pub(super) fn parse(text: &str) -> Result<Option<SchemaRef>, String> {
    match text.trim() {
        "null" => Ok(None),
        text => parse_at(text, 0).map(|schema| Some(Arc::new(schema))),
    }
}

fn parse_at(text: &str, depth: usize) -> Result<Schema, String> {
    if depth > MAX_DEPTH {
        return Err(format!("Schema is nested more than {MAX_DEPTH} levels deep"));
    }
    const NO_TYPE: &str = "Schema must contain 'type' field";
    if !text.starts_with('{') {
        serde_json::from_str::<&RawValue>(text).map_err(|error| error.to_string())?;
        return Err(NO_TYPE.into());
    }
    let object = Object::read(text)?;
    let ty = object.text("type").ok_or(NO_TYPE)?;
    let nested = |name: &str, missing: &str| match object.get(name) {
        Some("null") | None => Err(missing.to_owned()),
        Some(text) => parse_at(text, depth + 1).map(Arc::new),
    };
    let ty = match ty.as_str() {
        "boolean" => Type::Boolean,
        "int8" => Type::Int8,
        "int16" => Type::Int16,
        "int32" => Type::Int32,
        "int64" => Type::Int64,
        "float" => Type::Float32,
        "double" => Type::Float64,
        "bytes" => Type::Bytes,
        "string" => Type::String,
        "array" => Type::Array(nested("items", "Array schema did not specify the element type")?),
        "map" => Type::Map {
            key: nested("keys", "Map schema did not specify the key type")?,
            value: nested("values", "Map schema did not specify the value type")?,
        },
        "struct" => Type::Struct(fields(object.get("fields"), depth)?),
        "float32" | "float64" => {
            return Err(format!("Unknown schema type: {ty} (in JSON the types are called float and double)"));
        }
        other => return Err(format!("Unknown schema type: {other}")),
    };
    let mut schema = Schema::new(ty);
    schema.optional = object.get("optional") == Some("true");
    schema.name = object.text("name").map(Into::into);
    schema.version = object.get("version").and_then(|version| version.parse().ok());
    schema.doc = object.text("doc").map(Into::into);
    if let Some(parameters) = object.get("parameters").filter(|text| text.starts_with('{')) {
        schema.parameters = serde_json::from_str(parameters)
            .map_err(|_| "Schema parameters must have string values.".to_owned())?;
    }
    if let Some(default) = object.get("default").filter(|text| *text != "null") {
        schema.default = Some(default_value(&schema, default)?);
    }
    Ok(schema)
}

fn fields(list: Option<&str>, depth: usize) -> Result<Vec<Field>, String> {
    let list: Vec<&RawValue> = list
        .and_then(|text| serde_json::from_str(text).ok())
        .ok_or("Struct schema's \"fields\" argument is not an array.")?;
    let mut fields: Vec<Field> = Vec::with_capacity(list.len());
    let mut names = std::collections::HashSet::with_capacity(list.len());
    for text in list {
        const NO_NAME: &str = "Struct schema's field name not specified properly";
        if !text.get().starts_with('{') {
            return Err(NO_NAME.into());
        }
        let name = Object::read(text.get())?.text("field").ok_or(NO_NAME)?;
        if !names.insert(name.clone()) {
            return Err(format!("Cannot create field because of field name duplication {name}"));
        }
        let schema =
            parse_at(text.get(), depth + 1).map_err(|fault| format!("{fault} (in field \"{name}\")"))?;
        fields.push(Field { name: name.into(), schema: Arc::new(schema) });
    }
    Ok(fields)
}

/// The default is written like a payload.
fn default_value(schema: &Schema, json: &str) -> Result<connect_api::Value, String> {
    let source = Bytes::copy_from_slice(json.as_bytes());
    let context = Context::new(&source, true);
    ValueSeed { schema, context: &context }
        .deserialize(&mut serde_json::Deserializer::from_slice(&source))
        .map_err(|error| format!("Invalid default value: {}", context.explain(&error)))
}

/// A JSON object of which only some fields are of interest, each still as text.
struct Object<'a>(HashMap<String, &'a RawValue>);

impl<'a> Object<'a> {
    fn read(text: &'a str) -> Result<Self, String> {
        serde_json::from_str(text).map(Self).map_err(|error| error.to_string())
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|raw| raw.get())
    }

    /// The field, if it is a string.
    fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_stays_bounded_and_right() {
        let mut cache = SchemaCache::new(2);
        for round in 0..3 {
            for (text, ty) in [
                (r#"{"type":"int8"}"#, Type::Int8),
                (r#"{"type":"int16"}"#, Type::Int16),
                (r#"{"type":"string"}"#, Type::String),
            ] {
                assert_eq!(cache.get(text).unwrap().unwrap().ty, ty, "{round}");
                assert!(cache.known.len() <= 2);
            }
        }
        let first = cache.get(r#"{"type":"int8"}"#).unwrap().unwrap();
        let again = cache.get(r#"{"type":"int8"}"#).unwrap().unwrap();
        assert!(Arc::ptr_eq(&first, &again));
    }

    #[test]
    fn deep_nesting_is_refused_without_a_stack_overflow() {
        let text = r#"{"type":"array","items":"#.repeat(5000) + r#"{"type":"int8"}"# + &"}".repeat(5000);
        assert!(parse(&text).unwrap_err().contains("nested more than 100"));
    }
}
