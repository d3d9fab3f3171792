//! What one view decides about every slot (C11 to C15).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use primitives::Digest;
use primitives::quorum::Threshold;
use primitives::units::Stake;

use super::race::{Race, ranking};
use super::{Error, Graph, Member, Mutant, Vertex};

/// The state of a slot; events are positions in [`Graph::events`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The slot commits this candidate.
    Committed(usize, How),
    /// The slot has no candidate that counts.
    Skipped(How),
    /// Not known yet.
    Undecided,
    /// More equivocating stake than the rule bears.
    Contradiction,
}

/// Which rule decided a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// C13 or C14.
    Direct,
    /// C15.
    Indirect,
}

/// A graph with its links resolved and every direct decision made.
#[derive(Debug, Clone)]
pub struct View<'a> {
    graph: &'a Graph,
    mutant: Option<Mutant>,
    /// The whole stake, `S`.
    stake: Stake,
    /// For each event its parents of every kind.
    parents: Vec<Vec<usize>>,
    /// For each event its votes.
    votes: Vec<Vec<usize>>,
    /// For each event and each other one whether the other is in its past.
    pasts: Vec<Vec<bool>>,
    /// The rounds whose events are held: all, but for one mutant.
    rounds: RangeInclusive<u64>,
    /// The held roots of each round.
    roots: BTreeMap<u64, Vec<usize>>,
    /// For each held candidate the held roots that certify it.
    certifiers: BTreeMap<usize, Vec<usize>>,
    /// The direct decision of each slot of a held round; none if neither C13 nor C14 holds.
    direct: BTreeMap<(u64, u16), Option<Decision>>,
}

impl<'a> View<'a> {
    /// The view of a peer that holds exactly `graph`.
    ///
    /// # Errors
    /// Any but [`Error::Contradiction`] for a graph that no peer can hold.
    pub fn new(graph: &'a Graph, mutant: Option<Mutant>) -> Result<Self, Error> {
        let members = graph.committee.len();
        let whole = Stake::sum(
            graph
                .committee
                .iter()
                .map(|member| Stake::new(member.stake)),
        );
        let stake = match whole {
            Ok(stake) if members > 0 && graph.committee.iter().all(|member| member.stake > 0) => {
                stake
            }
            Ok(_) | Err(_) => return Err(Error::Committee { members }),
        };
        let mut view = Self {
            graph,
            mutant,
            stake,
            parents: vec![],
            votes: vec![],
            pasts: vec![],
            rounds: 0..=0,
            roots: BTreeMap::new(),
            certifiers: BTreeMap::new(),
            direct: BTreeMap::new(),
        };
        let mut positions = BTreeMap::new();
        for (position, vertex) in graph.events.iter().enumerate() {
            view.link(vertex, &positions)?;
            if positions.insert(vertex.id, position).is_some() {
                return Err(Error::Twice { id: vertex.id });
            }
        }
        view.hold(0..=view.highest_round());
        Ok(view)
    }

    /// The committee.
    #[must_use]
    pub fn committee(&self) -> &'a [Member] {
        &self.graph.committee
    }

    /// The event at a position.
    #[must_use]
    pub fn vertex(&self, event: usize) -> &'a Vertex {
        &self.graph.events[event]
    }

    /// All events at their positions.
    #[must_use]
    pub fn vertices(&self) -> &'a [Vertex] {
        &self.graph.events
    }

    /// The parents of an event: self-parent, votes and others.
    #[must_use]
    pub fn parents(&self, event: usize) -> &[usize] {
        &self.parents[event]
    }

    /// Whether `ancestor` is in the past of `event`, without the event itself.
    #[must_use]
    pub fn is_past(&self, event: usize, ancestor: usize) -> bool {
        self.pasts[event][ancestor]
    }

    /// Whether an event is held: always, but for one mutant.
    #[must_use]
    pub fn is_held(&self, event: usize) -> bool {
        self.rounds.contains(&self.vertex(event).round)
    }

    /// The highest round of the graph.
    #[must_use]
    pub fn highest_round(&self) -> u64 {
        let rounds = self.graph.events.iter().map(|vertex| vertex.round);
        rounds.max().unwrap_or(0)
    }

    /// The direct decision of a slot, or none if neither C13 nor C14 holds.
    #[must_use]
    pub fn direct(&self, round: u64, peer: u16) -> Option<Decision> {
        self.direct.get(&(round, peer)).copied().flatten()
    }

    /// The decisions of all slots (round, peer) of rounds `from` and above, while `seed` is in
    /// force. Rule C15.
    #[must_use]
    pub fn decisions(&self, seed: &Digest, from: u64) -> BTreeMap<(u64, u16), Decision> {
        let mut decisions = BTreeMap::new();
        let mut anchors: Vec<(u64, u16)> = vec![];
        // From the highest round down, so that every slot that may be asked for is decided before.
        for round in (from..=*self.rounds.end()).rev() {
            for peer in self.peers() {
                let decision = self
                    .direct(round, peer)
                    .unwrap_or_else(|| self.indirect(round, peer, &anchors, &decisions));
                decisions.insert((round, peer), decision);
            }
            let order = ranking(Race::Anchor, seed, round, self.committee()); // C18
            anchors.splice(0..0, order.into_iter().map(|peer| (round, peer)));
        }
        decisions
    }

    /// Makes `rounds` the only ones whose events count, and decides their slots directly.
    pub(super) fn hold(&mut self, rounds: RangeInclusive<u64>) {
        self.rounds = rounds.clone();
        self.roots = BTreeMap::new();
        for event in 0..self.graph.events.len() {
            if self.is_held(event) && self.vertex(event).root {
                let round = self.vertex(event).round;
                self.roots.entry(round).or_default().push(event);
            }
        }
        let held: Vec<usize> = self.roots.values().flatten().copied().collect();
        let certifiers = held
            .into_iter()
            .map(|root| (root, self.certifiers_of(root)));
        self.certifiers = certifiers.collect();
        let slots = rounds.flat_map(|round| self.peers().map(move |peer| (round, peer)));
        self.direct = slots
            .map(|(round, peer)| ((round, peer), self.decide_directly(round, peer)))
            .collect();
    }

    fn link(&mut self, vertex: &Vertex, positions: &BTreeMap<Digest, usize>) -> Result<(), Error> {
        let (id, round, creator) = (vertex.id, vertex.round, vertex.creator);
        let (members, events) = (self.graph.committee.len(), self.graph.events.len());
        if usize::from(creator) >= members {
            return Err(Error::Creator {
                id,
                creator,
                members,
            });
        }
        // Below a root there is one of each lower round (C6), and a data event stands on a root.
        if usize::try_from(round).map_or(true, |round| round >= events) {
            return Err(Error::Round { id, round, events });
        }
        let position = |parent: &Digest| {
            let parent = *parent;
            positions
                .get(&parent)
                .copied()
                .ok_or(Error::Parent { id, parent })
        };
        let votes = vertex
            .votes
            .iter()
            .map(position)
            .collect::<Result<Vec<_>, _>>()?;
        for vote in votes.iter().map(|vote| self.vertex(*vote)) {
            if !vote.root || vote.round + 1 != round {
                let vote = vote.id;
                return Err(Error::Vote { id, round, vote });
            }
        }
        let others = vertex
            .self_parent
            .iter()
            .chain(&vertex.parents)
            .map(position);
        let mut parents = others.collect::<Result<Vec<_>, _>>()?;
        parents.extend(&votes);
        let mut past = vec![false; events];
        for parent in &parents {
            past[*parent] = true;
            for (mine, theirs) in past.iter_mut().zip(&self.pasts[*parent]) {
                *mine |= theirs;
            }
        }
        self.parents.push(parents);
        self.votes.push(votes);
        self.pasts.push(past);
        Ok(())
    }

    fn peers(&self) -> impl Iterator<Item = u16> + use<> {
        (0..).take(self.graph.committee.len())
    }

    fn roots(&self, round: u64) -> &[usize] {
        self.roots.get(&round).map_or(&[], Vec::as_slice)
    }

    /// The held roots of `peer` in `round`. // C11
    fn candidates(&self, round: u64, peer: u16) -> Vec<usize> {
        let roots = self.roots(round).iter().copied();
        roots
            .filter(|root| self.vertex(*root).creator == peer)
            .collect()
    }

    // C11
    fn votes_for(&self, root: usize, candidate: usize) -> bool {
        match self.mutant {
            Some(Mutant::VoteByPast) => self.is_past(root, candidate),
            _ => self.votes[root].contains(&candidate),
        }
    }

    /// Whether the creators of `roots`, all of one `round`, form a quorum. // C3
    fn is_quorum(&self, roots: &[usize], round: u64) -> bool {
        let (threshold, whole) = match self.mutant {
            Some(Mutant::QuorumOfHalf) => (Threshold::Half, self.stake),
            Some(Mutant::QuorumOfPresent) => {
                (Threshold::Quorum, self.stake_of_creators(self.roots(round)))
            }
            _ => (Threshold::Quorum, self.stake),
        };
        let part = match self.mutant {
            Some(Mutant::PerRoot) => roots.iter().fold(Stake::ZERO, |sum, root| {
                sum.later(self.stake_of(self.vertex(*root).creator))
            }),
            _ => self.stake_of_creators(roots),
        };
        threshold.is_met(part, whole)
    }

    fn stake_of(&self, peer: u16) -> u64 {
        self.graph.committee[usize::from(peer)].stake
    }

    fn stake_of_creators(&self, events: &[usize]) -> Stake {
        let creators: BTreeSet<u16> = events.iter().map(|e| self.vertex(*e).creator).collect();
        // At most the whole stake, which View::new has summed.
        let stakes = creators.into_iter().map(|peer| self.stake_of(peer));
        stakes.fold(Stake::ZERO, Stake::later)
    }

    /// The held roots of the second round above `candidate` that certify it. // C12
    fn certifiers_of(&self, candidate: usize) -> Vec<usize> {
        let round = self.vertex(candidate).round;
        let certifies = |root: &usize| {
            let votes = self.votes[*root].iter().copied();
            let votes: Vec<usize> = votes
                .filter(|vote| self.votes_for(*vote, candidate))
                .collect();
            self.is_quorum(&votes, round + 1)
        };
        self.roots(round + 2)
            .iter()
            .copied()
            .filter(certifies)
            .collect()
    }

    fn decide_directly(&self, round: u64, peer: u16) -> Option<Decision> {
        let candidates = self.candidates(round, peer);
        let certified = candidates
            .iter()
            .filter(|c| !self.certifiers[*c].is_empty());
        let committed = candidates
            .iter()
            .find(|candidate| self.is_quorum(&self.certifiers[*candidate], round + 2)); // C13
        let voters = self.roots(round + 1);
        let is_refused = |candidate: &usize| {
            let voters = voters.iter().copied();
            let others: Vec<usize> = voters.filter(|v| !self.votes_for(*v, *candidate)).collect();
            self.is_quorum(&others, round + 1)
        };
        let is_skipped = self.is_quorum(voters, round + 1) && candidates.iter().all(is_refused); // C14
        if certified.count() > 1 {
            return Some(Decision::Contradiction); // C15
        }
        match (committed, is_skipped) {
            (Some(_), true) => Some(Decision::Contradiction), // C15
            (Some(candidate), false) => Some(Decision::Committed(*candidate, How::Direct)),
            (None, true) => Some(Decision::Skipped(How::Direct)),
            (None, false) => None,
        }
    }

    /// Decides a slot by the first anchor that is not skipped. `anchors`: the slots of all rounds
    /// above `round` in order; each has its entry in `decisions`. // C15
    fn indirect(
        &self,
        round: u64,
        peer: u16,
        anchors: &[(u64, u16)],
        decisions: &BTreeMap<(u64, u16), Decision>,
    ) -> Decision {
        let distance = match self.mutant {
            Some(Mutant::AnchorFromTwo) => 2,
            _ => 3,
        };
        for anchor in anchors.iter().filter(|anchor| anchor.0 >= round + distance) {
            match decisions[anchor] {
                Decision::Skipped(_) => {}
                Decision::Undecided if self.mutant == Some(Mutant::PassUndecided) => {}
                Decision::Undecided => return Decision::Undecided,
                Decision::Contradiction => return Decision::Contradiction,
                Decision::Committed(event, _) => return self.decide_by(event, round, peer),
            }
        }
        Decision::Undecided
    }

    // C15
    fn decide_by(&self, anchor: usize, round: u64, peer: u16) -> Decision {
        let mut reached = BTreeSet::from([anchor]);
        // Each step along votes goes down exactly one round (C6).
        for _ in round + 2..self.vertex(anchor).round {
            let votes = reached
                .iter()
                .flat_map(|root| self.votes[*root].iter().copied());
            reached = votes.collect();
        }
        let candidates = self.candidates(round, peer);
        let certified = candidates.into_iter().find(|candidate| {
            self.certifiers[candidate]
                .iter()
                .any(|x| reached.contains(x))
        });
        match certified {
            Some(candidate) => Decision::Committed(candidate, How::Indirect),
            None => Decision::Skipped(How::Indirect),
        }
    }
}
