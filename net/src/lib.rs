//! Moves bytes between keys over QUIC; it does not read what it carries.
//!
//! ```text
//!   node --send--> lane queue --one write--> consensus stream --\
//!                  lane queue --one write--> bulk stream ---------+-- one connection per pair
//!   node <-events-- bounded channel <-frames-- the peer's streams -/
//!
//!   wallet --request--> one bidirectional stream --> node --reply, reply, end--> wallet
//! ```
//!
//! Invariants:
//! - whoever is at the other end has proven its key: TLS 1.3 with raw public keys (RFC 7250) under
//!   a private signature scheme, made over the chain id, so that nobody of another chain connects;
//! - the lower transport key dials, so a pair of peers has one connection;
//! - a length is checked before anything is allocated, and every queue has a bound in frames and in
//!   bytes; a full inbound queue pauses reading, a full outbound queue refuses the frame;
//! - peers and wallets have queues of their own, so that neither starves the other;
//! - [`PeerEvent::Up`], then messages and delays, then [`PeerEvent::Down`]: in that order for each
//!   peer;
//! - datagrams are delayed, lost or damaged on purpose only where [`Config::link_faults`] says so.
//!
//! Begin reading at [`Endpoint`], then `peers`.

mod accept;
mod backoff;
mod client;
mod config;
mod endpoint;
mod error;
mod event;
mod frame;
mod peers;
mod queue;
mod shim;
mod stats;
mod tls;
mod transport;
mod wallets;

pub use bytes::Bytes;
pub use client::{Client, Replies};
pub use config::{Config, Limits, PeerAddress};
pub use endpoint::{Endpoint, Part, Served};
pub use error::{CloseReason, Error, LinkError, SendError};
pub use event::{DELAY_INTERVAL, Events, Held, PeerEvent, WalletEvent};
pub use frame::Lane;
pub use shim::Link;
pub use stats::{Stats, Traffic};

#[cfg(test)]
mod harness;
