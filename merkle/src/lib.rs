//! Balanced Merkle trees by block, by key and by name, and short proofs that anyone can check with
//! a root alone.
//!
//! ```text
//!   headers 0..n-1 --log---> block' -+
//!   key  -> record --map---> key'   -+-- top --> state root S_n
//!   name -> record --map---> name'  -+
//!   outputs --------dense--> outs'  -+          x' = H(root of x, size of x)
//!                 record = (log root, count, last block) of the log of one key or name
//!   transactions of one block ------ transactions --> transactions root
//! ```
//!
//! Invariants:
//! - every node is hashed under a key of its own chain, tree and kind, in the maps also of its
//!   branch bit, so that no node can be shown as another;
//! - roots depend on content alone, never on the order of a batch or the layout in memory;
//! - a proof holds nothing that its verifier knows, has one encoding and exactly one length, and
//!   verifying it returns what was proven.
//!
//! Begin reading at [`hash`], then [`log`] and [`map`], then [`proof`].
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

pub mod dense;
pub mod error;
#[cfg(test)]
mod fixture;
pub mod hash;
pub mod leaf;
mod levels;
pub mod log;
pub mod map;
pub mod nodes;
pub mod path;
pub mod proof;
pub mod refresh;
pub mod top;
pub mod transactions;
pub mod workers;

pub use error::{Error, Part};
pub use hash::{Map, TreeHasher, TreeKeys};
pub use leaf::{LogEntry, Record, Spent};
