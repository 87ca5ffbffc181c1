//! The dead-letter topic: where records go that could not be read or written.

use crate::errors::{DeadLetterTopic, Stage};
use crate::ports::{KafkaClients, OutgoingRecord, RawRecord, RecordProducer};
use bytes::Bytes;
use connect_api::{ConfigMap, ConnectError};
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// A record that could not be read, or not be written: which, where and why. As an error it is what `Tolerance exceeded in error handler`
/// is caused by.
#[derive(Debug)]
pub struct BadRecord {
    pub record: RawRecord,
    pub stage: Stage,
    /// The class that refused it.
    pub class: Cow<'static, str>,
    pub error: ConnectError,
    /// What the task adds to the headers of the dead letter.
    pub headers: Vec<(String, String)>,
}

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { record, stage, class, error, .. } = self;
        write!(
            f,
            "record of topic {}, partition {}, offset {} failed in {} ({class}) with {}",
            record.topic,
            record.partition,
            record.offset,
            stage.as_str(),
            error.java_class()
        )
    }
}

impl Error for BadRecord {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

/// The dead-letter topic of one task, ready to take records.
pub(crate) struct DeadLetters {
    topic: DeadLetterTopic,
    connector: String,
    task: usize,
    producer: Arc<dyn RecordProducer>,
}

impl DeadLetters {
    /// Creates the topic unless it exists; fails now rather than at the first bad record.
    pub(crate) async fn open(
        topic: DeadLetterTopic,
        connector: &str,
        task: usize,
        clients: &dyn KafkaClients,
        overrides: &ConfigMap,
    ) -> Result<Self, ConnectError> {
        let cannot = |error| {
            ConnectError::caused(format!("the dead-letter topic {} cannot be used", topic.name), error)
        };
        clients.ensure_topic(&topic.name, 1, topic.replication_factor).await.map_err(cannot)?;
        let producer = clients.dead_letter_producer(connector, task, overrides).await.map_err(cannot)?;
        Ok(Self { topic, connector: connector.to_owned(), task, producer })
    }

    pub(crate) fn topic(&self) -> &str {
        &self.topic.name
    }

    /// Returns when the topic has acknowledged the record.
    pub(crate) async fn send(&self, bad: &BadRecord) -> Result<(), ConnectError> {
        let mut outgoing = OutgoingRecord {
            timestamp: bad.record.timestamp,
            key: bad.record.key.clone(),
            value: bad.record.value.clone(),
            headers: bad.record.headers.clone(),
        };
        if self.topic.context_headers {
            outgoing.headers.extend(context_headers(&self.connector, self.task, bad));
        }
        self.producer.send(&self.topic.name, outgoing).await.map_err(|error| {
            let RawRecord { topic, partition, offset, .. } = &bad.record;
            ConnectError::caused(
                format!(
                    "record of topic {topic}, partition {partition}, offset {offset} could not be written to the \
                     dead-letter topic {}; its offset stays uncommitted",
                    self.topic.name
                ),
                error,
            )
        })
    }
}

/// Connect's ten headers, in the order in which it writes them, and the task's own.
fn context_headers(connector: &str, task: usize, bad: &BadRecord) -> Vec<(String, Option<Bytes>)> {
    let BadRecord { record, stage, class, error, headers } = bad;
    let own = headers.iter().map(|(name, value)| (name.clone(), Some(Bytes::from(value.clone()))));
    [
        ("topic", record.topic.to_string()),
        ("partition", record.partition.to_string()),
        ("offset", record.offset.to_string()),
        ("connector.name", connector.to_owned()),
        ("task.id", task.to_string()),
        ("stage", stage.as_str().to_owned()),
        ("class.name", class.to_string()),
        ("exception.class.name", error.java_class().to_owned()),
        ("exception.message", error.to_string()),
        ("exception.stacktrace", trace(error)),
    ]
    .into_iter()
    .map(|(name, value)| (format!("__connect.errors.{name}"), Some(Bytes::from(value))))
    .chain(own)
    .collect()
}

/// The causes in the form of a Java stack trace, as tools look for it.
fn trace(error: &ConnectError) -> String {
    let mut text = format!("{}: {error}", error.java_class());
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!("\nCaused by: {cause}"));
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_headers_in_connects_words_and_the_tasks_own() {
        let record = RawRecord {
            topic: "orders".into(),
            partition: 2,
            offset: 41,
            timestamp: None,
            key: None,
            value: None,
            headers: Vec::new(),
        };
        let error = ConnectError::data("no good");
        let headers = vec![("__connect.errors.sqlstate".to_owned(), "22001".to_owned())];
        let bad = BadRecord { record, stage: Stage::TaskPut, class: "org.x.Y".into(), error, headers };
        let headers: Vec<_> = context_headers("sink", 3, &bad)
            .into_iter()
            .map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(&value.unwrap())))
            .collect();
        assert_eq!(
            headers,
            [
                "__connect.errors.topic=orders",
                "__connect.errors.partition=2",
                "__connect.errors.offset=41",
                "__connect.errors.connector.name=sink",
                "__connect.errors.task.id=3",
                "__connect.errors.stage=TASK_PUT",
                "__connect.errors.class.name=org.x.Y",
                "__connect.errors.exception.class.name=org.apache.kafka.connect.errors.DataException",
                "__connect.errors.exception.message=no good",
                "__connect.errors.exception.stacktrace=org.apache.kafka.connect.errors.DataException: no good",
                "__connect.errors.sqlstate=22001",
            ]
        );
    }
}
