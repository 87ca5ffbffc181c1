//! PostgreSQL: by SQLSTATE.

use super::{DbError, ErrorKind};
use sqlx::postgres::PgDatabaseError;

pub(in crate::driver) fn db_error(error: sqlx::Error) -> DbError {
    match error {
        sqlx::Error::Database(error) => {
            let error = error.downcast::<PgDatabaseError>();
            let state = error.code();
            let mut message = error.message().to_owned();
            for more in [error.detail(), error.hint(), remedy(state)].into_iter().flatten() {
                message = format!("{message}; {more}");
            }
            DbError {
                kind: kind_of(state),
                column: error.column().map(Into::into),
                sql_state: Some(state.into()),
                code: None,
                message: message.into(),
            }
        }
        sqlx::Error::Io(error) => DbError::new(ErrorKind::Transient, error.to_string()),
        other => DbError::new(ErrorKind::Permanent, other.to_string()),
    }
}

/// What the server's own words do not say to somebody who has configured a connector.
fn remedy(state: &str) -> Option<&'static str> {
    match state {
        "42P10" => {
            Some("give the table a primary key or unique index on exactly the columns of the key (pk.fields)")
        }
        _ => None,
    }
}

fn kind_of(state: &str) -> ErrorKind {
    match state {
        // ON CONFLICT DO UPDATE command cannot affect row a second time.
        "21000" => return ErrorKind::SameKey,
        // Lock not to be had.
        "55P03" => return ErrorKind::AtOnce,
        // In use; cannot be done in this state of the server.
        "55006" | "57014" => return ErrorKind::Transient,
        // The transaction has failed before, or was closed for idling: the whole of it again.
        "25P02" | "25P03" => return ErrorKind::Transient,
        // Read-only: a server that another is about to replace.
        "25006" => return ErrorKind::Transient,
        // No such prepared statement: a pooler has handed us another session.
        "26000" => return ErrorKind::Transient,
        // No such table, column, schema or type; a column of another type than before; the plan is out of date.
        "42P01" | "42703" | "3F000" | "42704" | "42804" | "42846" | "0A000" => return ErrorKind::Structure,
        // What a trigger raises; what a view's CHECK OPTION refuses; a value that is too large for an index.
        "P0001" | "44000" | "54000" => return ErrorKind::BadRow,
        _ => {}
    }
    match state.get(..2).unwrap_or_default() {
        // Values and constraints.
        "22" | "23" => ErrorKind::BadRow,
        // Deadlock, serialisation failure.
        "40" => ErrorKind::AtOnce,
        // The connection broke; memory, disk or connections are used up; shutdown, start-up, cancelled; the system failed.
        "08" | "53" | "57" | "58" => ErrorKind::Transient,
        // Names, syntax, permissions; who we are; no such database; features; limits of statements.
        "42" | "28" | "3D" | "0A" | "25" | "54" | "55" | "2F" | "34" => ErrorKind::Permanent,
        _ => ErrorKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sorted_by_what_helps() {
        use ErrorKind::*;
        for (state, kind) in [
            ("40P01", AtOnce),
            ("40001", AtOnce),
            ("55P03", AtOnce),
            ("57P03", Transient),
            ("57P01", Transient),
            ("57014", Transient),
            ("53300", Transient),
            ("53100", Transient),
            ("08006", Transient),
            ("25006", Transient),
            ("25P02", Transient),
            ("58030", Transient),
            ("42P01", Structure),
            ("42703", Structure),
            ("21000", SameKey),
            ("23505", BadRow),
            ("23502", BadRow),
            ("23514", BadRow),
            ("22001", BadRow),
            ("22P02", BadRow),
            ("22021", BadRow),
            ("P0001", BadRow),
            ("54000", BadRow),
            ("42601", Permanent),
            ("42501", Permanent),
            ("28P01", Permanent),
            ("3D000", Permanent),
            ("42P10", Permanent),
            ("428C9", Permanent),
            ("XX000", Unknown),
            ("", Unknown),
        ] {
            assert_eq!(kind_of(state), kind, "{state}");
        }
    }
}
