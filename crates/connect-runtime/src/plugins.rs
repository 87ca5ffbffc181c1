//! The plugins of a worker and how their names resolve. Plugins are linked in by the binary; the runtime knows none itself.

use crate::herder::ConnectorType;
use crate::nearest::nearest;
use connect_api::{ConfigDef, ConfigMap, ConnectError, Converter, SinkConnector, SourceConnector};
use std::sync::Arc;

/// Makes the converter of a class: `(class, configuration, is_key)`.
pub type ConverterFactory = fn(&str, &ConfigMap, bool) -> Result<Box<dyn Converter>, ConnectError>;

/// A converter as it is listed and described.
#[derive(Clone, Copy)]
pub struct ConverterClass {
    pub class: &'static str,
    pub version: &'static str,
    /// The keys below `key.converter.` or `value.converter.`.
    pub config_def: &'static ConfigDef,
}

#[derive(Clone, Copy)]
struct ConverterPlugin {
    described: ConverterClass,
    create: ConverterFactory,
}

/// A converter as a configuration asks for it: the class and its own keys, prefix removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConverterSpec {
    pub class: String,
    pub config: ConfigMap,
}

impl ConverterSpec {
    /// Reads `key.converter` (or another `prefix`) and the keys below it; nothing when the class is not given.
    pub fn read(config: &ConfigMap, prefix: &str) -> Option<Self> {
        let class = config.get(prefix)?.trim().to_owned();
        Some(Self { class, config: with_prefix(config, &format!("{prefix}.")) })
    }
}

/// The keys that begin with `prefix`, without it.
pub fn with_prefix(config: &ConfigMap, prefix: &str) -> ConfigMap {
    config
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(prefix)?.to_owned(), value.clone())))
        .filter(|(key, _)| !key.is_empty())
        .collect()
}

/// Where an alias of a plugin class comes from: Java drops this word from the end of the simple name.
const CONNECTOR: &str = "Connector";
const CONVERTER: &str = "Converter";

/// The header converter a configuration may name; there is no other yet.
pub const HEADER_CONVERTER: &str = "org.apache.kafka.connect.storage.SimpleHeaderConverter";

static NO_KEYS: ConfigDef = ConfigDef::new(&[]);

/// [`HEADER_CONVERTER`], described; it has no keys, and comes with the Kafka version whose behaviour it follows.
pub static HEADER_CONVERTER_CLASS: ConverterClass =
    ConverterClass { class: HEADER_CONVERTER, version: "4.3.0", config_def: &NO_KEYS };

/// A connector of either direction.
#[derive(Clone)]
pub enum ConnectorPlugin {
    Sink(Arc<dyn SinkConnector>),
    Source(Arc<dyn SourceConnector>),
}

impl ConnectorPlugin {
    pub fn ty(&self) -> ConnectorType {
        match self {
            Self::Sink(_) => ConnectorType::Sink,
            Self::Source(_) => ConnectorType::Source,
        }
    }

    pub fn class_names(&self) -> &'static [&'static str] {
        match self {
            Self::Sink(sink) => sink.class_names(),
            Self::Source(source) => source.class_names(),
        }
    }

    pub fn version(&self) -> &'static str {
        match self {
            Self::Sink(sink) => sink.version(),
            Self::Source(source) => source.version(),
        }
    }

    pub fn config_def(&self) -> &'static ConfigDef {
        match self {
            Self::Sink(sink) => sink.config_def(),
            Self::Source(source) => source.config_def(),
        }
    }

    pub fn validate(&self, config: &ConfigMap) -> Vec<(String, String)> {
        match self {
            Self::Sink(sink) => sink.validate(config),
            Self::Source(source) => source.validate(config),
        }
    }

    pub async fn validate_remote(&self, config: &ConfigMap) -> Vec<(String, String)> {
        match self {
            Self::Sink(sink) => sink.validate_remote(config).await,
            Self::Source(source) => source.validate_remote(config).await,
        }
    }

    pub async fn task_configs(
        &self,
        config: &ConfigMap,
        max_tasks: usize,
    ) -> Result<Vec<ConfigMap>, ConnectError> {
        match self {
            Self::Sink(sink) => Ok(sink.task_configs(config, max_tasks)),
            Self::Source(source) => source.task_configs(config, max_tasks).await,
        }
    }

    /// Returns when the tasks should be configured anew.
    pub async fn watch(&self, config: &ConfigMap, max_tasks: usize, current: &[ConfigMap]) {
        match self {
            // Kafka tells a sink's tasks of new partitions.
            Self::Sink(_) => std::future::pending().await,
            Self::Source(source) => source.watch(config, max_tasks, current).await,
        }
    }

    /// The Java class of the tasks when `class` is the connector's.
    pub fn task_class(&self, class: &str) -> String {
        match self {
            Self::Sink(sink) => sink.task_class(class),
            Self::Source(source) => source.task_class(class),
        }
    }
}

#[derive(Clone, Default)]
pub struct Plugins {
    connectors: Vec<ConnectorPlugin>,
    /// Classes that are no alias of anything.
    full_name_only: Vec<&'static str>,
    converters: Vec<ConverterPlugin>,
}

impl Plugins {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn with_sink(mut self, connector: Arc<dyn SinkConnector>) -> Self {
        self.connectors.push(ConnectorPlugin::Sink(connector));
        self
    }

    pub fn with_source(mut self, connector: Arc<dyn SourceConnector>) -> Self {
        self.connectors.push(ConnectorPlugin::Source(connector));
        self
    }

    /// The connector added last answers to its full class names only, so that its simple name is left to another one: of two vendors'
    /// connectors of the same simple name users mean the better known by it.
    pub fn by_full_name_only(mut self) -> Self {
        if let Some(plugin) = self.connectors.last() {
            self.full_name_only.extend(plugin.class_names());
        }
        self
    }

    /// `create` makes any of `classes`.
    pub fn with_converters(
        mut self,
        classes: impl IntoIterator<Item = ConverterClass>,
        create: ConverterFactory,
    ) -> Self {
        self.converters.extend(classes.into_iter().map(|described| ConverterPlugin { described, create }));
        self
    }

    /// Every connector class with the connector behind it; a connector that answers to two class names is there twice.
    pub fn connector_classes(&self) -> impl Iterator<Item = (&'static str, &ConnectorPlugin)> {
        self.connectors
            .iter()
            .flat_map(|plugin| plugin.class_names().iter().map(move |class| (*class, plugin)))
    }

    pub fn converter_classes(&self) -> impl Iterator<Item = &'static str> {
        self.converters.iter().map(|plugin| plugin.described.class)
    }

    pub fn converters(&self) -> impl Iterator<Item = &ConverterClass> {
        self.converters.iter().map(|plugin| &plugin.described)
    }

    /// The converter that a converter key means; the error is the text for the user.
    pub fn converter(&self, name: &str) -> Result<&ConverterClass, String> {
        self.converter_plugin(name).map(|plugin| &plugin.described)
    }

    /// As [`converter`](Plugins::converter), for `header.converter`.
    pub fn header_converter(&self, name: &str) -> Result<&'static ConverterClass, String> {
        match self.header_converter_fault(name) {
            None => Ok(&HEADER_CONVERTER_CLASS),
            Some(fault) => Err(fault),
        }
    }

    /// The connector that a `connector.class` means: a full class name, a simple name, or a simple name without
    /// "Connector". The error is the text for the user.
    pub fn connector(&self, name: &str) -> Result<&ConnectorPlugin, String> {
        self.connector_class(name).map(|(_, plugin)| plugin)
    }

    /// As [`connector`](Plugins::connector), with the full class name.
    pub fn connector_class(&self, name: &str) -> Result<(&'static str, &ConnectorPlugin), String> {
        let name = name.trim();
        if let Some(found) = self.connector_classes().find(|(class, _)| *class == name) {
            return Ok(found);
        }
        // Two classes of one connector share an alias without being ambiguous; two connectors drop it, as Java does.
        let mut matches = self.connectors.iter().filter_map(|plugin| {
            let class = plugin
                .class_names()
                .iter()
                .find(|class| is_alias(name, class, CONNECTOR) && !self.full_name_only.contains(class))?;
            Some((*class, plugin))
        });
        if let (Some(found), None) = (matches.next(), matches.next()) {
            return Ok(found);
        }
        let available: Vec<_> = self.connector_classes().map(|(class, _)| class).collect();
        Err(format!(
            "Failed to find any class that implements Connector and which name matches {name}, available connectors \
             are: {}{}{}",
            available.join(", "),
            did_you_mean(name, &available),
            comment_hint(name)
        ))
    }

    /// The full class name that a converter key means.
    pub fn converter_class(&self, name: &str) -> Result<&'static str, String> {
        self.converter(name).map(|converter| converter.class)
    }

    pub fn create_converter(
        &self,
        spec: &ConverterSpec,
        is_key: bool,
    ) -> Result<Box<dyn Converter>, ConnectError> {
        let plugin = self.converter_plugin(&spec.class).map_err(ConnectError::config)?;
        (plugin.create)(plugin.described.class, &spec.config, is_key)
    }

    fn converter_plugin(&self, name: &str) -> Result<&ConverterPlugin, String> {
        let name = name.trim();
        let mut matches = self.converters.iter().filter(|plugin| {
            plugin.described.class == name || is_alias(name, plugin.described.class, CONVERTER)
        });
        if let (Some(plugin), None) = (matches.next(), matches.next()) {
            return Ok(plugin);
        }
        let available: Vec<_> = self.converter_classes().collect();
        Err(format!(
            "Class {name} could not be found{}{}. Available converters: {}",
            did_you_mean(name, &available),
            comment_hint(name),
            available.join(", ")
        ))
    }

    /// What is wrong with the converter that `prefix` (`key.converter`, `value.converter`) asks for.
    pub fn converter_fault(&self, prefix: &str, spec: &ConverterSpec, is_key: bool) -> Option<String> {
        match self.converter_plugin(&spec.class) {
            Err(what) => Some(format!("Invalid value {} for configuration {prefix}: {what}", spec.class)),
            Ok(plugin) => (plugin.create)(plugin.described.class, &spec.config, is_key)
                .err()
                .map(|error| format!("{prefix}: {}", error.chain())),
        }
    }

    /// What is wrong with a `header.converter`.
    pub fn header_converter_fault(&self, class: &str) -> Option<String> {
        let class = class.trim();
        if class == HEADER_CONVERTER || is_alias(class, HEADER_CONVERTER, "HeaderConverter") {
            return None;
        }
        Some(format!(
            "Invalid value {class} for configuration header.converter: only {HEADER_CONVERTER} is supported yet: use it or \
             remove the key"
        ))
    }
}

fn simple_name(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}

fn is_alias(name: &str, class: &str, suffix: &str) -> bool {
    let simple = simple_name(class);
    simple == name || simple.strip_suffix(suffix) == Some(name)
}

/// Neither property files nor JSON know comments behind a value; people copy them all the same.
fn comment_hint(name: &str) -> &'static str {
    if name.contains('#') { " (a comment needs a line of its own: remove the text from '#' on)" } else { "" }
}

fn did_you_mean(name: &str, available: &[&str]) -> String {
    match nearest(name, available) {
        Some(class) => format!(" (did you mean {class}?)"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeSink, plugins};
    use expect_test::{Expect, expect};

    #[test]
    fn a_connector_is_found_by_class_simple_name_and_alias() {
        for name in [
            "org.example.FakeSinkConnector",
            "com.example.FakeSinkConnector",
            "FakeSinkConnector",
            "FakeSink",
            " FakeSink ",
        ] {
            assert_eq!(plugins().connector(name).map(|plugin| plugin.version()), Ok("1.2"), "{name}");
        }
    }

    #[test]
    fn an_alias_of_two_connectors_is_dropped() {
        let plugins = plugins().with_sink(Arc::new(FakeSink::named(&["other.FakeSinkConnector"])));
        assert!(plugins.connector("FakeSink").is_err());
        assert!(plugins.connector("other.FakeSinkConnector").is_ok());
        let plugins = crate::testing::plugins()
            .with_sink(Arc::new(FakeSink::named(&["other.FakeSinkConnector"])))
            .by_full_name_only();
        let found = |name| plugins.connector_class(name).map(|(class, _)| class);
        assert_eq!(found("FakeSink"), Ok("org.example.FakeSinkConnector"));
        assert_eq!(found("other.FakeSinkConnector"), Ok("other.FakeSinkConnector"));
    }

    #[track_caller]
    fn check(result: Result<(), String>, expected: Expect) {
        expected.assert_eq(&result.unwrap_err());
    }

    #[test]
    fn unknown_names_are_answered_with_what_there_is() {
        check(
            plugins().connector("org.exmple.FakeSinkConector").map(drop),
            expect![
                "Failed to find any class that implements Connector and which name matches org.exmple.FakeSinkConector, available connectors are: org.example.FakeSinkConnector, com.example.FakeSinkConnector, org.example.FakeSourceConnector (did you mean org.example.FakeSinkConnector?)"
            ],
        );
        check(
            plugins().connector("Mongo").map(drop),
            expect![
                "Failed to find any class that implements Connector and which name matches Mongo, available connectors are: org.example.FakeSinkConnector, com.example.FakeSinkConnector, org.example.FakeSourceConnector"
            ],
        );
        check(
            plugins().connector("FakeSource # reads").map(drop),
            expect![
                "Failed to find any class that implements Connector and which name matches FakeSource # reads, available connectors are: org.example.FakeSinkConnector, com.example.FakeSinkConnector, org.example.FakeSourceConnector (a comment needs a line of its own: remove the text from '#' on)"
            ],
        );
        check(
            plugins().converter_class("org.apache.kafka.connect.json.json.JsonConverter").map(drop),
            expect![
                "Class org.apache.kafka.connect.json.json.JsonConverter could not be found (did you mean org.apache.kafka.connect.json.JsonConverter?). Available converters: org.apache.kafka.connect.json.JsonConverter, org.apache.kafka.connect.storage.StringConverter"
            ],
        );
        check(
            plugins().converter_class("org.apache.kafka.connect.json.JsonConverter # JSON").map(drop),
            expect![
                "Class org.apache.kafka.connect.json.JsonConverter # JSON could not be found (did you mean org.apache.kafka.connect.json.JsonConverter?) (a comment needs a line of its own: remove the text from '#' on). Available converters: org.apache.kafka.connect.json.JsonConverter, org.apache.kafka.connect.storage.StringConverter"
            ],
        );
    }

    #[test]
    fn converters_have_aliases_too() {
        assert_eq!(plugins().converter_class("Json"), Ok("org.apache.kafka.connect.json.JsonConverter"));
        assert_eq!(
            plugins().converter_class("StringConverter"),
            Ok("org.apache.kafka.connect.storage.StringConverter")
        );
        assert_eq!(plugins().header_converter_fault("SimpleHeaderConverter"), None);
        assert!(plugins().header_converter_fault("StringConverter").is_some());
    }
}
