//! Where things are.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// The workspace's root. Asked at run time, since a checkout may be moved after xtask was built.
pub(crate) fn root() -> PathBuf {
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&xtask).parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// The target folder, which `CARGO_TARGET_DIR` or a config may have moved.
pub(crate) fn target() -> anyhow::Result<PathBuf> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("cargo metadata failed")?;
    Ok(metadata.target_directory.into_std_path_buf())
}

/// Downloads live outside the target folder: `cargo clean` and a second clone should not fetch 90 jars again.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME") {
        Some(dir) if Path::new(&dir).is_absolute() => PathBuf::from(dir),
        _ => {
            let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
            PathBuf::from(home.context("neither XDG_CACHE_HOME nor HOME is set: no place for downloads")?)
                .join(".cache")
        }
    };
    Ok(base.join("connect-worker"))
}

/// A program on PATH, or where Debian puts servers that are not on everybody's PATH.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(more).map(|dir| dir.join(program)).find(|file| file.is_file())
}
