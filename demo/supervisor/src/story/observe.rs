//! Looks everywhere an order should be: the topics, both databases, the answers through the gateway.

use super::mix::{Mix, Product};
use super::place::{OrderView, Placed, Targets};
use super::verify::{Decided, Observed, OrderRow};
use crate::engines::database::{Database, Row};
use crate::engines::kafka::{self, Record};
use crate::plan::Settings;
use anyhow::Context as _;
use contracts::Fact;
use futures::{StreamExt as _, stream};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// How long the records may take to arrive everywhere.
const PATIENCE: Duration = Duration::from_secs(90);
/// The tables of the catalog's database; those of the read side are named after their topics.
const CATALOG_DECISIONS: &str = "decisions";
const CATALOG_PRODUCTS: &str = "products";

/// Waits until `orders` are decided and in the read tables, or until it has taken too long: what is missing then, the
/// comparison will say.
pub(crate) async fn settled(settings: &Settings, orders: usize) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let places: [(&Database, &str); 3] = [
        (&settings.catalog_database, CATALOG_DECISIONS),
        (&settings.orders_database, &settings.names.orders_topic),
        (&settings.orders_database, &settings.names.decisions_topic),
    ];
    loop {
        let mut arrived = true;
        for (database, table) in places {
            arrived &= database.count(table).await? >= orders;
        }
        if arrived {
            // what should not come would come now
            sleep(Duration::from_secs(2)).await;
            return Ok(());
        }
        if Instant::now() > deadline {
            return Ok(());
        }
        sleep(Duration::from_millis(500)).await;
    }
}

pub(crate) async fn everything(
    settings: &Settings,
    http: &reqwest::Client,
    targets: &Targets,
    mix: &Mix,
    placed: Placed,
) -> anyhow::Result<Observed> {
    let (bootstrap, names) = (settings.bootstrap(), &settings.names);
    let orders = kafka::read_all(&bootstrap, &names.orders_topic).await?;
    let decisions = kafka::read_all(&bootstrap, &names.decisions_topic).await?;
    let (order_records, bad_orders) = facts(&orders);
    let (decision_records, bad_decisions) = facts(&decisions);
    let mut dead_letters = 0;
    for topic in [&names.orders_dead_letters, &names.connector_dead_letters] {
        dead_letters += kafka::read_all(&bootstrap, topic).await?.len();
    }

    let ids: Vec<Uuid> = placed.accepted.iter().map(|accepted| accepted.order_id).collect();
    let answers = stream::iter(ids).map(|id| async move { (id, order(http, targets, id).await) });
    let answers = answers.buffer_unordered(8).collect().await;
    let users: BTreeSet<&str> = mix.orders().map(|step| step.user.as_str()).collect();
    let mut listed = Vec::new();
    for user in users {
        listed.extend(list(http, targets, user).await?);
    }
    Ok(Observed {
        orders_expected: mix.orders().count(),
        invalid_expected: mix.invalid().count(),
        repeated_expected: mix.orders().filter(|step| step.repeated).count() * targets.instances.len(),
        products: mix.products.clone(),
        order_records,
        decision_records,
        unreadable_records: bad_orders + bad_decisions,
        dead_letters,
        catalog_decisions: decided(&settings.catalog_database, CATALOG_DECISIONS).await?,
        order_rows: order_rows(settings).await?,
        decision_rows: decided(&settings.orders_database, &names.decisions_topic).await?,
        answers,
        listed,
        stock_rows: stock_rows(settings).await?,
        stock_answers: stock_answers(http, targets, &mix.products).await?,
        conflict_status: conflict(http, targets, &placed).await?,
        placed,
    })
}

/// The facts among the records, and how many records are none.
fn facts<F: Fact>(records: &[Record]) -> (Vec<F>, usize) {
    let read = records.iter().filter_map(|record| contracts::decode(record.value.as_deref()).ok());
    let facts: Vec<F> = read.collect();
    let bad = records.len() - facts.len();
    (facts, bad)
}

async fn decided(database: &Database, table: &str) -> anyhow::Result<Vec<Decided>> {
    let columns = ["order_id", "outcome", "reason"].map(|column| database.as_text(column)).join(", ");
    let sql = format!("SELECT {columns} FROM {table}");
    let rows = database.rows(&sql).await?;
    let read = |row: &Row| {
        Ok(Decided {
            order_id: field(row, 0)?.parse()?,
            outcome: field(row, 1)?.to_owned(),
            reason: row.get(2).cloned().flatten(),
        })
    };
    rows.iter().map(read).collect()
}

async fn order_rows(settings: &Settings) -> anyhow::Result<Vec<OrderRow>> {
    let columns = ["order_id", "user_id", "product_id", "qty", "unit_price", "total_price"];
    let columns = columns.map(|column| settings.orders_database.as_text(column)).join(", ");
    let sql = format!("SELECT {columns} FROM {}", settings.names.orders_topic);
    let read = |row: &Row| {
        Ok(OrderRow {
            order_id: field(row, 0)?.parse()?,
            user_id: field(row, 1)?.to_owned(),
            product_id: field(row, 2)?.parse()?,
            qty: field(row, 3)?.parse()?,
            unit_price: field(row, 4)?.parse()?,
            total_price: field(row, 5)?.parse()?,
        })
    };
    settings.orders_database.rows(&sql).await?.iter().map(read).collect()
}

async fn stock_rows(settings: &Settings) -> anyhow::Result<BTreeMap<i64, i64>> {
    let database = &settings.catalog_database;
    let columns = ["product_id", "qty"].map(|column| database.as_text(column)).join(", ");
    let rows = database.rows(&format!("SELECT {columns} FROM {CATALOG_PRODUCTS}")).await?;
    rows.iter().map(|row| Ok((field(row, 0)?.parse()?, field(row, 1)?.parse()?))).collect()
}

fn field(row: &Row, index: usize) -> anyhow::Result<&str> {
    row.get(index).and_then(Option::as_deref).with_context(|| format!("column {index} of {row:?} is empty"))
}

pub(super) async fn stock_answers(
    http: &reqwest::Client,
    targets: &Targets,
    products: &[Product],
) -> anyhow::Result<BTreeMap<i64, i64>> {
    #[derive(Deserialize)]
    struct View {
        qty: i64,
    }
    let mut stock = BTreeMap::new();
    for product in products {
        let url = format!("{}/catalog-service/products/{}", targets.gateway, product.id);
        stock.insert(product.id, get::<View>(http, &url).await?.qty);
    }
    Ok(stock)
}

pub(super) async fn order(http: &reqwest::Client, targets: &Targets, id: Uuid) -> Result<OrderView, String> {
    let url = format!("{}/order-service/orders/{id}", targets.gateway);
    get(http, &url).await.map_err(|error| format!("{error:#}"))
}

/// All pages of a user's orders.
pub(super) async fn list(http: &reqwest::Client, targets: &Targets, user: &str) -> anyhow::Result<Vec<Uuid>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Page {
        orders: Vec<OrderView>,
        next_cursor: Option<String>,
    }
    let first = format!("{}/order-service/users/{user}/orders?limit=7", targets.gateway);
    let mut url = first.clone();
    let mut listed = Vec::new();
    loop {
        let page: Page = get(http, &url).await?;
        listed.extend(page.orders.iter().map(|order| order.order_id));
        let Some(cursor) = page.next_cursor else { return Ok(listed) };
        anyhow::ensure!(!page.orders.is_empty(), "{url} is empty and names a next page");
        url = format!("{first}&cursor={cursor}");
    }
}

async fn get<T: for<'de> Deserialize<'de>>(http: &reqwest::Client, url: &str) -> anyhow::Result<T> {
    let answer = http.get(url).send().await.with_context(|| format!("GET {url}"))?;
    let status = answer.status();
    let text = answer.text().await.with_context(|| format!("GET {url}"))?;
    anyhow::ensure!(status.is_success(), "GET {url} answered {status}: {text}");
    serde_json::from_str(&text).with_context(|| format!("GET {url} answered {text}"))
}

/// Sends another body under a key that is in the read tables by now; it must be refused.
pub(super) async fn conflict(
    http: &reqwest::Client,
    targets: &Targets,
    placed: &Placed,
) -> anyhow::Result<u16> {
    let step = &placed.accepted.first().context("no order was accepted")?.step;
    let mut body = step.body();
    body["qty"] = (step.qty + 1).into();
    let url = format!("{}/order-service/users/{}/orders", targets.gateway, step.user);
    let asked = http.post(&url).header("Idempotency-Key", &step.idempotency_key).json(&body);
    Ok(asked.send().await.with_context(|| format!("POST {url}"))?.status().as_u16())
}
