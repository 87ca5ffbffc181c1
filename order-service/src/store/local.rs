//! The problem: an instance keeps its orders in a file of its own. Saving and publishing are two writes, of which one
//! can fail, and no other instance sees what is in here. Kept to be seen, and for nothing else.

use super::database::{self, Engine};
use super::{KeyLookup, StoreError, StoredOrder, judge, migration, query};
use crate::domain::{Cursor, IdempotencyKey, UserId};
use contracts::Order;
use sea_orm::sea_query::{Alias, OnConflict, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DatabaseConnection, Value};
use std::path::Path;
use uuid::Uuid;

/// The file's one table; decisions never reach it.
const TABLE: &str = "orders";

#[derive(Debug)]
pub struct LocalStore {
    database: DatabaseConnection,
}

impl LocalStore {
    pub async fn open(file: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Local { file: file.display().to_string(), source };
        let database = database::open_file(file).await.map_err(failed)?;
        for statement in migration::orders_ddl(Engine::Sqlite, TABLE) {
            database.execute_unprepared(&statement).await.map_err(failed)?;
        }
        Ok(Self { database })
    }

    /// Saves an order; one that is there already stays as it is.
    pub async fn save(&self, order: &Order) -> Result<(), StoreError> {
        let values: [(&str, Value); 8] = [
            ("order_id", order.order_id.to_string().into()),
            ("user_id", order.user_id.as_str().into()),
            ("product_id", order.product_id.into()),
            ("qty", order.qty.into()),
            ("unit_price", order.unit_price.into()),
            ("total_price", order.total_price.into()),
            ("created_at", order.created_at.into()),
            ("idempotency_key", order.idempotency_key.clone().into()),
        ];
        let mut insert = Query::insert();
        insert
            .into_table(Alias::new(TABLE))
            .columns(values.iter().map(|(column, _)| Alias::new(*column)))
            .values_panic(values.into_iter().map(|(_, value)| value.into()))
            .on_conflict(OnConflict::column(Alias::new("order_id")).do_nothing().to_owned());
        self.database.execute(&insert).await?;
        Ok(())
    }

    pub async fn lookup(
        &self,
        user: &UserId,
        key: &IdempotencyKey,
        id: Uuid,
    ) -> Result<KeyLookup, StoreError> {
        Ok(judge(id, self.read(query::with_key(select(), user, key)).await?))
    }

    pub(super) async fn order(&self, id: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        Ok(self.read(query::with_id(select(), id)).await?.pop())
    }

    pub(super) async fn newest(
        &self,
        user: Option<&UserId>,
        after: Option<&Cursor>,
        limit: u64,
    ) -> Result<Vec<StoredOrder>, StoreError> {
        self.read(query::newest(select(), Engine::Sqlite, user, after, limit)?).await
    }

    async fn read(&self, select: SelectStatement) -> Result<Vec<StoredOrder>, StoreError> {
        let rows = self.database.query_all(&select).await?;
        Ok(rows.iter().map(|row| query::read(Engine::Sqlite, row, false)).collect::<Result<_, _>>()?)
    }
}

fn select() -> SelectStatement {
    query::select(TABLE, None)
}
