//! SQLite: by result code, where that says too little by the text.

use super::{DbError, ErrorKind};

pub(in crate::driver) fn db_error(error: sqlx::Error) -> DbError {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().map(Box::<str>::from);
            let message = error.message();
            let kind = kind_of(code.as_deref(), message);
            DbError {
                kind,
                sql_state: None,
                code,
                column: column_of(message).map(Into::into),
                message: message.into(),
            }
        }
        sqlx::Error::Io(error) => DbError::new(ErrorKind::Transient, error.to_string()),
        sqlx::Error::WorkerCrashed => {
            DbError::new(ErrorKind::Transient, "the thread of the connection ended")
        }
        other => DbError::new(ErrorKind::Permanent, other.to_string()),
    }
}

fn kind_of(code: Option<&str>, message: &str) -> ErrorKind {
    /// The low byte of an extended code is the primary one.
    const PRIMARY: u32 = 0xff;
    match code.and_then(|code| code.parse::<u32>().ok()).map(|code| code & PRIMARY) {
        // BUSY, LOCKED (busy_timeout has been waited for already), NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN,
        // PROTOCOL
        Some(5..=10 | 13..=15) => ErrorKind::Transient,
        // SCHEMA
        Some(17) => ErrorKind::Structure,
        // TOOBIG, CONSTRAINT (RAISE in a trigger is one), MISMATCH
        Some(18..=20) => ErrorKind::BadRow,
        // ERROR is all that SQLite says about a name it does not know.
        Some(1) if message.contains("no such table") || message.contains("no such column") => {
            ErrorKind::Structure
        }
        Some(1) if message.contains("has no column named") => ErrorKind::Structure,
        // Syntax; no permission, corrupt, no database.
        Some(1 | 3 | 11 | 21 | 23 | 26) => ErrorKind::Permanent,
        _ => ErrorKind::Unknown,
    }
}

/// From `NOT NULL constraint failed: t.name` and `cannot store TEXT value in INTEGER column t.n`.
fn column_of(message: &str) -> Option<&str> {
    let rest = ["NOT NULL constraint failed: ", "UNIQUE constraint failed: ", " column "]
        .iter()
        .find_map(|before| message.find(before).map(|at| &message[at + before.len()..]))?;
    let first = rest.split(", ").next()?;
    first.split_once('.').map(|(_, column)| column).filter(|column| !column.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sorted_by_what_helps() {
        use ErrorKind::*;
        for (code, message, kind) in [
            ("5", "database is locked", Transient),
            ("517", "database is locked", Transient),
            ("8", "attempt to write a readonly database", Transient),
            ("13", "database or disk is full", Transient),
            ("17", "database schema has changed", Structure),
            ("1", "no such table: t", Structure),
            ("1", "table t has no column named x", Structure),
            ("1", "near \"x\": syntax error", Permanent),
            ("26", "file is not a database", Permanent),
            ("275", "CHECK constraint failed: n > 0", BadRow),
            ("1555", "UNIQUE constraint failed: t.id", BadRow),
            ("1811", "what a trigger says", BadRow),
            ("20", "datatype mismatch", BadRow),
            ("18", "string or blob too big", BadRow),
            ("24", "auxiliary database format error", Unknown),
        ] {
            assert_eq!(kind_of(Some(code), message), kind, "{code} {message}");
        }
        assert_eq!(kind_of(None, ""), Unknown);
    }

    #[test]
    fn the_column_is_read_from_the_text() {
        for (message, column) in [
            ("NOT NULL constraint failed: t.name", Some("name")),
            ("UNIQUE constraint failed: t.a, t.b", Some("a")),
            ("cannot store TEXT value in INTEGER column t.n", Some("n")),
            ("CHECK constraint failed: n > 0", None),
            ("database is locked", None),
        ] {
            assert_eq!(column_of(message), column, "{message}");
        }
    }
}
