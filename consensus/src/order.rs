//! The order of a block's events: what the majority of stake knew first comes first (C21, C22).

use alloc::collections::{BTreeMap, BinaryHeap};
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;

use dag::Dag;
use dag::ancestry::Place;
use dag::graph::{Handle, Vertex};
use primitives::planted::{self, Bug};
use primitives::quorum::Threshold;
use primitives::units::{PeerIndex, Round, Stake, Time};
use primitives::{Digest, limits};

use crate::seed;

/// The events of the past of `leader` and itself that no earlier block ordered and that are not
/// stale. Rule C21. Cost: O(their parents).
///
/// It goes no further down than an ordered event: what lies below one is ordered or was stale then,
/// and leaders' rounds only rise.
pub(crate) fn unordered_past(
    dag: &Dag,
    leader: Handle,
    is_ordered: impl Fn(&Digest) -> bool,
) -> Vec<Handle> {
    let span = dag.span();
    let offset = |handle: Handle| {
        usize::try_from(handle.get().saturating_sub(span.start)).unwrap_or(usize::MAX)
    };
    let held = usize::try_from(span.end.saturating_sub(span.start)).unwrap_or(0);
    let mut visited = vec![false; held];
    let lowest = dag.vertex(leader).map_or(Round::ZERO, |leader| {
        leader.round().earlier(limits::STALE_ROUNDS)
    });
    let mut found = Vec::new();
    let mut stack = vec![leader];
    while let Some(handle) = stack.pop() {
        // A parent dropped below the floor has no vertex any more.
        let Some(vertex) = dag.vertex(handle) else {
            continue;
        };
        match visited.get_mut(offset(handle)) {
            Some(visited) if !*visited => *visited = true,
            Some(_) | None => continue,
        }
        if vertex.round() < lowest || is_ordered(vertex.id()) {
            continue;
        }
        found.push(handle);
        stack.extend(vertex.parents());
    }
    found
}

/// `members` in the order of C22, where `seed` is the one before the block. `members` are closed
/// under knowing: whatever in the view has one of them in its past is one of them, so they are all
/// the observers there are. Cost: O(members * (branches + parents)).
pub(crate) fn arrange(dag: &Dag, seed: &Digest, members: &[Handle]) -> Vec<Digest> {
    let mut handles = members.to_vec();
    handles.sort_unstable();
    handles.dedup();
    let vertices: Vec<&Vertex> = handles
        .iter()
        .filter_map(|handle| dag.vertex(*handle))
        .collect();
    let known = known_to_half(dag, &vertices);
    let keys: Vec<Key> = vertices
        .iter()
        .zip(known)
        .map(|(vertex, known)| Key {
            never: known.is_none(),
            known: known.unwrap_or(Time::MAX),
            round: vertex.round(),
            tie: match planted::has(Bug::TieByArrival) {
                true => arrival(dag, vertex),
                false => seed::tie(seed, vertex.id()),
            },
        })
        .collect();
    let graph = Children::of(&handles, &vertices);
    take_in_order(&vertices, &keys, graph)
}

/// The place of an event in the queue of C22, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    never: bool,
    known: Time,
    round: Round,
    tie: Digest,
}

/// A tie broken by what came first.
fn arrival(dag: &Dag, vertex: &Vertex) -> Digest {
    let mut tie = Digest::ZERO;
    let handle = dag.handle(vertex.id()).map_or(0, Handle::get).to_be_bytes();
    for (byte, from) in tie.0.iter_mut().zip(handle) {
        *byte = from;
    }
    tie
}

/// `t(e)` for each of `vertices`: when half of the stake knew of it, by the knowers' own claims.
///
/// Observers are taken by claimed time. What one creator has seen of a branch is always a first part
/// of it, so each (creator, branch) needs only a pointer that moves on, also for forkers.
fn known_to_half(dag: &Dag, vertices: &[&Vertex]) -> Vec<Option<Time>> {
    let committee = dag.committee();
    let mut branches: BTreeMap<u32, Vec<(u32, usize)>> = BTreeMap::new();
    for (index, vertex) in vertices.iter().enumerate() {
        let Place { branch, number } = vertex.place();
        branches.entry(branch).or_default().push((number, index));
    }
    for branch in branches.values_mut() {
        branch.sort_unstable();
    }
    let mut pointers: BTreeMap<PeerIndex, Vec<usize>> = BTreeMap::new();
    let mut observers: Vec<&Vertex> = vertices.to_vec();
    if planted::has(Bug::OrderByView) {
        let tips = committee.iter().flat_map(|(creator, _)| dag.tips(creator));
        observers.extend(tips.filter_map(|tip| dag.vertex(tip)));
    }
    observers.sort_by_key(|vertex| vertex.time());
    let mut stakes = vec![Stake::ZERO; vertices.len()];
    let mut known = vec![None; vertices.len()];
    for observer in observers {
        let own = pointers
            .entry(observer.creator())
            .or_insert_with(|| vec![0; branches.len()]);
        let stake = committee.stake(observer.creator()).get();
        for ((branch, events), pointer) in branches.iter().zip(own) {
            let seen = observer.ancestry().number(*branch);
            while let Some((number, index)) = events.get(*pointer)
                && *number <= seen
            {
                *pointer = pointer.saturating_add(1);
                let (Some(sum), Some(known)) = (stakes.get_mut(*index), known.get_mut(*index))
                else {
                    continue;
                };
                *sum = sum.later(stake);
                if known.is_none() && committee.meets(Threshold::Half, *sum) {
                    *known = Some(observer.time());
                }
            }
        }
    }
    known
}

/// Who waits for whom among the members.
struct Children {
    children: Vec<Vec<usize>>,
    parents_left: Vec<usize>,
}

impl Children {
    fn of(handles: &[Handle], vertices: &[&Vertex]) -> Self {
        let mut children = vec![Vec::new(); vertices.len()];
        let mut parents_left = vec![0_usize; vertices.len()];
        for ((index, vertex), left) in vertices.iter().enumerate().zip(&mut parents_left) {
            for parent in vertex.parents() {
                let position = handles.binary_search(&parent).ok();
                if let Some(list) = position.and_then(|position| children.get_mut(position)) {
                    list.push(index);
                    *left = left.saturating_add(1);
                }
            }
        }
        Self {
            children,
            parents_left,
        }
    }
}

fn take_in_order(vertices: &[&Vertex], keys: &[Key], mut graph: Children) -> Vec<Digest> {
    let mut queue: BinaryHeap<Reverse<(Key, usize)>> = keys
        .iter()
        .zip(&graph.parents_left)
        .enumerate()
        .filter(|(_, (_, left))| **left == 0)
        .map(|(index, (key, _))| Reverse((*key, index)))
        .collect();
    let mut order = Vec::with_capacity(vertices.len());
    while let Some(Reverse((_, index))) = queue.pop() {
        order.extend(vertices.get(index).map(|vertex| *vertex.id()));
        for child in graph.children.get(index).into_iter().flatten() {
            let Some(left) = graph.parents_left.get_mut(*child) else {
                continue;
            };
            *left = left.saturating_sub(1);
            if *left == 0 {
                queue.extend(keys.get(*child).map(|key| Reverse((*key, *child))));
            }
        }
    }
    order
}

/// The block time: the greater of the previous one and the stake-weighted median of creators'
/// greatest claimed times in the leader's past, not below its round by more than 64. Rule C29a.
pub(crate) fn block_time(dag: &Dag, leader: &Vertex, previous: Time) -> Time {
    let mut claims: BTreeMap<PeerIndex, Time> = BTreeMap::new();
    for (branch, number) in (0_u32..).zip(leader.ancestry().numbers()) {
        let mut place = Place {
            branch,
            number: *number,
        };
        if place == leader.place() {
            // The leader itself is not in its past.
            place.number = place.number.saturating_sub(1);
        }
        // Time and round never fall along a branch, so its newest event stands for it.
        let newest = dag.at(place).and_then(|handle| dag.vertex(handle));
        if let Some(newest) = newest
            && newest.round().later(limits::STALE_ROUNDS) >= leader.round()
        {
            let claim = claims.entry(newest.creator()).or_insert(newest.time());
            *claim = (*claim).max(newest.time());
        }
    }
    if planted::has(Bug::GreatestTime) {
        return claims.into_values().fold(previous, Time::max);
    }
    if planted::has(Bug::LeaderTime) {
        return leader.time();
    }
    previous.max(weighted_median(dag, &claims).unwrap_or(previous))
}

/// The smallest claim such that claims up to it hold at least half of the stake that claims.
fn weighted_median(dag: &Dag, claims: &BTreeMap<PeerIndex, Time>) -> Option<Time> {
    let committee = dag.committee();
    let mut by_time: Vec<(Time, Stake)> = claims
        .iter()
        .map(|(creator, time)| (*time, committee.stake(*creator)))
        .collect();
    by_time.sort_unstable();
    let counted = by_time
        .iter()
        .fold(Stake::ZERO, |sum, (_, stake)| sum.later(stake.get()));
    let mut left = counted;
    by_time.into_iter().find_map(|(time, stake)| {
        left = left.earlier(stake.get());
        // At least half is up to here iff not more than half is left.
        (!Threshold::Half.is_met(left, counted)).then_some(time)
    })
}

#[cfg(test)]
mod tests;
