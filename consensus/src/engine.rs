//! Settles rounds in order, one block after another (C19, C20).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use dag::graph::Handle;
use dag::{Committee, Dag};
use primitives::codec::List;
use primitives::keys::Beacon;
use primitives::quorum::Threshold;
use primitives::units::{Epoch, Height, PeerIndex, Round, Time};
use primitives::{Digest, limits};

use crate::checkpoint::{Checkpoint, Ordered};
use crate::error::{Contradiction, Error};
use crate::order;
use crate::seed;
use crate::slots::{Outcome, Slot, Slots, Status};

mod tentative;

pub use tentative::TentativeHead;

/// Checks a would-be leader's beacon (C17); a committee does, and tests fake it.
pub trait BeaconCheck {
    /// Whether `beacon` is `creator`'s of `round`.
    fn is_valid(&self, creator: PeerIndex, round: Round, beacon: &Beacon) -> bool;
}

impl BeaconCheck for Committee {
    fn is_valid(&self, creator: PeerIndex, round: Round, beacon: &Beacon) -> bool {
        self.member(creator).is_ok_and(|member| {
            member
                .event_key
                .verify_beacon(self.chain(), self.epoch(), round, beacon)
        })
    }
}

/// A settled block (C20).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Its height.
    pub height: Height,
    /// Its round.
    pub round: Round,
    /// The leader's event.
    pub leader: Digest,
    /// The leader's creator.
    pub creator: PeerIndex,
    /// Its events in order (C21, C22), the leader among them.
    pub order: Vec<Digest>,
    /// The seed in force before it.
    pub seed_before: Digest,
    /// The seed after it (C17).
    pub seed_after: Digest,
    /// The block time (C29a).
    pub time: Time,
    /// The leader's VRF pre-output.
    pub pre_output: [u8; 32],
}

/// Settles the rounds of one epoch.
#[derive(Debug, Clone)]
pub struct Engine {
    epoch: Epoch,
    height: Height,
    last_height: Height,
    seed: Digest,
    time: Time,
    settled: Option<Round>,
    /// The leader of the last block, if this engine settled it.
    previous: Option<Digest>,
    ordered: BTreeMap<Digest, Round>,
    ordered_by_round: BTreeMap<Round, Vec<Digest>>,
    slots: Slots,
    /// The leader rank of the next round, until it is settled.
    rank: Vec<PeerIndex>,
    /// Would-be leaders of the next round whose beacons do not verify.
    bad_beacons: BTreeSet<Handle>,
    roots_seen: Option<u64>,
    contradiction: Option<Contradiction>,
}

impl Engine {
    /// The engine of the chain's first epoch: height 0, the seed from the chain's id, block time 0.
    #[must_use]
    pub fn new(committee: &Committee) -> Self {
        let seed = seed::genesis(committee.chain());
        Self::start(committee, Height::ZERO, seed, Time::ZERO)
    }

    /// The same with the time of genesis, below which no block time falls (C29a).
    #[must_use]
    pub const fn with_time(mut self, time: Time) -> Self {
        self.time = time;
        self
    }

    /// The same, stopping after the block of height `last`, which seals the epoch (C30).
    #[must_use]
    pub const fn with_last_height(mut self, last: Height) -> Self {
        self.last_height = last;
        self
    }

    /// The engine of the next epoch, after the sealing block: height, time and seed go on (C30).
    #[must_use]
    pub fn next_epoch(&self, committee: &Committee) -> Self {
        let seed = seed::epoch(&self.seed, committee.epoch());
        Self::start(committee, self.height, seed, self.time)
    }

    /// Settles all that can be settled, each block once; without new roots it returns at once.
    pub fn advance(&mut self, dag: &Dag, beacons: &dyn BeaconCheck) -> Vec<Settled> {
        let mut blocks = Vec::new();
        // Only roots decide slots.
        if self.roots_seen == Some(dag.roots_admitted()) {
            return blocks;
        }
        self.roots_seen = Some(dag.roots_admitted());
        while self.contradiction.is_none() && !self.is_sealed() {
            match self.elect(dag, beacons) {
                Ok(Election::Open) => break,
                Ok(Election::Nobody) => self.close_round(),
                Ok(Election::Leader(leader)) => {
                    blocks.extend(self.settle(dag, leader));
                    self.close_round();
                }
                Err(contradiction) => self.contradiction = Some(contradiction),
            }
        }
        blocks
    }

    /// What stopped settling for good, if anything did (C15).
    #[must_use]
    pub const fn contradiction(&self) -> Option<&Contradiction> {
        self.contradiction.as_ref()
    }

    /// The epoch.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The height of the last block.
    #[must_use]
    pub const fn height(&self) -> Height {
        self.height
    }

    /// The seed after the last block.
    #[must_use]
    pub const fn seed(&self) -> Digest {
        self.seed
    }

    /// The time of the last block.
    #[must_use]
    pub const fn time(&self) -> Time {
        self.time
    }

    /// The last settled round of this epoch, whether or not it had a block.
    #[must_use]
    pub const fn settled_round(&self) -> Option<Round> {
        self.settled
    }

    /// Settled round - 96: what `Dag::raise_floor` may drop (C9a).
    #[must_use]
    pub fn floor(&self) -> Round {
        self.settled
            .map_or(Round::ZERO, |settled| settled.earlier(limits::FLOOR_ROUNDS))
    }

    /// Whether the last block seals the epoch (C30).
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.height >= self.last_height
    }

    /// Whether an event is in a settled block; remembered for 96 rounds.
    #[must_use]
    pub fn is_ordered(&self, id: &Digest) -> bool {
        self.ordered.contains_key(id)
    }

    /// Whether an event of `round` can no longer be ordered by a later block (C21).
    #[must_use]
    pub fn is_stale(&self, round: Round) -> bool {
        round.later(limits::STALE_ROUNDS) < self.next_round()
    }

    /// What the present seed says of a slot; undecided for settled rounds. For display: it copies
    /// what has been counted.
    #[must_use]
    pub fn status(&self, dag: &Dag, slot: Slot) -> Status {
        if slot.round < self.next_round() {
            return Status::Undecided;
        }
        match self.slots.clone().decide(dag, &self.seed, slot) {
            Ok(Some(Outcome::Committed(handle))) => dag
                .vertex(handle)
                .map_or(Status::Undecided, |root| Status::Committed(*root.id())),
            Ok(Some(Outcome::Skipped)) => Status::Skipped,
            Ok(None) | Err(_) => Status::Undecided,
        }
    }

    /// How many rounds are held above the settled one.
    #[must_use]
    pub fn undecided_rounds(&self, dag: &Dag) -> u64 {
        dag.highest_round()
            .map_or(0, |highest| highest.later(1).since(self.next_round()))
    }

    /// The state between two blocks (C31). `dag` gives the known forkers.
    ///
    /// # Errors
    /// Only if more is remembered than a checkpoint can hold.
    pub fn checkpoint(&self, dag: &Dag) -> Result<Checkpoint, Error> {
        let mut ordered: Vec<Ordered> = self
            .ordered
            .iter()
            .map(|(id, round)| Ordered {
                round: *round,
                id: *id,
            })
            .collect();
        ordered.sort_unstable();
        Ok(Checkpoint {
            ordered: List::new(ordered)?,
            ..self.checkpoint_without_order(dag)?
        })
    }

    /// The same without the ids ordered lately, for a caller that keeps them elsewhere. Cost: O(forkers).
    ///
    /// # Errors
    /// Only if there are more forkers than a committee has members.
    pub fn checkpoint_without_order(&self, dag: &Dag) -> Result<Checkpoint, Error> {
        Ok(Checkpoint {
            version: 1,
            epoch: self.epoch,
            height: self.height,
            seed: self.seed,
            settled: self.settled,
            time: self.time,
            ordered: List::empty(),
            forkers: List::new(dag.forkers().collect())?,
        })
    }

    /// The engine of a checkpoint; the caller also marks its forkers in the DAG and raises the DAG's
    /// floor to [`Self::floor`].
    ///
    /// # Errors
    /// [`Error::Version`], [`Error::OtherEpoch`] or [`Error::CheckpointOrder`].
    pub fn restore(committee: &Committee, checkpoint: &Checkpoint) -> Result<Self, Error> {
        checkpoint.check(committee)?;
        let mut engine = Self::start(
            committee,
            checkpoint.height,
            checkpoint.seed,
            checkpoint.time,
        );
        engine.settled = checkpoint.settled;
        for ordered in checkpoint.ordered.iter() {
            engine.note_ordered(ordered.id, ordered.round);
        }
        Ok(engine)
    }

    fn start(committee: &Committee, height: Height, seed: Digest, time: Time) -> Self {
        Self {
            epoch: committee.epoch(),
            height,
            last_height: Height::MAX,
            seed,
            time,
            settled: None,
            previous: None,
            ordered: BTreeMap::new(),
            ordered_by_round: BTreeMap::new(),
            slots: Slots::new(committee),
            rank: Vec::new(),
            bad_beacons: BTreeSet::new(),
            roots_seen: None,
            contradiction: None,
        }
    }

    fn next_round(&self) -> Round {
        self.settled.map_or(Round::ZERO, |settled| settled.later(1))
    }

    // C19.
    fn elect(&mut self, dag: &Dag, beacons: &dyn BeaconCheck) -> Result<Election, Contradiction> {
        let round = self.next_round();
        // No slot is decided before a quorum of the next round is held (C13 to C15).
        let heard = dag.heard(round.later(1));
        if !dag.committee().meets(Threshold::Quorum, heard) {
            return Ok(Election::Open);
        }
        if self.rank.is_empty() {
            self.rank = self.slots.leader_rank(&self.seed, round);
        }
        for peer in &self.rank {
            let slot = Slot { round, peer: *peer };
            match self.slots.decide(dag, &self.seed, slot)? {
                None => return Ok(Election::Open),
                Some(Outcome::Skipped) => {}
                Some(Outcome::Committed(candidate)) => {
                    if self.bad_beacons.contains(&candidate) {
                        continue;
                    }
                    // C17: a bad proof is passed over like a skipped slot.
                    let beacon = dag
                        .vertex(candidate)
                        .and_then(|root| root.event().header().beacon.as_ref());
                    if beacon.is_some_and(|beacon| beacons.is_valid(*peer, round, beacon)) {
                        return Ok(Election::Leader(candidate));
                    }
                    self.bad_beacons.insert(candidate);
                }
            }
        }
        Ok(Election::Nobody)
    }

    // C17, C20, C21, C22, C29a.
    fn settle(&mut self, dag: &Dag, leader: Handle) -> Option<Settled> {
        let vertex = dag.vertex(leader)?;
        let round = vertex.round();
        let pre_output = vertex.event().header().beacon?.pre_output;
        let members = order::unordered_past(dag, leader, |id| self.is_ordered(id));
        let order = order::arrange(dag, &self.seed, &members);
        for member in members.iter().filter_map(|handle| dag.vertex(*handle)) {
            self.note_ordered(*member.id(), member.round());
        }
        self.previous = Some(*vertex.id());
        let seed_before = self.seed;
        self.seed = seed::next(&seed_before, round, &pre_output);
        self.slots.forget_seed();
        self.height = self.height.later(1);
        self.time = order::block_time(dag, vertex, self.time);
        Some(Settled {
            height: self.height,
            round,
            leader: *vertex.id(),
            creator: vertex.creator(),
            order,
            seed_before,
            seed_after: self.seed,
            time: self.time,
            pre_output,
        })
    }

    /// Ends the next round, with a block or without.
    fn close_round(&mut self) {
        let round = self.next_round();
        self.settled = Some(round);
        self.slots.settle(round);
        self.rank.clear();
        self.bad_beacons.clear();
        let kept = self.ordered_by_round.split_off(&self.floor());
        let dropped = core::mem::replace(&mut self.ordered_by_round, kept);
        for id in dropped.into_values().flatten() {
            self.ordered.remove(&id);
        }
    }

    fn note_ordered(&mut self, id: Digest, round: Round) {
        self.ordered.insert(id, round);
        self.ordered_by_round.entry(round).or_default().push(id);
    }
}

/// The state of the next round.
enum Election {
    Open,
    Nobody,
    Leader(Handle),
}

#[cfg(test)]
mod tests;
