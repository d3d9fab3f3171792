//! Reads the DAG after the fact and says which event led each round, the total order, and how final
//! it is.
//!
//! ```text
//!   Dag --Engine::advance--> Settled { leader, order, seed, time } , one a block
//!    |         slots: commit, skip, undecided (C11-C16)
//!    |         race:  leader rank and anchor order from the seed (C17-C19)
//!    |         order: who knew what first (C21, C22)
//!    +------finality::support, backing (C24)
//!    +------Creation::decide, compose: when to make the next event, and of what (C32-C36)
//! ```
//!
//! Invariants:
//! - blocks are a function of events and their pasts; arrival, clocks and timers only delay;
//! - stake is compared by `primitives::quorum` alone;
//! - payloads stay opaque.
//!
//! Begin reading at [`engine`].
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

#[cfg(test)]
mod cases;
pub mod checkpoint;
pub mod creation;
pub mod engine;
pub mod error;
pub mod finality;
mod order;
pub mod race;
#[cfg(any(test, feature = "reference"))]
pub mod reference;
pub mod seed;
pub mod slots;

pub use checkpoint::Checkpoint;
pub use creation::{Creation, Decision};
pub use engine::{BeaconCheck, Engine, Settled, TentativeHead};
pub use error::{Contradiction, Error};
pub use finality::Grade;
