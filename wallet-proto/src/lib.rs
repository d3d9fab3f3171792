//! What wallets and peers say to one another, and how a wallet checks every answer by itself.
//!
//! ```text
//!   wallet --Question-> peer            one bidirectional stream per request
//!   wallet <--Reply---- peer            progress, then one answer or one error
//!
//!   genesis --Trust--> certificate of block n --> state root S_n --> proof --> Checked facts
//! ```
//!
//! Invariants:
//! - every answer is given against one snapshot: the header of block n and a quorum's signatures
//!   on its consensus root; whoever checks it needs the genesis alone;
//! - a check refuses first, then verifies, and returns what was proven, never `true`;
//! - a proof file holds nothing optional: each of its bytes counts, or it is refused.
//!
//! Begin reading at [`request`] and [`reply`], then [`check`] and [`proof_file`].
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

pub mod certificate;
pub mod check;
pub mod deed;
pub mod error;
pub mod proof_file;
pub mod receipt;
pub mod reply;
pub mod request;
pub mod serve;
pub mod snapshot;
#[cfg(any(test, feature = "test-utils"))]
pub mod test_chain;
pub mod trust;
pub mod wire;

pub use error::Error;
pub use reply::Reply;
pub use request::{Question, Request};
pub use trust::{Certified, Trust};
