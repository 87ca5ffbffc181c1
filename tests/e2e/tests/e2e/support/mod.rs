//! What several tests need around the binaries.

pub(crate) mod database;
pub(crate) mod folder;
pub(crate) mod jdbc;
pub(crate) mod jdbc_source;
pub(crate) mod platform;
pub(crate) mod random;
pub(crate) mod worker;

use serde_json::Value;
use std::time::Duration;

/// Long enough for a busy two-core machine; every wait ends as soon as its condition holds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

/// Sends one request; an answer that is no JSON comes back as a string, an empty one as null.
pub(crate) async fn send(request: reqwest::RequestBuilder) -> anyhow::Result<Answer> {
    let response = request.timeout(Duration::from_secs(30)).send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await?;
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    };
    Ok(Answer { status, headers, body })
}

pub(crate) async fn get(url: impl AsRef<str>) -> anyhow::Result<Answer> {
    send(reqwest::Client::new().get(url.as_ref())).await
}

pub(crate) async fn post(url: impl AsRef<str>, body: &Value) -> anyhow::Result<Answer> {
    send(reqwest::Client::new().post(url.as_ref()).json(body)).await
}
