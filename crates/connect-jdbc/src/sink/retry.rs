//! How often to try again, and when.

use super::config::SinkConfig;
use crate::driver::ErrorKind;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// One budget for connecting and writing: attempts that failed since the last good put.
#[derive(Debug, Default)]
pub(super) struct Budget {
    failures: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Again {
        backoff: Duration,
        attempt: u32,
        retries: u32,
    },
    /// After so many attempts in a row.
    GiveUp {
        attempts: u32,
    },
    /// No attempt would help.
    Hopeless,
}

impl Budget {
    pub(super) fn refill(&mut self) {
        self.failures = 0;
    }

    /// Counts a failed attempt. `looked_at_now`: the tables were read anew for it, so another look will not help.
    pub(super) fn failed(&mut self, config: &SinkConfig, kind: ErrorKind, looked_at_now: bool) -> Verdict {
        self.failures = self.failures.saturating_add(1);
        let connection = &config.connection;
        let (retries, backoff) = match kind {
            // Java's connect attempts are a count of their own; here they may lengthen the one budget, never shorten it.
            ErrorKind::Connect => (
                config.max_retries.max(connection.attempts.saturating_sub(1)),
                connection.backoff.unwrap_or(config.retry_backoff),
            ),
            ErrorKind::Structure if looked_at_now => return Verdict::Hopeless,
            ErrorKind::Transient | ErrorKind::AtOnce | ErrorKind::Structure => {
                (config.max_retries, config.retry_backoff)
            }
            ErrorKind::SameKey
            | ErrorKind::InDoubt
            | ErrorKind::BadRow
            | ErrorKind::Permanent
            | ErrorKind::Unknown => return Verdict::Hopeless,
        };
        match self.failures <= retries {
            true => Verdict::Again { backoff, attempt: self.failures, retries },
            false => Verdict::GiveUp { attempts: self.failures },
        }
    }
}

/// Repeats within one put, after a deadlock or a lock wait: the other transaction is done soon.
#[derive(Debug)]
pub(super) struct AtOnce {
    left: u32,
    begun: Instant,
}

impl AtOnce {
    const TIMES: u32 = 5;
    /// A server that waits long for a lock (MariaDB: 50 s) has waited enough: the retry that follows is an ordinary one, which
    /// the status shows.
    const WITHIN: Duration = Duration::from_secs(10);

    pub(super) fn new() -> Self {
        Self { left: Self::TIMES, begun: Instant::now() }
    }

    /// How long to wait before the next one; `None` when there is to be none. By chance, so that two who met do not meet
    /// again, and longer each time.
    pub(super) fn pause(&mut self) -> Option<Duration> {
        if self.left == 0 || self.begun.elapsed() >= Self::WITHIN {
            return None;
        }
        self.left -= 1;
        let longest = 10_000u64 << (Self::TIMES - self.left);
        Some(Duration::from_micros(1_000 + RandomState::new().hash_one(self.left) % longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::fixtures::config;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn one_budget_covers_connecting_and_writing() {
        let config = config(&[("max.retries", "2"), ("retry.backoff.ms", "7"), ("connection.attempts", "1")]);
        let mut budget = Budget::default();
        for _ in 0..2 {
            let again = |attempt| Verdict::Again { backoff: MS(7), attempt, retries: 2 };
            assert_eq!(budget.failed(&config, ErrorKind::Connect, false), again(1));
            assert_eq!(budget.failed(&config, ErrorKind::Transient, false), again(2));
            assert_eq!(budget.failed(&config, ErrorKind::AtOnce, false), Verdict::GiveUp { attempts: 3 });
            budget.refill();
        }
    }

    #[test]
    fn attempts_to_connect_lengthen_it() {
        let config =
            config(&[("max.retries", "0"), ("connection.attempts", "2"), ("connection.backoff.ms", "5")]);
        let mut budget = Budget::default();
        let again = Verdict::Again { backoff: MS(5), attempt: 1, retries: 1 };
        assert_eq!(budget.failed(&config, ErrorKind::Connect, true), again);
        assert_eq!(budget.failed(&config, ErrorKind::Connect, true), Verdict::GiveUp { attempts: 2 });
    }

    #[test]
    fn what_cannot_pass_is_not_repeated() {
        let config = config(&[]);
        for kind in [ErrorKind::Permanent, ErrorKind::BadRow, ErrorKind::Unknown, ErrorKind::SameKey] {
            assert_eq!(Budget::default().failed(&config, kind, false), Verdict::Hopeless);
        }
        assert_eq!(Budget::default().failed(&config, ErrorKind::Structure, true), Verdict::Hopeless);
        let again = Verdict::Again { backoff: MS(3000), attempt: 1, retries: 10 };
        assert_eq!(Budget::default().failed(&config, ErrorKind::Structure, false), again);
    }

    #[test]
    fn pauses_at_once_are_few_and_short() {
        let mut at_once = AtOnce::new();
        let pauses: Vec<Duration> = std::iter::from_fn(|| at_once.pause()).collect();
        assert_eq!(pauses.len(), 5);
        assert!(pauses.iter().all(|pause| (MS(1)..MS(400)).contains(pause)), "{pauses:?}");
    }
}
