//! The JSON of the REST interface.

use crate::placing::Page;
use crate::store::StoredOrder;
use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};

/// Wider types than the domain allows, so that a number out of range is told as such.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PlaceOrder {
    pub(super) product_id: i64,
    pub(super) qty: i64,
    pub(super) unit_price: i64,
}

/// Texts, so that what cannot be read as a number is told with the parameter's name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    pub(super) limit: Option<String>,
    pub(super) cursor: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderView {
    order_id: String,
    user_id: String,
    product_id: i64,
    qty: i32,
    unit_price: i64,
    total_price: i64,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    created_at: String,
}

impl From<StoredOrder> for OrderView {
    fn from(order: StoredOrder) -> Self {
        Self {
            status: order.status().to_owned(),
            order_id: order.order_id,
            user_id: order.user_id,
            product_id: order.product_id,
            qty: order.qty,
            unit_price: order.unit_price,
            total_price: order.total_price,
            reason: order.reason,
            // A row that somebody else wrote may hold an instant beyond the calendar: show the number then.
            created_at: DateTime::from_timestamp_millis(order.created_at).map_or_else(
                || order.created_at.to_string(),
                |at| at.to_rfc3339_opts(SecondsFormat::Millis, true),
            ),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageView {
    orders: Vec<OrderView>,
    next_cursor: Option<String>,
}

impl From<Page> for PageView {
    fn from(page: Page) -> Self {
        Self {
            orders: page.orders.into_iter().map(OrderView::from).collect(),
            next_cursor: page.next.map(|cursor| cursor.encode()),
        }
    }
}
