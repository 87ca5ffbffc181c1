use crate::helpers::*;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Mutex, Notify, mpsc};

#[actix_web::test]
async fn an_answer_is_passed_on_piece_by_piece() {
    let gateway = TestGateway::start(&[]).await;
    let go_on = Arc::new(Notify::new());
    let waiting = go_on.clone();
    let url = raw(move |mut socket| {
        let waiting = waiting.clone();
        async move {
            read_request(&mut socket).await;
            let _ = socket
                .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
                .await;
            waiting.notified().await;
            let _ = socket.write_all(b"6\r\nsecond\r\n0\r\n\r\n").await;
        }
    })
    .await;
    gateway.announce(&url);
    let target = gateway.gateway.directory.candidates("order-service")[0].clone();

    let mut answer = gateway.get("/order-service/x").send().await.unwrap();
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "first");
    assert_eq!(target.in_flight(), 1, "in flight until its last byte");
    go_on.notify_one();
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "second");
    assert_eq!(answer.chunk().await.unwrap(), None);
    soon("nothing in flight", || target.in_flight() == 0).await;
}

#[actix_web::test]
async fn an_answer_that_breaks_off_does_not_look_complete() {
    let gateway = TestGateway::start(&[]).await;
    let url = raw(|mut socket| async move {
        read_request(&mut socket).await;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this").await;
    })
    .await;
    gateway.announce(&url);
    let answer = gateway.get("/order-service/x").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.is_err());
    let target = gateway.gateway.directory.candidates("order-service")[0].clone();
    soon("nothing in flight", || target.in_flight() == 0).await;
}

/// An upstream that reports each piece of what it receives; it answers at the end of the stream or after `enough`.
async fn reporting(enough: usize) -> (String, mpsc::UnboundedReceiver<usize>) {
    let (report, reports) = mpsc::unbounded_channel();
    let url = raw(move |mut socket| {
        let report = report.clone();
        async move {
            let (_, body) = read_head(&mut socket).await;
            let mut bytes = body.len();
            let mut buffer = vec![0; 64 * 1024];
            while bytes < enough {
                match socket.read(&mut buffer).await {
                    Ok(n) if n > 0 => bytes += n,
                    _ => {
                        // usize::MAX: the connection ended before the body.
                        let _ = report.send(usize::MAX);
                        return;
                    }
                }
                let _ = report.send(bytes);
            }
            answer(&mut socket, "thanks").await;
        }
    })
    .await;
    (url, reports)
}

#[actix_web::test]
async fn a_large_request_arrives_before_its_end_was_sent() {
    let gateway = TestGateway::start(&[]).await;
    let (url, mut reports) = reporting(200_000).await;
    gateway.announce(&url);
    let mut socket = gateway.connect().await;
    let head =
        "POST /order-service/x HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\nconnection: close\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&vec![b'x'; 100_000]).await.unwrap();
    let arrived = async { while reports.recv().await.unwrap() < 100_000 {} };
    tokio::time::timeout(Duration::from_secs(5), arrived).await.expect("the first half arrives");
    socket.write_all(&vec![b'x'; 100_000]).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("thanks"), "{answer}");
}

#[actix_web::test]
async fn a_client_that_hangs_up_takes_the_request_with_it() {
    let gateway = TestGateway::start(&[]).await;
    let (url, reports) = reporting(usize::MAX).await;
    let reports = Mutex::new(reports);
    gateway.announce(&url);
    let mut socket = gateway.connect().await;
    let head = "POST /order-service/x HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&vec![b'x'; 100_000]).await.unwrap();
    let arrived = async { while reports.lock().await.recv().await.unwrap() < 100_000 {} };
    tokio::time::timeout(Duration::from_secs(5), arrived).await.expect("the first half arrives");
    drop(socket);
    let ended = async { while reports.lock().await.recv().await.unwrap() != usize::MAX {} };
    tokio::time::timeout(Duration::from_secs(5), ended).await.expect("the instance sees the connection end");
    let target = gateway.gateway.directory.candidates("order-service")[0].clone();
    soon("nothing in flight", || target.in_flight() == 0).await;
    assert!(!target.is_aside(std::time::Instant::now()), "it was not to blame");
}
