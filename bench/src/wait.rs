//! Asking until the answer is there, closely enough to time it.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use testkit::Process;

/// Long for anything that is measured here: what takes longer is broken.
pub(crate) const LONG: Duration = Duration::from_secs(300);

/// Repeats `probe` until it yields `Some`. `Ok(None)` means "not yet", an error ends the wait.
///
/// The pauses are a fiftieth of the time waited so far, so that asking costs about as much of the measured time on either side and
/// blurs it by 2 % at most; at least 4 ms, so that a small machine has time for what is being measured, at most 50 ms.
pub(crate) async fn until<T>(
    what: &str,
    since: Instant,
    mut probe: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(value) = probe().await? {
            return Ok(value);
        }
        if begun.elapsed() > LONG {
            bail!("waited {} s in vain for {what}", LONG.as_secs());
        }
        let pause = since.elapsed() / 50;
        tokio::time::sleep(pause.clamp(Duration::from_millis(4), Duration::from_millis(50))).await;
    }
}

/// Does some work with a worker. When the work fails, or the worker ends meanwhile, the error shows the end of its log.
pub(crate) async fn watched<T>(
    worker: &mut Process,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let result = tokio::select! {
        result = work => result,
        ended = worker.wait_exit(10 * LONG) => ended.and_then(|status| bail!("the worker ended: {status}")),
    };
    result.with_context(|| format!("{} ends:\n{}\n", worker.log_path.display(), worker.log_tail(20)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_some_ends_the_wait_and_so_does_an_error() {
        let mut calls = 0;
        let value = until("three calls", Instant::now(), async || {
            calls += 1;
            Ok((calls == 3).then_some(calls))
        });
        assert_eq!(value.await.unwrap(), 3);
        let failed = until::<()>("nothing", Instant::now(), async || bail!("broken")).await;
        assert_eq!(failed.unwrap_err().to_string(), "broken");
    }
}
