//! The events that peers make.

use alloc::vec;
use alloc::vec::Vec;

use primitives::Digest;
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::limits::PARENT_ROUNDS_MAX;

use super::super::super::Vertex;
use super::Network;

/// When virtual time begins, so that claimed times may also lie before it.
const BEGIN: u64 = 1_000_000;

impl Network {
    /// Makes an event, holds it and sends it. Returns its position.
    pub(super) fn make(
        &mut self,
        node: usize,
        round: u64,
        votes: &[usize],
        is_root: bool,
    ) -> usize {
        let event = self.plan.graph.events.len();
        let self_parent = self.nodes[node].last;
        let mut links: Vec<usize> = votes.iter().copied().chain(self_parent).collect();
        // The own root among the votes is the self-parent too, unless data events came after it.
        links.sort_unstable();
        links.dedup();
        let others = self.choose_parents(node, round, &links, is_root);
        let vertex = self.describe(node, round, is_root, (votes, &others));
        self.plan.graph.events.push(vertex);
        links.extend(others);
        let past = self.past_of(&links, event);
        self.parents.push(links);
        self.pasts.push(past);
        self.nodes[node].last = Some(event);
        self.admit(node, event);
        self.send(node, event);
        event
    }

    /// Which of the first `length` events are among `links` or in their pasts.
    fn past_of(&self, links: &[usize], length: usize) -> Vec<bool> {
        let mut past = vec![false; length];
        for link in links {
            self.cover(&mut past, *link);
        }
        past
    }

    fn cover(&self, covered: &mut [bool], event: usize) {
        covered[event] = true;
        for (mine, theirs) in covered.iter_mut().zip(&self.pasts[event]) {
            *mine |= theirs;
        }
    }

    /// The newest held events that are not in the past yet, few of them left out, sorted. // C8
    fn choose_parents(
        &mut self,
        node: usize,
        round: u64,
        links: &[usize],
        is_root: bool,
    ) -> Vec<usize> {
        let mut covered = self.past_of(links, self.parents.len());
        let left_out = self.chance.pick(&[0, 0, 30, 100]);
        let mut chosen = vec![];
        for event in (0..covered.len()).rev() {
            let theirs = self.vertex(event).round;
            let is_low_enough = theirs < round || (theirs == round && !is_root);
            let is_open = self.nodes[node].holds(event) && !links.contains(&event);
            if !is_open || !is_low_enough || theirs + PARENT_ROUNDS_MAX < round {
                continue;
            }
            let is_own = self.vertex(event).creator == self.nodes[node].creator;
            // At times one that is in the past already, which is allowed.
            let is_chosen = if covered[event] {
                !is_own && self.chance.per_mille(3)
            } else {
                !self.chance.percent(left_out)
            };
            if is_chosen && chosen.len() < 2 * self.plan.peers.len() {
                chosen.push(event);
                self.cover(&mut covered, event);
            }
        }
        chosen.sort_by_key(|event| {
            let vertex = self.vertex(*event);
            (vertex.creator, vertex.seq, vertex.id)
        });
        chosen
    }

    fn describe(
        &mut self,
        node: usize,
        round: u64,
        is_root: bool,
        (votes, parents): (&[usize], &[usize]),
    ) -> Vertex {
        let graph = &self.plan.graph;
        let node = &self.nodes[node];
        let last = node.last.map(|last| &graph.events[last]);
        let number = self.parents.len().to_le_bytes();
        let error = node.habit.clock_error;
        let time = BEGIN + self.now + self.chance.below(2 * error + 1) - error;
        let key = graph.committee[usize::from(node.creator)].key.0;
        let proven = is_root && !self.chance.percent(self.plan.bad_proof_percent);
        let ids = |events: &[usize]| -> Vec<Digest> {
            events.iter().map(|event| graph.events[*event].id).collect()
        };
        let mut votes = votes.to_vec();
        votes.sort_by_key(|vote| graph.events[*vote].creator);
        Vertex {
            id: derive(Domain::TestKey, &[b"id", &graph.chain_id.0, &number]),
            creator: node.creator,
            seq: last.map_or(0, |last| last.seq + 1),
            round,
            root: is_root,
            time: last.map_or(time, |last| last.time.max(time)),
            self_parent: last.map(|last| last.id),
            votes: ids(&votes),
            parents: ids(parents),
            vrf: proven.then(|| derive(Domain::TestKey, &[&key, &round.to_le_bytes()]).0),
        }
    }
}
