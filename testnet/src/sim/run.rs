//! A plan carried out from beginning to end.

use std::collections::BTreeMap;

use primitives::Digest;
use serde::Serialize;

use super::clock::Moment;
use super::cluster::Cluster;
use super::judge::{self, Judge, Violation};
use super::plan::Plan;
use crate::error::Error;

/// How long to let pass between two looks at whether everything is final, in milliseconds.
const LOOK_MS: u64 = 500;

/// What a run showed.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// How many peers.
    pub peers: usize,
    /// Virtual time passed, in milliseconds.
    pub virtual_ms: u64,
    /// Inputs handled.
    pub inputs: u64,
    /// The greatest height settled.
    pub height: u64,
    /// The latest epoch that a peer came to.
    pub epoch: u64,
    /// Transactions submitted, and how many of them are final.
    pub submitted: usize,
    /// See `submitted`.
    pub settled: usize,
    /// How often each kind of liar did not follow the rules.
    pub lies: BTreeMap<&'static str, u64>,
    /// What became of transactions called official (C25), at honest peers since each last started:
    /// applied, beaten by a rival, called official beside their rival.
    pub officials: BTreeMap<&'static str, u64>,
    /// The digest of everything that happened.
    #[serde(serialize_with = "as_text")]
    pub audit: Digest,
    /// What was wrong.
    pub violations: Vec<Violation>,
}

/// Carries a plan out under every judge.
///
/// # Errors
/// A plan that no chain can be made of, or a liar that fails.
pub fn run(plan: Plan) -> Result<Report, Error> {
    run_with(plan, judge::all())
}

/// The same under these judges.
///
/// # Errors
/// As [`run`].
pub fn run_with(plan: Plan, judges: Vec<Box<dyn Judge>>) -> Result<Report, Error> {
    let (seed, peers, safety_ms) = (plan.seed, plan.peers(), plan.safety_ms);
    let heal = plan.heal.clone();
    let mut cluster = Cluster::new(plan, judges)?;
    cluster.run(Moment::at_ms(safety_ms))?;
    if let Some(heal) = heal {
        cluster.heal(&heal)?;
        let mut now_ms = safety_ms;
        while now_ms < safety_ms + heal.limit_ms && !cluster.is_at_rest() {
            now_ms += LOOK_MS;
            cluster.run(Moment::at_ms(now_ms))?;
        }
    }
    cluster.end();
    let submissions = cluster.wallets().submissions();
    let heights = cluster.honest().map(|(_, _, replica, _)| replica.header());
    Ok(Report {
        seed,
        peers,
        virtual_ms: cluster.now().ms(),
        inputs: cluster.inputs(),
        height: heights.map(|header| header.height.get()).max().unwrap_or(0),
        epoch: cluster.world().committees().len() as u64 - 1,
        submitted: submissions.len(),
        settled: submissions.len() - cluster.wallets().open().len(),
        lies: cluster.lies(),
        officials: officials(&cluster),
        audit: cluster.audit(),
        violations: cluster.violations().to_vec(),
    })
}

fn officials(cluster: &Cluster) -> BTreeMap<&'static str, u64> {
    let mut officials = BTreeMap::new();
    for (_, _, replica, _) in cluster.honest() {
        let stats = replica.stats();
        for (name, count) in [
            ("confirmed", stats.officials_confirmed),
            ("reversed", stats.officials_reversed),
            ("conflicting", stats.officials_conflicting),
        ] {
            *officials.entry(name).or_default() += count;
        }
    }
    officials
}

fn as_text<S: serde::Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(digest)
}
