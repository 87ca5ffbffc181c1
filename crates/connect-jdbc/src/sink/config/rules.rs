//! What values and combinations of them the tables of keys take, beyond types.

use super::keys::*;
use super::{Flavor, InsertMode, PkMode};
use crate::dialect::TableKind;

type Fault = (String, String);

pub(super) fn time_zone(name: &str) -> Result<(), String> {
    crate::zone::zone(name).map(drop)
}

pub(super) fn table_types(list: &str) -> Result<(), String> {
    let known = TableKind::ALL.map(TableKind::name).join(", ");
    if list.trim().is_empty() {
        return Err(format!("At least one value must be specified. Valid values are: {known}"));
    }
    match list.split(',').find(|name| TableKind::named(name).is_none()) {
        None => Ok(()),
        Some(name) => Err(format!("{} is none of {known}", name.trim())),
    }
}

pub(super) fn topics_to_tables(list: &str) -> Result<(), String> {
    parse_topics_to_tables(list.split(',').map(str::trim).filter(|_| !list.trim().is_empty())).map(drop)
}

/// `topic:table`, each topic once.
pub(super) fn parse_topics_to_tables<'a>(
    items: impl Iterator<Item = &'a str>,
) -> Result<Vec<(String, String)>, String> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for item in items {
        let halves = item.split_once(':').map(|(topic, table)| (topic.trim(), table.trim()));
        let Some((topic, table)) = halves.filter(|(topic, table)| !topic.is_empty() && !table.is_empty())
        else {
            return Err(format!("Invalid topics to tables mapping: '{item}' is not TOPIC:TABLE"));
        };
        if pairs.iter().any(|(known, _)| known == topic) {
            return Err(format!("Invalid topics to tables mapping: it names topic '{topic}' twice"));
        }
        pairs.push((topic.to_owned(), table.to_owned()));
    }
    Ok(pairs)
}

/// What hangs together: mode of writing, key, deletes.
pub(super) fn check_key(
    flavor: Flavor,
    insert_mode: InsertMode,
    deletes: bool,
    pk_mode: PkMode,
    pk_fields: &[String],
) -> Vec<Fault> {
    let mut faults = Vec::new();
    if deletes && pk_mode != PkMode::RecordKey {
        match flavor {
            Flavor::Confluent => {
                let message = "Deletes are only supported for pk.mode record_key";
                faults.push((PK_MODE.to_owned(), message.to_owned()));
                faults.push((DELETE_ENABLED.to_owned(), message.to_owned()));
            }
            Flavor::Aiven => faults.push((
                DELETE_ENABLED.to_owned(),
                "Delete support only works with pk.mode=record_key".to_owned(),
            )),
        }
    }
    match (pk_mode, insert_mode) {
        (PkMode::None, InsertMode::Upsert) => faults.push((
            PK_MODE.to_owned(),
            format!(
                "{INSERT_MODE}=upsert requires key columns, and {PK_MODE}=none gives none; set {PK_MODE} to record_key, \
                 record_value or kafka, or {INSERT_MODE} to insert"
            ),
        )),
        (PkMode::None, InsertMode::Update) => faults.push((
            PK_MODE.to_owned(),
            format!(
                "{INSERT_MODE}=update with {PK_MODE}=none would overwrite every row of the table with each record; set \
                 {PK_MODE} to record_key, record_value or kafka"
            ),
        )),
        _ => {}
    }
    match pk_mode {
        PkMode::None if flavor == Flavor::Aiven && !pk_fields.is_empty() => faults.push((
            PK_FIELDS.to_owned(),
            "Primary key fields should not be set when pkMode is 'none'.".to_owned(),
        )),
        // Confluent's ignores the names as well.
        PkMode::None => {}
        PkMode::Kafka if flavor == Flavor::Aiven && pk_fields.len() != 3 => faults.push((
            PK_FIELDS.to_owned(),
            "Primary key fields must be set with three fields (topic, partition, offset) when pkMode is 'kafka'."
                .to_owned(),
        )),
        PkMode::Kafka if !matches!(pk_fields.len(), 0 | 3) => faults.push((
            PK_FIELDS.to_owned(),
            format!(
                "{PK_MODE}=kafka needs no name or exactly three (topic, partition, offset), not {}",
                pk_fields.len()
            ),
        )),
        PkMode::Kafka | PkMode::RecordKey | PkMode::RecordValue => {
            faults.extend(list_fault(PK_FIELDS, pk_fields));
        }
    }
    faults
}

pub(super) fn list_fault(key: &str, names: &[String]) -> Option<Fault> {
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Some((key.to_owned(), format!("{key} holds an empty name; remove the surplus comma")));
        }
        if names[..index].contains(name) {
            return Some((key.to_owned(), format!("{key} names {name} twice; remove one of them")));
        }
    }
    None
}
