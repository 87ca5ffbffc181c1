//! The body of a request on its way through: kept whole when it is small, so that it can be sent again, and passed on
//! piece by piece when it is not.

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use hyper::body::{Body, Frame, SizeHint};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// Bodies up to this size are read whole before the request is sent on.
pub(super) const BUFFERED_MAX: usize = 64 * 1024;

/// Bodies above this size are refused.
pub(super) const BODY_MAX: u64 = 1024 * 1024;

/// Pieces read ahead of the upstream. A piece is what the client's socket gave at once, a few ten kilobytes at most.
const PIECES_AHEAD: usize = 4;

/// Clones send the same bytes: all of them when they are kept, else whatever no clone has taken yet.
#[derive(Clone, Debug)]
pub enum RequestBody {
    Whole(Bytes),
    Pieces(Arc<Pieces>),
}

#[derive(Debug)]
pub struct Pieces {
    source: Mutex<Source>,
    /// The length the client announced.
    length: Option<u64>,
    taken: AtomicBool,
    failed: Arc<Failed>,
}

#[derive(Debug)]
struct Source {
    first: VecDeque<Bytes>,
    rest: mpsc::Receiver<io::Result<Bytes>>,
}

/// Why the client's side of a streamed body ended early.
#[derive(Debug, Default)]
struct Failed {
    too_large: AtomicBool,
    broken: AtomicBool,
}

#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the body is larger than 1 MiB")]
    TooLarge,
    #[error("the body ended early")]
    Broken,
}

impl RequestBody {
    pub fn empty() -> Self {
        Self::Whole(Bytes::new())
    }

    /// Reads up to [`BUFFERED_MAX`]; what is longer is streamed from there on by a task of its own.
    pub async fn receive(mut payload: Payload, length: Option<u64>) -> Result<Self, BodyError> {
        if length.is_some_and(|length| length > BODY_MAX) {
            return Err(BodyError::TooLarge);
        }
        let mut first = VecDeque::new();
        let mut read = 0usize;
        // A body that says it is long is not worth waiting for.
        let stream_at_once = length.is_some_and(|length| length > BUFFERED_MAX as u64);
        while !stream_at_once && read <= BUFFERED_MAX {
            match payload.next().await {
                None => return Ok(Self::Whole(joined(first, read))),
                Some(Ok(piece)) => {
                    read += piece.len();
                    first.push_back(piece);
                }
                Some(Err(error)) => return Err(broken(&error)),
            }
        }
        let (sender, rest) = mpsc::channel(PIECES_AHEAD);
        let failed = Arc::new(Failed::default());
        // The client's connection lives on this thread, the upstream's anywhere.
        actix_web::rt::spawn(pump(payload, read as u64, sender, failed.clone()));
        let source = Mutex::new(Source { first, rest });
        Ok(Self::Pieces(Arc::new(Pieces { source, length, taken: AtomicBool::new(false), failed })))
    }

    /// Whether the whole body can be sent (again).
    pub fn is_at_hand(&self) -> bool {
        match self {
            Self::Whole(_) => true,
            Self::Pieces(pieces) => !pieces.taken.load(Ordering::Acquire),
        }
    }

    /// What went wrong on the client's side, if something did.
    pub fn failure(&self) -> Option<BodyError> {
        let Self::Pieces(pieces) = self else { return None };
        if pieces.failed.too_large.load(Ordering::Acquire) {
            return Some(BodyError::TooLarge);
        }
        pieces.failed.broken.load(Ordering::Acquire).then_some(BodyError::Broken)
    }

    /// The body for one attempt.
    pub fn outgoing(&self) -> OutgoingBody {
        match self {
            Self::Whole(bytes) => OutgoingBody::Whole(Some(bytes.clone()).filter(|bytes| !bytes.is_empty())),
            Self::Pieces(pieces) => OutgoingBody::Pieces(pieces.clone()),
        }
    }
}

fn joined(pieces: VecDeque<Bytes>, length: usize) -> Bytes {
    if pieces.len() <= 1 {
        return pieces.into_iter().next().unwrap_or_default();
    }
    let mut whole = BytesMut::with_capacity(length);
    for piece in pieces {
        whole.extend_from_slice(&piece);
    }
    whole.freeze()
}

fn broken(error: &PayloadError) -> BodyError {
    tracing::debug!(%error, "the client's body ended early");
    BodyError::Broken
}

async fn pump(
    mut payload: Payload,
    mut read: u64,
    sender: mpsc::Sender<io::Result<Bytes>>,
    failed: Arc<Failed>,
) {
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|error| {
            failed.broken.store(true, Ordering::Release);
            io::Error::other(broken(&error))
        });
        read += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        let piece = if read > BODY_MAX {
            failed.too_large.store(true, Ordering::Release);
            Err(io::Error::other(BodyError::TooLarge))
        } else {
            piece
        };
        let last = piece.is_err();
        // Nobody receives any more when the upstream has answered without reading to the end.
        if sender.send(piece).await.is_err() || last {
            return;
        }
    }
}

#[derive(Debug)]
pub enum OutgoingBody {
    Whole(Option<Bytes>),
    Pieces(Arc<Pieces>),
}

impl Body for OutgoingBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Pieces(pieces) => {
                pieces.taken.store(true, Ordering::Release);
                let mut source = pieces.source.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(piece) = source.first.pop_front() {
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
                source.rest.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Pieces(pieces) => pieces.length.map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}
