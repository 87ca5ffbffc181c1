//! What a server gets that asks for a local file: our own rows, and only while a load of ours is under way.

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream;
use mysql_async::prelude::GlobalHandler;
use mysql_async::{InfileData, LocalInfileError};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// Chunks on their way, at most: one is sent while the next is written.
const CHUNKS: usize = 2;

/// The name under which the server may ask for a stream, and its chunks.
type Offer = (String, mpsc::Receiver<Bytes>);

/// The stream that the server may ask for now.
#[derive(Clone, Default)]
pub(in crate::driver) struct Infile(Arc<Mutex<Option<Offer>>>);

impl Infile {
    /// Offers a stream under `name`; what was offered before is gone.
    pub(super) fn offer(&self, name: &str) -> mpsc::Sender<Bytes> {
        let (sender, receiver) = mpsc::channel(CHUNKS);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((name.to_owned(), receiver));
        sender
    }

    pub(super) fn withdraw(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl GlobalHandler for Infile {
    /// A server may ask for any file at any statement; it gets ours or nothing.
    fn handle(&self, file_name: &[u8]) -> BoxFuture<'static, Result<InfileData, LocalInfileError>> {
        let mut offered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = match &*offered {
            Some((name, _)) if name.as_bytes() == file_name => offered.take(),
            _ => None,
        };
        let answer = match ours {
            Some((_, mut receiver)) => {
                let data =
                    stream::poll_fn(move |context| receiver.poll_recv(context).map(|chunk| chunk.map(Ok)));
                Ok(Box::pin(data) as InfileData)
            }
            None => Err(LocalInfileError::PathIsNotInTheWhiteList(
                String::from_utf8_lossy(file_name).into_owned(),
            )),
        };
        Box::pin(std::future::ready(answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;

    #[tokio::test]
    async fn only_the_stream_on_offer_is_given_and_only_once() {
        let infile = Infile::default();
        assert!(infile.handle(b"/etc/passwd").await.is_err());
        let sender = infile.offer("rows-1");
        assert!(infile.handle(b"/etc/passwd").await.is_err());
        let data = infile.handle(b"rows-1").await.unwrap();
        sender.send(Bytes::from_static(b"a")).await.unwrap();
        drop(sender);
        let chunks: Vec<_> = data.map(|chunk| chunk.unwrap()).collect().await;
        assert_eq!(chunks, [Bytes::from_static(b"a")]);
        assert!(infile.handle(b"rows-1").await.is_err());
        infile.offer("rows-2");
        infile.withdraw();
        assert!(infile.handle(b"rows-2").await.is_err());
    }
}
