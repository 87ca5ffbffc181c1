//! The eager protocol: everybody has stopped everything, and all of it is dealt out anew.

use super::assign::{ClusterView, Share};
use super::{MemberState, Work};
use std::collections::BTreeMap;

/// All connectors in turn to the members, by id, then all tasks, going on with the member after the last connector's: most connectors
/// have one task, and a connector is less work than a task.
pub(super) fn shares(
    members: &BTreeMap<String, MemberState>,
    cluster: &ClusterView,
) -> BTreeMap<String, Share> {
    let mut dealt: Vec<Work> = vec![Work::default(); members.len()];
    if dealt.is_empty() {
        return BTreeMap::new();
    }
    let all = cluster.work();
    let mut turn = (0..dealt.len()).cycle();
    for (connector, member) in all.connectors.into_iter().zip(&mut turn) {
        dealt[member].connectors.insert(connector);
    }
    for (task, member) in all.tasks.into_iter().zip(&mut turn) {
        dealt[member].tasks.insert(task);
    }
    let shares =
        dealt.into_iter().map(|held| Share { assigned: held.clone(), revoked: Work::default(), held });
    members.keys().cloned().zip(shares).collect()
}
