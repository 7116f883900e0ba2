//! What waits to be sent to one client. It holds text, never a connection of the VMDB; and at most so much text.

use super::follower::Place;
use super::socket::Socket;
use actix_web::web::Bytes;
use futures_util::Stream;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Who is so far behind is let go.
const MOST_BYTES: usize = 1 << 20;

/// The end that is written to; whoever drops it leaves the place to another.
pub(super) struct Sender {
    queue: UnboundedSender<Bytes>,
    behind: Arc<AtomicUsize>,
    socket: Option<Socket>,
    _place: Place,
}

/// The end that the server reads from.
pub(super) struct Body {
    queue: UnboundedReceiver<Bytes>,
    behind: Arc<AtomicUsize>,
}

/// The client is gone, or was let go.
pub(super) struct Gone;

pub(super) fn new(place: Place, socket: Option<Socket>) -> (Sender, Body) {
    let (sender, receiver) = unbounded_channel();
    let behind = Arc::new(AtomicUsize::new(0));
    let sender = Sender { queue: sender, behind: behind.clone(), socket, _place: place };
    (sender, Body { queue: receiver, behind })
}

impl Sender {
    /// Puts `text` behind what waits already.
    pub(super) fn send(&self, text: String) -> Result<(), Gone> {
        if self.behind.load(Relaxed) + text.len() > MOST_BYTES {
            log::info!("a client of /live is {} MiB behind and is let go", MOST_BYTES >> 20);
            if let Some(socket) = &self.socket {
                socket.cut();
            }
            return Err(Gone);
        }
        self.behind.fetch_add(text.len(), Relaxed);
        self.queue.send(Bytes::from(text)).map_err(|_| Gone)
    }

    /// Waits until the client is gone.
    pub(super) async fn gone(&self) {
        self.queue.closed().await;
    }
}

impl Stream for Body {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.queue.poll_recv(context).map(|next| {
            let bytes = next?;
            self.behind.fetch_sub(bytes.len(), Relaxed);
            Some(Ok(bytes))
        })
    }
}
