//! The JSON of plugins, their keys, and what is wrong with a configuration.

use connect_runtime::herder;
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct PluginInfo {
    class: String,
    #[serde(rename = "type")]
    ty: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

impl From<herder::PluginInfo> for PluginInfo {
    fn from(info: herder::PluginInfo) -> Self {
        Self { class: info.class, ty: info.ty, version: info.version }
    }
}

#[derive(Serialize)]
pub(crate) struct ConfigKeyInfo {
    name: String,
    #[serde(rename = "type")]
    ty: &'static str,
    required: bool,
    default_value: Option<String>,
    importance: &'static str,
    documentation: String,
    group: Option<String>,
    order_in_group: i32,
    width: &'static str,
    display_name: String,
    dependents: Vec<String>,
}

impl From<herder::ConfigKeyInfo> for ConfigKeyInfo {
    fn from(key: herder::ConfigKeyInfo) -> Self {
        Self {
            name: key.name,
            ty: key.ty,
            required: key.required,
            default_value: key.default_value,
            importance: key.importance,
            documentation: key.documentation,
            group: key.group,
            order_in_group: key.order_in_group,
            width: key.width,
            display_name: key.display_name,
            dependents: key.dependents,
        }
    }
}

#[derive(Serialize)]
struct ConfigValueInfo {
    name: String,
    value: Option<String>,
    recommended_values: Vec<String>,
    errors: Vec<String>,
    visible: bool,
}

impl From<herder::ConfigValueInfo> for ConfigValueInfo {
    fn from(value: herder::ConfigValueInfo) -> Self {
        Self {
            name: value.name,
            value: value.value,
            recommended_values: value.recommended_values,
            errors: value.errors,
            visible: value.visible,
        }
    }
}

#[derive(Serialize)]
struct ConfigInfo {
    /// Null for a key that the plugin does not define.
    definition: Option<ConfigKeyInfo>,
    value: ConfigValueInfo,
}

#[derive(Serialize)]
pub(crate) struct ConfigInfos {
    name: String,
    error_count: usize,
    groups: Vec<String>,
    configs: Vec<ConfigInfo>,
}

impl From<herder::ConfigInfos> for ConfigInfos {
    fn from(infos: herder::ConfigInfos) -> Self {
        let info = |(key, value): (herder::ConfigKeyInfo, herder::ConfigValueInfo)| ConfigInfo {
            definition: Some(key.into()),
            value: value.into(),
        };
        Self {
            name: infos.name,
            error_count: infos.error_count,
            groups: infos.groups,
            configs: infos.configs.into_iter().map(info).collect(),
        }
    }
}

impl ConfigInfos {
    /// The configuration gave `key` the value null, which the herder has not been told.
    pub(crate) fn add_null(&mut self, key: String) {
        let error = "Null value can not be supplied as the configuration value.".to_owned();
        self.error_count += 1;
        match self.configs.iter_mut().find(|config| config.value.name == key) {
            Some(config) => config.value.errors.push(error),
            None => self.configs.push(ConfigInfo {
                definition: None,
                value: ConfigValueInfo {
                    name: key,
                    value: None,
                    recommended_values: Vec::new(),
                    errors: vec![error],
                    visible: true,
                },
            }),
        }
    }
}
