//! The offsets topic can be read only when Kafka is there, and the REST API answers before.

use async_trait::async_trait;
use connect_api::{ConnectError, OffsetMap};
use connect_runtime::offsets::TopicOffsetStore;
use connect_runtime::ports::OffsetStore;
use std::sync::{Arc, OnceLock};

/// The offsets of a cluster, once they have been read.
#[derive(Default)]
pub(crate) struct LateOffsets(OnceLock<TopicOffsetStore>);

impl LateOffsets {
    pub(crate) fn set(&self, store: TopicOffsetStore) {
        // A second store of the same topic would hold the same.
        let _ = self.0.set(store);
    }

    fn get_store(&self) -> Result<&TopicOffsetStore, ConnectError> {
        self.0.get().ok_or_else(|| ConnectError::failed("the worker has not read its offsets topic yet"))
    }
}

#[async_trait]
impl OffsetStore for LateOffsets {
    async fn get(&self, connector: &str, partition: &OffsetMap) -> Result<Option<OffsetMap>, ConnectError> {
        self.get_store()?.get(connector, partition).await
    }

    async fn set(
        &self,
        connector: &str,
        offsets: Vec<(Arc<OffsetMap>, Option<OffsetMap>)>,
    ) -> Result<(), ConnectError> {
        self.get_store()?.set(connector, offsets).await
    }

    async fn all(&self, connector: &str) -> Result<Vec<(OffsetMap, OffsetMap)>, ConnectError> {
        self.get_store()?.all(connector).await
    }
}
