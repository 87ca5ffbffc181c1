//! `connector.plugin.version` and the versions of converters: there is one of each plugin, and it has to be in the range asked for.

use crate::plugins::Plugins;
use crate::version_range::VersionRange;
use connect_api::ConfigMap;
use connect_api::config::ConfigFault;

pub(super) fn faults(config: &ConfigMap, plugins: &Plugins) -> Vec<ConfigFault> {
    let connector = |name: &str| {
        let (class, plugin) = plugins.connector_class(name).ok()?;
        Some((class, plugin.version()))
    };
    let converter = |name: &str| plugins.converter(name).ok().map(|found| (found.class, found.version));
    let header = |name: &str| plugins.header_converter(name).ok().map(|found| (found.class, found.version));
    let faults = [
        of(config, "connector.class", "connector.plugin.version", connector),
        of(config, "key.converter", "key.converter.plugin.version", converter),
        of(config, "value.converter", "value.converter.plugin.version", converter),
        of(config, "header.converter", "header.converter.plugin.version", header),
    ];
    faults.into_iter().flatten().collect()
}

/// A class that is not known is another fault, and not told here.
fn of(
    config: &ConfigMap,
    class_key: &str,
    version_key: &str,
    find: impl Fn(&str) -> Option<(&'static str, &'static str)>,
) -> Option<ConfigFault> {
    let (class, version) = find(config.get(class_key)?)?;
    let message = check(config.get(version_key)?, class, version).err()?;
    Some(ConfigFault { key: version_key.into(), message })
}

/// Whether `version` of `class` will do for `range`.
pub(crate) fn check(range: &str, class: &str, version: &str) -> Result<(), String> {
    match VersionRange::parse(range)? {
        Some(range) if !range.contains(version) => Err(format!(
            "Plugin {class} not found that matches the version range {range}, available versions: [{version}]"
        )),
        _ => Ok(()),
    }
}
