//! The story of `--check`: orders come in, things break and come back, and afterwards everybody has seen the same.

mod chaos;
mod mix;
mod observe;
mod place;
pub mod remote;
mod report;
mod verify;

use crate::plan::Settings;
use crate::processes::Processes;
use crate::progress::Progress;
use anyhow::Context as _;
use mix::{Mix, Product};
use place::Targets;
use serde_json::json;
use std::time::Duration;
use tokio::sync::watch;

/// Orders are spread over this time at least, so that things can break in the middle.
const STRETCH: Duration = Duration::from_secs(8);

/// Runs it on a platform that is up. True if it held.
pub(crate) async fn tell(
    settings: &Settings,
    processes: &mut Processes,
    http: &reqwest::Client,
    progress: Progress,
    orders: u32,
    seed: u64,
) -> anyhow::Result<bool> {
    let mix = Mix::new(orders, seed);
    let targets = Targets {
        gateway: settings.gateway_url(),
        instances: settings.order_service_urls(),
        stretch: STRETCH,
    };
    for product in &mix.products {
        create(http, &targets.gateway, &settings.operator_token, product).await?;
    }
    progress.step("placing orders", &format!("{orders}, of the mix --seed {seed}"));

    let (count, accepted) = watch::channel(0);
    let broken = chaos::run(settings, processes, http, progress, accepted, mix.orders().count());
    let (placed, broken) = tokio::join!(place::all(http, &targets, &mix, count), broken);
    broken?;
    let placed = placed?;
    let detail = format!("{} orders, {} requests were retried", placed.accepted.len(), placed.retries);
    progress.step("accepted", &detail);

    observe::settled(settings, placed.accepted.len()).await?;
    progress.step("settled", "comparing");
    let observed = observe::everything(settings, http, &targets, &mix, placed).await?;
    let comparison = verify::compare(&observed);
    println!("\n{}", report::table(&comparison));
    Ok(comparison.held())
}

async fn create(
    http: &reqwest::Client,
    gateway: &str,
    operator_token: &str,
    product: &Product,
) -> anyhow::Result<()> {
    let url = format!("{gateway}/catalog-service/products");
    let body = json!({
        "productId": product.id, "name": product.name, "unitPrice": product.unit_price, "qty": product.stock,
    });
    let asked = http.post(&url).bearer_auth(operator_token).json(&body);
    let answer = asked.send().await.with_context(|| format!("POST {url}"))?;
    let status = answer.status();
    anyhow::ensure!(
        status.is_success(),
        "POST {url} answered {status}: {}",
        answer.text().await.unwrap_or_default()
    );
    Ok(())
}
