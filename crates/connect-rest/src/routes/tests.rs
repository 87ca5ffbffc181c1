use super::*;
use actix_web::App;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use async_trait::async_trait;
use connect_api::ConfigMap;
use connect_runtime::herder::{self, ConnectorType, Retrying, State, StateInfo};
use expect_test::{Expect, expect};
use std::time::Duration;

/// Knows the connectors `a` and `x/y`; what it is asked to make it repeats.
struct FakeHerder;

fn info(name: &str, config: ConfigMap) -> herder::ConnectorInfo {
    herder::ConnectorInfo { name: name.into(), config, tasks: vec![0], ty: ConnectorType::Sink }
}

fn state(state: State, trace: Option<&str>) -> StateInfo {
    StateInfo {
        state,
        worker_id: "127.0.0.1:8083".into(),
        trace: trace.map(str::to_owned),
        version: Some("1.0".into()),
        retrying: None,
    }
}

fn known(name: &str) -> Result<(), HerderError> {
    if ["a", "x/y"].contains(&name) {
        Ok(())
    } else {
        Err(HerderError::NotFound(format!("Connector {name} not found")))
    }
}

#[async_trait]
impl Herder for FakeHerder {
    async fn server_info(&self) -> herder::ServerInfo {
        herder::ServerInfo { version: "4.3.0".into(), commit: "abc".into(), kafka_cluster_id: None }
    }

    async fn health(&self) -> Health {
        Health::Starting("waiting for Kafka".into())
    }

    async fn plugins(&self, connectors_only: bool) -> Vec<herder::PluginInfo> {
        let plugin =
            |class: &str, ty| herder::PluginInfo { class: class.into(), ty, version: Some("1.0".into()) };
        let mut plugins = vec![plugin("org.example.Sink", "sink")];
        if !connectors_only {
            plugins.push(plugin("org.example.Converter", "converter"));
        }
        plugins
    }

    async fn connectors(&self) -> Vec<String> {
        vec!["a".into(), "gone".into()]
    }

    async fn connector(&self, name: &str) -> Result<herder::ConnectorInfo, HerderError> {
        known(name)?;
        Ok(info(name, [("z".into(), "1".into()), ("name".into(), name.into())].into_iter().collect()))
    }

    async fn connector_status(&self, name: &str) -> Result<herder::ConnectorStatus, HerderError> {
        known(name)?;
        let retrying = Retrying { for_how_long: Duration::from_millis(1500), why: "no database".into() };
        Ok(herder::ConnectorStatus {
            name: name.into(),
            connector: state(State::Running, None),
            tasks: vec![
                (0, state(State::Failed, Some("it broke"))),
                (1, StateInfo { retrying: Some(retrying), ..state(State::Running, None) }),
            ],
            ty: ConnectorType::Sink,
        })
    }

    async fn task_configs(&self, name: &str) -> Result<Vec<(usize, ConfigMap)>, HerderError> {
        known(name)?;
        Ok(vec![(0, [("k".into(), "v".into())].into_iter().collect())])
    }

    async fn create_connector(
        &self,
        name: &str,
        config: ConfigMap,
    ) -> Result<herder::ConnectorInfo, HerderError> {
        match name {
            "taken" => Err(HerderError::Conflict("Connector taken already exists".into())),
            "broken" => Err(HerderError::Internal("it is our fault".into())),
            "" => Err(HerderError::BadRequest("no name".into())),
            _ => Ok(info(name, config)),
        }
    }

    async fn put_connector_config(
        &self,
        name: &str,
        config: ConfigMap,
    ) -> Result<(Put, herder::ConnectorInfo), HerderError> {
        Ok((if known(name).is_ok() { Put::Updated } else { Put::Created }, info(name, config)))
    }

    async fn delete_connector(&self, name: &str) -> Result<(), HerderError> {
        known(name)
    }
}

/// The answer as text: status, the headers that matter, body.
async fn answer(request: TestRequest) -> String {
    let app = init_service(App::new().configure(configure(Arc::new(FakeHerder)))).await;
    let response = call_service(&app, request.to_request()).await;
    let mut text = response.status().as_u16().to_string();
    for name in [header::LOCATION, header::ALLOW] {
        if let Some(value) = response.headers().get(&name) {
            text.push_str(&format!(" {name}={}", value.to_str().unwrap()));
        }
    }
    let content_type =
        response.headers().get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap().to_owned());
    let body = read_body(response).await;
    if !body.is_empty() {
        assert_eq!(content_type.as_deref(), Some("application/json"));
        text.push(' ');
        text.push_str(std::str::from_utf8(&body).unwrap());
    }
    text
}

fn request(method: &str, uri: &str) -> TestRequest {
    TestRequest::with_uri(uri).method(method.parse().unwrap())
}

/// Each line is `METHOD path [body]`; the expectation has the answers, line by line.
async fn check(requests: &[&str], expected: Expect) {
    let mut answers = String::new();
    for line in requests {
        let mut parts = line.splitn(3, ' ');
        let (method, uri) = (parts.next().unwrap(), parts.next().unwrap());
        let mut request = request(method, uri);
        if let Some(body) = parts.next() {
            request = request
                .insert_header((header::CONTENT_TYPE, "application/json"))
                .set_payload(body.to_owned());
        }
        answers.push_str(&format!("{line}\n  {}\n", answer(request).await));
    }
    expected.assert_eq(&answers);
}

#[actix_web::test]
async fn reading() {
    check(
        &[
            "GET /",
            "GET /health",
            "GET /connectors",
            "GET /connectors/",
            "GET /connectors?expand=info",
            "GET /connectors?expand=info&expand=status",
            "GET /connectors?expand=nonsense",
            "GET /connectors/a",
            "GET /connectors/a/",
            "GET /connectors/x%2Fy",
            "GET /connectors/a/config",
            "GET /connectors/a/status",
            "GET /connectors/a/tasks",
            "GET /connectors/a/tasks/1/status",
            "GET /connector-plugins",
            "GET /connector-plugins/?connectorsOnly=false",
            "GET /connector-plugins?connectorsOnly=true",
        ],
        expect![[r#"
            GET /
              200 {"version":"4.3.0","commit":"abc","kafka_cluster_id":null}
            GET /health
              503 {"status":"starting","message":"Worker is still starting up. waiting for Kafka"}
            GET /connectors
              200 ["a","gone"]
            GET /connectors/
              200 ["a","gone"]
            GET /connectors?expand=info
              200 {"a":{"info":{"name":"a","config":{"z":"1","name":"a"},"tasks":[{"connector":"a","task":0}],"type":"sink"}}}
            GET /connectors?expand=info&expand=status
              200 {"a":{"status":{"name":"a","connector":{"state":"RUNNING","worker_id":"127.0.0.1:8083","version":"1.0"},"tasks":[{"id":0,"state":"FAILED","worker_id":"127.0.0.1:8083","trace":"it broke","version":"1.0"},{"id":1,"state":"RUNNING","worker_id":"127.0.0.1:8083","version":"1.0","retrying":{"for_ms":1500,"reason":"no database"}}],"type":"sink"},"info":{"name":"a","config":{"z":"1","name":"a"},"tasks":[{"connector":"a","task":0}],"type":"sink"}}}
            GET /connectors?expand=nonsense
              200 {"a":{},"gone":{}}
            GET /connectors/a
              200 {"name":"a","config":{"z":"1","name":"a"},"tasks":[{"connector":"a","task":0}],"type":"sink"}
            GET /connectors/a/
              200 {"name":"a","config":{"z":"1","name":"a"},"tasks":[{"connector":"a","task":0}],"type":"sink"}
            GET /connectors/x%2Fy
              200 {"name":"x/y","config":{"z":"1","name":"x/y"},"tasks":[{"connector":"x/y","task":0}],"type":"sink"}
            GET /connectors/a/config
              200 {"z":"1","name":"a"}
            GET /connectors/a/status
              200 {"name":"a","connector":{"state":"RUNNING","worker_id":"127.0.0.1:8083","version":"1.0"},"tasks":[{"id":0,"state":"FAILED","worker_id":"127.0.0.1:8083","trace":"it broke","version":"1.0"},{"id":1,"state":"RUNNING","worker_id":"127.0.0.1:8083","version":"1.0","retrying":{"for_ms":1500,"reason":"no database"}}],"type":"sink"}
            GET /connectors/a/tasks
              200 [{"id":{"connector":"a","task":0},"config":{"k":"v"}}]
            GET /connectors/a/tasks/1/status
              200 {"id":1,"state":"RUNNING","worker_id":"127.0.0.1:8083","version":"1.0","retrying":{"for_ms":1500,"reason":"no database"}}
            GET /connector-plugins
              200 [{"class":"org.example.Sink","type":"sink","version":"1.0"}]
            GET /connector-plugins/?connectorsOnly=false
              200 [{"class":"org.example.Sink","type":"sink","version":"1.0"},{"class":"org.example.Converter","type":"converter","version":"1.0"}]
            GET /connector-plugins?connectorsOnly=true
              200 [{"class":"org.example.Sink","type":"sink","version":"1.0"}]
        "#]],
    )
    .await;
}

#[actix_web::test]
async fn what_is_not_there() {
    check(
        &[
            "GET /nowhere",
            "POST /nowhere {}",
            "GET /connectors/b",
            "GET /connectors/b/status",
            "GET /connectors/b/tasks",
            "GET /connectors/a+b",
            "GET /connectors/a%20b%25",
            "GET /connectors/%FF",
            "GET /connectors/a/tasks/7/status",
            "GET /connectors/b/tasks/0/status",
            "GET /connectors/a/tasks/x/status",
            "GET /connectors/a/offsets",
            "DELETE /connectors/b",
            "DELETE /connectors",
            "PATCH /connectors/a/config {}",
            "POST /",
            "PUT /connectors/a/status {}",
        ],
        expect![[r#"
            GET /nowhere
              404 {"error_code":404,"message":"HTTP 404 Not Found"}
            POST /nowhere {}
              404 {"error_code":404,"message":"HTTP 404 Not Found"}
            GET /connectors/b
              404 {"error_code":404,"message":"Connector b not found"}
            GET /connectors/b/status
              404 {"error_code":404,"message":"Connector b not found"}
            GET /connectors/b/tasks
              404 {"error_code":404,"message":"Connector b not found"}
            GET /connectors/a+b
              404 {"error_code":404,"message":"Connector a+b not found"}
            GET /connectors/a%20b%25
              404 {"error_code":404,"message":"Connector a b% not found"}
            GET /connectors/%FF
              404 {"error_code":404,"message":"Connector � not found"}
            GET /connectors/a/tasks/7/status
              404 {"error_code":404,"message":"No status found for task a-7"}
            GET /connectors/b/tasks/0/status
              404 {"error_code":404,"message":"No status found for task b-0"}
            GET /connectors/a/tasks/x/status
              404 {"error_code":404,"message":"HTTP 404 Not Found"}
            GET /connectors/a/offsets
              404 {"error_code":404,"message":"HTTP 404 Not Found"}
            DELETE /connectors/b
              404 {"error_code":404,"message":"Connector b not found"}
            DELETE /connectors
              405 allow=GET, HEAD, POST {"error_code":405,"message":"HTTP 405 Method Not Allowed"}
            PATCH /connectors/a/config {}
              405 allow=GET, HEAD, PUT {"error_code":405,"message":"HTTP 405 Method Not Allowed"}
            POST /
              405 allow=GET, HEAD {"error_code":405,"message":"HTTP 405 Method Not Allowed"}
            PUT /connectors/a/status {}
              405 allow=GET, HEAD {"error_code":405,"message":"HTTP 405 Method Not Allowed"}
        "#]],
    )
    .await;
}

#[actix_web::test]
async fn writing() {
    check(
        &[
            r#"POST /connectors {"name":" b ","config":{"connector.class":"S","tasks.max":2,"on":true,"n":1.50,"u":"\u00e9"}}"#,
            r#"POST /connectors/ {"name":"x/ y+","config":{},"initial_state":"running"}"#,
            r#"POST /connectors {"config":{}}"#,
            r#"POST /connectors {"name":"taken","config":{}}"#,
            r#"POST /connectors {"name":"broken","config":{}}"#,
            r#"PUT /connectors/a/config {"k":"v"}"#,
            r#"PUT /connectors/new/config {"k":1}"#,
            r#"PUT /connectors/%C3%A9/config/ {}"#,
            "DELETE /connectors/a",
            "DELETE /connectors/x%2fy/",
        ],
        expect![[r#"
            POST /connectors {"name":" b ","config":{"connector.class":"S","tasks.max":2,"on":true,"n":1.50,"u":"\u00e9"}}
              201 location=/connectors/b {"name":"b","config":{"connector.class":"S","tasks.max":"2","on":"true","n":"1.50","u":"é"},"tasks":[{"connector":"b","task":0}],"type":"sink"}
            POST /connectors/ {"name":"x/ y+","config":{},"initial_state":"running"}
              201 location=/connectors/x%2F%20y%2B {"name":"x/ y+","config":{},"tasks":[{"connector":"x/ y+","task":0}],"type":"sink"}
            POST /connectors {"config":{}}
              400 {"error_code":400,"message":"no name"}
            POST /connectors {"name":"taken","config":{}}
              409 {"error_code":409,"message":"Connector taken already exists"}
            POST /connectors {"name":"broken","config":{}}
              500 {"error_code":500,"message":"it is our fault"}
            PUT /connectors/a/config {"k":"v"}
              200 {"name":"a","config":{"k":"v"},"tasks":[{"connector":"a","task":0}],"type":"sink"}
            PUT /connectors/new/config {"k":1}
              201 location=/connectors/new {"name":"new","config":{"k":"1"},"tasks":[{"connector":"new","task":0}],"type":"sink"}
            PUT /connectors/%C3%A9/config/ {}
              201 location=/connectors/%C3%A9 {"name":"é","config":{},"tasks":[{"connector":"é","task":0}],"type":"sink"}
            DELETE /connectors/a
              204
            DELETE /connectors/x%2fy/
              204
        "#]],
    )
    .await;
}

#[actix_web::test]
async fn bodies_that_are_refused() {
    check(
        &[
            "POST /connectors",
            "POST /connectors ",
            "POST /connectors {",
            "POST /connectors []",
            "POST /connectors \"text\"",
            "POST /connectors null",
            r#"POST /connectors {"name":"b"}"#,
            r#"POST /connectors {"name":"b","config":null}"#,
            r#"POST /connectors {"name":"b","config":"x"}"#,
            r#"POST /connectors {"name":["b"],"config":{}}"#,
            r#"POST /connectors {"name":"b","config":{},"tasks.max":1}"#,
            r#"POST /connectors {"name":"b","config":{"k":null}}"#,
            r#"POST /connectors {"name":"b","config":{"k":{"nested":1}}}"#,
            r#"POST /connectors {"name":"b","config":{"k":["a"]}}"#,
            r#"POST /connectors {"name":"b","config":{"k":"\ud800"}}"#,
            r#"POST /connectors {"name":"b","config":{},"initial_state":"PAUSED"}"#,
            r#"POST /connectors {"name":"b","config":{},"initial_state":"SLEEPING"}"#,
            r#"POST /connectors {"name":"b","config":{},"initial_state":7}"#,
            r#"POST /connectors {"name":"b","config":{}} trailing"#,
            "PUT /connectors/a/config ",
            r#"PUT /connectors/a/config {"k":null}"#,
            "PUT /connectors/a/config 7",
        ],
        expect![[r#"
            POST /connectors
              415 {"error_code":415,"message":"HTTP 415 Unsupported Media Type"}
            POST /connectors 
              400 {"error_code":400,"message":"the body is empty: send a JSON object"}
            POST /connectors {
              400 {"error_code":400,"message":"the body is not valid JSON: EOF while parsing an object at line 1 column 1"}
            POST /connectors []
              400 {"error_code":400,"message":"the body is an array: it must be a JSON object"}
            POST /connectors "text"
              400 {"error_code":400,"message":"the body is a string: it must be a JSON object"}
            POST /connectors null
              400 {"error_code":400,"message":"the body is null: it must be a JSON object"}
            POST /connectors {"name":"b"}
              400 {"error_code":400,"message":"config is missing: the body is {\"name\": ..., \"config\": {\"connector.class\": ..., ...}}"}
            POST /connectors {"name":"b","config":null}
              400 {"error_code":400,"message":"config is missing: the body is {\"name\": ..., \"config\": {\"connector.class\": ..., ...}}"}
            POST /connectors {"name":"b","config":"x"}
              400 {"error_code":400,"message":"config is a string: it must be a JSON object"}
            POST /connectors {"name":["b"],"config":{}}
              400 {"error_code":400,"message":"name is an array: it must be a string"}
            POST /connectors {"name":"b","config":{},"tasks.max":1}
              400 {"error_code":400,"message":"Unrecognized field \"tasks.max\": the body has the fields name, config and initial_state; the connector's own keys belong inside config"}
            POST /connectors {"name":"b","config":{"k":null}}
              400 {"error_code":400,"message":"the value of \"k\" is null: leave the key out"}
            POST /connectors {"name":"b","config":{"k":{"nested":1}}}
              400 {"error_code":400,"message":"the value of \"k\" is an object: every value of a connector's configuration is a string, such as \"a,b,c\" for a list"}
            POST /connectors {"name":"b","config":{"k":["a"]}}
              400 {"error_code":400,"message":"the value of \"k\" is an array: every value of a connector's configuration is a string, such as \"a,b,c\" for a list"}
            POST /connectors {"name":"b","config":{"k":"\ud800"}}
              400 {"error_code":400,"message":"the value of \"k\" is a string: a \\u escape in it is half a character"}
            POST /connectors {"name":"b","config":{},"initial_state":"PAUSED"}
              400 {"error_code":400,"message":"initial_state PAUSED is not supported yet: leave it out, and the connector starts RUNNING"}
            POST /connectors {"name":"b","config":{},"initial_state":"SLEEPING"}
              400 {"error_code":400,"message":"initial_state is SLEEPING: it must be RUNNING, PAUSED or STOPPED"}
            POST /connectors {"name":"b","config":{},"initial_state":7}
              400 {"error_code":400,"message":"initial_state is 7: it must be RUNNING, PAUSED or STOPPED"}
            POST /connectors {"name":"b","config":{}} trailing
              400 {"error_code":400,"message":"the body is not valid JSON: trailing characters at line 1 column 26"}
            PUT /connectors/a/config 
              400 {"error_code":400,"message":"the body is empty: send a JSON object"}
            PUT /connectors/a/config {"k":null}
              400 {"error_code":400,"message":"the value of \"k\" is null: leave the key out"}
            PUT /connectors/a/config 7
              400 {"error_code":400,"message":"the body is a number: it must be a JSON object"}
        "#]],
    )
    .await;
}

#[actix_web::test]
async fn content_types_encodings_and_sizes() {
    let post = || request("POST", "/connectors");
    let json = || post().insert_header((header::CONTENT_TYPE, "application/json; charset=utf-8"));
    let mut answers = Vec::new();
    for request in [
        post().insert_header((header::CONTENT_TYPE, "text/plain")).set_payload("{}"),
        post().set_payload(r#"{"name":"untyped","config":{}}"#),
        json().set_payload(b"{\"name\":\"\xFF\"}".to_vec()),
        json().set_payload(vec![b' '; (1 << 20) + 1]),
        request("GET", "/").insert_header((header::ACCEPT, "text/html")),
        request("GET", "/").insert_header((header::ACCEPT, "text/html, application/*;q=0.1")),
        request("GET", "/").insert_header((header::ACCEPT, "application/json;q=0")),
        request("HEAD", "/connectors/a"),
    ] {
        answers.push(answer(request).await);
    }
    expect![[r#"
        415 {"error_code":415,"message":"HTTP 415 Unsupported Media Type"}
        415 {"error_code":415,"message":"HTTP 415 Unsupported Media Type"}
        400 {"error_code":400,"message":"the body is not UTF-8 text: the byte at position 9 does not belong there"}
        413 {"error_code":413,"message":"the body is larger than 1048576 bytes, which no configuration needs"}
        406 {"error_code":406,"message":"HTTP 406 Not Acceptable"}
        200 {"version":"4.3.0","commit":"abc","kafka_cluster_id":null}
        406 {"error_code":406,"message":"HTTP 406 Not Acceptable"}
        200 {"name":"a","config":{"z":"1","name":"a"},"tasks":[{"connector":"a","task":0}],"type":"sink"}"#]].assert_eq(&answers.join("\n"));
    // Deep nesting must end in a refusal, not in a stack overflow.
    let deep = format!(r#"{{"name":"b","config":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(answer(json().set_payload(deep)).await.starts_with("400 "));
}
