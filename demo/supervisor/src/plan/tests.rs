use super::*;
use crate::engines::database::Server;

fn settings(store: Store, real: bool) -> Settings {
    let work_dir = PathBuf::from("/w");
    let server = Server::parse("mysql://root:pa%5Css@127.0.0.1:3307").unwrap();
    let database = |name: &str| match real {
        true => Database::Server { server: server.clone(), name: name.into() },
        false => Database::Sqlite { file: work_dir.join(format!("{name}.db")) },
    };
    Settings {
        names: Names::plain(),
        ports: Ports {
            gateway: 8000,
            connect: [8083, 8084],
            broker: 9092,
            catalog: 20001,
            orders: [20002, 20003],
        },
        store,
        kafka: real.then(|| "kafka:9095".to_owned()),
        orders_database: database("demo_orders"),
        catalog_database: database("demo_catalog"),
        work_dir,
        operator_token: "the-token".into(),
        registry_secret: "the-secret-of-all".into(),
    }
}

fn child(settings: &Settings, name: &str) -> ChildPlan {
    settings.stages().into_iter().flatten().find(|child| child.name == name).expect(name)
}

fn env<'a>(child: &'a ChildPlan, key: &str) -> Option<&'a str> {
    child.env.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str())
}

#[test]
fn everything_starts_after_what_it_needs() {
    let names = |settings: &Settings| -> Vec<Vec<&str>> {
        settings.stages().iter().map(|stage| stage.iter().map(|child| child.name).collect()).collect()
    };
    let embedded = names(&settings(Store::Events, false));
    assert_eq!(
        embedded,
        [
            vec!["embedded-broker"],
            vec!["order-service migrate", "catalog-service migrate"],
            vec!["order-service-1", "order-service-2", "catalog-service"],
            vec!["connect-worker"],
            vec!["gateway"],
        ]
    );
    let mut real = embedded[1..].to_vec();
    real[2] = vec!["connect-worker-1", "connect-worker-2"];
    assert_eq!(
        names(&settings(Store::Events, true)),
        real,
        "no broker of ours beside a real one, and a cluster of workers"
    );
}

#[test]
fn secrets_are_not_in_arguments() {
    for real in [false, true] {
        for child in settings(Store::Events, real).stages().into_iter().flatten() {
            let args = child.args.join(" ");
            for secret in ["the-token", "the-secret", "pa%5Css", "pa\\ss"] {
                assert!(!args.contains(secret), "{}: {args}", child.name);
            }
        }
    }
}

#[test]
fn each_instance_in_local_mode_has_a_file_of_its_own() {
    let local = settings(Store::Local, false);
    let files: Vec<_> = ORDER_SERVICES
        .iter()
        .map(|name| env(&child(&local, name), "LOCAL_DATABASE").expect("a file").to_owned())
        .collect();
    assert_eq!(files, ["/w/order-service-1.db", "/w/order-service-2.db"]);
    let events = settings(Store::Events, false);
    assert_eq!(env(&child(&events, "order-service-1"), "LOCAL_DATABASE"), None);
    assert_eq!(env(&child(&events, "order-service-1"), "ORDER_STORE"), Some("events"));
}

#[test]
fn services_and_worker_meet_on_the_same_engines() {
    let real = settings(Store::Events, true);
    assert_eq!(env(&child(&real, "gateway"), "KAFKA_BOOTSTRAP_SERVERS"), Some("kafka:9095"));
    assert_eq!(
        env(&child(&real, "order-service-2"), "DATABASE_URL"),
        Some("mysql://root:pa%5Css@127.0.0.1:3307/demo_orders")
    );
    assert_eq!(
        env(&child(&real, "gateway"), "CONNECT_URLS"),
        Some("http://127.0.0.1:8083,http://127.0.0.1:8084")
    );
    let [first, second, credentials] = real.files().try_into().unwrap();
    for (worker, listener) in [(&first, "127.0.0.1:8083"), (&second, "127.0.0.1:8084")] {
        assert!(worker.text.contains("bootstrap.servers=kafka:9095\n"), "{}", worker.text);
        assert!(worker.text.contains("group.id=demo-connect\n"), "{}", worker.text);
        assert!(worker.text.contains(&format!("listeners=http://{listener}\n")), "{}", worker.text);
    }
    assert_eq!(credentials.text, "user=root\npassword=pa\\\\ss\n", "a backslash is escaped");
    let Ready::Connector(Connector { url, put: Some(sink) }) = child(&real, "connect-worker-1").ready else {
        panic!("the first worker is told the connector");
    };
    assert_eq!(url, "http://127.0.0.1:8083/connectors/orders-sink");
    assert_eq!(sink["connection.url"], "jdbc:mariadb://127.0.0.1:3307/demo_orders");
    assert_eq!(sink["connection.password"], "${file:/w/database.properties:password}");
    assert_eq!(sink["topics"], "orders,order_decisions");

    let embedded = settings(Store::Events, false);
    assert_eq!(env(&child(&embedded, "order-service-1"), "DATABASE_URL"), Some("sqlite:///w/demo_orders.db"));
    let [worker, sink] = embedded.files().try_into().unwrap();
    assert!(worker.text.contains("bootstrap.servers=127.0.0.1:9092\n"), "{}", worker.text);
    assert!(sink.text.contains("connection.url=jdbc:sqlite:/w/demo_orders.db\n"), "{}", sink.text);
    assert!(!sink.text.contains("connection.user"), "{}", sink.text);
}

#[test]
fn a_run_is_kept_in_the_target_directory() {
    let dir = default_work_dir(Path::new("/repo/target/debug"), "1a2b");
    assert_eq!(dir, Path::new("/repo/target/demo/1a2b"));
}
