//! Placing an order and reading orders: what happens in which sequence, for either store. Knows no HTTP.

use crate::domain::{Cursor, IdempotencyKey, Item, UserId, place};
use crate::events::{PublishError, Publisher};
use crate::store::{EventStore, KeyLookup, LocalStore, Store, StoreError, StoredOrder};
use contracts::Order;
use service_kit::trace::TraceContext;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

const POLL_EVERY: Duration = Duration::from_millis(100);

/// What a client wants, after every rule was checked.
#[derive(Clone, Debug)]
pub struct Wish {
    pub user: UserId,
    pub item: Item,
    pub key: Option<IdempotencyKey>,
}

#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    #[error("the idempotency key belongs to another order")]
    KeyReused,
    #[error("order {order_id} may or may not have been placed")]
    Unacknowledged {
        order_id: Uuid,
        keyed: bool,
        #[source]
        source: PublishError,
    },
    #[error("order {order_id} could not be saved and was not published")]
    NotSaved {
        order_id: Uuid,
        #[source]
        source: StoreError,
    },
}

/// One page of a list.
#[derive(Debug)]
pub struct Page {
    pub orders: Vec<StoredOrder>,
    pub next: Option<Cursor>,
}

/// The use cases of this service.
pub struct Orders {
    store: Store,
    publisher: Arc<dyn Publisher>,
}

impl Orders {
    pub fn new(store: Store, publisher: Arc<dyn Publisher>) -> Self {
        Self { store, publisher }
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns when the order is known to be in Kafka.
    pub async fn place(&self, wish: Wish, trace: &TraceContext) -> Result<StoredOrder, PlaceError> {
        // Time-ordered ids keep the index of the read table compact.
        let order = place(
            &wish.user,
            wish.item,
            wish.key.as_ref(),
            Uuid::now_v7(),
            chrono::Utc::now().timestamp_millis(),
        );
        match &self.store {
            Store::Events(store) => self.publish_only(store, &wish, order, trace).await,
            Store::Local(store) => self.save_and_publish(store, &wish, order, trace).await,
        }
    }

    /// One write. What the tables already show of the key only spares a record or refuses a mistake.
    async fn publish_only(
        &self,
        store: &EventStore,
        wish: &Wish,
        order: Order,
        trace: &TraceContext,
    ) -> Result<StoredOrder, PlaceError> {
        if let Some(key) = &wish.key {
            match store.lookup(&wish.user, key, order.order_id).await {
                KeyLookup::Unknown => {}
                KeyLookup::Same(known) => return Ok(*known),
                KeyLookup::Other => return Err(PlaceError::KeyReused),
            }
        }
        self.publish(&order, trace).await?;
        Ok(StoredOrder::from(&order))
    }

    /// Two writes, one after the other: a crash or a silent broker between them leaves an order in the file that
    /// nobody else ever hears of. No order of the two is right, which is the point of this mode.
    async fn save_and_publish(
        &self,
        store: &LocalStore,
        wish: &Wish,
        mut order: Order,
        trace: &TraceContext,
    ) -> Result<StoredOrder, PlaceError> {
        let order_id = order.order_id;
        let not_saved = |source| PlaceError::NotSaved { order_id, source };
        let known = match &wish.key {
            Some(key) => store.lookup(&wish.user, key, order_id).await.map_err(not_saved)?,
            None => KeyLookup::Unknown,
        };
        match known {
            KeyLookup::Other => return Err(PlaceError::KeyReused),
            // That it was saved does not say that it was published.
            KeyLookup::Same(known) => order.created_at = known.created_at,
            KeyLookup::Unknown => store.save(&order).await.map_err(not_saved)?,
        }
        self.publish(&order, trace).await?;
        Ok(StoredOrder::from(&order))
    }

    async fn publish(&self, order: &Order, trace: &TraceContext) -> Result<(), PlaceError> {
        let (order_id, keyed) = (order.order_id, order.idempotency_key.is_some());
        let result = self.publisher.publish(order, trace).await;
        result.map_err(|source| PlaceError::Unacknowledged { order_id, keyed, source })
    }

    /// Waits a while for an order that is not there yet: right after it was placed it is still on its way.
    pub async fn order(&self, id: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        let deadline = Instant::now() + self.store.patience();
        loop {
            let found = self.store.order(id).await?;
            if found.is_some() || Instant::now() + POLL_EVERY > deadline {
                return Ok(found);
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
    }

    pub async fn newest(
        &self,
        user: Option<&UserId>,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        // One more than asked for tells whether there is a next page.
        let mut orders = self.store.newest(user, after, limit as u64 + 1).await?;
        let more = orders.len() > limit;
        orders.truncate(limit);
        let next = if more { orders.last().map(StoredOrder::cursor) } else { None };
        Ok(Page { orders, next })
    }
}
