//! What happens next, and the same again.

use anyhow::Context;
use std::time::Duration;

/// Random enough. The seed is printed, and taken from the environment where it is set.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(variable: &str) -> anyhow::Result<Self> {
        let seed = match std::env::var(variable) {
            Ok(text) => text.parse().with_context(|| format!("{variable} is not a number"))?,
            Err(_) => u64::from(uuid::Uuid::new_v4().as_fields().0) + 1,
        };
        eprintln!("{variable}={seed}");
        Ok(Self(seed))
    }

    /// Below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap_or(1)).unwrap_or_default()
    }

    /// Waits for so many milliseconds.
    pub(crate) async fn pause(&mut self, least: usize, most: usize) {
        let millis = least + self.below(most - least);
        tokio::time::sleep(Duration::from_millis(u64::try_from(millis).unwrap_or_default())).await;
    }
}
