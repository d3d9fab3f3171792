//! Rules C4 to C8, as far as a graph shows them.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use primitives::quorum::Threshold;
use primitives::units::Stake;

/// Asserts that each event of `graph` may be admitted.
pub(super) fn assert_valid(graph: &Graph, name: &str) {
    let mut known: BTreeMap<Digest, &Vertex> = BTreeMap::new();
    let mut data_events: BTreeMap<Digest, u64> = BTreeMap::new();
    assert!(
        graph.committee.is_sorted_by(|a, b| a.key < b.key),
        "C1 {name}"
    );
    for vertex in &graph.events {
        let name = format!("{name} event {}", vertex.id);
        let own = vertex.self_parent.map(|id| known[&id]);
        assert_eq!(vertex.seq, own.map_or(0, |own| own.seq + 1), "C5 {name}");
        if let Some(own) = own {
            assert_eq!(own.creator, vertex.creator, "C5 {name}");
            assert!(own.time <= vertex.time, "C4 {name}");
            assert_eq!(own.round < vertex.round, vertex.root, "C5 {name}");
            assert!(own.round <= vertex.round, "C5 {name}");
        }
        assert!(own.is_some() || vertex.root, "C5 {name}");
        assert!(vertex.root || vertex.vrf.is_none(), "C4 {name}");
        let count = if vertex.root {
            0
        } else {
            data_events[&own.unwrap().id] + 1
        };
        assert!(count <= 1024, "C7 {name}");
        data_events.insert(vertex.id, count);
        assert_votes(graph, vertex, &known, &name);
        assert_parents(graph, vertex, &known, &name);
        assert!(known.insert(vertex.id, vertex).is_none(), "C4 {name}");
    }
}

fn assert_votes(graph: &Graph, vertex: &Vertex, known: &BTreeMap<Digest, &Vertex>, name: &str) {
    if !vertex.root || vertex.round == 0 {
        assert!(vertex.votes.is_empty(), "C6, C7 {name}");
        return;
    }
    let votes: Vec<&Vertex> = vertex.votes.iter().map(|id| known[id]).collect();
    assert!(
        votes
            .iter()
            .all(|vote| vote.root && vote.round + 1 == vertex.round),
        "C6 {name}"
    );
    assert!(
        votes.is_sorted_by(|a, b| a.creator < b.creator),
        "C6, C9 {name}"
    );
    let stake = |creators: BTreeSet<u16>| {
        let stakes = creators
            .into_iter()
            .map(|peer| graph.committee[usize::from(peer)].stake);
        Stake::new(stakes.sum())
    };
    let all = (0..).take(graph.committee.len()).collect();
    let voted = votes.iter().map(|vote| vote.creator).collect();
    assert!(
        Threshold::Quorum.is_met(stake(voted), stake(all)),
        "C6 {name}"
    );
    let mut own = vertex.self_parent.map(|id| known[&id]);
    while let Some(before) = own.filter(|own| own.round + 1 >= vertex.round) {
        if before.root && before.round + 1 == vertex.round {
            assert!(vertex.votes.contains(&before.id), "C6 {name}");
        }
        own = before.self_parent.map(|id| known[&id]);
    }
}

fn assert_parents(graph: &Graph, vertex: &Vertex, known: &BTreeMap<Digest, &Vertex>, name: &str) {
    let parents: Vec<&Vertex> = vertex.parents.iter().map(|id| known[id]).collect();
    let key = |parent: &&Vertex| (parent.creator, parent.seq, parent.id);
    assert!(parents.is_sorted_by(|a, b| key(a) < key(b)), "C8 {name}");
    assert!(parents.len() <= 2 * graph.committee.len(), "C8 {name}");
    for parent in parents {
        let is_linked = vertex.votes.contains(&parent.id) || vertex.self_parent == Some(parent.id);
        assert!(!is_linked, "C8 {name}");
        assert!(parent.round + 64 >= vertex.round, "C8 {name}");
        assert!(parent.round < vertex.round || (!vertex.root && parent.round == vertex.round));
    }
}
