//! A record between the producer and Kafka's acknowledgement.

use crate::ports::{Delivery, ProduceError};
use crate::submitted::Ticket;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// A record that was handed to the producer; resolves when its fate is known. Polled again after that, it panics, as any future may.
pub(super) struct InFlight {
    pub(super) ticket: Option<Ticket>,
    pub(super) topic: Arc<str>,
    pub(super) delivery: Delivery,
}

/// What became of a record that was handed to the producer.
pub(super) struct Settled {
    pub(super) ticket: Option<Ticket>,
    pub(super) topic: Arc<str>,
    pub(super) outcome: Result<(), ProduceError>,
}

impl Future for InFlight {
    type Output = Settled;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Settled> {
        let outcome = ready!(self.delivery.as_mut().poll(context));
        Poll::Ready(Settled { ticket: self.ticket, topic: self.topic.clone(), outcome })
    }
}
