//! Rounds of the eager protocol: from the bytes of the members to the assignments that the Java worker made of them, all alike.

use crate::text::from_hex;
use connect_runtime::group::{
    Assignment, Assignor, ClusterView, MemberState, Protocol, Rebalance, Work, decode_assignment,
    decode_metadata,
};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// See `../oracle/EagerRounds.java`.
const RECORDED: &str = include_str!("../golden/eager-rounds-4.3.0.txt");

#[derive(Default)]
struct Recorded {
    cluster: ClusterView,
    members: BTreeMap<String, MemberState>,
    assigned: BTreeMap<String, Assignment>,
}

fn recorded() -> Vec<Recorded> {
    let mut rounds: Vec<Recorded> = Vec::new();
    for line in RECORDED.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        if words[0] == "round" {
            rounds.push(Recorded::default());
            continue;
        }
        let round = rounds.last_mut().unwrap();
        match words[..] {
            ["set", connector, tasks] => {
                round.cluster.connectors.insert(connector.into(), tasks.parse().unwrap());
            }
            ["member", id, metadata] => {
                let state = decode_metadata(&from_hex(metadata)).unwrap();
                round.cluster.config_offset = round.cluster.config_offset.max(state.config_offset);
                round.members.insert(id.into(), state);
            }
            ["assigned", id, assignment] => {
                round.assigned.insert(id.into(), decode_assignment(&from_hex(assignment)).unwrap());
            }
            _ => panic!("{line}"),
        }
    }
    rounds
}

#[test]
fn rounds_of_the_eager_protocol_are_javas() {
    let rounds = recorded();
    assert_eq!(rounds.len(), 20);
    for recorded in rounds {
        let rebalance = Rebalance {
            now: Instant::now(),
            protocol: Protocol::Eager,
            leader_id: "a",
            generation: 2,
            last_completed: 1,
            members: &recorded.members,
            cluster: &recorded.cluster,
            let_go: &Work::default(),
        };
        let round = Assignor::new(Duration::ZERO).assign(&rebalance);
        assert_eq!(round.assignments, recorded.assigned);
        for (id, assignment) in &round.assignments {
            for connector in &assignment.assigned.connectors {
                assert_eq!(round.owners.connectors[connector], format!("http://{id}/"));
            }
            for task in &assignment.assigned.tasks {
                assert_eq!(round.owners.tasks[task], format!("http://{id}/"));
            }
        }
    }
}
