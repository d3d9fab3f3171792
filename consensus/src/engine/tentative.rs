//! What is likely before it is settled: the tentative order and head (C26, C27). Shown, never promised.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use dag::Dag;
use dag::ancestry::Place;
use dag::graph::{Handle, Vertex};
use primitives::Digest;
use primitives::quorum::Threshold;
use primitives::units::{PeerIndex, Round, Stake};

use crate::engine::Engine;
use crate::finality;
use crate::order;
use crate::race::{self, Tag};
use crate::slots::Slot;

/// Knowers that count: more say nothing about who is ahead.
const KNOWERS_MAX: usize = 3;

/// The candidate that will probably lead the next round (C27).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TentativeHead {
    /// The round.
    pub round: Round,
    /// The candidate.
    pub leader: Digest,
    /// Its creator.
    pub creator: PeerIndex,
    /// How much stake supports it (C24).
    pub support: Stake,
}

/// What puts a candidate ahead of others, weightiest first; the greater leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Merit {
    half: bool,
    third: bool,
    knowers: usize,
    weight: u128,
}

impl Engine {
    /// The held events that a later block may order, in the order of the tentative ledger (C26).
    #[must_use]
    pub fn tentative(&self, dag: &Dag) -> Vec<Digest> {
        let unordered: Vec<Handle> = dag
            .vertices()
            .filter(|(_, vertex)| !self.is_stale(vertex.round()) && !self.is_ordered(vertex.id()))
            .map(|(handle, _)| handle)
            .collect();
        order::arrange(dag, &self.seed, &unordered)
    }

    /// Which held candidate of the next round will probably lead it; none if none is held. Candidates
    /// of slots known to be skipped do not count. Rule C27. Cost: O(peers) hashes, and O(branches) a
    /// candidate: for a thousand peers a good part of a second, so ask seldom.
    #[must_use]
    pub fn tentative_head(&self, dag: &Dag) -> Option<TentativeHead> {
        let round = self.next_round();
        let weights: Vec<u128> = dag
            .committee()
            .members()
            .iter()
            .map(|member| race::weight(Tag::Leader, &self.seed, round, &member.key, member.stake))
            .collect();
        let previous = self.previous.and_then(|id| dag.handle(&id));
        let mut best: Option<(Merit, Handle)> = None;
        for peer in self.slots.leader_rank(&self.seed, round) {
            if self.slots.is_skipped(Slot { round, peer }) {
                continue;
            }
            for candidate in self.candidates(dag, round, peer) {
                let merit = merit(dag, candidate, previous, &weights);
                if best.is_none_or(|(ahead, _)| merit > ahead) {
                    best = Some((merit, candidate));
                }
            }
        }
        let vertex = dag.vertex(best?.1)?;
        Some(TentativeHead {
            round,
            leader: *vertex.id(),
            creator: vertex.creator(),
            support: finality::support(dag, vertex.id()),
        })
    }

    /// The candidates of a slot whose beacons are not known to be false, by id.
    fn candidates(&self, dag: &Dag, round: Round, peer: PeerIndex) -> Vec<Handle> {
        let mut candidates: Vec<(Digest, Handle)> = dag
            .root_handles(round)
            .iter()
            .filter_map(|handle| Some((dag.vertex(*handle)?, *handle)))
            .filter(|(root, handle)| root.creator() == peer && !self.bad_beacons.contains(handle))
            .map(|(root, handle)| (*root.id(), handle))
            .collect();
        candidates.sort_unstable();
        candidates.into_iter().map(|(_, handle)| handle).collect()
    }
}

fn merit(dag: &Dag, candidate: Handle, previous: Option<Handle>, weights: &[u128]) -> Merit {
    let committee = dag.committee();
    let knowers: Vec<PeerIndex> = committee
        .iter()
        .map(|(creator, _)| creator)
        .filter(|creator| !dag.is_forker(*creator))
        .filter(|creator| dag.tips(*creator).any(|tip| dag.is_past(candidate, tip)))
        .collect();
    let support = Stake::sum(knowers.iter().map(|knower| committee.stake(*knower)))
        .unwrap_or(committee.total());
    let before = dag
        .vertex(candidate)
        .zip(previous.and_then(|previous| dag.vertex(previous)))
        .map(|(candidate, previous)| knowers_within(dag, candidate, previous))
        .unwrap_or_default();
    let weight_of = |knower: &PeerIndex| weights.get(knower.position()).copied();
    Merit {
        half: committee.meets(Threshold::Half, support),
        third: committee.meets(Threshold::Third, support),
        knowers: knowers.len().min(KNOWERS_MAX),
        // Two weights of the heaviest stakes there can be might pass 128 bits.
        weight: median_of_heaviest(knowers.iter().filter_map(weight_of))
            .saturating_add(median_of_heaviest(before.iter().filter_map(weight_of))),
    }
}

/// The creators, not known to fork, with an event in the past of `candidate` that has `previous` in
/// its own.
fn knowers_within(dag: &Dag, candidate: &Vertex, previous: &Vertex) -> BTreeSet<PeerIndex> {
    (0_u32..)
        .zip(candidate.ancestry().numbers())
        .filter_map(|(branch, number)| {
            let number = *number;
            dag.vertex(dag.at(Place { branch, number })?)
        })
        .filter(|newest| newest.ancestry().sees(previous.place()))
        .map(Vertex::creator)
        .filter(|creator| !dag.is_forker(*creator))
        .collect()
}

/// The median of the three heaviest; of two the lower, of one itself, of none zero.
fn median_of_heaviest(weights: impl Iterator<Item = u128>) -> u128 {
    let mut heaviest: Vec<u128> = weights.collect();
    heaviest.sort_unstable_by_key(|weight| core::cmp::Reverse(*weight));
    let second = heaviest.get(1).or(heaviest.first());
    second.copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
