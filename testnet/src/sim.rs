//! Whole peers in virtual time: a network, disks and clocks that fail as a plan says, liars, and
//! judges that watch. The replica is the one that the node runs.
//!
//! ```text
//!   Plan --World--> Cluster: processes <-> network, disks, clocks, wallets, liars
//!                      |--every effect--> judges --> Report: violations, audit digest
//! ```
//!
//! Invariants:
//! - a plan gives one run: no clock, no thread, no unseeded randomness, no order but (time, number);
//! - every random number belongs to a named stream, so a fault can be taken out alone;
//! - judges are written from the promises and use none of the core's own predicates.
//!
//! Begin reading at [`cluster`], then [`plan`].

pub mod audit;
#[cfg(feature = "planted")]
pub mod canaries;
pub mod clock;
pub mod cluster;
pub mod disk;
pub mod judge;
pub mod liar;
pub(crate) mod network;
pub mod plan;
mod process;
pub mod random;
pub mod run;
pub mod shrink;
pub mod swarm;
pub mod wallets;
pub mod wire;
pub mod world;

#[cfg(test)]
mod tests;
