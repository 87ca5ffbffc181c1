//! The worker that runs connectors and tasks, with the file connectors, on a real broker: W1 without a herder and REST.

use crate::support::PATIENCE;
use crate::support::folder::{Folder, append};
use connect_api::ConfigMap;
use connect_file::{FileStreamSinkConnector, FileStreamSourceConnector};
use connect_kafka::{KafkaGroupOffsets, RdKafkaClients};
use connect_runtime::group::Work;
use connect_runtime::herder::{ConnectorOffset, HerderError, TargetState, TaskId};
use connect_runtime::offsets::FileOffsetStore;
use connect_runtime::plugins::{ConverterClass, Plugins};
use connect_runtime::worker::{Deadlines, RunStatus, Worker, WorkerEvent, WorkerParts};
use connect_runtime::worker_config::WorkerConfig;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use testkit::kafka_client::{committed, create_topic, delete_topics, group};
use testkit::{eventually, kafka, unique};
use tokio::sync::mpsc;
use tokio::time::timeout;

struct Bench {
    folder: Folder,
    topic: String,
    worker: Worker,
    events: mpsc::UnboundedReceiver<WorkerEvent>,
}

fn map<const N: usize>(pairs: [(&str, &str); N]) -> ConfigMap {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

impl Bench {
    async fn new(test: &str) -> anyhow::Result<Self> {
        let (folder, topic) = (Folder::new(test)?, unique(test));
        create_topic(&kafka()?, &topic, 1, &[]).await?;
        let keys = map([
            ("bootstrap.servers", &kafka()?),
            ("key.converter", "StringConverter"),
            ("value.converter", "StringConverter"),
            ("offset.storage.file.filename", &folder.text("offsets")),
            ("offset.flush.interval.ms", "500"),
        ]);
        let converters = connect_converters::CONVERTERS.iter().map(|plugin| ConverterClass {
            class: plugin.class,
            version: plugin.version,
            config_def: plugin.config_def,
        });
        let plugins = Plugins::new()
            .with_source(Arc::new(FileStreamSourceConnector))
            .with_sink(Arc::new(FileStreamSinkConnector))
            .with_converters(converters, connect_converters::create);
        let config = match WorkerConfig::standalone(&keys, &plugins) {
            Ok(read) => read.config,
            Err(faults) => anyhow::bail!("{faults:?}"),
        };
        let parts = WorkerParts {
            config,
            plugins,
            clients: Arc::new(RdKafkaClients::new(&keys)?),
            offsets: Arc::new(FileOffsetStore::open(&folder.path("offsets"))?),
            group_offsets: Arc::new(KafkaGroupOffsets::new(&keys)?),
            deadlines: Deadlines::default(),
        };
        let (sender, events) = mpsc::unbounded_channel();
        Ok(Self { folder, topic, worker: Worker::new(parts, sender), events })
    }

    fn source(&self) -> ConfigMap {
        map([
            ("name", &format!("{}-source", self.topic)),
            ("connector.class", "FileStreamSource"),
            ("file", &self.folder.text("in.txt")),
            ("topic", &self.topic),
        ])
    }

    fn sink(&self) -> ConfigMap {
        map([
            ("name", &format!("{}-sink", self.topic)),
            ("connector.class", "FileStreamSink"),
            ("file", &self.folder.text("out.txt")),
            ("topics", &self.topic),
        ])
    }

    fn start(&self, run: u64, config: &ConfigMap) -> TaskId {
        let id = TaskId { connector: config["name"].clone(), task: 0 };
        self.worker.start_task(run, &id, config.clone(), config.clone(), TargetState::Started);
        id
    }

    /// Waits until that status has been told; topics and others' news are passed over.
    async fn told(&mut self, of: &TaskId, wanted: RunStatus) -> anyhow::Result<()> {
        loop {
            let event = timeout(PATIENCE, self.events.recv()).await?;
            match event {
                Some(WorkerEvent::Task { id, status, .. }) if id == *of => {
                    if status == wanted {
                        return Ok(());
                    }
                    anyhow::ensure!(!matches!(status, RunStatus::Failed { .. }), "{status:?}");
                }
                Some(_) => {}
                None => anyhow::bail!("no worker any more"),
            }
        }
    }

    async fn out_becomes(&self, expected: &str) {
        eventually(format!("the output to be {expected:?}"), PATIENCE, async || {
            let text = std::fs::read_to_string(self.folder.path("out.txt")).unwrap_or_default();
            anyhow::ensure!(text == expected, "{text:?}");
            Ok(Some(()))
        })
        .await;
    }
}

fn only(id: &TaskId) -> Work {
    Work { connectors: Default::default(), tasks: [id.clone()].into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_through_kafka_with_pauses_and_offsets_set_by_hand() -> anyhow::Result<()> {
    let mut bench = Bench::new("runtime-worker").await?;
    let (source, sink) = (bench.source(), bench.sink());
    let sink_group = format!("connect-{}", sink["name"]);
    append(&bench.folder.path("in.txt"), "one\n")?;
    let (source_task, sink_task) = (bench.start(1, &source), bench.start(1, &sink));
    bench.out_becomes("one\n").await;

    // A paused sink keeps its membership, and what is written meanwhile waits in the topic.
    bench.worker.set_target_state(&sink["name"], TargetState::Paused);
    bench.told(&sink_task, RunStatus::Paused).await?;
    append(&bench.folder.path("in.txt"), "two\n")?;
    eventually("the source to commit", PATIENCE, async || {
        let offsets = bench.worker.connector_offsets(&source["name"], &source).await?;
        Ok((offsets.first().and_then(|offset| offset.offset.clone()) == Some(object(json!({"position": 8}))))
            .then_some(()))
    })
    .await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    bench.out_becomes("one\n").await;
    assert_eq!(group(&kafka()?, &sink_group).await?.members, 1);
    assert_eq!(committed(&kafka()?, &sink_group, &bench.topic).await?[&0], 1);

    // While a task is in the group nobody else sets its offsets.
    let to_the_start = || {
        Some(vec![ConnectorOffset {
            partition: object(json!({"kafka_topic": bench.topic, "kafka_partition": "0"})),
            offset: Some(object(json!({"kafka_offset": "0"}))),
        }])
    };
    let refused = bench.worker.alter_offsets(&sink["name"], &sink, to_the_start()).await;
    assert!(
        matches!(&refused, Err(HerderError::Conflict(text)) if text.contains("can be safely retried")),
        "{refused:?}"
    );
    let refused = bench.worker.alter_offsets(&sink["name"], &sink, None).await;
    assert!(matches!(&refused, Err(HerderError::Conflict(_))), "{refused:?}");

    bench.worker.set_target_state(&sink["name"], TargetState::Started);
    bench.told(&sink_task, RunStatus::Running).await?;
    bench.out_becomes("one\ntwo\n").await;

    // A paused source reads nothing.
    bench.worker.set_target_state(&source["name"], TargetState::Paused);
    bench.told(&source_task, RunStatus::Paused).await?;
    append(&bench.folder.path("in.txt"), "three\n")?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    bench.out_becomes("one\ntwo\n").await;
    bench.worker.set_target_state(&source["name"], TargetState::Started);
    bench.out_becomes("one\ntwo\nthree\n").await;

    bench.worker.stop(&only(&sink_task)).await;
    bench.told(&sink_task, RunStatus::Ended).await?;
    bench.worker.stop(&only(&source_task)).await;
    let shown = bench.worker.connector_offsets(&sink["name"], &sink).await?;
    let partition = object(json!({"kafka_topic": bench.topic, "kafka_partition": 0}));
    assert_eq!(shown, [ConnectorOffset { partition, offset: Some(object(json!({"kafka_offset": 3}))) }]);

    // Back to the second record, then to the start, twice.
    let second = vec![ConnectorOffset {
        partition: object(json!({"kafka_topic": bench.topic, "kafka_partition": 0})),
        offset: Some(object(json!({"kafka_offset": 1}))),
    }];
    assert_eq!(
        bench.worker.alter_offsets(&sink["name"], &sink, Some(second)).await?,
        "The offsets for this connector have been altered successfully"
    );
    let sink_task = bench.start(2, &sink);
    bench.out_becomes("one\ntwo\nthree\ntwo\nthree\n").await;
    bench.worker.stop(&only(&sink_task)).await;
    for _ in 0..2 {
        assert_eq!(
            bench.worker.alter_offsets(&sink["name"], &sink, None).await?,
            "The offsets for this connector have been reset successfully"
        );
        assert_eq!(bench.worker.connector_offsets(&sink["name"], &sink).await?, []);
    }
    let unknown = vec![ConnectorOffset {
        partition: object(json!({"kafka_topic": bench.topic, "kafka_partition": 7})),
        offset: Some(object(json!({"kafka_offset": 1}))),
    }];
    let refused = bench.worker.alter_offsets(&sink["name"], &sink, Some(unknown)).await;
    assert!(
        matches!(&refused, Err(HerderError::BadRequest(text)) if text.contains("no partition 7")),
        "{refused:?}"
    );

    // The source, from its second line on.
    let second = vec![ConnectorOffset {
        partition: object(json!({"filename": bench.folder.text("in.txt")})),
        offset: Some(object(json!({"position": 4}))),
    }];
    assert_eq!(
        bench.worker.alter_offsets(&source["name"], &source, Some(second)).await?,
        "The offsets for this connector have been altered successfully"
    );
    std::fs::remove_file(bench.folder.path("out.txt"))?;
    bench.start(3, &source);
    bench.start(3, &sink);
    bench.out_becomes("one\ntwo\nthree\ntwo\nthree\n").await;
    bench.worker.stop(&bench.worker.running()).await;
    delete_topics(&kafka()?, &[&bench.topic]).await
}

fn object(value: serde_json::Value) -> connect_api::OffsetMap {
    value.as_object().cloned().unwrap_or_default()
}
