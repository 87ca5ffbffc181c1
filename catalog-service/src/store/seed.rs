//! Sample products, with so much stock that a class can play, and one that is nearly sold out.

use super::{Insert, Store, StoreResult};
use crate::domain::Product;

const SAMPLES: &[(i64, &str, i64, i64)] = &[
    (1, "Notebook, dotted", 1_500, 100_000),
    (2, "Fountain pen", 12_000, 10_000),
    (3, "Desk lamp", 34_500, 5_000),
    (4, "Backpack", 59_000, 1_000),
    (5, "Mechanical keyboard", 129_000, 200),
    (6, "Signed first edition", 250_000, 3),
];

pub(super) async fn run(store: &Store) -> StoreResult<usize> {
    let tx = store.begin().await?;
    if tx.has_products().await? {
        return Ok(0);
    }
    let products: Vec<Product> = SAMPLES
        .iter()
        .map(|&(product_id, name, unit_price, qty)| Product {
            product_id,
            name: name.into(),
            unit_price,
            qty,
        })
        .collect();
    if tx.insert_products(&products).await? == Insert::Exists {
        // Somebody else is seeding at this moment.
        return Ok(0);
    }
    tx.commit().await?;
    Ok(products.len())
}
