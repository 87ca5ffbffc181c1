//! `{"schema": …, "payload": …}`, in either order.

use super::context::Context;
use super::schema::SchemaCache;
use super::schemaless::AnySeed;
use super::value::ValueSeed;
use connect_api::{SchemaRef, Value};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

pub(super) const NOT_AN_ENVELOPE: &str = "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields \
     and may not contain additional fields. If you are trying to deserialize plain JSON data, set \
     schemas.enable=false in your converter configuration.";

pub(super) struct EnvelopeSeed<'s, 'a> {
    pub(super) context: &'s Context<'a>,
    pub(super) cache: &'s mut SchemaCache,
}

enum Key {
    Schema,
    Payload,
    Other,
}

enum Payload<'de> {
    Missing,
    /// It came before its schema.
    Raw(&'de RawValue),
    Read(Value),
}

impl EnvelopeSeed<'_, '_> {
    fn read<'de, D: Deserializer<'de>>(
        &self,
        schema: &Option<SchemaRef>,
        payload: D,
    ) -> Result<Value, D::Error> {
        match schema {
            Some(schema) => ValueSeed { schema, context: self.context }.deserialize(payload),
            None => AnySeed(self.context).deserialize(payload),
        }
    }

    fn refuse<T, E: Error>(self) -> Result<T, E> {
        Err(self.context.fail(NOT_AN_ENVELOPE))
    }
}

impl<'de> DeserializeSeed<'de> for EnvelopeSeed<'_, '_> {
    type Value = (Option<SchemaRef>, Value);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for EnvelopeSeed<'_, '_> {
    type Value = (Option<SchemaRef>, Value);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with schema and payload")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut schema: Option<Option<SchemaRef>> = None;
        let mut payload = Payload::Missing;
        while let Some(key) = entries.next_key_seed(KeySeed)? {
            match key {
                // The payload was read by another schema of the same name: not worth a second reading.
                Key::Schema if matches!(payload, Payload::Read(_)) => return self.refuse(),
                Key::Schema => {
                    let text = entries.next_value::<&RawValue>()?.get();
                    schema = Some(self.cache.get(text).map_err(|fault| self.context.fail(fault))?);
                }
                Key::Payload => {
                    payload = match &schema {
                        Some(schema) => {
                            Payload::Read(entries.next_value_seed(PayloadSeed { envelope: &self, schema })?)
                        }
                        None => Payload::Raw(entries.next_value()?),
                    }
                }
                Key::Other => return self.refuse(),
            }
        }
        match (schema, payload) {
            (Some(schema), Payload::Read(value)) => Ok((schema, value)),
            (Some(schema), Payload::Raw(raw)) => {
                let mut json = serde_json::Deserializer::from_str(raw.get());
                let value = self
                    .read(&schema, &mut json)
                    .map_err(|error| self.context.rethrow::<A::Error>(&error))?;
                Ok((schema, value))
            }
            _ => self.refuse(),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        self.refuse()
    }
}

struct PayloadSeed<'e, 's, 'a> {
    envelope: &'e EnvelopeSeed<'s, 'a>,
    schema: &'e Option<SchemaRef>,
}

impl<'de> DeserializeSeed<'de> for PayloadSeed<'_, '_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.envelope.read(self.schema, deserializer)
    }
}

struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Key, E> {
        Ok(match name {
            "schema" => Key::Schema,
            "payload" => Key::Payload,
            _ => Key::Other,
        })
    }
}
