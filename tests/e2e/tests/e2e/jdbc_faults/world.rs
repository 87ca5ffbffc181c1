//! A broker, a database and a worker, and what befalls them.

use crate::support::database::{AnyDatabase, JdbcTarget};
use crate::support::random::Random;
use crate::support::worker::Worker;
use anyhow::Context;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::{Database, OwnEngine, PgDatabase};

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    MariaDb,
    Postgres,
}

pub(super) struct World {
    // Dropped in this order: the database is removed while its server runs.
    pub(super) worker: Worker,
    pub(super) database: Arc<AnyDatabase>,
    pub(super) engine: OwnEngine,
    pub(super) kafka: OwnEngine,
    random: Random,
    blows: usize,
}

/// How long the blows fall; five minutes are `FAULTS_SECONDS=300 cargo xtask engines -- cargo test -p e2e jdbc_faults`.
fn seconds() -> anyhow::Result<u64> {
    std::env::var("FAULTS_SECONDS")
        .map_or(Ok(30), |text| text.parse().context("FAULTS_SECONDS is not a number"))
}

impl World {
    /// Starts everything with one connector, whose configuration is made for the database.
    pub(super) async fn start(
        kind: Kind,
        name: &str,
        prepare: impl AsyncFnOnce(&str, &AnyDatabase) -> anyhow::Result<Value>,
    ) -> anyhow::Result<Self> {
        let random = Random::new("FAULTS_SEED")?;
        let kafka = OwnEngine::kafka().await?;
        let (engine, database) = match kind {
            Kind::MariaDb => {
                let engine = OwnEngine::mariadb(&[]).await?;
                let database = Database::create_on(engine.mariadb_server(), "faults").await?;
                (engine, AnyDatabase::MariaDb(database))
            }
            Kind::Postgres => {
                let engine = OwnEngine::postgres(&[]).await?;
                let database = PgDatabase::create_on(engine.postgres_server(), "faults").await?;
                (engine, AnyDatabase::Postgres(database))
            }
        };
        let mut config = prepare(&kafka.bootstrap(), &database).await?;
        let database = Arc::new(database);
        let connection = database.connection();
        let own: &mut Map<String, Value> = config.as_object_mut().context("no object")?;
        own.insert("name".into(), name.into());
        own.insert("connection.url".into(), connection.url.clone().into());
        own.insert("connection.user".into(), connection.user.into());
        own.insert("connection.password".into(), connection.password.into());
        let connector = kafka.home().join("connector.json");
        std::fs::write(&connector, config.to_string())?;
        let bootstrap = kafka.bootstrap();
        let offsets = kafka.home().join("connect.offsets").display().to_string();
        let worker = Worker::start_with(
            &[
                ("bootstrap.servers", &bootstrap),
                ("offset.storage.file.filename", &offsets),
                ("offset.flush.interval.ms", "1000"),
            ],
            &[connector],
        )
        .await?;
        Ok(Self { kafka, engine, database, worker, random, blows: 0 })
    }

    /// Blow after blow, each on one of the three, with time to work between them.
    pub(super) async fn suffer(&mut self) -> anyhow::Result<()> {
        let (started, duration) = (Instant::now(), Duration::from_secs(seconds()?));
        while started.elapsed() < duration {
            self.random.pause(500, 4000).await;
            match self.random.below(8) {
                0 | 1 => {
                    eprintln!("{:.0} s: the database is killed", started.elapsed().as_secs_f64());
                    self.engine.process.kill9();
                    self.random.pause(0, 3000).await;
                    self.engine.start_again().await;
                }
                2 => {
                    eprintln!("{:.0} s: the database freezes", started.elapsed().as_secs_f64());
                    self.engine.process.signal("STOP");
                    self.random.pause(500, 4000).await;
                    self.engine.process.signal("CONT");
                }
                3..=5 => {
                    eprintln!("{:.0} s: the worker is killed", started.elapsed().as_secs_f64());
                    self.worker.process.kill9();
                    self.random.pause(0, 1000).await;
                    self.worker.start_again().await;
                }
                6 => {
                    eprintln!("{:.0} s: the worker is asked to stop", started.elapsed().as_secs_f64());
                    self.worker.process.terminate();
                    self.worker.process.wait_exit(Duration::from_secs(30)).await?;
                    self.worker.start_again().await;
                }
                _ => {
                    eprintln!("{:.0} s: the broker is killed", started.elapsed().as_secs_f64());
                    self.kafka.process.kill9();
                    self.random.pause(0, 2000).await;
                    self.kafka.start_again().await;
                }
            }
            self.blows += 1;
        }
        eprintln!("{} blows in {:.0} s", self.blows, started.elapsed().as_secs_f64());
        Ok(())
    }
}
