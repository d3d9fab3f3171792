//! Runs many peers and wallets as processes, breaks them on purpose, and judges.
//!
//! ```text
//!   network --homes, genesis--> cluster --processes--> primus, primus, ..
//!                                                         ^
//!   replay | load | double_spend --submit--> session -----+      (over the wallets' protocol)
//!                                            verdict -----+--> AGREE | STALLED | DIVERGED
//! ```
//!
//! Invariants:
//! - no process outlives its supervisor, however that ends;
//! - every wait has a deadline, and says what was awaited and what was found;
//! - every number shown was measured while the program ran;
//! - keys are derived from names that everyone knows: nothing here is for a real chain.
//!
//! Begin reading at [`cluster`], then [`demo`].

pub mod asking;
mod cases;
pub mod cli;
pub mod cluster;
pub mod demo;
pub mod double_spend;
pub mod error;
pub mod exhaustive;
mod files;
pub mod join;
pub mod keys;
pub mod latency;
pub mod links;
pub mod load;
pub mod mutate;
pub mod network;
pub mod pace;
pub mod play;
pub mod purse;
pub mod recompute;
pub mod reference;
pub mod replay;
pub mod scale;
pub mod scenarios;
pub mod session;
pub mod sim;
pub mod submit;
pub mod twins;
pub mod verdict;
pub mod voice;
pub mod wait;
pub mod wallets;

pub use error::Error;
