//! What goes on while a put is under way.

use crate::memory::sink::{Answer, Event, Polled, World};
use crate::sink::{HOUR, NONE, offsets, records, run_for, run_with_pauses};
use std::time::Duration;

fn singles(offsets: std::ops::Range<i64>) -> Vec<Polled> {
    offsets.map(|offset| Polled::Records(vec![(0, offset)])).collect()
}

fn puts(world: &World) -> Vec<Event> {
    world.journal().into_iter().filter(|event| matches!(event, Event::Put(_))).collect()
}

#[tokio::test(start_paused = true)]
async fn the_next_batch_is_collected_up_to_the_size_that_the_task_likes() {
    let polls = vec![
        Polled::Records(records(0, 0..1)),
        Polled::Records(records(0, 1..2)),
        Polled::Records(records(0, 2..4)),
        Polled::Records(records(0, 4..7)),
    ];
    let world = World::new(polls, vec![Answer::Slow(1000)]);
    world.takes_batches_of(4);
    run_for(&world, NONE, HOUR).await.unwrap();
    // the first does not wait for more
    let batches = [records(0, 0..1), records(0, 1..5), records(0, 5..7)];
    assert_eq!(puts(&world), batches.map(Event::Put));
    assert_eq!(world.committed(), offsets(&[(0, 7)]));
}

#[tokio::test(start_paused = true)]
async fn a_put_begins_as_soon_as_the_last_has_ended() {
    let mut answers = vec![Answer::Slow(1000); 3];
    answers.push(Answer::Slow(60_000));
    let world = World::new(singles(0..6), answers);
    world.takes_batches_of(2);
    run_for(&world, NONE, Duration::from_millis(3500)).await.unwrap();
    let batches = [records(0, 0..1), records(0, 1..3), records(0, 3..5)];
    assert_eq!(puts(&world), batches.map(Event::Put), "one each second, the fourth is cut off");
    assert_eq!(world.committed(), offsets(&[(0, 5)]));
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_that_waits_long_keeps_the_membership_by_a_pause() {
    let world = World::new(singles(0..3), vec![Answer::Slow(20_000)]);
    world.takes_batches_of(1);
    run_for(&world, NONE, HOUR).await.unwrap();
    assert_eq!(
        world.journal()[1..9],
        [
            Event::Running,
            Event::Paused,
            Event::Put(records(0, 0..1)),
            Event::Marked((0, 1)),
            Event::Resumed,
            Event::Put(records(0, 1..2)),
            Event::Marked((0, 2)),
            Event::Put(records(0, 2..3)),
        ]
    );
    assert_eq!(world.committed(), offsets(&[(0, 3)]));
}

#[tokio::test(start_paused = true)]
async fn a_commit_holds_up_no_put() {
    let world = World::new(singles(0..7), vec![Answer::Slow(20_000); 7]);
    world.let_commits_take(30_000);
    world.takes_batches_of(1);
    run_for(&world, NONE, HOUR).await.unwrap();
    let journal = world.journal();
    let first = journal.iter().position(|event| matches!(event, Event::Committed(_))).unwrap();
    let before = journal[..first].iter().filter(|event| matches!(event, Event::Put(_))).count();
    assert_eq!((&journal[first], before), (&Event::Committed(offsets(&[(0, 3)])), 4), "{journal:#?}");
    assert_eq!(world.committed(), offsets(&[(0, 7)]));
}

#[tokio::test(start_paused = true)]
async fn what_was_collected_is_not_put_while_the_user_pauses() {
    let world = World::new(singles(0..3), vec![Answer::Slow(2000)]);
    run_with_pauses(&world, false, &[(1, true), (100, false)]).await;
    assert_eq!(
        world.journal()[2..9],
        [
            Event::Put(records(0, 0..1)),
            Event::Marked((0, 1)),
            Event::Paused,
            Event::ToldPaused,
            Event::Committed(offsets(&[(0, 1)])),
            Event::Resumed,
            Event::Running,
        ]
    );
    assert_eq!(puts(&world)[1..], [Event::Put(records(0, 1..3))]);
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_fails_lets_the_put_end() {
    let mut polls = singles(0..2);
    polls.push(Polled::Error);
    let world = World::new(polls, vec![Answer::Slow(1000)]);
    assert_eq!(run_for(&world, NONE, HOUR).await.unwrap_err().chain(), "the consumer is fenced");
    assert_eq!(world.committed(), offsets(&[(0, 1)]));
}

#[tokio::test(start_paused = true)]
async fn when_told_to_stop_what_was_collected_is_left_behind() {
    let world = World::new(singles(0..3), vec![Answer::Slow(3000)]);
    run_for(&world, NONE, Duration::from_secs(1)).await.unwrap();
    assert_eq!(puts(&world), [Event::Put(records(0, 0..1))]);
    assert_eq!(world.committed(), offsets(&[(0, 1)]));
}
