//! A database's errors, sorted by what helps against them.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// The database could not be reached.
    Connect,
    /// The connection broke, or the database was busy: the same again may work.
    Transient,
    /// A table or column is not (any more) what it was believed to be.
    Structure,
    /// Two rows of one upsert have the same key in the eyes of the database.
    SameKey,
    /// The same again gives the same error.
    Permanent,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DbError {
    pub(crate) kind: ErrorKind,
    pub(crate) sql_state: Option<Box<str>>,
    pub(crate) code: Option<Box<str>>,
    pub(crate) message: Box<str>,
}

impl DbError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Box<str>>) -> Self {
        Self { kind, sql_state: None, code: None, message: message.into() }
    }
}

impl std::error::Error for DbError {}

/// `SQLSTATE 23000, error 1062: Duplicate entry ...`
impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.sql_state, &self.code) {
            (Some(state), Some(code)) => write!(f, "SQLSTATE {state}, error {code}: {}", self.message),
            (Some(state), None) => write!(f, "SQLSTATE {state}: {}", self.message),
            (None, Some(code)) => write!(f, "error {code}: {}", self.message),
            _ => f.write_str(&self.message),
        }
    }
}
