use super::servers::{Server, ask, ask_with, peer};
use crate::RestOptions;
use std::time::Duration;

/// A worker for which everything about `far` belongs to the worker at `url`.
fn before(url: &str) -> Server {
    let server = Server::start(RestOptions::default());
    *server.herder.far_url.lock().unwrap() = url.to_owned();
    server
}

fn text(body: &[u8]) -> &str {
    std::str::from_utf8(body).unwrap()
}

const MADE: &str = "HTTP/1.1 201 Created\r\nLocation: http://other:8083/connectors/far\r\nContent-Length: 14\r\n\r\n{\"name\":\"far\"}";

#[tokio::test]
async fn a_request_goes_on_as_it_came() {
    let (url, seen) = peer(MADE).await;
    let server = before(&url);
    let body = r#"{ "k" : 1.50 }"#;
    let headers = vec![
        ("Authorization", "Basic dXNlcjpwdw==".into()),
        ("Cookie", "private".into()),
        ("X-Connect-Authorization", "AQID".into()),
    ];
    let answer =
        ask_with(&server.url, "PUT", "/connectors/%66ar/config/?x=%2E&forward=TRUE", body, headers).await;
    let request = seen.await.unwrap();
    let (head, sent) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("PUT /connectors/%66ar/config/?forward=false&x=%2E HTTP/1.1\r\n"), "{head}");
    let head = head.to_ascii_lowercase();
    for header in [
        "authorization: basic dxnlcjpwdw==",
        "x-connect-authorization: aqid",
        "content-type: application/json",
        "accept: application/json",
        &format!("host: {}", &url["http://".len()..url.len() - 1]),
    ] {
        assert_eq!(head.matches(&format!("\r\n{header}")).count(), 1, "{header} in {head}");
    }
    assert!(!head.contains("cookie"), "{head}");
    assert_eq!(sent, body);

    assert_eq!(answer.status, 201);
    assert_eq!(answer.headers["location"], "/connectors/far");
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(text(&answer.body), r#"{"name":"far"}"#);
    server.stop().await;
}

#[tokio::test]
async fn the_first_hop_says_that_there_may_be_another() {
    let (url, seen) = peer("HTTP/1.1 204 No Content\r\n\r\n").await;
    let server = before(&url);
    let answer =
        ask(&server.url, "POST", "/connectors/far/restart?includeTasks=true&onlyFailed=true", "").await;
    assert_eq!((answer.status, text(&answer.body)), (204, ""));
    let request = seen.await.unwrap();
    let target = "POST /connectors/far/restart?forward=true&includeTasks=true&onlyFailed=true HTTP/1.1\r\n";
    assert!(request.starts_with(target), "{request}");
    server.stop().await;
}

#[tokio::test]
async fn two_hops_find_the_worker_or_nobody_does() {
    let (first, second) = (Server::start(RestOptions::default()), Server::start(RestOptions::default()));
    *first.herder.far_url.lock().unwrap() = second.url.clone();
    *second.herder.far_url.lock().unwrap() = first.url.clone();
    let answer = ask(&first.url, "DELETE", "/connectors/far", "").await;
    assert_eq!(answer.status, 409);
    assert_eq!(
        text(&answer.body),
        r#"{"error_code":409,"message":"Cannot complete request because of a conflicting operation (e.g. worker rebalance)"}"#
    );
    // Here, there, and here again.
    assert_eq!((first.herder.calls().len(), second.herder.calls().len()), (2, 1));

    let answer = ask(&second.url, "DELETE", "/connectors/far?forward=false", "").await;
    assert_eq!(answer.status, 409);
    assert_eq!((first.herder.calls().len(), second.herder.calls().len()), (2, 2));
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_large_body_goes_along() {
    let second = Server::start(RestOptions::default());
    let first = before(&second.url);
    let body = format!(r#"[{{"k":"{}"}}]"#, "v".repeat(3 << 20));
    let answer = ask(&first.url, "POST", "/connectors/far/tasks", &body).await;
    // The other one does not know `far` either, and is the second hop's end.
    assert_eq!(answer.status, 409);
    assert!(second.herder.calls()[0].len() > 3 << 20);
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn what_the_other_worker_refuses_is_refused() {
    for (said, status, expected) in [
        (
            "HTTP/1.1 404 Not Found\r\n\r\n{\"error_code\":404,\"message\":\"Unknown: \\\"x\\\"\"}",
            404,
            r#"{"error_code":404,"message":"Unknown: \"x\""}"#,
        ),
        (
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html>Ambiguous URI</html>",
            400,
            r#"{"error_code":400,"message":"HTTP 400 Bad Request from the worker at URL, without a message"}"#,
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n",
            500,
            r#"{"error_code":500,"message":"Unexpected status code when handling forwarded request: 302 from the worker at URL"}"#,
        ),
    ] {
        let (url, seen) = peer(said).await;
        let server = before(&url);
        let answer = ask(&server.url, "GET", "/connectors/far", "").await;
        assert_eq!((answer.status, text(&answer.body).replace(&url, "URL").as_str()), (status, expected));
        assert_eq!(answer.headers["content-type"], "application/json");
        seen.await.unwrap();
        server.stop().await;
    }
}

#[tokio::test]
async fn a_worker_that_cannot_be_reached_is_named() {
    let (gone, seen) = peer("").await;
    seen.abort();
    let _ = seen.await;
    let (silent, _seen) = peer("").await;
    let (garbled, _garbled_seen) = peer("what?\r\n\r\n").await;
    for (url, why) in [
        (gone.as_str(), "onnection refused"),
        (silent.as_str(), ""),
        (garbled.as_str(), ""),
        ("https://127.0.0.1:1/", "it wants https, which this worker does not speak yet"),
        ("127.0.0.1:1", "its URL does not begin with http://"),
    ] {
        let options = RestOptions { leader_patience: Duration::from_millis(300), ..RestOptions::default() };
        let server = Server::start(options);
        *server.herder.far_url.lock().unwrap() = url.to_owned();
        let answer = ask(&server.url, "GET", "/connectors/far", "").await;
        let prefix = format!(
            "{{\"error_code\":500,\"message\":\"IO Error trying to forward REST request: the worker at {url} cannot be reached: "
        );
        let body = text(&answer.body);
        assert!(answer.status == 500 && body.starts_with(&prefix) && body.contains(why), "{body}");
        server.stop().await;
    }
    let server = before("");
    let answer = ask(&server.url, "GET", "/connectors/far", "").await;
    assert_eq!(answer.status, 409);
    assert!(text(&answer.body).contains("no known leader URL"), "{}", text(&answer.body));
    server.stop().await;
}

/// The leader was killed, and another one is found.
#[tokio::test]
async fn a_request_waits_for_a_worker_that_is_there() {
    let (gone, seen) = peer("").await;
    seen.abort();
    let _ = seen.await;
    let server = before(&gone);
    let (url, body) = (server.url.clone(), r#"{"k":"v"}"#);
    let asked = tokio::spawn(async move { ask(&url, "PUT", "/connectors/far/config", body).await });
    // It has been there at least once.
    while server.herder.calls().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (there, seen) = peer(MADE).await;
    *server.herder.far_url.lock().unwrap() = there;
    assert_eq!(asked.await.unwrap().status, 201);
    let request = seen.await.unwrap();
    assert!(request.starts_with("PUT /connectors/far/config?forward=true") && request.ends_with(body));
    server.stop().await;
}

#[tokio::test]
async fn a_hop_is_bounded_in_time() {
    // Accepts, and never answers.
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", socket.local_addr().unwrap());
    let options = RestOptions { request_timeout: Duration::from_millis(50), ..RestOptions::default() };
    let server = Server::start(options);
    *server.herder.far_url.lock().unwrap() = url;
    let answer = ask(&server.url, "GET", "/connectors/far", "").await;
    assert_eq!(answer.status, 500);
    assert!(text(&answer.body).contains("no answer within"), "{}", text(&answer.body));
    server.stop().await;
}
