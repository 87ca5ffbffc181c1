//! What goes wrong in the story: three processes are killed while orders come in, and started again a little later.

use crate::plan::{CATALOG, ORDER_SERVICES, Settings};
use crate::processes::Processes;
use crate::progress::Progress;
use crate::startup;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// They stay away this long at least, and at most: a client that waits for the killed instance must not wait for ever.
const AWAY: Away = (Duration::from_secs(2), Duration::from_secs(5));
/// The embedded broker removes a dead member only when another joins after its session timeout, which is 6 s for all
/// of ours; whoever joins earlier takes orders from the dead one for ever.
const AWAY_EMBEDDED: Away = (Duration::from_secs(7), Duration::from_secs(7));

type Away = (Duration, Duration);

/// Kills at a third of the orders, starts again at two thirds if that is within the time.
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
    let victims = [ORDER_SERVICES[0], CATALOG, settings.worker_names()[0]];
    for name in victims {
        processes.kill(name).await?;
        progress.step("kill -9", name);
    }
    let (least, most) = if settings.kafka.is_none() { AWAY_EMBEDDED } else { AWAY };
    sleep(least).await;
    let _ = timeout(most - least, accepted.wait_for(|count| *count >= orders * 2 / 3)).await;
    progress.step("start again", &victims.join(", "));
    startup::start_again(settings, processes, http, progress, &victims).await
}
