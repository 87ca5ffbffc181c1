//! The client of the story: places the mix through the gateway, and retries as a good client does, with the same
//! `Idempotency-Key` for as long as the outcome is unknown.

use super::mix::{InvalidStep, Mix, OrderStep, Step};
use anyhow::Context as _;
use futures::channel::mpsc;
use futures::{StreamExt as _, stream};
use reqwest::StatusCode;
use serde::Deserialize;
use std::cell::Cell;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// Where to send what.
pub(crate) struct Targets {
    pub(crate) gateway: String,
    /// Where an order is repeated: the instances, or twice the way through the gateway.
    pub(crate) instances: [String; 2],
    /// How long placing takes at least.
    pub(crate) stretch: Duration,
}

/// What the client knows when it is done.
#[derive(Default)]
pub(crate) struct Placed {
    pub(crate) accepted: Vec<Accepted>,
    /// Invalid requests that were refused, as they should be.
    pub(crate) refused: usize,
    /// Repetitions under the same key that were answered with the same order.
    pub(crate) repeated: usize,
    pub(crate) retries: usize,
    /// Answers that should not have been.
    pub(crate) wrong: Vec<String>,
}

/// An order the platform has answered for: it must be everywhere, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) order_id: Uuid,
    pub(crate) step: OrderStep,
}

/// The order as the REST API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderView {
    pub(crate) order_id: Uuid,
    pub(crate) user_id: String,
    pub(crate) product_id: i64,
    pub(crate) qty: i32,
    pub(crate) unit_price: i64,
    pub(crate) total_price: i64,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
}

impl OrderView {
    pub(crate) fn shows(&self, step: &OrderStep) -> bool {
        self.user_id == step.user
            && self.product_id == step.product_id
            && self.qty == step.qty
            && self.unit_price == step.unit_price
            && self.total_price == step.unit_price * i64::from(step.qty)
    }
}

const CONCURRENCY: usize = 8;
/// After this long a client gives up on an order.
const PATIENCE: Duration = Duration::from_secs(60);

/// Places everything; `accepted` counts along.
pub(crate) async fn all(
    http: &reqwest::Client,
    targets: &Targets,
    mix: &Mix,
    accepted: watch::Sender<usize>,
) -> anyhow::Result<Placed> {
    let pause = targets.stretch * u32::try_from(CONCURRENCY)? / u32::try_from(mix.steps.len().max(1))?;
    let client = Client { http, targets, retries: Cell::new(0) };
    // apart from the orders, since a repetition to the instance that is down lasts until it is up
    let (repeat, to_repeat) = mpsc::unbounded();
    let placing = async {
        let repeat = repeat;
        let results = stream::iter(&mix.steps).map(|step| async {
            sleep(pause).await;
            let done = client.step(step).await;
            if let Ok(Done::Accepted(order)) = &done {
                accepted.send_modify(|count| *count += 1);
                if order.step.repeated {
                    // the receiver lives until this sender is gone
                    let _ = repeat.unbounded_send(order.clone());
                }
            }
            done
        });
        results.buffer_unordered(CONCURRENCY).collect::<Vec<_>>().await
    };
    let repeating = to_repeat.map(|order| client.repeat(order)).buffer_unordered(mix.steps.len());
    let (results, repeated) = tokio::join!(placing, repeating.collect::<Vec<_>>());

    let mut placed = Placed { retries: client.retries.get(), ..Placed::default() };
    for result in results {
        match result {
            Ok(Done::Accepted(order)) => placed.accepted.push(order),
            Ok(Done::Refused) => placed.refused += 1,
            Err(wrong) => placed.wrong.push(wrong),
        }
    }
    for result in repeated {
        match result {
            Ok(times) => placed.repeated += times,
            Err(wrong) => placed.wrong.push(wrong),
        }
    }
    Ok(placed)
}

enum Done {
    Accepted(Accepted),
    Refused,
}

struct Client<'a> {
    http: &'a reqwest::Client,
    targets: &'a Targets,
    retries: Cell<usize>,
}

impl Client<'_> {
    async fn step(&self, step: &Step) -> Result<Done, String> {
        match step {
            Step::Order(step) => {
                let view = self.place(&format!("{}/order-service", self.targets.gateway), step).await?;
                Ok(Done::Accepted(Accepted { order_id: view.order_id, step: step.clone() }))
            }
            Step::Invalid(step) => self.invalid(step).await.map(|()| Done::Refused),
        }
    }

    /// Sends an accepted order again, straight to each instance; one of the two is not the one that took it.
    async fn repeat(&self, order: Accepted) -> Result<usize, String> {
        let Accepted { order_id, step } = order;
        for instance in &self.targets.instances {
            let again = self.place(instance, &step).await?.order_id;
            if again != order_id {
                let key = &step.idempotency_key;
                return Err(format!("key {key}: {order_id} became {again} when repeated on {instance}"));
            }
        }
        Ok(self.targets.instances.len())
    }

    /// Sends one order until there is an answer that says what became of it.
    async fn place(&self, base: &str, step: &OrderStep) -> Result<OrderView, String> {
        let url = format!("{base}/users/{}/orders", step.user);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let asked =
                self.http.post(&url).header("Idempotency-Key", &step.idempotency_key).json(&step.body());
            let unknown = match answer(asked).await {
                Ok((status, _)) if may_retry(status) => status.to_string(),
                Ok((status, text)) => {
                    return read(status, &text, step).map_err(|error| format!("POST {url}: {error:#}"));
                }
                Err(error) => format!("{:#}", anyhow::Error::from(error)),
            };
            if Instant::now() > deadline {
                return Err(format!(
                    "POST {url}: no order after {} s; at last {unknown}",
                    PATIENCE.as_secs()
                ));
            }
            self.retries.set(self.retries.get() + 1);
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn invalid(&self, step: &InvalidStep) -> Result<(), String> {
        let url = format!("{}/order-service/users/{}/orders", self.targets.gateway, step.user);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let asked =
                self.http.post(&url).header("Content-Type", step.content_type).body(step.body.clone());
            match asked.send().await {
                Ok(answer) if answer.status().is_client_error() => return Ok(()),
                Ok(answer) if !may_retry(answer.status()) || Instant::now() > deadline => {
                    return Err(format!("{} was answered {}, not 4xx", step.what, answer.status()));
                }
                Err(error) if Instant::now() > deadline => {
                    return Err(format!("{}: {:#}", step.what, anyhow::Error::from(error)));
                }
                _ => {}
            }
            self.retries.set(self.retries.get() + 1);
            sleep(Duration::from_millis(200)).await;
        }
    }
}

/// The answers after which the outcome is unknown, or nothing was done.
fn may_retry(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

/// An answer that breaks off in its body is none.
async fn answer(asked: reqwest::RequestBuilder) -> reqwest::Result<(StatusCode, String)> {
    let answer = asked.send().await?;
    let status = answer.status();
    Ok((status, answer.text().await?))
}

fn read(status: StatusCode, text: &str, step: &OrderStep) -> anyhow::Result<OrderView> {
    anyhow::ensure!(status.is_success(), "answered {status}: {text}");
    let view: OrderView = serde_json::from_str(text).with_context(|| format!("not an order: {text}"))?;
    anyhow::ensure!(view.shows(step), "asked for {} and got {text}", step.body());
    Ok(view)
}
