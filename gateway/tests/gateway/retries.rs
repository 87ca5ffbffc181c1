use crate::helpers::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[actix_web::test]
async fn without_an_instance_the_client_is_told_what_to_do() {
    let gateway = TestGateway::start(&[]).await;
    for (path, service) in
        [("/order-service/orders/1", "order-service"), ("/catalog-service/products", "catalog-service")]
    {
        let answer = gateway.get(path).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["retry-after"]),
            (503, &"2".parse().unwrap())
        );
        let problem = problem(answer).await;
        assert_eq!(problem["service"], service);
        assert!(problem["detail"].as_str().unwrap().contains(service));
    }
    let answer = gateway.get("/connect/").bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(problem(answer).await["detail"].as_str().unwrap().contains("CONNECT_URLS"));
}

#[actix_web::test]
async fn an_instance_that_refuses_is_passed_over_whatever_the_request() {
    let gateway = TestGateway::start(&[]).await;
    gateway.announce(&nobody().await);
    gateway.announce(&echo());
    for _ in 0..10 {
        assert_eq!(gateway.post("/order-service/x").body("one").send().await.unwrap().status(), 200);
        assert_eq!(gateway.get("/order-service/x").send().await.unwrap().status(), 200);
    }
    let states: Vec<_> = gateway
        .gateway
        .directory
        .candidates("order-service")
        .iter()
        .map(|t| t.is_aside(Instant::now()))
        .collect();
    assert_eq!(states.iter().filter(|aside| **aside).count(), 1, "the dead one is put aside");
}

#[actix_web::test]
async fn when_all_refuse_nothing_was_sent() {
    let gateway = TestGateway::start(&[]).await;
    gateway.announce(&nobody().await);
    gateway.announce(&nobody().await);
    let answer = gateway.post("/order-service/x").body("one").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"2".parse().unwrap()));
    assert!(problem(answer).await["detail"].as_str().unwrap().contains("nothing was sent"));
}

#[actix_web::test]
async fn what_may_have_been_carried_out_is_repeated_only_if_that_is_safe() {
    for (method, key, status, requests) in [
        ("POST", false, 502, 1),
        ("PATCH", false, 502, 1),
        ("POST", true, 200, 2),
        ("GET", false, 200, 2),
        ("PUT", false, 200, 2),
        ("DELETE", false, 200, 2),
    ] {
        let gateway = TestGateway::start(&[]).await;
        let count = Arc::new(AtomicUsize::new(0));
        gateway.announce(&dying(count.clone(), 1).await);
        gateway.announce(&dying(count.clone(), 1).await);
        let url = format!("{}/order-service/x", gateway.url);
        let mut request = gateway.client.request(method.parse().unwrap(), url).body("twelve bytes");
        if key {
            request = request.header("idempotency-key", "k1");
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {key}");
        assert_eq!(count.load(Ordering::SeqCst), requests, "{method} {key}");
        if status == 200 {
            assert_eq!(answer.text().await.unwrap(), "request 2 with 12 bytes", "{method} {key}");
        } else {
            let detail = problem(answer).await["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains("may have been carried out"), "{detail}");
        }
    }
}

#[actix_web::test]
async fn three_instances_are_enough() {
    let gateway = TestGateway::start(&[]).await;
    let count = Arc::new(AtomicUsize::new(0));
    for _ in 0..5 {
        gateway.announce(&dying(count.clone(), usize::MAX).await);
    }
    let answer = gateway.get("/order-service/x").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), count.load(Ordering::SeqCst)), (502, 3));
    problem(answer).await;
}

#[actix_web::test]
async fn a_busy_instance_is_replaced_once_for_requests_that_may_be_repeated() {
    for (key, busy, requests) in [(false, 3, 1), (true, 3, 2)] {
        let gateway = TestGateway::start(&[]).await;
        let mut counts = Vec::new();
        for _ in 0..busy {
            let (url, count) = always(503);
            gateway.announce(&url);
            counts.push(count);
        }
        let mut request = gateway.post("/order-service/x").body("b");
        if key {
            request = request.header("idempotency-key", "k1");
        }
        let answer = request.send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.text().await.unwrap().as_str()),
            (503, "answer 503 Service Unavailable")
        );
        assert_eq!(counts.iter().map(|count| count.load(Ordering::SeqCst)).sum::<usize>(), requests);
    }
    let gateway = TestGateway::start(&[]).await;
    gateway.announce(&always(503).0);
    gateway.announce(&echo());
    for _ in 0..10 {
        assert_eq!(gateway.get("/order-service/x").send().await.unwrap().status(), 200);
    }
}

#[actix_web::test]
async fn other_errors_of_a_service_are_its_answer() {
    for status in [500, 502, 504, 429] {
        let gateway = TestGateway::start(&[]).await;
        let (one, first) = always(status);
        let (two, second) = always(status);
        gateway.announce(&one);
        gateway.announce(&two);
        assert_eq!(gateway.get("/order-service/x").send().await.unwrap().status(), status);
        assert_eq!(first.load(Ordering::SeqCst) + second.load(Ordering::SeqCst), 1, "{status}");
    }
}

#[actix_web::test]
async fn a_503_is_passed_on_when_the_next_attempt_brings_nothing_better() {
    let gateway = TestGateway::start(&[]).await;
    gateway.announce(&always(503).0);
    gateway.announce(&nobody().await);
    for _ in 0..5 {
        let answer = gateway.get("/order-service/x").send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.text().await.unwrap().as_str()),
            (503, "answer 503 Service Unavailable")
        );
    }
}

#[actix_web::test]
async fn an_instance_that_dawdles_is_a_timeout() {
    let gateway = TestGateway::start(&[]).await;
    gateway.announce(
        &raw(|mut socket| async move {
            read_request(&mut socket).await;
            tokio::time::sleep(Duration::from_secs(30)).await;
        })
        .await,
    );
    let started = Instant::now();
    let answer = gateway.post("/order-service/x").send().await.unwrap();
    assert_eq!(answer.status(), 504);
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(problem(answer).await["detail"].as_str().unwrap().contains("order-service"));
}

#[actix_web::test]
async fn an_instance_that_talks_nonsense_is_a_bad_gateway() {
    let gateway = TestGateway::start(&[]).await;
    gateway.announce(
        &raw(|mut socket| async move {
            read_request(&mut socket).await;
            let _ = tokio::io::AsyncWriteExt::write_all(&mut socket, b"SSH-2.0-OpenSSH\r\n\r\n").await;
        })
        .await,
    );
    let answer = gateway.post("/order-service/x").send().await.unwrap();
    assert_eq!(answer.status(), 502);
    problem(answer).await;
}
