//! What has become of the records that were handed to the producer.

use super::Desk;
use super::flight::Flying;
use super::records::PRODUCER_CLASS;
use crate::errors::Stage;
use crate::ports::{ProduceError, Settled};
use crate::submitted::Ticket;
use connect_api::ConnectError;
use std::sync::Arc;
use tokio::time::Instant;

impl Desk {
    /// Looks at what the producer has told: at all of it, also when some of it is a failure.
    pub(super) fn settle(&mut self) -> Result<(), ConnectError> {
        let Settled { mut acknowledged, mut refused } = std::mem::take(&mut self.settled);
        if acknowledged.is_empty() && refused.is_empty() {
            return Ok(());
        }
        self.progress = Instant::now();
        if std::mem::take(&mut self.stalled) {
            if self.paused { self.observer.on_paused() } else { self.observer.on_running() }
        }
        let mut told: Option<Arc<str>> = None;
        for number in acknowledged.drain(..) {
            let Some(Flying { ticket, topic }) = self.flight.settle(number) else { continue };
            self.submitted.done(ticket);
            if told.as_ref().is_none_or(|told| !Arc::ptr_eq(told, &topic)) {
                self.observer.on_topic(&topic);
                told = Some(topic);
            }
        }
        let mut outcome = Ok(());
        for (number, error) in refused.drain(..) {
            let Some(Flying { ticket, topic }) = self.flight.settle(number) else { continue };
            outcome = outcome.and(self.refused(ticket, &topic, error));
        }
        // Their memory is for the next.
        self.settled = Settled { acknowledged, refused };
        outcome
    }

    /// Kafka has not taken a record.
    pub(super) fn refused(
        &mut self,
        ticket: Option<Ticket>,
        topic: &str,
        error: ProduceError,
    ) -> Result<(), ConnectError> {
        match error {
            ProduceError::Record(error) => {
                self.pass_over(ticket, topic, Stage::KafkaProduce, PRODUCER_CLASS, error)
            }
            ProduceError::Fatal(error) => {
                let message = "Unrecoverable exception from producer send callback";
                let bad = self.bad(ticket, topic, Stage::KafkaProduce, PRODUCER_CLASS, error);
                Err(ConnectError::caused(message, bad))
            }
        }
    }
}
