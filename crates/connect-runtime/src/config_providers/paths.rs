//! `allowed.paths`: what the file and directory providers may read.

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

/// Values are passwords and the like; whatever is larger was named by mistake.
const LARGEST_FILE: u64 = 1024 * 1024;

/// `None` allows every path.
pub(super) struct AllowedPaths(Option<Vec<PathBuf>>);

impl AllowedPaths {
    pub(super) fn read(text: Option<&str>) -> Result<Self, String> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(Self(None)) };
        let mut allowed = Vec::new();
        for path in text.split(',').map(str::trim) {
            let path = Path::new(path);
            if !path.is_absolute() {
                return Err(format!("Path {} is not absolute", path.display()));
            }
            if !path.exists() {
                return Err(format!("Path {} does not exist", path.display()));
            }
            allowed.push(normalized(path));
        }
        Ok(Self(Some(allowed)))
    }

    /// The path that a placeholder names, without its `..`.
    pub(super) fn check(&self, path: &str) -> Result<PathBuf, String> {
        if path.is_empty() {
            return Err("the placeholder names no path: write it as ${alias:path:key}".into());
        }
        let Some(allowed) = &self.0 else { return Ok(PathBuf::from(path)) };
        let path = normalized(Path::new(path));
        if !path.is_absolute() {
            return Err(format!(
                "the path {} is not absolute, as it must be with allowed.paths",
                path.display()
            ));
        }
        if allowed.iter().any(|allowed| path.starts_with(allowed)) {
            Ok(path)
        } else {
            Err(format!("the path {} is not below any of allowed.paths", path.display()))
        }
    }
}

/// By the letters alone: links are followed later, as in Java.
fn normalized(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                if !normal.pop() {
                    normal.push(component);
                }
            }
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

/// The bytes of a regular file of a sensible size: a pipe or a device would keep its reader for ever.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| format!("{shown} cannot be read ({error})"))?;
    if !metadata.is_file() {
        return Err(format!("{shown} is no file"));
    }
    let file = File::open(path).map_err(|error| format!("{shown} cannot be read ({error})"))?;
    let mut bytes = Vec::new();
    let read = file.take(LARGEST_FILE + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("{shown} cannot be read ({error})"))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(format!("{shown} is larger than {LARGEST_FILE} bytes"));
    }
    Ok(bytes)
}
