//! The clock behind a membership: when a coordinator that has not been heard of gives the member up.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Counts from the sending of the last request that was answered, so it is never later than the coordinator's own clock.
#[derive(Debug)]
pub(super) struct Session {
    timeout: Duration,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// There is no membership to lose.
    Off,
    Heard(Instant),
    /// A JoinGroup or SyncGroup waits at the coordinator, which keeps its sender meanwhile.
    Waiting(Instant),
}

impl Session {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, state: Mutex::new(State::Off), changed: Notify::new() }
    }

    fn set(&self, to: impl FnOnce(State) -> State) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = to(*state);
        drop(state);
        self.changed.notify_one();
    }

    pub(super) fn heard(&self, at: Instant) {
        self.set(|_| State::Heard(at));
    }

    pub(super) fn end(&self) {
        self.set(|_| State::Off);
    }

    #[cfg(test)]
    fn held(&self) -> bool {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) != State::Off
    }

    pub(super) fn wait_for_others(&self) {
        self.set(|state| match state {
            State::Heard(at) => State::Waiting(at),
            other => other,
        });
    }

    /// The wait has failed. When the coordinator has said so, or has closed the connection, it was alive until now.
    pub(super) fn waited_in_vain(&self, coordinator_was_there: bool) {
        self.set(|state| match state {
            State::Waiting(_) if coordinator_was_there => State::Heard(Instant::now()),
            State::Waiting(at) => State::Heard(at),
            other => other,
        });
    }

    /// Returns when the session has expired; it is at its end then.
    pub(super) async fn expiry(&self) {
        loop {
            let state = *self.state.lock().unwrap_or_else(PoisonError::into_inner);
            match state {
                State::Heard(at) if at + self.timeout <= Instant::now() => return self.end(),
                State::Heard(at) => {
                    tokio::select! {
                        () = sleep_until(at + self.timeout) => {}
                        () = self.changed.notified() => {}
                    }
                }
                State::Off | State::Waiting(_) => self.changed.notified().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::time::advance;

    const TIMEOUT: Duration = Duration::from_secs(10);

    fn expiring(session: &Arc<Session>) -> tokio::task::JoinHandle<()> {
        let session = session.clone();
        tokio::spawn(async move { session.expiry().await })
    }

    async fn pass(seconds: u64) {
        tokio::task::yield_now().await;
        advance(Duration::from_secs(seconds)).await;
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_expires_only_when_nothing_was_heard() {
        let session = Arc::new(Session::new(TIMEOUT));
        let expiry = expiring(&session);
        pass(100).await;
        assert!(!expiry.is_finished(), "nobody is a member yet");
        session.heard(Instant::now());
        pass(9).await;
        session.heard(Instant::now());
        pass(9).await;
        assert!(!expiry.is_finished() && session.held());
        pass(1).await;
        assert!(expiry.is_finished() && !session.held());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_for_the_others_does_not_count() {
        for (was_there, expired) in [(true, false), (false, true)] {
            let session = Arc::new(Session::new(TIMEOUT));
            let expiry = expiring(&session);
            session.heard(Instant::now());
            session.wait_for_others();
            pass(60).await;
            assert!(!expiry.is_finished());
            session.waited_in_vain(was_there);
            pass(0).await;
            assert_eq!(expiry.is_finished(), expired);
            expiry.abort();
        }
    }
}
