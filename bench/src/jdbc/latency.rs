//! One record at a time: from the call that produces it to the row that another client sees.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, ThreadedProducer};
use testkit::kafka_client::{Topics, create_topic};

use super::database::{Db, Watch};
use super::orders::{id, value};
use super::plain::Plain;
use super::report::Sample;
use super::worker::Worker;
use super::{Bench, Case, What, Who, sink};

/// The first ones find caches cold and are not counted.
const WARM_UP: u64 = 200;
const RECORDS: u64 = 1000;

/// Between two looks. Who asks without pause keeps, with the server's thread that answers, one processor busy, and what is measured
/// waits for it: on two processors that alone was worth milliseconds at p99. tokio's own sleep is not as short.
const PAUSE: Duration = Duration::from_micros(100);

pub(super) async fn run(bench: &mut Bench, case: Case, who: Who) -> anyhow::Result<()> {
    let db = Db::create(case.engine).await?;
    db.create_table(What::Upsert).await?;
    let topic = testkit::unique("bench_latency");
    create_topic(&bench.bootstrap, &topic, 1, &[]).await?;
    let _topics = Topics::removed_at_the_end(&bench.bootstrap, [topic.clone()]);
    let times = match who.side() {
        None => {
            let client = Plain::start(&bench.bootstrap, &topic, &db)?;
            let times = measure(&bench.bootstrap, &topic, &db, || client.is_alive()).await;
            client.stop()?;
            times?
        }
        Some(side) => {
            let mut worker = Worker::start(bench, side).await?;
            worker
                .create(
                    &testkit::unique("sink"),
                    &sink::config(side, What::Upsert, &db, &topic, 1, bench.batch),
                )
                .await?;
            let times = worker.watched(measure(&bench.bootstrap, &topic, &db, || true)).await?;
            worker.stop().await?;
            times
        }
    };
    let part = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    let sample = Sample { seconds: part(50), p95: Some(part(95)), p99: Some(part(99)), ..Sample::default() };
    bench.samples.push(case, who, sample);
    Ok(())
}

/// The times of all records, in ascending order.
async fn measure(
    bootstrap: &str,
    topic: &str,
    db: &Db,
    is_alive: impl Fn() -> bool,
) -> anyhow::Result<Vec<f64>> {
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("linger.ms", "0")
        .create()
        .context("cannot create a producer")?;
    let mut eye = Watch::open(db).await?;
    let mut times = Vec::new();
    for number in 0..WARM_UP + RECORDS {
        let (key, value) = (id(number), value(number));
        let begun = Instant::now();
        producer
            .send(BaseRecord::to(topic).key(&key).payload(&value))
            .map_err(|(error, _)| error)
            .context("cannot produce")?;
        while !eye.sees(&key).await? {
            ensure!(is_alive(), "who writes has ended");
            // The first waits for the connector to come up.
            if begun.elapsed() > Duration::from_secs(60) {
                bail!("record {number} does not arrive");
            }
            std::thread::sleep(PAUSE);
        }
        if number >= WARM_UP {
            times.push(begun.elapsed().as_secs_f64());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}
