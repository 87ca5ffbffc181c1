//! The table as tables and properties, on a clock that the test turns.

use super::*;
use contracts::registry::Announcement;
use proptest::prelude::*;

const LEASE: u64 = 10_000;

fn announced(instance: u128, sequence: u64) -> RegistryRecord {
    announced_with(instance, sequence, LEASE, "http://127.0.0.1:4000")
}

fn announced_with(instance: u128, sequence: u64, lease_ms: u64, url: &str) -> RegistryRecord {
    RegistryRecord::Announced(Announcement {
        service: "order-service".into(),
        instance: Uuid::from_u128(instance),
        url: url.into(),
        lease_ms,
        sequence,
    })
}

fn left(instance: u128) -> RegistryRecord {
    RegistryRecord::Left { service: "order-service".into(), instance: Uuid::from_u128(instance) }
}

fn ids(table: &Table) -> Vec<u128> {
    table.instances(Instant::now()).iter().map(|instance| instance.id.as_u128()).collect()
}

/// A clock that is turned by hand and proves itself every second, as the reader does.
struct Clock(Instant);

impl Clock {
    fn run(&mut self, table: &mut Table, seconds: u64) {
        for _ in 0..seconds {
            self.0 += Duration::from_secs(1);
            table.caught_up(self.0);
        }
    }
}

#[test]
fn a_lease_counts_from_its_receipt_and_a_renewal_begins_it_anew() {
    let (mut table, mut clock) = (Table::default(), Clock(Instant::now()));
    table.caught_up(clock.0);
    assert_eq!(table.apply(announced(1, 1), clock.0), Applied::Joined);
    clock.run(&mut table, 9);
    assert_eq!(table.instances(clock.0)[0].lease_remaining, Duration::from_secs(1));
    assert_eq!(table.apply(announced(1, 2), clock.0), Applied::Renewed);
    clock.run(&mut table, 9);
    assert_eq!(ids(&table), [1]);
    clock.run(&mut table, 1);
    assert_eq!(ids(&table), []);
    assert_eq!(table.apply(announced(1, 3), clock.0), Applied::Joined, "it was slow, not dead");
}

#[test]
fn only_a_rising_sequence_counts_even_after_the_lease_is_over() {
    let (mut table, mut clock) = (Table::default(), Clock(Instant::now()));
    table.apply(announced(1, 5), clock.0);
    for replayed in [5, 4, 1] {
        assert_eq!(table.apply(announced(1, replayed), clock.0), Applied::Old, "{replayed}");
    }
    clock.run(&mut table, 12);
    assert_eq!(ids(&table), []);
    assert_eq!(table.apply(announced(1, 5), clock.0), Applied::Old);
    assert_eq!(ids(&table), []);
}

#[test]
fn who_left_does_not_come_back() {
    let (mut table, now) = (Table::default(), Instant::now());
    table.apply(announced(1, 1), now);
    table.apply(announced(2, 1), now);
    assert_eq!(table.apply(left(1), now), Applied::Left);
    assert_eq!(table.apply(announced(1, 2), now), Applied::Old);
    assert_eq!(table.apply(left(1), now), Applied::Old);
    assert_eq!(table.apply(left(9), now), Applied::Old, "never seen");
    assert_eq!(ids(&table), [2]);
}

#[test]
fn without_proof_nothing_expires_and_the_time_away_does_not_count() {
    let (mut table, mut clock) = (Table::default(), Clock(Instant::now()));
    let started = clock.0;
    assert_eq!(table.frozen_since(started, clock.0), Some(started), "the topic was never read");
    table.caught_up(clock.0);
    table.apply(announced(1, 1), clock.0);
    clock.run(&mut table, 3);
    let last = clock.0;

    clock.0 += Duration::from_secs(600);
    assert_eq!(table.frozen_since(started, clock.0), Some(last));
    assert_eq!(ids(&table), [1]);

    table.caught_up(clock.0);
    assert_eq!(table.frozen_since(started, clock.0), None);
    assert_eq!(ids(&table), [1], "it had no chance yet to announce itself again");
    clock.run(&mut table, 8);
    assert_eq!(ids(&table), [], "it had the chance");
}

#[test]
fn a_short_pause_is_not_yet_frozen() {
    let (mut table, now) = (Table::default(), Instant::now());
    table.caught_up(now);
    assert_eq!(table.frozen_since(now, now + Duration::from_secs(5)), None);
    assert_eq!(table.frozen_since(now, now + Duration::from_secs(6)), Some(now));
}

#[test]
fn a_url_that_cannot_be_used_is_refused() {
    let (mut table, now) = (Table::default(), Instant::now());
    for url in ["https://127.0.0.1:1", "http://user:pw@host:1", "http://host/path"] {
        assert_eq!(table.apply(announced_with(1, 1, LEASE, url), now), Applied::UnusableUrl, "{url}");
    }
    assert_eq!(ids(&table), []);
}

#[test]
fn the_table_is_bounded() {
    let (mut table, mut clock) = (Table::default(), Clock(Instant::now()));
    table.caught_up(clock.0);
    for instance in 0..INSTANCES_MAX as u128 {
        assert_eq!(table.apply(announced(instance, 1), clock.0), Applied::Joined);
    }
    assert_eq!(table.apply(announced(9999, 1), clock.0), Applied::Full);
    assert_eq!(table.apply(announced(7, 2), clock.0), Applied::Renewed, "who is in stays in");
    table.apply(left(3), clock.0);
    assert_eq!(table.apply(announced(9999, 2), clock.0), Applied::Joined);

    for instance in 20_000..(20_000 + 2 * REMEMBERED_MAX as u128) {
        table.apply(left(instance), clock.0);
    }
    assert!(table.entries.len() <= REMEMBERED_MAX);
    assert_eq!(table.instances(clock.0).len(), INSTANCES_MAX, "only what is gone is forgotten");
    clock.run(&mut table, 12);
    assert_eq!(ids(&table), []);
}

#[derive(Clone, Debug)]
enum Step {
    Announce(u128, u64),
    Leave(u128),
    Prove(u64),
    Silence(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0u128..4, 0u64..12).prop_map(|(instance, sequence)| Step::Announce(instance, sequence)),
        (0u128..4).prop_map(Step::Leave),
        (1u64..2_000).prop_map(Step::Prove),
        (1u64..60_000).prop_map(Step::Silence),
    ];
    proptest::collection::vec(step, 0..60)
}

proptest! {
    /// Whatever happens: nobody holds more than a full lease, who left is out, silence removes nobody, and a record
    /// changes the table only if it rises above everything its instance said before.
    #[test]
    fn the_rules_hold_in_any_order(steps in steps()) {
        let mut table = Table::default();
        let mut now = Instant::now();
        let mut highest: HashMap<u128, u64> = HashMap::new();
        let mut gone: Vec<u128> = Vec::new();
        for step in steps {
            let before = ids(&table);
            match step {
                Step::Announce(instance, sequence) => {
                    let applied = table.apply(announced(instance, sequence), now);
                    let rises = highest.get(&instance).is_none_or(|highest| sequence > *highest);
                    prop_assert_eq!(applied != Applied::Old, rises && !gone.contains(&instance));
                    if applied != Applied::Old {
                        highest.insert(instance, sequence);
                    }
                }
                Step::Leave(instance) => {
                    table.apply(left(instance), now);
                    gone.push(instance);
                }
                Step::Prove(millis) => {
                    now += Duration::from_millis(millis);
                    table.caught_up(now);
                }
                Step::Silence(millis) => {
                    now += Duration::from_millis(millis);
                    prop_assert_eq!(&ids(&table), &before);
                }
            }
            for instance in table.instances(now) {
                prop_assert!(!gone.contains(&instance.id.as_u128()));
                prop_assert!(instance.lease_remaining <= Duration::from_millis(LEASE));
            }
        }
    }
}
