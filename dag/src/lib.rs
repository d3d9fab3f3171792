//! Signed gossip events that name their parents: who saw what, how much stake stands behind it, and
//! who lied.
//!
//! ```text
//!   bytes --Event::verify--> Verified event --Dag::admit--> vertex with ancestry vector
//!                                  |
//!                                  +-- a second branch of one creator --> Evidence
//! ```
//!
//! Invariants:
//! - payloads are opaque: this crate sees their digest and length;
//! - an [`event::Event`] exists only if its signature, chain, epoch, creator and shape are right;
//! - an admitted event's parents are admitted, or lie below the floor (C9a).
//!
//! Begin reading at [`event`], then [`graph`].
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

pub mod ancestry;
pub mod brief;
pub mod committee;
pub mod error;
pub mod event;
pub mod gossip;
pub mod graph;
pub mod pending;
#[cfg(any(test, feature = "test-utils"))]
pub mod test_dag;

pub use committee::Committee;
pub use error::Error;
pub use event::Event;
pub use graph::Dag;
pub use pending::Pending;
