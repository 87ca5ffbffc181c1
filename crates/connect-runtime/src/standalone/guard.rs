//! Calls into plugins: each has a deadline and may panic without taking anything with it.

use std::any::Any;
use std::future::Future;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinHandle};

#[derive(Debug, thiserror::Error)]
pub(super) enum PluginFailure {
    #[error("the plugin did not answer within {} s", _0.as_secs_f32())]
    TimedOut(Duration),
    #[error("the plugin panicked: {0}")]
    Panicked(String),
}

/// A synchronous call, on a thread of its own kind: a plugin that blocks holds up nobody else.
pub(super) async fn call<T: Send + 'static>(
    runtime: &Handle,
    deadline: Duration,
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, PluginFailure> {
    bounded(runtime.spawn_blocking(call), deadline).await
}

/// An asynchronous call, as a task of its own.
pub(super) async fn call_async<T: Send + 'static>(
    runtime: &Handle,
    deadline: Duration,
    call: impl Future<Output = T> + Send + 'static,
) -> Result<T, PluginFailure> {
    bounded(runtime.spawn(call), deadline).await
}

async fn bounded<T>(mut handle: JoinHandle<T>, deadline: Duration) -> Result<T, PluginFailure> {
    match tokio::time::timeout(deadline, &mut handle).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(PluginFailure::Panicked(panic_text(error))),
        Err(_) => {
            handle.abort();
            Err(PluginFailure::TimedOut(deadline))
        }
    }
}

/// What a panic said.
pub(super) fn panic_text(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(payload) => payload_text(payload.as_ref()),
        Err(error) => error.to_string(),
    }
}

fn payload_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no text".to_owned())
}
