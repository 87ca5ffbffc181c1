use super::*;
use actix_web::http::header;

fn client(headers: &[(&str, &str)]) -> ClientHeaders {
    let mut map = ClientHeaders::new();
    for (name, value) in headers {
        let name = header::HeaderName::try_from(*name).unwrap();
        map.append(name, header::HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    map
}

fn upstream(headers: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
    }
    map
}

/// What the upstream gets, as `name: value`, sorted; without the lines that are the same for every request.
fn sent(headers: &[(&str, &str)], peer: &str, drop_authorization: bool) -> Vec<String> {
    let trace = TraceContext::from_texts(None, Some("id"));
    let hop = Hop {
        peer: Some(peer.into()),
        scheme: "http",
        prefix: "/catalog-service",
        trace: &trace,
        drop_authorization,
    };
    let map = for_upstream(&client(headers), &hop);
    let usual = ["x-forwarded-proto: http", "x-forwarded-prefix: /catalog-service", "x-request-id: id"];
    let mut lines: Vec<String> = map
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    lines.retain(|line| !usual.contains(&line.as_str()) && !line.starts_with("traceparent: 00-"));
    assert_eq!(map.len(), lines.len() + 4, "the usual lines are there, once each: {map:?}");
    lines.sort();
    lines
}

#[test]
fn end_to_end_headers_pass_and_hop_by_hop_headers_do_not() {
    let lines = sent(
        &[
            ("host", "shop.example:8000"),
            ("accept", "a"),
            ("accept", "b"),
            ("authorization", "Bearer t"),
            ("x-text", "caf\u{e9}"),
            ("connection", "keep-alive, X-Private"),
            ("connection", " another ,"),
            ("x-private", "1"),
            ("another", "2"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("trailer", "x"),
            ("transfer-encoding", "chunked"),
            ("content-length", "3"),
            ("upgrade", "websocket"),
            ("proxy-connection", "close"),
            ("proxy-authorization", "Basic x"),
            ("expect", "100-continue"),
            ("traceparent", "broken"),
            ("x-request-id", "another id"),
        ],
        "10.0.0.1",
        false,
    );
    assert_eq!(
        lines,
        [
            "accept: a",
            "accept: b",
            "authorization: Bearer t",
            "x-forwarded-for: 10.0.0.1",
            "x-forwarded-host: shop.example:8000",
            "x-text: caf\u{e9}",
        ]
    );
}

#[test]
fn the_operator_token_stays_here() {
    let lines = sent(&[("authorization", "Bearer t")], "::1", true);
    assert_eq!(lines, ["x-forwarded-for: ::1"]);
}

#[test]
fn what_earlier_proxies_said_is_extended() {
    let trace = TraceContext::from_texts(None, None);
    let hop = Hop {
        peer: Some("::1".into()),
        scheme: "http",
        prefix: "/connect",
        trace: &trace,
        drop_authorization: true,
    };
    let map = for_upstream(
        &client(&[
            ("host", "inner:8000"),
            ("x-forwarded-for", "1.1.1.1"),
            ("x-forwarded-for", "2.2.2.2"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "shop.example"),
            ("x-forwarded-prefix", "/shop/"),
            ("forwarded", "for=1.1.1.1;proto=https"),
        ]),
        &hop,
    );
    assert_eq!(map["x-forwarded-for"], "1.1.1.1, 2.2.2.2, ::1");
    assert_eq!(map["x-forwarded-proto"], "https");
    assert_eq!(map["x-forwarded-host"], "shop.example");
    assert_eq!(map["x-forwarded-prefix"], "/shop/connect");
    assert_eq!(map["forwarded"], "for=1.1.1.1;proto=https, for=\"[::1]\";proto=http");
    assert_eq!(map["traceparent"], trace.traceparent.as_str());
}

#[test]
fn answers_lose_hop_by_hop_headers_and_get_their_locations_rewritten() {
    let answer = upstream(&[
        ("location", "/orders/1"),
        ("content-location", "http://127.0.0.1:4001/orders/1"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("etag", "\"x\""),
        ("connection", "X-Gone"),
        ("x-gone", "1"),
        ("transfer-encoding", "chunked"),
        ("content-length", "4"),
        ("x-request-id", "theirs"),
    ]);
    let headers = for_client(&answer, "/order-service", |authority| authority == "127.0.0.1:4001");
    let lines: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    assert_eq!(
        lines,
        [
            "location: /order-service/orders/1",
            "content-location: /order-service/orders/1",
            "set-cookie: a=1",
            "set-cookie: b=2",
            "etag: \"x\"",
        ]
    );
}
