//! A configuration read through its table: typed access that cannot fail.

use super::{ConfigDef, ConfigKey, ConfigMap, ConfigValueType, Default, HIDDEN, Validator};
use std::collections::HashMap;

/// What is wrong with one key, in Kafka's words (`ConfigException`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigFault {
    pub key: String,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Parsed {
    Null,
    Boolean(bool),
    Integer(i64),
    Double(f64),
    Text(String),
    List(Vec<String>),
}

/// Every key of a [`ConfigDef`] with its value or default. Asking for a key the table does not have, or as another type
/// than the table says, is a programming error and panics.
#[derive(Clone, Debug)]
pub struct ParsedConfig {
    values: HashMap<&'static str, Parsed>,
}

impl ParsedConfig {
    pub(super) fn read(def: &ConfigDef, config: &ConfigMap) -> Result<Self, Vec<ConfigFault>> {
        let mut values = HashMap::with_capacity(def.keys.len());
        let mut faults = Vec::new();
        for key in def.keys {
            match read_key(key, config.get(key.name).map(String::as_str)) {
                Ok(value) => {
                    values.insert(key.name, value);
                }
                Err(message) => faults.push(ConfigFault { key: key.name.into(), message }),
            }
        }
        if faults.is_empty() { Ok(Self { values }) } else { Err(faults) }
    }

    fn get(&self, name: &str) -> &Parsed {
        self.values.get(name).unwrap_or_else(|| panic!("the config table has no key {name}"))
    }

    /// Whether the table has this key: tables of related plugins share what reads them.
    pub fn knows(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    pub fn boolean(&self, name: &str) -> bool {
        match self.get(name) {
            Parsed::Boolean(value) => *value,
            other => panic!("{name} is {other:?}, not a boolean"),
        }
    }

    pub fn integer(&self, name: &str) -> i64 {
        self.optional_integer(name).unwrap_or_else(|| panic!("{name} is null, not an integer"))
    }

    pub fn optional_integer(&self, name: &str) -> Option<i64> {
        match self.get(name) {
            Parsed::Integer(value) => Some(*value),
            Parsed::Null => None,
            other => panic!("{name} is {other:?}, not an integer"),
        }
    }

    pub fn double(&self, name: &str) -> f64 {
        match self.get(name) {
            Parsed::Double(value) => *value,
            other => panic!("{name} is {other:?}, not a double"),
        }
    }

    /// A string, class or password; null reads as the empty string.
    pub fn text(&self, name: &str) -> &str {
        self.optional_text(name).unwrap_or_default()
    }

    pub fn optional_text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Parsed::Text(value) => Some(value),
            Parsed::Null => None,
            other => panic!("{name} is {other:?}, not a string"),
        }
    }

    pub fn list(&self, name: &str) -> &[String] {
        match self.get(name) {
            Parsed::List(value) => value,
            Parsed::Null => &[],
            other => panic!("{name} is {other:?}, not a list"),
        }
    }
}

/// One key's value as a person is shown it (`ConfigValue`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assessed {
    /// The value or default in its plain form; hidden when it is a password. `None` when there is none, or none that could be read.
    pub value: Option<String>,
    pub errors: Vec<String>,
}

pub(super) fn assess(key: &ConfigKey, given: Option<&str>) -> Assessed {
    let error = match read_key(key, given) {
        Ok(value) => return Assessed { value: shown(key, &value), errors: Vec::new() },
        Err(error) => error,
    };
    let Some(text) = given else { return Assessed { value: None, errors: vec![error] } };
    match parse(key.ty, text) {
        // Understood, and not allowed.
        Ok(value) => Assessed { value: shown(key, &value), errors: vec![error] },
        Err(_) => {
            let mut errors = vec![error];
            // Java's worker goes on to ask whether nothing is within the bounds; clients count the errors.
            if matches!(key.validator, Validator::Between(..) | Validator::AtLeast(_)) {
                errors.push(format!(
                    "Invalid value null for configuration {}: Value must be non-null",
                    key.name
                ));
            }
            Assessed { value: None, errors }
        }
    }
}

fn shown(key: &ConfigKey, value: &Parsed) -> Option<String> {
    match value {
        Parsed::Null => None,
        _ if key.ty == ConfigValueType::Password => Some(HIDDEN.to_owned()),
        Parsed::Boolean(value) => Some(value.to_string()),
        Parsed::Integer(value) => Some(value.to_string()),
        Parsed::Double(value) => Some(crate::data::java::double(*value)),
        Parsed::Text(text) => Some(text.clone()),
        Parsed::List(items) => Some(items.join(",")),
    }
}

fn read_key(key: &ConfigKey, given: Option<&str>) -> Result<Parsed, String> {
    let text = match (given, key.default) {
        (Some(text), _) => text,
        (None, Default::Value(text)) => text,
        (None, Default::Null) => return Ok(Parsed::Null),
        (None, Default::Required) => {
            return Err(format!(
                "Missing required configuration \"{}\" which has no default value.",
                key.name
            ));
        }
    };
    let shown = if key.ty == ConfigValueType::Password { HIDDEN } else { text };
    let wrong =
        |what: &str| format!("Invalid value {shown} for configuration {}: {what}{}", key.name, hint(text));
    let value = parse(key.ty, text).map_err(|what| wrong(&what))?;
    check(key.validator, text.trim(), &value).map_err(|what| wrong(&what))?;
    Ok(value)
}

/// Java's `.properties` and JSON know no trailing comments; people copy them all the same.
fn hint(text: &str) -> &'static str {
    if text.contains(" #") { " (a comment needs a line of its own: remove the text from '#' on)" } else { "" }
}

fn parse(ty: ConfigValueType, text: &str) -> Result<Parsed, String> {
    let trimmed = text.trim();
    let integer = |min: i64, max: i64| match trimmed.parse::<i64>() {
        Ok(value) if (min..=max).contains(&value) => Ok(Parsed::Integer(value)),
        _ => Err(format!("Not a number of type {}", ty.name())),
    };
    match ty {
        ConfigValueType::Boolean => match trimmed.to_ascii_lowercase().as_str() {
            "true" => Ok(Parsed::Boolean(true)),
            "false" => Ok(Parsed::Boolean(false)),
            _ => Err("Expected value to be either true or false".into()),
        },
        ConfigValueType::Short => integer(i16::MIN.into(), i16::MAX.into()),
        ConfigValueType::Int => integer(i32::MIN.into(), i32::MAX.into()),
        ConfigValueType::Long => integer(i64::MIN, i64::MAX),
        ConfigValueType::Double => {
            trimmed.parse().map(Parsed::Double).map_err(|_| "Not a number of type DOUBLE".into())
        }
        ConfigValueType::List if trimmed.is_empty() => Ok(Parsed::List(Vec::new())),
        ConfigValueType::List => {
            Ok(Parsed::List(trimmed.split(',').map(|item| item.trim().to_owned()).collect()))
        }
        // A password may begin or end with a blank.
        ConfigValueType::Password => Ok(Parsed::Text(text.to_owned())),
        ConfigValueType::String | ConfigValueType::Class => Ok(Parsed::Text(trimmed.to_owned())),
    }
}

fn check(validator: Validator, text: &str, value: &Parsed) -> Result<(), String> {
    let number = match value {
        Parsed::Integer(number) => *number,
        _ => 0,
    };
    match validator {
        Validator::Any => Ok(()),
        Validator::NonEmpty if text.is_empty() => Err("String must be non-empty".into()),
        Validator::NonEmpty => Ok(()),
        Validator::AtLeast(min) if number < min => Err(format!("Value must be at least {min}")),
        Validator::AtLeast(_) => Ok(()),
        Validator::Between(min, _) if number < min => Err(format!("Value must be at least {min}")),
        Validator::Between(_, max) if number > max => Err(format!("Value must be no more than {max}")),
        Validator::Between(..) => Ok(()),
        Validator::OneOf(allowed) if allowed.contains(&text) => Ok(()),
        Validator::OneOf(allowed) => Err(format!("String must be one of: {}", allowed.join(", "))),
        Validator::OneOfIgnoreCase(allowed) if allowed.iter().any(|one| one.eq_ignore_ascii_case(text)) => {
            Ok(())
        }
        Validator::OneOfIgnoreCase(allowed) => {
            Err(format!("String must be one of (case insensitive): {}", allowed.join(", ")))
        }
        Validator::Check(check) => check(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigKey, ConfigValueType as Ty};

    static DEF: ConfigDef = ConfigDef::new(&[
        ConfigKey::new("name", Ty::String, "").required().valid(Validator::NonEmpty),
        ConfigKey::new("tasks.max", Ty::Int, "").default("1").valid(Validator::AtLeast(1)),
        ConfigKey::new("topics", Ty::List, "").default(""),
        ConfigKey::new("auto.create", Ty::Boolean, "").default("false"),
        ConfigKey::new("insert.mode", Ty::String, "")
            .default("insert")
            .valid(Validator::OneOf(&["insert", "upsert"])),
        ConfigKey::new("connection.password", Ty::Password, ""),
    ]);

    fn config(pairs: &[(&str, &str)]) -> ConfigMap {
        pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
    }

    #[test]
    fn defaults_and_types() {
        let parsed = DEF
            .parse(&config(&[("name", " a "), ("topics", "x, y"), ("connection.password", " p ")]))
            .unwrap();
        assert_eq!(parsed.text("name"), "a");
        assert_eq!(parsed.integer("tasks.max"), 1);
        assert_eq!(parsed.list("topics"), ["x", "y"]);
        assert_eq!(parsed.optional_text("connection.password"), Some(" p "));
    }

    #[test]
    fn every_fault_is_named_in_kafkas_words() {
        let faults = DEF
            .parse(&config(&[
                ("tasks.max", "abc"),
                ("auto.create", "yes"),
                ("insert.mode", "upsert # or insert"),
            ]))
            .unwrap_err();
        let messages: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "Missing required configuration \"name\" which has no default value.",
                "Invalid value abc for configuration tasks.max: Not a number of type INT",
                "Invalid value yes for configuration auto.create: Expected value to be either true or false",
                "Invalid value upsert # or insert for configuration insert.mode: String must be one of: insert, \
                 upsert (a comment needs a line of its own: remove the text from '#' on)",
            ]
        );
    }

    #[test]
    fn a_value_is_shown_as_it_was_understood() {
        let assess = |name: &str, given: Option<&str>| {
            let Assessed { value, errors } = DEF.key(name).unwrap().assess(given);
            (value, errors.join("; "))
        };
        let fine = |value: &str| (Some(value.to_owned()), String::new());
        assert_eq!(assess("topics", Some(" a , b,,")), fine("a,b,,"));
        assert_eq!(assess("auto.create", Some(" TRUE ")), fine("true"));
        assert_eq!(assess("auto.create", None), fine("false"));
        assert_eq!(assess("connection.password", Some("geheim")), fine(HIDDEN));
        assert_eq!(assess("connection.password", None), (None, String::new()));
        assert_eq!(
            assess("tasks.max", Some("0")),
            (
                Some("0".into()),
                "Invalid value 0 for configuration tasks.max: Value must be at least 1".into()
            )
        );
        assert_eq!(
            assess("tasks.max", Some("abc")),
            (
                None,
                "Invalid value abc for configuration tasks.max: Not a number of type INT; Invalid value null for \
                 configuration tasks.max: Value must be non-null"
                    .into()
            )
        );
        assert_eq!(
            assess("name", None),
            (None, "Missing required configuration \"name\" which has no default value.".into())
        );
    }
}
