//! `DirectoryConfigProvider`: `${dir:/path:name}` is the content of a file of that name, as secrets are mounted into containers.

use super::Provider;
use super::paths::{AllowedPaths, read_file};

pub(super) struct DirectoryProvider {
    pub(super) allowed: AllowedPaths,
}

impl Provider for DirectoryProvider {
    fn get(&self, path: &str, key: &str) -> Result<String, String> {
        let folder = self.allowed.check(path)?;
        if !folder.is_dir() {
            return Err(format!("{} is no directory", folder.display()));
        }
        // The name of a file in the directory, and no way out of it.
        if key.is_empty() || key == "." || key == ".." || key.contains(['/', '\\']) {
            return Err(format!("{key} is no name of a file in {}", folder.display()));
        }
        let file = folder.join(key);
        String::from_utf8(read_file(&file)?).map_err(|_| format!("{} is not UTF-8", file.display()))
    }
}
