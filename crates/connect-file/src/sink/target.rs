//! Where the lines go: a file that is appended to, or standard output.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("the file {} cannot be opened ({reason}){}", path.display(), remedy(path, reason))]
    Open { path: PathBuf, reason: io::Error },
    #[error("the file {} cannot be written ({reason}){}", path.display(), remedy(path, reason))]
    Write { path: PathBuf, reason: io::Error },
    #[error("standard output cannot be written ({0})")]
    Stdout(io::Error),
}

fn remedy(path: &Path, reason: &io::Error) -> String {
    match reason.kind() {
        io::ErrorKind::NotFound => {
            format!(": create the folder {}", path.parent().unwrap_or(Path::new(".")).display())
        }
        io::ErrorKind::PermissionDenied => ": let the worker's user write to it".into(),
        io::ErrorKind::IsADirectory => ": name a file in file, not a folder".into(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ": make room on the disk".into(),
        _ => String::new(),
    }
}

pub(crate) enum Target {
    Stdout,
    File { path: PathBuf, file: File },
}

impl Target {
    pub(crate) fn open(path: Option<&str>) -> Result<Self, TargetError> {
        match path {
            None => Ok(Self::Stdout),
            Some(path) => Ok(Self::File { file: open(Path::new(path))?, path: path.into() }),
        }
    }

    /// Returns when `text` would survive a crash of the machine; after an error nothing of it is in the file, if that can be.
    pub(crate) fn append(&mut self, text: &[u8]) -> Result<(), TargetError> {
        match self {
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(text).and_then(|()| stdout.flush()).map_err(TargetError::Stdout)
            }
            Self::File { path, file } => {
                let failed = |reason| TargetError::Write { path: path.clone(), reason };
                let open_now = file.metadata().map_err(failed)?;
                // Rotated or deleted: lines written to the old file would be seen by nobody.
                if !fs::metadata(&*path).is_ok_and(|at_path| identity(&at_path) == identity(&open_now)) {
                    *file = open(path)?;
                }
                write(file, text).map_err(|reason| TargetError::Write { path: path.clone(), reason })
            }
        }
    }
}

fn open(path: &Path) -> Result<File, TargetError> {
    let opened = File::options().append(true).create(true).open(path);
    opened.map_err(|reason| TargetError::Open { path: path.to_owned(), reason })
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn write(file: &mut File, text: &[u8]) -> io::Result<()> {
    let before = file.metadata()?;
    let mut written = 0;
    let outcome = loop {
        if written == text.len() {
            // Pipes and terminals have nothing to sync.
            break if before.is_file() { file.sync_data() } else { Ok(()) };
        }
        match file.write(&text[written..]) {
            Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
    };
    // The same records come again; unless somebody else wrote meanwhile, what is there of them goes.
    if outcome.is_err()
        && before.is_file()
        && file.metadata().is_ok_and(|now| now.len() == before.len() + written as u64)
    {
        let _ = file.set_len(before.len());
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(test: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("connect-file-sink-{test}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn appends_and_follows_the_path() {
        let folder = folder("follow");
        let path = folder.join("x");
        fs::write(&path, "before\n").unwrap();
        let mut target = Target::open(path.to_str()).unwrap();
        target.append(b"one\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "before\none\n");
        fs::rename(&path, folder.join("x.1")).unwrap();
        target.append(b"two\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
        fs::remove_dir_all(&folder).unwrap();
        let error = target.append(b"three\n").unwrap_err().to_string();
        assert!(error.contains("create the folder"), "{error}");
    }

    #[test]
    fn faults_name_the_remedy() {
        let folder = folder("faults");
        let text = |path: &Path| Target::open(path.to_str()).err().unwrap().to_string();
        assert!(
            text(&folder.join("a/b"))
                .ends_with(&format!(": create the folder {}", folder.join("a").display()))
        );
        assert!(text(&folder).ends_with(": name a file in file, not a folder"));
        // Always full.
        let error = Target::open(Some("/dev/full")).unwrap().append(b"x\n").unwrap_err().to_string();
        assert!(
            error.contains("No space left on device") && error.ends_with(": make room on the disk"),
            "{error}"
        );
        fs::remove_dir_all(&folder).unwrap();
    }
}
