//! Waiting for something that another process does.

use std::fmt::Display;
use std::panic::Location;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout_at};

/// Pauses between two attempts grow to this, so that a fast answer is seen fast and a slow one is not shouted at.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Repeats `probe` until it yields `Some`, and panics when that takes longer than `timeout`.
///
/// `Ok(None)` means "not yet". `Err` means the same (a service that is starting refuses connections), and its text is kept
/// for the panic message. A probe that should stop the test at once may panic itself.
#[track_caller]
pub fn eventually<T, P>(what: impl Display, timeout: Duration, mut probe: P) -> impl Future<Output = T>
where
    P: AsyncFnMut() -> anyhow::Result<Option<T>>,
{
    let caller = Location::caller();
    async move {
        let started = Instant::now();
        let deadline = tokio::time::Instant::now() + timeout;
        let mut pause = Duration::from_millis(10);
        let mut attempts = 0_u32;
        let mut last = "no attempt was made".to_owned();
        loop {
            attempts += 1;
            match timeout_at(deadline, probe()).await {
                Ok(Ok(Some(value))) => return value,
                Ok(Ok(None)) => last = "not yet (no error)".to_owned(),
                Ok(Err(error)) => last = format!("{error:#}"),
                Err(_) => last = format!("it had not answered when time was up; the one before: {last}"),
            }
            if tokio::time::Instant::now() + pause >= deadline {
                panic!(
                    "waited {:.1} s in vain for {what} ({caller}, {attempts} attempts); last attempt: {last}",
                    started.elapsed().as_secs_f64()
                );
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_some_ends_the_wait() {
        let mut calls = 0;
        let value = eventually("three calls", Duration::from_secs(5), async || {
            calls += 1;
            anyhow::ensure!(calls != 1, "refused");
            Ok((calls == 3).then_some(calls))
        })
        .await;
        assert_eq!(value, 3);
    }

    #[tokio::test]
    async fn in_vain_tells_what_was_awaited_where_and_the_last_error() {
        let wait = tokio::spawn(async {
            eventually::<(), _>("the row", Duration::from_millis(80), async || {
                anyhow::bail!("table is empty")
            })
            .await
        });
        let panic = wait.await.unwrap_err().into_panic();
        let text = panic.downcast_ref::<String>().unwrap();
        for part in ["the row", "table is empty", "eventually.rs"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[tokio::test]
    async fn a_probe_that_hangs_is_cut_off() {
        let wait = tokio::spawn(async {
            eventually::<(), _>("an answer", Duration::from_millis(50), async || std::future::pending().await)
                .await
        });
        let panic = wait.await.unwrap_err().into_panic();
        assert!(panic.downcast_ref::<String>().unwrap().contains("had not answered"));
    }
}
