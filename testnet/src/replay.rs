//! The payments of a real Bitcoin block, carried over one by one.

pub mod plan;
pub mod run;
pub mod shape;
