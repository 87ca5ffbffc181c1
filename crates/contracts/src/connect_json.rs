//! The wire form of a fact: Kafka Connect's JSON with `schema` and `payload`, so that any JDBC sink writes it to a
//! table without code. The schema is spelled out once per type, as a table of fields.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::borrow::Cow;
use uuid::Uuid;

/// One field of a fact: its name is the column's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectField {
    pub name: &'static str,
    pub ty: ConnectType,
    pub optional: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectType {
    String,
    Int32,
    Int64,
    /// `org.apache.kafka.connect.data.Timestamp`: milliseconds since the epoch, UTC.
    Timestamp,
}

/// Why a record is no fact of the expected type. The source says which field and where: print the whole chain.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    #[error("the record has no value")]
    Tombstone,
    #[error("the value is not schema-and-payload JSON")]
    NotAnEnvelope(#[source] serde_json::Error),
    #[error("the payload is not a valid {record}")]
    Payload {
        record: &'static str,
        #[source]
        source: serde_json::Error,
    },
    #[error("the payload is not a valid {record}: {field} {rule}")]
    Rule { record: &'static str, field: &'static str, rule: String },
}

/// The envelope's `schema` part for a struct of `fields`.
pub(crate) fn schema_json(name: &str, fields: &[ConnectField]) -> Value {
    let fields: Vec<Value> = fields
        .iter()
        .map(|field| {
            let mut schema = match field.ty {
                ConnectType::String => json!({"type": "string"}),
                ConnectType::Int32 => json!({"type": "int32"}),
                ConnectType::Int64 => json!({"type": "int64"}),
                ConnectType::Timestamp => json!({
                    "type": "int64", "name": "org.apache.kafka.connect.data.Timestamp", "version": 1,
                }),
            };
            schema["optional"] = field.optional.into();
            schema["field"] = field.name.into();
            schema
        })
        .collect();
    json!({"type": "struct", "fields": fields, "optional": false, "name": name})
}

/// A type of fact.
pub trait Fact: serde::Serialize + DeserializeOwned {
    /// The struct's name in the schema and in error texts.
    const NAME: &'static str;
    const FIELDS: &'static [ConnectField];

    /// The rules that types alone do not carry: `(field, rule)` of the first one broken.
    fn check(&self) -> Result<(), (&'static str, String)>;
}

/// The value of a record that carries `fact`.
pub fn encode<F: Fact>(fact: &F) -> Vec<u8> {
    let envelope = json!({"schema": schema_json(F::NAME, F::FIELDS), "payload": fact});
    envelope.to_string().into_bytes()
}

/// Reads a record's value; the schema part is not needed to read a payload and is passed over, unknown payload fields
/// (of a newer writer) too.
pub fn decode<F: Fact>(value: Option<&[u8]>) -> Result<F, ContractError> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        schema: &'a RawValue,
        #[serde(borrow)]
        payload: &'a RawValue,
    }
    let value = value.ok_or(ContractError::Tombstone)?;
    let envelope: Envelope<'_> = serde_json::from_slice(value).map_err(ContractError::NotAnEnvelope)?;
    // serde would read a struct from an array too; a sink would not, and the order would be decided without a row.
    let object = |json: &str| json.trim_ascii_start().starts_with('{');
    if !value.trim_ascii_start().starts_with(b"{") || !object(envelope.schema.get()) {
        let error = serde_json::Error::custom("the value and its schema are not both JSON objects");
        return Err(ContractError::NotAnEnvelope(error));
    }
    let not_valid = |source| ContractError::Payload { record: F::NAME, source };
    if !object(envelope.payload.get()) {
        return Err(not_valid(serde_json::Error::custom("the payload is not a JSON object")));
    }
    let fact: F = serde_json::from_str(envelope.payload.get()).map_err(not_valid)?;
    fact.check().map_err(|(field, rule)| ContractError::Rule { record: F::NAME, field, rule })?;
    Ok(fact)
}

/// Reads a UUID in its one canonical text form. The sink copies the text into the table, where any other form of the
/// same id would be another row.
pub(crate) fn canonical_uuid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    let text = Cow::<str>::deserialize(deserializer)?;
    Uuid::parse_str(&text)
        .ok()
        .filter(|id| id.to_string() == text)
        .ok_or_else(|| D::Error::custom("order_id is not a UUID in lower case with hyphens"))
}
