//! Offsets that somebody sets by hand: what no task could go on from is refused.

use super::config::{SourceConfig, Subject};
use super::mode::Mode;
use connect_api::{ConnectError, OffsetMap};
use serde_json::Value as Json;

pub(super) fn check(
    config: &SourceConfig,
    offsets: &[(OffsetMap, Option<OffsetMap>)],
) -> Result<(), ConnectError> {
    for (partition, offset) in offsets {
        let shown = Json::Object(partition.clone());
        let wrong = |what: String| ConnectError::config(format!("the offset of {shown}: {what}"));
        // Whatever is there may be removed.
        let Some(offset) = offset else { continue };
        check_partition(config, partition).map_err(wrong)?;
        check_offset(config.mode, offset).map_err(wrong)?;
    }
    Ok(())
}

fn check_partition(config: &SourceConfig, partition: &OffsetMap) -> Result<(), String> {
    let texts: Option<Vec<(&str, &str)>> =
        partition.iter().map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect();
    let texts = texts.ok_or("every value of a partition is a text")?;
    let has = |key: &str| texts.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
    let known = match &config.subject {
        Subject::Query { .. } => texts.len() == 1 && has("query") == Some("query"),
        Subject::Tables(_) => match (has("table"), has("protocol")) {
            (Some(table), Some("1")) => texts.len() == 2 && !table.is_empty(),
            // The older form, by the table's own name.
            (Some(table), None) => texts.len() == 1 && !table.is_empty(),
            _ => false,
        },
    };
    if known {
        return Ok(());
    }
    Err(match config.subject {
        Subject::Query { .. } => r#"the partition of a query is {"query":"query"}"#.into(),
        Subject::Tables(_) => {
            r#"the partition of a table is {"protocol":"1","table":"FULL.NAME"} (mydb.users on MariaDB, public.users on PostgreSQL, users on SQLite)"#.into()
        }
    })
}

fn check_offset(mode: Mode, offset: &OffsetMap) -> Result<(), String> {
    let needed: &[&str] = match mode {
        Mode::Bulk => return Err("mode=bulk keeps no offsets".into()),
        Mode::Incrementing => &["incrementing"],
        Mode::Timestamp => &["timestamp"],
        Mode::TimestampIncrementing => &["timestamp", "incrementing"],
    };
    for (key, value) in offset {
        let range = match key.as_str() {
            "incrementing" | "timestamp" => i64::MIN..=i64::MAX,
            "timestamp_nanos" => 0..=999_999_999,
            _ => return Err(format!("{key} is none of incrementing, timestamp, timestamp_nanos")),
        };
        if !value.as_i64().is_some_and(|number| range.contains(&number)) {
            let limits = if key == "timestamp_nanos" { " from 0 to 999999999" } else { "" };
            return Err(format!("{key} is a whole number{limits}, not {value}"));
        }
    }
    match needed.iter().find(|key| !offset.contains_key(**key)) {
        Some(missing) => Err(format!("{missing} is missing, without which a task would begin anew")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
