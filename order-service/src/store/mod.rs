//! Where orders are kept and read: in tables that all instances share (`events`), or in a file of this one (`local`).

pub mod database;
mod events;
mod instant;
mod local;
pub mod migration;
mod query;

pub use events::EventStore;
pub use local::LocalStore;

use crate::domain::{Cursor, UserId};
use contracts::Order;
use sea_orm::DbErr;
use std::time::Duration;
use uuid::Uuid;

/// The read tables have the names of the topics they are filled from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadTables {
    pub orders: String,
    pub decisions: String,
}

/// An order as reads show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOrder {
    /// A text, since anybody who may write to the topic can put any key there, and one odd row must not spoil a list.
    pub order_id: String,
    pub user_id: String,
    pub product_id: i64,
    pub qty: i32,
    pub unit_price: i64,
    pub total_price: i64,
    pub created_at: i64,
    /// The catalog's decision: `CONFIRMED` or `REJECTED`; none yet means `PLACED`.
    pub outcome: Option<String>,
    pub reason: Option<String>,
}

impl StoredOrder {
    pub const PLACED: &str = "PLACED";

    pub fn status(&self) -> &str {
        self.outcome.as_deref().unwrap_or(Self::PLACED)
    }

    pub fn cursor(&self) -> Cursor {
        Cursor { created_at: self.created_at, order_id: self.order_id.clone() }
    }
}

impl From<&Order> for StoredOrder {
    fn from(order: &Order) -> Self {
        Self {
            order_id: order.order_id.to_string(),
            user_id: order.user_id.clone(),
            product_id: order.product_id,
            qty: order.qty,
            unit_price: order.unit_price,
            total_price: order.total_price,
            created_at: order.created_at,
            outcome: None,
            reason: None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database gave no answer within {0:?}")]
    Timeout(Duration),
    #[error("the database is down")]
    KnownDown,
    #[error("the database failed")]
    Database(#[from] DbErr),
    #[error(
        "the local database {file} cannot be opened; LOCAL_DATABASE must name a file in a folder that exists"
    )]
    Local {
        file: String,
        #[source]
        source: DbErr,
    },
    #[error("an instant of a row is outside of what a database can hold: {0} ms")]
    Instant(i64),
}

/// What is known about an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyLookup {
    /// Nothing (yet): the order may be published.
    Unknown,
    /// This very order was placed before.
    Same(Box<StoredOrder>),
    /// The key belongs to another order of the user.
    Other,
}

#[derive(Debug)]
pub enum Store {
    Events(EventStore),
    Local(LocalStore),
}

impl Store {
    /// The order, or none if it is not there (yet).
    pub async fn order(&self, id: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        match self {
            Self::Events(store) => store.order(id).await,
            Self::Local(store) => store.order(id).await,
        }
    }

    /// Orders of one user or of all, newest first, after `after`.
    pub async fn newest(
        &self,
        user: Option<&UserId>,
        after: Option<&Cursor>,
        limit: u64,
    ) -> Result<Vec<StoredOrder>, StoreError> {
        match self {
            Self::Events(store) => store.newest(user, after, limit).await,
            Self::Local(store) => store.newest(user, after, limit).await,
        }
    }

    /// For how long a reader waits for an order that is not there: it may be on its way through Kafka, but never on
    /// its way into a local file.
    pub fn patience(&self) -> Duration {
        match self {
            Self::Events(_) => Duration::from_secs(2),
            Self::Local(_) => Duration::ZERO,
        }
    }
}

/// What the orders found under a key mean for the order that is about to be placed.
fn judge(id: Uuid, found: Vec<StoredOrder>) -> KeyLookup {
    let id = id.to_string();
    let any = !found.is_empty();
    match found.into_iter().find(|order| order.order_id == id) {
        Some(same) => KeyLookup::Same(Box::new(same)),
        None if any => KeyLookup::Other,
        None => KeyLookup::Unknown,
    }
}
