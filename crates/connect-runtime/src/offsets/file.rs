//! `offset.storage.file.filename`: read once at the start, replaced as a whole at each flush.

use super::java_map::{self, Entries};
use super::{key_bytes, parse_value, partition_of_key, value_bytes};
use crate::ports::OffsetStore;
use async_trait::async_trait;
use connect_api::{ConnectError, OffsetMap};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Why a worker cannot begin with its offset file.
#[derive(Debug, thiserror::Error)]
pub enum OffsetFileError {
    #[error("offset.storage.file.filename: {} cannot be read ({reason}): make it readable, or name another file", path.display())]
    Unreadable { path: PathBuf, reason: io::Error },
    #[error(
        "offset.storage.file.filename: {} is no offset file of Kafka Connect ({fault}): restore a good copy, or move it away, and \
         sources begin from their start; it was left as it is",
        path.display()
    )]
    Corrupt { path: PathBuf, fault: String },
    #[error("offset.storage.file.filename: the folder {} does not exist: create it, or name a file elsewhere", folder.display())]
    NoFolder { folder: PathBuf },
}

/// All offsets of the worker. Entries of connectors that do not run now are kept as they are.
pub struct FileOffsetStore {
    path: PathBuf,
    /// Held while the file is written: the file never goes back to an older state.
    entries: Mutex<Entries>,
}

impl FileOffsetStore {
    /// Reads the file. A file that is absent or empty is a beginning, as with Java.
    pub fn open(path: &Path) -> Result<Self, OffsetFileError> {
        // A file behind a link is replaced, not the link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let entries = match fs::read(&path) {
            Ok(bytes) if bytes.is_empty() => Entries::new(),
            Ok(bytes) => java_map::read(&bytes)
                .map_err(|fault| OffsetFileError::Corrupt { path: path.clone(), fault })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = folder_of(&path);
                if !folder.is_dir() {
                    return Err(OffsetFileError::NoFolder { folder: folder.to_owned() });
                }
                Entries::new()
            }
            Err(reason) => return Err(OffsetFileError::Unreadable { path, reason }),
        };
        Ok(Self { path, entries: Mutex::new(entries) })
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[async_trait]
impl OffsetStore for FileOffsetStore {
    async fn get(&self, connector: &str, partition: &OffsetMap) -> Result<Option<OffsetMap>, ConnectError> {
        let entries = self.entries.lock().await;
        let Some(Some(value)) = entries.get(&key_bytes(connector, partition)) else { return Ok(None) };
        parse_value(value)
    }

    async fn set(
        &self,
        connector: &str,
        offsets: Vec<(Arc<OffsetMap>, Option<OffsetMap>)>,
    ) -> Result<(), ConnectError> {
        let mut entries = self.entries.lock().await;
        let mut next = entries.clone();
        for (partition, offset) in &offsets {
            let key = key_bytes(connector, partition);
            match offset {
                Some(offset) => next.insert(key, Some(value_bytes(offset))),
                None => next.shift_remove(&key),
            };
        }
        if next == *entries {
            return Ok(());
        }
        let (path, bytes) = (self.path.clone(), java_map::write(&next));
        let written = tokio::task::spawn_blocking(move || replace(&path, &bytes)).await;
        written.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(|error| {
            ConnectError::caused(
                format!("the offset file {} could not be written", self.path.display()),
                error,
            )
        })?;
        *entries = next;
        Ok(())
    }

    async fn all(&self, connector: &str) -> Result<Vec<(OffsetMap, OffsetMap)>, ConnectError> {
        let entries = self.entries.lock().await;
        let mut offsets = Vec::new();
        for (key, value) in entries.iter() {
            let (Some(partition), Some(value)) = (partition_of_key(connector, key), value) else { continue };
            offsets.extend(parse_value(value)?.map(|offset| (partition, offset)));
        }
        Ok(offsets)
    }
}

/// Old or new, never half: a crash at any moment leaves one of the two. The folder is synced too, since the name is in it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let written = (|| {
        let mut file = File::create(&beside)?;
        // Whoever may read the old file may read the new one.
        if let Ok(old) = fs::metadata(path) {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        File::open(folder_of(path))?.sync_all()
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: serde_json::Value) -> OffsetMap {
        value.as_object().unwrap().clone()
    }

    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("offset-file-{test}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[tokio::test]
    async fn offsets_survive_and_those_of_others_are_kept() {
        let folder = Folder::new("survive");
        let path = folder.0.join("connect.offsets");
        let partition = Arc::new(map(json!({"filename": "/x"})));
        let store = FileOffsetStore::open(&path).unwrap();
        assert_eq!(store.get("a", &partition).await.unwrap(), None);
        store.set("a", vec![(partition.clone(), Some(map(json!({"position": 1}))))]).await.unwrap();
        store.set("b", vec![(partition.clone(), Some(map(json!({"position": 2}))))]).await.unwrap();

        let store = FileOffsetStore::open(&path).unwrap();
        store.set("b", vec![(partition.clone(), Some(map(json!({"position": 3}))))]).await.unwrap();
        let store = FileOffsetStore::open(&path).unwrap();
        assert_eq!(store.get("a", &partition).await.unwrap(), Some(map(json!({"position": 1}))));
        assert_eq!(store.get("b", &partition).await.unwrap(), Some(map(json!({"position": 3}))));
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "nothing is left beside the file");
    }

    #[tokio::test]
    async fn a_write_that_fails_leaves_the_old_file_and_is_made_good_later() {
        let folder = Folder::new("fails");
        let below = folder.0.join("below");
        fs::create_dir(&below).unwrap();
        let path = below.join("o");
        let partition = Arc::new(map(json!({"p": 1})));
        let store = FileOffsetStore::open(&path).unwrap();
        fs::remove_dir(&below).unwrap();
        let error = store.set("a", vec![(partition.clone(), Some(map(json!({"n": 1}))))]).await.unwrap_err();
        assert!(error.to_string().contains("could not be written"), "{error}");
        fs::create_dir(&below).unwrap();
        store.set("a", vec![(partition.clone(), Some(map(json!({"n": 1}))))]).await.unwrap();
        assert!(FileOffsetStore::open(&path).unwrap().get("a", &partition).await.unwrap().is_some());
    }

    #[test]
    fn a_file_that_is_none_stops_the_start_and_stays() {
        let folder = Folder::new("corrupt");
        let path = folder.0.join("o");
        fs::write(&path, "precious").unwrap();
        let error = FileOffsetStore::open(&path).err().unwrap().to_string();
        assert!(
            error.contains("is no offset file of Kafka Connect (at byte 0") && error.contains("move it away"),
            "{error}"
        );
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        fs::write(&path, "").unwrap();
        assert!(FileOffsetStore::open(&path).is_ok(), "an empty file is a beginning, as with Java");
        assert!(matches!(FileOffsetStore::open(&folder.0), Err(OffsetFileError::Unreadable { .. })));
        assert!(matches!(
            FileOffsetStore::open(&folder.0.join("a/b")),
            Err(OffsetFileError::NoFolder { .. })
        ));
    }
}
