//! What this source's offsets look like: `{"filename":"/x"}` -> `{"position":16}`.

use crate::config;
use connect_api::{ConfigMap, ConnectError, OffsetMap};
use serde_json::Value as Json;

pub(super) const FILENAME: &str = "filename";
pub(super) const POSITION: &str = "position";

/// Where to go on in the file.
pub(super) fn position(offset: &OffsetMap) -> Result<u64, ConnectError> {
    match offset.get(POSITION) {
        None | Some(Json::Null) => Ok(0),
        Some(position) => position.as_u64().ok_or_else(|| {
            ConnectError::failed(format!(
                "the stored offset is no position in a file: {position} is not a number of characters"
            ))
        }),
    }
}

/// Whether offsets that somebody wants to set by hand can be gone on from. Java's words, since people search for them.
pub(super) fn check(
    config: &ConfigMap,
    offsets: &[(OffsetMap, Option<OffsetMap>)],
) -> Result<(), ConnectError> {
    if config::file(&config::read(&config::SOURCE, config)?).is_none() {
        return Err(ConnectError::config(
            "Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used for input and \
             offsets are not tracked.",
        ));
    }
    // Anything may be removed: whatever garbage there is, people have to get rid of it.
    let set = offsets.iter().filter_map(|(partition, offset)| Some((partition, offset.as_ref()?)));
    for (partition, offset) in set {
        let fault = match offset.get(POSITION) {
            None => format!("Offset objects should either be null or contain the key '{POSITION}'"),
            Some(position) if position.as_i64().is_none() => {
                format!("The value for the '{POSITION}' key in the offset is expected to be a Long value")
            }
            Some(position) if position.as_u64().is_none() => {
                format!("The value for the '{POSITION}' key in the offset should be a non-negative value")
            }
            Some(_) if !partition.contains_key(FILENAME) => {
                format!("Partition objects should contain the key '{FILENAME}'")
            }
            Some(_) => continue,
        };
        return Err(ConnectError::config(fault));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    fn map(value: Json) -> OffsetMap {
        value.as_object().unwrap().clone()
    }

    fn checked(file: &str, partition: Json, offset: Json) -> String {
        let pairs = [("file", file), ("topic", "t")];
        let config = pairs.map(|(key, value)| (key.to_string(), value.to_string())).into();
        let offset = (!offset.is_null()).then(|| map(offset));
        match check(&config, &[(map(partition), offset)]) {
            Ok(()) => "ok".into(),
            Err(error) => format!("{}: {error}", error.java_class()),
        }
    }

    #[test]
    fn only_offsets_that_a_task_can_go_on_from_may_be_set() {
        let file = || json!({"filename": "/x"});
        let answers = [
            checked("/x", file(), json!({"position": 16})),
            // of an earlier configuration
            checked("/x", json!({"filename": "/y"}), json!({"position": 0})),
            checked("/x", json!({"garbage": 1}), Json::Null),
            checked("/x", json!({"garbage": 1}), json!({"position": 16})),
            checked("/x", file(), json!({"line": 16})),
            checked("/x", file(), json!({"position": "16"})),
            checked("/x", file(), json!({"position": 1.5})),
            checked("/x", file(), json!({"position": null})),
            checked("/x", file(), json!({"position": -1})),
            checked("/x", file(), json!({"position": 9223372036854775808_u64})),
            checked("", file(), json!({"position": 16})),
        ];
        expect![[r#"
            ok
            ok
            ok
            org.apache.kafka.common.config.ConfigException: Partition objects should contain the key 'filename'
            org.apache.kafka.common.config.ConfigException: Offset objects should either be null or contain the key 'position'
            org.apache.kafka.common.config.ConfigException: The value for the 'position' key in the offset is expected to be a Long value
            org.apache.kafka.common.config.ConfigException: The value for the 'position' key in the offset is expected to be a Long value
            org.apache.kafka.common.config.ConfigException: The value for the 'position' key in the offset is expected to be a Long value
            org.apache.kafka.common.config.ConfigException: The value for the 'position' key in the offset should be a non-negative value
            org.apache.kafka.common.config.ConfigException: The value for the 'position' key in the offset is expected to be a Long value
            org.apache.kafka.common.config.ConfigException: Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used for input and offsets are not tracked."#]]
        .assert_eq(&answers.join("\n"));
    }
}
