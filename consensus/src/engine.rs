//! Settles rounds in order, one block after another (C19, C20).

use alloc::vec::Vec;

use dag::{Committee, Dag};
use primitives::Digest;
use primitives::keys::Beacon;
use primitives::units::{Height, PeerIndex, Round, Time};

use crate::checkpoint::Checkpoint;
use crate::error::{Contradiction, Error};
use crate::slots::{Slot, Status};

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
pub struct Engine {}

impl Engine {
    /// The engine of the chain's first epoch: height 0, the seed from the chain's id, block time 0.
    #[must_use]
    pub fn new(_committee: &Committee) -> Self {
        unimplemented!()
    }

    /// The same with the time of genesis, below which no block time falls (C29a).
    #[must_use]
    pub fn with_time(self, _time: Time) -> Self {
        unimplemented!()
    }

    /// The same, stopping after the block of height `last`, which seals the epoch (C30).
    #[must_use]
    pub fn with_last_height(self, _last: Height) -> Self {
        unimplemented!()
    }

    /// The engine of the next epoch, after the sealing block: height, time and seed go on (C30).
    #[must_use]
    pub fn next_epoch(&self, _committee: &Committee) -> Self {
        unimplemented!()
    }

    /// Settles all that can be settled, each block once; without new roots it returns at once.
    pub fn advance(&mut self, _dag: &Dag, _beacons: &dyn BeaconCheck) -> Vec<Settled> {
        unimplemented!()
    }

    /// What stopped settling for good, if anything did (C15).
    #[must_use]
    pub fn contradiction(&self) -> Option<&Contradiction> {
        unimplemented!()
    }

    /// The height of the last block.
    #[must_use]
    pub fn height(&self) -> Height {
        unimplemented!()
    }

    /// The seed after the last block.
    #[must_use]
    pub fn seed(&self) -> Digest {
        unimplemented!()
    }

    /// The time of the last block.
    #[must_use]
    pub fn time(&self) -> Time {
        unimplemented!()
    }

    /// The last settled round of this epoch, whether or not it had a block.
    #[must_use]
    pub fn settled_round(&self) -> Option<Round> {
        unimplemented!()
    }

    /// Settled round - 96: what `Dag::raise_floor` may drop (C9a).
    #[must_use]
    pub fn floor(&self) -> Round {
        unimplemented!()
    }

    /// Whether the last block seals the epoch (C30).
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        unimplemented!()
    }

    /// Whether an event is in a settled block; remembered for 96 rounds.
    #[must_use]
    pub fn is_ordered(&self, _id: &Digest) -> bool {
        unimplemented!()
    }

    /// Whether an event of `round` can no longer be ordered by a later block (C21).
    #[must_use]
    pub fn is_stale(&self, _round: Round) -> bool {
        unimplemented!()
    }

    /// What the present seed says of a slot; undecided for settled rounds. For display.
    #[must_use]
    pub fn status(&self, _dag: &Dag, _slot: Slot) -> Status {
        unimplemented!()
    }

    /// How many rounds are held above the settled one.
    #[must_use]
    pub fn undecided_rounds(&self, _dag: &Dag) -> u64 {
        unimplemented!()
    }

    /// The state between two blocks (C31). `dag` gives the known forkers.
    ///
    /// # Errors
    /// Only if more is remembered than a checkpoint can hold.
    pub fn checkpoint(&self, _dag: &Dag) -> Result<Checkpoint, Error> {
        unimplemented!()
    }

    /// The engine of a checkpoint; the caller also marks its forkers in the DAG and raises the DAG's
    /// floor to [`Self::floor`].
    ///
    /// # Errors
    /// [`Error::Version`], [`Error::OtherEpoch`] or [`Error::CheckpointOrder`].
    pub fn restore(_committee: &Committee, _checkpoint: &Checkpoint) -> Result<Self, Error> {
        unimplemented!()
    }
}
