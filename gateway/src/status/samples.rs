//! The last orders and the products, asked for as any client would: through the balancer.

use super::model::Problem;
use crate::ask::{AskError, ask};
use crate::proxy::Gateway;
use serde_json::Value;

/// As much as the page shows.
const ITEMS_MAX: usize = 20;

/// The list under `member` of what the service answers to a GET, or why there is none.
pub(super) async fn fetch(
    gateway: &Gateway,
    service: &str,
    path_and_query: &str,
    member: &str,
) -> Result<Vec<Value>, Problem> {
    let candidates = gateway.directory.candidates(service);
    let document: Result<Value, AskError> = ask(&gateway.forwarder, &candidates, path_and_query).await;
    match document.map(|mut document| document.get_mut(member).map(Value::take)) {
        Ok(Some(Value::Array(mut items))) => {
            items.truncate(ITEMS_MAX);
            Ok(items)
        }
        Ok(_) => Err(Problem::of(service, &AskError::Strange)),
        Err(error) => Err(Problem::of(service, &error)),
    }
}
