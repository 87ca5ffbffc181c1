use super::check;
use expect_test::expect;

#[actix_web::test]
async fn the_worker_and_its_connectors() {
    check(
        &[
            "GET /",
            "GET /health",
            "GET /health/",
            "GET /connectors",
            "GET /connectors/",
            "GET /connectors?expand=info",
            "GET /connectors?expand=info&expand=status",
            "GET /connectors?expand=nonsense",
            "GET /connectors?expand",
            "GET /connectors/a",
            "GET /connectors/a/",
            "GET /connectors/x%2Fy",
            "GET /connectors/a/config",
            "GET /connectors/a/status",
        ],
        expect![[r#"
            GET /
              200 {"version":"4.3.0","commit":"abc","kafka_cluster_id":null}
            GET /health
              503 {"status":"starting","message":"Worker is still starting up. waiting for Kafka"}
            GET /health/
              503 {"status":"starting","message":"Worker is still starting up. waiting for Kafka"}
            GET /connectors
              200 ["a","gone"]
            GET /connectors/
              200 ["a","gone"]
            GET /connectors?expand=info
              200 {"a":{"info":{"name":"a","config":{"z":"1","name":"a"},"tasks":[{"connector":"a","task":0}],"type":"sink"}}}
            GET /connectors?expand=info&expand=status
              200 {"a":{"status":{"name":"a","connector":{"state":"RUNNING","worker_id":"127.0.0.1:8083","version":"1.0"},"tasks":[{"id":0,"state":"FAILED","worker_id":"127.0.0.1:8083","trace":"it broke","version":"1.0"},{"id":1,"state":"RUNNING","worker_id":"127.0.0.1:8083","version":"1.0","retrying":{"for_ms":1500,"reason":"no database"}}],"type":"unknown"},"info":{"name":"a","config":{"z":"1","name":"a"},"tasks":[{"connector":"a","task":0}],"type":"sink"}}}
            GET /connectors?expand=nonsense
              200 {"a":{},"gone":{}}
            GET /connectors?expand
              200 {"a":{},"gone":{}}
            GET /connectors/a
              200 {"name":"a","config":{"z":"1","name":"a"},"tasks":[{"connector":"a","task":0}],"type":"sink"}
            GET /connectors/a/
              200 {"name":"a","config":{"z":"1","name":"a"},"tasks":[{"connector":"a","task":0}],"type":"sink"}
            GET /connectors/x%2Fy
              200 {"name":"x/y","config":{"z":"1","name":"x/y"},"tasks":[{"connector":"x/y","task":0}],"type":"source"}
            GET /connectors/a/config
              200 {"z":"1","name":"a"}
            GET /connectors/a/status
              200 {"name":"a","connector":{"state":"RUNNING","worker_id":"127.0.0.1:8083","version":"1.0"},"tasks":[{"id":0,"state":"FAILED","worker_id":"127.0.0.1:8083","trace":"it broke","version":"1.0"},{"id":1,"state":"RUNNING","worker_id":"127.0.0.1:8083","version":"1.0","retrying":{"for_ms":1500,"reason":"no database"}}],"type":"unknown"}
        "#]],
    )
    .await;
}

#[actix_web::test]
async fn what_belongs_to_connectors() {
    check(
        &[
            "GET /connectors/a/tasks",
            "GET /connectors/a/tasks/0/status",
            "GET /connectors/a/tasks/+00/status",
            "GET /connectors/a/topics",
            "GET /connectors/secret/topics",
            "GET /connectors/x%2fy/topics/",
            "GET /connectors/a/offsets",
        ],
        expect![[r#"
            GET /connectors/a/tasks
              200 [{"id":{"connector":"a","task":0},"config":{"k":"v"}}]
            GET /connectors/a/tasks/0/status
              200 {"id":0,"state":"RUNNING","worker_id":"127.0.0.1:8083","version":"1.0"}
            GET /connectors/a/tasks/+00/status
              200 {"id":0,"state":"RUNNING","worker_id":"127.0.0.1:8083","version":"1.0"}
            GET /connectors/a/topics
              200 {"a":{"topics":["t1"]}}
            GET /connectors/secret/topics
              403 {"error_code":403,"message":"Topic tracking is disabled."}
            GET /connectors/x%2fy/topics/
              200 {"x/y":{"topics":["t1"]}}
            GET /connectors/a/offsets
              200 {"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":0},"offset":{"kafka_offset":42}}]}
        "#]],
    )
    .await;
}

#[actix_web::test]
async fn plugins_and_loggers() {
    check(
        &[
            "GET /connector-plugins",
            "GET /connector-plugins/?connectorsOnly=false",
            "GET /connector-plugins?connectorsOnly=TRUE",
            "GET /connector-plugins?connectorsOnly=",
            "GET /connector-plugins?connectorsOnly=yes",
            "GET /connector-plugins/Sink/config",
            "GET /connector-plugins/Sink/config?version=%5B1.0,2.0)",
            "GET /connector-plugins/Sink/config?version=",
            "GET /connector-plugins/Nope/config",
            "GET /admin/loggers",
            "GET /admin/loggers/root",
            "GET /admin/loggers/nope",
        ],
        expect![[r#"
            GET /connector-plugins
              200 [{"class":"org.example.Sink","type":"sink","version":"1.0"}]
            GET /connector-plugins/?connectorsOnly=false
              200 [{"class":"org.example.Sink","type":"sink","version":"1.0"},{"class":"org.example.Converter","type":"converter"}]
            GET /connector-plugins?connectorsOnly=TRUE
              200 [{"class":"org.example.Sink","type":"sink","version":"1.0"}]
            GET /connector-plugins?connectorsOnly=
              200 [{"class":"org.example.Sink","type":"sink","version":"1.0"}]
            GET /connector-plugins?connectorsOnly=yes
              200 [{"class":"org.example.Sink","type":"sink","version":"1.0"},{"class":"org.example.Converter","type":"converter"}]
            GET /connector-plugins/Sink/config
              200 [{"name":"topics","type":"LIST","required":true,"default_value":null,"importance":"HIGH","documentation":"What to read.","group":null,"order_in_group":-1,"width":"NONE","display_name":"topics","dependents":[]}]
            GET /connector-plugins/Sink/config?version=%5B1.0,2.0)
              200 [{"name":"topics","type":"LIST","required":true,"default_value":"[1.0,2.0)","importance":"HIGH","documentation":"What to read.","group":null,"order_in_group":-1,"width":"NONE","display_name":"topics","dependents":[]}]
            GET /connector-plugins/Sink/config?version=
              200 [{"name":"topics","type":"LIST","required":true,"default_value":"","importance":"HIGH","documentation":"What to read.","group":null,"order_in_group":-1,"width":"NONE","display_name":"topics","dependents":[]}]
            GET /connector-plugins/Nope/config
              404 {"error_code":404,"message":"Unknown plugin Nope."}
            GET /admin/loggers
              200 {"connect_runtime":{"level":"DEBUG","last_modified":7},"root":{"level":"INFO","last_modified":null}}
            GET /admin/loggers/root
              200 {"level":"INFO","last_modified":null}
            GET /admin/loggers/nope
              404 {"error_code":404,"message":"Logger nope not found."}
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
            "GET /connectors/b/config",
            "GET /connectors/b/tasks",
            "GET /connectors/b/offsets",
            "GET /connectors/a+b",
            "GET /connectors/%20a%20b%25",
            "GET /connectors/..",
            "GET /connectors/%2E%2E%2F",
            "GET /connectors/%FF",
            "GET /connectors/100%",
            "GET /connectors//config",
            "GET //connectors",
            "GET /connectors/a/tasks/7/status",
            "GET /connectors/a/tasks/-1/status",
            "GET /connectors/a/tasks/x/status",
            "GET /connectors/a/tasks/99999999999/status",
            "POST /connectors/a/tasks/x/restart",
            "GET /connectors/a/tasks-config",
            "GET /connector-plugins/Sink",
            "GET /admin",
        ],
        expect![[r#"
            GET /nowhere
              404 {"error_code":404,"message":"HTTP 404 Not Found"}
            POST /nowhere {}
              404 {"error_code":404,"message":"HTTP 404 Not Found"}
            GET /connectors/b
              404 {"error_code":404,"message":"Connector b not found"}
            GET /connectors/b/config
              404 {"error_code":404,"message":"Connector b not found"}
            GET /connectors/b/tasks
              404 {"error_code":404,"message":"Connector b not found"}
            GET /connectors/b/offsets
              404 {"error_code":404,"message":"Connector b not found"}
            GET /connectors/a+b
              404 {"error_code":404,"message":"Connector a+b not found"}
            GET /connectors/%20a%20b%25
              404 {"error_code":404,"message":"Connector  a b% not found"}
            GET /connectors/..
              404 {"error_code":404,"message":"Connector .. not found"}
            GET /connectors/%2E%2E%2F
              404 {"error_code":404,"message":"Connector ../ not found"}
            GET /connectors/%FF
              400 {"error_code":400,"message":"the path is not percent-encoded UTF-8: write a % in a name as %25"}
            GET /connectors/100%
              400 {"error_code":400,"message":"the path is not percent-encoded UTF-8: write a % in a name as %25"}
            GET /connectors//config
              404 {"error_code":404,"message":"HTTP 404 Not Found"}
            GET //connectors
              404 {"error_code":404,"message":"HTTP 404 Not Found"}
            GET /connectors/a/tasks/7/status
              404 {"error_code":404,"message":"No status found for task a-7"}
            GET /connectors/a/tasks/-1/status
              404 {"error_code":404,"message":"No status found for task a--1"}
            GET /connectors/a/tasks/x/status
              404 {"error_code":404,"message":"HTTP 404 Not Found"}
            GET /connectors/a/tasks/99999999999/status
              404 {"error_code":404,"message":"HTTP 404 Not Found"}
            POST /connectors/a/tasks/x/restart
              404 {"error_code":404,"message":"HTTP 404 Not Found"}
            GET /connectors/a/tasks-config
              404 {"error_code":404,"message":"HTTP 404 Not Found"}
            GET /connector-plugins/Sink
              404 {"error_code":404,"message":"HTTP 404 Not Found"}
            GET /admin
              404 {"error_code":404,"message":"HTTP 404 Not Found"}
        "#]],
    )
    .await;
}
