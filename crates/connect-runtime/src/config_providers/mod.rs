//! Config providers (KIP-297): `${alias:[path:]key}` in a configuration stands for a value that is kept elsewhere. Looked up when
//! something starts or is checked, and never stored or shown.

mod directory;
mod environment;
mod file;
mod paths;

use crate::plugins::with_prefix;
use connect_api::config::ConfigFault;
use connect_api::{ConfigMap, ConnectError};
use directory::DirectoryProvider;
use environment::EnvironmentProvider;
use file::FileProvider;
use paths::AllowedPaths;
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// As in Java: alias, path with its colon, path, key. A path or key may hold colons but no closing brace.
static PLACEHOLDER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}").ok());

/// The classes that `config.providers.<alias>.class` may name.
pub const CLASSES: [&str; 3] = [
    "org.apache.kafka.common.config.provider.FileConfigProvider",
    "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
    "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
];

/// Where the values of one alias are.
trait Provider: Send + Sync {
    /// The value of `key`, or what is wrong: a sentence that names what it names and never a value.
    fn get(&self, path: &str, key: &str) -> Result<String, String>;
}

/// The providers of a worker, by alias. Cheap to clone; the default has none.
#[derive(Clone, Default)]
pub struct ConfigProviders {
    providers: Arc<BTreeMap<String, Box<dyn Provider>>>,
}

impl std::fmt::Debug for ConfigProviders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.providers.keys()).finish()
    }
}

/// A configuration with its placeholders replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    pub config: ConfigMap,
    /// What has come out of the providers: to be kept out of everything that is shown.
    pub secrets: Vec<String>,
}

impl ConfigProviders {
    /// Reads `config.providers` and the keys below it from a worker's values; all faults at once.
    pub fn read(values: &ConfigMap) -> Result<Self, Vec<ConfigFault>> {
        Self::with_environment(
            values,
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    fn with_environment(
        values: &ConfigMap,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Vec<ConfigFault>> {
        let mut providers: BTreeMap<String, Box<dyn Provider>> = BTreeMap::new();
        let mut faults = Vec::new();
        let environment: BTreeMap<String, String> = environment.collect();
        let aliases = values.get("config.providers").map(String::as_str).unwrap_or_default();
        for alias in aliases.split(',').map(str::trim).filter(|alias| !alias.is_empty()) {
            match provider(alias, values, &environment) {
                Ok(provider) => {
                    providers.insert(alias.to_owned(), provider);
                }
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() { Ok(Self { providers: Arc::new(providers) }) } else { Err(faults) }
    }

    /// Replaces the placeholders of known aliases; those of unknown ones stay as they are, as in Java. Unlike Java a value
    /// that is not there is an error: a connector that logs in with the text `${...}` helps nobody. Reads files, so it may block.
    pub fn resolve(&self, config: &ConfigMap) -> Result<Resolved, ConnectError> {
        let mut resolved = Resolved { config: config.clone(), secrets: Vec::new() };
        let Some(placeholder) = PLACEHOLDER.as_ref().filter(|_| !self.providers.is_empty()) else {
            return Ok(resolved);
        };
        for (name, value) in &mut resolved.config {
            if !value.contains("${") {
                continue;
            }
            let (mut text, mut copied) = (String::new(), 0);
            for found in placeholder.captures_iter(value) {
                let part = |group: usize| found.get(group).map(|part| part.as_str()).unwrap_or_default();
                let (alias, path, key) = (part(1), part(3), part(4));
                let (Some(provider), Some(whole)) = (self.providers.get(alias), found.get(0)) else {
                    continue;
                };
                let found = provider.get(path, key).map_err(|what| {
                    ConnectError::config(format!(
                        "Invalid value {} for configuration {name}: the config provider {alias} has no value: {what}",
                        whole.as_str()
                    ))
                })?;
                text.push_str(&value[copied..whole.start()]);
                text.push_str(&found);
                copied = whole.end();
                if !found.is_empty() && !resolved.secrets.contains(&found) {
                    resolved.secrets.push(found);
                }
            }
            if copied > 0 {
                text.push_str(&value[copied..]);
                *value = text;
            }
        }
        Ok(resolved)
    }
}

fn provider(
    alias: &str,
    values: &ConfigMap,
    environment: &BTreeMap<String, String>,
) -> Result<Box<dyn Provider>, ConfigFault> {
    let class_key = format!("config.providers.{alias}.class");
    let fault = |key: &str, message: String| ConfigFault { key: key.to_owned(), message };
    let class = values.get(&class_key).map(|class| class.trim()).unwrap_or_default();
    if class.is_empty() {
        let message = format!("config.providers names {alias}, but {class_key} is not set: name its class");
        return Err(fault(&class_key, message));
    }
    let parameters = with_prefix(values, &format!("config.providers.{alias}.param."));
    let allowed_paths = || {
        AllowedPaths::read(parameters.get("allowed.paths").map(String::as_str))
            .map_err(|what| fault(&format!("config.providers.{alias}.param.allowed.paths"), what))
    };
    // Java's worker takes simple names, too.
    let known = CLASSES.iter().find(|known| **known == class || known.rsplit('.').next() == Some(class));
    match known.map(|known| known.rsplit('.').next().unwrap_or_default()) {
        Some("FileConfigProvider") => Ok(Box::new(FileProvider { allowed: allowed_paths()? })),
        Some("DirectoryConfigProvider") => Ok(Box::new(DirectoryProvider { allowed: allowed_paths()? })),
        Some("EnvVarConfigProvider") => {
            let pattern = parameters.get("allowlist.pattern").map(String::as_str);
            let provider = EnvironmentProvider::new(environment, pattern)
                .map_err(|what| fault(&format!("config.providers.{alias}.param.allowlist.pattern"), what))?;
            Ok(Box::new(provider))
        }
        _ => Err(fault(
            &class_key,
            format!(
                "Invalid value {class} for configuration {class_key}: there is no such config provider here: use one of {}",
                CLASSES.join(", ")
            ),
        )),
    }
}

#[cfg(test)]
mod tests;
