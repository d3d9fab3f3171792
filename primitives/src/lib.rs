//! The nouns: digests, keys, signatures, units of stake and coin, quorums, limits, and the one
//! canonical encoding.
//!
//! ```text
//!   value --codec--> canonical bytes --digest(domain)--> 32-byte id --keys(role, chain)--> signature
//! ```
//!
//! Invariants:
//! - only [`codec`] writes bytes that are hashed or signed, and it decodes each value from exactly
//!   one byte string;
//! - every hash starts from a tag of [`domain`], every signature from a [`keys::Role`];
//! - only [`quorum`] compares stake; units are checked newtypes without operators.
//!
//! Begin reading at [`codec`], then [`keys`].
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

pub mod codec;
pub mod digest;
pub mod domain;
pub mod error;
pub mod keys;
pub mod limits;
pub mod planted;
pub mod quorum;
pub mod remembered;
pub mod store;
pub mod units;

pub use digest::Digest;
pub use error::Error;
