//! A request on its way to its handler.

use crate::answer::Refusal;
use crate::body;
use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web;
use bytes::Bytes;
use connect_runtime::herder::{Herder, TaskId};
use std::sync::Arc;
use std::time::Duration;

/// A request whose path and method are known, with its body read.
pub(crate) struct Call {
    pub(crate) herder: Arc<dyn Herder>,
    pub(crate) request: HttpRequest,
    pub(crate) body: Bytes,
    /// The values of the path's `{...}` segments.
    pub(crate) values: Vec<(&'static str, String)>,
    pub(crate) health_timeout: Duration,
}

impl Call {
    /// The value of a `{...}` segment of the route's own path.
    fn value(&self, name: &str) -> &str {
        let value = self.values.iter().find(|(known, _)| *known == name);
        value.map_or("", |(_, value)| value.as_str())
    }

    pub(crate) fn connector(&self) -> &str {
        self.value("connector")
    }

    pub(crate) fn plugin(&self) -> &str {
        self.value("plugin")
    }

    pub(crate) fn logger(&self) -> &str {
        self.value("logger")
    }

    pub(crate) fn task(&self) -> Result<TaskId, Refusal> {
        let text = self.value("task");
        let id = |task| TaskId { connector: self.connector().to_owned(), task };
        // The reference's path holds a number of 32 bits; anything else is another path.
        let number: i32 = text.parse().map_err(|_| Refusal::of_http(StatusCode::NOT_FOUND))?;
        usize::try_from(number).map(id).map_err(|_| {
            let connector = self.connector();
            Refusal::new(StatusCode::NOT_FOUND, format!("No status found for task {connector}-{number}"))
        })
    }

    /// The values of a query parameter, in their order.
    pub(crate) fn queries(&self, key: &str) -> Vec<String> {
        queries(&self.request).into_iter().filter(|(known, _)| known == key).map(|(_, value)| value).collect()
    }

    pub(crate) fn query(&self, key: &str) -> Option<String> {
        self.queries(key).into_iter().next()
    }

    /// Everything but `true` is false, as for Java's `Boolean.valueOf`.
    pub(crate) fn flag(&self, key: &str, default: bool) -> bool {
        match self.query(key) {
            Some(value) if !value.is_empty() => value.eq_ignore_ascii_case("true"),
            _ => default,
        }
    }

    pub(crate) fn text(&self) -> Result<&str, Refusal> {
        body::text(&self.body)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name)?.to_str().ok()
    }
}

pub(crate) fn queries(request: &HttpRequest) -> Vec<(String, String)> {
    web::Query::<Vec<(String, String)>>::from_query(request.query_string())
        .map(web::Query::into_inner)
        .unwrap_or_default()
}
