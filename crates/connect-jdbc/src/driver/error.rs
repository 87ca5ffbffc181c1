//! A database's errors, sorted by what helps against them. The tables stand in a file per database.

pub(super) mod mysql;
pub(super) mod postgres;
pub(super) mod sqlite;

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// The database could not be reached.
    Connect,
    /// The connection broke, or the database was busy, full or read-only: the same again may work after a while.
    Transient,
    /// The database has taken the transaction back because of another one (deadlock, lock wait): the same again works
    /// as soon as the other is done.
    AtOnce,
    /// A table or column is not (any more) what it was believed to be.
    Structure,
    /// Two rows of one upsert have the same key in the eyes of the database.
    SameKey,
    /// What was written may not be what was to be written: the transaction has to be taken back, and the rows to go another way.
    InDoubt,
    /// A row of the statement is at fault: its values, its size, or a constraint it breaks. Other rows may be fine.
    BadRow,
    /// The same again gives the same error, with these rows or others.
    Permanent,
    /// Nobody has said what helps. Rows are tried one by one while the connection lives; what fails alone is a bad row.
    Unknown,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DbError {
    pub(crate) kind: ErrorKind,
    pub(crate) sql_state: Option<Box<str>>,
    pub(crate) code: Option<Box<str>>,
    pub(crate) message: Box<str>,
    /// The column that the database complains of, where it says so.
    pub(crate) column: Option<Box<str>>,
}

impl DbError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Box<str>>) -> Self {
        Self { kind, sql_state: None, code: None, message: message.into(), column: None }
    }

    /// Without the server's words, which may quote values of the row (`trim.sensitive.log`).
    pub(crate) fn without_words(self) -> Self {
        Self { message: "trim.sensitive.log hides what the database says".into(), ..self }
    }

    /// The same error when it came while connecting: what may pass is a matter of reaching the database. A refusal (wrong
    /// password, unknown database) stays what it is.
    pub(super) fn while_connecting(mut self) -> Self {
        self.kind = match self.kind {
            ErrorKind::Transient | ErrorKind::AtOnce => ErrorKind::Connect,
            ErrorKind::BadRow | ErrorKind::Unknown => ErrorKind::Permanent,
            kind => kind,
        };
        self
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
