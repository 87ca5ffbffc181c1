//! What a task loop tells about itself.

use std::sync::Arc;
use std::time::Duration;

/// Is told what the task is doing; for its status and metrics. Calls must not block.
pub trait TaskObserver: Send + Sync {
    /// The task is started and reads; called again when a retry has succeeded, and when it was resumed.
    fn on_running(&self);
    /// The task does nothing now, because the user wants it so.
    fn on_paused(&self);
    /// A `put` or `poll` is to be repeated; called at each failed attempt, `failing_for` since the first.
    fn on_retrying(&self, failing_for: Duration, why: &str);
    /// Records that could not be converted (or, from a source, produced) and whose task goes on: `dead_lettered` of them are
    /// acknowledged in the dead-letter topic, `skipped` are nowhere.
    fn on_bad_records(&self, skipped: u64, dead_lettered: u64);
    /// A record of this topic was read, or is acknowledged in it. Called for each batch or record; whoever wants each topic once
    /// remembers them.
    fn on_topic(&self, topic: &Arc<str>);
}
