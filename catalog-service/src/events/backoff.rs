use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The service is to stop; what was being retried is left undone and will be redelivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stopping")]
pub struct Stopped;

/// Growing pauses between attempts, cut short by shutdown.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
    attempts: u32,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(20);
    const LONGEST: Duration = Duration::from_secs(5);

    pub fn new() -> Self {
        Self { next: Self::FIRST, attempts: 0 }
    }

    /// How many attempts have failed.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    pub async fn pause(&mut self, stop: &CancellationToken) -> Result<(), Stopped> {
        self.attempts += 1;
        let pause = self.next;
        self.next = (pause * 3).min(Self::LONGEST);
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = stop.cancelled() => Err(Stopped),
        }
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}
