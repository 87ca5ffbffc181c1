//! The keys of both connectors. A table is all a connector says about its configuration: defaults, checks and documentation
//! come from it.

use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Validator};
use connect_api::{ConfigDef, ConfigMap, ConnectError, ParsedConfig};

/// The Kafka version whose connectors these follow, as Java's report it.
pub(crate) const VERSION: &str = "4.3.0";

pub(crate) static SOURCE: ConfigDef = ConfigDef::new(&[
    ConfigKey::new(
        "file",
        Ty::String,
        "The file to read. It may be absent and come later. Standard input when not set.",
    )
    .valid(Validator::Check(no_comment))
    .importance(Importance::High),
    ConfigKey::new("topic", Ty::String, "The topic to write to.")
        .required()
        .valid(Validator::Check(topic))
        .importance(Importance::High),
    ConfigKey::new("batch.size", Ty::Int, "The most lines that are read at once.")
        .default("2000")
        .valid(Validator::AtLeast(1)),
]);

pub(crate) static SINK: ConfigDef = ConfigDef::new(&[ConfigKey::new(
    "file",
    Ty::String,
    "The file to append to; it is made when absent. Standard output when not set.",
)
.valid(Validator::Check(no_comment))
.importance(Importance::High)]);

/// The runtime has validated before it starts a task, so a fault here is the caller's; still, it is told and not panicked about.
pub(crate) fn read(def: &ConfigDef, config: &ConfigMap) -> Result<ParsedConfig, ConnectError> {
    def.parse(config).map_err(|faults| {
        let texts: Vec<_> = faults.into_iter().map(|fault| fault.message).collect();
        ConnectError::config(texts.join("; "))
    })
}

/// The path of `file`; nothing for the standard streams.
pub(crate) fn file(config: &ParsedConfig) -> Option<&str> {
    config.optional_text("file").filter(|file| !file.is_empty())
}

/// A blank and `#` in a path are legal and rare; a copied comment is neither.
fn no_comment(text: &str) -> Result<(), String> {
    if text.contains(" #") { Err("it holds ' #'".into()) } else { Ok(()) }
}

/// Kafka's own rule for topic names.
fn topic(name: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match name {
        "" => Err("String must be non-empty".into()),
        "." | ".." => Err("a topic may not be called '.' or '..'".into()),
        _ if name.len() > 249 => Err("a topic name has at most 249 characters".into()),
        _ if !name.chars().all(legal) => {
            Err("a topic name consists of letters, digits, '.', '_' and '-'".into())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn faults(pairs: &[(&str, &str)]) -> String {
        let config = pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let faults = SOURCE.parse(&config).err().unwrap_or_default();
        faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn copied_comments_are_named() {
        expect![[r#"
            Invalid value /tmp/test.txt # the file for configuration file: it holds ' #' (a comment needs a line of its own: remove the text from '#' on)
            Invalid value connect-test # the topic for configuration topic: a topic name consists of letters, digits, '.', '_' and '-' (a comment needs a line of its own: remove the text from '#' on)
            Invalid value 0 for configuration batch.size: Value must be at least 1"#]]
        .assert_eq(&faults(&[
            ("file", "/tmp/test.txt # the file"),
            ("topic", "connect-test # the topic"),
            ("batch.size", "0"),
        ]));
        expect![[r#"Missing required configuration "topic" which has no default value."#]]
            .assert_eq(&faults(&[]));
    }
}
