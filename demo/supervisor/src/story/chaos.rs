//! What goes wrong in the story: three processes are killed while orders come in, and started again a little later.

use crate::plan::{CATALOG, ORDER_SERVICES, Settings, WORKER};
use crate::processes::Processes;
use crate::progress::Progress;
use crate::startup;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

const VICTIMS: [&str; 3] = [ORDER_SERVICES[0], CATALOG, WORKER];
/// They stay away this long at least, and at most: a client that waits for the killed instance must not wait for ever.
const AWAY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(5));

/// Kills at a third of the orders, starts again at two thirds.
pub(crate) async fn run(
    settings: &Settings,
    processes: &mut Processes,
    http: &reqwest::Client,
    progress: Progress,
    mut accepted: watch::Receiver<usize>,
    orders: usize,
) -> anyhow::Result<()> {
    // an error means that the placing is over, and with it the reason to wait
    let _ = accepted.wait_for(|count| *count >= orders / 3).await;
    for name in VICTIMS {
        processes.kill(name).await?;
        progress.step("kill -9", name);
    }
    sleep(AWAY.0).await;
    let _ = timeout(AWAY.1 - AWAY.0, accepted.wait_for(|count| *count >= orders * 2 / 3)).await;
    progress.step("start again", &VICTIMS.join(", "));
    startup::start_again(settings, processes, http, progress, &VICTIMS).await
}
