//! The story of `--check`: orders come in, things break and come back, and afterwards everybody has seen the same.

mod chaos;
mod mix;
mod observe;
mod place;
mod report;
mod verify;

use crate::plan::Settings;
use crate::processes::Processes;
use crate::progress::Progress;
use anyhow::Context as _;
use mix::{Mix, Product};
use place::Targets;
use serde_json::json;
use tokio::sync::watch;

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
    let targets = Targets { gateway: settings.gateway_url(), instances: settings.order_service_urls() };
    for product in &mix.products {
        create(http, settings, product).await?;
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

async fn create(http: &reqwest::Client, settings: &Settings, product: &Product) -> anyhow::Result<()> {
    let url = format!("{}/catalog-service/products", settings.gateway_url());
    let body = json!({
        "productId": product.id, "name": product.name, "unitPrice": product.unit_price, "qty": product.stock,
    });
    let asked = http.post(&url).bearer_auth(&settings.operator_token).json(&body);
    let answer = asked.send().await.with_context(|| format!("POST {url}"))?;
    let status = answer.status();
    anyhow::ensure!(
        status.is_success(),
        "POST {url} answered {status}: {}",
        answer.text().await.unwrap_or_default()
    );
    Ok(())
}
