//! The handlers.

use super::dto::{ListQuery, OrderView, PageView, PlaceOrder};
use super::request;
use crate::domain::{Item, UserId};
use crate::placing::{Orders, PlaceError, Wish};
use crate::store::StoreError;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use service_kit::json;
use service_kit::problem::{Problem, ProblemResult};
use service_kit::telemetry::chain;
use service_kit::trace::TraceContext;

/// How soon a client may try again, in seconds.
const RETRY_AFTER: u64 = 2;

pub(super) async fn place(
    req: HttpRequest,
    payload: web::Payload,
    orders: web::Data<Orders>,
) -> ProblemResult<HttpResponse> {
    let user = request::user_id(&req)?;
    let key = request::idempotency_key(&req)?;
    let body: PlaceOrder = json::body(&req, payload).await?;
    let item = Item::parse(body.product_id, body.qty, body.unit_price).map_err(request::broken_rule)?;
    let trace = TraceContext::from_request(&req);
    let order =
        orders.place(Wish { user, item, key }, &trace).await.map_err(|error| refused(error, &trace))?;
    let location = format!("/orders/{}", order.order_id);
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(OrderView::from(order)))
}

pub(super) async fn of_user(
    req: HttpRequest,
    query: web::Query<ListQuery>,
    orders: web::Data<Orders>,
) -> ProblemResult<HttpResponse> {
    let user = request::user_id(&req)?;
    list(Some(&user), &query, &orders).await
}

pub(super) async fn of_all(
    query: web::Query<ListQuery>,
    orders: web::Data<Orders>,
) -> ProblemResult<HttpResponse> {
    list(None, &query, &orders).await
}

async fn list(user: Option<&UserId>, query: &ListQuery, orders: &Orders) -> ProblemResult<HttpResponse> {
    let (limit, cursor) = (request::limit(query)?, request::cursor(query)?);
    let page = orders.newest(user, cursor.as_ref(), limit).await.map_err(unreadable)?;
    Ok(HttpResponse::Ok().json(PageView::from(page)))
}

pub(super) async fn one(req: HttpRequest, orders: web::Data<Orders>) -> ProblemResult<HttpResponse> {
    let id = request::order_id(&req)?;
    match orders.order(id).await.map_err(unreadable)? {
        Some(order) => Ok(HttpResponse::Ok().json(OrderView::from(order))),
        None => {
            let detail = format!("there is no order {id}, or it has not reached the read tables yet");
            Err(Problem::not_found(detail).with_retry_after(1))
        }
    }
}

fn refused(error: PlaceError, trace: &TraceContext) -> Problem {
    let request_id = trace.request_id.as_str();
    match &error {
        PlaceError::KeyReused => {
            let detail = "Idempotency-Key was used for another order of this user; send a new key";
            Problem::unprocessable(detail).with_field("Idempotency-Key")
        }
        PlaceError::Unacknowledged { order_id, keyed, source } => {
            tracing::warn!(%order_id, request_id, reason = chain(source), "order not acknowledged");
            let advice = match keyed {
                true => "a retry with the same Idempotency-Key is safe",
                false => {
                    "look it up before you send it again, and send an Idempotency-Key to make retries safe"
                }
            };
            let detail = format!("Kafka has not acknowledged the order, its outcome is unknown; {advice}");
            Problem::unavailable(detail, RETRY_AFTER).with("orderId", order_id.to_string())
        }
        PlaceError::NotSaved { order_id, source } => {
            tracing::error!(%order_id, request_id, reason = chain(source), "order not saved");
            let detail = "the order could not be saved and was not placed; try again";
            Problem::unavailable(detail, RETRY_AFTER).with("orderId", order_id.to_string())
        }
    }
}

fn unreadable(error: StoreError) -> Problem {
    // What the watch of the database has already said is not worth a line per request.
    if !matches!(error, StoreError::KnownDown) {
        tracing::warn!(reason = chain(&error), "orders cannot be read");
    }
    let detail =
        "orders cannot be read at the moment, the database does not answer; new orders are still accepted";
    Problem::unavailable(detail, RETRY_AFTER)
}
