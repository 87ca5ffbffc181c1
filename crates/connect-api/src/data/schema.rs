//! What a value may be: `org.apache.kafka.connect.data.Schema`.

use super::Value;
use indexmap::IndexMap;
use std::sync::Arc;

/// Schemas are parsed once and shared by every record that carries the same text.
pub type SchemaRef = Arc<Schema>;

#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Boolean,
    String,
    Bytes,
    Array(SchemaRef),
    Map { key: SchemaRef, value: SchemaRef },
    Struct(Vec<Field>),
}

impl Type {
    /// Connect's name of the type in error texts (`Schema.Type`).
    pub fn name(&self) -> &'static str {
        match self {
            Type::Int8 => "INT8",
            Type::Int16 => "INT16",
            Type::Int32 => "INT32",
            Type::Int64 => "INT64",
            Type::Float32 => "FLOAT32",
            Type::Float64 => "FLOAT64",
            Type::Boolean => "BOOLEAN",
            Type::String => "STRING",
            Type::Bytes => "BYTES",
            Type::Array(_) => "ARRAY",
            Type::Map { .. } => "MAP",
            Type::Struct(_) => "STRUCT",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub name: Box<str>,
    pub schema: SchemaRef,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    pub ty: Type,
    pub optional: bool,
    pub name: Option<Box<str>>,
    pub version: Option<i32>,
    pub doc: Option<Box<str>>,
    pub parameters: IndexMap<String, String>,
    pub default: Option<Value>,
}

/// The names that make a primitive schema a logical type.
pub mod logical_name {
    pub const DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";
    pub const DATE: &str = "org.apache.kafka.connect.data.Date";
    pub const TIME: &str = "org.apache.kafka.connect.data.Time";
    pub const TIMESTAMP: &str = "org.apache.kafka.connect.data.Timestamp";
}

/// A logical type laid over a primitive one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logical {
    /// Over BYTES; the scale is the schema parameter `scale`.
    Decimal { scale: i32 },
    /// Over INT32: days since 1970-01-01.
    Date,
    /// Over INT32: milliseconds since midnight.
    Time,
    /// Over INT64: milliseconds since the epoch, UTC.
    Timestamp,
}

impl Schema {
    pub fn new(ty: Type) -> Self {
        Self {
            ty,
            optional: false,
            name: None,
            version: None,
            doc: None,
            parameters: IndexMap::new(),
            default: None,
        }
    }

    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    pub fn versioned(mut self, version: i32) -> Self {
        self.version = Some(version);
        self
    }

    pub fn with_default(mut self, default: Value) -> Self {
        self.default = Some(default);
        self
    }

    pub fn date() -> Self {
        Self::new(Type::Int32).named(logical_name::DATE).versioned(1)
    }

    pub fn time() -> Self {
        Self::new(Type::Int32).named(logical_name::TIME).versioned(1)
    }

    pub fn timestamp() -> Self {
        Self::new(Type::Int64).named(logical_name::TIMESTAMP).versioned(1)
    }

    pub fn decimal(scale: i32) -> Self {
        let mut schema = Self::new(Type::Bytes).named(logical_name::DECIMAL).versioned(1);
        schema.parameters.insert("scale".into(), scale.to_string());
        schema
    }

    /// A struct schema from `(name, schema)` pairs.
    pub fn structure<'a>(fields: impl IntoIterator<Item = (&'a str, Schema)>) -> Self {
        Self::new(Type::Struct(
            fields
                .into_iter()
                .map(|(name, schema)| Field { name: name.into(), schema: Arc::new(schema) })
                .collect(),
        ))
    }

    /// The fields of a struct; empty for every other type.
    pub fn fields(&self) -> &[Field] {
        match &self.ty {
            Type::Struct(fields) => fields,
            _ => &[],
        }
    }

    pub fn field_index(&self, name: &str) -> Option<usize> {
        self.fields().iter().position(|field| &*field.name == name)
    }

    /// The logical type, if name and base type agree; a known name over another base type is no logical type.
    pub fn logical(&self) -> Option<Logical> {
        match (self.name.as_deref()?, &self.ty) {
            (logical_name::DECIMAL, Type::Bytes) => {
                Some(Logical::Decimal { scale: self.parameters.get("scale")?.parse().ok()? })
            }
            (logical_name::DATE, Type::Int32) => Some(Logical::Date),
            (logical_name::TIME, Type::Int32) => Some(Logical::Time),
            (logical_name::TIMESTAMP, Type::Int64) => Some(Logical::Timestamp),
            _ => None,
        }
    }
}
