//! A payload, read as its schema says.

use super::context::Context;
use super::decimal;
use super::schemaless::MapBuilder;
use bytes::Bytes;
use connect_api::{Field, Logical, Schema, Type, Value};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

#[derive(Clone, Copy)]
pub(super) struct ValueSeed<'s, 'a> {
    pub(super) schema: &'s Schema,
    pub(super) context: &'s Context<'a>,
}

/// A JSON number as serde hands it over.
enum Number {
    /// Whole, the low 64 bits; `unsigned` if it is above the signed range.
    Whole {
        bits: i64,
        unsigned: bool,
    },
    Fraction(f64),
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if let Some(Logical::Decimal { scale }) = self.schema.logical() {
            // As text: a detour over f64 would change it.
            let text = <&RawValue as serde::Deserialize>::deserialize(deserializer)?.get();
            return match text {
                "null" => self.context.null(self.schema),
                _ => {
                    decimal::parse(text, scale).map(Value::Decimal).map_err(|fault| self.context.fail(fault))
                }
            };
        }
        deserializer.deserialize_any(self)
    }
}

impl<'s, 'a> ValueSeed<'s, 'a> {
    fn with(self, schema: &'s Schema) -> Self {
        Self { schema, ..self }
    }

    fn number<E: Error>(self, number: Number) -> Result<Value, E> {
        if let Some(logical) = self.schema.logical() {
            return self.logical(logical, number);
        }
        let whole = |number: &Number| match number {
            Number::Whole { bits, .. } => Ok(*bits),
            // 2^63: beyond it the digits that would remain after wrapping are lost in the double.
            Number::Fraction(value) if value.abs() < 9_223_372_036_854_775_808.0 => Ok(*value as i64),
            Number::Fraction(value) => Err(self.context.fail(format!(
                "Invalid number for {} field: {value} does not fit into 64 bits",
                self.schema.ty.name()
            ))),
        };
        let float = |number: &Number| match number {
            Number::Whole { bits, unsigned: true } => *bits as u64 as f64,
            Number::Whole { bits, unsigned: false } => *bits as f64,
            Number::Fraction(value) => value + 0.0, // Java knows no -0 here
        };
        Ok(match &self.schema.ty {
            Type::Int8 => Value::Int8(whole(&number)? as i8),
            Type::Int16 => Value::Int16(whole(&number)? as i16),
            Type::Int32 => Value::Int32(whole(&number)? as i32),
            Type::Int64 => Value::Int64(whole(&number)?),
            Type::Float32 => Value::Float32(float(&number) as f32),
            Type::Float64 => Value::Float64(float(&number)),
            _ => return self.other_kind("NUMBER"),
        })
    }

    fn logical<E: Error>(self, logical: Logical, number: Number) -> Result<Value, E> {
        let Number::Whole { bits, unsigned: false } = number else { return self.other_kind("NUMBER") };
        let small = i32::try_from(bits);
        match (logical, small) {
            (Logical::Date, Ok(days)) => Ok(Value::Date(days)),
            (Logical::Time, Ok(millis @ 0..=86_400_000)) => Ok(Value::Time(millis)),
            (Logical::Time, Ok(_)) => Err(self
                .context
                .fail("Time values must use number of milliseconds greater than 0 and less than 86400000")),
            (Logical::Timestamp, _) => Ok(Value::Timestamp(bits)),
            _ => self.other_kind("NUMBER"),
        }
    }

    /// What JSON of a kind the schema does not ask for turns into. Java's converter is lenient, and topics rely on it.
    fn other_kind<E: Error>(self, kind: &str) -> Result<Value, E> {
        let fail = |text: &str| Err(self.context.fail(format!("{text} {kind}")));
        match self.schema.logical() {
            Some(Logical::Date) => {
                return fail("Invalid type for Date, underlying representation should be integer but was");
            }
            Some(Logical::Time) => {
                return fail("Invalid type for Time, underlying representation should be integer but was");
            }
            Some(Logical::Timestamp) => {
                return fail(
                    "Invalid type for Timestamp, underlying representation should be integral but was",
                );
            }
            Some(Logical::Decimal { .. }) | None => {}
        }
        Ok(match &self.schema.ty {
            Type::Int8 => Value::Int8(0),
            Type::Int16 => Value::Int16(0),
            Type::Int32 => Value::Int32(0),
            Type::Int64 => Value::Int64(0),
            Type::Float32 => Value::Float32(0.0),
            Type::Float64 => Value::Float64(0.0),
            Type::Boolean => Value::Boolean(false),
            Type::String | Type::Bytes => Value::Null,
            Type::Array(_) => Value::Array(Vec::new()),
            Type::Struct(_) => return fail("Structs should be encoded as JSON objects, but found"),
            Type::Map { key, .. } if key.ty == Type::String => {
                return fail("Maps with string fields should be encoded as JSON objects, but found");
            }
            Type::Map { .. } => {
                return fail(
                    "Maps with non-string fields should be encoded as JSON array of tuples, but found",
                );
            }
        })
    }

    fn text<E: Error>(self, text: &str, string: impl FnOnce() -> Value) -> Result<Value, E> {
        match &self.schema.ty {
            Type::String => Ok(string()),
            Type::Bytes => match decimal::base64(text) {
                Ok(bytes) => Ok(Value::Bytes(Bytes::from(bytes))),
                Err(fault) => Err(self.context.fail(format!("Invalid bytes field: {fault}"))),
            },
            _ => self.other_kind("STRING"),
        }
    }

    fn structure<'de, A: MapAccess<'de>>(
        self,
        fields: &'s [Field],
        mut entries: A,
    ) -> Result<Value, A::Error> {
        let mut values: Vec<Option<Value>> = vec![None; fields.len()];
        let mut expected = 0;
        while let Some(found) = entries.next_key_seed(FieldSeed { fields, expected })? {
            let Some(index) = found else {
                entries.next_value::<IgnoredAny>()?;
                continue;
            };
            let field = &fields[index];
            let value = entries
                .next_value_seed(self.with(&field.schema))
                .inspect_err(|_| self.context.inside(&field.name))?;
            if value.is_null() && !field.schema.optional {
                return Err(self.context.fail(format!(
                    "Invalid value: null used for required field: \"{}\", schema type: {}",
                    field.name,
                    field.schema.ty.name()
                )));
            }
            values[index] = Some(value);
            expected = index + 1;
        }
        let values: Result<_, A::Error> = values
            .into_iter()
            .zip(fields)
            .map(|(value, field)| match value {
                Some(value) => Ok(value),
                None => self.context.null(&field.schema).inspect_err(|_| self.context.inside(&field.name)),
            })
            .collect();
        Ok(Value::Struct(values?))
    }

    fn items<'de, A: SeqAccess<'de>>(self, item: &'s Schema, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(self.with(item))? {
            if value.is_null() && !item.optional {
                return Err(self
                    .context
                    .fail(format!("Invalid null value for required {} field", item.ty.name())));
            }
            values.push(value);
        }
        Ok(Value::Array(values))
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.context.null(self.schema)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        match self.schema.ty {
            Type::Boolean => Ok(Value::Boolean(value)),
            _ => self.other_kind("BOOLEAN"),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.number(Number::Whole { bits: value, unsigned: false })
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.number(Number::Whole { bits: value as i64, unsigned: value > i64::MAX as u64 })
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.number(Number::Fraction(value))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Value, E> {
        self.text(text, || Value::String(self.context.borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.text(text, || Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        match &self.schema.ty {
            Type::Array(item) => self.items(item, items),
            Type::Map { key, value } if key.ty != Type::String => {
                let mut entries: Vec<(Value, Value)> = Vec::new();
                while let Some(entry) =
                    items.next_element_seed(PairSeed { key: self.with(key), value: self.with(value) })?
                {
                    entries.push(entry);
                }
                Ok(Value::Map(entries))
            }
            _ => {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                self.other_kind("ARRAY")
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        match &self.schema.ty {
            Type::Struct(fields) => self.structure(fields, entries),
            Type::Map { key, value } if key.ty == Type::String => {
                let mut map = MapBuilder::default();
                while let Some(key) = entries.next_key_seed(self.with(key))? {
                    map.put(key, entries.next_value_seed(self.with(value))?);
                }
                Ok(map.finish())
            }
            // Java walks over the values of an object as if it were an array.
            Type::Array(item) => {
                let mut values = Vec::new();
                while entries.next_key::<IgnoredAny>()?.is_some() {
                    values.push(entries.next_value_seed(self.with(item))?);
                }
                Ok(Value::Array(values))
            }
            _ => {
                while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                self.other_kind("OBJECT")
            }
        }
    }
}

/// Finds a field by its name. Writers mostly keep the order of the schema, so the next field is tried first.
struct FieldSeed<'s> {
    fields: &'s [Field],
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for FieldSeed<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        match self.fields.get(self.expected) {
            Some(field) if &*field.name == name => Ok(Some(self.expected)),
            _ => Ok(self.fields.iter().position(|field| &*field.name == name)),
        }
    }
}

/// `[key, value]`
struct PairSeed<'s, 'a> {
    key: ValueSeed<'s, 'a>,
    value: ValueSeed<'s, 'a>,
}

impl<'de> DeserializeSeed<'de> for PairSeed<'_, '_> {
    type Value = (Value, Value);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let context = self.key.context;
        // What is no array at all never reaches the visitor; whatever it finds in one replaces this text.
        context.presume("Found invalid map entry instead of array tuple");
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for PairSeed<'_, '_> {
    type Value = (Value, Value);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of a key and a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let context = self.key.context;
        let wrong = |found: usize| {
            context.fail(format!("Found invalid map entry, expected length 2 but found :{found}"))
        };
        let key = items.next_element_seed(self.key)?.ok_or_else(|| wrong(0))?;
        let value = items.next_element_seed(self.value)?.ok_or_else(|| wrong(1))?;
        let mut more = 0;
        while items.next_element::<IgnoredAny>()?.is_some() {
            more += 1;
        }
        if more > 0 { Err(wrong(2 + more)) } else { Ok((key, value)) }
    }
}
