use super::{Store, StoreError, StoreResult, Transaction, cannot};
use crate::domain::{Product, Stock};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, SqlErr};

pub(super) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "products")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub product_id: i64,
        pub name: String,
        pub unit_price: i64,
        pub qty: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{ActiveModel, Column, Entity, Model};

/// What became of an insert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insert {
    Inserted,
    Exists,
}

impl From<Model> for Product {
    fn from(model: Model) -> Self {
        let Model { product_id, name, unit_price, qty } = model;
        Product { product_id, name, unit_price, qty }
    }
}

fn row(product: &Product) -> ActiveModel {
    ActiveModel {
        product_id: Set(product.product_id),
        name: Set(product.name.clone()),
        unit_price: Set(product.unit_price),
        qty: Set(product.qty),
    }
}

pub(super) async fn check<C: ConnectionTrait>(db: &C) -> StoreResult<()> {
    let one = Entity::find().select_only().column(Column::ProductId).limit(1);
    one.into_tuple::<i64>().one(db).await.map_err(cannot("read the table of products"))?;
    Ok(())
}

impl Store {
    /// Up to `limit` products with ids above `after`, in the order of ids.
    pub async fn products(&self, after: i64, limit: u64) -> StoreResult<Vec<Product>> {
        let found = Entity::find()
            .filter(Column::ProductId.gt(after))
            .order_by_asc(Column::ProductId)
            .limit(limit)
            .all(&self.db)
            .await
            .map_err(cannot("list the products"))?;
        Ok(found.into_iter().map(Product::from).collect())
    }

    pub async fn product(&self, product_id: i64) -> StoreResult<Option<Product>> {
        let found = Entity::find_by_id(product_id).one(&self.db).await.map_err(cannot("read a product"))?;
        Ok(found.map(Product::from))
    }

    pub async fn insert_product(&self, product: &Product) -> StoreResult<Insert> {
        insert(&self.db, std::slice::from_ref(product)).await
    }

    /// Replaces everything but the id; false if there is no such product.
    pub async fn update_product(&self, product: &Product) -> StoreResult<bool> {
        // MySQL can count changed or matched rows, so the row is looked for and not the count.
        let tx = self.begin().await?;
        let known = Entity::find_by_id(product.product_id).lock_exclusive().one(&tx.tx).await;
        if known.map_err(cannot("read a product"))?.is_none() {
            return Ok(false);
        }
        Entity::update_many()
            .set(row(product))
            .filter(Column::ProductId.eq(product.product_id))
            .exec(&tx.tx)
            .await
            .map_err(cannot("update a product"))?;
        tx.commit().await?;
        Ok(true)
    }
}

async fn insert<C: ConnectionTrait>(db: &C, products: &[Product]) -> StoreResult<Insert> {
    match Entity::insert_many(products.iter().map(row)).exec_without_returning(db).await {
        Ok(_) => Ok(Insert::Inserted),
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            Ok(Insert::Exists)
        }
        Err(source) => Err(StoreError::Database { action: "insert a product", source }),
    }
}

impl Transaction {
    pub(super) async fn has_products(&self) -> StoreResult<bool> {
        let one = Entity::find().select_only().column(Column::ProductId).limit(1);
        let one =
            one.into_tuple::<i64>().one(&self.tx).await.map_err(cannot("read the table of products"))?;
        Ok(one.is_some())
    }

    pub(super) async fn insert_products(&self, products: &[Product]) -> StoreResult<Insert> {
        insert(&self.tx, products).await
    }

    /// What is left of the products, locked until the end of the transaction. The locks are taken in the order of ids,
    /// so that two transactions wait for each other and do not deadlock.
    pub async fn lock_stock(&self, product_ids: &[i64]) -> StoreResult<Stock> {
        let rows = Entity::find()
            .select_only()
            .column(Column::ProductId)
            .column(Column::Qty)
            .filter(Column::ProductId.is_in(product_ids.iter().copied()))
            .order_by_asc(Column::ProductId)
            .lock_exclusive()
            .into_tuple::<(i64, i64)>()
            .all(&self.tx)
            .await
            .map_err(cannot("lock the stock"))?;
        Ok(Stock::new(rows))
    }

    /// `UPDATE products SET qty = qty - ? WHERE product_id = ? AND qty >= ?`: whatever else goes wrong, no stock ever
    /// falls below zero.
    pub async fn take_stock(&self, product_id: i64, qty: i64) -> StoreResult<()> {
        let result = Entity::update_many()
            .col_expr(Column::Qty, Expr::col(Column::Qty).sub(qty))
            .filter(Column::ProductId.eq(product_id))
            .filter(Column::Qty.gte(qty))
            .exec(&self.tx)
            .await
            .map_err(cannot("lower the stock"))?;
        if result.rows_affected != 1 {
            return Err(StoreError::StockChanged(product_id));
        }
        Ok(())
    }
}
