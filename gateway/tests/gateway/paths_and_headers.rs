use crate::helpers::*;
use actix_web::{HttpResponse, web};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[actix_web::test]
async fn paths_and_queries_arrive_byte_for_byte() {
    let gateway = TestGateway::start(&[]).await;
    gateway.announce(&echo());
    // By hand, since HTTP clients tidy what they send.
    for (sent, wanted) in [
        ("/order-service", "/"),
        ("/order-service/", "/"),
        ("/order-service?limit=1", "/?limit=1"),
        ("/order-service/users/a%2Fb/orders", "/users/a%2Fb/orders"),
        ("/order-service/users/%2e%2E/orders", "/users/%2e%2E/orders"),
        ("/order-service/a/../b/./c", "/a/../b/./c"),
        ("/order-service//double///slashes//", "//double///slashes//"),
        ("/order-service/a+b%20c?q=1+2%2B3&q='x'&empty=&&", "/a+b%20c?q=1+2%2B3&q='x'&empty=&&"),
        ("/order-service/a;v=1,2:@$!*()~?x=?/:@", "/a;v=1,2:@$!*()~?x=?/:@"),
        ("/order-service/%ED%95%9C?%00", "/%ED%95%9C?%00"),
        ("/order-service/x?", "/x?"),
    ] {
        let mut socket = gateway.connect().await;
        let request = format!("GET {sent} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{sent}: {answer}");
        let start = body.find('{').unwrap();
        let echo: Value = serde_json::from_str(&body[start..=body.rfind('}').unwrap()]).unwrap();
        assert_eq!(echo["target"], wanted, "{sent}");
    }
}

#[actix_web::test]
async fn headers_pass_and_the_trace_is_continued_or_begun() {
    let gateway = TestGateway::start(&[]).await;
    gateway.announce(&echo());
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = gateway
        .get("/order-service/x")
        .header("traceparent", parent)
        .header("tracestate", "a=b")
        .header("x-request-id", "my-id")
        .header("x-custom", "1")
        .header("x-custom", "2")
        .header("authorization", "Bearer for-the-service")
        .header("connection", "x-hop")
        .header("x-hop", "1")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers().get_all("x-request-id").iter().collect::<Vec<_>>(), ["my-id"]);
    let echo: Value = answer.json().await.unwrap();
    assert_eq!(echoed(&echo, "traceparent"), [parent]);
    assert_eq!(echoed(&echo, "tracestate"), ["a=b"]);
    assert_eq!(echoed(&echo, "x-request-id"), ["my-id"]);
    assert_eq!(echoed(&echo, "x-custom"), ["1", "2"]);
    assert_eq!(echoed(&echo, "authorization"), ["Bearer for-the-service"]);
    assert_eq!(echoed(&echo, "x-hop"), [""; 0]);
    assert_eq!(echoed(&echo, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(echoed(&echo, "x-forwarded-prefix"), ["/order-service"]);
    assert_eq!(echoed(&echo, "x-forwarded-host"), [gateway.url.strip_prefix("http://").unwrap()]);
    assert_ne!(echoed(&echo, "host"), echoed(&echo, "x-forwarded-host"));

    let answer = gateway.get("/order-service/x").send().await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let echo: Value = answer.json().await.unwrap();
    assert_eq!(echoed(&echo, "x-request-id"), [id]);
    assert_eq!(echoed(&echo, "traceparent")[0].len(), parent.len());
}

#[actix_web::test]
async fn answers_keep_status_headers_and_length() {
    let gateway = TestGateway::start(&[]).await;
    gateway.announce(&serve(|cfg| {
        cfg.route(
            "/created",
            web::post().to(async || {
                HttpResponse::Created()
                    .insert_header(("location", "/orders/7"))
                    .append_header(("set-cookie", "a=1"))
                    .append_header(("set-cookie", "b=2"))
                    .body("done")
            }),
        )
        .route("/head", web::head().to(async || HttpResponse::Ok().insert_header(("x-a", "b")).body("12345")))
        .route("/nothing", web::get().to(HttpResponse::NoContent))
        .route(
            "/same",
            web::get().to(async || HttpResponse::NotModified().insert_header(("etag", "\"e\"")).finish()),
        )
        .route(
            "/failed",
            web::get().to(async || HttpResponse::InternalServerError().body("their own words")),
        );
    }));
    let answer = gateway.post("/order-service/created").send().await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["location"], "/order-service/orders/7");
    assert_eq!(answer.headers().get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
    assert_eq!(answer.headers()["content-length"], "4");
    assert!(!answer.headers().contains_key("transfer-encoding"));
    assert_eq!(answer.text().await.unwrap(), "done");

    let answer = gateway.client.head(format!("{}/order-service/head", gateway.url)).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["content-length"]), (200, &"5".parse().unwrap()));
    assert_eq!(answer.headers()["x-a"], "b");
    assert_eq!(gateway.get("/order-service/nothing").send().await.unwrap().status(), 204);
    let answer = gateway.get("/order-service/same").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["etag"]), (304, &"\"e\"".parse().unwrap()));
    let answer = gateway.get("/order-service/failed").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (500, "their own words"));
}

#[actix_web::test]
async fn locations_that_name_an_instance_come_under_the_prefix() {
    let gateway = TestGateway::start(&[]).await;
    let echo = echo();
    gateway.announce(&echo);
    let target = format!("{echo}/orders/9?x=%2F");
    gateway.announce_as(
        "catalog-service",
        &serve(move |cfg| {
            let target = target.clone();
            cfg.default_service(web::to(move || {
                let target = target.clone();
                async move { HttpResponse::SeeOther().insert_header(("location", target)).finish() }
            }));
        }),
    );
    let other = raw(|mut socket| async move {
        let own = format!("http://{}", socket.local_addr().unwrap());
        read_request(&mut socket).await;
        let text = format!("HTTP/1.1 302 Found\r\nlocation: {own}/b\r\ncontent-length: 0\r\n\r\n");
        let _ = tokio::io::AsyncWriteExt::write_all(&mut socket, text.as_bytes()).await;
    })
    .await;
    let answer = gateway.get("/catalog-service/x").send().await.unwrap();
    assert_eq!(answer.headers()["location"], format!("{echo}/orders/9?x=%2F"), "of another service");

    let gateway = TestGateway::start(&[]).await;
    gateway.announce(&other);
    let answer = gateway.get("/order-service/a").send().await.unwrap();
    assert_eq!(answer.headers()["location"], "/order-service/b");
}

#[actix_web::test]
async fn connect_is_for_operators_and_never_sees_their_token() {
    let gateway = TestGateway::start(&[&echo()]).await;
    for header in [None, Some("Bearer wrong"), Some(TOKEN), Some("Basic bGV0LW1lLWlu")] {
        let request = gateway.get("/connect/connectors");
        let request =
            header.into_iter().fold(request, |request, value| request.header("authorization", value));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 401, "{header:?}");
        assert!(answer.headers().contains_key("www-authenticate"));
        problem(answer).await;
    }
    let answer = gateway.get("/connect/connectors/a%2Fb").bearer_auth(TOKEN).send().await.unwrap();
    let echo: Value = answer.json().await.unwrap();
    assert_eq!(echo["target"], "/connectors/a%2Fb");
    assert_eq!(echoed(&echo, "authorization"), [""; 0]);
}

#[actix_web::test]
async fn what_is_nowhere_is_a_problem() {
    let gateway = TestGateway::start(&[]).await;
    for path in ["/nothing", "/order-services/x", "/connector"] {
        let answer = gateway.get(path).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        problem(answer).await;
    }
}
