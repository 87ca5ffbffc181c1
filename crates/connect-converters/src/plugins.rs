//! Which converters there are, and how a configuration gets one.

use crate::json::JsonConverter;
use crate::string::StringConverter;
use connect_api::{ConfigDef, ConfigMap, ConnectError, Converter, ParsedConfig};

/// What a worker reports as the version of the plugins that come with Kafka.
pub const VERSION: &str = "4.3.0";

/// A converter as the plugin list and the configuration know it.
pub struct ConverterPlugin {
    /// The Java class name.
    pub class: &'static str,
    /// Shorter names for the same class.
    pub aliases: &'static [&'static str],
    pub version: &'static str,
    /// The keys below `key.converter.` or `value.converter.`.
    pub config_def: &'static ConfigDef,
    create: fn(&ParsedConfig) -> Result<Box<dyn Converter>, ConnectError>,
}

pub static CONVERTERS: &[ConverterPlugin] = &[
    ConverterPlugin {
        class: JsonConverter::CLASS,
        aliases: &["JsonConverter", "Json"],
        version: VERSION,
        config_def: &crate::json::CONFIG,
        create: |config| Ok(Box::new(JsonConverter::new(config)?)),
    },
    ConverterPlugin {
        class: StringConverter::CLASS,
        aliases: &["StringConverter", "String"],
        version: VERSION,
        config_def: &crate::string::CONFIG,
        create: |config| Ok(Box::new(StringConverter::new(config)?)),
    },
];

/// The converter of that class name or alias.
pub fn find(class: &str) -> Result<&'static ConverterPlugin, ConnectError> {
    let class = class.trim();
    let known = |plugin: &&ConverterPlugin| plugin.class == class || plugin.aliases.contains(&class);
    if let Some(plugin) = CONVERTERS.iter().find(known) {
        return Ok(plugin);
    }
    let mut text = format!("Class {class} could not be found");
    if let Some(near) = nearest(class) {
        text.push_str(&format!(": did you mean {near}?"));
    }
    let all: Vec<_> = CONVERTERS.iter().map(|plugin| plugin.class).collect();
    text.push_str(&format!(" (converters of this worker: {})", all.join(", ")));
    Err(ConnectError::Config(text))
}

/// Makes the converter `class` from the keys below `key.converter.` or `value.converter.`, prefix removed.
pub fn create(class: &str, config: &ConfigMap, is_key: bool) -> Result<Box<dyn Converter>, ConnectError> {
    let plugin = find(class)?;
    let parsed = plugin.config_def.parse(config).map_err(|faults| {
        let side = if is_key { "key" } else { "value" };
        let texts: Vec<_> = faults
            .into_iter()
            .map(|fault| format!("{} (key {side}.converter.{})", fault.message, fault.key))
            .collect();
        ConnectError::Config(texts.join("; "))
    })?;
    (plugin.create)(&parsed)
}

/// The known class that is most like `class`: the same simple name in a wrong package, else a few letters away.
fn nearest(class: &str) -> Option<&'static str> {
    let simple = |name: &str| name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
    let distance = |plugin: &ConverterPlugin| {
        let names = std::iter::once(&plugin.class).chain(plugin.aliases);
        names.map(|name| edit_distance(&simple(class), &simple(name))).min().unwrap_or(usize::MAX)
    };
    let plugin = CONVERTERS.iter().min_by_key(|plugin| distance(plugin))?;
    (distance(plugin) <= 3).then_some(plugin.class)
}

/// How many letters have to be put in, left out or changed (Levenshtein). Class names are short; the caller's may not
/// be, so it is cut.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(100).collect(), b.chars().take(100).collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_by_class_and_alias() {
        for name in ["org.apache.kafka.connect.json.JsonConverter", "JsonConverter", "Json", " Json "] {
            assert_eq!(find(name).unwrap().class, JsonConverter::CLASS, "{name}");
        }
        assert_eq!(find("String").unwrap().class, StringConverter::CLASS);
    }

    #[test]
    fn an_unknown_class_names_the_nearest() {
        for (given, hint) in [
            ("org.apache.kafka.connect.json.json.JsonConverter", Some(JsonConverter::CLASS)),
            ("org.apache.kafka.connect.json.JSONConvertor", Some(JsonConverter::CLASS)),
            ("org.apache.kafka.connect.json.StringConverter", Some(StringConverter::CLASS)),
            ("com.example.Protobuf", None),
        ] {
            let text = find(given).err().map(|error| error.to_string()).unwrap();
            assert!(text.starts_with(&format!("Class {given} could not be found")), "{text}");
            let expected = hint.map(|hint| format!("did you mean {hint}?"));
            assert_eq!(text.contains("did you mean"), expected.is_some(), "{text}");
            assert!(expected.is_none_or(|hint| text.contains(&hint)), "{text}");
        }
    }

    #[test]
    fn a_wrong_value_names_the_whole_key() {
        let config = ConfigMap::from([("schemas.enable".to_string(), "yes".to_string())]);
        let text = create("Json", &config, false).err().map(|error| error.to_string()).unwrap();
        assert_eq!(
            text,
            "Invalid value yes for configuration schemas.enable: Expected value to be either true or false \
             (key value.converter.schemas.enable)"
        );
    }
}
