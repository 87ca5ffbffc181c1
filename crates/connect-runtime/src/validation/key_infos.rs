//! What there is to say about the keys of a plugin, whatever their values (`ConfigKeyInfo`).

use crate::connector_config::{check_version, framework_tables};
use crate::herder::{ConfigKeyInfo, HerderError};
use crate::plugins::{ConverterClass, Plugins};
use connect_api::ConfigDef;
use connect_api::config::{ConfigKey, ConfigValueType as Ty, Default, HIDDEN};

/// A key that Java's converters have and users never set: which side a converter works for.
pub(super) static CONVERTER_TYPE: ConfigKey =
    ConfigKey::new("converter.type", Ty::String, "Whether it converts keys or values; set by the worker.")
        .required();

/// The answer of `GET /connector-plugins/{plugin}/config`: a connector's own keys and then those of the framework, a
/// converter's. `version` is a range that the plugin's one version has to be in.
pub fn key_infos(
    plugins: &Plugins,
    plugin: &str,
    version: Option<&str>,
) -> Result<Vec<ConfigKeyInfo>, HerderError> {
    let in_range = |class: &str, available: &str| match version {
        Some(range) => check_version(range, class, available).map_err(HerderError::BadRequest),
        None => Ok(()),
    };
    if let Ok((class, connector)) = plugins.connector_class(plugin) {
        in_range(class, connector.version())?;
        let tables =
            [connector.config_def()].into_iter().chain(framework_tables(connector.ty()).iter().copied());
        let mut infos: Vec<ConfigKeyInfo> = tables.flat_map(table_infos).collect();
        set_default(&mut infos, "connector.plugin.version", connector.version());
        return Ok(infos);
    }
    let header = plugins.header_converter(plugin).ok();
    let Some(ConverterClass { class, version, config_def }) = plugins.converter(plugin).ok().or(header)
    else {
        return Err(HerderError::NotFound(format!("Unknown plugin {plugin}.")));
    };
    in_range(class, version)?;
    let of_either_side = header.is_none().then(|| info(&CONVERTER_TYPE, -1));
    Ok(of_either_side.into_iter().chain(table_infos(config_def)).collect())
}

pub(super) fn set_default(infos: &mut [ConfigKeyInfo], name: &str, default: &str) {
    if let Some(info) = infos.iter_mut().find(|info| info.name == name) {
        info.default_value = Some(default.to_owned());
    }
}

pub(super) fn table_infos(table: &'static ConfigDef) -> impl Iterator<Item = ConfigKeyInfo> {
    table.keys.iter().enumerate().map(|(index, key)| {
        let before = table.keys[..index].iter().filter(|other| other.group == key.group).count();
        info(key, i32::try_from(before).unwrap_or(i32::MAX - 1) + 1)
    })
}

/// `place` counts where the key does not say its own.
pub(super) fn info(key: &ConfigKey, place: i32) -> ConfigKeyInfo {
    let group = (!key.group.is_empty()).then(|| key.group.to_owned());
    ConfigKeyInfo {
        name: key.name.to_owned(),
        ty: key.ty.name(),
        required: matches!(key.default, Default::Required),
        default_value: match key.default {
            // As in Java, though there is nothing to hide in it.
            Default::Value(_) if key.ty == Ty::Password => Some(HIDDEN.to_owned()),
            Default::Value(value) => Some(value.to_owned()),
            Default::Null | Default::Required => None,
        },
        importance: key.importance.name(),
        documentation: key.doc.to_owned(),
        order_in_group: if group.is_some() { key.order.unwrap_or(place) } else { -1 },
        group,
        width: key.width.name(),
        display_name: key.display_name.to_owned(),
        dependents: key.dependents.iter().map(|key| (*key).to_owned()).collect(),
    }
}
