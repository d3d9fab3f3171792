//! Real peers as processes of this machine.

pub mod log;
pub mod process;
pub mod run;
