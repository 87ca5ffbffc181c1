//! A table of keys as Markdown.

use connect_api::ConfigDef;
use connect_api::config::{ConfigKey, ConfigValueType, Default as KeyDefault, Validator};

pub(crate) fn markdown(def: &ConfigDef) -> String {
    let mut text = String::from("| Key | Type | Default | Values | Meaning |\n|---|---|---|---|---|\n");
    for key in def.keys {
        let row =
            [format!("`{}`", key.name), type_of(key), default_of(key), values_of(key), key.doc.to_owned()];
        text.push_str(&format!("| {} |\n", row.map(|cell| cell.replace('|', "\\|")).join(" | ")));
    }
    text
}

fn type_of(key: &ConfigKey) -> String {
    match key.ty {
        ConfigValueType::Password => "password".into(),
        ty => ty.name().to_lowercase(),
    }
}

fn default_of(key: &ConfigKey) -> String {
    match key.default {
        KeyDefault::Required => "**required**".into(),
        KeyDefault::Null => String::new(),
        KeyDefault::Value("") => "empty".into(),
        KeyDefault::Value(value) => format!("`{value}`"),
    }
}

fn values_of(key: &ConfigKey) -> String {
    match key.validator {
        Validator::Any | Validator::Check(_) if key.ty == ConfigValueType::Boolean => {
            "`true`, `false`".into()
        }
        // What the check wants stands in the meaning.
        Validator::Any | Validator::Check(_) => String::new(),
        Validator::NonEmpty => "not empty".into(),
        Validator::Between(least, most) => format!("{least} to {most}"),
        Validator::AtLeast(least) => format!("{least} or more"),
        Validator::OneOf(values) => code(values),
        Validator::OneOfIgnoreCase(values) => format!("{}, in any case", code(values)),
    }
}

fn code(values: &[&str]) -> String {
    values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
}
