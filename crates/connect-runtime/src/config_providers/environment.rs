//! `EnvVarConfigProvider`: `${env:NAME}` is an environment variable of the worker, as it was when the worker started.

use super::Provider;
use crate::connector_config::whole_name;
use std::collections::BTreeMap;

pub(super) struct EnvironmentProvider {
    allowed: BTreeMap<String, String>,
}

impl EnvironmentProvider {
    /// `pattern` is the `allowlist.pattern`, which a whole name must match.
    pub(super) fn new(environment: &BTreeMap<String, String>, pattern: Option<&str>) -> Result<Self, String> {
        let pattern = pattern.map(whole_name).transpose()?;
        let is_allowed = |name: &str| pattern.as_ref().is_none_or(|pattern| pattern.is_match(name));
        let allowed = environment.iter().filter(|(name, _)| is_allowed(name));
        Ok(Self { allowed: allowed.map(|(name, value)| (name.clone(), value.clone())).collect() })
    }
}

impl Provider for EnvironmentProvider {
    fn get(&self, path: &str, key: &str) -> Result<String, String> {
        if !path.is_empty() {
            return Err("a placeholder of the environment has no path: write it as ${alias:NAME}".into());
        }
        let value = self.allowed.get(key).cloned();
        value.ok_or_else(|| {
            format!("the worker's environment has no variable {key}, or allowlist.pattern does not allow it")
        })
    }
}
