use super::{answer_with, request};
use crate::routes::{Route, routes};
use crate::{RestOptions, paths};
use actix_web::http::header;
use std::collections::HashSet;

/// A path that the route is for.
fn example(route: &Route) -> String {
    let segment = |segment: &'static str| match segment {
        "{connector}" => "a",
        "{task}" => "0",
        "{plugin}" => "Sink",
        "{logger}" => "root",
        literal => literal,
    };
    route.path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[actix_web::test]
async fn every_route_of_the_table_is_routed() {
    for route in routes() {
        for path in [example(route), format!("{}/", example(route).trim_end_matches('/'))] {
            let request = request(route.method, &path)
                .insert_header((header::CONTENT_TYPE, "application/json"))
                .set_payload("{}");
            let seen = answer_with(RestOptions::default(), request).await;
            assert!(!seen.body.contains("HTTP 4"), "{} {path}: {} {}", route.method, seen.status, seen.body);
            assert_ne!(seen.status, 405, "{} {path}", route.method);
        }
    }
}

#[test]
fn no_request_has_two_routes() {
    let mut known = HashSet::new();
    for route in routes() {
        assert!(known.insert((route.method, route.path)), "{} {} is there twice", route.method, route.path);
        let matching = routes().filter(|other| {
            other.method == route.method && paths::matches(other.path, &example(route)).is_some()
        });
        assert_eq!(matching.count(), 1, "{} {}", route.method, route.path);
    }
}

#[actix_web::test]
async fn what_the_table_promises_is_what_is_answered() {
    for route in routes() {
        let body = match route.path {
            "/connectors" => r#"{"name":"new","config":{}}"#,
            "/connectors/{connector}/offsets" => r#"{"offsets":[{"partition":{}}]}"#,
            "/admin/loggers/{logger}" => r#"{"level":"INFO"}"#,
            _ => "{}",
        };
        let request = request(route.method, &example(route))
            .insert_header((header::CONTENT_TYPE, "application/json"))
            .set_payload(body);
        let seen = answer_with(RestOptions::default(), request).await;
        let promised = route.statuses.iter().any(|(status, _)| *status == seen.status);
        assert!(promised, "{} {}: {} {}", route.method, route.path, seen.status, seen.body);
    }
}
