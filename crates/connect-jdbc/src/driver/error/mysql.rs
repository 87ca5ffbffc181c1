//! MariaDB and MySQL: by error number, else by SQLSTATE. The numbers mean the same on both unless noted.

use super::{DbError, ErrorKind};
use mysql_async::{DriverError, Error};

pub(in crate::driver) fn db_error(error: Error) -> DbError {
    match error {
        Error::Server(error) => DbError {
            kind: kind_of(error.code, &error.state),
            column: column_of(&error.message).map(Into::into),
            sql_state: Some(error.state.into()),
            message: match remedy(error.code) {
                Some(remedy) => format!("{}; {remedy}", error.message).into(),
                None => error.message.into(),
            },
            code: Some(error.code.to_string().into()),
        },
        Error::Driver(error @ (DriverError::ConnectionClosed | DriverError::PoolDisconnected)) => {
            DbError::new(ErrorKind::Transient, error.to_string())
        }
        Error::Driver(error @ DriverError::PacketTooLarge) => {
            DbError::new(ErrorKind::BadRow, error.to_string())
        }
        Error::Io(error) => DbError::new(ErrorKind::Transient, error.to_string()),
        other => DbError::new(ErrorKind::Permanent, other.to_string()),
    }
}

/// What the server's own words do not say to somebody who has configured a connector.
fn remedy(code: u16) -> Option<&'static str> {
    match code {
        // Data too long: strings as keys and bytes get columns with a length.
        1406 => Some("give the column a larger type, or let auto.evolve.widen=true do so"),
        _ => None,
    }
}

fn kind_of(code: u16, state: &str) -> ErrorKind {
    match code {
        // Deadlock, lock wait, record changed since last read, lock not to be had without waiting.
        1213 | 1205 | 1020 | 3572 => ErrorKind::AtOnce,
        // Too many connections (of all, of a user, of a resource limit), shutdown, query or connection killed, no threads,
        // no memory, timed out by max_statement_time (1969 MariaDB, 3024 MySQL).
        1040 | 1203 | 1226 | 1053 | 1317 | 1927 | 1135 | 1037 | 1041 | 1969 | 3024 => ErrorKind::Transient,
        // Read-only, say while another server takes over: --read-only, super_read_only, a read-only transaction.
        1290 | 1836 | 1792 => ErrorKind::Transient,
        // The disk, the table space, the lock table or a log is full, or the storage engine failed: somebody will make
        // room or the retries run out.
        1021 | 1114 | 1026 | 1030 | 1206 | 1534 | 1180 => ErrorKind::Transient,
        // No such table, unknown column, column count; a prepared statement has to be prepared again.
        1146 | 1054 | 1136 | 1615 | 1243 => ErrorKind::Structure,
        // A value the column does not take: truncated, cut off, no default for a column that the row leaves out.
        1265 | 1366 | 1364 | 1411 | 1367 | 1416 => ErrorKind::BadRow,
        // Too much for a packet or for a row; no partition for the value (1526, 1591, 1748); what a trigger or view refuses.
        1153 | 1118 | 1526 | 1591 | 1748 | 1644 | 1369 => ErrorKind::BadRow,
        // Breaks a constraint: 1690 out of range, 3819 MySQL's CHECK, 4025 MariaDB's, 3140 no JSON.
        1690 | 3819 | 4025 | 3140 => ErrorKind::BadRow,
        // 08S01 says "communication" of packets that are out of order or unreadable, which is ours to mend.
        1835 => ErrorKind::Permanent,
        _ => by_state(state),
    }
}

fn by_state(state: &str) -> ErrorKind {
    let class = state.get(..2).unwrap_or_default();
    match (class, state) {
        ("40", _) => ErrorKind::AtOnce,
        ("08", _) => ErrorKind::Transient,
        // Values and constraints; 45000 is what a trigger signals.
        ("22" | "23" | "44", _) | (_, "45000") => ErrorKind::BadRow,
        // Syntax, names, permissions; who we are; features that are not there.
        ("42" | "28" | "3D" | "0A" | "21" | "25" | "3F", _) => ErrorKind::Permanent,
        _ => ErrorKind::Unknown,
    }
}

/// From `Data too long for column 'x' at row 3`, ``for column `db`.`table`.`x` at row 1``, `Column 'x' cannot be null`,
/// `Field 'x' doesn't have a default value`. The column stands behind the value, in which anything may stand, so the last
/// mention counts.
fn column_of(message: &str) -> Option<&str> {
    const BEFORE: [&str; 2] = ["for column ", "Unknown column "];
    let rest = BEFORE
        .iter()
        .find_map(|before| message.rfind(before).map(|at| &message[at + before.len()..]))
        .or_else(|| ["Column ", "Field "].iter().find_map(|before| message.strip_prefix(before)))?;
    let quote = rest.chars().next().filter(|quote| matches!(quote, '\'' | '`'))?;
    let mut rest = rest;
    let mut name = None;
    // `db`.`table`.`column`
    while let Some(inner) = rest.strip_prefix(quote) {
        let end = inner.find(quote)?;
        name = Some(&inner[..end]);
        let after = &inner[end + 1..];
        rest = after.strip_prefix('.').unwrap_or_default();
    }
    name.filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sorted_by_what_helps() {
        use ErrorKind::*;
        for (code, state, kind) in [
            (1213, "40001", AtOnce),
            (1205, "HY000", AtOnce),
            (9999, "40001", AtOnce),
            (1040, "08004", Transient),
            (1290, "HY000", Transient),
            (1836, "HY000", Transient),
            (1792, "25006", Transient),
            (1021, "HY000", Transient),
            (1114, "HY000", Transient),
            (1030, "HY000", Transient),
            (1053, "08S01", Transient),
            (1927, "70100", Transient),
            (1159, "08S01", Transient),
            (1146, "42S02", Structure),
            (1054, "42S22", Structure),
            (1136, "21S01", Structure),
            (1062, "23000", BadRow),
            (1048, "23000", BadRow),
            (1452, "23000", BadRow),
            (4025, "23000", BadRow),
            (1406, "22001", BadRow),
            (1264, "22003", BadRow),
            (1292, "22007", BadRow),
            (1366, "HY000", BadRow),
            (1366, "22007", BadRow),
            (1265, "01000", BadRow),
            (1364, "HY000", BadRow),
            (1644, "45000", BadRow),
            (1153, "08S01", BadRow),
            (1118, "42000", BadRow),
            (1064, "42000", Permanent),
            (1045, "28000", Permanent),
            (1142, "42000", Permanent),
            (1049, "42000", Permanent),
            (1170, "42000", Permanent),
            (1105, "HY000", Unknown),
            (65535, "", Unknown),
        ] {
            assert_eq!(kind_of(code, state), kind, "{code} {state}");
        }
    }

    #[test]
    fn the_column_is_read_from_the_text() {
        for (message, column) in [
            ("Data too long for column 'name' at row 3", Some("name")),
            ("Incorrect integer value: 'x' for column `db`.`t`.`n` at row 1", Some("n")),
            ("Incorrect string value: 'for column 'a' at' for column 'b' at row 1", Some("b")),
            ("Column 'x' cannot be null", Some("x")),
            ("Field 'y' doesn't have a default value", Some("y")),
            ("Unknown column 'z' in 'field list'", Some("z")),
            ("Duplicate entry '1' for key 'PRIMARY'", None),
            ("for column ", None),
            ("for column 'torn", None),
            ("", None),
        ] {
            assert_eq!(column_of(message), column, "{message}");
        }
    }
}
