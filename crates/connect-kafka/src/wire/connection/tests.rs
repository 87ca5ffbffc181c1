//! Against listeners that are no brokers.

use super::*;
use std::net::Ipv4Addr;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

fn settings(port: u16) -> WireSettings {
    WireSettings {
        bootstrap: vec![("127.0.0.1".to_owned(), port)],
        client_id: "test".to_owned(),
        request_timeout: Duration::from_secs(5),
        connect_timeout: Duration::from_millis(300),
        backoff: (Duration::from_millis(1), Duration::from_millis(1)),
    }
}

/// Answers whatever it is asked with each of these in turn, then closes.
async fn talker(answers: Vec<Vec<u8>>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for answer in answers {
            let length = stream.read_i32().await.unwrap();
            let mut request = vec![0; usize::try_from(length).unwrap()];
            stream.read_exact(&mut request).await.unwrap();
            stream.write_all(&answer).await.unwrap();
        }
    });
    port
}

fn framed(body: &[u8]) -> Vec<u8> {
    [&i32::try_from(body.len()).unwrap().to_be_bytes()[..], body].concat()
}

async fn open(answers: Vec<Vec<u8>>) -> Result<Connection, WireError> {
    let port = talker(answers).await;
    Connection::open(&settings(port), "127.0.0.1", port).await
}

#[tokio::test]
async fn an_old_broker_is_asked_again_in_its_own_version() {
    // correlation id, UNSUPPORTED_VERSION, one api in version 0's form
    let refusal = framed(&[0, 0, 0, 1, 0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 0]);
    // correlation id, no error, Heartbeat 0 to 1
    let answer = framed(&[0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 0, 12, 0, 0, 0, 1]);
    let connection = open(vec![refusal, answer]).await.unwrap();
    assert_eq!(connection.version::<kafka_protocol::messages::HeartbeatRequest>().unwrap(), 1);
    let error = connection.version::<kafka_protocol::messages::JoinGroupRequest>().unwrap_err();
    assert!(error.to_string().contains("no version of JoinGroup in common"), "{error}");
}

#[tokio::test]
async fn who_is_no_broker_is_told_so() {
    for strange in [b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), framed(b"what?"), framed(&[0, 0, 0, 1, 0])]
    {
        let error = open(vec![strange]).await.unwrap_err();
        assert!(matches!(error, WireError::Strange { .. }), "{error:?}");
        assert!(!error.passes());
    }
    let error = open(vec![vec![0, 0, 0]]).await.unwrap_err();
    assert!(matches!(error, WireError::Broken { .. }) && error.passes(), "{error:?}");
}

#[tokio::test]
async fn who_does_not_answer_is_not_waited_for() {
    let error = open(vec![vec![]]).await;
    // the talker closes behind its last answer; one that stays is the next
    assert!(matches!(error, Err(WireError::Broken { .. })), "{error:?}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let error = Connection::open(&settings(port), "127.0.0.1", port).await.unwrap_err();
    assert!(matches!(error, WireError::Silent { call: "ApiVersions", .. }), "{error:?}");
    drop(listener);
    let error = Connection::open(&settings(port), "127.0.0.1", port).await.unwrap_err();
    assert!(matches!(error, WireError::Unreachable { .. }), "{error:?}");
}
