//! A folder of one test, removed at its end.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(testkit::unique(test));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        fs::write(self.path(name), text)?;
        Ok(self.path(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// As `echo text >> file`.
pub(crate) fn append(path: &Path, text: &str) -> anyhow::Result<()> {
    Ok(File::options().append(true).create(true).open(path)?.write_all(text.as_bytes())?)
}
