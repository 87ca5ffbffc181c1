//! Calls into plugins: each has a deadline, may panic, and may block without holding up anything else.
//!
//! Each call has a thread of its own, not one of the runtime's: the runtime has few threads for those who wait politely, and its blocking
//! ones are bounded in number and hold up its end.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinError;
use tokio::time::timeout;

/// How long plugins may take.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// A call that does no I/O.
    pub local: Duration,
    /// A call that may ask an outside system: `validate_remote`, `alter_offsets`.
    pub remote: Duration,
    /// A source's `task_configs`, which may wait for its system to come back as often as the user has allowed; nobody's request
    /// waits for it.
    pub task_configs: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        // Below the 90 s that the reference grants a request, and above what a driver takes to give up a connection.
        Self {
            local: Duration::from_secs(10),
            remote: Duration::from_secs(30),
            task_configs: Duration::from_secs(600),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum PluginFailure {
    #[error("the plugin did not answer within {} s", _0.as_secs_f32())]
    TimedOut(Duration),
    #[error("the plugin panicked: {0}")]
    Panicked(String),
    #[error("there is no thread for a call into the plugin: {0}")]
    NoThread(std::io::Error),
}

/// A synchronous call.
pub(crate) async fn call<T: Send + 'static>(
    deadline: Duration,
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, PluginFailure> {
    let (sender, receiver) = oneshot::channel();
    let work = move || {
        // Nobody listens any more when the deadline has passed.
        let _ = sender.send(catch_unwind(AssertUnwindSafe(call)));
    };
    std::thread::Builder::new().name("plugin-call".into()).spawn(work).map_err(PluginFailure::NoThread)?;
    match timeout(deadline, receiver).await {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(payload))) => Err(PluginFailure::Panicked(panic_text(payload.as_ref()))),
        Ok(Err(_)) => Err(PluginFailure::Panicked("its thread ended".into())),
        Err(_) => Err(PluginFailure::TimedOut(deadline)),
    }
}

/// An asynchronous call; it is dropped when the deadline has passed. To be called on a runtime.
pub(crate) async fn call_async<T: Send + 'static>(
    deadline: Duration,
    future: impl Future<Output = T> + Send + 'static,
) -> Result<T, PluginFailure> {
    let runtime = Handle::current();
    let bounded = move || runtime.block_on(async { timeout(deadline, future).await.ok() });
    // The inner deadline ends a future that waits, the outer one is for a future that blocks.
    let late = deadline + Duration::from_millis(100);
    match call(late, bounded).await {
        Ok(Some(value)) => Ok(value),
        Ok(None) | Err(PluginFailure::TimedOut(_)) => Err(PluginFailure::TimedOut(deadline)),
        Err(failure) => Err(failure),
    }
}

/// Why a task of the runtime that ran a plugin's future has ended early.
pub(crate) fn failure_of(error: JoinError) -> PluginFailure {
    match error.try_into_panic() {
        Ok(payload) => PluginFailure::Panicked(panic_text(payload.as_ref())),
        Err(_) => PluginFailure::Panicked("its task was ended".into()),
    }
}

/// What a panic said.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no text".to_owned())
}
