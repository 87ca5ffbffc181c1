//! What librdkafka tells: its log lines and errors become events of tracing; repeated ones are held back.

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long the same trouble is not worth another line.
const QUIET: Duration = Duration::from_secs(30);

/// Lets the first of many equal events through, then one per half minute.
#[derive(Default)]
pub(crate) struct RateLimit(Mutex<HashMap<String, Instant>>);

impl RateLimit {
    pub(crate) fn permits(&self, what: &str) -> bool {
        let mut last = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = Instant::now();
        if last.get(what).is_some_and(|last| now.duration_since(*last) < QUIET) {
            return false;
        }
        // The texts carry broker names and the like, not data; still, they are not to pile up.
        if last.len() > 100 {
            last.clear();
        }
        last.insert(what.to_owned(), now);
        true
    }
}

/// What all complaints about a broker that is away have in common.
const CONNECTION: &str = "connection";

/// What an error is about: librdkafka reports one trouble in several ways, and one line is enough.
fn subject(error: &KafkaError) -> String {
    use rdkafka::error::RDKafkaErrorCode as Code;
    match error.rdkafka_error_code() {
        Some(Code::BrokerTransportFailure | Code::AllBrokersDown | Code::Resolve) => CONNECTION.to_owned(),
        Some(code) => format!("{code:?}"),
        None => error.to_string(),
    }
}

/// The name of a client and the clocks of its complaints.
pub(crate) struct Reporter {
    pub(crate) client: String,
    limit: Arc<RateLimit>,
}

impl Reporter {
    pub(crate) fn new(client: &str) -> Self {
        Self::sharing(client, Arc::default())
    }

    /// For clients that have their trouble together: one of them tells.
    pub(crate) fn sharing(client: &str, limit: Arc<RateLimit>) -> Self {
        Self { client: client.to_owned(), limit }
    }

    /// Trouble that librdkafka gets over by itself.
    pub(crate) fn trouble(&self, error: &KafkaError, reason: &str) {
        if self.limit.permits(&subject(error)) {
            tracing::warn!(
                client = self.client,
                error = error.to_string(),
                reason,
                "kafka client has trouble and goes on"
            );
        }
    }

    pub(crate) fn log_line(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        let client = &*self.client;
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error => {
                // `FAIL` is a broken connection; its client reports the same as an error.
                if self.limit.permits(if facility == "FAIL" { CONNECTION } else { facility }) {
                    tracing::warn!(target: "librdkafka", client, facility, "{text}");
                }
            }
            RDKafkaLogLevel::Warning => tracing::warn!(target: "librdkafka", client, facility, "{text}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
                tracing::info!(target: "librdkafka", client, facility, "{text}");
            }
            RDKafkaLogLevel::Debug => tracing::debug!(target: "librdkafka", client, facility, "{text}"),
        }
    }
}

impl ClientContext for Reporter {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.log_line(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.trouble(&error, reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_not_said_twice_in_a_row() {
        let limit = RateLimit::default();
        assert!(limit.permits("a") && limit.permits("b"));
        assert!(!limit.permits("a") && !limit.permits("b"));
    }

    #[test]
    fn one_trouble_in_several_words_is_one_subject() {
        use rdkafka::error::RDKafkaErrorCode as Code;
        let away = [
            KafkaError::Global(Code::BrokerTransportFailure),
            KafkaError::MessageConsumption(Code::BrokerTransportFailure),
            KafkaError::Global(Code::AllBrokersDown),
        ];
        assert!(away.iter().all(|error| subject(error) == CONNECTION));
        let unknown = [Code::UnknownTopicOrPartition, Code::UnknownTopic].map(KafkaError::MessageConsumption);
        assert_ne!(subject(&unknown[0]), subject(&unknown[1]));
        assert_eq!(subject(&unknown[0]), subject(&KafkaError::Global(Code::UnknownTopicOrPartition)));
    }
}
