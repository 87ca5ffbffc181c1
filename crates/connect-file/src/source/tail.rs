//! A file, followed like `tail -F`: what is appended is read on; what is truncated, rewritten or replaced is read from its start.

use super::lines::{Line, LineTooLong, Lines};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub(crate) enum TailError {
    /// May pass by itself.
    #[error("the file {} cannot be read ({reason})", path.display())]
    Unreadable { path: PathBuf, reason: io::Error },
    #[error("{} is no regular file: name one in file, or leave file out to read standard input", path.display())]
    NotAFile { path: PathBuf },
    #[error("the file {}: {reason}", path.display())]
    Line { path: PathBuf, reason: LineTooLong },
}

pub(crate) struct Tail {
    path: PathBuf,
    open: Option<Open>,
    /// Where to go on in the file that is opened first.
    resume: Option<u64>,
    /// Whether it was said that the file is not there.
    absent: bool,
}

struct Open {
    file: File,
    /// Device and inode.
    id: (u64, u64),
    /// How far it was read, in bytes.
    read: u64,
    lines: Lines,
    /// Size and time of change when it was last looked at.
    seen: Option<(u64, i64, i64)>,
    memory: Memory,
    /// The path leads to another file by now. Who rotates may go on writing to the old one for a moment.
    replaced: bool,
}

/// What was read, in part: to tell an appended file from one that was rewritten and is longer than before.
#[derive(Default)]
struct Memory {
    head: Vec<u8>,
    /// The bytes before the place that was read to.
    last: Vec<u8>,
}

/// How many bytes of either end are remembered.
const REMEMBERED: usize = 512;

/// How many bytes are read at once where nothing more is expected: more may have come, and some files tell no size.
const LEAST: usize = 1 << 10;

/// How many bytes are read at once at most, and about how many a batch of lines may have.
const CHUNK: usize = 64 << 10;
const MOST_BYTES: u64 = 1 << 20;

impl Tail {
    pub(crate) fn new(path: PathBuf, resume: Option<u64>) -> Self {
        Self { path, open: None, resume, absent: false }
    }

    /// The lines that are there now, `most` of them at most.
    pub(crate) fn read(&mut self, most: usize) -> Result<Vec<Line>, TailError> {
        let mut lines = Vec::new();
        if self.open.is_none() {
            self.open = self.open_file()?;
        }
        let Some(open) = &mut self.open else { return Ok(lines) };
        let unreadable = |reason| TailError::Unreadable { path: self.path.clone(), reason };
        if let Some(why) = open.look().map_err(unreadable)? {
            tracing::info!(file = %self.path.display(), why, "the file is read from its start");
            open.restart();
        }
        let started = open.lines.position();
        loop {
            while lines.len() < most {
                let line = open
                    .lines
                    .next()
                    .map_err(|reason| TailError::Line { path: self.path.clone(), reason })?;
                let Some(line) = line else { break };
                lines.push(line);
            }
            if lines.len() >= most || open.lines.position() - started >= MOST_BYTES {
                return Ok(lines);
            }
            if !open.fill().map_err(unreadable)? {
                break;
            }
        }
        if lines.is_empty() {
            lines.extend(self.follow()?);
        }
        Ok(lines)
    }

    fn open_file(&mut self) -> Result<Option<Open>, TailError> {
        let unreadable = |reason| TailError::Unreadable { path: self.path.clone(), reason };
        // Asked before it is opened: opening a pipe would wait for somebody to write.
        match fs::metadata(&self.path) {
            Ok(metadata) if !metadata.is_file() => {
                return Err(TailError::NotAFile { path: self.path.clone() });
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if !std::mem::replace(&mut self.absent, true) {
                    tracing::warn!(file = %self.path.display(), "the file is not there; waiting for it");
                }
                return Ok(None);
            }
            Err(reason) => return Err(unreadable(reason)),
        }
        let file = match File::open(&self.path) {
            Ok(file) => file,
            // Gone again.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(reason) => return Err(unreadable(reason)),
        };
        let id = identity(&file.metadata().map_err(unreadable)?);
        let mut open = Open {
            file,
            id,
            read: 0,
            lines: Lines::default(),
            seen: None,
            memory: Memory::default(),
            replaced: false,
        };
        if let Some(position) = self.resume
            && !open.skip_to(position, &self.path)?
        {
            tracing::warn!(
                file = %self.path.display(),
                position,
                "the stored position is no end of a line in this file: it was rewritten, and is read from its start"
            );
            open.restart();
        }
        (self.resume, self.absent) = (None, false);
        Ok(Some(open))
    }

    /// At the end of the open file: whether the path leads to another one by now. The last line of the old file is given
    /// out even if it has no end: nobody will write it.
    fn follow(&mut self) -> Result<Option<Line>, TailError> {
        let Some(open) = &mut self.open else { return Ok(None) };
        let replaced = fs::metadata(&self.path).is_ok_and(|metadata| identity(&metadata) != open.id);
        if !std::mem::replace(&mut open.replaced, replaced) || !replaced {
            return Ok(None);
        }
        tracing::info!(file = %self.path.display(), "the file was replaced by another one, which is read from its start");
        let rest = open.lines.rest();
        self.open = None;
        self.open = self.open_file()?;
        Ok(rest)
    }
}

impl Open {
    /// Why the file has to be read from its start, if it has.
    fn look(&mut self) -> io::Result<Option<&'static str>> {
        let metadata = self.file.metadata()?;
        let now = (metadata.len(), metadata.mtime(), metadata.mtime_nsec());
        if self.seen.replace(now) == Some(now) {
            return Ok(None);
        }
        if metadata.len() < self.read {
            return Ok(Some("it was truncated"));
        }
        let Memory { head, last } = &self.memory;
        let same = self.holds(head, 0)? && self.holds(last, self.read - last.len() as u64)?;
        Ok((!same).then_some("it was rewritten"))
    }

    fn holds(&self, expected: &[u8], at: u64) -> io::Result<bool> {
        let mut found = vec![0; expected.len()];
        match self.file.read_exact_at(&mut found, at) {
            Ok(()) => Ok(found == expected),
            // Truncated this very moment.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn restart(&mut self) {
        (self.read, self.lines, self.memory) = (0, Lines::default(), Memory::default());
    }

    /// Reads some more; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        // As much as was there when it was looked at: a worker may have hundreds of files in which nothing happens.
        let rest = self.seen.map_or(0, |(size, ..)| size.saturating_sub(self.read));
        let mut chunk = vec![0; usize::try_from(rest).unwrap_or(CHUNK).clamp(LEAST, CHUNK)];
        let count = match self.file.read_at(&mut chunk, self.read) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(true),
            count => count?,
        };
        let bytes = &chunk[..count];
        self.read += count as u64;
        self.lines.push(bytes);
        let Memory { head, last } = &mut self.memory;
        head.extend_from_slice(&bytes[..count.min(REMEMBERED.saturating_sub(head.len()))]);
        last.extend_from_slice(&bytes[count.saturating_sub(REMEMBERED)..]);
        last.drain(..last.len().saturating_sub(REMEMBERED));
        Ok(count > 0)
    }

    /// Goes to the position by counting characters, since their bytes are not known; `false` if no line ends there.
    fn skip_to(&mut self, position: u64, path: &std::path::Path) -> Result<bool, TailError> {
        while self.lines.position() < position {
            let skipped =
                self.lines.skip().map_err(|reason| TailError::Line { path: path.to_owned(), reason })?;
            if skipped.is_none()
                && !self.fill().map_err(|reason| TailError::Unreadable { path: path.to_owned(), reason })?
            {
                return Ok(false);
            }
        }
        Ok(self.lines.position() == position)
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests;
