//! The chain of seeds that no one can grind (C17, section 11).

use primitives::Digest;
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::units::{Epoch, Round};

/// The first seed of a chain.
#[must_use]
pub fn genesis(chain: &Digest) -> Digest {
    derive(Domain::SeedGenesis, &[&chain.0])
}

/// The seed after a block: of its round and its leader's VRF pre-output.
#[must_use]
pub fn next(seed: &Digest, round: Round, pre_output: &[u8; 32]) -> Digest {
    let round = round.get().to_le_bytes();
    derive(Domain::SeedNext, &[&seed.0, &round, pre_output])
}

/// The first seed of a later epoch: of the seed after the sealing block.
#[must_use]
pub fn epoch(seed: &Digest, epoch: Epoch) -> Digest {
    derive(Domain::SeedEpoch, &[&seed.0, &epoch.get().to_le_bytes()])
}

/// What breaks ties in the order (C22): of the seed before the block and the event.
#[must_use]
pub fn tie(seed: &Digest, event: &Digest) -> Digest {
    derive(Domain::Tie, &[&seed.0, &event.0])
}

#[cfg(test)]
mod tests;
