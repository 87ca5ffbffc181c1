//! The parts for HTTP, put together as the README says.

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, read_body_json, try_call_service};
use actix_web::{App, HttpRequest, HttpResponse, web};
use serde_json::Value;
use service_kit::health::{self, Readiness};
use service_kit::{problem, trace};

async fn panics() -> HttpResponse {
    panic!("the password is hunter2")
}

async fn echoes(req: HttpRequest) -> String {
    trace::TraceContext::from_request(&req).request_id
}

macro_rules! app {
    ($readiness:expr) => {
        init_service(
            App::new()
                .wrap(trace::Propagate)
                .app_data(web::Data::new($readiness.clone()))
                .configure(problem::configure)
                .configure(health::configure)
                .route("/panics", web::get().to(panics))
                .route("/echoes", web::get().to(echoes))
                .default_service(web::to(problem::not_found_handler)),
        )
        .await
    };
}

#[actix_web::test]
async fn a_panic_shows_nothing_of_itself() {
    let app = app!(Readiness::new());
    let request = TestRequest::get().uri("/panics").insert_header(("x-request-id", "id-1")).to_request();
    // The server turns a middleware's error into its answer.
    let error = try_call_service(&app, request).await.expect_err("an error");
    let response = error.as_response_error().error_response();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.headers().get("x-request-id").unwrap(), "id-1");
    assert_eq!(response.headers().get("content-type").unwrap(), problem::CONTENT_TYPE_PROBLEM);
    assert!(!error.to_string().contains("hunter2"));
}

#[actix_web::test]
async fn the_request_id_is_one_in_handler_and_answer() {
    let app = app!(Readiness::new());
    for sent in [Some("id-1"), Some("not valid"), None] {
        let request = TestRequest::get().uri("/echoes");
        let request =
            sent.into_iter().fold(request, |request, id| request.insert_header(("x-request-id", id)));
        let response = call_service(&app, request.to_request()).await;
        let answered = response.headers().get("x-request-id").unwrap().to_str().unwrap().to_owned();
        let seen = actix_web::test::read_body(response).await;
        assert_eq!(answered.as_bytes(), seen);
        assert_eq!(sent == Some(answered.as_str()), sent == Some("id-1"));
    }
}

#[actix_web::test]
async fn health_and_unknown_paths_answer_in_json() {
    let readiness = Readiness::new();
    let app = app!(readiness);
    let get = async |method: TestRequest, uri: &str| {
        let response = call_service(&app, method.uri(uri).to_request()).await;
        let status = response.status().as_u16();
        (status, read_body_json::<Value, _>(response).await)
    };
    readiness.set("kafka", Err("waiting for Kafka at h:1".into()));
    assert_eq!(get(TestRequest::get(), "/health/live").await.0, 200);
    let (status, body) = get(TestRequest::get(), "/health/ready").await;
    assert_eq!((status, &body["checks"]["kafka"]["detail"]), (503, &"waiting for Kafka at h:1".into()));
    readiness.set("kafka", Ok(()));
    assert_eq!(get(TestRequest::get(), "/health/ready").await.0, 200);
    assert_eq!(get(TestRequest::post(), "/health/live").await.1["status"], 405);
    assert_eq!(get(TestRequest::get(), "/nothing").await.1["status"], 404);
}
