use crate::memory::sink::{Answer, Event, Place, Polled, Sink, World};
use crate::memory::{Clients, TextConverter, is_bad};
use connect_api::{ConfigMap, ConnectError};
use connect_runtime::control::TaskControl;
use connect_runtime::errors::ErrorPolicy;
use connect_runtime::ports::Subscription;
use connect_runtime::secrets::Secrets;
use connect_runtime::sink_task::{SinkTaskSpec, max_poll_records, run};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(crate) const NONE: &[(&str, &str)] = &[];
pub(crate) const NONE_DLQ: &[(&str, &str)] = &[
    ("errors.deadletterqueue.topic.name", "t.dlq"),
    ("errors.deadletterqueue.topic.replication.factor", "1"),
];
pub(crate) const ALL: &[(&str, &str)] = &[("errors.tolerance", "all")];
pub(crate) const ALL_DLQ: &[(&str, &str)] = &[
    ("errors.tolerance", "all"),
    ("errors.deadletterqueue.topic.name", "t.dlq"),
    ("errors.deadletterqueue.topic.replication.factor", "1"),
    ("errors.deadletterqueue.context.headers.enable", "true"),
];

fn map(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
}

pub(crate) fn spec(world: &Arc<World>, errors: &[(&str, &str)]) -> SinkTaskSpec {
    SinkTaskSpec {
        connector: "c".into(),
        task: 0,
        subscription: Subscription::Topics(vec!["t".into()]),
        key_converter: Box::new(TextConverter),
        value_converter: Box::new(TextConverter),
        sink: Box::new(Sink(world.clone())),
        task_class: "org.example.Task".into(),
        config: ConfigMap::new(),
        errors: ErrorPolicy::from_config(&map(errors)).unwrap(),
        clients: Arc::new(Clients::Sink(world.clone())),
        consumer_overrides: ConfigMap::new(),
        producer_overrides: ConfigMap::new(),
        commit_interval: Duration::from_secs(60),
        shutdown_grace: Duration::from_secs(5),
        max_poll_records: 500,
        secrets: Secrets::default(),
    }
}

/// Runs the task and stops it after `stop_after`.
pub(crate) async fn run_for(
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

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn records(partition: i32, offsets: std::ops::Range<i64>) -> Vec<Place> {
    offsets.map(|offset| (partition, offset)).collect()
}

pub(crate) fn offsets(pairs: &[(i32, i64)]) -> BTreeMap<i32, i64> {
    pairs.iter().copied().collect()
}

#[tokio::test(start_paused = true)]
async fn one_batch_from_start_to_stop() {
    let world = World::new(vec![Polled::Records(vec![(0, 5), (1, 0), (0, 6)])], vec![]);
    run_for(&world, NONE, HOUR).await.unwrap();
    assert_eq!(
        world.journal(),
        [
            Event::Started,
            Event::Running,
            Event::Put(vec![(0, 5), (1, 0), (0, 6)]),
            Event::Marked((0, 7)),
            Event::Marked((1, 1)),
            Event::Committed(offsets(&[(0, 7), (1, 1)])),
            Event::Stopped,
            Event::Closed,
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn offsets_are_committed_at_the_interval_too() {
    let world = World::new(vec![Polled::Records(records(0, 0..3))], vec![]);
    let committed = {
        let world = world.clone();
        async move {
            tokio::time::sleep(Duration::from_secs(59)).await;
            let before = world.committed();
            tokio::time::sleep(Duration::from_secs(2)).await;
            (before, world.committed())
        }
    };
    let (outcome, (before, after)) = tokio::join!(run_for(&world, NONE, Duration::from_secs(90)), committed);
    outcome.unwrap();
    assert_eq!((before, after), (offsets(&[]), offsets(&[(0, 3)])));
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_fails_is_made_good_by_the_next() {
    let world = World::new(vec![Polled::Records(records(0, 0..3))], vec![]);
    world.let_commits_fail(true);
    let heal = async {
        tokio::time::sleep(Duration::from_secs(70)).await;
        assert_eq!(world.committed(), offsets(&[]));
        world.let_commits_fail(false);
    };
    let (outcome, ()) = tokio::join!(run_for(&world, NONE, Duration::from_secs(200)), heal);
    outcome.unwrap();
    assert_eq!(world.committed(), offsets(&[(0, 3)]));
}

#[tokio::test(start_paused = true)]
async fn a_retry_keeps_the_batch_and_the_membership() {
    let world = World::new(
        vec![Polled::Records(records(0, 0..2)), Polled::Records(records(0, 2..4))],
        vec![Answer::Retry, Answer::Retry],
    );
    run_for(&world, NONE, HOUR).await.unwrap();
    let first = records(0, 0..2);
    assert_eq!(
        world.journal()[1..10],
        [
            Event::Running,
            Event::PutRefused(first.clone()),
            Event::Paused,
            Event::Retrying,
            Event::PutRefused(first.clone()),
            Event::Retrying,
            Event::Put(first),
            Event::Resumed,
            Event::Running,
        ]
    );
    assert_eq!(world.committed(), offsets(&[(0, 4)]));
}

#[tokio::test(start_paused = true)]
async fn records_of_a_lost_partition_are_not_written_late() {
    let batch = vec![(0, 0), (1, 0), (0, 1)];
    let world =
        World::new(vec![Polled::Records(batch.clone()), Polled::Revoked(vec![0])], vec![Answer::Retry]);
    run_for(&world, NONE, HOUR).await.unwrap();
    let journal = world.journal();
    assert!(journal.contains(&Event::PutRefused(batch)), "{journal:?}");
    assert!(journal.contains(&Event::Put(vec![(1, 0)])), "{journal:?}");
    assert_eq!(world.committed(), offsets(&[(1, 1)]));
}

#[tokio::test(start_paused = true)]
async fn a_fatal_put_fails_the_task_and_commits_only_what_was_put_before() {
    let world = World::new(
        vec![Polled::Records(records(0, 0..2)), Polled::Records(records(0, 2..4))],
        vec![Answer::Ok, Answer::Fatal],
    );
    let error = run_for(&world, NONE, HOUR).await.unwrap_err();
    assert_eq!(error.chain(), "Exiting WorkerSinkTask due to unrecoverable exception: no such table");
    assert_eq!(world.committed(), offsets(&[(0, 2)]));
    assert_eq!(world.journal()[world.journal().len() - 2..], [Event::Stopped, Event::Closed]);
}

#[tokio::test(start_paused = true)]
async fn a_fatal_consumer_error_fails_the_task_after_a_commit() {
    let world = World::new(vec![Polled::Records(records(0, 0..2)), Polled::Error], vec![]);
    assert_eq!(run_for(&world, NONE, HOUR).await.unwrap_err().chain(), "the consumer is fenced");
    assert_eq!(world.committed(), offsets(&[(0, 2)]));
}

/// Offset 7 of partition 0 is bad; partition 1 has records around it.
fn batch_with_a_bad_record() -> Vec<Polled> {
    vec![Polled::Records(vec![(0, 6), (1, 0), (0, 7), (0, 8), (1, 1)])]
}

#[tokio::test(start_paused = true)]
async fn a_bad_record_fails_the_task_but_takes_no_good_one_with_it() {
    let world = World::new(batch_with_a_bad_record(), vec![]);
    let error = run_for(&world, NONE, HOUR).await.unwrap_err();
    assert_eq!(
        error.chain(),
        "Tolerance exceeded in error handler; errors.tolerance=all would pass over such records: record of topic t, \
         partition 0, offset 7 failed in VALUE_CONVERTER (org.example.TextConverter) with \
         org.apache.kafka.connect.errors.DataException: this is bad"
    );
    assert!(world.journal().contains(&Event::Put(vec![(0, 6), (1, 0)])));
    assert_eq!(world.committed(), offsets(&[(0, 7), (1, 1)]));
}

#[tokio::test(start_paused = true)]
async fn without_tolerance_the_dead_letter_topic_gets_the_record_and_the_task_fails() {
    let world = World::new(batch_with_a_bad_record(), vec![]);
    let error = run_for(&world, NONE_DLQ, HOUR).await.unwrap_err();
    assert!(error.to_string().contains("the record is in the dead-letter topic t.dlq"), "{error}");
    assert!(world.journal().contains(&Event::DeadLetter((0, 7))));
    assert_eq!(world.committed(), offsets(&[(0, 7), (1, 1)]));
}

#[tokio::test(start_paused = true)]
async fn tolerated_records_are_counted_and_passed_over() {
    let world = World::new(batch_with_a_bad_record(), vec![]);
    run_for(&world, ALL, HOUR).await.unwrap();
    assert!(world.journal().contains(&Event::Skipped(1)));
    assert_eq!(world.committed(), offsets(&[(0, 9), (1, 2)]));
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_bad_records_alone_is_done_without_a_put() {
    let world = World::new(vec![Polled::Records(vec![(0, 7), (1, 17), (0, 17)])], vec![]);
    run_for(&world, ALL_DLQ, HOUR).await.unwrap();
    let journal = world.journal();
    let dead: Vec<_> = journal.iter().filter(|event| matches!(event, Event::DeadLetter(_))).collect();
    assert_eq!(dead, [&Event::DeadLetter((0, 7)), &Event::DeadLetter((1, 17)), &Event::DeadLetter((0, 17))]);
    assert!(!journal.iter().any(|event| matches!(event, Event::Put(_))));
    assert_eq!(world.committed(), offsets(&[(0, 18), (1, 18)]));
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_topic_that_refuses_fails_the_task_and_nothing_of_the_batch_is_committed() {
    for errors in [NONE_DLQ, ALL_DLQ] {
        let mut polls = vec![Polled::Records(records(0, 0..3))];
        polls.push(Polled::Records(records(0, 3..10)));
        let world = World::new(polls, vec![]);
        world.let_dead_letters_fail();
        let error = run_for(&world, errors, HOUR).await.unwrap_err();
        assert_eq!(
            error.chain(),
            "record of topic t, partition 0, offset 7 could not be written to the dead-letter topic t.dlq; its offset \
             stays uncommitted: not enough replicas"
        );
        assert_eq!(world.committed(), offsets(&[(0, 3)]));
    }
}

#[tokio::test(start_paused = true)]
async fn when_told_to_stop_a_running_put_may_finish_within_its_grace() {
    for (millis, put, committed) in [(4_000, true, offsets(&[(0, 2)])), (60_000, false, offsets(&[]))] {
        let world = World::new(vec![Polled::Records(records(0, 0..2))], vec![Answer::Slow(millis)]);
        let began = tokio::time::Instant::now();
        run_for(&world, NONE, Duration::from_secs(1)).await.unwrap();
        assert!(began.elapsed() <= Duration::from_secs(6), "{:?}", began.elapsed());
        assert_eq!(world.journal().contains(&Event::Put(records(0, 0..2))), put);
        assert_eq!(world.committed(), committed);
        assert_eq!(world.journal().last(), Some(&Event::Closed));
    }
}

#[tokio::test(start_paused = true)]
async fn when_told_to_stop_a_retry_does_not_go_on() {
    let world = World::new(vec![Polled::Records(records(0, 0..2))], vec![Answer::Retry; 1000]);
    let began = tokio::time::Instant::now();
    run_for(&world, NONE, Duration::from_secs(10)).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(11));
    assert_eq!(world.committed(), offsets(&[]));
}

/// Runs the task, pauses or resumes it at the given seconds, and stops it after an hour.
pub(crate) async fn run_with_pauses(world: &Arc<World>, from_the_start: bool, turns: &[(u64, bool)]) {
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
async fn a_paused_task_commits_and_puts_nothing_until_it_is_resumed() {
    let slow = vec![Answer::Slow(2000)];
    let world = World::new(vec![Polled::Records(records(0, 0..2)), Polled::Records(records(0, 2..4))], slow);
    run_with_pauses(&world, false, &[(1, true), (100, false)]).await;
    assert_eq!(
        world.journal(),
        [
            Event::Started,
            Event::Running,
            // the pause came while it was put
            Event::Put(records(0, 0..2)),
            Event::Marked((0, 2)),
            Event::Paused,
            Event::ToldPaused,
            Event::Committed(offsets(&[(0, 2)])),
            Event::Resumed,
            Event::Running,
            Event::Put(records(0, 2..4)),
            Event::Marked((0, 4)),
            Event::Committed(offsets(&[(0, 4)])),
            Event::Stopped,
            Event::Closed,
        ]
    );
    assert_eq!(world.topics(), BTreeSet::from(["t".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_paused_from_the_start_starts_when_it_is_resumed() {
    let world = World::new(vec![Polled::Records(records(0, 0..2))], vec![]);
    run_with_pauses(&world, true, &[(10, false)]).await;
    assert_eq!(world.journal()[..3], [Event::ToldPaused, Event::Started, Event::Running]);
    assert_eq!(world.committed(), offsets(&[(0, 2)]));

    let world = World::new(vec![], vec![]);
    run_with_pauses(&world, true, &[]).await;
    assert_eq!(world.journal(), [Event::ToldPaused, Event::Stopped]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_waits_for_the_end_of_a_pause() {
    let world = World::new(
        vec![
            Polled::Records(vec![(0, 0), (1, 0)]),
            Polled::Revoked(vec![1]),
            Polled::Records(records(0, 1..2)),
        ],
        vec![Answer::Retry],
    );
    run_with_pauses(&world, false, &[(1, true), (100, false)]).await;
    assert_eq!(
        world.journal()[1..],
        [
            Event::Running,
            Event::PutRefused(vec![(0, 0), (1, 0)]),
            Event::Paused,
            Event::Retrying,
            Event::Revoked(vec![1]),
            Event::ToldPaused,
            Event::Running,
            // without what was lost meanwhile
            Event::Put(vec![(0, 0)]),
            Event::Resumed,
            Event::Running,
            Event::Marked((0, 1)),
            Event::Put(vec![(0, 1)]),
            Event::Marked((0, 2)),
            Event::Committed(offsets(&[(0, 2)])),
            Event::Stopped,
            Event::Closed,
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_paused_task_stops_and_a_failed_one_stays_failed() {
    let world = World::new(vec![], vec![]);
    run_with_pauses(&world, false, &[(1, true)]).await;
    assert_eq!(world.journal()[2..], [Event::Paused, Event::ToldPaused, Event::Stopped, Event::Closed]);

    let world = World::new(vec![Polled::Records(records(0, 0..2))], vec![Answer::Fatal]);
    let (control, paused) = TaskControl::new(CancellationToken::new(), false);
    run(spec(&world, NONE), control, world.clone()).await.unwrap_err();
    paused.send_replace(true);
    assert!(!world.journal().contains(&Event::ToldPaused));
}

/// The process dies at every single point of a story with good and bad records, retries, commits and a stop. Whatever
/// is committed then must be safe.
#[tokio::test(start_paused = true)]
async fn wherever_it_dies_nothing_is_committed_that_is_not_safe() {
    let story = || {
        vec![
            Polled::Records(records(0, 0..5)),
            Polled::Records(vec![(0, 5), (1, 6), (0, 6), (1, 7), (0, 7), (0, 8), (1, 8)]),
            Polled::Records(vec![(1, 9)]),
            Polled::Revoked(vec![1]),
            Polled::Records(records(0, 9..19)),
        ]
    };
    let answer_tables: &[&[Answer]] = &[
        &[],
        &[Answer::Retry],
        &[Answer::Ok, Answer::Retry, Answer::Slow(70_000), Answer::Retry],
        &[Answer::Ok, Answer::Fatal],
        &[Answer::Slow(61_000), Answer::Slow(61_000), Answer::Retry, Answer::Fatal],
        &[Answer::Reject(&[0, 3]), Answer::Retry, Answer::Reject(&[2]), Answer::Slow(61_000)],
        &[Answer::Slow(1_000), Answer::Seek(61_000, &[(0, 5)]), Answer::Slow(61_000)],
    ];
    let mut deaths = 0;
    for answers in answer_tables {
        for errors in [NONE, NONE_DLQ, ALL, ALL_DLQ] {
            for dies_at in 1.. {
                let world = World::new(story(), answers.to_vec());
                world.comes_after_seek(vec![Polled::Records(records(0, 5..19))]);
                world.journal.die_at(dies_at);
                let died = tokio::select! {
                    biased;
                    () = world.journal.death() => true,
                    _ = run_for(&world, errors, HOUR) => false,
                };
                assert_committed_is_safe(&world, errors);
                if !died {
                    assert!(dies_at > 4, "the story is told in {dies_at} events");
                    break;
                }
                deaths += 1;
            }
        }
    }
    assert!(deaths > 100, "{deaths}");
}

fn assert_committed_is_safe(world: &World, errors: &[(&str, &str)]) {
    let journal = world.journal();
    let mut safe: BTreeSet<Place> = BTreeSet::new();
    for event in &journal {
        match event {
            Event::Put(places) => safe.extend(places),
            Event::DeadLetter(place) => {
                safe.insert(*place);
            }
            Event::Rejected(places) if errors == ALL => safe.extend(places),
            // at each commit, not only at the end: a put after the commit is too late
            Event::Committed(committed) => {
                for (partition, next_offset) in committed {
                    let first = if *partition == 0 { 0 } else { 6 };
                    for offset in first..*next_offset {
                        let place = (*partition, offset);
                        let skipped = errors == ALL && is_bad(place.1);
                        assert!(
                            safe.contains(&place) || skipped,
                            "{place:?} is committed but not safe: {journal:#?}"
                        );
                    }
                }
            }
            _ => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_story_without_a_crash_ends_with_everything_written() {
    let world = World::new(
        vec![Polled::Records(records(0, 0..7)), Polled::Records(records(1, 0..7))],
        vec![Answer::Retry, Answer::Ok, Answer::Retry],
    );
    run_for(&world, NONE, HOUR).await.unwrap();
    assert!(world.is_drained());
    assert_eq!(world.committed(), offsets(&[(0, 7), (1, 7)]));
}

#[test]
fn max_poll_records_is_the_overrides_then_the_workers_then_500() {
    let (none, worker, connector) =
        (ConfigMap::new(), map(&[("max.poll.records", "7")]), map(&[("max.poll.records", "9")]));
    assert_eq!(max_poll_records(&none, &none).unwrap(), 500);
    assert_eq!(max_poll_records(&none, &worker).unwrap(), 7);
    assert_eq!(max_poll_records(&connector, &worker).unwrap(), 9);
    let error = max_poll_records(&map(&[("max.poll.records", "0")]), &none).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Invalid value 0 for configuration max.poll.records: it must be a whole number of at least 1"
    );
}
