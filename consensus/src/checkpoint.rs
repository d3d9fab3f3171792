//! What a restart needs to go on with the same next block (C31).

use dag::Committee;
use primitives::codec::{Canonical, Decode, Encode, List};
use primitives::units::{Epoch, Height, PeerIndex, Round, Time};
use primitives::{Digest, limits};

use crate::error::Error;

/// Ids of one checkpoint: what 96 rounds can order, with room to spare.
pub const ORDERED_MAX: usize = 4_194_304;

/// One ordered event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Ordered {
    /// Its round.
    pub round: Round,
    /// Its id.
    pub id: Digest,
}

/// The engine between two blocks. The header hash of C31 is the ledger's to keep. `version` is 1.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Checkpoint {
    /// The version of this encoding, 1.
    pub version: u8,
    /// The epoch.
    pub epoch: Epoch,
    /// The height of the last block.
    pub height: Height,
    /// The seed after it.
    pub seed: Digest,
    /// The last settled round, none before the first of the epoch.
    pub settled: Option<Round>,
    /// The time of the last block (C29a).
    pub time: Time,
    /// Events ordered in the last 96 rounds, by ascending (round, id).
    pub ordered: List<Ordered, ORDERED_MAX>,
    /// Known forkers, ascending.
    pub forkers: List<PeerIndex, { limits::PEERS_MAX }>,
}

impl Canonical for Checkpoint {
    const BYTES_MAX: usize = 40 * ORDERED_MAX + 16 * 1024;
}

impl Checkpoint {
    /// Checks what a checkpoint shows by itself.
    ///
    /// # Errors
    /// [`Error::Version`], [`Error::OtherEpoch`] or [`Error::CheckpointOrder`].
    pub fn check(&self, committee: &Committee) -> Result<(), Error> {
        if self.version != 1 {
            return Err(Error::Version {
                found: self.version,
            });
        }
        if self.epoch != committee.epoch() {
            return Err(Error::OtherEpoch {
                found: self.epoch,
                wanted: committee.epoch(),
            });
        }
        if !is_ascending(&self.ordered) || !is_ascending(&self.forkers) {
            return Err(Error::CheckpointOrder);
        }
        Ok(())
    }
}

fn is_ascending<T: Ord>(list: &[T]) -> bool {
    list.iter().zip(list.iter().skip(1)).all(|(a, b)| a < b)
}

#[cfg(test)]
mod tests;
