use super::{answer, check, parse};
use expect_test::expect;

#[actix_web::test]
async fn connectors() {
    check(
        &[
            r#"POST /connectors {"name":" b ","config":{"connector.class":"S","tasks.max":2,"on":true,"n":1.50,"e":1e3,"u":"\u00e9","name":null}}"#,
            r#"POST /connectors/ {"name":"x/ y+","config":{},"initial_state":"running"}"#,
            r#"POST /connectors {"name":7,"config":{},"initial_state":"pauSed"}"#,
            r#"POST /connectors {"name":"b","config":{},"initial_state":"STOPPED"}"#,
            r#"POST /connectors {"config":{},"initial_state":null}"#,
            r#"POST /connectors {"name":"a","config":{}}"#,
            r#"POST /connectors {"name":"broken","config":{}}"#,
            r#"POST /connectors {"name":"moving","config":{}}"#,
            r#"PUT /connectors/a/config {"k":"v"}"#,
            r#"PUT /connectors/new/config {"k":1,"k":2}"#,
            r#"PUT /connectors/%C3%A9/config/ {}"#,
            r#"PATCH /connectors/a/config {"k":null,"l":7,"m":"x"}"#,
            r#"PATCH /connectors/b/config {}"#,
            "DELETE /connectors/a",
            "DELETE /connectors/x%2fy/",
            "DELETE /connectors/b",
        ],
        expect![[r#"
            POST /connectors {"name":" b ","config":{"connector.class":"S","tasks.max":2,"on":true,"n":1.50,"e":1e3,"u":"\u00e9","name":null}}
              201 location=/connectors/b {"name":"b","config":{"connector.class":"S","tasks.max":"2","on":"true","n":"1.50","e":"1e3","u":"é"},"tasks":[{"connector":"b","task":0}],"type":"sink"}
                create "b" None
            POST /connectors/ {"name":"x/ y+","config":{},"initial_state":"running"}
              201 location=/connectors/x%2F%20y%2B {"name":"x/ y+","config":{},"tasks":[{"connector":"x/ y+","task":0}],"type":"sink"}
                create "x/ y+" Some(Started)
            POST /connectors {"name":7,"config":{},"initial_state":"pauSed"}
              201 location=/connectors/7 {"name":"7","config":{},"tasks":[{"connector":"7","task":0}],"type":"sink"}
                create "7" Some(Paused)
            POST /connectors {"name":"b","config":{},"initial_state":"STOPPED"}
              201 location=/connectors/b {"name":"b","config":{},"tasks":[{"connector":"b","task":0}],"type":"sink"}
                create "b" Some(Stopped)
            POST /connectors {"config":{},"initial_state":null}
              201 location=/connectors/ {"name":"","config":{},"tasks":[{"connector":"","task":0}],"type":"sink"}
                create "" None
            POST /connectors {"name":"a","config":{}}
              409 {"error_code":409,"message":"Connector a already exists"}
                create "a" None
            POST /connectors {"name":"broken","config":{}}
              500 {"error_code":500,"message":"it is our fault"}
                create "broken" None
            POST /connectors {"name":"moving","config":{}}
              409 {"error_code":409,"message":"a rebalance is under way"}
                create "moving" None
            PUT /connectors/a/config {"k":"v"}
              200 {"name":"a","config":{"k":"v"},"tasks":[{"connector":"a","task":0}],"type":"sink"}
                put "a"
            PUT /connectors/new/config {"k":1,"k":2}
              201 location=/connectors/new {"name":"new","config":{"k":"2"},"tasks":[{"connector":"new","task":0}],"type":"sink"}
                put "new"
            PUT /connectors/%C3%A9/config/ {}
              201 location=/connectors/%C3%A9 {"name":"é","config":{},"tasks":[{"connector":"é","task":0}],"type":"sink"}
                put "é"
            PATCH /connectors/a/config {"k":null,"l":7,"m":"x"}
              200 {"name":"a","config":{},"tasks":[{"connector":"a","task":0}],"type":"sink"}
                patch "a" {"k": None, "l": Some("7"), "m": Some("x")}
            PATCH /connectors/b/config {}
              404 {"error_code":404,"message":"Connector b not found"}
                patch "b" {}
            DELETE /connectors/a
              204
                delete "a"
            DELETE /connectors/x%2fy/
              204
                delete "x/y"
            DELETE /connectors/b
              404 {"error_code":404,"message":"Connector b not found"}
                delete "b"
        "#]],
    )
    .await;
}

#[actix_web::test]
async fn states() {
    check(
        &[
            "PUT /connectors/a/pause",
            "PUT /connectors/a/pause {}",
            "PUT /connectors/a/resume/",
            "PUT /connectors/a/stop",
            "PUT /connectors/b/stop",
            "POST /connectors/a/restart",
            "POST /connectors/a/restart?includeTasks=false&onlyFailed=no",
            "POST /connectors/a/restart?includeTasks=true",
            "POST /connectors/a/restart?onlyFailed=TRUE",
            "POST /connectors/b/restart",
            "POST /connectors/a/tasks/3/restart",
            "PUT /connectors/a/topics/reset",
        ],
        expect![[r#"
            PUT /connectors/a/pause
              202
                target "a" Paused
            PUT /connectors/a/pause {}
              202
                target "a" Paused
            PUT /connectors/a/resume/
              202
                target "a" Started
            PUT /connectors/a/stop
              204
                target "a" Stopped
            PUT /connectors/b/stop
              404 {"error_code":404,"message":"Connector b not found"}
                target "b" Stopped
            POST /connectors/a/restart
              204
                restart "a" tasks=false failed=false
            POST /connectors/a/restart?includeTasks=false&onlyFailed=no
              204
                restart "a" tasks=false failed=false
            POST /connectors/a/restart?includeTasks=true
              202 {"name":"a","connector":{"state":"RESTARTING","worker_id":"127.0.0.1:8083","version":"1.0"},"tasks":[{"id":0,"state":"FAILED","worker_id":"127.0.0.1:8083","trace":"it broke","version":"1.0"},{"id":1,"state":"RUNNING","worker_id":"127.0.0.1:8083","version":"1.0","retrying":{"for_ms":1500,"reason":"no database"}}],"type":"unknown"}
                restart "a" tasks=true failed=false
            POST /connectors/a/restart?onlyFailed=TRUE
              202 {"name":"a","connector":{"state":"RESTARTING","worker_id":"127.0.0.1:8083","version":"1.0"},"tasks":[{"id":0,"state":"FAILED","worker_id":"127.0.0.1:8083","trace":"it broke","version":"1.0"},{"id":1,"state":"RUNNING","worker_id":"127.0.0.1:8083","version":"1.0","retrying":{"for_ms":1500,"reason":"no database"}}],"type":"unknown"}
                restart "a" tasks=false failed=true
            POST /connectors/b/restart
              404 {"error_code":404,"message":"Connector b not found"}
                restart "b" tasks=false failed=false
            POST /connectors/a/tasks/3/restart
              204
                restart task a-3
            PUT /connectors/a/topics/reset
              202
                reset topics "a"
        "#]],
    )
    .await;
}

#[actix_web::test]
async fn offsets() {
    check(
        &[
            r#"PATCH /connectors/a/offsets {"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":0},"offset":{"kafka_offset":"7"}},{"partition":{"p":1.5},"offset":null},{"partition":{}}]}"#,
            r#"PATCH /connectors/b/offsets {"offsets":[{"partition":{},"offset":{}}]}"#,
            "DELETE /connectors/a/offsets",
            "PATCH /connectors/a/offsets {}",
            r#"PATCH /connectors/a/offsets {"offsets":null}"#,
            r#"PATCH /connectors/a/offsets {"offsets":[]}"#,
            r#"PATCH /connectors/a/offsets {"offsets":{}}"#,
            r#"PATCH /connectors/a/offsets {"offset":[]}"#,
            r#"PATCH /connectors/a/offsets {"offsets":[1]}"#,
            r#"PATCH /connectors/a/offsets {"offsets":[null]}"#,
            r#"PATCH /connectors/a/offsets {"offsets":[{"partition":"t","offset":null}]}"#,
            r#"PATCH /connectors/a/offsets {"offsets":[{"partition":{},"offset":5}]}"#,
            r#"PATCH /connectors/a/offsets {"offsets":[{"partition":{},"offset":null,"x":1}]}"#,
            r#"PATCH /connectors/a/offsets {"offsets":[{"partition":{"a":{"b":1}},"offset":null}]}"#,
            r#"PATCH /connectors/a/offsets {"offsets":[{"partition":{},"offset":{"a":[1]}}]}"#,
            r#"PATCH /connectors/a/offsets {"offsets":[{"offset":null}]}"#,
            r#"PATCH /connectors/x%2Fy/offsets {"offsets":[{"partition":{}},{"partition":null}]}"#,
            r#"PATCH /connectors/b/offsets {"offsets":[{}]}"#,
        ],
        expect![[r#"
            PATCH /connectors/a/offsets {"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":0},"offset":{"kafka_offset":"7"}},{"partition":{"p":1.5},"offset":null},{"partition":{}}]}
              200 {"message":"altered"}
                alter "a" {"kafka_topic":"t","kafka_partition":0}={"kafka_offset":"7"} {"p":1.5}=null {}=null
            PATCH /connectors/b/offsets {"offsets":[{"partition":{},"offset":{}}]}
              404 {"error_code":404,"message":"Connector b not found"}
                alter "b" {}={}
            DELETE /connectors/a/offsets
              200 {"message":"reset"}
                reset offsets "a"
            PATCH /connectors/a/offsets {}
              400 {"error_code":400,"message":"Partitions / offsets need to be provided for an alter offsets request"}
            PATCH /connectors/a/offsets {"offsets":null}
              400 {"error_code":400,"message":"Partitions / offsets need to be provided for an alter offsets request"}
            PATCH /connectors/a/offsets {"offsets":[]}
              400 {"error_code":400,"message":"Partitions / offsets need to be provided for an alter offsets request"}
            PATCH /connectors/a/offsets {"offsets":{}}
              400 {"error_code":400,"message":"offsets is an object: it must be an array of {\"partition\": {...}, \"offset\": {...}}"}
            PATCH /connectors/a/offsets {"offset":[]}
              400 {"error_code":400,"message":"Unrecognized field \"offset\": the body has the field offsets alone"}
            PATCH /connectors/a/offsets {"offsets":[1]}
              400 {"error_code":400,"message":"offsets[0] is a number: it must be a JSON object"}
            PATCH /connectors/a/offsets {"offsets":[null]}
              400 {"error_code":400,"message":"offsets[0] is null: it must be a JSON object"}
            PATCH /connectors/a/offsets {"offsets":[{"partition":"t","offset":null}]}
              400 {"error_code":400,"message":"offsets[0].partition is a string: it must be a JSON object or null"}
            PATCH /connectors/a/offsets {"offsets":[{"partition":{},"offset":5}]}
              400 {"error_code":400,"message":"offsets[0].offset is a number: it must be a JSON object or null"}
            PATCH /connectors/a/offsets {"offsets":[{"partition":{},"offset":null,"x":1}]}
              400 {"error_code":400,"message":"Unrecognized field \"x\": offsets[0] has the fields partition and offset"}
            PATCH /connectors/a/offsets {"offsets":[{"partition":{"a":{"b":1}},"offset":null}]}
              400 {"error_code":400,"message":"Offsets may only contain primitive types as values, but field a contains MAP"}
            PATCH /connectors/a/offsets {"offsets":[{"partition":{},"offset":{"a":[1]}}]}
              400 {"error_code":400,"message":"Offsets may only contain primitive types as values, but field a contains ARRAY"}
            PATCH /connectors/a/offsets {"offsets":[{"offset":null}]}
              400 {"error_code":400,"message":"The partition for a sink connector offset cannot be null or missing"}
            PATCH /connectors/x%2Fy/offsets {"offsets":[{"partition":{}},{"partition":null}]}
              400 {"error_code":400,"message":"offsets[1] has no partition: say whose offset it is"}
            PATCH /connectors/b/offsets {"offsets":[{}]}
              404 {"error_code":404,"message":"Connector b not found"}
        "#]],
    )
    .await;
}

#[actix_web::test]
async fn validation() {
    check(
        &[
            r#"PUT /connector-plugins/Sink/config/validate {"connector.class":"org.example.SinkConnector","topics":7}"#,
            r#"PUT /connector-plugins/org.example.Sink/config/validate {"connector.class":"org.example.Sink"}"#,
            r#"PUT /connector-plugins/org.example.Sink/config/validate {"connector.class":"Sink"}"#,
            r#"PUT /connector-plugins/Sink/config/validate {"connector.class":"Source"}"#,
            r#"PUT /connector-plugins/Sink/config/validate {"topics":null,"other":null}"#,
            r#"PUT /connector-plugins/Broken/config/validate {}"#,
            "PUT /connector-plugins/Sink/config/validate []",
        ],
        expect![[r#"
            PUT /connector-plugins/Sink/config/validate {"connector.class":"org.example.SinkConnector","topics":7}
              200 {"name":"Sink","error_count":1,"groups":["Common"],"configs":[{"definition":{"name":"topics","type":"LIST","required":true,"default_value":null,"importance":"HIGH","documentation":"What to read.","group":null,"order_in_group":-1,"width":"NONE","display_name":"topics","dependents":[]},"value":{"name":"topics","value":"7","recommended_values":[],"errors":["it is wrong"],"visible":true}}]}
            PUT /connector-plugins/org.example.Sink/config/validate {"connector.class":"org.example.Sink"}
              200 {"name":"org.example.Sink","error_count":1,"groups":["Common"],"configs":[{"definition":{"name":"topics","type":"LIST","required":true,"default_value":null,"importance":"HIGH","documentation":"What to read.","group":null,"order_in_group":-1,"width":"NONE","display_name":"topics","dependents":[]},"value":{"name":"topics","value":null,"recommended_values":[],"errors":["it is wrong"],"visible":true}}]}
            PUT /connector-plugins/org.example.Sink/config/validate {"connector.class":"Sink"}
              400 {"error_code":400,"message":"Included connector type Sink does not match request type org.example.Sink"}
            PUT /connector-plugins/Sink/config/validate {"connector.class":"Source"}
              400 {"error_code":400,"message":"Included connector type Source does not match request type Sink"}
            PUT /connector-plugins/Sink/config/validate {"topics":null,"other":null}
              200 {"name":"Sink","error_count":3,"groups":["Common"],"configs":[{"definition":{"name":"topics","type":"LIST","required":true,"default_value":null,"importance":"HIGH","documentation":"What to read.","group":null,"order_in_group":-1,"width":"NONE","display_name":"topics","dependents":[]},"value":{"name":"topics","value":null,"recommended_values":[],"errors":["it is wrong","Null value can not be supplied as the configuration value."],"visible":true}},{"definition":null,"value":{"name":"other","value":null,"recommended_values":[],"errors":["Null value can not be supplied as the configuration value."],"visible":true}}]}
            PUT /connector-plugins/Broken/config/validate {}
              400 {"error_code":400,"message":"no such class"}
            PUT /connector-plugins/Sink/config/validate []
              400 {"error_code":400,"message":"the body is an array: it must be a JSON object"}
        "#]],
    )
    .await;
}

#[actix_web::test]
async fn loggers() {
    check(
        &[
            r#"PUT /admin/loggers/org.apache.kafka {"level":"debug"}"#,
            r#"PUT /admin/loggers/root?scope=worker {"level":" Info"}"#,
            r#"PUT /admin/loggers/root?scope=CLUSTER {"level":"WARN"}"#,
            r#"PUT /admin/loggers/root?scope=galaxy {"level":"WARN","more":"x"}"#,
            r#"PUT /admin/loggers/root {"level":"loud"}"#,
            r#"PUT /admin/loggers/root {"level":7}"#,
            r#"PUT /admin/loggers/root {"level":null}"#,
            "PUT /admin/loggers/root {}",
            "PUT /admin/loggers/root []",
        ],
        expect![[r#"
            PUT /admin/loggers/org.apache.kafka {"level":"debug"}
              200 ["org.apache.kafka"]
                logger "org.apache.kafka" DEBUG
            PUT /admin/loggers/root?scope=worker {"level":" Info"}
              200 ["root"]
                logger "root" INFO
            PUT /admin/loggers/root?scope=CLUSTER {"level":"WARN"}
              204
                cluster logger "root" WARN
            PUT /admin/loggers/root?scope=galaxy {"level":"WARN","more":"x"}
              200 ["root"]
                logger "root" WARN
            PUT /admin/loggers/root {"level":"loud"}
              404 {"error_code":404,"message":"invalid log level 'loud'."}
            PUT /admin/loggers/root {"level":7}
              404 {"error_code":404,"message":"invalid log level '7'."}
            PUT /admin/loggers/root {"level":null}
              400 {"error_code":400,"message":"Desired 'level' parameter was not specified in request."}
            PUT /admin/loggers/root {}
              400 {"error_code":400,"message":"Desired 'level' parameter was not specified in request."}
            PUT /admin/loggers/root []
              400 {"error_code":400,"message":"the body is an array: it must be a JSON object"}
        "#]],
    )
    .await;
}

#[actix_web::test]
async fn between_workers() {
    check(
        &["POST /connectors/a/tasks [{}]", "PUT /connectors/a/fence"],
        expect![[r#"
        POST /connectors/a/tasks [{}]
          204
            task configs "a" b"[{}]" None
        PUT /connectors/a/fence
          503 {"error_code":503,"message":"no key yet"}
            fence "a" b"" None
    "#]],
    )
    .await;
    let signed = |mac: &str, algorithm: &str| {
        parse("POST /connectors/a/tasks [{}]")
            .insert_header(("X-Connect-Authorization", mac.to_owned()))
            .insert_header(("X-Connect-Request-Signature-Algorithm", algorithm.to_owned()))
    };
    let mut answers = String::new();
    for (mac, algorithm) in [
        ("AQID", "HmacSHA256"),
        ("AQIDBA==", "HmacSHA512"),
        ("AQIDBA", "HmacSHA512"),
        ("!", "HmacSHA256"),
        ("AQID", "HmacROT13"),
    ] {
        answers.push_str(&format!("{mac} {algorithm}\n  {}\n", answer(signed(mac, algorithm)).await));
    }
    expect![[r#"
        AQID HmacSHA256
          204
            task configs "a" b"[{}]" Some(RequestSignature { algorithm: "HmacSHA256", mac: [1, 2, 3] })
        AQIDBA== HmacSHA512
          204
            task configs "a" b"[{}]" Some(RequestSignature { algorithm: "HmacSHA512", mac: [1, 2, 3, 4] })
        AQIDBA HmacSHA512
          204
            task configs "a" b"[{}]" Some(RequestSignature { algorithm: "HmacSHA512", mac: [1, 2, 3, 4] })
        ! HmacSHA256
          400 {"error_code":400,"message":"X-Connect-Authorization is not base64: Invalid symbol 33, offset 0."}
        AQID HmacROT13
          400 {"error_code":400,"message":"Algorithm HmacROT13 not available"}
    "#]].assert_eq(&answers);
}
