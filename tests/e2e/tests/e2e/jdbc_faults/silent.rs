//! A database that takes connections and never says a word again.

use crate::support::PATIENCE;
use crate::support::worker::Worker;
use serde_json::json;
use std::time::{Duration, Instant};
use testkit::kafka_client::{self, Record, Topics};
use testkit::{Database, PgDatabase, eventually};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Hands connections on to the database until it falls silent: then it takes connections and bytes, and nothing ever comes back.
struct Hatch {
    port: u16,
    silent: watch::Sender<bool>,
}

impl Hatch {
    async fn before(database: (String, u16)) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (silent, heard) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(hand_on(client, database.clone(), heard.clone()));
            }
        });
        Ok(Self { port, silent })
    }
}

async fn hand_on(mut client: TcpStream, database: (String, u16), mut heard: watch::Receiver<bool>) {
    let work = async {
        if let Ok(mut server) = TcpStream::connect((&*database.0, database.1)).await {
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
    };
    let silence = async {
        let _ = heard.wait_for(|silent| *silent).await;
    };
    let silent = tokio::select! {
        biased;
        () = silence => true,
        () = work => false,
    };
    if silent {
        // The client's end stays open as long as the test runs.
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn a_silent_database_holds_up_nobody() -> anyhow::Result<()> {
    let mariadb = Database::create(&testkit::unique("silent")).await?;
    let postgres = PgDatabase::create(&testkit::unique("silent")).await?;
    let hatches = [
        Hatch::before((mariadb.server.host.clone(), mariadb.server.port)).await?,
        Hatch::before((postgres.server.host.clone(), postgres.server.port)).await?,
    ];
    // PostgreSQL's driver counts seconds.
    let urls = [
        format!("jdbc:mariadb://127.0.0.1:{}/{}?connectTimeout=1000", hatches[0].port, mariadb.name),
        format!("jdbc:postgresql://127.0.0.1:{}/{}?connectTimeout=1", hatches[1].port, postgres.name),
    ];
    let accounts = [
        (&mariadb.server.user, &mariadb.server.password),
        (&postgres.server.user, &postgres.server.password),
    ];
    let bootstrap = testkit::kafka()?;
    let topic = testkit::unique("silent");
    kafka_client::create_topic(&bootstrap, &topic, 1, &[]).await?;
    let _topics = Topics::removed_at_the_end(&bootstrap, [&topic]);
    let schema = json!({"type": "struct", "fields": [{"field": "id", "type": "int32"}]});
    let record = |id: i32| {
        let value = json!({"schema": schema, "payload": {"id": id}}).to_string();
        Record::new(id.to_string(), value)
    };
    kafka_client::produce_all(&bootstrap, &topic, [record(1)]).await?;

    let mut worker = Worker::start(&[]).await?;
    let names = [testkit::unique("silent-mariadb"), testkit::unique("silent-postgres")];
    for (index, name) in names.iter().enumerate() {
        let config = json!({
            "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
            "topics": topic,
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "connection.url": urls[index],
            "connection.user": accounts[index].0,
            "connection.password": accounts[index].1,
            "auto.create": "true",
            "max.retries": "1000000",
            "retry.backoff.ms": "100",
        });
        assert_eq!(worker.create(name, &config).await?.status, 201);
    }
    eventually("the first row in both", PATIENCE, async || {
        Ok((mariadb.count(&topic).await? == 1 && postgres.count(&topic).await? == 1).then_some(()))
    })
    .await;

    for hatch in &hatches {
        hatch.silent.send_replace(true);
    }
    kafka_client::produce_all(&bootstrap, &topic, [record(2)]).await?;
    for name in &names {
        let status = eventually(format!("{name} to say what it waits for"), PATIENCE, async || {
            let asked = Instant::now();
            let status = worker.get(&format!("/connectors/{name}/status")).await?.body;
            assert!(asked.elapsed() < Duration::from_secs(5), "REST waits for the database");
            anyhow::ensure!(status["tasks"][0].to_string().contains("retry"), "{status}");
            Ok(Some(status))
        })
        .await;
        assert_eq!(status["tasks"][0]["state"], "RUNNING", "{status}");
        eprintln!("{}", status["tasks"][0]);
    }
    let asked = Instant::now();
    worker.process.terminate();
    assert!(worker.process.wait_exit(Duration::from_secs(20)).await?.success());
    eprintln!("stopped {} ms after it was asked to", asked.elapsed().as_millis());
    Ok(())
}
