//! `org.apache.kafka.connect.storage.StringConverter`: a message is text, whatever it looks like.

use crate::plugins::VERSION;
use bytes::Bytes;
use bytestring::ByteString;
use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Width};
use connect_api::data::java;
use connect_api::{ConfigDef, ConnectError, Converter, ParsedConfig, Schema, SchemaRef, Type, Value};
use std::sync::Arc;

pub static CONFIG: ConfigDef = ConfigDef::new(&[ConfigKey::new(
    "converter.encoding",
    Ty::String,
    "The character set of the text: UTF-8, US-ASCII or ISO-8859-1.",
)
.default("UTF-8")
.importance(Importance::High)
.group("", "Encoding", Width::Medium)]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Ascii,
    Latin1,
}

pub struct StringConverter {
    encoding: Encoding,
    schema: SchemaRef,
}

impl StringConverter {
    pub const CLASS: &'static str = "org.apache.kafka.connect.storage.StringConverter";
    pub const VERSION: &'static str = VERSION;

    pub fn new(config: &ParsedConfig) -> Result<Self, ConnectError> {
        let name = config.text("converter.encoding");
        let encoding = match name.to_ascii_uppercase().replace('_', "-").as_str() {
            "UTF-8" | "UTF8" => Encoding::Utf8,
            "US-ASCII" | "ASCII" => Encoding::Ascii,
            "ISO-8859-1" | "ISO8859-1" | "LATIN1" => Encoding::Latin1,
            _ => {
                return Err(ConnectError::config(format!(
                    "Invalid value {name} for configuration converter.encoding: this worker reads UTF-8, US-ASCII and \
                     ISO-8859-1"
                )));
            }
        };
        Ok(Self { encoding, schema: Arc::new(Schema::new(Type::String).optional()) })
    }

    /// As Java decodes: what is no character of the set becomes U+FFFD, never an error.
    fn decode(&self, bytes: &Bytes) -> ByteString {
        match self.encoding {
            Encoding::Utf8 => ByteString::try_from(bytes.clone())
                .unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned().into()),
            Encoding::Ascii => {
                let text: String = bytes
                    .iter()
                    .map(|b| if b.is_ascii() { char::from(*b) } else { char::REPLACEMENT_CHARACTER })
                    .collect();
                text.into()
            }
            Encoding::Latin1 => bytes.iter().map(|b| char::from(*b)).collect::<String>().into(),
        }
    }

    /// As Java encodes: what the set does not have becomes a question mark.
    fn encode(&self, text: &str, out: &mut Vec<u8>) {
        let last = match self.encoding {
            Encoding::Utf8 => return out.extend_from_slice(text.as_bytes()),
            Encoding::Ascii => 0x7f,
            Encoding::Latin1 => 0xff,
        };
        let byte = |c| u8::try_from(u32::from(c)).ok().filter(|byte| *byte <= last).unwrap_or(b'?');
        out.extend(text.chars().map(byte));
    }
}

impl Converter for StringConverter {
    fn to_connect_data(
        &mut self,
        _topic: &str,
        bytes: Option<&Bytes>,
    ) -> Result<(Option<SchemaRef>, Value), ConnectError> {
        let value = bytes.map_or(Value::Null, |bytes| Value::String(self.decode(bytes)));
        Ok((Some(self.schema.clone()), value))
    }

    /// Whatever it is, as Java's `toString` prints it.
    fn from_connect_data(
        &mut self,
        _topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool, ConnectError> {
        match value {
            Value::Null => return Ok(false),
            Value::String(text) => self.encode(text, out),
            other => self.encode(&java::text(schema.map(|schema| &**schema), other), out),
        }
        Ok(true)
    }

    fn class_name(&self) -> &'static str {
        Self::CLASS
    }
}

#[cfg(test)]
mod tests {
    use crate::create;
    use bytes::Bytes;
    use connect_api::{ConfigMap, Value};

    fn convert(encoding: &str, bytes: Option<&'static [u8]>) -> Value {
        let config = ConfigMap::from([("converter.encoding".to_string(), encoding.to_string())]);
        let mut converter = create("String", &config, true).unwrap();
        let (schema, value) = converter.to_connect_data("t", bytes.map(Bytes::from_static).as_ref()).unwrap();
        assert!(schema.unwrap().optional);
        value
    }

    #[test]
    fn decodes_as_java_does() {
        for (encoding, bytes, expected) in [
            ("UTF-8", &b"\xc3\xa9"[..], "é"),
            ("UTF-8", b"\xffA", "\u{fffd}A"),
            ("utf8", b"", ""),
            ("ISO-8859-1", b"\xe9", "é"),
            ("US-ASCII", b"a\xe9", "a\u{fffd}"),
        ] {
            assert_eq!(convert(encoding, Some(bytes)), Value::from(expected), "{encoding} {bytes:?}");
        }
        assert_eq!(convert("UTF-8", None), Value::Null);
    }

    #[test]
    fn writes_what_java_prints() {
        let write = |encoding: &str, value: Value| {
            let config = ConfigMap::from([("converter.encoding".to_string(), encoding.to_string())]);
            let mut converter = create("String", &config, false).unwrap();
            let mut out = Vec::new();
            converter.from_connect_data("t", None, &value, &mut out).unwrap().then_some(out)
        };
        assert_eq!(write("UTF-8", "é😀".into()).unwrap(), "é😀".as_bytes());
        assert_eq!(write("ISO-8859-1", "é😀".into()).unwrap(), b"\xe9?");
        assert_eq!(write("US-ASCII", "é".into()).unwrap(), b"?");
        assert_eq!(write("UTF-8", Value::Float64(1e10)).unwrap(), b"1.0E10");
        assert_eq!(write("UTF-8", Value::Null), None);
    }

    #[test]
    fn refuses_a_character_set_it_does_not_know() {
        let config = ConfigMap::from([("converter.encoding".to_string(), "UTF-16".to_string())]);
        let error = create("String", &config, true).err().unwrap();
        assert!(error.to_string().contains("converter.encoding"), "{error}");
    }
}
