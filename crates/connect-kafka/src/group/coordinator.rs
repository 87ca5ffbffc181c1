//! The connection to the broker that looks after a group, wherever it has moved to.

use crate::wire::{Broker, Cluster, Connection, WireError};
use std::sync::Arc;

pub(super) struct Coordinator {
    cluster: Arc<Cluster>,
    group: String,
    broker: Option<Broker>,
    /// Idle.
    connection: Option<Connection>,
}

impl Coordinator {
    pub(super) fn of(cluster: Arc<Cluster>, group: &str) -> Self {
        Self { cluster, group: group.to_owned(), broker: None, connection: None }
    }

    /// A connection for one call, to be put back afterwards. A call that is dropped takes it along.
    pub(super) async fn connection(&mut self) -> Result<Connection, WireError> {
        if let Some(connection) = self.connection.take().filter(Connection::usable) {
            return Ok(connection);
        }
        if let Some(broker) = &self.broker
            && let Ok(connection) = self.cluster.open(broker).await
        {
            return Ok(connection);
        }
        let (broker, connection) = self.cluster.open_coordinator(&self.group).await?;
        if self.broker.as_ref() != Some(&broker) {
            let coordinator = connection.address();
            tracing::info!(group = self.group, coordinator, "found the group's coordinator");
        }
        self.broker = Some(broker);
        Ok(connection)
    }

    pub(super) fn put_back(&mut self, connection: Connection) {
        self.connection = Some(connection);
    }

    /// It is to be found anew.
    pub(super) fn forget(&mut self) {
        self.connection = None;
        self.broker = None;
    }
}
