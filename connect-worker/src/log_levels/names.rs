//! Which of our log targets stand behind the loggers that Java's worker has. A target is the path of a module.

/// Loggers whose names users of Kafka Connect know, by name.
pub(super) const JAVA: [(&str, &[&str]); 27] = [
    ("io.aiven.connect.jdbc", &["connect_jdbc"]),
    ("io.aiven.connect.jdbc.sink", &["connect_jdbc::sink"]),
    ("io.aiven.connect.jdbc.source", &["connect_jdbc::source"]),
    ("io.confluent.connect.jdbc", &["connect_jdbc"]),
    ("io.confluent.connect.jdbc.sink", &["connect_jdbc::sink"]),
    ("io.confluent.connect.jdbc.source", &["connect_jdbc::source"]),
    ("org.apache.kafka.clients", &["connect_kafka", "librdkafka", "rdkafka"]),
    ("org.apache.kafka.clients.admin", &["connect_kafka::clients"]),
    ("org.apache.kafka.clients.consumer", &["connect_kafka::consumer"]),
    ("org.apache.kafka.clients.producer", &["connect_kafka::producer", "connect_kafka::source_producer"]),
    ("org.apache.kafka.connect.cli", &["connect_worker"]),
    ("org.apache.kafka.connect.converters", &["connect_converters"]),
    ("org.apache.kafka.connect.file", &["connect_file"]),
    ("org.apache.kafka.connect.json", &["connect_converters::json"]),
    ("org.apache.kafka.connect.runtime", &["connect_runtime"]),
    ("org.apache.kafka.connect.runtime.Worker", &["connect_runtime::worker"]),
    ("org.apache.kafka.connect.runtime.WorkerSinkTask", &["connect_runtime::sink_task"]),
    ("org.apache.kafka.connect.runtime.WorkerSourceTask", &["connect_runtime::source_task"]),
    (
        "org.apache.kafka.connect.runtime.distributed",
        &["connect_runtime::distributed", "connect_runtime::group"],
    ),
    ("org.apache.kafka.connect.runtime.distributed.WorkerGroupMember", &["connect_kafka::group"]),
    ("org.apache.kafka.connect.runtime.errors", &["connect_runtime::dead_letter", "connect_runtime::errors"]),
    ("org.apache.kafka.connect.runtime.rest", &["connect_rest"]),
    ("org.apache.kafka.connect.runtime.standalone", &["connect_worker::standalone"]),
    ("org.apache.kafka.connect.storage", &["connect_runtime::offsets", "connect_runtime::store"]),
    ("org.apache.kafka.connect.transforms", &["connect_transforms"]),
    ("org.apache.kafka.connect.util.KafkaBasedLog", &["connect_kafka::topic_log"]),
    ("org.eclipse.jetty", &["actix_http", "actix_server", "actix_web"]),
];

/// The crates whose modules may be named themselves.
const CRATES: [&str; 15] = [
    "actix_http",
    "actix_server",
    "actix_web",
    "connect_api",
    "connect_converters",
    "connect_file",
    "connect_jdbc",
    "connect_kafka",
    "connect_rest",
    "connect_runtime",
    "connect_transforms",
    "connect_worker",
    "librdkafka",
    "rdkafka",
    "sqlx",
];

/// Whether `name` is `parent` or below it, in Java's spelling or ours.
pub(super) fn is_within(name: &str, parent: &str) -> bool {
    name.strip_prefix(parent)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || rest.starts_with("::"))
}

pub(super) fn is_java(name: &str) -> bool {
    JAVA.iter().any(|(java, _)| is_within(java, name))
}

/// Whether somebody may write to the target, or to one below it.
pub(super) fn is_target(name: &str) -> bool {
    CRATES.iter().any(|krate| is_within(name, krate))
}
