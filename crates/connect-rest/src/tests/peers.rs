use super::servers::{Server, peer};
use crate::{RestOptions, RestPeers};
use bytes::Bytes;
use connect_runtime::ports::{PeerError, Peers};
use connect_runtime::signature::RequestSignature;
use std::time::Duration;

const BODY: Bytes = Bytes::from_static(br#"[{"k":"v"}]"#);

fn peers() -> RestPeers {
    RestPeers::new(Duration::from_secs(20))
}

#[tokio::test]
async fn task_configurations_reach_the_leader_signed() {
    let server = Server::start(RestOptions::default());
    let signature = RequestSignature::sign("HmacSHA256", b"key", &BODY).unwrap();
    for name in ["a", "x/y"] {
        peers().put_task_configs(&server.url, name, BODY, Some(&signature)).await.unwrap();
        let expected = format!("task configs {name:?} {BODY:?} {:?}", Some(&signature));
        assert_eq!(server.herder.calls().last(), Some(&expected));
    }
    server.stop().await;
}

#[tokio::test]
async fn the_request_is_the_reference_s() {
    let (url, seen) = peer("HTTP/1.1 204 No Content\r\n\r\n").await;
    let signature = RequestSignature { algorithm: "HmacSHA256".into(), mac: vec![1, 2, 3, 4] };
    peers().put_task_configs(&url, "b c", BODY, Some(&signature)).await.unwrap();
    let request = seen.await.unwrap();
    assert!(request.starts_with("POST /connectors/b%20c/tasks HTTP/1.1\r\n"), "{request}");
    let lower = request.to_ascii_lowercase();
    assert!(lower.contains("\r\nx-connect-authorization: aqidba==\r\n"), "{request}");
    assert!(lower.contains("\r\nx-connect-request-signature-algorithm: hmacsha256\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\n[{\"k\":\"v\"}]"), "{request}");
}

#[tokio::test]
async fn refusals_keep_their_status_and_message() {
    let server = Server::start(RestOptions::default());
    let refused = peers().put_task_configs(&server.url, "moving", BODY, None).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("the worker at {} answered 409: a rebalance is under way", server.url)
    );
    server.stop().await;
    let (url, _seen) = peer("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n").await;
    match peers().put_task_configs(&url, "a", BODY, None).await {
        Err(PeerError::Refused { status: 503, message, .. }) => {
            assert_eq!(message, "HTTP 503, without a message")
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_leader_that_is_gone_is_unreachable() {
    let (url, seen) = peer("").await;
    seen.abort();
    let _ = seen.await;
    let error = peers().put_task_configs(&url, "a", BODY, None).await.unwrap_err();
    assert!(matches!(error, PeerError::Unreachable { .. }), "{error}");
}
