//! The runtime's Kafka clients from the worker's configuration.

use connect_api::ConnectError;
use connect_runtime::ports::KafkaClients;
use connect_runtime::worker_config::WorkerConfig;
use std::sync::Arc;

pub(crate) fn clients(worker: &WorkerConfig) -> Result<Arc<dyn KafkaClients>, ConnectError> {
    todo!("{worker:?}")
}
