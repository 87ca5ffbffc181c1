//! The runtime's Kafka clients from the worker's configuration.

use connect_api::{ConfigMap, ConnectError};
use connect_kafka::RdKafkaClients;
use connect_runtime::ports::KafkaClients;
use connect_runtime::worker_config::WorkerConfig;
use std::sync::Arc;

pub(crate) fn clients(worker: &WorkerConfig) -> Result<Arc<dyn KafkaClients>, ConnectError> {
    let settings = &worker.clients;
    let mut keys = ConfigMap::from_iter([("bootstrap.servers".to_owned(), worker.bootstrap_servers.clone())]);
    // Keys without a prefix concern the worker's own client alone, as in Java; admin.* says it more precisely.
    for (prefix, settings) in [
        ("admin.", &settings.common),
        ("admin.", &settings.admin),
        ("consumer.", &settings.consumer),
        ("producer.", &settings.producer),
    ] {
        keys.extend(settings.iter().map(|(key, value)| (format!("{prefix}{key}"), value.clone())));
    }
    Ok(Arc::new(RdKafkaClients::new(&keys)?))
}
