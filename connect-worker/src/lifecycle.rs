//! From the first answer of the REST API to the end of the process; the same for both modes.

use crate::Failure;
use crate::rest::Rest;
use crate::signals::Signals;
use connect_runtime::herder::Herder;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Serves REST while `start_up` does its work, until a signal comes or something fails; then stops the herder by `shutdown`. A second
/// signal does not wait for that.
pub(crate) async fn run(
    herder: Arc<dyn Herder>,
    rest: Rest,
    mut signals: Signals,
    start_up: impl Future<Output = Result<Infallible, Failure>>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let (stop_rest, rest_stopped) = oneshot::channel::<()>();
    let serving = connect_rest::serve(rest.listening, herder, rest.options, async move {
        // A sender that is gone means the same: the end.
        let _ = rest_stopped.await;
    });
    let serving = serving.map_err(|error| Failure::Worker(format!("the REST API: {error}")))?;
    let mut served = tokio::spawn(serving);
    let result = tokio::select! {
        Err(failure) = start_up => Err(failure),
        signal = signals.next() => {
            tracing::info!(signal, "stopping");
            Ok(())
        }
        end = &mut served => Err(Failure::Worker(format!("the REST API ended by itself: {end:?}"))),
    };
    let stop = async {
        // The tasks first: until they have stopped, whoever asks shall be told so.
        shutdown.await;
        drop(stop_rest);
        if !served.is_finished() {
            let _ = served.await;
        }
    };
    tokio::select! {
        () = stop => tracing::info!("stopped"),
        signal = signals.next() => tracing::warn!(signal, "stopping at once: offsets not committed yet are read again"),
    }
    result
}
