//! Slots: committed, skipped or undecided (C11 to C16).
//!
//! ```text
//!   round    r          r+1          r+2          r+3 ..
//!            c  <-vote- v  <-votes-  x
//!                       |            |            +-- anchor: decides by what it has in its votes
//!                       |            +-- x certifies c; a quorum of certifiers commits c
//!                       +-- a quorum of non-voters (for every candidate) skips the slot
//! ```
//!
//! Only slots that are asked for are looked at (C38), and each root counts once for each of them.
//! Direct decisions are kept for good; indirect ones are kept while the seed that orders the anchors
//! is in force.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

use dag::graph::{Handle, Vertex};
use dag::{Committee, Dag};
use primitives::Digest;
use primitives::planted::{self, Bug};
use primitives::quorum::Threshold;
use primitives::units::{PeerIndex, Round, Stake};

use crate::error::Contradiction;
use crate::race::{self, Runner, Tag};

mod tally;

use tally::{Tallies, candidates, is_certified};

/// A peer in a round (C11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// The round.
    pub round: Round,
    /// The peer.
    pub peer: PeerIndex,
}

/// What is known of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Not decided by the events held.
    Undecided,
    /// No candidate will lead.
    Skipped,
    /// This candidate may lead.
    Committed(Digest),
}

/// A slot's decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Skipped,
    Committed(Handle),
}

/// Decides slots of unsettled rounds under one seed.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    runners: Vec<Runner>,
    total: Stake,
    tallies: BTreeMap<Slot, Tallies>,
    indirect: BTreeMap<Slot, Outcome>,
    anchors: BTreeMap<Round, Vec<PeerIndex>>,
}

/// How far the walk over later slots has come for one slot (C15).
#[derive(Debug, Clone, Copy)]
struct Walk {
    slot: Slot,
    round: Round,
    rank: usize,
}

enum Step {
    Decide(Slot),
    Undecided,
    Anchor(Handle),
}

impl Slots {
    pub(crate) fn new(committee: &Committee) -> Self {
        let runner =
            |(peer, member): (PeerIndex, &dag::committee::Member)| (peer, member.key, member.stake);
        Self {
            runners: committee.iter().map(runner).collect(),
            total: committee.total(),
            tallies: BTreeMap::new(),
            indirect: BTreeMap::new(),
            anchors: BTreeMap::new(),
        }
    }

    /// The leader rank of a round (C18).
    pub(crate) fn leader_rank(&self, seed: &Digest, round: Round) -> Vec<PeerIndex> {
        race::rank(Tag::Leader, seed, round, &self.runners)
    }

    /// Whether a slot is known to be skipped, by what has been decided so far.
    pub(crate) fn is_skipped(&self, slot: Slot) -> bool {
        let direct = || self.tallies.get(&slot).and_then(|tallies| tallies.direct);
        let known = self.indirect.get(&slot).copied().or_else(direct);
        known == Some(Outcome::Skipped)
    }

    /// Forgets rounds up to `settled`.
    pub(crate) fn settle(&mut self, settled: Round) {
        let above = |slot: &Slot| slot.round > settled;
        self.tallies.retain(|slot, _| above(slot));
        self.indirect.retain(|slot, _| above(slot));
        self.anchors.retain(|round, _| *round > settled);
    }

    /// Forgets what depends on the seed: everything but direct decisions (C15).
    pub(crate) fn forget_seed(&mut self) {
        self.indirect.clear();
        self.anchors.clear();
    }

    /// The decision of a slot under `seed`, if the held events allow one. Rules C13 to C15. The walk
    /// keeps its own stack: a stranger can deepen it.
    pub(crate) fn decide(
        &mut self,
        dag: &Dag,
        seed: &Digest,
        target: Slot,
    ) -> Result<Option<Outcome>, Contradiction> {
        let mut undecided = BTreeSet::new();
        let mut stack = vec![Walk::of(target)];
        while let Some(walk) = stack.last_mut() {
            if self.known(dag, walk.slot)?.is_some() {
                stack.pop();
                continue;
            }
            match self.step(dag, seed, walk, &undecided)? {
                Step::Decide(slot) => stack.push(Walk::of(slot)),
                Step::Undecided => {
                    undecided.insert(walk.slot);
                    stack.pop();
                }
                Step::Anchor(anchor) => {
                    let outcome = self.resolve(dag, walk.slot, anchor)?;
                    self.indirect.insert(walk.slot, outcome);
                    stack.pop();
                }
            }
        }
        self.known(dag, target)
    }

    /// Goes on over the later slots until one does more than skip.
    fn step(
        &mut self,
        dag: &Dag,
        seed: &Digest,
        walk: &mut Walk,
        undecided: &BTreeSet<Slot>,
    ) -> Result<Step, Contradiction> {
        while !dag.root_handles(walk.round).is_empty() {
            let Some(peer) = self.anchor(seed, walk.round, walk.rank) else {
                walk.round = walk.round.later(1);
                walk.rank = 0;
                continue;
            };
            let slot = Slot {
                round: walk.round,
                peer,
            };
            if planted::has(Bug::UndecidedAnchor) && undecided.contains(&slot) {
                walk.rank = walk.rank.saturating_add(1);
                continue;
            }
            if undecided.contains(&slot) {
                return Ok(Step::Undecided);
            }
            match self.known(dag, slot)? {
                None => return Ok(Step::Decide(slot)),
                Some(Outcome::Committed(anchor)) => return Ok(Step::Anchor(anchor)),
                Some(Outcome::Skipped) => walk.rank = walk.rank.saturating_add(1),
            }
        }
        Ok(Step::Undecided)
    }

    /// The peer at `rank` in the anchor order of a round (C18).
    fn anchor(&mut self, seed: &Digest, round: Round, rank: usize) -> Option<PeerIndex> {
        let runners = &self.runners;
        self.anchors
            .entry(round)
            .or_insert_with(|| race::rank(Tag::Anchor, seed, round, runners))
            .get(rank)
            .copied()
    }

    fn known(&mut self, dag: &Dag, slot: Slot) -> Result<Option<Outcome>, Contradiction> {
        if let Some(outcome) = self.indirect.get(&slot) {
            return Ok(Some(*outcome));
        }
        self.direct(dag, slot)
    }

    // C13, C14.
    fn direct(&mut self, dag: &Dag, slot: Slot) -> Result<Option<Outcome>, Contradiction> {
        let total = self.total;
        let is_quorum = |stake: Stake| Threshold::Quorum.is_met(stake, total);
        let next = slot.round.later(1);
        // A quorum of round r + 1 is in the past of any root of round r + 2.
        if !is_quorum(dag.heard(next)) {
            return Ok(None);
        }
        let tallies = self.tallies.entry(slot).or_default();
        if tallies.direct.is_some() {
            return Ok(tallies.direct);
        }
        tallies.count(dag, slot);
        let mut committed = None;
        for candidate in &tallies.candidates {
            if is_quorum(candidate.certifiers.stake)
                || (planted::has(Bug::CommitByOne) && !candidate.certifiers.creators.is_empty())
            {
                committed = Some(candidate.handle);
            }
        }
        let mut certified = tallies
            .candidates
            .iter()
            .filter(|candidate| !candidate.certifiers.creators.is_empty());
        if let (Some(one), Some(other)) = (certified.next(), certified.next()) {
            return Err(two_certified(dag, slot, one.handle, other.handle));
        }
        let skipped = tallies.candidates.iter().all(|candidate| {
            let against = candidate.against.stake;
            let is_third = || Threshold::Third.is_met(against, total);
            is_quorum(against) || (planted::has(Bug::SkipByThird) && is_third())
        });
        tallies.direct = match (committed, skipped) {
            (Some(candidate), true) => return Err(commit_and_skip(dag, slot, candidate)),
            (Some(candidate), false) => Some(Outcome::Committed(candidate)),
            (None, true) => Some(Outcome::Skipped),
            (None, false) => None,
        };
        Ok(tallies.direct)
    }

    // C15: what the anchor has in its vote-past decides.
    fn resolve(&self, dag: &Dag, slot: Slot, anchor: Handle) -> Result<Outcome, Contradiction> {
        let certifying = slot.round.later(2);
        let mut frontier = BTreeSet::from([anchor]);
        let mut round = dag.vertex(anchor).map_or(certifying, Vertex::round);
        while round > certifying {
            frontier = frontier
                .iter()
                .filter_map(|handle| dag.vertex(*handle))
                .flat_map(|vertex| vertex.votes().map(|(_, vote)| vote))
                .collect();
            round = round.earlier(1);
        }
        let mut found: Option<Handle> = None;
        for candidate in candidates(dag, slot, 0) {
            let is_certified = is_certified(dag, slot, candidate, &frontier);
            if let Some(first) = found.filter(|_| is_certified) {
                return Err(two_certified(dag, slot, first, candidate));
            }
            if is_certified {
                found = Some(candidate);
            }
        }
        Ok(found.map_or(Outcome::Skipped, Outcome::Committed))
    }
}

impl Walk {
    fn of(slot: Slot) -> Self {
        Self {
            slot,
            round: match planted::has(Bug::EarlyAnchor) {
                true => slot.round.later(2),
                false => slot.round.later(3),
            },
            rank: 0,
        }
    }
}

fn id_of(dag: &Dag, handle: Handle) -> Digest {
    dag.vertex(handle)
        .map_or(Digest::ZERO, |vertex| *vertex.id())
}

fn two_certified(dag: &Dag, slot: Slot, one: Handle, other: Handle) -> Contradiction {
    let (one, other) = (id_of(dag, one), id_of(dag, other));
    Contradiction::TwoCertified {
        peer: slot.peer,
        round: slot.round,
        first: one.min(other),
        second: one.max(other),
    }
}

fn commit_and_skip(dag: &Dag, slot: Slot, candidate: Handle) -> Contradiction {
    Contradiction::CommitAndSkip {
        peer: slot.peer,
        round: slot.round,
        candidate: id_of(dag, candidate),
    }
}

#[cfg(test)]
mod tests;
