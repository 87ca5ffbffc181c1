//! The story of `--check` on a platform that runs elsewhere and is reached through its gateway only. What breaks
//! meanwhile is up to the caller, who is told on standard output how far the orders are.

use super::mix::Mix;
use super::observe;
use super::place::{self, OrderView, Placed, Targets};
use super::verify::rest::{SeenByRest, compare_rest};
use super::{create, report};
use anyhow::Context as _;
use clap::Parser;
use futures::{StreamExt as _, stream};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// Places a mix of orders through a gateway and compares what the platform says of them afterwards.
///
/// It makes products of its own (900001 and up), so a platform can be told the story once.
#[derive(Clone, Debug, Parser)]
#[command(name = "gateway-story", version)]
pub struct Args {
    /// The gateway, such as http://127.0.0.1:8000.
    #[arg(long, value_name = "URL")]
    pub gateway: String,

    /// A file with the operator token, which products are made with.
    #[arg(long, value_name = "FILE")]
    pub operator_token_file: PathBuf,

    /// How many orders it places.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(20..=100_000))]
    pub orders: u32,

    /// Seed of the mix of orders; a new one each time unless given.
    #[arg(long)]
    pub seed: Option<u64>,

    /// Over how many seconds they are spread at least.
    #[arg(long, default_value_t = 30)]
    pub seconds: u64,
}

/// How long decisions and rows may take to arrive after the last order.
const PATIENCE: Duration = Duration::from_secs(120);

/// True if it held. Standard output has a line `accepted N of M` for each twentieth of the orders, then the table.
pub async fn tell(args: &Args) -> anyhow::Result<bool> {
    let http = reqwest::Client::builder()
        .timeout(Duration::from_secs(10))
        .no_proxy()
        .build()
        .context("making an HTTP client")?;
    let token = operator_token(&args.operator_token_file)?;
    let seed = args.seed.unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0 % 1_000_000);
    let gateway = args.gateway.trim_end_matches('/').to_owned();
    let through = format!("{gateway}/order-service");
    let targets = Targets {
        gateway,
        instances: [through.clone(), through],
        stretch: Duration::from_secs(args.seconds),
    };
    let mix = Mix::new(args.orders, seed);
    for product in &mix.products {
        create(&http, &targets.gateway, &token, product).await?;
    }
    println!("placing {} orders of the mix --seed {seed}", args.orders);
    let (count, accepted) = watch::channel(0);
    let (placed, ()) = tokio::join!(place::all(&http, &targets, &mix, count), tell_progress(accepted, &mix));
    let placed = placed?;
    println!("{} requests were retried; waiting until everything is decided", placed.retries);
    let answers = settled(&http, &targets, &placed).await;

    let users: BTreeSet<&str> = mix.orders().map(|step| step.user.as_str()).collect();
    let mut listed = Vec::new();
    for user in users {
        listed.extend(observe::list(&http, &targets, user).await?);
    }
    let seen = SeenByRest {
        answers,
        listed,
        stock: observe::stock_answers(&http, &targets, &mix.products).await?,
        conflict_status: observe::conflict(&http, &targets, &placed).await?,
        placed,
    };
    let comparison = compare_rest(&mix, targets.instances.len(), seen);
    println!("\n{}", report::table(&comparison));
    Ok(comparison.held())
}

fn operator_token(file: &Path) -> anyhow::Result<String> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("--operator-token-file {}", file.display()))?;
    let token = text.trim();
    anyhow::ensure!(!token.is_empty(), "--operator-token-file {} is empty", file.display());
    Ok(token.to_owned())
}

async fn tell_progress(mut accepted: watch::Receiver<usize>, mix: &Mix) {
    let orders = mix.orders().count();
    let step = (orders / 20).max(1);
    let mut next = step;
    // an error means that the placing is over
    while let Ok(count) = accepted.wait_for(|count| *count >= next).await.map(|count| *count) {
        println!("accepted {count} of {orders}");
        next = (count / step + 1) * step;
    }
}

/// Asks for every accepted order until all are decided, or until it has taken too long: what is missing then, the
/// comparison will say.
async fn settled(
    http: &reqwest::Client,
    targets: &Targets,
    placed: &Placed,
) -> Vec<(Uuid, Result<OrderView, String>)> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let ids: Vec<Uuid> = placed.accepted.iter().map(|accepted| accepted.order_id).collect();
        let asked = stream::iter(ids).map(|id| async move { (id, observe::order(http, targets, id).await) });
        let answers: Vec<_> = asked.buffer_unordered(8).collect().await;
        let decided = |(_, answer): &(Uuid, Result<OrderView, String>)| {
            answer.as_ref().is_ok_and(|view| view.status != "PLACED")
        };
        if answers.iter().all(decided) || Instant::now() > deadline {
            return answers;
        }
        sleep(Duration::from_secs(1)).await;
    }
}
