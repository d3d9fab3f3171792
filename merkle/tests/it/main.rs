//! The trees by their public face: agreement with an independent log, every version of maps of
//! adversarial positions, and proofs changed at random.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod draw;
mod mutations;
mod oracle;
mod picks;
mod roots;
mod small;
mod vectors;
mod versions;
mod world;
