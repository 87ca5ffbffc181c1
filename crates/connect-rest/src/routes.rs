//! Which request is answered by what.

use crate::answer::{Answer, Refusal};
use crate::body;
use crate::wire::{
    self, ConnectorInfo, ConnectorStateInfo, ConnectorTaskId, Expanded, ExpandedConnectors, TaskInfo,
};
use actix_web::dev::{HttpServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource, ResponseError, guard};
use connect_runtime::herder::{Health, Herder, HerderError, Put};
use std::sync::Arc;
use std::time::Instant;

type Handle = Data<dyn Herder>;

/// Puts Connect's REST API over `herder` into an actix application.
pub fn configure(herder: Arc<dyn Herder>) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        config.service(
            web::scope("")
                .app_data(Data::from(herder))
                .wrap(from_fn(observe))
                .service(resource("", "GET, HEAD").route(get().to(server_info)))
                .service(resource("health", "GET, HEAD").route(get().to(health)))
                .service(connectors())
                .service(
                    resource("connectors/{name}", "DELETE, GET, HEAD")
                        .route(get().to(connector))
                        .route(web::delete().to(delete)),
                )
                .service(
                    resource("connectors/{name}/config", "GET, HEAD, PUT")
                        .route(get().to(config_of))
                        .route(web::put().to(put_config)),
                )
                .service(resource("connectors/{name}/status", "GET, HEAD").route(get().to(status)))
                .service(resource("connectors/{name}/tasks", "GET, HEAD").route(get().to(tasks)))
                .service(
                    resource("connectors/{name}/tasks/{task}/status", "GET, HEAD")
                        .route(get().to(task_status)),
                )
                .service(resource("connector-plugins", "GET, HEAD").route(get().to(plugins)))
                .default_service(web::to(async || -> Answer {
                    Err(Refusal::of_http(StatusCode::NOT_FOUND))
                })),
        );
    }
}

fn connectors() -> impl HttpServiceFactory {
    resource("connectors", "GET, HEAD, POST").route(get().to(list)).route(web::post().to(create))
}

/// A resource with and without a trailing slash, which answers 405 to methods it has no route for.
fn resource(path: &str, allowed: &'static str) -> Resource {
    let patterns =
        if path.is_empty() { vec!["/".to_owned()] } else { vec![format!("/{path}"), format!("/{path}/")] };
    web::resource(patterns).default_service(web::to(move || async move {
        let mut response = Refusal::of_http(StatusCode::METHOD_NOT_ALLOWED).error_response();
        response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(allowed));
        response
    }))
}

fn get() -> actix_web::Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// One line per request, never a body; and the refusal of clients that would not understand the answer.
async fn observe(
    request: ServiceRequest,
    next: Next<impl actix_web::body::MessageBody + 'static>,
) -> Result<ServiceResponse<impl actix_web::body::MessageBody>, actix_web::Error> {
    let started = Instant::now();
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let response = if accepts_json(&request) {
        next.call(request).await?.map_into_left_body()
    } else {
        let refusal = Refusal::of_http(StatusCode::NOT_ACCEPTABLE).error_response();
        request.into_response(refusal).map_into_right_body()
    };
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(%method, path, status = response.status().as_u16(), ms, "request");
    Ok(response)
}

fn accepts_json(request: &ServiceRequest) -> bool {
    let mut ranges = request
        .headers()
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
            let refused =
                parts.any(|part| matches!(part.strip_prefix("q="), Some(q) if q.parse() == Ok(0.0)));
            (essence, refused)
        })
        .peekable();
    ranges.peek().is_none()
        || ranges.any(|(essence, refused)| {
            !refused && matches!(essence.as_str(), "" | "*/*" | "application/*" | "application/json")
        })
}

async fn server_info(herder: Handle) -> Answer {
    Ok(HttpResponse::Ok().json(wire::ServerInfo::from(herder.server_info().await)))
}

async fn health(herder: Handle) -> Answer {
    let health = herder.health().await;
    let status = match health {
        Health::Healthy => StatusCode::OK,
        Health::Starting(_) => StatusCode::SERVICE_UNAVAILABLE,
        Health::Unhealthy(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Ok(HttpResponse::build(status).json(wire::WorkerStatus::from(health)))
}

fn query(request: &HttpRequest) -> Vec<(String, String)> {
    web::Query::<Vec<(String, String)>>::from_query(request.query_string())
        .map(web::Query::into_inner)
        .unwrap_or_default()
}

async fn list(request: HttpRequest, herder: Handle) -> Answer {
    let expand: Vec<String> =
        query(&request).into_iter().filter(|(key, _)| key == "expand").map(|(_, value)| value).collect();
    let names = herder.connectors().await;
    if expand.is_empty() {
        return Ok(HttpResponse::Ok().json(names));
    }
    let wants = |what: &str| expand.iter().any(|one| one == what);
    let mut connectors = ExpandedConnectors::new();
    for name in names {
        let mut expanded = Expanded::default();
        if wants("status") {
            match herder.connector_status(&name).await {
                // Deleted since the names were listed.
                Err(HerderError::NotFound(_)) => continue,
                status => expanded.status = Some(status?.into()),
            }
        }
        if wants("info") {
            match herder.connector(&name).await {
                Err(HerderError::NotFound(_)) => continue,
                info => expanded.info = Some(info?.into()),
            }
        }
        connectors.insert(name, expanded);
    }
    Ok(HttpResponse::Ok().json(connectors))
}

fn created(info: connect_runtime::herder::ConnectorInfo) -> HttpResponse {
    let location = format!("/connectors/{}", encode_segment(&info.name));
    HttpResponse::Created().insert_header((header::LOCATION, location)).json(ConnectorInfo::from(info))
}

/// Percent-encodes all but RFC 3986's unreserved characters.
fn encode_segment(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

async fn create(request: HttpRequest, payload: web::Payload, herder: Handle) -> Answer {
    let wanted = body::create_request(&request, payload).await?;
    Ok(created(herder.create_connector(&wanted.name, wanted.config, None).await?))
}

async fn connector(name: Path<String>, herder: Handle) -> Answer {
    Ok(HttpResponse::Ok().json(ConnectorInfo::from(herder.connector(name.trim()).await?)))
}

async fn delete(name: Path<String>, herder: Handle) -> Answer {
    herder.delete_connector(name.trim()).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn config_of(name: Path<String>, herder: Handle) -> Answer {
    Ok(HttpResponse::Ok().json(herder.connector(name.trim()).await?.config))
}

async fn put_config(
    name: Path<String>,
    request: HttpRequest,
    payload: web::Payload,
    herder: Handle,
) -> Answer {
    let config = body::config(&request, payload).await?;
    match herder.put_connector_config(name.trim(), config).await? {
        (Put::Created, info) => Ok(created(info)),
        (Put::Updated, info) => Ok(HttpResponse::Ok().json(ConnectorInfo::from(info))),
    }
}

async fn status(name: Path<String>, herder: Handle) -> Answer {
    Ok(HttpResponse::Ok().json(ConnectorStateInfo::from(herder.connector_status(name.trim()).await?)))
}

async fn tasks(name: Path<String>, herder: Handle) -> Answer {
    let name = name.trim();
    let configs = herder.task_configs(name).await?.into_iter();
    let info = |(task, config)| TaskInfo { id: ConnectorTaskId { connector: name.to_owned(), task }, config };
    Ok(HttpResponse::Ok().json(configs.map(info).collect::<Vec<_>>()))
}

async fn task_status(path: Path<(String, String)>, herder: Handle) -> Answer {
    let (name, task) = (path.0.trim(), &path.1);
    // The reference's path holds a number; anything else is another path.
    let number: usize = task.parse().map_err(|_| Refusal::of_http(StatusCode::NOT_FOUND))?;
    let unknown = || Refusal::not_found(format!("No status found for task {name}-{number}"));
    let status = match herder.connector_status(name).await {
        Err(HerderError::NotFound(_)) => return Err(unknown()),
        status => ConnectorStateInfo::from(status?),
    };
    let task = status.tasks.into_iter().find(|task| task.id == number).ok_or_else(unknown)?;
    Ok(HttpResponse::Ok().json(task))
}

async fn plugins(request: HttpRequest, herder: Handle) -> Answer {
    let only = query(&request).into_iter().find(|(key, _)| key == "connectorsOnly");
    // Java's Boolean.valueOf: everything but "true" is false.
    let connectors_only = only.is_none_or(|(_, value)| value.eq_ignore_ascii_case("true"));
    let plugins = herder.plugins(connectors_only).await;
    Ok(HttpResponse::Ok().json(plugins.into_iter().map(wire::PluginInfo::from).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests;
