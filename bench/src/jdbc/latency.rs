//! One record at a time: from the call that produces it to the row that another client sees.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, ThreadedProducer};
use testkit::kafka_client::{Topics, create_topic};

use super::database::{Db, Watch};
use super::orders::{id, value};
use super::report::Sample;
use super::worker::Worker;
use super::{Bench, Case, What, Who, sink};

/// The first ones find caches cold and are not counted.
const WARM_UP: u64 = 200;
const RECORDS: u64 = 1000;

pub(super) async fn run(bench: &mut Bench, case: Case, who: Who) -> anyhow::Result<()> {
    let Some(side) = who.side() else { return Ok(()) };
    let db = Db::create(case.engine).await?;
    db.create_table(What::Upsert).await?;
    let topic = testkit::unique("bench_latency");
    create_topic(&bench.bootstrap, &topic, 1, &[]).await?;
    let _topics = Topics::removed_at_the_end(&bench.bootstrap, [topic.clone()]);
    let mut worker = Worker::start(bench, side).await?;
    worker
        .create(&testkit::unique("sink"), &sink::config(side, What::Upsert, &db, &topic, 1, bench.batch))
        .await?;
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", &bench.bootstrap)
        .set("linger.ms", "0")
        .create()
        .context("cannot create a producer")?;
    let mut eye = Watch::open(&db).await?;
    let measuring = async {
        let mut times = Vec::new();
        for number in 0..WARM_UP + RECORDS {
            let (key, value) = (id(number), value(number));
            let begun = Instant::now();
            producer
                .send(BaseRecord::to(&topic).key(&key).payload(&value))
                .map_err(|(error, _)| error)
                .context("cannot produce")?;
            while !eye.sees(&key).await? {
                // The first waits for the connector to come up.
                if begun.elapsed() > Duration::from_secs(60) {
                    bail!("record {number} does not arrive");
                }
            }
            if number >= WARM_UP {
                times.push(begun.elapsed().as_secs_f64());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        times.sort_by(f64::total_cmp);
        Ok(times)
    };
    let times: anyhow::Result<Vec<f64>> = measuring.await;
    let times = worker.watched(std::future::ready(times)).await?;
    worker.stop().await?;
    let part = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    let sample = Sample { seconds: part(50), p95: Some(part(95)), p99: Some(part(99)), ..Sample::default() };
    bench.samples.push(case, who, sample);
    Ok(())
}
