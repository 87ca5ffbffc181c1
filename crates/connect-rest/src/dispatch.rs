//! From a request to its route's handler, and from the handler's result to the answer.

use crate::answer::{Failure, Refusal};
use crate::body;
use crate::call::Call;
use crate::forward;
use crate::paths;
use crate::request_log::observe;
use crate::routes::{Audience, Route, routes};
use crate::server::RestOptions;
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use connect_runtime::herder::Herder;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two tries to reach the worker that has to answer.
const PAUSE: Duration = Duration::from_millis(250);

/// What a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    Everything,
    /// All but `/admin`.
    Regular,
    /// `/admin` alone.
    Admin,
}

/// What every request needs.
pub(crate) struct Api {
    pub(crate) herder: Arc<dyn Herder>,
    pub(crate) options: RestOptions,
    surface: Surface,
}

impl Api {
    pub(crate) fn new(herder: Arc<dyn Herder>, options: RestOptions, surface: Surface) -> Self {
        Self { herder, options, surface }
    }

    fn serves(&self, route: &Route) -> bool {
        match self.surface {
            Surface::Everything => true,
            Surface::Regular => route.audience != Audience::Admin,
            Surface::Admin => route.audience == Audience::Admin,
        }
    }
}

/// Puts the API into an actix application. Routing is done here and not by actix: its router changes how names are encoded
/// before a handler sees them.
pub(crate) fn configure(api: Arc<Api>) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        let around = api.clone();
        let answering = move |request: HttpRequest, payload: Payload| {
            let api = api.clone();
            async move { answer(&api, request, payload).await }
        };
        config.service(
            web::scope("")
                .wrap(from_fn(move |request, next| observe(around.clone(), request, next)))
                .default_service(web::to(answering)),
        );
    }
}

async fn answer(api: &Api, request: HttpRequest, payload: Payload) -> HttpResponse {
    let path = request.uri().path().to_owned();
    // All methods of one path.
    let found: Vec<_> = routes()
        .filter(|route| api.serves(route))
        .filter_map(|route| Some((route, paths::matches(route.path, &path)?)))
        .collect();
    if found.is_empty() {
        return Refusal::of_http(StatusCode::NOT_FOUND).response();
    }
    let allowed = allowed(found.iter().map(|(route, _)| route.method));
    let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
    if method == Method::OPTIONS {
        return options(&request, &allowed);
    }
    let Some((route, values)) = found.into_iter().find(|(route, _)| route.method == method.as_str()) else {
        let mut response = Refusal::of_http(StatusCode::METHOD_NOT_ALLOWED).response();
        response.headers_mut().insert(header::ALLOW, allowed);
        return response;
    };
    let answered = async {
        let values = values.map_err(|paths::BadEncoding| {
            Refusal::bad_request("the path is not percent-encoded UTF-8: write a % in a name as %25")
        })?;
        call(api, route, request, payload, values).await
    };
    answered.await.unwrap_or_else(|refusal: Refusal| refusal.response())
}

async fn call(
    api: &Api,
    route: &Route,
    request: HttpRequest,
    payload: Payload,
    values: Vec<(&'static str, String)>,
) -> Result<HttpResponse, Refusal> {
    body::check_content_type(&request)?;
    if !accepts_json(&request) {
        return Err(Refusal::of_http(StatusCode::NOT_ACCEPTABLE));
    }
    let limit = if route.audience == Audience::Internal { body::INTERNAL_LIMIT } else { body::LIMIT };
    let patience = api.options.request_timeout;
    let body = within(patience, body::read(&request, payload, limit))
        .await
        .unwrap_or_else(|| Err(Refusal::of_http(StatusCode::REQUEST_TIMEOUT)))?;
    let until = Instant::now() + api.options.leader_patience;
    loop {
        let call = Call {
            herder: api.herder.clone(),
            request: request.clone(),
            body: body.clone(),
            values: values.clone(),
            health_timeout: api.options.health_timeout,
        };
        let url = match within(patience, (route.handler)(call)).await {
            Some(Ok(response)) => return Ok(response),
            Some(Err(Failure::Refused(refusal))) => return Err(refusal),
            Some(Err(Failure::Elsewhere { url })) => url,
            None => return Err(Refusal::internal("Request timed out")),
        };
        match forward::forward(&request, body.clone(), &url, patience).await {
            Ok(response) => return Ok(response),
            // The herder is asked again: it will know of another worker when the group has missed this one.
            Err(failed) if failed.nobody_there && Instant::now() + PAUSE < until => sleep(PAUSE).await,
            Err(failed) => return Err(failed.refusal),
        }
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}

/// The `Allow` header: the methods of the path's routes, and what comes with them.
fn allowed<'a>(methods: impl Iterator<Item = &'a str>) -> header::HeaderValue {
    let mut all: Vec<_> = methods.collect();
    if all.contains(&"GET") {
        all.push("HEAD");
    }
    all.push("OPTIONS");
    all.sort_unstable();
    header::HeaderValue::from_str(&all.join(", ")).unwrap_or(header::HeaderValue::from_static(""))
}

/// Which methods a path has: in the header, and for who takes plain text in the body, too.
fn options(request: &HttpRequest, allowed: &header::HeaderValue) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::ALLOW, allowed.clone()));
    if accepts(request, "text", "plain") {
        response.content_type("text/plain").body(allowed.as_bytes().to_vec())
    } else {
        response.content_type("application/json").finish()
    }
}

fn accepts_json(request: &HttpRequest) -> bool {
    accepts(request, "application", "json")
}

fn accepts(request: &HttpRequest, ty: &str, subtype: &str) -> bool {
    let mut ranges = request
        .headers()
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
        .peekable();
    ranges.peek().is_none()
        || ranges.any(|range| {
            let (wanted, sub) = range.split_once('/').unwrap_or((&range, ""));
            range.is_empty() || range == "*/*" || (wanted == ty && (sub == "*" || sub == subtype))
        })
}
