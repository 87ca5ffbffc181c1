//! A record becomes a line, as Kafka's console consumer prints it. Pure.

use super::lines::{is_true, split_property, unescape};
use anyhow::bail;
use rdkafka::Timestamp;
use rdkafka::message::{Headers as _, Message};

/// Which parts of a record are printed, and what is between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RecordFormat {
    timestamp: bool,
    partition: bool,
    offset: bool,
    headers: bool,
    key: bool,
    value: bool,
    key_separator: String,
    line_separator: String,
    headers_separator: String,
    null_literal: String,
}

const NAMES: &str = "print.timestamp, print.partition, print.offset, print.headers, print.key, print.value, \
                     key.separator, line.separator, headers.separator, null.literal";

impl RecordFormat {
    /// From `name=value` properties.
    pub(super) fn from_properties(properties: &[String]) -> anyhow::Result<Self> {
        let mut format = Self {
            timestamp: false,
            partition: false,
            offset: false,
            headers: false,
            key: false,
            value: true,
            key_separator: "\t".into(),
            line_separator: "\n".into(),
            headers_separator: ",".into(),
            null_literal: "null".into(),
        };
        for property in properties {
            let (name, value) = split_property(property)?;
            match name {
                "print.timestamp" => format.timestamp = is_true(property, value)?,
                "print.partition" => format.partition = is_true(property, value)?,
                "print.offset" => format.offset = is_true(property, value)?,
                "print.headers" => format.headers = is_true(property, value)?,
                "print.key" => format.key = is_true(property, value)?,
                "print.value" => format.value = is_true(property, value)?,
                "key.separator" => format.key_separator = unescape(value),
                "line.separator" => format.line_separator = unescape(value),
                "headers.separator" => format.headers_separator = unescape(value),
                "null.literal" => format.null_literal = value.to_owned(),
                _ => bail!("--property {name} is not known here; known are: {NAMES}"),
            }
        }
        Ok(format)
    }

    /// The line with its end. Bytes, since keys and values need not be text.
    pub(super) fn line(&self, record: &impl Message) -> Vec<u8> {
        let mut parts: Vec<Vec<u8>> = Vec::new();
        if self.timestamp {
            parts.push(timestamp(record.timestamp()).into_bytes());
        }
        if self.partition {
            parts.push(format!("Partition:{}", record.partition()).into_bytes());
        }
        if self.offset {
            parts.push(format!("Offset:{}", record.offset()).into_bytes());
        }
        if self.headers {
            parts.push(self.headers(record));
        }
        let or_null = |bytes: Option<&[u8]>| bytes.unwrap_or(self.null_literal.as_bytes()).to_vec();
        if self.key {
            parts.push(or_null(record.key()));
        }
        if self.value {
            parts.push(or_null(record.payload()));
        }
        let mut line = parts.join(self.key_separator.as_bytes());
        line.extend_from_slice(self.line_separator.as_bytes());
        line
    }

    fn headers(&self, record: &impl Message) -> Vec<u8> {
        let Some(headers) = record.headers().filter(|headers| headers.count() > 0) else {
            return b"NO_HEADERS".to_vec();
        };
        let headers = headers.iter().map(|header| {
            let mut text = format!("{}:", header.key).into_bytes();
            text.extend_from_slice(header.value.unwrap_or(self.null_literal.as_bytes()));
            text
        });
        headers.collect::<Vec<_>>().join(self.headers_separator.as_bytes())
    }
}

fn timestamp(timestamp: Timestamp) -> String {
    match timestamp {
        Timestamp::NotAvailable => "NO_TIMESTAMP".to_owned(),
        Timestamp::CreateTime(millis) => format!("CreateTime:{millis}"),
        Timestamp::LogAppendTime(millis) => format!("LogAppendTime:{millis}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::message::{Header, OwnedHeaders, OwnedMessage};

    fn record(headers: Option<OwnedHeaders>, key: Option<&str>, value: Option<&str>) -> OwnedMessage {
        let bytes = |text: Option<&str>| text.map(|text| text.as_bytes().to_vec());
        let timestamp = Timestamp::CreateTime(1_700_000_000_123);
        OwnedMessage::new(bytes(value), bytes(key), "t".into(), timestamp, 3, 42, headers)
    }

    fn line(properties: &[&str], record: &OwnedMessage) -> String {
        let properties: Vec<String> = properties.iter().map(ToString::to_string).collect();
        String::from_utf8(RecordFormat::from_properties(&properties).unwrap().line(record)).unwrap()
    }

    #[test]
    fn only_the_value_unless_told_otherwise() {
        assert_eq!(line(&[], &record(None, Some("k"), Some("v"))), "v\n");
        assert_eq!(line(&[], &record(None, Some("k"), None)), "null\n");
    }

    #[test]
    fn every_part_in_the_sequence_of_the_java_tool() {
        let all = [
            "print.timestamp=true",
            "print.partition=true",
            "print.offset=true",
            "print.headers=true",
            "print.key=true",
        ];
        let headers =
            OwnedHeaders::new()
                .insert(Header { key: "a", value: Some("1") })
                .insert(Header::<&str> { key: "b", value: None });
        assert_eq!(
            line(&all, &record(Some(headers), Some("k"), Some("v"))),
            "CreateTime:1700000000123\tPartition:3\tOffset:42\ta:1,b:null\tk\tv\n"
        );
        assert_eq!(
            line(&["print.headers=true", "print.key=true"], &record(None, None, Some("v"))),
            "NO_HEADERS\tnull\tv\n"
        );
    }

    #[test]
    fn separators_can_be_chosen() {
        let properties = ["print.key=true", "key.separator= -> ", "null.literal=-", "line.separator=;"];
        assert_eq!(line(&properties, &record(None, None, Some("v"))), "- -> v;");
    }

    #[test]
    fn a_property_that_is_not_known_is_refused() {
        let error = RecordFormat::from_properties(&["print.keys=true".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("print.keys") && error.contains("print.key,"), "{error}");
    }
}
