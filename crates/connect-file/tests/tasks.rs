//! The two connectors through the traits by which the runtime uses them.

use async_trait::async_trait;
use bytes::Bytes;
use connect_api::{
    ConfigMap, ConnectError, OffsetMap, OffsetReader, PutError, SinkConnector, SinkRecord, SinkTaskContext,
    SourceConnector, SourceRecord, SourceTask, SourceTaskContext, Value,
};
use connect_file::{FileStreamSinkConnector, FileStreamSourceConnector};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("connect-file-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn config(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn record(schema_and_value: (Option<connect_api::SchemaRef>, Value)) -> SinkRecord {
    let (value_schema, value) = schema_and_value;
    SinkRecord {
        topic: "t".into(),
        partition: 0,
        offset: 0,
        timestamp: None,
        key_schema: None,
        key: Value::Null,
        value_schema,
        value,
    }
}

/// The values of a topic (JSON with schemas) and the lines that Java's FileStreamSink 4.3.0 made of them in UTC.
#[tokio::test]
async fn values_are_printed_as_java_prints_them() {
    let folder = Folder::new("values");
    let path = folder.0.join("out");
    let mut task = FileStreamSinkConnector.new_task();
    let context = SinkTaskContext { connector: "c".into(), task: 0, tolerates_errors: false };
    task.start(context, &config(&[("file", path.to_str().unwrap())])).await.unwrap();
    let mut converter = connect_converters::create("Json", &ConfigMap::new(), false).unwrap();
    let mut convert = |json: &'static str| {
        record(converter.to_connect_data("t", Some(&Bytes::from_static(json.as_bytes()))).unwrap())
    };
    let table = [
        (
            r#"{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"a"},{"type":"string","optional":true,"field":"b"},{"type":"double","optional":true,"field":"d"},{"type":"float","optional":true,"field":"f"},{"type":"string","optional":true,"field":"gone"}],"optional":false,"name":"x"},"payload":{"a":1,"b":"x","d":1.0E10,"f":0.1}}"#,
            "Struct{a=1,b=x,d=1.0E10,f=0.1}",
        ),
        (
            r#"{"schema":{"type":"map","keys":{"type":"string"},"values":{"type":"int64"}},"payload":{"order_id":1,"user_id":2,"qty":3,"price":4,"b":5,"a":6}}"#,
            "{a=6, b=5, user_id=2, price=4, qty=3, order_id=1}",
        ),
        (
            r#"{"schema":{"type":"map","keys":{"type":"int32"},"values":{"type":"string","optional":true}},"payload":[[300,"x"],[-1,"y"],[5,null]]}"#,
            "{-1=y, 5=null, 300=x}",
        ),
        (r#"{"schema":{"type":"array","items":{"type":"boolean"}},"payload":[true,false]}"#, "[true, false]"),
        (
            r#"{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}},"payload":"z8c="}"#,
            "-123.45",
        ),
        (
            r#"{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"9"}},"payload":"AQ=="}"#,
            "1E-9",
        ),
        (
            r#"{"schema":{"type":"int64","name":"org.apache.kafka.connect.data.Timestamp","version":1},"payload":1714810000123}"#,
            "Sat May 04 08:06:40 UTC 2024",
        ),
        (
            r#"{"schema":{"type":"int32","name":"org.apache.kafka.connect.data.Date","version":1},"payload":-1}"#,
            "Wed Dec 31 00:00:00 UTC 1969",
        ),
        (
            r#"{"schema":{"type":"int32","name":"org.apache.kafka.connect.data.Time","version":1},"payload":3723000}"#,
            "Thu Jan 01 01:02:03 UTC 1970",
        ),
        (
            r#"{"schema":null,"payload":{"z":[1,2.5,{"y":null,"x":"é😀"}],"name":"n","key10":1,"key2":2}}"#,
            "{key2=2, name=n, z=[1, 2.5, {x=é😀, y=null}], key10=1}",
        ),
        (r#"{"schema":{"type":"double"},"payload":4.9E-324}"#, "4.9E-324"),
        (r#"{"schema":{"type":"double"},"payload":123456789012345680}"#, "1.2345678901234568E17"),
        (r#"{"schema":{"type":"double"},"payload":0.00012}"#, "1.2E-4"),
        (r#"{"schema":{"type":"int8"},"payload":-5}"#, "-5"),
        (r#"{"schema":{"type":"string"},"payload":"two\nlines"}"#, "two\nlines"),
    ];
    let mut records: Vec<_> = table.iter().map(|(json, _)| convert(json)).collect();
    records.push(record((None, Value::Null)));
    task.put(&records).await.unwrap();
    task.stop().await;
    let expected: String = table.iter().map(|(_, line)| format!("{line}\n")).collect();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{expected}null\n"));
}

#[tokio::test]
async fn a_full_disk_is_waited_for() {
    let mut task = FileStreamSinkConnector.new_task();
    let context = SinkTaskContext { connector: "c".into(), task: 0, tolerates_errors: false };
    task.start(context, &config(&[("file", "/dev/full")])).await.unwrap();
    for _ in 0..2 {
        match task.put(&[record((None, "x".into()))]).await {
            Err(PutError::Retriable { error, .. }) => {
                assert!(error.to_string().ends_with("make room on the disk"), "{error}")
            }
            other => panic!("{other:?}"),
        }
    }
}

struct Stored(Option<serde_json::Value>);

#[async_trait]
impl OffsetReader for Stored {
    async fn offset(&self, partition: &OffsetMap) -> Result<Option<OffsetMap>, ConnectError> {
        assert_eq!(partition.keys().collect::<Vec<_>>(), ["filename"]);
        Ok(self.0.as_ref().and_then(|offset| offset.as_object().cloned()))
    }
}

async fn source(file: &Path, stored: Option<serde_json::Value>) -> Result<Box<dyn SourceTask>, ConnectError> {
    let mut task = FileStreamSourceConnector.new_task();
    let context = SourceTaskContext { connector: "c".into(), task: 0, offsets: Arc::new(Stored(stored)) };
    let config = config(&[("file", file.to_str().unwrap()), ("topic", "lines"), ("batch.size", "2")]);
    task.start(context, &config).await?;
    Ok(task)
}

fn offset(record: &SourceRecord) -> serde_json::Value {
    json!(record.source_offset.as_ref().map(|offset| offset.map()))
}

#[tokio::test]
async fn lines_become_records_with_their_place() {
    let folder = Folder::new("lines");
    let path = folder.0.join("x");
    std::fs::write(&path, "one\ntwo\nthree\n").unwrap();
    let mut task = source(&path, Some(json!({"position": 4}))).await.unwrap();
    let records = task.poll().await.unwrap();
    let seen: Vec<_> = records.iter().map(|r| (r.value.clone(), offset(r))).collect();
    assert_eq!(seen, [("two".into(), json!({"position": 8})), ("three".into(), json!({"position": 14}))]);
    assert_eq!(json!(records[0].source_partition.as_deref()), json!({"filename": path.to_str().unwrap()}));
    assert_eq!((&*records[0].topic, &records[0].key, records[0].partition), ("lines", &Value::Null, None));
    assert!(records[0].timestamp.is_some_and(|now| now > 1_700_000_000_000));
    assert_eq!(task.poll().await.unwrap(), [], "a second without news");
    task.stop().await;

    let error = source(&path, Some(json!({"position": "4"}))).await.err().unwrap().to_string();
    assert!(error.contains("is not a number of characters"), "{error}");
    let configs = FileStreamSourceConnector.task_configs(&ConfigMap::new(), 5).await.unwrap();
    assert_eq!(configs.len(), 1, "one file has one reader");
}

/// W1.4: lines that are appended come with the poll that is under way, and a file that is rewritten is read from its start.
#[tokio::test]
async fn a_poll_sees_what_happens_to_the_file_meanwhile() {
    let folder = Folder::new("meanwhile");
    let path = folder.0.join("x");
    let mut task = source(&path, None).await.unwrap();
    for (text, append, expected, position) in [
        ("ITEM001,SHOP001,929\n", false, "ITEM001,SHOP001,929", 20),
        ("ITEM002,SHOP001,480\n", true, "ITEM002,SHOP001,480", 40),
        ("ITEM003,SHOP002,25\n", false, "ITEM003,SHOP002,25", 19),
    ] {
        let change = async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            let mut file = std::fs::File::options();
            file.create(true).write(true).append(append).truncate(!append);
            std::io::Write::write_all(&mut file.open(&path).unwrap(), text.as_bytes()).unwrap();
        };
        // A poll gives up after a second without news; on a busy machine the change may come later.
        let news = async {
            loop {
                let records = task.poll().await.unwrap();
                if !records.is_empty() {
                    return records;
                }
            }
        };
        let ((), records) = tokio::join!(change, news);
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].value, expected.into());
        assert_eq!(offset(&records[0]), json!({"position": position}));
    }
}

#[tokio::test]
async fn both_connectors_answer_for_offsets_that_are_set_by_hand() {
    let source = config(&[("file", "/x"), ("topic", "lines")]);
    let at = |position: i64| {
        let map = |value: serde_json::Value| value.as_object().unwrap().clone();
        [(map(json!({"filename": "/x"})), Some(map(json!({"position": position}))))]
    };
    assert!(FileStreamSourceConnector.alter_offsets(&source, &at(16)).await.unwrap());
    let error = FileStreamSourceConnector.alter_offsets(&source, &at(-1)).await.unwrap_err();
    assert!(error.to_string().contains("non-negative"), "{error}");
    assert!(FileStreamSinkConnector.alter_offsets(&ConfigMap::new(), &[]).await.unwrap());
    let class = "org.apache.kafka.connect.file.FileStreamSinkConnector";
    assert_eq!(
        FileStreamSinkConnector.task_class(class),
        "org.apache.kafka.connect.file.FileStreamSinkTask",
        "which a Java worker runs"
    );
}
