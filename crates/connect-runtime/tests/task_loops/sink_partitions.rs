//! Partitions that come and go, and positions that the task keeps itself.

use crate::memory::sink::{Answer, Event, Polled, World};
use crate::sink::{ALL_DLQ, HOUR, NONE, offsets, records, run_for};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn partitions_are_given_away_once_the_put_has_ended_and_is_committed() {
    let batch = vec![(0, 0), (1, 0)];
    let polls = vec![
        Polled::Records(batch.clone()),
        Polled::Records(vec![(1, 1), (0, 1)]),
        Polled::Revoked(vec![1]),
        Polled::Assigned(vec![2]),
    ];
    let world = World::new(polls, vec![Answer::Slow(3000)]);
    run_for(&world, NONE, HOUR).await.unwrap();
    assert_eq!(
        world.journal()[1..10],
        [
            Event::Running,
            Event::Put(batch),
            Event::Marked((0, 1)),
            Event::Marked((1, 1)),
            Event::Committed(offsets(&[(1, 1)])),
            Event::Revoked(vec![1]),
            // without what was collected of the partition that went
            Event::Put(vec![(0, 1)]),
            Event::Marked((0, 2)),
            Event::Opened(vec![2]),
        ]
    );
    assert_eq!(world.committed(), offsets(&[(0, 2), (1, 1)]));
}

#[tokio::test(start_paused = true)]
async fn a_put_that_is_cut_off_marks_nothing_of_what_is_to_be_given_away() {
    let polls = vec![Polled::Records(records(0, 0..2)), Polled::Revoked(vec![0])];
    let world = World::new(polls, vec![Answer::Slow(60_000)]);
    run_for(&world, NONE, Duration::from_secs(1)).await.unwrap();
    assert_eq!(world.committed(), offsets(&[]));
    assert_eq!(world.journal()[2..], [Event::Stopped, Event::Closed]);
}

#[tokio::test(start_paused = true)]
async fn a_task_begins_where_it_says_and_that_is_committed() {
    let polls = vec![
        Polled::Assigned(vec![0, 1]),
        Polled::Records(vec![(1, 40), (1, 41)]),
        Polled::Assigned(vec![2]),
    ];
    let world = World::new(polls, vec![]);
    world.begins_at(&[(1, 40), (2, 3)]);
    run_for(&world, NONE, HOUR).await.unwrap();
    assert_eq!(
        world.journal(),
        [
            Event::Started,
            Event::Running,
            Event::Opened(vec![0, 1]),
            Event::Assigned(vec![(1, 40)]),
            Event::Put(vec![(1, 40), (1, 41)]),
            Event::Marked((1, 42)),
            Event::Opened(vec![2]),
            Event::Assigned(vec![(2, 3)]),
            Event::Committed(offsets(&[(1, 42), (2, 3)])),
            Event::Stopped,
            Event::Closed,
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_empty_assignment_is_completed_without_a_word_to_the_task() {
    let world = World::new(vec![Polled::Assigned(vec![])], vec![]);
    run_for(&world, NONE, HOUR).await.unwrap();
    assert_eq!(world.journal()[2..], [Event::Assigned(vec![]), Event::Stopped, Event::Closed]);
}

#[tokio::test(start_paused = true)]
async fn a_position_that_is_none_fails_the_task() {
    let world = World::new(vec![Polled::Assigned(vec![0])], vec![]);
    world.begins_at(&[(0, -1)]);
    let error = run_for(&world, NONE, HOUR).await.unwrap_err().chain();
    assert!(error.contains("partition t-0 at offset -1"), "{error}");
    assert_eq!(world.committed(), offsets(&[]));
}

#[tokio::test(start_paused = true)]
async fn a_retry_completes_what_the_group_waits_for() {
    let polls =
        vec![Polled::Records(vec![(0, 0), (1, 0)]), Polled::Revoked(vec![1]), Polled::Assigned(vec![2])];
    let world = World::new(polls, vec![Answer::Retry]);
    run_for(&world, NONE, HOUR).await.unwrap();
    assert_eq!(
        world.journal()[2..10],
        [
            Event::PutRefused(vec![(0, 0), (1, 0)]),
            Event::Paused,
            Event::Retrying,
            Event::Revoked(vec![1]),
            Event::Opened(vec![2]),
            Event::Assigned(vec![]),
            Event::Put(vec![(0, 0)]),
            Event::Resumed,
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_seek_everything_unwritten_is_read_again() {
    let polls = vec![
        // 7 cannot be read
        Polled::Records(vec![(0, 5), (0, 6), (0, 7), (1, 3)]),
        Polled::Records(vec![(0, 8), (2, 0)]),
    ];
    let world = World::new(polls, vec![Answer::Seek(1000, &[(0, 6)])]);
    world.comes_after_seek(vec![Polled::Records(vec![(0, 6), (0, 7), (0, 8), (1, 3)])]);
    run_for(&world, ALL_DLQ, HOUR).await.unwrap();
    assert_eq!(
        world.journal()[2..13],
        [
            Event::DeadLetter((0, 7)),
            Event::PutRefused(vec![(0, 5), (0, 6), (1, 3)]),
            // partition 1, of which the task said nothing, goes on with what was not written
            Event::Sought(vec![(0, 6), (1, 3)]),
            Event::Put(vec![(2, 0)]),
            Event::Marked((2, 1)),
            Event::DeadLetter((0, 7)),
            Event::Put(vec![(0, 6), (0, 8), (1, 3)]),
            Event::Marked((0, 9)),
            Event::Marked((1, 4)),
            Event::Committed(offsets(&[(0, 9), (1, 4), (2, 1)])),
            Event::Stopped,
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_seek_after_a_retry_resumes_first_and_a_partition_that_goes_is_not_sought() {
    let polls = vec![Polled::Records(vec![(0, 5), (1, 3)])];
    let world = World::new(polls, vec![Answer::Retry, Answer::Seek(0, &[(0, 4)])]);
    run_for(&world, NONE, HOUR).await.unwrap();
    assert_eq!(
        world.journal()[4..9],
        [
            Event::Retrying,
            Event::PutRefused(vec![(0, 5), (1, 3)]),
            Event::Resumed,
            Event::Running,
            Event::Sought(vec![(0, 4), (1, 3)]),
        ]
    );
    let polls = vec![Polled::Records(vec![(0, 5), (1, 3)]), Polled::Revoked(vec![1])];
    let world = World::new(polls, vec![Answer::Seek(1000, &[(0, 4)])]);
    run_for(&world, NONE, HOUR).await.unwrap();
    assert_eq!(world.journal()[3..5], [Event::Revoked(vec![1]), Event::Sought(vec![(0, 4)])]);
    assert_eq!(world.committed(), offsets(&[]));
}

#[tokio::test(start_paused = true)]
async fn seeks_in_a_row_do_not_turn_in_circles() {
    let world =
        World::new((0..4).map(|n| Polled::Records(vec![(n, 5)])).collect(), vec![Answer::Seek(0, &[]); 4]);
    run_for(&world, NONE, Duration::from_millis(1200)).await.unwrap();
    let sought = world.journal().iter().filter(|event| matches!(event, Event::Sought(_))).count();
    assert_eq!(sought, 3, "at once, then each half second");
}
