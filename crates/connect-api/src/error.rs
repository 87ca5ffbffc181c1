//! What a plugin says when it cannot go on.

use std::error::Error;

/// The one error type that crosses the plugin boundary: the kind decides what the runtime does, the text is
/// for a person. `Display` leaves the source out; whoever shows the error prints the chain.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The configuration asks for something that cannot be done. Reported as HTTP 400 where it is found during
    /// validation, as a FAILED connector or task where only a start could find it.
    #[error("{0}")]
    Config(String),
    /// The data breaks a rule (Java: `DataException`): a record that no retry will make right.
    #[error("{0}")]
    Data(String),
    /// Anything else that stops a connector or task.
    #[error("{message}")]
    Failed {
        message: String,
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
}

impl ConnectError {
    pub fn config(message: impl Into<String>) -> Self {
        Self::Config(message.into())
    }

    pub fn data(message: impl Into<String>) -> Self {
        Self::Data(message.into())
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), source: None }
    }

    pub fn caused(message: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed { message: message.into(), source: Some(source.into()) }
    }

    /// The Java exception class a user of the reference would see in the same place; goes into dead-letter
    /// headers and traces, where tools match on it.
    pub fn java_class(&self) -> &'static str {
        match self {
            Self::Config(_) => "org.apache.kafka.common.config.ConfigException",
            Self::Data(_) => "org.apache.kafka.connect.errors.DataException",
            Self::Failed { .. } => "org.apache.kafka.connect.errors.ConnectException",
        }
    }

    /// The message and every cause below it, joined by `: `.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut next = self.source();
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}
