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
//! Begin reading at [`run`], then [`driver`].

pub mod command;
pub mod config;
pub mod driver;
pub mod error;
pub mod evidence;
pub mod export;
pub mod fsck;
pub mod guard;
pub mod home;
pub mod http;
pub mod keyfile;
pub mod log;
pub mod metrics;
pub mod peers;
pub mod prune;
pub mod replay;
pub mod run;
pub mod snapshot;
mod state_before;
pub mod status;
pub mod store;

pub use error::{Error, Exit};
