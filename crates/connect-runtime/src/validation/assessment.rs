//! A configuration held against the tables of its keys: a row per key, with what it means and what is wrong with it.

use super::key_infos::{CONVERTER_TYPE, info, set_default, table_infos};
use super::with_key;
use crate::connector_config::framework_tables;
use crate::herder::{ConfigInfos, ConfigKeyInfo, ConfigValueInfo};
use crate::plugins::{ConnectorPlugin, ConverterClass, HEADER_CONVERTER, Plugins};
use crate::worker_config::WorkerConfig;
use connect_api::config::{Assessed, ConfigKey, ConfigValueType as Ty};
use connect_api::{ConfigDef, ConfigMap};

struct Row {
    key: ConfigKeyInfo,
    value: Option<String>,
    recommended: Vec<String>,
    errors: Vec<String>,
    visible: bool,
}

pub(super) struct Assessment {
    rows: Vec<Row>,
}

const CONVERTERS: [&str; 3] = ["key.converter", "value.converter", "header.converter"];
const OVERRIDES: [&str; 3] = ["producer.override.", "consumer.override.", "admin.override."];

impl Assessment {
    /// What the tables alone say, in the order of Java's answer: the framework's keys, the connector's, those of its
    /// converters, its clients' settings. `config` holds no placeholders any more.
    pub(super) fn of_tables(
        plugin: &ConnectorPlugin,
        config: &ConfigMap,
        worker: &WorkerConfig,
        plugins: &Plugins,
    ) -> Self {
        let mut assessment = Self { rows: Vec::new() };
        for table in framework_tables(plugin.ty()).iter().copied().chain([plugin.config_def()]) {
            assessment.add_table(table, config);
        }
        assessment.recommend_version("connector.plugin.version", Some(plugin.version()));
        for key in CONVERTERS {
            assessment.converter(key, config, worker, plugins);
        }
        for (key, is_key) in [("key.converter", true), ("value.converter", false)] {
            if let Some(Ok(found)) = config.get(key).map(|class| plugins.converter(class)) {
                assessment.converter_keys(key, found, is_key, config);
            }
        }
        for (key, value) in config {
            if let Some(name) = OVERRIDES.iter().find_map(|prefix| key.strip_prefix(prefix)) {
                assessment.client_setting(key, name, value);
            }
        }
        assessment
    }

    fn add_table(&mut self, table: &'static ConfigDef, config: &ConfigMap) {
        let infos = table_infos(table);
        for (key, info) in table.keys.iter().zip(infos) {
            let Assessed { value, errors } = key.assess(config.get(key.name).map(String::as_str));
            let recommended = key.recommended(config).iter().map(|value| (*value).to_owned()).collect();
            let visible = key.visible.is_none_or(|visible| visible(config));
            self.rows.push(Row { key: info, value, recommended, errors, visible });
        }
    }

    fn row(&mut self, key: &str) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.key.name == key)
    }

    /// There is one version of each plugin, so it is the default and all that can be recommended.
    fn recommend_version(&mut self, key: &str, version: Option<&str>) {
        let Some(row) = self.row(key) else { return };
        match version {
            Some(version) => {
                set_default(std::slice::from_mut(&mut row.key), key, version);
                row.recommended = vec![version.to_owned()];
                row.value.get_or_insert_with(|| version.to_owned());
            }
            None => row.visible = false,
        }
    }

    /// What is in force for `key` is the worker's where the connector says nothing; what else there is, is recommended.
    fn converter(&mut self, key: &str, config: &ConfigMap, worker: &WorkerConfig, plugins: &Plugins) {
        let mut classes: Vec<&'static str> = match key {
            "header.converter" => vec![HEADER_CONVERTER],
            _ => plugins.converter_classes().collect(),
        };
        classes.sort_unstable();
        let of_worker = match key {
            "key.converter" => worker.key_converter.class.as_str(),
            "value.converter" => worker.value_converter.class.as_str(),
            _ => HEADER_CONVERTER,
        };
        let find = |class: &str| match key {
            "header.converter" => plugins.header_converter(class).ok(),
            _ => plugins.converter(class).ok(),
        };
        let default = find(of_worker).map_or(of_worker, |found| found.class).to_owned();
        let found = match config.get(key) {
            Some(class) => find(class),
            None => find(of_worker),
        };
        if let Some(row) = self.row(key) {
            row.recommended = classes.into_iter().map(str::to_owned).collect();
            row.value = found.map(|found| found.class.to_owned());
            row.key.default_value = Some(default);
        }
        self.recommend_version(&format!("{key}.plugin.version"), found.map(|found| found.version));
    }

    fn converter_keys(&mut self, prefix: &str, found: &ConverterClass, is_key: bool, config: &ConfigMap) {
        let place = |key: &'static ConfigKey, mut info: ConfigKeyInfo| {
            info.name = format!("{prefix}.{}", key.name);
            info
        };
        self.rows.push(Row {
            key: place(&CONVERTER_TYPE, info(&CONVERTER_TYPE, -1)),
            value: Some(if is_key { "key" } else { "value" }.to_owned()),
            recommended: Vec::new(),
            errors: Vec::new(),
            visible: true,
        });
        for (key, info) in found.config_def.keys.iter().zip(table_infos(found.config_def)) {
            let key_info = place(key, info);
            let Assessed { value, errors } = key.assess(config.get(&key_info.name).map(String::as_str));
            // The same key is there for keys and for values, so an error has to say which it means.
            let named = |error: String| {
                error.replacen(
                    &format!("configuration {}:", key.name),
                    &format!("configuration {}:", key_info.name),
                    1,
                )
            };
            let errors = errors.into_iter().map(named).collect();
            self.rows.push(Row { key: key_info, value, recommended: Vec::new(), errors, visible: true });
        }
    }

    /// Passed on to a Kafka client, which has the last word on it.
    fn client_setting(&mut self, key: &str, name: &str, value: &str) {
        let setting = ConfigKey::new("", Ty::String, "A setting of the connector's own Kafka client.");
        let key = ConfigKeyInfo { name: key.to_owned(), display_name: name.to_owned(), ..info(&setting, -1) };
        self.rows.push(Row {
            key,
            value: Some(value.to_owned()),
            recommended: Vec::new(),
            errors: Vec::new(),
            visible: true,
        });
    }

    /// Enters an error at its key, unless the tables have found it already.
    pub(super) fn add(&mut self, key: &str, message: String) {
        if self.is_told(key, &message) {
            return;
        }
        if let Some(row) = self.row(key) {
            row.errors.push(message);
            return;
        }
        // A key that no table has, such as one of a prefix.
        let unknown = ConfigKey::new("", Ty::String, "");
        let key = ConfigKeyInfo { name: key.to_owned(), display_name: key.to_owned(), ..info(&unknown, -1) };
        self.rows.push(Row {
            key,
            value: None,
            recommended: Vec::new(),
            errors: vec![message],
            visible: true,
        });
    }

    fn is_told(&self, key: &str, message: &String) -> bool {
        let below = format!("{key}.");
        self.rows.iter().any(|row| {
            row.key.name == key && row.errors.contains(message)
                // A converter that could not be made because of a key of its own: that key says so better.
                || CONVERTERS.contains(&key) && row.key.name.starts_with(&below) && !row.errors.is_empty()
        })
    }

    /// What a connector says is wrong, with the key in it whoever wrote it.
    pub(super) fn add_with_key(&mut self, fault: (String, String)) {
        let key = fault.0.clone();
        self.add(&key, with_key(fault));
    }

    pub(super) fn errors(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().flat_map(|row| row.errors.iter().map(String::as_str))
    }

    /// `show` gets key and value, and gives the value as it may be shown; `scrub` does that for errors.
    pub(super) fn into_infos(
        self,
        class_text: &str,
        show: impl Fn(&str, &str) -> String,
        scrub: impl Fn(&str) -> String,
    ) -> ConfigInfos {
        let mut groups: Vec<String> = Vec::new();
        for group in self.rows.iter().filter_map(|row| row.key.group.as_ref()) {
            if !groups.contains(group) {
                groups.push(group.clone());
            }
        }
        ConfigInfos {
            name: class_text.to_owned(),
            error_count: self.errors().count(),
            groups,
            configs: self
                .rows
                .into_iter()
                .map(|row| {
                    let value = ConfigValueInfo {
                        name: row.key.name.clone(),
                        value: row.value.map(|value| show(&row.key.name, &value)),
                        recommended_values: row.recommended,
                        errors: row.errors.iter().map(|error| scrub(error)).collect(),
                        visible: row.visible,
                    };
                    (row.key, value)
                })
                .collect(),
        }
    }
}
