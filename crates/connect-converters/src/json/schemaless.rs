//! JSON without a schema: objects become maps, whole numbers int64, others float64.

use super::context::Context;
use connect_api::Value;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::HashMap;
use std::fmt;

pub(super) struct AnySeed<'s, 'a>(pub(super) &'s Context<'a>);

impl<'de> DeserializeSeed<'de> for AnySeed<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnySeed<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int64(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Int64(value as i64)) // wraps, as BigInteger.longValue does
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float64(value + 0.0)) // Java knows no -0 here
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value, E> {
        Ok(Value::String(self.0.borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(AnySeed(self.0))? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = MapBuilder::default();
        while let Some(key) = entries.next_key_seed(AnySeed(self.0))? {
            map.put(key, entries.next_value_seed(AnySeed(self.0))?);
        }
        Ok(map.finish())
    }
}

/// Collects the entries of a map with text keys; of two equal keys the later wins, as in Java.
#[derive(Default)]
pub(super) struct MapBuilder {
    entries: Vec<(Value, Value)>,
    positions: HashMap<bytestring::ByteString, usize>,
}

impl MapBuilder {
    pub(super) fn put(&mut self, key: Value, value: Value) {
        if let Value::String(text) = &key {
            if let Some(position) = self.positions.get(text) {
                self.entries[*position].1 = value;
                return;
            }
            self.positions.insert(text.clone(), self.entries.len());
        }
        self.entries.push((key, value));
    }

    pub(super) fn finish(self) -> Value {
        Value::Map(self.entries)
    }
}
