//! `org.apache.kafka.connect.json.JsonConverter`.

mod context;
mod decimal;
mod envelope;
mod head;
mod schema;
mod schemaless;
mod value;
mod write;

use bytes::Bytes;
use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Validator, Width};
use connect_api::{ConfigDef, ConnectError, Converter, ParsedConfig, SchemaRef, Value};
use context::Context;
use envelope::EnvelopeSeed;
use head::Head;
use schema::SchemaCache;
use schemaless::AnySeed;
use serde::de::DeserializeSeed;
use serde_json::Deserializer;
use value::ValueSeed;
use write::{SchemaText, Writer};

pub static CONFIG: ConfigDef = ConfigDef::new(&[
    ConfigKey::new(
        "schemas.enable",
        Ty::Boolean,
        "Whether every message carries its schema: an object of exactly the fields schema and payload.",
    )
    .default("true")
    .importance(Importance::High)
    .group("Schemas", "Enable Schemas", Width::Medium)
    .order(0),
    ConfigKey::new("schemas.cache.size", Ty::Int, "How many parsed schemas are kept.")
        .default("1000")
        .valid(Validator::AtLeast(0))
        .importance(Importance::High)
        .group("Schemas", "Schema Cache Size", Width::Medium)
        .order(1),
    ConfigKey::new(
        "schema.content",
        Ty::String,
        "A schema, as JSON text, for all messages; they are then plain JSON without an envelope.",
    )
    .importance(Importance::High)
    .group("Schemas", "Schema Content", Width::Medium)
    .order(2),
    ConfigKey::new("decimal.format", Ty::String, "How decimals are written; both forms are always read.")
        .default("BASE64")
        .valid(Validator::OneOfIgnoreCase(&["NUMERIC", "BASE64"]))
        .group("Serialization", "Decimal Format", Width::Medium)
        .order(0),
    ConfigKey::new(
        "replace.null.with.default",
        Ty::Boolean,
        "Whether a null becomes the field's default where it has one.",
    )
    .default("true")
    .group("Serialization", "Replace null with default", Width::Medium)
    .order(1),
]);

pub struct JsonConverter {
    mode: Mode,
    schemas_enable: bool,
    writer: Writer,
    written: SchemaText,
}

enum Mode {
    Schemaless,
    Envelope {
        cache: SchemaCache,
        /// Of the last message, if the next may have the same.
        head: Option<Head>,
    },
    /// `schema.content`
    Fixed(SchemaRef),
}

impl JsonConverter {
    pub const CLASS: &'static str = "org.apache.kafka.connect.json.JsonConverter";

    pub fn new(config: &ParsedConfig) -> Result<Self, ConnectError> {
        let schemas_enable = config.boolean("schemas.enable");
        let writer = Writer {
            replace_null: config.boolean("replace.null.with.default"),
            numeric_decimals: config.text("decimal.format").eq_ignore_ascii_case("NUMERIC"),
        };
        let content = config.text("schema.content");
        let mode = if !schemas_enable {
            Mode::Schemaless
        } else {
            match fixed_schema(content)? {
                Some(schema) => Mode::Fixed(schema),
                None => {
                    let cache = SchemaCache::new(config.integer("schemas.cache.size") as usize);
                    Mode::Envelope { cache, head: None }
                }
            }
        };
        Ok(Self { mode, schemas_enable, writer, written: SchemaText::default() })
    }
}

fn fixed_schema(content: &str) -> Result<Option<SchemaRef>, ConnectError> {
    if content.is_empty() {
        return Ok(None);
    }
    schema::parse(content).map_err(|fault| {
        ConnectError::config(format!(
            "Failed to parse schema in converter config: {fault} (key schema.content)"
        ))
    })
}

impl Converter for JsonConverter {
    fn to_connect_data(
        &mut self,
        _topic: &str,
        bytes: Option<&Bytes>,
    ) -> Result<(Option<SchemaRef>, Value), ConnectError> {
        let Some(bytes) = bytes else { return Ok((None, Value::Null)) };
        // Jackson skips a byte order mark.
        let bytes = if bytes.starts_with(b"\xef\xbb\xbf") { &bytes.slice(3..) } else { bytes };
        if let Mode::Envelope { head: Some(head), .. } = &self.mode
            && let Some((schema, value)) = head.read(bytes, self.writer.replace_null)
        {
            return Ok((Some(schema), value));
        }
        let empty = bytes.iter().all(u8::is_ascii_whitespace);
        let context = Context::new(bytes, self.writer.replace_null);
        // What follows the first JSON value is not looked at, as in Java.
        let mut json = Deserializer::from_slice(bytes);
        let read = match &mut self.mode {
            Mode::Schemaless if empty => return Ok((None, Value::Null)),
            Mode::Envelope { .. } if empty => return Err(ConnectError::data(envelope::NOT_AN_ENVELOPE)),
            Mode::Schemaless => AnySeed(&context).deserialize(&mut json).map(|value| (None, value)),
            Mode::Envelope { cache, head } => {
                let read = EnvelopeSeed { context: &context, cache }.deserialize(&mut json);
                if let Ok((Some(schema), _)) = &read {
                    *head = cache.last_text().and_then(|text| Head::of(bytes, text, schema));
                }
                read
            }
            Mode::Fixed(schema) => ValueSeed { schema, context: &context }
                .deserialize(&mut json)
                .map(|value| (Some(schema.clone()), value)),
        };
        read.map_err(|error| context.explain(&error))
    }

    fn from_connect_data(
        &mut self,
        _topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool, ConnectError> {
        if schema.is_none() && value.is_null() {
            return Ok(false);
        }
        if self.schemas_enable {
            out.extend_from_slice(b"{\"schema\":");
            match schema {
                Some(schema) => self.written.push(out, schema, self.writer)?,
                None => out.extend_from_slice(b"null"),
            }
            out.extend_from_slice(b",\"payload\":");
        }
        self.writer.value(out, schema.map(|schema| &**schema), value)?;
        if self.schemas_enable {
            out.push(b'}');
        }
        Ok(true)
    }

    fn class_name(&self) -> &'static str {
        Self::CLASS
    }
}
