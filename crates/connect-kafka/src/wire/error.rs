//! What can go wrong between this process and a broker.

use std::time::Duration;

pub(crate) use kafka_protocol::ResponseError as Code;

#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("{address} cannot be reached")]
    Unreachable {
        address: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the connection to {address} broke")]
    Broken {
        address: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{address} did not answer {call} within {} ms", patience.as_millis())]
    Silent { address: String, call: &'static str, patience: Duration },
    /// What came is no answer of a Kafka broker, or one that this program does not understand.
    #[error("{address} does not speak Kafka's protocol as expected: {what}")]
    Strange { address: String, what: String },
    #[error("{address} has no version of {call} in common with this worker")]
    Unsupported { address: String, call: &'static str },
    #[error("{call} was refused: {code}")]
    Refused { call: &'static str, code: Code },
}

impl WireError {
    pub(crate) fn code(&self) -> Option<Code> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether the same may well go through later, or elsewhere.
    pub(crate) fn passes(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } | Self::Silent { .. } => true,
            Self::Strange { .. } | Self::Unsupported { .. } => false,
            Self::Refused { code, .. } => code.is_retriable(),
        }
    }
}

/// An answer's error code as a result.
pub(super) fn check(call: &'static str, code: i16) -> Result<(), WireError> {
    match Code::try_from_code(code) {
        None => Ok(()),
        Some(code) => Err(WireError::Refused { call, code }),
    }
}
