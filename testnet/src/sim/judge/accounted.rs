//! P12, P13: once everything has healed, every transaction that a peer took is final or rejected
//! with a reason, and every sound peer has come to the same height, but for blocks under way.

use std::collections::BTreeMap;

use super::{Cluster, Judge, Seen};
use crate::sim::plan::Plan;

/// Blocks that one process may be ahead of another where a liar keeps all rounds going.
const UNDER_WAY: u64 = 2;

/// Looks at what is left open at the end of a run that healed.
#[derive(Debug)]
pub struct Accounted;

impl Judge for Accounted {
    fn name(&self) -> &'static str {
        "accounted"
    }

    fn see(&mut self, _seen: &Seen<'_>) -> Option<String> {
        None
    }

    fn end(&mut self, cluster: &Cluster) -> Vec<String> {
        let plan = &cluster.world().plan;
        let Some(heal) = &plan.heal else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let wallets = cluster.wallets();
        if let Some(number) = wallets.open().first() {
            let submission = &wallets.submissions()[*number];
            let told = submission.told.last();
            found.push(format!(
                "{} transactions are not final, the first submitted at {} ms to process {}: {told:?}",
                wallets.open().len(),
                submission.at.ms(),
                submission.host.0,
            ));
        }
        let core = cluster
            .honest()
            .filter(|(_, peer, ..)| heal.core.contains(peer));
        let heights: BTreeMap<usize, u64> = core
            .map(|(process, _, replica, _)| (process, replica.header().height.get()))
            .collect();
        if !are_level(heights.values().copied(), plan) {
            found.push(format!("heights differ by process: {heights:?}"));
        }
        if !found.is_empty() {
            found.extend(
                cluster
                    .honest()
                    .map(|(process, _, replica, _)| state(process, replica)),
            );
        }
        if heights.len() < heal.core.len() {
            found.push(format!("of the core {:?} only {heights:?} run", heal.core));
        }
        found
    }
}

/// Whether heights are equal, but for what is under way where liars go on.
pub(in crate::sim) fn are_level(heights: impl Iterator<Item = u64> + Clone, plan: &Plan) -> bool {
    let (least, most) = (heights.clone().min(), heights.max());
    let under_way = if plan.liars.is_empty() { 0 } else { UNDER_WAY };
    most.unwrap_or(0) - least.unwrap_or(0) <= under_way
}

/// How a process stands that has not come to rest.
fn state(process: usize, replica: &replica::Replica) -> String {
    let (dag, engine) = (replica.dag(), replica.engine());
    let own = replica.own().and_then(|own| dag.latest(own));
    format!(
        "process {process}: {:?}, height {}, settled {:?}, floor {}, highest round {:?}, quorum round \
         {:?}, own round {:?}, {} suspended, {} pooled, {} peers, {} unsettled",
        replica.standing(),
        engine.height(),
        engine.settled_round(),
        dag.floor(),
        dag.highest_round(),
        dag.quorum_round(),
        own.map(dag::graph::Vertex::round),
        replica.suspended(),
        replica.pooled(),
        replica.peers().count(),
        replica.is_unsettled(),
    )
}
