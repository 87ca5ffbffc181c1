//! The offsets topic can be read only when Kafka is there, and the REST API answers before.

use async_trait::async_trait;
use connect_api::{ConnectError, OffsetMap};
use connect_runtime::offsets::TopicOffsetStore;
use connect_runtime::ports::OffsetStore;
use std::sync::Arc;
use tokio::sync::SetOnce;

/// The offsets of a cluster; who asks for one before they have been read waits.
#[derive(Default)]
pub(crate) struct LateOffsets(SetOnce<TopicOffsetStore>);

impl LateOffsets {
    pub(crate) fn set(&self, store: TopicOffsetStore) {
        // A second store of the same topic would hold the same.
        let _ = self.0.set(store);
    }
}

#[async_trait]
impl OffsetStore for LateOffsets {
    async fn get(&self, connector: &str, partition: &OffsetMap) -> Result<Option<OffsetMap>, ConnectError> {
        self.0.wait().await.get(connector, partition).await
    }

    async fn set(
        &self,
        connector: &str,
        offsets: Vec<(Arc<OffsetMap>, Option<OffsetMap>)>,
    ) -> Result<(), ConnectError> {
        self.0.wait().await.set(connector, offsets).await
    }

    async fn all(&self, connector: &str) -> Result<Vec<(OffsetMap, OffsetMap)>, ConnectError> {
        self.0.wait().await.all(connector).await
    }
}
