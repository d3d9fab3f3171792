//! Random graphs as real networks make them: valid by C4 to C8, with forks, losses and cuts.
//!
//! A seed alone decides everything. Peers exchange events in virtual time; each names what it
//! holds at that moment, so a graph has the shape of a recorded run.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use primitives::Digest;

use super::{Graph, Vertex};

mod chance;
mod network;
mod plan;

use chance::Chance;
use network::Network;
use plan::Plan;

/// What to generate; the seed draws the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The least number of peers, at least 4.
    pub peers_min: u16,
    /// The greatest number of peers.
    pub peers_max: u16,
    /// The round at whose first root the run ends.
    pub rounds: u64,
    /// How long peers wait before the next round; drawn if none.
    pub pace: Option<Pace>,
    /// Whether there may be peers that fork, always less than a third of stake.
    pub forks: bool,
}

impl Default for Options {
    /// Four to twelve peers, twelve rounds, everything that can happen.
    fn default() -> Self {
        Self {
            peers_min: 4,
            peers_max: 12,
            rounds: 12,
            pace: None,
            forks: true,
        }
    }
}

/// How long peers wait for roots beyond a quorum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Longer than most delays: most slots commit directly.
    Patient,
    /// Hardly at all: many slots need an anchor.
    Hasty,
    /// Each peer as it likes.
    Mixed,
}

/// The graph of a run, with parents first. `options.rounds` of 30 with 12 peers take a few
/// milliseconds.
#[must_use]
pub fn graph(seed: u64, options: Options) -> Graph {
    let mut chance = Chance::new(seed);
    let plan = Plan::draw(&mut chance, seed, options);
    Network::new(plan, chance).run()
}

/// A random order of the positions of `graph.events`, parents first.
#[must_use]
pub fn shuffled(graph: &Graph, seed: u64) -> Vec<usize> {
    let mut chance = Chance::new(seed);
    let positions = positions(graph);
    let mut missing: Vec<usize> = graph.events.iter().map(|v| links(v).count()).collect();
    let mut children = vec![vec![]; graph.events.len()];
    for (child, vertex) in graph.events.iter().enumerate() {
        for parent in links(vertex) {
            children[positions[parent]].push(child);
        }
    }
    let mut ready: Vec<usize> = (0..missing.len()).filter(|e| missing[*e] == 0).collect();
    let mut order = vec![];
    while !ready.is_empty() {
        let next = ready.swap_remove(chance.index(ready.len()));
        order.push(next);
        for child in &children[next] {
            missing[*child] -= 1;
            if missing[*child] == 0 {
                ready.push(*child);
            }
        }
    }
    order
}

/// A part of `graph` closed under parents: what a peer may hold at some moment.
#[must_use]
pub fn closed_subset(graph: &Graph, seed: u64) -> Graph {
    let mut chance = Chance::new(seed);
    let positions = positions(graph);
    let events = graph.events.len();
    let mut is_held = vec![false; events];
    if chance.percent(50) {
        // The pasts of a few events.
        for _ in 0..=chance.below(3) {
            is_held[chance.index(events)] = true;
        }
        for child in (0..events).rev().filter(|_| events > 0) {
            if is_held[child] {
                for parent in links(&graph.events[child]) {
                    is_held[positions[parent]] = true;
                }
            }
        }
    } else {
        // All but some events that got lost, and what stands on them.
        let losses = chance.below(8);
        for event in 0..events {
            let mut parents = links(&graph.events[event]);
            is_held[event] =
                parents.all(|parent| is_held[positions[parent]]) && !chance.per_mille(losses);
        }
    }
    let events = graph.events.iter().zip(&is_held);
    Graph {
        events: events
            .filter(|(_, held)| **held)
            .map(|(event, _)| event.clone())
            .collect(),
        committee: graph.committee.clone(),
        ..*graph
    }
}

fn links(vertex: &Vertex) -> impl Iterator<Item = &Digest> {
    let others = vertex.votes.iter().chain(&vertex.parents);
    vertex.self_parent.iter().chain(others)
}

fn positions(graph: &Graph) -> BTreeMap<Digest, usize> {
    graph
        .events
        .iter()
        .map(|vertex| vertex.id)
        .zip(0..)
        .collect()
}
