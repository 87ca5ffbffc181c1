//! The group of a worker by itself.

use crate::ports::{GroupEvent, GroupMembership};
use async_trait::async_trait;
use std::sync::{Mutex, PoisonError};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

/// A group with one member, which leads: a standalone worker is a cluster of one.
#[derive(Default)]
pub struct SoloGroup {
    rejoin: std::sync::Arc<Notify>,
    membership: Mutex<Option<JoinHandle<()>>>,
}

const MEMBER: &str = "solo";

#[async_trait]
impl GroupMembership for SoloGroup {
    fn join(&self, events: mpsc::UnboundedSender<GroupEvent>) {
        let membership = tokio::spawn(rounds(self.rejoin.clone(), events));
        let before = self.membership.lock().unwrap_or_else(PoisonError::into_inner).replace(membership);
        if let Some(before) = before {
            before.abort();
        }
    }

    fn request_rejoin(&self) {
        // Remembered when no one waits for it at the moment.
        self.rejoin.notify_one();
    }

    async fn leave(&self) {
        let membership = self.membership.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(membership) = membership {
            membership.abort();
            // What it says, ended or aborted, does not matter; but it must be over.
            let _ = membership.await;
        }
    }
}

/// One rebalance after the other, as a coordinator would lead them. Ends with the herder.
async fn rounds(rejoin: std::sync::Arc<Notify>, events: mpsc::UnboundedSender<GroupEvent>) {
    let mut generation = 0;
    while round(&events, &mut generation).await.is_some() {
        rejoin.notified().await;
    }
}

async fn round(events: &mpsc::UnboundedSender<GroupEvent>, generation: &mut i32) -> Option<()> {
    let (answer, offered) = oneshot::channel();
    events.send(GroupEvent::Joining { answer }).ok()?;
    let offered = offered.await.ok()?;
    // Not the sessioned one: there is nobody to sign requests for.
    let wanted = "compatible";
    let (protocol, metadata) =
        offered.iter().find(|(name, _)| name == wanted).or_else(|| offered.first())?.clone();
    *generation += 1;
    let (answer, assignments) = oneshot::channel();
    let leading = GroupEvent::Leading {
        protocol: protocol.clone(),
        generation: *generation,
        leader_id: MEMBER.into(),
        members: vec![(MEMBER.into(), metadata)],
        answer,
    };
    events.send(leading).ok()?;
    let assignments = assignments.await.ok()?;
    let (_, assignment) = assignments.into_iter().find(|(member, _)| member == MEMBER)?;
    let joined =
        GroupEvent::Joined { protocol, generation: *generation, member_id: MEMBER.into(), assignment };
    events.send(joined).ok()
}
