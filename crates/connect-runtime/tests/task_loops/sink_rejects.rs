//! Records that the task rejects.

use crate::memory::sink::{Answer, Event, Place, Polled, World};
use crate::sink::{ALL, ALL_DLQ, HOUR, NONE, NONE_DLQ, offsets, records, run_for};

/// Offset 7 of partition 0 cannot be converted.
fn batch() -> Vec<Polled> {
    vec![Polled::Records(vec![(0, 6), (0, 7), (0, 8), (1, 0), (0, 9)])]
}

#[tokio::test(start_paused = true)]
async fn they_are_dead_lettered_in_the_order_in_which_they_came_before_they_are_done() {
    let world = World::new(batch(), vec![Answer::Reject(&[0, 1])]);
    run_for(&world, ALL_DLQ, HOUR).await.unwrap();
    assert_eq!(
        world.journal()[2..10],
        [
            // a task that keeps its own positions may pass it with the put
            Event::DeadLetter((0, 7)),
            Event::Put(vec![(1, 0), (0, 9)]),
            Event::Rejected(vec![(0, 6), (0, 8)]),
            Event::DeadLetter((0, 6)),
            Event::DeadLetter((0, 8)),
            Event::Marked((0, 10)),
            Event::Marked((1, 1)),
            Event::Committed(offsets(&[(0, 10), (1, 1)])),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_dead_letter_topic_they_are_passed_over_and_counted() {
    let world = World::new(batch(), vec![Answer::Reject(&[1, 3])]);
    run_for(&world, ALL, HOUR).await.unwrap();
    assert!(world.journal().contains(&Event::Skipped(2)));
    assert_eq!(world.committed(), offsets(&[(0, 10), (1, 1)]));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_keeps_its_own_positions_has_them_settled_before_it_writes_the_rest() {
    let polls = || vec![Polled::Records(records(0, 0..3))];
    let world =
        World::new(polls(), vec![Answer::RejectFirst(&[0]), Answer::Retry, Answer::RejectFirst(&[1])]);
    run_for(&world, ALL_DLQ, HOUR).await.unwrap();
    let journal: Vec<Event> = world.journal().into_iter().skip(2).collect();
    assert_eq!(
        journal[..9],
        [
            Event::PutRefused(records(0, 0..3)),
            Event::DeadLetter((0, 0)),
            Event::PutRefused(records(0, 1..3)),
            Event::Paused,
            Event::Retrying,
            Event::PutRefused(records(0, 1..3)),
            Event::DeadLetter((0, 2)),
            Event::Put(records(0, 1..2)),
            Event::Resumed,
        ]
    );
    assert_eq!(world.committed(), offsets(&[(0, 3)]));
    // nothing left is put, too: the position in the task's own keeping is to move
    let world = World::new(polls(), vec![Answer::RejectFirst(&[0, 1, 2])]);
    run_for(&world, ALL, HOUR).await.unwrap();
    assert!(world.journal().contains(&Event::Put(vec![])));
    assert_eq!(world.committed(), offsets(&[(0, 3)]));
}

#[tokio::test(start_paused = true)]
async fn a_retry_settles_them_once() {
    let answers = vec![Answer::Retry, Answer::Retry, Answer::Reject(&[0])];
    let world = World::new(batch(), answers);
    run_for(&world, ALL_DLQ, HOUR).await.unwrap();
    let dead = |event: &Event| if let Event::DeadLetter(place) = event { Some(*place) } else { None };
    let dead: Vec<Place> = world.journal().iter().filter_map(dead).collect();
    assert_eq!(dead, [(0, 7), (0, 6)]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_topic_that_refuses_them_fails_the_task_and_nothing_of_the_batch_is_done() {
    let polls = vec![Polled::Records(records(0, 0..3)), Polled::Records(records(0, 3..6))];
    let world = World::new(polls, vec![Answer::Ok, Answer::Reject(&[1])]);
    world.let_dead_letters_fail();
    let error = run_for(&world, ALL_DLQ, HOUR).await.unwrap_err();
    assert_eq!(
        error.chain(),
        "record of topic t, partition 0, offset 4 could not be written to the dead-letter topic t.dlq; its offset stays \
         uncommitted: not enough replicas"
    );
    assert_eq!(world.committed(), offsets(&[(0, 3)]));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_tolerated_is_dead_lettered_before_the_task_fails() {
    let polls = || vec![Polled::Records(records(0, 0..3)), Polled::Records(records(0, 3..6))];
    let log = ("errors.log.enable", "true");
    let cases = [
        (
            NONE.to_vec(),
            vec![],
            "Exiting WorkerSinkTask due to unrecoverable exception: Data too long for column 'a'",
        ),
        (vec![log], vec![], LOGGED),
        (NONE_DLQ.to_vec(), vec![Event::DeadLetter((0, 4))], DEAD_LETTERED),
    ];
    for (errors, dead, expected) in cases {
        let world = World::new(polls(), vec![Answer::Ok, Answer::BadRecord(1)]);
        let error = run_for(&world, &errors, HOUR).await.unwrap_err();
        assert_eq!(error.chain(), expected);
        let is_dead = |event: &Event| matches!(event, Event::DeadLetter(_));
        assert_eq!(world.journal().into_iter().filter(is_dead).collect::<Vec<_>>(), dead);
        assert_eq!(world.committed(), offsets(&[(0, 3)]));
    }
    let world = World::new(polls(), vec![Answer::BadRecord(7)]);
    let error = run_for(&world, NONE_DLQ, HOUR).await.unwrap_err().chain();
    assert!(error.contains("has rejected a record at 7 of a batch of 3: that is its fault"), "{error}");
}

const LOGGED: &str = "Exiting WorkerSinkTask due to unrecoverable exception: Tolerance exceeded in error handler; \
    errors.tolerance=all would pass over such records: record of topic t, partition 0, offset 4 failed in TASK_PUT \
    (org.apache.kafka.connect.sink.SinkTask) with org.apache.kafka.connect.errors.DataException: Data too long for column 'a'";
const DEAD_LETTERED: &str = "Exiting WorkerSinkTask due to unrecoverable exception: Tolerance exceeded in error handler (the \
    record is in the dead-letter topic t.dlq); errors.tolerance=all would pass over such records: record of topic t, partition \
    0, offset 4 failed in TASK_PUT (org.apache.kafka.connect.sink.SinkTask) with \
    org.apache.kafka.connect.errors.DataException: Data too long for column 'a'";

#[tokio::test(start_paused = true)]
async fn a_task_that_may_not_reject_or_rejects_what_it_was_not_given_fails() {
    let cases: [(_, &'static [usize], _); 4] = [
        (NONE, &[0], "although errors.tolerance is none"),
        (NONE_DLQ, &[0], "although errors.tolerance is none"),
        (ALL_DLQ, &[1, 1], "at 1 of the batch after that at 1"),
        (ALL, &[0, 3], "at 3 of a batch of 3"),
    ];
    for (errors, indexes, what) in cases {
        let world = World::new(vec![Polled::Records(records(0, 0..3))], vec![Answer::Reject(indexes)]);
        let error = run_for(&world, errors, HOUR).await.unwrap_err().chain();
        assert!(
            error.starts_with("org.example.Task has rejected a record") && error.contains(what),
            "{error}"
        );
        assert_eq!(world.committed(), offsets(&[]));
    }
}
