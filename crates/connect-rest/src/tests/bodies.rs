use super::{answer, check, request};
use actix_web::http::header;
use expect_test::expect;

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
            r#"POST /connectors {"name":"b","config":{"k":01}}"#,
            r#"POST /connectors {"name":"b","config":{"k":NaN}}"#,
            r#"POST /connectors {"name":"b","config":{},"initial_state":"SLEEPING"}"#,
            r#"POST /connectors {"name":"b","config":{},"initial_state":" STOPPED"}"#,
            r#"POST /connectors {"name":"b","config":{},"initial_state":7}"#,
            r#"POST /connectors {"name":"b","config":{},"initial_state":[]}"#,
            r#"POST /connectors {"name":"b","config":{}} trailing"#,
            "POST /connectors {\"name\":\"b\",\n\"config\":{\n\"k\":\"v\",\n}}",
            "PUT /connectors/a/config ",
            r#"PUT /connectors/a/config {"k":null}"#,
            "PUT /connectors/a/config 7",
            "PATCH /connectors/a/config ",
            "PATCH /connectors/a/config null",
            r#"PATCH /connectors/a/config {"k":{}}"#,
        ],
        expect![[r#"
            POST /connectors
              400 {"error_code":400,"message":"the body is empty: send a JSON object"}
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
            POST /connectors {"name":"b","config":{"k":01}}
              400 {"error_code":400,"message":"the body is not valid JSON: invalid number at line 1 column 28"}
            POST /connectors {"name":"b","config":{"k":NaN}}
              400 {"error_code":400,"message":"the body is not valid JSON: expected value at line 1 column 27"}
            POST /connectors {"name":"b","config":{},"initial_state":"SLEEPING"}
              400 {"error_code":400,"message":"initial_state is SLEEPING: it must be RUNNING, PAUSED or STOPPED"}
            POST /connectors {"name":"b","config":{},"initial_state":" STOPPED"}
              400 {"error_code":400,"message":"initial_state is  STOPPED: it must be RUNNING, PAUSED or STOPPED"}
            POST /connectors {"name":"b","config":{},"initial_state":7}
              400 {"error_code":400,"message":"initial_state is 7: it must be RUNNING, PAUSED or STOPPED"}
            POST /connectors {"name":"b","config":{},"initial_state":[]}
              400 {"error_code":400,"message":"initial_state is an array: it must be RUNNING, PAUSED or STOPPED"}
            POST /connectors {"name":"b","config":{}} trailing
              400 {"error_code":400,"message":"the body is not valid JSON: trailing characters at line 1 column 26"}
            POST /connectors {"name":"b",
            "config":{
            "k":"v",
            }}
              400 {"error_code":400,"message":"the body is not valid JSON: key must be a string at line 4 column 1"}
            PUT /connectors/a/config 
              400 {"error_code":400,"message":"the body is empty: send a JSON object"}
            PUT /connectors/a/config {"k":null}
              400 {"error_code":400,"message":"the value of \"k\" is null: leave the key out"}
            PUT /connectors/a/config 7
              400 {"error_code":400,"message":"the body is a number: it must be a JSON object"}
            PATCH /connectors/a/config 
              400 {"error_code":400,"message":"the body is empty: send a JSON object"}
            PATCH /connectors/a/config null
              400 {"error_code":400,"message":"the body is null: it must be a JSON object"}
            PATCH /connectors/a/config {"k":{}}
              400 {"error_code":400,"message":"the value of \"k\" is an object: every value of a connector's configuration is a string, such as \"a,b,c\" for a list"}
        "#]],
    )
    .await;
}

#[actix_web::test]
async fn content_types_encodings_and_sizes() {
    let post = || request("POST", "/connectors");
    let typed = |ty: &'static str| post().insert_header((header::CONTENT_TYPE, ty));
    let json = || typed("application/json; charset=utf-8");
    let body = r#"{"name":"b","config":{}}"#;
    let mut answers = Vec::new();
    for request in [
        typed("text/plain").set_payload("{}"),
        typed("application/vnd.api+json").set_payload("{}"),
        typed("Application/JSON").set_payload(body),
        post().set_payload(body),
        request("GET", "/connectors/a").insert_header((header::CONTENT_TYPE, "text/plain")),
        request("DELETE", "/connectors/a").set_payload("x"),
        json().set_payload(format!("\u{feff}{body}")),
        json().set_payload(b"{\"name\":\"\xFF\"}".to_vec()),
        json().set_payload(vec![b' '; (1 << 20) + 1]),
    ] {
        answers.push(answer(request).await);
    }
    expect![[r#"
        415 {"error_code":415,"message":"HTTP 415 Unsupported Media Type"}
        415 {"error_code":415,"message":"HTTP 415 Unsupported Media Type"}
        201 location=/connectors/b {"name":"b","config":{},"tasks":[{"connector":"b","task":0}],"type":"sink"}
            create "b" None
        415 {"error_code":415,"message":"HTTP 415 Unsupported Media Type"}
        415 {"error_code":415,"message":"HTTP 415 Unsupported Media Type"}
        415 {"error_code":415,"message":"HTTP 415 Unsupported Media Type"}
        201 location=/connectors/b {"name":"b","config":{},"tasks":[{"connector":"b","task":0}],"type":"sink"}
            create "b" None
        400 {"error_code":400,"message":"the body is not UTF-8 text: the byte at position 9 does not belong there"}
        413 {"error_code":413,"message":"the body is larger than 1048576 bytes, which no configuration needs"}"#]].assert_eq(&answers.join("\n"));
    // Deep nesting must end in a refusal, not in a stack overflow.
    let deep = |shape: &str| shape.replace('#', &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    let config = deep(r#"{"name":"b","config":#}"#);
    assert!(answer(json().set_payload(config)).await.starts_with("400 "));
    let offsets = request("PATCH", "/connectors/a/offsets")
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .set_payload(deep(r#"{"offsets":[{"partition":{"a":#},"offset":null}]}"#));
    assert!(answer(offsets).await.starts_with("400 "));
}

#[actix_web::test]
async fn workers_may_send_each_other_more() {
    let large = vec![b' '; 2 << 20];
    let internal = request("POST", "/connectors/a/tasks")
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .set_payload(large);
    assert!(answer(internal).await.starts_with("204"));
}
