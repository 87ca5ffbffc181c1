//! Why the program ended other than by a signal.

/// Each is one line.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What was asked for on the command line makes no sense.
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Worker(String),
    #[error("{0}")]
    Connector(String),
    /// `check` has found something; it has said what on standard output.
    #[error("{0}")]
    Check(String),
}

impl Failure {
    /// The exit codes of Kafka's scripts.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 1,
            Failure::Worker(_) | Failure::Check(_) => 2,
            Failure::Connector(_) => 3,
        }
    }
}
