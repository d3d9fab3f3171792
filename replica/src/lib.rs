//! One peer without a world: inputs in, effects out, the same on every machine.
//!
//! ```text
//!   bytes --input::verify (any thread)--> Input --Replica::handle(now, input, &store)--> Effects
//!            dag <- pending               |             Persist, then Send, Reply, WakeAt, Accuse
//!             |--> consensus::Engine --> ledger::Ledger --> attestation --> certificate --> wallets
//! ```
//!
//! Invariants:
//! - no clock, no randomness, no disk, no socket: time comes with each input, nonces from a `Signer`,
//!   reads from a `Store`, and every write leaves as one batch;
//! - an own event is durable before it is sent, and none is made before a quorum of peers has said
//!   which own events they know (C32);
//! - a wallet's answer leaves together with the certificate of the block it is proven under.
//!
//! Begin reading at [`replica`].
#![cfg_attr(not(test), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::float_arithmetic,
        clippy::indexing_slicing
    )
)]

extern crate alloc;

mod allowance;
pub mod briefs;
pub mod certify;
pub mod effect;
pub mod error;
pub mod fetch;
mod handle;
pub mod input;
pub mod inquiry;
pub mod outlook;
pub mod pool;
pub mod prune;
pub mod replica;
pub mod rows;
pub mod seat;
pub mod stats;
pub mod strays;
mod turn;
pub mod unsettled;
pub mod watch;

pub use effect::{Effect, Lane, Recipient};
pub use error::Error;
pub use input::{Arrival, Gossip, Input, Now, Ticket};
pub use replica::{Replica, Setup, Watermark};
pub use stats::Stats;
