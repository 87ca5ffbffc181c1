//! The API from the outside: requests in, answers and calls of the herder out.

mod bodies;
mod fake_herder;
mod forwarding;
mod http;
mod peers;
mod reading;
mod servers;
mod table;
mod writing;

use crate::RestOptions;
use crate::dispatch::{Api, Surface, configure};
use actix_web::App;
use actix_web::http::header::{self, HeaderMap};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use expect_test::Expect;
use fake_herder::FakeHerder;
use std::sync::Arc;

struct Seen {
    status: u16,
    headers: HeaderMap,
    body: String,
    /// What the herder was asked to change.
    calls: Vec<String>,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

async fn answer_with(options: RestOptions, request: TestRequest) -> Seen {
    let herder = Arc::new(FakeHerder::default());
    let api = Arc::new(Api::new(herder.clone(), options, Surface::Everything));
    let app = init_service(App::new().configure(configure(api))).await;
    let response = call_service(&app, request.to_request()).await;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = String::from_utf8(read_body(response).await.to_vec()).unwrap();
    Seen { status, headers, body, calls: herder.calls() }
}

/// The answer as text: status, the headers that matter, body, what the herder was told.
async fn answer(request: TestRequest) -> String {
    let seen = answer_with(RestOptions::default(), request).await;
    let mut text = seen.status.to_string();
    for name in ["location", "allow"] {
        if let Some(value) = seen.header(name) {
            text.push_str(&format!(" {name}={value}"));
        }
    }
    if !seen.body.is_empty() {
        assert_eq!(seen.header("content-type"), Some("application/json"));
        text.push(' ');
        text.push_str(&seen.body);
    }
    for call in seen.calls {
        text.push_str(&format!("\n    {call}"));
    }
    text
}

fn request(method: &str, uri: &str) -> TestRequest {
    TestRequest::with_uri(uri).method(method.parse().unwrap())
}

/// `METHOD path [body]`
fn parse(line: &str) -> TestRequest {
    let mut parts = line.splitn(3, ' ');
    let request = request(parts.next().unwrap(), parts.next().unwrap());
    match parts.next() {
        Some(body) => {
            request.insert_header((header::CONTENT_TYPE, "application/json")).set_payload(body.to_owned())
        }
        None => request,
    }
}

/// The expectation has the answers, line by line.
async fn check(requests: &[&str], expected: Expect) {
    let mut answers = String::new();
    for line in requests {
        answers.push_str(&format!("{line}\n  {}\n", answer(parse(line)).await));
    }
    expected.assert_eq(&answers);
}
