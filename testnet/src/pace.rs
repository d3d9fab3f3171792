//! How much faster than time whole peers are simulated, on one thread and under every judge.

use std::time::Instant;

use serde::Serialize;

use crate::error::Error;
use crate::sim::plan::{Lane, Plan, Workload};
use crate::sim::run;
use crate::sim::swarm::{millis, remembering};

/// Links between continents: 50 ms and 25 more on average.
const LANE: Lane = Lane {
    delay_us: 50_000,
    tail_us: 25_000,
    ..Lane::NONE
};
/// Wallets that pay in turn, and the mean time between two payments, in milliseconds.
const WALLETS: usize = 16;
/// See [`WALLETS`].
const EVERY_MS: u64 = 200;

/// What a run took.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// How many peers, each with the same stake.
    pub peers: usize,
    /// Virtual time, in milliseconds.
    pub virtual_ms: u64,
    /// Time that passed, in milliseconds, with every check of a signature made.
    pub wall_ms: u64,
    /// The same where each check is made once for all peers; none without feature `remembering`.
    pub remembering_ms: Option<u64>,
    /// The greatest height settled.
    pub height: u64,
    /// What was wrong.
    pub violations: usize,
}

/// Simulates so many peers without faults for so long.
///
/// # Errors
/// A replica that fails.
pub fn run(peers: usize, virtual_ms: u64) -> Result<Report, Error> {
    let plan = Plan {
        lane: LANE,
        workload: Workload {
            wallets: WALLETS,
            every_ms: EVERY_MS,
            ..Workload::default()
        },
        ..Plan::quiet(1, vec![1_000; peers], virtual_ms)
    };
    let begun = Instant::now();
    let ran = run::run(plan.clone())?;
    let wall_ms = millis(begun);
    let remembering_ms = if cfg!(feature = "remembering") {
        let begun = Instant::now();
        remembering(|| run::run(plan))?;
        Some(millis(begun))
    } else {
        None
    };
    Ok(Report {
        peers,
        virtual_ms,
        wall_ms,
        remembering_ms,
        height: ran.height,
        violations: ran.violations.len(),
    })
}
