//! The statements over the orders table, for either store. Tables have names known only at run time, so these are
//! built, not derived from entities.

use super::database::Engine;
use super::{ReadTables, StoreError, StoredOrder, instant};
use crate::domain::{Cursor, IdempotencyKey, UserId};
use sea_orm::sea_query::{Alias, Cond, Expr, ExprTrait, IntoCondition, Order, Query, SelectStatement};
use sea_orm::{DbErr, QueryResult};
use uuid::Uuid;

const ORDER: &str = "o";
const DECISION: &str = "d";

/// The columns of the orders table that reads show, and of the decisions table.
const ORDER_COLUMNS: [&str; 7] =
    ["order_id", "user_id", "product_id", "qty", "unit_price", "total_price", "created_at"];
const DECISION_COLUMNS: [&str; 2] = ["outcome", "reason"];

fn order_column(name: &str) -> Expr {
    Expr::col((Alias::new(ORDER), Alias::new(name)))
}

/// Orders, with their decisions if there is a table of them.
pub(super) fn select(orders: &str, decisions: Option<&str>) -> SelectStatement {
    let mut select = Query::select();
    select.from_as(Alias::new(orders), Alias::new(ORDER));
    for column in ORDER_COLUMNS {
        select.column((Alias::new(ORDER), Alias::new(column)));
    }
    if let Some(decisions) = decisions {
        let decision = |name: &str| (Alias::new(DECISION), Alias::new(name));
        for column in DECISION_COLUMNS {
            select.column(decision(column));
        }
        let same_order = order_column("order_id").equals(decision("order_id"));
        select.join_as(sea_orm::JoinType::LeftJoin, Alias::new(decisions), Alias::new(DECISION), same_order);
    }
    select
}

pub(super) fn with_id(mut select: SelectStatement, id: Uuid) -> SelectStatement {
    select.and_where(order_column("order_id").eq(id.to_string())).take()
}

pub(super) fn with_key(mut select: SelectStatement, user: &UserId, key: &IdempotencyKey) -> SelectStatement {
    select
        .and_where(order_column("user_id").eq(user.as_str()))
        .and_where(order_column("idempotency_key").eq(key.as_str()))
        .take()
}

pub(super) fn newest(
    mut select: SelectStatement,
    engine: Engine,
    user: Option<&UserId>,
    after: Option<&Cursor>,
    limit: u64,
) -> Result<SelectStatement, StoreError> {
    if let Some(user) = user {
        select.and_where(order_column("user_id").eq(user.as_str()));
    }
    if let Some(after) = after {
        // The first half is implied by the second; it is there so that the index is entered at the right place.
        let instant = instant::to_value(engine, after.created_at)?;
        let earlier = order_column("created_at").lt(instant.clone());
        let same_instant_smaller_id = order_column("order_id").lt(after.order_id.as_str());
        select.and_where(order_column("created_at").lte(instant));
        select.cond_where(Cond::any().add(earlier).add(same_instant_smaller_id).into_condition());
    }
    select
        .order_by((Alias::new(ORDER), Alias::new("created_at")), Order::Desc)
        .order_by((Alias::new(ORDER), Alias::new("order_id")), Order::Desc)
        .limit(limit);
    Ok(select)
}

/// Fails, and says why, unless both read tables can be read.
pub(super) fn probe(tables: &ReadTables) -> SelectStatement {
    select(&tables.orders, Some(&tables.decisions)).limit(1).take()
}

pub(super) fn read(engine: Engine, row: &QueryResult, decided: bool) -> Result<StoredOrder, DbErr> {
    let (outcome, reason) =
        if decided { (row.try_get("", "outcome")?, row.try_get("", "reason")?) } else { (None, None) };
    Ok(StoredOrder {
        order_id: row.try_get("", "order_id")?,
        user_id: row.try_get("", "user_id")?,
        product_id: row.try_get("", "product_id")?,
        qty: row.try_get("", "qty")?,
        unit_price: row.try_get("", "unit_price")?,
        total_price: row.try_get("", "total_price")?,
        created_at: instant::read(engine, row, "created_at")?,
        outcome,
        reason,
    })
}
