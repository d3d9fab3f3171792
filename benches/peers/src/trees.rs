//! Each project's map behind [`crate::measure::Tree`], with the hash that it uses by default.

pub mod akd;
pub mod commonware;
pub mod jmt;
pub mod nomt;
pub mod primus;
pub mod rs_merkle;
