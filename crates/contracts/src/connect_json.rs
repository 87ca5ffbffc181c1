//! The wire form of a fact: Kafka Connect's JSON with `schema` and `payload`, so that any JDBC sink writes it to a
//! table without code. The schema is spelled out once per type, as a table of fields.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::value::RawValue;
use serde_json::{Value, json};

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

/// Why a record is no fact of the expected type. `Display` names the field where there is one.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    #[error("the record has no value")]
    Tombstone,
    #[error("the value is not schema-and-payload JSON: {0}")]
    NotAnEnvelope(#[source] serde_json::Error),
    #[error("the payload is not a valid {record}: {source}")]
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
    if envelope.schema.get() == "null" {
        return Err(ContractError::NotAnEnvelope(serde_json::Error::custom("schema is null")));
    }
    let fact: F = serde_json::from_str(envelope.payload.get())
        .map_err(|source| ContractError::Payload { record: F::NAME, source })?;
    fact.check().map_err(|(field, rule)| ContractError::Rule { record: F::NAME, field, rule })?;
    Ok(fact)
}
