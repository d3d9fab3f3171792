//! What the held roots say of one slot: who votes for a candidate, who does not, who certifies it.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use dag::Dag;
use dag::graph::{Handle, Vertex};
use primitives::quorum::Threshold;
use primitives::units::{PeerIndex, Stake};

use crate::slots::{Outcome, Slot};

/// What has been counted for one slot.
#[derive(Debug, Clone, Default)]
pub(super) struct Tallies {
    pub(super) direct: Option<Outcome>,
    roots_seen: usize,
    pub(super) candidates: Vec<Candidate>,
}

#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) handle: Handle,
    /// Roots of the next round that vote for it, and creators of those that do not.
    voters: Voters,
    pub(super) against: Tally,
    ballots_seen: usize,
    /// Creators of roots that certify it (C12).
    pub(super) certifiers: Tally,
    certifiers_seen: usize,
}

/// Roots that vote for one candidate (C11), by creator.
type Voters = BTreeSet<(PeerIndex, Handle)>;

/// Stake of distinct creators.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) creators: BTreeSet<PeerIndex>,
    pub(super) stake: Stake,
}

impl Tally {
    fn add(&mut self, creator: PeerIndex, stake: Stake) {
        if self.creators.insert(creator) {
            // Never above the committee's whole stake, which is checked.
            self.stake = self.stake.later(stake.get());
        }
    }
}

impl Tallies {
    /// Counts roots admitted since the last time.
    pub(super) fn count(&mut self, dag: &Dag, slot: Slot) {
        let fresh = candidates(dag, slot, self.roots_seen).map(Candidate::new);
        self.candidates.extend(fresh);
        self.roots_seen = dag.root_handles(slot.round).len();
        let committee = dag.committee();
        let certifying = dag.root_handles(slot.round.later(2));
        for candidate in &mut self.candidates {
            for (root, is_for) in ballots(dag, slot, candidate.handle, candidate.ballots_seen) {
                if is_for {
                    candidate.voters.insert(root);
                } else {
                    candidate.against.add(root.0, committee.stake(root.0));
                }
            }
            candidate.ballots_seen = dag.root_handles(slot.round.later(1)).len();
            let fresh = certifying.iter().skip(candidate.certifiers_seen);
            for root in fresh.filter_map(|handle| dag.vertex(*handle)) {
                if certifies(dag, root, &candidate.voters) {
                    let stake = committee.stake(root.creator());
                    candidate.certifiers.add(root.creator(), stake);
                }
            }
            candidate.certifiers_seen = certifying.len();
        }
    }
}

impl Candidate {
    fn new(handle: Handle) -> Self {
        Self {
            handle,
            voters: Voters::new(),
            against: Tally::default(),
            ballots_seen: 0,
            certifiers: Tally::default(),
            certifiers_seen: 0,
        }
    }
}

/// The held roots of a slot (C11), leaving out the first `seen` roots of its round.
pub(super) fn candidates(dag: &Dag, slot: Slot, seen: usize) -> impl Iterator<Item = Handle> + '_ {
    dag.root_handles(slot.round)
        .iter()
        .skip(seen)
        .copied()
        .filter(move |handle| {
            dag.vertex(*handle)
                .is_some_and(|root| root.creator() == slot.peer)
        })
}

/// Whether any of `roots` certifies `candidate` of `slot`. Rule C12.
pub(super) fn is_certified(
    dag: &Dag,
    slot: Slot,
    candidate: Handle,
    roots: &BTreeSet<Handle>,
) -> bool {
    let ballots = ballots(dag, slot, candidate, 0).filter(|(_, is_for)| *is_for);
    let voters: Voters = ballots.map(|(root, _)| root).collect();
    let mut roots = roots.iter().filter_map(|handle| dag.vertex(*handle));
    roots.any(|root| certifies(dag, root, &voters))
}

/// The held roots of the round after a slot's, leaving out the first `seen`, and whether each votes
/// for `candidate` (C11).
fn ballots(
    dag: &Dag,
    slot: Slot,
    candidate: Handle,
    seen: usize,
) -> impl Iterator<Item = ((PeerIndex, Handle), bool)> + '_ {
    let roots = dag.root_handles(slot.round.later(1)).iter().skip(seen);
    roots.filter_map(move |handle| {
        let root = dag.vertex(*handle)?;
        let is_for = root.vote_of(slot.peer) == Some(candidate);
        Some(((root.creator(), *handle), is_for))
    })
}

/// Whether a candidate with these voters is certified by `root`. Rule C12; C38: stops as soon as it
/// is settled. Cost: one pass over both lists, which are sorted alike.
fn certifies(dag: &Dag, root: &Vertex, voters: &Voters) -> bool {
    let committee = dag.committee();
    let is_quorum = |stake| committee.meets(Threshold::Quorum, stake);
    let mut voters = voters.iter().peekable();
    let mut voting = Stake::ZERO;
    let mut possible = committee.total();
    for vote in root.votes() {
        let stake = committee.stake(vote.0).get();
        while voters.next_if(|voter| **voter < vote).is_some() {}
        if voters.peek() == Some(&&vote) {
            voting = voting.later(stake);
            if is_quorum(voting) {
                return true;
            }
        } else {
            possible = possible.earlier(stake);
            if !is_quorum(possible) {
                return false;
            }
        }
    }
    false
}
