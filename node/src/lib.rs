//! Gives a replica a clock, a disk, a network and gauges.
//!
//! ```text
//!   config, key files, genesis --run--> driver (one thread owns the replica)
//!                                         |  store: batches, then one fdatasync
//!                                         |  net: frames between keys
//!                                         +--status--> http, metrics, `primus status`
//! ```
//!
//! Invariants:
//! - only [`store`] names a database, only [`metrics`] the metrics library;
//! - a failed disk write stops the node, nobody reads on after it;
//! - secrets are never printed, logged or taken from the command line.
//!
//! Begin reading at [`store`].

pub mod error;
pub mod store;

pub use error::{Error, Exit};
