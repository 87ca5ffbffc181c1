use crate::memory::source::{Event, Fate, Place, Polled, Source, Store, World};
use crate::memory::{Clients, TextConverter, is_bad};
use connect_api::{ConfigMap, ConnectError};
use connect_runtime::control::TaskControl;
use connect_runtime::errors::ErrorPolicy;
use connect_runtime::secrets::Secrets;
use connect_runtime::source_task::{SourceTaskSpec, run};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const NONE: &[(&str, &str)] = &[];
const ALL: &[(&str, &str)] = &[("errors.tolerance", "all"), ("errors.log.enable", "true")];
const HOUR: Duration = Duration::from_secs(3600);

fn spec(world: &Arc<World>, errors: &[(&str, &str)]) -> SourceTaskSpec {
    let errors: ConfigMap = errors.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    SourceTaskSpec {
        connector: "c".into(),
        task: 0,
        key_converter: Box::new(TextConverter),
        value_converter: Box::new(TextConverter),
        source: Box::new(Source(world.clone(), BTreeMap::new())),
        config: ConfigMap::new(),
        errors: ErrorPolicy::of_source(&errors).unwrap(),
        clients: Arc::new(Clients::Source(world.clone())),
        producer_overrides: ConfigMap::new(),
        offsets: Arc::new(Store(world.clone())),
        commit_interval: Duration::from_secs(60),
        shutdown_grace: Duration::from_secs(5),
        secrets: Secrets::default(),
    }
}

/// Runs the task and stops it after `stop_after`.
async fn run_for(
    world: &Arc<World>,
    errors: &[(&str, &str)],
    stop_after: Duration,
) -> Result<(), ConnectError> {
    let stop = CancellationToken::new();
    let control = TaskControl::never_paused(stop.clone());
    let task = run(spec(world, errors), control, world.clone());
    let stopping = async {
        tokio::time::sleep(stop_after).await;
        stop.cancel();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = task => outcome,
        () = stopping => unreachable!(),
    }
}

fn places(partition: i64, offsets: std::ops::Range<i64>) -> Vec<Place> {
    offsets.map(|offset| (partition, offset)).collect()
}

fn records(partition: i64, offsets: std::ops::Range<i64>) -> Polled {
    Polled::Records(places(partition, offsets))
}

fn offsets(pairs: &[(i64, i64)]) -> BTreeMap<i64, i64> {
    pairs.iter().copied().collect()
}

#[tokio::test(start_paused = true)]
async fn one_batch_from_start_to_stop() {
    let world = World::new(vec![Polled::Records(vec![(0, 1), (1, 1), (0, 2)])], &[]);
    run_for(&world, NONE, HOUR).await.unwrap();
    let mut journal = world.journal();
    journal.retain(|event| !matches!(event, Event::Stored(_)));
    assert_eq!(
        journal,
        [
            Event::Started,
            Event::Running,
            Event::Acknowledged((0, 1)),
            Event::Acknowledged((1, 1)),
            Event::Acknowledged((0, 2)),
            Event::Committed(offsets(&[(0, 2), (1, 1)])),
            Event::Stopped,
        ]
    );
}

/// Runs the task, pauses or resumes it at the given seconds, and stops it after an hour.
async fn run_with_pauses(world: &Arc<World>, from_the_start: bool, turns: &[(u64, bool)]) {
    let (control, paused) = TaskControl::new(CancellationToken::new(), from_the_start);
    let stop = control.stop.clone();
    let task = run(spec(world, NONE), control, world.clone());
    let began = tokio::time::Instant::now();
    let turning = async {
        for (second, pause) in turns {
            tokio::time::sleep_until(began + Duration::from_secs(*second)).await;
            paused.send_replace(*pause);
        }
        tokio::time::sleep_until(began + HOUR).await;
        stop.cancel();
    };
    let (outcome, ()) = tokio::join!(task, turning);
    outcome.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_paused_task_does_not_poll_and_commits_what_is_acknowledged() {
    let fates = [((0, 1), Fate::After(20_000))];
    let polls = vec![records(0, 1..2), Polled::Retry, records(0, 2..3)];
    let world = World::new(polls, &fates);
    let watch = async {
        tokio::time::sleep(Duration::from_secs(99)).await;
        (world.journal(), world.committed())
    };
    let turns = [(1, true), (100, false)];
    let ((), (journal, committed)) = tokio::join!(run_with_pauses(&world, false, &turns), watch);
    assert_eq!(
        journal,
        [
            Event::Started,
            Event::Running,
            Event::Retrying("the disk is away".into()),
            Event::ToldPaused,
            Event::Stored((0, 1)),
            Event::Acknowledged((0, 1)),
            Event::Committed(offsets(&[(0, 1)])),
        ]
    );
    assert_eq!(committed, offsets(&[(0, 1)]));
    assert_eq!(world.journal()[7], Event::Running);
    assert_eq!(world.topic(), [(0, 1), (0, 2)]);
    assert_eq!(world.topics(), BTreeSet::from(["t".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_paused_from_the_start_starts_when_it_is_resumed() {
    let world = World::new(vec![records(0, 1..2)], &[]);
    run_with_pauses(&world, true, &[(10, false)]).await;
    assert_eq!(world.journal()[..3], [Event::ToldPaused, Event::Started, Event::Running]);
    assert_eq!(world.committed(), offsets(&[(0, 1)]));

    let world = World::new(vec![], &[]);
    run_with_pauses(&world, true, &[]).await;
    assert_eq!(world.journal(), [Event::ToldPaused, Event::Stopped]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_waits_for_the_end_of_a_pause() {
    let world = World::new(vec![Polled::Retry, records(0, 1..2)], &[]);
    run_with_pauses(&world, false, &[(1, true), (100, false)]).await;
    let mut journal = world.journal();
    journal.retain(|event| !matches!(event, Event::Stored(_)));
    assert_eq!(
        journal[2..],
        [
            Event::Retrying("the disk is away".into()),
            Event::ToldPaused,
            Event::Running,
            Event::Running,
            Event::Acknowledged((0, 1)),
            Event::Committed(offsets(&[(0, 1)])),
            Event::Stopped,
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_offset_waits_for_every_record_before_it() {
    let fates = [((0, 2), Fate::After(100_000)), ((1, 1), Fate::Never)];
    let world = World::new(vec![records(0, 1..5), records(1, 1..3)], &fates);
    let looks = async {
        tokio::time::sleep(Duration::from_secs(61)).await;
        assert_eq!(world.committed(), offsets(&[(0, 1)]), "the second is not acknowledged yet");
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(world.committed(), offsets(&[(0, 4)]), "now it is, and the others were before");
    };
    let (outcome, ()) = tokio::join!(run_for(&world, NONE, Duration::from_secs(200)), looks);
    outcome.unwrap();
    assert_eq!(
        world.committed(),
        offsets(&[(0, 4)]),
        "nothing of the partition whose first record never arrived"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_what_is_in_flight() {
    let world = World::new(vec![records(0, 1..4)], &[((0, 3), Fate::After(3_000))]);
    run_for(&world, NONE, Duration::from_secs(1)).await.unwrap();
    assert_eq!(world.committed(), offsets(&[(0, 3)]));
    let world = World::new(vec![records(0, 1..4)], &[((0, 3), Fate::After(30_000))]);
    run_for(&world, NONE, Duration::from_secs(1)).await.unwrap();
    assert_eq!(world.committed(), offsets(&[(0, 2)]), "but not for ever");
}

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_behind_the_committed_offset() {
    let all = || vec![records(0, 1..4), records(1, 1..4)];
    let world = World::new(all(), &[]);
    run_for(&world, NONE, HOUR).await.unwrap();
    world.reborn([all(), vec![records(0, 4..6)]].concat());
    run_for(&world, NONE, HOUR).await.unwrap();
    let expected = [places(0, 1..4), places(1, 1..4), places(0, 4..6)].concat();
    assert_eq!(world.topic(), expected, "nothing twice after a clean stop");
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_fails_is_made_good_by_the_next() {
    let world = World::new(vec![records(0, 1..4)], &[]);
    world.let_store_fail(true);
    let heal = async {
        tokio::time::sleep(Duration::from_secs(70)).await;
        assert_eq!(world.committed(), offsets(&[]));
        world.let_store_fail(false);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(world.committed(), offsets(&[(0, 3)]));
    };
    let (outcome, ()) = tokio::join!(run_for(&world, NONE, Duration::from_secs(200)), heal);
    outcome.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_poll_may_be_repeated() {
    let world = World::new(vec![Polled::Retry, Polled::Retry, records(0, 1..3)], &[]);
    run_for(&world, NONE, HOUR).await.unwrap();
    let retrying = Event::Retrying("the disk is away".into());
    assert_eq!(world.journal()[1..5], [Event::Running, retrying.clone(), retrying, Event::Running]);
    assert_eq!(world.committed(), offsets(&[(0, 2)]));
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_fails_ends_the_task_after_the_last_flush() {
    let world = World::new(vec![records(0, 1..3), Polled::Fatal], &[((0, 2), Fate::After(1_000))]);
    let error = run_for(&world, NONE, HOUR).await.unwrap_err().chain();
    assert_eq!(error, "Exiting WorkerSourceTask due to unrecoverable exception: the disk is broken");
    assert_eq!(world.committed(), offsets(&[(0, 2)]));
    assert_eq!(world.journal().last(), Some(&Event::Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_converted() {
    let polls = || vec![records(0, 5..10), records(1, 1..2)];
    let world = World::new(polls(), &[]);
    let error = run_for(&world, NONE, HOUR).await.unwrap_err().chain();
    assert_eq!(
        error,
        "Tolerance exceeded in error handler; errors.tolerance=all would pass over such records: record from {\"p\":0} at \
         {\"n\":7} for topic t failed in VALUE_CONVERTER (org.example.TextConverter) with \
         org.apache.kafka.connect.errors.DataException: this is bad"
    );
    assert_eq!((world.topic(), world.committed()), (places(0, 5..7), offsets(&[(0, 6)])));

    let world = World::new(polls(), &[]);
    run_for(&world, ALL, HOUR).await.unwrap();
    assert_eq!(world.topic(), [(0, 5), (0, 6), (0, 8), (0, 9), (1, 1)]);
    assert_eq!(world.committed(), offsets(&[(0, 9), (1, 1)]));
    assert!(world.journal().contains(&Event::Skipped(1)));
}

#[tokio::test(start_paused = true)]
async fn a_bad_record_at_the_end_is_done_too() {
    let world = World::new(vec![records(0, 5..8)], &[]);
    run_for(&world, ALL, HOUR).await.unwrap();
    assert_eq!(world.committed(), offsets(&[(0, 7)]), "it is not read again after a restart");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_kafka_refuses() {
    let fates = [((0, 2), Fate::TooLarge)];
    let world = World::new(vec![records(0, 1..4)], &fates);
    let error = run_for(&world, NONE, HOUR).await.unwrap_err().chain();
    assert!(error.contains("failed in KAFKA_PRODUCE") && error.ends_with("1 MiB is too much"), "{error}");
    assert_eq!(world.committed(), offsets(&[(0, 1)]));
    let world = World::new(vec![records(0, 1..4)], &fates);
    run_for(&world, ALL, HOUR).await.unwrap();
    assert_eq!((world.topic(), world.committed()), (vec![(0, 1), (0, 3)], offsets(&[(0, 3)])));

    // What all records would meet is no record's fault: no tolerance helps.
    let world = World::new(vec![records(0, 1..4)], &[((0, 2), Fate::Unauthorized)]);
    let error = run_for(&world, ALL, HOUR).await.unwrap_err().chain();
    assert!(error.starts_with("Unrecoverable exception from producer send callback: "), "{error}");
    assert_eq!(world.committed(), offsets(&[(0, 1)]));
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_bounded_and_a_stop_interrupts_the_wait() {
    let never: Vec<_> = places(0, 0..30_000).into_iter().map(|place| (place, Fate::Never)).collect();
    let batch =
        |from: i64| Polled::Records((from..from + 5_000).filter(|n| n % 10 != 7).map(|n| (0, n)).collect());
    let world = World::new((0..6).map(|n| batch(n * 5_000)).collect(), &never);
    run_for(&world, NONE, HOUR).await.unwrap();
    assert_eq!(world.most_in_flight(), 10_000);
    let stalled = "Kafka has not acknowledged a record for 30 s; 10000 wait";
    assert!(world.journal().contains(&Event::Retrying(stalled.into())), "{:?}", world.journal());

    let world = World::new(vec![records(0, 1..3)], &[((0, 2), Fate::NoRoom(7_200_000))]);
    run_for(&world, NONE, HOUR).await.unwrap();
    assert_eq!(world.committed(), offsets(&[(0, 1)]), "flushed while the producer had no room");
}

#[tokio::test(start_paused = true)]
async fn a_stall_that_ends_is_over_in_the_status() {
    let world = World::new(vec![records(0, 1..2)], &[((0, 1), Fate::After(45_000))]);
    run_for(&world, NONE, HOUR).await.unwrap();
    let states: Vec<_> = world
        .journal()
        .into_iter()
        .filter(|event| matches!(event, Event::Running | Event::Retrying(_)))
        .collect();
    assert_eq!(states.len(), 3, "{states:?}");
    assert_eq!(states[2], Event::Running);
}

/// The heart of the contract: wherever the process dies, no committed offset passes a record that Kafka does not have, and after a
/// restart every record is there.
#[tokio::test(start_paused = true)]
async fn a_crash_at_any_moment_loses_nothing() {
    let all =
        || vec![records(0, 1..10), records(1, 1..8), records(0, 10..16), Polled::Retry, records(1, 8..12)];
    // Acknowledgements come late and in another order, over three flushes.
    let fates: Vec<(Place, Fate)> = [places(0, 1..16), places(1, 1..12)]
        .concat()
        .into_iter()
        .map(|(p, n)| ((p, n), Fate::After(((n * 7 + p * 3) % 5) as u64 * 40_000)))
        .collect();
    let good: BTreeSet<Place> =
        [places(0, 1..16), places(1, 1..12)].concat().into_iter().filter(|place| !is_bad(place.1)).collect();
    let whole = World::new(all(), &fates);
    run_for(&whole, ALL, HOUR).await.unwrap();
    let moments = whole.journal().len();
    assert!(moments > 50, "{moments}");
    for moment in 1..=moments {
        let world = World::new(all(), &fates);
        world.journal.die_at(moment);
        tokio::select! {
            _ = run_for(&world, ALL, HOUR) => {}
            () = world.journal.death() => {}
        }
        let (topic, committed) = (world.topic().into_iter().collect::<BTreeSet<_>>(), world.committed());
        for place in &good {
            let is_committed = committed.get(&place.0).is_some_and(|offset| place.1 <= *offset);
            assert!(
                !is_committed || topic.contains(place),
                "moment {moment}: {place:?} is committed and not in Kafka"
            );
        }
        world.reborn(all());
        run_for(&world, ALL, HOUR).await.unwrap();
        let topic: BTreeSet<Place> = world.topic().into_iter().collect();
        assert_eq!(topic, good, "moment {moment}");
        assert_eq!(world.committed(), offsets(&[(0, 15), (1, 11)]), "moment {moment}");
    }
}
