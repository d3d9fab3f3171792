//! What an endpoint tells its owner.

use std::time::Duration;

use primitives::keys::PublicKey;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::error::Error;

/// How often the delay to a connected peer is told.
pub const DELAY_INTERVAL: Duration = Duration::from_secs(1);

/// What happened with a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerEvent {
    /// A connection stands in both directions.
    Up {
        /// Its transport key.
        peer: PublicKey,
    },
    /// The connection ended; what was queued for the peer is gone.
    Down {
        /// Its transport key.
        peer: PublicKey,
        /// Why.
        reason: Error,
    },
    /// A dial led to no connection; the next one follows after a pause of at most two seconds.
    DialFailed {
        /// The transport key that was dialled.
        peer: PublicKey,
        /// Why.
        reason: Error,
    },
    /// How long a packet takes to the peer, told every [`DELAY_INTERVAL`] while connected.
    Delay {
        /// Its transport key.
        peer: PublicKey,
        /// Half of the round trip that the transport has measured.
        one_way: Duration,
    },
    /// One frame, in the order of its lane.
    Message {
        /// The sender's transport key.
        peer: PublicKey,
        /// What it sent.
        bytes: Vec<u8>,
    },
}

/// What happened with a wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalletEvent {
    /// A wallet connected.
    Up {
        /// Number of the session, never used again by this endpoint.
        session: u64,
        /// The wallet's key.
        key: PublicKey,
    },
    /// The session ended, and every request of it.
    Down {
        /// Number of the session.
        session: u64,
    },
    /// A complete request, to be answered by [`crate::Endpoint::reply`].
    Request {
        /// Number of the session.
        session: u64,
        /// Number of the request within the session.
        request: u64,
        /// What was asked.
        bytes: Vec<u8>,
    },
}

/// The receiving end of a bounded channel of events; ends when the endpoint is closed.
#[derive(Debug)]
pub struct Events<T> {
    receiver: mpsc::Receiver<Held<T>>,
}

impl<T> Events<T> {
    /// The next event, or none when the endpoint is closed.
    pub async fn recv(&mut self) -> Option<T> {
        self.receiver.recv().await.map(|held| held.event)
    }

    /// The next event, blocking this thread; for a thread outside the runtime only.
    pub fn blocking_recv(&mut self) -> Option<T> {
        self.receiver.blocking_recv().map(|held| held.event)
    }

    /// The same, and its bytes count against its sender until what it became is dropped: whoever
    /// sends faster than its messages are worked through is slowed down alone.
    pub fn blocking_recv_held(&mut self) -> Option<Held<T>> {
        self.receiver.blocking_recv()
    }

    /// The next event if one waits.
    pub fn try_recv(&mut self) -> Option<T> {
        self.receiver.try_recv().ok().map(|held| held.event)
    }
}

/// An event, or what it has become, and the share of its sender's budget that it holds.
#[derive(Debug)]
pub struct Held<T> {
    /// What is held.
    pub event: T,
    permit: Option<OwnedSemaphorePermit>,
}

impl<T> Held<T> {
    /// Makes something else of what is held, or nothing, which gives the share back.
    pub fn and_then<U>(self, turn: impl FnOnce(T) -> Option<U>) -> Option<Held<U>> {
        let Self { event, permit } = self;
        turn(event).map(|event| Held { event, permit })
    }
}

/// The sending end.
#[derive(Debug)]
pub(crate) struct EventSender<T> {
    sender: mpsc::Sender<Held<T>>,
}

impl<T> Clone for EventSender<T> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
        }
    }
}

impl<T> EventSender<T> {
    /// Waits for room. An owner that has dropped its receiver hears nothing more.
    pub(crate) async fn send(&self, event: T, permit: Option<OwnedSemaphorePermit>) {
        let queued = Held { event, permit };
        // The owner listens no longer: its events go nowhere by its own choice.
        let _ = self.sender.send(queued).await;
    }
}

/// A channel of at most `capacity` events.
pub(crate) fn channel<T>(capacity: usize) -> (EventSender<T>, Events<T>) {
    let (sender, receiver) = mpsc::channel(capacity.max(1));
    (EventSender { sender }, Events { receiver })
}
