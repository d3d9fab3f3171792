//! What a peer does: everything that crosses out of the pure core, to be carried out in order.

use alloc::boxed::Box;

use dag::event::Evidence;
use dag::gossip::Message;
use primitives::keys::PublicKey;
use primitives::store::Batch;
use wallet_proto::reply::Reply;

use crate::input::Ticket;
use crate::replica::Watermark;

/// Who gets a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipient {
    /// One peer.
    Peer(PublicKey),
    /// Every connected peer.
    Everyone,
}

/// Which of a connection's ordered streams carries a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// New events, requests and frontiers: never behind bulk.
    Consensus,
    /// Answers to requests.
    Bulk,
}

/// One effect.
#[derive(Debug)]
pub enum Effect {
    /// Apply the batch at once; if `durable`, it must be on disk before any later effect is visible
    /// outside (C32).
    Persist {
        /// The writes.
        batch: Batch,
        /// Whether later effects depend on it.
        durable: bool,
    },
    /// Remember outside of the store that own events up to this one may have left: on disk after every
    /// batch before it, and before any later effect is visible outside (C32).
    Guard(Watermark),
    /// Send a message.
    Send {
        /// To whom.
        to: Recipient,
        /// On which stream.
        lane: Lane,
        /// What.
        message: Message,
    },
    /// Answer a wallet.
    Reply {
        /// Which request.
        ticket: Ticket,
        /// What.
        reply: Reply,
        /// Whether the request is answered to its end.
        last: bool,
    },
    /// Hand in a tick at this time of the monotonic clock, in milliseconds.
    WakeAt(u64),
    /// A peer was caught signing two events of one sequence number (C10).
    Accuse(Box<Evidence>),
}
