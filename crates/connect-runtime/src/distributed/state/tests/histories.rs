//! Random histories of a cluster: workers come, go, crash and are lost while people change connectors, and every message takes
//! its time. Afterwards all is to come to rest with each piece of work running exactly once.

use super::cluster::Cluster;
use super::*;
use proptest::prelude::*;

/// More of them by `HERDER_HISTORIES=10000`.
const HISTORIES: u32 = 300;

fn histories() -> u32 {
    std::env::var("HERDER_HISTORIES").ok().and_then(|count| count.parse().ok()).unwrap_or(HISTORIES)
}

fn play(protocol: Protocol, seed: u64, steps: usize) {
    let mut cluster = Cluster::new(protocol, seed);
    cluster.boot();
    for _ in 0..steps {
        match cluster.random(40) {
            0 => cluster.boot(),
            1 if cluster.random(3) == 0 => cluster.crash(),
            2 if cluster.random(3) == 0 => cluster.lose(),
            3 if cluster.random(3) == 0 => cluster.shut_down(),
            4 | 5 => cluster.user(),
            6 => {
                let pause = Duration::from_millis(cluster.random(4000) as u64);
                cluster.elapsed += pause;
            }
            _ => {
                let actions = cluster.actions();
                if !actions.is_empty() {
                    let action = actions[cluster.random(actions.len())].clone();
                    cluster.act(action);
                }
            }
        }
    }
    if cluster.live().is_empty() {
        cluster.boot();
    }
    come_to_rest(&mut cluster);
}

fn come_to_rest(cluster: &mut Cluster) {
    for _ in 0..20_000 {
        let actions = cluster.actions();
        if !actions.is_empty() {
            let action = actions[cluster.random(actions.len())].clone();
            cluster.act(action);
            if cluster.live().is_empty() {
                cluster.boot();
            }
            continue;
        }
        let now = cluster.now();
        let nodes = cluster.nodes.iter().flatten();
        match nodes.filter_map(|node| node.wake).min() {
            // The next session key is of no interest.
            Some(wake) if wake < now.instant + Duration::from_secs(1000) => {
                cluster.elapsed += wake.saturating_duration_since(now.instant);
            }
            _ => {
                cluster.check_at_rest();
                return;
            }
        }
    }
    panic!("it does not come to rest: {:?}", cluster.actions());
}

fn protocol() -> impl Strategy<Value = Protocol> {
    prop_oneof![
        3 => Just(Protocol::Sessioned),
        3 => Just(Protocol::Compatible),
        1 => Just(Protocol::Eager),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: histories(),
        max_shrink_iters: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_cluster_comes_to_rest_with_each_piece_of_work_running_once(
        protocol in protocol(),
        seed in any::<u64>(),
        steps in 0usize..600,
    ) {
        play(protocol, seed, steps);
    }
}
