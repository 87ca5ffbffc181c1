//! All requests of the API: a table for the documentation, for routing, and for whoever reads this.

mod connectors;
mod internal;
mod loggers;
mod offsets;
mod plugins;
mod state;
mod tasks;
mod topics;
mod worker;

use crate::answer::Answer;
use crate::call::Call;
use futures::future::LocalBoxFuture;

/// One method of one path.
pub struct Route {
    pub method: &'static str,
    /// `{...}` stands for one segment.
    pub path: &'static str,
    pub audience: Audience,
    /// Kafka's version that brought it, and the proposal.
    pub since: &'static str,
    /// One sentence.
    pub summary: &'static str,
    pub parameters: &'static [Parameter],
    /// The JSON that is sent; empty when there is none.
    pub body: &'static str,
    /// The answers of its own: status and meaning. [`COMMON_STATUSES`] come with every route.
    pub statuses: &'static [(u16, &'static str)],
    pub(crate) handler: Handler,
}

/// A parameter of the query.
pub struct Parameter {
    pub name: &'static str,
    pub meaning: &'static str,
}

/// For whom a route is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    Users,
    /// On `admin.listeners`.
    Admin,
    /// Other workers of the group.
    Internal,
}

pub(crate) type Handler = fn(Call) -> LocalBoxFuture<'static, Answer>;

/// What any request may be answered.
pub(crate) const COMMON_STATUSES: &[(u16, &str)] = &[
    (400, "the path is not percent-encoded UTF-8, or the body is not the JSON that is wanted"),
    (404, "there is no such path"),
    (405, "the path has no such method (`Allow` names those it has)"),
    (406, "`Accept` leaves out `application/json`"),
    (408, "the body did not arrive in time"),
    (413, "the body is larger than 1 MiB (between workers 16 MiB)"),
    (415, "there is a body, or a `Content-Type`, that is not `application/json`"),
    (500, "the worker's own fault, a time-out, or the worker that has to answer cannot be reached"),
];

/// Every route, in the order of the documentation.
pub fn routes() -> impl Iterator<Item = &'static Route> {
    let tables: [&[Route]; 9] = [
        worker::ROUTES,
        connectors::ROUTES,
        state::ROUTES,
        tasks::ROUTES,
        topics::ROUTES,
        offsets::ROUTES,
        plugins::ROUTES,
        loggers::ROUTES,
        internal::ROUTES,
    ];
    tables.into_iter().flatten()
}
