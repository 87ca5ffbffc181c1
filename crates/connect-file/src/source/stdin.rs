//! Standard input, of which there is one: a thread reads it, and whoever has the receiver gets the lines.

use super::lines::{LONGEST_LINE, Lines};
use connect_api::ConnectError;
use std::io::{self, Read};
use std::sync::{Mutex, OnceLock, PoisonError};
use tokio::sync::mpsc::{Receiver, channel};

type Lent = Mutex<Option<Receiver<String>>>;

/// How many lines wait for the connector.
const WAITING: usize = 1000;

/// The lines of standard input; given back when it is dropped, so that a connector may be restarted.
pub(crate) struct Stdin {
    lines: Option<Receiver<String>>,
}

fn lent() -> &'static Lent {
    static LINES: OnceLock<Lent> = OnceLock::new();
    LINES.get_or_init(|| {
        let (sender, receiver) = channel(WAITING);
        // A thread of its own: a read of a terminal cannot be interrupted. It ends with the input or the process.
        std::thread::spawn(move || {
            let (mut lines, mut chunk) = (Lines::default(), [0; 8192]);
            loop {
                let count = match io::stdin().lock().read(&mut chunk) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Ok(0) | Err(_) => break,
                    Ok(count) => count,
                };
                lines.push(&chunk[..count]);
                loop {
                    match lines.next() {
                        Ok(Some(line)) => {
                            if sender.blocking_send(line.text).is_err() {
                                return;
                            }
                        }
                        Ok(None) => break,
                        Err(error) => {
                            tracing::error!(limit = LONGEST_LINE, "standard input: {error}");
                            return;
                        }
                    }
                }
            }
            if let Some(line) = lines.rest() {
                let _ = sender.blocking_send(line.text);
            }
        });
        Mutex::new(Some(receiver))
    })
}

impl Stdin {
    pub(crate) fn take() -> Result<Self, ConnectError> {
        let lines = lent().lock().unwrap_or_else(PoisonError::into_inner).take();
        match lines {
            Some(lines) => Ok(Self { lines: Some(lines) }),
            None => Err(ConnectError::config(
                "standard input is read by another connector of this worker: set file, or delete that connector",
            )),
        }
    }

    /// At least one line, at most `most`; nothing when the input has ended.
    pub(crate) async fn read(&mut self, most: usize) -> Vec<String> {
        let Some(lines) = &mut self.lines else { return Vec::new() };
        let mut read = Vec::new();
        lines.recv_many(&mut read, most).await;
        read
    }
}

impl Drop for Stdin {
    fn drop(&mut self) {
        *lent().lock().unwrap_or_else(PoisonError::into_inner) = self.lines.take();
    }
}
