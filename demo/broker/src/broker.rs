//! tansu's services on a listener of ours. tansu's own loop binds by itself, which leaves a taken port to a panic and
//! rules out port 0, and draws a spinner per connection.

use crate::storage::SingleRecords;
use anyhow::Context as _;
use rama::{Context, Service as _};
use std::net::SocketAddr;
use std::time::Duration;
use tansu_broker::coordinator::group::administrator::Controller;
use tansu_broker::service::services;
use tansu_storage::{BrokerRegistrationRequest, Storage as _, StorageContainer};
use tokio::net::{TcpListener, TcpStream};
use url::Url;
use uuid::Uuid;

const CLUSTER_ID: &str = "embedded";
const NODE_ID: i32 = 1;

type Storage = SingleRecords<StorageContainer>;

pub(crate) struct Broker {
    storage: Storage,
    groups: Controller<Storage>,
}

impl Broker {
    /// `address` is where clients are told to connect to.
    pub(crate) async fn new(address: SocketAddr) -> anyhow::Result<Self> {
        let storage = StorageContainer::builder()
            .cluster_id(CLUSTER_ID)
            .node_id(NODE_ID)
            .advertised_listener(Url::parse(&format!("tcp://{address}")).context("the address as a URL")?)
            .storage(Url::parse("memory://embedded/").context("the storage as a URL")?)
            .silent(true)
            .build()
            .await
            .context("making the storage")?;
        let storage = SingleRecords(storage);
        let registration = BrokerRegistrationRequest {
            broker_id: NODE_ID,
            cluster_id: CLUSTER_ID.into(),
            incarnation_id: Uuid::now_v7(),
            rack: None,
        };
        storage.register_broker(registration).await.context("registering the broker")?;
        let groups = Controller::with_storage(storage.clone()).context("making the group coordinator")?;
        Ok(Self { storage, groups })
    }

    /// Serves until it cannot.
    pub(crate) async fn serve(&self, listener: TcpListener) -> anyhow::Error {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    if let Err(error) = self.connection(stream) {
                        return error;
                    }
                }
                // out of file descriptors, or a client that has gone already
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn connection(&self, stream: TcpStream) -> anyhow::Result<()> {
        // without it, answers wait for acknowledgements; one that is gone already needs none
        let _ = stream.set_nodelay(true);
        let service = services(CLUSTER_ID, self.groups.clone(), self.storage.clone(), None)
            .context("making the services of a connection")?;
        tokio::spawn(async move {
            // clients hang up as they like, so this is rarely a fault
            if let Err(error) = service.serve(Context::default(), stream).await {
                tracing::debug!(?error, "connection ended");
            }
        });
        Ok(())
    }
}
