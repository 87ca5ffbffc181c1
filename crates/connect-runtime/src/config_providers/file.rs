//! `FileConfigProvider`: `${file:/path/x.properties:key}` is the value of a key in a properties file.

use super::Provider;
use super::paths::{AllowedPaths, read_file};
use crate::properties;

pub(super) struct FileProvider {
    pub(super) allowed: AllowedPaths,
}

impl Provider for FileProvider {
    fn get(&self, path: &str, key: &str) -> Result<String, String> {
        let path = self.allowed.check(path)?;
        let parsed =
            properties::parse(&read_file(&path)?).map_err(|fault| format!("{}: {fault}", path.display()))?;
        let value = parsed.values.get(key).cloned();
        value.ok_or_else(|| format!("{} has no key {key}", path.display()))
    }
}
