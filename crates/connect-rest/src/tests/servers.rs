//! Whole servers on sockets, and peers that say what a test wants.

use super::fake_herder::FakeHerder;
use crate::client::{self, Incoming, Outgoing};
use crate::{RestOptions, bind, serve};
use bytes::Bytes;
use connect_runtime::worker_config::{AdminListeners, Listener};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(super) struct Server {
    pub(super) herder: Arc<FakeHerder>,
    pub(super) url: String,
    admin: Option<SocketAddr>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

fn any_port() -> Listener {
    Listener { host: "127.0.0.1".into(), port: 0 }
}

impl Server {
    pub(super) fn start(options: RestOptions) -> Self {
        Self::with_admin(options, &AdminListeners::Same)
    }

    fn with_admin(options: RestOptions, admin: &AdminListeners) -> Self {
        let herder = Arc::new(FakeHerder::default());
        let listening = bind(&[any_port()], admin).unwrap();
        let url = format!("http://{}/", listening.addresses[0]);
        let admin = listening.admin_addresses.first().copied();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = serve(listening, herder.clone(), options, async {
            let _ = stopped.await;
        });
        Self { herder, url, admin, stop, served: tokio::spawn(served.unwrap()) }
    }

    pub(super) async fn stop(self) {
        drop(self.stop);
        self.served.await.unwrap().unwrap();
    }
}

pub(super) async fn ask(base: &str, method: &str, path: &str, body: &str) -> Incoming {
    ask_with(base, method, path, body, vec![]).await
}

pub(super) async fn ask_with(
    base: &str,
    method: &str,
    path: &str,
    body: &str,
    headers: Vec<(&'static str, Bytes)>,
) -> Incoming {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let request = Outgoing { method, base, path_and_query: path.into(), headers, body };
    client::send(request, Duration::from_secs(20)).await.unwrap()
}

/// A peer that takes one request, answers with `answer` byte for byte, and hands over what it was sent.
pub(super) async fn peer(answer: &'static str) -> (String, JoinHandle<String>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", socket.local_addr().unwrap());
    let seen = tokio::spawn(async move {
        let (mut stream, _) = socket.accept().await.unwrap();
        let mut text = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let n = stream.read(&mut chunk).await.unwrap();
            text.extend_from_slice(&chunk[..n]);
            let head = String::from_utf8_lossy(&text).to_ascii_lowercase();
            let Some(end) = head.find("\r\n\r\n") else {
                assert!(n > 0, "no request");
                continue;
            };
            let length = head
                .split("content-length: ")
                .nth(1)
                .map_or(0, |rest| rest.split("\r\n").next().unwrap().parse::<usize>().unwrap());
            if text.len() >= end + 4 + length {
                break;
            }
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(text).unwrap()
    });
    (url, seen)
}

#[tokio::test]
async fn a_head_request_has_no_body() {
    let server = Server::start(RestOptions::default());
    let answer = ask(&server.url, "HEAD", "/connectors/a", "").await;
    assert_eq!((answer.status, answer.body.as_ref()), (200, &b""[..]));
    assert!(answer.headers["content-length"].to_str().unwrap().parse::<usize>().unwrap() > 0);
    server.stop().await;
}

#[tokio::test]
async fn a_worker_that_does_not_say_how_it_is_is_unhealthy() {
    let options = RestOptions { health_timeout: Duration::from_millis(20), ..RestOptions::default() };
    let server = Server::start(options);
    server.herder.stuck.store(true, Ordering::Relaxed);
    let answer = ask(&server.url, "GET", "/health", "").await;
    assert_eq!(answer.status, 500);
    assert_eq!(
        std::str::from_utf8(&answer.body).unwrap(),
        "{\"status\":\"unhealthy\",\"message\":\"Worker was unable to handle this request and may be unable to handle other \
         requests. It has not said within 0.02 s how it is.\"}"
    );
    server.stop().await;
}

#[tokio::test]
async fn names_arrive_byte_for_byte() {
    let server = Server::start(RestOptions::default());
    for (path, name) in [
        ("/connectors/%2E%2E%2F%2e/pause", "../."),
        ("/connectors/a+b%2B%25%252F/pause", "a+b+%%2F"),
        ("/connectors/%F0%9F%98%80%20/pause", "😀 "),
    ] {
        ask(&server.url, "PUT", path, "").await;
        assert_eq!(server.herder.calls().last().unwrap(), &format!("target {name:?} Paused"));
    }
    server.stop().await;
}

#[tokio::test]
async fn the_administration_can_have_its_own_port_or_none() {
    let own = Server::with_admin(RestOptions::default(), &AdminListeners::Own(vec![any_port()]));
    let admin = format!("http://{}/", own.admin.unwrap());
    assert_eq!(ask(&own.url, "GET", "/admin/loggers", "").await.status, 404);
    assert_eq!(ask(&own.url, "GET", "/", "").await.status, 200);
    assert_eq!(ask(&admin, "GET", "/admin/loggers", "").await.status, 200);
    assert_eq!(ask(&admin, "GET", "/connectors", "").await.status, 404);
    own.stop().await;
    let off = Server::with_admin(RestOptions::default(), &AdminListeners::Off);
    assert_eq!(ask(&off.url, "GET", "/admin/loggers", "").await.status, 404);
    assert_eq!(ask(&off.url, "GET", "/", "").await.status, 200);
    off.stop().await;
}

#[tokio::test]
async fn odd_request_lines_get_an_answer() {
    let server = Server::start(RestOptions::default());
    let address = server.url["http://".len()..].trim_end_matches('/');
    for (line, status) in [
        ("OPTIONS * HTTP/1.1", "404"),
        ("GET http://elsewhere/connectors HTTP/1.1", "200"),
        ("GET /connectors?expand=%FF&=&& HTTP/1.1", "200"),
        ("GET /connectors/a/tasks/0%00/status HTTP/1.1", "404"),
        ("BREW /connectors HTTP/1.1", "405"),
        ("GET /connectors/\u{fc} HTTP/1.1", "400"),
        ("GET connectors HTTP/1.1", "404"),
        ("nonsense", "400"),
    ] {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("{line}\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{line}: {answer}");
    }
    server.stop().await;
}
