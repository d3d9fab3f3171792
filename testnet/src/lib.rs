//! Runs many peers and wallets as processes, breaks them on purpose, and judges.

pub mod cluster;
pub mod double_spend;
pub mod error;
pub mod keys;
pub mod load;
pub mod purse;
pub mod replay;
pub mod session;
pub mod submit;
pub mod wait;

pub use error::Error;
