//! Connectors described by files on the command line: a JSON map of strings, the JSON body of `POST /connectors`, or
//! `.properties`, told apart by what is in the file as Kafka's script does.

use connect_api::ConfigMap;
use connect_rest::json::{self, JsonFault};
use connect_runtime::herder::TargetState;
use connect_runtime::properties::{self, PropertiesFault};
use std::io;
use std::path::{Path, PathBuf};

/// What is wrong with a file. Names the file, never a value in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("{}: cannot be read ({reason})", path.display())]
    Read { path: PathBuf, reason: io::Error },
    #[error("{}: {fault}", path.display())]
    Json { path: PathBuf, fault: JsonFault },
    #[error("{}: {fault}", path.display())]
    Properties { path: PathBuf, fault: PropertiesFault },
    #[error("{}: Missing required configuration \"name\" which has no default value: add name=...", path.display())]
    NoName { path: PathBuf },
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ConnectorFile {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
    pub(crate) config: ConfigMap,
    /// Of a file in the form of `POST /connectors` that says so.
    pub(crate) initial_state: Option<TargetState>,
    /// Keys that stand in the file more than once.
    pub(crate) repeated: Vec<String>,
}

pub(crate) fn read(path: &Path) -> Result<ConnectorFile, FileError> {
    let bytes = std::fs::read(path).map_err(|reason| FileError::Read { path: path.into(), reason })?;
    parse(path, &bytes)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<ConnectorFile, FileError> {
    let text = std::str::from_utf8(bytes).ok().map(|text| text.trim_start_matches('\u{feff}'));
    let (name, config, initial_state, repeated) = match text.filter(|text| text.trim_start().starts_with('{'))
    {
        Some(text) => {
            let (name, config, initial_state) =
                parse_json(text).map_err(|fault| FileError::Json { path: path.into(), fault })?;
            (name, config, initial_state, Vec::new())
        }
        None => {
            let file = properties::parse(bytes)
                .map_err(|fault| FileError::Properties { path: path.into(), fault })?;
            (String::new(), file.values, None, file.repeated)
        }
    };
    let name = if name.is_empty() {
        config.get("name").map(|name| name.trim()).unwrap_or_default().to_owned()
    } else {
        name
    };
    if name.is_empty() {
        return Err(FileError::NoName { path: path.into() });
    }
    Ok(ConnectorFile { path: path.into(), name, config, initial_state, repeated })
}

fn parse_json(text: &str) -> Result<(String, ConfigMap, Option<TargetState>), JsonFault> {
    let as_map = match json::parse_config(text, "the file") {
        Ok(config) => return Ok((String::new(), config, None)),
        Err(fault) => fault,
    };
    match json::parse_create_request(text) {
        Ok(request) => Ok((request.name, request.config, request.initial_state)),
        // Which of the two forms was meant shows in the fault that is about what the file has.
        Err(fault) if text.contains("\"config\"") => Err(fault),
        Err(_) => Err(as_map),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    #[test]
    fn all_three_forms_describe_the_same_connector() {
        let properties = "name=orders\ntopics=orders\ntasks.max=2\n";
        let map = r#"{"name":"orders","topics":"orders","tasks.max":2}"#;
        let request = r#"{"name":"orders","config":{"name":"orders","topics":"orders","tasks.max":"2"}}"#;
        let path = Path::new("orders");
        let expected = parse(path, properties.as_bytes()).unwrap();
        assert_eq!(expected.config["tasks.max"], "2");
        assert_eq!(parse(path, map.as_bytes()).unwrap(), expected);
        assert_eq!(parse(path, request.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn a_request_may_name_the_state_to_begin_in() {
        let request = r#"{"name":"orders","config":{},"initial_state":"paused"}"#;
        assert_eq!(
            parse(Path::new("orders"), request.as_bytes()).unwrap().initial_state,
            Some(TargetState::Paused)
        );
    }

    #[track_caller]
    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&parse(Path::new("c.json"), text.as_bytes()).unwrap_err().to_string());
    }

    #[test]
    fn faults() {
        check(
            "topics=a",
            expect![[
                r#"c.json: Missing required configuration "name" which has no default value: add name=..."#
            ]],
        );
        check(
            "a=\\u12",
            expect![[
                r#"c.json: line 1: in the value of a, \u is not followed by four hexadecimal digits (write a backslash that means itself as \\)"#
            ]],
        );
        check(
            "{\"name\":\"a\",",
            expect!["c.json: the file is not valid JSON: EOF while parsing a value at line 1 column 12"],
        );
        check(
            "{\"name\":\"a\",\"topics\":[\"a\"]}",
            expect![[
                r#"c.json: the value of "topics" is an array: every value of a connector's configuration is a string, such as "a,b,c" for a list"#
            ]],
        );
        check(
            "{\"name\":\"a\",\"config\":{\"k\":null}}",
            expect![[r#"c.json: the value of "k" is null: leave the key out"#]],
        );
    }
}
