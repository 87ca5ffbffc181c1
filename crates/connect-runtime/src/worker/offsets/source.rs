//! A source's offsets are in the worker's offset store.

use super::{ask, within};
use crate::herder::{ConnectorOffset, HerderError};
use crate::offsets::{key_bytes, parse_value, partition_of_key, value_bytes};
use crate::ports::OffsetStore;
use crate::secrets::Secrets;
use crate::worker::WorkerParts;
use crate::worker::describe::Described;
use connect_api::{ConfigMap, OffsetMap, SourceConnector};
use indexmap::IndexMap;
use serde_json::Value as Json;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct SourceOffsets<'a> {
    name: &'a str,
    store: &'a dyn OffsetStore,
    secrets: &'a Secrets,
    deadline: Duration,
}

impl<'a> SourceOffsets<'a> {
    pub(super) fn of(parts: &'a WorkerParts, name: &'a str, described: &'a Described) -> Self {
        let (store, secrets, deadline) = (&*parts.offsets, &described.secrets, parts.deadlines.remote);
        Self { name, store, secrets, deadline }
    }

    /// All there are, after reading what others have written.
    async fn stored(&self, what: &str) -> Result<Vec<(OffsetMap, OffsetMap)>, HerderError> {
        let what = format!("{what} for source connector {}", self.name);
        within(&what, self.secrets, self.store.all(self.name)).await
    }

    pub(super) async fn list(&self) -> Result<Vec<ConnectorOffset>, HerderError> {
        let stored = self.stored("Failed to retrieve offsets").await?;
        let shown = |(partition, offset)| ConnectorOffset { partition, offset: Some(offset) };
        Ok(stored.into_iter().map(shown).collect())
    }

    pub(super) async fn alter(
        &self,
        plugin: &Arc<dyn SourceConnector>,
        config: &ConfigMap,
        offsets: Option<Vec<ConnectorOffset>>,
    ) -> Result<bool, HerderError> {
        let stored = self.stored("Failed to read the offsets prior to modifying offsets").await?;
        let changes: Vec<(OffsetMap, Option<OffsetMap>)> = match offsets {
            Some(offsets) => self.normalised(offsets, &stored)?,
            None => stored.into_iter().map(|(partition, _)| (partition, None)).collect(),
        };
        let (asked, config, said) = (plugin.clone(), config.clone(), changes.clone());
        let call = async move { asked.alter_offsets(&config, &said).await };
        let agrees = ask(self.deadline, self.name, self.secrets, call).await?;
        if changes.is_empty() {
            tracing::info!(connector = self.name, "there are no offsets to reset");
            return Ok(agrees);
        }
        let changes = changes.into_iter().map(|(partition, offset)| (Arc::new(partition), offset)).collect();
        let what = format!("Failed to modify offsets for source connector {}", self.name);
        within(&what, self.secrets, self.store.set(self.name, changes)).await?;
        Ok(agrees)
    }

    /// As they will be read back. Each partition once, the later one counts. Partitions are found by their bytes, so one that is
    /// stored keeps the order of its keys: who writes a request need not know it.
    fn normalised(
        &self,
        offsets: Vec<ConnectorOffset>,
        stored: &[(OffsetMap, OffsetMap)],
    ) -> Result<Vec<(OffsetMap, Option<OffsetMap>)>, HerderError> {
        let mut changes: IndexMap<Vec<u8>, (OffsetMap, Option<OffsetMap>)> = IndexMap::new();
        for ConnectorOffset { partition, offset } in offsets {
            for map in [Some(&partition), offset.as_ref()].into_iter().flatten() {
                primitives_only(map).map_err(HerderError::BadRequest)?;
            }
            // Maps compare without regard to order.
            let known = stored.iter().map(|(known, _)| known).find(|known| **known == partition);
            let key = key_bytes(self.name, known.unwrap_or(&partition));
            let read_back = || {
                let offset = offset.map(|offset| parse_value(&value_bytes(&offset))).transpose().ok()?;
                Some((partition_of_key(self.name, &key)?, offset.flatten()))
            };
            let change = read_back().ok_or_else(|| {
                HerderError::BadRequest("Offsets must be objects that can be written and read as JSON".into())
            })?;
            changes.insert(key, change);
        }
        Ok(changes.into_values().collect())
    }
}

fn primitives_only(map: &OffsetMap) -> Result<(), String> {
    for (field, value) in map {
        let found = match value {
            Json::Array(_) => "ARRAY",
            Json::Object(_) => "MAP",
            Json::Number(number) if number.is_u64() && !number.is_i64() => "a number beyond 64 bits",
            _ => continue,
        };
        return Err(format!(
            "Offsets may only contain primitive types as values, but field {field} contains {found}"
        ));
    }
    Ok(())
}
