use crate::helpers::*;
use futures::StreamExt;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const KIB: usize = 1024;

#[actix_web::test]
async fn bodies_of_any_size_up_to_the_limit_arrive_whole() {
    let gateway = TestGateway::start(&[]).await;
    gateway.announce(&echo());
    for size in [0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 300 * KIB, KIB * KIB] {
        let body: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
        let sum: u64 = body.iter().map(|byte| u64::from(*byte)).sum();
        for chunked in [false, true] {
            let request = gateway.post("/order-service/x");
            let request = if chunked {
                let pieces: Vec<Result<Vec<u8>, std::io::Error>> =
                    body.chunks(7000).map(|piece| Ok(piece.to_vec())).collect();
                request.body(reqwest::Body::wrap_stream(futures::stream::iter(pieces)))
            } else {
                request.body(body.clone())
            };
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 200, "{size} {chunked}");
            let echo: Value = answer.json().await.unwrap();
            assert_eq!((&echo["bytes"], &echo["sum"]), (&size.into(), &sum.into()), "{size} {chunked}");
            if !chunked && size > 0 {
                assert_eq!(echoed(&echo, "content-length"), [size.to_string()]);
            }
        }
    }
}

#[actix_web::test]
async fn more_than_a_mebibyte_is_refused() {
    let gateway = TestGateway::start(&[]).await;
    gateway.announce(&echo());
    let answer = gateway.post("/order-service/x").body(vec![b'x'; KIB * KIB + 1]).send().await.unwrap();
    assert_eq!(answer.status(), 413);
    assert!(problem(answer).await["detail"].as_str().unwrap().contains("1048576 bytes"));

    // The client says nothing of the length, so it is found out on the way.
    let pieces = futures::stream::iter(0..40).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 30 * KIB]));
    let answer =
        gateway.post("/order-service/x").body(reqwest::Body::wrap_stream(pieces)).send().await.unwrap();
    assert_eq!(answer.status(), 413);
    problem(answer).await;
}

#[actix_web::test]
async fn up_to_64_kib_a_body_is_kept_for_another_attempt() {
    for (size, status, requests) in [(64 * KIB, 200, 2), (64 * KIB + 1, 502, 1)] {
        let gateway = TestGateway::start(&[]).await;
        let count = Arc::new(AtomicUsize::new(0));
        gateway.announce(&dying(count.clone(), 1).await);
        gateway.announce(&dying(count.clone(), 1).await);
        let request = gateway.post("/order-service/x").header("idempotency-key", "k").body(vec![b'x'; size]);
        let answer = request.send().await.unwrap();
        assert_eq!((answer.status().as_u16(), count.load(Ordering::SeqCst)), (status, requests), "{size}");
        if status == 200 {
            assert_eq!(answer.text().await.unwrap(), format!("request 2 with {size} bytes"));
        }
    }
}

#[actix_web::test]
async fn a_large_body_of_which_nothing_was_taken_goes_to_another_instance() {
    let gateway = TestGateway::start(&[]).await;
    gateway.announce(&nobody().await);
    gateway.announce(&echo());
    for _ in 0..5 {
        // Each time the dead instance may be the first choice again.
        for target in gateway.gateway.directory.candidates("order-service").iter() {
            target.answered();
        }
        let answer = gateway.post("/order-service/x").body(vec![b'x'; 200 * KIB]).send().await.unwrap();
        let echo: Value = answer.json().await.unwrap();
        assert_eq!(echo["bytes"], 200 * KIB);
    }
}
