use super::{StoreError, StoreResult, Transaction, cannot};
use contracts::{Decision, Outcome};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

mod entity {
    use sea_orm::entity::prelude::*;

    /// Inbox and outbox in one: the row says that the order was seen, and holds what is published about it.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "decisions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub order_id: String,
        pub product_id: i64,
        pub qty: i64,
        pub outcome: String,
        pub reason: Option<String>,
        /// Milliseconds since the epoch, UTC: the same number as on the wire, so that a repetition is the same record.
        pub decided_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{ActiveModel, Column, Entity, Model};

/// A decision together with what it was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidedOrder {
    pub product_id: i64,
    pub qty: i64,
    pub decision: Decision,
}

impl TryFrom<Model> for DecidedOrder {
    type Error = StoreError;

    fn try_from(model: Model) -> StoreResult<Self> {
        let order_id = Uuid::parse_str(&model.order_id).ok();
        let outcome =
            [Outcome::Confirmed, Outcome::Rejected].into_iter().find(|o| o.as_str() == model.outcome);
        let (Some(order_id), Some(outcome)) = (order_id, outcome) else {
            return Err(StoreError::StoredDecision(model.order_id));
        };
        let Model { product_id, qty, reason, decided_at, .. } = model;
        Ok(DecidedOrder { product_id, qty, decision: Decision { order_id, outcome, reason, decided_at } })
    }
}

impl Transaction {
    /// The decisions that were made before about any of these orders.
    pub async fn decisions(
        &self,
        order_ids: impl IntoIterator<Item = Uuid>,
    ) -> StoreResult<Vec<DecidedOrder>> {
        let ids = order_ids.into_iter().map(|id| id.to_string());
        let rows = Entity::find().filter(Column::OrderId.is_in(ids)).all(&self.tx).await;
        rows.map_err(cannot("read the decisions"))?.into_iter().map(DecidedOrder::try_from).collect()
    }

    /// Stores new decisions. An order that another instance has decided meanwhile makes it fail, and with it the
    /// transaction; the next attempt will find that decision.
    pub async fn insert_decisions(&self, decided: &[DecidedOrder]) -> StoreResult<()> {
        if decided.is_empty() {
            return Ok(());
        }
        let rows = decided.iter().map(|DecidedOrder { product_id, qty, decision }| ActiveModel {
            order_id: Set(decision.order_id.to_string()),
            product_id: Set(*product_id),
            qty: Set(*qty),
            outcome: Set(decision.outcome.as_str().into()),
            reason: Set(decision.reason.clone()),
            decided_at: Set(decision.decided_at),
        });
        Entity::insert_many(rows)
            .exec_without_returning(&self.tx)
            .await
            .map_err(cannot("store the decisions"))?;
        Ok(())
    }
}
