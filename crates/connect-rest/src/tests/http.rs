use super::{Seen, answer, answer_with, request};
use crate::{Cors, HeaderRules, RestOptions};
use actix_web::http::header;
use expect_test::expect;
use std::time::Duration;

#[actix_web::test]
async fn methods() {
    let mut answers = String::new();
    for (method, path) in [
        ("DELETE", "/connectors"),
        ("PUT", "/connectors"),
        ("TRACE", "/connectors"),
        ("POST", "/"),
        ("PUT", "/connectors/a/status"),
        ("GET", "/connectors/a/restart"),
        ("POST", "/connectors/a/config"),
        ("DELETE", "/nowhere"),
    ] {
        answers.push_str(&format!("{method} {path}\n  {}\n", answer(request(method, path)).await));
    }
    expect![[r#"
        DELETE /connectors
          405 allow=GET, HEAD, OPTIONS, POST {"error_code":405,"message":"HTTP 405 Method Not Allowed"}
        PUT /connectors
          405 allow=GET, HEAD, OPTIONS, POST {"error_code":405,"message":"HTTP 405 Method Not Allowed"}
        TRACE /connectors
          405 allow=GET, HEAD, OPTIONS, POST {"error_code":405,"message":"HTTP 405 Method Not Allowed"}
        POST /
          405 allow=GET, HEAD, OPTIONS {"error_code":405,"message":"HTTP 405 Method Not Allowed"}
        PUT /connectors/a/status
          405 allow=GET, HEAD, OPTIONS {"error_code":405,"message":"HTTP 405 Method Not Allowed"}
        GET /connectors/a/restart
          405 allow=OPTIONS, POST {"error_code":405,"message":"HTTP 405 Method Not Allowed"}
        POST /connectors/a/config
          405 allow=GET, HEAD, OPTIONS, PATCH, PUT {"error_code":405,"message":"HTTP 405 Method Not Allowed"}
        DELETE /nowhere
          404 {"error_code":404,"message":"HTTP 404 Not Found"}
    "#]]
    .assert_eq(&answers);
}

#[actix_web::test]
async fn options_name_the_methods() {
    let seen = answer_with(RestOptions::default(), request("OPTIONS", "/connectors/a/config")).await;
    assert_eq!((seen.status, seen.header("content-type")), (200, Some("text/plain")));
    assert_eq!(seen.header("allow"), Some("GET, HEAD, OPTIONS, PATCH, PUT"));
    assert_eq!(seen.body, "GET, HEAD, OPTIONS, PATCH, PUT");
    let json = request("OPTIONS", "/connectors/a/fence").insert_header((header::ACCEPT, "application/json"));
    let seen = answer_with(RestOptions::default(), json).await;
    assert_eq!((seen.status, seen.header("content-type")), (200, Some("application/json")));
    assert_eq!((seen.header("allow"), seen.body.as_str()), (Some("OPTIONS, PUT"), ""));
    assert!(answer(request("OPTIONS", "/nowhere")).await.starts_with("404 "));
}

#[actix_web::test]
async fn what_clients_accept() {
    for (accept, status) in [
        ("*/*", 200),
        ("application/json", 200),
        ("Application/*", 200),
        ("text/html, application/json;q=0.1", 200),
        ("text/html,*/*;q=0.8", 200),
        ("application/json;q=0", 200),
        ("", 200),
        ("text/html", 406),
        ("application/vnd.api+json", 406),
        ("nonsense", 406),
    ] {
        let request = request("GET", "/").insert_header((header::ACCEPT, accept));
        assert_eq!(answer_with(RestOptions::default(), request).await.status, status, "{accept}");
    }
    // A path or method that is not there is not there in any format.
    let request = |path| request("DELETE", path).insert_header((header::ACCEPT, "text/html"));
    assert!(answer(request("/nowhere")).await.starts_with("404 "));
    assert!(answer(request("/connectors")).await.starts_with("405 "));
}

fn with_cors(origins: &str, methods: &str) -> RestOptions {
    RestOptions { cors: Cors::parse(origins, methods).unwrap(), ..RestOptions::default() }
}

fn cors_headers(seen: &Seen) -> String {
    let mut headers: Vec<_> = seen
        .headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("access-control") || *name == header::VARY)
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    headers.join("; ")
}

#[actix_web::test]
async fn pages_of_other_origins() {
    let from =
        |method, origin: &'static str| request(method, "/connectors").insert_header((header::ORIGIN, origin));
    let preflight = |origin| from("OPTIONS", origin).insert_header(("Access-Control-Request-Method", "PUT"));
    let ui = "http://ui.example";
    for (options, request, expected) in [
        (RestOptions::default(), preflight(ui), ""),
        (with_cors(ui, ""), request("GET", "/connectors"), "vary: Origin"),
        (with_cors(ui, ""), from("GET", "http://evil.example"), "vary: Origin"),
        (with_cors(ui, ""), preflight("http://evil.example"), "vary: Origin"),
        (with_cors(ui, ""), from("GET", ui), "access-control-allow-origin: http://ui.example; vary: Origin"),
        (
            with_cors(ui, "GET,PUT"),
            preflight(ui),
            "access-control-allow-headers: Content-Type; access-control-allow-methods: GET,PUT; \
             access-control-allow-origin: http://ui.example; access-control-max-age: 60; vary: Origin",
        ),
        (
            with_cors("*", ""),
            preflight(ui),
            "access-control-allow-headers: Content-Type; access-control-allow-methods: GET,POST,HEAD; \
             access-control-allow-origin: http://ui.example; access-control-max-age: 60; vary: Origin",
        ),
    ] {
        let seen = answer_with(options, request).await;
        assert_eq!(seen.status, 200);
        assert_eq!(cors_headers(&seen), expected);
    }
}

#[actix_web::test]
async fn every_answer_has_the_headers_of_the_rules() {
    let rules = HeaderRules::parse("set Cache-Control: no-store, add X-Frame-Options: DENY").unwrap();
    for path in ["/", "/nowhere"] {
        let options = RestOptions { headers: rules.clone(), ..RestOptions::default() };
        let seen = answer_with(options, request("GET", path)).await;
        assert_eq!(seen.header("cache-control"), Some("no-store"));
        assert_eq!(seen.header("x-frame-options"), Some("DENY"));
    }
}

#[actix_web::test]
async fn no_request_waits_for_ever() {
    let options = RestOptions { request_timeout: Duration::from_millis(20), ..RestOptions::default() };
    let seen = answer_with(options, request("GET", "/connectors/slow")).await;
    assert_eq!(
        (seen.status, seen.body.as_str()),
        (500, r#"{"error_code":500,"message":"Request timed out"}"#)
    );
}
