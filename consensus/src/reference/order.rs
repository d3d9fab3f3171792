//! The order of the events of one block (C21, C22).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

use primitives::Digest;
use primitives::limits::STALE_ROUNDS;
use primitives::quorum::Threshold;
use primitives::units::Stake;

use super::race::tie;
use super::view::View;

/// When the majority knew an event: a claimed time, or never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    At(u64),
    Never,
}

/// The ids of the events that the block of `leader` orders, in order. `earlier`: the leaders
/// before it; `seed`: the one before this block. Rules C21 and C22.
pub(super) fn order(
    view: &View<'_>,
    leader: usize,
    earlier: &[Digest],
    seed: &Digest,
) -> Vec<Digest> {
    let cone: Vec<usize> = (0..view.vertices().len())
        .filter(|event| *event == leader || view.is_past(leader, *event))
        .collect();
    let settled: Vec<usize> = (0..view.vertices().len())
        .filter(|event| earlier.contains(&view.vertex(*event).id))
        .collect();
    let is_new = |event: &usize| {
        let is_settled = |before: &usize| before == event || view.is_past(*before, *event);
        let is_stale = view.vertex(*event).round + STALE_ROUNDS < view.vertex(leader).round;
        !settled.iter().any(is_settled) && !is_stale && view.is_held(*event)
    };
    let mut left: BTreeSet<usize> = cone.iter().copied().filter(is_new).collect(); // C21

    let mut keys = BTreeMap::new();
    for event in &left {
        let vertex = view.vertex(*event);
        let key = (
            known(view, &cone, *event),
            vertex.round,
            tie(seed, &vertex.id),
        );
        keys.insert(*event, key);
    }
    let mut order = vec![];
    // The first of those whose parents are all taken, again and again. // C22
    while let Some(next) = left
        .iter()
        .copied()
        .filter(|event| {
            !view
                .parents(*event)
                .iter()
                .any(|parent| left.contains(parent))
        })
        .min_by_key(|event| keys[event])
    {
        left.remove(&next);
        order.push(view.vertex(next).id);
    }
    order
}

/// `t(e)`: the least time by which half of the stake claims to have known `event`, as far as
/// `cone` shows. // C22
fn known(view: &View<'_>, cone: &[usize], event: usize) -> Known {
    let mut first: BTreeMap<u16, u64> = BTreeMap::new();
    for knower in cone.iter().copied() {
        if knower == event || view.is_past(knower, event) {
            let vertex = view.vertex(knower);
            let time = first.entry(vertex.creator).or_insert(vertex.time);
            *time = vertex.time.min(*time);
        }
    }
    let stakes = || view.committee().iter().zip(0_u16..);
    let whole = stakes().fold(Stake::ZERO, |sum, (member, _)| sum.later(member.stake));
    let mut times: Vec<u64> = first.values().copied().collect();
    times.sort_unstable();
    for time in times {
        let part = stakes()
            .filter(|(_, peer)| first.get(peer).is_some_and(|first| *first <= time))
            .fold(Stake::ZERO, |sum, (member, _)| sum.later(member.stake));
        if Threshold::Half.is_met(part, whole) {
            return Known::At(time);
        }
    }
    Known::Never
}
