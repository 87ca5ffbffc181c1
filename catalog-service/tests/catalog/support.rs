use catalog_service::domain::Product;
use catalog_service::store::{Insert, Store};
use contracts::Order;
use std::collections::BTreeMap;
use std::path::PathBuf;
use uuid::Uuid;

pub(crate) const NOW: i64 = 1_769_860_801_000;

/// A SQLite file of its own, with the tables, removed at the end.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    folder: PathBuf,
}

impl TestStore {
    pub(crate) async fn new() -> Self {
        let test = Self::without_tables().await;
        test.store.migrate().await.unwrap();
        test
    }

    pub(crate) async fn without_tables() -> Self {
        let folder = std::env::temp_dir().join(format!("catalog-test-{}", Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let url = format!("sqlite://{}/catalog.db", folder.display());
        let store = Store::eager(&url.parse().unwrap()).await.unwrap();
        Self { store, folder }
    }

    /// With products of these ids and quantities.
    pub(crate) async fn with_stock(stock: &[(i64, i64)]) -> Self {
        let test = Self::new().await;
        for &(product_id, qty) in stock {
            let product = Product { product_id, name: format!("product {product_id}"), unit_price: 10, qty };
            assert_eq!(test.store.insert_product(&product).await.unwrap(), Insert::Inserted);
        }
        test
    }

    /// Another connection pool on the same file, as another process would have it.
    pub(crate) async fn another(&self) -> Store {
        let url = format!("sqlite://{}/catalog.db", self.folder.display());
        Store::lazy(&url.parse().unwrap()).await.unwrap()
    }

    pub(crate) async fn stock(&self) -> BTreeMap<i64, i64> {
        let products = self.store.products(0, 1000).await.unwrap();
        products.into_iter().map(|product| (product.product_id, product.qty)).collect()
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The order with this number: the same number is the same order.
pub(crate) fn order(number: u128, product_id: i64, qty: i32) -> Order {
    Order {
        order_id: Uuid::from_u128(number),
        user_id: "kim".into(),
        product_id,
        qty,
        unit_price: 10,
        total_price: i64::from(qty) * 10,
        created_at: NOW - 1000,
        idempotency_key: None,
    }
}
