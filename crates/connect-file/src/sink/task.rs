//! The sink task: each record a line.

use super::target::Target;
use crate::config;
use async_trait::async_trait;
use connect_api::data::java;
use connect_api::{ConfigMap, ConnectError, PutError, Rejected, SinkRecord, SinkTask, SinkTaskContext};
use std::time::Duration;

/// Before a write that failed is tried again: disks get room, permissions are set right.
const BACKOFF: Duration = Duration::from_secs(3);

#[derive(Default)]
pub(super) struct FileStreamSinkTask {
    /// Away while it is written in another thread.
    target: Option<Target>,
}

#[async_trait]
impl SinkTask for FileStreamSinkTask {
    async fn start(&mut self, _: SinkTaskContext, config: &ConfigMap) -> Result<(), ConnectError> {
        let config = config::read(&config::SINK, config)?;
        let file = config::file(&config).map(str::to_owned);
        let opened = in_thread(move || Target::open(file.as_deref())).await?;
        self.target = Some(opened.map_err(|error| ConnectError::failed(error.to_string()))?);
        Ok(())
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<Vec<Rejected>, PutError> {
        let mut lines = String::new();
        for record in records {
            lines.push_str(&java::text(record.value_schema.as_deref(), &record.value));
            lines.push('\n');
        }
        let Some(mut target) = self.target.take() else {
            return Err(ConnectError::failed("the file was left behind by an earlier put").into());
        };
        let (target, written) = in_thread(move || {
            let written = target.append(lines.as_bytes());
            (target, written)
        })
        .await?;
        self.target = Some(target);
        match written {
            Ok(()) => Ok(Vec::new()),
            Err(error) => {
                Err(PutError::Retriable { error: ConnectError::failed(error.to_string()), backoff: BACKOFF })
            }
        }
    }

    async fn stop(&mut self) {
        self.target = None;
    }
}

/// Files block; the threads of the runtime are for those who wait politely.
async fn in_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ConnectError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| ConnectError::caused("writing was interrupted", error))
}
