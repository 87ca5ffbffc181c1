//! What the task does next: follow the user and the group, wait, or put.

use super::Facts;
use super::bad_records::BadRecords;
use super::batch::Batch;
use super::intake::{Hold, Intake};
use crate::ports::{Rebalance, SinkConsumer};
use connect_api::{ConnectError, SinkTask, TopicPartition};

pub(super) struct Loop<'a> {
    pub(super) facts: &'a Facts,
    pub(super) sink: &'a mut dyn SinkTask,
    pub(super) intake: Intake<'a>,
    pub(super) bad_records: BadRecords<'a>,
    /// Whether the user's pause has been carried out.
    pub(super) paused: bool,
    /// How often in a row the task has sent the consumer elsewhere instead of writing.
    pub(super) seeks: u32,
}

pub(super) enum Flow {
    GoOn,
    Stop,
}

impl<'a> Loop<'a> {
    pub(super) fn new(
        facts: &'a Facts,
        sink: &'a mut dyn SinkTask,
        intake: Intake<'a>,
        bad_records: BadRecords<'a>,
    ) -> Self {
        Self { facts, sink, intake, bad_records, paused: false, seeks: 0 }
    }

    pub(super) async fn run(&mut self) -> Result<(), ConnectError> {
        while !self.facts.control.stop.is_cancelled() {
            self.follow_pause().await?;
            if let Flow::Stop = self.follow_rebalance(None).await? {
                break;
            }
            self.intake.commit_if_due();
            if self.intake.has_next() && !self.paused {
                let batch = self.intake.take_next()?;
                if let Flow::Stop = self.deliver(batch).await? {
                    break;
                }
                self.intake.take_failure()?;
            } else {
                self.intake.wait(self.paused).await?;
            }
        }
        Ok(())
    }

    /// The last commit.
    pub(super) async fn end(mut self) -> Box<dyn SinkConsumer> {
        self.intake.commit().await;
        self.intake.consumer
    }

    /// From running to paused, or back, if the user has asked for it.
    pub(super) async fn follow_pause(&mut self) -> Result<(), ConnectError> {
        if self.paused == self.facts.control.is_paused() {
            return Ok(());
        }
        self.paused = !self.paused;
        if self.paused {
            // Before the observer is told, so that nothing is put once the status says PAUSED.
            self.intake.hold(Hold::User)?;
            self.facts.observer.on_paused();
            // As Java does: whoever pauses wants to see how far it has come.
            self.intake.commit().await;
        } else {
            self.intake.release(Hold::User)?;
            self.facts.observer.on_running();
        }
        Ok(())
    }

    /// Completes what the group waits for. No put is under way then, so nothing of a partition is written once it is somebody
    /// else's. `batch` is the one that waits to be put again.
    pub(super) async fn follow_rebalance(
        &mut self,
        mut batch: Option<&mut Batch>,
    ) -> Result<Flow, ConnectError> {
        while let Some(rebalance) = self.intake.consumer.rebalance() {
            match rebalance {
                Rebalance::Assigned(given) => {
                    let positions = tokio::select! {
                        biased;
                        () = self.facts.control.stop.cancelled() => return Ok(Flow::Stop),
                        positions = open(self.facts, self.sink, &given) => positions?,
                    };
                    self.intake.consumer.assign(&positions).await?;
                }
                Rebalance::Revoked(taken) => {
                    self.intake.forget(&taken);
                    if let Some(batch) = &mut batch {
                        batch.forget(&taken);
                    }
                    // Two commits under way might end in the wrong order.
                    self.intake.end_commit().await;
                    self.intake.consumer.revoke().await?;
                }
            }
        }
        Ok(Flow::GoOn)
    }
}

async fn open(
    facts: &Facts,
    sink: &mut dyn SinkTask,
    given: &[TopicPartition],
) -> Result<Vec<(TopicPartition, i64)>, ConnectError> {
    if given.is_empty() {
        return Ok(Vec::new());
    }
    let positions = sink.open(given).await.map_err(unrecoverable)?;
    let wrong = positions.iter().find(|(partition, offset)| *offset < 0 || !given.contains(partition));
    match wrong {
        None => Ok(positions),
        Some((partition, offset)) => Err(ConnectError::failed(format!(
            "{} wants to begin in partition {partition} at offset {offset}, which it was not given or which is none",
            facts.task_class
        ))),
    }
}

pub(super) fn unrecoverable(error: ConnectError) -> ConnectError {
    ConnectError::caused("Exiting WorkerSinkTask due to unrecoverable exception", error)
}
