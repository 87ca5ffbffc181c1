//! [`GroupMembership`] on Kafka.

use super::member::{GOODBYE, Member, MemberConfig};
use crate::wire::{Cluster, WireSettings};
use async_trait::async_trait;
use connect_api::{ConfigMap, ConnectError};
use connect_runtime::ports::{GroupEvent, GroupMembership};
use connect_runtime::worker_config::DistributedConfig;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

/// [`GroupMembership`] in a group of protocol type `connect` (`WorkerGroupMember` in Java). Dropping it without a
/// [`leave`](GroupMembership::leave) looks to the group like a crash.
///
/// The coordinator decides what a [`request_rejoin`](GroupMembership::request_rejoin) does: the leader's makes the whole group
/// rebalance, and so does a follower's with new metadata; a follower that says what it said before is only told again
/// what holds ([`GroupEvent::Joined`] with the same generation).
pub struct KafkaGroupMember {
    cluster: Arc<Cluster>,
    config: MemberConfig,
    rejoin: Arc<Notify>,
    running: Mutex<Option<Running>>,
}

struct Running {
    leave: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl KafkaGroupMember {
    /// `worker` is the worker's configuration as it was given, of which the keys without a prefix concern this client;
    /// `worker_id` (advertised `host:port`) becomes part of the client id, and so of the member id, unless `client.id` is
    /// set. Does not connect.
    pub fn new(
        worker: &ConfigMap,
        config: &DistributedConfig,
        worker_id: &str,
    ) -> Result<Self, ConnectError> {
        let client_id = worker.get("client.id").map(|id| id.trim()).filter(|id| !id.is_empty());
        let client_id = client_id.map_or_else(|| format!("connect-{worker_id}"), str::to_owned);
        Ok(Self {
            cluster: Arc::new(Cluster::new(WireSettings::read(worker, &client_id)?)),
            config: MemberConfig {
                group: config.group_id.clone(),
                session_timeout: config.session_timeout,
                heartbeat_interval: config.heartbeat_interval,
                rebalance_timeout: config.rebalance_timeout,
            },
            rejoin: Arc::new(Notify::new()),
            running: Mutex::new(None),
        })
    }

    fn swap(&self, new: Option<Running>) -> Option<Running> {
        std::mem::replace(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner), new)
    }
}

#[async_trait]
impl GroupMembership for KafkaGroupMember {
    fn join(&self, events: mpsc::UnboundedSender<GroupEvent>) {
        let mut member = Member::new(self.cluster.clone(), self.config.clone(), events, self.rejoin.clone());
        let (leave, mut asked_to_leave) = oneshot::channel();
        let task = tokio::spawn(async move {
            tokio::select! {
                () = member.run() => {}
                // Also when this value is dropped; but then the task is aborted before it gets here.
                _ = &mut asked_to_leave => {}
            }
            member.leave().await;
        });
        if let Some(earlier) = self.swap(Some(Running { leave, task })) {
            earlier.task.abort();
        }
    }

    fn request_rejoin(&self) {
        self.rejoin.notify_one();
    }

    async fn leave(&self) {
        let Some(Running { leave, mut task }) = self.swap(None) else { return };
        // An error means that the task has ended by itself.
        let _ = leave.send(());
        if tokio::time::timeout(GOODBYE + Duration::from_secs(1), &mut task).await.is_err() {
            task.abort();
        }
    }
}

impl Drop for KafkaGroupMember {
    fn drop(&mut self) {
        if let Some(running) = self.swap(None) {
            running.task.abort();
        }
    }
}
