use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use contracts::registry::{Announcement, RegistryRecord};
use gateway::connect_probe::ConnectWorkers;
use gateway::discovery::Directory;
use gateway::proxy::Gateway;
use gateway::proxy::forward::{Forwarder, Timeouts};
use gateway::startup;
use gateway::status::{Board, Refresher, TopicCounter};
use gateway::upstream::BaseUrl;
use serde_json::{Value, json};
use service_kit::health::Readiness;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

pub(crate) const TOKEN: &str = "let-me-in";

/// A running gateway and what it looks into.
pub(crate) struct TestGateway {
    pub(crate) url: String,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) refresher: Refresher,
    pub(crate) client: reqwest::Client,
}

impl TestGateway {
    pub(crate) async fn start(connect_urls: &[&str]) -> Self {
        let gateway = Arc::new(Gateway {
            directory: Arc::new(Directory::default()),
            workers: Arc::new(ConnectWorkers::new(
                connect_urls.iter().map(|url| BaseUrl::parse(url).unwrap()),
            )),
            forwarder: Forwarder::new(Timeouts {
                connect: Duration::from_millis(500),
                head: Duration::from_millis(1500),
            }),
            operator_token: TOKEN.to_owned().into(),
        });
        let board = Arc::new(Board::default());
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let refresher =
            Refresher { board: board.clone(), gateway: gateway.clone(), topics: TopicCounter::none() };
        board.put(&refresher.nothing_yet());
        let shared = gateway.clone();
        let url = serve(move |cfg| startup::routes(shared.clone(), board.clone(), Readiness::new())(cfg));
        Self { url, gateway, refresher, client }
    }

    /// An instance of order-service at `url`.
    pub(crate) fn announce(&self, url: &str) {
        self.announce_as("order-service", url);
    }

    pub(crate) fn announce_as(&self, service: &str, url: &str) {
        let announcement = Announcement {
            service: service.to_owned(),
            instance: Uuid::now_v7(),
            url: url.to_owned(),
            lease_ms: 10_000,
            sequence: 1,
        };
        self.gateway.directory.apply(RegistryRecord::Announced(announcement), Instant::now());
    }

    pub(crate) fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    pub(crate) fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.url))
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.url.strip_prefix("http://").unwrap()).await.unwrap()
    }
}

/// A server on a port of its own; its URL.
pub(crate) fn serve(configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> String {
    let app = move || App::new().wrap(service_kit::trace::Propagate).configure(configure.clone());
    let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", server.addrs()[0]);
    actix_web::rt::spawn(server.run());
    url
}

/// An upstream that answers with what it received.
pub(crate) fn echo() -> String {
    serve(|cfg| {
        cfg.app_data(web::PayloadConfig::new(16 << 20)).default_service(web::to(
            async |req: HttpRequest, body: web::Bytes| {
                let headers: Vec<Value> = req
                    .headers()
                    .iter()
                    .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
                    .collect();
                HttpResponse::Ok().json(json!({
                    "method": req.method().as_str(),
                    "target": req.uri().to_string(),
                    "headers": headers,
                    "bytes": body.len(),
                    "sum": body.iter().map(|byte| u64::from(*byte)).sum::<u64>(),
                }))
            },
        ));
    })
}

/// The values of a header in what [`echo`] answered.
pub(crate) fn echoed<'a>(echo: &'a Value, name: &str) -> Vec<&'a str> {
    let headers = echo["headers"].as_array().unwrap().iter();
    headers.filter(|header| header[0] == name).map(|header| header[1].as_str().unwrap()).collect()
}

/// An upstream that answers every request with `status`, and counts them.
pub(crate) fn always(status: u16) -> (String, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let url = serve(move |cfg| {
        let counter = counter.clone();
        cfg.app_data(web::PayloadConfig::new(16 << 20)).default_service(web::to(move |_body: web::Bytes| {
            counter.fetch_add(1, Ordering::SeqCst);
            async move {
                let status = actix_web::http::StatusCode::from_u16(status).unwrap();
                HttpResponse::build(status).body(format!("answer {status}"))
            }
        }));
    });
    (url, count)
}

/// An upstream that reads a request and hangs up, for the first `dying` requests of all that share the counter; the
/// others are answered 200 with the number of the request.
pub(crate) async fn dying(counter: Arc<AtomicUsize>, dying: usize) -> String {
    raw(move |mut socket| {
        let counter = counter.clone();
        async move {
            let received = read_request(&mut socket).await;
            let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
            if number > dying {
                let body = format!("request {number} with {} bytes", received.body.len());
                answer(&mut socket, &body).await;
            }
        }
    })
    .await
}

/// A server that does with each connection what `handle` says.
pub(crate) async fn raw<F>(handle: impl Fn(TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    actix_web::rt::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            actix_web::rt::spawn(handle(socket));
        }
    });
    url
}

/// A URL at which nobody listens.
pub(crate) async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

pub(crate) struct Received {
    pub(crate) body: Vec<u8>,
}

/// Reads one request with a `Content-Length` (or none).
pub(crate) async fn read_request(socket: &mut TcpStream) -> Received {
    let (head, mut body) = read_head(socket).await;
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.trim().parse().ok())
        .unwrap_or(0usize);
    while body.len() < length {
        if socket.read_buf(&mut body).await.unwrap_or(0) == 0 {
            break;
        }
    }
    Received { body }
}

/// Reads up to the blank line; what came behind it comes too.
pub(crate) async fn read_head(socket: &mut TcpStream) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let body = bytes.split_off(end + 4);
            return (String::from_utf8(bytes).unwrap(), body);
        }
        if socket.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return (String::from_utf8_lossy(&bytes).into_owned(), Vec::new());
        }
    }
}

pub(crate) async fn answer(socket: &mut TcpStream, body: &str) {
    let text =
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let _ = socket.write_all(text.as_bytes()).await;
}

/// The problem document of an answer, checked for its form.
pub(crate) async fn problem(answer: reqwest::Response) -> Value {
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let status = answer.status().as_u16();
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["status"], status);
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 20), "{problem}");
    problem
}

pub(crate) async fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come true in 5 s");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
