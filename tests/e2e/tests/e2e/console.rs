//! `demo topics|produce|consume`: the console for learners without Java, beside Kafka's own tools and on both brokers.

use anyhow::{Context as _, ensure};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use testkit::{Process, eventually, kafka_client, kafka_tool};

const PRODUCER: &str = "org.apache.kafka.tools.ConsoleProducer";
const CONSUMER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";

async fn console(bootstrap: &str, args: &[&str], input: &str) -> anyhow::Result<Output> {
    use std::io::Write as _;
    let (bootstrap, input) = (bootstrap.to_owned(), input.to_owned());
    let args: Vec<String> = args.iter().map(ToString::to_string).collect();
    tokio::task::spawn_blocking(move || {
        let mut child = Command::new(testkit::bin("demo"))
            .args(&args)
            .args(["--bootstrap-server", &bootstrap])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting the console")?;
        child.stdin.take().context("no stdin")?.write_all(input.as_bytes())?;
        child.wait_with_output().context("waiting for the console")
    })
    .await?
}

/// Its output, if it succeeded.
async fn ok(bootstrap: &str, args: &[&str], input: &str) -> anyhow::Result<String> {
    let output = console(bootstrap, args, input).await?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{args:?} ended with {}: {errors}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}

/// Its one line of error.
async fn refused(bootstrap: &str, args: &[&str], input: &str) -> anyhow::Result<String> {
    let output = console(bootstrap, args, input).await?;
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    let errors = String::from_utf8(output.stderr)?;
    assert_eq!(errors.lines().count(), 1, "{errors}");
    Ok(errors)
}

const PRINT_ALL: [&str; 8] = [
    "--property",
    "print.key=true",
    "--property",
    "print.headers=true",
    "--property",
    "print.timestamp=true",
    "--property",
    "print.offset=true",
];
const KEYS_AND_HEADERS: [&str; 6] =
    ["--property", "parse.key=true", "--property", "parse.headers=true", "--property", "null.marker=NULL"];

#[tokio::test]
async fn lines_and_records_are_those_of_kafkas_own_tools() -> anyhow::Result<()> {
    let kafka = testkit::kafka()?;
    let [ours, theirs] = [testkit::unique("ours"), testkit::unique("theirs")];
    for topic in [&ours, &theirs] {
        kafka_client::create_topic(&kafka, topic, 3, &[]).await?;
    }
    let input = "h1:a,h2:b\tkey 1\tvalue 1\n\tk\t\nNULL\tNULL\tNULL\nh:ü\tkey 2\tväl\tue\n";
    // a header without a name is nothing Kafka's tool takes, so no line begins with an empty header
    let input = input.replace("\n\tk\t\n", "\nNULL\tk\t\n");
    ok(&kafka, &[&["produce", "--topic", &ours][..], &KEYS_AND_HEADERS].concat(), &input).await?;
    let producer = [&["--bootstrap-server", &kafka, "--topic", &theirs][..], &KEYS_AND_HEADERS].concat();
    kafka_tool(PRODUCER, &producer, &input).await?;

    let parts = |mut records: Vec<kafka_client::Message>| {
        records.sort_by_key(|record| (record.partition, record.offset));
        let keyed = records.into_iter().filter(|record| record.key.is_some());
        keyed.map(|record| (record.partition, record.key, record.value, record.headers)).collect::<Vec<_>>()
    };
    let [written, reference] = [
        parts(kafka_client::consume_all(&kafka, &ours).await?),
        parts(kafka_client::consume_all(&kafka, &theirs).await?),
    ];
    assert_eq!(written, reference, "the same records, in the same partitions");

    let sorted = |text: String| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.retain(|line| !line.starts_with("Option --property is deprecated"));
        lines.sort();
        lines
    };
    let from_beginning = ["--from-beginning", "--max-messages", "4"];
    let consume = [&["consume", "--topic", &ours][..], &from_beginning, &PRINT_ALL].concat();
    let consumer =
        [&["--bootstrap-server", &kafka, "--topic", &ours][..], &from_beginning, &PRINT_ALL].concat();
    let [read, expected] =
        [sorted(ok(&kafka, &consume, "").await?), sorted(kafka_tool(CONSUMER, &consumer, "").await?)];
    assert_eq!(read, expected, "the same lines");
    assert_eq!(read.len(), 4, "{read:?}");
    kafka_client::delete_topics(&kafka, &[&ours, &theirs]).await?;
    Ok(())
}

#[tokio::test]
async fn works_on_real_kafka() -> anyhow::Result<()> {
    let kafka = testkit::kafka()?;
    let topic = testkit::unique("console");
    everything(&kafka, &topic).await?;
    kafka_client::delete_topics(&kafka, &[&topic]).await
}

#[tokio::test]
async fn works_on_the_embedded_broker() -> anyhow::Result<()> {
    let address = format!("127.0.0.1:{}", testkit::free_port());
    let broker =
        Process::spawn("broker", Command::new(testkit::bin("embedded-broker")).args(["--listen", &address]));
    eventually("the broker", Duration::from_secs(10), async || {
        Ok(broker.log().contains("listening on").then_some(()))
    })
    .await;
    everything(&address, "console").await
}

async fn everything(broker: &str, topic: &str) -> anyhow::Result<()> {
    let created = ok(broker, &["topics", "--create", "--topic", topic, "--partitions", "2"], "").await?;
    assert_eq!(created, format!("Created topic {topic}.\n"));
    let of_topic = ["topics", "--topic", topic];
    eventually("the topic", Duration::from_secs(10), async || {
        Ok(ok(broker, &of_topic, "").await?.lines().any(|line| line.starts_with(topic)).then_some(()))
    })
    .await;

    let keyed = ["--property", "parse.key=true", "--property", "key.separator=:"];
    ok(broker, &[&["produce", "--topic", topic][..], &keyed].concat(), "a:1\nb:2\nc:3\n").await?;
    let listed = ok(broker, &of_topic, "").await?;
    let cells: Vec<&str> = listed.lines().nth(1).context("no line")?.split_whitespace().collect();
    assert_eq!(cells, [topic, "2", "3"]);
    let described = ok(broker, &["topics", "--describe", "--topic", topic], "").await?;
    assert_eq!(described.lines().count(), 3, "{described}");

    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let all = [
        "consume",
        "--topic",
        topic,
        "--from-beginning",
        "--timeout-ms",
        "2000",
        "--property",
        "print.key=true",
    ];
    assert_eq!(sorted(&ok(broker, &all, "").await?), ["a\t1", "b\t2", "c\t3"]);
    let one = ok(broker, &[&all[..], &["--max-messages", "1"]].concat(), "").await?;
    assert_eq!(one.lines().count(), 1, "{one}");
    let new = ["consume", "--topic", topic, "--timeout-ms", "1000"];
    assert_eq!(ok(broker, &new, "").await?, "", "without --from-beginning only what comes next");

    // each of the two partitions by itself, then from an offset on
    let mut of_partitions = Vec::new();
    for partition in ["0", "1"] {
        let from = ["--partition", partition, "--offset", "earliest", "--timeout-ms", "1500"];
        of_partitions
            .extend(sorted(&ok(broker, &[&["consume", "--topic", topic][..], &from].concat(), "").await?));
        let from = ["--partition", partition, "--offset", "3", "--timeout-ms", "1000"];
        let past = ok(broker, &[&["consume", "--topic", topic][..], &from].concat(), "").await?;
        assert_eq!(past, "");
    }
    of_partitions.sort();
    assert_eq!(of_partitions, ["1", "2", "3"]);

    // a group goes on where it stopped
    let group = testkit::unique("group");
    let as_group = [&all[..], &["--group", &group]].concat();
    assert_eq!(sorted(&ok(broker, &as_group, "").await?).len(), 3);
    assert_eq!(ok(broker, &as_group, "").await?, "");
    ok(broker, &[&["produce", "--topic", topic][..], &keyed].concat(), "d:4\n").await?;
    assert_eq!(ok(broker, &as_group, "").await?, "d\t4\n");

    // records before the bad line are written
    let error =
        refused(broker, &[&["produce", "--topic", topic][..], &keyed].concat(), "e:5\nno key\nf:6\n").await?;
    assert!(error.contains("line 2 has no key.separator \":\""), "{error}");
    assert_eq!(ok(broker, &as_group, "").await?, "e\t5\n");

    let unknown = format!("{topic}x");
    for command in ["produce", "consume", "topics"] {
        let error = refused(broker, &[command, "--topic", &unknown], "").await?;
        assert!(
            error.contains(&format!("there is no topic {unknown:?}")) && error.contains(topic),
            "{error}"
        );
    }
    let error = refused(broker, &["consume", "--topic", topic, "--partition", "7"], "").await?;
    assert!(error.contains("has no partition 7; its partitions are 0 to 1"), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_absent_broker_and_an_absent_demo_are_one_line_each() -> anyhow::Result<()> {
    let address = format!("127.0.0.1:{}", testkit::free_port());
    let error = refused(&address, &["topics"], "").await?;
    assert_eq!(error, format!("demo: no Kafka answers at {address}\n"));
    // nobody's demo has this offset
    for args in [["consume", "--topic", "orders"].as_slice(), &["ps"], &["token"], &["kill", "gateway"]] {
        let output =
            Command::new(testkit::bin("demo")).args(args).args(["--port-offset", "48999"]).output()?;
        let error = String::from_utf8(output.stderr)?;
        assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{error}");
        assert!(error.contains("cargo demo"), "{error}");
    }
    Ok(())
}
