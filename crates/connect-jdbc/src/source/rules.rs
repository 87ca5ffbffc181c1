//! What one value must be: the validators of the tables of keys. Messages as in the reference.

use super::pattern::TablePattern;

pub(super) fn time_zone(name: &str) -> Result<(), String> {
    crate::zone::zone(name).map(drop)
}

pub(super) fn dialect(name: &str) -> Result<(), String> {
    enumerator(name, crate::config::DIALECTS)
}

fn enumerator(name: &str, names: &[&str]) -> Result<(), String> {
    if names.contains(&name) { Ok(()) } else { Err("Invalid enumerator".into()) }
}

/// One of the names, in lower or upper case as a whole.
fn either_case(name: &str, names: &[&str]) -> Result<(), String> {
    let lower = name.to_ascii_lowercase();
    if name == lower || name == name.to_ascii_uppercase() {
        return enumerator(&lower, names);
    }
    Err("Invalid enumerator".into())
}

pub(super) fn numeric_mapping(name: &str) -> Result<(), String> {
    either_case(name, &["none", "precision_only", "best_fit", "best_fit_eager_double"])
}

pub(super) fn aiven_numeric_mapping(name: &str) -> Result<(), String> {
    either_case(name, &["none", "precision_only", "best_fit"])
}

pub(super) const GRANULARITIES: &[&str] = &[
    "connect_logical",
    "micros_long",
    "micros_string",
    "micros_iso_datetime_string",
    "nanos_long",
    "nanos_string",
    "nanos_iso_datetime_string",
];

pub(super) fn granularity(name: &str) -> Result<(), String> {
    either_case(name, GRANULARITIES)
}

pub(super) fn isolation(name: &str) -> Result<(), String> {
    // The reference recommends small letters, which it then refuses.
    match name.to_ascii_uppercase().as_str() {
        "DEFAULT" | "REPEATABLE_READ" | "SERIALIZABLE" => Ok(()),
        // The reference's documentation has them with one T.
        "READ_UNCOMMITTED" | "READ_COMMITTED" | "READ_UNCOMMITED" | "READ_COMMITED" => Ok(()),
        "SQL_SERVER_SNAPSHOT" => {
            Err("Isolation mode of `SQL_SERVER_SNAPSHOT` can only be configured with a Sql Server Dialect"
                .into())
        }
        _ => {
            Err("it must be one of DEFAULT, READ_UNCOMMITTED, READ_COMMITTED, REPEATABLE_READ, SERIALIZABLE"
                .into())
        }
    }
}

pub(super) fn topic_prefix(prefix: &str) -> Result<(), String> {
    if prefix.len() > 249 {
        return Err("Topic prefix length must not exceed max topic name length, 249 chars".into());
    }
    if prefix.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
        return Ok(());
    }
    Err("Topic prefix must not contain any character other than ASCII alphanumerics, '.', '_' and '-'."
        .into())
}

/// The items of a list as the table of keys reads them.
fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|_| !list.trim().is_empty())
}

pub(super) fn regexes(list: &str) -> Result<(), String> {
    for regex in items(list) {
        TablePattern::new(regex).map_err(|what| {
            format!("Must be a valid comma-separated list of regular expression patterns: {what}")
        })?;
    }
    Ok(())
}

/// `regex:column`
pub(super) fn incrementing_mapping(list: &str) -> Result<(), String> {
    items(list).try_for_each(|item| parse_incrementing(item).map(drop))
}

pub(super) fn parse_incrementing(item: &str) -> Result<(TablePattern, String), String> {
    let (pattern, column) = halves(item, "Invalid format. Expected 'regex:columnName'")?;
    if column.is_empty() {
        return Err("Column name cannot be empty".into());
    }
    Ok((pattern, column.to_owned()))
}

/// `regex:[column|column]`
pub(super) fn timestamp_mapping(list: &str) -> Result<(), String> {
    items(list).try_for_each(|item| parse_timestamps(item).map(drop))
}

pub(super) fn parse_timestamps(item: &str) -> Result<(TablePattern, Vec<String>), String> {
    let (pattern, columns) = halves(item, "Invalid format. Expected 'regex:[col1|col2|...]'")?;
    let inner = columns.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let inner = inner.ok_or("Columns list must be enclosed in square brackets")?;
    if inner.trim().is_empty() {
        return Err("Columns list cannot be empty".into());
    }
    let names: Vec<String> = inner.split('|').map(|name| name.trim().to_owned()).collect();
    if names.iter().any(String::is_empty) {
        return Err("Every column name should be non-empty string".into());
    }
    Ok((pattern, names))
}

fn halves<'a>(item: &'a str, form: &str) -> Result<(TablePattern, &'a str), String> {
    let (regex, columns) = item
        .split_once(':')
        .filter(|(_, columns)| !columns.contains(':'))
        .ok_or_else(|| format!("{form}, not '{item}'"))?;
    let pattern =
        TablePattern::new(regex.trim()).map_err(|what| format!("Invalid regular expression: {what}"))?;
    Ok((pattern, columns.trim()))
}
