//! What a task loop is told while it runs.

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Clones see the same.
#[derive(Clone, Debug)]
pub struct TaskControl {
    /// Cancelled once, when the task is to end.
    pub stop: CancellationToken,
    paused: watch::Receiver<bool>,
}

impl TaskControl {
    /// With the sender the task is paused and resumed, as often as one likes.
    pub fn new(stop: CancellationToken, paused: bool) -> (Self, watch::Sender<bool>) {
        let (sender, receiver) = watch::channel(paused);
        (Self { stop, paused: receiver }, sender)
    }

    /// A task that nobody pauses.
    pub fn never_paused(stop: CancellationToken) -> Self {
        Self::new(stop, false).0
    }

    pub(crate) fn is_paused(&self) -> bool {
        *self.paused.borrow()
    }

    /// Returns when the task is to be paused, or not to be, as `paused` says; at once if it is so already.
    pub(crate) async fn until(&self, paused: bool) {
        let mut changes = self.paused.clone();
        if changes.wait_for(|now| *now == paused).await.is_err() {
            // Nobody is there to change it any more.
            std::future::pending::<()>().await;
        }
    }
}
